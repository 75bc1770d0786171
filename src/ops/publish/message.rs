//! The message of a published commit: what changed in releases, and trailers that say what it was made from.

use std::fmt::Write as _;

use git2::Oid;

use super::changes::Changes;

/// Lines of one list; the rest is counted.
const LONGEST: usize = 50;

/// What a commit was made from.
#[derive(Debug, Clone)]
pub(super) struct Origin<'a> {
    pub project: &'a str,
    pub version: &'a str,
    pub source: Option<Oid>,
    /// The working tree differed from the source commit.
    pub is_modified: bool,
    /// The commit this one follows on.
    pub base: Option<Oid>,
}

pub(super) const PROJECT: &str = "Hlgen-Project";
pub(super) const SOURCE: &str = "Hlgen-Source-Commit";
pub(super) const BASE: &str = "Hlgen-Base";

/// The whole message.
pub(super) fn message(changes: &Changes, origin: &Origin<'_>) -> String {
    let mut text = format!("{}\n\n", subject(changes, origin.project));
    text.push_str(&body(changes));
    let mut trailer = |key: &str, value: &str| _ = writeln!(text, "{key}: {}", one_line(value));
    trailer(PROJECT, origin.project);
    trailer("Hlgen-Version", origin.version);
    if let Some(source) = origin.source {
        trailer(SOURCE, &source.to_string());
    }
    if origin.is_modified {
        trailer("Hlgen-Source-Modified", "true");
    }
    if let Some(base) = origin.base {
        trailer(BASE, &base.to_string());
    }
    text
}

/// One line: `Publish homelab: 1 added, 2 upgraded`.
pub(super) fn subject(changes: &Changes, project: &str) -> String {
    let counts = [
        (changes.added.len(), "added"),
        (changes.removed.len(), "removed"),
        (changes.renamed.len(), "renamed"),
        (changes.versions.len(), "with another version"),
        (changes.changed.len(), "changed"),
    ];
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if counts.is_empty() {
        return format!("Publish {project}: no release changed");
    }
    format!("Publish {project}: {}", counts.join(", "))
}

/// The lists, each followed by an empty line.
pub(super) fn body(changes: &Changes) -> String {
    let mut text = String::new();
    let mut list = |title: &str, lines: Vec<String>| {
        if lines.is_empty() {
            return;
        }
        _ = writeln!(text, "{title}:");
        for line in lines.iter().take(LONGEST) {
            _ = writeln!(text, "- {}", one_line(line));
        }
        if lines.len() > LONGEST {
            _ = writeln!(text, "- and {} more", lines.len() - LONGEST);
        }
        text.push('\n');
    };
    list("Added", changes.added.iter().map(ToString::to_string).collect());
    list("Removed", changes.removed.iter().map(ToString::to_string).collect());
    let renamed = changes.renamed.iter().map(|renamed| {
        if renamed.from == renamed.to {
            format!("{}: Application {} -> {}", renamed.from, renamed.applications.0, renamed.applications.1)
        } else {
            format!("{} -> {}", renamed.from, renamed.to)
        }
    });
    list("Renamed", renamed.collect());
    let shown = |version: &str| if version.is_empty() { "none".to_owned() } else { version.to_owned() };
    let versions = changes.versions.iter().map(|(id, (old, new))| format!("{id}: {} -> {}", shown(old), shown(new)));
    list("Versions", versions.collect());
    list("Changed", changes.changed.iter().map(ToString::to_string).collect());
    let others = match changes.others {
        0 => Vec::new(),
        1 => vec!["1 file".to_owned()],
        count => vec![format!("{count} files")],
    };
    list("Namespaces, AppProjects and roots", others);
    text
}

/// A trailer of a message's last paragraph.
pub(super) fn trailer<'m>(message: &'m str, key: &str) -> Option<&'m str> {
    let last = message.trim_end().rsplit("\n\n").next()?;
    last.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::inventory::ReleaseId;
    use super::*;

    #[test]
    fn a_message_says_what_changed_and_where_it_comes_from() {
        let id = |release: &str| ReleaseId { environment: "prod".into(), release: release.into() };
        let mut changes = Changes::default();
        changes.added.insert(id("web"));
        changes.versions.insert(id("db"), ("1.0\nHlgen-Project: other".into(), "2.0".into()));
        let source = Oid::from_str("0123456789012345678901234567890123456789").ok();
        let origin = Origin { project: "homelab", version: "0.1.0", source, is_modified: false, base: None };
        let text = message(&changes, &origin);
        assert_eq!(
            text,
            "Publish homelab: 1 added, 1 with another version\n\nAdded:\n- prod/web\n\nVersions:\n\
             - prod/db: 1.0 Hlgen-Project: other -> 2.0\n\nHlgen-Project: homelab\nHlgen-Version: 0.1.0\n\
             Hlgen-Source-Commit: 0123456789012345678901234567890123456789\n"
        );
        assert_eq!(trailer(&text, PROJECT), Some("homelab"));
        assert_eq!(trailer(&text, BASE), None);
    }
}
