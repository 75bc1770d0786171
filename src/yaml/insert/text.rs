//! New entries as text: lines of their own, or between brackets.

use std::fmt::Write as _;

use super::{NewEntry, NewValue};
use crate::yaml::scalar::{self, Kind};

/// Entries as lines below a key at the beginning of its line, for those who have to write them by hand.
pub fn block_lines(entries: &[NewEntry]) -> String {
    block(entries, 2, 2, "\n")
}

/// Entries as lines.
pub(super) fn block(entries: &[NewEntry], indent: usize, step: usize, eol: &str) -> String {
    let (margin, inner) = (" ".repeat(indent), " ".repeat(indent + step));
    let mut out = String::new();
    for entry in entries {
        let empty = if entry.fields.is_empty() { " {}" } else { "" };
        let _ = write!(out, "{margin}{}:{empty}{eol}", word(&entry.key));
        for field in &entry.fields {
            if let Some(comment) = &field.comment {
                let _ = write!(out, "{inner}# {comment}{eol}");
            }
            let _ = write!(out, "{inner}{}: {}{eol}", word(&field.key), value(&field.value));
        }
    }
    out
}

/// Entries between brackets, without the brackets. One with comments takes lines of its own, whose last ends with its
/// bracket.
pub(super) fn flow(entries: &[NewEntry], indent: usize, eol: &str) -> String {
    let (margin, inner) = (" ".repeat(indent), " ".repeat(indent + 2));
    let one = |entry: &NewEntry| {
        let fields = entry.fields.iter().map(|field| format!("{}: {}", word(&field.key), value(&field.value)));
        if entry.fields.iter().all(|field| field.comment.is_none()) {
            let fields = fields.collect::<Vec<_>>().join(", ");
            let inside = if fields.is_empty() { fields } else { format!(" {fields} ") };
            return format!("{}: {{{inside}}}", word(&entry.key));
        }
        let lines = entry.fields.iter().zip(fields).map(|(field, text)| match &field.comment {
            Some(comment) => format!("{inner}# {comment}{eol}{inner}{text}"),
            None => format!("{inner}{text}"),
        });
        format!("{}: {{{eol}{} }}", word(&entry.key), lines.collect::<Vec<_>>().join(&format!(",{eol}")))
    };
    entries.iter().map(one).collect::<Vec<_>>().join(&format!(",{eol}{margin}"))
}

fn value(value: &NewValue) -> String {
    match value {
        NewValue::Text(text) => word(text),
        NewValue::Map(map) => {
            let fields: Vec<String> = map.iter().map(|(key, text)| format!("{}: {}", word(key), word(text))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

/// A text as a scalar, bare where it is one word that everybody reads as a text.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '+' | '-');
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins
        && text.chars().all(plain)
        && scalar::plain(text) == Kind::Str
        && scalar::reads_differently(text).is_none()
    {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}
