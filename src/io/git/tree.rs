//! The files of a commit, as [`Disk`](crate::io::Disk) would show them if it were checked out.
//!
//! The same rules hold, so that a revision and a work tree of the same content give the same plan: hidden files and the
//! folder of rendered files are not there, links are followed only to files of the same tree, size and number are
//! bounded. Each top-level folder is listed once, from its tree object. What another repository holds (submodules) is
//! not there; what Git LFS keeps elsewhere is refused with its reason, because its pointer is no YAML of anybody's.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use git2::{ObjectType, Oid};

use super::{CommitId, GitError, Repository, words};
use crate::io::disk::DiskLimits;
use crate::source::budget::{Meter, Resource};
use crate::source::{ContentId, ReadError, Refusal, Source, below, is_plain_path};

/// What a file that Git LFS keeps elsewhere begins with.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Links that may lead to one another.
const LINKS_MAX: usize = 16;

/// Git's mode of a symbolic link.
const LINK_MODE: i32 = 0o120_000;

/// The files of one commit below a folder of it.
#[derive(Debug)]
pub struct GitTree {
    repository: Repository,
    commit: CommitId,
    /// The tree object of the prefix; `None` where the commit has no such folder.
    root: Option<Oid>,
    limits: DiskLimits,
    ignored: Vec<String>,
    walks: Mutex<BTreeMap<String, Arc<OnceLock<Walk>>>>,
}

#[derive(Debug, Default)]
struct Walk {
    /// Sorted by path.
    entries: Vec<Entry>,
    problems: Vec<ReadError>,
    refused: Option<Refusal>,
}

#[derive(Debug)]
struct Entry {
    path: Box<str>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    File(Oid),
    Refused(Refusal),
}

impl GitTree {
    pub(super) fn open(repository: Repository, commit: CommitId) -> Result<Self, GitError> {
        let tree = {
            let handle = repository.handle()?;
            let tree = handle.find_commit(commit.0).map(|commit| commit.tree_id());
            tree.map_err(|error| GitError::read(&error))?
        };
        Self::of(repository, commit, tree)
    }

    /// The files of a tree object; `commit` is whose tree it is, or is to be.
    pub(super) fn of(repository: Repository, commit: CommitId, tree: Oid) -> Result<Self, GitError> {
        let root = {
            let handle = repository.handle()?;
            let tree = handle.find_tree(tree).map_err(|error| GitError::read(&error))?;
            if repository.prefix().is_empty() {
                Some(tree.id())
            } else {
                let entry = tree.get_path(std::path::Path::new(repository.prefix())).ok();
                entry.filter(|entry| entry.kind() == Some(ObjectType::Tree)).map(|entry| entry.id())
            }
        };
        let (limits, walks) = (DiskLimits::default(), Mutex::default());
        Ok(Self { repository, commit, root, limits, ignored: vec!["rendered".to_owned()], walks })
    }

    #[must_use]
    pub fn with_limits(mut self, limits: DiskLimits) -> Self {
        self.limits = limits;
        self
    }

    pub fn commit(&self) -> CommitId {
        self.commit
    }

    fn is_ignored(&self, path: &str) -> bool {
        path.split('/').any(|part| part.starts_with('.')) || self.ignored.iter().any(|folder| folder == path)
    }

    fn walk(&self, top: &str) -> Arc<OnceLock<Walk>> {
        let cell = {
            let mut walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
            match walks.get(top) {
                Some(cell) => Arc::clone(cell),
                None => Arc::clone(walks.entry(top.to_owned()).or_default()),
            }
        };
        cell.get_or_init(|| {
            self.walk_now(top).unwrap_or_else(|error| {
                let refusal = Refusal::Io(words(&error));
                let problems = vec![ReadError::new(top, refusal.clone())];
                Walk { problems, refused: Some(refusal), ..Walk::default() }
            })
        });
        cell
    }

