//! Differences as text.

mod markdown;

pub use markdown::{Options, markdown};
