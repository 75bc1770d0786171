//! What a person types to make a Secret: a command without a value in it. What is generated elsewhere the shell generates
//! here; what only the person has is read from a file that stands for `${FILE}`.

use super::check::is_key;
use super::generated::alphabet;
use super::value::{Contents, Entry, Generated, Origin, Part};
use crate::argocd::names::is_dns_subdomain;
use crate::model::Generate;

/// The environment whose cluster the command is meant for, and the namespace of the Secret.
#[derive(Clone, Copy)]
pub(super) struct For<'f> {
    pub environment: &'f str,
    pub namespace: &'f str,
    pub release: &'f str,
}

/// `kubectl create secret ...` with the given keys of a Secret.
pub(super) fn create<'s>(
    contents: &Contents<'s>,
    entries: impl Iterator<Item = &'s Entry<'s>>,
    place: For<'_>,
    options: &[&str],
) -> String {
    let mut words = vec![
        "kubectl create secret generic".to_owned(),
        contents.secret.name.clone(),
        format!("--namespace {}", quoted(place.namespace)),
    ];
    words.extend(contents.kind().map(|kind| format!("--type {kind}")));
    words.extend(options.iter().map(|option| (*option).to_owned()));
    words.extend(entries.map(|entry| argument(contents, entry, place)));
    words.join(" ")
}

fn argument(contents: &Contents<'_>, entry: &Entry<'_>, place: For<'_>) -> String {
    let key = entry.key;
    match entry.parts.as_slice() {
        [Part::Stored(Origin::Generated(generated))] => {
            let here = generated.environment == place.environment;
            // Another release's names are not checked yet; what could mean more to a shell is no part of a command.
            let plain = is_dns_subdomain(generated.secret) && is_key(generated.key);
            if here && generated.release == place.release {
                format!("--from-literal={key}=\"$({})\"", random(generated.how))
            } else if here && plain {
                format!("--from-literal={key}=\"$({})\"", copied(generated))
            } else {
                format!("--from-file={key}=${{FILE}}")
            }
        }
        [Part::Stored(Origin::Provided(_))] => format!("--from-file={key}=${{FILE}}"),
        parts => {
            let text: String = parts
                .iter()
                .map(|part| match part {
                    Part::Text(text) => text.clone(),
                    Part::Stored(origin) => format!("<{}>", contents.key_of(origin).unwrap_or("value")),
                })
                .collect();
            format!("--from-literal={key}={}", quoted(&text))
        }
    }
}

/// A command that prints a new value.
fn random(how: &Generate) -> String {
    let characters = match &how.alphabet {
        None => "A-Za-z0-9".to_owned(),
        Some(_) => set(alphabet(how)),
    };
    format!("LC_ALL=C tr -dc {} </dev/urandom | head -c {}", quoted(&characters), how.length)
}

/// Characters as `tr` takes them one by one: a hyphen last, where it is no range, and no escape.
fn set(characters: &str) -> String {
    let others = characters.chars().filter(|c| *c != '-');
    let mut set: String = others.flat_map(|c| if c == '\\' { vec!['\\', '\\'] } else { vec![c] }).collect();
    if characters.contains('-') {
        set.push('-');
    }
    set
}

/// A command that prints a value which another Secret of the cluster has.
fn copied(generated: &Generated<'_>) -> String {
    let Generated { namespace, secret, key, .. } = generated;
    // A dot in a key would be a step of the path.
    let key = key.replace('.', "\\.");
    format!(
        "kubectl get secret {secret} --namespace {} --output jsonpath='{{.data.{key}}}' | base64 -d",
        quoted(namespace)
    )
}

/// A text as one word of a shell.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell() {
        assert_eq!(quoted("admin@example.com"), "admin@example.com");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn characters_that_tr_would_read_otherwise() {
        let random = |alphabet: &str| random(&Generate { length: 4, alphabet: Some(alphabet.into()) });
        assert_eq!(random("a-z"), "LC_ALL=C tr -dc az- </dev/urandom | head -c 4");
        assert_eq!(random(r"\n!"), r"LC_ALL=C tr -dc '\\n!' </dev/urandom | head -c 4");
    }
}
