//! Writing rendered files: nothing before everything is valid, nothing that is not ours, nothing that did not change.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests put files on the disk")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use hlgen::io::write::{Change, Mode, Obstacle, Output, Summary, WriteError};
use hlgen::render::marker;
use tempfile::TempDir;

fn ours(text: &str) -> String {
    format!("{}\n{text}\n", marker::line("home", "test"))
}

fn put(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Everything below a folder: files with their content, folders and links by what they are.
fn look(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path().strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
                found.insert(path, "folder".into());
            } else if kind.is_symlink() {
                found.insert(path, "link".into());
            } else {
                found.insert(path, fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    found
}

fn open(root: &TempDir, mode: Mode) -> Output {
    Output::open(root.path(), "rendered", "home", mode).unwrap()
}

fn everything(_: &str) -> bool {
    true
}

/// Somebody else tidies up between the look at the folder and the writing.
#[test]
fn a_folder_that_vanishes_is_made_again() {
    let root = tempfile::tempdir().unwrap();
    write(&root, &[("a/b/one.yaml", "x")]).unwrap();
    let output = open(&root, Mode::Write);
    output.stage("a/b/one.yaml", ours("y").as_bytes()).unwrap();
    output.stage("a/b/two.yaml", ours("z").as_bytes()).unwrap();
    output.commit_after(everything, |_, _| fs::remove_dir_all(root.path().join("rendered/a")).unwrap()).unwrap();
    let found = look(&root.path().join("rendered"));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "a/b", "a/b/one.yaml", "a/b/two.yaml"]);
    assert_eq!(found["a/b/one.yaml"], ours("y"));
}

/// Writes exactly these files.
fn write(root: &TempDir, files: &[(&str, &str)]) -> Result<Summary, WriteError> {
    let output = open(root, Mode::Write);
    for (path, text) in files {
        output.stage(path, ours(text).as_bytes())?;
    }
    output.commit(everything)
}

fn foreign(result: Result<Summary, WriteError>) -> Vec<(String, Obstacle)> {
    match result {
        Err(WriteError::Foreign(files)) => files.into_iter().map(|file| (file.path, file.what)).collect(),
        other => panic!("expected foreign files, got {other:?}"),
    }
}

#[test]
fn writes_replaces_and_removes() {
    let root = tempfile::tempdir().unwrap();
    let first = write(&root, &[("a/x.yaml", "1"), ("a/y.yaml", "1"), ("b/old/z.yaml", "1")]).unwrap();
    assert_eq!(first.added, ["a/x.yaml", "a/y.yaml", "b/old/z.yaml"]);

    let old = SystemTime::now() - Duration::from_secs(5000);
    let unchanged = root.path().join("rendered/a/x.yaml");
    fs::File::options().write(true).open(&unchanged).unwrap().set_modified(old).unwrap();
    let second = write(&root, &[("a/x.yaml", "1"), ("a/y.yaml", "2"), ("c/new.yaml", "1")]).unwrap();
    let expected = Summary {
        unchanged: 1,
        added: vec!["c/new.yaml".into()],
        changed: vec!["a/y.yaml".into()],
        removed: vec!["b/old/z.yaml".into()],
        foreign: Vec::new(),
    };
    assert_eq!(second, expected);
    assert_eq!(fs::metadata(unchanged).unwrap().modified().unwrap(), old);
    let keys: Vec<_> = look(root.path()).into_keys().collect();
    assert_eq!(
        keys,
        ["rendered", "rendered/a", "rendered/a/x.yaml", "rendered/a/y.yaml", "rendered/c", "rendered/c/new.yaml"]
    );
    assert_eq!(fs::read_to_string(root.path().join("rendered/a/y.yaml")).unwrap(), ours("2"));
}

#[test]
fn a_run_that_does_not_commit_leaves_no_trace() {
    let root = tempfile::tempdir().unwrap();
    let before = look(root.path());
    let output = Output::open(root.path(), "deep/rendered", "home", Mode::Write).unwrap();
    assert_eq!(output.stage("a/x.yaml", ours("1").as_bytes()).unwrap(), Change::Added);
    assert!(look(root.path()).keys().any(|path| path.contains(".hlgen-staging-")));
    drop(output);
    assert_eq!(look(root.path()), before);

    write(&root, &[("a/x.yaml", "1")]).unwrap();
    let before = look(root.path());
    let output = open(&root, Mode::Write);
    output.stage("a/x.yaml", ours("2").as_bytes()).unwrap();
    output.stage("b/y.yaml", ours("2").as_bytes()).unwrap();
    output.abort();
    assert_eq!(look(root.path()), before);
}

