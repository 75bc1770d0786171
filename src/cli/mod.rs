//! The command line: one file per command with its arguments, its help and what it prints.
//!
//! Data goes to stdout, talk to stderr. Exit codes: 0 fine; 1 findings at error level, or differences; 2 could not do
//! the work. A closed pipe is fine.

mod add;
mod ask;
mod bootstrap;
mod bot;
mod complete;
mod completions;
mod diff;
mod eject;
mod environment;
mod explain;
mod hook;
mod init;
mod list;
mod plugin;
mod publish;
mod render;
mod rule;
mod schema;
mod terminal;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::report;
use crate::source::budget::Budget;
pub use terminal::Terminal;

/// GitOps manifest generator for Argo CD: an app catalog and environments in, checked Helm values and ApplicationSets
/// out.
#[derive(Debug, Parser)]
#[command(name = "hlgen", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 fine; 1 findings at error level, or differences; 2 could not do the work.";

const FIRST_STEPS: &str = "\
hlgen: an app catalog and environments in, checked Helm values and ApplicationSets out

  hlgen init              start a repository: a project and one environment
  hlgen add APP           add an app to an environment
  hlgen render            check everything and write rendered/
  hlgen explain ENV/APP   show where each value comes from
  hlgen bootstrap ENV     show the way from an empty cluster to Argo CD in charge

`hlgen help` lists all commands; `hlgen rule CODE` explains a finding.
";

/// Flags of every command.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Work in this repository instead of the current folder
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true, default_value = ".")]
    pub directory: PathBuf,
    /// How findings (or lists) are written
    #[arg(long, value_enum, value_name = "FORMAT", global = true)]
    pub format: Option<Format>,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", global = true, default_value = "auto")]
    pub color: Color,
    /// Only errors, no summary
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Notes too
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Threads to work with; default: one per core
    #[arg(long, value_name = "N", global = true)]
    pub threads: Option<usize>,
    /// Give up after this many seconds (0: never; default: 300, plugin commands 50); what was written before stays whole
    #[arg(long, value_name = "SECONDS", global = true)]
    pub timeout: Option<u64>,
    /// Bounds on what the run may read and make: `default` or `plugin`, then `NAME=NUMBER` (`64Mi`) for single ones:
    /// entries, files, bytes, nodes, steps, findings, clusters, releases, outputs, output-bytes
    #[arg(long, value_name = "LIMITS", global = true, default_value = "default")]
    pub limits: Budget,
}

/// The formats of findings; lists know `human` and `json`, `diff` also `markdown` and `html`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    Short,
    Json,
    Sarif,
    Github,
    /// Only for `diff`
    Markdown,
    /// Only for `diff`
    Html,
}

impl From<Format> for report::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Human | Format::Markdown | Format::Html => Self::Human,
            Format::Short => Self::Short,
            Format::Json => Self::Json,
            Format::Sarif => Self::Sarif,
            Format::Github => Self::Github,
        }
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// How long a run may take, unless `--timeout` says otherwise.
const BUDGET_SECONDS: u64 = 300;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a repository: a project, one environment, and what editors and Renovate want to know
    Init(init::Args),
    /// Add an app to an environment, with its version pinned
    Add(add::Args),
    /// Check everything and write the rendered files
    Render(render::Args),
    /// Check everything, write nothing
    Validate(validate::Args),
    /// Show what a change means: releases, values, manifests, what is deleted
    Diff(diff::Args),
    /// Show the way from an empty cluster to Argo CD in charge, or write it as a shell script
    Bootstrap(bootstrap::Args),
    /// Push what is rendered to the branch that Argo CD reads, or open a pull request with it
    Publish(publish::Args),
    /// Show where the values of a release come from
    Explain(explain::Args),
    /// List releases, or the Applications that Argo CD will create
    List(list::Args),
    /// Copy a built-in entry of the catalog into the repository, to change it
    Eject(eject::Args),
    /// Print the JSON Schema of a kind, or infer one from a chart's default values
    Schema(schema::Args),
    /// Answer Argo CD as a config management plugin
    Plugin(plugin::Args),
    /// Explain a finding's code
    Rule(rule::Args),
    /// Check every commit with a Git hook
    Hook(hook::Args),
    /// Review pull requests: a comment and a commit status
    Bot(bot::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Fine,
    /// Findings at error level, or differences.
    Found,
}

