//! What is allowed and probably not meant: the habits of people who run Kubernetes, as rules with a file each.
//!
//! What a chart makes of its values is unknown here. So a rule about values looks only where the app's `paths:` lead; an
//! app without a path has no such rule. Rules about objects look at the manifests that hlgen itself renders. Some things
//! show only in the whole (two releases on one port): those are claimed release by release and judged at the end.

mod image;
mod labels;
mod plaintext;
mod ports;
mod replicas;
mod requests;
mod revision;
mod setting;
mod storage;

use crate::check::values::AppSchema;
use crate::diag::Diagnostic;
use crate::plan::Plan;
use crate::plan::manifests::ManifestFile;
use crate::plan::values::{AppValues, Merged, Results};
use crate::resolve::release::ReleaseModel;
use crate::source::docs::Docs;

/// A release on a cluster, as the rules see it.
#[derive(Clone, Copy)]
pub struct Subject<'r> {
    pub plan: &'r Plan,
    pub docs: &'r Docs<'r>,
    pub number: usize,
    pub cluster: usize,
    pub values: &'r AppValues<'r>,
    pub merged: &'r Merged,
    pub results: &'r Results,
    pub schema: Option<&'r AppSchema>,
    /// Its manifests: its own, the environment's and those of traits.
    pub files: &'r [ManifestFile],
}

impl<'r> Subject<'r> {
    fn release(&self) -> &'r ReleaseModel {
        &self.plan.releases[self.number]
    }

    fn in_production(&self) -> bool {
        self.plan.env_of(self.release()).spec.stage == "prod"
    }

    /// `for <cluster>/<release>`, the label of a finding's place.
    fn label(&self) -> String {
        format!("for {}/{}", self.plan.clusters[self.cluster].name, self.release().name)
    }
}

/// What releases want or bring of a cluster that others may want too.
#[derive(Debug, Default)]
pub struct Claims {
    ports: Vec<ports::Claim>,
    storage: storage::Classes,
}

impl Claims {
    /// Adds those of other releases.
    pub fn extend(&mut self, other: Self) {
        self.ports.extend(other.ports);
        self.storage.extend(other.storage);
    }
}

/// The rules for the releases of one app.
#[derive(Debug, Default)]
pub struct Rules {
    seen: plaintext::Seen,
}

impl Rules {
    /// Checks the files of a release for secrets in plain text, and what templates make of them.
    pub fn check_secrets(&mut self, subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
        self.seen.check(subject, findings);
    }

    /// Checks a release on a cluster, and gives what it claims there.
    pub fn check(&mut self, subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) -> Claims {
        self.check_secrets(subject, findings);
        if subject.release().spec.chart.is_some() {
            image::check(subject, findings);
            requests::check(subject, findings);
            replicas::check(subject, findings);
        }
        labels::check(subject, findings);
        let mut claims = Claims::default();
        ports::collect(subject, &mut claims.ports);
        storage::collect(subject, &mut claims.storage);
        claims
    }
}

/// Checks what all releases that were looked at claim together.
pub fn check_together(plan: &Plan, claims: Claims, findings: &mut Vec<Diagnostic>) {
    ports::check(plan, claims.ports, findings);
    storage::check(plan, &claims.storage, findings);
}

/// Checks what needs no values.
pub fn check_plan(plan: &Plan, docs: &Docs<'_>, findings: &mut Vec<Diagnostic>) {
    revision::check(plan, findings);
    plaintext::check_plan(plan, docs, findings);
}
