//! A Secret as a SealedSecret: a person seals the values with `kubeseal` and commits them below the environment's
//! `manifests/`. What is sealed is only checked by its names: the cluster opens it under the name and namespace it was
//! sealed for, so one that stands elsewhere would never become a Secret. What is no secret is added to its template.

use serde_json::{Map, Value as Json, json};

use super::by_hand::{self, For};
use super::external::early;
use super::store::Store;
use super::template::{go, is_composed_of_own};
use super::value::{Contents, Entry, Origin};
use crate::diag::{Code, Diagnostic, nearest};
use crate::plan::manifests::{ManifestFile, Object};
use crate::secret;
use crate::traits::Context;

const CLUSTER_WIDE: &str = "sealedsecrets.bitnami.com/cluster-wide";

/// Whether an object is a SealedSecret.
pub(super) fn is_sealed(object: &Object) -> bool {
    object.value.get("kind").and_then(Json::as_str) == Some("SealedSecret")
}

/// The keys whose values a person has to seal: all that are secret and cannot be put together from others.
fn to_seal<'s>(contents: &'s Contents<'s>) -> impl Iterator<Item = &'s Entry<'s>> {
    contents.entries.iter().filter(|entry| !is_composed_of_own(contents, entry))
}

/// Checks a SealedSecret against what is declared, and adds to its template what is no secret.
pub(super) fn complete(
    context: &Context<'_>,
    contents: &Contents<'_>,
    object: &mut Object,
    findings: &mut Vec<Diagnostic>,
) {
    let name = &contents.secret.name;
    let namespace = context.release.namespace();
    let text = |pointer: &str| object.value.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let own = text("/metadata/namespace");
    let wide = object.value.pointer("/metadata/annotations").and_then(|all| all.get(CLUSTER_WIDE));
    if !own.is_empty() && own != namespace {
        let message =
            format!("`{name}` is sealed for namespace `{own}`, and `{}` is in `{namespace}`", context.release.name);
        let finding = Diagnostic::new(Code::SecretsSealed, message);
        let at = object.span(&["metadata", "namespace"]);
        let help = match wide.and_then(Json::as_str) {
            Some("true") => "it may be opened anywhere: leave `namespace` out",
            _ => "seal it again for the namespace of the release, or with `--scope cluster-wide`",
        };
        findings.push(finding.at(at, "not the release's namespace").help(help));
    }
    let sealed = object.value.pointer("/spec/encryptedData").and_then(Json::as_object).cloned().unwrap_or_default();
    let templated = object.value.pointer("/spec/template/data").and_then(Json::as_object).cloned().unwrap_or_default();
    let has = |key: &str| sealed.contains_key(key) || templated.contains_key(key);
    for entry in to_seal(contents).filter(|entry| !has(entry.key)) {
        let message = format!("the SealedSecret `{name}` has no key `{}`", entry.key);
        let finding = Diagnostic::new(Code::SecretsSealed, message).at(object.span(&["spec", "encryptedData"]), "here");
        let near = nearest(entry.key, sealed.keys().map(String::as_str));
        findings.push(finding.help(match near {
            Some(near) => format!("it has `{near}`; the app declares `{}`", entry.key),
            None => "seal it again with all keys, or add this one with `kubeseal --merge-into`".into(),
        }));
    }
    for (key, value) in &sealed {
        if secret::Place::Cipher.hides(value) || !value.is_string() {
            let message = format!("`{key}` of the SealedSecret `{name}` is not sealed");
            let at = object.span(&["spec", "encryptedData", key]);
            let finding = Diagnostic::new(Code::SecretsSealed, message).at(at, "this is no output of kubeseal");
            findings.push(finding.help("take it out, seal it, and change the value: it has been in a file as it is"));
        }
    }
    let added: Map<String, Json> = contents
        .entries
        .iter()
        .filter(|entry| is_composed_of_own(contents, entry) && !has(entry.key))
        .map(|entry| {
            let holder = |origin: &Origin<'_>| contents.key_of(origin).unwrap_or_default().to_owned();
            (entry.key.to_owned(), go(&entry.parts, holder).into())
        })
        .collect();
    add(&mut object.value, &["spec", "template", "data"], added);
    add(&mut object.value, &["metadata", "annotations"], early(context));
}

/// Adds entries to a map of an object that does not have them.
fn add(object: &mut Json, path: &[&str], entries: Map<String, Json>) {
    if entries.is_empty() {
        return;
    }
    let mut map = object;
    for key in path {
        if !map.is_object() {
            return;
        }
        if map.get(*key).is_none_or(Json::is_null) {
            map[*key] = json!({});
        }
        map = &mut map[*key];
    }
    let Some(map) = map.as_object_mut() else { return };
    for (key, value) in entries {
        map.entry(key).or_insert(value);
    }
}

/// The finding, without a place, for a Secret that nobody has sealed yet, with the command that does.
pub(super) fn missing(
    context: &Context<'_>,
    store: &Store,
    contents: &Contents<'_>,
    own: &[ManifestFile],
) -> Diagnostic {
    let release = context.release;
    let name = &contents.secret.name;
    let environment = context.plan.env_of(release).name.as_str();
    let place = For { environment, namespace: release.namespace(), release: release.name.as_str() };
    let create = by_hand::create(contents, to_seal(contents), place, &["--dry-run=client", "--output yaml"]);
    let controller = match store.namespace.as_deref() {
        None | Some("kube-system") => String::new(),
        Some(namespace) => format!(" --controller-namespace {}", by_hand::quoted(namespace)),
    };
    let file = format!("environments/{environment}/manifests/{}/{}", release.app.name, super::file_name(name));
    let mut finding = Diagnostic::new(Code::SecretsNotSealed, format!("nobody has sealed the Secret `{name}`"));
    let names = own.iter().flat_map(|file| &file.objects).filter(|object| is_sealed(object));
    let declared = |name: &&str| release.spec.secrets.iter().any(|secret| secret.name == **name);
    let names = names.filter_map(|object| object.value.pointer("/metadata/name").and_then(Json::as_str));
    let names: Vec<&str> = names.filter(|name| !declared(name)).collect();
    if let Some(near) = nearest(name, names) {
        finding = finding.note(format!("there is a SealedSecret `{near}`; the app declares `{name}`"));
    }
    finding.help(format!("{create} | kubeseal --format yaml{controller} > {file}"))
}
