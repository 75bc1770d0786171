//! The catalog beside the charts it names, where facts about them lie beside the repository.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use hlgen::diag::FileId;
use hlgen::yaml::{Doc, Kind, Limits, NodeId, parse};
use rayon::prelude::*;
use serde_json::Value;

use crate::entries::{self, Entry, PROVIDERS, Repository};
use crate::support;

/// A chart's facts and the folder of its files.
pub(crate) struct Chart {
    pub folder: PathBuf,
    facts: Value,
}

/// Charts by name and version, without a leading `v`.
pub(crate) fn charts() -> Option<BTreeMap<(String, String), Chart>> {
    let mut charts = BTreeMap::new();
    for folder in std::fs::read_dir(support::shared("charts")?).unwrap() {
        let folder = folder.unwrap().path();
        let Ok(facts) = std::fs::read_to_string(folder.join("chart.json")) else { continue };
        let facts: Value = serde_json::from_str(&facts).unwrap();
        let (Some(name), Some(version)) = (facts["chart"].as_str(), facts["version"].as_str()) else { continue };
        let key = (name.to_owned(), version.trim_start_matches('v').to_owned());
        charts.insert(key, Chart { folder, facts });
    }
    Some(charts)
}

pub(crate) fn chart_of<'c>(entry: &Entry, charts: &'c BTreeMap<(String, String), Chart>) -> Option<&'c Chart> {
    let chart = entry.spec.chart.as_ref()?;
    charts.get(&(chart.name.clone()?, chart.version.as_deref()?.trim_start_matches('v').to_owned()))
}

/// The committed schemas are what `hlgen schema infer` makes of the charts' defaults today.
#[test]
fn inferred_schemas_are_in_step_with_the_charts() {
    let Some(charts) = charts() else { return };
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for entry in entries::all().values().filter(|entry| entry.base.is_none()) {
        let Some(text) = entry.files.get(&format!("catalog/{}/values.schema.json", entry.name)) else {
            if entry.spec.chart.is_some() {
                wrong.push(format!("{} has no values.schema.json", entry.name));
            }
            continue;
        };
        let schema: Value = serde_json::from_str(text).unwrap();
        if schema["x-hlgen"]["inferred"] != true {
            continue;
        }
        let Some(chart) = chart_of(entry, &charts) else {
            println!("skipped: no facts about the chart of {}", entry.name);
            continue;
        };
        let Ok(values) = std::fs::read_to_string(chart.folder.join("values.yaml")) else {
            println!("skipped: no default values of {}", entry.name);
            continue;
        };
        if values.contains("\n_internal_defaults_do_not_set:") {
            println!("skipped: the defaults of {} stand one level below where they are set", entry.name);
            continue;
        }
        let values: Arc<str> = values.into();
        let docs = parse(&values, FileId(0), &Limits::default(), &mut Vec::new());
        let dependencies: Vec<&str> = chart.facts["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|dependency| dependency["alias"].as_str().or(dependency["name"].as_str()))
            .collect();
        let spec = entry.spec.chart.as_ref().unwrap();
        let (name, version) = (spec.name.as_deref().unwrap(), spec.version.as_deref().unwrap());
        let expected = hlgen::schema::infer_with_dependencies(&docs[0], name, version, &dependencies);
        seen += 1;
        if schema != expected {
            wrong.push(format!("{}: values.schema.json is not what `hlgen schema infer` makes", entry.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 15, "only {seen} schemas were compared");
}

/// What the catalog sets is what the chart's own schema takes, on every platform.
#[test]
fn values_satisfy_the_charts_own_schemas() {
    let Some(charts) = charts() else { return };
    let entries = entries::all();
    let with_schema: Vec<(&Entry, &Chart)> = entries
        .values()
        .filter(|entry| !entry.is_base())
        .filter_map(|entry| Some((entry, chart_of(entry, &charts)?)))
        .filter(|(_, chart)| chart.folder.join("values.schema.json").is_file())
        .collect();
    assert!(with_schema.len() > 5, "{} charts with schemas", with_schema.len());
    let wrong: Vec<String> =
        with_schema.par_iter().flat_map_iter(|(entry, chart)| check(&entries, entry, chart)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(entries: &BTreeMap<String, Entry>, entry: &Entry, chart: &Chart) -> Vec<String> {
    let read = |name: &str| std::fs::read_to_string(chart.folder.join(name)).unwrap();
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let Ok(validator) = jsonschema::validator_for(&schema) else {
        println!("skipped: the schema of {} cannot be compiled offline", entry.name);
        return Vec::new();
    };
    let defaults = as_helm_reads(&read("values.yaml"));
    let mut wrong = Vec::new();
    for provider in PROVIDERS.iter().filter(|provider| entry.runs_on(provider)) {
        let Ok(repository) = Repository::with(entries, entry, provider) else { continue };
        for stage in ["dev", "staging", "prod"] {
            let path = format!("{stage}/{}/values.yaml", entry.name);
            let outcome = repository.render();
            let Some(file) = outcome.files.iter().find(|file| file.path == path) else { continue };
            let mut values = defaults.clone();
            coalesce(&mut values, &serde_yaml::from_str(&file.text).unwrap());
            for error in validator.iter_errors(&values).take(3) {
                let (at, what) = (error.instance_path().to_string(), error.to_string());
                let what: String = what.chars().take(200).collect();
                wrong.push(format!("{} on {provider} in {stage}: {at}: {what}", entry.name));
            }
        }
    }
    wrong
}

/// YAML as Helm and Kubernetes read it: `no` is false.
pub(crate) fn as_helm_reads(text: &str) -> Value {
    let text: Arc<str> = text.into();
    let docs = parse(&text, FileId(0), &Limits::default(), &mut Vec::new());
    to_json(&docs[0], docs[0].root())
}

fn to_json(doc: &Doc, node: NodeId) -> Value {
    match doc.kind(node) {
        Kind::Null => Value::Null,
        Kind::Bool(value) => value.into(),
        kind @ (Kind::Int | Kind::Float) => {
            serde_json::from_str(&hlgen::yaml::scalar::canonical_number(doc.text(node), kind)).unwrap()
        }
        Kind::Str => doc.text(node).into(),
        Kind::Seq => doc.items(node).iter().map(|item| to_json(doc, *item)).collect(),
        Kind::Map => {
            let entries = doc.entries(node).iter();
            Value::Object(entries.map(|entry| (doc.text(entry.key).into(), to_json(doc, entry.value))).collect())
        }
    }
}

/// Values over a chart's defaults as Helm lays them: maps merge, `null` drops a default.
fn coalesce(below: &mut Value, over: &Value) {
    match (below, over) {
        (Value::Object(below), Value::Object(over)) => {
            for (key, value) in over {
                match below.get_mut(key) {
                    _ if value.is_null() => {
                        below.remove(key);
                    }
                    Some(known) => coalesce(known, value),
                    None => {
                        below.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (below, over) => *below = over.clone(),
    }
}
