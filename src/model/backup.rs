//! What of an app is worth keeping, and what an environment means by the classes that apps name.
//!
//! An app says *what*, *how often* and *how long* in words (`daily`, `standard`); when that is and how many copies there
//! are is the environment's (or its profiles') to say. So one line of `app.yaml` is right at home and in production.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ReleaseName;

/// What is backed up, when, and how long it is kept; or why nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Backup {
    /// Volumes or databases by name; written as `{ name, storage }` where they are not of `storage`.
    pub what: Vec<Kept>,
    /// Why nothing of the app is worth keeping. It then counts as taken care of, whatever `what` says.
    pub none: Option<String>,
    /// Schedule class.
    pub schedule: Option<String>,
    /// Retention class.
    pub keep: Option<String>,
    pub method: BackupMethod,
}

impl Backup {
    /// Whether anything is to be backed up.
    pub fn is_wanted(&self) -> bool {
        self.none.is_none()
    }
}

/// A volume or a database that is worth keeping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Kept {
    /// Of `storage`.
    Name(String),
    /// Of the storage that is named.
    Of(KeptOf),
}

/// A volume of a storage that is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeptOf {
    pub name: String,
    /// The capability its volume comes from: `storage` or `storage/shared`.
    pub storage: String,
}

impl Kept {
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Of(kept) => &kept.name,
        }
    }

    /// The capability its volume comes from.
    pub fn storage(&self) -> &str {
        match self {
            Self::Name(_) => "storage",
            Self::Of(kept) => &kept.storage,
        }
    }
}

/// Who makes the backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BackupMethod {
    /// Velero: the objects of the namespace and the volumes.
    #[default]
    Velero,
    /// CloudNativePG: base backups of its Cluster of the release's name.
    #[serde(rename = "cloudnative-pg")]
    CloudNativePg,
}

/// What an environment means by the classes that apps name, and where copies lie.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Backups {
    /// Schedule classes as cron expressions of five fields; `H` as the minute spreads releases over the hour.
    pub schedules: IndexMap<String, String>,
    /// Retention classes as durations: `48h`, `30d`, `12w`.
    pub keep: IndexMap<String, String>,
    /// The copies that are made of each backup, besides the data itself; without it one, where the provider puts it.
    pub copies: Vec<BackupCopy>,
}

/// One copy of every backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupCopy {
    /// Unique in the list.
    pub name: ReleaseName,
    /// Velero's BackupStorageLocation; default: with `store` the copy's name, else the provider's own.
    #[serde(default)]
    pub location: Option<String>,
    /// What it lies on (`nas`, `s3`, `tape`); copies on one medium die together. `cluster` is what the data itself lies on.
    pub medium: String,
    /// It survives the building.
    #[serde(default)]
    pub off_site: bool,
    /// The bucket, where the location is not there already.
    #[serde(default)]
    pub store: Option<BackupStore>,
}

/// A bucket of an S3-like object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupStore {
    pub bucket: String,
    pub region: String,
    /// URL of the store; none for Amazon's own.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Secret in Velero's namespace whose key `cloud` is a credentials file; none where a role does.
    #[serde(default)]
    pub secret: Option<String>,
}

/// How many copies there have to be: `3-2-1` is three of the data (itself and two backups) on two media, one off-site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyRule {
    pub copies: u8,
    pub media: u8,
    pub off_site: u8,
}

impl FromStr for CopyRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits: Vec<u8> = text.split('-').filter_map(|part| part.parse().ok()).collect();
        match digits.as_slice() {
            [copies @ 1..=9, media @ 1..=9, off_site @ 0..=9] if text.len() == 5 => {
                Ok(Self { copies: *copies, media: *media, off_site: *off_site })
            }
            _ => Err(format!("`{text}` is not a rule of three digits such as `3-2-1`")),
        }
    }
}

impl fmt::Display for CopyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.copies, self.media, self.off_site)
    }
}

impl Serialize for CopyRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CopyRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for CopyRule {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "CopyRule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[1-9]-[1-9]-[0-9]$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_three_digits() {
        let rule: CopyRule = "3-2-1".parse().unwrap();
        assert_eq!((rule.copies, rule.media, rule.off_site), (3, 2, 1));
        assert_eq!(rule.to_string(), "3-2-1");
        for wrong in ["", "3-2", "0-2-1", "3-2-1-0", "33-2-1", "a-b-c", "3--1", "+3-2-1"] {
            assert!(wrong.parse::<CopyRule>().is_err(), "{wrong}");
        }
    }
}
