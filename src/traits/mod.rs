//! Traits: what a few lines of `app.yaml` become in an environment, rendered beside the app's own manifests.
//!
//! A trait is a function of the plan and of one release on one cluster. It reads what the app declares and the data of
//! the capability that serves it, and of the chart's values only what the app's `paths` lead to, so that every chart is
//! treated alike. A manifest of the app or the environment with the same file name replaces what a trait makes.

mod backup;
mod disruption;
mod expose;
mod metrics;
pub mod namespace;
mod network;
mod pod_security;
pub mod priority;
mod quota;
mod secrets;

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::diag::{Diagnostic, Span};
use crate::merge::Path;
use crate::plan::Plan;
use crate::plan::manifests::{ManifestFile, Object};
use crate::plan::values::Values;
use crate::resolve::release::ReleaseModel;
use crate::template::Scope;

/// What a trait sees: a release on a cluster.
pub struct Context<'c> {
    plan: &'c Plan,
    release: &'c ReleaseModel,
    number: usize,
    cluster: usize,
    scope: &'c Arc<Scope>,
    values: Option<Values<'c>>,
    place: &'c str,
}

impl<'c> Context<'c> {
    /// The release `number` on a cluster. `values` are its evaluated ones, none where no layer sets anything; `place` is
    /// `<cluster>/<release>`, for findings.
    pub fn new(
        plan: &'c Plan,
        number: usize,
        cluster: usize,
        scope: &'c Arc<Scope>,
        values: Option<Values<'c>>,
        place: &'c str,
    ) -> Self {
        Self { plan, release: &plan.releases[number], number, cluster, scope, values, place }
    }

    /// The data of a capability that the release declares and somebody provides.
    fn capability(&self, name: &str) -> Option<Json> {
        let data = self.scope.capabilities.as_ref()?.get(name)?;
        Some(serde_json::to_value(data).unwrap_or_else(|_| json!({})))
    }

    /// What is at one of the app's `paths` in its evaluated values, and where it was set. None where the app names no
    /// such path, or no layer sets it: what the chart does then is its own.
    fn at_path(&self, name: &str) -> Option<(Json, Option<Span>)> {
        // Of several paths the first is that of the pods whose number `replicas` is.
        let path = Path::parse(self.release.spec.paths.get(name)?.as_slice().first()?).ok()?;
        self.values?.at(&path)
    }

    /// The place of a field of the release.
    fn span(&self, path: &[&str]) -> Span {
        self.release.span(self.plan.env_of(self.release), path)
    }

    /// What says whose an object is.
    fn labels(&self) -> Json {
        let release = self.release.name.as_str();
        object([("app.kubernetes.io/managed-by", "hlgen".into()), ("hlgen.dev/release", release.into())])
    }

    /// Name, labels and annotations of an object in the release's namespace.
    fn metadata(&self, name: &str, annotations: serde_json::Map<String, Json>) -> Json {
        let mut metadata = object([("name", name.into()), ("labels", self.labels())]);
        if !annotations.is_empty() {
            metadata["annotations"] = annotations.into();
        }
        metadata
    }
}

/// Whether traits have anything to make for a release, or to say of it.
pub fn any(plan: &Plan, release: &ReleaseModel) -> bool {
    let spec = &release.spec;
    !spec.expose.is_empty()
        || !spec.secrets.is_empty()
        || spec.availability.is_some()
        || spec.metrics.is_some()
        || backup::any(release)
        || quota::concerns(plan, release)
}

/// Puts what the traits of a release make on a cluster beside its own manifests, in the order of their paths. A file that
/// somebody wrote stands for the one a trait would make.
pub fn add(context: &Context<'_>, files: &mut Vec<ManifestFile>, findings: &mut Vec<Diagnostic>) {
    if !any(context.plan, context.release) {
        return;
    }
    let mut made = Vec::new();
    expose::routes(context, &mut made, findings);
    secrets::make(context, files, &mut made, findings);
    disruption::budget(context, &mut made, findings);
    quota::check_release(context, findings);
    backup::manifests(context, &mut made);
    metrics::dashboards(context, &mut made, findings);
    made.retain(|made| !files.iter().any(|own| own.path == made.path));
    files.append(&mut made);
    files.sort_by(|one, other| one.path.cmp(&other.path));
}

/// Checks what releases of one environment claim together.
pub fn check(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    expose::check_clashes(plan, findings);
    secrets::check(plan, findings);
    network::check(plan, || namespace::all(plan), findings);
    pod_security::check(plan, findings);
    quota::check(plan, findings);
    backup::check(plan, findings);
}

/// A map of these entries, which `json!` would copy: it takes values by reference.
fn object<const N: usize>(entries: [(&str, Json); N]) -> Json {
    Json::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn file(path: String, objects: Vec<Json>, span: Span) -> ManifestFile {
    ManifestFile { path, objects: objects.into_iter().map(|object| Object::made(object, span)).collect() }
}
