//! Whole repositories and what hlgen makes of them: one folder below `tests/cases` per behaviour.
//!
//! `in/` is the repository, `out/` what its `rendered/` holds afterwards, `stderr.txt` what is said and, where it is not
//! 0, the exit code; `stdout.txt` what is printed, if anything is. `args` (one argument a line) replaces the default
//! `render --format short`. A case with several runs has `args`, `args.2`, ...; all are run in the same folder, and
//! what they say follows one another. `why.md`, where there is one, says which rule the case is about.
//!
//! `HLGEN_BLESS=1 cargo test --test cases` writes what came out as the new expectation. Read it before it is committed.
#![allow(clippy::disallowed_methods, reason = "tests read and write their expectations")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use support::case::{Case, Files, tree};
use support::diff;

macro_rules! cases {
    ($($name:ident)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        /// A folder that nobody runs proves nothing.
        #[test]
        fn every_folder_is_a_case() {
            let named: BTreeSet<String> = [$(stringify!($name)),*].map(str::to_owned).into();
            let folders = fs::read_dir(cases()).unwrap();
            let found: BTreeSet<String> =
                folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            assert_eq!(named, found, "the list in tests/cases.rs and the folders below tests/cases");
        }
    };
}

cases! {}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Runs a case and compares everything it left with the expectation, or writes the expectation.
fn check(name: &str) {
    let folder = cases().join(name);
    let case = Case::copy_of(&folder.join("in"));
    let (mut stdout, mut stderr) = (String::new(), String::new());
    for arguments in runs(&folder) {
        let arguments: Vec<&str> = arguments.lines().filter(|line| !line.is_empty()).collect();
        let outcome = case.run(&arguments);
        stdout.push_str(&outcome.stdout);
        stderr.push_str(&outcome.stderr);
        if outcome.code != 0 {
            let _ = writeln!(stderr, "[exit code {}]", outcome.code);
        }
    }
    let mut found = Files::new();
    for (path, content) in case.tree("rendered") {
        found.insert(format!("out/{path}"), content);
    }
    for (path, text) in [("stdout.txt", stdout), ("stderr.txt", stderr)] {
        if !text.is_empty() {
            found.insert(path.to_owned(), text.into_bytes());
        }
    }
    let mut expected: Files =
        tree(&folder.join("out")).into_iter().map(|(path, text)| (format!("out/{path}"), text)).collect();
    for path in ["stdout.txt", "stderr.txt"] {
        if let Ok(text) = fs::read(folder.join(path)) {
            expected.insert(path.to_owned(), text);
        }
    }
    if found == expected {
        return;
    }
    if std::env::var_os("HLGEN_BLESS").is_some() {
        bless(&folder, &expected, &found);
        return;
    }
    panic!("case `{name}` came out differently (- expected, + found)\n{}", difference(&expected, &found));
}

/// The arguments of each run, one a line.
fn runs(folder: &Path) -> Vec<String> {
    let Ok(first) = fs::read_to_string(folder.join("args")) else {
        return vec!["render\n--format\nshort\n".to_owned()];
    };
    let later = (2..).map_while(|number| fs::read_to_string(folder.join(format!("args.{number}"))).ok());
    std::iter::once(first).chain(later).collect()
}

fn bless(folder: &Path, expected: &Files, found: &Files) {
    for path in expected.keys().filter(|path| !found.contains_key(*path)) {
        fs::remove_file(folder.join(path)).unwrap();
    }
    for (path, content) in found {
        let target = folder.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        // A link is kept as text: Git on other systems has no links.
        fs::write(&target, content).unwrap();
    }
}

fn difference(expected: &Files, found: &Files) -> String {
    let mut out = String::new();
    let paths: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for path in paths {
        let text = |files: &Files| files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let (old, new) = (text(expected), text(found));
        if old == new {
            continue;
        }
        let note = match (&old, &new) {
            (Some(_), None) => " (not there)",
            (None, Some(_)) => " (not expected)",
            _ => "",
        };
        let _ = writeln!(out, "--- {path}{note}\n{}", diff::lines(&old.unwrap_or_default(), &new.unwrap_or_default()));
    }
    out
}
