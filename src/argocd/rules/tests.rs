use serde_json::{Value, json};

use super::*;
use crate::argocd::set::{Element, Pattern, Patterns, Piece, Rollout, factor};

fn sample() -> Value {
    json!({
        "metadata": {
            "name": "prod-traefik",
            "namespace": "argocd",
            "labels": { "stage": "prod" },
            "annotations": { "argocd.argoproj.io/manifest-generate-paths": "/rendered/prod/traefik" },
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "prod-platform",
            "destination": { "name": "prod", "namespace": "traefik" },
            "sources": [
                {
                    "repoURL": "https://charts.example.com", "chart": "traefik", "targetRevision": "1.2.3",
                    "helm": { "releaseName": "traefik", "valueFiles": ["$values/rendered/prod/traefik/values.yaml"] },
                },
                {
                    "repoURL": "https://git.example.com/ops/homelab.git", "targetRevision": "main",
                    "path": "rendered/prod/traefik/manifests", "ref": "values", "directory": { "recurse": true },
                },
            ],
            "syncPolicy": {
                "automated": { "prune": true, "selfHeal": true },
                "syncOptions": ["ServerSideApply=true", "PruneLast=true"],
                "retry": {
                    "limit": 20,
                    "backoff": { "duration": "5s", "factor": 2, "maxDuration": "3m" },
                    "refresh": true,
                },
            },
            "ignoreDifferences": [{ "group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"] }],
        },
    })
}

fn version() -> Version {
    Version::new(3, 4)
}

fn build(value: Value) -> Application {
    serde_json::from_value(value).unwrap()
}

/// The sample with one place changed (`null` removes); what is found, as `path: what`.
fn found_at(version: Version, changes: &[(&str, Value)]) -> Vec<String> {
    let mut value = sample();
    for (pointer, new) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/");
        match value.pointer_mut(parent).unwrap() {
            Value::Object(map) if new.is_null() => drop(map.shift_remove(&key)),
            Value::Object(map) => drop(map.insert(key, new.clone())),
            Value::Array(items) if key == "-" => items.push(new.clone()),
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = new.clone(),
            _ => panic!("{pointer}"),
        }
    }
    application(&build(value), version).into_iter().map(|found| format!("{}: {}", found.path, found.what)).collect()
}

#[track_caller]
fn finds(changes: &[(&str, Value)], expected: &str) {
    let found = found_at(version(), changes);
    assert!(found.len() == 1 && found[0].starts_with(expected), "{changes:?}\nexpected {expected}\nfound {found:#?}");
}

#[test]
fn the_sample_is_fine() {
    for minor in 2..=5 {
        assert_eq!(found_at(Version::new(3, minor), &[]), [""; 0]);
    }
}

#[test]
fn names_labels_and_annotations() {
    finds(&[("/metadata/name", json!("Prod"))], "metadata.name: `Prod` is not a DNS name");
    finds(&[("/metadata/name", json!("a".repeat(64)))], "metadata.name: `aaaa");
    finds(&[("/metadata/labels/stage", json!("a b"))], "metadata.labels[\"stage\"]: `a b` is not a label value");
    finds(&[("/metadata/labels/a~1b~1c", json!("x"))], "metadata.labels[\"a/b/c\"]: `a/b/c` is not a label key");
    let wave = "/metadata/annotations/argocd.argoproj.io~1sync-wave";
    assert_eq!(found_at(version(), &[(wave, json!("-1"))]), [""; 0]);
    for bad in ["", "1.5", "first", "+1", "99999999999"] {
        finds(&[(wave, json!(bad))], "metadata.annotations[\"argocd.argoproj.io/sync-wave\"]");
    }
    finds(&[("/metadata/annotations/x", json!("a".repeat(256 * 1024)))], "metadata.annotations: 2622");
    let paths = "/metadata/annotations/argocd.argoproj.io~1manifest-generate-paths";
    finds(
        &[(paths, json!("/a;;/b"))],
        "metadata.annotations[\"argocd.argoproj.io/manifest-generate-paths\"]: has an empty",
    );
    finds(&[("/metadata/finalizers/0", json!("resources-finalizers.argocd.argoproj.io"))], "metadata.finalizers[0]: ");
}

