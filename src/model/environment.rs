//! `environment.yaml`.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Backups, ClusterName, EnvName, Json, JsonMap, KubernetesVersion, Policies, Quantity, Release, ReleaseName,
};

/// A set of clusters that share layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    #[schemars(extend("const" = "hlgen.dev/v1"))]
    pub api_version: String,
    #[schemars(extend("const" = "Environment"))]
    pub kind: String,
    #[serde(default = "prod")]
    pub stage: String,
    #[serde(default = "k3s")]
    pub provider: String,
    /// Values of the project's own dimensions.
    #[serde(default)]
    pub dimensions: IndexMap<String, String>,
    /// Minor version of Kubernetes that its clusters run, for example `1.34`.
    #[serde(default)]
    pub kubernetes: Option<KubernetesVersion>,
    /// Domain of the hosts that apps are exposed at.
    #[serde(default)]
    pub domain: Option<String>,
    /// Default: one cluster named after the environment.
    #[serde(default)]
    pub clusters: Vec<Cluster>,
    /// Who provides a capability, where it is not the only one.
    #[serde(default)]
    pub capabilities: IndexMap<String, CapabilityChoice>,
    #[serde(default)]
    pub network: EnvironmentNetwork,
    /// Variables for templates; strongest below the clusters' own.
    #[serde(default)]
    pub vars: JsonMap,
    /// The releases, by name.
    #[serde(default)]
    pub apps: IndexMap<ReleaseName, Option<Release>>,
    /// What a person must bring: named steps of bootstrap.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// `false` for an environment that is often away: a staged rollout does not wait for it.
    #[serde(default = "yes")]
    pub gates: bool,
    #[serde(default)]
    pub policies: Policies,
    /// How large quotas are, where the policies ask for them.
    #[serde(default)]
    pub quotas: Quotas,
    #[serde(default)]
    pub backups: Backups,
}

fn prod() -> String {
    "prod".into()
}

fn k3s() -> String {
    "k3s".into()
}

fn yes() -> bool {
    true
}

/// Where releases land.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// Unique in the project.
    pub name: ClusterName,
    /// How Argo CD knows the cluster; default: the cluster Argo CD runs in, or, managed by a hub, the cluster's name.
    #[serde(default)]
    pub destination: Option<Destination>,
    /// Another version of Kubernetes than the environment's.
    #[serde(default)]
    pub kubernetes: Option<KubernetesVersion>,
    #[serde(default)]
    pub vars: JsonMap,
}

/// Argo CD's name or URL of a cluster; exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Destination {
    Name(String),
    Server(String),
}

/// Who provides a capability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CapabilityChoice {
    /// A release of this environment.
    Release(ReleaseName),
    /// A release of another environment.
    Environment(OtherEnvironment),
    /// Something outside of hlgen, by its data.
    External(ExternalCapability),
}

/// A capability of another environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OtherEnvironment {
    pub environment: EnvName,
    /// CIDRs at which it answers, for network policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

/// A capability that exists already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalCapability {
    pub external: Json,
    /// CIDRs at which it answers, for network policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

/// What network policies need to know of a cluster. Addresses are CIDRs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EnvironmentNetwork {
    /// The network plugin: `flannel`, `cilium`, `calico`, `vpc`, `kindnet`, ...
    pub cni: Option<String>,
    /// What enforces network policies where the network plugin does not, for example `kube-router`.
    pub policy_engine: Option<String>,
    #[serde(rename = "podCIDRs")]
    pub pod_cidrs: Vec<String>,
    #[serde(rename = "nodeCIDRs")]
    pub node_cidrs: Vec<String>,
    /// Addresses of the API server's endpoints.
    pub api_server: Vec<String>,
    /// Port of the API server's endpoints; default: 6443.
    pub api_server_port: Option<u16>,
    /// Addresses at which a DNS cache on every node answers, where there is one.
    #[serde(rename = "nodeLocalDNS")]
    pub node_local_dns: Vec<String>,
}

/// The size class of quotas; stages set it in their profiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Quotas {
    /// Percent on top of what the apps of a namespace ask for: an update runs old and new pods side by side.
    pub headroom: u16,
    /// What a container is taken to ask for that asks for nothing.
    pub default_request: DefaultRequest,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { headroom: 100, default_request: DefaultRequest::default() }
    }
}

/// What a container is taken to ask for that asks for nothing: a quota makes requests mandatory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DefaultRequest {
    pub cpu: Option<Quantity>,
    pub memory: Option<Quantity>,
}

/// Something only a person can bring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    pub name: String,
    /// What it is and where to get it.
    pub description: String,
    /// The release that needs it first.
    #[serde(default)]
    pub release: Option<ReleaseName>,
    /// A command of bash that succeeds when it is there; bootstrap then does not ask. `kubectl` in it means the cluster.
    #[serde(default)]
    pub check: Option<String>,
}
