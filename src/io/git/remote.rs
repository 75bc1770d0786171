//! Fetch and push over libgit2, with every way it can go wrong told apart.
//!
//! Traps that shaped this, all measured: a refused ref arrives in a callback while `push` returns `Ok`; a wrong token is
//! asked for fifteen times; a redirect would carry the token to another host, so those are not followed (libgit2 compares
//! names of hosts, and refuses to go from https to http); a push overwrites whatever the server advertises, so the old tip is compared before anything is sent; the user's own `insteadOf` would
//! change the address, so no configuration but the repository's own is read.

use std::cell::RefCell;

use git2::{
    AutotagOption, CertificateCheckStatus, Config, Cred, Direction, ErrorClass, ErrorCode, FetchOptions, Oid,
    ProxyOptions, PushOptions, RemoteCallbacks, RemoteRedirect, Repository,
};

use super::certificate;
use super::url::RemoteUrl;

/// Why a repository could not be read or pushed to. The remote is unchanged in every case but [`RemoteError::Unsure`].
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error(
        "`{shown}` is an SSH address, which hlgen does not speak; write the https form, for example `{https}`, as `git.pushURL` in hlgen.yaml"
    )]
    Ssh { shown: String, https: String },
    #[error(
        "the address `{0}` holds a user name or a password; take it out of hlgen.yaml, and give the token by `--token-file` or `HLGEN_GIT_TOKEN`"
    )]
    Credentials(String),
    #[error("`{0}` is no address to push to; write `https://host/owner/repository.git`")]
    Url(String),
    #[error("cannot read the certificates in `{0}`: {1}")]
    CaFile(String, String),
    #[error("{0} wants a token; give one by `--token-file` or in `HLGEN_GIT_TOKEN`")]
    TokenMissing(String),
    #[error("{0} does not accept the token: it is wrong, expired or revoked; make a new one with `write:repository`")]
    TokenWrong(String),
    #[error("there is no repository {0}, or the token may not see it; `--init` creates it on Gitea")]
    NotFound(String),
    #[error("{0} refuses access (403); the owner of the token needs write access, the token `write:repository`")]
    Forbidden(String),
    #[error(
        "{0} answers with a redirect to another host, which is not followed because it would get the token; write the repository's new address in hlgen.yaml"
    )]
    Redirect(String),
    #[error("the certificate of {host} is not trusted: {reason}; a private CA is named with `--ca-file`")]
    Certificate { host: String, reason: String },
    #[error("cannot reach {0}: {1}")]
    Unreachable(String, String),
    #[error("there is no branch `{0}`; `--init` makes it")]
    NoBranch(String),
    #[error("the repository is empty; `--init` makes the first commit")]
    Empty,
    #[error("the server refuses the push to `{branch}`: {reason}{}", quoted(said))]
    Rejected { branch: String, reason: String, said: String },
    /// Somebody else was faster: fetch and try again.
    #[error("`{0}` was changed by somebody else at the same moment")]
    Moved(String),
    #[error("no space left on the device that holds temporary files; free some, or name another with `TMPDIR`")]
    DiskFull,
    #[error("cannot write temporary files: {0}")]
    Disk(String),
    #[error(
        "the connection to {0} broke before the server had answered, so it may have taken the push or not; run it again"
    )]
    Unsure(String),
    #[error("{0}")]
    Failed(String),
}

fn quoted(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("\n{said}") }
}

impl RemoteError {
    pub(super) fn disk(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::DiskFull,
            kind => Self::Disk(kind.to_string()),
        }
    }

    /// What libgit2 says of the temporary repository.
    #[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
    pub fn local(error: git2::Error) -> Self {
        let text = error.message();
        if is_full(text) {
            return Self::DiskFull;
        }
        Self::Failed(format!("git: {}", one_line(text)))
    }
}

fn is_full(text: &str) -> bool {
    ["No space left on device", "Disk quota exceeded", "File too large"].iter().any(|reason| text.contains(reason))
}

