//! What went wrong, said so that somebody can act on it. A server's words are quoted on one line, bounded, and without
//! the token, whatever they are.

use super::token::Token;

/// Longest quotation of what a server says.
const QUOTE: usize = 300;

/// The kinds of failure that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A setting is wrong; nothing was sent.
    Settings,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404: not there, or not readable with this token.
    NotFound,
    /// 409: there already, or changed meanwhile.
    Conflict,
    /// 400, 412 or 422: the server does not take what was sent.
    Invalid,
    /// 413, usually of a proxy.
    TooLarge,
    /// 423: archived or locked.
    Locked,
    /// A redirect, which is not followed.
    Moved,
    /// 429, 500, 502, 503, 504, after the attempts that a repeatable call is given.
    Unavailable,
    /// No connection, or it broke.
    Connection,
    /// No answer in time.
    Timeout,
    /// The certificate is not trusted, or TLS failed otherwise.
    Tls,
    /// Not what Gitea answers.
    Protocol,
}

/// A call that failed: what was wanted, why it did not work, and what helps.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {what}: {reason}")]
pub struct Error {
    kind: Kind,
    what: String,
    reason: String,
}

impl Error {
    pub(super) fn new(kind: Kind, what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { kind, what: what.into(), reason: reason.into() }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the same call may succeed later without anybody doing anything.
    pub fn is_temporary(&self) -> bool {
        matches!(self.kind, Kind::Unavailable | Kind::Connection | Kind::Timeout)
    }

    /// The failure that an answer means.
    ///
    /// `body` may be Gitea's `{"message": …}`, the HTML page of a proxy, or nothing.
    pub(super) fn of_answer(
        status: u16,
        body: &[u8],
        location: Option<&str>,
        what: &str,
        token: Option<&Token>,
    ) -> Self {
        let said = said(body, token);
        let quoted = if said.is_empty() { String::new() } else { format!(" (the server says: {said})") };
        let (kind, reason) = match status {
            301..=308 => {
                let to = location.map_or_else(|| "another place".to_owned(), |to| format!("`{}`", quote(to, token)));
                (Kind::Moved, format!("the server sends us to {to}; write the new address or the repository's new name"))
            }
            401 => (
                Kind::Unauthorized,
                format!("the token is missing, expired or revoked{quoted}; make a new one under Settings, Applications"),
            ),
            403 => (Kind::Forbidden, format!("not allowed{quoted}; {}", remedy(&said))),
            404 => (
                Kind::NotFound,
                format!("not found{quoted}; it does not exist, or the owner of the token may not read it"),
            ),
            409 => (Kind::Conflict, format!("it exists already or was changed meanwhile{quoted}")),
            413 => (
                Kind::TooLarge,
                "too large for the server or the proxy before it; raise its limit (nginx: `client_max_body_size`) or lower ours"
                    .to_owned(),
            ),
            423 => (Kind::Locked, format!("it is archived or locked{quoted}")),
            429 | 500 | 502..=504 => (Kind::Unavailable, format!("the server answers {status}{quoted}; try again later")),
            400 | 405 | 412 | 422 => (Kind::Invalid, format!("the server does not accept it{quoted}")),
            _ => (Kind::Protocol, format!("the server answers {status}{quoted}; is this Gitea's address?")),
        };
        Self::new(kind, what, reason)
    }
}

/// What helps against a 403, by the words it came with.
fn remedy(said: &str) -> &'static str {
    if said.contains("scope") {
        "the token lacks a scope; make one that has it"
    } else if said.contains("protected") {
        "the branch is protected; open a pull request, or let the owner of the token push to it"
    } else {
        "the owner of the token needs write access to the repository, and the token the scopes that the documentation names"
    }
}

/// What a server says of a failure: the `message` of its JSON, the title of a page, or the beginning of its text.
fn said(body: &[u8], token: Option<&Token>) -> String {
    #[derive(serde::Deserialize)]
    struct Message {
        #[serde(default)]
        message: String,
    }
    if let Ok(answer) = serde_json::from_slice::<Message>(body) {
        return quote(&answer.message, token);
    }
    let text = String::from_utf8_lossy(body.get(..body.len().min(64 * 1024)).unwrap_or(body));
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|from| Some((from + 7, lower[from + 7..].find("</title>")? + from + 7)));
    match title {
        Some((from, to)) => quote(&text[from..to], token),
        None if lower.trim_start().starts_with('<') => "a page of HTML".to_owned(),
        None => quote(&text, token),
    }
}

/// A text of the server's on one line: no controls, no turned text, bounded, no token.
pub(super) fn quote(text: &str, token: Option<&Token>) -> String {
    let text = match token {
        Some(token) => text.replace(token.secret(), "***"),
        None => text.to_owned(),
    };
    let harmless = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let cleaned: String = text.chars().map(|c| if harmless(c) { c } else { ' ' }).collect();
    let words: Vec<&str> = cleaned.split_whitespace().collect();
    let mut line = words.join(" ");
    if line.chars().count() > QUOTE {
        line = line.chars().take(QUOTE).chain(['…']).collect();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_a_reason_and_a_remedy() {
        let token = Token::new("s3cr3t", "the test").unwrap();
        let text = |status, body: &str| {
            Error::of_answer(status, body.as_bytes(), Some("https://x/s3cr3t"), "do it", Some(&token)).to_string()
        };
        assert_eq!(
            text(403, r#"{"message":"token does not have at least one of required scope(s): [write:issue] s3cr3t"}"#),
            "cannot do it: not allowed (the server says: token does not have at least one of required scope(s): \
             [write:issue] ***); the token lacks a scope; make one that has it"
        );
        let page = "<html><head><TITLE>502 Bad\nGateway</TITLE></head></html>";
        assert_eq!(
            text(502, page),
            "cannot do it: the server answers 502 (the server says: 502 Bad Gateway); try again later"
        );
        assert_eq!(
            text(418, "<p>hm"),
            "cannot do it: the server answers 418 (the server says: a page of HTML); is this Gitea's address?"
        );
        assert!(text(301, "").contains("`https://x/***`"));
        assert!(!text(422, &"a\u{202e}\u{1b}[2J".repeat(1000)).contains(['\u{202e}', '\u{1b}']));
        assert!(text(422, &"a".repeat(10_000)).len() < 500);
    }
}
