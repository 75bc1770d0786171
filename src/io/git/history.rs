//! What a repository is at: the commit that a published one names as its source, and what is staged.

use std::path::Path;

use git2::{Index, Oid, Time};

use super::{CommitId, GitError, GitTree, Repository};
use crate::source::Source;

/// The commit a folder's files come from.
#[derive(Debug, Clone, Copy)]
pub struct SourceCommit {
    pub id: CommitId,
    pub time: Time,
}

impl CommitId {
    pub fn oid(self) -> Oid {
        self.0
    }
}

impl Repository {
    /// The commit that is checked out, with the committer's time.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn source_commit(&self) -> Result<SourceCommit, GitError> {
        let id = self.head()?;
        let handle = self.handle()?;
        let time = handle.find_commit(id.0).map_err(|error| GitError::read(&error))?.time();
        Ok(SourceCommit { id, time })
    }

    /// What is staged: the files that the next commit will hold. `index` is another index than the repository's own, as
    /// Git names one to hooks of `git commit -a` and of a commit of some paths.
    ///
    /// # Errors
    /// Where there are conflicts to be resolved first, or the index cannot be read.
    pub fn staged(&self, index: Option<&Path>) -> Result<GitTree, GitError> {
        let own = self.git_dir().join("index");
        let index = Index::open(index.unwrap_or(&own)).map_err(|error| GitError::read(&error))?;
        if index.has_conflicts() {
            return Err(GitError::Read("there are conflicts to be resolved first".to_owned()));
        }
        GitTree::of_index(self.clone(), &index)
    }

    /// Whether `newer` follows on `older`; `None` where one of them is not in this repository.
    pub fn comes_after(&self, newer: Oid, older: Oid) -> Option<bool> {
        self.handle().ok()?.graph_descendant_of(newer, older).ok()
    }
}

/// Whether the files below `paths` differ between two sources that know content ids.
pub fn differ(one: &dyn Source, other: &dyn Source, paths: &[&str]) -> bool {
    paths.iter().any(|path| {
        let files = |source: &dyn Source| {
            let below = source.list(path);
            if below.is_empty() { vec![(*path).to_owned()] } else { below }
        };
        let (ours, theirs) = (files(one), files(other));
        ours != theirs || ours.iter().any(|file| one.content_id(file) != other.content_id(file))
    })
}
