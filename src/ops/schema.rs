//! `schema infer`: a schema from a chart's default values.

use std::path::Path;

use anyhow::Context as _;

use crate::diag::{Diagnostic, SourceMap};
use crate::io::Disk;
use crate::model;
use crate::plan::docs::Docs;

/// Infers a JSON Schema from a values file, leaving what belongs to the chart's `dependencies` open; `None` where the file cannot be read as YAML, which the findings explain.
///
/// # Errors
/// When there is no such file.
pub fn infer(
    values: &Path,
    chart: &str,
    version: &str,
    dependencies: &[String],
) -> anyhow::Result<(Option<serde_json::Value>, Vec<Diagnostic>, SourceMap)> {
    let folder = values.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = values.file_name().and_then(|name| name.to_str()).context("the values file has no name")?;
    let disk = Disk::open(folder).with_context(|| format!("cannot open `{}`", folder.display()))?;
    let sources = SourceMap::new();
    let docs = Docs::new(&disk, &sources);
    let doc = docs.one(name);
    let findings = docs.take_findings();
    anyhow::ensure!(doc.is_some() || !findings.is_empty(), "there is no file `{}`", values.display());
    let schema = doc.map(|doc| {
        let dependencies: Vec<&str> = dependencies.iter().map(String::as_str).collect();
        model::infer_with_dependencies(&doc, chart, version, &dependencies)
    });
    drop(docs);
    Ok((schema, findings, sources))
}
