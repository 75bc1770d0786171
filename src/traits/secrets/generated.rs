//! Generated values. Each is made once, in the environment's secrets namespace, and read from the store by everybody who
//! needs it, its own release included.
//!
//! A value is a `Password` generator, an ExternalSecret that asks it once, and, where the store is outside of the cluster,
//! a PushSecret that puts the value there unless there is one already. So nothing rotates by accident:
//!
//! - `refreshPolicy: CreatedOnce` with no interval: the operator does not come back for another value;
//! - the Secret is immutable and nobody's (`creationPolicy: Orphan`): an ExternalSecret that is made anew keeps it;
//! - `updatePolicy: IfNotExists`: a new cluster finds the value of the old one and leaves it.
//!
//! One object a value, because a key that is added later must not touch the others.
//!
//! Any alphabet goes: the generator draws `symbols` characters of `symbolCharacters`, each as likely as any other, where
//! its own mixture of letters and digits fixes how many of each there are (`generators/v1/password` of External Secrets).

use rustc_hash::FxHashMap;
use serde_json::{Value as Json, json};

use super::external::API_VERSION;
use super::store::{Backend, Store, VALUE, object_name};
use super::value::{Generated, Origin};
use crate::argocd::types::keys;
use crate::model::{Generate, SecretKey};
use crate::plan::Plan;
use crate::resolve::capability::Provider;

/// Characters of a value whose alphabet is not said.
const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const GENERATORS: &str = "generators.external-secrets.io/v1alpha1";

/// The characters that a value is drawn from.
pub(super) fn alphabet(how: &Generate) -> &str {
    how.alphabet.as_deref().unwrap_or(ALPHANUMERIC)
}

/// A generated value of a release on a cluster, where its environment has a store that it can be made in.
pub(super) struct Value<'p> {
    pub release: usize,
    pub origin: Origin<'p>,
    pub how: &'p Generate,
    pub store: Store,
}

impl Value<'_> {
    /// Name of its objects.
    pub(super) fn name(&self) -> String {
        object_name(&self.origin.path())
    }
}

/// The generated values of all releases on the clusters of one name (environments can share a cluster), as far as they are
/// made in a store that is `wanted`.
pub(super) fn values<'p>(plan: &'p Plan, cluster: &str, wanted: impl Fn(&Store) -> bool) -> Vec<Value<'p>> {
    let mut values = Vec::new();
    let clusters = plan.clusters.iter().enumerate().filter(|(_, known)| known.name.as_str() == cluster);
    for (index, known) in clusters {
        // A provider serves all alike.
        let mut stores: FxHashMap<Option<Provider>, Option<Store>> = FxHashMap::default();
        for (number, release) in plan.releases.iter().enumerate().filter(|(_, release)| release.env == known.env) {
            let secrets = &release.spec.secrets;
            if secrets.is_empty() {
                continue;
            }
            let provider = plan.bindings.provider(&plan.releases, release, "secrets").ok().flatten();
            let of_provider = || {
                let store = Store::of(plan, number, index).ok().flatten();
                store.filter(|store| store.backend != Backend::Sealed && wanted(store))
            };
            let Some(store) = stores.entry(provider).or_insert_with(of_provider) else { continue };
            let keys =
                secrets.iter().flat_map(|secret| secret.keys.iter().map(move |(key, source)| (secret, key, source)));
            for (secret, key, source) in keys {
                let SecretKey::Generate(how) = source else { continue };
                let origin = Origin::Generated(Generated {
                    environment: plan.env_of(release).name.as_str(),
                    release: release.name.as_str(),
                    namespace: release.namespace(),
                    secret: &secret.name,
                    key,
                    how,
                });
                values.push(Value { release: number, origin, how, store: store.clone() });
            }
        }
    }
    values
}

/// The objects of the generated values that live in a namespace of a cluster.
pub(in crate::traits) fn objects(plan: &Plan, cluster: usize, namespace: &str) -> Vec<Json> {
    let here = |store: &Store| store.namespace.as_deref() == Some(namespace);
    let values = values(plan, plan.clusters[cluster].name.as_str(), here);
    values.iter().flat_map(|value| objects_of(plan, value, namespace)).collect()
}

fn objects_of(plan: &Plan, value: &Value<'_>, namespace: &str) -> Vec<Json> {
    let name = value.name();
    let labels = json!({
        "app.kubernetes.io/managed-by": "hlgen",
        "hlgen.dev/environment": plan.environments[plan.releases[value.release].env].name,
        "hlgen.dev/release": plan.releases[value.release].name,
    });
    let metadata = json!({
        "name": name,
        "namespace": namespace,
        "labels": labels,
        // The operator's CRDs come with another Application; the Namespaces do not wait for them.
        "annotations": {
            keys::SYNC_OPTIONS: "SkipDryRunOnMissingResource=true",
            keys::SYNC_WAVE: "1",
        },
    });
    let mut objects = vec![
        json!({
            "apiVersion": GENERATORS,
            "kind": "Password",
            "metadata": metadata,
            "spec": {
                "length": value.how.length,
                "symbols": value.how.length,
                "symbolCharacters": alphabet(value.how),
                "digits": 0,
                "noUpper": false,
                "allowRepeat": true,
                "encoding": "raw",
            },
        }),
        json!({
            "apiVersion": API_VERSION,
            "kind": "ExternalSecret",
            "metadata": metadata,
            "spec": {
                "refreshPolicy": "CreatedOnce",
                "refreshInterval": "0s",
                "target": {
                    "name": name,
                    "creationPolicy": "Orphan",
                    "deletionPolicy": "Retain",
                    "immutable": true,
                    "template": {
                        "engineVersion": "v2",
                        "mergePolicy": "Replace",
                        "metadata": { "labels": labels },
                        "data": { VALUE: "{{ .password }}" },
                    },
                },
                "dataFrom": [{
                    "sourceRef": { "generatorRef": { "apiVersion": GENERATORS, "kind": "Password", "name": name } },
                }],
            },
        }),
    ];
    if value.store.backend.is_outside() {
        objects.push(push(&value.store, &value.origin, &name, &metadata));
    }
    objects
}

/// Puts a value into the store, unless it has one.
fn push(store: &Store, origin: &Origin<'_>, name: &str, metadata: &Json) -> Json {
    let remote = store.remote(origin);
    let mut reference = json!({ "remoteKey": remote.key });
    if let Some(property) = remote.property {
        reference["property"] = property.into();
    }
    let mut data = json!({
        "match": { "secretKey": VALUE, "remoteRef": reference },
        "conversionStrategy": "None",
    });
    if store.backend == Backend::Aws {
        // As text, which the console shows; the operator's default is binary.
        data["metadata"] = json!({
            "apiVersion": "kubernetes.external-secrets.io/v1alpha1",
            "kind": "PushSecretMetadata",
            "spec": { "secretPushFormat": "string" },
        });
    }
    json!({
        "apiVersion": "external-secrets.io/v1alpha1",
        "kind": "PushSecret",
        "metadata": metadata,
        "spec": {
            "refreshInterval": "1h0m0s",
            "updatePolicy": "IfNotExists",
            "deletionPolicy": "None",
            "secretStoreRefs": [{ "kind": store.kind, "name": store.name }],
            "selector": { "secret": { "name": name } },
            "data": [data],
        },
    })
}