#[test]
fn what_a_killed_run_left_is_cleaned_up_and_a_living_run_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "rendered/.hlgen-staging-1/0", "half");
    put(root.path(), "rendered/.hlgen-staging-2/lock", "");
    put(root.path(), "rendered/.hlgen-staging-2/0", "half");
    let living = open(&root, Mode::Write);
    living.stage("a.yaml", ours("living").as_bytes()).unwrap();
    put(root.path(), "rendered/.hlgen-staging-3/0", "half");

    assert!(!open(&root, Mode::Check).commit(everything).unwrap().differs());
    assert!(root.path().join("rendered/.hlgen-staging-3").exists(), "check writes nothing");
    write(&root, &[("b.yaml", "second")]).unwrap();
    living.commit(|path| path == "a.yaml").unwrap();
    let keys: Vec<_> = look(root.path()).into_keys().collect();
    assert_eq!(keys, ["rendered", "rendered/a.yaml", "rendered/b.yaml"]);
}

#[test]
fn foreign_files_are_never_touched() {
    let root = tempfile::tempdir().unwrap();
    let line = marker::line("other", "x");
    put(root.path(), "rendered/a.yaml", "by hand\n");
    put(root.path(), "rendered/b.yaml", format!("{line}\n"));
    put(root.path(), "rendered/empty.yaml", "");
    put(root.path(), "rendered/notes.txt", "not in the way");
    put(root.path(), "rendered/.gitkeep", "");
    let before = look(root.path());
    let wanted = [("a.yaml", "1"), ("b.yaml", "1"), ("c.yaml", "1"), ("empty.yaml", "1")];
    let files = foreign(write(&root, &wanted));
    assert_eq!(
        files,
        [
            ("a.yaml".into(), Obstacle::File),
            ("b.yaml".into(), Obstacle::Project("other".into())),
            ("empty.yaml".into(), Obstacle::File)
        ]
    );
    assert_eq!(look(root.path()), before);

    let check = open(&root, Mode::Check);
    assert_eq!(check.stage("a.yaml", ours("1").as_bytes()).unwrap(), Change::Foreign);
    let summary = check.commit(everything).unwrap();
    assert!(summary.differs());
    assert_eq!(
        summary.foreign[0].finding("rendered").message,
        "`rendered/a.yaml` is in the way: a file that hlgen did not write"
    );
}

#[test]
fn only_the_selection_is_removed() {
    let root = tempfile::tempdir().unwrap();
    write(&root, &[("dev/web/values.yaml", "1"), ("prod/web/values.yaml", "1"), ("prod/db/values.yaml", "1")]).unwrap();
    fs::create_dir_all(root.path().join("rendered/dev/empty")).unwrap();
    fs::create_dir_all(root.path().join("rendered/prod/empty")).unwrap();
    let output = open(&root, Mode::Write);
    output.stage("prod/web/values.yaml", ours("1").as_bytes()).unwrap();
    let summary = output.commit(|path| path.starts_with("prod/")).unwrap();
    assert_eq!(summary.removed, ["prod/db/values.yaml"]);
    let keys: Vec<_> = look(&root.path().join("rendered")).into_keys().collect();
    assert_eq!(
        keys,
        ["dev", "dev/empty", "dev/web", "dev/web/values.yaml", "prod", "prod/web", "prod/web/values.yaml"]
    );
}

#[test]
fn links_are_neither_followed_nor_replaced() {
    let outside = tempfile::tempdir().unwrap();
    put(outside.path(), "target.yaml", ours("1"));
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("rendered/prod")).unwrap();
    symlink(outside.path(), root.path().join("rendered/linked")).unwrap();
    symlink(outside.path().join("target.yaml"), root.path().join("rendered/prod/values.yaml")).unwrap();
    let before = look(outside.path());
    let files =
        foreign(write(&root, &[("linked/target.yaml", "2"), ("linked/deeper/x.yaml", "2"), ("prod/values.yaml", "2")]));
    assert_eq!(files, [("linked".into(), Obstacle::Link), ("prod/values.yaml".into(), Obstacle::Link)]);
    write(&root, &[("prod/other.yaml", "1")]).unwrap();
    assert_eq!(look(outside.path()), before, "stale files are not looked for behind links");

    symlink(outside.path(), root.path().join("out")).unwrap();
    for below in ["out", "out/rendered"] {
        assert!(matches!(Output::open(root.path(), below, "home", Mode::Write), Err(WriteError::Link(_))), "{below}");
    }
    assert!(matches!(Output::open(root.path(), "../up", "home", Mode::Write), Err(WriteError::Path(_))));
}

