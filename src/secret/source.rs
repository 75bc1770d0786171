//! Source texts: which bytes of a file must not be shown in a frame or repeated in a message.
//!
//! Line by line and by indentation, without a parser: findings are most often about files that do not parse. What is
//! deeper than a key that names a secret belongs to it, and so does the `data` of a Secret. A line that merely might hold
//! a secret is hidden from its first such place to its end.

use std::borrow::Cow;
use std::ops::Range;

use super::{look, name};

/// The secret byte ranges of a text, in order and apart from each other. Line ends are in none.
pub fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // The indentation of the key whose block is secret.
    let mut below: Option<usize> = None;
    // That key is `secrets`: an app may only declare some there.
    let mut declared = false;
    // Below `capabilities` or `provides` of a file of ours, `secrets` is the capability and its text a provider's name.
    let mut offers = false;
    let mut pem = false;
    let mut secret_object = false;
    let mut labelled = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        let content = line.trim_start();
        if content.is_empty() {
            continue;
        }
        if content.len() == line.len() && !content.starts_with('#') {
            offers = content.starts_with("capabilities:") || content.starts_with("provides:");
        }
        let quiet = below.is_none() && !pem && !secret_object && !labelled;
        if quiet && !name::has_part(content) && !look::may_look_like_one(content) {
            continue;
        }
        let indent = line.len() - content.len();
        if line.starts_with("---") {
            (below, secret_object, labelled) = (None, false, false);
            if !line.contains("KEY") {
                continue;
            }
        }
        if pem || content.contains("-----BEGIN") {
            pem = !content.contains("-----END");
            found.push(at + indent..at + line.len());
            continue;
        }
        // An item of a list may stand as deep as its key.
        let inside = below.is_some_and(|depth| indent > depth || indent == depth && content.starts_with("- "));
        if inside {
            if !(declared && look::declares(content)) {
                found.push(at + indent..at + line.len());
            }
            continue;
        }
        below = None;
        let item = content.trim_start_matches("- ");
        let depth = indent + content.len() - item.len();
        let key = item.split([':', '=']).next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        let value = item.get(key_end(item)..).unwrap_or_default().trim();
        if content.starts_with("- ") {
            labelled = false;
        }
        if key == "kind" && value.trim_matches(['"', '\'']) == "Secret" && indent == 0 {
            secret_object = true;
        }
        if matches!(key, "name" | "key") && name::names_one(value.trim_matches(['"', '\''])) {
            labelled = true;
        }
        let capability = |name: &str| offers && name == "secrets";
        let secret_data = secret_object && depth == 0 && matches!(key, "data" | "stringData");
        let names = name::names_one(key) && !capability(key) || secret_data || labelled && key == "value";
        if names && item.contains([':', '=']) && !look::is_declaration(value) {
            declared = key == "secrets";
            if value.is_empty() || value.starts_with(['|', '>', '&', '!', '#']) {
                below = Some(depth);
            }
            if !value.is_empty() && !look::is_reference(value) {
                let from = at + line.len() - item[key_end(item)..].trim_start().len();
                found.push(from..at + line.len());
                // A plain or quoted text may go on, on deeper lines.
                below = Some(depth);
            }
            continue;
        }
        let looked = if offers { Cow::Owned(item.replace("secrets:", "")) } else { Cow::Borrowed(item) };
        let assigned = look::named_assignments(line).filter(|(name, _)| !capability(name));
        if let Some(first) = assigned.map(|(_, range)| range.start).min() {
            found.push(at + first..at + line.len());
        } else if look::looks_like_one(&looked) {
            let from =
                if value.is_empty() { at + indent } else { at + line.len() - item[key_end(item)..].trim_start().len() };
            found.push(from..at + line.len());
        }
    }
    // A Secret may say what it is below its data.
    if text.contains("Secret") {
        found.extend(late_secrets(text));
        return joined(found);
    }
    found
}

/// Ranges in order and apart from each other.
pub fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// Where the value of `key: value` or `key=value` begins.
fn key_end(item: &str) -> usize {
    item.find([':', '=']).map_or(item.len(), |at| at + 1)
}

