//! `hlgen schema`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;

use super::{Common, Status, Terminal};
use crate::model;
use crate::ops::schema::{infer, write};
use crate::report::json_lines;

/// Which schema.
#[derive(Debug, clap::Args)]
pub struct Args {
    what: What,
    /// For `infer`: the chart's default values
    #[arg(value_name = "VALUES", required_if_eq("what", "infer"))]
    values: Option<PathBuf>,
    /// For `infer`: the chart's name, written into the schema
    #[arg(long, value_name = "NAME", default_value = "")]
    chart: String,
    /// For `infer`: the chart's version, written into the schema
    #[arg(long = "chart-version", value_name = "VERSION", default_value = "")]
    chart_version: String,
    /// For `infer`: a dependency of the chart, whose values are left open (may be given several times)
    #[arg(long = "dependency", value_name = "NAME")]
    dependencies: Vec<String>,
}

/// A kind, or a schema made from values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Project,
    App,
    Environment,
    Profile,
    Infer,
    /// Bring the schemas in .hlgen/schemas up to date, where editors look for them
    Write,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let kind = match args.what {
        What::Project => "project",
        What::App => "app",
        What::Environment => "environment",
        What::Profile => "profile",
        What::Write => {
            let (changed, count) = write(&common.directory)?;
            terminal.summary(&format!("{changed} of {count} schemas in .hlgen/schemas brought up to date"));
            return Ok(Status::Fine);
        }
        What::Infer => {
            let values = args.values.as_deref().context("`schema infer` needs a values file")?;
            let (schema, findings, sources) =
                infer(&common.directory.join(values), &args.chart, &args.chart_version, &args.dependencies)?;
            terminal.findings(&findings, &sources, false)?;
            let Some(schema) = schema else { return Ok(Status::Found) };
            terminal.data(&json_lines(&schema))?;
            return Ok(Status::Fine);
        }
    };
    let schema = model::schema_of(kind).with_context(|| format!("no schema of `{kind}`"))?;
    terminal.data(&json_lines(&schema))?;
    Ok(Status::Fine)
}
