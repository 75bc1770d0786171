//! The merge means what Helm means: `helm template -f a -f b -f c` and one file that hlgen merged of `a`, `b` and `c`
//! give a chart the same values, whatever the chart's own defaults are.
//!
//! Trees are random, but agree on where maps are (a map that meets a scalar is a finding) and carry no tags. One Helm
//! process takes a whole batch: each case stands under a key of its own, and neighbours do not meet.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests prepare the files that tools read")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use hlgen::diag::{Level, SourceMap};
use hlgen::merge::{Forest, Ref};
use hlgen::yaml::{Limits, emit, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

/// Layers above the chart's defaults.
const LAYERS: usize = 4;

/// What one layer says about one place.
#[derive(Debug, Clone)]
enum Part {
    /// YAML of a scalar or of a list, in one line.
    Text(String),
    Map(Vec<(String, Part)>),
}

/// One place of the tree as all layers see it: `None` where a layer does not set it. Number 0 are the chart's defaults.
type Place = Vec<Option<Part>>;

/// A batch that Helm sees at once: for every case what each layer says.
type Batch = Vec<Place>;

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

fn scalar() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i32>().prop_map(|number| number.to_string()),
        (-9_007_199_254_740_991i64..=9_007_199_254_740_991).prop_map(|number| number.to_string()),
        (any::<i16>(), 0u8..100).prop_map(|(whole, part)| format!("{whole}.{part:02}")),
        prop::sample::select(vec!["0", "-0", "1.10", "1e3", "-2.5E-3", "0x1F", "017", "1_000", "0b11", ".5", "+7"])
            .prop_map(str::to_owned),
    ];
    let word = prop::sample::select(vec![
        "true",
        "yes",
        "Off",
        "n",
        "null",
        "~",
        "plain",
        "two words",
        "2024-05-01",
        "12:30",
        "1.2.3",
        "500m",
        "''",
        "'it''s'",
        "http://x/y?z=1#a",
        "'{{ .Release.Name }}'",
        "a:b",
        "\"\\u00e9\\n\"",
        "'#no comment'",
        "0.1.0",
        "1e",
        "0o17",
    ]);
    prop_oneof![
        2 => number,
        2 => "\\PC{0,12}".prop_map(|text| quoted(&text)),
        3 => word.prop_map(str::to_owned),
        2 => Just("null".to_owned()),
    ]
}

/// A list in flow style; maps inside a list are never merged, so their shape is free.
fn list() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        any::<i16>().prop_map(|number| number.to_string()),
        "\\PC{0,6}".prop_map(|text| quoted(&text)),
        Just("null".to_owned()),
        ("[a-c]{1,2}", any::<i8>()).prop_map(|(key, value)| format!("{{ {}: {value}, \"n\": null }}", quoted(&key))),
    ];
    vec(item, 0..4).prop_map(|items| format!("[{}]", items.join(", ")))
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[a-f]", 2 => "[a-z][a-zA-Z.-]{1,8}", 1 => "\\PC{1,6}", 1 => "[0-9]{1,3}"]
}

/// What every layer says about a place that holds scalars and lists.
fn leaf() -> BoxedStrategy<Place> {
    let text = prop_oneof![4 => scalar(), 1 => list()];
    vec(prop::option::weighted(0.5, text.prop_map(Part::Text)), LAYERS + 1).boxed()
}

/// What every layer says about a place that holds maps: nothing, null, or some of its keys.
fn map(inner: BoxedStrategy<Place>) -> BoxedStrategy<Place> {
    #[derive(Debug, Clone, Copy)]
    enum Says {
        Nothing,
        Null,
        Keys,
    }
    let says = prop_oneof![2 => Just(Says::Nothing), 1 => Just(Says::Null), 6 => Just(Says::Keys)];
    (vec((key(), inner), 0..6), vec(says, LAYERS + 1))
        .prop_map(|(mut keys, says)| {
            keys.sort_by(|a, b| a.0.cmp(&b.0));
            keys.dedup_by(|a, b| a.0 == b.0);
            let mut place = Place::new();
            for (layer, says) in says.into_iter().enumerate() {
                place.push(match says {
                    Says::Nothing => None,
                    Says::Null => Some(Part::Text("null".to_owned())),
                    Says::Keys => {
                        let set = keys.iter().filter_map(|(key, place)| Some((key.clone(), place[layer].clone()?)));
                        Some(Part::Map(set.collect()))
                    }
                });
            }
            place
        })
        .boxed()
}

fn batch() -> impl Strategy<Value = Batch> {
    let mut inner = leaf();
    for _ in 0..3 {
        inner = prop_oneof![1 => leaf(), 1 => map(inner)].boxed();
    }
    vec(map(inner), 1..25)
}

/// The text of one layer of a whole batch.
fn layer_text(batch: &Batch, layer: usize) -> String {
    let mut out = String::from("# a layer\n");
    for (number, place) in batch.iter().enumerate() {
        if let Some(part) = &place[layer] {
            write_entry(&format!("case{number}"), part, 0, &mut out);
        }
    }
    out
}

