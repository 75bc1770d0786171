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
    all(plan).iter().filter_map(|of| Some((of.0, file_of(plan, of)?))).collect()
}

/// What there may be a file for: a cluster and one of its namespaces, or the cluster itself.
pub type Of = (usize, Option<Namespace>);

/// All that [`files`] are for, in their order.
pub fn all(plan: &Plan) -> Vec<Of> {
    let clusters = namespace::all(plan).into_iter();
    let of = |(cluster, namespaces): (usize, Vec<Namespace>)| {
        let namespaces = namespaces.into_iter().map(move |namespace| (cluster, Some(namespace)));
        std::iter::once((cluster, None)).chain(namespaces)
    };
    clusters.flat_map(of).collect()
}

/// The file of one of them.
pub fn file_of(plan: &Plan, (cluster, namespace): &Of) -> Option<OutFile> {
    match namespace {
        Some(namespace) => Some(file(plan, *cluster, namespace)),
        None => of_cluster(plan, *cluster),
    }
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
