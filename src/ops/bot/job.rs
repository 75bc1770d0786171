//! One review, from a pull request's number to its comment and status.
//!
//! Order: pending, fetch, compare, comment, final status. The final status is the last thing written, so a head that has
//! one is done, and a review that was interrupted anywhere is simply done again: the comment is edited in place and
//! statuses supersede each other.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::child::{self, Bounds, ChildError, Program};
use super::post::{Post, marker};
use super::queue::Key;
use crate::io::gitea::{CommitState, Error, Gitea, RepoName, Token};

/// What a review may do and take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For fetching, and again for comparing.
    pub time: Duration,
    /// Bytes of memory of a child.
    pub memory: u64,
    /// Bytes of the cache of one repository.
    pub cache: u64,
    /// Bytes of a comment.
    pub comment: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(60), memory: 1_000_000_000, cache: 1_000_000_000, comment: 250_000 }
    }
}

/// How pull requests of one repository are judged; the operator's choice, out of reach of a pull request.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The folder that holds `hlgen.yaml`; empty: the root.
    pub path: String,
    /// Review heads of other repositories too.
    pub forks: bool,
    /// More releases removed or renamed than this are a failure. `None`: only a caution.
    pub max_removals: Option<usize>,
    /// Warnings are a failure.
    pub deny_warnings: bool,
}

/// What the reviews of one server have in common.
#[derive(Debug)]
pub struct Job<'a> {
    pub gitea: &'a Gitea,
    pub login: &'a str,
    pub token: Option<&'a Token>,
    pub program: &'a Program,
    pub cache: PathBuf,
    pub limits: Limits,
    pub stop: &'a AtomicBool,
}

/// What became of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Success(String),
    Failure(String),
    /// It could not be done, and the status says so.
    Error(String),
    /// Nothing to do, and why.
    Skipped(&'static str),
    /// To be done again soon: the pull request moved, or the service is stopping.
    Later(&'static str),
}

/// The order to the child that fetches. It holds the token, so it has no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct FetchOrder {
    pub folder: PathBuf,
    pub url: String,
    pub token: Option<String>,
    pub number: u64,
    pub base: String,
    pub limit: u64,
}

/// The commits it fetched.
#[derive(Debug, Serialize, Deserialize)]
pub struct FetchAnswer {
    pub head: String,
    pub base: String,
}

/// The order to the child that compares.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReviewOrder {
    pub folder: PathBuf,
    pub path: String,
    pub head: String,
    pub base: String,
    /// The repository's page, for links.
    pub page: String,
    pub marker: String,
    pub limit: usize,
    pub max_removals: Option<usize>,
    pub deny_warnings: bool,
}

/// What it found.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReviewAnswer {
    pub comment: String,
    pub is_good: bool,
    /// At most 140 characters, words and numbers of ours only.
    pub description: String,
}

const FORK: &str = "from a fork: not reviewed here";

impl Job<'_> {
    /// Reviews a pull request, unless its head has been. `again`: also then.
    ///
    /// # Errors
    /// What Gitea answers.
    pub fn run(&self, key: &Key, policy: &Policy, again: bool) -> Result<Ended, Error> {
        let post = Post { gitea: self.gitea, repository: &key.repository, login: self.login };
        let Some(pull) = self.gitea.pull(&key.repository, key.number)? else {
            return Ok(Ended::Skipped("there is no such pull request"));
        };
        if !pull.is_open() {
            return Ok(Ended::Skipped("it is not open"));
        }
        let head = pull.head.sha.as_str();
        if pull.is_from_fork() && !policy.forks {
            if !post.has_status(head, CommitState::Failure, FORK)? {
                post.status(head, CommitState::Failure, FORK, "")?;
            }
            return Ok(Ended::Skipped("it comes from a fork"));
        }
        if !again && post.is_done(&pull)? {
            return Ok(Ended::Skipped("its head has been reviewed"));
        }
        post.status(head, CommitState::Pending, "comparing", "")?;
        let give_up = |reason: String| {
            post.status(head, CommitState::Error, &reason, "")?;
            Ok(Ended::Error(reason))
        };

        let fetched = match self.fetch(key, &pull.base.branch) {
            Ok(Ok(fetched)) => fetched,
            Ok(Err(failure)) if failure.is_temporary => return Ok(Ended::Later("it could not be fetched")),
            Ok(Err(failure)) => return give_up(failure.message),
            Err(ChildError::Stopped) => return Ok(Ended::Later("the service is stopping")),
            Err(error) => return give_up(format!("fetching: {error}")),
        };
        if fetched.head != head {
            // Gitea moves `refs/pull/N/head` a moment after the branch.
            return Ok(Ended::Later("its head has moved"));
        }
        let order = ReviewOrder {
            folder: self.folder(&key.repository),
            path: policy.path.clone(),
            head: fetched.head,
            base: fetched.base,
            page: format!("{}/{}", self.gitea.root(), key.repository),
            marker: marker(head, &pull.base.branch),
            limit: self.limits.comment,
            max_removals: policy.max_removals,
            deny_warnings: policy.deny_warnings,
        };
        let bounds = self.bounds(self.limits.comment as u64 * 8 + 65_536);
        let answer: ReviewAnswer = match child::run(self.program, "review", &order, bounds, self.stop) {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => return give_up(failure.message),
            Err(ChildError::Stopped) => return Ok(Ended::Later("the service is stopping")),
            Err(error) => return give_up(format!("comparing: {error}")),
        };
        let still = self.gitea.pull(&key.repository, key.number)?;
        if !still.is_some_and(|now| now.head.sha == head && now.base.branch == pull.base.branch) {
            return Ok(Ended::Later("its head has moved"));
        }
        let address = post.comment(key.number, &answer.comment)?;
        let state = if answer.is_good { CommitState::Success } else { CommitState::Failure };
        post.status(head, state, &answer.description, &address)?;
        Ok(if answer.is_good { Ended::Success(answer.description) } else { Ended::Failure(answer.description) })
    }

    fn fetch(&self, key: &Key, base: &str) -> Result<Result<FetchAnswer, child::Failure>, ChildError> {
        let order = FetchOrder {
            folder: self.folder(&key.repository),
            url: format!("{}/{}.git", self.gitea.root(), key.repository),
            token: self.token.map(|token| token.secret().to_owned()),
            number: key.number,
            base: base.to_owned(),
            limit: self.limits.cache,
        };
        child::run(self.program, "fetch", &order, self.bounds(65_536), self.stop)
    }

    fn bounds(&self, answer: u64) -> Bounds {
        Bounds { time: self.limits.time, memory: self.limits.memory, answer }
    }

    fn folder(&self, repository: &RepoName) -> PathBuf {
        // Gitea's names are the same in either case; folders may be, too.
        let name = |text: &str| text.to_ascii_lowercase();
        self.cache.join(name(&repository.owner)).join(format!("{}.git", name(&repository.name)))
    }
}
