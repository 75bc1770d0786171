//! What Gitea sends: checked before it is understood.
//!
//! The signature is over the body as it came, so it is compared (in constant time) before a byte is parsed. What is
//! understood is only which pull request to look at; everything else is asked of Gitea, so a payload cannot lie about
//! a head, a fork or a base. A delivery that comes twice is recognised by its UUID; being only a wake-up, it could do no
//! harm anyway.

use std::collections::{BTreeSet, VecDeque};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::queue::Key;
use crate::io::gitea::{RepoName, Token};

/// Deliveries that are remembered.
const REMEMBERED: usize = 4096;

/// The headers of a delivery, as far as they matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    pub signature: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub event: Option<&'a str>,
    pub delivery: Option<&'a str>,
}

/// Why a delivery is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No signature, or not of our secret.
    Signature,
    /// Not `application/json`.
    ContentType,
    /// Signed, but not what Gitea sends.
    Payload,
}

/// What a delivery asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Look at this pull request.
    Review(Key),
    /// Nothing to do: another event, or an action that changes nothing we look at.
    Nothing,
}

/// Checks and reads a delivery.
///
/// # Errors
/// As [`Refused`] says; the order is signature, content type, payload.
pub fn read(headers: Headers<'_>, body: &[u8], secret: &Token) -> Result<Event, Refused> {
    let signature = headers.signature.and_then(unhex).ok_or(Refused::Signature)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.secret().as_bytes()).map_err(|_| Refused::Signature)?;
    mac.update(body);
    mac.verify_slice(&signature).map_err(|_| Refused::Signature)?;

    let media = headers.content_type.and_then(|value| value.split(';').next()).map(str::trim);
    if !media.is_some_and(|media| media.eq_ignore_ascii_case("application/json")) {
        return Err(Refused::ContentType);
    }
    if headers.event != Some("pull_request") {
        return Ok(Event::Nothing);
    }
    let payload: Payload = serde_json::from_slice(body).map_err(|_| Refused::Payload)?;
    let repository = RepoName::parse(&payload.repository.full_name).map_err(|_| Refused::Payload)?;
    Ok(match payload.action.as_str() {
        // `edited` may be another base. Forgejo and GitHub spell `synchronized` differently in places.
        "opened" | "reopened" | "synchronized" | "synchronize" | "edited" => {
            Event::Review(Key { repository, number: payload.number })
        }
        _ => Event::Nothing,
    })
}

#[derive(serde::Deserialize)]
struct Payload {
    #[serde(default)]
    action: String,
    number: u64,
    repository: PayloadRepository,
}

#[derive(serde::Deserialize)]
struct PayloadRepository {
    full_name: String,
}

/// 64 hexadecimal digits as bytes.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(bytes)
}

/// The deliveries seen last, by their UUID.
#[derive(Debug, Default)]
pub struct Seen {
    known: BTreeSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// Whether a delivery is new; it is remembered. One without a name always is.
    pub fn is_new(&mut self, delivery: Option<&str>) -> bool {
        let Some(delivery) = delivery.filter(|delivery| !delivery.is_empty() && delivery.len() <= 64) else {
            return true;
        };
        if !self.known.insert(delivery.to_owned()) {
            return false;
        }
        self.order.push_back(delivery.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// Forgets a delivery that could not be taken, so that it may be sent again.
    pub fn forget(&mut self, delivery: Option<&str>) {
        if let Some(delivery) = delivery {
            self.known.remove(delivery);
            self.order.retain(|known| known != delivery);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn sign(body: &[u8], secret: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        let mut text = String::new();
        mac.finalize().into_bytes().iter().for_each(|byte| _ = write!(text, "{byte:02x}"));
        text
    }

    fn try_read(body: &str, change: impl Fn(&mut Headers<'_>)) -> Result<Event, Refused> {
        let secret = Token::new("secret", "the test").unwrap();
        let signature = sign(body.as_bytes(), "secret");
        let mut headers = Headers {
            signature: Some(&signature),
            content_type: Some("application/json"),
            event: Some("pull_request"),
            delivery: None,
        };
        change(&mut headers);
        read(headers, body.as_bytes(), &secret)
    }

    const BODY: &str = r#"{"action":"synchronized","number":7,"repository":{"full_name":"ops/homelab"}}"#;

    #[test]
    fn the_signature_of_rfc_4231_is_known() {
        // Test case 2: key "Jefe".
        let body = b"what do ya want for nothing?";
        let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let headers = Headers { signature: Some(signature), ..Headers::default() };
        let secret = Token::new("Jefe", "the test").unwrap();
        assert_eq!(read(headers, body, &secret), Err(Refused::ContentType));
        assert_eq!(read(headers, b"what do ya want for something?", &secret), Err(Refused::Signature));
    }

    #[test]
    fn a_signed_delivery_names_a_pull_request() {
        let key = Key { repository: RepoName::parse("ops/homelab").unwrap(), number: 7 };
        assert_eq!(try_read(BODY, |_| {}), Ok(Event::Review(key.clone())));
        assert_eq!(
            try_read(BODY, |h| h.content_type = Some("application/json; charset=utf-8")),
            Ok(Event::Review(key))
        );
        assert_eq!(try_read(BODY, |h| h.event = Some("push")), Ok(Event::Nothing));
        assert_eq!(try_read(&BODY.replace("synchronized", "closed"), |_| {}), Ok(Event::Nothing));
    }

    const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn everything_else_is_refused() {
        assert_eq!(try_read(BODY, |h| h.signature = None), Err(Refused::Signature));
        assert_eq!(try_read(BODY, |h| h.signature = Some("")), Err(Refused::Signature));
        assert_eq!(try_read(BODY, |h| h.signature = Some(ZEROS)), Err(Refused::Signature));
        assert_eq!(try_read(BODY, |h| h.signature = Some("ünïcode")), Err(Refused::Signature));
        assert_eq!(
            try_read(BODY, |h| h.content_type = Some("application/x-www-form-urlencoded")),
            Err(Refused::ContentType)
        );
        assert_eq!(try_read(BODY, |h| h.content_type = None), Err(Refused::ContentType));
        assert_eq!(try_read("{", |_| {}), Err(Refused::Payload));
        assert_eq!(try_read(&BODY.replace("ops/homelab", "../etc"), |_| {}), Err(Refused::Payload));
        assert_eq!(try_read(&BODY.replace('7', "-7"), |_| {}), Err(Refused::Payload));
    }

    #[test]
    fn a_delivery_counts_once_and_memory_is_bounded() {
        let mut seen = Seen::default();
        assert!(seen.is_new(Some("a")) && !seen.is_new(Some("a")));
        seen.forget(Some("a"));
        assert!(seen.is_new(Some("a")));
        assert!(seen.is_new(None) && seen.is_new(None));
        for number in 0..3 * REMEMBERED {
            assert!(seen.is_new(Some(&number.to_string())));
        }
        assert_eq!((seen.known.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
    }
}
