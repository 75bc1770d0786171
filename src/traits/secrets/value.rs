//! What a Secret is made of, once references are followed: plain text and values that lie in a store.

use super::follow::Walk;
use crate::diag::Diagnostic;
use crate::model::{Generate, Secret};
use crate::traits::Context;

/// Where a value that is no plain text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin<'s> {
    Generated(Generated<'s>),
    /// Put by a person at this path (`path#property`).
    Provided(String),
}

/// A generated value and the names that make it the only one of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Generated<'s> {
    pub environment: &'s str,
    pub release: &'s str,
    pub namespace: &'s str,
    pub secret: &'s str,
    pub key: &'s str,
    pub how: &'s Generate,
}

impl Origin<'_> {
    /// The path of the value in a store.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Provided(path) => path.split('#').next().unwrap_or_default().to_owned(),
            Self::Generated(Generated { environment, release, secret, key, .. }) => {
                format!("generated/{environment}/{release}/{secret}/{key}")
            }
        }
    }
}

/// A piece of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'s> {
    Text(String),
    Stored(Origin<'s>),
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Entry<'s> {
    pub key: &'s str,
    pub parts: Vec<Part<'s>>,
}

impl<'s> Entry<'s> {
    /// Where the value lies, if it is one that lies somewhere and nothing else.
    pub(super) fn direct(&self) -> Option<&Origin<'s>> {
        match self.parts.as_slice() {
            [Part::Stored(origin)] => Some(origin),
            _ => None,
        }
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = &Origin<'s>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Stored(origin) => Some(origin),
            Part::Text(_) => None,
        })
    }

    /// The value, if nothing of it is secret.
    pub(super) fn text(&self) -> Option<String> {
        let text = |part: &Part<'_>| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Stored(_) => None,
        };
        self.parts.iter().map(text).collect()
    }
}

/// A Secret with all its values.
#[derive(Debug)]
pub(super) struct Contents<'s> {
    pub secret: &'s Secret,
    pub entries: Vec<Entry<'s>>,
}

impl<'s> Contents<'s> {
    /// Follows the keys of a Secret of the release in `context`.
    ///
    /// # Errors
    /// The keys that lead nowhere, each with a finding without a place.
    pub(super) fn of(context: &Context<'s>, secret: &'s Secret) -> Result<Self, Vec<(&'s str, Diagnostic)>> {
        let mut walk = Walk::new(context);
        let (mut entries, mut wrong) = (Vec::new(), Vec::new());
        for (key, source) in &secret.keys {
            match walk.follow(secret, key, source) {
                Ok(parts) => entries.push(Entry { key, parts: joined(parts) }),
                Err(finding) => wrong.push((key.as_str(), *finding)),
            }
        }
        if wrong.is_empty() { Ok(Self { secret, entries }) } else { Err(wrong) }
    }

    /// The key that holds a value as it is.
    pub(super) fn key_of(&self, origin: &Origin<'_>) -> Option<&'s str> {
        self.entries.iter().find(|entry| entry.direct() == Some(origin)).map(|entry| entry.key)
    }

    /// Nothing in it is secret.
    pub(super) fn is_plain(&self) -> bool {
        self.entries.iter().all(|entry| entry.origins().next().is_none())
    }

    /// The type of the Secret where its keys ask for one.
    pub(super) fn kind(&self) -> Option<&'static str> {
        let has = |key: &str| self.entries.iter().any(|entry| entry.key == key);
        if has("tls.crt") && has("tls.key") {
            Some("kubernetes.io/tls")
        } else if has(".dockerconfigjson") {
            Some("kubernetes.io/dockerconfigjson")
        } else {
            None
        }
    }
}

/// Texts that follow one another become one.
fn joined(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let mut all: Vec<Part<'_>> = Vec::new();
    for part in parts {
        match (all.last_mut(), part) {
            (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
            (_, part) => all.push(part),
        }
    }
    all
}
