//! Differences as text: for terminals, reviews, machines and browsers. `view` says what is shown and in which order; the
//! formats draw it.

mod html;
mod human;
mod markdown;
mod view;

pub use html::html;
pub use human::human;
pub use markdown::{Options, markdown};

use crate::diff::Changes;

/// The changes for machines.
pub fn json(changes: &Changes) -> String {
    let value = serde_json::to_value(changes).unwrap_or_default();
    super::text::json(super::json_lines(&value))
}

/// One line: `main (1f2e3d4c5b) -> working tree: 2 releases changed`.
pub fn summary(changes: &Changes) -> String {
    view::summary(changes)
}
