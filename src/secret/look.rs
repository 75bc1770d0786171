//! Texts that look like a secret, whatever key they stand under.

use super::name;

/// Beginnings of tokens that their makers marked as such.
const PREFIXES: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "glsa_",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxr-",
    "xoxs-",
    "xapp-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "sk-",
    "AIza",
    "ya29.",
    "hvs.",
    "hvb.",
    "dop_v1_",
    "npm_",
    "pypi-",
    "SG.",
    "shpat_",
    "shpss_",
    "AGE-SECRET-KEY-",
    "tskey-",
    "eyJ",
    "$2a$",
    "$2b$",
    "$2y$",
    "$apr1$",
    "$argon2",
    "$5$",
    "$6$",
    "$pbkdf2",
    "{SHA}",
    "{SSHA}",
    "LS0tLS1CRUdJTi",
    "AKIA",
    "ASIA",
    "dapi",
    "vault:v1:",
    "whsec_",
    "PMAK-",
    "lin_api_",
    "atlasv1.",
    "cfut_",
    "NRAK-",
];

/// The shortest token: a prefix and something behind it.
const TOKEN_MIN: usize = 9;

/// Parts of texts that give access by themselves.
const PARTS: &[&str] =
    &["PRIVATE KEY", "hooks.slack.com/services/", "discord.com/api/webhooks/", ".webhook.office.com/"];

/// Characters of a URL that are looked at.
const URL_MAX: usize = 1_000;

/// Characters of a key that are looked at.
const KEY_MAX: usize = 200;

/// Characters at which a text is cut into what could be tokens.
fn is_cut(c: char) -> bool {
    c.is_whitespace() || "\"'`,;()<>[]|&?#".contains(c)
}

/// Whether a text looks like a secret, or holds something that does: a private key, a token, a URL with a password, an
/// assignment to a name that names a secret, a long random word.
pub fn looks_like_one(text: &str) -> bool {
    PARTS.iter().any(|part| text.contains(part))
        || url_with_password(text)
        || assigns(text)
        || text.split(is_cut).any(is_token)
}

/// Whether a line may hold a text that looks like a secret: a long word that is not merely small letters, or a URL.
pub(super) fn may_look_like_one(line: &str) -> bool {
    let (mut run, mut odd, mut seen) = (0, false, 0);
    for byte in line.bytes() {
        let class = CLASS[usize::from(byte)];
        seen |= class;
        if class & CUT != 0 {
            (run, odd) = (0, false);
            continue;
        }
        run += 1;
        odd |= class & SMALL == 0;
        if run >= TOKEN_MIN && odd {
            return true;
        }
    }
    seen & MARK != 0 && (line.contains("PRIVATE KEY") || line.contains("://"))
}

/// Cuts a text into what could be tokens.
const CUT: u8 = 1;
/// A small letter, or a slash.
const SMALL: u8 = 2;
/// In what is looked for in the text as a whole.
const MARK: u8 = 4;

static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\x0c' | b'\r' | b'"' | b'\'' | b'`' | b',' | b';' | b'(' | b')' | b'<' | b'>'
            | b'[' | b']' | b'|' | b'&' | b'?' | b'#' => CUT,
            b'a'..=b'z' | b'/' => SMALL,
            b'P' | b':' => MARK,
            _ => 0,
        };
        byte += 1;
    }
    table
};

fn is_token(word: &str) -> bool {
    if word.len() < TOKEN_MIN {
        return false;
    }
    // `key=value` and `{value}` are looked at in parts too.
    let parts = word.split(['=', ':', '{', '}', '@', '/']).filter(|part| !part.is_empty());
    let known = |text: &str| PREFIXES.iter().any(|prefix| text.len() >= prefix.len() + 6 && text.starts_with(prefix));
    known(word) || parts.clone().any(known) || random_words(word)
}

/// A long word of letters and digits as only a generator writes it.
fn random_words(word: &str) -> bool {
    let mut digest = false;
    for part in word.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '_')) {
        let is_digest = std::mem::replace(&mut digest, part == "sha256" || part == "sha512" || part == "sha1");
        let count = |test: fn(&u8) -> bool| part.bytes().filter(&test).count();
        let (lower, upper, digits) =
            (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase), count(u8::is_ascii_digit));
        let mixed = part.len() >= 20 && lower >= 3 && upper >= 3 && digits >= 2;
        let hex = part.len() >= 32 && digits >= 6 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let long = part.len() >= 40 && digits >= 6 && lower + upper >= 6;
        if (mixed || hex || long) && !is_digest {
            return true;
        }
    }
    false
}

/// `scheme://user:password@host`, or only a password.
fn url_with_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let rest = &text[at + 3..];
        let end = rest.char_indices().take(URL_MAX).find(|(_, c)| is_cut(*c) || *c == '/').map(|(at, _)| at);
        let end = end.unwrap_or_else(|| rest.char_indices().nth(URL_MAX).map_or(rest.len(), |(at, _)| at));
        let authority = &rest[..end];
        let user = authority.rfind('@').map(|at| &authority[..at]);
        // A password may hold what ends an authority; then the `@` comes later on the same word.
        let word = &rest[..rest
            .char_indices()
            .take(URL_MAX)
            .find(|(_, c)| c.is_whitespace())
            .map_or_else(|| rest.char_indices().nth(URL_MAX).map_or(rest.len(), |(at, _)| at), |(at, _)| at)];
        user.is_some_and(|user| user.contains(':'))
            || (word.contains('@')
                && word.split('@').next().is_some_and(|user| {
                    user.contains(':')
                        && user.contains(['/', '?', '#', '&'])
                        && !user
                            .split('/')
                            .next()
                            .unwrap_or_default()
                            .rsplit(':')
                            .next()
                            .is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
                }))
    })
}

