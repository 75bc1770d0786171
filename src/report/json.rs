//! One JSON document for programs. Its shape is a contract: fields are added, never renamed, and always there
//! (`null` where a finding has no place).

use serde::Serialize;

use super::place::Places;
use super::{Count, rules, text};
use crate::diag::{Diagnostic, Span};

#[derive(Serialize)]
struct Report<'a> {
    findings: Vec<Finding<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    notes: usize,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'static str,
    level: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: Option<Place>,
    labels: Vec<Label<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
    docs: String,
}

#[derive(Serialize)]
struct Label<'a> {
    #[serde(flatten)]
    place: Place,
    text: &'a str,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Place {
    path: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
}

pub(super) fn render(findings: &[Diagnostic], places: &mut Places<'_>, count: Count) -> String {
    let findings = findings.iter().map(|finding| one(finding, places)).collect();
    let summary = Summary { errors: count.errors, warnings: count.warnings, notes: count.notes };
    // Strings and numbers under string keys: there is nothing that could fail.
    let mut out = serde_json::to_string_pretty(&Report { findings, summary }).unwrap_or_default();
    out.push('\n');
    text::json(out)
}

fn one<'a>(finding: &'a Diagnostic, places: &mut Places<'_>) -> Finding<'a> {
    let labels = finding.labels.iter().map(|label| Label { place: place(label.span, places), text: &label.text });
    let labels = labels.collect();
    Finding {
        code: finding.code.info().name,
        level: finding.level.as_str(),
        message: &finding.message,
        place: Some(finding.span().map(|span| place(span, places)).unwrap_or_default()),
        labels,
        notes: &finding.notes,
        help: finding.help.as_deref(),
        docs: rules::path(finding.code),
    }
}

fn place(span: Span, places: &mut Places<'_>) -> Place {
    let place = places.place(span);
    Place {
        path: Some(place.file.path().to_owned()),
        line: Some(place.start.line),
        column: Some(place.start.column),
        end_line: Some(place.end.line),
        end_column: Some(place.end.column),
    }
}
