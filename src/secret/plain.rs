//! Secrets in plain text: what is sure enough to be refused.
//!
//! Masking hides whatever might be a secret; nobody is harmed by a mask too many. Refusing stops a person's work, so it
//! needs a name that leaves no doubt (`adminPassword`, not `tls.secret`) with a text that is no reference, or a shape
//! that only a secret has. A text that is merely random is worth a warning: a digest and a public key are random too.

use super::sure::{is_harmless, is_of_several, is_password, is_sure, may_be_of_a_key};
use super::{Place, look, name, shape};

/// Why a text is taken for a secret in plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// It stands under a name of a secret.
    Named,
    /// It is what only secrets look like: `a private key`.
    Shaped(&'static str),
    /// It looks random, and nothing else speaks for a secret. Under a key that [`super::is_public`] it is none.
    Random,
}

/// A place in a tree, and how sure its name makes what stands there.
#[derive(Debug, Clone, Copy)]
pub struct Spot {
    place: Place,
    /// The name leaves no doubt.
    sure: bool,
    /// The name is of several (`passwords`), so that the keys of a map are whose they are.
    many: bool,
    /// Below `data` of a Secret.
    data: bool,
    /// The last name is one of a password, which may be a number.
    password: bool,
    /// The last name may also be that of the key of a Secret: `secretKey: license`.
    key: bool,
}

impl Spot {
    /// The root of a tree with a `kind`, if it has one.
    pub fn root(kind: Option<&str>) -> Self {
        Self { place: Place::of_kind(kind), sure: false, many: false, data: false, password: false, key: false }
    }

    /// The spot below a key of a map; `text_of` gives the map's own texts, for `{ name: DB_PASSWORD, value: ... }`, and the
    /// empty text for fields that hold none.
    #[must_use]
    pub fn key<'t>(self, key: &str, text_of: &dyn Fn(&str) -> Option<&'t str>) -> Self {
        let named = name::names_one(key);
        let place = self.place.key_of(key, named, text_of);
        let data = self.data || self.place == Place::SecretObject && place == Place::Secret;
        let label = || ["name", "key", "header", "field"].into_iter().filter_map(text_of).find(|label| is_sure(label));
        let sure = place == Place::Secret
            && match () {
                () if self.data => !is_harmless(key),
                () if data => false,
                () if named => is_sure(key) && text_of("remoteRef").is_none(),
                // `passwords: { admin: ... }`, `{ name: DB_PASSWORD, value: ... }`
                () if matches!(key, "value" | "default" | "content" | "data" | "plaintext") => {
                    self.sure || label().is_some()
                }
                () => self.sure && self.many,
            };
        let password = if named { is_password(key) } else { self.password && sure };
        let many = named && sure && is_of_several(key);
        let key = named && may_be_of_a_key(key);
        Self { place, sure, many, data, password, key }
    }

    /// The spot of an item; `before` is the text of the item in front of it: `["--password", "..."]`.
    #[must_use]
    pub fn item(self, before: Option<&str>) -> Self {
        let flag = before.filter(|text| text.starts_with('-') && !text.contains('=') && is_sure(text));
        match (self.place, flag) {
            (Place::Open, Some(flag)) => Self { place: Place::Secret, sure: true, password: is_password(flag), ..self },
            _ => Self { many: false, ..self },
        }
    }

    /// Whether a text here is a secret in plain text.
    pub fn text(&self, text: &str) -> Option<Plain> {
        let text = text.trim();
        if text.is_empty() || self.place == Place::Cipher {
            return None;
        }
        if let Some(shape) = shape::of(text) {
            return Some(Plain::Shaped(shape));
        }
        let named = self.key && is_name(text);
        if self.place == Place::Secret && self.sure && !named && is_plain(text, self.password || self.data) {
            return Some(Plain::Named);
        }
        if matches!(self.place, Place::About | Place::Reference) {
            return None;
        }
        if assigns(text) {
            return Some(Plain::Named);
        }
        is_random(text).then_some(Plain::Random)
    }

    /// Whether a number here is a secret in plain text: a password of digits.
    pub fn number(&self) -> Option<Plain> {
        (self.place == Place::Secret && self.sure && self.password).then_some(Plain::Named)
    }
}

/// Whether a text under a sure name is a secret and not a reference to one, a path, a switch or prose.
fn is_plain(text: &str, password: bool) -> bool {
    const NOTHING: &[&str] = &[
        "true", "false", "yes", "no", "on", "off", "null", "none", "nil", "~", "enabled", "disabled", "required",
        "optional", "auto", "{}", "[]",
    ];
    let references =
        ["/", "./", "../", "~/", "file:", "http://", "https://", "vault:", "ref+", "env:", "secret:", "arn:", "$"];
    let nothing = NOTHING.contains(&text.to_ascii_lowercase().as_str())
        || is_placeholder(text)
        || look::is_reference(text)
        || references.iter().any(|start| text.starts_with(start));
    // A sentence is a description; only a passphrase has several words.
    !nothing && (password || text.split_whitespace().count() <= 3)
}

