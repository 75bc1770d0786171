//! GitHub's workflow commands: a line on stdout becomes an annotation in the pull request. Gitea and Forgejo show the
//! line in the log.

use std::fmt::Write as _;

use super::place::Places;
use super::text::{lines, one_line};
use crate::diag::{Diagnostic, Level};

pub(super) fn render(findings: &[Diagnostic], places: &mut Places<'_>) -> String {
    let mut out = String::new();
    for finding in findings {
        let command = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        _ = write!(out, "::{command} ");
        if let Some(span) = finding.span() {
            let place = places.place(span);
            _ = write!(out, "file={},line={}", property(place.file.path()), place.start.line);
            // Columns count for a range within one line only.
            if place.start.line == place.end.line {
                let end = place.end.column.max(place.start.column + 1);
                _ = write!(out, ",endLine={},col={},endColumn={end}", place.end.line, place.start.column);
            }
            out.push(',');
        }
        _ = write!(out, "title={}::{}", property(finding.code.info().name), data(&one_line(&finding.message)));
        for note in &finding.notes {
            _ = write!(out, "%0Anote: {}", data(&lines(note)));
        }
        if let Some(help) = &finding.help {
            _ = write!(out, "%0Ahelp: {}", data(&lines(help)));
        }
        out.push('\n');
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&one_line(text)).replace(':', "%3A").replace(',', "%2C")
}
