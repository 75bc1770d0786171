//! What Argo CD does with what vanishes from Git.
//!
//! The controller of ApplicationSets deletes an Application that its set no longer lists, or whose set is gone. Whether the
//! workloads go too hangs on the Application's finalizer as the cluster has it, which is the base's. The root prunes; but
//! where a whole instance vanishes its root points at a folder that is not there, which is an error and deletes nothing.

use serde_json::Value as Json;

use crate::argocd::types::keys;
use crate::plan::Plan;
use crate::render::application;

/// What becomes of a release that vanishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fate {
    pub deletes: bool,
    pub consequence: String,
}

/// A release of the base that a cluster loses. `holds_state` says that its manifests alone keep its resources, and
/// `instance_stays` that the head still has its Argo CD.
pub(super) fn of_release(base: &Plan, number: usize, holds_state: bool, instance_stays: bool) -> Fate {
    let release = &base.releases[number];
    let namespace = release.namespace();
    if !instance_stays {
        return Fate {
            deletes: false,
            consequence:
                "Argo CD deletes nothing: the folder of its instance vanishes, the root reports an error, and all \
                          that is installed keeps running until somebody deletes it"
                    .into(),
        };
    }
    let keeps = application::keeps_resources(base, release)
        .or(holds_state.then_some("its manifests hold volumes, CRDs or namespaces"));
    match keeps {
        Some(reason) => Fate {
            deletes: false,
            consequence: format!(
                "Argo CD deletes the Application and leaves everything it installed in `{namespace}` running, unmanaged ({reason}: no resources finalizer)"
            ),
        },
        None => Fate {
            deletes: true,
            consequence: format!(
                "Argo CD deletes the Application and everything it installed in `{namespace}`; the namespace and the volume claims of StatefulSets stay"
            ),
        },
    }
}

/// An object that vanishes from a release that stays: whether it is deleted, in words. Pruning follows the head's
/// Application, and the object's own options as the cluster has them.
pub(super) fn of_object(head: &Plan, number: usize, object: &Json) -> (bool, String) {
    let options =
        object.pointer("/metadata/annotations").and_then(|all| all.get(keys::SYNC_OPTIONS)).and_then(Json::as_str);
    let has = |wanted: &str| options.is_some_and(|options| options.split(',').any(|option| option.trim() == wanted));
    let release = &head.releases[number];
    let all = release.spec.application.sync_options.iter();
    if has("Prune=false") || all.clone().any(|option| option == "Prune=false") {
        return (false, "stays: `Prune=false`".into());
    }
    if has("Prune=confirm") || all.clone().any(|option| option == "Prune=confirm") {
        return (true, "pruned once somebody confirms it".into());
    }
    if !application::prunes(head, release) {
        return (false, "stays, and the Application is OutOfSync: pruning is off for this release".into());
    }
    let kind = object.get("kind").and_then(Json::as_str).unwrap_or_default();
    let word = match kind {
        "CustomResourceDefinition" => "pruned, and with it every object of its kind",
        "PersistentVolumeClaim" => "pruned, and with it its volume unless the storage class retains it",
        "Namespace" => "pruned, and with it everything in it",
        _ => "pruned",
    };
    (true, word.into())
}
