//! Which releases come up before Argo CD takes charge, and in which order.
//!
//! What a release requires comes before it; that alone is a must. Where it has Secrets, whoever makes them comes before
//! it too, if that is possible. Among those that could come next, the network of the pods is first, then whatever finds
//! most of what it wants in place. Wishes may run in circles (the ingress wants metrics, the metrics want ingress), so they
//! only decide between releases that are free to come.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Tier;
use crate::plan::Plan;
use crate::resolve::capability::{Provider, declared};

/// The release that provides a capability for another one of the same environment.
fn provider(plan: &Plan, number: usize, capability: &str) -> Option<usize> {
    let release = &plan.releases[number];
    match plan.bindings.provider(&plan.releases, release, capability) {
        Ok(Some(Provider::Release(other))) if plan.releases[other].env == release.env => Some(other),
        _ => None,
    }
}

/// Whether a release provides a capability or a class of it.
pub(super) fn provides(plan: &Plan, number: usize, kind: &str) -> bool {
    plan.releases[number].spec.provides.keys().any(|name| name.split('/').next() == Some(kind))
}

/// Releases of the same environment without which one does not come up: what it requires, and, where it has Secrets,
/// whatever makes them.
fn needs(plan: &Plan, number: usize) -> Vec<usize> {
    let release = &plan.releases[number];
    let mut needs = plan.requires[number].clone();
    needs.retain(|other| plan.releases[*other].env == release.env);
    if !release.spec.secrets.is_empty() {
        needs.extend(provider(plan, number, "secrets"));
    }
    needs
}

/// Some releases and everything of their environment that they need.
pub(super) fn closure(plan: &Plan, seeds: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    let mut waiting: Vec<usize> = seeds.into_iter().collect();
    while let Some(number) = waiting.pop() {
        if all.insert(number) {
            waiting.extend(needs(plan, number));
        }
    }
    all
}

/// The releases that come before Argo CD takes charge of an environment: its platform tier, or with `minimal` only the
/// network of the pods; Argo CD itself, and the Git host where it runs there too; and all they need. A release that
/// needs Argo CD is left to it.
pub(super) fn first(plan: &Plan, env: usize, seeds: &[usize], minimal: bool) -> BTreeSet<usize> {
    let own = || plan.releases.iter().enumerate().filter(|(_, release)| release.env == env).map(|(number, _)| number);
    let platform = own().filter(|number| {
        provides(plan, *number, "cni") || (!minimal && plan.releases[*number].spec.tier == Tier::Platform)
    });
    let waits = |number: usize| {
        closure(plan, [number]).into_iter().any(|other| other != number && provides(plan, other, "gitops"))
    };
    let platform: Vec<usize> = platform.filter(|number| !waits(*number)).collect();
    closure(plan, platform.into_iter().chain(seeds.iter().copied()))
}

/// Puts releases in order: each after all of them that it requires.
pub(super) fn order(plan: &Plan, set: &BTreeSet<usize>) -> Vec<usize> {
    let wants: BTreeMap<usize, Vec<usize>> = set.iter().map(|number| (*number, wanted(plan, *number, set))).collect();
    let mut waiting: Vec<usize> = set.iter().copied().collect();
    let mut ordered: Vec<usize> = Vec::with_capacity(waiting.len());
    let mut placed: BTreeSet<usize> = BTreeSet::new();
    while !waiting.is_empty() {
        let has = |others: &[usize]| others.iter().all(|other| placed.contains(other) || !set.contains(other));
        let rank = |number: usize| {
            let missing = wants[&number].iter().filter(|other| !placed.contains(other)).count();
            (turn(plan, number), missing, plan.releases[number].name.clone())
        };
        let best = |is_free: &dyn Fn(usize) -> bool| {
            let free = waiting.iter().enumerate().filter(|(_, number)| is_free(**number));
            free.min_by_key(|(_, number)| rank(**number)).map(|(at, _)| at)
        };
        // A circle of requirements was an error before; here it only must not run for ever.
        let next = best(&|number| has(&needs(plan, number))).or_else(|| best(&|number| has(&plan.requires[number])));
        let next = next.unwrap_or(0);
        let number = waiting.remove(next);
        placed.insert(number);
        ordered.push(number);
    }
    ordered
}

/// The network, the platform, Argo CD, and what else is needed (a Git host with its database).
fn turn(plan: &Plan, number: usize) -> u8 {
    if provides(plan, number, "cni") {
        0
    } else if provides(plan, number, "gitops") {
        2
    } else if plan.releases[number].spec.tier == Tier::Platform {
        1
    } else {
        3
    }
}

/// Those of a set that a release wants.
fn wanted(plan: &Plan, number: usize, set: &BTreeSet<usize>) -> Vec<usize> {
    let mut wanted: Vec<usize> = declared(&plan.releases[number])
        .into_iter()
        .filter(|(_, needed)| !needed)
        .filter_map(|(capability, _)| provider(plan, number, &capability))
        .filter(|other| *other != number && set.contains(other))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}
