//! `hlgen explain`.

use clap_complete::ArgValueCandidates;

use super::{Common, Status, Terminal, complete};
use crate::ops::explain::explain;
use crate::ops::workspace::Workspace;
use crate::report::explain::text;

/// What is explained.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A release: ENVIRONMENT/RELEASE or CLUSTER/RELEASE
    #[arg(value_name = "REF", add = ArgValueCandidates::new(complete::releases))]
    reference: String,
    /// A value, for example `persistence.size` or `hosts[0]["grafana.ini"].server`
    path: Option<String>,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let workspace = Workspace::open(&common.directory)?.within(common.limits);
    let (findings, explanation) = explain(&workspace, &args.reference, args.path.as_deref())?;
    let Some(explanation) = explanation else {
        terminal.findings(&findings, &workspace.sources, false)?;
        return Ok(Status::Found);
    };
    if terminal.wants_json() {
        terminal.data(&format!("{}\n", serde_json::to_string_pretty(&explanation)?))?;
    } else {
        terminal.findings(&findings, &workspace.sources, false)?;
        terminal.data(&text(&explanation, args.path.is_some()))?;
    }
    Ok(Status::Fine)
}
