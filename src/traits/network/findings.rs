//! What stands in the way of network policies, said once for an environment and at the line to change.

use std::collections::{BTreeMap, BTreeSet};

use super::cidr::Cidr;
use super::declared;
use super::facts::{Fact, Facts, lists};
use super::flows::{Direction, Here, Problem};
use super::{denies, denying};
use crate::diag::{Code, Diagnostic};
use crate::model::CapabilityChoice;
use crate::plan::Plan;
use crate::traits::namespace::Namespace;

/// Names in a note; more are counted.
const SHOWN: usize = 5;

/// Checks what policies are made of, and in environments that deny what they need to know.
pub(crate) fn check(
    plan: &Plan,
    namespaces: impl FnOnce() -> BTreeMap<usize, Vec<Namespace>>,
    findings: &mut Vec<Diagnostic>,
) {
    for env in 0..plan.environments.len() {
        check_ranges(plan, env, findings);
    }
    check_entries(plan, findings);
    if !(0..plan.environments.len()).any(|env| denies(plan, env)) {
        return;
    }
    let mut problems: BTreeMap<(usize, Problem), BTreeSet<usize>> = BTreeMap::new();
    let mut denied: BTreeSet<usize> = BTreeSet::new();
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    for (cluster, namespaces) in namespaces() {
        for namespace in namespaces {
            let Some(env) = denying(plan, &namespace) else { continue };
            let here = Here::new(plan, cluster, env);
            denied.insert(env);
            // Every cluster of an environment has the same releases.
            for number in namespace.releases.into_iter().filter(|number| seen.insert(*number)) {
                for problem in here.flows(number).1 {
                    problems.entry((env, problem)).or_default().insert(number);
                }
            }
        }
    }
    for env in denied {
        check_plugin(plan, env, findings);
    }
    for ((env, problem), releases) in problems {
        report(plan, env, &problem, &releases, findings);
    }
}

/// Ranges that are written somewhere are ranges, whether anybody needs them or not.
fn check_ranges(plan: &Plan, env: usize, findings: &mut Vec<Diagnostic>) {
    let model = &plan.environments[env];
    let lists = lists(model).into_iter().map(|(field, list)| (vec!["network", field], list));
    let outside = model.spec.capabilities.iter().filter_map(|(name, choice)| match choice {
        CapabilityChoice::External(one) => Some((vec!["capabilities", name, "addresses"], one.addresses.as_slice())),
        CapabilityChoice::Environment(one) => Some((vec!["capabilities", name, "addresses"], one.addresses.as_slice())),
        CapabilityChoice::Release(_) => None,
    });
    for (path, list) in lists.chain(outside) {
        for entry in list {
            if let Err(help) = Cidr::parse(entry) {
                let message = format!("`{entry}` is no range of addresses");
                let finding = Diagnostic::new(Code::NetworkRange, message).at(model.span(&path), "in this list");
                findings.push(finding.help(help));
            }
        }
    }
}

/// What an app says is wrong once, however many releases it has.
fn check_entries(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    for release in &plan.releases {
        let network = &release.spec.network;
        let lists = [("egress", Direction::Egress, &network.egress), ("ingress", Direction::Ingress, &network.ingress)];
        for (field, direction, list) in lists {
            for entry in list {
                if let Err(help) = declared::entry(direction, entry)
                    && seen.insert((release.app.name.as_str(), field, entry))
                {
                    let message =
                        format!("`{entry}` is no range of addresses, and `network.{field}` knows no such word");
                    let at = release.span(plan.env_of(release), &["network", field]);
                    let label = format!("for `{}`", release.name);
                    findings.push(Diagnostic::new(Code::NetworkRange, message).at(at, label).help(help));
                }
            }
        }
    }
}

fn check_plugin(plan: &Plan, env: usize, findings: &mut Vec<Diagnostic>) {
    let model = &plan.environments[env];
    let facts = Facts::of(plan, env);
    let at = model.span(&["policies", "network"]);
    if facts.cni.is_none() {
        let message = format!("network policies of `{}` need to know {}", model.name, Fact::Cni.what());
        findings.push(Diagnostic::new(Code::NetworkUnknown, message).at(at, "asked for here").help(Fact::Cni.help()));
    } else if !facts.enforces() {
        let message = format!("nothing in `{}` keeps to network policies: flannel alone does not", model.name);
        let finding = Diagnostic::new(Code::NetworkUnenforced, message).at(at, "asked for here");
        findings.push(finding.help(
            "install what does, for example kube-router, or on Talos 1.13 set `cluster.network.cni.flannel.kubeNetworkPoliciesEnabled: true`; then write `network: { policyEngine: <its name> }`",
        ));
    }
}

fn report(plan: &Plan, env: usize, problem: &Problem, releases: &BTreeSet<usize>, findings: &mut Vec<Diagnostic>) {
    let model = &plan.environments[env];
    let names: Vec<String> =
        releases.iter().take(SHOWN).map(|number| plan.releases[*number].name.to_string()).collect();
    let more = releases.len().saturating_sub(SHOWN);
    let needed = format!(
        "needed by `{}`{}",
        names.join("`, `"),
        if more == 0 { String::new() } else { format!(" and {more} more") }
    );
    match problem {
        Problem::Unknown(fact) => {
            let message = format!("network policies of `{}` need to know {}", model.name, fact.what());
            let finding = Diagnostic::new(Code::NetworkUnknown, message)
                .at(model.span(&["policies", "network"]), "asked for here");
            findings.push(finding.note(needed).help(fact.help()));
        }
        Problem::Outside { capability, host } => {
            let place = match host {
                Some(host) => format!("is at `{host}`"),
                None => "comes from another environment".to_owned(),
            };
            let message =
                format!("`{capability}` of `{}` {place}, and network policies know addresses only", model.name);
            let finding = Diagnostic::new(Code::NetworkOutside, message)
                .at(model.span(&["capabilities", capability]), "served from outside");
            findings.push(finding.note(needed).help(format!(
                "write its addresses beside it (`{capability}: {{ ..., addresses: [192.0.2.10/32] }}`), or `network: {{ egress: [internet] }}` at the release"
            )));
        }
        Problem::Ingress { capability } => {
            let message = format!("nobody says where the requests of `{capability}` in `{}` come from", model.name);
            let finding = Diagnostic::new(Code::NetworkOutside, message)
                .at(model.span(&["capabilities", capability]), "served from outside");
            findings.push(finding.note(needed).help(format!(
                "write `namespace:` into the data of `{capability}`, or its addresses beside it (`addresses: [192.0.2.10/32]`)"
            )));
        }
    }
}