/// Who pushes. No `Debug`: it holds the token.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// Gitea takes any name beside a token.
    pub user: &'a str,
    pub token: Option<&'a str>,
    /// PEM certificates to trust instead of the host's own.
    pub ca: Option<&'a [u8]>,
}

impl Access<'_> {
    /// A text of the server's or of libgit2's without the token in any form it was sent in.
    fn mask(&self, text: &str) -> String {
        use base64::Engine as _;
        let Some(token) = self.token.filter(|token| !token.is_empty()) else { return text.to_owned() };
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:{token}", self.user));
        text.replace(token, "***").replace(&basic, "***")
    }
}

/// A repository on a server, and the temporary one that its objects go to.
pub struct Remote<'r> {
    repository: &'r Repository,
    url: RemoteUrl,
    access: Access<'r>,
    depth: Option<i32>,
}

impl std::fmt::Debug for Remote<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What libgit2 told its callbacks.
#[derive(Default)]
struct Heard {
    asked: RefCell<u32>,
    certificate: RefCell<Option<String>>,
    sideband: RefCell<Vec<u8>>,
    refused: RefCell<Option<String>>,
    confirmed: RefCell<bool>,
    /// The tip the server has, where it is not the expected one.
    moved: RefCell<bool>,
    sent: RefCell<bool>,
}

impl<'r> Remote<'r> {
    /// # Errors
    /// When the temporary repository cannot be set up.
    pub fn new(repository: &'r Repository, url: RemoteUrl, access: Access<'r>) -> Result<Self, RemoteError> {
        // An empty configuration: neither the user's nor the machine's.
        let config = repository.path().join("config");
        let mut config = Config::open(&config).map_err(RemoteError::local)?;
        // Listing takes no options, only this.
        config.set_bool("http.followRedirects", false).map_err(RemoteError::local)?;
        repository.set_config(&config).map_err(RemoteError::local)?;
        // file:// knows no cut-off histories.
        let depth = url.is_http().then_some(1);
        Ok(Self { repository, url, access, depth })
    }

    pub fn url(&self) -> &RemoteUrl {
        &self.url
    }

    /// The tips of branches, by name without `refs/heads/`.
    ///
    /// # Errors
    /// As the server has them.
    pub fn branches(&self) -> Result<Vec<(String, Oid)>, RemoteError> {
        let heard = Heard::default();
        let found = (|| {
            let mut remote = self.repository.remote_anonymous(self.url.as_str())?;
            let connection = remote.connect_auth(Direction::Fetch, Some(self.callbacks(&heard)), Some(proxy()))?;
            let heads = connection.list()?.iter();
            let branch = |name: &str| name.strip_prefix("refs/heads/").map(str::to_owned);
            Ok(heads.filter_map(|head| Some((branch(head.name())?, head.oid()))).collect())
        })();
        found.map_err(|error| self.error(&error, &heard, ""))
    }

    /// Fetches the tip of a branch, without its history where the transport can cut it off.
    ///
    /// # Errors
    /// [`RemoteError::NoBranch`], [`RemoteError::Empty`], and what the server says.
    pub fn fetch(&self, branch: &str) -> Result<Oid, RemoteError> {
        let branches = self.branches()?;
        if !branches.iter().any(|(name, _)| name == branch) {
            return Err(if branches.is_empty() {
                RemoteError::Empty
            } else {
                RemoteError::NoBranch(branch.to_owned())
            });
        }
        let heard = Heard::default();
        let name = format!("refs/hlgen/{branch}");
        let fetched = (|| {
            let mut remote = self.repository.remote_anonymous(self.url.as_str())?;
            let mut options = FetchOptions::new();
            options
                .remote_callbacks(self.callbacks(&heard))
                .proxy_options(proxy())
                .download_tags(AutotagOption::None)
                .update_fetchhead(false)
                .follow_redirects(RemoteRedirect::None);
            if let Some(depth) = self.depth {
                options.depth(depth);
            }
            remote.fetch(&[format!("+refs/heads/{branch}:{name}")], Some(&mut options), None)?;
            self.repository.refname_to_id(&name)
        })();
        fetched.map_err(|error| self.error(&error, &heard, branch))
    }

