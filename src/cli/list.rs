//! `hlgen list`.

use serde_json::Value;

use clap_complete::ArgValueCandidates;

use super::{Common, Status, Terminal, complete};
use crate::ops::list;
use crate::ops::workspace::{Workspace, has_errors};

/// What is listed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The Applications that Argo CD will create, expanded offline
    #[arg(long)]
    applications: bool,
    /// Only this environment
    #[arg(long = "env", value_name = "ENV", add = ArgValueCandidates::new(complete::environments))]
    environments: Vec<String>,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let workspace = Workspace::open(&common.directory)?.within(common.limits);
    let list = if args.applications { list::applications(&workspace)? } else { list::releases(&workspace) };
    if has_errors(&list.findings) || !terminal.wants_json() {
        terminal.findings(&list.findings, &workspace.sources, false)?;
    }
    let failed = has_errors(&list.findings);
    if let Some(items) = list.items {
        let shown: Vec<&Value> = items.iter().filter(|item| is_shown(item, &args.environments)).collect();
        if terminal.wants_json() && !failed {
            terminal.data(&format!("{}\n", serde_json::to_string_pretty(&shown)?))?;
        } else if !failed {
            terminal.data(&table(&shown, args.applications))?;
        }
    }
    Ok(if failed { Status::Found } else { Status::Fine })
}

fn is_shown(item: &Value, environments: &[String]) -> bool {
    let label = item.pointer("/application/metadata/labels/hlgen.dev~1environment");
    let env = item.get("environment").or(label).and_then(Value::as_str).unwrap_or_default();
    environments.is_empty() || environments.iter().any(|name| name == env)
}

fn table(items: &[&Value], applications: bool) -> String {
    let columns: &[(&str, &str)] = if applications {
        &[
            ("INSTANCE", "/instance"),
            ("APPLICATION", "/application/metadata/name"),
            ("PROJECT", "/application/spec/project"),
            ("NAMESPACE", "/application/spec/destination/namespace"),
            ("CHART", "/application/spec/sources/0/chart"),
            ("VERSION", "/application/spec/sources/0/targetRevision"),
        ]
    } else {
        &[
            ("ENVIRONMENT", "/environment"),
            ("RELEASE", "/release"),
            ("APP", "/app"),
            ("TIER", "/tier"),
            ("NAMESPACE", "/namespace"),
            ("CHART", "/chart"),
            ("VERSION", "/version"),
            ("ORDER", "/order"),
        ]
    };
    let cell = |item: &Value, pointer: &str| match item.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => "-".to_owned(),
    };
    let mut rows: Vec<Vec<String>> = vec![columns.iter().map(|(title, _)| (*title).to_owned()).collect()];
    rows.extend(items.iter().map(|item| columns.iter().map(|(_, pointer)| cell(item, pointer)).collect()));
    let widths: Vec<usize> =
        (0..columns.len()).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    rows.iter().fold(String::new(), |mut text, row| {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
        text
    })
}
