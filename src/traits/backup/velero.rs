//! What Velero can save of a release, and how.
//!
//! A Schedule cannot name volumes, and the annotations by which pods could are the charts' (facts: Velero 1.18, its CRDs,
//! `internal/resourcepolicies` and `internal/volumehelper`). What can be said without the charts is the storage class: the
//! volumes of the classes that hold something worth keeping are saved, by snapshot where the provider can make one, else
//! file by file. Velero skips volumes of the type hostPath with a line in its log (`pkg/podvolume/backupper.go`); here that
//! is a finding.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Timing, timing, wanted};
use crate::argocd::names::is_dns_subdomain;
use crate::model::{Backup, BackupMethod, Kept};
use crate::plan::Plan;
use crate::resolve::release::ReleaseModel;
use crate::template::{Scope, TemplateError};

/// The capability that a Velero provides.
pub(super) const CAPABILITY: &str = "backup";

/// The provider of `backup` as Schedules need it.
pub(super) struct Velero {
    pub(super) namespace: String,
    /// Its own BackupStorageLocation; without one Velero takes its default.
    pub(super) location: Option<String>,
    /// The node agent runs, which copies files.
    node_agent: bool,
    /// CSI drivers whose volumes it can take snapshots of.
    snapshots: BTreeSet<String>,
    /// Snapshots are carried to the location of the backup.
    pub(super) move_snapshots: bool,
}

impl Velero {
    fn new(data: &Json) -> Option<Self> {
        let text = |key: &str| data.get(key).and_then(Json::as_str).map(str::to_owned);
        let is = |key: &str| data.get(key).and_then(Json::as_bool).unwrap_or_default();
        let drivers = data.get("snapshots").and_then(Json::as_array).into_iter().flatten();
        Some(Self {
            namespace: text("namespace")?,
            location: text("storageLocation"),
            node_agent: is("nodeAgent"),
            snapshots: drivers.filter_map(|driver| driver.as_str().map(str::to_owned)).collect(),
            move_snapshots: is("moveSnapshots"),
        })
    }

    /// How volumes of a storage are saved, or why they cannot be. A snapshot that is not moved stays where the volume is, so
    /// it is no way to have several copies.
    fn way(&self, storage: &Json, copies: usize) -> Result<Way, String> {
        let is = |key: &str| storage.get(key).and_then(Json::as_bool).unwrap_or_default();
        let driver = storage.get("driver").and_then(Json::as_str);
        let snapshots = driver.is_some_and(|driver| self.snapshots.contains(driver));
        if snapshots && (copies == 1 || self.move_snapshots) {
            return Ok(Way::Snapshot);
        }
        if is("hostPath") {
            return Err("they are directories of the node (`hostPath`), which Velero cannot read".into());
        }
        if self.node_agent {
            return Ok(Way::Files);
        }
        Err(if snapshots {
            "snapshots stay where the volumes are, so they are no second copy, and no node agent copies files".into()
        } else {
            "Velero takes no snapshots of them here, and no node agent copies files".into()
        })
    }
}

/// How volumes of a storage class are saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Snapshot,
    Files,
}

impl Way {
    /// The action of Velero's resource policy.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Files => "fs-backup",
        }
    }
}

/// Volumes that will not be in the backup.
pub(super) struct Unsaved {
    /// Names as the app says them.
    pub(super) what: Vec<String>,
    /// What they are of.
    pub(super) storage: String,
    pub(super) why: String,
}

/// The backup of one release on one cluster.
pub(super) struct Job<'p> {
    pub(super) release: &'p ReleaseModel,
    pub(super) velero: Velero,
    pub(super) timing: Timing,
    /// Names of what is worth keeping, as the app says them.
    pub(super) what: Vec<&'p str>,
    /// Labels of its pods; empty where it does not say.
    pub(super) selector: BTreeMap<String, String>,
    /// Why labels of its pods could not be evaluated.
    pub(super) selector_error: Option<TemplateError>,
    /// How the volumes of each storage class are saved.
    pub(super) ways: BTreeMap<String, Way>,
    pub(super) unsaved: Vec<Unsaved>,
}

/// The backups of a cluster's releases, in the order of the releases; those whose classes cannot be read and those for
/// which nobody provides `backup` are not among them.
pub(super) fn jobs(plan: &Plan, cluster: usize) -> impl Iterator<Item = Job<'_>> {
    let env = plan.clusters[cluster].env;
    let releases = plan.releases.iter().enumerate().filter(move |(_, release)| release.env == env);
    releases.filter_map(move |(number, _)| job(plan, number, cluster))
}

fn job(plan: &Plan, number: usize, cluster: usize) -> Option<Job<'_>> {
    let release = &plan.releases[number];
    let backup = wanted(release, BackupMethod::Velero)?;
    let scope = Arc::new(plan.scope(number, cluster));
    let velero = Velero::new(&data(&scope, CAPABILITY)?)?;
    let timing = timing(plan, release, cluster, backup)?;
    let copies = super::copies::of(plan, release.env).len();
    let (ways, unsaved) = volumes(backup, &scope, &velero, copies);
    let labels = release.spec.network.pod_selector.iter();
    let labels = labels.map(|(key, value)| Ok((key.clone(), plan.text(value, &scope)?)));
    let (selector, selector_error) = match labels.collect::<Result<BTreeMap<_, _>, TemplateError>>() {
        Ok(selector) => (selector, None),
        Err(error) => (BTreeMap::new(), Some(error)),
    };
    let what = backup.what.iter().map(Kept::name).collect();
    Some(Job { release, velero, timing, what, selector, selector_error, ways, unsaved })
}

/// The data of a capability that the release declares and somebody provides.
fn data(scope: &Scope, capability: &str) -> Option<Json> {
    serde_json::to_value(scope.capabilities.as_ref()?.get(capability)?).ok()
}

fn volumes(backup: &Backup, scope: &Scope, velero: &Velero, copies: usize) -> (BTreeMap<String, Way>, Vec<Unsaved>) {
    let (mut ways, mut unsaved) = (BTreeMap::new(), Vec::new());
    let storages: BTreeSet<&str> = backup.what.iter().map(Kept::storage).collect();
    for storage in storages {
        let names = backup.what.iter().filter(|kept| kept.storage() == storage);
        let what = names.map(|kept| kept.name().to_owned()).collect();
        // An app that would use shared storage takes the other one where there is none.
        let data = data(scope, storage).or_else(|| data(scope, "storage"));
        let class = data.as_ref().and_then(|data| data.get("className")).and_then(Json::as_str);
        let class = class.filter(|class| is_dns_subdomain(class));
        let (Some(data), Some(class)) = (&data, class) else {
            let why = "nothing that the app declares says its storage class".into();
            unsaved.push(Unsaved { what, storage: format!("`{storage}`"), why });
            continue;
        };
        match velero.way(data, copies) {
            Ok(way) => {
                ways.insert(class.to_owned(), way);
            }
            Err(why) => unsaved.push(Unsaved { what, storage: format!("class `{class}`"), why }),
        }
    }
    (ways, unsaved)
}
