//! Gitea's API (and Forgejo's, where they agree): repositories, pull requests, comments, commit statuses, webhooks.
//!
//! One `Gitea` is one server and one token. The token goes to that server and nowhere else: redirects are not followed
//! (a renamed repository is an error that names the new place, and a redirected POST would turn into a GET), it is
//! masked in whatever a server answers, and no error or `Debug` text holds it. Calls that may be repeated are repeated
//! when the server is busy or away (`http`); the others are left to the caller, who can look before trying again.
//!
//! Servers differ in what they know, so answers are read leniently: unknown fields are ignored, missing ones are empty.

mod error;
mod http;
mod name;
mod pulls;
mod repositories;
mod reviews;
mod token;
mod types;

pub use error::{Error, Kind};
pub use http::Settings;
pub use name::{Address, RepoName};
pub use pulls::{EditPull, NewPull};
pub use repositories::NewRepository;
pub use token::Token;
pub use types::{
    Branch, BranchEnd, BranchProtection, Comment, CommitState, CommitStatus, Hook, HookConfig, Permissions, Pull,
    Repository, User, Version,
};

use self::http::{Http, Method};

/// A server, seen by the owner of a token.
#[derive(Debug)]
pub struct Gitea {
    http: Http,
}

impl Gitea {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// [`Kind::Settings`] where the address is not an http(s) URL or holds credentials, or the CA file has no
    /// certificate.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(Self { http: Http::new(settings)? })
    }

    /// The root of the server as it was given, without a slash at its end.
    pub fn root(&self) -> &str {
        self.http.root()
    }

    /// The version of the server, which every reader may ask.
    pub fn version(&self) -> Result<Version, Error> {
        let answer: types::VersionAnswer = self.http.json(Method::Get, "/version", "ask for the version")?;
        Ok(Version::new(answer.version))
    }

    /// Who the token belongs to. Needs the scope `read:user`.
    pub fn current_user(&self) -> Result<User, Error> {
        self.http.json(Method::Get, "/user", "ask whose token it is")
    }
}
