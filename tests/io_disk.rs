//! Reading a repository that may be hostile: nothing outside the root, nothing but regular files, nothing endless.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests put files on the disk")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use hlgen::io::disk::DiskLimits;
use hlgen::io::{Disk, Refusal, Source};
use hlgen::source::budget::{Budget, Exceeded, Meter, Resource};
use tempfile::TempDir;

fn repository(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in files {
        put(root.path(), path, content);
    }
    root
}

fn put(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn refusal(disk: &Disk, path: &str) -> Refusal {
    disk.read(path).unwrap_err().refusal
}

#[test]
fn reads_and_lists_what_is_there() {
    let root = repository(&[
        ("hlgen.yaml", "project"),
        ("catalog/b/app.yaml", "b"),
        ("catalog/b-2/app.yaml", "b2"),
        ("catalog/b/manifests/x.yaml", "x"),
        ("catalog/.hidden/app.yaml", "no"),
        ("catalog/b/.swp", "no"),
        ("rendered/argocd/root.yaml", "no"),
        (".git/config", "token"),
    ]);
    let disk = Disk::open(root.path()).unwrap();
    assert_eq!(disk.list("catalog"), ["catalog/b-2/app.yaml", "catalog/b/app.yaml", "catalog/b/manifests/x.yaml"]);
    assert_eq!(disk.list("catalog/b"), ["catalog/b/app.yaml", "catalog/b/manifests/x.yaml"]);
    assert_eq!(disk.list("").len(), 4);
    assert_eq!(disk.read("hlgen.yaml").unwrap().unwrap().as_ref(), b"project");
    assert_eq!(disk.read("catalog/b/app.yaml").unwrap().unwrap().as_ref(), b"b");
    for absent in [
        "no.yaml",
        "no/such/file",
        "catalog",
        "catalog/b",
        "catalog/b/values.yaml",
        ".git/config",
        "rendered/argocd/root.yaml",
    ] {
        assert_eq!(disk.read(absent), Ok(None), "{absent}");
    }
    assert!(disk.list("nowhere").is_empty() && disk.list("../x").is_empty() && disk.list(".git").is_empty());
    assert!(disk.problems().is_empty());
}

#[test]
fn no_path_and_no_link_leads_out() {
    let outside = repository(&[("secret", "s"), ("dir/secret", "s")]);
    let root = repository(&[("environments/all/values.yaml", "v"), (".git/config", "token"), ("shared/x.yaml", "x")]);
    let at = |path: &str| root.path().join(path);
    symlink(outside.path().join("secret"), at("environments/all/out.yaml")).unwrap();
    symlink("../../.git/config", at("environments/all/token.yaml")).unwrap();
    symlink("nowhere", at("environments/all/broken.yaml")).unwrap();
    symlink("loop.yaml", at("environments/all/loop.yaml")).unwrap();
    symlink("../../shared/x.yaml", at("environments/all/inside.yaml")).unwrap();
    symlink("../shared", at("environments/folder")).unwrap();
    symlink(outside.path().join("dir"), at("environments/away")).unwrap();
    symlink(outside.path().join("dir"), at("catalog")).unwrap();
    symlink(outside.path().join("secret"), at("hlgen.yaml")).unwrap();

    let disk = Disk::open(root.path()).unwrap();
    for path in ["/etc/passwd", "../secret", "environments/../../secret", "environments//all/values.yaml"] {
        assert_eq!(refusal(&disk, path), Refusal::Path, "{path}");
    }
    for path in [
        "environments/all/out.yaml",
        "environments/all/token.yaml",
        "environments/all/broken.yaml",
        "environments/all/loop.yaml",
        "environments/away/secret",
        "hlgen.yaml",
    ] {
        assert_eq!(refusal(&disk, path), Refusal::LinkOut, "{path}");
    }
    assert_eq!(refusal(&disk, "environments/folder/x.yaml"), Refusal::LinkToFolder);
    assert_eq!(disk.read("environments/all/inside.yaml").unwrap().unwrap().as_ref(), b"x");
    assert!(disk.list("catalog").iter().all(|path| disk.read(path).is_err()));
    assert!(disk.read("catalog/secret").is_err());
    assert!(disk.list("environments").iter().any(|path| path == "environments/all/out.yaml"), "refused files are seen");
    assert_eq!(disk.problems().len(), 7, "{:#?}", disk.problems());
}

#[test]
fn pipes_and_sockets_are_not_opened() {
    let root = repository(&[("catalog/a/app.yaml", "a")]);
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("catalog/a/values.yaml")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(root.path().join("catalog/a/pipe.yaml")).status();
    let disk = Disk::open(root.path()).unwrap();
    assert_eq!(refusal(&disk, "catalog/a/values.yaml"), Refusal::Special);
    if made.is_ok_and(|status| status.success()) {
        assert_eq!(refusal(&disk, "catalog/a/pipe.yaml"), Refusal::Special);
    } else {
        assert!(std::env::var_os("HLGEN_REQUIRE_TOOLS").is_none(), "mkfifo not found");
        eprintln!("skipped: mkfifo not found");
    }
}

#[test]
fn size_is_bounded_without_reading() {
    let root = repository(&[("catalog/a/app.yaml", "12345678")]);
    let sparse = fs::File::create(root.path().join("catalog/a/huge.yaml")).unwrap();
    sparse.set_len(10 << 30).unwrap();
    let disk = Disk::open(root.path()).unwrap();
    assert_eq!(refusal(&disk, "catalog/a/huge.yaml"), Refusal::TooLarge(4 << 20));

    let limits = |bytes| DiskLimits { bytes, ..DiskLimits::default() };
    let disk = Disk::open(root.path()).unwrap().with_limits(limits(8));
    assert!(disk.read("catalog/a/app.yaml").is_ok());
    let disk = Disk::open(root.path()).unwrap().with_limits(limits(7));
    assert_eq!(refusal(&disk, "catalog/a/app.yaml"), Refusal::TooLarge(7));
}

#[test]
fn the_number_and_depth_of_files_are_bounded() {
    let root = repository(&[("many/1", ""), ("many/2", ""), ("many/3", ""), ("few/1", ""), ("deep/a/b/c/d", "")]);
    let meter = || Arc::new(Meter::new(Budget { entries: 3, ..Budget::default() }));
    let exceeded = Refusal::Budget(Exceeded { resource: Resource::Entries, bound: 3 });
    let disk = Disk::open(root.path()).unwrap().metered(meter());
    assert!(disk.list("many").is_empty());
    assert_eq!(refusal(&disk, "many/1"), exceeded);
    assert!(disk.list("few").is_empty(), "the bound is one of all folders together");
    assert!(disk.problems().iter().all(|problem| problem.refusal == exceeded));
    assert_eq!(Disk::open(root.path()).unwrap().metered(meter()).list("few"), ["few/1"]);

    let disk = Disk::open(root.path()).unwrap().with_limits(DiskLimits { depth: 2, ..DiskLimits::default() });
    assert!(disk.list("deep").is_empty());
    assert_eq!(disk.problems()[0].refusal, Refusal::TooDeep(2));
}

#[test]
fn hostile_names_are_problems_and_nothing_more() {
    use std::os::unix::ffi::OsStrExt;
    let root =
        repository(&[("catalog/a/app.yaml", "a"), ("catalog/a/new\nline.yaml", ""), ("catalog/\u{1b}[2J/x", "")]);
    let name = std::ffi::OsStr::from_bytes(b"bad\xff.yaml");
    let raw = fs::write(root.path().join("catalog/a").join(name), "").is_ok();
    let disk = Disk::open(root.path()).unwrap();
    assert_eq!(disk.list("catalog"), ["catalog/a/app.yaml"]);
    let problems = disk.problems();
    assert!(problems.len() >= 2 + usize::from(raw), "{problems:#?}");
    for problem in problems {
        assert_eq!(problem.refusal, Refusal::Name);
        assert!(!problem.to_string().chars().any(char::is_control), "{problem}");
    }
}

#[test]
fn folders_that_cannot_be_listed_are_problems() {
    use std::os::unix::fs::PermissionsExt;
    let root = repository(&[("catalog/a/app.yaml", "a"), ("catalog/locked/app.yaml", "b")]);
    let locked = root.path().join("catalog/locked");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let disk = Disk::open(root.path()).unwrap();
    let files = disk.list("catalog");
    let may_read_anything = fs::read_dir(&locked).is_ok();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    if may_read_anything {
        eprintln!("skipped: this user may read every folder");
        return;
    }
    assert_eq!(files, ["catalog/a/app.yaml"]);
    assert!(matches!(disk.problems()[0].refusal, Refusal::Io(_)));
}

#[test]
fn many_threads_see_one_walk() {
    let root = repository(&[("catalog/a/app.yaml", "a"), ("environments/x/environment.yaml", "x")]);
    let disk = Disk::open(root.path()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert_eq!(disk.list("catalog").len(), 1);
                assert!(disk.read("environments/x/environment.yaml").unwrap().is_some());
            });
        }
    });
    put(root.path(), "catalog/b/app.yaml", "late");
    assert_eq!(disk.list("catalog").len(), 1, "a source answers the same for as long as it lives");
}
