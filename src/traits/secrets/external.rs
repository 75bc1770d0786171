//! A Secret as an ExternalSecret in the release's namespace: what the store has is read by its exact name, the rest is
//! written by a template.
//!
//! The fields are those of `external-secrets.io/v1` (External Secrets 2.x). Whatever the API server or the operator would
//! set by default is written out, or Argo CD would see a difference for ever. A template's metadata is always given:
//! without it the operator copies the ExternalSecret's own labels and annotations, Argo CD's tracking among them.

use serde_json::{Map, Value as Json, json};

use super::store::{Remote, Store};
use super::template::go;
use super::value::{Contents, Origin};
use crate::argocd::types::keys;
use crate::model::Crds;
use crate::traits::Context;

pub(super) const API_VERSION: &str = "external-secrets.io/v1";

/// The ExternalSecret of a Secret that holds something secret.
pub(super) fn external_secret(context: &Context<'_>, store: &Store, contents: &Contents<'_>) -> Json {
    let name = &contents.secret.name;
    let mut data: Vec<Json> = Vec::new();
    for entry in &contents.entries {
        if let Some(origin) = entry.direct() {
            data.push(read(entry.key, &store.remote(origin)));
        }
    }
    // What a composed value needs and no key of the Secret holds is read beside them, under names of their own.
    let mut hidden: Vec<(Origin<'_>, String)> = Vec::new();
    for origin in contents.entries.iter().flat_map(super::value::Entry::origins) {
        if contents.key_of(origin).is_none() && !hidden.iter().any(|(known, _)| known == origin) {
            let free = |number: &usize| !contents.secret.keys.contains_key(&format!("part-{number}"));
            let number = (1..).filter(free).nth(hidden.len()).unwrap_or_default();
            let key = format!("part-{number}");
            data.push(read(&key, &store.remote(origin)));
            hidden.push((origin.clone(), key));
        }
    }
    let holder = |origin: &Origin<'_>| {
        let own = contents.key_of(origin).map(str::to_owned);
        let beside = || hidden.iter().find(|(known, _)| known == origin).map(|(_, key)| key.clone());
        own.or_else(beside).unwrap_or_default()
    };
    let written = contents.entries.iter().filter(|entry| entry.direct().is_none() || !hidden.is_empty());
    let template_data: Map<String, Json> =
        written.map(|entry| (entry.key.to_owned(), go(&entry.parts, holder).into())).collect();
    let mut template = json!({
        "engineVersion": "v2",
        // Beside what is read, or instead of it where more is read than the Secret has.
        "mergePolicy": if hidden.is_empty() { "Merge" } else { "Replace" },
        "metadata": { "labels": context.labels() },
    });
    if let Some(kind) = contents.kind() {
        template["type"] = kind.into();
    }
    if !template_data.is_empty() {
        template["data"] = template_data.into();
    }
    json!({
        "apiVersion": API_VERSION,
        "kind": "ExternalSecret",
        "metadata": context.metadata(name, early(context)),
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": { "kind": store.kind, "name": store.name },
            "target": {
                "name": name,
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": template,
            },
            "data": data,
        },
    })
}

/// A value of the store under a key.
fn read(key: &str, remote: &Remote) -> Json {
    let mut reference = json!({
        "key": remote.key,
        "conversionStrategy": "Default",
        "decodingStrategy": "None",
        "metadataPolicy": "None",
    });
    if let Some(property) = &remote.property {
        reference["property"] = property.as_str().into();
    }
    json!({ "secretKey": key, "remoteRef": reference })
}

/// Objects of kinds with CRDs come in wave 1 where the chart brings CRDs (`render::release::prepared`). The chart's pods
/// wait for their Secret, so that wave would never come: a Secret is in the pods' own wave.
pub(super) fn early(context: &Context<'_>) -> Map<String, Json> {
    let brings_crds = context.release.spec.chart.as_ref().is_some_and(|chart| chart.crds == Crds::Chart);
    let wave = brings_crds.then(|| (keys::SYNC_WAVE.to_owned(), Json::from("0")));
    wave.into_iter().collect()
}

/// A Secret that holds nothing secret (names of users, addresses), as it is.
pub(super) fn plain_secret(context: &Context<'_>, contents: &Contents<'_>) -> Json {
    let text = |entry: &super::value::Entry<'_>| Some((entry.key.to_owned(), Json::from(entry.text()?)));
    let data: Map<String, Json> = contents.entries.iter().filter_map(text).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": context.metadata(&contents.secret.name, Map::new()),
        "type": contents.kind().unwrap_or("Opaque"),
        "stringData": data,
    })
}
