//! The hidden folder beside the rendered files where new contents wait for `commit`.
//!
//! It lies inside the output folder, so that putting a file in place is a rename on one file system. A lock on a file
//! in it says that its run is alive; process numbers alone do not, since two containers may share the folder.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::WriteError;
use super::tree::What;

const PREFIX: &str = ".hlgen-staging-";
const LOCK: &str = "lock";

/// Folders that the threads of a run write to. In one folder they would wait for each other, and the kernel waits by
/// spinning.
const LANES: u64 = 16;

#[derive(Debug)]
pub(super) struct Staging {
    root: PathBuf,
    count: AtomicU64,
    opened: OnceLock<Opened>,
    opening: Mutex<()>,
}

#[derive(Debug)]
struct Opened {
    folder: PathBuf,
    /// Folders that were made for it, outermost first.
    made: Vec<PathBuf>,
    /// Those of `LANES` that are there.
    lanes: [OnceLock<()>; LANES as usize],
    _lock: File,
}

impl Staging {
    /// Nothing is made before the first file needs it.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, count: AtomicU64::new(0), opened: OnceLock::new(), opening: Mutex::new(()) }
    }

    /// Writes a file and gives its number.
    pub(super) fn write(&self, content: &[u8]) -> Result<u64, WriteError> {
        self.open()?;
        let lane = rayon::current_thread_index().map_or(0, |thread| thread as u64) % LANES;
        let number = self.count.fetch_add(1, Ordering::Relaxed) * LANES + lane;
        let file = self.file(number);
        self.open_lane(lane)?;
        fs::write(&file, content).map_err(WriteError::io("write", file))?;
        Ok(number)
    }

    /// Where the file of a number is.
    pub(super) fn file(&self, number: u64) -> PathBuf {
        self.lane(number % LANES).join((number / LANES).to_string())
    }

    fn lane(&self, lane: u64) -> PathBuf {
        self.opened.get().map_or(&self.root, |opened| &opened.folder).join(lane.to_string())
    }

    fn open_lane(&self, lane: u64) -> Result<(), WriteError> {
        let Some(opened) = self.opened.get() else { return Ok(()) };
        let there = &opened.lanes[lane as usize];
        if there.get().is_none() {
            let folder = self.lane(lane);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(WriteError::io("create", folder)(error));
                }
                _ => _ = there.set(()),
            }
        }
        Ok(())
    }

    fn open(&self) -> Result<(), WriteError> {
        if self.opened.get().is_some() {
            return Ok(());
        }
        let _one_at_a_time = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if self.opened.get().is_none() {
            let mut made = Vec::new();
            match self.make(&mut made) {
                // The lock above makes this the only one to set it.
                Ok((folder, lock)) => {
                    _ = self.opened.set(Opened { folder, made, lanes: Default::default(), _lock: lock });
                }
                Err(error) => {
                    remove_empty(&made);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn make(&self, made: &mut Vec<PathBuf>) -> Result<(PathBuf, File), WriteError> {
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let missing: Vec<&Path> = self.root.ancestors().take_while(is_missing).collect();
        for folder in missing.into_iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => made.push(folder.to_owned()),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(WriteError::io("create", folder)(error)),
            }
        }
        let folder = self.make_folder()?;
        let lock = File::create(folder.join(LOCK)).map_err(WriteError::io("create", folder.join(LOCK)))?;
        // Where the file system knows no locks, leftovers stay for a person to remove.
        _ = lock.try_lock();
        Ok((folder, lock))
    }

    /// A folder named after this process, with a number behind it where another run has taken the name.
    fn make_folder(&self) -> Result<PathBuf, WriteError> {
        let name = format!("{PREFIX}{}", std::process::id());
        let mut folder = self.root.join(&name);
        for number in 1.. {
            match fs::create_dir(&folder) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 100 => {
                    folder = self.root.join(format!("{name}-{number}"));
                }
                Err(error) => return Err(WriteError::io("create", folder)(error)),
            }
        }
        Ok(folder)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Some(opened) = self.opened.get() {
            _ = fs::remove_dir_all(&opened.folder);
            remove_empty(&opened.made);
        }
    }
}

/// Removes the folders made for staging where nothing else has come to stand in them.
fn remove_empty(made: &[PathBuf]) {
    for folder in made.iter().rev() {
        _ = fs::remove_dir(folder);
    }
}

/// Removes the staging folders of runs that were killed.
pub(super) fn remove_leftovers(root: &Path, names: &[(String, What)]) -> Result<(), WriteError> {
    for (name, what) in names {
        if *what != What::Folder || !name.starts_with(PREFIX) {
            continue;
        }
        let folder = root.join(name);
        let alive = match File::open(folder.join(LOCK)).map(|lock| lock.try_lock()) {
            Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) => true,
            Ok(Ok(())) => false,
            Err(error) => error.kind() != ErrorKind::NotFound,
        };
        if !alive {
            fs::remove_dir_all(&folder).map_err(WriteError::io("remove", folder))?;
        }
    }
    Ok(())
}
