//! SARIF 2.1.0, as code scanning services read it: one run, one result per finding, the pages of the rules as help.
//!
//! GitHub refuses a result without a place, so a finding about the whole run stands at the first line of `hlgen.yaml`.
//! Its own fingerprint (`primaryLocationLineHash`) is left to the upload action, which complains about any other
//! value; ours is beside it for services that compare all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::place::Places;
use super::text::{self, lines};
use super::{rules, text::one_line};
use crate::diag::{Code, Diagnostic, Label, Level, Span};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(findings: &[Diagnostic], places: &mut Places<'_>) -> String {
    let mut index: BTreeMap<Code, usize> = findings.iter().map(|finding| (finding.code, 0)).collect();
    for (number, entry) in index.values_mut().enumerate() {
        *entry = number;
    }
    let mut seen = FxHashMap::default();
    let results: Vec<Value> =
        findings.iter().map(|finding| result(finding, index[&finding.code], places, &mut seen)).collect();
    let run = json!({
        "tool": { "driver": {
            "name": "hlgen",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": index.keys().map(|code| rule(*code)).collect::<Vec<_>>(),
        } },
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    let mut out = format!("{:#}", json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] }));
    out.push('\n');
    text::json(out)
}

fn rule(code: Code) -> Value {
    let info = code.info();
    let page = rules::page(code);
    json!({
        "id": info.name,
        "shortDescription": { "text": info.summary },
        "help": { "text": page, "markdown": page },
        "defaultConfiguration": { "level": level(info.level) },
        "properties": { "tags": [info.name.split('/').next().unwrap_or_default()] },
    })
}

fn result(finding: &Diagnostic, rule: usize, places: &mut Places<'_>, seen: &mut FxHashMap<String, usize>) -> Value {
    let mut message = one_line(&finding.message).into_owned();
    for note in &finding.notes {
        _ = write!(message, "\nnote: {}", lines(note));
    }
    if let Some(help) = &finding.help {
        _ = write!(message, "\nhelp: {}", lines(help));
    }
    let first = finding.span();
    let mut result = json!({
        "ruleId": finding.code.info().name,
        "ruleIndex": rule,
        "level": level(finding.level),
        "message": { "text": plain(&message) },
        "locations": [first.map_or_else(whole_run, |span| location(span, places))],
        "partialFingerprints": { "hlgen/v1": fingerprint(finding, places, seen) },
    });
    if let Some(related) = finding.labels.get(1..).filter(|related| !related.is_empty()) {
        let related: Vec<Value> = related.iter().map(|label| related_location(label, places)).collect();
        result["relatedLocations"] = related.into();
    }
    result
}

fn level(level: Level) -> &'static str {
    level.as_str()
}

/// Text in which `[text](target)` is no link.
fn plain(text: &str) -> String {
    text.replace("](", "\\](")
}

fn location(span: Span, places: &mut Places<'_>) -> Value {
    let place = places.place(span);
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(place.file.path()), "uriBaseId": "%SRCROOT%" },
        "region": {
            "startLine": place.start.line,
            "startColumn": place.start.column,
            "endLine": place.end.line,
            "endColumn": place.end.column,
        },
    } })
}

fn related_location(label: &Label, places: &mut Places<'_>) -> Value {
    let mut value = location(label.span, places);
    if !label.text.is_empty() {
        value["message"] = json!({ "text": plain(&one_line(&label.text)) });
    }
    value
}

fn whole_run() -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": "hlgen.yaml", "uriBaseId": "%SRCROOT%" },
        "region": { "startLine": 1 },
    } })
}

/// A path as a relative URI reference. The colon of `builtin:` is encoded too: it would make the rest a scheme.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Stays the same while lines above come and go: code, path and text of the line, numbered where that repeats.
fn fingerprint(finding: &Diagnostic, places: &mut Places<'_>, seen: &mut FxHashMap<String, usize>) -> String {
    let mut hash = Sha256::new();
    hash.update(finding.code.info().name);
    if let Some(span) = finding.span() {
        let place = places.place(span);
        hash.update([0]);
        hash.update(place.file.path());
        hash.update([0]);
        hash.update(place.file.text()[place.file.line(place.start.line)].trim());
    } else {
        hash.update([0]);
        hash.update(&finding.message);
    }
    let mut out = String::with_capacity(20);
    for byte in &hash.finalize()[..8] {
        _ = write!(out, "{byte:02x}");
    }
    let times = seen.entry(out.clone()).or_default();
    *times += 1;
    _ = write!(out, ":{times}");
    out
}