    fn walk_now(&self, top: &str) -> Result<Walk, git2::Error> {
        let mut walk = Walk::default();
        let Some(root) = self.root.filter(|_| !self.is_ignored(top)) else { return Ok(walk) };
        let handle = self.repository.handle().map_err(|error| git2::Error::from_str(&error.to_string()))?;
        let root = handle.find_tree(root)?;
        let Some(entry) = root.get_name(top).filter(|entry| entry.kind() == Some(ObjectType::Tree)) else {
            return Ok(walk);
        };
        // Entries are counted as on disk; a workspace's own meter counts what is read of them.
        let meter = Meter::default();
        let mut open = vec![(top.to_owned(), entry.id(), 1)];
        while let Some((folder, id, depth)) = open.pop() {
            for entry in &handle.find_tree(id)? {
                if let Err(exceeded) = meter.charge(Resource::Entries, 1) {
                    let refusal = Refusal::Budget(exceeded);
                    let problems = vec![ReadError::new(top, refusal.clone())];
                    return Ok(Walk { problems, refused: Some(refusal), ..Walk::default() });
                }
                let name = match entry.name() {
                    Ok(name) if is_plain_path(name) && !name.contains('/') => name,
                    _ => {
                        let name = String::from_utf8_lossy(entry.name_bytes());
                        let name: String = name.chars().flat_map(char::escape_default).collect();
                        walk.problems.push(ReadError::new(format!("{folder}/{name}"), Refusal::Name));
                        continue;
                    }
                };
                let path = format!("{folder}/{name}");
                if self.is_ignored(&path) {
                    continue;
                }
                let kind = match entry.kind() {
                    Some(ObjectType::Tree) if depth >= self.limits.depth => {
                        walk.problems.push(ReadError::new(path, Refusal::TooDeep(self.limits.depth)));
                        continue;
                    }
                    Some(ObjectType::Tree) => {
                        open.push((path, entry.id(), depth + 1));
                        continue;
                    }
                    Some(ObjectType::Blob) if entry.filemode() == LINK_MODE => {
                        follow(&handle, &root, &path, entry.id())
                    }
                    Some(ObjectType::Blob) => Kind::File(entry.id()),
                    // A submodule: another repository's files.
                    _ => continue,
                };
                if let Kind::Refused(refusal) = &kind {
                    walk.problems.push(ReadError::new(path.clone(), refusal.clone()));
                }
                walk.entries.push(Entry { path: path.into(), kind });
            }
        }
        walk.entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        walk.problems.sort_unstable();
        Ok(walk)
    }

    /// What stands at a path.
    fn find(&self, path: &str) -> Result<Option<Oid>, Refusal> {
        if self.is_ignored(path) {
            return Ok(None);
        }
        let kind = match path.split_once('/') {
            Some((top, _)) => {
                let cell = self.walk(top);
                let Some(walk) = cell.get() else { return Ok(None) };
                if let Some(refusal) = &walk.refused {
                    return Err(refusal.clone());
                }
                let get = |path: &str| {
                    let at = walk.entries.binary_search_by(|entry| (*entry.path).cmp(path)).ok()?;
                    Some(walk.entries[at].kind.clone())
                };
                get(path).or_else(|| path.match_indices('/').find_map(|(at, _)| get(&path[..at])).filter(is_refused))
            }
            None => self.top_file(path)?,
        };
        match kind {
            Some(Kind::File(id)) => Ok(Some(id)),
            Some(Kind::Refused(refusal)) => Err(refusal),
            None => Ok(None),
        }
    }

    /// A file at the root itself.
    fn top_file(&self, path: &str) -> Result<Option<Kind>, Refusal> {
        let io = |error: git2::Error| Refusal::Io(words(&error));
        let Some(root) = self.root else { return Ok(None) };
        let handle = self.repository.handle().map_err(|error| Refusal::Io(error.to_string()))?;
        let root = handle.find_tree(root).map_err(io)?;
        let Some(entry) = root.get_name(path).filter(|entry| entry.kind() == Some(ObjectType::Blob)) else {
            return Ok(None);
        };
        let id = entry.id();
        Ok(Some(if entry.filemode() == LINK_MODE { follow(&handle, &root, path, id) } else { Kind::File(id) }))
    }

    fn blob(&self, id: Oid) -> Result<Vec<u8>, Refusal> {
        let io = |error: git2::Error| Refusal::Io(words(&error));
        let handle = self.repository.handle().map_err(|error| Refusal::Io(error.to_string()))?;
        let (size, _) = handle.odb().and_then(|odb| odb.read_header(id)).map_err(io)?;
        if size as u64 > self.limits.bytes {
            return Err(Refusal::TooLarge(self.limits.bytes));
        }
        let blob = handle.find_blob(id).map_err(io)?;
        if blob.content().starts_with(LFS) {
            return Err(Refusal::Elsewhere);
        }
        Ok(blob.content().to_vec())
    }
}

