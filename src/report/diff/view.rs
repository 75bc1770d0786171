//! What every format shows, in the order it is shown: sections of entries with marks, words and places. The formats only
//! draw it, so none can forget a part.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::diff::Changes;
use crate::diff::changes::{
    AppChange, Caution, Finding, ItemKind, ObjectChange, PathChange, Place, Shown, Status, Weight,
};
use crate::diff::text::{self, Line};

/// Names that are listed before the rest is only counted.
const NAMES: usize = 6;
/// Bytes of a value on one line; beyond that it is shown as lines, or cut.
const INLINE: usize = 60;
const LONG: usize = 400;
/// Lines of one value that are shown.
const LINES: usize = 60;

/// What an entry begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Added,
    Removed,
    Changed,
    Danger,
    Warning,
    Error,
    None,
}

impl From<Status> for Mark {
    fn from(status: Status) -> Self {
        match status {
            Status::Added => Self::Added,
            Status::Removed => Self::Removed,
            Status::Changed | Status::Renamed => Self::Changed,
        }
    }
}

/// A piece of an entry's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// Ours.
    Text(String),
    /// Somebody's: a name, a path.
    Code(String),
    /// A value as it was, and as it is.
    Old(String),
    New(String),
    /// What is not shown.
    Secret,
    /// A word that says what the value is: `image`, `replicas`.
    Tag(String),
}

/// Whether a text goes on right behind a name, without a space.
pub(super) fn follows(text: &str) -> bool {
    text.starts_with([',', ':', ';', '.', ')', '?', '!'])
}

/// A line with what belongs below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub mark: Mark,
    pub words: Vec<Word>,
    /// For whom it holds, ready to be shown.
    pub on: String,
    pub place: Option<Place>,
    pub in_base: bool,
    pub lines: Vec<Line>,
    pub children: Vec<Entry>,
}

impl Entry {
    fn new(mark: Mark, words: Vec<Word>) -> Self {
        Self { mark, words, on: String::new(), place: None, in_base: false, lines: Vec::new(), children: Vec::new() }
    }
}

/// A titled part of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub title: &'static str,
    pub entries: Vec<Entry>,
}

/// An app, or what is around the releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// An app's name is somebody's, the other titles are ours.
    pub app: Option<String>,
    pub title: String,
    /// `changed on dev-kind and prod-eks`.
    pub subtitle: String,
    pub groups: Vec<Group>,
}

/// The whole page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub base: String,
    pub head: String,
    pub summary: String,
    /// Why a side is broken; then there is nothing else.
    pub broken: Vec<Group>,
    pub cautions: Vec<Entry>,
    pub findings: Vec<Entry>,
    pub sections: Vec<Section>,
}

