//! A release's extra manifests on a cluster.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::OutFile;
use crate::argocd::names;
use crate::argocd::types::keys;
use crate::diag::{Code, Diagnostic};
use crate::model::{Crds, Tier};
use crate::plan::Plan;
use crate::plan::manifests::{ManifestFile, Object};
use crate::resolve::release::ReleaseModel;

/// The folder of a release on a cluster, below the output folder.
pub fn folder(cluster: &str, release: &str) -> String {
    format!("{cluster}/{release}")
}

/// The files below `manifests/`.
pub fn manifests(plan: &Plan, cluster: &str, release: &ReleaseModel, files: &[ManifestFile]) -> Vec<OutFile> {
    files
        .iter()
        .map(|file| {
            let path = format!("{}/manifests/{}", folder(cluster, release.name.as_str()), file.path);
            let objects: Vec<Cow<'_, Value>> =
                file.objects.iter().map(|object| prepared(release, &object.value)).collect();
            OutFile::objects(plan, path, &format!("{cluster}/{} manifests", release.name), &objects)
        })
        .collect()
}

/// An object of a kind whose CRD the chart of the same release installs comes after it (wave 1), and its dry run is
/// skipped where the CRD is not there yet (argocd.md section 3.4). What the author wrote himself stays.
pub fn prepared<'o>(release: &ReleaseModel, object: &'o Value) -> Cow<'o, Value> {
    let installs_crds = release.spec.chart.as_ref().is_some_and(|chart| chart.crds == Crds::Chart);
    let api_version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    if names::is_builtin_group(names::api_group(api_version)) {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    if let Some(annotations) = annotations_of(&mut object) {
        annotate(annotations, installs_crds);
    }
    Cow::Owned(object)
}

fn annotations_of(object: &mut Value) -> Option<&mut Map<String, Value>> {
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut()
}

fn annotate(annotations: &mut Map<String, Value>, installs_crds: bool) {
    if installs_crds && !annotations.contains_key(keys::SYNC_WAVE) {
        annotations.insert(keys::SYNC_WAVE.into(), "1".into());
    }
    let skip = "SkipDryRunOnMissingResource=true";
    let options = annotations.entry(keys::SYNC_OPTIONS).or_insert_with(|| skip.into());
    if let Some(text) = options.as_str().filter(|text| !text.contains("SkipDryRunOnMissingResource")) {
        *options = format!("{text},{skip}").into();
    }
}

/// Whether manifests hold what must outlive the Application: CRDs (and with them every object of their kinds), volumes,
/// namespaces.
pub fn holds_state(files: &[ManifestFile]) -> bool {
    let kinds = ["CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim", "Namespace"];
    files.iter().flat_map(|file| &file.objects).any(|object| kinds.contains(&text_of(Some(&object.value), "kind")))
}

/// The text of a field; empty where there is none.
fn text_of<'v>(map: Option<&'v Value>, field: &str) -> &'v str {
    map.and_then(|map| map.get(field)?.as_str()).unwrap_or_default()
}

/// An application's objects against its AppProject, which allows its own namespaces and what it declares: anything else
/// would never be synced.
fn check_allowed(release: &ReleaseModel, object: &Object, findings: &mut Vec<Diagnostic>) {
    let metadata = object.value.get("metadata");
    let (api_version, kind) = (text_of(Some(&object.value), "apiVersion"), text_of(Some(&object.value), "kind"));
    let namespace = text_of(metadata, "namespace");
    let spec = &release.spec;
    if spec.tier != Tier::Application || kind.is_empty() {
        return;
    }
    let group = names::api_group(api_version);
    let full = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
    if names::is_namespaced(api_version, kind) == Some(false) && !spec.creates.contains(&full) {
        let message =
            format!("the AppProject of `{}` does not allow {kind}, which belongs to no namespace", release.name);
        let finding = Diagnostic::new(Code::OutManifest, message).at(object.span(&["kind"]), "this kind");
        findings.push(finding.help(format!("add `{full}` to the app's `creates`, or make the app `tier: platform`")));
    }
    let own = namespace.is_empty() || namespace == release.namespace();
    if !own && !spec.writes_to.iter().any(|allowed| allowed == namespace) {
        let message = format!("the AppProject of `{}` does not allow namespace `{namespace}`", release.name);
        let at = object.span(&["metadata", "namespace"]);
        let finding = Diagnostic::new(Code::OutManifest, message).at(at, "not the release's namespace");
        findings.push(finding.help(format!("add `{namespace}` to the app's `writesTo`, or leave the namespace out")));
    }
}

/// Checks what Kubernetes or Argo CD would refuse: objects without a kind or name, two objects of one name, and what the
/// release's AppProject does not allow.
pub fn check_manifests(release: &ReleaseModel, files: &[ManifestFile], findings: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<String, &Object> = BTreeMap::new();
    for object in files.iter().flat_map(|file| &file.objects) {
        check_allowed(release, object, findings);
        let value = &object.value;
        let metadata = value.get("metadata");
        let bad = |message: &str| Diagnostic::new(Code::OutManifest, message).at(object.span(&[]), "this manifest");
        if !value.is_object() {
            findings.push(bad("a manifest is a Kubernetes object, this is not even a map"));
            continue;
        }
        let (api_version, kind) = (text_of(Some(value), "apiVersion"), text_of(Some(value), "kind"));
        let name = text_of(metadata, "name");
        if api_version.is_empty() || kind.is_empty() {
            let finding = bad("this manifest has no `apiVersion` or no `kind`");
            findings.push(finding.help("every document of a manifest is one Kubernetes object"));
            continue;
        }
        if name.is_empty() {
            let help = if metadata.is_some_and(|metadata| metadata.get("generateName").is_some()) {
                "Argo CD would make a new one at every sync; give it a `name`"
            } else {
                "give it a `name` below `metadata:`"
            };
            findings.push(bad(&format!("this {kind} has no `metadata.name`")).help(help));
            continue;
        }
        if name.len() > 253 || name.contains(['/', '%', ' ']) || name == "." || name == ".." {
            findings.push(bad(&format!("`{name}` cannot be the name of a {kind}")));
        }
        for (field, what) in [("labels", "label"), ("annotations", "annotation")] {
            let all = metadata.and_then(|metadata| metadata.get(field)?.as_object());
            for (key, value) in all.into_iter().flatten() {
                if !value.is_string() {
                    let message = format!("the {what} `{key}` of {kind} `{name}` is not a string");
                    let at = object.span(&["metadata", field, key]);
                    let finding = Diagnostic::new(Code::OutManifest, message).at(at, "this value");
                    findings.push(finding.help("put it in quotes; Kubernetes takes only strings there"));
                }
            }
        }
        let group = names::api_group(api_version);
        let identity = format!("{group}/{kind} {}/{name}", text_of(metadata, "namespace"));
        if let Some(other) = seen.insert(identity, object) {
            let finding = Diagnostic::new(Code::OutClash, format!("two manifests are both {kind} `{name}`"));
            let (one, two) = (object.span(&["metadata", "name"]), other.span(&["metadata", "name"]));
            findings.push(finding.at(one, "this one").at(two, "and this").help("rename one of them"));
        }
    }
}
