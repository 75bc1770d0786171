//! The only place that writes: a folder of rendered files, and files that people own ([`own`]).
//!
//! Nothing of the folder changes before everything is known to be valid. Files are compared one by one, from any
//! number of threads; only those that differ are written, beside the others in a hidden staging folder. `commit` then
//! renames them into place and removes what is ours and no longer rendered. Whatever ends the run before that leaves
//! the folder as it was, and whatever ends it during `commit` leaves whole files that the next run completes.
//!
//! A file is ours if its first line says so for this project ([`marker`]). A file without that line is never replaced
//! and never removed; if it is in the way, nothing is written at all. Links are neither followed nor replaced.
#![expect(clippy::disallowed_methods, reason = "this is the door to the file system")]

pub mod own;
mod staging;
mod tree;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashSet};

use self::staging::Staging;
use self::tree::{At, Tree, What};
use crate::diag::{Code, Diagnostic};
use crate::render::marker;
use crate::source::is_plain_path;

/// Whether an [`Output`] writes or only says what it would write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Write,
    Check,
}

/// What staging a file came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The file is there with this content; it keeps its time of modification.
    None,
    Added,
    Changed,
    /// Something that is not ours is in the way; see [`Summary::foreign`].
    Foreign,
}

/// What a run changes in the folder, each list sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub unchanged: usize,
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
    /// What is in the way. While there is any, nothing is written.
    pub foreign: Vec<Foreign>,
}

impl Summary {
    /// Whether the folder differs from what was staged.
    pub fn differs(&self) -> bool {
        !(self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty() && self.foreign.is_empty())
    }
}

/// Something in the folder that hlgen did not write and that stands where a file has to go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Foreign {
    /// Below the output folder.
    pub path: String,
    pub what: Obstacle,
}

/// What kind of thing is in the way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// A file without hlgen's line.
    File,
    /// A file that hlgen wrote for another project.
    Project(String),
    /// A file of ours outside the selection of this run.
    Unselected,
    Link,
    /// A socket, a device, a name that is not UTF-8.
    Special,
}

impl Foreign {
    /// The finding for it; `out` is the output folder as people know it.
    pub fn finding(&self, out: &str) -> Diagnostic {
        let (path, separator) = (&self.path, if out.is_empty() { "" } else { "/" });
        let what = match &self.what {
            Obstacle::File => "a file that hlgen did not write".to_owned(),
            Obstacle::Project(project) => format!("a file that hlgen wrote for project `{project}`"),
            Obstacle::Unselected => "a file that this run's selection leaves alone".to_owned(),
            Obstacle::Link => "a symbolic link".to_owned(),
            Obstacle::Special => "something that is not a regular file".to_owned(),
        };
        let finding = Diagnostic::new(Code::OutForeign, format!("`{out}{separator}{path}` is in the way: {what}"));
        match self.what {
            Obstacle::Unselected => finding.help("run again without `--env` and `--app`"),
            _ => finding
                .help("move or remove it; hlgen never touches a file that does not carry its line for this project"),
        }
    }
}

/// Why a folder could not be written. [`WriteError::Foreign`] is the caller's to show as findings.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("`{0}` is no path below the output folder")]
    Path(String),
    #[error("the output folder leads through the symbolic link `{}`; replace it by a folder or name another with `--out`", .0.display())]
    Link(PathBuf),
    #[error("`{0}` is written twice")]
    Twice(String),
    #[error("`{0}` and `{1}` cannot both be written: one is a folder of the other")]
    Clash(String, String),
    #[error("`{0}` was changed by somebody else meanwhile")]
    Changed(String),
    #[error("files that hlgen did not write are in the way")]
    Foreign(Vec<Foreign>),
}

impl WriteError {
    fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// One run's view of a folder of rendered files.
#[derive(Debug)]
pub struct Output {
    root: PathBuf,
    project: String,
    mode: Mode,
    tree: Tree,
    /// In the order of staging, which is that of the threads.
    staged: Mutex<AllStaged>,
    staging: Staging,
}

type AllStaged = IndexMap<String, Staged, FxBuildHasher>;

/// How much of a file of the last run is read: what Kubernetes takes as one object is far smaller.
const BEFORE_MAX: u64 = 4 << 20;

/// What is to become of a staged path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Staged {
    change: Change,
    /// Number of its file in the staging folder.
    file: Option<u64>,
}

/// What `commit` does, worked out before it begins.
#[derive(Debug, Default)]
struct Steps {
    summary: Summary,
    /// Files of ours to remove; those that stand where a folder or file goes come first in time.
    stale: BTreeSet<String>,
    /// Folders of the tree as it was, deepest last.
    folders: Vec<String>,
    /// Stale files and folders where something else goes.
    in_the_way: BTreeSet<String>,
}

