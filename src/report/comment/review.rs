//! The difference of two sides as a comment: what must not be overlooked, a summary, what is wrong, what goes; then one
//! closed fold for each app.

use std::fmt::Write as _;

use serde_json::Value as Json;
use similar::TextDiff;

use super::{Block, Comment, Fold, Inline, address, code, words};
use crate::diff::Changes;
use crate::diff::changes::{
    AppChange, Counts, Finding, ItemChange, ObjectChange, PathChange, Place, ReleaseChange, SetChange, Shown, Weight,
};

/// What a comment needs to know besides the changes.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub marker: &'a str,
    /// The repository's page.
    pub page: &'a str,
    /// The folder that holds `hlgen.yaml`; empty: the root.
    pub path: &'a str,
    /// Commits that links lead to.
    pub head: &'a str,
    pub base: &'a str,
    /// More releases removed or renamed than this are a failure.
    pub max_removals: Option<usize>,
}

/// Entries of a list in front; the rest is a number.
const SHOWN: usize = 50;
/// Names of releases behind a change.
const NAMES: usize = 4;
/// Lines around a changed one.
const AROUND: usize = 2;

/// The comment on a pull request.
pub fn comment(changes: &Changes, context: &Context<'_>) -> Comment {
    let mut front = Vec::new();
    let cautions = cautions(changes, context);
    if !cautions.is_empty() {
        front.push(Block::Warning { title: "**Look twice:**", items: cautions });
    }
    front.push(Block::Paragraph(vec![words(headline(changes))]));
    for (side, broken, is_head) in [("base", &changes.base.broken, false), ("head", &changes.head.broken, true)] {
        if !broken.is_empty() {
            let text = format!("**The {side} cannot be computed**, so this is not a comparison of everything:");
            front.push(Block::Paragraph(vec![words(text)]));
            front.push(list(broken.iter().map(|finding| finding_line(finding, context, is_head))));
        }
    }
    if !changes.findings.is_empty() {
        front.push(Block::Paragraph(vec![words("**Findings:**")]));
        front.push(list(changes.findings.iter().map(|finding| finding_line(finding, context, true))));
    }
    if !changes.removals.is_empty() {
        front.push(Block::Paragraph(vec![words("**What goes:**")]));
        front.push(list(changes.removals.iter().map(|removal| {
            let mut line = vec![code(&removal.release), words(" in "), code(&removal.environment), words(": ")];
            line.extend(prose(&removal.consequence));
            line
        })));
    }
    let mut folds: Vec<Fold> = changes.apps.iter().map(|app| app_fold(app, context)).collect();
    if !changes.sets.is_empty() {
        let blocks = vec![list_all(changes.sets.iter().map(set_line))];
        folds.push(Fold { title: vec![words("ApplicationSets")], blocks });
    }
    if !changes.items.is_empty() {
        let blocks = changes.items.iter().flat_map(|item| item_blocks(item, context)).collect();
        folds.push(Fold { title: vec![words("Environments, clusters, namespaces, projects")], blocks });
    }
    let commit = |id: &str| Inline::Link {
        code: id.chars().take(10).collect(),
        address: address(context.page, &format!("commit/{id}"), ""),
    };
    let end = vec![words("hlgen compared "), commit(context.base), words(" with "), commit(context.head), words(".")];
    Comment { marker: context.marker.to_owned(), front, folds, end: vec![Block::Paragraph(end)] }
}

