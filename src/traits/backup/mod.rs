//! `backup`: what an app says is worth keeping, made into what the environment's provider runs.
//!
//! Velero's Schedules lie in Velero's namespace, which belongs to another release, so the cluster's namespaces bring them
//! ([`in_namespace`]); CloudNativePG's lie beside the database ([`manifests`]). What cannot be saved is a finding: a backup
//! that silently leaves the volumes out is worse than none, because nobody looks for another one.

mod check;
mod cloudnative_pg;
mod copies;
mod schedule;
mod velero;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::namespace::Namespace;
use super::{Context, file};
use crate::model::{Backup, BackupMethod, CapabilityChoice};
use crate::plan::Plan;
use crate::plan::manifests::ManifestFile;
use crate::resolve::backup;
use crate::resolve::release::ReleaseModel;
use crate::template::OPEN;

pub(super) use check::check;

/// When a release is backed up, and how long that is kept: the classes and what they mean.
struct Timing {
    schedule: String,
    keep: String,
    /// Five fields.
    cron: String,
    hours: u32,
}

/// What a release wants backed up by a method.
fn wanted(release: &ReleaseModel, method: BackupMethod) -> Option<&Backup> {
    release.spec.backup.as_ref().filter(|backup| backup.is_wanted() && backup.method == method)
}

/// The meaning of a release's classes on a cluster; `None` where one is unknown or cannot be read ([`check`] says so).
fn timing(plan: &Plan, release: &ReleaseModel, cluster: usize, backup: &Backup) -> Option<Timing> {
    let backups = &plan.env_of(release).spec.backups;
    let schedule = backup.schedule.as_deref().unwrap_or(backup::DEFAULT_SCHEDULE);
    let keep = backup.keep.as_deref().unwrap_or(backup::DEFAULT_KEEP);
    let seed = format!("{}/{}", plan.clusters[cluster].name, release.namespace());
    let cron = backup::cron(backup::schedule(backups, schedule)?, &seed).ok()?;
    let hours = backup::hours(backup::keep(backups, keep)?)?;
    Some(Timing { schedule: schedule.to_owned(), keep: keep.to_owned(), cron, hours })
}

/// Whether a release's backup is among its own manifests.
pub(super) fn any(release: &ReleaseModel) -> bool {
    wanted(release, BackupMethod::CloudNativePg).is_some()
}

/// The backup of a database beside it; nothing where no object store for backups is provided.
pub(super) fn manifests(context: &Context<'_>, files: &mut Vec<ManifestFile>) {
    let Some(backup) = wanted(context.release, BackupMethod::CloudNativePg) else { return };
    let Some(timing) = timing(context.plan, context.release, context.cluster, backup) else { return };
    if context.capability(cloudnative_pg::STORE).is_some() {
        let object = cloudnative_pg::scheduled_backup(context, &timing);
        files.push(file("backup.yaml".into(), vec![object], context.span(&["backup"])));
    }
}

/// What the backups of a cluster's releases need in Velero's namespace: how volumes are saved, where copies lie, and the
/// Schedules; nothing in any other namespace.
pub(super) fn in_namespace(plan: &Plan, cluster: usize, namespace: &Namespace) -> Vec<Json> {
    if !may_be_velero(plan, cluster, namespace) {
        return Vec::new();
    }
    let mut policies = BTreeMap::new();
    let mut locations = BTreeMap::new();
    let mut schedules = BTreeMap::new();
    for index in clusters_of_name(plan, cluster) {
        let copies = copies::of(plan, plan.clusters[index].env);
        let here = schedule::groups(plan, index).into_iter();
        for group in here.filter(|group| group.first().velero.namespace == namespace.name) {
            if let Some(policy) = group.policy_name() {
                policies.entry(policy).or_insert_with_key(|name| group.policy(name));
            }
            for copy in &copies {
                if let Some(location) = copies::location(&plan.clusters[index].name, &namespace.name, copy) {
                    locations.insert(copy.location.clone(), location);
                }
                let name = group.name(copy);
                schedules.insert(name.clone(), group.schedule(&name, copy));
            }
        }
    }
    policies.into_values().chain(locations.into_values()).chain(schedules.into_values()).collect()
}

/// The clusters of one name: environments that share one bring their backups to one Velero.
fn clusters_of_name(plan: &Plan, cluster: usize) -> impl Iterator<Item = usize> + '_ {
    let name = &plan.clusters[cluster].name;
    plan.clusters.iter().enumerate().filter(move |(_, other)| other.name == *name).map(|(index, _)| index)
}

/// A quick look before every release's capabilities are asked for.
fn may_be_velero(plan: &Plan, cluster: usize, namespace: &Namespace) -> bool {
    let named = |data: &Json| {
        let text = data.get("namespace").and_then(Json::as_str);
        text.is_some_and(|text| text == namespace.name || text.contains(OPEN))
    };
    namespace.releases.iter().any(|number| plan.releases[*number].spec.provides.contains_key(velero::CAPABILITY))
        || clusters_of_name(plan, cluster).any(|index| {
            let env = &plan.environments[plan.clusters[index].env];
            let chosen = match env.spec.capabilities.get(velero::CAPABILITY) {
                Some(CapabilityChoice::External(external)) => named(&external.external),
                _ => false,
            };
            chosen || env.provides.get(velero::CAPABILITY).is_some_and(named)
        })
}