fn is_refused(kind: &Kind) -> bool {
    matches!(kind, Kind::Refused(_))
}

/// Where a link leads: to a file of the same tree outside of hidden folders, or nowhere that is read.
fn follow(handle: &git2::Repository, root: &git2::Tree<'_>, link: &str, id: Oid) -> Kind {
    let out = Kind::Refused(Refusal::LinkOut);
    let target = |id: Oid| String::from_utf8(handle.find_blob(id).ok()?.content().to_vec()).ok();
    let mut at: Vec<String> = link.split('/').map(str::to_owned).collect();
    at.pop();
    let Some(first) = target(id) else { return out };
    let mut todo: Vec<String> = first.split('/').rev().map(str::to_owned).collect();
    if first.starts_with('/') {
        return out;
    }
    let mut links = 1;
    let mut found = None;
    while let Some(step) = todo.pop() {
        match step.as_str() {
            "" | "." => {}
            ".." => {
                if at.pop().is_none() {
                    return out;
                }
                found = None;
            }
            name if name.starts_with('.') => return out,
            _ => {
                at.push(step);
                let Ok(entry) = root.get_path(std::path::Path::new(&at.join("/"))) else { return out };
                if entry.filemode() == LINK_MODE {
                    links += 1;
                    let Some(next) = target(entry.id()).filter(|next| links <= LINKS_MAX && !next.starts_with('/'))
                    else {
                        return out;
                    };
                    at.pop();
                    todo.extend(next.split('/').rev().map(str::to_owned));
                    found = None;
                } else {
                    found = Some((entry.kind(), entry.id()));
                }
            }
        }
    }
    match found {
        Some((Some(ObjectType::Blob), id)) => Kind::File(id),
        Some((Some(ObjectType::Commit), _)) => out,
        _ => Kind::Refused(Refusal::LinkToFolder),
    }
}

impl Source for GitTree {
    fn list(&self, dir: &str) -> Vec<String> {
        if dir.is_empty() {
            return self.list_root();
        }
        if !is_plain_path(dir) || self.is_ignored(dir) {
            return Vec::new();
        }
        let cell = self.walk(dir.split('/').next().unwrap_or(dir));
        let Some(walk) = cell.get() else { return Vec::new() };
        let listed = |entry: &&Entry| !matches!(entry.kind, Kind::Refused(Refusal::LinkToFolder));
        let entries = below(&walk.entries, dir, |entry| &entry.path).iter().filter(listed);
        entries.map(|entry| entry.path.to_string()).collect()
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        let refuse = |refusal| ReadError::new(path, refusal);
        if !is_plain_path(path) {
            return Err(refuse(Refusal::Path));
        }
        match self.find(path).map_err(refuse)? {
            Some(id) => self.blob(id).map(|bytes| Some(Cow::Owned(bytes))).map_err(refuse),
            None => Ok(None),
        }
    }

    fn content_id(&self, path: &str) -> Option<ContentId> {
        self.find(path).ok().flatten().map(|id| ContentId::git(id.as_bytes()))
    }

    fn problems(&self) -> Vec<ReadError> {
        let walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        walks.values().filter_map(|cell| cell.get()).flat_map(|walk| walk.problems.clone()).collect()
    }
}

impl GitTree {
    fn list_root(&self) -> Vec<String> {
        let Some(root) = self.root else { return Vec::new() };
        let Ok(handle) = self.repository.handle() else { return Vec::new() };
        let Ok(root) = handle.find_tree(root) else { return Vec::new() };
        let mut files = Vec::new();
        for entry in &root {
            let Some(name) = entry.name().ok().filter(|name| is_plain_path(name) && !self.is_ignored(name)) else {
                continue;
            };
            match entry.kind() {
                Some(ObjectType::Tree) => files.extend(self.list(name)),
                Some(ObjectType::Blob) => files.push(name.to_owned()),
                _ => {}
            }
        }
        files.sort_unstable();
        files
    }
}
