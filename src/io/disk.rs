//! Files beneath a folder of the machine.
//!
//! Each top-level folder is walked once, when it is first asked about; after that a file that does not exist costs no
//! system call, and most of the layers that hlgen asks for do not exist. The walk takes the kind of each entry from
//! the directory itself, so a file that does exist costs open, fstat and read.
//!
//! Repositories are other people's. What could lead out of the root or stall a read is sorted out in the walk: links
//! are followed only to regular files inside the root and outside hidden folders (`.git/config` may hold a token),
//! and nothing but a regular file is ever opened. The walk is only a promise, though: somebody may swap a file for a link
//! or a pipe behind it. So each file is opened beneath the root without following any link and without waiting
//! (`io::beneath`), and its kind and size are taken from the open file and bounded while reading.
#![expect(clippy::disallowed_methods, reason = "this is the door to the file system")]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{ErrorKind, Read};
use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use walkdir::{DirEntry, WalkDir};

use super::beneath::{self, Beneath};
use crate::source::budget::{Meter, Resource};
use crate::source::{ReadError, Refusal, Source, below, is_plain_path};

/// What a [`Disk`] takes before it refuses.
#[derive(Debug, Clone, Copy)]
pub struct DiskLimits {
    /// Bytes of one file.
    pub bytes: u64,
    /// Nesting of folders.
    pub depth: usize,
}

impl Default for DiskLimits {
    fn default() -> Self {
        Self { bytes: 4 << 20, depth: 64 }
    }
}

/// The files beneath a root. Hidden files and folders and the folder of rendered files are not there for it.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    limits: DiskLimits,
    ignored: Vec<String>,
    /// Counts what is listed, in all walks together.
    meter: Arc<Meter>,
    beneath: Beneath,
    /// One walk per top-level folder; a lock of its own, so that two folders are walked side by side.
    walks: Mutex<BTreeMap<String, Arc<OnceLock<Walk>>>>,
}

/// What one top-level folder holds.
#[derive(Debug, Default)]
struct Walk {
    /// Sorted by path.
    entries: Vec<Entry>,
    /// Their places in `entries`. Most files that are asked for are not there.
    index: HashMap<Arc<str>, u32>,
    /// Folders below it.
    folders: HashSet<Box<str>>,
    problems: Vec<ReadError>,
    /// There are links to folders, which have to be looked for in front of a missing file.
    folder_links: bool,
    /// The folder cannot be used at all.
    refused: Option<Refusal>,
}

#[derive(Debug)]
struct Entry {
    path: Arc<str>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    File,
    /// Where a link inside the root leads: a regular file inside the root.
    Link(PathBuf),
    Refused(Refusal),
}