#[test]
fn long_names_without_a_release_name() {
    let name = json!("a".repeat(54));
    assert_eq!(found_at(version(), &[("/metadata/name", name.clone())]), [""; 0]);
    finds(&[("/metadata/name", name.clone()), ("/spec/sources/0/helm/releaseName", Value::Null)], "metadata.name: ");
    assert_eq!(
        found_at(
            version(),
            &[("/metadata/name", json!("a".repeat(53))), ("/spec/sources/0/helm/releaseName", Value::Null),]
        ),
        [""; 0]
    );
    let mut maybe = sample();
    maybe["metadata"]["name"] = name;
    maybe["spec"]["sources"] = json!([{ "repoURL": "https://x", "path": "chart", "helm": { "skipCrds": true } }]);
    assert_eq!(application(&build(maybe), version())[0].level, Level::Warning);
}

#[test]
fn destinations() {
    finds(&[("/spec/destination/server", json!("https://k"))], "spec.destination: has both");
    finds(&[("/spec/destination/name", Value::Null)], "spec.destination: has neither");
    finds(
        &[("/spec/destination", json!({ "server": "https://k/", "namespace": "x" }))],
        "spec.destination.server: ends with `/`",
    );
    finds(&[("/spec/destination/namespace", json!("a.b"))], "spec.destination.namespace: ");
    finds(&[("/spec/project", json!(""))], "spec.project: ");
}

#[test]
fn sources() {
    finds(&[("/spec/sources/0/path", json!("x"))], "spec.sources[0]: has both `chart` and `path`");
    finds(&[("/spec/sources/0/targetRevision", Value::Null)], "spec.sources[0]: has a `chart` without");
    finds(&[("/spec/sources/0/repoURL", json!("oci://x/y"))], "spec.sources[0].repoURL: begins with `oci://` beside");
    finds(&[("/spec/sources/0/repoURL", json!("https://u:p@x/y"))], "spec.sources[0].repoURL: holds a password");
    finds(&[("/spec/sources/0/repoURL", json!("ftp://x/y"))], "spec.sources[0].repoURL: `ftp://`");
    finds(&[("/spec/sources/1/path", json!("../x"))], "spec.sources[1].path: ");
    assert_eq!(
        found_at(version(), &[("/spec/sources/1/ref", json!("a b"))]).len(),
        2,
        "the name, and who refers to it"
    );
    finds(&[("/spec/sources/1/helm", json!({ "skipTests": true }))], "spec.sources[1]: has more than one of");
    finds(&[("/spec/source", json!({ "repoURL": "https://x", "path": "." }))], "spec: has both `source`");
    let same = json!({ "repoURL": "https://git.example.com/Ops/homelab", "targetRevision": "dev", "ref": "other" });
    finds(&[("/spec/sources/-", same)], "spec.sources[2].targetRevision: is `dev`, but `main`");
    let twice = json!({ "repoURL": "https://other", "ref": "values" });
    finds(&[("/spec/sources/-", twice)], "spec.sources[2].ref: two sources");
    let plugin =
        json!({ "repoURL": "https://x", "path": ".", "plugin": { "parameters": [{ "name": "a", "string": "" }] } });
    finds(&[("/spec/sources/-", plugin)], "spec.sources[2].plugin: has no `name`");
    let oci = json!({ "repoURL": "oci://x/y/chart", "targetRevision": "1.0.0", "path": "." });
    assert_eq!(found_at(version(), &[("/spec/sources/-", oci.clone())]), [""; 0]);
    assert_eq!(found_at(Version::new(3, 0), &[("/spec/sources/-", oci)]).len(), 2, "oci and retry.refresh");
    assert_eq!(
        found_at(version(), &[("/spec/sources", json!([])), ("/spec/source", Value::Null)]),
        ["spec: has neither `source` nor `sources`"]
    );
}

#[test]
fn value_files() {
    let file = "/spec/sources/0/helm/valueFiles/0";
    finds(&[(file, json!("$value/x.yaml"))], "spec.sources[0].helm.valueFiles[0]: `$value/x.yaml` refers to `value`");
    finds(&[(file, json!("$values"))], "spec.sources[0].helm.valueFiles[0]: `$values` names no file");
    finds(&[(file, json!("values-*.yaml"))], "spec.sources[0].helm.valueFiles[0]: `values-*.yaml` is a pattern");
    assert_eq!(found_at(Version::new(3, 3), &[(file, json!("values-*.yaml"))]), [""; 0]);
    finds(&[(file, json!("a$b"))], "spec.sources[0].helm.valueFiles[0]: `a$b` holds `$`");
}

