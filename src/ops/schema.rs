//! `schema infer`: a schema from a chart's default values. `schema write`: the kinds' schemas, where editors look for them.

use std::path::Path;

use anyhow::Context as _;

use super::init::schemas;
use super::workspace::Workspace;
use crate::diag::{Diagnostic, SourceMap};
use crate::io::Disk;
use crate::io::write::own;
use crate::schema;
use crate::source::docs::Docs;

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
        schema::infer_with_dependencies(&doc, chart, version, &dependencies)
    });
    drop(docs);
    Ok((schema, findings, sources))
}

/// Writes the schemas of the kinds into the repository that a folder lies in: how many of how many were others.
///
/// # Errors
/// When there is no repository, or the disk fails.
pub fn write(folder: &Path) -> anyhow::Result<(usize, usize)> {
    let root = Workspace::find(folder)?;
    anyhow::ensure!(
        !own::taken(&root, ["hlgen.yaml"])?.is_empty(),
        "there is no `hlgen.yaml` here or in a folder above"
    );
    let schemas = schemas()?;
    let mut changed = 0;
    for schema in &schemas {
        let is_new = own::put(&root, &schema.path, schema.text.as_bytes());
        changed += usize::from(is_new.with_context(|| format!("cannot write `{}`", schema.path))?);
    }
    Ok((changed, schemas.len()))
}
