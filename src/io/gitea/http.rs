//! The transport: one agent with bounds on time and size, the host's trust store, and repeats of what may be repeated.
//!
//! Repeats wait 0.25 s, 0.5 s, 1 s, … or what `Retry-After` asks for, up to a bound; without jitter, since one client is
//! no herd and tests can count. `--ca-file` stands in for the host's store as curl's `--cacert` does: ureq cannot add to
//! the store.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http;
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use super::error::{Error, Kind, quote};
use super::token::Token;

/// Largest answer that is read. A pull request's comments come in one piece.
const LARGEST_ANSWER: u64 = 64 * 1024 * 1024;
/// Largest CA file.
const LARGEST_CA_FILE: u64 = 4 * 1024 * 1024;
/// Entries asked for at once; servers clamp it to their maximum.
const PAGE: usize = 50;
/// Pages that are read before a server is thought to be lying.
const MOST_PAGES: usize = 1000;

/// Where Gitea is and how to talk to it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The root of the server (`ROOT_URL`), with or without `/api/v1`.
    pub url: String,
    /// None: as anybody.
    pub token: Option<Token>,
    /// PEM certificates to trust instead of the host's own.
    pub ca_file: Option<PathBuf>,
    /// For one call as a whole.
    pub timeout: Duration,
    /// How often a call that may be repeated is tried.
    pub attempts: u32,
    /// Wait before the second attempt; doubled for each further one.
    pub backoff: Duration,
    /// The longest wait between attempts, also where the server asks for more.
    pub longest_wait: Duration,
}

impl Settings {
    pub fn new(url: impl Into<String>, token: Option<Token>) -> Self {
        Self {
            url: url.into(),
            token,
            ca_file: None,
            timeout: Duration::from_secs(30),
            attempts: 5,
            backoff: Duration::from_millis(250),
            longest_wait: Duration::from_secs(20),
        }
    }
}

/// The methods the API knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    fn name(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }
}

/// Whether a call may be sent again when nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Sending it twice is the same as once.
    Yes,
    /// It would make a second one.
    No,
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    total: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Http {
    agent: ureq::Agent,
    root: String,
    token: Option<Token>,
    attempts: u32,
    backoff: Duration,
    longest_wait: Duration,
}

/// An answer of whatever status.
struct Raw {
    status: u16,
    body: Vec<u8>,
    location: Option<String>,
    retry_after: Option<Duration>,
    total: Option<usize>,
}

impl Http {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(match &settings.ca_file {
            None => RootCerts::PlatformVerifier,
            Some(path) => RootCerts::from(read_certificates(path)?),
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(settings.timeout))
            .timeout_connect(Some(settings.timeout.min(Duration::from_secs(10))))
            .user_agent(concat!("hlgen/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build()
            .new_agent();
        Ok(Self {
            agent,
            root: root(&settings.url)?,
            token: settings.token.clone(),
            attempts: settings.attempts.max(1),
            backoff: settings.backoff,
            longest_wait: settings.longest_wait,
        })
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// A call without a body whose answer is JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, method: Method, path: &str, what: &str) -> Result<T, Error> {
        read(&self.call(method, path, None, Repeat::Yes, what)?, what)
    }

    /// A call with a body whose answer is JSON.
    pub(super) fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        repeat: Repeat,
        what: &str,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::new(Kind::Protocol, what, error.to_string()))?;
        read(&self.call(method, path, Some(&body), repeat, what)?, what)
    }

    /// A call whose answer is of no interest.
    pub(super) fn delete(&self, path: &str, what: &str) -> Result<(), Error> {
        self.call(Method::Delete, path, None, Repeat::Yes, what).map(drop)
    }

    /// As [`Http::json`], but what is not there is `None`.
    pub(super) fn find<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<Option<T>, Error> {
        match self.json(Method::Get, path, what) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All entries of a list that comes in pages. Pages are counted: the links that a server sends are built from its
    /// `ROOT_URL`, which may be another address than ours.
    pub(super) fn pages<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let joint = if path.contains('?') { '&' } else { '?' };
        for page in 1..=MOST_PAGES {
            let answer =
                self.call(Method::Get, &format!("{path}{joint}page={page}&limit={PAGE}"), None, Repeat::Yes, what)?;
            // An empty list is `null` in some places.
            let entries: Vec<T> = read::<Option<Vec<T>>>(&answer, what)?.unwrap_or_default();
            let is_last = entries.is_empty();
            all.extend(entries);
            if is_last || answer.total.is_some_and(|total| all.len() >= total) {
                return Ok(all);
            }
        }
        Err(Error::new(Kind::Protocol, what, "the list has no end"))
    }

