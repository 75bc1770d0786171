//! What would be written, against the rules of Argo CD and Kubernetes (`argocd::rules`), at the place of its cause.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::argocd::rules::{self, Violation};
use crate::argocd::{AppProject, Version};
use crate::diag::{Code, Diagnostic, Span};
use crate::model::Rollout;
use crate::plan::Plan;
use crate::render::projects::Project;
use crate::render::sets::{Group, Member, Set};
use crate::render::{Mode, NAMESPACES, application, root};
use crate::resolve::environment::EnvModel;
use crate::resolve::release::ReleaseModel;
use crate::template::OPEN;
use crate::traits;

/// What every set of an instance is checked against.
#[derive(Debug)]
pub struct InstanceRules {
    version: Version,
    projects: Vec<AppProject>,
}

/// Checks what does not depend on single sets, and gives the rules of every instance that has a known version.
pub fn check(plan: &Plan, projects: &[Project], findings: &mut Vec<Diagnostic>) -> Vec<Option<InstanceRules>> {
    check_rollout(plan, findings);
    let mut all = Vec::new();
    for (index, instance) in plan.instances.iter().enumerate() {
        let at = plan.project_span(&["argocd", "version"]);
        let version = match instance.version.parse::<Version>() {
            Ok(version) if version.is_supported() => version,
            Ok(_) => {
                let finding =
                    Diagnostic::new(Code::KindVersion, format!("Argo CD {} is not supported", instance.version));
                let range = format!("versions from {} to {} are known", Version::OLDEST, Version::NEWEST);
                findings.push(finding.at(at, "written for this version").help(range));
                all.push(None);
                continue;
            }
            Err(error) => {
                findings.push(Diagnostic::new(Code::KindVersion, error.to_string()).at(at, "this version"));
                all.push(None);
                continue;
            }
        };
        let own = projects.iter().filter(|project| project.instance == index);
        let own: Vec<AppProject> = own.map(|project| project.project.clone()).collect();
        for violation in own.iter().flat_map(|project| rules::app_project(project, version)) {
            findings.push(finding(violation, plan.project_span(&["argocd"])));
        }
        all.push(Some(InstanceRules { version, projects: own }));
    }
    all
}

/// Checks a set and its Applications.
pub fn check_set(
    plan: &Plan,
    rules: &InstanceRules,
    group: &Group,
    (set, written): (&Set, usize),
    mode: Mode<'_>,
    findings: &mut Vec<Diagnostic>,
) {
    let place_of = |object: &str| {
        let (_, name) = object.split_once('/').unwrap_or(("", object));
        let named = set.applications.iter().position(|application| application.metadata.name == name);
        place(plan, &group.members[named.unwrap_or_default()])
    };
    let of_set = rules::folded_set(&set.set, &set.applications, written, rules.version);
    let of_instance = rules::instance(&set.applications, &rules.projects, rules.version);
    // Names of releases and namespaces were checked where they are written.
    let known = |found: &Violation| {
        found.code == Code::OutName
            && ["releaseName", "destination.namespace"].iter().any(|end| found.path.ends_with(end))
    };
    let of_instance = of_instance.into_iter().filter(|found| found.code != Code::OutClash);
    for violation in of_set.into_iter().chain(of_instance).filter(|found| !known(found)) {
        let at = place_of(&violation.object);
        let large = violation.code == Code::OutSize && matches!(mode, Mode::Inline(_));
        let mut finding = finding(violation, at);
        if large {
            finding.help = Some(
                "the values travel in the ApplicationSet in inline mode; commit them instead (`--mode files`)".into(),
            );
        }
        findings.push(finding);
    }
}

/// What `application` says reaches the Application as it is: a template there would be taken for the text itself.
fn check_untemplated(release: &ReleaseModel, env: &EnvModel, findings: &mut Vec<Diagnostic>) {
    fn holds_one(value: &Json) -> bool {
        match value {
            Json::String(text) => text.contains(OPEN),
            Json::Array(items) => items.iter().any(holds_one),
            Json::Object(map) => map.iter().any(|(key, value)| key.contains(OPEN) || holds_one(value)),
            _ => false,
        }
    }
    // Types of ours always serialise. Hardly any holds one, which the text alone tells.
    if !serde_json::to_string(&release.spec.application).is_ok_and(|text| text.contains(OPEN)) {
        return;
    }
    let Ok(Json::Object(fields)) = serde_json::to_value(&release.spec.application) else { return };
    for (field, _) in fields.iter().filter(|(_, value)| holds_one(value)) {
        let message = format!("`application.{field}` of `{}` holds a template, and nothing evaluates it", release.name);
        let at = release.span(env, &["application", field]);
        let finding = Diagnostic::new(Code::OutField, message).at(at, "written into the Application as it is");
        findings.push(finding.help(if field == "ignoreDifferences" {
            "write the text itself, or leave `name` out: an entry without one holds for every object of its kind"
        } else {
            "write the text itself"
        }));
    }
}

/// Checks that no two Applications of an instance have one name. `names` are by instance.
pub fn check_names(plan: &Plan, names: &[(usize, String, Member)], findings: &mut Vec<Diagnostic>) {
    let mut by_name: BTreeMap<(usize, &str), Vec<&Member>> = BTreeMap::new();
    for (instance, name, member) in names {
        by_name.entry((*instance, name)).or_default().push(member);
    }
    let root_name = root::name(plan);
    for ((_, name), members) in &by_name {
        if *name == root_name {
            let message = format!("`{name}` is the name of the root, which brings all other Applications");
            let clash =
                Diagnostic::new(Code::OutClash, message).at(place(plan, members[0]), "would be called that too");
            let help = "rename the release, or give its Application a name of its own (`application: { name: ... }`)";
            findings.push(clash.help(help));
        }
    }
    for ((_, name), members) in by_name.into_iter().filter(|(_, members)| members.len() > 1) {
        let mut clash =
            Diagnostic::new(Code::OutClash, format!("{} Applications would be called `{name}`", members.len()));
        for member in members {
            clash = clash.at(place(plan, member), "one of them");
        }
        findings.push(clash.help(
            "make `argocd.applicationName` tell them apart, or give one a name of its own (`application: { name: ... }`)",
        ));
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

/// Checks the names that releases and clusters give to what is written, and what releases claim together.
pub fn check_releases(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    traits::check(plan, findings);
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
        check_untemplated(release, env, findings);
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
    for instance in plan.instances.iter().filter(|instance| instance.manages.len() == 1 && !instance.partial) {
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
            let finding = Diagnostic::new(Code::RolloutPrune, message);
            let (at, why) = match release.spec.application.prune {
                Some(_) => (release.span(env, &["application", "prune"]), "switched off here"),
                None => (release.entry_span(env), "prod, and requires storage"),
            };
            let finding = finding.at(at, why);
            findings.push(
                finding.help("write `application: { prune: true }` if what vanishes from Git may be deleted there"),
            );
        }
    }
}