fn write_entry(key: &str, part: &Part, indent: usize, out: &mut String) {
    let plain = key.bytes().all(|byte| byte.is_ascii_lowercase()) && key.len() > 3;
    let key = if plain { key.to_owned() } else { quoted(key) };
    match part {
        Part::Text(text) => {
            let _ = writeln!(out, "{:indent$}{key}: {text}", "");
        }
        Part::Map(entries) if entries.is_empty() => {
            let _ = writeln!(out, "{:indent$}{key}: {{}}", "");
        }
        Part::Map(entries) => {
            let _ = writeln!(out, "{:indent$}{key}:", "");
            for (key, part) in entries {
                write_entry(key, part, indent + 2, out);
            }
        }
    }
}

/// hlgen's merge of the texts: the tree as JSON and as it is written.
fn merged(layers: &[String]) -> (Json, String) {
    let sources = SourceMap::new();
    let mut forest = Forest::new();
    let mut root: Option<Ref> = None;
    for (number, text) in layers.iter().enumerate() {
        let text: Arc<str> = text.as_str().into();
        let mut findings = Vec::new();
        let file = sources.add(format!("{number}.yaml"), Arc::clone(&text));
        let docs = parse(&text, file, &Limits::default(), &mut findings);
        let doc = docs.into_iter().next().unwrap_or_else(|| panic!("{findings:?}\n{text}"));
        let node = doc.root();
        let is_map = doc.kind(node) == hlgen::yaml::Kind::Map;
        let layer = forest.add(Arc::new(doc));
        if is_map {
            root = forest.overlay(root, layer, node, &mut findings);
        }
        findings.retain(|finding| finding.level == Level::Error);
        assert!(findings.is_empty(), "{findings:?}\n{text}");
    }
    let Some(root) = root else { return (Json::Object(Map::new()), String::new()) };
    let mut text = String::new();
    emit(&forest, root, &mut text);
    (forest.to_json(root), text)
}

/// The values a chart sees.
fn helm(helm: &Path, chart: &Path, files: &[String]) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec!["template".to_owned(), chart.display().to_string()];
    for (number, text) in files.iter().enumerate() {
        let path = folder.path().join(format!("{number}.yaml"));
        fs::write(&path, text).unwrap();
        arguments.extend(["-f".to_owned(), path.display().to_string()]);
    }
    let output = support::run(helm, &arguments, "");
    let json = output.lines().find(|line| line.starts_with('{')).expect("the values");
    numbers_as_helm(serde_json::from_str(json).unwrap())
}

/// Helm counts in 64-bit floating point, so 1 and 1.0 are one number to it.
fn numbers_as_helm(value: Json) -> Json {
    match value {
        Json::Number(number) => number.as_f64().map_or(Json::Null, Json::from),
        Json::Array(items) => items.into_iter().map(numbers_as_helm).collect(),
        Json::Object(map) => map.into_iter().map(|(key, value)| (key, numbers_as_helm(value))).collect(),
        other => other,
    }
}

fn chart(folder: &Path, defaults: &str) {
    fs::create_dir_all(folder.join("templates")).unwrap();
    fs::write(folder.join("Chart.yaml"), "apiVersion: v2\nname: oracle\nversion: 1.0.0\n").unwrap();
    fs::write(folder.join("values.yaml"), defaults).unwrap();
    fs::write(folder.join("templates/values.yaml"), "{{ .Values | toJson }}\n").unwrap();
}

/// The first case in which two results differ, with everything that led to it.
fn same(batch: &Batch, what: &str, ours: &Json, helms: &Json) -> Result<(), TestCaseError> {
    for (number, place) in batch.iter().enumerate() {
        let key = format!("case{number}");
        if ours.get(&key) != helms.get(&key) {
            let mut story = format!("{what}\n");
            for layer in 0..=LAYERS {
                let _ =
                    writeln!(story, "--- {}", if layer == 0 { "defaults".into() } else { format!("layer {layer}") });
                story.push_str(&layer_text(&vec![place.clone()], layer));
            }
            let (ours, helms) = (ours.get(&key), helms.get(&key));
            return Err(TestCaseError::fail(format!("{story}--- hlgen: {ours:?}\n--- Helm:  {helms:?}")));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        max_shrink_iters: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn layers_merge_as_helm_merges_them(batch in batch()) {
        let Some(tool) = support::tool("helm") else { return Ok(()) };
        let layers: Vec<String> = (1..=LAYERS).map(|layer| layer_text(&batch, layer)).collect();
        let (json, text) = merged(&layers);

        let folder = tempfile::tempdir().unwrap();
        chart(folder.path(), "");
        let bare = helm(&tool, folder.path(), &layers);
        same(&batch, "the merged tree", &numbers_as_helm(json), &bare)?;

        // A null must still take a default of the chart away once it stands in one merged file.
        chart(folder.path(), &layer_text(&batch, 0));
        let one = helm(&tool, folder.path(), &[text]);
        let several = helm(&tool, folder.path(), &layers);
        same(&batch, "what a chart with defaults sees", &one, &several)?;
    }
}
