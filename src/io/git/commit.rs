//! Rendered files put into a tree that others write to as well: the Git form of `io::write`, by the same rules.
//!
//! Only the folder of the rendered files is looked into, and there only files with hlgen's line for this project are
//! replaced or removed. Every other entry is carried over by its object id and mode, so what others keep beside or
//! between (executables, links, submodules) comes out byte for byte. Nothing is checked out.

use std::collections::BTreeMap;

use git2::{ErrorCode, ObjectType, Oid, Repository, Signature, Time, Tree, TreeEntry};

use super::remote::RemoteError;
use crate::io::write::{Foreign, Obstacle, Summary};
use crate::render::marker;

/// What is to be in a folder: contents by path below it.
pub type Files = BTreeMap<String, Vec<u8>>;

const FILE: i32 = 0o100_644;
const EXECUTABLE: i32 = 0o100_755;
const FOLDER: i32 = 0o040_000;
const LINK: i32 = 0o120_000;

/// Deepest nesting of folders that is followed in somebody else's tree.
const DEEPEST: usize = 64;

/// A tree with the rendered files in it.
#[derive(Debug)]
pub struct Placed {
    /// The new root tree; meaningless while something is in the way.
    pub tree: Oid,
    pub summary: Summary,
}

/// Why a tree could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("folders of the repository are nested more than {DEEPEST} deep")]
    TooDeep,
    #[error(transparent)]
    Git(#[from] RemoteError),
}

impl From<git2::Error> for PlaceError {
    fn from(error: git2::Error) -> Self {
        Self::Git(RemoteError::local(error))
    }
}

/// What decides whether a file may be replaced or removed.
#[derive(Clone, Copy)]
enum Owner<'a> {
    /// The project in hlgen's line.
    Line(&'a str),
    /// The whole folder is ours.
    Folder,
}

/// Puts `files` below the folder `path` of a root tree, and removes what this project had there and has no longer.
///
/// # Errors
/// What the object database would not do. Files in the way are in the summary, and then the tree is not to be used.
pub fn place<'r>(
    repository: &'r Repository,
    base: Option<&Tree<'r>>,
    path: &str,
    files: &Files,
    project: &str,
) -> Result<Placed, PlaceError> {
    put(repository, base, path, files, Owner::Line(project))
}

/// Puts `files` below the folder `path` in place of all that is there.
///
/// # Errors
/// As [`place`].
pub fn replace_folder<'r>(
    repository: &'r Repository,
    base: Option<&Tree<'r>>,
    path: &str,
    files: &Files,
) -> Result<Placed, PlaceError> {
    put(repository, base, path, files, Owner::Folder)
}

fn put<'r>(
    repository: &'r Repository,
    base: Option<&Tree<'r>>,
    path: &str,
    files: &Files,
    owner: Owner<'_>,
) -> Result<Placed, PlaceError> {
    let mut work = Work { repository, owner, summary: Summary::default() };
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let root = work.descend(base, &parts, "", &files)?;
    let tree = match root {
        Some(tree) => tree,
        None => repository.treebuilder(None)?.write()?,
    };
    let summary = &mut work.summary;
    for list in [&mut summary.added, &mut summary.changed, &mut summary.removed] {
        list.sort();
    }
    summary.foreign.sort();
    summary.foreign.dedup();
    Ok(Placed { tree, summary: work.summary })
}

struct Work<'r, 'o> {
    repository: &'r Repository,
    owner: Owner<'o>,
    summary: Summary,
}

