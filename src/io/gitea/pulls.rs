//! Pull requests.

use serde::Serialize;

use super::error::Error;
use super::http::{Method, Repeat};
use super::types::Pull;
use super::{Gitea, RepoName};

/// A pull request to be opened.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewPull {
    pub title: String,
    /// A branch of the same repository.
    pub head: String,
    pub base: String,
    pub body: String,
}

/// What to change of a pull request; `None` stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct EditPull {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// `open` or `closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

impl Gitea {
    /// A pull request by its number.
    pub fn pull(&self, repository: &RepoName, number: u64) -> Result<Option<Pull>, Error> {
        let path = format!("{}/pulls/{number}", repository.path());
        self.http.find(&path, &format!("look up pull request {number} of `{repository}`"))
    }

    /// All open pull requests, oldest first.
    pub fn open_pulls(&self, repository: &RepoName) -> Result<Vec<Pull>, Error> {
        let path = format!("{}/pulls?state=open&sort=oldest", repository.path());
        self.http.pages(&path, &format!("list the open pull requests of `{repository}`"))
    }

    /// The open pull request from a branch of the repository itself into another one. Gitea cannot filter by head, and
    /// its look-up by base and head gives closed ones too, so the open ones are listed.
    pub fn find_open_pull(&self, repository: &RepoName, head: &str, base: &str) -> Result<Option<Pull>, Error> {
        let wanted = |pull: &Pull| pull.head.branch == head && pull.base.branch == base && !pull.is_from_fork();
        Ok(self.open_pulls(repository)?.into_iter().find(wanted))
    }

    /// Opens a pull request.
    ///
    /// # Errors
    /// [`super::Kind::Conflict`] where one is open already; [`super::Kind::Invalid`] where there is nothing to merge.
    pub fn create_pull(&self, repository: &RepoName, new: &NewPull) -> Result<Pull, Error> {
        let path = format!("{}/pulls", repository.path());
        let what = format!("open a pull request from `{}` into `{}` of `{repository}`", new.head, new.base);
        self.http.send(Method::Post, &path, new, Repeat::No, &what)
    }

    /// Changes a pull request.
    pub fn edit_pull(&self, repository: &RepoName, number: u64, edit: &EditPull) -> Result<Pull, Error> {
        let path = format!("{}/pulls/{number}", repository.path());
        let what = format!("change pull request {number} of `{repository}`");
        self.http.send(Method::Patch, &path, edit, Repeat::Yes, &what)
    }
}
