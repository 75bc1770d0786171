//! Merged values against the chart's JSON Schema: what is wrong, at the line of the layer that set it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value as Json;

use crate::diag::{Code, Diagnostic, Level, Span, nearest};
use crate::merge::{Path, Step};
use crate::plan::values::{AppValues, Evaluated, Merged, Results, without_nulls};
use crate::resolve::catalog::AppDef;
use crate::schema;
use crate::schema::instance::Instance;
use crate::schema::json::{Mismatch, Schema, Violation};
use crate::schema::shape::Shape;
use crate::source::budget::{Meter, Resource};
use crate::source::docs::Docs;
use crate::yaml::Kind;

/// What is known of an app's values.
#[derive(Debug)]
pub struct AppSchema {
    schema: Arc<Loaded>,
    /// The chart's own defaults; with them `required` can be judged.
    defaults: Option<Json>,
    meter: Arc<Meter>,
}

/// A schema as it was read, whichever apps it is for.
#[derive(Debug)]
struct Loaded {
    text: Vec<u8>,
    /// Answers first, where the schema is simple enough.
    shape: Option<Shape>,
    /// Made at once where there is no shape, else for the first value that the shape does not accept.
    compiled: OnceLock<Result<Schema, String>>,
    /// Maps and lists of the schema.
    nodes: u64,
    /// Made from the chart's default values rather than shipped by the chart: it only warns.
    inferred: bool,
    /// The chart version it was made for, if it says so.
    version: Option<String>,
}

impl Loaded {
    /// Reads the text of a schema.
    ///
    /// # Errors
    /// Why it cannot be used, with the line and column where that shows.
    fn read(text: Vec<u8>) -> Result<Self, (String, usize, usize)> {
        if let Some(shape) = Shape::read(&text) {
            let (inferred, version) = marked(shape.mark());
            let nodes = shape.parts();
            return Ok(Self { text, shape: Some(shape), compiled: OnceLock::new(), nodes, inferred, version });
        }
        let document =
            serde_json::from_slice(&text).map_err(|error| (error.to_string(), error.line(), error.column()))?;
        Self::compile(text, document).map_err(|reason| (reason, 1, 1))
    }

    fn compile(text: Vec<u8>, document: Json) -> Result<Self, String> {
        let (inferred, version) = marked(document.get("x-hlgen"));
        let schema = Schema::compile(document)?;
        let nodes = schema.cost().nodes;
        Ok(Self { text, shape: None, compiled: OnceLock::from(Ok(schema)), nodes, inferred, version })
    }

    fn compiled(&self) -> Result<&Schema, &str> {
        let made = self.compiled.get_or_init(|| {
            let document = serde_json::from_slice(&self.text).map_err(|error| error.to_string())?;
            Schema::compile(document)
        });
        made.as_ref().map_err(String::as_str)
    }

    fn names(&self, path: &Path) -> bool {
        if let Some(shape) = &self.shape {
            return shape.names(path);
        }
        let Ok(schema) = self.compiled() else { return false };
        let found = path.0.iter().try_fold(schema.document(), |schema, step| match step {
            Step::Key(key) => schema.get("properties")?.get(key),
            Step::Index(_) => schema.get("items"),
        });
        found.is_some()
    }
}

/// What `x-hlgen` says: whether a schema was inferred, and of which version of the chart.
fn marked(mark: Option<&Json>) -> (bool, Option<String>) {
    let inferred = mark.and_then(|mark| mark.get("inferred")).and_then(Json::as_bool).unwrap_or(false);
    let version =
        mark.and_then(|mark| mark.get("version")).and_then(Json::as_str).filter(|version| !version.is_empty());
    (inferred, version.map(str::to_owned))
}

/// The schemas that apps have in common, as those do that stand on one generic chart: the last few are kept, so that each
/// is read once.
#[derive(Debug, Default)]
pub struct Schemas(Mutex<VecDeque<Arc<Loaded>>>);