/// `password=...`, `"token": "..."`, `--api-key=...`, `Authorization: ...`, wherever in the text. What only refers to a
/// variable (`${PASSWORD}`) is none.
fn assigns(text: &str) -> bool {
    assignments(text).next().is_some()
}

/// The byte ranges of what is assigned to names of secrets; each ends with its line, or with the text where a block begins.
pub(super) fn assignments(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    named_assignments(text).map(|(_, range)| range)
}

/// The same, each with the name.
pub(super) fn named_assignments(text: &str) -> impl Iterator<Item = (&str, std::ops::Range<usize>)> + '_ {
    let mut start = 0;
    text.split_inclusive('\n').flat_map(move |line| {
        let begin = start;
        start += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        let marks = line.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'=' | b':'));
        marks.filter_map(move |(at, mark)| {
            let rest = &line[at + 1..];
            if mark == b':' && !rest.is_empty() && !rest.starts_with([' ', '\t', '"', '\'']) {
                return None;
            }
            let key = key_before(&line[..at]);
            if !name::names_one(key) {
                return None;
            }
            let value = rest.trim();
            if matches!(value, "|" | ">" | "|-" | ">-" | "|+" | ">+") {
                // What stands on the lines below belongs to it.
                return Some((key, begin + at + 1..text.len()));
            }
            let nothing = matches!(value, "" | "\"\"" | "''" | "true" | "false" | "null" | "~" | "{}" | "[]");
            if nothing || is_reference(value) || is_declaration(value) {
                return None;
            }
            let from = begin + line.len() - rest.trim_start().len();
            Some((key, from..begin + line.trim_end().len()))
        })
    })
}

/// The name at the end of a text, in front of `=` or `:`.
fn key_before(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '\t', '"', '\'']);
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    // Longer names than this are none.
    let start = text.char_indices().rev().take(KEY_MAX).take_while(|(_, c)| is_name(*c)).last();
    start.map_or("", |(start, _)| &text[start..])
}

/// A text that only names where the secret comes from: `${NAME}`, `$(NAME)`, `{{ ... }}`, `${{ ... }}`.
pub(super) fn is_reference(text: &str) -> bool {
    let text = text.trim().trim_end_matches(',').trim_matches(['"', '\'']).trim();
    let variable = |open: &str, close: char| {
        text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        })
    };
    variable("${", '}')
        || variable("$(", ')')
        || text.starts_with("${{ vars.")
            && text.ends_with("}}")
            && text.matches("}}").count() == 1
            && !text.contains(['"', '\''])
}

/// How a key of an app's `secrets` is made, where that says no value: `{ generate: { length: 32 } }`.
pub(super) fn is_declaration(text: &str) -> bool {
    let Some(inner) = text.trim().strip_prefix('{').map(str::trim_start) else { return false };
    inner.starts_with("provided:")
        || ["generate:", "from:"]
            .iter()
            .any(|how| inner.strip_prefix(how).is_some_and(|below| below.trim_start().starts_with('{')))
}

/// A line below `secrets:` that declares a Secret: its name, the word `keys`, or how a key is made.
pub(super) fn declares(line: &str) -> bool {
    let Some((key, value)) = line.trim_start_matches("- ").split_once(':') else { return false };
    let (key, value) = (key.trim(), value.split(" #").next().unwrap_or_default().trim());
    let name = |c: char| c.is_ascii_alphanumeric() || "-_.\"'".contains(c);
    match key {
        "name" => !value.is_empty() && value.chars().all(name),
        "keys" => value.is_empty(),
        _ => is_declaration(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret() {
        for text in [
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
            "ghp_abcdefghij0123456789",
            "postgres://user:hunter2@db:5432/x",
            "redis://:hunter2@cache",
            "use glpat-abcdefghijkl here",
            "AKIAIOSFODNN7EXAMPLE",
            "--password=hunter2",
            "[security]\nadmin_password = hunter2",
            "{\"token\": \"abc\"}",
            "https://hooks.slack.com/services/T0/B0/x",
            "Authorization: Bearer abc",
            "q8Xk2LmZp0Rt7VbN4wYc",
            "d41d8cd98f00b204e9800998ecf8427e",
            "https://x.example/?token=abc",
            "password: |\n  hunter2",
        ] {
            assert!(looks_like_one(text), "{text}");
        }
    }

    #[test]
    fn what_does_not() {
        for text in [
            "",
            "hello world",
            "docker.io/library/nginx:1.27.0",
            "nginx@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "https://git.example.com:3000/ops/homelab.git",
            "kube-prometheus-stack-prometheus-node-exporter",
            "10.0.0.0/16",
            "500m",
            "v1.21.1",
            "host:port",
            "Prefix(`/`)",
            "ReadWriteMany",
            "password = ${PASSWORD}",
            "password: \"\"",
            "https://user@example.com/x",
            "image: nginx",
            "ServerSideApply=true",
            "arn:aws:iam::123456789012:role/very-long-role-name-for-external-dns",
        ] {
            assert!(!looks_like_one(text), "{text}");
        }
    }
}
