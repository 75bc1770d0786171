//! `image/tag`: an image whose next start may run something else.
//!
//! `paths.image` leads to a whole reference (`ghcr.io/x/y:1.2.3`) or to a map as charts have it (`repository`, `tag`,
//! `digest`); `paths.tag` to a tag alone. A map without a tag is complete where the chart is known to fill it in: with the
//! version of the app it was made for.

use serde_json::{Map, Value as Json};

use super::Subject;
use crate::diag::{Code, Diagnostic};
use crate::merge::Path;
use crate::secret;

/// What a reference lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Tag,
    /// The tag moves.
    Version,
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for setting in subject.settings("image").into_iter().flat_map(|(_, settings)| settings) {
        let found = match &setting.value {
            Json::String(text) => lack(text).map(|lack| (setting.path.clone(), subject_of(text, lack), lack)),
            Json::Object(map) => lack_of_map(subject, &setting.path, map),
            _ => None,
        };
        if let Some((path, text, lack)) = found {
            findings.push(finding(subject, "image", &path, text, lack));
        }
    }
    for setting in subject.settings("tag").into_iter().flat_map(|(_, settings)| settings) {
        if let Some(tag) = setting.value.as_str().filter(|tag| moves(tag)) {
            findings.push(finding(subject, "tag", &setting.path, tag, Lack::Version));
        }
    }
}

fn finding(subject: &Subject<'_>, name: &str, path: &Path, text: &str, lack: Lack) -> Diagnostic {
    let text = secret::shown(text);
    let message = match lack {
        Lack::Tag => format!("the image `{text}` has no tag, which means `latest`"),
        Lack::Version => {
            format!("the image of `{}` has the tag `{text}`, which names no version", subject.release().name)
        }
    };
    let finding = subject.finding(Code::ImageTag, message, name, path);
    finding.help("write the version that is to run, or a digest (`@sha256:...`); else a restart may bring another one")
}

/// What a reference lacks: `registry/name:tag@digest`.
fn lack(reference: &str) -> Option<Lack> {
    // Text that the chart evaluates is not ours to read.
    if reference.is_empty() || reference.contains("{{") || reference.contains('@') {
        return None;
    }
    match reference.rsplit('/').next().and_then(|last| last.split_once(':')) {
        None | Some((_, "")) => Some(Lack::Tag),
        Some((_, tag)) => moves(tag).then_some(Lack::Version),
    }
}

fn lack_of_map<'m>(subject: &Subject<'_>, path: &Path, map: &'m Map<String, Json>) -> Option<(Path, &'m str, Lack)> {
    let text = |key: &str| map.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let below = |key: &str| {
        let mut path = path.clone();
        path.push_key(key);
        path
    };
    if ["digest", "sha", "sha256"].into_iter().any(|key| text(key).is_some()) {
        return None;
    }
    match map.get("tag") {
        // A number is a tag that somebody forgot to quote, and a tag all the same.
        Some(Json::Number(_)) => return None,
        Some(Json::String(tag)) if !tag.is_empty() => {
            return moves(tag).then(|| (below("tag"), tag.as_str(), Lack::Version));
        }
        _ => {}
    }
    let filled_in = subject.schema.is_some_and(|schema| schema.names(&below("tag")) || schema.names(&below("digest")));
    let key = ["repository", "name"].into_iter().find(|key| text(key).is_some())?;
    let repository = text(key)?;
    match lack(repository) {
        Some(Lack::Tag) if filled_in => None,
        lack => lack.map(|lack| (below(key), subject_of(repository, lack), lack)),
    }
}

/// What a message is about: the tag that moves, or the whole reference that has none.
fn subject_of(reference: &str, lack: Lack) -> &str {
    match (lack, reference.rsplit_once(':')) {
        (Lack::Version, Some((_, tag))) => tag,
        _ => reference,
    }
}

/// Whether a tag says of itself that it moves.
fn moves(tag: &str) -> bool {
    tag == "latest" || tag.starts_with("latest-") || tag.ends_with("-latest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        for (text, expected) in [
            ("nginx", Some(Lack::Tag)),
            ("registry:5000/nginx", Some(Lack::Tag)),
            ("nginx:", Some(Lack::Tag)),
            ("nginx:latest", Some(Lack::Version)),
            ("ghcr.io/x/y:latest-alpine", Some(Lack::Version)),
            ("ghcr.io/x/y:server-latest", Some(Lack::Version)),
            ("nginx:1.27", None),
            ("registry:5000/nginx:1.27", None),
            ("nginx@sha256:9f86d0", None),
            ("nginx:latest@sha256:9f86d0", None),
            ("{{ .Values.image }}", None),
            ("", None),
        ] {
            assert_eq!(lack(text), expected, "{text}");
        }
    }
}
