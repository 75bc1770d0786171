//! Inline mode says the same as files mode: the same Applications with the same values, which travel through the
//! ApplicationSets and come out as they were.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read what was written")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use hlgen::argocd::expand::expand;
use hlgen::argocd::{Application, ApplicationSet};
use serde::Deserialize as _;
use serde_yaml::Value;
use support::case::{Case, Files, tree};

/// The Applications of all sets below a rendered folder, by instance and name.
fn applications(files: &Files) -> BTreeMap<(String, String), Application> {
    let mut all = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| path.contains("/applicationsets/")) {
        let instance = path.split('/').nth(1).unwrap();
        let set: ApplicationSet = serde_yaml::from_slice(text).unwrap();
        for application in expand(&set).unwrap() {
            all.insert((instance.to_owned(), application.metadata.name.clone()), application);
        }
    }
    all
}

fn rendered(case: &Case, mode: &str) -> Files {
    let outcome = case.run(&["render", "--mode", mode, "--out", mode, "--format", "short"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    case.tree(mode)
}

/// Compares both modes of a repository whose rendered folder is `rendered`; returns how many values were compared.
fn compare(case: &Case) -> usize {
    let (files, inline) = (rendered(case, "files"), rendered(case, "inline"));
    let (by_file, by_element) = (applications(&files), applications(&inline));
    assert_eq!(by_file.keys().collect::<Vec<_>>(), by_element.keys().collect::<Vec<_>>());
    let mut compared = 0;
    for (key, expected) in &by_file {
        let found = &by_element[key];
        assert_eq!(found.spec.destination, expected.spec.destination, "{key:?}");
        assert_eq!(found.spec.sync_policy, expected.spec.sync_policy, "{key:?}");
        assert_eq!(found.metadata.finalizers, expected.metadata.finalizers, "{key:?}");
        assert_eq!(found.metadata.labels, expected.metadata.labels, "{key:?}");
        for source in expected.spec.all_sources().filter(|source| source.helm.is_some()) {
            let file = &source.helm.as_ref().unwrap().value_files[0];
            let file = file.trim_start_matches("$values").trim_start_matches('/').trim_start_matches("rendered/");
            let same = |other: &&hlgen::argocd::types::Source| {
                other.chart == source.chart && (!other.chart.is_empty() || other.path == source.path)
            };
            let inline = found.spec.all_sources().find(same).unwrap().helm.as_ref().unwrap();
            assert!(inline.value_files.is_empty(), "{key:?} still refers to a file");
            let expected: Value = serde_yaml::from_slice(&files[file]).unwrap();
            assert_eq!(serde_yaml::from_str::<Value>(&inline.values).unwrap(), expected, "{key:?}");
            compared += 1;
        }
    }
    let manifests = |files: &Files| -> Files {
        let wanted = |path: &&String| !path.starts_with("argocd/") && !path.ends_with("/values.yaml");
        files.iter().filter(|(path, _)| wanted(path)).map(|(path, text)| (path.clone(), text.clone())).collect()
    };
    assert_eq!(manifests(&files), manifests(&inline), "the plugin brings the same manifests");
    assert!(!inline.keys().any(|path| path.ends_with("/values.yaml")), "inline mode writes no values");
    compared
}

fn copy(folders: &[(&Path, &str)]) -> Case {
    let case = Case::new();
    for (folder, below) in folders {
        for (path, content) in tree(folder) {
            case.write(&format!("{below}{path}"), &content);
        }
    }
    case
}

#[test]
fn this_repository_is_the_same_in_both_modes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let case = copy(&[(&root.join("catalog"), "catalog/"), (&root.join("environments"), "environments/")]);
    case.write("hlgen.yaml", &std::fs::read(root.join("hlgen.yaml")).unwrap());
    assert!(compare(&case) > 40);
}

#[test]
fn braces_words_and_numbers_survive() {
    let case = Case::project()
        .file("environments/dev/environment.yaml", "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\nclusters: [{ name: one }, { name: two }]\napps: { web: {}, local: {} }\n")
        .file("catalog/web/app.yaml", "apiVersion: hlgen.dev/v1\nkind: App\nchart: { repository: https://charts.example.com, name: web, version: 1.2.3 }\n")
        .file("catalog/web/values.yaml", "alert: 'value {{ $labels.pod }} on ${{ cluster.name }}'\nword: 'yes'\nbig: 12345678901234567890\nfloat: 1e6\noctal: '007'\nnone: null\ntext: |\n  {{- range .Values }}\n  ---\n  # not a comment\n  {{ end }}\nempty: {}\n")
        .file("catalog/local/app.yaml", "apiVersion: hlgen.dev/v1\nkind: App\nchart: { path: charts/local }\n")
        .file("catalog/local/values.yaml", "name: ${{ cluster.name }}\n")
        .file("catalog/local/manifests/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m }\ndata: { a: '{{ .x }}' }\n")
        .file("charts/local/Chart.yaml", "apiVersion: v2\nname: local\nversion: 0.1.0\n");
    assert_eq!(compare(&case), 4);
}

/// What `render --mode inline` prints is what it would write below `argocd/`.
#[test]
fn prints_the_stream_of_the_selected_instances() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let case = copy(&[(&root.join("catalog"), "catalog/"), (&root.join("environments"), "environments/")]);
    case.write("hlgen.yaml", &std::fs::read(root.join("hlgen.yaml")).unwrap());
    let files = rendered(&case, "inline");
    let outcome = case.run(&["render", "--mode", "inline", "--env", "dev-kind"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let parse = |text: &[u8]| -> Vec<Value> {
        serde_yaml::Deserializer::from_slice(text).map(|document| Value::deserialize(document).unwrap()).collect()
    };
    let of = files.iter().filter(|(path, _)| path.starts_with("argocd/dev-kind/"));
    let expected: Vec<Value> = of.flat_map(|(_, text)| parse(text)).collect();
    assert_eq!(parse(outcome.stdout.as_bytes()), expected);
    let root =
        expected.iter().find(|object| object["metadata"]["name"] == "homelab-root" && object["kind"] == "Application");
    let plugin = &root.unwrap()["spec"]["source"]["plugin"];
    assert_eq!(plugin["name"], "hlgen");
    let refused = case.run(&["render", "--mode", "inline", "--check"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--out"), "{}", refused.stderr);
}

/// An Application keeps its source several times: what is too large for that is said before Argo CD says it.
#[test]
fn values_that_are_too_large_ask_for_files() {
    let case = Case::project()
        .file("environments/dev/environment.yaml", "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\napps: { web: {} }\n")
        .file("catalog/web/app.yaml", "apiVersion: hlgen.dev/v1\nkind: App\nchart: { repository: https://charts.example.com, name: web, version: 1.2.3 }\n")
        .file("catalog/web/values.yaml", format!("text: {}\n", "x".repeat(300_000)));
    let outcome = case.run(&["render", "--mode", "inline", "--format", "short"]);
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(outcome.stdout.is_empty(), "nothing is printed beside a finding");
    assert!(outcome.stderr.contains("error[out/size]: Application `dev-web`"), "{}", outcome.stderr);
    let explained = case.run(&["render", "--mode", "inline"]);
    assert!(explained.stderr.contains("commit them instead (`--mode files`)"), "{}", explained.stderr);
    assert_eq!(case.run(&["render"]).code, 0, "files have no such limit");
}
