//! `path:line:column: error[code]: message`, one line each, as compilers have always done it and editors read it.

use std::fmt::Write as _;

use super::place::Places;
use super::text::one_line;
use crate::diag::Diagnostic;

pub(super) fn render(findings: &[Diagnostic], places: &mut Places<'_>) -> String {
    let mut out = String::new();
    for finding in findings {
        if let Some(span) = finding.span() {
            let place = places.place(span);
            _ = write!(out, "{}:{}:{}: ", one_line(place.file.path()), place.start.line, place.start.column);
        }
        _ = writeln!(out, "{}[{}]: {}", finding.level.as_str(), finding.code, one_line(&finding.message));
    }
    out
}
