//! A script of ours on disk: written beside and renamed, executable, and never over a file of somebody else's.
#![expect(clippy::disallowed_methods, reason = "this is a door to the file system")]

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Why a script was not written.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("`{0}` is no script that hlgen wrote for this; remove it, or name another file")]
    Foreign(PathBuf),
    #[error("cannot write `{0}`: {1}")]
    Io(PathBuf, io::Error),
}

/// Writes a script whose second line is `marker`. A file that is there is replaced if its second line is the same.
///
/// # Errors
/// Where another file is in the way, or the disk would not.
pub fn write(path: &Path, marker: &str, text: &str) -> Result<(), ScriptError> {
    let failed = |error| ScriptError::Io(path.to_owned(), error);
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => {
            let there = fs::read(path).map_err(failed)?;
            let second = String::from_utf8_lossy(&there).lines().nth(1).map(str::to_owned);
            if !second.is_some_and(|line| line.starts_with(marker)) {
                return Err(ScriptError::Foreign(path.to_owned()));
            }
        }
        Ok(_) => return Err(ScriptError::Foreign(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    replace(path, text).map_err(failed)
}

/// Puts an executable file in the place of whatever is there, all or nothing.
///
/// # Errors
/// As the disk has them; what was there stays then.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let new = folder.join(format!(".hlgen-script-{}", std::process::id()));
    let result = fs::File::create(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| executable(&new))
        .and_then(|()| fs::rename(&new, path));
    if result.is_err() {
        _ = fs::remove_file(&new);
    }
    result
}

#[cfg(unix)]
fn executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(_: &Path) -> io::Result<()> {
    Ok(())
}