impl Output {
    /// Opens `base/below` for a project. Nothing is created. In [`Mode::Write`] what a killed run left is removed.
    ///
    /// `base` is trusted (the repository's root, or what somebody typed); no part of `below` may be a link.
    ///
    /// # Errors
    /// When `below` is no plain path, leads through a link, or cannot be looked at.
    pub fn open(base: &Path, below: &str, project: &str, mode: Mode) -> Result<Self, WriteError> {
        let mut root = base.to_owned();
        if !below.is_empty() && !is_plain_path(below) {
            return Err(WriteError::Path(below.to_owned()));
        }
        for part in below.split('/').filter(|part| !part.is_empty()) {
            root.push(part);
            match root.symlink_metadata() {
                Ok(meta) if meta.is_symlink() => return Err(WriteError::Link(root)),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(WriteError::io("look at", root)(error)),
            }
        }
        let tree = Tree::new(root.clone());
        if mode == Mode::Write {
            staging::remove_leftovers(&root, &tree.names("")?)?;
        }
        let (project, staging) = (project.to_owned(), Staging::new(root.clone()));
        Ok(Self { root, project, mode, tree, staged: Mutex::default(), staging })
    }

    /// Compares a file with what is there and, in [`Mode::Write`], keeps it for `commit` if it differs.
    ///
    /// `path` is `/`-separated below the folder. `content` begins with hlgen's line. May be called from any thread.
    ///
    /// # Errors
    /// When the path is not plain or staged already, or the disk fails.
    pub fn stage(&self, path: &str, content: &[u8]) -> Result<Change, WriteError> {
        if !is_plain_path(path) || path.split('/').any(|part| part.starts_with('.')) {
            return Err(WriteError::Path(path.to_owned()));
        }
        let change = match self.tree.at(path)? {
            At::Nothing | At::Folder | At::BehindFile(_) => Change::Added,
            At::File => self.compare(path, content)?,
            At::Odd(_) => Change::Foreign,
        };
        let file = match change {
            Change::Added | Change::Changed if self.mode == Mode::Write => Some(self.staging.write(content)?),
            _ => None,
        };
        let twice = self.staged().insert(path.to_owned(), Staged { change, file }).is_some();
        if twice { Err(WriteError::Twice(path.to_owned())) } else { Ok(change) }
    }

    /// What `commit` would do, or what the folder lacks in [`Mode::Check`].
    ///
    /// `selected` says whether a file that is not staged belongs to what this run renders: only such files are
    /// removed. It is asked about files (`prod/web/values.yaml`) and empty folders (`prod/web/`).
    ///
    /// # Errors
    /// When two staged paths exclude each other, or the disk fails.
    pub fn plan(&self, selected: impl Fn(&str) -> bool) -> Result<Summary, WriteError> {
        Ok(self.steps(&selected)?.summary)
    }

    /// Puts everything that was staged in place and removes what is ours, selected and was not staged. In
    /// [`Mode::Check`] the same as [`Output::plan`].
    ///
    /// # Errors
    /// As `plan`; [`WriteError::Foreign`] when something is in the way, in which case nothing was changed.
    pub fn commit(self, selected: impl Fn(&str) -> bool) -> Result<Summary, WriteError> {
        self.commit_after(selected, |_, _| {})
    }

    /// As `commit`; `look` is shown what will be done while the folder is still as it was.
    ///
    /// # Errors
    /// As `commit`.
    pub fn commit_after(
        self,
        selected: impl Fn(&str) -> bool,
        look: impl FnOnce(&Self, &Summary),
    ) -> Result<Summary, WriteError> {
        let steps = self.steps(&selected)?;
        look(&self, &steps.summary);
        if self.mode == Mode::Check {
            return Ok(steps.summary);
        }
        if !steps.summary.foreign.is_empty() {
            return Err(WriteError::Foreign(steps.summary.foreign));
        }
        self.apply(&steps, &selected)?;
        Ok(steps.summary)
    }

    /// The text of a file of ours as the last run left it; `None` where there is none, or it is not ours or no text.
    pub fn before(&self, path: &str) -> Option<String> {
        if !is_plain_path(path) || !matches!(self.tree.at(path), Ok(At::File)) {
            return None;
        }
        let mut text = Vec::new();
        let file = File::open(self.root.join(path)).ok()?;
        file.take(BEFORE_MAX).read_to_end(&mut text).ok()?;
        self.owns(&text[..text.len().min(FIRST_LINE)]).ok()?;
        String::from_utf8(text).ok()
    }