impl Disk {
    /// Opens a folder. Nothing is read yet.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn open(root: &Path) -> std::io::Result<Self> {
        let root = root.canonicalize()?;
        if !root.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        let beneath = Beneath::open(&root)?;
        let (limits, meter, walks) = (DiskLimits::default(), Arc::default(), Mutex::default());
        Ok(Self { root, limits, ignored: vec!["rendered".to_owned()], meter, beneath, walks })
    }

    #[must_use]
    pub fn with_limits(mut self, limits: DiskLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Counts what is listed against a run's budget.
    #[must_use]
    pub fn metered(mut self, meter: Arc<Meter>) -> Self {
        self.meter = meter;
        self
    }

    /// Replaces the list of folders that are not looked into (`rendered` unless told otherwise).
    #[must_use]
    pub fn ignoring(mut self, folders: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.ignored = folders.into_iter().map(Into::into).collect();
        self
    }

    /// The root, free of links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn is_ignored(&self, path: &str) -> bool {
        path.split('/').any(|part| part.starts_with('.')) || self.ignored.iter().any(|folder| folder == path)
    }

    /// The walk of a top-level folder, made on the first question.
    fn walk(&self, top: &str) -> Arc<OnceLock<Walk>> {
        let mut walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = match walks.get(top) {
            Some(cell) => Arc::clone(cell),
            None => Arc::clone(walks.entry(top.to_owned()).or_default()),
        };
        drop(walks);
        cell.get_or_init(|| self.walk_now(top));
        cell
    }

    fn walk_now(&self, top: &str) -> Walk {
        let mut walk = Walk::default();
        let start = self.root.join(top);
        if self.is_ignored(top) || !start.symlink_metadata().is_ok_and(|meta| meta.is_dir() || meta.is_symlink()) {
            return walk;
        }
        let entries = WalkDir::new(&start).follow_links(false).follow_root_links(false).max_depth(self.limits.depth);
        let wanted = |entry: &DirEntry| !self.path_of(entry.path()).is_ok_and(|path| self.is_ignored(&path));
        for entry in entries.into_iter().filter_entry(wanted) {
            if let Err(exceeded) = self.meter.charge(Resource::Entries, 1) {
                let refusal = Refusal::Budget(exceeded);
                let problems = vec![ReadError::new(top, refusal.clone())];
                return Walk { problems, refused: Some(refusal), ..Walk::default() };
            }
            match entry {
                Ok(entry) => self.take(&entry, &mut walk),
                Err(error) => {
                    let path = error
                        .path()
                        .map_or_else(|| top.to_owned(), |path| self.path_of(path).unwrap_or_else(|lossy| lossy));
                    let refusal = Refusal::Io(
                        error.io_error().map_or_else(|| "it cannot be listed".to_owned(), ToString::to_string),
                    );
                    walk.problems.push(ReadError::new(path, refusal));
                }
            }
        }
        walk.entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let places = walk.entries.iter().enumerate();
        walk.index = places.map(|(at, entry)| (Arc::clone(&entry.path), at as u32)).collect();
        walk.problems.sort_unstable();
        walk
    }

    /// Sorts one entry of a walk in.
    fn take(&self, entry: &DirEntry, walk: &mut Walk) {
        let path = match self.path_of(entry.path()) {
            Ok(path) => path,
            Err(lossy) => return walk.problems.push(ReadError::new(lossy, Refusal::Name)),
        };
        let kind = entry.file_type();
        let kind = if kind.is_dir() {
            if entry.depth() == self.limits.depth {
                walk.problems.push(ReadError::new(path, Refusal::TooDeep(self.limits.depth)));
            } else if entry.depth() > 0 {
                walk.folders.insert(path.into());
            }
            return;
        } else if kind.is_file() {
            Kind::File
        } else if kind.is_symlink() {
            self.follow(entry.path())
        } else {
            Kind::Refused(Refusal::Special)
        };
        if let Kind::Refused(refusal) = &kind {
            walk.problems.push(ReadError::new(path.clone(), refusal.clone()));
            walk.folder_links |= matches!(refusal, Refusal::LinkToFolder | Refusal::LinkOut);
        }
        walk.entries.push(Entry { path: path.into(), kind });
    }

    /// Where a link leads, if it may be read.
    fn follow(&self, link: &Path) -> Kind {
        let Ok(target) = link.canonicalize() else { return Kind::Refused(Refusal::LinkOut) };
        let hidden = |part: Component<'_>| part.as_os_str().as_encoded_bytes().starts_with(b".");
        match target.strip_prefix(&self.root) {
            Ok(inside) if !inside.components().any(hidden) => {}
            _ => return Kind::Refused(Refusal::LinkOut),
        }
        match target.symlink_metadata() {
            Ok(meta) if meta.is_file() => Kind::Link(target),
            Ok(meta) if meta.is_dir() => Kind::Refused(Refusal::LinkToFolder),
            _ => Kind::Refused(Refusal::Special),
        }
    }

    /// The path below the root with `/`; what people may see of it if it is no name a repository should have.
    fn path_of(&self, path: &Path) -> Result<String, String> {
        let below =
            |path: &'_ str| Some(path.strip_prefix(self.root.to_str()?)?.strip_prefix(MAIN_SEPARATOR)?.to_owned());
        if let Some(plain) = path.to_str().and_then(below).filter(|path| is_plain_path(path)) {
            return Ok(plain);
        }
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        let mut parts = Vec::new();
        for part in relative.components() {
            match part.as_os_str().to_str() {
                Some(part) if is_plain_path(part) => parts.push(part),
                _ => return Err(relative.to_string_lossy().chars().flat_map(visible).collect()),
            }
        }
        Ok(parts.join("/"))
    }

    /// A file at the root itself: there is no walk to ask.
    fn top_file(&self, path: &str) -> Result<Option<PathBuf>, Refusal> {
        let file = self.root.join(path);
        let meta = match file.symlink_metadata() {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Refusal::Io(error.to_string())),
        };
        if meta.is_dir() {
            return Ok(None);
        }
        let kind = if meta.is_symlink() {
            self.follow(&file)
        } else if meta.is_file() {
            Kind::File
        } else {
            Kind::Refused(Refusal::Special)
        };
        match kind {
            Kind::File => Ok(Some(file)),
            Kind::Link(target) => Ok(Some(target)),
            Kind::Refused(refusal) => Err(refusal),
        }
    }

    /// The file to open for a path, by the walk of its top-level folder.
    fn walked_file(&self, top: &str, path: &str) -> Result<Option<PathBuf>, Refusal> {
        let cell = self.walk(top);
        let Some(walk) = cell.get() else { return Ok(None) };
        if let Some(refusal) = &walk.refused {
            return Err(refusal.clone());
        }
        match walk.get(path) {
            Some(Kind::File) => Ok(Some(self.root.join(path))),
            Some(Kind::Link(target)) => Ok(Some(target.clone())),
            Some(Kind::Refused(refusal)) => Err(refusal.clone()),
            None if walk.folder_links => match walk.link_above(path) {
                Some(refusal) => Err(refusal),
                None => Ok(None),
            },
            None => Ok(None),
        }
    }

    /// Opens a file of the root that is no link and lies behind none, whatever happened to the folders since the walk.
    fn slurp(&self, file: &Path) -> Result<Vec<u8>, Refusal> {
        let io = |error: std::io::Error| Refusal::Io(error.to_string());
        let below = file.strip_prefix(&self.root).map_err(|_| Refusal::LinkOut)?;
        let file = match self.beneath.file(below) {
            Ok(file) => file,
            Err(error) if beneath::is_link(&error) => return Err(Refusal::LinkOut),
            Err(error) => return Err(io(error)),
        };
        let meta = file.metadata().map_err(io)?;
        if !meta.is_file() {
            return Err(Refusal::Special);
        }
        if meta.len() > self.limits.bytes {
            return Err(Refusal::TooLarge(self.limits.bytes));
        }
        let mut bytes = Vec::with_capacity(meta.len() as usize + 1);
        file.take(self.limits.bytes + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > self.limits.bytes {
            return Err(Refusal::TooLarge(self.limits.bytes));
        }
        Ok(bytes)
    }
}

