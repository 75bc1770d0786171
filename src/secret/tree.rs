//! Trees: which of their scalars are secret, by where they stand and what they are.

use serde_json::Value as Json;

use super::{look, name};

/// What is known of a place in a tree from the way that led there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing: a text is judged by its looks.
    Open,
    /// Everything below is secret.
    Secret,
    /// The top of a Kubernetes Secret: its data is secret.
    SecretObject,
    /// The top of an object that holds ciphertext or names where secrets are kept.
    Reference,
    /// Below a key that only refers to a secret: names, not secrets.
    About,
    /// Ciphertext, which may be shown as long as it looks like it.
    Cipher,
}

impl Place {
    /// The root of a tree: a Kubernetes object is known by its kind.
    pub fn root(tree: &Json) -> Self {
        Self::of_kind(tree.get("kind").and_then(Json::as_str))
    }

    /// The same, by the object's kind alone.
    pub(super) fn of_kind(kind: Option<&str>) -> Self {
        match kind {
            Some("Secret") => Self::SecretObject,
            Some("SealedSecret" | "ExternalSecret" | "ClusterExternalSecret" | "PushSecret") => Self::Reference,
            // A generator of External Secrets: what a password will look like. An alphabet looks random.
            Some("Password") => Self::About,
            _ => Self::Open,
        }
    }

    /// The place below a key. `map` is the map that holds it: `{ name: DB_PASSWORD, value: ... }` names the secret in
    /// another entry.
    #[must_use]
    pub fn key(self, key: &str, map: &Json) -> Self {
        if let (Self::Open, Some(object)) = (self, object_at(key, map)) {
            return Self::root(object);
        }
        let named = name::names_one(key);
        self.key_of(key, named, &|field| Some(map.get(field)?.as_str().unwrap_or_default()))
    }

    /// The same for any kind of map: `text_of` gives the text of a field, which is empty where it holds none; `named` is
    /// [`name::names_one`] of the key.
    pub(super) fn key_of<'t>(self, key: &str, named: bool, text_of: &dyn Fn(&str) -> Option<&'t str>) -> Self {
        match self {
            Self::Secret | Self::Cipher => self,
            Self::Reference if key == "encryptedData" => Self::Cipher,
            Self::SecretObject => match key {
                "metadata" => Self::Open,
                "apiVersion" | "kind" | "type" | "immutable" => Self::About,
                // `data`, `stringData`, and whatever else there might be.
                _ => Self::Secret,
            },
            Self::Reference if matches!(key, "secretKey" | "remoteRef" | "secretStoreRef" | "target") => Self::About,
            // `selector: { secret: { name } }` of a PushSecret.
            Self::Reference if key == "secret" && text_of(key) == Some("") => Self::About,
            Self::Reference if !named => match key {
                "spec" | "data" | "metadata" | "match" | "selector" => Self::Reference,
                _ => Self::Open,
            },
            Self::About if !named => Self::About,
            _ if name::refers(key) => Self::About,
            _ if named => Self::Secret,
            _ if matches!(key, "value" | "default" | "content" | "data") && labelled(text_of) => Self::Secret,
            _ => Self::Open,
        }
    }

    /// The place of an item; `before` is the item in front of it: `["--password", "..."]`.
    #[must_use]
    pub fn item(self, before: Option<&Json>) -> Self {
        let flag = before.and_then(Json::as_str).filter(|text| text.starts_with('-') && !text.contains('='));
        match self {
            Self::Open if flag.is_some_and(name::names_one) => Self::Secret,
            place => place,
        }
    }

    /// Whether a scalar here must not be shown. Truth, null and the empty text give nothing away.
    pub fn hides(self, value: &Json) -> bool {
        match value {
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => false,
            Json::String(text) if text.is_empty() => false,
            Json::String(text) => match self {
                Self::Secret | Self::SecretObject => true,
                Self::Open | Self::Reference => look::looks_like_one(text),
                // Ciphertext and names look random; what is marked as a token is one.
                Self::About => text.contains("PRIVATE KEY"),
                Self::Cipher => {
                    text.len() < 64 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
                }
            },
            Json::Number(_) => matches!(self, Self::Secret | Self::SecretObject | Self::Cipher),
        }
    }

    /// Whether anything in a tree at this place must not be shown: then the whole of it is hidden.
    pub fn hides_any(self, tree: &Json) -> bool {
        match tree {
            Json::Object(map) => {
                map.iter().any(|(key, value)| look::looks_like_one(key) || self.key(key, tree).hides_any(value))
            }
            Json::Array(items) => items
                .iter()
                .enumerate()
                .any(|(at, item)| self.item(at.checked_sub(1).map(|at| &items[at])).hides_any(item)),
            scalar => self.hides(scalar),
        }
    }
}

