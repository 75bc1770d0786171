//! What the bot leaves at Gitea, and how it finds it again: one comment for each pull request, and one status for each
//! head.
//!
//! The comment's first line is a hidden marker that also says for which head and base it was written. A comment is ours
//! only with the marker *and* our login: anybody can paste the marker. Where there are several after all (two bots, or
//! one killed while the server was at work) the oldest stays.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::io::gitea::{Comment, CommitState, CommitStatus, Error, Gitea, Kind, Pull, RepoName};

/// The context of the status, to be required by a branch protection.
pub const CONTEXT: &str = "hlgen";

const MARKER: &str = "<!-- hlgen:review ";

/// The first line of the comment on a head and a base. The base's name is somebody else's text, so it is a digest.
pub fn marker(head: &str, base: &str) -> String {
    let digest = Sha256::digest(base.as_bytes());
    let mut text = format!("{MARKER}head={head} base=");
    // Writing to a `String` does not fail.
    digest.iter().take(6).for_each(|byte| _ = write!(text, "{byte:02x}"));
    text.push_str(" -->");
    text
}

/// Gitea, for one repository and as one user.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    pub gitea: &'a Gitea,
    pub repository: &'a RepoName,
    pub login: &'a str,
}

impl Post<'_> {
    /// Our comments on a pull request, oldest first.
    fn own(&self, number: u64) -> Result<Vec<Comment>, Error> {
        let ours = |comment: &Comment| {
            let is_author = comment.user.as_ref().is_some_and(|user| user.login.eq_ignore_ascii_case(self.login));
            is_author && comment.body.starts_with(MARKER)
        };
        Ok(self.gitea.comments(self.repository, number)?.into_iter().filter(ours).collect())
    }

    /// Whether a head has its comment and a final status, so that there is nothing to do.
    pub fn is_done(&self, pull: &Pull) -> Result<bool, Error> {
        let statuses = self.gitea.statuses(self.repository, &pull.head.sha)?;
        let newest = statuses.into_iter().find(|status| status.context == CONTEXT);
        let is_ours = |status: &CommitStatus| status.creator.as_ref().is_some_and(|user| user.login == self.login);
        // `error` is not final: whatever it was may have passed.
        let is_final = |status: &CommitStatus| matches!(status.state, CommitState::Success | CommitState::Failure);
        if !newest.is_some_and(|status| is_ours(&status) && is_final(&status)) {
            return Ok(false);
        }
        let marker = marker(&pull.head.sha, &pull.base.branch);
        Ok(matches!(self.own(pull.number)?.as_slice(), [one] if one.body.starts_with(&marker)))
    }

    /// Writes the comment: edits ours, or makes it. Gives its address.
    pub fn comment(&self, number: u64, body: &str) -> Result<String, Error> {
        let mut own = self.own(number)?;
        if own.is_empty() {
            match self.gitea.create_comment(self.repository, number, body) {
                Ok(_) => {}
                // Nobody knows whether it was made: look.
                Err(error) if error.is_temporary() => {
                    if self.own(number)?.is_empty() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
            own = self.own(number)?;
        }
        let Some((first, others)) = own.split_first() else { return Ok(String::new()) };
        for other in others {
            match self.gitea.delete_comment(self.repository, other.id) {
                Err(error) if error.kind() != Kind::NotFound => return Err(error),
                _ => {}
            }
        }
        if first.body != body {
            self.gitea.edit_comment(self.repository, first.id, body)?;
        }
        Ok(first.html_url.clone())
    }

    /// Sets the status of a head.
    pub fn status(&self, head: &str, state: CommitState, description: &str, target: &str) -> Result<(), Error> {
        let status = CommitStatus {
            state,
            context: CONTEXT.to_owned(),
            description: description.chars().take(140).collect(),
            target_url: target.to_owned(),
            creator: None,
            id: 0,
        };
        self.gitea.set_status(self.repository, head, &status).map(drop)
    }

    /// Whether a head's newest status is this one already.
    pub fn has_status(&self, head: &str, state: CommitState, description: &str) -> Result<bool, Error> {
        let statuses = self.gitea.statuses(self.repository, head)?;
        let newest = statuses.into_iter().find(|status| status.context == CONTEXT);
        Ok(newest.is_some_and(|status| status.state == state && status.description == description))
    }
}
