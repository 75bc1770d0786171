//! Names that the plugin and the Applications that refer to it must agree on.
//!
//! The plugin's name carries no version: Argo CD finds the plugin by it, and a versioned name would strand the root
//! Application, which was applied by hand, as soon as the sidecar is upgraded.

mod manifest;
mod parameters;

pub use manifest::{BUDGET_SECONDS, manifest};
pub use parameters::{Given, Parameters, ParametersError};

/// `metadata.name` of the plugin and `plugin.name` of the sources.
pub const NAME: &str = "hlgen";

/// Parameter: the instance whose projects and ApplicationSets are asked for.
pub const INSTANCE: &str = "instance";
/// Parameter: the environment whose instance is meant.
pub const ENV: &str = "env";
/// Parameter: the cluster whose release or namespaces are asked for.
pub const CLUSTER: &str = "cluster";
/// Parameter, beside the cluster: the release whose manifests are asked for.
pub const RELEASE: &str = "release";
/// Parameter, beside the cluster: `true` asks for its namespaces.
pub const NAMESPACES: &str = "namespaces";
/// Parameter: the version of hlgen that wrote the source, so that an upgrade changes it.
pub const VERSION: &str = "version";