    pub(super) fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
        repeat: Repeat,
        what: &str,
    ) -> Result<Answer, Error> {
        let mut wait = self.backoff;
        let mut attempt = 1;
        loop {
            let (error, asked) = match self.once(method, path, body) {
                Ok(raw) if (200..300).contains(&raw.status) => {
                    return Ok(Answer { status: raw.status, body: raw.body, total: raw.total });
                }
                Ok(raw) => {
                    let location = raw.location.as_deref();
                    let error = Error::of_answer(raw.status, &raw.body, location, what, self.token.as_ref());
                    // 500 is what Gitea answers to calls it will never like.
                    let busy = matches!(raw.status, 429 | 502..=504);
                    if !busy || repeat == Repeat::No || attempt >= self.attempts {
                        return Err(error);
                    }
                    (error, raw.retry_after)
                }
                Err(error) => {
                    let error = self.lost(&error, what);
                    if !error.is_temporary() || repeat == Repeat::No || attempt >= self.attempts {
                        return Err(error);
                    }
                    (error, None)
                }
            };
            drop(error);
            std::thread::sleep(asked.unwrap_or(wait).min(self.longest_wait));
            wait = wait.saturating_mul(2);
            attempt += 1;
        }
    }

    fn once(&self, method: Method, path: &str, body: Option<&[u8]>) -> Result<Raw, ureq::Error> {
        let mut request = http::Request::builder()
            .method(method.name())
            .uri(format!("{}/api/v1{path}", self.root))
            .header("accept", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("token {}", token.secret()));
        }
        let mut response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body)?;
                self.agent.run(request)?
            }
            None => self.agent.run(request.body(())?)?,
        };
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let location = header("location");
        let retry_after = header("retry-after").and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
        let total = header("x-total-count").and_then(|value| value.trim().parse().ok());
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec()?;
        Ok(Raw { status, body, location, retry_after, total })
    }

    /// The failure of a call that has no answer.
    fn lost(&self, error: &ureq::Error, what: &str) -> Error {
        let host = self.root.split("://").nth(1).unwrap_or(&self.root);
        let said = quote(&error.to_string(), self.token.as_ref());
        let (kind, reason) = match error {
            ureq::Error::Timeout(_) => (Kind::Timeout, format!("no answer from `{host}` in time ({said})")),
            ureq::Error::HostNotFound => (Kind::Connection, format!("the name of `{host}` cannot be resolved")),
            ureq::Error::NativeTls(error) => {
                let chain = quote(&format!("{error:?}"), self.token.as_ref());
                let remedy = if chain.contains("certificate") {
                    "; if its certificate is of your own authority, name it by `--ca-file`"
                } else {
                    "; does it speak TLS there?"
                };
                (Kind::Tls, format!("no secure connection to `{host}` ({said}){remedy}"))
            }
            ureq::Error::Tls(_) | ureq::Error::Pem(_) | ureq::Error::Der(_) => {
                (Kind::Tls, format!("no secure connection to `{host}` ({said})"))
            }
            ureq::Error::BodyExceedsLimit(_) => (Kind::Protocol, format!("the answer of `{host}` is too long")),
            ureq::Error::Io(_) | ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) => {
                (Kind::Connection, format!("no connection to `{host}` ({said})"))
            }
            _ => (Kind::Protocol, format!("`{host}` does not answer as a web server does ({said})")),
        };
        Error::new(kind, what, reason)
    }
}

/// An answer as a type; `null` and nothing at all are what an empty object is.
fn read<T: DeserializeOwned>(answer: &Answer, what: &str) -> Result<T, Error> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        let reason = if answer.body.trim_ascii_start().starts_with(b"<") {
            format!("the server answers {} with a page instead of JSON; is this Gitea's address?", answer.status)
        } else {
            format!("the server's answer is not what Gitea answers ({place})")
        };
        Error::new(Kind::Protocol, what, reason)
    })
}

/// A server's root from what people write.
fn root(url: &str) -> Result<String, Error> {
    let wrong = |why: &str| Error::new(Kind::Settings, "use the server's address", why);
    let url = url.trim().trim_end_matches('/');
    let url = url.strip_suffix("/api/v1").unwrap_or(url).trim_end_matches('/');
    let uri: http::Uri = url.parse().map_err(|_| wrong("it is not a URL such as `https://git.example.com`"))?;
    let Some(authority) = uri.authority() else {
        return Err(wrong("it is not a URL such as `https://git.example.com`"));
    };
    if !matches!(uri.scheme_str(), Some("https" | "http")) {
        return Err(wrong("it does not begin with `https://`"));
    }
    if authority.as_str().contains('@') {
        return Err(wrong("it holds credentials; give the token by a file or an environment variable instead"));
    }
    if uri.query().is_some() {
        return Err(wrong("it holds a `?`"));
    }
    Ok(url.to_owned())
}

fn read_certificates(path: &std::path::Path) -> Result<Vec<ureq::tls::Certificate<'static>>, Error> {
    let wrong = |why: &str| Error::new(Kind::Settings, "use the CA file", why);
    let pem = crate::io::setting::read(path, LARGEST_CA_FILE).map_err(|error| wrong(&error.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| wrong("it is not PEM"))? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(wrong("it holds no certificate (`-----BEGIN CERTIFICATE-----`)"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_what_people_write() {
        assert_eq!(root("https://git.example.com/").unwrap(), "https://git.example.com");
        assert_eq!(root(" http://127.0.0.1:3000/git/api/v1/ ").unwrap(), "http://127.0.0.1:3000/git");
        for wrong in ["git.example.com", "ftp://h", "https://u:s3cr3t@h", "https://h/?token=s3cr3t", ""] {
            let error = root(wrong).unwrap_err();
            assert_eq!(error.kind(), Kind::Settings);
            assert!(!error.to_string().contains("s3cr3t"), "{error}");
        }
    }
}
