//! `--pr` and `--init`: the branch of a pull request, the pull request itself, a repository that is not there yet.

use git2::Oid;

use super::message::{BASE, PROJECT, trailer};
use super::{Destination, Prepared, Request, State, To, message};
use crate::io::git::remote::RemoteError;
use crate::io::gitea::{Address, EditPull, Gitea, Kind, NewPull, NewRepository, Settings};

impl To<'_> {
    /// Pushes to the branch of the pull request: over commits of our own only.
    pub(super) fn push_for_pull(
        &self,
        prepared: &Prepared,
        base: Option<Oid>,
        branch: &str,
    ) -> Result<String, RemoteError> {
        if branch == self.destination.branch {
            let message = format!(
                "the pull request's branch and its target are both `{branch}`; name another with `--pr-branch`"
            );
            return Err(RemoteError::Failed(message));
        }
        if base.is_none() {
            let message = "a pull request needs a branch to go into; make it with `publish --init` first";
            return Err(RemoteError::Failed(message.to_owned()));
        }
        let there = self.remote.branches()?.into_iter().find(|(name, _)| name == branch).map(|(_, tip)| tip);
        if let Some(tip) = there {
            if tip == prepared.commit {
                return Ok(String::new());
            }
            let fetched = self.remote.fetch(branch)?;
            if fetched != tip {
                return Err(RemoteError::Moved(branch.to_owned()));
            }
            self.check_own(tip, branch)?;
        }
        self.remote.push(prepared.commit, branch, there, true)
    }

    /// Only a branch of one commit, made by hlgen for this project and touched by nobody since, may be replaced.
    fn check_own(&self, tip: Oid, branch: &str) -> Result<(), RemoteError> {
        let repository = self.scratch.repository()?;
        let commit = repository.find_commit(tip).map_err(RemoteError::local)?;
        let text = commit.message().unwrap_or_default();
        let author = &self.request.author;
        let by_us = |who: &git2::Signature<'_>| {
            who.email() == Ok(author.email.as_str()) && who.name() == Ok(author.name.as_str())
        };
        // Of a commit where the fetched history is cut off libgit2 says that it has no parent; the object knows better.
        let header = commit.raw_header().unwrap_or_default();
        let parents: Vec<&str> = header.lines().filter_map(|line| line.strip_prefix("parent ")).collect();
        let is_own = trailer(text, PROJECT) == Some(self.made.plan.project.name.as_str())
            && by_us(&commit.author())
            && by_us(&commit.committer())
            && matches!(parents.as_slice(), [parent] if trailer(text, BASE) == Some(*parent));
        if is_own {
            return Ok(());
        }
        Err(RemoteError::Failed(format!(
            "`{branch}` holds commit {:.10} that this run did not make, and nobody's commits are overwritten; merge or \
             delete the branch, or name another with `--pr-branch`",
            tip.to_string()
        )))
    }

    /// Opens the pull request, or brings the text of the open one up to date.
    pub(super) fn open_pull(&self, prepared: &Prepared, branch: &str) -> anyhow::Result<State> {
        let (gitea, address) = client(self.request, self.destination)?;
        let changes = &prepared.published.changes;
        let title = message::subject(changes, self.made.plan.project.name.as_str());
        let body = body(&prepared.published.message);
        let base = self.destination.branch.as_str();
        let open = gitea.find_open_pull(&address.repository, branch, base)?;
        let (pull, is_new) = match open {
            Some(pull) => {
                if pull.title != title || pull.body != body {
                    let edit = EditPull { title: Some(title), body: Some(body), ..EditPull::default() };
                    gitea.edit_pull(&address.repository, pull.number, &edit)?;
                }
                (pull, false)
            }
            None => {
                let new = NewPull { title, head: branch.to_owned(), base: base.to_owned(), body };
                match gitea.create_pull(&address.repository, &new) {
                    Ok(pull) => (pull, true),
                    // Another run opened it between the two calls.
                    Err(error) if error.kind() == Kind::Conflict => {
                        let open = gitea.find_open_pull(&address.repository, branch, base)?;
                        (open.ok_or(error)?, false)
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        Ok(State::Pull { commit: prepared.commit, url: pull.html_url, is_new })
    }
}

/// The commit's message without its subject, as text that Markdown leaves alone.
fn body(message: &str) -> String {
    let text = message.split_once("\n\n").map_or("", |(_, body)| body).trim_end();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}\n\nMade by `hlgen publish --pr`; the branch is replaced when it runs again.")
}

fn client(request: &Request, destination: &Destination) -> anyhow::Result<(Gitea, Address)> {
    let address = Address::parse(destination.url.as_str())?;
    let mut settings = Settings::new(address.root.clone(), request.token.clone());
    settings.ca_file.clone_from(&request.ca_file);
    Ok((Gitea::new(&settings)?, address))
}

/// Creates the repository, empty and private, for the token's owner or for an organization.
pub(super) fn create_repository(request: &Request, destination: &Destination) -> anyhow::Result<()> {
    let (gitea, address) = client(request, destination)?;
    let owner = address.repository.owner.as_str();
    let user = gitea.current_user()?;
    let new = NewRepository {
        name: address.repository.name.clone(),
        description: "What hlgen renders for Argo CD".to_owned(),
        private: true,
        auto_init: false,
        default_branch: destination.branch.clone(),
    };
    match gitea.create_repository(owner, user.login == owner, &new) {
        Err(error) if error.kind() != Kind::Conflict => Err(error.into()),
        _ => Ok(()),
    }
}
