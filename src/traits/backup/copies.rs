//! The copies of every backup: where they lie, and whether that is enough.
//!
//! One backup of Velero's goes to one location, so each copy is a Schedule of its own. A location that is not there
//! already (the provider's chart brings the first) is made beside the Schedules, so that the two are never out of step.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::schedule;
use crate::model::{BackupCopy, BackupStore, ClusterName, CopyRule};
use crate::plan::Plan;

/// One copy.
pub(super) struct Copy<'p> {
    /// None for the only one.
    pub(super) name: Option<&'p str>,
    /// The BackupStorageLocation; the provider's own where none is named.
    pub(super) location: Option<String>,
    store: Option<&'p BackupStore>,
}

/// The copies in an environment; one where it does not list any.
pub(super) fn of(plan: &Plan, env: usize) -> Vec<Copy<'_>> {
    let copies = &plan.environments[env].spec.backups.copies;
    if copies.is_empty() {
        return vec![Copy { name: None, location: None, store: None }];
    }
    let several = copies.len() > 1;
    let each = copies.iter().map(|copy| {
        let own = copy.store.is_some().then(|| copy.name.to_string());
        Copy {
            name: several.then_some(copy.name.as_str()),
            location: copy.location.clone().or(own),
            store: copy.store.as_ref(),
        }
    });
    each.collect()
}

/// The BackupStorageLocation of a copy that brings its own bucket. Every cluster has a folder of its own there, because
/// Velero takes every backup it finds for its own.
pub(super) fn location(cluster: &ClusterName, namespace: &str, copy: &Copy<'_>) -> Option<Json> {
    let (store, name) = (copy.store?, copy.location.as_ref()?);
    let mut config = json!({ "region": store.region });
    if let Some(endpoint) = &store.endpoint {
        config["s3ForcePathStyle"] = "true".into();
        config["s3Url"] = endpoint.as_str().into();
    }
    let mut spec = json!({
        "provider": "aws",
        "accessMode": "ReadWrite",
        "objectStorage": { "bucket": store.bucket, "prefix": cluster },
        "config": config,
    });
    if let Some(secret) = &store.secret {
        spec["credential"] = json!({ "name": secret, "key": "cloud" });
    }
    Some(json!({
        "apiVersion": "velero.io/v1",
        "kind": "BackupStorageLocation",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": { "app.kubernetes.io/managed-by": "hlgen" },
            "annotations": schedule::annotations(),
        },
        "spec": spec,
    }))
}

/// What is missing from a rule such as 3-2-1, in words. The data itself is the first copy, on the medium `cluster`.
pub(super) fn missing(rule: CopyRule, copies: &[BackupCopy]) -> Vec<String> {
    let media: BTreeSet<&str> = copies.iter().map(|copy| copy.medium.as_str()).chain(["cluster"]).collect();
    let off_site = copies.iter().filter(|copy| copy.off_site).count();
    let mut missing = Vec::new();
    let mut count = |have: usize, want: u8, what: &str| {
        if have < usize::from(want) {
            missing.push(format!("{what} {want} (there {} {have})", if have == 1 { "is" } else { "are" }));
        }
    };
    count(copies.len() + 1, rule.copies, "copies with the data itself:");
    count(media.len(), rule.media, "media with the cluster's own:");
    count(off_site, rule.off_site, "off-site:");
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(name: &str, medium: &str, off_site: bool) -> BackupCopy {
        BackupCopy { name: name.parse().unwrap(), location: None, medium: medium.into(), off_site, store: None }
    }

    #[test]
    fn copies_on_one_medium_count_once() {
        let rule: CopyRule = "3-2-1".parse().unwrap();
        assert_eq!(missing(rule, &[copy("nas", "nas", false), copy("cloud", "s3", true)]), Vec::<String>::new());
        assert_eq!(missing(rule, &[copy("a", "nas", true), copy("b", "nas", false)]), Vec::<String>::new());
        assert_eq!(
            missing(rule, &[copy("a", "cluster", false)]),
            [
                "copies with the data itself: 3 (there are 2)",
                "media with the cluster's own: 2 (there is 1)",
                "off-site: 1 (there are 0)"
            ]
        );
    }
}
