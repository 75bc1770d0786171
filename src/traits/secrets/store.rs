//! Where an environment keeps its secrets: the data of the capability `secrets`, and the place in the store that belongs to
//! a value.
//!
//! A value has one path, whatever is behind it: what a person provides has the path that `app.yaml` says, what is generated
//! `generated/<environment>/<release>/<secret>/<key>`. Vault and AWS Secrets Manager take a path as it is. Kubernetes has
//! no folders, so there the path becomes the name of a Secret ([`object_name`]).

use serde_json::Value as Json;

use super::value::Origin;
use crate::diag::{Code, Diagnostic};
use crate::plan::Plan;
use crate::resolve::capability::Provider;

/// The key under which a value lies where a place in the store holds several keys.
pub(super) const VALUE: &str = "value";

/// What is behind a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backend {
    /// HashiCorp Vault or OpenBao, a KV engine.
    Vault,
    /// AWS Secrets Manager.
    Aws,
    /// Secrets of one namespace of the cluster.
    Kubernetes,
    /// No store: Sealed Secrets in Git.
    Sealed,
}

impl Backend {
    /// Whether values outlive the cluster in it, so that what a cluster generated is put there.
    pub(super) fn is_outside(self) -> bool {
        matches!(self, Self::Vault | Self::Aws)
    }
}

/// The provider of `secrets` as a release on a cluster sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Store {
    pub backend: Backend,
    /// Name of the SecretStore or ClusterSecretStore.
    pub name: String,
    pub kind: String,
    /// Where generated values live: the data's `namespace`, else the providing release's own.
    pub namespace: Option<String>,
}

/// A place in a store, as External Secrets names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remote {
    pub key: String,
    pub property: Option<String>,
}

impl Store {
    /// The store that serves a release on a cluster; `None` where nothing provides `secrets`.
    ///
    /// # Errors
    /// A finding without a place: hlgen does not know what is behind the store.
    pub(super) fn of(plan: &Plan, number: usize, cluster: usize) -> Result<Option<Self>, Box<Diagnostic>> {
        let release = &plan.releases[number];
        let Ok(Some(provider)) = plan.bindings.provider(&plan.releases, release, "secrets") else { return Ok(None) };
        let Some(data) = plan.capability(number, cluster, "secrets", provider) else { return Ok(None) };
        let text = |key: &str| data.get(key).and_then(Json::as_str).map(str::to_owned);
        let named = text("backend");
        let backend = match named.as_deref() {
            Some("vault") => Backend::Vault,
            Some("aws") => Backend::Aws,
            Some("kubernetes") => Backend::Kubernetes,
            Some("sealed") => Backend::Sealed,
            _ => {
                let message = match named {
                    Some(other) => format!("hlgen does not know how the backend `{other}` keeps secrets"),
                    None => "the provider of `secrets` does not say what keeps them".to_owned(),
                };
                let finding = Diagnostic::new(Code::SecretsProvider, message);
                let help = "write `backend: vault`, `aws`, `kubernetes` or `sealed` into the data of `secrets`";
                return Err(Box::new(finding.help(help)));
            }
        };
        let own = match provider {
            Provider::Release(provider) if plan.releases[provider].env == release.env => {
                Some(plan.releases[provider].namespace().to_owned())
            }
            _ => None,
        };
        Ok(Some(Self {
            backend,
            name: text("store").unwrap_or_default(),
            kind: text("kind").unwrap_or_else(|| "ClusterSecretStore".into()),
            namespace: text("namespace").or(own),
        }))
    }

    /// Where a value lies.
    pub(super) fn remote(&self, origin: &Origin<'_>) -> Remote {
        let (path, property) = match origin {
            Origin::Provided(path) => match path.split_once('#') {
                Some((path, property)) => (path.to_owned(), Some(property.to_owned())),
                None => (path.clone(), None),
            },
            Origin::Generated(_) => (origin.path(), None),
        };
        match self.backend {
            // A secret of AWS is one text; one of its parts is asked for only by name.
            Backend::Aws => Remote { key: path, property },
            Backend::Kubernetes => {
                Remote { key: object_name(&path), property: Some(property.unwrap_or_else(|| VALUE.into())) }
            }
            Backend::Vault | Backend::Sealed => {
                Remote { key: path, property: Some(property.unwrap_or_else(|| VALUE.into())) }
            }
        }
    }
}

/// A path as the name of a Kubernetes object: `/` becomes `.`, letters become small, and whatever else a name cannot hold
/// becomes `-`. Two paths can become one name; whoever makes objects checks that.
pub(super) fn object_name(path: &str) -> String {
    let label = |part: &str| -> String {
        let small = part.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
        small.collect::<String>().trim_matches('-').to_owned()
    };
    let labels: Vec<String> = path.split(['/', '.']).map(label).filter(|label| !label.is_empty()).collect();
    labels.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_name() {
        assert_eq!(object_name("dns/cloudflare-token"), "dns.cloudflare-token");
        assert_eq!(object_name("generated/dev/harbor/harbor/CSRF_KEY"), "generated.dev.harbor.harbor.csrf-key");
        assert_eq!(object_name("generated/dev/x/pull/.dockerconfigjson"), "generated.dev.x.pull.dockerconfigjson");
        assert_eq!(object_name("a//b_/-c.d"), "a.b.c.d");
    }

    #[test]
    fn a_path_is_found_in_every_store() {
        let remote = |backend, path: &str| {
            let store = Store { backend, name: "s".into(), kind: "ClusterSecretStore".into(), namespace: None };
            let remote = store.remote(&Origin::Provided(path.into()));
            format!("{} {}", remote.key, remote.property.unwrap_or_else(|| "-".into()))
        };
        assert_eq!(remote(Backend::Vault, "dns/token"), "dns/token value");
        assert_eq!(remote(Backend::Vault, "dns/cloudflare#api.token"), "dns/cloudflare api.token");
        assert_eq!(remote(Backend::Aws, "dns/token"), "dns/token -");
        assert_eq!(remote(Backend::Aws, "dns/cloudflare#token"), "dns/cloudflare token");
        assert_eq!(remote(Backend::Kubernetes, "dns/token"), "dns.token value");
        assert_eq!(remote(Backend::Kubernetes, "dns/cloudflare#token"), "dns.cloudflare token");
    }
}
