//! Repositories, their branches, protection and webhooks.

use serde::Serialize;

use super::error::Error;
use super::http::{Method, Repeat};
use super::name::{segment, segments};
use super::types::{Branch, BranchProtection, Hook, Repository};
use super::{Gitea, RepoName};

/// A repository to be made.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewRepository {
    pub name: String,
    pub description: String,
    pub private: bool,
    /// One commit with a README; without it the repository is empty.
    pub auto_init: bool,
    pub default_branch: String,
}

impl Gitea {
    /// A repository; `None` where it does not exist or may not be read.
    pub fn repository(&self, name: &RepoName) -> Result<Option<Repository>, Error> {
        self.http.find(&name.path(), &format!("look up the repository `{name}`"))
    }

    /// Makes a repository of the token's owner (`is_own`), else of an organization. Needs `write:user` or
    /// `write:organization`.
    ///
    /// # Errors
    /// [`super::Kind::Conflict`] where it exists.
    pub fn create_repository(&self, owner: &str, is_own: bool, new: &NewRepository) -> Result<Repository, Error> {
        let path = if is_own { "/user/repos".to_owned() } else { format!("/orgs/{}/repos", segment(owner)) };
        let what = format!("create the repository `{owner}/{}`", new.name);
        self.http.send(Method::Post, &path, new, Repeat::No, &what)
    }

    /// A branch; `None` where it does not exist, or the repository is empty.
    pub fn branch(&self, repository: &RepoName, branch: &str) -> Result<Option<Branch>, Error> {
        let path = format!("{}/branches/{}", repository.path(), segments(branch));
        self.http.find(&path, &format!("look up the branch `{branch}` of `{repository}`"))
    }

    /// The rules that protect branches. Needs write access.
    pub fn branch_protections(&self, repository: &RepoName) -> Result<Vec<BranchProtection>, Error> {
        let what = format!("list the protected branches of `{repository}`");
        let path = format!("{}/branch_protections", repository.path());
        Ok(self.http.json::<Option<Vec<_>>>(Method::Get, &path, &what)?.unwrap_or_default())
    }

    /// The rule of that name.
    pub fn branch_protection(&self, repository: &RepoName, rule: &str) -> Result<Option<BranchProtection>, Error> {
        let path = format!("{}/branch_protections/{}", repository.path(), segment(rule));
        self.http.find(&path, &format!("look up the protection `{rule}` of `{repository}`"))
    }

    /// The webhooks of a repository. Needs to be its administrator.
    pub fn hooks(&self, repository: &RepoName) -> Result<Vec<Hook>, Error> {
        let path = format!("{}/hooks", repository.path());
        self.http.pages(&path, &format!("list the webhooks of `{repository}`"))
    }

    /// Adds a webhook. Needs to be the repository's administrator.
    pub fn create_hook(&self, repository: &RepoName, hook: &Hook) -> Result<Hook, Error> {
        let path = format!("{}/hooks", repository.path());
        self.http.send(Method::Post, &path, hook, Repeat::No, &format!("add a webhook to `{repository}`"))
    }

    /// Removes a webhook.
    pub fn delete_hook(&self, repository: &RepoName, id: i64) -> Result<(), Error> {
        let path = format!("{}/hooks/{id}", repository.path());
        self.http.delete(&path, &format!("remove webhook {id} of `{repository}`"))
    }
}
