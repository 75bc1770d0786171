//! The order in which releases come up: only `requires` orders; a cycle is an error that prints it.

use super::capability::{Bindings, Provider, declared};
use super::environment::EnvModel;
use super::release::ReleaseModel;
use crate::diag::{Code, Diagnostic, nearest};
use crate::model::Tier;

/// For every release the releases it requires, by number, sorted; a release that requires itself is left out.
pub fn edges(
    environments: &[EnvModel],
    releases: &[ReleaseModel],
    bindings: &Bindings,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Vec<usize>> {
    let mut by_name = rustc_hash::FxHashMap::default();
    for (number, release) in releases.iter().enumerate() {
        by_name.insert((release.env, release.name.as_str()), number);
    }
    let mut edges = Vec::with_capacity(releases.len());
    for (number, release) in releases.iter().enumerate() {
        let mut required = Vec::new();
        for (capability, needed) in declared(release) {
            if !needed {
                continue;
            }
            if let Ok(Some(Provider::Release(provider))) = bindings.provider(releases, release, &capability) {
                required.push(provider);
            }
        }
        for name in release.spec.requires.iter().filter_map(|name| name.strip_prefix("release/")) {
            match by_name.get(&(release.env, name)) {
                Some(found) => required.push(*found),
                None => {
                    let env = &environments[release.env];
                    let finding = Diagnostic::new(
                        Code::RefUnknownRelease,
                        format!("there is no release `{name}` in `{}`", env.name),
                    )
                    .at(release.span(env, &["requires"]), format!("required by `{}`", release.name));
                    let known = by_name.keys().filter(|(env, _)| *env == release.env).map(|(_, name)| *name);
                    let mut known: Vec<&str> = known.collect();
                    known.sort_unstable();
                    findings.push(match nearest(name, known) {
                        Some(near) => finding.help(format!("did you mean `release/{near}`?")),
                        None => finding.help("add it below `apps:`"),
                    });
                }
            }
        }
        required.retain(|provider| *provider != number);
        required.sort_unstable();
        required.dedup();
        edges.push(required);
    }
    check_tiers(environments, releases, &edges, findings);
    edges
}

fn check_tiers(
    environments: &[EnvModel],
    releases: &[ReleaseModel],
    edges: &[Vec<usize>],
    findings: &mut Vec<Diagnostic>,
) {
    for (number, required) in edges.iter().enumerate() {
        let release = &releases[number];
        if release.spec.tier != Tier::Platform {
            continue;
        }
        for provider in required.iter().map(|provider| &releases[*provider]) {
            if provider.spec.tier == Tier::Application {
                let message = format!("platform app `{}` requires application app `{}`", release.name, provider.name);
                let finding = Diagnostic::new(Code::OrderTier, message)
                    .at(release.span(&environments[release.env], &["requires"]), "required here")
                    .at(provider.span(&environments[provider.env], &["tier"]), "of the application tier");
                findings.push(finding.help("make the one `tier: application` or the other `tier: platform`"));
            }
        }
    }
}

/// Layers of releases: each release comes after all it requires. A cycle is a finding, and its releases are left out.
pub fn strata(
    environments: &[EnvModel],
    releases: &[ReleaseModel],
    edges: &[Vec<usize>],
    findings: &mut Vec<Diagnostic>,
) -> Vec<Vec<usize>> {
    let mut waiting: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (number, required) in edges.iter().enumerate() {
        for provider in required {
            users[*provider].push(number);
        }
    }
    let mut strata = Vec::new();
    let mut ready: Vec<usize> = (0..edges.len()).filter(|number| waiting[*number] == 0).collect();
    let mut placed = 0;
    while !ready.is_empty() {
        placed += ready.len();
        let mut next = Vec::new();
        for number in &ready {
            for user in &users[*number] {
                waiting[*user] -= 1;
                if waiting[*user] == 0 {
                    next.push(*user);
                }
            }
        }
        next.sort_unstable();
        strata.push(std::mem::replace(&mut ready, next));
    }
    if placed < edges.len() {
        let mut reported = vec![false; edges.len()];
        for start in 0..edges.len() {
            if waiting[start] > 0
                && !reported[start]
                && let Some(cycle) = cycle_from(start, edges, &waiting, &mut reported)
            {
                findings.push(cycle_finding(environments, releases, &cycle));
            }
        }
    }
    strata
}

/// Follows unplaced requirements until one repeats: that is the cycle. `None` where the way leads to releases that were
/// met before, so that all starts together cost one walk.
fn cycle_from(start: usize, edges: &[Vec<usize>], waiting: &[usize], met: &mut [bool]) -> Option<Vec<usize>> {
    met[start] = true;
    let mut path = vec![start];
    let mut places = rustc_hash::FxHashMap::from_iter([(start, 0)]);
    loop {
        let last = path[path.len() - 1];
        let next = edges[last].iter().copied().find(|number| waiting[*number] > 0)?;
        if let Some(at) = places.get(&next) {
            let mut cycle = path.split_off(*at);
            // The smallest number first, so that the same cycle is printed the same way wherever it was entered.
            let smallest = cycle.iter().enumerate().min_by_key(|(_, number)| **number).map_or(0, |(at, _)| at);
            cycle.rotate_left(smallest);
            return Some(cycle);
        }
        if std::mem::replace(&mut met[next], true) {
            return None;
        }
        places.insert(next, path.len());
        path.push(next);
    }
}

fn cycle_finding(environments: &[EnvModel], releases: &[ReleaseModel], cycle: &[usize]) -> Diagnostic {
    let several = cycle.iter().any(|number| releases[*number].env != releases[cycle[0]].env);
    let name = |number: usize| {
        let release = &releases[number];
        if several { format!("{}/{}", environments[release.env].name, release.name) } else { release.name.to_string() }
    };
    let mut names: Vec<String> = cycle.iter().map(|number| name(*number)).collect();
    names.push(name(cycle[0]));
    let mut finding =
        Diagnostic::new(Code::OrderCycle, format!("requirements run in a circle: {}", names.join(" -> ")));
    for (at, number) in cycle.iter().enumerate() {
        let release = &releases[*number];
        let next = name(cycle[(at + 1) % cycle.len()]);
        finding = finding.at(release.entry_span(&environments[release.env]), format!("requires `{next}`"));
    }
    finding.help("turn one of these `requires` into `wants`: it then uses the other where it is there, without waiting")
}
