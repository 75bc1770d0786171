//! The PriorityClass of each tier: where a cluster is full, what everything else stands on goes first.
//!
//! The classes belong to a cluster, whichever environments share it; the Application of its namespaces brings them. Pods
//! name theirs through the chart's values (`release.priorityClass`), which only the app knows where to put.

use serde_json::{Value as Json, json};

use crate::model::Tier;
use crate::plan::Plan;

/// The classes with their values: above what names none (0), far below Kubernetes' own (2,000,000,000).
const CLASSES: [(Tier, i32, &str); 2] = [
    (Tier::Platform, 1_000_000, "What the applications of the cluster stand on."),
    (Tier::Application, 1_000, "Applications, before what names no class."),
];

/// The PriorityClasses of a cluster; none where the policies of no environment on it ask for them.
pub fn classes(plan: &Plan, cluster: usize) -> Vec<Json> {
    let name = &plan.clusters[cluster].name;
    let asks = |env: usize| plan.policies(env).priority_classes == Some(true);
    if !plan.clusters.iter().any(|other| other.name == *name && asks(other.env)) {
        return Vec::new();
    }
    let class = |(tier, value, description): (Tier, i32, &str)| {
        json!({
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {
                "name": tier.priority_class(),
                "labels": { "app.kubernetes.io/managed-by": "hlgen" },
            },
            "value": value,
            "globalDefault": false,
            "description": description,
        })
    };
    CLASSES.into_iter().map(class).collect()
}
