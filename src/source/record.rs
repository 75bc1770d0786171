//! What was asked of a source: the inputs of whatever was computed from the answers.

use std::collections::BTreeSet;

/// The questions put to a source, in the paths of the repository that their answers rest on
/// ([`super::Source::rests_on`]). A file that was asked for and is absent counts as well: somebody may add it tomorrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Files that were read, or refused.
    pub read: BTreeSet<String>,
    /// Files that were asked for and do not exist.
    pub absent: BTreeSet<String>,
    /// Folders that were listed.
    pub listed: BTreeSet<String>,
    /// Files that were looked for in every folder: `environments/*/environment.yaml`.
    pub patterns: BTreeSet<String>,
}

impl Record {
    /// Adds what another record holds.
    pub fn extend(&mut self, other: &Self) {
        self.read.extend(other.read.iter().cloned());
        self.absent.extend(other.absent.iter().cloned());
        self.listed.extend(other.listed.iter().cloned());
        self.patterns.extend(other.patterns.iter().cloned());
    }

    /// Whether what stands at a path could have changed an answer: it was asked for, it lies in a folder that was listed,
    /// or something below it was asked for.
    pub fn concerns(&self, path: &str) -> bool {
        let below = |folder: &str, path: &str| {
            folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.listed.iter().any(|folder| below(folder, path))
            || [&self.read, &self.absent, &self.listed].into_iter().flatten().any(|asked| below(path, asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concerns_what_was_asked_for_and_what_holds_it() {
        let set = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        let record =
            Record { read: set(&["a/b/c"]), absent: set(&["a/x"]), listed: set(&["l/m"]), ..Record::default() };
        for path in ["a/b/c", "a/b", "a", "a/x", "l/m", "l/m/n/o", "l"] {
            assert!(record.concerns(path), "{path}");
        }
        for path in ["a/b/d", "a/xy", "a/x/y", "l/mn", "l/o", "b"] {
            assert!(!record.concerns(path), "{path}");
        }
    }
}
