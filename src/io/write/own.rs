//! Files that people own: made where there is none, or replaced by an edit of exactly what was read. Never overwritten, but
//! for the few that hlgen makes for editors ([`put`]).

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::WriteError;
use crate::source::is_plain_path;

/// Those of these paths below a folder at which something is, whatever it is.
///
/// # Errors
/// When the disk does not say.
pub fn taken<'p>(root: &Path, paths: impl IntoIterator<Item = &'p str>) -> Result<Vec<String>, WriteError> {
    let mut taken = Vec::new();
    for path in paths {
        let at = root.join(path);
        match at.symlink_metadata() {
            Ok(_) => taken.push(path.to_owned()),
            // A file where a folder would be is in the way too, and said when the folder is made.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(WriteError::io("look at", at)(error)),
        }
    }
    Ok(taken)
}

/// Makes files with their folders: all of them, or none where one cannot be made.
///
/// # Errors
/// When something is at one of the paths, a folder on the way is a link, or the disk fails.
pub fn create<'p>(root: &Path, files: impl IntoIterator<Item = (&'p str, &'p [u8])>) -> Result<(), WriteError> {
    let mut made: Vec<PathBuf> = Vec::new();
    let result = files.into_iter().try_for_each(|(path, content)| {
        let at = place(root, path)?;
        if let Some(folder) = at.parent() {
            fs::create_dir_all(folder).map_err(WriteError::io("create", folder))?;
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(&at).map_err(WriteError::io("create", &at))?;
        made.push(at.clone());
        file.write_all(content).map_err(WriteError::io("write", at))
    });
    if result.is_err() {
        // Folders stay: they may have been there.
        made.iter().for_each(|path| _ = fs::remove_file(path));
    }
    result
}

/// Replaces a file that still holds `before`: written beside it with its permissions, and renamed.
///
/// # Errors
/// When it holds something else by now, is a link, or the disk fails.
pub fn replace(root: &Path, path: &str, before: &[u8], after: &[u8]) -> Result<(), WriteError> {
    let at = place(root, path)?;
    let meta = at.symlink_metadata().map_err(WriteError::io("look at", &at))?;
    if !meta.is_file() {
        return Err(WriteError::Link(at));
    }
    if fs::read(&at).map_err(WriteError::io("read", &at))? != before {
        return Err(WriteError::Changed(path.to_owned()));
    }
    rename_into(&at, after, Some(meta.permissions()))
}

/// Makes a file that is hlgen's own product, or replaces it; whether that changed anything.
///
/// # Errors
/// When it, or a folder on the way, is a link, or the disk fails.
pub fn put(root: &Path, path: &str, content: &[u8]) -> Result<bool, WriteError> {
    let at = place(root, path)?;
    match at.symlink_metadata() {
        Ok(meta) if !meta.is_file() => return Err(WriteError::Link(at)),
        Ok(_) if fs::read(&at).is_ok_and(|there| there == content) => return Ok(false),
        _ => {}
    }
    if let Some(folder) = at.parent() {
        fs::create_dir_all(folder).map_err(WriteError::io("create", folder))?;
    }
    rename_into(&at, content, None)?;
    Ok(true)
}

/// Writes a file beside another one and renames it over that.
fn rename_into(at: &Path, content: &[u8], permissions: Option<fs::Permissions>) -> Result<(), WriteError> {
    let new = at.with_file_name(format!(".hlgen-staging-{}", std::process::id()));
    let result = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&new)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| permissions.map_or(Ok(()), |permissions| fs::set_permissions(&new, permissions)))
        .and_then(|()| fs::rename(&new, at));
    if result.is_err() {
        _ = fs::remove_file(&new);
    }
    result.map_err(WriteError::io("replace", at))
}

/// A path below a folder, no part of which but the last may be a link.
fn place(root: &Path, path: &str) -> Result<PathBuf, WriteError> {
    if !is_plain_path(path) {
        return Err(WriteError::Path(path.to_owned()));
    }
    let mut at = root.to_owned();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        if parts.peek().is_some() && at.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
            return Err(WriteError::Link(at));
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn all_files_are_made_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        create(root, [("a/b/one", &b"1"[..]), ("two", b"2")]).unwrap();
        assert_eq!(fs::read(root.join("a/b/one")).unwrap(), b"1");
        assert_eq!(taken(root, ["a/b", "two", "three", "two/x"]).unwrap(), ["a/b", "two"]);

        assert!(create(root, [("three", &b"3"[..]), ("two", b"changed")]).is_err());
        assert!(!root.join("three").exists());
        assert_eq!(fs::read(root.join("two")).unwrap(), b"2");
        assert!(matches!(create(root, [("../x", &b""[..])]), Err(WriteError::Path(_))));
        symlink("a", root.join("link")).unwrap();
        assert!(matches!(create(root, [("link/x", &b""[..])]), Err(WriteError::Link(_))));
    }

    #[test]
    fn what_is_hlgens_own_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert!(put(root, ".a/b", b"1").unwrap());
        assert!(!put(root, ".a/b", b"1").unwrap());
        assert!(put(root, ".a/b", b"2").unwrap());
        assert_eq!(fs::read(root.join(".a/b")).unwrap(), b"2");
        symlink("b", root.join(".a/link")).unwrap();
        assert!(matches!(put(root, ".a/link", b"3"), Err(WriteError::Link(_))));
    }

    #[test]
    fn only_what_was_read_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("file"), "one").unwrap();
        fs::set_permissions(root.join("file"), fs::Permissions::from_mode(0o640)).unwrap();
        replace(root, "file", b"one", b"two").unwrap();
        assert_eq!(fs::read(root.join("file")).unwrap(), b"two");
        assert_eq!(fs::metadata(root.join("file")).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(matches!(replace(root, "file", b"one", b"three"), Err(WriteError::Changed(_))));
        symlink("file", root.join("link")).unwrap();
        assert!(matches!(replace(root, "link", b"two", b"three"), Err(WriteError::Link(_))));
        assert_eq!(fs::read(root.join("file")).unwrap(), b"two");
        assert_eq!(fs::read_dir(root).unwrap().count(), 2);
    }
}
