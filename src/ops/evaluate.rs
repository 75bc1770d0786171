//! Plan → values and manifests of every release, app by app, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::check::rules::{self, Claims, Rules, Subject};
use crate::check::values::{AppSchema, Schemas};
use crate::diag::Diagnostic;
use crate::io::recording::{Record, Recording};
use crate::plan::Plan;
use crate::plan::values::{AppValues, Evaluated, Results, Values};
use crate::render::values::ValuesFiles;
use crate::render::{OutFile, Piece, PieceKind, release};
use crate::source::budget::Resource;
use crate::source::docs::Docs;
use crate::template::{Scope, value_of};
use crate::traits;

/// What evaluating releases brought to light.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// Releases and clusters that have manifests, and whether those hold what must outlive the Application.
    pub manifests: BTreeMap<(usize, usize), bool>,
    /// What each release was evaluated from, besides the plan; empty unless it was asked for.
    pub records: BTreeMap<usize, Record>,
    pub findings: Vec<Diagnostic>,
    /// What the releases want of their clusters together.
    claims: Claims,
}

/// Which releases are evaluated, and whether a record is kept of what they are made from.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// All, unless it is said which.
    pub releases: Option<BTreeSet<usize>>,
    /// All clusters of a release, unless it is said which.
    pub cluster: Option<usize>,
    pub records: bool,
    /// With the layer of a cluster that comes up without Argo CD.
    pub bootstrap: bool,
    /// The same documents are evaluated once more, so none is forgotten: a forgotten file reads as one that is not there.
    pub again: bool,
}

impl Part {
    fn has(&self, release: usize) -> bool {
        self.releases.as_ref().is_none_or(|releases| releases.contains(&release))
    }
}

/// Which releases have their files written; everything is evaluated and checked all the same.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub environments: Vec<String>,
    pub apps: Vec<String>,
}

impl Selection {
    /// Whether a release's files are written.
    pub fn has(&self, plan: &Plan, number: usize) -> bool {
        let release = &plan.releases[number];
        let env = plan.env_of(release).name.as_str();
        let app = release.app.name.as_str();
        (self.environments.is_empty() || self.environments.iter().any(|name| name == env))
            && (self.apps.is_empty() || self.apps.iter().any(|name| name == app || name == release.name.as_str()))
    }

    pub fn is_everything(&self) -> bool {
        self.environments.is_empty() && self.apps.is_empty()
    }
}

/// Parses the files that planning needs side by side; planning itself then finds them parsed.
pub fn preload(docs: &Docs<'_>) {
    let own = |folder: &str, ending: &str| -> Vec<String> {
        let files = docs.source.list(folder).into_iter();
        files.filter(|path| path.ends_with(ending) && !docs.source.display(path).starts_with("builtin:")).collect()
    };
    let mut paths = own("catalog", "/app.yaml");
    paths.extend(own("environments", "/environment.yaml"));
    paths.par_iter().for_each(|path| {
        docs.one(path);
    });
}

/// Evaluates every release on every cluster and hands their files to `sink`, in no particular order, from several threads.
/// What `sink` cannot do ends the run.
///
/// # Errors
/// The first error of `sink`.
pub fn evaluate<E: Send>(
    plan: &Plan,
    docs: &Docs<'_>,
    sink: impl Fn(Piece) -> Result<(), E> + Sync,
) -> Result<Evaluation, E> {
    evaluate_part(plan, docs, &Part::default(), sink)
}

/// The same for some releases only.
///
/// # Errors
/// The first error of `sink`.
pub fn evaluate_part<E: Send>(
    plan: &Plan,
    docs: &Docs<'_>,
    part: &Part,
    sink: impl Fn(Piece) -> Result<(), E> + Sync,
) -> Result<Evaluation, E> {
    let mut groups = plan.by_app();
    groups.iter_mut().for_each(|group| group.retain(|number| part.has(*number)));
    let schemas = Schemas::default();
    let parts: Vec<Result<Evaluation, E>> =
        groups.par_iter().map(|group| app(plan, docs, &schemas, group, part, &sink)).collect();
    let mut all = Evaluation::default();
    for part in parts {
        let part = part?;
        all.manifests.extend(part.manifests);
        all.records.extend(part.records);
        all.findings.extend(part.findings);
        all.claims.extend(part.claims);
    }
    rules::check_together(plan, std::mem::take(&mut all.claims), &mut all.findings);
    Ok(all)
}

