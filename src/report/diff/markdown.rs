//! Markdown for reviews: cautions and a summary first, then one closed `<details>` for each app.
//!
//! Everything of somebody else's stands in code spans or fences that are longer than any run of backticks in it, so it can
//! be neither Markdown nor HTML, mention nobody and end nothing early. What does not fit under the limit is left out
//! whole: first the bodies of the largest sections, then sections, never half a fence.

use std::fmt::Write as _;

use super::view::{Entry, Group, Mark, Section, View, Word, follows, view};
use crate::diff::Changes;
use crate::diff::changes::Place;
use crate::diff::text::Line;
use crate::report::text::one_line;

/// Bytes kept for saying what was left out.
const NOTE: usize = 160;

/// How a review is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Bytes it may have; what does not fit is left out whole, section by section, and counted. 0: no limit.
    pub limit: usize,
    /// What a place's file and line are put behind to make a link: `https://git.example.com/o/r/src/commit/<sha>/`
    /// gives `.../catalog/x/app.yaml#L3`. None: no links.
    pub head_link: Option<&'a str>,
    pub base_link: Option<&'a str>,
}

/// The changes as Markdown that ends with a line end. Nothing in it can break out of its place: no HTML, mention, image
/// or fence of somebody else's.
pub fn markdown(changes: &Changes, options: &Options<'_>) -> String {
    let View { base, head, summary, broken, cautions, findings, sections } = view(changes);
    let mut top = String::new();
    let _ = writeln!(top, "**{}** ({} → {})", capital(&summary), code(&base), code(&head));
    for Group { title, entries } in &broken {
        let _ = writeln!(top, "\n### {title}\n");
        list(&mut top, entries, 0, options);
    }
    // However many there are: what must not be overlooked is never left out to make room for what may be.
    let mut head_parts = String::new();
    for (title, entries) in [("Cautions", &cautions), ("Findings", &findings)] {
        if !entries.is_empty() {
            let _ = writeln!(head_parts, "\n### {title}\n");
            limited(&mut head_parts, entries, options, options.limit / 2);
        }
    }
    let bodies: Vec<(String, String)> =
        sections.iter().map(|section| (summary_of(section), body(section, options))).collect();
    if !bodies.is_empty() {
        head_parts.push('\n');
    }
    top.push_str(&head_parts);
    assemble(top, &bodies, options.limit)
}

/// As much as fits: all bodies, else the sections whose bodies fit, smallest first, and the rest as lines, and of those as
/// many as fit.
fn assemble(mut out: String, bodies: &[(String, String)], limit: usize) -> String {
    let open = |summary: &str, body: &str| format!("<details><summary>{summary}</summary>\n\n{body}\n</details>\n");
    let whole: usize = bodies.iter().map(|(summary, body)| open(summary, body).len()).sum();
    if limit == 0 || out.len() + whole <= limit {
        bodies.iter().for_each(|(summary, body)| out.push_str(&open(summary, body)));
        return out;
    }
    let mut room = limit.saturating_sub(out.len() + NOTE);
    let line =
        |summary: &str| format!("<details><summary>{summary}</summary>\n\nToo long to be shown here.\n</details>\n");
    // First a line for everybody, as far as that goes.
    let mut kept: Vec<Option<String>> = Vec::new();
    for (summary, _) in bodies {
        let text = line(summary);
        kept.push((text.len() <= room).then(|| {
            room -= text.len();
            text
        }));
    }
    let mut by_size: Vec<usize> = (0..bodies.len()).filter(|at| kept[*at].is_some()).collect();
    by_size.sort_by_key(|at| bodies[*at].1.len());
    for at in by_size {
        let text = open(&bodies[at].0, &bodies[at].1);
        let more = text.len().saturating_sub(kept[at].as_ref().map_or(0, String::len));
        if more <= room {
            room -= more;
            kept[at] = Some(text);
        }
    }
    let dropped = kept.iter().filter(|text| text.is_none()).count();
    kept.into_iter().flatten().for_each(|text| out.push_str(&text));
    if dropped > 0 {
        let _ = writeln!(out, "\n{dropped} more sections do not fit here; `hlgen diff` shows everything.");
    }
    out
}

