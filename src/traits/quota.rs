//! ResourceQuota and LimitRange of a namespace, from what its releases declare.
//!
//! `requests` in `app.yaml` is for all pods of an app together, so a namespace's quota is the sum, with the headroom of the
//! stage's size class: an update runs old and new pods side by side. A quota on requests makes them mandatory, so a
//! LimitRange comes with it for containers that ask for nothing. Only requests are limited: a default limit would kill
//! or refuse pods that nobody looked at. Where a release does not say what it asks for, any quota would be a guess that
//! stops pods, so there is none.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::namespace::{self, Namespace, metadata};
use super::{Context, object};
use crate::diag::{Code, Diagnostic};
use crate::model::{Amount, Quantity, QuotaPolicy, Requests, Tier};
use crate::plan::Plan;
use crate::resolve::release::ReleaseModel;

/// What a container is taken to ask for where neither it nor the size class says anything.
const DEFAULT_CPU: &str = "10m";
const DEFAULT_MEMORY: &str = "64Mi";

/// What the releases of a namespace ask for; what none of them names is not limited.
#[derive(Debug, Default)]
struct Demand {
    cpu: Option<Amount>,
    memory: Option<Amount>,
    storage: Option<Amount>,
}

/// One of the resources that a release may declare.
type Declared = fn(&Requests) -> Option<&Quantity>;

/// Writes an amount as people do.
type Written = fn(Amount) -> String;

/// What a namespace is to have.
enum Quota {
    /// None, as the policies say.
    Unlimited,
    /// None, because these releases do not say what they ask for.
    Undeclared(Vec<usize>),
    Limited(Demand),
}

fn quota(plan: &Plan, namespace: &Namespace) -> Quota {
    let releases = || namespace.releases.iter().map(|number| &plan.releases[*number]);
    if !releases().all(|release| limits(plan, release)) {
        return Quota::Unlimited;
    }
    let undeclared = namespace.releases.iter().copied();
    let undeclared: Vec<usize> = undeclared.filter(|number| plan.releases[*number].spec.requests.is_empty()).collect();
    if !undeclared.is_empty() {
        return Quota::Undeclared(undeclared);
    }
    let mut demand = Demand::default();
    for requests in releases().map(|release| &release.spec.requests) {
        for (sum, own) in [
            (&mut demand.cpu, &requests.cpu),
            (&mut demand.memory, &requests.memory),
            (&mut demand.storage, &requests.storage),
        ] {
            if let Some(own) = own {
                *sum = Some(sum.unwrap_or_default().plus(own.amount()));
            }
        }
    }
    Quota::Limited(demand)
}

/// Whether the policies want a quota where a release is.
fn limits(plan: &Plan, release: &ReleaseModel) -> bool {
    match plan.policies(release.env).quota {
        Some(QuotaPolicy::All) => true,
        Some(QuotaPolicy::Applications) => release.spec.tier == Tier::Application,
        Some(QuotaPolicy::None) | None => false,
    }
}

/// Whether what a release's values ask for is held against what it declares.
pub(super) fn concerns(plan: &Plan, release: &ReleaseModel) -> bool {
    !release.spec.requests.is_empty() && limits(plan, release) && namespace::is_ours(release)
}

/// The ResourceQuota and the LimitRange of a namespace; none where the policies want none or a release does not say
/// what it asks for.
pub(super) fn objects(plan: &Plan, namespace: &Namespace) -> Vec<Json> {
    let Quota::Limited(demand) = quota(plan, namespace) else { return Vec::new() };
    let Some(env) = namespace.releases.first().map(|number| plan.env_of(&plan.releases[*number])) else {
        return Vec::new();
    };
    let size = &env.spec.quotas;
    let room = |amount: Amount| amount.plus_percent(u32::from(size.headroom));
    let mut hard = Map::new();
    let mut defaults = Map::new();
    if let Some(amount) = demand.cpu {
        hard.insert("requests.cpu".into(), room(amount).cpu().into());
        let default = size.default_request.cpu.as_ref().map_or_else(|| DEFAULT_CPU.into(), |own| own.amount().cpu());
        defaults.insert("cpu".into(), default.into());
    }
    if let Some(amount) = demand.memory {
        hard.insert("requests.memory".into(), room(amount).bytes().into());
        let own = size.default_request.memory.as_ref();
        let default = own.map_or_else(|| DEFAULT_MEMORY.into(), |own| own.amount().bytes());
        defaults.insert("memory".into(), default.into());
    }
    if let Some(amount) = demand.storage {
        hard.insert("requests.storage".into(), room(amount).bytes().into());
    }
    let of_kind = |kind: &str, name: &str, spec: Json| {
        let metadata = metadata(namespace, name);
        object([("apiVersion", "v1".into()), ("kind", kind.into()), ("metadata", metadata), ("spec", spec)])
    };
    let mut objects = vec![of_kind("ResourceQuota", "hlgen-requests", object([("hard", hard.into())]))];
    if !defaults.is_empty() {
        let limit = object([("type", "Container".into()), ("defaultRequest", defaults.into())]);
        objects.push(of_kind("LimitRange", "hlgen-default-requests", object([("limits", vec![limit].into())])));
    }
    objects
}

