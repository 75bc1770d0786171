//! The YAML module against independent readers: Helm (`sigs.k8s.io/yaml`), `PyYAML` (YAML 1.1) and serde.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests prepare the files that tools read"
)]

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hlgen::diag::{Code, FileId, Level};
use hlgen::yaml::{Doc, Kind, Limits, NodeId, emit, emit_json, parse};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// All documents of a text, or `None` if any finding is an error (templates in keys aside).
fn read(text: &str) -> Option<Vec<Doc>> {
    let text: Arc<str> = text.into();
    let mut findings = Vec::new();
    let docs = parse(&text, FileId(0), &Limits::default(), &mut findings);
    let fine = |code, level| level != Level::Error || code == Code::TemplateKey;
    findings.iter().all(|finding| fine(finding.code, finding.level)).then_some(docs)
}

fn read_one(text: &str) -> Option<Value> {
    read(text).and_then(|docs| docs.first().map(|doc| to_json(doc, doc.root())))
}

/// A document as JSON, by its kinds and texts.
fn to_json(doc: &Doc, node: NodeId) -> Value {
    match doc.kind(node) {
        Kind::Null => Value::Null,
        Kind::Bool(value) => value.into(),
        kind @ (Kind::Int | Kind::Float) => {
            let text = hlgen::yaml::scalar::canonical_number(doc.text(node), kind);
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text} is no JSON number: {error}"))
        }
        Kind::Str => doc.text(node).into(),
        Kind::Seq => doc.items(node).iter().map(|item| to_json(doc, *item)).collect(),
        Kind::Map => {
            let entries = doc.entries(node).iter();
            Value::Object(entries.map(|entry| (doc.text(entry.key).into(), to_json(doc, entry.value))).collect())
        }
    }
}

