//! `environments/profiles/<dimension>/<value>.yaml`: what one value of one dimension means.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Backups, CapabilityChoice, EnvironmentNetwork, JsonMap, KubernetesVersion, Policies, Quotas, Release, ReleaseName,
};

/// Defaults for one value of one dimension (provider `kind`, stage `prod`).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    #[schemars(extend("const" = "hlgen.dev/v1"))]
    pub api_version: String,
    #[schemars(extend("const" = "Profile"))]
    pub kind: String,
    /// One line: what it stands for.
    #[serde(default)]
    pub description: String,
    /// Capabilities that the platform itself brings, with their data.
    #[serde(default)]
    pub provides: JsonMap,
    /// What the platform packages that gets in the way of an app, by capability.
    #[serde(default)]
    pub rivals: IndexMap<String, Rival>,
    #[serde(default)]
    pub kubernetes: Option<KubernetesVersion>,
    #[serde(default)]
    pub domain: Option<String>,
    #[serde(default)]
    pub capabilities: IndexMap<String, CapabilityChoice>,
    #[serde(default)]
    pub network: EnvironmentNetwork,
    #[serde(default)]
    pub vars: JsonMap,
    /// Releases that every such environment has.
    #[serde(default)]
    pub apps: IndexMap<ReleaseName, Option<Release>>,
    #[serde(default)]
    pub gates: Option<bool>,
    #[serde(default)]
    pub policies: Policies,
    #[serde(default)]
    pub quotas: Quotas,
    #[serde(default)]
    pub backups: Backups,
}

/// A rival that the platform packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rival {
    /// What it is.
    pub name: String,
    /// How to switch it off.
    pub switch_off: String,
    /// Names of `vars` that say it has been switched off (`k3sTraefik: false`).
    #[serde(default)]
    pub off_when: Option<String>,
}
