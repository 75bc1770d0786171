//! A database's backup as CloudNativePG runs it: base backups of the Cluster to its object store.
//!
//! Copying the files of a running database gives a copy that need not start; the operator knows when one is consistent and
//! archives the log between two. Where to is the Cluster's own `spec.backup`, which its chart sets from the same
//! capability (facts: the operator's CRD, v1.30; it takes cron expressions of six fields, seconds first).

use serde_json::{Map, Value as Json, json};

use super::{Context, Timing};

/// The object store that backups go to.
pub(super) const STORE: &str = "objectstorage/backup";

/// The ScheduledBackup of the Cluster that has Helm's name of the release. Fields with defaults are written out.
pub(super) fn scheduled_backup(context: &Context<'_>, timing: &Timing) -> Json {
    json!({
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "ScheduledBackup",
        "metadata": context.metadata(context.release.helm_name(), Map::new()),
        "spec": {
            "schedule": format!("0 {}", timing.cron),
            "suspend": false,
            "immediate": false,
            // Backups outlive their schedule; the Cluster's retention removes them.
            "backupOwnerReference": "none",
            "cluster": { "name": context.release.helm_name() },
            "method": "barmanObjectStore",
        },
    })
}