/// All numbers as doubles, which is how Helm holds them.
fn doubles(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap() + 0.0),
        Value::Array(items) => items.iter().map(doubles).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), doubles(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// What Helm's `fromYaml` makes of each text; an error is `None`. One process for all.
fn helm(helm: &Path, texts: &[String]) -> Vec<Option<Value>> {
    let chart = tempfile::tempdir().unwrap();
    std::fs::create_dir(chart.path().join("templates")).unwrap();
    std::fs::write(chart.path().join("Chart.yaml"), "apiVersion: v2\nname: reader\nversion: 1.0.0\n").unwrap();
    let mut values = String::from("texts:\n");
    for text in texts {
        writeln!(values, "  - {:?}", BASE64.encode(text)).unwrap();
    }
    // Not the chart's own values, which Helm bounds to 5 MiB.
    let texts_file = chart.path().join("texts.yaml");
    std::fs::write(&texts_file, values).unwrap();
    std::fs::write(chart.path().join(".helmignore"), "texts.yaml\n").unwrap();
    let template = "v:\n{{- range .Values.texts }}\n- {{ . | b64dec | fromYaml | toJson | b64enc }}\n{{- end }}\n";
    std::fs::write(chart.path().join("templates/out.yaml"), template).unwrap();
    let arguments =
        ["template".as_ref(), "x".as_ref(), chart.path().as_os_str(), "-f".as_ref(), texts_file.as_os_str()];
    let output = support::run(helm, &arguments, "");
    let read: Vec<Option<Value>> = output
        .lines()
        .filter_map(|line| line.strip_prefix("- "))
        .map(|line| {
            let json: Value = serde_json::from_slice(&BASE64.decode(line).unwrap()).unwrap();
            json.get("Error").is_none().then_some(json)
        })
        .collect();
    assert_eq!(read.len(), texts.len());
    read
}

/// What `PyYAML` makes of each text. Keys that are not strings are shown as such.
fn pyyaml(python: &Path, texts: &[String]) -> Option<Vec<Value>> {
    const PROGRAM: &str = "\
import json, sys
try:
    import yaml
except ImportError:
    print('missing')
    sys.exit()
def plain(value):
    if isinstance(value, dict):
        return {key if isinstance(key, str) else 'no string: ' + repr(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return 'no JSON: ' + repr(value)
print(json.dumps([plain(yaml.safe_load(text)) for text in json.load(sys.stdin)]))
";
    let output = support::run(python, &["-c", PROGRAM], &serde_json::to_string(texts).unwrap());
    if output.trim() == "missing" {
        assert!(std::env::var_os("HLGEN_REQUIRE_TOOLS").is_none(), "PyYAML not found");
        println!("skipped: PyYAML not found");
        return None;
    }
    Some(serde_json::from_str(&output).unwrap())
}

/// `count` values of a strategy, the same in every run.
fn sample<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

const WORDS: &[&str] = &[
    "",
    "~",
    "null",
    "Null",
    "NULL",
    "nULL",
    "y",
    "Y",
    "n",
    "N",
    "yes",
    "Yes",
    "YES",
    "yEs",
    "no",
    "No",
    "NO",
    "on",
    "On",
    "ON",
    "off",
    "Off",
    "OFF",
    "true",
    "True",
    "TRUE",
    "tRue",
    "false",
    "False",
    "FALSE",
    ".inf",
    "-.Inf",
    "+.INF",
    ".nan",
    ".NaN",
    "nan",
    "inf",
    "0",
    "-0",
    "+0",
    "00",
    "012",
    "-012",
    "08",
    "0o17",
    "0O17",
    "0x1F",
    "-0x1f",
    "0X1F",
    "0b11",
    "-0b11",
    "0b-1",
    "0b+1",
    "-0b-1",
    "0b",
    "0x",
    "0o",
    "0b2",
    "0o8",
    "0xg",
    "1_000",
    "_1",
    "1_",
    "0_8",
    "0_x1F",
    "1e3",
    "1E3",
    "1e+3",
    "1e-3",
    "1e",
    "e1",
    "1.e3",
    ".5",
    "+.5",
    "-.5",
    ".5_5",
    "._5",
    ".5_",
    "1.",
    "1.10",
    "1.2.3",
    "1e400",
    "1e-400",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "+18446744073709551615",
    "0xFFFFFFFFFFFFFFFF",
    "0x1FFFFFFFFFFFFFFFF",
    "1e20",
    "1e21",
    "1e22",
    "123456789012345678901234567890",
    "1.7976931348623157e308",
    "1e6",
    "1e-6",
    "1e-7",
    "1234567.5",
    "2001-01-01",
    "2001-01-01T00:00:00Z",
    "2001-12-14 21:59:43.10",
    "1:20",
    "190:20:30",
    "12:30:45.5",
    "=",
    "<<",
    "500m",
    "-1.5e+3",
    "0.1",
    "0.30000000000000004",
    "1__0",
    "-_1",
    "+_1",
    "-",
    "+",
    ".",
    "..",
    "--",
    "+1.",
    "-.5e-2",
    "0e0",
    "0.e0",
];

fn plain_words() -> Vec<String> {
    let mut words: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    let numbers = proptest::string::string_regex("[-+]?(0[xXoObB]?)?[0-9a-fA-F_.eE+-]{0,10}").unwrap();
    let letters = proptest::string::string_regex("[yYnNoOtTfFeErRuUsSlLaA~.]{1,5}").unwrap();
    let digits = proptest::string::string_regex("[-+]?[0-9_]{1,30}(\\.[0-9_]{0,20})?([eE][-+]?[0-9]{1,3})?").unwrap();
    words.extend(sample(&numbers, 2500));
    words.extend(sample(&letters, 1000));
    words.extend(sample(&digits, 2500));
    words
}

#[test]
fn plain_scalars_mean_what_they_mean_to_helm() {
    let Some(tool) = support::tool("helm") else { return };
    let mut texts = Vec::new();
    for word in plain_words() {
        texts.push(format!("v: {word}\n"));
        texts.push(format!("v:\n  {word}: x\n"));
    }
    let mut wrong = Vec::new();
    for (text, helm) in texts.iter().zip(helm(&tool, &texts)) {
        let ours = read_one(text);
        if ours.as_ref().map(doubles) != helm.as_ref().map(doubles) {
            wrong.push(format!("{text:?}: ours {ours:?}, helm {helm:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), texts.len(), wrong[..wrong.len().min(40)].join("\n"));
}

/// Strings that are hard to write.
fn strings() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::string::string_regex("[ \\t\\n\\r:#?'\"\\\\&*!|>%@`{}\\[\\],a-z0-9.~=<$_/-]{0,14}").unwrap(),
        2 => proptest::string::string_regex("[ -~]{0,12}").unwrap(),
        2 => proptest::string::string_regex("([a-z :#-]{0,8}\n){1,4}[a-z ]{0,3}\n{0,3}").unwrap(),
        1 => proptest::string::string_regex("(\t?[a-z{}\t ]{0,8}\n){1,4}").unwrap(),
        2 => any::<String>(),
        2 => proptest::collection::vec(
            prop_oneof![
                Just('\u{85}'), Just('\u{2028}'), Just('\u{2029}'), Just('\u{feff}'), Just('\u{a0}'), Just('\u{fffe}'),
                Just('\u{0}'), Just('\u{7f}'), Just('\u{9f}'), Just('\u{10ffff}'), Just('é'), Just('\n'), Just('a'), Just(' '),
            ],
            0..6,
        )
        .prop_map(|characters| characters.into_iter().collect()),
        2 => proptest::sample::select(WORDS).prop_map(ToOwned::to_owned),
        1 => proptest::string::string_regex("[-+]?0?[xob]?[0-9_]{1,8}[.:]?[0-9e]{0,4}").unwrap(),
        1 => (900usize..1100, "[a-z ':\n]").prop_map(|(count, text)| text.repeat(count)),
    ]
}

fn trees() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e6f64..1e6).prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        strings().prop_map(Value::from),
        strings().prop_map(Value::from),
        strings().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((strings(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn differences(texts: &[String], expected: &[Value], read: &[Option<Value>]) {
    let wrong: Vec<String> = texts
        .iter()
        .zip(expected)
        .zip(read)
        .filter(|((_, expected), read)| read.as_ref().map(doubles) != Some(doubles(expected)))
        .map(|((text, expected), read)| format!("{text}\nmeant {expected}\nread  {read:?}\n"))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), texts.len(), wrong[..wrong.len().min(5)].join("\n"));
}

/// Trees below a key `v`, since Helm reads maps only, with what the emitter writes for them.
fn emitted() -> (Vec<Value>, Vec<String>) {
    let values: Vec<Value> = sample(&trees(), 3000)
        .into_iter()
        .chain(sample(&strings(), 3000).into_iter().map(|text| json!({ text.clone(): text })))
        .map(|value| json!({ "v": value }))
        .collect();
    let texts = values.iter().map(emit_json).collect();
    (values, texts)
}

#[test]
fn what_is_emitted_is_read_back_by_hlgen() {
    let (values, texts) = emitted();
    let read: Vec<Option<Value>> = texts.iter().map(|text| read_one(text)).collect();
    differences(&texts, &values, &read);
}

#[test]
fn what_is_emitted_is_read_back_by_serde() {
    let (values, texts) = emitted();
    let read: Vec<Option<Value>> = texts.iter().map(|text| serde_yaml::from_str(text).ok()).collect();
    differences(&texts, &values, &read);
}

#[test]
fn what_is_emitted_is_read_back_by_helm() {
    let Some(tool) = support::tool("helm") else { return };
    let (values, texts) = emitted();
    differences(&texts, &values, &helm(&tool, &texts));
}

#[test]
fn what_is_emitted_is_read_back_by_pyyaml() {
    let Some(tool) = support::tool("python3") else { return };
    let (values, texts) = emitted();
    let Some(read) = pyyaml(&tool, &texts) else { return };
    differences(&texts, &values, &read.into_iter().map(Some).collect::<Vec<_>>());
}

/// Text that looks like YAML from afar.
fn yaml_like() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "a",
        "b: ",
        "c:\n",
        "- ",
        "-\n",
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "  ",
        "? ",
        ": ",
        ":",
        ",",
        "[",
        "]",
        "{",
        "}",
        "&x ",
        "*x",
        "<<: ",
        "!!str ",
        "!append ",
        "!merge:k ",
        "!unset",
        "!raw ",
        "! ",
        "!<x> ",
        "'",
        "\"",
        "\\",
        "|\n",
        "|-\n",
        ">+2\n",
        "# c\n",
        " # c",
        "---\n",
        "...\n",
        "%TAG ! x\n",
        "\t",
        "\r\n",
        "\r",
        "é",
        "\u{feff}",
        "\u{2028}",
        "${{ x }}",
        "yes",
        "012",
        "~",
        "'q'",
        "\"q\"",
        "[a, b]",
        "{a: b}",
        "k: v\n",
        "l:\n  - x\n  - y\n",
        "\0",
        "@",
        "`",
        "%",
    ];
    proptest::collection::vec(proptest::sample::select(PARTS), 0..24).prop_map(|parts| parts.concat())
}

/// YAML as a person might write it: one value, by its first line and the lines below it, which are indented later.
#[derive(Debug, Clone)]
struct Written {
    inline: String,
    below: Vec<String>,
}

fn written() -> impl Strategy<Value = Written> {
    const INLINE: &[&str] = &[
        "",
        "a",
        "a b",
        "a: ",
        "x#y",
        "x # y",
        "'q'",
        "'it''s'",
        "\"q\"",
        "\"a\\tb\\u00e9\"",
        "\"\\x41\"",
        "-1",
        "0.5",
        "1e3",
        "~",
        "[]",
        "{}",
        "[a, 'b', \"c\"]",
        "{a: 1, 'b': [x]}",
        "[{a: b}, c: d]",
        "http://x.y/z?a=b&c",
        "a,b",
        "-a",
        "a:b",
        "é ü",
        "!!str 5",
        "&anchor v",
        "*anchor",
        "&m {k: 1}",
        "${{ x }}",
        "x: y",
        "@a",
        "`",
        "%a",
        "a'b",
        "a\"b",
        "?a",
        "<<",
        "[a, b,]",
        "{a, b}",
        "{a: }",
        "\"multi\n  line\"",
        "plain\n  more",
        "'one\n\n  two'",
        "[a,\n  b]",
        "{a: 1,\n  b: 2 }",
        "null # c",
        "'x' # c",
        "-",
        "--",
        "...",
        "---x",
        "a\t",
        "\"a\\\n  b\"",
        "|",
        ">",
        "a |",
        "*",
        "&",
        "!",
        "!x y",
    ];
    const BLOCK: &[&str] = &["|", "|-", "|+", ">", ">-", ">+", "| # c", "|2", ">1", "|1-"];
    const LINE: &[&str] = &["text", "", "  more", "# no comment", "- x", "k: v", "a  ", "é", "'", "\tx", " y"];
    const KEY: &[&str] = &[
        "a", "b", "c d", "'q'", "\"r\"", "on", "1", "0x1f", "e.f/g", "é", "-x", "? k\n", "<<", "&k key", "1.5", "[x]",
    ];
    let leaf = prop_oneof![
        4 => proptest::sample::select(INLINE).prop_map(|text| Written { inline: text.into(), below: Vec::new() }),
        1 => (proptest::sample::select(BLOCK), proptest::collection::vec(proptest::sample::select(LINE), 0..5)).prop_map(
            |(head, lines)| Written {
                inline: head.into(),
                below: lines.into_iter().map(|line| if line.is_empty() { String::new() } else { format!("  {line}") }).collect(),
            }
        ),
    ];
    let indented = |value: Written, first: &str, indent: usize| -> Vec<String> {
        let margin = " ".repeat(indent);
        let first =
            if value.inline.is_empty() { first.trim_end().to_owned() } else { format!("{first}{}", value.inline) };
        std::iter::once(first)
            .chain(value.below.into_iter().map(|line| if line.is_empty() { line } else { format!("{margin}{line}") }))
            .collect()
    };
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let entry = (proptest::sample::select(KEY), inner.clone(), 0usize..3, 0..8usize);
        let map = proptest::collection::vec(entry, 1..4).prop_map(move |entries| {
            let mut below = Vec::new();
            for (key, value, indent, extra) in entries {
                below.extend(indented(value, &format!("{key}: "), indent));
                match extra {
                    0 => below.push(String::new()),
                    1 => below.push("# comment".into()),
                    2 => below.push("      # far comment".into()),
                    _ => {}
                }
            }
            Written { inline: String::new(), below }
        });
        let list = proptest::collection::vec((inner, 0usize..3), 1..4).prop_map(move |items| {
            let below = items.into_iter().flat_map(|(value, indent)| indented(value, "- ", indent + 1)).collect();
            Written { inline: String::new(), below }
        });
        prop_oneof![2 => map, 1 => list]
    })
}

fn written_text() -> impl Strategy<Value = String> {
    let ends = proptest::sample::select(&["\n", "\n", "\n", "\r\n"][..]);
    (proptest::collection::vec(written(), 1..3), ends, any::<bool>()).prop_map(|(values, end, last)| {
        let mut text = String::new();
        for (at, value) in values.into_iter().enumerate() {
            let _ = writeln!(text, "{}: {}", ["x", "y", "z"][at % 3], value.inline);
            for line in value.below {
                let _ = writeln!(text, " {line}");
            }
        }
        if last {
            text.pop();
        }
        text.replace('\n', end)
    })
}

#[test]
fn texts_that_helm_reads_are_read_alike() {
    let Some(tool) = support::tool("helm") else { return };
    let mut texts: Vec<String> = sample(&yaml_like(), 10_000);
    texts.extend(sample(&written_text(), 10_000));
    let mut both = 0;
    let mut wrong = Vec::new();
    for (text, helm) in texts.iter().zip(helm(&tool, &texts)) {
        let (Some(docs), Some(helm)) = (read(text), helm) else { continue };
        let doc = &docs[0];
        // Tags and late `<<` are where hlgen is meant to differ.
        if doc.kind(doc.root()) != Kind::Map
            || doc.tagged(doc.root())
            || text.contains("<<")
            || text.contains('\u{2028}')
        {
            continue;
        }
        both += 1;
        let ours = to_json(doc, doc.root());
        if doubles(&ours) != doubles(&helm) {
            wrong.push(format!("{text:?}: ours {ours}, helm {helm}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {both}:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(both > 500, "only {both} texts were read by both");
}

/// Everything that must hold of any text, whatever it is.
fn survives(text: &str) {
    let text: Arc<str> = text.into();
    let mut findings = Vec::new();
    let docs = parse(&text, FileId(0), &Limits::default(), &mut findings);
    for label in findings.iter().flat_map(|finding| &finding.labels) {
        let (start, end) = (label.span.start as usize, label.span.end as usize);
        assert!(text.get(start..end).is_some(), "{text:?}: {findings:?}");
    }
    for doc in &docs {
        let mut written = String::new();
        emit(doc, doc.root(), &mut written);
        let again = read(&written).unwrap_or_else(|| panic!("{text:?} became {written:?}"));
        assert_eq!(to_json(&again[0], again[0].root()), to_json(doc, doc.root()), "{text:?} became {written:?}");
        let mut twice = String::new();
        emit(&again[0], again[0].root(), &mut twice);
        assert_eq!(written, twice);
        spans_hold(doc, doc.root(), &text);
    }
}

fn spans_hold(doc: &Doc, node: NodeId, text: &str) {
    let span = doc.span(node);
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "{text:?}");
    if let Some(offset) = doc.content_offset(node) {
        assert!(text[offset as usize..].starts_with(doc.text(node)), "{text:?}");
    }
    for entry in doc.entries(node) {
        spans_hold(doc, entry.key, text);
        spans_hold(doc, entry.value, text);
    }
    for item in doc.items(node) {
        spans_hold(doc, *item, text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let sources = hlgen::diag::SourceMap::new();
        let mut findings = Vec::new();
        if let Some((_, text)) = hlgen::yaml::decode(&bytes, "f", &sources, &Limits::default(), &mut findings) {
            survives(&text);
        } else {
            prop_assert_eq!(findings.len(), 1);
        }
    }

    #[test]
    fn any_yaml_like_text_is_survived(text in yaml_like()) {
        survives(&text);
    }

    #[test]
    fn any_written_text_is_survived(text in written_text()) {
        survives(&text);
    }

    #[test]
    fn emitted_trees_come_back(tree in trees()) {
        survives(&emit_json(&tree));
    }
}

#[test]
fn default_values_of_real_charts_are_read_as_helm_reads_them() {
    let (Some(tool), Some(charts)) = (support::tool("helm"), support::shared("charts")) else { return };
    let mut names = Vec::new();
    let mut texts = Vec::new();
    for chart in std::fs::read_dir(charts).unwrap() {
        let path = chart.unwrap().path().join("values.yaml");
        if let Ok(text) = std::fs::read_to_string(&path) {
            names.push(path.display().to_string());
            texts.push(text);
        }
    }
    let mut wrong = Vec::new();
    for ((name, text), helm) in names.iter().zip(&texts).zip(helm(&tool, &texts)) {
        let text: Arc<str> = text.as_str().into();
        let mut findings = Vec::new();
        let docs = parse(&text, FileId(0), &Limits::default(), &mut findings);
        for finding in findings.iter().filter(|finding| finding.level == Level::Error) {
            wrong.push(format!("{name}: {finding:?}"));
        }
        let ours = docs.first().map(|doc| to_json(doc, doc.root()));
        // Helm's `fromYaml` makes an empty map of a file that is null.
        if ours != Some(Value::Null) && ours.as_ref().map(doubles) != helm.as_ref().map(doubles) {
            wrong.push(format!("{name}: read differently"));
        }
        for doc in &docs {
            spans_hold(doc, doc.root(), &text);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
