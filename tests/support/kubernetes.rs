//! Kubernetes objects held against Kubernetes' own schemas, read strictly.
//!
//! The types of k8s-openapi would take an object with unknown fields without a word, and writing it back would show what got
//! lost but not what has the wrong form. So their JSON Schemas are used, closed: a field that the API server does not know
//! is an error here, though it would only drop it.

#[path = "secret_kinds.rs"]
mod secret_kinds;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use k8s_openapi::api::{
    apps::v1 as apps, autoscaling::v2 as autoscaling, batch::v1 as batch, core::v1 as core,
    networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac, scheduling::v1 as scheduling,
    storage::v1 as storage,
};
use k8s_openapi::schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

#[path = "backup_kinds.rs"]
mod backup_kinds;

type Table = BTreeMap<(&'static str, &'static str), Validator>;

/// What there is to say about an object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fine,
    /// What is wrong, each with its place in the object.
    Wrong(Vec<String>),
    /// `apiVersion/kind`: no schema is at hand.
    Unknown(String),
}

/// Checks one object.
pub(crate) fn check(object: &Value) -> Verdict {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let name = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
    let (version, kind) = (name("apiVersion"), name("kind"));
    match TABLE.get_or_init(table).get(&(version.as_str(), kind.as_str())) {
        None => Verdict::Unknown(format!("{version}/{kind}")),
        Some(validator) => {
            let errors: Vec<String> =
                validator.iter_errors(object).map(|error| format!("{}: {error}", error.instance_path())).collect();
            if errors.is_empty() { Verdict::Fine } else { Verdict::Wrong(errors) }
        }
    }
}

/// The kinds with a schema; more are one line each.
fn table() -> Table {
    let mut table = core_table();
    let own = secret_kinds::schemas().into_iter();
    table.extend(own.map(|(kind, schema)| (kind, jsonschema::draft202012::new(&schema).unwrap())));
    let own = backup_kinds::kinds().into_iter();
    table.extend(own.map(|(version, kind, spec)| ((version, kind), custom_kind(spec))));
    table
}

fn core_table() -> Table {
    Table::from([
        (("v1", "ConfigMap"), closed::<core::ConfigMap>()),
        (("v1", "LimitRange"), closed::<core::LimitRange>()),
        (("v1", "Namespace"), closed::<core::Namespace>()),
        (("v1", "PersistentVolume"), closed::<core::PersistentVolume>()),
        (("v1", "PersistentVolumeClaim"), closed::<core::PersistentVolumeClaim>()),
        (("v1", "Pod"), closed::<core::Pod>()),
        (("v1", "ResourceQuota"), closed::<core::ResourceQuota>()),
        (("v1", "Secret"), closed::<core::Secret>()),
        (("v1", "Service"), closed::<core::Service>()),
        (("v1", "ServiceAccount"), closed::<core::ServiceAccount>()),
        (("apps/v1", "DaemonSet"), closed::<apps::DaemonSet>()),
        (("apps/v1", "Deployment"), closed::<apps::Deployment>()),
        (("apps/v1", "StatefulSet"), closed::<apps::StatefulSet>()),
        (("autoscaling/v2", "HorizontalPodAutoscaler"), closed::<autoscaling::HorizontalPodAutoscaler>()),
        (("batch/v1", "CronJob"), closed::<batch::CronJob>()),
        (("batch/v1", "Job"), closed::<batch::Job>()),
        (("networking.k8s.io/v1", "Ingress"), closed::<networking::Ingress>()),
        (("networking.k8s.io/v1", "IngressClass"), closed::<networking::IngressClass>()),
        (("networking.k8s.io/v1", "NetworkPolicy"), closed::<networking::NetworkPolicy>()),
        (("policy/v1", "PodDisruptionBudget"), closed::<policy::PodDisruptionBudget>()),
        (("rbac.authorization.k8s.io/v1", "ClusterRole"), closed::<rbac::ClusterRole>()),
        (("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"), closed::<rbac::ClusterRoleBinding>()),
        (("rbac.authorization.k8s.io/v1", "Role"), closed::<rbac::Role>()),
        (("rbac.authorization.k8s.io/v1", "RoleBinding"), closed::<rbac::RoleBinding>()),
        (("scheduling.k8s.io/v1", "PriorityClass"), closed::<scheduling::PriorityClass>()),
        (("storage.k8s.io/v1", "StorageClass"), closed::<storage::StorageClass>()),
        (("cilium.io/v2", "CiliumNetworkPolicy"), cilium_network_policy()),
    ])
}

