//! The entry of an app below `apps:`: which app, where, and its version with the comment by which Renovate finds it.
//!
//! A built-in app is pinned, so that an upgrade of hlgen upgrades no chart behind anybody's back. The version of an app
//! in the repository's own catalog stands in its `app.yaml` already, and one place is enough for it.

use crate::merge::{Path, Step};
use crate::model::ReleaseName;
use crate::resolve::catalog::AppDef;
use crate::yaml::insert::{NewEntry, NewField, NewValue};

/// How an app is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    pub release: ReleaseName,
    /// Where it differs from the app's.
    pub namespace: Option<String>,
    /// Which release serves a capability.
    pub uses: Vec<(String, String)>,
}

/// The entry of an app, with its version last.
pub fn entry(app: &AppDef, install: &Install) -> NewEntry {
    let field =
        |key: &str, text: &str| NewField { comment: None, key: key.to_owned(), value: NewValue::Text(text.to_owned()) };
    let mut fields = Vec::new();
    if install.release.as_str() != app.name.as_str() {
        fields.push(field("app", app.name.as_str()));
    }
    fields.extend(install.namespace.as_deref().map(|namespace| field("namespace", namespace)));
    if !install.uses.is_empty() {
        fields.push(NewField { comment: None, key: "use".to_owned(), value: NewValue::Map(install.uses.clone()) });
    }
    if let Some(Pin { version, comment }) = pin(app) {
        fields.push(NewField { comment, key: "version".to_owned(), value: NewValue::Text(version) });
    }
    NewEntry { key: install.release.to_string(), fields }
}

/// The version of a built-in app and Renovate's comment above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    pub version: String,
    /// Without its `#`.
    pub comment: Option<String>,
}

/// What an app is pinned to; nothing for one of the repository's own, and for one without chart or Git source.
pub fn pin(app: &AppDef) -> Option<Pin> {
    if !app.builtin {
        return None;
    }
    [&["version"][..], &["chart", "version"], &["git", "revision"]].into_iter().find_map(|path| {
        let path = Path(path.iter().map(|key| Step::Key((*key).to_owned())).collect());
        let (doc, node) = app.node(&path)?;
        let comment = line_above(doc.file_text(), doc.span(node).start as usize);
        let comment = comment.and_then(|line| line.trim().strip_prefix('#')).map(str::trim);
        let comment = comment.filter(|comment| comment.starts_with("renovate:")).map(str::to_owned);
        Some(Pin { version: doc.text(node).to_owned(), comment })
    })
}

/// The line above the one that a place is on.
fn line_above(text: &str, at: usize) -> Option<&str> {
    let line = text[..at].rfind('\n')?;
    text[..line].rsplit('\n').next()
}
