//! What Argo CD and Kubernetes demand beyond the CRDs: each breach as data, for `check` to turn into a finding.
//!
//! Argo CD finds most of these mistakes late (a condition on the Application) or never (a misspelt sync option is
//! ignored), and objects that come from Git pass no validation by its API server at all. Each rule says in a comment
//! where it comes from; "by reading" means Argo CD 3.5.1's code. The rules look at typed objects, so unknown fields and
//! wrong types cannot reach them.

mod instance;
mod metadata;
mod project;
mod set;
mod source;
mod sync;

pub use instance::instance;
pub use metadata::resource;

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::diag::{Code, Level};

use super::types::{AppProject, Application, ApplicationSet, ApplicationSpec, Destination, IgnoreDifference};
use super::{Version, names};

/// A breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// `out/name`, `out/field`, `out/size` or `out/clash`.
    pub code: Code,
    pub level: Level,
    /// The object, as `Application/prod-traefik`.
    pub object: String,
    /// The field, as `spec.sources[0].ref`; empty for the object as a whole.
    pub path: String,
    /// What is wrong, to stand behind object and field.
    pub what: String,
    /// What to do, where that is not plain from `what`.
    pub help: Option<String>,
}

/// Checks one Application for an Argo CD of `version`.
pub fn application(application: &Application, version: Version) -> Vec<Violation> {
    let mut rules = Rules::new(version, format!("Application/{}", application.metadata.name));
    rules.application(application);
    rules.found
}

/// Checks an `ApplicationSet` and every Application it expands to.
pub fn application_set(set: &ApplicationSet, version: Version) -> Vec<Violation> {
    let mut rules = Rules::new(version, format!("ApplicationSet/{}", set.metadata.name));
    rules.application_set(set, None);
    rules.found
}

/// As [`application_set`], for a set that was folded from these Applications and so expands to them, and whose text as
/// YAML has so many bytes.
pub fn folded_set(
    set: &ApplicationSet,
    applications: &[Application],
    written: usize,
    version: Version,
) -> Vec<Violation> {
    let mut rules = Rules::new(version, format!("ApplicationSet/{}", set.metadata.name));
    rules.application_set(set, Some((applications, written)));
    rules.found
}

/// Checks one `AppProject`.
pub fn app_project(project: &AppProject, version: Version) -> Vec<Violation> {
    let mut rules = Rules::new(version, format!("AppProject/{}", project.metadata.name));
    rules.app_project(project);
    rules.found
}

/// Collects violations while it walks an object.
struct Rules {
    version: Version,
    object: String,
    /// The path so far, as shown.
    path: String,
    found: Vec<Violation>,
}

impl Rules {
    fn new(version: Version, object: String) -> Self {
        Self { version, object, path: String::new(), found: Vec::new() }
    }

    /// Walks on below `part`: `spec`, `[0]` or `["a.b/c"]`. It is written where it stands, since it is shown only with a
    /// violation and there are far more parts than violations.
    fn at(&mut self, part: impl fmt::Display, walk: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        let _ = write!(self.path, "{part}");
        if self.path[length..].starts_with(".[") {
            self.path.remove(length);
        }
        walk(self);
        self.path.truncate(length);
    }