/// What hlgen may write of Cilium's policies: the fields, entities and forms of its CRD
/// (`pkg/policy/api/{rule,entity,l4}.go`), none but these.
fn cilium_network_policy() -> Validator {
    let rules = |entities: &str| {
        let ports = json!({
            "type": "object", "additionalProperties": false, "required": ["port"],
            "properties": {
                "port": { "type": "string", "pattern": "^([1-9][0-9]{0,4}|[a-z0-9-]*[a-z][a-z0-9-]*)$" },
                "protocol": { "enum": ["TCP", "UDP", "SCTP", "ICMP", "ICMPV6", "ANY"] },
            },
        });
        json!({ "type": "array", "items": {
            "type": "object", "additionalProperties": false, "required": [entities],
            "properties": {
                entities: { "type": "array", "minItems": 1, "items": { "enum": [
                    "all", "world", "world-ipv4", "world-ipv6", "cluster", "host", "init", "ingress", "unmanaged",
                    "remote-node", "health", "none", "kube-apiserver",
                ] } },
                "toPorts": { "type": "array", "items": {
                    "type": "object", "additionalProperties": false,
                    "properties": { "ports": { "type": "array", "maxItems": 40, "items": ports } },
                } },
            },
        } })
    };
    let labels = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": true,
            "kind": true,
            "metadata": {
                "type": "object", "additionalProperties": false, "required": ["name", "namespace"],
                "properties": {
                    "name": { "type": "string" }, "namespace": { "type": "string" },
                    "labels": labels, "annotations": labels,
                },
            },
            "spec": {
                "type": "object", "additionalProperties": false, "required": ["endpointSelector"],
                "properties": {
                    "endpointSelector": {
                        "type": "object", "additionalProperties": false, "properties": { "matchLabels": labels },
                    },
                    "ingress": rules("fromEntities"),
                    "egress": rules("toEntities"),
                },
            },
        },
    });
    jsonschema::draft202012::new(&schema).unwrap()
}

/// A kind of another project, by the schema of its `spec`.
fn custom_kind(mut spec: Value) -> Validator {
    spec["type"] = "object".into();
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let name = json!({ "type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" });
    let metadata = json!({
        "type": "object",
        "required": ["name"],
        "properties": { "name": name, "namespace": name, "labels": texts, "annotations": texts },
    });
    let mut schema = json!({
        "type": "object",
        "required": ["metadata", "spec"],
        "properties": { "apiVersion": {}, "kind": {}, "metadata": metadata, "spec": spec },
    });
    close(&mut schema);
    jsonschema::draft202012::new(&schema).unwrap()
}

fn closed<T: JsonSchema>() -> Validator {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    close(&mut schema);
    if let Some(quantity) = schema.pointer_mut("/$defs/io.k8s.apimachinery.pkg.api.resource.Quantity") {
        *quantity = json!({ "type": ["string", "number"] });
    }
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Refuses fields that are not listed, in a schema and all its parts.
fn close(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    if map.get("x-kubernetes-int-or-string") == Some(&json!(true)) {
        *map = Map::from_iter([("type".to_owned(), json!(["integer", "string"]))]);
        return;
    }
    if map.contains_key("properties") && !map.contains_key("x-kubernetes-preserve-unknown-fields") {
        map.entry("additionalProperties").or_insert(json!(false));
    }
    for key in ["properties", "$defs"] {
        if let Some(Value::Object(parts)) = map.get_mut(key) {
            parts.values_mut().for_each(close);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(part) = map.get_mut(key) {
            close(part);
        }
    }
}
