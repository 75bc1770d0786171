//! Environment variables, read here and in `terminal` and nowhere else.
#![expect(clippy::disallowed_methods, reason = "the environment is read in cli")]

use std::ffi::OsString;
use std::path::PathBuf;

/// The first of these variables that is set to something.
pub(super) fn first(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
}

/// Those of these variables that are set, to be handed on.
pub(super) fn all(names: &[&str]) -> Vec<(OsString, OsString)> {
    names.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect()
}

/// Where caches belong: what systemd says, the user's cache folder, or the folder for temporary files.
pub(super) fn cache_folder() -> PathBuf {
    // systemd lists several folders with a colon between.
    if let Some(given) = first(&["CACHE_DIRECTORY"]) {
        return PathBuf::from(given.split(':').next().unwrap_or(&given));
    }
    let user = first(&["XDG_CACHE_HOME"]).map(PathBuf::from);
    let home = || first(&["HOME"]).map(|home| PathBuf::from(home).join(".cache"));
    user.or_else(home).unwrap_or_else(std::env::temp_dir).join("hlgen")
}