/// Namespaces that should have a quota and have none, because a release does not say what it asks for.
pub(super) fn check(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    if !plan.releases.iter().any(|release| limits(plan, release)) {
        return;
    }
    let mut seen: BTreeSet<Vec<usize>> = BTreeSet::new();
    for namespace in namespace::all(plan).into_values().flatten() {
        let Quota::Undeclared(releases) = quota(plan, &namespace) else { continue };
        // An environment has the same namespaces on all its clusters.
        if !seen.insert(releases.clone()) {
            continue;
        }
        let names: Vec<String> = releases.iter().map(|number| format!("`{}`", plan.releases[*number].name)).collect();
        let say = if names.len() == 1 { "does" } else { "do" };
        let message = format!(
            "namespace `{}` gets no quota: {} {say} not say what its pods ask for",
            namespace.name,
            names.join(", ")
        );
        let mut finding = Diagnostic::new(Code::QuotaUndeclared, message);
        for number in releases {
            let release = &plan.releases[number];
            finding = finding.at(release.entry_span(plan.env_of(release)), "has no `requests`");
        }
        findings.push(finding.help(
            "write what all pods of it ask for together, for example `requests: { cpu: 500m, memory: 1Gi }`; of one without pods `{ cpu: \"0\" }`",
        ));
    }
}

/// What a release's values ask for, where that is more than it declares: its pods would not all be let in.
///
/// `paths.resources` is what each of `paths.replicas` pods asks for. Other pods of the app come on top, so this is the least
/// it asks for, and never too much is said.
pub(super) fn check_release(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let release = context.release;
    if !concerns(context.plan, release) {
        return;
    }
    let Some((resources, set)) = context.at_path("resources") else { return };
    let replicas = context.at_path("replicas").and_then(|(value, _)| count(&value)).unwrap_or(1);
    // What nobody in the namespace names is not limited there.
    let same = |other: &&ReleaseModel| other.env == release.env && other.namespace() == release.namespace();
    let limited =
        |of: Declared| context.plan.releases.iter().filter(same).any(|other| of(&other.spec.requests).is_some());
    let kinds: [(&str, Declared, Written); 2] = [
        ("cpu", |requests| requests.cpu.as_ref(), Amount::cpu),
        ("memory", |requests| requests.memory.as_ref(), Amount::bytes),
    ];
    for (kind, of, written) in kinds {
        let Some(each) = asked(&resources, kind) else { continue };
        let asked = each.times(replicas);
        let limit = of(&release.spec.requests).map(Quantity::amount).unwrap_or_default();
        if asked <= limit || !limited(of) {
            continue;
        }
        let sum = if replicas > 1 { format!(" ({replicas} × {})", written(each)) } else { String::new() };
        let message =
            format!("`{}` asks for {} of {kind}{sum}, and declares {}", release.name, written(asked), written(limit));
        let at_declared = context.span(&["requests", kind]);
        let finding = Diagnostic::new(Code::QuotaExceeded, message);
        let finding = match set {
            Some(set) => {
                finding.at(set, format!("asked for here, in {}", context.place)).at(at_declared, "declared here")
            }
            None => finding.at(at_declared, format!("declared here, for {}", context.place)),
        };
        findings.push(finding.help(format!(
            "write at least `requests: {{ {kind}: {} }}`, with the app's other pods on top, or lower what the values ask for",
            written(asked)
        )));
    }
}

/// A number of pods, however the chart likes it written.
pub(super) fn count(value: &Json) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// What one pod asks for: its request, else its limit, which Kubernetes takes for it.
fn asked(resources: &Json, kind: &str) -> Option<Amount> {
    let named = |list: &str| resources.get(list)?.get(kind).filter(|value| !value.is_null());
    match named("requests").or_else(|| named("limits"))? {
        Json::String(text) => text.parse().ok(),
        Json::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_limit_is_a_request_where_there_is_none() {
        let resources =
            json!({ "requests": { "cpu": 0.1, "memory": null }, "limits": { "cpu": "2", "memory": "1Gi" } });
        assert_eq!(asked(&resources, "cpu"), "100m".parse().ok());
        assert_eq!(asked(&resources, "memory"), "1Gi".parse().ok());
        assert_eq!(asked(&json!({ "requests": { "cpu": "much" } }), "cpu"), None);
        assert_eq!(asked(&json!({ "requests": "small" }), "cpu"), None);
        assert_eq!(asked(&json!(null), "cpu"), None);
    }

    #[test]
    fn pods_are_counted_from_numbers_and_texts() {
        assert_eq!((count(&json!(3)), count(&json!("3"))), (Some(3), Some(3)));
        assert_eq!((count(&json!(-1)), count(&json!(1.5)), count(&json!("some"))), (None, None, None));
    }
}
