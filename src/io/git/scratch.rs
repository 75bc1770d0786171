//! A bare repository in the temporary folder, for as long as one run needs it.
//!
//! What is fetched has to lie somewhere: libgit2 writes packs to disk. The folder is the owner's alone, is removed when
//! the run ends, and a lock on a file in it says that its run is alive, so that the next run can remove what a killed
//! one left behind.
#![expect(clippy::disallowed_methods, reason = "this is a door to the file system")]

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use git2::{Repository, RepositoryInitOptions};

use super::remote::RemoteError;

const PREFIX: &str = "hlgen-git-";
const LOCK: &str = "hlgen-lock";

/// A bare repository that goes when it is dropped.
pub struct Scratch {
    folder: PathBuf,
    repository: Option<Repository>,
    _lock: File,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Scratch {
    /// Makes a repository below `parent` and removes those of runs that were killed.
    ///
    /// # Errors
    /// What the disk would not do.
    pub fn new(parent: &Path) -> Result<Self, RemoteError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        remove_leftovers(parent);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut attempt = 0;
        let folder = loop {
            let folder = parent.join(format!("{PREFIX}{}-{number}-{attempt}", std::process::id()));
            match private_folder(&folder) {
                Ok(()) => break folder,
                Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
                Err(error) => return Err(RemoteError::disk(&error)),
            }
        };
        let made = || {
            let lock = File::create(folder.join(LOCK)).map_err(|error| RemoteError::disk(&error))?;
            // Where the file system knows no locks, leftovers stay for a person to remove.
            _ = lock.try_lock();
            let mut options = RepositoryInitOptions::new();
            options.bare(true).no_reinit(true).external_template(false);
            let repository = Repository::init_opts(folder.join("repository"), &options).map_err(RemoteError::local)?;
            Ok((repository, lock))
        };
        match made() {
            Ok((repository, lock)) => Ok(Self { repository: Some(repository), _lock: lock, folder }),
            Err(error) => {
                _ = fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    /// The repository.
    ///
    /// # Errors
    /// Never while it lives; the type says so to spare a panic.
    pub fn repository(&self) -> Result<&Repository, RemoteError> {
        self.repository.as_ref().ok_or_else(|| RemoteError::Failed("the temporary repository is gone".into()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // libgit2 closes its files before the folder goes.
        self.repository = None;
        _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().create(folder)
}

/// Removes the folders of runs that were killed; what cannot be removed is somebody else's or will go the next time.
///
/// A folder without its lock file is being made at this moment, or was left by a run killed between two steps; it is
/// removed only where it is empty, which is no loss to whoever makes it: that run takes another name.
fn remove_leftovers(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.filter_map(Result::ok) {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let folder = entry.path();
        match File::open(folder.join(LOCK)).map(|lock| lock.try_lock()) {
            Ok(Ok(())) => _ = fs::remove_dir_all(&folder),
            Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) => {}
            Err(_) => {
                let old = fs::metadata(&folder).and_then(|meta| meta.modified()).ok();
                if old.and_then(|time| time.elapsed().ok()).is_some_and(|age| age.as_secs() > 60) {
                    _ = fs::remove_dir(&folder);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_its_owner_and_takes_leftovers_with_it() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join("hlgen-git-1-0-0");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::create_dir(parent.path().join("hlgen-other")).unwrap();
        let one = Scratch::new(parent.path()).unwrap();
        let two = Scratch::new(parent.path()).unwrap();
        assert!(one.repository().unwrap().is_bare() && two.repository().unwrap().is_empty().unwrap());
        let names = || fs::read_dir(parent.path()).unwrap().count();
        assert_eq!(names(), 3, "the leftover is gone, those in use are not");
        drop((one, two));
        assert_eq!(names(), 1);
    }
}