impl<'r> Work<'r, '_> {
    /// Walks down to the folder and makes the trees above it anew.
    fn descend(
        &mut self,
        base: Option<&Tree<'r>>,
        parts: &[&str],
        shown: &str,
        files: &[(&str, &[u8])],
    ) -> Result<Option<Oid>, PlaceError> {
        let Some((first, rest)) = parts.split_first() else { return self.merge(base, "", files, 0) };
        let entry = base.and_then(|tree| tree.get_name(first));
        let below = match &entry {
            None => None,
            Some(entry) if entry.filemode() == FOLDER => Some(self.repository.find_tree(entry.id())?),
            Some(entry) => {
                // People know this path below the folder of the rendered files, of which it is a part.
                let what = self.obstacle(entry)?;
                self.summary.foreign.push(Foreign { path: format!("{shown}{first}"), what });
                return Ok(base.map(Tree::id));
            }
        };
        let new = self.descend(below.as_ref(), rest, &format!("{shown}{first}/"), files)?;
        if new == entry.as_ref().map(TreeEntry::id) {
            return Ok(base.map(Tree::id));
        }
        let mut builder = self.repository.treebuilder(base)?;
        match new {
            Some(tree) => _ = builder.insert(first, tree, FOLDER)?,
            None => _ = builder.remove(first),
        }
        Ok(if builder.is_empty() { None } else { Some(builder.write()?) })
    }

    /// One folder: `files` are its own, by path below it and sorted; `at` is its path with a `/` at the end.
    fn merge(
        &mut self,
        base: Option<&Tree<'r>>,
        at: &str,
        files: &[(&str, &[u8])],
        depth: usize,
    ) -> Result<Option<Oid>, PlaceError> {
        if depth > DEEPEST {
            return Err(PlaceError::TooDeep);
        }
        let mut builder = self.repository.treebuilder(base)?;
        let mut is_changed = false;
        let groups = grouped(files);
        for (name, group) in &groups {
            let entry = base.and_then(|tree| tree.get_name(name));
            match group {
                Group::File(content) => match self.file(entry.as_ref(), &format!("{at}{name}"), content, depth)? {
                    Some(blob) => {
                        builder.insert(name, blob, FILE)?;
                        is_changed = true;
                    }
                    None => {}
                },
                Group::Folder(inner) => {
                    let below = self.folder(entry.as_ref(), &format!("{at}{name}"))?;
                    let Ok(below) = below else { continue };
                    let new = self.merge(below.as_ref(), &format!("{at}{name}/"), inner, depth + 1)?;
                    if new != below.as_ref().map(Tree::id)
                        || entry.as_ref().is_some_and(|entry| entry.filemode() != FOLDER)
                    {
                        is_changed = true;
                        match new {
                            Some(tree) => _ = builder.insert(name, tree, FOLDER)?,
                            None => _ = builder.remove(name),
                        }
                    }
                }
            }
        }
        for entry in base.into_iter().flat_map(Tree::iter) {
            let name = entry.name_bytes();
            if groups.iter().any(|(known, _)| known.as_bytes() == name) {
                continue;
            }
            // A name that is no text, or a hidden one, was not written by hlgen.
            let Some(name) = std::str::from_utf8(name).ok().filter(|name| !self.is_left_alone(name)) else { continue };
            let path = format!("{at}{name}");
            if entry.filemode() == FOLDER {
                let below = self.repository.find_tree(entry.id())?;
                let new = self.merge(Some(&below), &format!("{path}/"), &[], depth + 1)?;
                if new != Some(entry.id()) {
                    is_changed = true;
                    match new {
                        Some(tree) => _ = builder.insert(name, tree, FOLDER)?,
                        None => builder.remove(name)?,
                    }
                }
            } else if self.is_ours(&entry)? {
                builder.remove(name)?;
                self.summary.removed.push(path);
                is_changed = true;
            }
        }
        if !is_changed {
            // An empty folder cannot be in a tree, so no tree is none.
            return Ok(base.map(Tree::id));
        }
        Ok(if builder.is_empty() { None } else { Some(builder.write()?) })
    }

    /// A file to be written; gives its blob if it differs from what is there.
    fn file(
        &mut self,
        entry: Option<&TreeEntry<'_>>,
        path: &str,
        content: &[u8],
        depth: usize,
    ) -> Result<Option<Oid>, PlaceError> {
        let id = Oid::hash_object(ObjectType::Blob, content)?;
        match entry {
            None => self.summary.added.push(path.to_owned()),
            Some(entry) if entry.id() == id && entry.filemode() == FILE => {
                self.summary.unchanged += 1;
                return Ok(None);
            }
            Some(entry) if entry.filemode() == FOLDER => {
                // Allowed where nothing is left in the folder once ours is gone.
                let below = self.repository.find_tree(entry.id())?;
                if let Some(left) = self.merge(Some(&below), &format!("{path}/"), &[], depth + 1)? {
                    let (name, what) = self.first_left(left)?;
                    self.summary.foreign.push(Foreign { path: format!("{path}/{name}"), what });
                    return Ok(None);
                }
                self.summary.added.push(path.to_owned());
            }
            Some(entry) if self.is_ours(entry)? => self.summary.changed.push(path.to_owned()),
            Some(entry) => {
                let what = self.obstacle(entry)?;
                self.summary.foreign.push(Foreign { path: path.to_owned(), what });
                return Ok(None);
            }
        }
        Ok(Some(self.repository.blob(content)?))
    }

    /// The folder that files go into; `Err` where something is in the way.
    fn folder(
        &mut self,
        entry: Option<&TreeEntry<'_>>,
        path: &str,
    ) -> Result<Result<Option<Tree<'r>>, ()>, PlaceError> {
        match entry {
            None => Ok(Ok(None)),
            Some(entry) if entry.filemode() == FOLDER => Ok(Ok(Some(self.repository.find_tree(entry.id())?))),
            Some(entry) if self.is_ours(entry)? => {
                self.summary.removed.push(path.to_owned());
                Ok(Ok(None))
            }
            Some(entry) => {
                let what = self.obstacle(entry)?;
                self.summary.foreign.push(Foreign { path: path.to_owned(), what });
                Ok(Err(()))
            }
        }
    }

    fn is_left_alone(&self, name: &str) -> bool {
        matches!(self.owner, Owner::Line(_)) && name.starts_with('.')
    }

    fn is_ours(&self, entry: &TreeEntry<'_>) -> Result<bool, PlaceError> {
        let is_file = matches!(entry.filemode(), FILE | EXECUTABLE);
        match self.owner {
            Owner::Folder => Ok(entry.kind() == Some(ObjectType::Blob)),
            Owner::Line(project) => Ok(is_file && self.project_of(entry)?.as_deref() == Some(project)),
        }
    }

    /// The project that a file's first line names.
    fn project_of(&self, entry: &TreeEntry<'_>) -> Result<Option<String>, PlaceError> {
        let blob = self.repository.find_blob(entry.id())?;
        Ok(owner(blob.content()).map(str::to_owned))
    }

    fn obstacle(&self, entry: &TreeEntry<'_>) -> Result<Obstacle, PlaceError> {
        Ok(match entry.filemode() {
            LINK => Obstacle::Link,
            FILE | EXECUTABLE => match (self.project_of(entry)?, self.owner) {
                (Some(project), Owner::Line(own)) if project != own => Obstacle::Project(project),
                _ => Obstacle::File,
            },
            _ => Obstacle::Special,
        })
    }

    /// The first file of what is left in a folder.
    fn first_left(&self, tree: Oid) -> Result<(String, Obstacle), PlaceError> {
        let (mut tree, mut path) = (self.repository.find_tree(tree)?, String::new());
        for _ in 0..=DEEPEST {
            let Some(entry) = tree.get(0) else { break };
            path.push_str(&String::from_utf8_lossy(entry.name_bytes()));
            if entry.filemode() != FOLDER {
                return Ok((path, self.obstacle(&entry)?));
            }
            path.push('/');
            let below = self.repository.find_tree(entry.id())?;
            drop(entry);
            tree = below;
        }
        Ok((path, Obstacle::Special))
    }
}