/// Schemas that are kept; a compiled one of a large chart takes some megabytes.
const KEPT: usize = 8;

impl Schemas {
    fn read(&self, text: &[u8]) -> Result<Arc<Loaded>, (String, usize, usize)> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut kept = kept();
            if let Some(at) = kept.iter().position(|loaded| loaded.text == text) {
                kept.swap(0, at);
                return Ok(Arc::clone(&kept[0]));
            }
        }
        let made = Arc::new(Loaded::read(text.to_owned())?);
        let mut kept = kept();
        kept.truncate(KEPT - 1);
        kept.push_front(Arc::clone(&made));
        Ok(made)
    }
}

/// Parts of a schema that may be applied to the nodes of one release's values in all.
const STEPS_MAX: u64 = 20_000_000;

/// Parts of a schema that count as one step of the run.
const PARTS_PER_STEP: u64 = 64;

impl AppSchema {
    /// Loads `values.schema.json` and `values.defaults.yaml` of an app or its base.
    pub fn load(docs: &Docs<'_>, schemas: &Schemas, app: &AppDef, findings: &mut Vec<Diagnostic>) -> Option<Self> {
        let folders: Vec<&str> =
            [Some(app), app.base.as_deref()].into_iter().flatten().map(|app| app.folder.as_str()).collect();
        let defaults_doc = folders.iter().find_map(|folder| docs.one(&format!("{folder}/values.defaults.yaml")));
        let defaults = defaults_doc.as_ref().map(|doc| {
            let mut forest = crate::merge::Forest::new();
            let layer = forest.add(std::sync::Arc::clone(doc));
            forest.to_json(crate::merge::Ref::of(layer, doc.root()))
        });
        let text = folders.iter().map(|folder| format!("{folder}/values.schema.json")).find_map(|path| {
            let bytes = docs.bytes(&path)?;
            Some((path, bytes))
        });
        let (path, loaded) = match text {
            Some((path, bytes)) if bytes.len() > MARKS_MAX && marks(&bytes) > MARKS_MAX => {
                findings.push(unusable(docs, &path, "it is too large", 1, 1));
                return None;
            }
            Some((path, bytes)) => {
                let loaded = schemas.read(&bytes);
                (path, loaded)
            }
            None => {
                let doc = defaults_doc.as_ref()?;
                let document = schema::infer(doc, app.name.as_str(), "");
                let loaded = Loaded::compile(Vec::new(), document).map(Arc::new);
                (String::new(), loaded.map_err(|reason| (reason, 1, 1)))
            }
        };
        match loaded {
            Ok(schema) => {
                docs.charge_nodes(schema.nodes).ok()?;
                Some(Self { schema, defaults, meter: docs.shared_meter() })
            }
            Err((reason, line, column)) => {
                findings.push(unusable(docs, &path, &reason, line, column));
                None
            }
        }
    }

    /// Checks a release's values on a cluster. `chart_version` is the one that is installed.
    pub fn check(
        &self,
        values: &AppValues<'_>,
        merged: &Merged,
        results: &Results,
        chart_version: Option<&str>,
        app: &str,
        findings: &mut Vec<Diagnostic>,
    ) {
        let tree = Evaluated { forest: &values.forest, results };
        let schema = &*self.schema;
        let json = match (&self.defaults, merged.root) {
            (Some(defaults), Some(root)) => coalesce(defaults, tree.to_json(root)),
            (Some(defaults), None) => without_nulls(defaults.clone()),
            (None, Some(root)) => {
                let instance = Instance::merged(&values.forest, results, root);
                let most = merged.nodes.saturating_add(results.values().map(json_nodes).sum());
                if self.accepts(&instance, most, values, merged, app, findings) {
                    return;
                }
                instance.into_json()
            }
            (None, None) => Json::Object(serde_json::Map::new()),
        };
        if self.defaults.is_some() || merged.root.is_none() {
            let instance = Instance::json(&json);
            let nodes = instance.nodes();
            if self.accepts(&instance, nodes, values, merged, app, findings) {
                return;
            }
        }
        let Ok(compiled) = schema.compiled() else { return };
        let lenient =
            schema.inferred || schema.version.as_deref().is_some_and(|made_for| chart_version != Some(made_for));
        for violation in compiled.violations(&json) {
            if self.defaults.is_none() && matches!(violation.what, Mismatch::Missing { .. }) {
                continue;
            }
            let level = if lenient { Level::Warning } else { Level::Error };
            let finding = describe(values, merged, results, &violation, app).level(level);
            findings.push(match (&schema.version, lenient && !schema.inferred) {
                (Some(version), true) => finding.note(format!("the schema was made for chart version {version}")),
                _ => finding,
            });
        }
    }

