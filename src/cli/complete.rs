//! Names that shells complete: apps, environments, releases, codes. They are read from the repository at the time, so a
//! script that was written once knows an app that came later.
//!
//! The scripts call hlgen with [`VARIABLE`] set; clap works out what stands at the cursor and asks for candidates here.
//! Whatever goes wrong means no candidates, never a message: the person is in the middle of a line. Only DNS labels are
//! given out, so no name of a repository can mean something to a shell.

use std::path::PathBuf;

use clap_complete::CompletionCandidate;

use crate::diag::Code;
use crate::model::is_dns_label;
use crate::ops::names::Names;

/// Set by the completion scripts.
pub(super) const VARIABLE: &str = "HLGEN_COMPLETE";

/// The repository of the line that is being written: `-C DIR` is an argument of it like any other.
fn names() -> Option<Names> {
    let mut line = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let mut folder = PathBuf::from(".");
    while let Some(word) = line.next() {
        if word == "-C" || word == "--directory" {
            folder = PathBuf::from(line.next()?);
        }
    }
    Names::open(&folder).ok()
}

fn candidates(of: impl Fn(&Names) -> Vec<(String, String)>) -> Vec<CompletionCandidate> {
    let found = names().map(|names| of(&names)).unwrap_or_default();
    let is_harmless = |name: &str| name.split('/').all(is_dns_label);
    found
        .into_iter()
        .filter(|(name, _)| is_harmless(name))
        .map(|(name, help)| {
            let help = Some(help).filter(|help| !is_odd(help));
            CompletionCandidate::new(name).help(help.map(Into::into))
        })
        .collect()
}

/// Descriptions come from the repository too.
fn is_odd(help: &str) -> bool {
    help.is_empty() || help.chars().any(char::is_control)
}

/// The apps of the catalog.
pub(super) fn apps() -> Vec<CompletionCandidate> {
    candidates(Names::apps)
}

/// The environments.
pub(super) fn environments() -> Vec<CompletionCandidate> {
    candidates(Names::environments)
}

/// `ENVIRONMENT/RELEASE`.
pub(super) fn releases() -> Vec<CompletionCandidate> {
    candidates(Names::releases)
}

/// The codes of findings.
pub(super) fn codes() -> Vec<CompletionCandidate> {
    let codes = Code::ALL.iter().map(|code| code.info());
    codes.map(|info| CompletionCandidate::new(info.name).help(Some(info.summary.into()))).collect()
}
