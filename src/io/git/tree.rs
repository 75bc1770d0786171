//! The files of a commit, or of an index, as [`Disk`](crate::io::Disk) would show them if it were checked out.
//!
//! The same rules hold, so that a revision and a work tree of the same content give the same plan: hidden files and the
//! folder of rendered files are not there, links are followed only to files of the same tree, size and number are
//! bounded. Each top-level folder is listed once, from its tree object. What another repository holds (submodules) is
//! not there; what Git LFS keeps elsewhere is refused with its reason, because its pointer is no YAML of anybody's.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use git2::{Index, Oid};

use super::folders::{Folder, Folders, What};
use super::{CommitId, GitError, Handle, Repository, words};
use crate::io::disk::DiskLimits;
use crate::source::budget::{Meter, Resource};
use crate::source::{ContentId, ReadError, Refusal, Source, below, is_plain_path};

/// What a file that Git LFS keeps elsewhere begins with.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Links that may lead to one another.
const LINKS_MAX: usize = 16;

/// The files of one commit, or of an index, below a folder of it.
#[derive(Debug)]
pub struct GitTree {
    repository: Repository,
    /// Whose files they are; `None` for those of an index.
    commit: Option<CommitId>,
    folders: Folders,
    /// The folder of the prefix; `None` where there is no such folder.
    root: Option<Folder>,
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
            let tree = handle.find_commit(commit.0).and_then(|commit| commit.tree());
            tree.map(|tree| tree.id()).map_err(|error| GitError::read(&error))?
        };
        Self::of(repository, Some(commit), Folders::default(), Folder::Tree(tree))
    }

    /// What an index holds, which has no conflicts.
    pub(super) fn of_index(repository: Repository, index: &Index) -> Result<Self, GitError> {
        let (folders, root) = Folders::of_index(index);
        Self::of(repository, None, folders, root)
    }

    fn of(repository: Repository, commit: Option<CommitId>, folders: Folders, top: Folder) -> Result<Self, GitError> {
        let root = {
            let handle = repository.handle()?;
            let prefix = repository.prefix().split('/').filter(|part| !part.is_empty());
            match folders.at(&handle, top, prefix) {
                Ok(Some(What::Folder(folder))) => Some(folder),
                Ok(_) => None,
                Err(error) => return Err(GitError::read(&error)),
            }
        };
        let (limits, walks) = (DiskLimits::default(), Mutex::default());
        Ok(Self { repository, commit, folders, root, limits, ignored: vec!["rendered".to_owned()], walks })
    }

    #[must_use]
    pub fn with_limits(mut self, limits: DiskLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Whose files they are; `None` for what is staged.
    pub fn commit(&self) -> Option<CommitId> {
        self.commit
    }

    fn handle(&self) -> Result<Handle, git2::Error> {
        self.repository.handle().map_err(|error| git2::Error::from_str(&error.to_string()))
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
        let handle = self.handle()?;
        let Some(What::Folder(start)) = self.folders.child(&handle, root, top)? else { return Ok(walk) };
        // Entries are counted as on disk; a workspace's own meter counts what is read of them.
        let meter = Meter::default();
        let mut open = vec![(top.to_owned(), start, 1)];
        while let Some((folder, at, depth)) = open.pop() {
            for child in &*self.folders.children(&handle, at)? {
                if let Err(exceeded) = meter.charge(Resource::Entries, 1) {
                    let refusal = Refusal::Budget(exceeded);
                    let problems = vec![ReadError::new(top, refusal.clone())];
                    return Ok(Walk { problems, refused: Some(refusal), ..Walk::default() });
                }
                let name = match std::str::from_utf8(&child.name) {
                    Ok(name) if is_plain_path(name) && !name.contains('/') => name,
                    _ => {
                        let name = String::from_utf8_lossy(&child.name);
                        let name: String = name.chars().flat_map(char::escape_default).collect();
                        walk.problems.push(ReadError::new(format!("{folder}/{name}"), Refusal::Name));
                        continue;
                    }
                };
                let path = format!("{folder}/{name}");
                if self.is_ignored(&path) {
                    continue;
                }
                let kind = match child.what {
                    What::Folder(_) if depth >= self.limits.depth => {
                        walk.problems.push(ReadError::new(path, Refusal::TooDeep(self.limits.depth)));
                        continue;
                    }
                    What::Folder(below) => {
                        open.push((path, below, depth + 1));
                        continue;
                    }
                    What::Link(id) => self.follow(&handle, root, &path, id),
                    What::File(id) => Kind::File(id),
                    What::Submodule => continue,
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
        let handle = self.handle().map_err(io)?;
        Ok(match self.folders.child(&handle, root, path).map_err(io)? {
            Some(What::Link(id)) => Some(self.follow(&handle, root, path, id)),
            Some(What::File(id)) => Some(Kind::File(id)),
            _ => None,
        })
    }

    fn blob(&self, id: Oid) -> Result<Vec<u8>, Refusal> {
        let io = |error: git2::Error| Refusal::Io(words(&error));
        let handle = self.handle().map_err(io)?;
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

    /// Where a link leads: to a file of the same tree outside of hidden folders, or nowhere that is read.
    fn follow(&self, handle: &git2::Repository, root: Folder, link: &str, id: Oid) -> Kind {
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
                    let what = self.folders.at(handle, root, at.iter().map(String::as_str));
                    let Ok(Some(what)) = what else { return out };
                    if let What::Link(id) = what {
                        links += 1;
                        let Some(next) = target(id).filter(|next| links <= LINKS_MAX && !next.starts_with('/')) else {
                            return out;
                        };
                        at.pop();
                        todo.extend(next.split('/').rev().map(str::to_owned));
                        found = None;
                    } else {
                        found = Some(what);
                    }
                }
            }
        }
        match found {
            Some(What::File(id)) => Kind::File(id),
            Some(What::Submodule) => out,
            _ => Kind::Refused(Refusal::LinkToFolder),
        }
    }
}

fn is_refused(kind: &Kind) -> bool {
    matches!(kind, Kind::Refused(_))
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
        let Ok(children) = self.folders.children(&handle, root) else { return Vec::new() };
        let mut files = Vec::new();
        for child in &*children {
            let name = std::str::from_utf8(&child.name).ok();
            let Some(name) = name.filter(|name| is_plain_path(name) && !self.is_ignored(name)) else { continue };
            match child.what {
                What::Folder(_) => files.extend(self.list(name)),
                What::File(_) | What::Link(_) => files.push(name.to_owned()),
                What::Submodule => {}
            }
        }
        files.sort_unstable();
        files
    }
}
