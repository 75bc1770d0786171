//! The objects that Velero works from: a Schedule for each copy, and a rule for the volumes.
//!
//! Releases of one namespace that are saved at the same time and kept as long share a Schedule: a backup holds a whole
//! namespace unless all of them say the labels of their pods, so one for each would hold everything several times. Its
//! name is that of the namespace and the two classes, which stays when a release joins or leaves.
//!
//! What no rule names (other classes, `emptyDir`, Secrets mounted as files) is left out, because both of Velero's defaults
//! are switched off; the action of a rule counts all the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::copies::Copy;
use super::velero::{self, Job, Way};
use crate::argocd::types::keys;
use crate::plan::Plan;
use crate::resolve::backup::hash;
use crate::resolve::release::ReleaseModel;

/// Velero puts a Schedule's name into a label of every backup.
const LABEL_MAX: usize = 63;

/// The annotation that says what a backup is to hold; Velero hands it on to every backup.
const HOLDS: &str = "hlgen.dev/holds";

/// Releases of one namespace that are saved together, by namespace, schedule class and retention class.
pub(super) struct Group<'p> {
    jobs: Vec<Job<'p>>,
    /// The other releases in the namespace.
    beside: Vec<&'p ReleaseModel>,
}

/// What is saved together on a cluster, by Velero's namespace and the name.
pub(super) fn groups(plan: &Plan, cluster: usize) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<(String, String), Group<'_>> = BTreeMap::new();
    for job in velero::jobs(plan, cluster) {
        let key = (job.velero.namespace.clone(), name(&job));
        let group = groups.entry(key).or_insert_with(|| Group { jobs: Vec::new(), beside: Vec::new() });
        group.jobs.push(job);
    }
    let mut together: BTreeMap<&str, Vec<&ReleaseModel>> = BTreeMap::new();
    for release in plan.releases.iter().filter(|release| release.env == plan.clusters[cluster].env) {
        together.entry(release.namespace()).or_default().push(release);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    for group in &mut groups {
        let all = together.get(group.first().release.namespace()).into_iter().flatten().copied();
        group.beside = all.filter(|other| group.jobs.iter().all(|job| job.release.name != other.name)).collect();
    }
    groups
}

fn name(job: &Job<'_>) -> String {
    format!("{}-{}-{}", job.release.namespace(), job.timing.schedule, job.timing.keep)
}

impl<'p> Group<'p> {
    /// The first of its jobs, whose namespaces and times are those of all.
    pub(super) fn first(&self) -> &Job<'p> {
        &self.jobs[0]
    }

    /// Labels of the pods of each release, where there are others in the namespace and all of these say them; else the backup
    /// holds the whole namespace.
    fn selectors(&self) -> Vec<&BTreeMap<String, String>> {
        let selectors: Vec<_> = self.jobs.iter().map(|job| &job.selector).collect();
        let unknown = selectors.iter().any(|selector| selector.is_empty());
        if unknown || self.beside.is_empty() { Vec::new() } else { selectors }
    }

    /// The releases that keep something in the namespace and will be in the backup though they do not ask for it.
    pub(super) fn neighbours(&self) -> Vec<&str> {
        if !self.selectors().is_empty() {
            return Vec::new();
        }
        let stateful = self.beside.iter().filter(|other| super::check::is_stateful(other));
        stateful.map(|other| other.name.as_str()).collect()
    }

    /// Name of the Schedule of a copy.
    pub(super) fn name(&self, copy: &Copy<'_>) -> String {
        let own = name(self.first());
        let name = copy.name.map_or_else(|| own.clone(), |copy| format!("{own}-{copy}"));
        if name.len() <= LABEL_MAX {
            return name;
        }
        let start: String = name.chars().take(LABEL_MAX - 9).collect();
        format!("{start}-{:08x}", hash(&name) >> 32)
    }

    /// How the volumes of each storage class are saved.
    fn ways(&self) -> BTreeMap<&str, Way> {
        self.jobs.iter().flat_map(|job| &job.ways).map(|(class, way)| (class.as_str(), *way)).collect()
    }

    /// Name of the rule for its volumes, which says what it does; none where no volume is saved.
    pub(super) fn policy_name(&self) -> Option<String> {
        let ways = self.ways();
        let parts: Vec<String> = ways.iter().map(|(class, way)| format!("{class}-{}", way.action())).collect();
        (!parts.is_empty()).then(|| format!("volumes-{}", parts.join("-")))
    }

    /// The rule for its volumes. Velero takes a ConfigMap with exactly one key.
    pub(super) fn policy(&self, name: &str) -> Json {
        let mut text = "version: v1\nvolumePolicies:\n".to_owned();
        for (class, way) in self.ways() {
            let class = Json::from(class);
            let action = way.action();
            let _ = write!(text, "  - conditions:\n      storageClass: [{class}]\n    action:\n      type: {action}\n");
        }
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": self.first().velero.namespace,
                "labels": { "app.kubernetes.io/managed-by": "hlgen" },
            },
            "data": { "policy.yaml": text },
        })
    }

    /// The Schedule of a copy.
    ///
    /// Velero gives every backup the labels and annotations of its Schedule. Labels of its own keep Argo CD's mark of
    /// ownership off the backups where that is a label: they would be taken for what Git no longer holds, and deleted.
    pub(super) fn schedule(&self, name: &str, copy: &Copy<'_>) -> Json {
        let job = self.first();
        let labels = json!({ "app.kubernetes.io/managed-by": "hlgen" });
        let mut template = json!({
            "metadata": { "labels": labels },
            "includedNamespaces": [job.release.namespace()],
        });
        match self.selectors().as_slice() {
            [] => {}
            [one] => template["labelSelector"] = json!({ "matchLabels": one }),
            several => {
                let several: Vec<Json> = several.iter().map(|labels| json!({ "matchLabels": labels })).collect();
                template["orLabelSelectors"] = several.into();
            }
        }
        if let Some(location) = copy.location.as_ref().or(job.velero.location.as_ref()) {
            template["storageLocation"] = location.as_str().into();
        }
        template["ttl"] = format!("{}h0m0s", job.timing.hours).into();
        template["defaultVolumesToFsBackup"] = false.into();
        template["snapshotVolumes"] = false.into();
        let snapshots = self.ways().values().any(|way| *way == Way::Snapshot);
        template["snapshotMoveData"] = (snapshots && job.velero.move_snapshots).into();
        if let Some(policy) = self.policy_name() {
            template["resourcePolicy"] = json!({ "kind": "configmap", "name": policy });
        }
        let holds = self.jobs.iter().map(|job| match job.what.as_slice() {
            [] => job.release.name.to_string(),
            what => format!("{} ({})", job.release.name, what.join(", ")),
        });
        let mut annotations = annotations();
        annotations[HOLDS] = holds.collect::<Vec<_>>().join(", ").into();
        json!({
            "apiVersion": "velero.io/v1",
            "kind": "Schedule",
            "metadata": {
                "name": name,
                "namespace": job.velero.namespace,
                "labels": labels,
                "annotations": annotations,
            },
            "spec": {
                "schedule": job.timing.cron,
                // Velero writes the field itself where it is missing, and sets `true` back after the first look.
                "skipImmediately": false,
                // Backups outlive their Schedule.
                "useOwnerReferencesInBackup": false,
                "template": template,
            },
        })
    }
}

/// Annotations of an object of Velero's own kinds: its CRDs come with another Application, perhaps later.
pub(super) fn annotations() -> Json {
    json!({ keys::SYNC_OPTIONS: "SkipDryRunOnMissingResource=true", keys::SYNC_WAVE: "1" })
}
