//! A release on a cluster, evaluated: what of it is compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Side;
use crate::argocd::names;
use crate::check::rules::{Rules, Subject};
use crate::check::values::{AppSchema, Schemas};
use crate::diag::{Code, Diagnostic, Level};
use crate::merge::Ref;
use crate::plan::Plan;
use crate::plan::manifests::{ManifestFile, Object};
use crate::plan::values::{AppValues, Evaluated, Merged, Results, Values};
use crate::render::release;
use crate::render::sets::Member;
use crate::render::{Mode, application};
use crate::resolve::catalog::AppDef;
use crate::resolve::release::ReleaseModel;
use crate::secret::{Known, names_secret, reads_one};
use crate::template::{Scope, reads, value_of};
use crate::traits;

/// What makes an object the one it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectKey {
    /// `Kind.group`, or `Kind` of the core.
    pub kind: String,
    pub namespace: String,
    pub name: String,
    /// Which one of several of the same identity (that is a finding of its own).
    number: usize,
}

/// A release on a cluster.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// Values, where there is a chart to take them.
    pub values: Option<Json>,
    pub results: Results,
    pub objects: BTreeMap<ObjectKey, (Json, Object)>,
    pub has_manifests: bool,
    /// Its manifests hold what must outlive the Application.
    pub holds_state: bool,
    /// Secrets in it, and what templates made of secrets.
    pub known: Known,
    /// Why it cannot be computed.
    pub broken: Vec<Diagnostic>,
}

