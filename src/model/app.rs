//! `app.yaml`, and a release entry of an environment, which may overlay any of its fields.

use std::num::NonZeroU16;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AppName, Backup, EnvName, JsonMap, PodPort, Quantity, ReleaseName};

macro_rules! with_app_fields {
    ($(#[$meta:meta])* $name:ident { $($(#[$own_meta:meta])* $own:ident: $own_type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            $($(#[$own_meta])* pub $own: $own_type,)*
            /// One line: what the app is.
            #[serde(default)]
            pub description: String,
            /// A group for lists, for example `media`.
            #[serde(default)]
            pub category: Option<String>,
            #[serde(default)]
            pub tier: Tier,
            /// A base app whose chart, version, schema and values are shared; a base has no base of its own.
            #[serde(default)]
            pub from: Option<AppName>,
            #[serde(default)]
            pub chart: Option<Chart>,
            /// A directory of a Git repository instead of a chart: a chart, a kustomization or plain manifests.
            #[serde(default)]
            pub git: Option<GitSource>,
            /// The chart's version; on a release the short way to write `chart.version` (or `git.revision`).
            #[serde(default)]
            pub version: Option<String>,
            /// Namespace of the release; default: the app's name.
            #[serde(default)]
            pub namespace: Option<String>,
            /// Helm's release name; default: the release's name.
            #[serde(default)]
            pub release_name: Option<String>,
            /// Providers the app runs on; empty: all.
            #[serde(default)]
            pub platforms: Vec<String>,
            /// Capabilities the app provides, with their data (`ingress: { className: traefik }`).
            #[serde(default)]
            pub provides: JsonMap,
            /// Capabilities (`storage/shared`) or releases (`release/x`) without which the app cannot run; only these
            /// order.
            #[serde(default)]
            pub requires: Vec<String>,
            /// Capabilities that are used where somebody provides them.
            #[serde(default)]
            pub wants: Vec<String>,
            /// Cluster-scoped kinds that the chart makes, as `Kind.group` (`ClusterRole.rbac.authorization.k8s.io`).
            #[serde(default)]
            pub creates: Vec<String>,
            /// Other namespaces the chart writes to.
            #[serde(default)]
            pub writes_to: Vec<String>,
            /// Companions that become releases of their own.
            #[serde(default)]
            pub brings: Vec<Companion>,
            /// Apps it cannot live with in one environment.
            #[serde(default)]
            pub conflicts: Vec<AppName>,
            /// The chart makes its namespace itself.
            #[serde(default)]
            pub creates_namespace: bool,
            /// Values paths where checks and `diff` find what matters: `image`, `tag`, `replicas`, `resources`,
            /// `storageClass`, `storageClasses`, `nodePorts`, `hostPorts`.
            #[serde(default)]
            pub paths: IndexMap<String, ValuePaths>,
            /// Why one replica is right even in production; without it one is a warning there.
            #[serde(default)]
            pub singleton: Option<String>,
            #[serde(default)]
            pub expose: Vec<Expose>,
            #[serde(default)]
            pub security: Security,
            #[serde(default)]
            pub network: AppNetwork,
            /// What all pods of the app ask for together, for quotas.
            #[serde(default)]
            pub requests: Requests,
            /// Keeps pods running while nodes are drained; without it the chart sees to that itself, or nobody does.
            #[serde(default)]
            pub availability: Option<Availability>,
            #[serde(default)]
            pub secrets: Vec<Secret>,
            #[serde(default)]
            pub backup: Option<Backup>,
            #[serde(default)]
            pub metrics: Option<Metrics>,
            /// Extra manifests; without it every file below `manifests/` is rendered once.
            #[serde(default)]
            pub manifests: Option<Vec<ManifestEntry>>,
            #[serde(default)]
            pub application: ApplicationOptions,
            /// Whether the values files for every app (`global:`) reach this one.
            #[serde(default = "yes")]
            pub accepts_global: bool,
            #[serde(default)]
            pub health: Health,
            /// Earlier names of the release.
            #[serde(default)]
            pub formerly: Vec<ReleaseName>,
            #[serde(default)]
            pub lifecycle: Option<Lifecycle>,
            /// Where the app's documentation is.
            #[serde(default)]
            pub docs: Option<String>,
        }
    };
}

fn yes() -> bool {
    true
}

with_app_fields!(
    /// A catalog entry: one Helm chart, one directory of a Git repository, or manifests of its own.
    App {
        #[schemars(extend("const" = "hlgen.dev/v1"))]
        api_version: String,
        #[schemars(extend("const" = "App"))]
        kind: String,
    }
);

