//! `hlgen validate`.

use std::path::PathBuf;
use std::time::Instant;

use super::{Common, Status, Terminal, render};
use crate::ops::evaluate::Selection;
use crate::ops::render::{Delivery, Target, render as check};
use crate::ops::workspace::{Workspace, has_errors};

/// What counts as a failure.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Exit 1 on warnings too
    #[arg(long)]
    deny_warnings: bool,
    /// Check what is staged in Git instead of the working tree: what the next commit will hold
    #[arg(long)]
    staged: bool,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let start = Instant::now();
    let workspace = if args.staged {
        // Git names the index to its hooks where it is not the usual one.
        let index = std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from);
        Workspace::staged(&common.directory, index.as_deref())?
    } else {
        Workspace::open(&common.directory)?
    }
    .within(common.limits);
    let outcome = check(&workspace, &Selection::default(), Delivery::Files, Target::Nowhere)?;
    terminal.findings(&outcome.findings, &workspace.sources, true)?;
    let count = Terminal::count(&outcome.findings, &workspace.sources);
    let count = if count.is_empty() { "nothing found".to_owned() } else { count };
    let time = format!("{} ms", start.elapsed().as_millis());
    match &outcome.plan {
        Some(plan) => terminal.summary(&format!("{}: {count} ({time})", render::scope(plan))),
        None => terminal.summary(&format!("{count} ({time})")),
    }
    let failed = has_errors(&outcome.findings) || render::denied(args.deny_warnings, &outcome);
    Ok(if failed { Status::Found } else { Status::Fine })
}
