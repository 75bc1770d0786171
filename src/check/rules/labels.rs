//! `out/label`: labels and annotations of manifests that the API server would refuse, and with them the whole object.
//!
//! Source: `ValidateLabels` and `ValidateAnnotations` of `k8s.io/apimachinery`. What hlgen makes for Argo CD is checked
//! in `argocd::rules`.

use serde_json::Value as Json;

use super::Subject;
use crate::argocd::names;
use crate::diag::{Code, Diagnostic};
use crate::plan::manifests::Object;
use crate::secret;

/// Where an object has metadata: its own, and that of the pods it makes.
const METADATA: &[&[&str]] =
    &[&["metadata"], &["spec", "template", "metadata"], &["spec", "jobTemplate", "spec", "template", "metadata"]];

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for object in subject.files.iter().flat_map(|file| &file.objects) {
        for steps in METADATA {
            let metadata = steps.iter().try_fold(&object.value, |value, step| value.get(step));
            for field in ["labels", "annotations"] {
                let all = metadata.and_then(|metadata| metadata.get(field)).and_then(Json::as_object);
                for (key, value) in all.into_iter().flatten() {
                    let Some((message, rule)) = problem(field, key, value.as_str(), object) else { continue };
                    let path: Vec<&str> = steps.iter().copied().chain([field, key]).collect();
                    let finding = Diagnostic::new(Code::OutLabel, message).at(object.span(&path), subject.label());
                    findings.push(finding.help(rule));
                }
            }
        }
    }
}

fn problem(field: &str, key: &str, value: Option<&str>, object: &Object) -> Option<(String, &'static str)> {
    let text = |pointer: &str| object.value.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let of = || format!("{} `{}`", text("/kind"), text("/metadata/name"));
    let is_label = field == "labels";
    let what = if is_label { "a label" } else { "an annotation" };
    let key_is_right = if is_label { names::is_label_key(key) } else { names::is_annotation_key(key) };
    if !key_is_right {
        return Some((
            format!("`{}` of {} cannot be the key of {what}", secret::shown(key), of()),
            "a key is a name of at most 63 letters, digits, `-`, `_` and `.`, with a DNS name and `/` before it if need be",
        ));
    }
    // A value that is no string is found where manifests are read.
    let value = value.filter(|value| is_label && !names::is_label_value(value))?;
    let long = value.chars().count() > names::LABEL_MAX;
    let reason = if long { format!(": it has {} characters", value.chars().count()) } else { String::new() };
    Some((
        format!("`{}` of {} cannot be the value of the label `{key}`{reason}", secret::shown(value), of()),
        "a value has at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; `trunc(63)` cuts one",
    ))
}
