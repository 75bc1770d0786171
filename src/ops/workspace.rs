//! A repository on disk over the built-in catalog: what every operation begins with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::check::{allow, severity};
use crate::diag::{self, Diagnostic, Level, SourceMap};
use crate::io::{Disk, Embedded, Layered};
use crate::model;
use crate::plan::{self, Plan};
use crate::schema::kinds::Kinds;
use crate::source::Metered;
use crate::source::budget::{Budget, Meter};
use crate::source::docs::Docs;
use crate::yaml::Doc;

/// A repository that is open for reading.
#[derive(Debug)]
pub struct Workspace {
    pub root: PathBuf,
    source: Layered<Metered<Disk>, Embedded>,
    pub sources: SourceMap,
    meter: Arc<Meter>,
    kinds: Kinds,
}

impl Workspace {
    /// Opens the repository whose root is `root`, or the nearest folder above it that holds `hlgen.yaml`; the search ends
    /// at the root of a Git checkout.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let mut found = root.canonicalize().with_context(|| format!("cannot open `{}`", root.display()))?;
        let mut above = found.ancestors();
        let end = |folder: &&Path| folder.join("hlgen.yaml").is_file() || folder.join(".git").exists();
        if let Some(folder) = above.find(end).filter(|folder| folder.join("hlgen.yaml").is_file()) {
            found = folder.to_path_buf();
        }
        let meter = Arc::new(Meter::default());
        let disk = Disk::open(&found).with_context(|| format!("cannot open `{}`", root.display()))?;
        let source = Self::metered(disk, &meter);
        Ok(Self { root: found, source, sources: SourceMap::new(), meter, kinds: Kinds::default() })
    }

    fn metered(disk: Disk, meter: &Arc<Meter>) -> Layered<Metered<Disk>, Embedded> {
        Layered::new(Metered::new(disk.metered(Arc::clone(meter)), Arc::clone(meter)), Embedded)
    }

    /// The same repository with another budget for the run.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn within(self, budget: Budget) -> anyhow::Result<Self> {
        let meter = Arc::new(Meter::new(budget));
        let disk = Disk::open(&self.root).context("cannot open the repository")?;
        Ok(Self { source: Self::metered(disk, &meter), meter, ..self })
    }

    /// What the run has used.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The documents of the repository.
    pub fn docs(&self) -> Docs<'_> {
        Docs::within(&self.source, &self.sources, Arc::clone(&self.meter))
    }

    /// Plans the repository.
    pub fn plan(&self, docs: &Docs<'_>, findings: &mut Vec<Diagnostic>) -> Option<Plan> {
        super::evaluate::preload(docs);
        plan::plan(docs, &self.kinds, findings)
    }

    /// Reads every file of the layout, for what is wrong with it by itself: where planning stopped early, the mistakes
    /// behind the first one are shown all the same. What was found before is found again and counts once.
    pub fn read_everything(&self, docs: &Docs<'_>, findings: &mut Vec<Diagnostic>) {
        let files = ["catalog", "environments"].into_iter().flat_map(|folder| docs.source.list(folder));
        for path in files.filter(|path| !docs.source.display(path).starts_with("builtin:")) {
            let kind = match path.split('/').collect::<Vec<_>>().as_slice() {
                ["catalog", _, "app.yaml"] => "app",
                ["environments", _, "environment.yaml"] => "environment",
                ["environments", "profiles", _, _] => "profile",
                _ => "",
            };
            match (kind, docs.all(&path)) {
                ("app", Some(all)) => self.read_kind::<model::App>(&all, kind, findings),
                ("environment", Some(all)) => self.read_kind::<model::Environment>(&all, kind, findings),
                ("profile", Some(all)) => self.read_kind::<model::Profile>(&all, kind, findings),
                _ => {}
            }
        }
        findings.extend(docs.take_findings());
    }

    fn read_kind<T: serde::de::DeserializeOwned>(&self, docs: &[Arc<Doc>], kind: &str, findings: &mut Vec<Diagnostic>) {
        if let Some(doc) = docs.first() {
            self.kinds.read::<T>(doc, kind, findings);
        }
    }

    /// Puts a run's findings in their final form: what projects and comments say of them, sorted.
    ///
    /// Where a plan was evaluated without errors every file was looked at, and an allow-comment that answers nothing is
    /// reported.
    pub fn settle(&self, plan: Option<&Plan>, findings: &mut Vec<Diagnostic>) {
        if let Some(exceeded) = self.meter.exceeded() {
            // What else was found depends on where each thread stood, and is mostly what was not read any more.
            findings.clear();
            findings.push(exceeded.finding());
            return;
        }
        diag::sort(findings, &self.sources);
        let complete = if plan.is_some() && !has_errors(findings) { self.sources.ids() } else { Vec::new() };
        allow::apply(findings, &self.sources, &complete);
        if let Some(plan) = plan {
            let severities = &plan.project.severity;
            let place = |key: &str| Some(plan.project_span(&["severity", key]));
            findings.extend(severity::check(severities, place));
            severity::apply(findings, severities);
        }
        diag::sort(findings, &self.sources);
        diag::fold(findings);
    }
}

/// Whether a list holds an error.
pub fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}