#[test]
fn sync_policies() {
    let option = "/spec/syncPolicy/syncOptions/0";
    finds(&[(option, json!("ServerSideApply=True"))], "spec.syncPolicy.syncOptions[0]: Argo CD ignores");
    finds(&[(option, json!("PruneLast=true"))], "spec.syncPolicy.syncOptions[1]: `PruneLast` stands twice");
    finds(&[("/spec/syncPolicy/retry/backoff/duration", json!("5 s"))], "spec.syncPolicy.retry.backoff.duration: ");
    finds(&[("/spec/syncPolicy/retry/backoff/duration", json!("4m"))], "spec.syncPolicy.retry.backoff: ");
    finds(&[("/spec/syncPolicy/retry/backoff/factor", json!(0))], "spec.syncPolicy.retry.backoff.factor: ");
    let automated = ("/spec/syncPolicy/automated", json!({ "enabled": true, "prune": false }));
    assert_eq!(found_at(version(), std::slice::from_ref(&automated)), [""; 0]);
    assert_eq!(found_at(Version::new(3, 3), std::slice::from_ref(&automated)).len(), 1);
    assert_eq!(found_at(Version::new(3, 0), &[automated]).len(), 3);
    finds(&[("/spec/ignoreDifferences/0/jsonPointers/0", json!("spec"))], "spec.ignoreDifferences[0].jsonPointers[0]");
    finds(&[("/spec/ignoreDifferences/0/jsonPointers", json!([]))], "spec.ignoreDifferences[0]: ignores nothing");
}

#[test]
fn inline_values_multiply() {
    finds(&[("/spec/sources/0/helm/values", json!("x".repeat(120_000)))], ": its sources have 120");
    let low = ("/spec/revisionHistoryLimit", json!(2));
    assert_eq!(found_at(version(), &[("/spec/sources/0/helm/values", json!("x".repeat(120_000))), low]), [""; 0]);
}

#[test]
fn resources_of_applications() {
    let map = |entries: &[(&str, &str)]| entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let found = |entries: &[(&str, &str)]| resource("Job/x", &map(&[]), &map(entries), version()).len();
    assert_eq!(found(&[("argocd.argoproj.io/sync-options", "Prune=false, Delete=false")]), 0);
    assert_eq!(found(&[("argocd.argoproj.io/sync-options", "Prune=False,CreateNamespace=true")]), 2);
    assert_eq!(found(&[("argocd.argoproj.io/compare-options", "IgnoreExtraneous")]), 0);
    assert_eq!(found(&[("argocd.argoproj.io/hook", "presync")]), 1);
    assert_eq!(found(&[("argocd.argoproj.io/hook", "PreSync"), ("argocd.argoproj.io/tracking-id", "x")]), 1);
}

fn set(rollout: Option<&Rollout>) -> ApplicationSet {
    let element = |cluster: &str, stage: &str| {
        let mut value = sample();
        value["metadata"]["name"] = json!(format!("{cluster}-traefik"));
        value["metadata"]["labels"]["stage"] = json!(stage);
        let params = serde_json::Map::from_iter([("cluster".to_owned(), json!(cluster))]);
        Element { params, application: build(value) }
    };
    let elements = [element("dev", "dev"), element("prod", "prod")];
    let pieces = &[Piece::Param("cluster"), Piece::Text("-traefik")];
    let patterns = Patterns { all: &[Pattern { at: &["metadata", "name"], pieces }], given: &[] };
    factor("traefik", "argocd", &elements, &patterns, rollout).unwrap()
}

fn found_in(set: &ApplicationSet) -> Vec<String> {
    application_set(set, version()).into_iter().map(|found| format!("{}: {}", found.path, found.what)).collect()
}

#[test]
fn sets() {
    assert_eq!(found_in(&set(None)), [""; 0]);
    let mut broken = set(None);
    broken.spec.template.metadata.annotations.insert("x".into(), "{{ $labels.pod }}".into());
    assert!(found_in(&broken)[0].starts_with("spec.template.metadata.annotations.x: fails for element 0"));
    let mut empty = set(None);
    empty.spec.generators[0].list.elements.clear();
    assert!(found_in(&empty)[0].starts_with("spec.generators[0].list.elements: is empty"));
    let mut twice = set(None);
    let first = twice.spec.generators[0].list.elements[0].clone();
    twice.spec.generators[0].list.elements[1] = first;
    assert!(found_in(&twice)[0].starts_with(": two elements give"));
    let mut careless = set(None);
    careless.spec.sync_policy = None;
    careless.spec.go_template_options.clear();
    assert_eq!(found_in(&careless).len(), 2);
    let mut null = set(None);
    null.spec.generators[0].list.elements[0].insert("x".into(), json!({ "y": [null, 1e300] }));
    assert_eq!(found_in(&null).len(), 2);
}

