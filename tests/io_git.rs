//! A revision shows what the disk would show if it were checked out.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make repositories")]

use std::path::Path;
use std::process::Command;

use hlgen::io::git::{GitError, Repository, WorkTree};
use hlgen::io::{Disk, Refusal, Source};

fn git(folder: &Path, arguments: &[&str]) {
    let who = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    let done = Command::new("git").current_dir(folder).args(who).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn made(prefix: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join(prefix);
    let write = |path: &str, text: &str| {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), text).unwrap();
    };
    write("hlgen.yaml", "a");
    write("catalog/x/values.yaml", "b");
    write("catalog/x/.hidden", "c");
    write("rendered/x.yaml", "d");
    write("catalog/x/large.yaml", &"x".repeat(5 << 20));
    for (link, target) in [
        ("inside", "values.yaml"),
        ("chain", "inside"),
        ("out", "../../../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("folder", "../x"),
        ("hidden", ".hidden"),
        ("nowhere", "nothing"),
        ("itself", "itself"),
        ("through", "../../catalog/x/values.yaml"),
    ] {
        std::os::unix::fs::symlink(target, root.join("catalog/x").join(link)).unwrap();
    }
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "-f", "."]);
    git(folder.path(), &["commit", "-q", "-m", "one"]);
    folder
}

#[test]
fn a_revision_is_read_as_the_disk_is() {
    for prefix in ["", "ops/cluster"] {
        let folder = made(prefix);
        let root = folder.path().join(prefix);
        let repository = Repository::open(&root).unwrap();
        let tree = repository.tree(repository.head().unwrap()).unwrap();
        let disk = WorkTree::new(Disk::open(&root).unwrap());
        assert_eq!(tree.list(""), disk.list(""));
        assert_eq!(tree.list("catalog/x"), disk.list("catalog/x"));
        assert_eq!(tree.problems(), disk.problems());
        for path in disk.list("").iter().map(String::as_str).chain([
            "rendered/x.yaml",
            "catalog/x/.hidden",
            "catalog/x/folder/values.yaml",
            "../up",
            "none",
        ]) {
            assert_eq!(tree.read(path), disk.read(path), "{path}");
            if matches!(disk.read(path), Ok(Some(_))) {
                assert!(tree.content_id(path).is_some());
                assert_eq!(tree.content_id(path), disk.content_id(path), "{path}");
            }
        }
    }
}

#[test]
fn pointers_and_submodules_are_not_taken_for_files() {
    let folder = made("");
    std::fs::write(
        folder.path().join("catalog/x/lfs.yaml"),
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    )
    .unwrap();
    git(folder.path(), &["add", "."]);
    git(
        folder.path(),
        &["update-index", "--add", "--cacheinfo", "160000,1111111111111111111111111111111111111111,catalog/sub"],
    );
    git(folder.path(), &["commit", "-q", "-m", "two"]);
    let repository = Repository::open(folder.path()).unwrap();
    let tree = repository.tree(repository.resolve("HEAD").unwrap()).unwrap();
    assert_eq!(tree.read("catalog/x/lfs.yaml").unwrap_err().refusal, Refusal::Elsewhere);
    assert!(!tree.list("catalog").iter().any(|path| path.contains("sub")));
}

#[test]
fn revisions_are_found_or_named_in_an_error() {
    let folder = made("");
    let repository = Repository::open(folder.path()).unwrap();
    let first = repository.head().unwrap();
    git(folder.path(), &["checkout", "-q", "-b", "feature"]);
    git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "two"]);
    let second = repository.head().unwrap();
    assert_eq!(repository.merge_base(first, second).unwrap(), Some(first));
    assert_eq!(repository.default_branch(None).unwrap(), ("main".to_owned(), first));
    for revision in ["nowhere", "HEAD:hlgen.yaml", "--help", ""] {
        assert!(matches!(repository.resolve(revision), Err(GitError::NoRevision(_))), "{revision}");
    }
    git(folder.path(), &["checkout", "-q", "--orphan", "other"]);
    git(folder.path(), &["commit", "-q", "-m", "three"]);
    assert_eq!(repository.merge_base(first, repository.head().unwrap()).unwrap(), None);
    assert!(matches!(Repository::open(tempfile::tempdir().unwrap().path()), Err(GitError::NoRepository)));
}
