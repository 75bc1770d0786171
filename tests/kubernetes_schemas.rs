//! Every object that hlgen writes is one that Kubernetes takes: core kinds against Kubernetes' own schemas, read strictly
//! (`support/kubernetes.rs`); Argo CD's kinds are held against its CRDs in `argocd_crds.rs`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests read what was written")]

#[path = "support/kubernetes.rs"]
mod kubernetes;
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use kubernetes::{Verdict, check};
use serde::Deserialize as _;
use serde_json::{Value, json};
use support::case::Files;

/// Kinds of other projects, whose schemas are not at hand. One that is written and is neither here nor has a schema fails.
const WITHOUT_SCHEMA: &[&str] = &[
    "cert-manager.io/v1/Certificate",
    "cert-manager.io/v1/ClusterIssuer",
    "external-secrets.io/v1/ClusterSecretStore",
    "gateway.networking.k8s.io/v1/GRPCRoute",
    "gateway.networking.k8s.io/v1/Gateway",
    "gateway.networking.k8s.io/v1/HTTPRoute",
    "gateway.networking.k8s.io/v1/TCPRoute",
    "gateway.networking.k8s.io/v1/UDPRoute",
    "metallb.io/v1beta1/IPAddressPool",
    "metallb.io/v1beta1/L2Advertisement",
    "monitoring.coreos.com/v1/PodMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
    "monitoring.coreos.com/v1/ServiceMonitor",
    "traefik.io/v1alpha1/IngressRouteTCP",
    "traefik.io/v1alpha1/IngressRouteUDP",
    "traefik.io/v1alpha1/Middleware",
];

/// Kinds that only test cases make up.
const MADE_UP: &[&str] = &["example.com/v1/", "x.example.com/v1/", "policy.example.com/v1/"];

/// The objects of all files but values, with where they stand.
fn objects(files: &Files) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (path, content) in files {
        if path.ends_with("/values.yaml") || !path.ends_with(".yaml") {
            continue;
        }
        for document in serde_yaml::Deserializer::from_slice(content) {
            let value = Value::deserialize(document).unwrap_or_else(|error| panic!("{path}: {error}"));
            if !value.is_null() {
                found.push((path.clone(), value));
            }
        }
    }
    found
}

/// Holds every object against its schema; gives how many of each kind there are.
fn hold(found: &[(String, Value)], made_up: &[&str]) -> BTreeMap<String, usize> {
    let (mut kinds, mut wrong) = (BTreeMap::new(), Vec::new());
    for (path, object) in found {
        let kind = format!("{}/{}", object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
        match check(object) {
            Verdict::Fine => {}
            Verdict::Wrong(errors) => wrong.push(format!("{path}: {kind}: {errors:#?}")),
            Verdict::Unknown(kind) if kind.starts_with("argoproj.io/v1alpha1/") => {}
            Verdict::Unknown(kind) if WITHOUT_SCHEMA.contains(&kind.as_str()) => {}
            Verdict::Unknown(kind) if made_up.iter().any(|group| kind.starts_with(group)) => {}
            Verdict::Unknown(kind) => wrong.push(format!("{path}: {kind} has no schema; add one, or name it here")),
        }
        *kinds.entry(kind).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for kind in kinds.keys().filter(|kind| WITHOUT_SCHEMA.contains(&kind.as_str())) {
        println!("skipped: no schema of {kind}");
    }
    kinds
}

#[test]
fn everything_the_repository_renders() {
    let out = tempfile::tempdir().unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_hlgen"))
        .args(["render", "--quiet", "-C", env!("CARGO_MANIFEST_DIR"), "--out"])
        .arg(out.path())
        .status()
        .unwrap();
    assert!(status.success());
    let kinds = hold(&objects(&support::case::tree(out.path())), &[]);
    assert!(kinds["v1/Namespace"] > 20, "{kinds:?}");
    assert!(kinds["networking.k8s.io/v1/NetworkPolicy"] > 40, "{kinds:?}");
}

#[test]
fn everything_the_test_cases_render() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut found = Vec::new();
    for case in std::fs::read_dir(cases).unwrap() {
        let case = case.unwrap();
        let files = support::case::tree(&case.path().join("out"));
        let name = case.file_name().display().to_string();
        found.extend(objects(&files).into_iter().map(|(path, object)| (format!("{name}: {path}"), object)));
    }
    assert!(found.len() > 100, "{}", found.len());
    hold(&found, MADE_UP);
}

#[test]
fn secrets_are_written_with_their_defaults() {
    let mut secret = json!({
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": { "name": "x" },
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": { "kind": "ClusterSecretStore", "name": "vault" },
            "target": {
                "name": "x",
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": { "engineVersion": "v2", "mergePolicy": "Merge", "metadata": {} },
            },
            "data": [{
                "secretKey": "a",
                "remoteRef": {
                    "key": "b",
                    "conversionStrategy": "Default",
                    "decodingStrategy": "None",
                    "metadataPolicy": "None",
                },
            }],
        },
    });
    assert_eq!(check(&secret), Verdict::Fine);
    let spec = secret["spec"].clone();
    for (place, value) in [
        ("/spec/data/0/remoteRef", json!({ "key": "b" })),
        ("/spec/data/0/secretKey", json!("a b")),
        ("/spec/target/creationPolicy", json!("owner")),
        ("/spec/target/template", json!({ "data": {} })),
        ("/spec/refreshPolicy", json!("Once")),
        ("/spec", json!({ "target": spec["target"] })),
        ("/spec/secretStoreRef", json!({ "name": "vault" })),
    ] {
        secret["spec"] = spec.clone();
        secret["spec"]["refreshPolicy"] = "Periodic".into();
        *secret.pointer_mut(place).unwrap() = value;
        assert!(matches!(check(&secret), Verdict::Wrong(_)), "{place}");
    }
}

