//! `hlgen.yaml`.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EnvName, InstanceName, JsonMap};

/// A repository that hlgen renders: where Argo CD finds the result, and how it is laid out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Project {
    #[schemars(extend("const" = "hlgen.dev/v1"))]
    pub api_version: String,
    #[schemars(extend("const" = "Project"))]
    pub kind: String,
    /// The project's name: a DNS label, written into the first line of every file that hlgen writes.
    pub name: ReleaseNameLike,
    /// Versions of hlgen that may render this project, for example `>=0.4, <0.6`.
    #[serde(default)]
    pub hlgen: Option<String>,
    /// Where Argo CD reads what hlgen renders.
    pub git: Git,
    #[serde(default)]
    pub argocd: ArgoCd,
    /// Private chart or Git repositories and the Secret that holds their credentials.
    #[serde(default)]
    pub repositories: Vec<Repository>,
    /// What describes an environment, weakest first; `provider` and `stage` are built in.
    #[serde(default)]
    pub dimensions: Option<Vec<Dimension>>,
    /// Replaces the list of values files, weakest first. `{app}`, `{release}`, `{env}` and the name of any dimension
    /// in braces stand for their values.
    #[serde(default)]
    pub layers: Option<Vec<String>>,
    /// Levels of findings: `error`, `warning`, `note` or `allow` by code or area (`values/*`).
    #[serde(default)]
    pub severity: IndexMap<String, Severity>,
    /// Rules for the whole project.
    #[serde(default)]
    pub policies: Policies,
    /// Variables for templates; profiles, environments and clusters refine them.
    #[serde(default)]
    pub vars: JsonMap,
}

/// A DNS label (kept apart from the other names because a project is none of them).
pub type ReleaseNameLike = super::ReleaseName;

/// The Git repository that Argo CD reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Git {
    /// The URL as Argo CD uses it, for example `https://git.example.com/ops/homelab.git`.
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// Branch that Argo CD follows.
    #[serde(default = "main_branch")]
    pub branch: String,
    /// Folder of the rendered files in that repository.
    #[serde(default = "rendered_path")]
    pub path: String,
    /// Where `publish` pushes if it differs from `repoURL`.
    #[serde(default, rename = "pushURL")]
    pub push_url: Option<String>,
}

fn main_branch() -> String {
    "main".into()
}

fn rendered_path() -> String {
    "rendered".into()
}

/// The Argo CD that reads the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ArgoCd {
    /// Namespace of Argo CD.
    pub namespace: String,
    /// Minor version, for example `3.4`; decides which fields may be written.
    pub version: String,
    pub rollout: Rollout,
    /// Pattern of Application names; `{cluster}`, `{release}`, `{env}` and `{app}` stand for their values.
    pub application_name: String,
    /// Argo CD instances. Without it every environment has its own, named after it.
    pub instances: Vec<Instance>,
}

impl Default for ArgoCd {
    fn default() -> Self {
        Self {
            namespace: "argocd".into(),
            version: "3.4".into(),
            rollout: Rollout::default(),
            application_name: "{cluster}-{release}".into(),
            instances: Vec::new(),
        }
    }
}

/// How changes reach the clusters of one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rollout {
    /// Every cluster at once.
    #[default]
    AllAtOnce,
    /// Stage by stage with Argo CD's progressive syncs (RollingSync).
    ByStage,
}

/// One Argo CD: the environment it runs in and the environments it manages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instance {
    pub name: InstanceName,
    /// The environment whose cluster this Argo CD runs in.
    pub runs_in: EnvName,
    /// The environments whose Applications it holds.
    pub manages: Vec<EnvName>,
    /// Another repository than the project's.
    #[serde(default)]
    pub git: Option<Git>,
    /// Another version than the project's.
    #[serde(default)]
    pub version: Option<String>,
}

/// A private repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repository {
    pub url: String,
    #[serde(rename = "type")]
    pub kind: RepositoryKind,
    /// Name of the Secret with the credentials.
    pub secret: String,
}

/// What a repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RepositoryKind {
    Git,
    Helm,
    Oci,
}

/// A dimension: its name, or its name with the values it may have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Dimension {
    Name(String),
    Values {
        name: String,
        /// Allowed values in order (for `stage` the order of a rollout).
        values: Vec<String>,
    },
}

impl Dimension {
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Values { name, .. } => name,
        }
    }
}

/// The level a project gives to a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
    Note,
    /// Not shown at all.
    Allow,
}

/// Rules that an environment or a whole project sets for itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Policies {
    /// `default-deny` puts a NetworkPolicy that denies everything into every namespace and allows what is declared.
    pub network: Option<NetworkPolicyMode>,
    /// `required` makes a stateful app without a backup a finding.
    pub backup: Option<BackupPolicy>,
    /// How many copies there have to be of what is backed up: `3-2-1` is three of the data (itself and two backups) on two
    /// media, one off-site.
    pub copies: Option<super::CopyRule>,
    /// The Pod Security level that every namespace should have; a release that needs a weaker one is a finding.
    pub pod_security: Option<super::PodSecurity>,
    /// Which namespaces get a ResourceQuota and a LimitRange.
    pub quota: Option<QuotaPolicy>,
    /// Apps that say how (`availability`) get a PodDisruptionBudget where they run more than once.
    pub disruption_budgets: Option<bool>,
    /// Clusters get a PriorityClass for each tier, and templates its name as `release.priorityClass`.
    pub priority_classes: Option<bool>,
}

impl Policies {
    /// These policies, and where they say nothing, weaker ones.
    #[must_use]
    pub fn over(&self, weaker: &Self) -> Self {
        Self {
            network: self.network.or(weaker.network),
            backup: self.backup.or(weaker.backup),
            copies: self.copies.or(weaker.copies),
            pod_security: self.pod_security.or(weaker.pod_security),
            quota: self.quota.or(weaker.quota),
            disruption_budgets: self.disruption_budgets.or(weaker.disruption_budgets),
            priority_classes: self.priority_classes.or(weaker.priority_classes),
        }
    }
}

/// What happens to traffic that nobody declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkPolicyMode {
    Open,
    DefaultDeny,
}

/// Which namespaces get a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaPolicy {
    None,
    /// Those that hold releases of the application tier alone.
    Applications,
    All,
}

/// Whether stateful apps must have a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BackupPolicy {
    Optional,
    Required,
}
