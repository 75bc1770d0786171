//! `secrets`: each Secret that an app declares, made for whoever provides `secrets`.
//!
//! With External Secrets it is an ExternalSecret in the release's namespace (`external`) that reads a store by exact names
//! (`store`); generated values are made once, in the environment's secrets namespace (`generated`). With Sealed Secrets a
//! person seals it and hlgen checks names and keys (`sealed`). Where nothing provides `secrets` a note says what to type
//! (`by_hand`). No value passes through here: what is rendered are names.
//!
//! Somebody's own manifest that makes the Secret stands for what would be made here.

mod by_hand;
mod check;
mod external;
mod follow;
mod generated;
mod sealed;
mod store;
mod template;
mod value;

use serde_json::Value as Json;

use self::by_hand::For;
use self::store::{Backend, Store};
use self::value::Contents;
use super::{Context, file};
use crate::diag::{Code, Diagnostic, Span};
use crate::merge::{Path, Step};
use crate::model::Secret;
use crate::plan::Plan;
use crate::plan::manifests::{ManifestFile, Object};

pub(super) use check::check;
pub(super) use generated::objects;

/// Makes the Secrets of a release on a cluster; completes the sealed ones that are among its `own` manifests.
pub(super) fn make(
    context: &Context<'_>,
    own: &mut [ManifestFile],
    made: &mut Vec<ManifestFile>,
    findings: &mut Vec<Diagnostic>,
) {
    let (plan, release) = (context.plan, context.release);
    // Providers that nobody chose among are a finding of their own.
    if release.spec.secrets.is_empty() || plan.bindings.provider(&plan.releases, release, "secrets").is_err() {
        return;
    }
    let store = match Store::of(plan, context.number, context.cluster) {
        Ok(store) => store,
        Err(finding) => {
            findings.push(finding.at(context.span(&["secrets"]), format!("for {}", context.place)));
            return;
        }
    };
    let mut missing: Vec<Contents<'_>> = Vec::new();
    for secret in release.spec.secrets.iter().filter(|secret| check::is_well_named(secret)) {
        let contents = match Contents::of(context, secret) {
            Ok(contents) => contents,
            Err(wrong) => {
                findings.extend(wrong.into_iter().map(|(key, finding)| {
                    let at = place(plan, context.number, secret, Some(key));
                    finding.at(at, format!("for {}", context.place))
                }));
                continue;
            }
        };
        let path = file_name(&secret.name);
        if is_written(context, &contents, &path, own, findings) {
            continue;
        }
        let at = place(plan, context.number, secret, None);
        match &store {
            _ if contents.is_plain() => made.push(file(path, vec![external::plain_secret(context, &contents)], at)),
            Some(store) if store.backend == Backend::Sealed => {
                let finding = sealed::missing(context, store, &contents, own);
                findings.push(finding.at(at, format!("for {}", context.place)));
            }
            Some(store) => made.push(file(path, vec![external::external_secret(context, store, &contents)], at)),
            None => missing.push(contents),
        }
    }
    if let Some(first) = missing.first() {
        findings.push(nobody(context, &missing, place(plan, context.number, first.secret, None)));
    }
}

/// Whether somebody's own manifests make a Secret: an object that becomes it, or a file of its name. Sealed ones are
/// checked and completed.
fn is_written(
    context: &Context<'_>,
    contents: &Contents<'_>,
    path: &str,
    own: &mut [ManifestFile],
    findings: &mut Vec<Diagnostic>,
) -> bool {
    let mut written = own.iter().any(|file| file.path == path);
    for object in own.iter_mut().flat_map(|file| &mut file.objects) {
        if makes(object, &contents.secret.name) {
            written = true;
            if sealed::is_sealed(object) {
                sealed::complete(context, contents, object, findings);
            }
        }
    }
    written
}

/// The note that says which Secrets of a release a person has to create.
fn nobody(context: &Context<'_>, missing: &[Contents<'_>], at: Span) -> Diagnostic {
    let release = context.release;
    let names: Vec<String> = missing.iter().map(|contents| format!("`{}`", contents.secret.name)).collect();
    let what = if names.len() == 1 { "Secret" } else { "Secrets" };
    let message = format!("nothing provides `secrets`: `{}` needs the {what} {}", release.name, names.join(", "));
    let environment = context.plan.env_of(release).name.as_str();
    let place = For { environment, namespace: release.namespace(), release: release.name.as_str() };
    let commands: Vec<String> =
        missing.iter().map(|contents| by_hand::create(contents, contents.entries.iter(), place, &[])).collect();
    let finding = Diagnostic::new(Code::SecretsByHand, message).at(at, format!("for {}", context.place));
    finding.help(format!("install an app that provides `secrets`, or type: {}", commands.join("; ")))
}

/// Whether an object of somebody's own becomes the Secret of a name.
fn makes(object: &Object, name: &str) -> bool {
    let text = |pointer: &str| object.value.pointer(pointer).and_then(Json::as_str);
    match text("/kind") {
        Some("Secret" | "SealedSecret") => text("/metadata/name") == Some(name),
        Some("ExternalSecret") => text("/spec/target/name").or_else(|| text("/metadata/name")) == Some(name),
        Some("Certificate") => text("/spec/secretName") == Some(name),
        _ => false,
    }
}

/// The file of a Secret below the release's `manifests/`.
fn file_name(secret: &str) -> String {
    format!("secret-{secret}.yaml")
}

/// Where a Secret, or a key of it, is declared. Overlays may have put the list together from several files; then it is
/// the list.
fn place(plan: &Plan, number: usize, secret: &Secret, key: Option<&str>) -> Span {
    let release = &plan.releases[number];
    let env = plan.env_of(release);
    let step = |key: &str| Step::Key(key.to_owned());
    let exact = || {
        let (doc, list) = release.node(env, &Path(vec![step("secrets")]))?;
        let named = |item: &&_| doc.get(**item, "name").is_some_and(|name| doc.text(name) == secret.name);
        let item = *doc.items(list).iter().find(named)?;
        let keys = key.and_then(|key| doc.entry(doc.get(item, "keys")?, key));
        Some(keys.map_or_else(|| doc.get(item, "name").map(|name| doc.span(name)), |entry| Some(doc.span(entry.key))))
    };
    exact().flatten().unwrap_or_else(|| release.span(env, &["secrets"]))
}