/// Whether a text is small letters in words, as names of keys are and generated keys are not.
fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || b"._-".contains(&byte))
}

/// Text that something else fills in: Helm, a shell, a person.
fn is_placeholder(text: &str) -> bool {
    text.contains("{{")
        || text.contains("${")
        || text.contains("$(")
        || text.starts_with('<') && text.ends_with('>')
        || text.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '-'))
}

/// `password = hunter2` as a line of a configuration file, `--token=abc` as an argument, `?token=abc` in a URL.
fn assigns(text: &str) -> bool {
    if !text.bytes().any(|byte| matches!(byte, b'=' | b':')) {
        return false;
    }
    let lines = text.contains('\n');
    look::named_assignments(text).any(|(key, range)| {
        if !is_sure(key) {
            return false;
        }
        let start = key.as_ptr() as usize - text.as_ptr() as usize;
        let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let before = text[begin..start].trim_start_matches([' ', '\t', '"', '\'', '-']).trim_end();
        let begins = before.is_empty() || matches!(before, "export" | "set" | "ENV");
        let flag = text[..start].ends_with(['?', '&']) || text[..start].ends_with("--") && !lines;
        // Logstash writes `=>`.
        let value = text[range].trim_start_matches(|c: char| c == '>' || c.is_whitespace());
        let value = value.strip_prefix(['"', '\'']).map_or_else(
            || value.split([' ', '\t', '\n', ',', ';', '&', '#', '"', '\'']).next().unwrap_or_default(),
            |quoted| quoted.split(['"', '\'']).next().unwrap_or_default(),
        );
        // Code computes it, or takes it from somewhere.
        let code = value.contains(['(', '{', '[', '<', '$', '|', '=', '%', '\\', '`'])
            || name::names_one(value)
            || value.is_empty();
        (begins || flag) && !code && is_plain(value, false)
    })
}

/// Letters from which on a word can be told from a name.
const RANDOM_MIN: usize = 20;

/// A single long word as only a generator writes it: of mixed letters and digits, or of hexadecimal digits, with at least
/// 3.3 bits in each letter (Shannon's entropy of its letters).
fn is_random(text: &str) -> bool {
    let of = |bytes: &[u8]| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || bytes.contains(&byte));
    if text.len() < RANDOM_MIN || text.len() > 512 || !of(b"+/=_-") {
        return false;
    }
    let count = |test: fn(&u8) -> bool| text.bytes().filter(&test).count();
    let (lower, upper, digits) =
        (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase), count(u8::is_ascii_digit));
    let mixed = lower >= 3 && upper >= 3 && digits >= 3 && !text.contains('-');
    let hex = text.len() >= 32 && digits >= 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (mixed || hex) && entropy(text) >= 3.3
}

