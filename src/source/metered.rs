//! A source whose reads are counted against the run's budget.

use std::borrow::Cow;
use std::sync::Arc;

use super::budget::{Meter, Resource};
use super::{ContentId, ReadError, Refusal, Source};

/// Passes everything on to another source and counts files and bytes.
#[derive(Debug)]
pub struct Metered<S> {
    inner: S,
    meter: Arc<Meter>,
}

impl<S: Source> Metered<S> {
    pub fn new(inner: S, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }

    pub fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: Source> Source for Metered<S> {
    fn list(&self, dir: &str) -> Vec<String> {
        if self.meter.exceeded().is_some() { Vec::new() } else { self.inner.list(dir) }
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        let refuse = |exceeded| ReadError::new(self.display(path), Refusal::Budget(exceeded));
        self.meter.check().map_err(refuse)?;
        let answer = self.inner.read(path)?;
        if let Some(bytes) = &answer {
            self.meter.charge(Resource::Files, 1).map_err(refuse)?;
            self.meter.charge(Resource::Bytes, bytes.len() as u64).map_err(refuse)?;
        }
        Ok(answer)
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
        if self.meter.exceeded().is_some() { Vec::new() } else { self.inner.every(dir, file) }
    }

    fn asked(&self, path: &str) {
        self.inner.asked(path);
    }

    fn rests_on(&self, path: &str) -> Vec<String> {
        self.inner.rests_on(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;
    use crate::source::budget::{Budget, Exceeded};

    #[test]
    fn files_that_exist_are_counted() {
        let budget = Budget { files: 2, bytes: 5, ..Budget::default() };
        let metered = |budget| {
            Metered::new(Memory::from_iter([("a", "123"), ("b", "45"), ("c", "6")]), Arc::new(Meter::new(budget)))
        };
        let source = metered(budget);
        assert!(source.read("nowhere").unwrap().is_none());
        assert!(source.read("a").is_ok() && source.read("b").is_ok());
        let exceeded = Exceeded { resource: Resource::Files, bound: 2 };
        assert_eq!(source.read("c").unwrap_err().refusal, Refusal::Budget(exceeded));
        assert_eq!(source.read("nowhere").unwrap_err().refusal, Refusal::Budget(exceeded), "the run is over");
        assert!(source.list("").is_empty());

        let source = metered(Budget { files: 9, ..budget });
        assert!(source.read("a").is_ok() && source.read("b").is_ok());
        let exceeded = Exceeded { resource: Resource::Bytes, bound: 5 };
        assert_eq!(source.read("c").unwrap_err().refusal, Refusal::Budget(exceeded));
    }
}