/// Adds the secrets that a plan holds outside of values: variables, and the data of capabilities.
pub(super) fn learn(plan: &Plan, known: &mut Known) {
    let mut all = |map: &crate::model::JsonMap| {
        let tree = Json::Object(map.iter().map(|(key, value)| (key.clone(), value.clone())).collect());
        known.learn(&tree);
    };
    all(&plan.project.vars);
    plan.environments.iter().for_each(|env| all(&env.spec.vars));
    plan.clusters.iter().for_each(|cluster| all(&cluster.vars));
    let data = plan.environments.iter().flat_map(|env| env.provides.values());
    let external =
        plan.environments.iter().flat_map(|env| env.spec.capabilities.values()).filter_map(|choice| match choice {
            crate::model::CapabilityChoice::External(external) => Some(&external.external),
            _ => None,
        });
    let provided = plan.releases.iter().flat_map(|release| release.spec.provides.values());
    for data in data.chain(external).chain(provided) {
        let Some(map) = data.as_object() else { continue };
        let held: serde_json::Map<String, Json> =
            map.iter().filter(|(key, _)| !names_secret(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
        known.learn(&Json::Object(held));
    }
}

/// The releases of one app on one side.
pub(super) struct AppSide<'a> {
    pub plan: &'a Plan,
    side: Side<'a>,
    schema: Option<AppSchema>,
    pub values: AppValues<'a>,
    rules: Rules,
    merged: BTreeMap<usize, (Merged, Vec<Diagnostic>)>,
    pub findings: Vec<Diagnostic>,
}

impl<'a> AppSide<'a> {
    pub(super) fn new(side: Side<'a>, plan: &'a Plan, app: &AppDef) -> Self {
        let mut findings = Vec::new();
        let schema = AppSchema::load(side.docs, &Schemas::default(), app, &mut findings);
        let values = AppValues::new(plan, side.docs, app);
        Self { plan, side, schema, values, rules: Rules::default(), merged: BTreeMap::new(), findings }
    }

    /// The merged values of a release.
    pub(super) fn merged(&mut self, number: usize) -> &Merged {
        let (values, plan, docs) = (&mut self.values, self.plan, self.side.docs);
        let entry = self.merged.entry(number).or_insert_with(|| {
            let mut findings = Vec::new();
            let merged = values.merge(number, &mut findings);
            let release = &plan.releases[number];
            let paths: Vec<String> = plan.layers.of(plan.env_of(release), release).map(|layer| layer.path).collect();
            if docs.is_broken(paths.iter().map(String::as_str)) {
                let message = format!("a values file of `{}` cannot be read", release.name);
                let at = release.entry_span(plan.env_of(release));
                findings.push(Diagnostic::new(Code::FileUnreadable, message).at(at, "this release"));
            }
            (merged, findings)
        });
        &entry.0
    }

    /// Evaluates a release on a cluster.
    pub(super) fn make(&mut self, number: usize, cluster: usize) -> Made {
        let mut made = Made::default();
        let plan = self.plan;
        let release = &plan.releases[number];
        let place = format!("{}/{}", plan.clusters[cluster].name, release.name);
        self.merged(number);
        let Some((merged, found)) = self.merged.get(&number) else { return made };
        made.broken.extend(found.iter().filter(|finding| finding.level == Level::Error).cloned());
        let scope = Arc::new(self.values.scope(number, cluster));
        let mut findings = Vec::new();
        if let Some(root) = merged.root {
            made.results = self.values.evaluate(root, &scope, &place, &mut findings);
        }
        if findings.is_empty() {
            let tree = Evaluated { forest: &self.values.forest, results: &made.results };
            let json = merged.root.map_or_else(|| serde_json::json!({}), |root| tree.to_json(root));
            if release.spec.chart.is_some()
                && let Some(schema) = &self.schema
            {
                let app = release.app.name.as_str();
                schema.check(&self.values, merged, &made.results, release.version(), app, &mut self.findings);
            }
            let mut files = Vec::new();
            if self.values.has_manifests(plan, self.side.docs, number) || traits::any(plan, release) {
                files = self.files((number, cluster), &scope, &json, &made.results, &place, &mut findings);
            }
            if let Some((merged, _)) = self.merged.get(&number) {
                let (docs, values, results, schema) =
                    (self.side.docs, &self.values, &made.results, self.schema.as_ref());
                let subject = Subject { plan, docs, number, cluster, values, merged, results, schema, files: &files };
                // What releases claim together is judged where all of them are evaluated.
                let _ = self.rules.check(&subject, &mut self.findings);
            }
            Self::objects(release, files, &mut made);
            made.known.learn(&json);
            let forest = &self.values.forest;
            let secret = |node: &Ref| reads(forest.text(*node)).iter().any(|read| reads_one(read));
            made.results.iter().filter(|(node, _)| secret(node)).for_each(|(_, result)| made.known.add(result));
            made.values = release.spec.chart.is_some().then_some(json);
        }
        made.broken.extend(findings);
        made
    }

    /// The manifests of a release.
    fn files(
        &mut self,
        (number, cluster): (usize, usize),
        scope: &Arc<Scope>,
        json: &Json,
        results: &Results,
        place: &str,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<ManifestFile> {
        let (plan, docs) = (self.plan, self.side.docs);
        let release = &plan.releases[number];
        let seen = Scope { values: Some(value_of(json)), ..(**scope).clone() };
        let mut files = self.values.manifests(plan, docs, number, &seen, place, findings);
        let merged = self.merged.get(&number).map(|(merged, _)| merged);
        let values = merged.and_then(|merged| Values::new(&self.values.forest, merged, results));
        traits::add(&traits::Context::new(plan, number, cluster, scope, values, place), &mut files, findings);
        let own = format!("environments/{}/manifests/{}", plan.env_of(release).name, release.app.name);
        let sources = docs
            .source
            .list(&format!("{}/manifests", release.app.folder))
            .into_iter()
            .chain(docs.source.list(&own))
            .collect::<Vec<_>>();
        if docs.is_broken(sources.iter().map(String::as_str)) {
            let message = format!("a manifest of `{}` cannot be read", release.name);
            let at = release.entry_span(plan.env_of(release));
            findings.push(Diagnostic::new(Code::FileUnreadable, message).at(at, "this release"));
        }
        release::check_manifests(release, &files, &mut self.findings);
        files
    }

    /// The objects of manifests, and the secrets in them.
    fn objects(release: &ReleaseModel, files: Vec<ManifestFile>, made: &mut Made) {
        made.has_manifests = !files.is_empty();
        made.holds_state = release::holds_state(&files);
        for object in files.into_iter().flat_map(|file| file.objects) {
            for (template, result) in object.templates() {
                if reads(template).iter().any(|read| reads_one(read)) {
                    made.known.add(result);
                }
            }
            let value = release::prepared(release, &object.value).into_owned();
            made.known.learn(&value);
            let text = |pointer: &str| value.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned();
            let (kind, group) = (text("/kind"), names::api_group(&text("/apiVersion")).to_owned());
            let kind = if group.is_empty() { kind } else { format!("{kind}.{group}") };
            let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
            let mut key = ObjectKey { kind, namespace, name, number: 0 };
            while made.objects.contains_key(&key) {
                key.number += 1;
            }
            made.objects.insert(key, (value, object));
        }
    }

    /// The Application of an evaluated release; `None` where it brings nothing.
    pub(super) fn application(&self, number: usize, cluster: usize, made: &Made) -> Option<Json> {
        let release = &self.plan.releases[number];
        if !application::brings_something(release, made.has_manifests) {
            return None;
        }
        let Made { has_manifests, holds_state, .. } = *made;
        let member = Member { release: Some(number), cluster, has_manifests, holds_state };
        serde_json::to_value(application::release(
            self.plan,
            &self.plan.clusters[cluster],
            release,
            &member,
            Mode::Files,
        ))
        .ok()
    }
}
