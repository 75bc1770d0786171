//! What a reviewer sees: comments on pull requests and statuses of commits.

use serde::Serialize;

use super::error::{Error, Kind};
use super::http::{Method, Repeat};
use super::types::{Comment, CommitStatus};
use super::{Gitea, RepoName};

#[derive(Serialize)]
struct Body<'a> {
    body: &'a str,
}

impl Gitea {
    /// All plain comments of a pull request (or issue), oldest first. They come in one piece.
    pub fn comments(&self, repository: &RepoName, number: u64) -> Result<Vec<Comment>, Error> {
        let path = format!("{}/issues/{number}/comments", repository.path());
        let what = format!("list the comments of pull request {number} of `{repository}`");
        let mut all: Vec<Comment> = self.http.json::<Option<_>>(Method::Get, &path, &what)?.unwrap_or_default();
        all.sort_by_key(|comment| comment.id);
        Ok(all)
    }

    /// Adds a comment. Needs `write:issue`. Where the answer is lost nobody knows whether it was made: list before trying
    /// again.
    pub fn create_comment(&self, repository: &RepoName, number: u64, body: &str) -> Result<Comment, Error> {
        let path = format!("{}/issues/{number}/comments", repository.path());
        let what = format!("comment on pull request {number} of `{repository}`");
        self.http.send(Method::Post, &path, &Body { body }, Repeat::No, &what)
    }

    /// Replaces the text of a comment; nobody is notified. Needs `write:issue`, and to be its author or a writer.
    pub fn edit_comment(&self, repository: &RepoName, id: i64, body: &str) -> Result<(), Error> {
        let path = format!("{}/issues/comments/{id}", repository.path());
        let what = format!("edit comment {id} of `{repository}`");
        let body = serde_json::to_vec(&Body { body }).map_err(|e| Error::new(Kind::Protocol, &*what, e.to_string()))?;
        let answer = self.http.call(Method::Patch, &path, Some(&body), Repeat::Yes, &what)?;
        // 204 means a comment of a kind that has no text.
        if answer.status == 204 {
            return Err(Error::new(Kind::Invalid, what, "it is a comment without a text"));
        }
        Ok(())
    }

    /// Removes a comment.
    pub fn delete_comment(&self, repository: &RepoName, id: i64) -> Result<(), Error> {
        let path = format!("{}/issues/comments/{id}", repository.path());
        self.http.delete(&path, &format!("remove comment {id} of `{repository}`"))
    }

    /// Every status of a commit, newest first; of those with one context the first counts.
    pub fn statuses(&self, repository: &RepoName, commit: &str) -> Result<Vec<CommitStatus>, Error> {
        let path = format!("{}/statuses/{}", repository.path(), super::name::segment(commit));
        let mut all: Vec<CommitStatus> =
            self.http.pages(&path, &format!("list the statuses of `{commit}` in `{repository}`"))?;
        all.sort_by_key(|status| std::cmp::Reverse(status.id));
        Ok(all)
    }

    /// Says something of a commit; supersedes what was said before in the same context, so it may be repeated. Needs
    /// `write:repository`. A commit that the server does not have is answered with 500, without a word.
    pub fn set_status(
        &self,
        repository: &RepoName,
        commit: &str,
        status: &CommitStatus,
    ) -> Result<CommitStatus, Error> {
        let path = format!("{}/statuses/{}", repository.path(), super::name::segment(commit));
        let what = format!("set the status `{}` of `{commit}` in `{repository}`", status.context);
        self.http.send(Method::Post, &path, status, Repeat::Yes, &what)
    }
}