#[test]
fn the_schemas_are_strict() {
    let mut object = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": { "name": "x", "labels": { "a": "b" } },
        "spec": { "podSelector": {}, "ingress": [{ "ports": [{ "port": 80 }, { "port": "http" }] }] },
    });
    assert_eq!(check(&object), Verdict::Fine);
    for (place, value) in [
        ("/spec/ingress/0", json!({ "port": 80 })),
        ("/spec/ingress/0/ports/0/port", json!([80])),
        ("/metadata/labels/a", json!(true)),
        ("/metadata", json!({ "name": "x", "label": {} })),
    ] {
        let mut wrong = object.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        assert!(matches!(check(&wrong), Verdict::Wrong(_)), "{wrong}");
    }
    object["apiVersion"] = "networking.k8s.io/v0".into();
    assert_eq!(check(&object), Verdict::Unknown("networking.k8s.io/v0/NetworkPolicy".into()));
    let mut cilium = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": { "name": "x", "namespace": "y" },
        "spec": { "endpointSelector": {}, "egress": [{ "toEntities": ["host"], "toPorts": [{ "ports": [{ "port": "53" }] }] }] },
    });
    assert_eq!(check(&cilium), Verdict::Fine);
    for (place, value) in [
        ("/spec/egress/0/toEntities/0", json!("nodes")),
        ("/spec/egress/0/toPorts/0/ports/0/port", json!(53)),
        ("/spec/egress/0", json!({ "toEntity": ["host"] })),
    ] {
        let mut wrong = cilium.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        assert!(matches!(check(&wrong), Verdict::Wrong(_)), "{wrong}");
    }
    cilium["spec"]["podSelector"] = json!({});
    assert!(matches!(check(&cilium), Verdict::Wrong(_)));
    let mut backup = json!({
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "ScheduledBackup",
        "metadata": { "name": "x" },
        "spec": { "schedule": "0 5 2 * * *", "cluster": { "name": "x" } },
    });
    assert_eq!(check(&backup), Verdict::Fine);
    for (place, value) in [("/spec/schedule", json!("5 2 * * *")), ("/spec/cluster", json!({ "nme": "x" }))] {
        let right = std::mem::replace(backup.pointer_mut(place).unwrap(), value);
        assert!(matches!(check(&backup), Verdict::Wrong(_)), "{backup}");
        *backup.pointer_mut(place).unwrap() = right;
    }
    let quota = json!({ "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "x" }, "spec": { "hard": { "pods": 4, "cpu": "1" } } });
    assert_eq!(check(&quota), Verdict::Fine);
}
