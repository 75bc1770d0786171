//! What the Application of a cluster's namespaces brings: a file for each (`traits::namespace`), and one for what belongs
//! to the cluster itself (`traits::priority`).

use super::{NAMESPACES, OutFile};
use crate::plan::Plan;
use crate::traits::namespace::{self, Namespace};
use crate::traits::priority;

/// File of what belongs to the cluster; no namespace can be called that.
const CLUSTER: &str = "_cluster";

/// The files of all clusters that have namespaces of hlgen's, each with the number of its cluster. What belongs to a cluster
/// comes before its namespaces.
pub fn files(plan: &Plan) -> Vec<(usize, OutFile)> {
    let mut files = Vec::new();
    for (cluster, namespaces) in namespace::all(plan) {
        files.extend(of_cluster(plan, cluster).map(|file| (cluster, file)));
        files.extend(namespaces.iter().map(|namespace| (cluster, file(plan, cluster, namespace))));
    }
    files
}

/// The file of what belongs to a cluster, if there is anything.
pub fn of_cluster(plan: &Plan, cluster: usize) -> Option<OutFile> {
    let objects = priority::classes(plan, cluster);
    let name = &plan.clusters[cluster].name;
    let path = format!("{name}/{NAMESPACES}/{CLUSTER}.yaml");
    (!objects.is_empty()).then(|| OutFile::objects(plan, path, &format!("{name} cluster"), &objects))
}

/// The file of a namespace.
pub fn file(plan: &Plan, cluster: usize, namespace: &Namespace) -> OutFile {
    let name = &plan.clusters[cluster].name;
    let path = format!("{name}/{NAMESPACES}/{}.yaml", namespace.name);
    let objects = namespace::objects(plan, cluster, namespace);
    OutFile::objects(plan, path, &format!("{name} namespace {}", namespace.name), &objects)
}
