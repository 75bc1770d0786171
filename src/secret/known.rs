//! Secrets that are known by their text, wherever they turn up: what a template read under a name of a secret may be written
//! under a harmless one, or into the middle of a text.

use std::collections::BTreeSet;

use base64::Engine as _;
use serde_json::Value as Json;

use super::{Place, name};

/// Letters from which on a text counts inside of another one, too; any word may hold a shorter one.
const INSIDE_MIN: usize = 6;

/// Texts that must not be shown.
#[derive(Debug, Clone, Default)]
pub struct Known {
    texts: BTreeSet<String>,
}

impl Known {
    /// Adds every secret of a tree.
    pub fn learn(&mut self, tree: &Json) {
        self.walk(tree, Place::root(tree));
    }

    fn walk(&mut self, tree: &Json, place: Place) {
        match tree {
            Json::Object(map) => map.iter().for_each(|(key, value)| self.walk(value, place.key(key, tree))),
            Json::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.walk(item, place.item(at.checked_sub(1).map(|at| &items[at])));
                }
            }
            scalar if place.hides(scalar) => self.add(scalar),
            _ => {}
        }
    }

    /// Adds all scalars of a tree: the result of a template that read a secret.
    pub fn add(&mut self, tree: &Json) {
        match tree {
            Json::Null | Json::Bool(_) => {}
            Json::Object(map) => map.values().for_each(|value| self.add(value)),
            Json::Array(items) => items.iter().for_each(|item| self.add(item)),
            Json::String(text) => self.text(text),
            Json::Number(number) => self.text(&number.to_string()),
        }
    }

    fn text(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if text.len() >= INSIDE_MIN {
            self.texts.insert(base64::engine::general_purpose::STANDARD.encode(text));
        }
        self.texts.insert(text.to_owned());
    }

    /// Adds what another one knows.
    pub fn join(&mut self, other: &Self) {
        self.texts.extend(other.texts.iter().cloned());
    }

    /// Whether a text is, or holds, a known secret.
    pub fn is_in(&self, text: &str) -> bool {
        self.texts.contains(text.trim())
            || self.texts.iter().any(|known| known.len() >= INSIDE_MIN && text.contains(known.as_str()))
    }

    /// Whether a tree holds a known secret.
    pub fn is_in_any(&self, tree: &Json) -> bool {
        match tree {
            Json::Null | Json::Bool(_) => false,
            Json::Object(map) => map.iter().any(|(key, value)| self.is_in(key) || self.is_in_any(value)),
            Json::Array(items) => items.iter().any(|item| self.is_in_any(item)),
            Json::String(text) => self.is_in(text),
            Json::Number(number) => self.is_in(&number.to_string()),
        }
    }
}

/// Whether a name that a template reads (`vars.dbPassword`, `values.auth.token`) is that of a secret. The data of built-in
/// capabilities names Secrets (`cap.postgres.secret`) and holds none.
pub fn reads_one(read: &str) -> bool {
    let mut steps = read.split('.');
    let capability = read.starts_with("cap.");
    steps.any(|step| name::names_one(step) && !(capability && names_secret(step)))
}

/// Whether a field of a capability's data holds the name of a Secret.
pub fn names_secret(field: &str) -> bool {
    matches!(field, "secret" | "superuserSecret" | "secrets")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_known_wherever_it_turns_up() {
        let mut known = Known::default();
        known.learn(&json!({ "dbPassword": "hunter2", "pin": 77, "host": "db" }));
        assert!(known.is_in("x-hunter2-y") && known.is_in("77") && known.is_in("aHVudGVyMg=="));
        assert!(!known.is_in("177") && !known.is_in("db"));
        assert!(reads_one("vars.dbPassword") && reads_one("cap.redis.password") && !reads_one("cap.postgres.secret"));
    }
}
