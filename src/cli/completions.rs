//! `hlgen completions`.

use anyhow::Context as _;
use clap::ValueEnum;
use clap_complete::env::Shells;

use super::{Status, Terminal, complete};

/// Which shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Elvish => "elvish",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Zsh => "zsh",
        }
    }
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<Status> {
    let shells = Shells::builtins();
    let shell = shells.completer(args.shell.name()).context("this shell cannot be served")?;
    let mut script = Vec::new();
    // The program by its name, so that the script is the same wherever it was made.
    shell.write_registration(complete::VARIABLE, "hlgen", "hlgen", "hlgen", &mut script)?;
    terminal.data(&String::from_utf8_lossy(&script))?;
    Ok(Status::Fine)
}