enum Group<'f> {
    File(&'f [u8]),
    Folder(Vec<(&'f str, &'f [u8])>),
}

/// Files by the first part of their path.
fn grouped<'f>(files: &[(&'f str, &'f [u8])]) -> BTreeMap<&'f str, Group<'f>> {
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for (path, content) in files {
        match path.split_once('/') {
            None => _ = groups.insert(path, Group::File(content)),
            Some((name, rest)) => match groups.entry(name).or_insert_with(|| Group::Folder(Vec::new())) {
                Group::Folder(inner) => inner.push((rest, content)),
                // `render` refuses a file that is a folder of another.
                Group::File(_) => {}
            },
        }
    }
    groups
}

/// The project in the first line of a file.
pub fn owner(content: &[u8]) -> Option<&str> {
    let line = content.split(|byte| *byte == b'\n').next()?;
    let line = &line[..line.len().min(256)];
    let line = std::str::from_utf8(line).or_else(|error| std::str::from_utf8(&line[..error.valid_up_to()])).ok()?;
    marker::owner(line)
}

/// All files below a folder of a tree whose first line names `project`, with their contents.
///
/// # Errors
/// What the object database would not do.
pub fn files_of(
    repository: &Repository,
    base: Option<&Tree<'_>>,
    path: &str,
    project: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Files, PlaceError> {
    let mut files = Files::new();
    let Some(base) = base else { return Ok(files) };
    let root = match base.get_path(std::path::Path::new(path)) {
        Ok(entry) if entry.filemode() == FOLDER => repository.find_tree(entry.id())?,
        Ok(_) => return Ok(files),
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(files),
        Err(error) => return Err(error.into()),
    };
    let mut open = vec![(String::new(), root, 0)];
    while let Some((at, tree, depth)) = open.pop() {
        if depth > DEEPEST {
            return Err(PlaceError::TooDeep);
        }
        for entry in &tree {
            let Ok(name) = std::str::from_utf8(entry.name_bytes()) else { continue };
            let path = format!("{at}{name}");
            match entry.filemode() {
                FOLDER => open.push((format!("{path}/"), repository.find_tree(entry.id())?, depth + 1)),
                FILE | EXECUTABLE if wanted(&path) => {
                    let blob = repository.find_blob(entry.id())?;
                    if owner(blob.content()) == Some(project) {
                        files.insert(path, blob.content().to_vec());
                    }
                }
                _ => {}
            }
        }
    }
    Ok(files)
}

/// Who a commit is by. Not the person who runs the program: what is published follows from the source commit alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub name: String,
    pub email: String,
}

/// Makes a commit; the same arguments give the same id.
///
/// # Errors
/// What the object database would not do, or a name that cannot be an author's.
pub fn commit(
    repository: &Repository,
    tree: Oid,
    parent: Option<Oid>,
    author: &Author,
    time: Time,
    message: &str,
) -> Result<Oid, PlaceError> {
    let signature = Signature::new(&author.name, &author.email, &time)?;
    let tree = repository.find_tree(tree)?;
    let parent = parent.map(|parent| repository.find_commit(parent)).transpose()?;
    let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
    Ok(repository.commit(None, &signature, &signature, message, &tree, &parents)?)
}
