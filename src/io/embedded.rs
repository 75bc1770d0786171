//! The catalog and the profiles that are compiled into the binary (see `build.rs`).

use std::borrow::Cow;

use crate::source::{ContentId, ReadError, Refusal, Source, below, is_plain_path};

pub(crate) mod table {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// What people see in front of a built-in path, and what [`super::Layered`] takes to read one explicitly.
pub const PREFIX: &str = "builtin:";

/// The built-in files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Embedded;

impl Source for Embedded {
    fn list(&self, dir: &str) -> Vec<String> {
        below(table::FILES, dir, |(path, _)| path).iter().map(|(path, _)| (*path).to_owned()).collect()
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        if !is_plain_path(path) {
            return Err(ReadError::new(self.display(path), Refusal::Path));
        }
        let found = table::FILES.binary_search_by(|(name, _)| (*name).cmp(path));
        Ok(found.ok().map(|at| Cow::Borrowed(table::FILES[at].1)))
    }

    fn display(&self, path: &str) -> String {
        format!("{PREFIX}{path}")
    }

    fn content_id(&self, path: &str) -> Option<ContentId> {
        table::FILES.binary_search_by(|(name, _)| (*name).cmp(path)).ok().map(ContentId::builtin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_file_can_be_read() {
        assert!(table::FILES.is_sorted_by(|a, b| a.0 < b.0));
        let listed = Embedded.list("");
        assert_eq!(listed.len(), table::FILES.len());
        for path in listed {
            assert!(path.starts_with("catalog/") || path.starts_with("environments/profiles/"), "{path}");
            assert!(Embedded.read(&path).unwrap().is_some(), "{path}");
        }
        assert_eq!(Embedded.read("catalog/no-such-app/app.yaml"), Ok(None));
        assert_eq!(Embedded.display("catalog/x/app.yaml"), "builtin:catalog/x/app.yaml");
    }
}
