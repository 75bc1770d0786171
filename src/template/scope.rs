//! What a template can see.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

/// The capabilities of one release on one cluster: which it declared, and the data of those that are provided.
#[derive(Debug, Default)]
pub struct Capabilities {
    /// Names in `requires`, `wants` and what the traits imply.
    pub declared: Vec<String>,
    /// Name and data, for the declared ones that somebody provides.
    pub provided: Vec<(String, Value)>,
}

impl Capabilities {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.provided.iter().find(|(provided, _)| provided == name).map(|(_, data)| data)
    }
}

impl Object for Capabilities {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get(key.as_str()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.provided.iter().map(|(name, _)| Value::from(name.as_str())).collect())
    }
}

/// Files below the app's own folder, for `file` and `files`.
pub trait Files: Send + Sync {
    /// The text of a file, by its path below the app's folder.
    fn read(&self, path: &str) -> Option<String>;
    /// The paths of all files below the app's folder, sorted.
    fn list(&self) -> Vec<String>;
}

/// The names that templates of one release on one cluster can use. Cheap to clone.
#[derive(Clone)]
pub struct Scope {
    pub app: Value,
    pub release: Value,
    pub env: Value,
    pub cluster: Value,
    pub vars: Value,
    pub project: Value,
    /// Absent where capabilities cannot be read (in `provides`).
    pub capabilities: Option<Arc<Capabilities>>,
    /// The merged, evaluated values; in manifests only.
    pub values: Option<Value>,
    /// The item of `each`; in manifests only.
    pub item: Option<Value>,
    /// Names of the app's Secrets with their keys.
    pub secrets: Arc<Vec<(String, Vec<String>)>>,
    /// Host names of the release's ways in, by name, the first one first.
    pub hosts: Arc<Vec<(String, String)>>,
    /// The environment's domain.
    pub domain: Option<Arc<str>>,
    pub files: Option<Arc<dyn Files>>,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("release", &self.release).finish_non_exhaustive()
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            app: Value::UNDEFINED,
            release: Value::UNDEFINED,
            env: Value::UNDEFINED,
            cluster: Value::UNDEFINED,
            vars: Value::UNDEFINED,
            project: Value::UNDEFINED,
            capabilities: None,
            values: None,
            item: None,
            secrets: Arc::default(),
            hosts: Arc::default(),
            domain: None,
            files: None,
        }
    }
}

impl Scope {
    /// The value of a name, without functions.
    pub(super) fn variable(&self, name: &str) -> Option<Value> {
        let value = match name {
            "app" => self.app.clone(),
            "release" => self.release.clone(),
            "env" => self.env.clone(),
            "cluster" => self.cluster.clone(),
            "vars" => self.vars.clone(),
            "project" => self.project.clone(),
            "cap" => Value::from_dyn_object(Arc::clone(self.capabilities.as_ref()?)),
            "values" => self.values.clone()?,
            "item" => self.item.clone()?,
            _ => return None,
        };
        (!value.is_undefined()).then_some(value)
    }

    /// Names of all variables there are, for "did you mean".
    pub(super) fn names(&self) -> Vec<&'static str> {
        ["app", "release", "env", "cluster", "vars", "project", "cap", "values", "item"]
            .into_iter()
            .filter(|name| self.variable(name).is_some())
            .collect()
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        self.variable(name).or_else(|| super::functions::of_scope(self, name))
    }
}