/// Puts everything in its place.
pub(super) fn view(changes: &Changes) -> View {
    let name = |side: &crate::diff::changes::SideInfo| match &side.commit {
        Some(commit) if commit.starts_with(&side.name) => commit.chars().take(10).collect(),
        Some(commit) => format!("{} ({})", side.name, commit.chars().take(10).collect::<String>()),
        None => side.name.clone(),
    };
    let (base, head) = (name(&changes.base), name(&changes.head));
    let mut broken = Vec::new();
    for (side, title) in
        [(&changes.base, "The base cannot be computed"), (&changes.head, "The head cannot be computed")]
    {
        if !side.broken.is_empty() {
            broken.push(Group { title, entries: side.broken.iter().map(finding).collect() });
        }
    }
    let mut sections: Vec<Section> = changes.apps.iter().map(app).collect();
    if !changes.sets.is_empty() {
        let entries = changes.sets.iter().map(|set| {
            let mut words = vec![Word::Code(set.name.clone()), Word::Text(format!("of instance {}", set.instance))];
            for (sign, clusters) in [("gains", &set.clusters_added), ("loses", &set.clusters_removed)] {
                if !clusters.is_empty() {
                    words.push(Word::Text(sign.to_owned()));
                    words.push(Word::Code(names(clusters)));
                }
            }
            Entry::new(set.status.into(), words)
        });
        sections.push(Section {
            app: None,
            title: "ApplicationSets".into(),
            subtitle: count(changes.sets.len(), "set"),
            groups: vec![Group { title: "", entries: entries.collect() }],
        });
    }
    if !changes.items.is_empty() {
        let entries = changes.items.iter().map(|item| {
            let kind = match item.kind {
                ItemKind::Project => "project",
                ItemKind::Instance => "instance",
                ItemKind::Environment => "environment",
                ItemKind::Cluster => "cluster",
                ItemKind::Namespace => "namespace",
                ItemKind::AppProject => "AppProject",
                ItemKind::Capability => "capability",
            };
            let mut entry =
                Entry::new(item.status.into(), vec![Word::Text(kind.to_owned()), Word::Code(item.name.clone())]);
            entry.children = item.changes.iter().map(path_change).collect();
            entry
        });
        sections.push(Section {
            app: None,
            title: "Around the releases".into(),
            subtitle: count(changes.items.len(), "change"),
            groups: vec![Group { title: "", entries: entries.collect() }],
        });
    }
    View {
        base,
        head,
        summary: summary(changes),
        broken,
        cautions: changes.cautions.iter().map(caution).collect(),
        findings: changes.findings.iter().map(finding).collect(),
        sections,
    }
}

