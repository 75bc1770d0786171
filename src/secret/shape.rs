//! What only secrets look like: formats that their makers marked, so that they can be found.
//!
//! Sources: the makers' own pages on the formats of their tokens (those named in the table),
//! RFC 7468 for PEM, RFC 7519 for JWT, `crypt(5)` for hashes.

use std::collections::BTreeSet;

use base64::Engine as _;

use super::look;

/// A token that begins with a mark of its maker's: the mark, how many letters follow at least, and what it is.
const TOKENS: &[(&str, usize, &str)] = &[
    ("ghp_", 36, "a GitHub token"),
    ("gho_", 36, "a GitHub token"),
    ("ghu_", 36, "a GitHub token"),
    ("ghs_", 36, "a GitHub token"),
    ("ghr_", 36, "a GitHub token"),
    ("github_pat_", 60, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("gldt-", 20, "a GitLab token"),
    ("glrt-", 20, "a GitLab token"),
    ("glsa_", 32, "a Grafana token"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
    ("xoxa-", 20, "a Slack token"),
    ("xapp-", 20, "a Slack token"),
    ("sk_live_", 20, "a Stripe key"),
    ("rk_live_", 20, "a Stripe key"),
    ("AIza", 35, "a Google API key"),
    ("npm_", 36, "an npm token"),
    ("pypi-AgE", 40, "a PyPI token"),
    ("hvs.", 24, "a Vault token"),
    ("hvb.", 24, "a Vault token"),
    ("dop_v1_", 60, "a DigitalOcean token"),
    ("tskey-", 16, "a Tailscale key"),
    ("AGE-SECRET-KEY-1", 40, "an age key"),
    ("SG.", 40, "a SendGrid key"),
];

/// Addresses that are enough to post there.
const HOOKS: &[&str] = &["hooks.slack.com/services/T", "discord.com/api/webhooks/", "discordapp.com/api/webhooks/"];

/// What a text is, or holds, if its shape gives it away.
pub(super) fn of(text: &str) -> Option<&'static str> {
    if text.len() < 9 || !look::may_look_like_one(text) {
        return None;
    }
    let has = |byte: u8| text.as_bytes().contains(&byte);
    if has(b'P') && is_private_key(text) {
        return Some("a private key");
    }
    let slash = has(b'/');
    let hooks = slash && text.as_bytes().windows(5).any(|word| word == b"hooks");
    if hooks && HOOKS.iter().any(|hook| text.find(hook).is_some_and(|at| is_word(&text[at + hook.len()..], 8))) {
        return Some("the address of a webhook");
    }
    if slash
        && has(b'@')
        && text.contains("://")
        && text.split([' ', '\n', '\t', '"', '\'', ',']).any(is_url_with_password)
    {
        return Some("an address with a password");
    }
    let cut = |c: char| if c.is_ascii() { is_cut(c as u8) } else { c.is_whitespace() };
    text.split(cut).find_map(of_word)
}

/// Whether a byte ends a word; as white space, what [`char::is_whitespace`] takes for it.
fn is_cut(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t'
            ..=b'\r'
                | b'"'
                | b'\''
                | b'`'
                | b','
                | b';'
                | b'('
                | b')'
                | b'<'
                | b'>'
                | b'['
                | b']'
                | b'{'
                | b'}'
                | b'|'
                | b'&'
                | b'?'
                | b'#'
                | b'='
                | b':'
                | b'@'
    )
}

fn of_word(word: &str) -> Option<&'static str> {
    if word.len() < 9 {
        return None;
    }
    let first = word.as_bytes()[0];
    let token = TOKENS.iter().find(|(mark, least, _)| {
        mark.as_bytes()[0] == first && word.strip_prefix(mark).is_some_and(|rest| is_word(rest, *least))
    });
    if let Some((_, _, what)) = token {
        return Some(what);
    }
    match first {
        b'A' if is_aws_key(word) => Some("an AWS access key"),
        b'e' if is_jwt(word) => Some("a JSON Web Token"),
        b'$' if is_hash(word) => Some("the hash of a password"),
        b'L' if word.starts_with("LS0tLS1CRUdJTi") && decodes_to_private_key(word) => Some("a private key"),
        _ => None,
    }
}

/// Whether a text begins with so many letters of tokens, not all alike (a placeholder has `xxxx`).
fn is_word(text: &str, least: usize) -> bool {
    let end =
        text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.' | '/')).unwrap_or(text.len());
    let word = &text[..end];
    let first = word.bytes().next();
    word.len() >= least && word.bytes().any(|byte| Some(byte) != first)
}

/// RFC 7468, with something between its lines.
fn is_private_key(text: &str) -> bool {
    text.match_indices("PRIVATE KEY").any(|(at, mark)| {
        let line = text[..at].rfind("-----BEGIN ").is_some_and(|begin| !text[begin..at].contains('\n'));
        let body = text[at + mark.len()..].trim_start_matches(" BLOCK").trim_start_matches('-');
        let body = body.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\\' | 'n' | 'r'));
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let letters: BTreeSet<u8> = body.bytes().take(32).take_while(is_letter).collect();
        // A placeholder (`XXXX`, `...`) has one or two.
        line && letters.len() >= 6
    })
}

fn decodes_to_private_key(word: &str) -> bool {
    // The head is enough; a cut text ends on whole groups of four.
    let head = &word[..word.len().min(80) / 4 * 4];
    let decoded = base64::engine::general_purpose::STANDARD_NO_PAD.decode(head.trim_end_matches('='));
    decoded.is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("PRIVATE KEY"))
}

fn is_aws_key(word: &str) -> bool {
    let rest = ["AKIA", "ASIA"].into_iter().find_map(|mark| word.strip_prefix(mark));
    rest.is_some_and(|rest| {
        rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

/// Three parts of base64, of which the first two are objects of JSON.
fn is_jwt(word: &str) -> bool {
    if !word.starts_with("eyJ") {
        return false;
    }
    let parts: Vec<&str> = word.split('.').collect();
    let of = |part: &&str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    matches!(parts.as_slice(), [_, body, sign]
        if body.starts_with("eyJ") && sign.len() >= 16 && parts.iter().all(of))
}

/// `crypt(5)`: what a password can be guessed from without asking anybody.
fn is_hash(word: &str) -> bool {
    let least = [("$2a$", 56), ("$2b$", 56), ("$2y$", 56), ("$apr1$", 24), ("$6$", 80), ("$5$", 40), ("$argon2", 50)];
    least.into_iter().any(|(mark, least)| word.starts_with(mark) && word.len() >= mark.len() + least)
        || word.starts_with("$2") && word.len() == 60
}

/// `scheme://user:password@host`, where the password is neither a variable nor a placeholder.
fn is_url_with_password(word: &str) -> bool {
    let Some((_, rest)) = word.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, host)) = authority.rsplit_once('@') else { return false };
    let Some((_, password)) = user.split_once(':') else { return false };
    let filled_in = ['$', '{', '<', '%', '*'].iter().any(|mark| password.contains(*mark));
    !password.is_empty() && !host.is_empty() && !filled_in
}
