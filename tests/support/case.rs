//! A repository in a temporary folder, and the binary run in it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests write and read their own folders")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Files by path (`/`-separated); a link's content is `-> target`.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A repository that lives as long as the value.
pub(crate) struct Case {
    folder: tempfile::TempDir,
}

/// What a run of the binary came to. Times in the summary line are written as `TIME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Case {
    /// An empty repository.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("hlgen-").tempdir().unwrap() }
    }

    /// A repository with a small project and nothing else.
    pub(crate) fn project() -> Self {
        Self::new().file(
            "hlgen.yaml",
            "apiVersion: hlgen.dev/v1\nkind: Project\nname: test\ngit: { repoURL: https://git.example.com/ops/test.git }\n",
        )
    }

    /// A copy of a folder, links as links.
    pub(crate) fn copy_of(folder: &Path) -> Self {
        let case = Self::new();
        for (path, content) in tree(folder) {
            case.write(&path, &content);
        }
        case
    }

    /// Adds or replaces a file.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(path, content.as_ref());
        self
    }

    /// Adds or replaces a file between two runs.
    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content.strip_prefix(b"-> ") {
            Some(target) => link(std::str::from_utf8(target).unwrap().trim_end(), &path),
            None => fs::write(path, content).unwrap(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The text of a file.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// All files below a folder of the repository.
    pub(crate) fn tree(&self, below: &str) -> Files {
        tree(&self.path(below))
    }

    /// Runs the binary in the repository with an environment that says nothing.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, &[])
    }

    /// Runs the binary with environment variables.
    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let output = Command::new(env!("CARGO_BIN_EXE_hlgen"))
            .args(arguments)
            .current_dir(self.root())
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("the output is UTF-8");
            timeless(&text.replace(&*self.root().to_string_lossy(), "ROOT"))
        };
        Outcome { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// All files below a folder, sorted; empty where there is none.
pub(crate) fn tree(root: &Path) -> Files {
    let mut files = Files::new();
    let walk = walkdir::WalkDir::new(root).sort_by_file_name();
    for entry in walk.into_iter().filter_map(Result::ok).filter(|entry| !entry.file_type().is_dir()) {
        let path = entry.path().strip_prefix(root).unwrap();
        let path = path.components().map(|part| part.as_os_str().to_str().unwrap()).collect::<Vec<_>>().join("/");
        let content = if entry.file_type().is_symlink() {
            format!("-> {}\n", fs::read_link(entry.path()).unwrap().display()).into_bytes()
        } else {
            fs::read(entry.path()).unwrap()
        };
        files.insert(path, content);
    }
    files
}

#[cfg(unix)]
fn link(target: &str, at: &Path) {
    let _ = fs::remove_file(at);
    std::os::unix::fs::symlink(target, at).unwrap();
}

#[cfg(not(unix))]
fn link(target: &str, at: &Path) {
    panic!("cases with links need unix: {} -> {target}", at.display());
}

/// Replaces `(38 ms)` and `(1.2 s)`, which differ from run to run.
fn timeless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('(') {
        let (before, from) = rest.split_at(open + 1);
        out.push_str(before);
        rest = from;
        let number = from.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(from.len());
        for unit in [" ms)", " s)", " us)", " µs)"] {
            if number > 0 && from[number..].starts_with(unit) {
                out.push_str("TIME)");
                rest = &from[number + unit.len()..];
                break;
            }
        }
    }
    out.push_str(rest);
    out
}
