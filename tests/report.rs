//! Findings in every format: what people and programs get to see, and what hostile text cannot do to them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use hlgen::diag::{Code, Diagnostic, Level, SourceMap, Span};
use hlgen::report::{Count, Format, Options, render};

/// Puts the span of the first `word` in a file.
fn at(sources: &SourceMap, path: &str, text: &str, word: &str) -> Span {
    let id = sources.add(path, text);
    let start = text.find(word).unwrap();
    Span::new(id, start, start + word.len())
}

fn within(span: Span, text: &str, word: &str) -> Span {
    let start = text.find(word).unwrap();
    Span::new(span.file, start, start + word.len())
}

/// One of everything: places in several files, notes, help, no place, another level, a built-in file.
fn sample() -> (Vec<Diagnostic>, SourceMap) {
    let sources = SourceMap::new();
    let prod = "global: {}\n\nweb:\n    replicas: \"three\"\n    image:\n        tag: 1.10\n";
    let three = at(&sources, "environments/prod/values.yaml", prod, "\"three\"");
    let base = at(&sources, "catalog/web/values.yaml", "web:\n  replicas: 2\n", "2");
    let builtin = at(&sources, "builtin:catalog/argo cd/app.yaml", "kind: App\nversion: 9.9.9\n", "9.9.9");
    let findings = vec![
        Diagnostic::new(Code::ValuesSchema, "`replicas` takes an integer, this is a string")
            .at(three, "for app `web`")
            .at(base, "overrides this value")
            .note("required by schemas/app.schema.json#/properties/replicas/type")
            .help("write a number, for example `replicas: 3`"),
        Diagnostic::new(Code::YamlAmbiguousScalar, "`1.10` is a number here, 50% of readers see 1.1")
            .at(within(three, prod, "1.10"), "")
            .at(within(three, prod, "image"), "in this map"),
        Diagnostic::new(Code::CatalogUnpinned, "`argo cd` takes its version from the built-in catalog")
            .at(builtin, "this version")
            .help("pin it:\n  argo-cd: { version: 9.9.9 }"),
        Diagnostic::new(Code::OrderCycle, "`a` requires `b`, `b` requires `a`"),
        Diagnostic::new(Code::AllowUnused, "this comment allows nothing")
            .level(Level::Note)
            .at(within(three, prod, "global"), ""),
    ];
    (findings, sources)
}

fn shown(format: Format, findings: &[Diagnostic], sources: &SourceMap) -> String {
    render(format, findings, sources, Options::default())
}

fn one(finding: Diagnostic, sources: &SourceMap) -> String {
    shown(Format::Human, &[finding], sources)
}

#[test]
fn human() {
    let (findings, sources) = sample();
    insta::assert_snapshot!(shown(Format::Human, &findings, &sources));
}

#[test]
fn human_in_colour() {
    let (findings, sources) = sample();
    let options = Options { color: true, width: 120 };
    let text = render(Format::Human, &findings[..1], &sources, options);
    assert!(text.contains("\x1b["));
    let plain: String = text
        .split('\x1b')
        .enumerate()
        .map(|(n, piece)| if n == 0 { piece } else { piece.split_once('m').unwrap().1 })
        .collect();
    assert_eq!(plain.replace(' ', ""), shown(Format::Human, &findings[..1], &sources).replace(' ', ""));
}

#[test]
fn short() {
    let (findings, sources) = sample();
    insta::assert_snapshot!(shown(Format::Short, &findings, &sources));
}

#[test]
fn json() {
    let (findings, sources) = sample();
    insta::assert_snapshot!(shown(Format::Json, &findings, &sources));
}

#[test]
fn github() {
    let (findings, sources) = sample();
    insta::assert_snapshot!(shown(Format::Github, &findings, &sources));
}

#[test]
fn sarif() {
    let (findings, sources) = sample();
    let text = shown(Format::Sarif, &findings, &sources);
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    check_sarif(&document);
    for rule in document["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
        let page = format!("# {}", rule["id"].as_str().unwrap());
        assert!(rule["help"]["text"].as_str().unwrap().starts_with(&page), "{page}");
        rule["help"] = "[page]".into();
    }
    insta::assert_snapshot!(format!("{document:#}").replace(env!("CARGO_PKG_VERSION"), "[version]"));
}