/// An object among others, under its kind and name: `ExternalSecret/db-password`.
fn object_at<'m>(key: &str, map: &'m Json) -> Option<&'m Json> {
    let (kind, _) = key.split_once('/')?;
    let object = map.get(key)?;
    (object.get("kind")?.as_str()? == kind && object.get("apiVersion")?.is_string()).then_some(object)
}

/// `{ name: DB_PASSWORD, value: ... }`: the map says of its value that it is secret.
fn labelled<'t>(text_of: &dyn Fn(&str) -> Option<&'t str>) -> bool {
    ["name", "key", "path", "field", "header"].into_iter().filter_map(text_of).any(name::names_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hidden(tree: &Json) -> bool {
        Place::root(tree).hides_any(tree)
    }

    #[test]
    fn secrets_by_their_place() {
        for tree in [
            json!({ "kind": "Secret", "data": { "x": "eA==" } }),
            json!({ "kind": "Secret", "stringData": { "x": "y" } }),
            json!({ "a": { "adminPassword": "x" } }),
            json!({ "auth": { "password": { "value": 12345 } } }),
            json!({ "env": [{ "name": "DB_PASSWORD", "value": "x" }] }),
            json!({ "args": ["--token", "abc"] }),
            json!({ "args": ["--token=abc"] }),
            json!({ "url": "postgres://u:p@h/d" }),
            json!({ "passwords": ["x", "y"] }),
            json!({ "Secret/x": { "apiVersion": "v1", "kind": "Secret", "data": { "x": "eA==" } } }),
            json!({ "Kind/password": { "kind": "Kind", "a": "x" } }),
            json!({ "kind": "PushSecret", "spec": { "selector": { "secret": "x" } } }),
            json!({ "kind": "SealedSecret", "spec": { "encryptedData": { "password": "not sealed" } } }),
        ] {
            assert!(hidden(&tree), "{tree}");
        }
        for tree in [
            json!({ "kind": "Secret", "metadata": { "name": "x" }, "type": "Opaque" }),
            json!({ "existingSecret": "grafana-admin" }),
            json!({ "env": [{ "name": "DB_PASSWORD", "valueFrom": { "secretKeyRef": { "name": "x", "key": "password" } } }] }),
            json!({ "kind": "SealedSecret", "spec": { "encryptedData": { "password": "AgBy8hCi8kYt0fXm3wq1zU".repeat(4) } } }),
            json!({ "kind": "PushSecret", "spec": {
                "selector": { "secret": { "name": "x" } },
                "data": [{ "match": { "secretKey": "value", "remoteRef": { "remoteKey": "a/password" } } }],
            } }),
            json!({ "kind": "Password", "spec": { "symbolCharacters": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" } }),
            json!({ "ExternalSecret/db-password": {
                "apiVersion": "x", "kind": "ExternalSecret", "spec": { "data": [{ "secretKey": "password" }] },
            } }),
            json!({ "password": "", "token": null, "secret": { "enabled": true } }),
        ] {
            assert!(!hidden(&tree), "{tree}");
        }
    }
}
