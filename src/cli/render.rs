//! `hlgen render`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::bail;

use clap_complete::ArgValueCandidates;

use super::{Common, Status, Terminal, complete};
use crate::diag::Level;
use crate::io::write::Summary;
use crate::ops::evaluate::Selection;
use crate::ops::render::{Delivery, Outcome, Target, render};
use crate::ops::workspace::{Workspace, has_errors};
use crate::plan::Plan;

/// Which files are written, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write only the releases of this environment; sets, projects and namespaces are always whole
    #[arg(long = "env", value_name = "ENV", add = ArgValueCandidates::new(complete::environments))]
    environments: Vec<String>,
    /// Write only this app (or release)
    #[arg(long = "app", value_name = "APP", add = ArgValueCandidates::new(complete::apps))]
    apps: Vec<String>,
    /// Write nothing; exit 1 if the output is not what would be written
    #[arg(long)]
    check: bool,
    /// Exit 1 if anything had to be written
    #[arg(long)]
    exit_code: bool,
    /// Write to this folder instead of the project's `git.path`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// `inline`: the values in the ApplicationSets, for the plugin; printed unless --out names a folder
    #[arg(long, value_enum, default_value_t = Mode::Files)]
    mode: Mode,
    /// Exit 1 on warnings too
    #[arg(long)]
    deny_warnings: bool,
}

/// How values and manifests reach Argo CD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Mode {
    /// As files in Git
    Files,
    /// In the ApplicationSets; manifests come from the plugin
    Inline,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let start = Instant::now();
    let workspace = Workspace::open(&common.directory)?.within(common.limits);
    let selection = Selection { environments: args.environments.clone(), apps: args.apps.clone() };
    let folder = args.out.clone().unwrap_or_default();
    let inline = args.mode == Mode::Inline;
    let delivery = if inline { Delivery::Inline } else { Delivery::Files };
    let target = match (args.check, inline && args.out.is_none()) {
        (true, true) => {
            bail!("nothing is written in inline mode, so there is nothing to check; name a folder with --out")
        }
        (true, false) => Target::Check(&folder),
        (false, true) => Target::Collect,
        (false, false) => Target::Write(&folder),
    };
    let outcome = render(&workspace, &selection, delivery, target)?;
    terminal.findings(&outcome.findings, &workspace.sources, false)?;
    let failed = has_errors(&outcome.findings) || denied(args.deny_warnings, &outcome);
    let differs = (args.check || args.exit_code) && outcome.summary.as_ref().is_some_and(Summary::differs);
    if let (true, Some(summary)) = (args.check, &outcome.summary) {
        terminal.data(&changes(summary, "missing", "stale"))?;
    }
    let printed = print(&outcome, &selection, terminal)?;
    let time = format!("{} ms", start.elapsed().as_millis());
    match (&outcome.plan, &outcome.summary) {
        (Some(plan), Some(summary)) => terminal.summary(&format!("{}: {} ({time})", scope(plan), counts(summary))),
        (Some(plan), None) if printed > 0 => {
            terminal.summary(&format!("{}: {printed} printed ({time})", scope(plan)));
        }
        (Some(plan), None) => terminal.summary(&format!("{}: nothing written ({time})", scope(plan))),
        (None, _) => terminal.summary(&format!("nothing written ({time})")),
    }
    Ok(if failed || differs { Status::Found } else { Status::Fine })
}

/// Prints the projects, ApplicationSets and roots of the instances that manage the selected environments, as one stream;
/// with `--app` only the ApplicationSets of the selected releases. Returns how many files there were.
fn print(outcome: &Outcome, selection: &Selection, terminal: &Terminal) -> anyhow::Result<usize> {
    let Some(plan) = &outcome.plan else { return Ok(0) };
    let selected = |path: &str| {
        let mut parts = path.split('/');
        let (Some("argocd"), Some(instance), Some(folder)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let manages = plan.instances.iter().filter(|plan| plan.name.as_str() == instance);
        let mut environments = manages.flat_map(|plan| &plan.manages).map(|env| plan.environments[*env].name.as_str());
        let env = selection.environments.is_empty()
            || environments.any(|env| selection.environments.iter().any(|name| name == env));
        let release = parts.next().map(|file| file.trim_end_matches(".yaml"));
        let mut releases = plan.releases.iter().enumerate().filter(|(_, known)| Some(known.name.as_str()) == release);
        let app = selection.apps.is_empty()
            || folder == "applicationsets" && releases.any(|(number, _)| selection.has(plan, number));
        env && app
    };
    let texts: Vec<&str> =
        outcome.files.iter().filter(|file| selected(&file.path)).map(|file| file.text.as_str()).collect();
    terminal.data(&texts.join("---\n"))?;
    Ok(texts.len())
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

pub(super) fn counts(summary: &Summary) -> String {
    format!("{} changed, {} added, {} removed", summary.changed.len(), summary.added.len(), summary.removed.len())
}

/// One line for each file that differs; `missing` and `removed` are the words for files that come and go.
pub(super) fn changes(summary: &Summary, missing: &str, removed: &str) -> String {
    let mut lines = String::new();
    for (mark, paths) in [("changed", &summary.changed), (missing, &summary.added), (removed, &summary.removed)] {
        for path in paths {
            lines.push_str(mark);
            lines.push(' ');
            lines.push_str(path);
            lines.push('\n');
        }
    }
    lines
}
