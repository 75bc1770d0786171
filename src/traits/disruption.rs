//! `availability`: a PodDisruptionBudget, so that draining a node leaves an app running.
//!
//! Only where there is more than one pod: a budget on a single one would either stop the drain or mean nothing. The labels
//! come from the app, because a budget on the wrong pods protects nobody and says nothing.

use serde_json::{Map, json};

use super::{Context, file, quota};
use crate::diag::{Code, Diagnostic};
use crate::plan::manifests::ManifestFile;

/// The budget of a release on a cluster, where the policies ask for it and there are pods to keep.
pub(super) fn budget(context: &Context<'_>, files: &mut Vec<ManifestFile>, findings: &mut Vec<Diagnostic>) {
    let Some(availability) = &context.release.spec.availability else { return };
    let at = context.span(&["availability"]);
    let label = || format!("of {}", context.place);
    if availability.pod_selector.is_empty() {
        let message = "`availability` has no `podSelector`, and none would mean every pod of the namespace";
        let finding = Diagnostic::new(Code::KindField, message).at(at, label());
        findings.push(finding.help("write the labels that the chart puts on the pods"));
        return;
    }
    if context.plan.policies(context.release.env).disruption_budgets != Some(true) {
        return;
    }
    let set = context.at_path("replicas").and_then(|(value, _)| quota::count(&value));
    let replicas = set.or(availability.replicas.map(u64::from)).unwrap_or(1);
    if replicas <= u64::from(availability.max_unavailable.get()) {
        return;
    }
    let mut labels = Map::new();
    for (key, value) in &availability.pod_selector {
        match context.plan.text(value, context.scope) {
            Ok(value) => _ = labels.insert(key.clone(), value.into()),
            Err(error) => {
                let mut finding = Diagnostic::new(error.code, error.message).at(at, label());
                finding.help = error.help;
                findings.push(finding);
                return;
            }
        }
    }
    let budget = json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": context.metadata(context.release.name.as_str(), Map::new()),
        "spec": {
            "maxUnavailable": availability.max_unavailable,
            "selector": { "matchLabels": labels },
            // Pods that are broken anyway do not keep a node from being drained.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    });
    files.push(file("availability.yaml".into(), vec![budget], at));
}
