//! Where the values of a release come from, as data.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::Plan;
use super::values::{AppValues, Evaluated, Merged, Node, Results};
use crate::diag::{Code, Diagnostic, SourceMap, Span, nearest};
use crate::merge::{Path, Ref, Step};
use crate::resolve::capability::Provider;
use crate::source::docs::Docs;
use crate::template::reads;
use crate::yaml::scalar::canonical_number;
use crate::yaml::{Kind, Tag, emit};

/// What is known of a release, or of one of its values.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `prod-eks/grafana`.
    pub release: String,
    pub app: String,
    pub version: Option<String>,
    /// Every values file it may have, weakest first, and whether it is there.
    pub layers: Vec<LayerState>,
    /// The leaves below the path, or the whole tree's.
    pub values: Vec<Explained>,
}

/// A values file that may be there.
#[derive(Debug, Serialize)]
pub struct LayerState {
    pub path: String,
    pub exists: bool,
}

/// One value with its origins.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    pub path: String,
    /// By cluster; one entry where all clusters agree.
    pub values: Vec<ClusterValue>,
    /// Where it is set: the strongest layer first, then what it overrides.
    pub origins: Vec<Origin>,
    /// The template it was made from and the names that one reads.
    pub template: Option<Template>,
}

/// A value on a cluster, as YAML.
#[derive(Debug, PartialEq, Serialize)]
pub struct ClusterValue {
    pub cluster: Option<String>,
    pub value: Value,
    /// The number as it was written and will be (`1.10`), where `value` cannot hold that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A place that sets a value.
#[derive(Debug, Serialize)]
pub struct Origin {
    pub place: String,
    pub text: String,
}

/// A template and what it reads.
#[derive(Debug, Serialize)]
pub struct Template {
    pub text: String,
    pub reads: Vec<Read>,
}

/// A name that a template reads and where that was set.
#[derive(Debug, Serialize)]
pub struct Read {
    pub name: String,
    pub places: Vec<String>,
}

/// Explains a release (`env/release` or `cluster/release`), or the values below a path of it; `None` where there is no
/// such release or value, which is then a finding.
pub fn explain(
    plan: &Plan,
    docs: &Docs<'_>,
    reference: &str,
    path: &Path,
    findings: &mut Vec<Diagnostic>,
) -> Option<Explanation> {
    let (number, only) = find(plan, reference, findings)?;
    let release = &plan.releases[number];
    let mut values = AppValues::new(plan, docs, &release.app);
    let merged = values.merge(number, findings);
    let mut all: Vec<(String, Results)> = Vec::new();
    for (index, cluster) in plan.clusters_of(release) {
        if only.as_ref().is_some_and(|only| cluster.name.as_str() != only) {
            continue;
        }
        let scope = Arc::new(values.scope(number, index));
        let place = format!("{}/{}", cluster.name, release.name);
        let results = merged.root.map(|root| values.evaluate(root, &scope, &place, findings)).unwrap_or_default();
        all.push((cluster.name.to_string(), results));
    }
    let layers = plan
        .layers
        .of(plan.env_of(release), release)
        .map(|layer| LayerState { exists: merged.layers.iter().any(|used| used.path == layer.path), path: layer.path })
        .collect();
    let mut explained = Vec::new();
    let there = merged.root.is_some_and(|root| {
        all.first().is_some_and(|(_, results)| Evaluated { forest: &values.forest, results }.at(root, path).is_some())
    });
    if let Some(root) = merged.root.filter(|_| there) {
        let mut leaves = Vec::new();
        let (node, depth) = values.forest.nearest(root, path);
        let mut at = Path(path.0[..depth].to_vec());
        if depth < path.0.len() {
            leaves.push((path.clone(), node));
        } else {
            collect(&values, node, &mut at, &mut leaves);
        }
        for (path, node) in leaves {
            explained.push(one(docs.sources, plan, number, &values, &merged, &all, &path, node));
        }
    } else if !path.is_empty() {
        findings.push(no_such_value(&values, &merged, path, reference));
    }
    let explanation = Explanation {
        release: format!("{}/{}", plan.env_of(release).name, release.name),
        app: release.app.name.to_string(),
        version: release.version().map(str::to_owned),
        layers,
        values: explained,
    };
    let found = there || path.is_empty();
    found.then_some(explanation)
}

/// Finds `env/release` or `cluster/release`; the latter names the cluster too.
fn find(plan: &Plan, reference: &str, findings: &mut Vec<Diagnostic>) -> Option<(usize, Option<String>)> {
    let (place, name) = reference.split_once('/').unwrap_or((reference, ""));
    if let Some(number) = plan.find(place, name) {
        return Some((number, None));
    }
    let cluster = plan.clusters.iter().find(|cluster| cluster.name.as_str() == place);
    let env = cluster.map(|cluster| cluster.env);
    let in_cluster = env
        .and_then(|env| plan.releases.iter().position(|release| release.env == env && release.name.as_str() == name));
    if let Some(number) = in_cluster {
        return Some((number, Some(place.to_owned())));
    }
    let env = env.or_else(|| plan.environments.iter().position(|env| env.name.as_str() == place));
    let finding = match env {
        None => {
            let finding = Diagnostic::new(Code::RefUnknownEnvironment, format!("there is no environment `{place}`"));
            let known = || plan.environments.iter().map(|env| env.name.as_str());
            match nearest(place, known()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding
                    .help(format!("write ENVIRONMENT/RELEASE; known: {}", known().collect::<Vec<_>>().join(", "))),
            }
        }
        Some(env) => {
            let message = format!("there is no release `{name}` in `{place}`");
            let finding = Diagnostic::new(Code::RefUnknownRelease, message);
            let known = plan.releases.iter().filter(|release| release.env == env).map(|release| release.name.as_str());
            match nearest(name, known) {
                Some(near) => finding.help(format!("did you mean `{place}/{near}`?")),
                None => finding.help("`hlgen list` shows all releases"),
            }
        }
    };
    findings.push(finding);
    None
}

fn collect(values: &AppValues<'_>, node: Ref, at: &mut Path, leaves: &mut Vec<(Path, Ref)>) {
    let forest = &values.forest;
    match forest.kind(node) {
        Kind::Map if forest.entries(node).next().is_some() => {
            for (key, value) in forest.entries(node) {
                at.0.push(Step::Key(forest.key(key).to_owned()));
                collect(values, value, at, leaves);
                at.0.pop();
            }
        }
        _ => leaves.push((at.clone(), node)),
    }
}

#[expect(clippy::too_many_arguments, reason = "one call, and a struct would only repeat its names")]
fn one(
    sources: &SourceMap,
    plan: &Plan,
    number: usize,
    values: &AppValues<'_>,
    merged: &Merged,
    all: &[(String, Results)],
    path: &Path,
    node: Ref,
) -> Explained {
    let forest = &values.forest;
    let mut by_cluster: Vec<ClusterValue> = Vec::new();
    for (cluster, results) in all {
        let tree = Evaluated { forest, results };
        let found = merged.root.and_then(|root| tree.at(root, path));
        let value = match found {
            Some(Node::Merged(node)) => tree.to_json(node),
            Some(Node::Result(value)) => value.clone(),
            None => Value::Null,
        };
        let text = match found {
            Some(Node::Merged(node)) if matches!(forest.kind(node), Kind::Int | Kind::Float) => {
                let text = canonical_number(forest.text(node), forest.kind(node)).into_owned();
                (text != value).then_some(text)
            }
            _ => None,
        };
        by_cluster.push(ClusterValue { cluster: Some(cluster.clone()), value, text });
    }
    if by_cluster.windows(2).all(|pair| pair[0].value == pair[1].value) {
        by_cluster.truncate(1);
        by_cluster.iter_mut().for_each(|only| only.cluster = None);
    }
    let (winner, _) = forest.origin(node);
    let mut origins = Vec::new();
    let trace = values.trace(merged, path);
    let own = forest.origin(node);
    let mut places: Vec<_> = trace.into_iter().rev().filter(|(layer, _)| *layer <= winner).collect();
    if places.first() != Some(&own) {
        places.insert(0, own);
        places.dedup();
    }
    for (layer, id) in places {
        let doc = forest.doc(layer);
        let text = match doc.kind(id) {
            Kind::Map | Kind::Seq => {
                let mut text = String::new();
                emit(&**doc, id, &mut text);
                text.trim_end().replace('\n', "; ")
            }
            _ => doc.source(id).to_owned(),
        };
        origins.push(Origin { place: sources.place(doc.span(id)), text });
    }
    let templated = forest.kind(node) == Kind::Str && forest.templated(node);
    let template = templated.then(|| {
        let text = forest.text(node).to_owned();
        let reads = reads(&text)
            .into_iter()
            .map(|name| Read { places: read_places(sources, plan, number, &name), name })
            .collect();
        Template { text, reads }
    });
    Explained { path: path.to_string(), values: by_cluster, origins, template }
}

/// Where a name that a template reads was set.
fn read_places(sources: &SourceMap, plan: &Plan, number: usize, name: &str) -> Vec<String> {
    read_spans(plan, number, name).into_iter().map(|span| sources.place(span)).collect()
}

/// The places that set a name which a template of a release reads, the strongest first.
pub fn read_spans(plan: &Plan, number: usize, name: &str) -> Vec<Span> {
    let release = &plan.releases[number];
    let env = plan.env_of(release);
    let mut steps = name.split('.');
    let first = steps.next().unwrap_or_default();
    let rest: Vec<&str> = steps.collect();
    let place = |span: Span| span;
    match (first, rest.as_slice()) {
        ("vars", [var, ..]) => {
            let mut places = Vec::new();
            if plan.clusters_of(release).any(|(_, cluster)| cluster.vars.contains_key(*var)) {
                places.push(place(env.span(&["clusters"])));
            }
            if env.spec.vars.contains_key(*var) {
                places.push(place(env.span(&["vars", var])));
            }
            if plan.project.vars.contains_key(*var) {
                places.push(place(plan.project_span(&["vars", var])));
            }
            places
        }
        ("cap", [capability, ..]) => match plan.bindings.provider(&plan.releases, release, capability) {
            Ok(Some(Provider::Release(provider))) => {
                let provider = &plan.releases[provider];
                vec![place(provider.span(plan.env_of(provider), &["provides", capability]))]
            }
            Ok(Some(Provider::Profile)) => vec![place(env.span(&["provides", capability]))],
            Ok(Some(Provider::External)) => vec![place(env.span(&["capabilities", capability]))],
            _ => Vec::new(),
        },
        ("env", [field, ..]) => vec![place(env.span(&[field]))],
        ("release", _) => vec![place(release.entry_span(env))],
        _ => Vec::new(),
    }
}

fn no_such_value(values: &AppValues<'_>, merged: &Merged, path: &Path, reference: &str) -> Diagnostic {
    let finding = Diagnostic::new(Code::RefUnknownValue, format!("nothing sets `{path}` for `{reference}`"));
    let trace = values.trace(merged, path);
    if let Some((layer, node)) =
        trace.last().filter(|(layer, node)| values.forest.doc(*layer).tag(*node) == Some(&Tag::Unset))
    {
        let finding = finding.at(values.forest.doc(*layer).span(*node), "`!unset` removes it here");
        let losers = trace[..trace.len() - 1].iter().rev();
        return losers
            .fold(finding, |finding, (layer, node)| finding.at(values.forest.doc(*layer).span(*node), "was set here"));
    }
    let Some(root) = merged.root else { return finding.help("no layer sets any value of this release") };
    let (node, depth) = values.forest.nearest(root, path);
    let keys: Vec<&str> = values.forest.entries(node).map(|(key, _)| values.forest.key(key)).collect();
    let parent = Path(path.0[..depth].to_vec());
    let Some(Step::Key(wanted)) = path.0.get(depth) else { return finding };
    match nearest(wanted, keys.iter().copied()) {
        Some(near) => {
            let mut meant = parent;
            meant.push_key(near);
            finding.help(format!("did you mean `{meant}`?"))
        }
        None if keys.is_empty() => finding.help("the chart's own default applies"),
        None => {
            let shown: Vec<String> = keys.iter().take(12).map(|key| format!("`{key}`")).collect();
            finding.help(format!("the chart's own default applies; set here: {}", shown.join(", ")))
        }
    }
}
