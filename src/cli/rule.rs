//! `hlgen rule`.

use std::fmt::Write as _;

use clap_complete::ArgValueCandidates;

use super::{Status, Terminal, complete};
use crate::diag::{Code, nearest};
use crate::report::rules;

/// Which code.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A code such as `merge/type-clash`; without it all codes are listed
    #[arg(add = ArgValueCandidates::new(complete::codes))]
    code: Option<String>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<Status> {
    let Some(name) = &args.code else {
        let width = Code::ALL.iter().map(|code| code.info().name.len()).max().unwrap_or_default();
        let mut lines = String::new();
        for info in Code::ALL.iter().map(|code| code.info()) {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{:width$}  {:7}  {}", info.name, info.level.as_str(), info.summary);
        }
        terminal.data(&lines)?;
        return Ok(Status::Fine);
    };
    let Some(code) = Code::from_name(name) else {
        let hint = nearest(name, Code::ALL.iter().map(|code| code.info().name))
            .map_or_else(|| "; `hlgen rule` lists all".to_owned(), |near| format!("; did you mean `{near}`?"));
        anyhow::bail!("there is no code `{name}`{hint}");
    };
    terminal.data(rules::page(code))?;
    Ok(Status::Fine)
}
