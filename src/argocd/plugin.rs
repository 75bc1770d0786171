//! hlgen as a config management plugin of Argo CD: the name and the parameters that everybody has to agree on.
//!
//! The name stands in the sidecar's `plugin.yaml` and in every Application that uses the plugin. Where the two differ,
//! Argo CD says "could not find cmp-server plugin" and nothing renders, so both are written from here. The name carries
//! no version: the root Application is applied by hand, and a plugin that is renamed by an upgrade would strand it. The
//! version travels as a parameter instead; it is part of Argo CD's cache key, so an upgrade renders again.

use super::types::{Plugin, PluginParameter};

/// `metadata.name` of the plugin, and `source.plugin.name` of whatever uses it.
pub const NAME: &str = "hlgen";

/// A parameter of the plugin. `plugin generate` knows these and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parameter {
    /// An instance of Argo CD: the root's objects are asked for.
    Instance,
    /// An environment: that of its instance, or the environment that a cluster is in.
    Env,
    /// A cluster of the project.
    Cluster,
    /// A release on the cluster: its manifests are asked for.
    Release,
    /// `"true"`: the namespaces of the cluster are asked for.
    Namespaces,
    /// The version of the hlgen that wrote the parameters.
    Version,
}

impl Parameter {
    pub const ALL: &'static [Self] =
        &[Self::Instance, Self::Env, Self::Cluster, Self::Release, Self::Namespaces, Self::Version];

    /// As it is written in `source.plugin.parameters[].name`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Env => "env",
            Self::Cluster => "cluster",
            Self::Release => "release",
            Self::Namespaces => "namespaces",
            Self::Version => "version",
        }
    }

    /// The parameter of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|parameter| parameter.name() == name)
    }
}

/// What a plugin source asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask<'a> {
    /// The objects of an instance: root, projects and sets.
    Instance(&'a str),
    /// The manifests of a release on a cluster.
    Release { cluster: &'a str, release: &'a str },
    /// The namespaces of a cluster.
    Namespaces { cluster: &'a str },
}

/// The `plugin` block of a source, for `version` of hlgen. All are strings, as Argo CD hands on nothing else.
pub fn block(ask: Ask<'_>, version: &str) -> Plugin {
    let string = |parameter: Parameter, value: &str| PluginParameter::string(parameter.name(), value);
    let mut parameters = match ask {
        Ask::Instance(name) => vec![string(Parameter::Instance, name)],
        Ask::Release { cluster, release } => {
            vec![string(Parameter::Cluster, cluster), string(Parameter::Release, release)]
        }
        Ask::Namespaces { cluster } => {
            vec![string(Parameter::Cluster, cluster), string(Parameter::Namespaces, "true")]
        }
    };
    parameters.push(string(Parameter::Version, version));
    Plugin { name: NAME.into(), parameters }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_block_asks_for_one_thing_and_says_the_version() {
        let block = |ask| serde_json::to_value(block(ask, "1.2.3")).unwrap();
        let parameter = |name: &str, value: &str| json!({ "name": name, "string": value });
        let version = parameter("version", "1.2.3");
        assert_eq!(
            block(Ask::Release { cluster: "prod-eks", release: "podinfo" }),
            json!({ "name": "hlgen", "parameters":
                [parameter("cluster", "prod-eks"), parameter("release", "podinfo"), version.clone()] })
        );
        assert_eq!(
            block(Ask::Namespaces { cluster: "prod-eks" })["parameters"],
            json!([parameter("cluster", "prod-eks"), parameter("namespaces", "true"), version.clone()])
        );
        assert_eq!(block(Ask::Instance("hub"))["parameters"], json!([parameter("instance", "hub"), version]));
    }

    #[test]
    fn every_parameter_is_found_by_its_name() {
        for parameter in Parameter::ALL {
            assert_eq!(Parameter::from_name(parameter.name()), Some(*parameter));
        }
        assert_eq!(Parameter::from_name("Instance"), None);
    }
}
