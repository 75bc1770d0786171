//! One page for browsers: it asks the network for nothing, runs no script, and says so to the browser (a content security
//! policy), so that it can be opened from anywhere. Folds are `<details>`; colours follow the reader's light or dark.

use std::fmt::Write as _;

use super::view::{Entry, Group, Mark, Section, View, Word, follows, view};
use crate::diff::Changes;
use crate::diff::text::Line;
use crate::report::text::one_line;

const STYLE: &str = include_str!("page.css");

/// Sections up to which all are open at first.
const OPEN_MAX: usize = 2;

/// The changes as a page.
pub fn html(changes: &Changes) -> String {
    let View { base, head, summary, broken, cautions, findings, sections } = view(changes);
    let mut out = String::with_capacity(16 << 10);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>hlgen diff: {} to {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escape(&base),
        escape(&head)
    );
    let _ = writeln!(
        out,
        "<header>\n<p class=\"sides\"><code>{}</code> <span class=\"arrow\">&rarr;</span> <code>{}</code></p>\n<h1>{}</h1>",
        escape(&base),
        escape(&head),
        escape(&capital(&summary))
    );
    if !changes.is_broken() {
        chips(&mut out, changes);
    }
    out.push_str("</header>\n");
    for Group { title, entries } in &broken {
        panel(&mut out, "danger", title, entries);
    }
    if !cautions.is_empty() {
        let class = if cautions.iter().any(|entry| entry.mark == Mark::Danger) { "danger" } else { "warning" };
        panel(&mut out, class, "Cautions", &cautions);
    }
    if !findings.is_empty() {
        let class = if findings.iter().any(|entry| entry.mark == Mark::Error) { "danger" } else { "warning" };
        panel(&mut out, class, "Findings", &findings);
    }
    let open = if sections.len() <= OPEN_MAX { " open" } else { "" };
    for section in &sections {
        self::section(&mut out, section, open);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn chips(out: &mut String, changes: &Changes) {
    let counts = &changes.counts;
    let chips = [
        ("changed", "changed", counts.changed),
        ("added", "added", counts.added),
        ("removed", "removed", counts.removed),
        ("changed", "renamed", counts.renamed),
        ("removed", "not computed", counts.broken),
        ("removed", "pruned", counts.pruned),
    ];
    let shown: Vec<_> = chips.iter().filter(|(_, _, number)| *number > 0).collect();
    if shown.is_empty() {
        return;
    }
    out.push_str("<ul class=\"chips\">");
    for (class, word, number) in shown {
        let _ = write!(out, "<li class=\"{class}\"><b>{number}</b> {word}</li>");
    }
    out.push_str("</ul>\n");
}

fn panel(out: &mut String, class: &str, title: &str, entries: &[Entry]) {
    let _ = writeln!(out, "<section class=\"panel {class}\">\n<h2>{}</h2>", escape(title));
    list(out, entries);
    out.push_str("</section>\n");
}

fn section(out: &mut String, section: &Section, open: &str) {
    let count: usize = section.groups.iter().map(|group| group.entries.len()).sum();
    let tag = if section.app.is_some() { "code" } else { "span" };
    let _ = writeln!(
        out,
        "<details class=\"card\"{open}>\n<summary><{tag} class=\"name\">{}</{tag}> <span class=\"subtitle\">{}</span><span class=\"count\">{count}</span></summary>",
        escape(&section.title),
        escape(&section.subtitle)
    );
    for Group { title, entries } in &section.groups {
        if !title.is_empty() {
            let _ = writeln!(out, "<h3>{}</h3>", escape(title));
        }
        list(out, entries);
    }
    out.push_str("</details>\n");
}

fn list(out: &mut String, entries: &[Entry]) {
    out.push_str("<ul class=\"list\">\n");
    for entry in entries {
        item(out, entry);
    }
    out.push_str("</ul>\n");
}

fn item(out: &mut String, entry: &Entry) {
    let (class, sign, spoken) = match entry.mark {
        Mark::Added => ("added", "+", "added"),
        Mark::Removed => ("removed", "\u{2212}", "removed"),
        Mark::Changed => ("changed", "~", "changed"),
        Mark::Danger => ("danger", "!", "danger"),
        Mark::Warning => ("warning", "!", "warning"),
        Mark::Error => ("danger", "\u{d7}", "error"),
        Mark::None => ("none", "", ""),
    };
    let _ = write!(
        out,
        "<li class=\"{class}\"><span class=\"mark\" title=\"{spoken}\">{sign}</span><div class=\"what\"><span class=\"line\">"
    );
    let has_old = entry.words.iter().any(|word| matches!(word, Word::Old(_)));
    let mut before: Option<&Word> = None;
    for word in &entry.words {
        let glue = match (before, word) {
            (None, _) => "",
            (Some(Word::Code(_)), Word::Text(text)) if follows(text) => "",
            (Some(Word::Text(text)), Word::Code(_)) if text.ends_with('(') => "",
            _ => " ",
        };
        out.push_str(glue);
        let _ = match word {
            Word::Text(text) => write!(out, "{}", escape(text)),
            Word::Code(text) => write!(out, "<code>{}</code>", escape(text)),
            Word::Old(text) => write!(out, "<del>{}</del>", escape(text)),
            Word::New(text) if has_old => {
                write!(out, "<span class=\"arrow\">&rarr;</span> <ins>{}</ins>", escape(text))
            }
            Word::New(text) => write!(out, "<ins>{}</ins>", escape(text)),
            Word::Secret => write!(out, "<span class=\"secret\">secret</span>"),
            Word::Tag(text) => write!(out, "<span class=\"tag\">{}</span>", escape(text)),
        };
        before = Some(word);
    }
    out.push_str("</span>");
    if !entry.on.is_empty() || entry.place.is_some() {
        out.push_str("<span class=\"meta\">");
        if !entry.on.is_empty() {
            let _ = write!(out, "<span class=\"on\">{}</span>", escape(&entry.on));
        }
        if let Some(place) = &entry.place {
            let before = if entry.in_base { " before" } else { "" };
            let _ = write!(out, "<span class=\"place\">{}{before}</span>", escape(&place.to_string()));
        }
        out.push_str("</span>");
    }
    if !entry.lines.is_empty() {
        out.push_str("\n<pre>");
        for line in &entry.lines {
            self::line(out, line);
        }
        out.push_str("</pre>");
    }
    if !entry.children.is_empty() {
        out.push('\n');
        list(out, &entry.children);
    }
    out.push_str("</div></li>\n");
}

fn line(out: &mut String, line: &Line) {
    let (class, sign, pieces) = match line {
        Line::Same(text) => {
            let _ = write!(out, "<span class=\"same\">  {}</span>", escape(text));
            return;
        }
        Line::Skipped => {
            out.push_str("<span class=\"same\">  ...</span>");
            return;
        }
        Line::Removed(pieces) => ("old", "-", pieces),
        Line::Added(pieces) => ("new", "+", pieces),
    };
    let _ = write!(out, "<span class=\"{class}\">{sign} ");
    for (marked, text) in pieces {
        let text = escape(text);
        if *marked {
            let _ = write!(out, "<mark>{text}</mark>");
        } else {
            out.push_str(&text);
        }
    }
    out.push_str("</span>");
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