/// A list of which as much is written as fits, and the rest is counted.
fn limited(out: &mut String, entries: &[Entry], options: &Options<'_>, limit: usize) {
    for (number, entry) in entries.iter().enumerate() {
        let mut text = String::new();
        item(&mut text, entry, 0, options);
        if limit > 0 && out.len() + text.len() > limit {
            let _ = writeln!(out, "- ... and {} more", entries.len() - number);
            return;
        }
        out.push_str(&text);
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn summary_of(section: &Section) -> String {
    // Names are DNS labels, but a comment is worth being careful twice.
    let title = html(&section.title);
    let title = if section.app.is_some() { format!("<code>{title}</code>") } else { title };
    format!("<b>{title}</b> {}", html(&section.subtitle))
}

fn body(section: &Section, options: &Options<'_>) -> String {
    let mut out = String::new();
    for Group { title, entries } in &section.groups {
        if !title.is_empty() {
            let _ = writeln!(out, "{}**{title}**\n", if out.is_empty() { "" } else { "\n" });
        }
        list(&mut out, entries, 0, options);
    }
    out
}

fn list(out: &mut String, entries: &[Entry], depth: usize, options: &Options<'_>) {
    entries.iter().for_each(|entry| item(out, entry, depth, options));
}

fn item(out: &mut String, entry: &Entry, depth: usize, options: &Options<'_>) {
    let indent = "  ".repeat(depth);
    let mark = match entry.mark {
        Mark::Added => "➕ ",
        Mark::Removed => "➖ ",
        Mark::Changed | Mark::None => "",
        Mark::Danger => "🛑 ",
        Mark::Warning => "⚠️ ",
        Mark::Error => "❌ ",
    };
    let _ = write!(out, "{indent}- {mark}");
    let has_old = entry.words.iter().any(|word| matches!(word, Word::Old(_)));
    let mut before: Option<&Word> = None;
    for word in &entry.words {
        let text = match word {
            Word::Text(text) => prose(text),
            Word::New(text) if has_old => format!("→ {}", code(text)),
            Word::Code(text) | Word::Old(text) | Word::New(text) => code(text),
            Word::Secret => "*secret*".to_owned(),
            Word::Tag(text) => format!("**{}**", prose(text)),
        };
        let glue = match (before, word) {
            (None, _) => "",
            (Some(Word::Code(_)), Word::Text(text)) if follows(text) => "",
            (Some(Word::Text(text)), Word::Code(_)) if text.ends_with('(') => "",
            (Some(Word::Code(_)), Word::Old(_) | Word::New(_) | Word::Secret) => ": ",
            _ => " ",
        };
        let _ = write!(out, "{glue}{text}");
        before = Some(word);
    }
    if !entry.on.is_empty() {
        let _ = write!(out, " on {}", code(&entry.on));
    }
    if let Some(place) = &entry.place {
        let _ = write!(
            out,
            " ({}{})",
            link(place, if entry.in_base { options.base_link } else { options.head_link }),
            if entry.in_base { ", before" } else { "" }
        );
    }
    out.push('\n');
    if !entry.lines.is_empty() {
        let text = entry.lines.iter().fold(String::new(), |mut text, line| {
            let (sign, line) = match line {
                Line::Same(line) => (" ", line.clone()),
                Line::Skipped => (" ", "...".to_owned()),
                Line::Removed(pieces) => ("-", pieces.iter().map(|(_, text)| text.as_str()).collect()),
                Line::Added(pieces) => ("+", pieces.iter().map(|(_, text)| text.as_str()).collect()),
            };
            let _ = writeln!(text, "{indent}  {sign}{}", one_line(&line));
            text
        });
        let fence = "`".repeat(longest_run(&text).max(2) + 1);
        let _ = write!(out, "{indent}  {fence}diff\n{text}{indent}  {fence}\n");
    }
    list(out, &entry.children, depth + 1, options);
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// A text of somebody else's as a code span: nothing in it means anything, and it stays on its line.
fn code(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return "``` ```".into();
    }
    // Some hosts turn names behind `@` and `#` in code into nothing; they leave code spans alone by their specification.
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Our own words, with whatever might have come into them made harmless.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            // A mention would notify somebody.
            '@' => out.push_str("&#64;"),
            ':' => out.push(':'),
            c => out.push(c),
        }
    }
    out
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' | '@' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '\\' | '~' | '|' => {
                let _ = write!(out, "&#{};", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

fn link(place: &Place, to: Option<&str>) -> String {
    let shown = code(&place.to_string());
    match to.filter(|_| !place.file.starts_with("builtin:")) {
        None => shown,
        Some(to) => {
            let path: String = place.file.bytes().fold(String::new(), |mut path, byte| {
                if byte.is_ascii_alphanumeric() || b"-._/".contains(&byte) {
                    path.push(byte as char);
                } else {
                    let _ = write!(path, "%{byte:02X}");
                }
                path
            });
            format!("[{shown}](<{}{path}#L{}>)", to.replace(['<', '>', '\n', ' '], ""), place.line)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_a_code_span() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a\n# b"), "`a\\n# b`");
        assert_eq!(prose("<b> @you [x](y)"), "&lt;b&gt; &#64;you \\[x\\](y)");
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let bodies: Vec<(String, String)> =
            (0..50).map(|number| (format!("s{number}"), "- x\n".repeat(number * 10))).collect();
        for limit in [500, 2_000, 5_000, 20_000] {
            let text = assemble("top\n".into(), &bodies, limit);
            assert!(text.len() <= limit, "{} > {limit}", text.len());
            assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        }
        assert_eq!(assemble("top\n".into(), &bodies, 0).matches("<details>").count(), 50);
    }
}