/// `2 releases changed, 1 added`; words and numbers only, so it also serves as the description of a status.
pub fn headline_plain(changes: &Changes) -> String {
    let Counts { added, removed, renamed, changed, broken, pruned, .. } = changes.counts;
    let parts = [
        (changed, "changed"),
        (added, "added"),
        (removed, "removed"),
        (renamed, "renamed"),
        (broken, "cannot be computed"),
    ];
    let mut text: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    if let Some(first) = text.first_mut()
        && let Some((number, rest)) = first.split_once(' ')
    {
        let one = if number == "1" { "release" } else { "releases" };
        *first = format!("{number} {one} {rest}");
    }
    if pruned > 0 {
        text.push(format!("{pruned} objects pruned"));
    }
    let errors = changes.findings.iter().filter(|finding| finding.level == "error").count();
    if errors > 0 {
        text.push(format!("{errors} error{}", if errors == 1 { "" } else { "s" }));
    }
    if !changes.head.broken.is_empty() {
        return "the head cannot be computed".to_owned();
    }
    if !changes.base.broken.is_empty() {
        return "the base cannot be computed".to_owned();
    }
    match text.is_empty() {
        true if changes.is_empty() => "nothing changes".to_owned(),
        true => "no release changes".to_owned(),
        false => text.join(", "),
    }
}

fn headline(changes: &Changes) -> String {
    let Counts { applications_added, applications_removed, .. } = changes.counts;
    let mut text = format!("**hlgen: {}**", headline_plain(changes));
    if applications_added + applications_removed > 0 {
        // Writing to a `String` does not fail.
        _ = write!(text, " · Applications: {applications_added} added, {applications_removed} removed");
    }
    text
}

fn cautions(changes: &Changes, context: &Context<'_>) -> Vec<Vec<Inline>> {
    let mut items = Vec::new();
    if let Some(most) = context.max_removals.filter(|most| changes.removals.len() > *most) {
        let text =
            format!("{} releases are removed or renamed; more than {most} are not let through", changes.removals.len());
        items.push(vec![words(text)]);
    }
    for caution in changes.cautions.iter().take(SHOWN) {
        let mut line = match caution.weight {
            Weight::Danger => vec![words("**danger:** ")],
            Weight::Warning => Vec::new(),
        };
        line.extend(prose(&caution.message));
        line.extend(on(&caution.on, " on "));
        items.push(line);
    }
    if changes.cautions.len() > SHOWN {
        items.push(vec![words(format!("and {} more", changes.cautions.len() - SHOWN))]);
    }
    items
}

/// A list of at most [`SHOWN`] lines.
fn list(lines: impl ExactSizeIterator<Item = Vec<Inline>>) -> Block {
    let more = lines.len().saturating_sub(SHOWN);
    let mut items: Vec<_> = lines.take(SHOWN).collect();
    if more > 0 {
        items.push(vec![words(format!("and {more} more"))]);
    }
    Block::List(items)
}

fn list_all(lines: impl Iterator<Item = Vec<Inline>>) -> Block {
    Block::List(lines.collect())
}

fn finding_line(finding: &Finding, context: &Context<'_>, is_head: bool) -> Vec<Inline> {
    let mut line = vec![code(format!("{}[{}]", finding.level, finding.code)), words(" ")];
    line.extend(prose(&finding.message));
    if let Some(place) = &finding.place {
        line.push(words(" at "));
        line.push(link(place, context, !is_head));
    }
    if let Some(help) = &finding.help {
        line.push(words("; "));
        line.extend(prose(help));
    }
    line
}

/// A place that leads to its line; what is built into the program leads nowhere.
fn link(place: &Place, context: &Context<'_>, in_base: bool) -> Inline {
    let shown = format!("{}:{}", place.file, place.line);
    if place.file.starts_with("builtin:") {
        return code(shown);
    }
    let commit = if in_base { context.base } else { context.head };
    let file = format!("src/commit/{commit}/{}/{}", context.path, place.file);
    Inline::Link { code: shown, address: address(context.page, &file, &format!("L{}", place.line)) }
}

/// `on a/b, c/d and 3 more`.
fn on(names: &[String], before: &'static str) -> Vec<Inline> {
    let mut line = Vec::new();
    for (number, name) in names.iter().take(NAMES).enumerate() {
        line.push(words(if number == 0 { before } else { ", " }));
        line.push(code(name));
    }
    if names.len() > NAMES {
        line.push(words(format!(" and {} more", names.len() - NAMES)));
    }
    line
}

