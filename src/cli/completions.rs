//! `hlgen completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Status, Terminal};

/// Which shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    shell: Shell,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<Status> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hlgen", &mut script);
    terminal.data(&String::from_utf8_lossy(&script))?;
    Ok(Status::Fine)
}
