//! `hlgen hook install`.

use super::{Common, Status, Terminal};
use crate::io::git::Repository;
use crate::io::git::hooks::{self, Done, HookError};
use crate::ops::workspace::Workspace;

/// What is done with the hook.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Put a pre-commit hook there that checks what is staged; a hook of somebody else's is left alone
    Install {
        /// Take the hook away again
        #[arg(long)]
        uninstall: bool,
    },
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let Command::Install { uninstall } = args.command;
    let workspace = Workspace::open(&common.directory)?;
    let repository = Repository::open(&workspace.root)?;
    let result = if uninstall { hooks::uninstall(&repository) } else { hooks::install(&repository) };
    match result {
        Ok(done) => {
            terminal.summary(match done {
                Done::Installed => "the pre-commit hook is installed; it runs `hlgen validate --staged`",
                Done::Replaced => "the pre-commit hook is brought up to date",
                Done::Unchanged => "the pre-commit hook is there already",
                Done::Removed => "the pre-commit hook is removed",
                Done::Absent => "there is no pre-commit hook",
            });
            Ok(Status::Fine)
        }
        Err(error @ (HookError::Foreign | HookError::Shared)) if uninstall => {
            terminal.talk(&format!("error: {error}; nothing was removed\n"));
            Ok(Status::Found)
        }
        Err(error @ (HookError::Foreign | HookError::Shared)) => {
            let folder = match repository.prefix() {
                "" => String::new(),
                prefix => format!("-C '{}' ", prefix.replace('\'', r"'\''")),
            };
            terminal.talk(&format!(
                "error: {error}; nothing was changed\n\nadd this line to it:\n  hlgen {folder}validate --staged || exit 1\n\
                 or, if it is the one of https://pre-commit.com, the hook `hlgen-validate` to .pre-commit-config.yaml\n"
            ));
            Ok(Status::Found)
        }
        Err(error) => Err(error.into()),
    }
}