/// The data of documents that are a Secret, wherever they say so.
fn late_secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for document in text.split("\n---") {
        let is_secret = document.lines().any(|line| {
            line.strip_prefix("kind:").is_some_and(|kind| {
                kind.split('#').next().unwrap_or_default().trim().trim_matches(['"', '\'']) == "Secret"
            })
        });
        if is_secret {
            let mut below = false;
            let mut at = start;
            for line in document.split_inclusive('\n') {
                let content = line.trim_end_matches(['\n', '\r']);
                if content.starts_with("data:") || content.starts_with("stringData:") {
                    below = true;
                    let value = content.find(':').map_or(content.len(), |colon| colon + 1);
                    if !content[value..].trim().is_empty() {
                        found.push(at + value..at + content.len());
                    }
                } else if !content.starts_with([' ', '\t', '#']) && !content.is_empty() {
                    below = false;
                } else if below && !content.trim().is_empty() {
                    let indent = content.len() - content.trim_start().len();
                    found.push(at + indent..at + content.len());
                }
                at += line.len();
            }
        }
        start += document.len() + "\n---".len();
    }
    found
}

/// The text with its secrets replaced, byte for byte: places in it stay where they are.
pub fn masked(text: &str, ranges: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        out.push_str(&text[end..range.start]);
        out.extend(std::iter::repeat_n('*', range.len()));
        end = range.end;
    }
    out.push_str(&text[end..]);
    out
}

/// The secret texts of a file, for [`scrub`]: each as it is written and without its quotes.
pub fn texts(text: &str, ranges: &[Range<usize>]) -> Vec<String> {
    let mut texts = Vec::new();
    for range in ranges {
        let whole = text[range.clone()].trim();
        // A line inside a secret block may be `key: value`; both the line and its value count.
        let value = whole.split_once(": ").map_or(whole, |(_, value)| value.trim());
        for part in [whole, value, value.split(" #").next().unwrap_or(value).trim()] {
            let bare = part.trim_end_matches(',').trim_matches(['"', '\'']).trim_start_matches("- ");
            for text in [part, bare] {
                // The word itself gives nothing away: `type: secret` of a volume.
                let nothing = ["", "|", ">", "|-", ">-", "true", "false", "null", "~", "secret", "Secret"];
                if !nothing.contains(&text) {
                    texts.push(text.to_owned());
                }
            }
        }
    }
    texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    texts.dedup();
    texts
}

/// Letters from which on small letters are no word that messages hold by chance.
const WORD_MAX: usize = 12;

