//! Markdown for reviews: cautions and a summary first, then one closed `<details>` for each app.

use crate::diff::Changes;

/// How a review is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Bytes it may have; what does not fit is left out whole, app by app, and counted. 0: no limit.
    pub limit: usize,
    /// What a place's file and line are put behind to make a link: `https://git.example.com/o/r/src/commit/<sha>/`
    /// gives `.../catalog/x/app.yaml#L3`. None: no links.
    pub head_link: Option<&'a str>,
    pub base_link: Option<&'a str>,
}

/// The changes as Markdown that ends with a line end. Nothing in it can break out of its place: no HTML, mention, image
/// or fence of somebody else's.
pub fn markdown(changes: &Changes, options: &Options<'_>) -> String {
    let _ = options;
    if changes.is_empty() { "No differences.\n".to_owned() } else { String::new() }
}