    /// Forgets everything that was staged. Dropping an [`Output`] does the same.
    pub fn abort(self) {
        drop(self);
    }

    fn staged(&self) -> MutexGuard<'_, AllStaged> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One open, one fstat, one read: the size decides most cases, and the file is read into a buffer that the thread
    /// keeps.
    fn compare(&self, path: &str, content: &[u8]) -> Result<Change, WriteError> {
        thread_local!(static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
        let at = self.root.join(path);
        let failed = |error| WriteError::io("read", &at)(error);
        let mut file = match File::open(&at) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Change::Added),
            file => file.map_err(failed)?,
        };
        let same_size = file.metadata().map_err(failed)?.len() == content.len() as u64;
        BUFFER.with_borrow_mut(|buffer| {
            let wanted = if same_size { content.len() } else { FIRST_LINE };
            if buffer.len() < wanted {
                buffer.resize(wanted, 0);
            }
            let read = fill(&mut file, &mut buffer[..wanted]).map_err(failed)?;
            let read = &buffer[..read];
            if same_size && read == content {
                return Ok(Change::None);
            }
            Ok(if self.owns(read).is_ok() { Change::Changed } else { Change::Foreign })
        })
    }

    /// Whether the beginning of a file says that it is ours.
    fn owns(&self, start: &[u8]) -> Result<(), Obstacle> {
        match owner(start) {
            Some(project) if project == self.project => Ok(()),
            Some(project) => Err(Obstacle::Project(project.to_owned())),
            None => Err(Obstacle::File),
        }
    }

    /// [`Output::owns`] of a file in the folder.
    fn owns_file(&self, path: &str) -> Result<Result<(), Obstacle>, WriteError> {
        let at = self.root.join(path);
        let mut start = [0; FIRST_LINE];
        let read = File::open(&at).and_then(|mut file| fill(&mut file, &mut start));
        Ok(self.owns(&start[..read.map_err(WriteError::io("read", at))?]))
    }

    fn steps(&self, selected: &dyn Fn(&str) -> bool) -> Result<Steps, WriteError> {
        let staged = self.staged();
        check_clashes(&staged)?;
        let mut steps = Steps::default();
        steps.summary.unchanged = staged.values().filter(|staged| staged.change == Change::None).count();
        let mut kept = BTreeMap::new();
        self.look_through(&staged, selected, &mut steps, &mut kept)?;

        let mut foreign = BTreeSet::new();
        for (path, Staged { change, .. }) in in_order(&staged) {
            match change {
                Change::Changed => steps.summary.changed.push(path.clone()),
                Change::Added => steps.summary.added.push(path.clone()),
                Change::None | Change::Foreign => {}
            }
            match self.tree.at(path)? {
                At::Odd(Foreign { path, what }) => _ = foreign.insert(Foreign { path, what }),
                At::File if *change == Change::Foreign => {
                    let what = self.owns_file(path)?.err().unwrap_or(Obstacle::File);
                    foreign.insert(Foreign { path: path.clone(), what });
                }
                At::BehindFile(file) if steps.stale.contains(&file) => _ = steps.in_the_way.insert(file),
                At::BehindFile(file) => {
                    let what = self.owns_file(&file)?.err().unwrap_or(Obstacle::Unselected);
                    foreign.insert(Foreign { path: file, what });
                }
                At::Folder => {
                    let prefix = format!("{path}/");
                    let below = kept.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
                    foreign.extend(
                        below
                            .map(|(path, what): (&String, &Obstacle)| Foreign {
                                path: path.clone(),
                                what: what.clone(),
                            })
                            .next(),
                    );
                    steps.in_the_way.insert(path.clone());
                }
                At::Nothing | At::File => {}
            }
        }
        steps.summary.foreign = foreign.into_iter().collect();
        steps.summary.removed = steps.stale.iter().cloned().collect();
        Ok(steps)
    }

    /// Walks the folder as it is: which files are stale, which stay and why, which folders there are.
    fn look_through(
        &self,
        staged: &AllStaged,
        selected: &dyn Fn(&str) -> bool,
        steps: &mut Steps,
        kept: &mut BTreeMap<String, Obstacle>,
    ) -> Result<(), WriteError> {
        let mut open = vec![String::new()];
        while let Some(folder) = open.pop() {
            for (name, what) in self.tree.names(&folder)?.iter() {
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                match what {
                    What::Folder if name.starts_with('.') => _ = kept.insert(path, Obstacle::File),
                    What::Folder => {
                        steps.folders.push(path.clone());
                        open.push(path);
                    }
                    What::File if staged.contains_key(&path) => {}
                    What::File if name.starts_with('.') => _ = kept.insert(path, Obstacle::File),
                    What::File => match self.owns_file(&path)? {
                        Ok(()) if selected(&path) => _ = steps.stale.insert(path),
                        Ok(()) => _ = kept.insert(path, Obstacle::Unselected),
                        Err(obstacle) => _ = kept.insert(path, obstacle),
                    },
                    What::Link => _ = kept.insert(path, Obstacle::Link),
                    What::Special => _ = kept.insert(path, Obstacle::Special),
                }
            }
        }
        steps.folders.sort_unstable();
        Ok(())
    }

    fn apply(&self, steps: &Steps, selected: &dyn Fn(&str) -> bool) -> Result<(), WriteError> {
        let in_the_way = |path: &String| {
            steps.in_the_way.contains(path) || parents(path).any(|folder| steps.in_the_way.contains(folder))
        };
        for path in steps.stale.iter().filter(|path| in_the_way(path)) {
            self.remove_file(path)?;
        }
        for folder in steps.folders.iter().rev().filter(|folder| in_the_way(folder)) {
            let at = self.root.join(folder);
            fs::remove_dir(&at).map_err(WriteError::io("remove", at))?;
        }

        // The output folder itself is there: what is staged lies in it.
        let there = steps.folders.iter().filter(|folder| !in_the_way(folder)).map(String::as_str);
        let mut made: FxHashSet<&str> = there.collect();
        let staged = self.staged();
        for (path, Staged { file, .. }) in in_order(&staged) {
            let Some(file) = file else { continue };
            let at = self.root.join(path);
            for folder in parents(path).filter(|folder| made.insert(folder)) {
                self.make_folder(folder)?;
            }
            let staged = self.staging.file(*file);
            let placed = match fs::rename(&staged, &at) {
                // Somebody has removed the folder since it was looked at.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    at.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::rename(&staged, &at))
                }
                placed => placed,
            };
            placed.map_err(WriteError::io("replace", at))?;
        }

        for path in steps.stale.iter().filter(|path| !in_the_way(path)) {
            self.remove_file(path)?;
        }
        for folder in steps.folders.iter().rev() {
            let emptied = steps
                .stale
                .range(format!("{folder}/")..)
                .next()
                .is_some_and(|path| path.starts_with(&format!("{folder}/")));
            if emptied || selected(&format!("{folder}/")) {
                // Fails where something is left inside, which is the question.
                _ = fs::remove_dir(self.root.join(folder));
            }
        }
        Ok(())
    }

    fn make_folder(&self, folder: &str) -> Result<(), WriteError> {
        let at = self.root.join(folder);
        match fs::create_dir(&at) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(WriteError::io("create", at)(error)),
            _ => Ok(()),
        }
    }

    fn remove_file(&self, path: &str) -> Result<(), WriteError> {
        let at = self.root.join(path);
        match fs::remove_file(&at) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(WriteError::io("remove", at)(error)),
            _ => Ok(()),
        }
    }
}