fn app_fold(app: &AppChange, context: &Context<'_>) -> Fold {
    let counts = [
        (app.releases.len(), "release", "releases"),
        (app.fields.len() + app.application.len(), "field", "fields"),
        (app.values.len(), "value", "values"),
        (app.objects.len(), "object", "objects"),
        (app.broken.len(), "failure", "failures"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| format!("{number} {}", if *number == 1 { one } else { many }))
        .collect();
    let title = vec![code(&app.app), words(format!(": {}", counts.join(", ")))];
    let mut blocks = Vec::new();
    for broken in &app.broken {
        let mut line = vec![words("**Cannot be computed** at the "), code(&broken.side)];
        line.extend(on(&broken.on, " on "));
        blocks.push(Block::Paragraph(line));
        blocks.push(list(broken.findings.iter().map(|finding| finding_line(finding, context, true))));
    }
    if !app.releases.is_empty() {
        blocks.push(list_all(app.releases.iter().map(release_line)));
    }
    section("Release", &app.fields, context, &mut blocks);
    section("Values", &app.values, context, &mut blocks);
    if !app.objects.is_empty() {
        blocks.push(Block::Paragraph(vec![words("**Manifests**")]));
        app.objects.iter().for_each(|object| object_blocks(object, context, &mut blocks));
    }
    section("Application", &app.application, context, &mut blocks);
    Fold { title, blocks }
}

fn release_line(release: &ReleaseChange) -> Vec<Inline> {
    let mut line = vec![words(release.status.as_str()), words(" "), code(&release.release)];
    if let Some(formerly) = &release.formerly {
        line.extend([words(", formerly "), code(formerly)]);
        if release.declared == Some(false) {
            line.push(words(" (not announced)"));
        }
    }
    line.extend([words(" in "), code(&release.environment)]);
    if let Some(version) = &release.version {
        line.extend([words(", version "), code(version)]);
    }
    if let Some(namespace) = &release.namespace {
        line.extend([words(", namespace "), code(namespace)]);
    }
    line
}

fn set_line(set: &SetChange) -> Vec<Inline> {
    let mut line = vec![words(set.status.as_str()), words(" "), code(&set.name), words(" of "), code(&set.instance)];
    line.extend(on(&set.clusters_added, ", now also "));
    line.extend(on(&set.clusters_removed, ", no longer "));
    line
}

fn item_blocks(item: &ItemChange, context: &Context<'_>) -> Vec<Block> {
    let kind = format!("{:?}", item.kind);
    let line = vec![words(kind), words(" "), code(&item.name), words(format!(" {}", item.status.as_str()))];
    let mut blocks = vec![Block::Paragraph(line)];
    paths(&item.changes, context, &mut blocks);
    blocks
}

fn object_blocks(object: &ObjectChange, context: &Context<'_>, blocks: &mut Vec<Block>) {
    let name = match &object.namespace {
        Some(namespace) => format!("{namespace}/{}", object.name),
        None => object.name.clone(),
    };
    let mut line = vec![words(object.status.as_str()), words(" "), code(&object.kind), words(" "), code(name)];
    line.extend(on(&object.on, " on "));
    if let Some(place) = &object.place {
        line.extend([words(" at "), link(place, context, object.place_in_base)]);
    }
    if let Some(consequence) = &object.consequence {
        line.push(words(": "));
        line.extend(prose(consequence));
    }
    blocks.push(Block::Paragraph(line));
    paths(&object.changes, context, blocks);
}

fn section(title: &'static str, changes: &[PathChange], context: &Context<'_>, blocks: &mut Vec<Block>) {
    if !changes.is_empty() {
        blocks.push(Block::Paragraph(vec![words(format!("**{title}**"))]));
        paths(changes, context, blocks);
    }
}

/// Paths that differ: a line each, and the lines of texts that have several.
fn paths(changes: &[PathChange], context: &Context<'_>, blocks: &mut Vec<Block>) {
    let mut lines = Vec::new();
    for change in changes {
        let texts = (text(change.before.as_ref()), text(change.after.as_ref()));
        let long = match texts {
            (Some(before), Some(after)) if before.contains('\n') || after.contains('\n') => {
                Some(unified(before, after))
            }
            _ => None,
        };
        lines.push(path_line(change, context, long.is_none()));
        if let Some(text) = long {
            blocks.push(Block::List(std::mem::take(&mut lines)));
            blocks.push(Block::Fence { language: "diff", text });
        }
    }
    if !lines.is_empty() {
        blocks.push(Block::List(lines));
    }
}

fn path_line(change: &PathChange, context: &Context<'_>, with_values: bool) -> Vec<Inline> {
    let mut line = vec![code(&change.path)];
    if let Some(what) = &change.what {
        line.extend([words(" ("), code(what), words(")")]);
    }
    if with_values {
        line.push(words(": "));
        match (&change.before, &change.after) {
            (Some(before), Some(after)) => line.extend([shown(before), words(" → "), shown(after)]),
            (Some(before), None) => line.extend([words("was "), shown(before), words(", is gone")]),
            (None, Some(after)) => line.extend([words("now "), shown(after)]),
            (None, None) => {}
        }
    }
    if let Some(note) = &change.note {
        line.push(words(", "));
        line.extend(prose(note));
    }
    line.extend(on(&change.on, " on "));
    if let Some(place) = &change.place {
        line.extend([words(" at "), link(place, context, change.place_in_base)]);
    }
    line
}

fn shown(value: &Shown) -> Inline {
    match value {
        Shown::Value(Json::String(text)) => code(text),
        Shown::Value(value) => code(value.to_string()),
        Shown::Secret(digest) => code(format!("secret {digest}")),
    }
}

fn text(value: Option<&Shown>) -> Option<&str> {
    match value? {
        Shown::Value(Json::String(text)) => Some(text),
        _ => None,
    }
}

fn unified(before: &str, after: &str) -> String {
    const LARGEST: usize = 200_000;
    if before.len() + after.len() > LARGEST {
        return "(too long to compare here)".to_owned();
    }
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(AROUND).missing_newline_hint(false).to_string()
}

/// A sentence of the program's that names things in backticks: words as words, names as code.
///
/// Names in it are somebody else's, and one with a backtick in it would turn words and names around. So what stands
/// outside of backticks passes only if it is plain prose; otherwise all of it is code.
fn prose(text: &str) -> Vec<Inline> {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) || !parts.iter().step_by(2).all(|part| is_prose(part)) {
        return vec![code(text)];
    }
    let mut line = Vec::new();
    for (number, part) in parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty()) {
        line.push(if number % 2 == 0 { words(part.to_owned()) } else { code(part) });
    }
    line
}

