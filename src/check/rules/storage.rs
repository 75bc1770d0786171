//! `storage/class`: a volume of a class that nothing in the environment provides stays pending for ever.
//!
//! Classes are known from the data of the capability `storage` and its classes, from `paths.storageClasses` (those that a
//! chart makes), and from the classes and persistent volumes in manifests. They are used where `paths.storageClass`
//! leads, and in the claims of manifests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Subject;
use crate::diag::{Code, Diagnostic, nearest};
use crate::merge::{Path, Step};
use crate::plan::Plan;

/// Classes that releases make and use.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// By cluster.
    made: Vec<(usize, String)>,
    used: Vec<Use>,
}

impl Classes {
    pub(super) fn extend(&mut self, other: Self) {
        self.made.extend(other.made);
        self.used.extend(other.used);
    }
}

#[derive(Debug)]
struct Use {
    cluster: usize,
    class: String,
    /// What is said if nobody provides the class, but for what there is.
    finding: Diagnostic,
}

/// Finds the classes of a release on a cluster.
pub(super) fn collect(subject: &Subject<'_>, classes: &mut Classes) {
    let cluster = subject.cluster;
    let release = &subject.release().name;
    let message = |class: &str| format!("`{release}` asks for storage class `{class}`, which nothing here provides");
    if subject.release().spec.chart.is_some() {
        for setting in subject.settings("storageClass").into_iter().flat_map(|(_, settings)| settings) {
            let Some(class) = setting.value.as_str().filter(|class| is_class(class)) else { continue };
            // What only the chart's defaults say is nobody's choice.
            if subject.place(&setting.path).is_none() {
                continue;
            }
            let finding = subject.finding(Code::StorageClass, message(class), "storageClass", &setting.path);
            classes.used.push(Use { cluster, class: class.to_owned(), finding });
        }
        for setting in subject.settings("storageClasses").into_iter().flat_map(|(_, settings)| settings) {
            classes.made.extend(setting.value.as_str().map(|class| (cluster, class.to_owned())));
        }
    }
    for object in subject.files.iter().flat_map(|file| &file.objects) {
        let value = &object.value;
        let text = |pointer: &str| value.pointer(pointer).and_then(Json::as_str);
        match text("/kind").unwrap_or_default() {
            "StorageClass" => classes.made.extend(text("/metadata/name").map(|name| (cluster, name.to_owned()))),
            "PersistentVolume" => {
                classes.made.extend(text("/spec/storageClassName").map(|name| (cluster, name.to_owned())));
            }
            kind => {
                for path in claims(kind, value) {
                    let Some(class) = path.find(value).and_then(Json::as_str).filter(|class| is_class(class)) else {
                        continue;
                    };
                    let at = object.value_span(&path);
                    let finding = Diagnostic::new(Code::StorageClass, message(class)).at(at, subject.label());
                    classes.used.push(Use { cluster, class: class.to_owned(), finding });
                }
            }
        }
    }
}

/// Where an object may ask for a class.
fn claims(kind: &str, object: &Json) -> Vec<Path> {
    let key = |key: &str| Step::Key(key.to_owned());
    match kind {
        "PersistentVolumeClaim" => vec![Path(vec![key("spec"), key("storageClassName")])],
        "StatefulSet" => {
            let templates = object.pointer("/spec/volumeClaimTemplates").and_then(Json::as_array).map_or(0, Vec::len);
            let path =
                |at| [key("spec"), key("volumeClaimTemplates"), Step::Index(at), key("spec"), key("storageClassName")];
            (0..templates).map(|at| Path(path(at).into())).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a text names a class: many charts take `-` for none at all, and what holds Helm's braces is the chart's.
fn is_class(text: &str) -> bool {
    !text.is_empty() && text != "-" && !text.contains("{{")
}

/// Finds uses of classes that nobody makes.
pub(super) fn check(plan: &Plan, classes: &Classes, findings: &mut Vec<Diagnostic>) {
    let name = |cluster: usize| plan.clusters[cluster].name.as_str();
    let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (cluster, class) in &classes.made {
        known.entry(name(*cluster)).or_default().insert(class.clone());
    }
    let wanted: BTreeSet<&str> = classes.used.iter().map(|class| name(class.cluster)).collect();
    for cluster in (0..plan.clusters.len()).filter(|cluster| wanted.contains(name(*cluster))) {
        let offers = plan.offers(cluster, "storage").into_iter();
        let offered = offers.filter_map(|data| data.get_attr("className").ok()?.as_str().map(str::to_owned));
        known.entry(name(cluster)).or_default().extend(offered);
    }
    let none = BTreeSet::new();
    for Use { cluster, class, finding } in &classes.used {
        let here = known.get(name(*cluster)).unwrap_or(&none);
        if here.contains(class) {
            continue;
        }
        let outside = format!(
            "name one that is made elsewhere in the environment: `capabilities: {{ storage/{class}: {{ external: {{ className: {class} }} }} }}`"
        );
        let list = || here.iter().map(|class| format!("`{class}`")).collect::<Vec<_>>().join(", ");
        let help = match nearest(class, here.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? Else {outside}"),
            None if here.is_empty() => outside,
            None => format!("there is {}; {outside}", list()),
        };
        findings.push(finding.clone().help(help));
    }
}
