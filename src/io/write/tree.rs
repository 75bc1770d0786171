//! What stands in the output folder, read folder by folder when somebody asks.
//!
//! The kinds of entries come with the directory itself, so knowing that a file is new, or that no part of its path is
//! a link, costs no system call per file. Folders are read by the threads that stage into them, side by side.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use rustc_hash::FxHashMap;

use super::{Foreign, Obstacle, WriteError};

/// An entry of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    File,
    Folder,
    Link,
    Special,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    Nothing,
    File,
    Folder,
    /// A part of the path is this file.
    BehindFile(String),
    /// The path, or a part of it, is a link or something special.
    Odd(Foreign),
}

#[derive(Debug, Clone)]
enum Listing {
    Missing,
    Behind(At),
    /// Sorted by name.
    Names(Arc<[(String, What)]>),
    Failed(ErrorKind, String),
}

#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    folders: RwLock<FxHashMap<String, Arc<OnceLock<Listing>>>>,
    missing: Arc<OnceLock<Listing>>,
}

impl Tree {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, folders: RwLock::default(), missing: Arc::new(OnceLock::from(Listing::Missing)) }
    }

    /// What stands at a path.
    pub(super) fn at(&self, path: &str) -> Result<At, WriteError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        match self.listing(folder).get() {
            Some(Listing::Names(names)) => Ok(find(names, name).map_or(At::Nothing, |what| match what {
                What::File => At::File,
                What::Folder => At::Folder,
                What::Link => At::Odd(Foreign { path: path.to_owned(), what: Obstacle::Link }),
                What::Special => At::Odd(Foreign { path: path.to_owned(), what: Obstacle::Special }),
            })),
            Some(Listing::Behind(at)) => Ok(at.clone()),
            Some(Listing::Failed(kind, message)) => Err(self.failed(folder, *kind, message)),
            Some(Listing::Missing) | None => Ok(At::Nothing),
        }
    }

    /// The entries of a folder, by name.
    pub(super) fn names(&self, folder: &str) -> Result<Arc<[(String, What)]>, WriteError> {
        match self.listing(folder).get() {
            Some(Listing::Names(names)) => Ok(Arc::clone(names)),
            Some(Listing::Failed(kind, message)) => Err(self.failed(folder, *kind, message)),
            _ => Ok(Arc::new([])),
        }
    }

    fn failed(&self, folder: &str, kind: ErrorKind, message: &str) -> WriteError {
        WriteError::io("list", self.root.join(folder))(std::io::Error::new(kind, message.to_owned()))
    }

    fn listing(&self, folder: &str) -> Arc<OnceLock<Listing>> {
        let known = self.folders.read().unwrap_or_else(PoisonError::into_inner).get(folder).map(Arc::clone);
        // What the folder above does not hold need not be remembered: in a new output no folder is there.
        if known.is_none() && !folder.is_empty() && matches!(self.at(folder), Ok(At::Nothing)) {
            return Arc::clone(&self.missing);
        }
        let cell = known.unwrap_or_else(|| {
            let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(folders.entry(folder.to_owned()).or_default())
        });
        cell.get_or_init(|| self.look(folder));
        cell
    }

    fn look(&self, folder: &str) -> Listing {
        if !folder.is_empty() {
            match self.at(folder) {
                Ok(At::Folder) => {}
                Ok(At::Nothing) => return Listing::Missing,
                Ok(At::File) => return Listing::Behind(At::BehindFile(folder.to_owned())),
                Ok(at) => return Listing::Behind(at),
                Err(WriteError::Io { source, .. }) => return Listing::Failed(source.kind(), source.to_string()),
                Err(error) => return Listing::Failed(ErrorKind::Other, error.to_string()),
            }
        }
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => Listing::Missing,
            kind => Listing::Failed(kind, error.to_string()),
        };
        let entries = match fs::read_dir(self.root.join(folder)) {
            Ok(entries) => entries,
            Err(error) => return failed(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
                Ok((name, kind)) => match name.into_string() {
                    Ok(name) => names.push((name, what(kind))),
                    // Never ours, never in the way of a path of ours, but it keeps its folder.
                    Err(name) => names.push((name.to_string_lossy().into_owned(), What::Special)),
                },
                Err(error) => return failed(error),
            }
        }
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Listing::Names(names.into())
    }
}

fn find(names: &[(String, What)], name: &str) -> Option<What> {
    names.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok().map(|at| names[at].1)
}

fn what(kind: fs::FileType) -> What {
    if kind.is_file() {
        What::File
    } else if kind.is_dir() {
        What::Folder
    } else if kind.is_symlink() {
        What::Link
    } else {
        What::Special
    }
}
