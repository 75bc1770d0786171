//! Where the folders of a [`GitTree`](super::GitTree) come from: the tree objects of a commit, or the entries of an index.
//!
//! An index is read as it is. Writing it as a tree first, which is what Git does when it commits, would ask the object
//! database for every file and write an object for every folder, which costs more than all the rest of a check.

use std::borrow::Cow;

use git2::{Index, ObjectType, Oid, Tree};

/// Git's modes of what an entry may be.
const LINK_MODE: u32 = 0o120_000;
const SUBMODULE_MODE: u32 = 0o160_000;

/// Set in an index's entry for a file that `git add -N` only announced: the next commit will not hold it.
const INTENT_TO_ADD: u16 = 1 << 13;

/// A folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    /// By its tree object.
    Tree(Oid),
    /// By its number in [`Folders`].
    Staged(usize),
}

/// What stands in a folder under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Folder(Folder),
    File(Oid),
    Link(Oid),
    /// Another repository's commit.
    Submodule,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Child {
    /// As it is written, which need not be UTF-8.
    pub(super) name: Vec<u8>,
    pub(super) what: What,
}

/// The folders of an index; of a commit there is nothing to keep, its objects are asked for.
#[derive(Debug, Default)]
pub(super) struct Folders(Vec<Vec<Child>>);

impl Folders {
    /// The folders of an index that holds no conflicts, and its root.
    pub(super) fn of_index(index: &Index) -> (Self, Folder) {
        let entries = index.iter().filter(|entry| entry.flags_extended & INTENT_TO_ADD == 0);
        let entries = entries.map(|entry| {
            let what = match entry.mode {
                LINK_MODE => What::Link(entry.id),
                SUBMODULE_MODE => What::Submodule,
                _ => What::File(entry.id),
            };
            (entry.path, what)
        });
        (Self::of_paths(entries), Folder::Staged(0))
    }

    /// The folders of a list of files in which what lies in a folder stands together, as an index has it.
    fn of_paths(files: impl Iterator<Item = (Vec<u8>, What)>) -> Self {
        let mut folders = vec![Vec::new()];
        // The folders that hold the file before: how much of its path leads there, and their numbers.
        let mut open: Vec<(usize, usize)> = vec![(0, 0)];
        let mut before: Vec<u8> = Vec::new();
        for (path, what) in files {
            let shared = before.iter().zip(&path).take_while(|(one, other)| one == other).count();
            open.retain(|(length, _)| *length <= shared);
            let (mut start, mut folder) = open.last().copied().unwrap_or_default();
            while let Some(slash) = path[start..].iter().position(|byte| *byte == b'/') {
                let made = folders.len();
                folders.push(Vec::new());
                let name = path[start..start + slash].to_vec();
                folders[folder].push(Child { name, what: What::Folder(Folder::Staged(made)) });
                (start, folder) = (start + slash + 1, made);
                open.push((start, folder));
            }
            folders[folder].push(Child { name: path[start..].to_vec(), what });
            before = path;
        }
        Self(folders)
    }

    /// What a folder holds.
    ///
    /// # Errors
    /// When a tree object cannot be read.
    pub(super) fn children(&self, handle: &git2::Repository, folder: Folder) -> Result<Cow<'_, [Child]>, git2::Error> {
        match folder {
            Folder::Tree(id) => {
                let tree = handle.find_tree(id)?;
                let child =
                    |entry: git2::TreeEntry<'_>| Child { name: entry.name_bytes().to_vec(), what: what(&entry) };
                Ok(Cow::Owned(tree.iter().map(child).collect()))
            }
            Folder::Staged(number) => Ok(Cow::Borrowed(self.0.get(number).map(Vec::as_slice).unwrap_or_default())),
        }
    }

    /// What stands in a folder under a name.
    ///
    /// # Errors
    /// When a tree object cannot be read.
    pub(super) fn child(
        &self,
        handle: &git2::Repository,
        folder: Folder,
        name: &str,
    ) -> Result<Option<What>, git2::Error> {
        match folder {
            Folder::Tree(id) => Ok(found(&handle.find_tree(id)?, name)),
            Folder::Staged(number) => {
                let mut children = self.0.get(number).into_iter().flatten();
                Ok(children.find(|child| child.name == name.as_bytes()).map(|child| child.what))
            }
        }
    }

    /// What stands at a path below a folder.
    ///
    /// # Errors
    /// When a tree object cannot be read.
    pub(super) fn at<'p>(
        &self,
        handle: &git2::Repository,
        folder: Folder,
        path: impl Iterator<Item = &'p str>,
    ) -> Result<Option<What>, git2::Error> {
        let mut at = What::Folder(folder);
        for name in path {
            let What::Folder(folder) = at else { return Ok(None) };
            match self.child(handle, folder, name)? {
                Some(what) => at = what,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}

fn found(tree: &Tree<'_>, name: &str) -> Option<What> {
    tree.get_name(name).map(|entry| what(&entry))
}

fn what(entry: &git2::TreeEntry<'_>) -> What {
    match entry.kind() {
        Some(ObjectType::Tree) => What::Folder(Folder::Tree(entry.id())),
        Some(ObjectType::Blob) if u32::try_from(entry.filemode()) == Ok(LINK_MODE) => What::Link(entry.id()),
        Some(ObjectType::Blob) => What::File(entry.id()),
        _ => What::Submodule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_to_lie_in_their_folders() {
        let files = ["a", "b-c/x", "b/c/1", "b/c/2", "b/d", "b0/y", "z/1/2/3"];
        let id = Oid::ZERO_SHA1;
        let folders = Folders::of_paths(files.iter().map(|path| (path.as_bytes().to_vec(), What::File(id))));
        let mut seen = Vec::new();
        let mut open = vec![(String::new(), 0)];
        while let Some((folder, number)) = open.pop() {
            for child in &folders.0[number] {
                let path = format!("{folder}{}", String::from_utf8_lossy(&child.name));
                match child.what {
                    What::Folder(Folder::Staged(below)) => open.push((format!("{path}/"), below)),
                    what => {
                        assert_eq!(what, What::File(id));
                        seen.push(path);
                    }
                }
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, files);
        assert_eq!(folders.0.len(), 8, "each folder once");
    }
}