#[test]
fn rollouts_take_every_application_once() {
    let rollout = |groups: &[&[&str]]| Rollout {
        label: "stage".into(),
        groups: groups.iter().map(|group| group.iter().map(|value| (*value).to_owned()).collect()).collect(),
    };
    assert_eq!(found_in(&set(Some(&rollout(&[&["dev"], &["prod"]])))), [""; 0]);
    assert!(found_in(&set(Some(&rollout(&[&["dev"]]))))[0].contains("no step takes Application `prod-traefik`"));
    let both = found_in(&set(Some(&rollout(&[&["dev"], &["dev", "prod"]]))));
    assert!(both[0].contains("steps 0, 1 all take Application `dev-traefik`"), "{both:?}");
    let mut odd = set(Some(&rollout(&[&["dev"], &["prod"]])));
    let Some(crate::argocd::types::Strategy::RollingSync { rolling_sync }) = &mut odd.spec.strategy else { panic!() };
    rolling_sync.steps[0].match_expressions[0].operator = "in".into();
    rolling_sync.steps[1].max_update = Some(crate::argocd::types::IntOrPercent::Percent("101%".into()));
    assert_eq!(found_in(&odd).len(), 2, "{:?}", found_in(&odd));
}

fn project() -> AppProject {
    serde_json::from_value(json!({
        "metadata": { "name": "prod-platform", "namespace": "argocd" },
        "spec": {
            "sourceRepos": ["https://charts.example.com", "https://git.example.com/ops/*"],
            "destinations": [{ "name": "prod", "namespace": "*" }],
            "clusterResourceWhitelist": [
                { "group": "*", "kind": "*" },
                { "group": "", "kind": "Namespace", "name": "a-*" },
            ],
        },
    }))
    .unwrap()
}

#[test]
fn projects() {
    let found = |change: &dyn Fn(&mut AppProject), version| {
        let mut project = project();
        change(&mut project);
        app_project(&project, version).len()
    };
    assert_eq!(found(&|_| {}, version()), 0);
    assert_eq!(found(&|_| {}, Version::new(3, 2)), 1);
    assert_eq!(found(&|p| p.spec.description = "ä".repeat(256), version()), 1);
    assert_eq!(found(&|p| p.spec.source_repos.clear(), version()), 1);
    assert_eq!(found(&|p| p.spec.source_repos.push("!*".into()), version()), 1);
    assert_eq!(found(&|p| p.spec.destinations[0].server = "*".into(), version()), 1);
    assert_eq!(found(&|p| p.spec.destinations[0].namespace.clear(), version()), 1);
    assert_eq!(found(&|p| p.spec.destinations.push(p.spec.destinations[0].clone()), version()), 1);
    assert_eq!(found(&|p| p.spec.cluster_resource_whitelist[0].group = "apps/v1".into(), version()), 1);
    assert_eq!(
        found(&|p| p.spec.namespace_resource_blacklist = p.spec.cluster_resource_whitelist.clone(), version()),
        1
    );
}

#[test]
fn objects_of_one_instance() {
    let first = build(sample());
    let found = |applications: &[Application], projects: &[AppProject]| {
        let found = instance(applications, projects, version());
        found.into_iter().map(|found| format!("{} {}: {}", found.object, found.path, found.what)).collect::<Vec<_>>()
    };
    assert_eq!(found(std::slice::from_ref(&first), &[project()]), [""; 0]);
    assert_eq!(
        found(&[first.clone(), first.clone(), first.clone()], &[project()]),
        ["Application/prod-traefik : two Applications have this name"]
    );
    assert_eq!(
        found(std::slice::from_ref(&first), &[]),
        ["Application/prod-traefik spec.project: there is no AppProject `prod-platform`"]
    );
    let mut elsewhere = first;
    elsewhere.spec.sources[0].repo_url = "https://charts.example.org".into();
    elsewhere.spec.destination.name = "dev".into();
    assert_eq!(found(&[elsewhere], &[project(), project()]).len(), 3);
}
