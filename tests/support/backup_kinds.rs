//! The kinds that backups are made of, as their CRDs have them: Velero's (1.18) and CloudNativePG's (1.30). Only the fields
//! that hlgen writes are listed, so one that is misspelt or new to it fails.

use serde_json::{Value, json};

/// `apiVersion`, kind and the schema of `spec`.
pub(crate) fn kinds() -> Vec<(&'static str, &'static str, Value)> {
    let text = json!({ "type": "string", "minLength": 1 });
    let duration = json!({ "type": "string", "pattern": "^[0-9]+h[0-9]+m[0-9]+s$" });
    let labels = json!({ "type": "object", "minProperties": 1, "additionalProperties": { "type": "string" } });
    let selector = json!({ "type": "object", "properties": { "matchLabels": labels } });
    let flag = json!({ "type": "boolean" });
    let field = "[0-9*,/A-Za-z-]+";
    let cron = |fields: usize| json!({ "type": "string", "pattern": format!("^{field}( {field}){{{}}}$", fields - 1) });
    vec![
        (
            "velero.io/v1",
            "Schedule",
            json!({
                "required": ["schedule", "template"],
                "properties": {
                    "schedule": cron(5),
                    "skipImmediately": { "const": false },
                    "useOwnerReferencesInBackup": flag,
                    "template": {
                        "type": "object",
                        "required": ["includedNamespaces", "ttl"],
                        "properties": {
                            "metadata": { "type": "object", "properties": { "labels": labels } },
                            "includedNamespaces": { "type": "array", "items": text, "minItems": 1 },
                            "labelSelector": selector,
                            "orLabelSelectors": { "type": "array", "items": selector, "minItems": 2 },
                            "storageLocation": text,
                            "ttl": duration,
                            "defaultVolumesToFsBackup": flag,
                            "snapshotVolumes": flag,
                            "snapshotMoveData": flag,
                            "resourcePolicy": {
                                "type": "object",
                                "required": ["kind", "name"],
                                "properties": { "kind": { "const": "configmap" }, "name": text },
                            },
                        },
                    },
                },
            }),
        ),
        (
            "velero.io/v1",
            "BackupStorageLocation",
            json!({
                "required": ["provider", "objectStorage"],
                "properties": {
                    "provider": text,
                    "accessMode": { "enum": ["ReadOnly", "ReadWrite"] },
                    "objectStorage": {
                        "type": "object",
                        "required": ["bucket"],
                        "properties": { "bucket": text, "prefix": text },
                    },
                    "config": labels,
                    "credential": {
                        "type": "object",
                        "required": ["key"],
                        "properties": { "key": text, "name": text },
                    },
                },
            }),
        ),
        (
            "postgresql.cnpg.io/v1",
            "ScheduledBackup",
            json!({
                "required": ["schedule", "cluster"],
                "properties": {
                    "schedule": cron(6),
                    "suspend": flag,
                    "immediate": flag,
                    "backupOwnerReference": { "enum": ["none", "self", "cluster"] },
                    "cluster": { "type": "object", "required": ["name"], "properties": { "name": text } },
                    "method": { "enum": ["barmanObjectStore", "volumeSnapshot", "plugin"] },
                },
            }),
        ),
    ]
}
