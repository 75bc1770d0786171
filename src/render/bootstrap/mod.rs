//! The way from an empty cluster to Argo CD in charge, as data: numbered steps made from the plan, which `report` shows and
//! [`script`] turns into a shell script.
//!
//! Circles are broken here and nowhere else. What Argo CD needs in order to run comes up without it, from the same values
//! and manifests that it will read later, applied under its own field manager, so that it takes the objects over as they
//! are. Where the Git host runs in the same cluster, it comes up the same way, and the rendered files are pushed into it
//! from outside.

mod git_host;
mod order;
pub mod script;
mod steps;

use serde::Serialize;

pub use git_host::GitHost;
pub use steps::{Texts, Wanted, select, steps};

/// Everything there is to do, in order.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bootstrap {
    pub project: String,
    pub environment: String,
    pub cluster: String,
    /// The namespace of Argo CD.
    pub argocd_namespace: String,
    /// The environment whose Argo CD manages this one, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub: Option<String>,
    /// The one release that is wanted, whatever Argo CD does (`--only`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    pub steps: Vec<Step>,
    /// Releases that Argo CD brings afterwards.
    pub left: Vec<String>,
    /// What a person should know besides.
    pub notes: Vec<String>,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Unique: `namespaces`, `release/traefik`, `input/dns-token`.
    pub name: String,
    /// What is done, on one line.
    pub title: String,
    #[serde(flatten)]
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Action {
    /// A person brings something; `check` is a command that succeeds when it is there.
    Input {
        description: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        check: Option<String>,
    },
    /// Namespaces with what lies in them.
    Namespaces {
        namespaces: Vec<String>,
        #[serde(skip)]
        text: String,
    },
    Install(Box<Install>),
    /// The credentials of a private repository, for Argo CD.
    Credentials {
        secret: String,
        url: String,
        /// Argo CD's `type`.
        kind: &'static str,
        oci: bool,
    },
    /// The cluster Argo CD runs in gets the name by which the Applications know it.
    OwnCluster {
        known_as: String,
    },
    /// The hub's Argo CD is let into this cluster. `server` is where it finds it, if the environment says so.
    Register {
        known_as: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        #[serde(skip)]
        text: String,
    },
    /// The rendered files are pushed into a Git host of this cluster.
    Publish {
        namespace: String,
        service: String,
        port: u16,
        path: String,
    },
    /// The root Application.
    Root {
        application: String,
        #[serde(skip)]
        text: String,
    },
    /// Waits for what the root brings.
    Watch {
        application: String,
    },
}

/// A release that comes up without Argo CD.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Install {
    pub release: String,
    /// Its Application, once Argo CD is in charge.
    pub application: String,
    pub namespace: String,
    /// Releases of the same environment that it requires.
    pub requires: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Its manifests around the chart.
    #[serde(skip)]
    pub manifests: String,
    /// What a person does before it becomes healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<String>,
}

/// Where a release's objects come from.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "from", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Origin {
    /// A chart of a chart repository or OCI registry.
    Chart {
        repository: String,
        chart: String,
        version: String,
        #[serde(flatten)]
        helm: Helm,
    },
    /// A chart of the repository that hlgen reads.
    LocalChart {
        path: String,
        #[serde(flatten)]
        helm: Helm,
    },
    /// A directory of another repository.
    Git {
        #[serde(rename = "repoURL")]
        repo_url: String,
        path: String,
        revision: String,
        release_name: String,
    },
}

/// How a chart is rendered.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Helm {
    pub release_name: String,
    /// Options of `helm template` beyond those that every chart gets.
    pub options: Vec<String>,
    #[serde(skip)]
    pub values: String,
}
