//! Random Applications as hlgen might write them, with texts that are hard on templates and YAML.

use hlgen::argocd::set::{Element, Pattern, Patterns, Piece};
use hlgen::argocd::types::{
    Application, ApplicationSpec, Automated, Backoff, Destination, Directory, Helm, IgnoreDifference, Metadata, Plugin,
    PluginParameter, Retry, Source, SyncPolicy,
};
use indexmap::IndexMap;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};

const HARD: &[&str] = &[
    "",
    "x",
    "{{",
    "}}",
    "{",
    "{{{",
    "{{ .cluster }}",
    "{{ `x` }}",
    "{{- x -}}",
    "{{/* x */}}",
    "$x",
    "$values/x",
    "007",
    "1e6",
    "true",
    "yes",
    "null",
    "~",
    "- a",
    "a: b",
    "#",
    "ä€😀",
    "a\nb\n",
    "\r\n",
    "\t",
    " ",
    "\"",
    "\\",
    "`",
    "'",
    "<&>",
    "\u{2028}",
    "{\"a\":1}",
    "[",
    "%{",
    "\u{85}",
    "\u{7f}",
];

pub(crate) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => prop::sample::select(HARD).prop_map(str::to_owned),
        2 => vec(prop::sample::select(HARD), 0..5).prop_map(|parts| parts.concat()),
        1 => "[a-z.]{1,6}",
        1 => "\\PC{0,8}",
    ]
    .boxed()
}

fn some_text() -> BoxedStrategy<String> {
    text().prop_map(|text| if text.is_empty() { "x".into() } else { text }).boxed()
}

fn map() -> BoxedStrategy<IndexMap<String, String>> {
    vec(("(a|b|c|x\\.io/y|\\{\\{ z)", text()), 0..3).prop_map(|entries| entries.into_iter().collect()).boxed()
}

fn helm() -> BoxedStrategy<Helm> {
    (text(), vec(some_text(), 0..3), text(), any::<bool>(), any::<bool>(), vec(text(), 0..2))
        .prop_map(|(release_name, value_files, values, skip_crds, skip_tests, api_versions)| Helm {
            release_name,
            value_files,
            values,
            skip_crds,
            skip_tests,
            api_versions,
            ..Helm::default()
        })
        .boxed()
}

fn parameter() -> BoxedStrategy<PluginParameter> {
    (some_text(), option::of(text()), vec(text(), 0..3), map())
        .prop_map(|(name, string, array, map)| PluginParameter { name, string, array, map })
        .boxed()
}

fn source() -> BoxedStrategy<Source> {
    let plugin = (some_text(), vec(parameter(), 0..3)).prop_map(|(name, parameters)| Plugin { name, parameters });
    let directory = any::<bool>().prop_map(|recurse| Directory { recurse });
    ((some_text(), text(), text(), text(), text()), option::of(helm()), option::of(directory), option::of(plugin))
        .prop_map(|((repo_url, chart, path, target_revision, reference), helm, directory, plugin)| Source {
            repo_url,
            chart,
            path,
            target_revision,
            reference,
            helm,
            directory,
            plugin,
        })
        .boxed()
}

fn sync_policy() -> BoxedStrategy<SyncPolicy> {
    let flag = || option::of(any::<bool>());
    let automated =
        (flag(), flag(), flag()).prop_map(|(enabled, prune, self_heal)| Automated { enabled, prune, self_heal });
    let number = || option::of(prop_oneof![-3i64..30, Just(1_000_000), Just(1 << 53), Just(-(1 << 53))]);
    let backoff = (text(), number(), text()).prop_map(|(duration, factor, max_duration)| Backoff {
        duration,
        factor,
        max_duration,
    });
    let retry = (number(), option::of(backoff), any::<bool>()).prop_map(|(limit, backoff, refresh)| Retry {
        limit: limit.unwrap_or(0),
        backoff,
        refresh,
    });
    (option::of(automated), vec(text(), 0..3), option::of(retry))
        .prop_map(|(automated, sync_options, retry)| SyncPolicy { automated, sync_options, retry })
        .boxed()
}