/// `2 releases changed, 1 added; 1 Application goes`.
pub(super) fn summary(changes: &Changes) -> String {
    if changes.is_broken() {
        return "cannot be compared".into();
    }
    let counts = &changes.counts;
    let mut parts: Vec<String> = Vec::new();
    for (number, word) in [
        (counts.changed, "changed"),
        (counts.added, "added"),
        (counts.removed, "removed"),
        (counts.renamed, "renamed"),
        (counts.broken, "cannot be computed"),
    ] {
        if number > 0 {
            let noun = match (parts.is_empty(), number) {
                (true, 1) => " release",
                (true, _) => " releases",
                _ => "",
            };
            parts.push(format!("{number}{noun} {word}"));
        }
    }
    let mut text = parts.join(", ");
    let mut also = |part: String| {
        text.push_str(if text.is_empty() { "" } else { "; " });
        text.push_str(&part);
    };
    if counts.applications_added > 0 {
        also(format!(
            "{} come{}",
            count(counts.applications_added, "Application"),
            if counts.applications_added == 1 { "s" } else { "" }
        ));
    }
    if counts.applications_removed > 0 {
        let goes = if counts.applications_removed == 1 { "goes" } else { "go" };
        also(format!("{} {goes}", count(counts.applications_removed, "Application")));
    }
    if counts.pruned > 0 {
        also(format!("{} pruned", count(counts.pruned, "object")));
    }
    if text.is_empty() {
        let around = changes.sets.len() + changes.items.len();
        text = if around > 0 {
            format!("no release differs; {} around them", count(around, "change"))
        } else {
            "no differences".into()
        };
    }
    text
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

fn names(all: &[String]) -> String {
    let mut text = all.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > NAMES {
        _ = write!(text, " and {} more", all.len() - NAMES);
    }
    text
}

/// For whom: only the clusters where all are of one release of the section's name.
fn on(all: &[String], app: Option<&str>) -> String {
    let same = app.filter(|app| all.iter().all(|on| on.split_once('/').is_some_and(|(_, release)| release == *app)));
    match same {
        Some(_) => {
            let clusters: Vec<String> = all.iter().filter_map(|on| on.split('/').next().map(str::to_owned)).collect();
            names(&clusters)
        }
        None => names(all),
    }
}

fn caution(caution: &Caution) -> Entry {
    let mark = if caution.weight == Weight::Danger { Mark::Danger } else { Mark::Warning };
    let mut entry = Entry::new(mark, sentence(&caution.message));
    entry.on = names(&caution.on);
    entry
}

fn finding(finding: &Finding) -> Entry {
    let mark = if finding.level == "error" { Mark::Error } else { Mark::Warning };
    let mut words = vec![Word::Tag(finding.code.clone())];
    words.extend(sentence(&finding.message));
    let mut entry = Entry::new(mark, words);
    entry.place.clone_from(&finding.place);
    if let Some(help) = &finding.help {
        let mut words = vec![Word::Text("help:".into())];
        words.extend(sentence(help));
        entry.children.push(Entry::new(Mark::None, words));
    }
    entry
}

/// A message of ours: what stands between backticks is somebody's.
fn sentence(message: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for (number, piece) in message.split('`').enumerate() {
        let piece = if number % 2 == 0 { piece.trim() } else { piece };
        if piece.is_empty() {
            continue;
        }
        words.push(if number % 2 == 0 { Word::Text(piece.to_owned()) } else { Word::Code(piece.to_owned()) });
    }
    words
}

fn app(change: &AppChange) -> Section {
    let name = change.app.as_str();
    let mut subtitle: Vec<String> = Vec::new();
    for status in [Status::Added, Status::Removed, Status::Renamed, Status::Changed] {
        let mut on: Vec<String> = Vec::new();
        for release in change.releases.iter().filter(|release| release.status == status) {
            let name_of = if release.release == name { String::new() } else { format!("/{}", release.release) };
            on.push(match &release.formerly {
                Some(old) => format!("{}/{old} to {}", release.environment, release.release),
                None => format!("{}{name_of}", release.environment),
            });
        }
        if !on.is_empty() {
            let word = match status {
                Status::Added => "added to",
                Status::Removed => "removed from",
                Status::Renamed => "renamed:",
                Status::Changed => "changed in",
            };
            subtitle.push(format!("{word} {}", names(&on)));
        }
    }
    let mut groups = Vec::new();
    if !change.broken.is_empty() {
        let entries = change.broken.iter().map(|broken| {
            let words = vec![Word::Text("cannot be computed in".into()), Word::Code(broken.side.clone())];
            let mut entry = Entry::new(Mark::Error, words);
            entry.on = on(&broken.on, Some(name));
            entry.children = broken.findings.iter().map(finding).collect();
            entry
        });
        groups.push(Group { title: "Not compared", entries: entries.collect() });
    }
    let coming: Vec<Entry> = change
        .releases
        .iter()
        .filter(|release| release.status != Status::Changed)
        .map(|release| {
            let mut words = vec![Word::Text("release".into()), Word::Code(release.release.clone())];
            if let Some(old) = &release.formerly {
                words.push(Word::Text("formerly".into()));
                words.push(Word::Code(old.clone()));
            }
            if let Some(version) = &release.version {
                words.push(Word::Text("version".into()));
                words.push(Word::Code(version.clone()));
            }
            if let Some(namespace) = &release.namespace {
                words.push(Word::Text("in namespace".into()));
                words.push(Word::Code(namespace.clone()));
            }
            let mut entry = Entry::new(release.status.into(), words);
            entry.on = names(&release.clusters);
            entry
        })
        .collect();
    let with_app = |changes: &[PathChange]| -> Vec<Entry> {
        changes
            .iter()
            .map(|change| {
                let mut entry = path_change(change);
                entry.on = on(&change.on, Some(name));
                entry
            })
            .collect()
    };
    let objects = change.objects.iter().map(|change| object(change, name)).collect();
    for (title, entries) in [
        ("Releases", coming),
        ("Fields", with_app(&change.fields)),
        ("Values", with_app(&change.values)),
        ("Manifests", objects),
        ("Application", with_app(&change.application)),
    ] {
        if !entries.is_empty() {
            groups.push(Group { title, entries });
        }
    }
    Section { app: Some(name.to_owned()), title: name.to_owned(), subtitle: subtitle.join("; "), groups }
}

fn object(change: &ObjectChange, app: &str) -> Entry {
    let full = match &change.namespace {
        Some(namespace) => format!("{namespace}/{}", change.name),
        None => change.name.clone(),
    };
    let mut words = vec![Word::Text(change.kind.clone()), Word::Code(full)];
    if let Some(consequence) = &change.consequence {
        words.push(Word::Text("is".into()));
        words.extend(sentence(consequence));
        if consequence.starts_with("stays") {
            words.remove(2);
        }
    }
    let mut entry = Entry::new(change.status.into(), words);
    entry.on = on(&change.on, Some(app));
    entry.place.clone_from(&change.place);
    entry.in_base = change.place_in_base;
    entry.children = change.changes.iter().map(path_change).collect();
    if entry.children.iter().any(|child| child.place.is_some()) {
        entry.place = None;
    }
    entry
}

fn path_change(change: &PathChange) -> Entry {
    let mark = match (&change.before, &change.after) {
        (None, Some(_)) => Mark::Added,
        (Some(_), None) => Mark::Removed,
        _ => Mark::Changed,
    };
    let path = if change.path.is_empty() { "(all)" } else { &change.path };
    let mut words = vec![Word::Code(path.to_owned())];
    let mut lines = Vec::new();
    match (&change.before, &change.after) {
        (Some(Shown::Secret(one)), Some(Shown::Secret(two))) => {
            words.push(Word::Secret);
            words.push(Word::Text(if one == two { "the same" } else { "changed" }.to_owned()));
        }
        (Some(Shown::Value(before)), Some(Shown::Value(after))) => {
            let long = |value: &Json| value.as_str().is_some_and(|text| text.contains('\n') || text.len() > INLINE);
            match (before.as_str(), after.as_str()) {
                (Some(before), Some(after)) if long(&Json::from(before)) || long(&Json::from(after)) => {
                    match text::lines(before, after) {
                        Some(found) => lines = cut(found),
                        None => words.push(Word::Text(format!(
                            "a text of {} lines, now {}",
                            before.lines().count(),
                            after.lines().count()
                        ))),
                    }
                }
                _ => {
                    words.push(Word::Old(value(before)));
                    words.push(Word::New(value(after)));
                }
            }
        }
        (before, after) => {
            for (shown, is_old) in [(before, true), (after, false)] {
                match shown {
                    None => {}
                    Some(Shown::Secret(_)) => words.push(Word::Secret),
                    Some(Shown::Value(Json::String(text))) if text.contains('\n') => {
                        let all = text.lines().map(|line| {
                            let pieces = vec![(false, line.to_owned())];
                            if is_old { Line::Removed(pieces) } else { Line::Added(pieces) }
                        });
                        lines = cut(all.collect());
                    }
                    Some(Shown::Value(shown)) => {
                        let text = value(shown);
                        words.push(if is_old { Word::Old(text) } else { Word::New(text) });
                    }
                }
            }
        }
    }
    if let Some(note) = &change.note {
        words.push(Word::Text(note.clone()));
    }
    if let Some(what) = &change.what {
        words.push(Word::Tag(what.clone()));
    }
    let mut entry = Entry::new(mark, words);
    entry.on = names(&change.on);
    entry.place.clone_from(&change.place);
    entry.in_base = change.place_in_base;
    entry.lines = lines;
    entry
}

fn cut(mut lines: Vec<Line>) -> Vec<Line> {
    if lines.len() > LINES {
        lines.truncate(LINES);
        lines.push(Line::Skipped);
    }
    lines
}

/// A value on one line. A text that would be read as something else is quoted.
fn value(value: &Json) -> String {
    let text = match value {
        Json::String(text) => {
            let plain = !text.is_empty()
                && text.trim() == text
                && !text.contains(['\n', '"', '`'])
                && serde_json::from_str::<Json>(text).is_err();
            if plain { text.clone() } else { value.to_string() }
        }
        other => other.to_string(),
    };
    if text.len() <= LONG {
        return text;
    }
    let mut end = LONG;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}... ({} bytes)", &text[..end], text.len())
}
