//! The work tree as a revision: files of the disk with the content ids that Git would give them.
//!
//! A file whose bytes are those of a commit has that blob's id, so a comparison can pass over it. The bytes are hashed
//! rather than believed from Git's index: what the index says of a file may be older than the file, and a wrong answer
//! here would hide a change. Where a filter changes bytes on checkout (line ends) the ids differ, which only costs time.

use std::borrow::Cow;

use crate::io::Disk;
use crate::source::{ContentId, ReadError, Source};

/// A [`Disk`] that knows content ids.
#[derive(Debug)]
pub struct WorkTree(Disk);

impl WorkTree {
    pub fn new(disk: Disk) -> Self {
        Self(disk)
    }
}

impl Source for WorkTree {
    fn list(&self, dir: &str) -> Vec<String> {
        self.0.list(dir)
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        self.0.read(path)
    }

    fn display(&self, path: &str) -> String {
        self.0.display(path)
    }

    fn problems(&self) -> Vec<ReadError> {
        self.0.problems()
    }

    fn content_id(&self, path: &str) -> Option<ContentId> {
        let bytes = self.0.read(path).ok()??;
        let id = git2::Oid::hash_object(git2::ObjectType::Blob, &bytes).ok()?;
        Some(ContentId::git(id.as_bytes()))
    }
}
