//! For terminals.

use std::fmt::Write as _;

use super::view::{Entry, Group, Mark, View, Word, follows, view};
use crate::diff::Changes;
use crate::diff::text::Line;
use crate::report::text::one_line;

/// Ways to write, as SGR numbers; nothing where colours are off.
#[derive(Clone, Copy)]
struct Ink(bool);

impl Ink {
    fn paint(self, numbers: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{numbers}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn of(self, mark: Mark, text: &str) -> String {
        let numbers = match mark {
            Mark::Added => "32",
            Mark::Removed => "31",
            Mark::Changed | Mark::Warning => "33",
            Mark::Danger | Mark::Error => "1;31",
            Mark::None => return text.to_owned(),
        };
        self.paint(numbers, text)
    }
}

/// The changes for a terminal.
pub fn human(changes: &Changes, color: bool) -> String {
    let ink = Ink(color);
    let View { base, head, summary, broken, cautions, findings, sections } = view(changes);
    let mut out = String::new();
    let title = format!("{} -> {}", one_line(&base), one_line(&head));
    let _ = writeln!(out, "{}: {summary}", ink.paint("1", &title));
    for Group { title, entries } in &broken {
        let _ = writeln!(out, "\n{}", ink.paint("1;31", title));
        entries.iter().for_each(|each| entry(&mut out, each, 1, ink));
    }
    for (title, entries) in [("Cautions", &cautions), ("Findings", &findings)] {
        if !entries.is_empty() {
            let _ = writeln!(out, "\n{}", ink.paint("1", title));
            entries.iter().for_each(|each| entry(&mut out, each, 1, ink));
        }
    }
    for section in &sections {
        let _ = write!(out, "\n{}", ink.paint("1", &one_line(&section.title)));
        let _ = writeln!(out, "  {}", ink.paint("2", &one_line(&section.subtitle)));
        for Group { title, entries } in &section.groups {
            let depth = if title.is_empty() {
                1
            } else {
                let _ = writeln!(out, "  {title}");
                2
            };
            entries.iter().for_each(|each| entry(&mut out, each, depth, ink));
        }
    }
    out
}

fn entry(out: &mut String, entry: &Entry, depth: usize, ink: Ink) {
    let indent = "  ".repeat(depth);
    let mark = match entry.mark {
        Mark::Added => "+ ",
        Mark::Removed => "- ",
        Mark::Changed => "~ ",
        Mark::Danger => "danger: ",
        Mark::Warning => "warning: ",
        Mark::Error => "error: ",
        Mark::None => "",
    };
    let _ = write!(out, "{indent}{}", ink.of(entry.mark, mark));
    let has_old = entry.words.iter().any(|word| matches!(word, Word::Old(_)));
    let mut before: Option<&Word> = None;
    for word in &entry.words {
        let text = match word {
            Word::Code(text) if matches!(entry.mark, Mark::Danger | Mark::Warning | Mark::Error | Mark::None) => {
                format!("`{}`", one_line(text))
            }
            Word::Text(text) | Word::Code(text) => one_line(text).into_owned(),
            Word::Old(text) => ink.paint("31", &one_line(text)),
            Word::New(text) if has_old => format!("-> {}", ink.paint("32", &one_line(text))),
            Word::New(text) => ink.paint("32", &one_line(text)),
            Word::Secret => ink.paint("2", crate::secret::MASK),
            Word::Tag(text) => ink.paint("36", &format!("[{}]", one_line(text))),
        };
        let glue = match (before, word) {
            (None, _) => "",
            // `name`: text, and punctuation that follows a name.
            (Some(Word::Code(_)), Word::Text(text)) if follows(text) => "",
            (Some(Word::Text(text)), Word::Code(_)) if text.ends_with('(') => "",
            (Some(Word::Code(_)), Word::Old(_) | Word::New(_) | Word::Secret) => ": ",
            _ => " ",
        };
        let _ = write!(out, "{glue}{text}");
        before = Some(word);
    }
    if !entry.on.is_empty() {
        let _ = write!(out, "  {}", ink.paint("2", &format!("({})", one_line(&entry.on))));
    }
    if let Some(place) = &entry.place {
        let gone = if entry.in_base { " before" } else { "" };
        let _ = write!(out, "  {}", ink.paint("2", &format!("{}{gone}", one_line(&place.to_string()))));
    }
    out.push('\n');
    for line in &entry.lines {
        let (sign, numbers, strong, pieces) = match line {
            Line::Same(text) => {
                let _ = writeln!(out, "{indent}      {}", one_line(text));
                continue;
            }
            Line::Skipped => {
                let _ = writeln!(out, "{indent}      ...");
                continue;
            }
            Line::Removed(pieces) => ("-", "31", "1;7;31", pieces),
            Line::Added(pieces) => ("+", "32", "1;7;32", pieces),
        };
        let _ = write!(out, "{indent}    {} ", ink.paint(numbers, sign));
        for (marked, text) in pieces {
            out.push_str(&ink.paint(if *marked { strong } else { numbers }, &one_line(text)));
        }
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    }
    entry.children.iter().for_each(|child| self::entry(out, child, depth + 1, ink));
}
