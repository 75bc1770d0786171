//! The file of each namespace of a cluster: the Namespace and what lies in it (`traits::namespace`).

use super::{NAMESPACES, OutFile};
use crate::plan::Plan;
use crate::traits::namespace::{self, Namespace};

/// The file of a namespace.
pub fn file(plan: &Plan, cluster: usize, namespace: &Namespace) -> OutFile {
    let name = &plan.clusters[cluster].name;
    let path = format!("{name}/{NAMESPACES}/{}.yaml", namespace.name);
    let objects = namespace::objects(plan, cluster, namespace);
    OutFile::objects(plan, path, &format!("{name} namespace {}", namespace.name), &objects)
}
