//! Files → documents, each read and parsed once however many releases use it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashSet;

use super::Source;
use super::budget::{Budget, Exceeded, Meter, Resource};
use crate::diag::{Code, Diagnostic, FileId, SourceMap};
use crate::yaml::{self, Doc, Limits};

type Slot = Arc<OnceLock<Option<Arc<[Arc<Doc>]>>>>;

/// The documents of a repository, parsed when first asked for. Shared by threads.
pub struct Docs<'s> {
    pub source: &'s dyn Source,
    pub sources: &'s SourceMap,
    limits: Limits,
    kept: Arc<Kept>,
    meter: Arc<Meter>,
}

/// What several views of one repository share.
struct Kept {
    /// By paths that a stranger may have chosen, so the hash is one with a key.
    parsed: Mutex<HashMap<Box<str>, Slot>>,
    /// The slot of every file that was read and is not needed any more.
    forgotten: Slot,
    findings: Mutex<Vec<Diagnostic>>,
    broken: Mutex<FxHashSet<Box<str>>>,
}

impl Default for Kept {
    fn default() -> Self {
        let forgotten = Arc::new(OnceLock::from(None));
        Self { parsed: Mutex::default(), forgotten, findings: Mutex::default(), broken: Mutex::default() }
    }
}

impl<'s> Docs<'s> {
    pub fn new(source: &'s dyn Source, sources: &'s SourceMap) -> Self {
        Self::within(source, sources, Arc::new(Meter::new(Budget::unlimited())))
    }

    /// The same, with nodes counted against a run's budget.
    pub fn within(source: &'s dyn Source, sources: &'s SourceMap, meter: Arc<Meter>) -> Self {
        Self { source, sources, limits: Limits::default(), kept: Arc::default(), meter }
    }

    /// The same documents, asked for through another view of the same source: one that keeps a record.
    pub fn through<'t>(&'t self, source: &'t dyn Source) -> Docs<'t> {
        let (kept, meter) = (Arc::clone(&self.kept), Arc::clone(&self.meter));
        Docs { source, sources: self.sources, limits: self.limits, kept, meter }
    }

    /// What the run may still use.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The same, for those who outlive the documents.
    pub fn shared_meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    /// Counts nodes; what is too much becomes a finding.
    ///
    /// # Errors
    /// The bound that was passed.
    pub fn charge_nodes(&self, nodes: u64) -> Result<(), Exceeded> {
        self.meter.charge(Resource::Nodes, nodes)
    }

    /// The one document of a file; `None` where there is no such file or it cannot be read, which is then a finding.
    pub fn one(&self, path: &str) -> Option<Arc<Doc>> {
        let docs = self.parse(path, true)?;
        docs.first().cloned()
    }

    /// All documents of a file.
    pub fn all(&self, path: &str) -> Option<Arc<[Arc<Doc>]>> {
        self.parse(path, false)
    }

    /// The text of a file that need not be YAML.
    pub fn text(&self, path: &str) -> Option<String> {
        let bytes = match self.source.read(path) {
            Ok(bytes) => bytes?,
            Err(error) => {
                self.report([error.finding()]);
                return None;
            }
        };
        self.decode(path, &bytes).map(|(text, _)| text.to_string())
    }

    /// Forgets the documents of a file that nobody will ask for again in this run. Its text stays for findings, and that
    /// it was read stays known; most layers do not exist, and of those nothing is kept.
    pub fn forget(&self, path: &str) {
        let broken = self.is_broken(std::iter::once(path));
        let mut parsed = self.kept.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        match parsed.get_mut(path) {
            Some(slot) if broken || matches!(slot.get(), Some(Some(_))) => *slot = Arc::clone(&self.kept.forgotten),
            Some(slot) if !Arc::ptr_eq(slot, &self.kept.forgotten) => _ = parsed.remove(path),
            _ => {}
        }
    }

