//! What is wrong with backups: words nobody knows, volumes nobody can save, apps that have none where they must.

use std::collections::{BTreeMap, BTreeSet};

use super::{copies, schedule, velero, wanted};
use crate::diag::{Code, Diagnostic, Level, nearest};
use crate::model::{Backup, BackupMethod, BackupPolicy, is_dns_label};
use crate::plan::Plan;
use crate::resolve::backup;
use crate::resolve::environment::EnvModel;
use crate::resolve::release::ReleaseModel;
use crate::traits::namespace;

/// Checks the backups of all environments.
pub(in crate::traits) fn check(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    for env in &plan.environments {
        check_classes(env, findings);
        check_locations(env, findings);
    }
    // Releases that wait for a provider of the capability they need, by environment.
    let mut waiting: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    for (number, release) in plan.releases.iter().enumerate() {
        let required = plan.policies(release.env).backup == Some(BackupPolicy::Required);
        let Some(backup) = &release.spec.backup else {
            if required && is_stateful(release) {
                findings.push(missing(plan, release));
            }
            continue;
        };
        if !backup.is_wanted() {
            continue;
        }
        check_words(plan, release, backup, findings);
        let needs = match backup.method {
            BackupMethod::Velero => velero::CAPABILITY,
            BackupMethod::CloudNativePg => super::cloudnative_pg::STORE,
        };
        if required && matches!(plan.bindings.provider(&plan.releases, release, needs), Ok(None)) {
            waiting.entry((release.env, needs)).or_default().push(number);
        }
    }
    for ((env, needs), releases) in waiting {
        findings.push(no_provider(plan, &plan.environments[env], needs, &releases));
    }
    check_jobs(plan, findings);
    for (index, env) in plan.environments.iter().enumerate() {
        check_copies(plan, index, env, findings);
    }
}

/// Whether an app keeps something on volumes.
pub(super) fn is_stateful(release: &ReleaseModel) -> bool {
    let spec = &release.spec;
    let requires = |name: &String| name == "storage" || name.starts_with("storage/");
    spec.requests.storage.as_ref().is_some_and(|size| size.to_string() != "0") || spec.requires.iter().any(requires)
}

fn missing(plan: &Plan, release: &ReleaseModel) -> Diagnostic {
    let env = plan.env_of(release);
    let message = format!("`{}` keeps data in `{}` and has no backup", release.name, env.name);
    Diagnostic::new(Code::BackupMissing, message)
        .at(release.entry_span(env), "installed here")
        .note("`policies.backup` is `required` there")
        .help(
            "write `backup: { what: [data] }` with the names of its volumes, or `backup: { none: \"why nothing is worth keeping\" }`",
        )
}

