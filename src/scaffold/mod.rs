//! What people go on editing: the files of a new repository ([`project`]) and the entry of an app in an environment
//! ([`entry`]).
//!
//! Everything hlgen renders is overwritten by the next run; these texts are written once and then belong to whoever
//! keeps the repository. So they are short, say in comments what to write next, and hold no value that hlgen would
//! assume anyway. Functions here take answers and give texts; nothing is asked and nothing is written.

pub mod entry;
pub mod project;

/// A file of a repository as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Below the repository's root, `/`-separated.
    pub path: String,
    pub text: String,
}

impl NewFile {
    fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}
