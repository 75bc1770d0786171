//! The version of Kubernetes that a cluster runs.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a version looks like, for JSON Schemas.
pub(super) const PATTERN: &str = r"^1\.(0|[1-9][0-9]{0,2})$";

/// A minor version, such as `1.34`. Patches change nothing that hlgen writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    minor: u16,
}

impl FromStr for KubernetesVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let minor = text.strip_prefix("1.").filter(|minor| {
            minor.len() <= 3
                && minor.bytes().all(|byte| byte.is_ascii_digit())
                && (*minor == "0" || !minor.starts_with('0'))
        });
        let minor = minor.and_then(|minor| minor.parse().ok());
        minor.map(|minor| Self { minor }).ok_or_else(|| format!("`{text}` is no minor version such as `1.34`"))
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

impl Serialize for KubernetesVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KubernetesVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for KubernetesVersion {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "KubernetesVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": PATTERN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minor_version_and_nothing_else() {
        for text in ["1.0", "1.34", "1.100"] {
            assert_eq!(text.parse::<KubernetesVersion>().map(|version| version.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "1", "1.", "2.1", "1.034", "1.34.2", "v1.34", "1.+4", "1.1000", "latest"] {
            assert!(text.parse::<KubernetesVersion>().is_err(), "{text}");
        }
        let older: KubernetesVersion = "1.9".parse().unwrap();
        assert!(older < "1.34".parse().unwrap());
    }
}