/// Letters, digits and the marks of a sentence; nothing that Markdown or Gitea makes more of, no commit id, no address.
fn is_prose(text: &str) -> bool {
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, ' ' | ',' | '.' | ';' | '(' | ')' | '\'' | '?' | '/' | '-' | '+')
    };
    let colon = |(at, _): (usize, &str)| text[at + 1..].starts_with(' ') || at + 1 == text.len();
    let id = |word: &str| word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.chars().all(|c| plain(c) || c == ':')
        && text.match_indices(':').all(colon)
        && !text.to_ascii_lowercase().contains("www.")
        && !text.split(|c: char| !c.is_ascii_alphanumeric()).any(id)
        // What begins a line could be a list, a quotation or a heading; the line never begins with a sentence, but a
        // dash or number after a line end cannot be: there is none in here.
        && !text.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_stays_one_and_a_trick_becomes_code() {
        assert_eq!(
            prose("the release `web` is removed; see `a/b`"),
            [words("the release ".to_owned()), code("web"), words(" is removed; see ".to_owned()), code("a/b")]
        );
        for trick in [
            "the release `x` @admin` is",
            "the release `x`<img>`y` is",
            "name `a` www.evil.example `b`",
            "by deadbeefcafe",
            "https://evil.example",
            "a :smile: b",
            "odd ` one",
            "**bold**",
            "#1",
        ] {
            assert_eq!(prose(trick), [code(trick)], "{trick}");
        }
    }
}
