//! A source that remembers what was asked of it.
//!
//! Argo CD renders an Application again only when a path of its `manifest-generate-paths` changes. Those paths are
//! computed from this record rather than from a second description of the layout, so they cannot fall behind it. A
//! file that was asked for and is absent counts as well: somebody may add that layer tomorrow.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

pub use crate::source::Record;
use crate::source::{ContentId, ReadError, Source};

/// Passes everything on to another source and keeps a [`Record`].
#[derive(Debug, Default)]
pub struct Recording<S> {
    inner: S,
    record: Mutex<Record>,
}

impl<S: Source> Recording<S> {
    pub fn new(inner: S) -> Self {
        Self { inner, record: Mutex::default() }
    }

    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// What was asked so far.
    pub fn record(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was asked since the last time.
    pub fn take(&self) -> Record {
        std::mem::take(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, path: &str, set: impl FnOnce(&mut Record) -> &mut BTreeSet<String>) {
        let rests_on = self.inner.rests_on(path);
        set(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner)).extend(rests_on);
    }
}

impl<S: Source> Source for Recording<S> {
    fn list(&self, dir: &str) -> Vec<String> {
        self.note(dir, |record| &mut record.listed);
        self.inner.list(dir)
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        let answer = self.inner.read(path);
        match &answer {
            Ok(None) => self.note(path, |record| &mut record.absent),
            Ok(Some(_)) | Err(_) => self.note(path, |record| &mut record.read),
        }
        answer
    }

    fn display(&self, path: &str) -> String {
        self.inner.display(path)
    }

    fn problems(&self) -> Vec<ReadError> {
        self.inner.problems()
    }

    fn content_id(&self, path: &str) -> Option<ContentId> {
        self.inner.content_id(path)
    }

    fn every(&self, dir: &str, file: &str) -> Vec<String> {
        let pattern = format!("{dir}/*/{file}");
        self.record.lock().unwrap_or_else(PoisonError::into_inner).patterns.insert(pattern);
        self.inner.every(dir, file)
    }

    fn asked(&self, path: &str) {
        self.note(path, |record| &mut record.read);
        self.inner.asked(path);
    }

    fn rests_on(&self, path: &str) -> Vec<String> {
        self.inner.rests_on(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Memory;

    #[test]
    fn keeps_reads_absences_and_listings_from_all_threads() {
        let source = Recording::new(Memory::from_iter([("a/x", "1")]));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    source.read("a/x").unwrap();
                    source.read("a/y").unwrap();
                    source.list("a");
                    source.asked("a/z");
                    source.every("a", "x");
                    source.read("../up").unwrap_err();
                });
            }
        });
        let record = source.record();
        assert_eq!(Vec::from_iter(record.read), ["../up", "a/x", "a/z"]);
        assert_eq!(Vec::from_iter(record.absent), ["a/y"]);
        assert_eq!(Vec::from_iter(record.listed), ["a"]);
        assert_eq!(Vec::from_iter(record.patterns), ["a/*/x"]);
        assert_ne!(source.take(), Record::default());
        assert_eq!(source.take(), Record::default());
    }
}
