//! `hlgen bootstrap`.

use std::path::PathBuf;

use clap_complete::ArgValueCandidates;

use super::{Common, Status, Terminal, complete, render};
use crate::io::script;
use crate::ops::bootstrap::{Request, bootstrap};
use crate::ops::render::Delivery;
use crate::ops::workspace::Workspace;
use crate::render::bootstrap::script::{marker, script as text_of};
use crate::report;

/// Which cluster, how far, and in which form.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is done to a cluster: the plan is printed, and the script is for you to read and run. It needs bash,
kubectl, helm and awk, and `--context NAME`. Running it again is safe."
)]
pub struct Args {
    /// The environment
    #[arg(value_name = "ENV", add = ArgValueCandidates::new(complete::environments))]
    environment: String,
    /// Which of its clusters, where it has several
    #[arg(long, value_name = "CLUSTER")]
    cluster: Option<String>,
    /// Break-glass: install this release and what it needs, whatever Argo CD does
    #[arg(long, value_name = "RELEASE", conflicts_with = "minimal")]
    only: Option<String>,
    /// Only what Argo CD needs in order to run; it brings the rest of the platform tier
    #[arg(long)]
    minimal: bool,
    /// Print the shell script instead of the plan
    #[arg(long)]
    script: bool,
    /// Write the shell script to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How Argo CD will get values and manifests: as `render --mode` has it
    #[arg(long, value_enum, default_value_t = render::Mode::Files)]
    mode: render::Mode,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let workspace = Workspace::open(&common.directory)?.within(common.limits);
    let delivery = match args.mode {
        render::Mode::Files => Delivery::Files,
        render::Mode::Inline => Delivery::Inline,
    };
    let request = Request {
        environment: args.environment.clone(),
        cluster: args.cluster.clone(),
        only: args.only.clone(),
        minimal: args.minimal,
        delivery,
    };
    let (findings, bootstrap) = bootstrap(&workspace, &request);
    if bootstrap.is_none() || !terminal.wants_json() {
        terminal.findings(&findings, &workspace.sources, false)?;
    }
    let Some(bootstrap) = bootstrap else { return Ok(Status::Found) };
    if let Some(file) = &args.out {
        script::write(file, &marker(&bootstrap), &text_of(&bootstrap))?;
        terminal.summary(&format!("{} steps written to {}", bootstrap.steps.len(), file.display()));
    } else if args.script {
        terminal.data(&text_of(&bootstrap))?;
    } else if terminal.wants_json() {
        terminal.data(&format!("{}\n", serde_json::to_string_pretty(&bootstrap)?))?;
    } else {
        terminal.data(&report::bootstrap::text(&bootstrap))?;
    }
    Ok(Status::Fine)
}
