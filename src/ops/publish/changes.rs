//! What a publish changes, release by release; when it removes or renames more than somebody allowed.

use std::collections::{BTreeMap, BTreeSet};

use super::inventory::{Entry, Inventory, ReleaseId};
use crate::diag::{Code, Diagnostic};
use crate::io::write::Summary;
use crate::plan::Plan;

/// A release that goes on under another name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Renamed {
    pub from: ReleaseId,
    pub to: ReleaseId,
    /// Names of the Application that change; the same where only the Argo CD instance does.
    pub applications: (String, String),
    /// The new name says what it was called before.
    pub is_declared: bool,
}

/// Differences between what a branch has and what it is to get; each list sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub added: BTreeSet<ReleaseId>,
    /// On all of their clusters, or on some.
    pub removed: BTreeSet<ReleaseId>,
    pub renamed: BTreeSet<Renamed>,
    /// Version before and after.
    pub versions: BTreeMap<ReleaseId, (String, String)>,
    pub changed: BTreeSet<ReleaseId>,
    /// Files that belong to no release changed: namespaces, AppProjects, roots.
    pub others: usize,
}

impl Changes {
    /// Compares two inventories; `summary` says which files differ.
    pub(super) fn new(old: &Inventory, new: &Inventory, summary: &Summary, plan: &Plan) -> Self {
        let mut changes = Self::default();
        let gone: Vec<_> = old.entries.iter().filter(|(key, _)| !new.entries.contains_key(*key)).collect();
        let mut came: Vec<_> = new.entries.iter().filter(|(key, _)| !old.entries.contains_key(*key)).collect();
        for (key, entry) in &gone {
            let heir = came.iter().position(|(_, heir)| succeeds(plan, entry, heir));
            match heir.map(|at| came.remove(at)) {
                Some((heir_key, heir)) => {
                    _ = changes.renamed.insert(Renamed {
                        from: entry.id.clone(),
                        to: heir.id.clone(),
                        applications: (key.1.clone(), heir_key.1.clone()),
                        is_declared: is_declared(plan, entry, heir),
                    })
                }
                None => _ = changes.removed.insert(entry.id.clone()),
            }
        }
        changes.added.extend(came.into_iter().map(|(_, entry)| entry.id.clone()));
        for (key, entry) in &new.entries {
            let Some(before) = old.entries.get(key) else { continue };
            if before.version != entry.version {
                changes.versions.insert(entry.id.clone(), (before.version.clone(), entry.version.clone()));
            } else if before.application != entry.application {
                changes.changed.insert(entry.id.clone());
            }
        }
        let by_folder: BTreeMap<(&str, &str), &ReleaseId> = old
            .entries
            .values()
            .chain(new.entries.values())
            .map(|entry| ((entry.cluster.as_str(), entry.id.release.as_str()), &entry.id))
            .collect();
        for path in summary.added.iter().chain(&summary.changed).chain(&summary.removed) {
            let mut parts = path.split('/');
            let folder = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            match by_folder.get(&folder) {
                Some(id) => _ = changes.changed.insert((*id).clone()),
                None if path.contains("/applicationsets/") && !path.ends_with("/namespaces.yaml") => {}
                None => changes.others += 1,
            }
        }
        let said: BTreeSet<ReleaseId> = changes
            .added
            .iter()
            .chain(&changes.removed)
            .chain(changes.renamed.iter().flat_map(|renamed| [&renamed.from, &renamed.to]))
            .chain(changes.versions.keys())
            .cloned()
            .collect();
        changes.changed.retain(|id| !said.contains(id));
        changes.added.retain(|id| !changes.versions.contains_key(id));
        changes
    }

    /// Releases whose Applications go, or go on under another name.
    pub fn lost(&self) -> BTreeSet<&ReleaseId> {
        self.removed.iter().chain(self.renamed.iter().map(|renamed| &renamed.from)).collect()
    }

    /// What must not be published: renames in one step, and more losses than allowed.
    pub(super) fn check(&self, allowed: usize, unreadable: &[String], findings: &mut Vec<Diagnostic>) {
        for renamed in self.renamed.iter().filter(|renamed| !renamed.is_declared && renamed.from != renamed.to) {
            let Renamed { from, to, applications, .. } = renamed;
            let message = format!("`{from}` would become `{to}` in one step");
            let note = format!(
                "Argo CD would delete the Application `{}` and make `{}`, which takes over nothing",
                applications.0, applications.1
            );
            let help = format!(
                "write `formerly: [{}]` at `{}`; or publish the removal first and the new release after it",
                from.release, to.release
            );
            findings.push(Diagnostic::new(Code::PublishRename, message).note(note).help(help));
        }
        let lost = self.lost();
        if lost.len() > allowed {
            let names = lost.iter().take(20).map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
            let more = if lost.len() > 20 { format!(" and {} more", lost.len() - 20) } else { String::new() };
            let message =
                format!("{} releases would be removed or renamed, {allowed} are allowed: {names}{more}", lost.len());
            let help = format!("if that is meant, publish with `--allow-removals {}`", lost.len());
            findings.push(Diagnostic::new(Code::PublishRemovals, message).help(help));
        }
        if !unreadable.is_empty() {
            let names = unreadable.iter().take(20).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
            let message =
                format!("what is published cannot be read back, so nobody knows what would be removed: {names}");
            let help = "somebody edited these files; restore them in the branch, or remove them there";
            findings.push(Diagnostic::new(Code::PublishUnreadable, message).help(help));
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether `heir` is what became of `entry`.
fn succeeds(plan: &Plan, entry: &Entry, heir: &Entry) -> bool {
    if entry.cluster != heir.cluster {
        return false;
    }
    entry.id.release == heir.id.release || is_declared(plan, entry, heir) || entry.is_same_thing(heir)
}

/// Whether the new name names the old one under `formerly`.
fn is_declared(plan: &Plan, entry: &Entry, heir: &Entry) -> bool {
    let Some(number) = plan.find(&heir.id.environment, &heir.id.release) else { return false };
    plan.releases[number].spec.formerly.iter().any(|name| name.as_str() == entry.id.release)
}