/// Runs the program.
pub fn main() -> ExitCode {
    // Where a completion script asks, this answers and the program ends.
    clap_complete::CompleteEnv::with_factory(Cli::command).var(complete::VARIABLE).bin("hlgen").complete();
    let cli = Cli::parse();
    let terminal = Terminal::new(&cli.common);
    match run(&cli, &terminal) {
        Ok(Status::Fine) => ExitCode::SUCCESS,
        Ok(Status::Found) => ExitCode::from(1),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.talk(&format!("error: {error:#}\n"));
            ExitCode::from(2)
        }
    }
}

/// Ends the run when its time is up. Templates and schemas of a hostile repository are bounded in steps and size, but no
/// bound on those says how long a step takes.
#[expect(clippy::exit, reason = "nothing else stops the other threads")]
fn watch(seconds: u64) {
    if seconds == 0 {
        return;
    }
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_secs(seconds));
        Terminal::last_word(&format!("error: gave up after {seconds} s; nothing more is written (see `--timeout`)\n"));
        std::process::exit(2);
    });
}

fn run(cli: &Cli, terminal: &Terminal) -> anyhow::Result<Status> {
    let budget = match &cli.command {
        Some(Command::Plugin(_)) => crate::argocd::plugin::BUDGET_SECONDS,
        // A service ends when it is told to.
        Some(Command::Bot(args)) if args.is_service() => 0,
        // A person may think for as long as they like.
        Some(Command::Init(args)) if init::waits(args) => 0,
        Some(Command::Add(args)) if add::waits(args) => 0,
        _ => BUDGET_SECONDS,
    };
    watch(cli.common.timeout.unwrap_or(budget));
    if let Some(threads) = cli.common.threads {
        anyhow::ensure!(threads > 0, "`--threads` needs at least 1");
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    let is_diff = matches!(cli.command, Some(Command::Diff(_)));
    anyhow::ensure!(
        is_diff || !matches!(cli.common.format, Some(Format::Markdown | Format::Html)),
        "`--format markdown` and `--format html` are for `hlgen diff`"
    );
    match &cli.command {
        None => {
            terminal.data(FIRST_STEPS)?;
            Ok(Status::Fine)
        }
        Some(Command::Init(args)) => init::run(args, &cli.common, terminal),
        Some(Command::Add(args)) => add::run(args, &cli.common, terminal),
        Some(Command::Eject(args)) => eject::run(args, &cli.common, terminal),
        Some(Command::Render(args)) => render::run(args, &cli.common, terminal),
        Some(Command::Validate(args)) => validate::run(args, &cli.common, terminal),
        Some(Command::Diff(args)) => diff::run(args, &cli.common, terminal),
        Some(Command::Bootstrap(args)) => bootstrap::run(args, &cli.common, terminal),
        Some(Command::Publish(args)) => publish::run(args, &cli.common, terminal),
        Some(Command::Explain(args)) => explain::run(args, &cli.common, terminal),
        Some(Command::List(args)) => list::run(args, &cli.common, terminal),
        Some(Command::Schema(args)) => schema::run(args, &cli.common, terminal),
        Some(Command::Plugin(args)) => plugin::run(args, &cli.common, terminal),
        Some(Command::Rule(args)) => rule::run(args, terminal),
        Some(Command::Hook(args)) => hook::run(args, &cli.common, terminal),
        Some(Command::Bot(args)) => bot::run(args, &cli.common, terminal),
        Some(Command::Completions(args)) => completions::run(args, terminal),
        Some(Command::Man) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            terminal.data(&String::from_utf8_lossy(&page))?;
            Ok(Status::Fine)
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