    /// The chart's own defaults, where they are known.
    pub(super) fn defaults(&self) -> Option<&Json> {
        self.defaults.as_ref()
    }

    /// Whether the schema names a value, so that the chart has something to put where nobody sets it.
    pub(super) fn names(&self, path: &Path) -> bool {
        self.schema.names(path)
    }

    /// Whether nothing is to be said of values: they match, or they are too many, which is said here. `most` is how many
    /// nodes they have at most.
    fn accepts(
        &self,
        instance: &Instance<'_>,
        most: u64,
        values: &AppValues<'_>,
        merged: &Merged,
        app: &str,
        findings: &mut Vec<Diagnostic>,
    ) -> bool {
        if let Some(shape) = &self.schema.shape
            && (self.meter.charge(Resource::Steps, most / PARTS_PER_STEP).is_err() || shape.accepts(instance))
        {
            return true;
        }
        let Ok(compiled) = self.schema.compiled() else { return true };
        let steps = compiled.cost().steps;
        let nodes = if most.saturating_mul(steps) > STEPS_MAX { instance.nodes() } else { most };
        !self.affords(nodes, steps, values, merged, app, findings) || compiled.is_valid(instance.clone())
    }

    /// Whether validating a value of so many nodes is within the bounds; what is too much is a finding.
    fn affords(
        &self,
        nodes: u64,
        steps: u64,
        values: &AppValues<'_>,
        merged: &Merged,
        app: &str,
        findings: &mut Vec<Diagnostic>,
    ) -> bool {
        let steps = nodes.saturating_mul(steps);
        if steps > STEPS_MAX {
            let message = format!("the schema of `{app}` may take {steps} steps for these values");
            let finding = Diagnostic::new(Code::SchemaInvalid, message);
            let finding = match merged.root {
                Some(root) => finding.at(values.forest.span(root), format!("for app `{app}`")),
                None => finding,
            };
            findings.push(finding.help("let the schema's parts refer to each other less, or set fewer values"));
            return false;
        }
        self.meter.charge(Resource::Steps, steps / PARTS_PER_STEP).is_ok()
    }
}

/// How many nodes a value has, itself included.
fn json_nodes(value: &Json) -> u64 {
    match value {
        Json::Array(items) => 1 + items.iter().map(json_nodes).sum::<u64>(),
        Json::Object(members) => 1 + members.values().map(json_nodes).sum::<u64>(),
        _ => 1,
    }
}

/// Brackets and commas that a schema's text may hold, so that reading it takes no more memory than the text of a large one.
const MARKS_MAX: usize = 400_000;

fn marks(text: &[u8]) -> usize {
    text.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',')).count()
}

fn unusable(docs: &Docs<'_>, path: &str, reason: &str, line: usize, column: usize) -> Diagnostic {
    let text = docs.bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let file = docs.sources.add(docs.source.display(path), text.as_str());
    let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (start + column.saturating_sub(1)).min(text.len());
    Diagnostic::new(Code::SchemaInvalid, format!("this JSON Schema cannot be used: {reason}"))
        .at(Span::new(file, at, (at + 1).min(text.len())), "here")
        .help("a schema stands on its own: references lead to `#/$defs/...` of the same file")
}

