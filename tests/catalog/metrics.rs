//! Metrics follow the capability: switching it on or off in an environment changes what watches an app, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Deserialize as _;
use serde_yaml::Value;

use crate::entries::{self, Entry, PROVIDERS, Repository};

/// Apps whose chart has a switch for a monitor that stays off, and why.
const OFF: &[(&str, &str)] = &[
    ("app-template", "a base; each app on it says whether it has metrics"),
    ("jenkins", "its metrics need a plugin whose version goes with the server's"),
    ("uptime-kuma", "its metrics ask for an API key that a person makes in it"),
    ("zot", "its metrics ask for a password, which the chart takes from a Secret of its own"),
];

/// The files of the environment `dev`, with and without somebody who provides metrics.
fn both(entries: &BTreeMap<String, Entry>, entry: &Entry) -> Result<[BTreeMap<String, String>; 2], String> {
    let provider = PROVIDERS.iter().find(|provider| entry.runs_on(provider)).ok_or("runs nowhere")?;
    let render = |on: bool| -> Result<BTreeMap<String, String>, String> {
        let repository = Repository::with(entries, entry, provider)?;
        if on {
            repository.provide("metrics", "{ crds: [servicemonitors, podmonitors, prometheusrules], url: 'http://metrics.example.com', dashboards: { grafana_dashboard: '1' } }");
        }
        let files = repository.render().files.into_iter();
        Ok(files.filter(|file| file.path.starts_with("dev/")).map(|file| (file.path, file.text)).collect())
    };
    Ok([render(false)?, render(true)?])
}

fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap()).collect()
}

/// The paths of switches that are on and whose name says that a monitor is made.
fn monitors(value: &Value, path: &mut Vec<String>, found: &mut Vec<String>) {
    if let Value::Mapping(map) = value {
        for (key, value) in map {
            path.push(key.as_str().unwrap_or_default().to_lowercase());
            let monitor = path.iter().any(|part| part.contains("servicemonitor") || part.contains("podmonitor"));
            let switch = ["enable", "create"].iter().any(|word| path[path.len() - 1].contains(word));
            if monitor && switch && value.as_bool() == Some(true) {
                found.push(path.join("."));
            }
            monitors(value, path, found);
            path.pop();
        }
    }
}

/// What of an object says that it is there for metrics: its group, or a label that a Grafana looks for.
fn is_for_metrics(object: &Value) -> bool {
    let text = |value: &Value| serde_yaml::to_string(value).unwrap();
    let version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let labels = object.get("metadata").and_then(|metadata| metadata.get("labels")).map(text).unwrap_or_default();
    version.starts_with("monitoring.coreos.com/")
        || labels.contains("grafana_")
        // What may read metrics, and the ports they are read from.
        || text(object).contains("metrics")
}

#[test]
fn monitors_follow_the_capability() {
    let entries = entries::all();
    let provides = |entry: &Entry| entry.spec.provides.contains_key("metrics");
    let uses = |entry: &Entry| entry.spec.wants.iter().any(|name| name == "metrics") || entry.spec.metrics.is_some();
    let wanted: Vec<&Entry> = entries.values().filter(|entry| !entry.is_base() && !provides(entry)).collect();
    let looked: Vec<(&str, bool, Vec<String>)> = wanted
        .par_iter()
        .map(|entry| {
            let mut wrong = Vec::new();
            let [off, on] = match both(&entries, entry) {
                Ok(both) => both,
                Err(reason) => return (entry.name.as_str(), false, vec![reason]),
            };
            // Another app that it requires brings its own.
            let brings = |files: &BTreeMap<String, String>| {
                files.keys().any(|path| {
                    path.split('/').nth(1).is_some_and(|release| entries.get(release).is_some_and(provides))
                })
            };
            if brings(&off) {
                return (entry.name.as_str(), false, wrong);
            }
            for (path, text) in &off {
                let mut found = Vec::new();
                if path.ends_with("/values.yaml") {
                    documents(text).iter().for_each(|values| monitors(values, &mut Vec::new(), &mut found));
                }
                wrong.extend(found.into_iter().map(|switch| format!("{path}: `{switch}` is on without metrics")));
                if documents(text).iter().any(|object| {
                    let version = object.get("apiVersion").and_then(Value::as_str);
                    version.is_some_and(|version| version.starts_with("monitoring.coreos.com/"))
                }) {
                    wrong.push(format!("{path} is there without metrics"));
                }
            }
            let mut changed = false;
            for path in off.keys().chain(on.keys()).collect::<BTreeSet<_>>() {
                if off.get(path) == on.get(path) {
                    continue;
                }
                let release = path.split('/').nth(1).unwrap_or_default();
                changed |= release == entry.name;
                let declared = entries.get(release).is_none_or(uses);
                if !declared {
                    wrong.push(format!("{path} changes, and `{release}` does not want metrics"));
                }
                if path.contains("/manifests/") {
                    let objects = |files: &BTreeMap<String, String>| {
                        files.get(path).map(|text| documents(text)).unwrap_or_default()
                    };
                    let (before, after) = (objects(&off), objects(&on));
                    let all = before.iter().chain(&after);
                    let odd = all.filter(|object| before.contains(object) != after.contains(object));
                    wrong.extend(
                        odd.filter(|object| !is_for_metrics(object))
                            .map(|_| format!("{path}: not for metrics, and changes")),
                    );
                }
            }
            if uses(entry) != changed {
                let what = if changed {
                    "changes, and it does not want metrics"
                } else {
                    "wants metrics, and nothing changes"
                };
                wrong.push(what.to_owned());
            }
            (entry.name.as_str(), changed, wrong)
        })
        .collect();
    let changed = looked.iter().filter(|(_, changed, _)| *changed).count();
    let wrong: Vec<String> =
        looked.iter().flat_map(|(name, _, wrong)| wrong.iter().map(move |wrong| format!("{name}: {wrong}"))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(changed > 60, "only {changed} apps follow");
}

/// An app whose chart has a switch follows it, or says here why not.
#[test]
fn every_switch_of_a_chart_is_used() {
    let mut wrong = Vec::new();
    for entry in entries::all().values() {
        let Some(schema) = entry.files.get(&format!("catalog/{}/values.schema.json", entry.name)) else { continue };
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let mut found = Vec::new();
        switches(&schema, "", &mut found);
        let spec = &entry.spec;
        let follows = spec.provides.contains_key("metrics")
            || spec.provides.contains_key("monitoring-crds")
            || spec.wants.iter().chain(&spec.requires).any(|name| name == "metrics");
        let excused = OFF.iter().any(|(name, _)| *name == entry.name);
        match found.first() {
            Some(switch) if !follows && !excused => wrong.push(format!("{}: `{switch}` follows nothing", entry.name)),
            _ if excused && (found.is_empty() || follows) => wrong.push(format!("{}: needs no excuse", entry.name)),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn switches(schema: &serde_json::Value, at: &str, found: &mut Vec<String>) {
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        let word = key.to_lowercase();
        if ["servicemonitor", "podmonitor"].iter().any(|name| word.starts_with(name)) {
            found.push(path.clone());
        }
        switches(value, &path, found);
    }
}
