//! The hot paths one by one: `cargo bench --bench core`. How they add up in a process is what `whole` measures.
#![allow(missing_docs, reason = "criterion's macros make functions without")]

#[path = "../tests/support/workload.rs"]
mod workload;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hlgen::diag::{FileId, SourceMap};
use hlgen::io::{Embedded, Layered};
use hlgen::merge::{Forest, Ref};
use hlgen::ops::evaluate::evaluate;
use hlgen::plan::plan;
use hlgen::schema::kinds::Kinds;
use hlgen::source::Memory;
use hlgen::source::docs::Docs;
use hlgen::template::{Engine, Scope, value_of};
use hlgen::yaml::{Doc, Limits, emit, parse};
use serde_json::json;
use workload::Workload;

/// The texts of one release's layers, weakest first.
fn layers() -> Vec<Arc<str>> {
    let files = Workload { apps: 2, environments: 1 }.files();
    let paths = [
        "catalog/app-0001/values.yaml",
        "catalog/app-0001/values.kind.yaml",
        "catalog/app-0001/values.dev.yaml",
        "environments/env-0/values.yaml",
        "environments/env-0/values/app/app-0001.yaml",
    ];
    let text = |wanted: &str| files.iter().find(|(path, _)| path == wanted).map(|(_, text)| text.as_str().into());
    paths.iter().filter_map(|path| text(path)).collect()
}

fn doc(text: &Arc<str>) -> Arc<Doc> {
    let mut findings = Vec::new();
    let docs = parse(text, FileId(0), &Limits::default(), &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    Arc::new(docs.into_iter().next().expect("a document"))
}

fn merged(docs: &[Arc<Doc>]) -> (Forest, Ref) {
    let mut forest = Forest::new();
    let mut findings = Vec::new();
    let mut root = None;
    for doc in docs {
        let layer = forest.add(Arc::clone(doc));
        root = forest.overlay(root, layer, doc.root(), &mut findings);
    }
    (forest, root.expect("values"))
}

fn scope() -> Arc<Scope> {
    Arc::new(Scope {
        vars: value_of(json!({ "size": 3, "region": "north", "team": "platform" })),
        env: value_of(json!({ "name": "env-0", "stage": "dev", "domain": "example.com" })),
        release: value_of(json!({ "name": "app-0001", "namespace": "team-0" })),
        cluster: value_of(json!({ "name": "env-0" })),
        ..Scope::default()
    })
}

fn text_benches(c: &mut Criterion) {
    let texts = layers();
    let bytes = texts.iter().map(|text| text.len() as u64).sum();
    let mut group = c.benchmark_group("yaml");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("parse five layers", |b| {
        b.iter(|| texts.iter().map(|text| doc(black_box(text)).weight()).sum::<u64>());
    });
    let docs: Vec<Arc<Doc>> = texts.iter().map(doc).collect();
    let (forest, root) = merged(&docs);
    let mut out = String::new();
    emit(&forest, root, &mut out);
    group.throughput(Throughput::Bytes(out.len() as u64));
    group.bench_function("emit", |b| {
        b.iter(|| {
            out.clear();
            emit(black_box(&forest), root, &mut out);
            out.len()
        });
    });
    group.finish();
    c.bench_function("merge five layers", |b| b.iter(|| merged(black_box(&docs)).1));
}

fn template_benches(c: &mut Criterion) {
    let engine = Engine::new();
    let text = "https://${{ release.name }}.${{ env.domain }}/${{ vars.region }}";
    let scope = scope();
    let compiled = engine.compile(text).expect("a template");
    c.bench_function("template: compile", |b| b.iter(|| engine.compile(black_box(text)).is_ok()));
    c.bench_function("template: evaluate", |b| b.iter(|| engine.evaluate(&compiled, black_box(text), &scope).is_ok()));
}

/// Everything but the disk.
fn plan_benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("100 apps in 3 environments, in memory");
    group.sample_size(20);
    let source = Layered::new(Memory::from_iter(Workload { apps: 100, environments: 3 }.files()), Embedded);
    let kinds = Kinds::default();
    for evaluated in [false, true] {
        group.bench_function(if evaluated { "plan and evaluate" } else { "plan" }, |b| {
            b.iter(|| {
                let sources = SourceMap::new();
                let docs = Docs::new(&source, &sources);
                let mut findings = Vec::new();
                let plan = plan(&docs, &kinds, &mut findings).expect("a plan");
                assert!(findings.is_empty(), "{findings:?}");
                if evaluated {
                    let evaluation = evaluate(&plan, &docs, |piece| {
                        black_box(piece.file.text.len());
                        Ok::<(), ()>(())
                    });
                    assert!(evaluation.is_ok_and(|evaluation| evaluation.findings.is_empty()));
                }
                plan.releases.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, text_benches, template_benches, plan_benches);
criterion_main!(benches);