/// Bits in each letter of a text.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let total = text.len() as f64;
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total);
    shares.map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    /// The paths of what a tree holds, as the rule walks it.
    fn found(tree: &Json) -> Vec<(String, Plain)> {
        fn walk(value: &Json, spot: Spot, path: &str, found: &mut Vec<(String, Plain)>) {
            match value {
                Json::Object(map) => map.iter().for_each(|(key, inner)| {
                    let spot = spot.key(key, &|field| Some(map.get(field)?.as_str().unwrap_or_default()));
                    walk(inner, spot, &format!("{path}.{key}"), found);
                }),
                Json::Array(items) => items.iter().enumerate().for_each(|(at, item)| {
                    let before = at.checked_sub(1).and_then(|at| items[at].as_str());
                    walk(item, spot.item(before), &format!("{path}.{at}"), found);
                }),
                Json::String(text) => found.extend(spot.text(text).map(|why| (path.to_owned(), why))),
                Json::Number(_) => found.extend(spot.number().map(|why| (path.to_owned(), why))),
                Json::Null | Json::Bool(_) => {}
            }
        }
        let mut all = Vec::new();
        walk(tree, Spot::root(tree.get("kind").and_then(Json::as_str)), "", &mut all);
        all
    }

    #[test]
    fn what_is_refused() {
        for tree in [
            json!({ "auth": { "adminPassword": "changeme" } }),
            json!({ "password": 12345 }),
            json!({ "secretKey": "Abc1" }),
            json!({ "env": [{ "name": "DB_PASSWORD", "value": "hunter2" }] }),
            json!({ "env": { "DB_PASSWORD": "hunter2" } }),
            json!({ "passwords": { "admin": "x1" } }),
            json!({ "args": ["--token", "abc"] }),
            json!({ "args": ["--token=abc"] }),
            json!({ "command": "--api-key=abc --listen=:80" }),
            json!({ "hook": "https://example.com/?token=abc" }),
            json!({ "app.ini": "[db]\nuser = x\npassword = hunter2\n" }),
            json!({ "app.yaml": "db:\n  password: \"hunter2\"\n" }),
            json!({ "env.sh": "export API_KEY=abc\n" }),
            json!({ "kind": "Secret", "stringData": { "anything": "y" } }),
            json!({ "kind": "Secret", "data": { "anything": "eA==" } }),
            json!({ "extra": [{ "clientSecret": "a b" }] }),
        ] {
            assert!(matches!(found(&tree).as_slice(), [(_, Plain::Named)]), "{tree}: {:?}", found(&tree));
        }
    }

    #[test]
    fn what_only_secrets_look_like() {
        let key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIEexampleexampleexample\n-----END EC PRIVATE KEY-----\n";
        let encoded = {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(key)
        };
        for (text, what) in [
            (key, "a private key"),
            (encoded.as_str(), "a private key"),
            ("AKIAIOSFODNN7EXAMPLE", "an AWS access key"),
            ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "a GitHub token"),
            ("use glpat-0123456789abcdefghij here", "a GitLab token"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "a JSON Web Token"),
            ("$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "the hash of a password"),
            ("admin:$2y$05$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "the hash of a password"),
            ("postgres://web:s3cr3t@db:5432/web", "an address with a password"),
            ("https://hooks.slack.com/services/T000/B000/XYZabc123", "the address of a webhook"),
        ] {
            let tree = json!({ "note": text });
            assert_eq!(found(&tree), [(".note".to_owned(), Plain::Shaped(what))], "{text}");
        }
    }

    #[test]
    fn what_is_no_secret() {
        for tree in [
            json!({ "adminPassword": "", "token": null, "apiKey": false, "existingSecret": "web" }),
            json!({ "password": "${DB_PASSWORD}", "token": "$TOKEN", "apiKey": "$(API_KEY)", "clientSecret": "{{ .Values.x }}" }),
            json!({ "token": "/var/run/token", "apiKey": "<your-key>", "password": "********", "secretKey": "vault:secret/x#y" }),
            json!({ "env": [{ "name": "DB_PASSWORD", "valueFrom": { "secretKeyRef": { "name": "web", "key": "password" } } }] }),
            json!({ "env": [{ "name": "PASSWORD_FILE", "value": "/etc/password" }, { "name": "LOG", "value": "debug" }] }),
            json!({ "staticPasswords": [{ "email": "x@example.com", "hashFromEnv": "HASH" }], "authPassword": { "name": "web", "key": "password" } }),
            json!({ "env": { "PGPASSWORD": { "valueFrom": { "secretKeyRef": { "name": "web", "key": "password" } } } } }),
            json!({ "license": { "secretKey": "license" }, "aws": { "accessKey": "access_key" }, "tls": { "privateKey": "tls.key" } }),
            json!({ "requiredSecretKeys": ["client-id", "client-secret"] }),
            json!({ "secret": { "name": "web-tls", "create": true }, "tls": { "secret": "web-tls" }, "secrets": ["a", "b"] }),
            json!({ "data": [{ "secretKey": "password", "remoteRef": { "key": "web/db" } }] }),
            json!({ "kind": "ExternalSecret", "spec": { "data": [{ "secretKey": "password", "remoteRef": { "key": "x" } }] } }),
            json!({ "kind": "SealedSecret", "spec": { "encryptedData": { "password": "AgBy8hCi8kYt0fXm3wq1zU".repeat(4) } } }),
            json!({ "kind": "Secret", "stringData": { "type": "helm", "url": "https://charts.example.com", "username": "x" } }),
            json!({ "url": "postgres://web:${PASSWORD}@db/web", "other": "https://git@example.com/x" }),
            json!({ "app.ini": "password = ${PASSWORD}\ntoken_file = /run/token\n" }),
            json!({ "logstash.conf": "output {\n  password => \"${ES_PASSWORD}\"\n}\n" }),
            json!({ "code.py": "token = os.environ['TOKEN']\npassword = config.password\nif token == x:\n" }),
            json!({ "expr": "sum(rate(requests{token=\"x\"}[5m])) by (secret)" }),
            json!({ "image": "nginx@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }),
            json!({ "crt": "-----BEGIN CERTIFICATE-----\nMIIBdTCCARugAwIBAgIQAdpMeHs\n-----END CERTIFICATE-----\n" }),
            json!({ "doc": "put your -----BEGIN PRIVATE KEY----- here", "ssh": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7x8q3Xk2LmZp0Rt7 me" }),
            json!({ "maxTokens": 4096, "tokens": 5, "tokenTtl": 3600 }),
            json!({ "id": "6ff42ae2-765d-4adf-8112-31c55c1551ef", "name": "kube-prometheus-stack-node-exporter" }),
        ] {
            assert_eq!(found(&tree), [], "{tree}");
        }
    }

    #[test]
    fn what_is_merely_random() {
        for text in ["q8Xk2LmZp0Rt7VbN4wYc", "9f86d081884c7d659a2feaa0c55ad015"] {
            assert_eq!(found(&json!({ "license": text })), [(".license".to_owned(), Plain::Random)], "{text}");
        }
        for text in [
            "ServerSideApplyOfEverything",
            "0000000000000000000000000000000000",
            "a-b-c-d-e-f-g-1-2-3-X-Y-Z-0",
            "1234567890",
        ] {
            assert_eq!(found(&json!({ "text": text })), [], "{text}");
        }
    }
}