fn ignore_difference() -> BoxedStrategy<IgnoreDifference> {
    (text(), some_text(), vec(text(), 0..2), vec(text(), 0..2))
        .prop_map(|(group, kind, json_pointers, jq_path_expressions)| IgnoreDifference {
            group,
            kind,
            json_pointers,
            jq_path_expressions,
            ..IgnoreDifference::default()
        })
        .boxed()
}

/// An Application without what its type would not write (blocks that say nothing), so that it equals its own text.
fn application() -> BoxedStrategy<Application> {
    let metadata =
        (some_text(), map(), map(), vec("[a-c]", 0..3)).prop_map(|(name, labels, annotations, finalizers)| {
            let mut unique = finalizers;
            unique.sort();
            unique.dedup();
            Metadata { name, namespace: "argocd".into(), labels, annotations, finalizers: unique }
        });
    let destination =
        (text(), text(), text()).prop_map(|(name, server, namespace)| Destination { name, server, namespace });
    let spec = (
        some_text(),
        destination,
        option::of(source()),
        vec(source(), 0..3),
        option::of(sync_policy()),
        vec(ignore_difference(), 0..2),
        option::of(0i64..20),
    )
        .prop_map(
            |(project, destination, source, sources, sync_policy, ignore_differences, revision_history_limit)| {
                ApplicationSpec {
                    project,
                    destination,
                    source,
                    sources,
                    sync_policy,
                    ignore_differences,
                    revision_history_limit,
                }
            },
        );
    (metadata, spec)
        .prop_map(|(metadata, spec)| {
            let value = serde_json::to_value(Application::new(metadata, spec)).unwrap();
            serde_json::from_value(value).unwrap()
        })
        .boxed()
}

/// One to four elements: copies of one Application of which some get parts of another.
pub(crate) fn elements() -> BoxedStrategy<Vec<Element>> {
    let other = option::weighted(0.5, application());
    (application(), vec((other, any::<u16>(), text()), 1..5))
        .prop_map(|(base, variants)| {
            variants
                .into_iter()
                .enumerate()
                .map(|(index, (other, mask, hard))| {
                    let cluster = format!("c{index}{hard}");
                    let mut application = base.clone();
                    if let Some(other) = other {
                        mix(&mut application, other, mask);
                    }
                    application.metadata.name = format!("{cluster}-{{app");
                    application.spec.destination.name.clone_from(&cluster);
                    if let Some(first) = application.spec.sources.first_mut() {
                        first.path = format!("rendered/{cluster}/{{");
                    }
                    let params = Map::from_iter([("cluster".to_owned(), Value::String(cluster))]);
                    Element { params, application }
                })
                .collect()
        })
        .boxed()
}

fn mix(target: &mut Application, other: Application, mask: u16) {
    let takes = |bit: u16| mask & (1 << bit) != 0;
    let (metadata, spec) = (other.metadata, other.spec);
    if takes(0) {
        target.metadata.labels = metadata.labels;
    }
    if takes(1) {
        target.metadata.annotations = metadata.annotations;
    }
    if takes(2) {
        target.metadata.finalizers = metadata.finalizers;
    }
    if takes(3) {
        target.spec.project = spec.project;
    }
    if takes(4) {
        target.spec.destination = spec.destination;
    }
    if takes(5) {
        target.spec.source = spec.source;
    }
    if takes(6) {
        target.spec.sources = spec.sources;
    }
    if takes(7) {
        target.spec.sync_policy = spec.sync_policy;
    }
    if takes(8) {
        target.spec.ignore_differences = spec.ignore_differences;
    }
    if takes(9) {
        target.spec.revision_history_limit = spec.revision_history_limit;
    }
}

pub(crate) const PATTERNS: Patterns<'static> = Patterns {
    all: &[
        Pattern { at: &["metadata", "name"], pieces: &[Piece::Param("cluster"), Piece::Text("-{app")] },
        Pattern { at: &["spec", "destination", "name"], pieces: &[Piece::Param("cluster")] },
        Pattern {
            at: &["spec", "sources", "*", "path"],
            pieces: &[Piece::Text("rendered/"), Piece::Param("cluster"), Piece::Given(0)],
        },
    ],
    given: &["/{"],
};