    /// Pushes a commit to a branch, if the branch is still where it was: at `expected`, or not there.
    ///
    /// `force` allows `commit` not to follow on `expected`; the comparison holds all the same, so what is overwritten
    /// is what was looked at and nothing else. Gives what the server said.
    ///
    /// # Errors
    /// [`RemoteError::Moved`] where the branch is elsewhere by now; [`RemoteError::Rejected`] with the server's words.
    pub fn push(&self, commit: Oid, branch: &str, expected: Option<Oid>, force: bool) -> Result<String, RemoteError> {
        let heard = Heard::default();
        let local = "refs/hlgen/publish";
        let pushed = (|| {
            self.repository.reference(local, commit, true, "")?;
            let mut remote = self.repository.remote_anonymous(self.url.as_str())?;
            let mut callbacks = self.callbacks(&heard);
            callbacks.push_negotiation(|updates| {
                let expected = expected.unwrap_or(Oid::ZERO_SHA1);
                if updates.iter().all(|update| update.src() == expected) {
                    *heard.sent.borrow_mut() = true;
                    return Ok(());
                }
                *heard.moved.borrow_mut() = true;
                Err(git2::Error::from_str("the branch has moved"))
            });
            callbacks.push_update_reference(|_, refused| {
                *heard.confirmed.borrow_mut() = refused.is_none();
                *heard.refused.borrow_mut() = refused.map(str::to_owned);
                Ok(())
            });
            let mut options = PushOptions::new();
            options
                .remote_callbacks(callbacks)
                .proxy_options(proxy())
                .packbuilder_parallelism(0)
                .follow_redirects(RemoteRedirect::None);
            let plus = if force { "+" } else { "" };
            remote.push(&[format!("{plus}{local}:refs/heads/{branch}")], Some(&mut options))
        })();
        let said = self.said(&heard);
        if *heard.moved.borrow() {
            return Err(RemoteError::Moved(branch.to_owned()));
        }
        if let Some(reason) = heard.refused.borrow().as_deref() {
            return Err(self.rejected(branch, reason, said));
        }
        match pushed {
            Ok(()) if *heard.confirmed.borrow() => Ok(said),
            Ok(()) => Err(RemoteError::Unsure(self.url.short().to_owned())),
            Err(error) => Err(self.error(&error, &heard, branch)),
        }
    }

    fn rejected(&self, branch: &str, reason: &str, said: String) -> RemoteError {
        // The tip was right when it was compared: the server's own lock found that it no longer is.
        let lost = ["failed to update ref", "cannot lock ref", "fetch first", "non-fast-forward", "stale info"];
        if lost.iter().any(|words| reason.contains(words)) || said.contains("cannot lock ref") {
            return RemoteError::Moved(branch.to_owned());
        }
        if is_full(&said) || is_full(reason) {
            let reason = "its disk is full".to_owned();
            return RemoteError::Rejected { branch: branch.to_owned(), reason, said };
        }
        let reason = one_line(&self.access.mask(reason));
        let reason = if said.to_lowercase().contains("protected branch") {
            "the branch is protected; open a pull request with `--pr`, or let the owner of the token push to it".into()
        } else if reason.contains("hook declined") {
            "a hook of the server declined it".to_owned()
        } else {
            reason
        };
        RemoteError::Rejected { branch: branch.to_owned(), reason, said }
    }

    /// What the server said beside the protocol, line by line, bounded, without the token and without control.
    fn said(&self, heard: &Heard) -> String {
        let text = String::from_utf8_lossy(&heard.sideband.borrow()).replace('\r', "\n");
        let lines = text.lines().map(|line| one_line(&self.access.mask(line))).filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.take(20).map(|line| format!("  remote: {line}")).collect();
        lines.join("\n")
    }

