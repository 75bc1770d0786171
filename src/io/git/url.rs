//! Where a repository is, as people write it; what cannot be pushed to is said before anything is sent.

use super::remote::RemoteError;
use crate::plan::holds_credentials;

/// A repository's address that hlgen can push to: `https://`, `http://`, `file://` or an absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    text: String,
    is_http: bool,
}

impl RemoteUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`RemoteError::Ssh`] for an SSH address in either form, [`RemoteError::Credentials`] where the address holds a
    /// user or a password, [`RemoteError::Url`] for anything else. None of them shows what may be secret.
    pub fn parse(text: &str) -> Result<Self, RemoteError> {
        let text = text.trim();
        if holds_credentials(text) {
            return Err(RemoteError::Credentials(without_credentials(text)));
        }
        if let Some(https) = ssh_as_https(text) {
            return Err(RemoteError::Ssh { shown: text.to_owned(), https });
        }
        let is_plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
        let is_http = ["https://", "http://"]
            .iter()
            .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.starts_with('/') && rest.contains('/')));
        let is_local = text.starts_with("file:///") || text.starts_with('/');
        if is_plain && !text.contains(['?', '#']) && (is_http || is_local) {
            Ok(Self { text: text.to_owned(), is_http })
        } else {
            Err(RemoteError::Url(text.escape_default().to_string()))
        }
    }

    /// The address that was meant: an SSH address in its https form, credentials left out. `None` where there is no such
    /// address, and for one of this machine, which nobody else can read.
    pub fn nearest(text: &str) -> Option<String> {
        match Self::parse(text) {
            Ok(url) => Some(url.text).filter(|_| url.is_http),
            Err(RemoteError::Ssh { https, .. }) => Some(https),
            Err(RemoteError::Credentials(without)) => Self::parse(&without).ok().map(|url| url.text),
            Err(_) => None,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the transport is HTTP: only there can a history be cut off, and only there are credentials asked for.
    pub fn is_http(&self) -> bool {
        self.is_http
    }

    /// Whether a token would travel readable for others: `http://` to another machine.
    pub fn is_open_to_others(&self) -> bool {
        let Some(rest) = self.text.strip_prefix("http://") else { return false };
        let host = host(rest);
        !matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    }

    /// The address without scheme and ending, for lines that people read: `git.example.com/ops/homelab`.
    pub fn short(&self) -> &str {
        let text = ["https://", "http://", "file://"]
            .iter()
            .find_map(|scheme| self.text.strip_prefix(scheme))
            .unwrap_or(&self.text);
        let text = text.trim_end_matches('/');
        if self.is_http {
            text.strip_suffix(".git").unwrap_or(text)
        } else {
            // Never a path of this machine.
            text.rsplit('/').next().unwrap_or(text)
        }
    }
}

/// The host of what stands behind the scheme, without its port.
fn host(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.starts_with('[') {
        return authority.split_inclusive(']').next().unwrap_or(authority);
    }
    authority.split(':').next().unwrap_or(authority)
}

fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return String::new() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest[..end].rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{authority}{}", &rest[end..])
}

/// The https form of an SSH address: `git@host:ops/x.git`, `ssh://git@host:2222/ops/x.git`.
fn ssh_as_https(text: &str) -> Option<String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        if !matches!(scheme, "ssh" | "git+ssh" | "ssh+git" | "git") {
            return None;
        }
        let (authority, path) = rest.split_once('/')?;
        let host = host(authority.rsplit('@').next()?);
        return Some(format!("https://{host}/{path}"));
    }
    let (authority, path) = text.split_once(':')?;
    let host = authority.rsplit('@').next()?;
    let is_host = !host.is_empty() && !authority.contains('/') && host.len() > 1;
    (is_host && !path.is_empty()).then(|| format!("https://{host}/{}", path.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_was_meant_has_no_secret() {
        let nearest = |text| RemoteUrl::nearest(text);
        let https = Some("https://git.example.com/ops/homelab.git".to_owned());
        assert_eq!(nearest("https://git.example.com/ops/homelab.git"), https);
        assert_eq!(nearest("git@git.example.com:ops/homelab.git"), https);
        assert_eq!(nearest("ssh://git@git.example.com:2222/ops/homelab.git"), https);
        assert_eq!(nearest("https://me:s3cret@git.example.com/ops/homelab.git"), https);
        assert_eq!(nearest("/srv/git/homelab.git"), None);
        assert_eq!(nearest("https://s3cret@host"), None);
    }

    #[test]
    fn addresses_that_can_be_pushed_to() {
        for (text, short) in [
            ("https://git.example.com/ops/homelab.git", "git.example.com/ops/homelab"),
            ("http://localhost:3000/ops/homelab", "localhost:3000/ops/homelab"),
            ("file:///srv/git/homelab.git", "homelab.git"),
            ("/srv/git/homelab.git", "homelab.git"),
        ] {
            assert_eq!(RemoteUrl::parse(text).unwrap().short(), short);
        }
        let open = |text| RemoteUrl::parse(text).unwrap().is_open_to_others();
        assert!(open("http://git.example.com/a/b") && !open("http://127.0.0.1:3000/a/b") && !open("https://x/a/b"));
        assert!(!open("http://[::1]:3000/a/b"));
    }

    #[test]
    fn ssh_is_named_with_its_https_form() {
        for (text, https) in [
            ("git@git.example.com:ops/homelab.git", "https://git.example.com/ops/homelab.git"),
            ("ssh://git@git.example.com:2222/ops/homelab.git", "https://git.example.com/ops/homelab.git"),
            ("git.example.com:ops/homelab.git", "https://git.example.com/ops/homelab.git"),
            ("git://git.example.com/ops/homelab.git", "https://git.example.com/ops/homelab.git"),
        ] {
            let error = RemoteUrl::parse(text).unwrap_err();
            assert!(matches!(&error, RemoteError::Ssh { https: found, .. } if found == https), "{text}: {error}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        for text in
            ["https://bot:s3cr3t@h/a/b", "http://s3cr3t@h/a/b", "ssh://git:s3cr3t@h/a/b", "https://a:s3cr3t@h:1/x"]
        {
            let error = RemoteUrl::parse(text).unwrap_err();
            assert!(matches!(error, RemoteError::Credentials(_)), "{text}");
            assert!(!format!("{error}{error:?}").contains("s3cr3t"), "{error}");
        }
        for text in [
            "",
            "https://",
            "https:///x",
            "https://h",
            "ftp://h/x",
            "relative/path",
            "https://h/a b",
            "https://h/a?x=y",
        ] {
            assert!(matches!(RemoteUrl::parse(text), Err(RemoteError::Url(_))), "{text}");
        }
        assert!(!holds_credentials("ssh://git@h/a/b") && !holds_credentials("https://h/a@b"));
    }
}
