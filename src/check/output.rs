//! What would be written, against the rules of Argo CD and Kubernetes (`argocd::rules`), at the place of its cause.

use std::collections::BTreeSet;

use crate::argocd::rules::{self, Violation};
use crate::argocd::{Application, Version};
use crate::diag::{Code, Diagnostic, Span};
use crate::model::Rollout;
use crate::plan::Plan;
use crate::render::projects::Project;
use crate::render::sets::{Member, Set};
use crate::render::{NAMESPACES, application, root};

/// Checks sets, projects and Applications of all instances.
pub fn check(plan: &Plan, sets: &[Set], projects: &[Project], findings: &mut Vec<Diagnostic>) {
    for (index, instance) in plan.instances.iter().enumerate() {
        let version = match instance.version.parse::<Version>() {
            Ok(version) if version.is_supported() => version,
            Ok(_) => {
                let message = format!("Argo CD {} is not supported", instance.version);
                let finding = Diagnostic::new(Code::KindVersion, message)
                    .at(plan.project_span(&["argocd", "version"]), "written for this version");
                let range = format!("versions from {} to {} are known", Version::OLDEST, Version::NEWEST);
                findings.push(finding.help(range));
                continue;
            }
            Err(error) => {
                let finding = Diagnostic::new(Code::KindVersion, error.to_string());
                findings.push(finding.at(plan.project_span(&["argocd", "version"]), "this version"));
                continue;
            }
        };
        check_instance(plan, index, version, sets, projects, findings);
    }
    check_releases(plan, findings);
    check_rollout(plan, findings);
}

fn check_instance(
    plan: &Plan,
    instance: usize,
    version: Version,
    sets: &[Set],
    projects: &[Project],
    findings: &mut Vec<Diagnostic>,
) {
    let mut applications: Vec<Application> = Vec::new();
    let mut members: Vec<&Member> = Vec::new();
    for set in sets.iter().filter(|set| set.instance == instance) {
        let first = set.members.first().map_or_else(|| plan.project_span(&["name"]), |member| place(plan, member));
        for violation in rules::application_set(&set.set, version) {
            let at = set
                .members
                .iter()
                .find(|member| violation.object.ends_with(&format!("/{}", member.application.metadata.name)))
                .map_or(first, |member| place(plan, member));
            findings.push(finding(violation, at));
        }
        applications.extend(set.members.iter().map(|member| member.application.clone()));
        members.extend(&set.members);
    }
    let own = projects.iter().filter(|project| project.instance == instance);
    let own: Vec<_> = own.map(|project| project.project.clone()).collect();
    for violation in own.iter().flat_map(|project| rules::app_project(project, version)) {
        findings.push(finding(violation, plan.project_span(&["argocd"])));
    }
    let root_name = root::name(plan);
    let mut names = BTreeSet::new();
    for member in &members {
        let name = &member.application.metadata.name;
        if *name == root_name {
            let message = format!("`{name}` is the name of the root, which brings all other Applications");
            let clash = Diagnostic::new(Code::OutClash, message).at(place(plan, member), "would be called that too");
            findings.push(
                clash.help(
                    "rename the release, or give its Application a name of its own (`application: { name: ... }`)",
                ),
            );
        }
        if !names.insert(name) {
            let others = members.iter().filter(|other| other.application.metadata.name == *name);
            let mut clash = Diagnostic::new(Code::OutClash, format!("two Applications would be called `{name}`"));
            for other in others {
                clash = clash.at(place(plan, other), "one of them");
            }
            findings.push(clash.help("make `argocd.applicationName` tell them apart, or give one a name of its own (`application: { name: ... }`)"));
        }
    }
    for violation in rules::instance(&applications, &own, version) {
        if violation.code == Code::OutClash {
            continue;
        }
        let at = members
            .iter()
            .find(|member| violation.object.ends_with(&format!("/{}", member.application.metadata.name)))
            .map_or_else(|| plan.project_span(&["argocd"]), |member| place(plan, member));
        findings.push(finding(violation, at));
    }
}

fn finding(violation: Violation, at: Span) -> Diagnostic {
    let Violation { code, level, object, path, what, help } = violation;
    let object = object.split_once('/').map_or_else(|| object.clone(), |(kind, name)| format!("{kind} `{name}`"));
    let message = if path.is_empty() { format!("{object}: {what}") } else { format!("{object}, `{path}`: {what}") };
    let mut finding = Diagnostic::new(code, message).level(level).at(at, "comes from here");
    finding.help = help;
    finding
}

fn place(plan: &Plan, member: &Member) -> Span {
    match member.release {
        Some(number) => {
            let release = &plan.releases[number];
            release.entry_span(plan.env_of(release))
        }
        None => plan.environments[plan.clusters[member.cluster].env].span(&[]),
    }
}

fn check_releases(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    for release in &plan.releases {
        let env = plan.env_of(release);
        if release.name.as_str() == NAMESPACES {
            let finding = Diagnostic::new(Code::KindName, format!("no release can be called `{NAMESPACES}`"));
            let finding = finding.at(release.entry_span(env), "hlgen's own Application has that name");
            findings.push(finding.help("choose another name; `app:` still says which app it is"));
        }
        if !crate::model::is_dns_label(release.namespace()) {
            let message = format!("`{}` cannot be a namespace: it is not a DNS label", release.namespace());
            let finding = Diagnostic::new(Code::OutName, message).at(release.span(env, &["namespace"]), "used here");
            findings.push(finding.help("1 to 63 of a-z, 0-9 and -, no hyphen at either end"));
        }
        if release.spec.chart.is_some() && !crate::argocd::names::is_release_name(release.helm_name()) {
            let message = format!("`{}` cannot be a Helm release name", release.helm_name());
            let finding = Diagnostic::new(Code::OutName, message).at(release.span(env, &["releaseName"]), "used here");
            findings.push(finding.help("Helm takes at most 53 characters of a-z, 0-9, - and ., none but letters and digits at the ends; set `releaseName`"));
        }
    }
    let clusters = plan.clusters.iter().filter(|cluster| cluster.name.as_str() == "argocd");
    for cluster in clusters {
        let finding = Diagnostic::new(Code::KindName, "no cluster can be called `argocd`");
        let at = plan.environments[cluster.env].span(&["clusters"]);
        findings.push(finding.at(at, "that folder holds the ApplicationSets").help("choose another name"));
    }
}

fn check_rollout(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    if plan.project.argocd.rollout != Rollout::ByStage {
        return;
    }
    let at = plan.project_span(&["argocd", "rollout"]);
    for instance in plan.instances.iter().filter(|instance| instance.manages.len() == 1) {
        let message = format!("instance `{}` manages one environment, so there is nothing to stage", instance.name);
        let finding = Diagnostic::new(Code::RolloutSingle, message).at(at, "staged here");
        findings.push(finding.help("let one instance manage several environments, or write `rollout: all-at-once`"));
    }
    for release in &plan.releases {
        if !application::prunes(plan, release) {
            let env = plan.env_of(release);
            let message = format!(
                "`{}` is not pruned in `{}`, so it can stay OutOfSync and hold up the rollout",
                release.name, env.name
            );
            let finding =
                Diagnostic::new(Code::RolloutPrune, message).at(release.entry_span(env), "prod, and requires storage");
            findings.push(
                finding.help("write `application: { prune: true }` if what vanishes from Git may be deleted there"),
            );
        }
    }
}
