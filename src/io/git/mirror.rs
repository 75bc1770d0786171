//! A bare copy of a repository on a Git host, for reading revisions: what a pull request needs is fetched into it, and no
//! more. It is a cache: whole or broken, it may be deleted at any time.
//!
//! What comes in is bounded while it comes (a repository of a stranger may be endless), redirects are not followed, and
//! a credential is offered once: libgit2 would ask fifteen times.

use std::path::{Path, PathBuf};

use git2::{AutotagOption, Cred, FetchOptions, RemoteCallbacks, RemoteRedirect};

use super::words;
use crate::io::gitea::Token;

/// What to fetch, from where to where.
#[derive(Debug)]
pub struct Fetch<'a> {
    /// The bare repository; made where it is not there.
    pub folder: &'a Path,
    /// `https://git.example.com/ops/homelab.git`, without credentials.
    pub url: &'a str,
    pub token: Option<&'a Token>,
    /// The number of the pull request.
    pub number: u64,
    /// The branch it is to be merged into.
    pub base: &'a str,
    /// Bytes that may come in, and that the folder may have before it is made anew.
    pub limit: u64,
}

/// The commits that were fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    pub head: String,
    pub base: String,
}

/// Why nothing could be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("the token is not accepted for reading the repository")]
    Denied,
    #[error("the repository is larger than the {0} MB it may have here")]
    TooLarge(u64),
    #[error("`{0}` is no name of a branch")]
    BadName(String),
    #[error("the repository has no `{0}` (any more)")]
    Missing(String),
    #[error("cannot fetch: {0}")]
    Transport(String),
    #[error("cannot use the cache folder: {0}")]
    Folder(String),
}

/// Fetches the head of a pull request and the branch it is for.
///
/// A second caller waits for the first. A cache that has grown over the limit, or that libgit2 cannot use, is made anew.
///
/// # Errors
/// As [`FetchError`] says.
pub fn fetch(order: &Fetch<'_>) -> Result<Fetched, FetchError> {
    let base_ref = format!("refs/heads/{}", order.base);
    if !git2::Reference::is_valid_name(&base_ref) {
        return Err(FetchError::BadName(order.base.chars().take(100).collect()));
    }
    let folder_error = |error: std::io::Error| FetchError::Folder(error.kind().to_string());
    let _lock = lock(order.folder).map_err(folder_error)?;
    if size(order.folder) > order.limit {
        remove(order.folder).map_err(folder_error)?;
    }
    let is_old = order.folder.exists();
    match fetch_into(order, &base_ref) {
        Err(FetchError::Folder(_)) if is_old => {
            remove(order.folder).map_err(folder_error)?;
            fetch_into(order, &base_ref)
        }
        result => result,
    }
}

fn fetch_into(order: &Fetch<'_>, base_ref: &str) -> Result<Fetched, FetchError> {
    let folder_error = |error: git2::Error| FetchError::Folder(words(&error));
    let repository = if order.folder.exists() {
        git2::Repository::open_bare(order.folder)
    } else {
        git2::Repository::init_bare(order.folder)
    };
    let repository = repository.map_err(folder_error)?;
    let head_ref = format!("refs/pull/{}/head", order.number);
    let (head, base) = (format!("refs/hlgen/{}/head", order.number), format!("refs/hlgen/{}/base", order.number));
    let specs = [format!("+{head_ref}:{head}"), format!("+{base_ref}:{base}")];

    let (mut asked, mut too_large) = (0, false);
    let mut callbacks = RemoteCallbacks::new();
    callbacks.credentials(|_, _, _| {
        asked += 1;
        match order.token.filter(|_| asked == 1) {
            Some(token) => Cred::userpass_plaintext("x", token.secret()),
            None => Err(git2::Error::from_str("the credentials are not accepted")),
        }
    });
    callbacks.transfer_progress(|progress| {
        too_large = progress.received_bytes() as u64 > order.limit;
        !too_large
    });
    let mut options = FetchOptions::new();
    options
        .remote_callbacks(callbacks)
        .download_tags(AutotagOption::None)
        .follow_redirects(RemoteRedirect::None)
        .proxy_options({
            let mut proxy = git2::ProxyOptions::new();
            proxy.auto();
            proxy
        });
    let mut remote = repository.remote_anonymous(order.url).map_err(folder_error)?;
    let result = remote.fetch(&specs, Some(&mut options), Some("hlgen: review"));
    drop(options);
    if let Err(error) = result {
        return Err(match error.class() {
            _ if too_large => FetchError::TooLarge(order.limit / 1_000_000),
            _ if asked > 1 || error.code() == git2::ErrorCode::Auth => FetchError::Denied,
            git2::ErrorClass::Odb | git2::ErrorClass::Os | git2::ErrorClass::Indexer | git2::ErrorClass::Repository => {
                FetchError::Folder(words(&error))
            }
            _ => FetchError::Transport(words(&error)),
        });
    }
    let commit = |name: &str, wanted: &str| {
        let found = repository.find_reference(name).and_then(|reference| reference.peel_to_commit());
        found.map(|commit| commit.id().to_string()).map_err(|_| FetchError::Missing(wanted.to_owned()))
    };
    Ok(Fetched { head: commit(&head, &head_ref)?, base: commit(&base, base_ref)? })
}

/// Holds everybody else off until it is dropped; also where the process is killed.
#[expect(clippy::disallowed_methods, reason = "a cache, not output")]
fn lock(folder: &Path) -> std::io::Result<std::fs::File> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut name = folder.as_os_str().to_owned();
    name.push(".lock");
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(PathBuf::from(name))?;
    file.lock()?;
    Ok(file)
}

#[expect(clippy::disallowed_methods, reason = "a cache, not output")]
fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The bytes below a folder.
#[expect(clippy::disallowed_methods, reason = "a cache, not a repository's files")]
fn size(folder: &Path) -> u64 {
    let mut total = 0;
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(data) if data.is_dir() => open.push(entry.path()),
                Ok(data) => total += data.len(),
                Err(_) => {}
            }
        }
    }
    total
}