fn describe(
    values: &AppValues<'_>,
    merged: &Merged,
    results: &Results,
    violation: &Violation,
    app: &str,
) -> Diagnostic {
    let path = &violation.path;
    match &violation.what {
        Mismatch::UnknownKey { key, known } => {
            let mut full = path.clone();
            full.0.push(Step::Key(key.clone()));
            let finding =
                Diagnostic::new(Code::ValuesUnknownKey, format!("the chart of `{app}` has no value `{full}`"));
            let finding = place(finding, values, merged, results, &full, true, app);
            match nearest(key, known.iter().map(String::as_str)) {
                Some(near) => {
                    let mut meant = path.clone();
                    meant.0.push(Step::Key(near.to_owned()));
                    finding.help(format!("did you mean `{meant}`?"))
                }
                None => {
                    finding.help("Helm ignores a value that no template reads; look its name up in the chart's values")
                }
            }
        }
        Mismatch::Missing { key } => {
            let mut full = path.clone();
            full.0.push(Step::Key(key.clone()));
            let finding = Diagnostic::new(Code::ValuesMissing, format!("the chart of `{app}` needs a value `{full}`"));
            place(finding, values, merged, results, path, true, app).help("set it in one of the app's values files")
        }
        Mismatch::Value { demand, choices } => {
            let finding = Diagnostic::new(Code::ValuesSchema, format!("`{path}` {demand}"));
            let finding = place(finding, values, merged, results, path, false, app);
            let finding = if violation.rule.is_empty() {
                finding
            } else {
                finding.note(format!("required by the schema at `{}`", violation.rule))
            };
            let text = merged.root.and_then(|root| values.forest.at(root, path)).map(|node| values.forest.text(node));
            match text.and_then(|text| nearest(text, choices.iter().map(String::as_str))) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            }
        }
    }
}

/// Points a finding at the line that set a value, and at what it overrode.
fn place(
    finding: Diagnostic,
    values: &AppValues<'_>,
    merged: &Merged,
    results: &Results,
    path: &Path,
    key: bool,
    app: &str,
) -> Diagnostic {
    let forest = &values.forest;
    let Some(root) = merged.root else { return finding };
    let (node, depth) = forest.nearest(root, path);
    let templated = results.contains_key(&node);
    let span = if key && !templated { forest.key_span_at(root, path) } else { forest.span(node) };
    let label = if templated { format!("for app `{app}`, from this template") } else { format!("for app `{app}`") };
    let mut finding = finding.at(span, label);
    if depth == path.0.len() && !templated {
        let (winner, _) = forest.origin(node);
        for (layer, loser) in values.trace(merged, path).into_iter().rev() {
            let doc = forest.doc(layer);
            if layer != winner && !matches!(doc.kind(loser), Kind::Map) {
                finding = finding.at(doc.span(loser), "overrides this value");
                break;
            }
        }
    }
    finding
}

/// Values over the chart's defaults as Helm coalesces them: maps merge, a null removes the key.
pub(super) fn coalesce(defaults: &Json, values: Json) -> Json {
    match (defaults, values) {
        (Json::Object(defaults), Json::Object(mut values)) => {
            let mut out = serde_json::Map::new();
            for (key, default) in defaults {
                match values.shift_remove(key) {
                    Some(Json::Null) => {}
                    Some(value) => {
                        out.insert(key.clone(), coalesce(default, value));
                    }
                    None if default.is_null() => {}
                    None => {
                        out.insert(key.clone(), without_nulls(default.clone()));
                    }
                }
            }
            for (key, value) in values {
                if !value.is_null() {
                    out.insert(key, without_nulls(value));
                }
            }
            Json::Object(out)
        }
        (_, values) => without_nulls(values),
    }
}