impl Walk {
    fn get(&self, path: &str) -> Option<&Kind> {
        self.index.get(path).map(|at| &self.entries[*at as usize].kind)
    }

    /// Why a file below a linked folder is not there.
    fn link_above(&self, path: &str) -> Option<Refusal> {
        path.match_indices('/').find_map(|(at, _)| match self.get(&path[..at]) {
            Some(Kind::Refused(refusal)) => Some(refusal.clone()),
            _ => None,
        })
    }
}

/// A character of a hostile name as it may be shown.
fn visible(c: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = if c.is_control() { (None, Some(c.escape_default())) } else { (Some(c), None) };
    plain.into_iter().chain(escaped.into_iter().flatten())
}

impl Source for Disk {
    fn list(&self, dir: &str) -> Vec<String> {
        if dir.is_empty() {
            return self.list_root();
        }
        if !is_plain_path(dir) || self.is_ignored(dir) {
            return Vec::new();
        }
        let cell = self.walk(dir.split('/').next().unwrap_or(dir));
        let Some(walk) = cell.get().filter(|walk| !dir.contains('/') || walk.folders.contains(dir)) else {
            return Vec::new();
        };
        let listed = |entry: &&Entry| !matches!(entry.kind, Kind::Refused(Refusal::LinkToFolder));
        below(&walk.entries, dir, |entry| &entry.path)
            .iter()
            .filter(listed)
            .map(|entry| entry.path.to_string())
            .collect()
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        let refuse = |refusal| ReadError::new(self.display(path), refusal);
        if !is_plain_path(path) {
            return Err(refuse(Refusal::Path));
        }
        if self.is_ignored(path) {
            return Ok(None);
        }
        let file = match path.split_once('/') {
            Some((top, _)) => self.walked_file(top, path),
            None => self.top_file(path),
        };
        match file.map_err(refuse)? {
            Some(file) => self.slurp(&file).map(|bytes| Some(Cow::Owned(bytes))).map_err(refuse),
            None => Ok(None),
        }
    }

    fn problems(&self) -> Vec<ReadError> {
        let walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        walks.values().filter_map(|cell| cell.get()).flat_map(|walk| walk.problems.clone()).collect()
    }

    /// The path, and every link and file on the way to where it leads.
    fn rests_on(&self, path: &str) -> Vec<String> {
        let mut all = vec![path.to_owned()];
        if !is_plain_path(path) {
            return all;
        }
        let mut at = self.root.join(path);
        // As many steps as the kernel takes.
        for _ in 0..40 {
            let Ok(target) = std::fs::read_link(&at) else { break };
            let Some(next) = self.inside(&at, &target) else { break };
            all.extend(
                next.ancestors().skip(1).filter(|above| above.is_symlink()).filter_map(|above| self.name(above)),
            );
            all.extend(self.name(&next));
            at = next;
        }
        if all.len() > 1 {
            all.extend(at.canonicalize().ok().and_then(|end| self.name(&end)));
        }
        all
    }
}

impl Disk {
    /// Where a link's text leads, if it stays below the root.
    fn inside(&self, link: &Path, target: &Path) -> Option<PathBuf> {
        let mut at = link.parent()?.to_path_buf();
        for part in target.components() {
            match part {
                Component::RootDir | Component::Prefix(_) => at = PathBuf::from("/"),
                Component::CurDir => {}
                Component::ParentDir => {
                    at.pop();
                }
                Component::Normal(name) => at.push(name),
            }
        }
        at.starts_with(&self.root).then_some(at)
    }

    fn name(&self, path: &Path) -> Option<String> {
        path.strip_prefix(&self.root).ok().filter(|rest| !rest.as_os_str().is_empty())?;
        self.path_of(path).ok()
    }

    /// Everything: the files at the root and all folders beside them.
    fn list_root(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.root) else { return Vec::new() };
        let mut files = Vec::new();
        for entry in entries.flatten() {
            let Ok(name) = self.path_of(&entry.path()) else { continue };
            let Ok(kind) = entry.file_type() else { continue };
            if self.is_ignored(&name) {
                continue;
            }
            if kind.is_dir() { files.extend(self.list(&name)) } else { files.push(name) }
        }
        files.sort_unstable();
        files
    }
}
