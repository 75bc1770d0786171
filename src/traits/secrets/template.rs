//! Values as the templates of External Secrets and Sealed Secrets, which are both Go's with the keys of the Secret as data.

use super::value::{Contents, Entry, Part};

/// A value as a template: text as it is, stored values by the keys that hold them. `name` gives those keys.
pub(super) fn go(parts: &[Part<'_>], mut name: impl FnMut(&super::value::Origin<'_>) -> String) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(&literal(text)),
            Part::Stored(origin) => out.push_str(&reference(&name(origin))),
        }
    }
    out
}

/// Text that a template gives as it is. Braces that could begin an action stand inside of one.
fn literal(text: &str) -> String {
    if text.contains("{{") || text.ends_with('{') {
        format!("{{{{ {} }}}}", serde_json::Value::from(text))
    } else {
        text.to_owned()
    }
}

/// The value of a key.
pub(super) fn reference(key: &str) -> String {
    let word = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if word { format!("{{{{ .{key} }}}}") } else { format!("{{{{ index . {} }}}}", serde_json::Value::from(key)) }
}

/// Whether a value can be put together from keys that the Secret has anyway.
pub(super) fn is_composed_of_own(contents: &Contents<'_>, entry: &Entry<'_>) -> bool {
    entry.direct().is_none() && entry.origins().all(|origin| contents.key_of(origin).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_what_it_is() {
        assert_eq!(literal("admin"), "admin");
        assert_eq!(literal(r#"{"a": {"b": 1}}"#), r#"{"a": {"b": 1}}"#);
        assert_eq!(literal("x {{ .Values }}\n"), r#"{{ "x {{ .Values }}\n" }}"#);
        assert_eq!(literal("user:{"), r#"{{ "user:{" }}"#);
        assert_eq!(go(&[Part::Text("{".into()), Part::Text("a}}".into())], |_| String::new()), r#"{{ "{" }}a}}"#);
    }

    #[test]
    fn keys_are_named() {
        assert_eq!(reference("db_password"), "{{ .db_password }}");
        assert_eq!(reference("tls.key"), r#"{{ index . "tls.key" }}"#);
        assert_eq!(reference("0a"), r#"{{ index . "0a" }}"#);
    }
}