/// A message without the secrets that it repeats, or anything that looks like one. A secret of one to three characters is
/// only replaced where the message quotes it, since any word may hold it, and a short one of small letters alone only where
/// it stands as a word.
pub fn scrub(message: &str, secrets: &[String]) -> String {
    let mut found = Vec::new();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let short = secret.chars().count() <= 3;
        let word = secret.len() < WORD_MAX && secret.bytes().all(|byte| byte.is_ascii_lowercase());
        for (at, _) in message.match_indices(secret.as_str()) {
            let end = at + secret.len();
            let (before, after) = (message[..at].chars().next_back(), message[end..].chars().next());
            let is_apart = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
            let hides = if short {
                before == after && matches!(before, Some('`' | '"' | '\''))
            } else {
                !word || is_apart(before) && is_apart(after)
            };
            if hides {
                found.push(at..end);
            }
        }
    }
    let (mut out, mut end) = (String::with_capacity(message.len()), 0);
    for range in joined(found) {
        out.push_str(&message[end..range.start]);
        out.push_str(super::MASK);
        end = range.end;
    }
    out.push_str(&message[end..]);
    let ends = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | ',' | '(' | ')');
    if out.split(ends).any(look::looks_like_one) || look::looks_like_one(&out) {
        let mut scrubbed = String::with_capacity(out.len());
        for piece in out.split_inclusive(ends) {
            let word = piece.trim_end_matches(ends);
            if look::looks_like_one(word) {
                scrubbed.push_str(super::MASK);
                scrubbed.push_str(&piece[word.len()..]);
            } else {
                scrubbed.push_str(piece);
            }
        }
        out = scrubbed;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_file_are_starred_in_place() {
        let text = "user: admin\npassword: hunter2 # x\nauth:\n  token:\n    - abc\n    - def\n  host: h\napi: { key: 1, apiKey: zzz }\nblob: |\n  a\n";
        let masked = masked(text, &ranges(text));
        assert_eq!(masked.len(), text.len());
        assert_eq!(
            masked,
            "user: admin\npassword: ***********\nauth:\n  token:\n    *****\n    *****\n  host: h\napi: { key: 1, apiKey: *****\nblob: |\n  a\n"
        );
    }

    #[test]
    fn what_an_app_declares_is_no_secret() {
        let text = "secrets:\n  - name: web\n    # x\n    keys:\n      password: { generate: { length: 32 } }\n      token: { provided: a/b } # c\n      pin: { literal: hunter2 }\nuse: { clientSecret: { from: { release: a } }, apiKey: abc }\n";
        let masked = masked(text, &ranges(text));
        for shown in
            ["name: web\n", "keys:\n", "password: { generate: { length: 32 } }\n", "{ provided: a/b }", "{ from: {"]
        {
            assert!(masked.contains(shown), "{masked}");
        }
        assert!(!masked.contains("hunter2") && !masked.contains("abc"), "{masked}");
        for text in
            ["secrets:\n  - name: web\n    value: hunter2\n", "secrets:\n  - hunter2\n", "secrets:\n  web: hunter2\n"]
        {
            assert!(!super::masked(text, &ranges(text)).contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn the_data_of_a_secret_is_starred_wherever_its_kind_stands() {
        for text in [
            "kind: Secret\ndata:\n  a: b2s=\nmetadata:\n  name: x\n",
            "data:\n  a: b2s=\nmetadata:\n  name: x\nkind: Secret\n",
            "kind: ConfigMap\ndata:\n  x: y\n---\nmetadata:\n  name: x\nstringData:\n  a: b2s=\nkind: \"Secret\"\n",
        ] {
            let masked = masked(text, &ranges(text));
            assert!(!masked.contains("b2s=") && masked.contains("name: x"), "{masked}");
        }
    }

    #[test]
    fn who_provides_secrets_is_no_secret() {
        for text in [
            "kind: Environment\ncapabilities:\n  secrets: vault\n  other: x\n",
            "capabilities: { secrets: vault }\n",
            "provides:\n  secrets:\n    backend: vault\n",
        ] {
            assert_eq!(masked(text, &ranges(text)), text);
        }
        for text in [
            "capabilities:\n  secrets: { external: { token: hunter2 } }\n",
            "capabilities: { secrets: vault, x: { password: hunter2 } }\n",
            "capabilities:\n  secrets:\n    external:\n      password: hunter2\n",
            "capabilities:\n  secrets: vault\nsecrets: hunter2\n",
            "other:\n  secrets: hunter2\n",
        ] {
            assert!(!masked(text, &ranges(text)).contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn messages_do_not_repeat_secrets() {
        let text = "password: hunter2\npin: 7\n";
        let secrets = texts(text, &ranges(text));
        assert_eq!(
            scrub("`hunter2` is not a number, `7` is; 17", &secrets),
            "`<secret>` is not a number, `<secret>` is; 17"
        );
        let secrets = texts("auth:\n  token: hunter\n  secrets:\n    type: secret\n    name: web\n", &[15..21, 37..49]);
        assert_eq!(
            scrub("hunter hunters a/hunter secretsBackend", &secrets),
            "<secret> hunters a/<secret> secretsBackend"
        );
        assert_eq!(scrub("xcorrecthorsebatteryx", &["correcthorsebattery".into()]), "x<secret>x");
        assert_eq!(scrub("a b-c", &["b-c".into(), "secret-x".into(), "a b-c".into()]), "<secret>");
        assert_eq!(scrub("got `ghp_abcdefghij0123456789` here", &[]), "got `<secret>` here");
        assert_eq!(scrub("`replicas` is not a string", &[]), "`replicas` is not a string");
    }
}
