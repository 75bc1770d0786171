//! `hlgen eject`.

use clap_complete::ArgValueCandidates;

use super::{Common, Status, Terminal, complete};
use crate::ops::eject;
use crate::ops::workspace::Workspace;

/// Which entry.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An app of the built-in catalog
    #[arg(value_name = "APP", add = ArgValueCandidates::new(complete::apps))]
    app: String,
    /// Name the files instead of writing them
    #[arg(long)]
    print: bool,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let workspace = Workspace::open(&common.directory)?.within(common.limits);
    let ejected = match eject::collect(&workspace, &args.app)? {
        Ok(ejected) => ejected,
        Err(findings) => {
            terminal.findings(&findings, &workspace.sources, false)?;
            return Ok(Status::Found);
        }
    };
    if args.print {
        let paths: Vec<&str> = ejected.files.iter().map(|(path, _)| path.as_str()).collect();
        terminal.data(&format!("{}\n", paths.join("\n")))?;
        return Ok(Status::Fine);
    }
    eject::write(&workspace, &ejected)?;
    let base = ejected.base.map_or_else(String::new, |base| {
        format!("\nits base `{base}` stays built in; `hlgen eject {base}` copies that")
    });
    terminal.summary(&format!(
        "wrote {} files to {}/; what is rendered stays the same until you change them{base}\nto go back, remove {}/",
        ejected.files.len(),
        ejected.folder,
        ejected.folder
    ));
    Ok(Status::Fine)
}
