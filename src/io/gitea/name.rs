//! Names of repositories and where they lie, as parts of a URL that cannot become another URL.

use super::error::{Error, Kind};

/// `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoName {
    pub owner: String,
    pub name: String,
}

/// A clone URL taken apart: the server's root and the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `https://git.example.com` or, below a path, `https://example.com/git`.
    pub root: String,
    pub repository: RepoName,
}

impl RepoName {
    /// Reads `owner/name`.
    ///
    /// # Errors
    /// [`Kind::Settings`] where it is not two names of letters, digits, `-`, `_` and `.`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || {
            let shown = super::error::quote(text, None);
            Error::new(Kind::Settings, "name the repository", format!("`{shown}` is not `owner/name`"))
        };
        let (owner, name) = text.split_once('/').ok_or_else(wrong)?;
        if is_name(owner) && is_name(name) {
            Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
        } else {
            Err(wrong())
        }
    }

    pub(super) fn path(&self) -> String {
        format!("/repos/{}/{}", self.owner, self.name)
    }
}

impl std::fmt::Display for RepoName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl std::str::FromStr for RepoName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl Address {
    /// Takes `https://git.example.com/ops/homelab.git` apart; the last two parts of the path are the repository.
    ///
    /// # Errors
    /// [`Kind::Settings`] where it is not such a URL. The message never shows credentials that the URL may hold.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::new(Kind::Settings, "read the repository's URL", why);
        let scheme = ["https://", "http://"].into_iter().find(|scheme| url.starts_with(scheme));
        let Some(scheme) = scheme else {
            return Err(wrong("it does not begin with `https://`; hlgen talks to Gitea over HTTP, not SSH"));
        };
        let rest = url[scheme.len()..].trim_end_matches('/');
        if rest.contains('@') {
            return Err(wrong("it holds credentials; give the token by a file or an environment variable instead"));
        }
        let parts: Vec<&str> = rest.split('/').collect();
        let [head @ .., owner, name] = parts.as_slice() else {
            return Err(wrong("it has no `owner/name` at its end"));
        };
        if head.is_empty() || head.iter().any(|part| part.is_empty()) {
            return Err(wrong("it has no `owner/name` at its end"));
        }
        let name = name.strip_suffix(".git").unwrap_or(name);
        let repository = RepoName::parse(&format!("{owner}/{name}"))?;
        Ok(Self { root: format!("{scheme}{}", head.join("/")), repository })
    }
}

/// What Gitea takes as the name of a user or a repository; `.` and `..` would be other paths.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 100 && text.chars().all(allowed) && !matches!(text, "." | "..")
}

/// One part of a path, percent-encoded.
pub(super) fn segment(text: &str) -> String {
    encode(text, b"")
}

/// Several parts of a path: as [`segment`], but slashes stay.
pub(super) fn segments(text: &str) -> String {
    encode(text, b"/")
}

fn encode(text: &str, keep: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` does not fail.
            _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_url_is_a_root_and_a_repository() {
        let parse = |url: &str| Address::parse(url).map(|a| (a.root, a.repository.to_string()));
        let is = |root: &str, name: &str| (root.to_owned(), name.to_owned());
        assert_eq!(
            parse("https://git.example.com/ops/homelab.git").unwrap(),
            is("https://git.example.com", "ops/homelab")
        );
        assert_eq!(parse("http://h:3000/git/ops/homelab/").unwrap(), is("http://h:3000/git", "ops/homelab"));
        for wrong in
            ["git@h:ops/homelab.git", "https://h/homelab", "https://h/../homelab", "https:///a/b", "ssh://h/a/b"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let error = parse("https://bot:s3cr3t@h/a/b").unwrap_err().to_string();
        assert!(!error.contains("s3cr3t"), "{error}");
    }

    #[test]
    fn names_cannot_leave_their_place_in_a_path() {
        assert!(RepoName::parse("ops/homelab").is_ok());
        for wrong in ["ops", "ops/", "/x", "a/b/c", "../x", "a/..", "a/b?c", "a/b%2f", "a b/c"] {
            assert!(RepoName::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(segment("feature/a b?#"), "feature%2Fa%20b%3F%23");
        assert_eq!(segments("feature/a b"), "feature/a%20b");
    }
}
