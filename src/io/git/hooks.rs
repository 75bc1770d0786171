//! Git's own hook of a repository: put there, and taken away, without touching anybody else's.
#![expect(clippy::disallowed_methods, reason = "this is a door to the file system")]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{GitError, Repository, words};
use crate::io::script;

/// The line by which a hook is known to be ours.
const OURS: &str = "# Written by `hlgen hook install`; `hlgen hook install --uninstall` removes it.";

/// What became of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Installed,
    Replaced,
    Unchanged,
    Removed,
    /// There was none.
    Absent,
}

/// Why a hook was left alone.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    #[error("there is a pre-commit hook already that hlgen did not write")]
    Foreign,
    #[error("`core.hooksPath` names a folder outside of this repository, whose hooks run for others too")]
    Shared,
    #[error("this repository has no work tree, so nobody commits in it")]
    Bare,
    #[error("cannot {0} the hook: {1}")]
    Io(&'static str, std::io::Error),
    #[error(transparent)]
    Git(#[from] GitError),
}

/// The hook's text: what is staged is checked, in the folder `prefix`.
pub fn script(prefix: &str) -> String {
    let folder = match prefix {
        "" => String::new(),
        prefix => format!("-C '{}' ", prefix.replace('\'', r"'\''")),
    };
    format!(
        "#!/bin/sh\n{OURS}\nif ! command -v hlgen > /dev/null; then\n  \
         echo 'hlgen is not on the PATH; install it, or commit with --no-verify' >&2\n  exit 1\nfi\n\
         exec hlgen {folder}validate --staged\n"
    )
}

/// Puts the hook there. One of ours is brought up to date, any other is left alone.
///
/// # Errors
/// Where somebody else's hook is there, or the hooks are not this repository's own.
pub fn install(repository: &Repository) -> Result<Done, HookError> {
    let path = path(repository)?;
    let text = script(repository.prefix());
    let done = match current(&path)? {
        Some(there) if there == text.as_bytes() => return Ok(Done::Unchanged),
        Some(there) if is_ours(&there) => Done::Replaced,
        Some(_) => return Err(HookError::Foreign),
        None => Done::Installed,
    };
    script::replace(&path, &text).map_err(|error| HookError::Io("write", error))?;
    Ok(done)
}

/// Takes the hook away if it is ours.
///
/// # Errors
/// As [`install`].
pub fn uninstall(repository: &Repository) -> Result<Done, HookError> {
    let path = path(repository)?;
    match current(&path)? {
        None => Ok(Done::Absent),
        Some(there) if is_ours(&there) => {
            fs::remove_file(&path).map_err(|error| HookError::Io("remove", error))?;
            Ok(Done::Removed)
        }
        Some(_) => Err(HookError::Foreign),
    }
}

/// Where Git looks for the hook.
fn path(repository: &Repository) -> Result<PathBuf, HookError> {
    let work_dir = repository.work_dir().ok_or(HookError::Bare)?;
    let (configured, common) = {
        let handle = repository.handle()?;
        let config = handle.config().map_err(|error| GitError::Read(words(&error)))?;
        (config.get_path("core.hooksPath").ok(), handle.commondir().to_owned())
    };
    let Some(folder) = configured else { return Ok(common.join("hooks/pre-commit")) };
    // A relative path begins where hooks run: at the root of the work tree.
    let folder = work_dir.join(folder);
    let is_own = |root: &Path| root.canonicalize().is_ok_and(|root| real(&folder).starts_with(root));
    if is_own(work_dir) || is_own(&common) { Ok(folder.join("pre-commit")) } else { Err(HookError::Shared) }
}

/// A path without links and `..`, as far as it exists.
fn real(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), _, _) => real,
        (Err(_), Some(parent), Some(name)) => real(parent).join(name),
        _ => PathBuf::new(),
    }
}

/// The hook that is there. A link is somebody's, wherever it leads.
fn current(path: &Path) -> Result<Option<Vec<u8>>, HookError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(HookError::Io("look at", error)),
        Ok(meta) if !meta.is_file() => Err(HookError::Foreign),
        Ok(_) => fs::read(path).map(Some).map_err(|error| HookError::Io("read", error)),
    }
}

fn is_ours(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).lines().nth(1) == Some(OURS)
}