    fn each<'i, T: 'i>(
        &mut self,
        part: &str,
        items: impl IntoIterator<Item = &'i T>,
        mut walk: impl FnMut(&mut Self, &'i T),
    ) {
        for (index, item) in items.into_iter().enumerate() {
            self.at(format_args!("{part}[{index}]"), |rules| walk(rules, item));
        }
    }

    fn add(&mut self, code: Code, what: impl Into<String>) -> &mut Violation {
        self.found.push(Violation {
            code,
            level: code.info().level,
            object: self.object.clone(),
            path: self.path.clone(),
            what: what.into(),
            help: None,
        });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    fn name(&mut self, what: impl Into<String>) -> &mut Violation {
        self.add(Code::OutName, what)
    }

    fn field(&mut self, what: impl Into<String>) -> &mut Violation {
        self.add(Code::OutField, what)
    }

    fn application(&mut self, application: &Application) {
        let releases =
            application.spec.all_sources().filter(|source| !source.chart.is_empty() || source.helm.is_some());
        let unnamed_releases =
            releases.filter(|source| source.helm.as_ref().is_none_or(|helm| helm.release_name.is_empty()));
        let certain = unnamed_releases.map(|source| !source.chart.is_empty()).max();
        self.at("metadata", |rules| {
            rules.metadata(&application.metadata);
            rules.at("name", |rules| rules.application_name(&application.metadata.name, certain));
            rules.finalizers(&application.metadata.finalizers);
        });
        self.at("spec", |rules| rules.application_spec(&application.spec));
        self.stored_size(application);
    }

    /// `release_names_itself` says whether Helm takes the Application's name as the release's: surely (a chart) or
    /// maybe (a directory that may hold one).
    fn application_name(&mut self, name: &str, release_names_itself: Option<bool>) {
        if name.len() > names::LABEL_MAX && name.len() <= names::SUBDOMAIN_MAX {
            // The name is copied into labels, and label tracking would do so too.
            self.name(format!("`{name}` has {} characters; as a label it may have 63", name.len()));
        } else if let (names::RELEASE_MAX.., Some(certain)) = (name.len().saturating_sub(1), release_names_itself) {
            // Helm: chartutil.ValidateReleaseName, called by `helm template`.
            let violation =
                self.name(format!("`{name}` has {} characters; as a Helm release it may have 53", name.len()));
            violation.help = Some("set `helm.releaseName`".into());
            if !certain {
                violation.level = Level::Warning;
            }
        }
    }

    fn application_spec(&mut self, spec: &ApplicationSpec) {
        self.at("project", |rules| {
            // An empty project is rewritten to `default` in the live object (NormalizeApplicationSpec, by reading).
            if !names::is_dns_subdomain(&spec.project) {
                rules.name(format!("`{}` is not the name of an AppProject", spec.project));
            }
        });
        self.at("destination", |rules| rules.destination(&spec.destination));
        self.sources(spec);
        if let Some(policy) = &spec.sync_policy {
            self.at("syncPolicy", |rules| rules.sync_policy(policy));
        }
        self.each("ignoreDifferences", &spec.ignore_differences, Self::ignore_difference);
        if spec.revision_history_limit.is_some_and(|limit| limit < 0) {
            self.at("revisionHistoryLimit", |rules| {
                rules.field("is below zero");
            });
        }
    }

    /// Argo CD refuses a destination with both or neither (`GetDestinationCluster`, by reading).
    fn destination(&mut self, destination: &Destination) {
        match (destination.name.is_empty(), destination.server.is_empty()) {
            (false, false) => {
                self.field("has both `name` and `server`; Argo CD takes one");
            }
            (true, true) => {
                self.field("has neither `name` nor `server`");
            }
            _ => {}
        }
        if destination.name.trim() != destination.name {
            self.at("name", |rules| {
                rules.field("begins or ends with a blank");
            });
        }
        if !destination.server.is_empty() {
            self.at("server", |rules| {
                if !destination.server.starts_with("https://") && !destination.server.starts_with("http://") {
                    rules.field(format!("`{}` is not a URL", destination.server));
                } else if destination.server.ends_with('/') {
                    // It is trimmed when compared, but the live object and Git would not agree.
                    rules.field("ends with `/`, which Argo CD removes");
                }
            });
        }
        if !destination.namespace.is_empty() && !names::is_dns_label(&destination.namespace) {
            self.at("namespace", |rules| {
                rules.name(format!("`{}` is not the name of a namespace", destination.namespace));
            });
        }
    }

    fn ignore_difference(&mut self, ignore: &IgnoreDifference) {
        if ignore.kind.is_empty() {
            self.field("has no `kind`");
        }
        if ignore.json_pointers.is_empty()
            && ignore.jq_path_expressions.is_empty()
            && ignore.managed_fields_managers.is_empty()
        {
            self.field("ignores nothing").help =
                Some("give `jsonPointers`, `jqPathExpressions` or `managedFieldsManagers`".into());
        }
        self.each("jsonPointers", &ignore.json_pointers, |rules, pointer| {
            // RFC 6901; Argo CD skips what it cannot parse.
            let escapes = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
            if !pointer.starts_with('/') || !escapes {
                rules.field(format!("`{pointer}` is not a JSON Pointer")).help =
                    Some("write `/spec/replicas`; `~1` stands for `/`, `~0` for `~`".into());
            }
        });
        self.each("jqPathExpressions", &ignore.jq_path_expressions, |rules, expression| {
            if !expression.trim_start().starts_with('.') {
                rules.field(format!("`{expression}` is not a jq path")).help = Some("begin with `.`".into());
            }
        });
    }
}

/// Points out what stands twice in a list.
fn duplicates<T: PartialEq>(items: &[T]) -> impl Iterator<Item = (usize, &T)> {
    items.iter().enumerate().filter(|(index, item)| items[..*index].contains(item))
}

/// How long an object is as JSON, without making the text.
fn json_size(object: &impl Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
            self.0 += bytes.len();
            Ok(())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Types of ours always serialise: their keys are texts.
    serde_json::to_writer(&mut count, object).map_or(0, |()| count.0)
}

#[cfg(test)]
mod tests;