with_app_fields!(
    /// A release: which app, and any field of its `app.yaml` that should differ here.
    Release {
        /// The app; default: the release's name.
        #[serde(default)]
        app: Option<AppName>,
        /// `false` removes a release that a profile or a companion brought.
        #[serde(default = "yes")]
        enabled: bool,
        /// Which release serves a capability for this one (`postgres: orders-db`).
        #[serde(default, rename = "use")]
        use_: IndexMap<String, ReleaseName>,
    }
);

/// Whether the cluster needs the app before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    Platform,
    #[default]
    Application,
}

impl Tier {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Application => "application",
        }
    }

    /// The PriorityClass of its pods, where the policies ask for one.
    pub fn priority_class(self) -> &'static str {
        match self {
            Self::Platform => "hlgen-platform",
            Self::Application => "hlgen-application",
        }
    }
}

/// A Helm chart in a repository, or a folder of this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chart {
    /// `https://...` of a chart repository, or `oci://host/path` of the folder that holds the chart.
    #[serde(default)]
    pub repository: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    /// Exact version.
    #[serde(default)]
    pub version: Option<String>,
    /// The versions that the entry's values fit, for example `>=4, <5`.
    #[serde(default)]
    pub supports: Option<String>,
    #[serde(default)]
    pub crds: Crds,
    /// A chart in this repository, for example `charts/jellyfin`.
    #[serde(default)]
    pub path: Option<String>,
}

/// Where a chart's CRDs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Crds {
    /// The chart installs them.
    Chart,
    /// Another app installs them.
    Separate,
    /// There are none.
    #[default]
    None,
}

/// One values path or several; a step `*` stands for every key of a map and every item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ValuePaths {
    One(String),
    Several(Vec<String>),
}

impl ValuePaths {
    /// The paths in the order they are written.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(path) => std::slice::from_ref(path),
            Self::Several(paths) => paths,
        }
    }
}

/// A directory of a Git repository that Argo CD renders itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitSource {
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    pub path: String,
    /// Tag or commit.
    pub revision: String,
}

/// A companion release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Companion {
    pub app: AppName,
    /// Release name; default: the app's name.
    #[serde(default)]
    pub release: Option<ReleaseName>,
    /// `same` as the app that brings it, or an exact version; default: the companion's own.
    #[serde(default)]
    pub version: Option<String>,
}

/// One way in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expose {
    /// Unique within the app.
    pub name: String,
    /// Kubernetes Service; may hold templates.
    pub service: String,
    /// Port of the Service.
    pub port: u16,
    /// The port of the pods that the Service's leads to, by number or name; default: the same number.
    #[serde(default)]
    pub target_port: Option<PodPort>,
    #[serde(default)]
    pub protocol: Protocol,
    /// First label of the host name, or a full host name; default: the release's name.
    #[serde(default)]
    pub host: Option<String>,
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub visibility: Visibility,
    /// Ask the single-sign-on provider to guard it.
    #[serde(default)]
    pub sso: bool,
    /// Largest request body in bytes; 0: no limit; default: the ingress provider's.
    #[serde(default)]
    pub max_body: Option<u64>,
    #[serde(default)]
    pub annotations: IndexMap<String, String>,
}

/// What is spoken on an exposed port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    #[default]
    Http,
    Https,
    Grpc,
    Tcp,
    Udp,
}

/// Who may reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    #[default]
    Internal,
    Public,
}

/// What the app's pods need.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Security {
    pub pod_security: PodSecurity,
}

/// Pod Security level, strictest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PodSecurity {
    Privileged,
    #[default]
    Baseline,
    Restricted,
}

impl PodSecurity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

/// Traffic beyond what requirements imply. Ports are those of pods.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AppNetwork {
    /// The app talks to the Kubernetes API.
    pub api_server: bool,
    /// Where it goes: `internet`, `private` (addresses of private networks), `nodes`, `namespace/<name>`, or CIDRs.
    pub egress: Vec<String>,
    /// Who reaches it past the ingress provider, through a load balancer or a node's port: `internet`, `nodes`, or CIDRs.
    pub ingress: Vec<String>,
    /// The ports that `ingress` opens; empty: all.
    pub ingress_ports: Vec<PodPort>,
    /// The ports that the API server calls: webhooks and aggregated APIs.
    pub webhooks: Vec<PodPort>,
    /// It opens connections to those that use it, as an operator does to what it runs.
    pub calls_back: bool,
    /// Labels of its pods, where the namespace holds others.
    pub pod_selector: IndexMap<String, String>,
}

