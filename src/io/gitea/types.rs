//! What the API says, as far as hlgen reads it.

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
pub(super) struct VersionAnswer {
    pub version: String,
}

/// The version of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub text: String,
    /// Forgejo says `16.0.0+gitea-1.22.0`; its number says nothing about Gitea's.
    pub is_forgejo: bool,
}

impl Version {
    pub(super) fn new(text: String) -> Self {
        let is_forgejo = text.contains("+gitea-");
        Self { text, is_forgejo }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    #[serde(default)]
    pub id: i64,
    #[serde(default)]
    pub login: String,
    #[serde(default)]
    pub full_name: String,
    #[serde(default)]
    pub email: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Permissions {
    #[serde(default)]
    pub admin: bool,
    #[serde(default)]
    pub push: bool,
    #[serde(default)]
    pub pull: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Repository {
    pub id: i64,
    pub full_name: String,
    #[serde(default)]
    pub empty: bool,
    #[serde(default)]
    pub archived: bool,
    #[serde(default)]
    pub private: bool,
    #[serde(default)]
    pub default_branch: String,
    #[serde(default)]
    pub clone_url: String,
    #[serde(default)]
    pub html_url: String,
    #[serde(default)]
    pub permissions: Option<Permissions>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Branch {
    pub name: String,
    pub commit: BranchCommit,
    #[serde(default)]
    pub protected: bool,
    #[serde(default)]
    pub user_can_push: bool,
    #[serde(default)]
    pub status_check_contexts: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BranchCommit {
    pub id: String,
}

/// A rule for branches; hlgen reads what concerns pushes and required statuses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BranchProtection {
    /// A glob.
    pub rule_name: String,
    #[serde(default)]
    pub enable_push: bool,
    #[serde(default)]
    pub enable_status_check: bool,
    #[serde(default)]
    pub status_check_contexts: Option<Vec<String>>,
    #[serde(default)]
    pub unprotected_file_patterns: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pull {
    pub number: u64,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub body: String,
    /// `open` or `closed`.
    pub state: String,
    #[serde(default)]
    pub merged: bool,
    #[serde(default)]
    pub draft: bool,
    #[serde(default)]
    pub html_url: String,
    /// The commit that base and head have in common, as the server last saw it.
    #[serde(default)]
    pub merge_base: String,
    pub base: BranchEnd,
    pub head: BranchEnd,
    #[serde(default)]
    pub user: Option<User>,
}

impl Pull {
    pub fn is_open(&self) -> bool {
        self.state == "open"
    }

    /// Whether the head lies in another repository, or in one that is gone.
    pub fn is_from_fork(&self) -> bool {
        self.head.repo_id != self.base.repo_id || self.head.repo.is_none()
    }
}

/// One end of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BranchEnd {
    #[serde(rename = "ref")]
    pub branch: String,
    #[serde(default)]
    pub sha: String,
    #[serde(default)]
    pub repo_id: i64,
    /// None where a fork was deleted.
    #[serde(default)]
    pub repo: Option<Repository>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Comment {
    pub id: i64,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub html_url: String,
    #[serde(default)]
    pub user: Option<User>,
}

/// What a status says of a commit; Gitea stores other words badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitState {
    Pending,
    Success,
    Failure,
    Error,
    Warning,
    Skipped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitStatus {
    /// The API reads `state` and answers `status`.
    #[serde(rename(serialize = "state", deserialize = "status"))]
    pub state: CommitState,
    #[serde(default)]
    pub context: String,
    #[serde(default)]
    pub description: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target_url: String,
    /// Who said it; never sent.
    #[serde(default, skip_serializing)]
    pub creator: Option<User>,
    /// The higher, the newer; never sent.
    #[serde(default, skip_serializing)]
    pub id: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    #[serde(default, skip_serializing)]
    pub id: i64,
    /// `gitea`.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub active: bool,
    #[serde(default)]
    pub events: Vec<String>,
    pub config: HookConfig,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookConfig {
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    pub content_type: String,
    /// Sent, never answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}
