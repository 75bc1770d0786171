//! The only door to read: a [`Source`] is a repository's files by name, wherever they are kept.
//!
//! The rest of the crate never sees a path of the machine, only `/`-separated paths below the repository's root. What
//! a source refuses to read (outside the root, not a regular file, too large) is a [`ReadError`], which becomes a
//! finding; a file that is not there is no error, because most layers are optional.

pub mod budget;
pub mod docs;
mod metered;
mod patched;
mod record;

use std::borrow::Cow;
use std::collections::BTreeMap;

use self::budget::Exceeded;
use crate::diag::{Code, Diagnostic};
pub use record::Record;

pub use self::metered::Metered;
pub use self::patched::Patched;

/// Files by name. Implementations answer the same question the same way for as long as they live.
pub trait Source: Sync {
    /// All files below `dir` (a `/`-separated path relative to the root, `""` for the root itself), sorted; empty
    /// where there is no such folder. Files that `read` will refuse are in the list.
    fn list(&self, dir: &str) -> Vec<String>;

    /// The bytes of a file; `Ok(None)` when it does not exist.
    ///
    /// # Errors
    /// When something stands there that must not or cannot be read.
    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError>;

    /// How people see the path: `catalog/x/app.yaml`, `builtin:catalog/x/app.yaml`.
    fn display(&self, path: &str) -> String {
        path.to_owned()
    }

    /// What was met in the folders listed so far that can be no file of a repository: names that are not UTF-8,
    /// links that lead out, sockets, folders with too many files. Sorted.
    fn problems(&self) -> Vec<ReadError> {
        Vec::new()
    }

    /// What tells a file's content from any other's, where that is known without looking at it; `None` where it is not,
    /// or where there is no such file. Ids of several sources can be compared: two that are equal mean equal bytes.
    fn content_id(&self, _path: &str) -> Option<ContentId> {
        None
    }

    /// The files called `file` in the folders right below `dir`, sorted: `every("environments", "environment.yaml")`.
    fn every(&self, dir: &str, file: &str) -> Vec<String> {
        let of_folder = |path: &String| {
            let folder = path.strip_prefix(dir).and_then(|rest| rest.strip_prefix('/')?.strip_suffix(file));
            folder.and_then(|folder| folder.strip_suffix('/')).is_some_and(|folder| !folder.contains('/'))
        };
        self.list(dir).into_iter().filter(of_folder).collect()
    }

    /// Says that a file was asked for again whose answer somebody kept; for sources that keep a record.
    fn asked(&self, _path: &str) {}

    /// The files and folders of the repository that the answer to a path comes from: itself, and where links lead; a
    /// folder that would hide what is built in; nothing for what is always built in.
    fn rests_on(&self, path: &str) -> Vec<String> {
        vec![path.to_owned()]
    }
}

/// The identity of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId([u8; 33]);

impl ContentId {
    /// By the id of a Git blob.
    pub fn git(id: &[u8]) -> Self {
        Self::of(1, id)
    }

    /// By the number of a file that is built into this binary.
    pub fn builtin(number: usize) -> Self {
        Self::of(2, &number.to_be_bytes())
    }

    fn of(kind: u8, id: &[u8]) -> Self {
        let mut bytes = [0; 33];
        bytes[0] = kind;
        bytes[1..].iter_mut().zip(id).for_each(|(byte, id)| *byte = *id);
        Self(bytes)
    }
}

/// A file that a source will not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("cannot read `{path}`: {refusal}")]
pub struct ReadError {
    /// As people see it, see [`Source::display`].
    pub path: String,
    pub refusal: Refusal,
}

/// Why a source will not read a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    #[error("a path is relative to the repository, without `.`, `..`, empty parts, backslashes or control characters")]
    Path,
    #[error("it is a symbolic link that leads out of the repository, into a hidden folder or nowhere")]
    LinkOut,
    #[error("it is a symbolic link to a folder, and folders are not followed")]
    LinkToFolder,
    #[error("it is not a regular file")]
    Special,
    #[error("it is larger than {} bytes", .0)]
    TooLarge(u64),
    #[error("{0}")]
    Budget(Exceeded),
    #[error("folders are nested more than {} deep", .0)]
    TooDeep(usize),
    #[error("the name is not UTF-8 or holds control characters")]
    Name,
    #[error("it is a pointer of Git LFS, whose content is kept elsewhere")]
    Elsewhere,
    #[error("{0}")]
    Io(String),
}

impl ReadError {
    pub fn new(path: impl Into<String>, refusal: Refusal) -> Self {
        Self { path: path.into(), refusal }
    }

    /// The finding for it. It has no place, since there is no text to point into.
    pub fn finding(&self) -> Diagnostic {
        if let Refusal::Budget(exceeded) = self.refusal {
            return exceeded.finding();
        }
        let finding = Diagnostic::new(Code::FileUnreadable, self.to_string());
        match self.refusal {
            Refusal::Path | Refusal::Budget(_) => finding,
            Refusal::LinkOut | Refusal::LinkToFolder => finding.help("replace the link by a copy of what it points to"),
            Refusal::Special => finding.help("remove it, or move it out of the folders that hlgen reads"),
            Refusal::TooLarge(_) => finding.help("hlgen reads text that people write; keep large files elsewhere"),
            Refusal::TooDeep(_) => finding.help("keep the catalog and the environments in folders of their own"),
            Refusal::Name => finding.help("rename the file"),
            Refusal::Elsewhere => finding.help("keep what hlgen reads in Git itself: `git lfs untrack` it"),
            Refusal::Io(_) => finding.help("check the file's owner and permissions"),
        }
    }
}