#[test]
fn a_file_may_become_a_folder_and_a_folder_a_file() {
    let root = tempfile::tempdir().unwrap();
    write(&root, &[("a", "1"), ("b/c/d.yaml", "1"), ("b/c/e/f.yaml", "1")]).unwrap();
    write(&root, &[("a/x/y.yaml", "2"), ("b/c", "2")]).unwrap();
    assert_eq!(look(&root.path().join("rendered"))["a/x/y.yaml"], ours("2"));
    assert_eq!(look(&root.path().join("rendered"))["b/c"], ours("2"));

    // Not where somebody else's file would go with it, and not where the selection says no.
    put(root.path(), "rendered/a/x/mine.txt", "by hand");
    let before = look(root.path());
    assert_eq!(foreign(write(&root, &[("a/x", "3")])), [("a/x/mine.txt".into(), Obstacle::File)]);
    let output = open(&root, Mode::Write);
    output.stage("b/c/new.yaml", ours("3").as_bytes()).unwrap();
    assert_eq!(foreign(output.commit(|path| !path.starts_with("b/"))), [("b/c".into(), Obstacle::Unselected)]);
    assert_eq!(look(root.path()), before);
}

#[test]
fn two_staged_files_that_exclude_each_other_are_an_error() {
    let root = tempfile::tempdir().unwrap();
    assert!(matches!(write(&root, &[("a", "1"), ("a/b", "1")]), Err(WriteError::Clash(..))));
    assert!(matches!(write(&root, &[("a", "1"), ("a", "1")]), Err(WriteError::Twice(_))));
    for path in ["", "/x", "../x", "a/../x", ".git/config", "a/.hidden", "a\\b"] {
        assert!(matches!(write(&root, &[(path, "1")]), Err(WriteError::Path(_))), "{path:?}");
    }
    assert!(look(root.path()).is_empty());
}

#[test]
fn check_says_what_differs_and_writes_nothing() {
    let root = tempfile::tempdir().unwrap();
    write(&root, &[("a.yaml", "1"), ("b.yaml", "1"), ("c.yaml", "1")]).unwrap();
    let before = look(root.path());
    let output = open(&root, Mode::Check);
    assert_eq!(output.stage("a.yaml", ours("1").as_bytes()).unwrap(), Change::None);
    assert_eq!(output.stage("b.yaml", ours("2").as_bytes()).unwrap(), Change::Changed);
    assert_eq!(output.stage("d/e.yaml", ours("longer").as_bytes()).unwrap(), Change::Added);
    let plan = output.plan(everything).unwrap();
    assert_eq!(output.commit(everything).unwrap(), plan);
    assert_eq!(
        (plan.unchanged, plan.changed, plan.added, plan.removed),
        (1, vec!["b.yaml".into()], vec!["d/e.yaml".into()], vec!["c.yaml".into()])
    );
    assert_eq!(look(root.path()), before);
}

#[test]
fn threads_stage_side_by_side() {
    let root = tempfile::tempdir().unwrap();
    let run = |text: &str| {
        let output = open(&root, Mode::Write);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let output = &output;
                scope.spawn(move || {
                    for file in 0..50 {
                        output.stage(&format!("c{}/r{file}/{thread}.yaml", file % 5), ours(text).as_bytes()).unwrap();
                    }
                });
            }
        });
        output.commit(everything).unwrap()
    };
    assert_eq!(run("1").added.len(), 400);
    assert_eq!(run("1").unchanged, 400);
    assert_eq!(run("2").changed.len(), 400);
    assert_eq!(fs::read_dir(root.path().join("rendered")).unwrap().count(), 5);
}

#[test]
fn line_ends_that_git_changed_still_show_whose_file_it_is() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "rendered/a.yaml", ours("1").replace('\n', "\r\n"));
    put(root.path(), "rendered/stale.yaml", ours("1").replace('\n', "\r\n"));
    let summary = write(&root, &[("a.yaml", "1")]).unwrap();
    assert_eq!((summary.changed, summary.removed), (vec!["a.yaml".into()], vec!["stale.yaml".into()]));
}

#[test]
fn a_disk_that_refuses_is_an_error_with_the_path() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "rendered", "a file");
    let error = Output::open(root.path(), "rendered", "home", Mode::Write).unwrap_err();
    assert!(error.to_string().contains("rendered"), "{error}");

    let root = tempfile::tempdir().unwrap();
    write(&root, &[("a.yaml", "1")]).unwrap();
    let folder = root.path().join("rendered");
    fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    let result = write(&root, &[("a.yaml", "2")]);
    let may_write_anything = fs::write(folder.join("probe"), "").is_ok();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    if may_write_anything {
        eprintln!("skipped: this user may write into every folder");
        return;
    }
    assert!(matches!(result, Err(WriteError::Io { action: "create", .. })), "{result:?}");
    assert_eq!(fs::read_to_string(folder.join("a.yaml")).unwrap(), ours("1"));
}