/// What all pods of an app ask for together. What is left out is nothing; with nothing at all the app does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Requests {
    /// In cores: `500m`, `2`.
    pub cpu: Option<Quantity>,
    /// In bytes: `512Mi`.
    pub memory: Option<Quantity>,
    /// Of all volume claims, in bytes: `20Gi`.
    pub storage: Option<Quantity>,
}

impl Requests {
    /// Whether the app does not say what it asks for.
    pub fn is_empty(&self) -> bool {
        self.cpu.is_none() && self.memory.is_none() && self.storage.is_none()
    }
}

/// A PodDisruptionBudget for pods that there are several of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Availability {
    /// Labels of the pods that `paths.replicas` counts, exactly as the chart sets them; the values may hold templates.
    #[serde(default)]
    pub pod_selector: IndexMap<String, String>,
    /// How many may be away at a time.
    #[serde(default = "one")]
    pub max_unavailable: NonZeroU16,
    /// How many there are where the values do not set `paths.replicas`.
    #[serde(default)]
    pub replicas: Option<u16>,
}

fn one() -> NonZeroU16 {
    NonZeroU16::MIN
}

/// A Secret the app needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    pub name: String,
    pub keys: IndexMap<String, SecretKey>,
}

/// How one key of a Secret is made; exactly one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum SecretKey {
    /// This text, which is no secret (a user name).
    Literal(String),
    /// Generated once.
    Generate(Generate),
    /// Put into the store by a person, at this path; `path#key` for one of several values there.
    Provided(String),
    /// Text with other keys of the Secret as `$(key)`.
    Template(String),
    /// A key of another release's Secret.
    From(SecretFrom),
}

/// A generated value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Generate {
    /// Characters.
    pub length: u16,
    /// What it is drawn from: printable ASCII, each character once; default: letters and digits.
    #[serde(default)]
    pub alphabet: Option<String>,
}

/// Another release's Secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretFrom {
    pub release: ReleaseName,
    pub secret: String,
    pub key: String,
    /// Only in a release of an environment; default: its own.
    #[serde(default)]
    pub environment: Option<EnvName>,
}

/// Dashboards and rules that ship with the app.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Metrics {
    /// Globs below the app's folder.
    pub dashboards: Vec<String>,
    /// The ports of its pods that have metrics; empty: the metrics stack may reach all.
    pub ports: Vec<PodPort>,
}

/// A manifest, rendered when its condition holds and once for each item of its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestEntry {
    /// File below the app's folder.
    pub path: String,
    /// An expression; rendered when true.
    #[serde(default)]
    pub when: Option<String>,
    /// An expression that gives a list; rendered once for each, as `item`.
    #[serde(default)]
    pub each: Option<String>,
}

/// What is set on the Application beyond hlgen's own rules.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ApplicationOptions {
    /// The Application's name; `{cluster}`, `{release}`, `{env}` and `{app}` stand for their values.
    pub name: Option<String>,
    pub annotations: IndexMap<String, String>,
    pub labels: IndexMap<String, String>,
    /// Argo CD's sync options, exactly as Argo CD spells them.
    pub sync_options: Vec<String>,
    /// Argo CD's `ignoreDifferences` entries.
    pub ignore_differences: Vec<IgnoreDifference>,
    pub helm: HelmOptions,
    /// Overrides whether what vanishes from Git is deleted from the cluster.
    pub prune: Option<bool>,
    pub revision_history_limit: Option<u32>,
}

/// A part of an object that Argo CD does not compare.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IgnoreDifference {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub json_pointers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "jqPathExpressions")]
    pub jq_path_expressions: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managed_fields_managers: Vec<String>,
}

/// Argo CD's Helm options.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HelmOptions {
    pub skip_crds: bool,
    pub skip_tests: bool,
    pub skip_schema_validation: bool,
    pub pass_credentials: bool,
    pub kube_version: Option<String>,
    pub api_versions: Vec<String>,
}

/// Whether the app becomes healthy by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    #[default]
    Automatic,
    /// A person has to act (a vault starts sealed).
    Manual,
}

/// What upstream says about the app's future.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lifecycle {
    pub status: LifecycleStatus,
    /// Date or version.
    #[serde(default)]
    pub since: Option<String>,
    /// The app to take instead.
    #[serde(default)]
    pub replacement: Option<String>,
}

/// Stages of a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LifecycleStatus {
    Active,
    Deprecated,
    Retired,
}