/// Bytes in which hlgen's line says whose file it is.
const FIRST_LINE: usize = 256;

/// The project named in the first line of a file's beginning.
fn owner(start: &[u8]) -> Option<&str> {
    let line = start.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).or_else(|error| std::str::from_utf8(&line[..error.valid_up_to()])).ok()?;
    marker::owner(line)
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// What was staged and is not there already, by path.
fn in_order(staged: &AllStaged) -> Vec<(&String, &Staged)> {
    let mut differ: Vec<_> = staged.iter().filter(|(_, staged)| staged.change != Change::None).collect();
    differ.sort_unstable_by_key(|(path, _)| *path);
    differ
}

/// No staged file may be a folder of another one.
fn check_clashes(staged: &AllStaged) -> Result<(), WriteError> {
    let mut seen: FxHashSet<&str> = FxHashSet::default();
    // Above a folder that was seen all were.
    let clashes = staged.keys().any(|path| {
        let mut new = parents(path).rev().take_while(|folder| seen.insert(folder));
        new.any(|folder| staged.contains_key(folder))
    });
    if !clashes {
        return Ok(());
    }
    let mut paths: Vec<&String> = staged.keys().collect();
    paths.sort_unstable();
    let clash =
        |path: &String| Some((parents(path).find(|folder| staged.contains_key(*folder))?.to_owned(), path.clone()));
    let (folder, path) = paths.into_iter().find_map(clash).unwrap_or_default();
    Err(WriteError::Clash(folder, path))
}

/// The folders of a path, outermost first: `a`, `a/b` for `a/b/c`.
fn parents(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}
