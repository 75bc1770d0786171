//! A repository on disk over the built-in catalog: what every operation begins with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::check::{allow, severity};
use crate::diag::{self, Diagnostic, FileId, Level, SourceMap};
use crate::io::git::Repository;
use crate::io::{Disk, Embedded, Layered};
use crate::model;
use crate::plan::{self, Plan};
use crate::schema::kinds::Kinds;
use crate::source::budget::{Budget, Meter};
use crate::source::docs::Docs;
use crate::source::{Metered, Patched, Source};
use crate::yaml::Doc;

/// A repository that is open for reading.
pub struct Workspace {
    pub root: PathBuf,
    /// The files of the repository alone; shared with views in which some of them are others.
    own: Arc<dyn Source + Send>,
    source: Layered<Metered<Arc<dyn Source + Send>>, Embedded>,
    pub sources: SourceMap,
    meter: Arc<Meter>,
    pub(super) kinds: Kinds,
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Workspace {
    /// Opens the repository whose root is `root`, or the nearest folder above it that holds `hlgen.yaml`; the search ends
    /// at the root of a Git checkout.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let found = Self::find(root)?;
        Self::of_disk(&found, root)
    }

    /// The same, but the search goes up `levels` folders at most.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn open_below(root: &Path, levels: usize) -> anyhow::Result<Self> {
        let found = Self::find_below(root, levels)?;
        Self::of_disk(&found, root)
    }

    /// Opens what is staged in the Git repository that `root` lies in: what the next commit will hold, whatever the
    /// working tree looks like. `index` is another index than the repository's own.
    ///
    /// # Errors
    /// When there is no repository, or the index holds unresolved conflicts.
    pub fn staged(root: &Path, index: Option<&Path>) -> anyhow::Result<Self> {
        let found = Self::find(root)?;
        let staged = Repository::open(&found)?.staged(index).context("cannot read what is staged")?;
        Ok(Self::of(&found, staged))
    }

    /// The files of a source, as the repository at `root`.
    pub fn of(root: &Path, source: impl Source + Send + 'static) -> Self {
        Self::metered(root, source, Arc::new(Meter::default()))
    }

    /// A folder, whose listings are counted too.
    fn of_disk(found: &Path, named: &Path) -> anyhow::Result<Self> {
        let meter = Arc::new(Meter::default());
        let disk = Disk::open(found).with_context(|| format!("cannot open `{}`", named.display()))?;
        Ok(Self::metered(found, disk.metered(Arc::clone(&meter)), meter))
    }

    fn metered(root: &Path, source: impl Source + Send + 'static, meter: Arc<Meter>) -> Self {
        let own: Arc<dyn Source + Send> = Arc::new(source);
        let source = Layered::new(Metered::new(Arc::clone(&own), Arc::clone(&meter)), Embedded);
        Self { root: root.to_owned(), own, source, sources: SourceMap::new(), meter, kinds: Kinds::default() }
    }

    /// The same repository with some files as they would be, within the same budget.
    #[must_use]
    pub fn with_files(&self, files: BTreeMap<String, Vec<u8>>) -> Self {
        let patched = Patched::new(Arc::clone(&self.own), files);
        Self::of(&self.root, patched).within(*self.meter.budget())
    }

    /// The folder that [`Workspace::open`] opens.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn find(root: &Path) -> anyhow::Result<PathBuf> {
        Self::find_below(root, usize::MAX)
    }

    fn find_below(root: &Path, levels: usize) -> anyhow::Result<PathBuf> {
        let mut found = root.canonicalize().with_context(|| format!("cannot open `{}`", root.display()))?;
        let mut above = found.ancestors().take(levels.saturating_add(1));
        let end = |folder: &&Path| folder.join("hlgen.yaml").is_file() || folder.join(".git").exists();
        if let Some(folder) = above.find(end).filter(|folder| folder.join("hlgen.yaml").is_file()) {
            found = folder.to_path_buf();
        }
        Ok(found)
    }

    /// The same repository with another budget for the run, which has not begun.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        self.meter.restrict(budget);
        self
    }

    /// What the run has used.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The documents of the repository.
    pub fn docs(&self) -> Docs<'_> {
        Docs::within(&self.source, &self.sources, Arc::clone(&self.meter))
    }

    /// The files of the repository alone.
    pub(super) fn repository(&self) -> &dyn Source {
        &self.own
    }

    /// The files of the repository and of the binary.
    pub(super) fn source(&self) -> &dyn Source {
        &self.source
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
        let is_yaml = |path: &String| path.ends_with(".yaml") || path.ends_with(".yml");
        for path in files.filter(|path| is_yaml(path) && !docs.source.display(path).starts_with("builtin:")) {
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
        diag::sort(findings, &self.sources);
        let complete = if plan.is_some() && !has_errors(findings) { self.sources.ids() } else { Vec::new() };
        self.settle_with(plan, findings, &complete);
    }

    /// As [`Workspace::settle`], for a run that did not look at everything.
    pub fn settle_part(&self, plan: Option<&Plan>, findings: &mut Vec<Diagnostic>) {
        diag::sort(findings, &self.sources);
        self.settle_with(plan, findings, &[]);
    }

    fn settle_with(&self, plan: Option<&Plan>, findings: &mut Vec<Diagnostic>, complete: &[FileId]) {
        if let Some(exceeded) = self.meter.exceeded() {
            // What else was found depends on where each thread stood, and is mostly what was not read any more.
            findings.clear();
            findings.push(exceeded.finding());
            return;
        }
        allow::apply(findings, &self.sources, complete);
        if let Some(plan) = plan {
            let severities = &plan.project.severity;
            let place = |key: &str| Some(plan.project_span(&["severity", key]));
            findings.extend(severity::check(severities, place));
            severity::apply(findings, severities);
        }
        diag::sort(findings, &self.sources);
        diag::fold(findings);
    }

    /// The same for findings that come up while the output is written, when everything else was settled.
    pub fn settle_late(&self, plan: &Plan, findings: &mut Vec<Diagnostic>) {
        diag::sort(findings, &self.sources);
        allow::apply(findings, &self.sources, &[]);
        severity::apply(findings, &plan.project.severity);
        diag::sort(findings, &self.sources);
        diag::fold(findings);
    }
}

/// Whether a list holds an error.
pub fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}