    /// The bytes of a file that is no text of people's and needs no place in the source map unless it is wrong.
    pub fn bytes(&self, path: &str) -> Option<std::borrow::Cow<'_, [u8]>> {
        match self.source.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.report([error.finding()]);
                None
            }
        }
    }

    /// Whether something stands at a path, readable or not. A file that was parsed is not opened again.
    pub fn exists(&self, path: &str) -> bool {
        let parsed = {
            let parsed = self.kept.parsed.lock().unwrap_or_else(PoisonError::into_inner);
            parsed.get(path).is_some_and(|slot| matches!(slot.get(), Some(Some(_))))
        };
        if parsed {
            self.source.asked(path);
        }
        parsed || !matches!(self.source.read(path), Ok(None))
    }

    /// Whether a file was parsed in this run.
    pub fn was_read(&self, path: &str) -> bool {
        self.kept.parsed.lock().unwrap_or_else(PoisonError::into_inner).contains_key(path)
    }

    /// Whether a file of the list was asked for, exists, and could not be read as YAML.
    pub fn is_broken<'p>(&self, mut paths: impl Iterator<Item = &'p str>) -> bool {
        let broken = self.kept.broken.lock().unwrap_or_else(PoisonError::into_inner);
        !broken.is_empty() && paths.any(|path| broken.contains(path))
    }

    fn note_broken(&self, path: &str) {
        self.kept.broken.lock().unwrap_or_else(PoisonError::into_inner).insert(path.into());
    }

    /// Adds findings of a reader of these documents.
    pub fn report(&self, findings: impl IntoIterator<Item = Diagnostic>) {
        let mut all = self.kept.findings.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        all.extend(findings);
        let new = (all.len() - before) as u64;
        if new > 0
            && let Err(exceeded) = self.meter.charge(Resource::Findings, new)
        {
            // What led here is not told one by one: a run that is over its budget says only that.
            all.truncate(before);
            all.push(exceeded.finding());
        }
    }

    /// The findings so far; they are handed over once.
    pub fn take_findings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.kept.findings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn parse(&self, path: &str, single: bool) -> Option<Arc<[Arc<Doc>]>> {
        let slot = {
            let mut parsed = self.kept.parsed.lock().unwrap_or_else(PoisonError::into_inner);
            match parsed.get(path) {
                Some(slot) => Arc::clone(slot),
                None => Arc::clone(parsed.entry(path.into()).or_default()),
            }
        };
        let mut read = false;
        let docs = slot.get_or_init(|| {
            read = true;
            self.load(path, single)
        });
        if !read {
            self.source.asked(path);
        }
        docs.clone()
    }

    fn load(&self, path: &str, single: bool) -> Option<Arc<[Arc<Doc>]>> {
        let bytes = match self.source.read(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return None,
            Err(error) => {
                self.report([error.finding()]);
                self.note_broken(path);
                return None;
            }
        };
        let Some((text, file)) = self.decode(path, &bytes) else {
            self.note_broken(path);
            return None;
        };
        let mut findings = Vec::new();
        let docs = yaml::parse(&text, file, &self.limits, &mut findings);
        if single && docs.len() > 1 {
            let second = docs[1].span(docs[1].root());
            let finding = Diagnostic::new(Code::YamlDocuments, "this file holds several documents, one is read")
                .at(second, "the second document")
                .help("Helm too reads only the first; move the others to files of their own");
            findings.push(finding);
        }
        let nodes = docs.iter().map(|doc| doc.weight().max(doc.node_count() as u64)).fold(0, u64::saturating_add);
        self.charge_nodes(nodes).ok()?;
        let broken = findings.iter().any(|finding| finding.level == crate::diag::Level::Error);
        self.report(findings);
        if broken {
            self.note_broken(path);
        }
        (!broken).then(|| docs.into_iter().map(Arc::new).collect())
    }

    fn decode(&self, path: &str, bytes: &[u8]) -> Option<(Arc<str>, FileId)> {
        let mut findings = Vec::new();
        let decoded = yaml::decode(bytes, &self.source.display(path), self.sources, &self.limits, &mut findings);
        self.report(findings);
        decoded.map(|(file, text)| (text, file))
    }
}
