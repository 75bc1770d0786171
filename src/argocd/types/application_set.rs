//! `ApplicationSet`, with the one generator that hlgen uses: a list.
//!
//! A list needs nothing from outside (a Git generator polls, a cluster generator follows Secrets), so what comes out is
//! known before it is committed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ApiVersion, ApplicationSetKind, ApplicationSpec, Metadata, is_false};

/// Many Applications that share a template.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplicationSet {
    #[serde(default)]
    pub api_version: ApiVersion,
    #[serde(default)]
    pub kind: ApplicationSetKind,
    pub metadata: Metadata,
    pub spec: ApplicationSetSpec,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplicationSetSpec {
    #[serde(default, skip_serializing_if = "is_false")]
    pub go_template: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub go_template_options: Vec<String>,
    /// What happens to the Applications when the set changes or goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_policy: Option<SetSyncPolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    pub generators: Vec<Generator>,
    pub template: Template,
    /// A template of the text of a strategic merge patch, applied to each Application after `template`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_patch: Option<String>,
}

impl ApplicationSetSpec {
    /// All elements, of all generators.
    pub fn elements(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.generators.iter().flat_map(|generator| &generator.list.elements)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetSyncPolicy {
    /// An Application that leaves the set does not take what it installed with it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub preserve_resources_on_deletion: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    pub list: ListGenerator,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListGenerator {
    /// The parameters of one Application each.
    pub elements: Vec<Map<String, Value>>,
}

/// What every Application of the set has; every text in it is a Go template.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub metadata: Metadata,
    pub spec: ApplicationSpec,
}

/// How a change reaches the Applications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Strategy {
    /// Step by step; the next step begins when all of the one before are healthy.
    RollingSync {
        #[serde(rename = "rollingSync")]
        rolling_sync: RollingSync,
    },
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollingSync {
    pub steps: Vec<Step>,
}

/// The Applications whose labels satisfy all expressions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<MatchExpression>,
    /// How many at a time; without it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_update: Option<IntOrPercent>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchExpression {
    pub key: String,
    /// `In` or `NotIn`; anything else is an error that only the controller's log shows, so the rules check it.
    pub operator: String,
    pub values: Vec<String>,
}

/// A number, or a share such as `25%`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrPercent {
    Int(u32),
    Percent(String),
}