fn no_provider(plan: &Plan, env: &EnvModel, needs: &str, releases: &[usize]) -> Diagnostic {
    let names: Vec<String> =
        releases.iter().take(6).map(|number| format!("`{}`", plan.releases[*number].name)).collect();
    let more = releases.len().saturating_sub(names.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let message = format!("nothing in `{}` provides `{needs}`, which backups need", env.name);
    let first = &plan.releases[releases[0]];
    let finding = Diagnostic::new(Code::BackupProvider, message)
        .at(first.entry_span(env), "has something to keep")
        .note(format!("`policies.backup` is `required` there; without it: {}{more}", names.join(", ")));
    finding.help(if needs == velero::CAPABILITY {
        "add `velero: {}` below `apps:`, or name what is there with `capabilities: { backup: { external: { namespace: velero } } }`"
            .to_owned()
    } else {
        format!("name the bucket with `capabilities: {{ {needs}: {{ external: {{ bucket: ..., region: ... }} }} }}`")
    })
}

/// The classes that an environment or its profiles define.
fn check_classes(env: &EnvModel, findings: &mut Vec<Diagnostic>) {
    let backups = &env.spec.backups;
    let classes = [("schedules", &backups.schedules), ("keep", &backups.keep)];
    for (field, class) in classes.into_iter().flat_map(|(field, map)| map.keys().map(move |class| (field, class))) {
        if !is_dns_label(class) {
            let finding = Diagnostic::new(Code::BackupClass, format!("`{class}` cannot be the name of a class"));
            let finding = finding.at(env.span(&["backups", field, class]), "it becomes part of an object's name");
            findings.push(finding.help("1 to 63 of a-z, 0-9 and -, no hyphen at either end"));
        }
    }
    for (class, text) in &backups.schedules {
        if let Err(reason) = backup::cron(text, "") {
            let message = format!("the schedule class `{class}` cannot be read: {reason}");
            let at = env.value_span(&["backups", "schedules", class]);
            let finding = Diagnostic::new(Code::BackupClass, message).at(at, "this cron expression");
            findings.push(finding.help(
                "write minute, hour, day of the month, month, day of the week: `30 2 * * *`, or `H 2 * * *` to spread releases over the hour",
            ));
        }
    }
    for (class, text) in &backups.keep {
        if backup::hours(text).is_none() {
            let message = format!("the retention class `{class}` cannot be read");
            let at = env.value_span(&["backups", "keep", class]);
            let finding = Diagnostic::new(Code::BackupClass, message).at(at, "no number of hours, days or weeks");
            findings.push(finding.help("write for example `48h`, `30d` or `12w`; ten years are the most"));
        }
    }
}

/// Two copies of one name, or in one place.
fn check_locations(env: &EnvModel, findings: &mut Vec<Diagnostic>) {
    let (mut names, mut places) = (BTreeSet::new(), BTreeSet::new());
    for copy in &env.spec.backups.copies {
        let own = copy.store.is_some().then(|| copy.name.as_str());
        let place = copy.location.as_deref().or(own);
        let twice = if !names.insert(copy.name.as_str()) {
            format!("two copies of backups are called `{}`", copy.name)
        } else if !places.insert(place) {
            let place = place.map_or_else(|| "the provider's own location".to_owned(), |place| format!("`{place}`"));
            format!("two copies of backups go to {place}, which makes them one")
        } else {
            continue;
        };
        let finding = Diagnostic::new(Code::RefDuplicate, twice).at(env.span(&["backups", "copies"]), "in this list");
        findings.push(finding.help("give each copy a name and a `location` (or a `store`) of its own"));
    }
}

/// The classes that a release names.
fn check_words(plan: &Plan, release: &ReleaseModel, backup: &Backup, findings: &mut Vec<Diagnostic>) {
    let env = plan.env_of(release);
    let backups = &env.spec.backups;
    let mut unknown = |field: &str, kind: &str, class: &str, known: Vec<&str>| {
        let message = format!("`{}` names a {kind} class `{class}` that `{}` does not have", release.name, env.name);
        let finding =
            Diagnostic::new(Code::BackupClass, message).at(release.span(env, &["backup", field]), "named here");
        findings.push(match nearest(class, known.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(format!("it has {}; others are made in the environment's `backups:`", list(&known))),
        });
    };
    if let Some(class) = backup.schedule.as_deref().filter(|class| backup::schedule(backups, class).is_none()) {
        unknown("schedule", "schedule", class, backup::schedules(backups).collect());
    }
    if let Some(class) = backup.keep.as_deref().filter(|class| backup::keep(backups, class).is_none()) {
        unknown("keep", "retention", class, backup::keeps(backups).collect());
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What Velero cannot do, or does besides.
fn check_jobs(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    let mut seen: BTreeSet<(usize, String)> = BTreeSet::new();
    let mut push = |release: &ReleaseModel, finding: Diagnostic| {
        if seen.insert((release.env, finding.message.clone())) {
            findings.push(finding);
        }
    };
    let mut ours: BTreeSet<(&str, String)> = BTreeSet::new();
    for (cluster, namespaces) in namespace::all(plan) {
        let cluster = plan.clusters[cluster].name.as_str();
        ours.extend(namespaces.into_iter().map(|namespace| (cluster, namespace.name)));
    }
    for (index, cluster) in plan.clusters.iter().enumerate() {
        for job in velero::jobs(plan, index) {
            let release = job.release;
            let env = plan.env_of(release);
            let at = release.span(env, &["backup"]);
            let velero = &job.velero.namespace;
            if !ours.contains(&(cluster.name.as_str(), velero.clone())) {
                let message = format!(
                    "backups of `{}` would need a Schedule in namespace `{velero}`, which is not hlgen's",
                    env.name
                );
                let finding = Diagnostic::new(Code::BackupNamespace, message).at(at, "the first of them");
                push(release, finding.help(
                    "hlgen writes only into namespaces that it makes: not `default`, not `kube-*`, none that a chart creates; install Velero with another `namespace`",
                ));
            }
            if let Some(error) = job.selector_error {
                let at = release.span(env, &["network"]);
                let mut finding = Diagnostic::new(error.code, error.message).at(at, "`podSelector`");
                finding.help = error.help;
                push(release, finding);
                continue;
            }
            for unsaved in &job.unsaved {
                let required = plan.policies(release.env).backup == Some(BackupPolicy::Required);
                let what: Vec<&str> = unsaved.what.iter().map(String::as_str).collect();
                let message = format!("{} of `{}` will not be in its backup", list(&what), release.name);
                let finding = Diagnostic::new(Code::BackupUnsaved, message)
                    .level(if required { Level::Error } else { Level::Warning })
                    .at(at, format!("volumes of {}: {}", unsaved.storage, unsaved.why));
                push(release, finding.help(
                    "let Velero's node agent run (`nodeAgent: true` in the data of `backup`), use another storage class, or take them out of `what`",
                ));
            }
        }
        for group in schedule::groups(plan, index) {
            let release = group.first().release;
            let neighbours = group.neighbours();
            if !neighbours.is_empty() {
                let message = format!(
                    "the backup of `{}` holds all of namespace `{}`, with {}",
                    release.name,
                    release.namespace(),
                    list(&neighbours)
                );
                let at = release.span(plan.env_of(release), &["backup"]);
                let finding = Diagnostic::new(Code::BackupShared, message).at(at, "asked for here");
                push(release, finding.help(
                    "write the labels of its pods as `network: { podSelector: { ... } }`, or give it a namespace of its own",
                ));
            }
        }
    }
}

/// Whether the copies of an environment are as many as its policy asks for.
fn check_copies(plan: &Plan, index: usize, env: &EnvModel, findings: &mut Vec<Diagnostic>) {
    let Some(rule) = plan.policies(index).copies else { return };
    let releases = || plan.releases.iter().filter(|release| release.env == index);
    let Some(first) = releases().find(|release| release.spec.backup.as_ref().is_some_and(Backup::is_wanted)) else {
        return;
    };
    let missing = copies::missing(rule, &env.spec.backups.copies);
    let at = || match env.spec.backups.copies.as_slice() {
        [] => first.entry_span(env),
        _ => env.span(&["backups", "copies"]),
    };
    if !missing.is_empty() {
        let message = format!("the backups of `{}` are not `{rule}`", env.name);
        let finding =
            Diagnostic::new(Code::BackupCopies, message).at(at(), format!("wanted are {}", missing.join("; ")));
        findings.push(finding.help(
            "list where copies lie: `backups: { copies: [{ name: nas, medium: nas }, { name: cloud, medium: s3, offSite: true, store: { ... } }] }`",
        ));
    }
    let single: Vec<&ReleaseModel> =
        releases().filter(|release| wanted(release, BackupMethod::CloudNativePg).is_some()).collect();
    if rule.copies > 2 && !single.is_empty() {
        let names: Vec<&str> = single.iter().map(|release| release.name.as_str()).collect();
        let message = format!("CloudNativePG keeps one backup of {}, and `{rule}` asks for more", list(&names));
        let finding = Diagnostic::new(Code::BackupCopies, message).at(single[0].entry_span(env), "the first of them");
        findings.push(finding.level(Level::Warning).help(
            "let the object store replicate the bucket, or save the volumes too with `backup: { method: velero }`",
        ));
    }
}