    fn callbacks<'h>(&'h self, heard: &'h Heard) -> RemoteCallbacks<'h> {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.credentials(move |_, _, _| {
            *heard.asked.borrow_mut() += 1;
            match self.access.token {
                Some(token) if *heard.asked.borrow() == 1 => Cred::userpass_plaintext(self.access.user, token),
                _ => Err(git2::Error::new(ErrorCode::Auth, ErrorClass::Http, "no further credentials")),
            }
        });
        callbacks.certificate_check(move |certificate, host| {
            let Some(certificate) = certificate.as_x509() else {
                return Err(git2::Error::new(ErrorCode::Certificate, ErrorClass::Ssl, "no X.509 certificate"));
            };
            match certificate::check(certificate.data(), host, self.access.ca) {
                Ok(()) if self.access.ca.is_some() => Ok(CertificateCheckStatus::CertificateOk),
                Ok(()) => Ok(CertificateCheckStatus::CertificatePassthrough),
                Err(reason) => {
                    *heard.certificate.borrow_mut() = Some(reason);
                    if self.access.ca.is_some() {
                        return Err(git2::Error::new(ErrorCode::Certificate, ErrorClass::Ssl, "not trusted"));
                    }
                    // libgit2 has seen the whole chain and knows better.
                    Ok(CertificateCheckStatus::CertificatePassthrough)
                }
            }
        });
        callbacks.sideband_progress(move |text| {
            let mut all = heard.sideband.borrow_mut();
            let room = (64usize << 10).saturating_sub(all.len());
            all.extend_from_slice(&text[..text.len().min(room)]);
            true
        });
        callbacks
    }

    fn error(&self, error: &git2::Error, heard: &Heard, branch: &str) -> RemoteError {
        let short = || self.url.short().to_owned();
        let text = one_line(&self.access.mask(error.message()));
        if error.code() == ErrorCode::NotFastForward {
            return RemoteError::Moved(branch.to_owned());
        }
        if is_full(&text) {
            return RemoteError::DiskFull;
        }
        let is_untrusted = error.class() == ErrorClass::Ssl && heard.certificate.borrow().is_some();
        if error.code() == ErrorCode::Certificate || is_untrusted {
            let host = short().split('/').next().unwrap_or_default().to_owned();
            let reason = heard.certificate.borrow().clone().unwrap_or(text);
            return RemoteError::Certificate { host, reason };
        }
        // "too many redirects or authentication replays" is said of a wrong token too, which is counted before it gets there.
        if text.contains("redirect") {
            return RemoteError::Redirect(short());
        }
        match *heard.asked.borrow() {
            0 => {}
            _ if self.access.token.is_none() => return RemoteError::TokenMissing(short()),
            1 => {}
            _ => return RemoteError::TokenWrong(short()),
        }
        if text.contains("status code: 404") || error.code() == ErrorCode::NotFound {
            return RemoteError::NotFound(short());
        }
        if text.contains("status code: 403") {
            return RemoteError::Forbidden(short());
        }
        // The request is out and no answer came: nobody knows.
        if *heard.sent.borrow() && !*heard.confirmed.borrow() && error.class() != ErrorClass::Reference {
            return RemoteError::Unsure(short());
        }
        if matches!(error.class(), ErrorClass::Net | ErrorClass::Ssl | ErrorClass::Os | ErrorClass::Http) {
            return RemoteError::Unreachable(short(), text);
        }
        RemoteError::Failed(format!("git: {text}"))
    }
}

/// The proxy that the environment names, as every other program takes it.
fn proxy<'a>() -> ProxyOptions<'a> {
    let mut options = ProxyOptions::new();
    options.auto();
    options
}

/// A text of somebody else's on one line: nothing that steers a terminal, bounded.
fn one_line(text: &str) -> String {
    let harmless = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let cleaned: String = text.chars().map(|c| if harmless(c) { c } else { ' ' }).take(400).collect();
    cleaned.split_whitespace().collect::<Vec<_>>().join(" ")
}