/// Whether a path is one that a source may be asked for: relative, `/`-separated, without a way up or out.
pub fn is_plain_path(path: &str) -> bool {
    let odd = |byte: u8| !(b' '..=b'~').contains(&byte) || byte == b'\\';
    !(path.bytes().any(odd) && path.chars().any(|c| c.is_control() || c == '\\'))
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// The part of a sorted list of paths that lies below a folder; all of it for `""`.
pub(crate) fn below<'p, T>(sorted: &'p [T], dir: &str, path: impl Fn(&T) -> &str) -> &'p [T] {
    if dir.is_empty() {
        return sorted;
    }
    let in_dir = |entry: &T| path(entry).strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
    // `dir/` sorts after `dir-x` and `dir.x`, so the search is for the folder with its slash.
    let first = format!("{dir}/");
    let start = sorted.partition_point(|entry| path(entry) < first.as_str());
    let len = sorted[start..].partition_point(in_dir);
    &sorted[start..start + len]
}

/// Files that somebody put together in memory: tests, and texts that came from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: BTreeMap<String, Vec<u8>>,
}

impl Memory {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), content.into());
    }
}

impl<P: Into<String>, C: Into<Vec<u8>>> FromIterator<(P, C)> for Memory {
    fn from_iter<I: IntoIterator<Item = (P, C)>>(files: I) -> Self {
        Self { files: files.into_iter().map(|(path, content)| (path.into(), content.into())).collect() }
    }
}

impl Source for Memory {
    fn list(&self, dir: &str) -> Vec<String> {
        if dir.is_empty() {
            return self.files.keys().cloned().collect();
        }
        let prefix = format!("{dir}/");
        self.files
            .range(prefix.clone()..)
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(&prefix))
            .cloned()
            .collect()
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        if !is_plain_path(path) {
            return Err(ReadError::new(path, Refusal::Path));
        }
        Ok(self.files.get(path).map(|content| Cow::Borrowed(content.as_slice())))
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn list(&self, dir: &str) -> Vec<String> {
        (**self).list(dir)
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        (**self).read(path)
    }

    fn display(&self, path: &str) -> String {
        (**self).display(path)
    }

    fn problems(&self) -> Vec<ReadError> {
        (**self).problems()
    }

    fn content_id(&self, path: &str) -> Option<ContentId> {
        (**self).content_id(path)
    }

    fn every(&self, dir: &str, file: &str) -> Vec<String> {
        (**self).every(dir, file)
    }

    fn asked(&self, path: &str) {
        (**self).asked(path);
    }

    fn rests_on(&self, path: &str) -> Vec<String> {
        (**self).rests_on(path)
    }
}

impl<S: Source + Send + ?Sized> Source for std::sync::Arc<S> {
    fn list(&self, dir: &str) -> Vec<String> {
        (**self).list(dir)
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        (**self).read(path)
    }

    fn display(&self, path: &str) -> String {
        (**self).display(path)
    }

    fn problems(&self) -> Vec<ReadError> {
        (**self).problems()
    }

    fn content_id(&self, path: &str) -> Option<ContentId> {
        (**self).content_id(path)
    }

    fn every(&self, dir: &str, file: &str) -> Vec<String> {
        (**self).every(dir, file)
    }

    fn asked(&self, path: &str) {
        (**self).asked(path);
    }

    fn rests_on(&self, path: &str) -> Vec<String> {
        (**self).rests_on(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_what_is_below_a_folder_and_nothing_beside_it() {
        let files =
            Memory::from_iter([("a/b/2", "x"), ("a/b/1", "x"), ("a/b-c/3", "x"), ("a/b", "file"), ("ab/4", "x")]);
        assert_eq!(files.list("a/b"), ["a/b/1", "a/b/2"]);
        assert_eq!(files.list("a"), ["a/b", "a/b-c/3", "a/b/1", "a/b/2"]);
        assert_eq!(files.list("nowhere"), Vec::<String>::new());
        assert_eq!(files.list("").len(), 5);

        let sorted = files.list("");
        assert_eq!(below(&sorted, "a/b", |path| path), ["a/b/1", "a/b/2"]);
        assert_eq!(below(&sorted, "a", |path| path).len(), 4);
        assert_eq!(below(&sorted, "zz", |path| path).len(), 0);
    }

    #[test]
    fn a_path_may_not_lead_anywhere_else() {
        for path in ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "a\\b", "a\nb", "a\0b"] {
            let error = Memory::new().read(path).unwrap_err();
            assert_eq!(error.refusal, Refusal::Path, "{path:?}");
        }
        assert_eq!(Memory::new().read("a/..b/c...d"), Ok(None));
    }

    #[test]
    fn a_refusal_becomes_a_finding_with_a_remedy() {
        let finding = ReadError::new("catalog/x", Refusal::TooLarge(10)).finding();
        assert_eq!(finding.message, "cannot read `catalog/x`: it is larger than 10 bytes");
        assert!(finding.help.is_some());
    }
}
