//! What we write passes Argo CD's own CRDs, read strictly: a field the CRD does not know is an error here, though the
//! API server would only drop it. The CRDs lie beside the repository; without them the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may

#[path = "argocd/applications.rs"]
mod applications;

use std::path::Path;

use hlgen::argocd::set::{Rollout, factor};
use hlgen::argocd::types::{AppProject, AppProjectSpec, Metadata, OrphanedResources, ProjectDestination, ResourceKind};
use jsonschema::Validator;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// The strict JSON Schema of a CRD's newest version.
#[allow(clippy::disallowed_methods)] // a test reads its material itself
fn crd(name: &str) -> Option<Validator> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/crds").join(name);
    if !file.exists() {
        println!("skipped: {name} not found");
        return None;
    }
    let text = std::fs::read_to_string(file).unwrap();
    let crd: Value = serde_yaml::from_str(&text).unwrap();
    let mut schema = crd.pointer("/spec/versions/0/schema/openAPIV3Schema").unwrap().clone();
    close(&mut schema);
    schema["properties"]["metadata"] = json!({
        "type": "object",
        "required": ["name", "namespace"],
        "additionalProperties": false,
        "properties": {
            "name": { "type": "string" },
            "namespace": { "type": "string" },
            "labels": { "type": "object", "additionalProperties": { "type": "string" } },
            "annotations": { "type": "object", "additionalProperties": { "type": "string" } },
            "finalizers": { "type": "array", "items": { "type": "string" } },
        },
    });
    Some(jsonschema::draft202012::new(&schema).unwrap())
}

/// Turns a structural schema into one that refuses unknown fields.
fn close(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    let open = map.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if map.contains_key("properties") && !open {
        map.insert("additionalProperties".into(), json!(false));
    }
    if map.get("x-kubernetes-int-or-string") == Some(&json!(true)) {
        *map = Map::from_iter([("type".to_owned(), json!(["integer", "string"]))]);
        return;
    }
    if map.remove("nullable") == Some(json!(true)) {
        let kind = map["type"].clone();
        map.insert("type".into(), json!([kind, "null"]));
    }
    for key in ["properties", "patternProperties"] {
        if let Some(Value::Object(properties)) = map.get_mut(key) {
            properties.values_mut().for_each(close);
        }
    }
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = map.get_mut(key) {
            close(inner);
        }
    }
}

#[track_caller]
fn accept(validator: &Validator, value: &Value) {
    let errors: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
    no_empties(value, "");
}

/// Nothing that Argo CD would drop from the live object: no null, no empty list, and an empty map only where it
/// switches automatic sync on or where the destination was left out.
fn no_empties(value: &Value, path: &str) {
    match value {
        Value::Null => panic!("{path} is null"),
        Value::Array(items) => {
            assert!(!items.is_empty(), "{path} is empty");
            for item in items {
                no_empties(item, path);
            }
        }
        Value::Object(map) => {
            let meant = ["/automated", "/destination"].iter().any(|end| path.ends_with(end));
            assert!(meant || !map.is_empty(), "{path} is empty");
            for (key, item) in map {
                no_empties(item, &format!("{path}/{key}"));
            }
        }
        _ => {}
    }
}

#[test]
fn applications_and_sets() {
    let (Some(application_crd), Some(set_crd)) = (crd("application-crd.yaml"), crd("applicationset-crd.yaml")) else {
        return;
    };
    let rollout = Rollout { label: "stage".into(), groups: vec![vec!["dev".into()], vec!["prod".into()]] };
    let mut runner = TestRunner::deterministic();
    for _ in 0..200 {
        let elements = applications::elements().new_tree(&mut runner).unwrap().current();
        for element in &elements {
            accept(&application_crd, &serde_json::to_value(&element.application).unwrap());
        }
        for rollout in [None, Some(&rollout)] {
            let set = factor("app", "argocd", &elements, &applications::PATTERNS, rollout).unwrap();
            accept(&set_crd, &serde_json::to_value(&set).unwrap());
        }
    }
}

#[test]
fn projects() {
    let Some(validator) = crd("appproject-crd.yaml") else { return };
    let kind = ResourceKind { group: String::new(), kind: "Namespace".into(), name: "team-*".into() };
    let spec = AppProjectSpec {
        description: "applications of prod".into(),
        source_repos: vec!["https://charts.example.com".into()],
        destinations: vec![ProjectDestination {
            name: "prod".into(),
            namespace: "*".into(),
            ..ProjectDestination::default()
        }],
        cluster_resource_whitelist: vec![kind],
        cluster_resource_blacklist: vec![ResourceKind::new("*", "Secret")],
        namespace_resource_whitelist: vec![ResourceKind::new("*", "*")],
        namespace_resource_blacklist: vec![ResourceKind::new("", "ResourceQuota")],
        orphaned_resources: Some(OrphanedResources { warn: Some(false) }),
    };
    let project = AppProject::new(Metadata::new("prod-application", "argocd"), spec);
    accept(&validator, &serde_json::to_value(project).unwrap());
}

#[test]
fn the_strict_schema_refuses_what_the_api_server_drops() {
    let Some(validator) = crd("application-crd.yaml") else { return };
    let mut value = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": { "name": "x", "namespace": "y" },
        "spec": { "project": "p", "destination": { "name": "c" }, "source": { "repoURL": "u" } },
    });
    accept(&validator, &value);
    value["spec"]["source"]["automated"] = json!({ "prune": true });
    assert!(!validator.is_valid(&value));
}

/// What hlgen renders of its own catalog and environments, file by file.
#[test]
#[allow(clippy::disallowed_methods)] // a test reads what was written
fn everything_the_repository_renders() {
    let (Some(application), Some(set), Some(project)) =
        (crd("application-crd.yaml"), crd("applicationset-crd.yaml"), crd("appproject-crd.yaml"))
    else {
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_hlgen"))
        .args(["render", "--quiet", "-C", env!("CARGO_MANIFEST_DIR"), "--out"])
        .arg(out.path())
        .status()
        .unwrap();
    assert!(status.success());
    let mut folders = vec![out.path().join("argocd")];
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for document in serde_yaml::Deserializer::from_str(&text) {
                let value = <Value as serde::Deserialize>::deserialize(document).unwrap();
                let kind = value["kind"].as_str().unwrap().to_owned();
                accept(
                    match kind.as_str() {
                        "Application" => &application,
                        "ApplicationSet" => &set,
                        "AppProject" => &project,
                        other => panic!("{}: {other} is no kind of Argo CD's", path.display()),
                    },
                    &value,
                );
                *seen.entry(kind).or_default() += 1;
            }
        }
    }
    assert!(seen["ApplicationSet"] > 40 && seen["AppProject"] >= 9 && seen["Application"] == 4, "{seen:?}");
}
