//! `hlgen plugin`: what Argo CD's sidecar runs, and its `plugin.yaml`.
//!
//! The only place that reads what Argo CD says through the environment. Answers go to stdout and nothing else does: Argo
//! CD takes every line there for a manifest. What is said on stderr is shown in the UI and kept in a cache when the run
//! fails, so it is short and names files of the repository alone.

use std::fmt::Write as _;
use std::path::{Component, Path};

use super::{Common, Status, Terminal};
use crate::argocd::plugin::{Given, Parameters, manifest};
use crate::diag::{Diagnostic, Level, SourceMap};
use crate::ops::plugin::{self, Announced};
use crate::ops::workspace::{Workspace, has_errors};
use crate::plan::VERSION;
use crate::report::{self, Options};
use crate::source::budget::Budget;

/// What the plugin is to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the manifests that Argo CD's parameters (or these flags) ask for
    Generate(Generate),
    /// Announce the parameters, with the names that exist here
    Parameters,
    /// Print plugin.yaml for the sidecar
    Manifest(Manifest),
}

/// A flag given by hand replaces everything that the environment says.
#[derive(Debug, clap::Args)]
struct Generate {
    /// The root, AppProjects and ApplicationSets of this instance
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// The same for the instance of this environment; or the environment of --cluster
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The cluster of --release or --namespaces
    #[arg(long, value_name = "CLUSTER")]
    cluster: Option<String>,
    /// The manifests of this release on the cluster
    #[arg(long, value_name = "RELEASE")]
    release: Option<String>,
    /// The namespaces of the cluster
    #[arg(long)]
    namespaces: bool,
    /// Take an answer without an object for success
    #[arg(long)]
    allow_empty: bool,
}

#[derive(Debug, clap::Args)]
struct Manifest {
    /// Path of the binary in the sidecar
    #[arg(long, value_name = "PATH", default_value = "/usr/local/bin/hlgen")]
    program: String,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    match &args.command {
        Command::Generate(args) => generate(args, common, terminal),
        Command::Parameters => parameters(common, terminal),
        Command::Manifest(args) => {
            terminal.data(&manifest(&args.program))?;
            Ok(Status::Fine)
        }
    }
}

fn generate(args: &Generate, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let by_hand = Parameters {
        instance: args.instance.clone(),
        env: args.env.clone(),
        cluster: args.cluster.clone(),
        release: args.release.clone(),
        namespaces: args.namespaces,
        version: None,
    };
    let parameters = if by_hand.asks_for_nothing() { Parameters::read(&given())? } else { by_hand };
    let workspace = open(common)?;
    let answer = plugin::generate(&workspace, &parameters, args.allow_empty);
    terminal.talk(&talk(&answer.findings, &workspace.sources, common));
    if let Some(text) = &answer.text {
        terminal.data(text)?;
        return Ok(Status::Fine);
    }
    if let Some(other) = parameters.version.as_deref().filter(|version| *version != VERSION) {
        terminal.talk(&format!(
            "note: hlgen {other} wrote this source, the sidecar runs {VERSION}; if the finding says that something is unknown, update the sidecar's image first\n"
        ));
    }
    Ok(Status::Found)
}

fn parameters(common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    // What cannot be read is said by `generate`; a form without names is better than none.
    let given = Parameters::read(&given()).unwrap_or_default();
    let workspace = open(common)?;
    let announced: Vec<Announced> = plugin::announce(&workspace, &given);
    terminal.data(&format!("{}\n", serde_json::to_string(&announced)?))?;
    Ok(Status::Fine)
}

/// The repository around the current folder, which is the Application's folder below the checkout's root. Nothing above
/// that root is looked at.
fn open(common: &Common) -> anyhow::Result<Workspace> {
    let path = variable("ARGOCD_APP_SOURCE_PATH").unwrap_or_default();
    let depth = Path::new(&path).components().fold(0_usize, |depth, part| match part {
        Component::Normal(_) => depth + 1,
        Component::ParentDir => depth.saturating_sub(1),
        _ => depth,
    });
    let levels = if path.is_empty() { usize::MAX } else { depth };
    // Less than elsewhere: many runs share a sidecar, and the repository is whoever's an Application points at.
    let limits = if common.limits == Budget::default() { Budget::plugin() } else { common.limits };
    Ok(Workspace::open_below(&common.directory, levels)?.within(limits))
}

/// Errors, each with what to do about it; everything with `--verbose`. A long list would be kept in the cluster.
fn talk(findings: &[Diagnostic], sources: &SourceMap, common: &Common) -> String {
    const SHOWN: usize = 20;
    let failed = has_errors(findings);
    let shown: Vec<&Diagnostic> =
        findings.iter().filter(|finding| finding.level == Level::Error || common.verbose).collect();
    let mut text = String::new();
    for finding in shown.iter().take(SHOWN) {
        let options = Options { color: false, width: 120 };
        text.push_str(&report::render(report::Format::Short, std::slice::from_ref(finding), sources, options));
        if let Some(help) = &finding.help {
            // Help may hold names from the repository, which are anybody's.
            let plain: String = help.chars().filter(|c| !c.is_control() || *c == '\n').collect();
            let _ = writeln!(text, "  help: {}", plain.replace('\n', "\n  "));
        }
    }
    if shown.len() > SHOWN {
        let _ = writeln!(text, "and {} more", shown.len() - SHOWN);
    }
    if failed && findings.iter().any(|finding| finding.span().is_some()) {
        text.push_str("`hlgen validate` in the repository shows every finding with its lines\n");
    }
    text
}

/// What Argo CD gives to the plugin.
fn given() -> Given {
    const PREFIX: &str = "ARGOCD_ENV_";
    let variables = variables().into_iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(PREFIX)?.to_owned();
        Some((name, value))
    });
    Given { parameters: variable("ARGOCD_APP_PARAMETERS"), variables: variables.collect() }
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// All variables that are text, sorted.
fn variables() -> Vec<(String, String)> {
    let all =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut all: Vec<(String, String)> = all.collect();
    all.sort();
    all
}