/// What SARIF 2.1.0 requires, and what GitHub requires beyond it.
fn check_sarif(document: &serde_json::Value) {
    assert_eq!(document["version"], "2.1.0");
    assert!(document["$schema"].is_string());
    for run in document["runs"].as_array().unwrap() {
        let driver = &run["tool"]["driver"];
        assert!(driver["name"].is_string());
        let rules = driver["rules"].as_array().unwrap();
        for rule in rules {
            assert!(rule["id"].is_string() && rule["shortDescription"]["text"].is_string());
            assert!(["error", "warning", "note"].contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
        }
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        for result in run["results"].as_array().unwrap() {
            assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
            assert!(result["message"]["text"].is_string());
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            assert!(result["partialFingerprints"]["hlgen/v1"].is_string());
            let locations = result["locations"].as_array().unwrap();
            assert_eq!(locations.len(), 1);
            let related = result.get("relatedLocations").and_then(|related| related.as_array());
            for location in locations.iter().chain(related.into_iter().flatten()) {
                let place = &location["physicalLocation"];
                let uri = place["artifactLocation"]["uri"].as_str().unwrap();
                assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
                assert!(uri.is_ascii() && !uri.contains([':', ' ', '\\', '?', '#']) && !uri.starts_with('/'), "{uri}");
                assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
            }
        }
    }
}

#[test]
fn nothing_found() {
    let sources = SourceMap::new();
    for format in [Format::Human, Format::Short, Format::Github] {
        assert_eq!(shown(format, &[], &sources), "");
    }
    let json: serde_json::Value = serde_json::from_str(&shown(Format::Json, &[], &sources)).unwrap();
    assert_eq!(json, serde_json::json!({ "findings": [], "summary": { "errors": 0, "warnings": 0, "notes": 0 } }));
    check_sarif(&serde_json::from_str(&shown(Format::Sarif, &[], &sources)).unwrap());
    assert_eq!(Count::default().to_string(), "");
}

#[test]
fn hostile_text_steers_no_terminal_and_forges_no_line() {
    let evil = "x\x1b[2J\u{9b}31m\r\n::error::forged\n\u{202e}\u{2028}\x07\x7f\u{f8ff}0\u{f8ff}";
    let sources = SourceMap::new();
    let text = format!("a: {evil}\nb: {evil}");
    let id = sources.add(format!("dir/{evil}.yaml"), text.clone());
    let finding = Diagnostic::new(Code::YamlSyntax, evil)
        .at(Span::new(id, 3, text.len()), evil)
        .at(Span::new(id, 0, 6), evil)
        .note(evil)
        .help(evil);
    for format in Format::ALL {
        let text = shown(*format, std::slice::from_ref(&finding), &sources);
        let bad = text.chars().find(|c| *c != '\n' && (c.is_control() || matches!(*c, '\u{202e}' | '\u{2028}')));
        assert_eq!(bad, None, "{format:?}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("::error::forged")), "{format:?}: {text}");
        match format {
            Format::Short | Format::Github => assert_eq!(text.lines().count(), 1, "{text}"),
            Format::Json | Format::Sarif => _ = serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            Format::Human => {}
        }
    }
}

#[test]
fn columns_count_characters_whatever_they_are() {
    let sources = SourceMap::new();
    let text = "a: 1\r\n\tname: \"größe 漢字\" # ü\r\n";
    let span = at(&sources, "f.yaml", text, "漢字");
    insta::assert_snapshot!(one(Diagnostic::new(Code::YamlTab, "tabs and wide characters").at(span, "here"), &sources));
    let end = Span::new(span.file, text.len(), text.len());
    insta::assert_snapshot!(one(Diagnostic::new(Code::YamlSyntax, "the end").at(end, "end of the file"), &sources));
    let all = Span::new(span.file, 0, text.len());
    insta::assert_snapshot!(one(Diagnostic::new(Code::YamlSyntax, "all of it").at(all, "several lines"), &sources));
    let empty = sources.add("empty.yaml", "");
    insta::assert_snapshot!(one(
        Diagnostic::new(Code::KindHeader, "no kind").at(Span::new(empty, 0, 0), "x"),
        &sources
    ));
}

#[test]
fn only_the_lines_that_matter_of_a_large_file() {
    let sources = SourceMap::new();
    let mut text = "key: value\n".repeat(400_000);
    text.push_str("last: here\n");
    let span = at(&sources, "large.yaml", &text, "here");
    let top = within(span, &text, "value");
    insta::assert_snapshot!(one(
        Diagnostic::new(Code::YamlKey, "far apart").at(span, "now").at(top, "before"),
        &sources
    ));

    let line = format!("{{\"a\": \"{}\", \"here\": \"{}\"}}", "ü".repeat(300_000), "y".repeat(500_000));
    let span = at(&sources, "long.yaml", &line, "\"here\"");
    insta::assert_snapshot!(one(Diagnostic::new(Code::YamlKey, "a long line").at(span, "this key"), &sources));
}

#[test]
fn many_findings_in_one_large_file_cost_little() {
    let sources = SourceMap::new();
    let text = "key: value\n".repeat(300_000);
    let id = sources.add("large.yaml", text);
    let findings: Vec<_> = (0..5_000)
        .map(|n| Diagnostic::new(Code::ValuesUnknownKey, "x").at(Span::new(id, n * 11, n * 11 + 3), ""))
        .collect();
    for format in Format::ALL {
        assert!(shown(*format, &findings, &sources).lines().count() >= 5_000, "{format:?}");
    }
}
