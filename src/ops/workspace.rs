//! A repository on disk over the built-in catalog: what every operation begins with.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::check::kinds::Kinds;
use crate::check::{allow, severity};
use crate::diag::{self, Diagnostic, Level, SourceMap};
use crate::io::{Disk, Embedded, Layered};
use crate::plan::docs::Docs;
use crate::plan::{self, Plan};

/// A repository that is open for reading.
#[derive(Debug)]
pub struct Workspace {
    pub root: PathBuf,
    source: Layered<Disk, Embedded>,
    pub sources: SourceMap,
    kinds: Kinds,
}

impl Workspace {
    /// Opens the repository whose root is `root`, or the nearest folder above it that holds `hlgen.yaml`.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let mut found = root.canonicalize().with_context(|| format!("cannot open `{}`", root.display()))?;
        if let Some(above) = found.ancestors().find(|folder| folder.join("hlgen.yaml").is_file()) {
            found = above.to_owned();
        }
        let disk = Disk::open(&found).with_context(|| format!("cannot open `{}`", root.display()))?;
        let source = Layered::new(disk, Embedded);
        Ok(Self { root: found, source, sources: SourceMap::new(), kinds: Kinds::default() })
    }

    /// The documents of the repository.
    pub fn docs(&self) -> Docs<'_> {
        Docs::new(&self.source, &self.sources)
    }

    /// Plans the repository.
    pub fn plan(&self, docs: &Docs<'_>, findings: &mut Vec<Diagnostic>) -> Option<Plan> {
        super::evaluate::preload(docs);
        plan::plan(docs, &self.kinds, findings)
    }

    /// Puts a run's findings in their final form: what projects and comments say of them, sorted.
    ///
    /// `complete` says that every file was looked at, so that an allow-comment that answers nothing can be reported.
    pub fn settle(&self, plan: Option<&Plan>, findings: &mut Vec<Diagnostic>) {
        diag::sort(findings, &self.sources);
        allow::apply(findings, &self.sources, &[]);
        if let Some(plan) = plan {
            let severities = &plan.project.severity;
            let place = |key: &str| Some(plan.project_span(&["severity", key]));
            findings.extend(severity::check(severities, place));
            severity::apply(findings, severities);
        }
        diag::sort(findings, &self.sources);
    }
}

/// Whether a list holds an error.
pub fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}
