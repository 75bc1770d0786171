//! `hlgen render`.

use std::path::PathBuf;
use std::time::Instant;

use super::{Common, Status, Terminal};
use crate::diag::Level;
use crate::io::write::Summary;
use crate::ops::evaluate::Selection;
use crate::ops::render::{Outcome, Target, render};
use crate::ops::workspace::{Workspace, has_errors};
use crate::plan::Plan;

/// Which files are written, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write only the releases of this environment; sets, projects and namespaces are always whole
    #[arg(long = "env", value_name = "ENV")]
    environments: Vec<String>,
    /// Write only this app (or release)
    #[arg(long = "app", value_name = "APP")]
    apps: Vec<String>,
    /// Write nothing; exit 1 if the output is not what would be written
    #[arg(long)]
    check: bool,
    /// Write to this folder instead of the project's `git.path`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Exit 1 on warnings too
    #[arg(long)]
    deny_warnings: bool,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let start = Instant::now();
    let workspace = Workspace::open(&common.directory)?.within(common.limits)?;
    let selection = Selection { environments: args.environments.clone(), apps: args.apps.clone() };
    let folder = args.out.clone().unwrap_or_default();
    let target = if args.check { Target::Check(&folder) } else { Target::Write(&folder) };
    let outcome = render(&workspace, &selection, target)?;
    terminal.findings(&outcome.findings, &workspace.sources, false)?;
    let failed = has_errors(&outcome.findings) || denied(args.deny_warnings, &outcome);
    let differs = args.check && outcome.summary.as_ref().is_some_and(Summary::differs);
    if let (true, Some(summary)) = (args.check, &outcome.summary) {
        terminal.data(&changes(summary))?;
    }
    let time = format!("{} ms", start.elapsed().as_millis());
    match (&outcome.plan, &outcome.summary) {
        (Some(plan), Some(summary)) => terminal.summary(&format!("{}: {} ({time})", scope(plan), counts(summary))),
        (Some(plan), None) => terminal.summary(&format!("{}: nothing written ({time})", scope(plan))),
        (None, _) => terminal.summary(&format!("nothing written ({time})")),
    }
    Ok(if failed || differs { Status::Found } else { Status::Fine })
}

pub(super) fn denied(deny_warnings: bool, outcome: &Outcome) -> bool {
    deny_warnings && outcome.findings.iter().any(|finding| finding.level == Level::Warning)
}

/// `108 releases of 41 apps in 3 environments`.
pub(super) fn scope(plan: &Plan) -> String {
    let many = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    format!(
        "{} of {} in {}",
        many(plan.releases.len(), "release"),
        many(plan.by_app().len(), "app"),
        many(plan.environments.len(), "environment")
    )
}

fn counts(summary: &Summary) -> String {
    format!("{} changed, {} added, {} removed", summary.changed.len(), summary.added.len(), summary.removed.len())
}

/// One line for each file that `--check` found to differ.
fn changes(summary: &Summary) -> String {
    let mut lines = String::new();
    for (mark, paths) in [("changed", &summary.changed), ("missing", &summary.added), ("stale", &summary.removed)] {
        for path in paths {
            lines.push_str(mark);
            lines.push(' ');
            lines.push_str(path);
            lines.push('\n');
        }
    }
    lines
}
