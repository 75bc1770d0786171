//! A source with some files as they would be: what a change means is seen before anything is written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{ContentId, ReadError, Source};

/// Another source in which some files are replaced or added.
#[derive(Debug)]
pub struct Patched<S> {
    inner: S,
    files: BTreeMap<String, Vec<u8>>,
}

impl<S: Source> Patched<S> {
    pub fn new(inner: S, files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { inner, files }
    }
}

impl<S: Source> Source for Patched<S> {
    fn list(&self, dir: &str) -> Vec<String> {
        let mut files = self.inner.list(dir);
        let inside =
            |path: &&String| dir.is_empty() || path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
        files.extend(self.files.keys().filter(inside).cloned());
        files.sort_unstable();
        files.dedup();
        files
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        match self.files.get(path) {
            Some(content) => Ok(Some(Cow::Borrowed(content))),
            None => self.inner.read(path),
        }
    }

    fn display(&self, path: &str) -> String {
        self.inner.display(path)
    }

    fn problems(&self) -> Vec<ReadError> {
        self.inner.problems()
    }

    fn content_id(&self, path: &str) -> Option<ContentId> {
        if self.files.contains_key(path) { None } else { self.inner.content_id(path) }
    }

    fn asked(&self, path: &str) {
        self.inner.asked(path);
    }

    fn rests_on(&self, path: &str) -> Vec<String> {
        if self.files.contains_key(path) { vec![path.to_owned()] } else { self.inner.rests_on(path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    #[test]
    fn some_files_are_others() {
        let inner = Memory::from_iter([("a/one", "1"), ("a/two", "2"), ("b", "3")]);
        let files = [("a/two", "new"), ("a/three", "added")].map(|(path, text)| (path.to_owned(), text.into()));
        let patched = Patched::new(inner, files.into());
        assert_eq!(patched.list("a"), ["a/one", "a/three", "a/two"]);
        assert_eq!(patched.list("").len(), 4);
        let read = |path: &str| patched.read(path).unwrap().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(read("a/one").as_deref(), Some("1"));
        assert_eq!(read("a/two").as_deref(), Some("new"));
        assert_eq!(read("a/three").as_deref(), Some("added"));
        assert_eq!(read("c"), None);
    }
}