fn app<E>(
    plan: &Plan,
    docs: &Docs<'_>,
    schemas: &Schemas,
    group: &[usize],
    part: &Part,
    sink: &impl Fn(Piece) -> Result<(), E>,
) -> Result<Evaluation, E> {
    if !part.records {
        return app_through(plan, docs, schemas, group, part, &Record::default, sink);
    }
    let recording = Recording::new(docs.source);
    app_through(plan, &docs.through(&recording), schemas, group, part, &|| recording.take(), sink)
}

/// `record` gives what was asked of the documents since it was last called.
fn app_through<E>(
    plan: &Plan,
    docs: &Docs<'_>,
    schemas: &Schemas,
    group: &[usize],
    part: &Part,
    record: &dyn Fn() -> Record,
    sink: &impl Fn(Piece) -> Result<(), E>,
) -> Result<Evaluation, E> {
    let mut out = Evaluation::default();
    let Some(first) = group.first() else { return Ok(out) };
    let meter = docs.meter();
    // What does not fit is not handed on; the run is over then and says so.
    let sink = |piece: Piece| {
        let bytes = piece.file.text.len() as u64;
        let fits = meter.charge(Resource::Outputs, 1).and(meter.charge(Resource::OutputBytes, bytes));
        if fits.is_ok() { sink(piece) } else { Ok(()) }
    };
    let app = &plan.releases[*first].app;
    let schema = AppSchema::load(docs, schemas, app, &mut out.findings);
    let mut values = AppValues::new(plan, docs, app);
    if part.bootstrap {
        values = values.for_bootstrap();
    }
    let files = group.iter().map(|number| plan.clusters_of(&plan.releases[*number]).count()).sum();
    let mut written = ValuesFiles::new(files);
    let mut rules = Rules::default();
    let shared = record();
    let mut counted = 0;
    for number in group {
        let release = &plan.releases[*number];
        let has_chart = release.spec.chart.is_some();
        if meter.exceeded().is_some() {
            break;
        }
        let merged = values.merge(*number, &mut out.findings);
        for (index, cluster) in plan.clusters_of(release) {
            if part.cluster.is_some_and(|only| only != index) {
                continue;
            }
            let place = format!("{}/{}", cluster.name, release.name);
            let piece = |kind: PieceKind, file: OutFile| Piece { release: *number, cluster: index, kind, file };
            let before = out.findings.len();
            if meter.charge(Resource::Findings, before.saturating_sub(counted) as u64).is_err() {
                break;
            }
            counted = before;
            let scope = Arc::new(values.scope(*number, index));
            let results = match merged.root {
                Some(root) => values.evaluate(root, &scope, &place, &mut out.findings),
                None => Results::default(),
            };
            let complete = out.findings.len() == before;
            if complete && has_chart {
                if let Some(schema) = &schema {
                    let version = release.version();
                    schema.check(&values, &merged, &results, version, app.name.as_str(), &mut out.findings);
                }
                let tree = Evaluated { forest: &values.forest, results: &results };
                let file = written.file(plan, cluster.name.as_str(), release, &tree, merged.root);
                sink(piece(PieceKind::Values, file))?;
            }
            if !complete {
                continue;
            }
            let mut files = if values.has_manifests(plan, docs, *number) {
                let tree = Evaluated { forest: &values.forest, results: &results };
                let seen =
                    merged.root.map_or_else(|| value_of(serde_json::json!({})), |root| value_of(tree.to_json(root)));
                let scope = Scope { values: Some(seen), ..(*scope).clone() };
                values.manifests(plan, docs, *number, &scope, &place, &mut out.findings)
            } else {
                Vec::new()
            };
            let seen = Values::new(&values.forest, &merged, &results);
            let context = traits::Context::new(plan, *number, index, &scope, seen, &place);
            traits::add(&context, &mut files, &mut out.findings);
            release::check_manifests(release, &files, &mut out.findings);
            let (schema, files) = (schema.as_ref(), files.as_slice());
            let subject = Subject {
                plan,
                docs,
                number: *number,
                cluster: index,
                values: &values,
                merged: &merged,
                results: &results,
                schema,
                files,
            };
            // How a cluster begins is not how it runs.
            if part.bootstrap {
                rules.check_secrets(&subject, &mut out.findings);
            } else {
                out.claims.extend(rules.check(&subject, &mut out.findings));
            }
            if !files.is_empty() {
                out.manifests.insert((*number, index), release::holds_state(files));
            }
            for file in release::manifests(plan, cluster.name.as_str(), release, files) {
                sink(piece(PieceKind::Manifests, file))?;
            }
        }
        if part.records {
            let mut own = record();
            own.extend(&shared);
            out.records.insert(*number, own);
        }
    }
    if !part.again {
        values.finish();
    }
    Ok(out)
}
