//! The objects of Argo CD, exactly as far as hlgen writes them.
//!
//! Every field of these types is a field of the CRDs (a test holds them together), an unknown field cannot be
//! expressed, and what is empty is not written: Argo CD drops empty blocks from the live object and a parent
//! Application would then see a difference for ever. As in Argo CD's own types, an empty text and an absent one are the
//! same. Fields stand in the order in which they are written.

mod app_project;
mod application;
mod application_set;
pub mod keys;
pub(crate) mod leaves;

pub use app_project::{AppProject, AppProjectSpec, OrphanedResources, ProjectDestination, ResourceKind};
pub use application::{
    Application, ApplicationSpec, Automated, Backoff, Destination, Directory, Helm, IgnoreDifference, Plugin,
    PluginParameter, Retry, Source, SyncPolicy,
};
pub use application_set::{
    ApplicationSet, ApplicationSetSpec, Generator, IntOrPercent, ListGenerator, MatchExpression, RollingSync,
    SetSyncPolicy, Step, Strategy, Template,
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The version that all three kinds have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ApiVersion {
    #[default]
    #[serde(rename = "argoproj.io/v1alpha1")]
    V1Alpha1,
}

macro_rules! kind {
    ($type:ident, $kind:ident) => {
        /// The one value that `kind` has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        pub enum $type {
            #[default]
            $kind,
        }
    };
}
kind!(ApplicationKind, Application);
kind!(ApplicationSetKind, ApplicationSet);
kind!(AppProjectKind, AppProject);

/// Name, labels and annotations of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metadata {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Left out in the template of an `ApplicationSet`: there it is always that of the set.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub annotations: IndexMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finalizers: Vec<String>,
}

impl Metadata {
    pub fn new(name: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: namespace.into(), ..Self::default() }
    }
}

/// A block that may be there and yet say nothing, at any depth.
trait Block: Default + PartialEq {
    fn says_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// For `skip_serializing_if`: a block that is absent or says nothing.
#[allow(clippy::ref_option)] // serde passes a reference
fn is_blank<T: Block>(block: &Option<T>) -> bool {
    block.as_ref().is_none_or(Block::says_nothing)
}

/// For `skip_serializing_if`.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// For `skip_serializing_if`.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_zero(number: &i64) -> bool {
    *number == 0
}
