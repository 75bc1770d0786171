//! What is pushed, and what is left as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::project::{Project, fsck, listing, ok, tip};
use super::support::case::tree;
use super::support::git_server::{GitServer, TOKEN, git};

/// Text of a file in a branch.
fn show(repository: &std::path::Path, path: &str) -> String {
    git(repository, &["show", &format!("main:{path}")])
}

#[test]
fn the_first_commit_holds_what_render_writes() {
    let Some(server) = GitServer::start() else { return };
    let repository = server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    let source = git(project.root(), &["rev-parse", "HEAD"]);

    let empty = project.publish(&[]);
    assert_eq!(empty.code, 2, "{empty:?}");
    assert!(empty.stderr.contains("the repository is empty; `--init` makes the first commit"), "{}", empty.stderr);
    assert_eq!(git(&repository, &["for-each-ref"]), "");

    ok(&project.publish(&["--init"]));
    fsck(&repository);
    ok(&project.case.run(&["render", "--out", "rendered"]));
    let rendered = tree(&project.case.path("rendered"));
    assert!(rendered.len() >= 5);
    let paths: Vec<String> =
        git(&repository, &["ls-tree", "-r", "--name-only", "main"]).lines().map(str::to_owned).collect();
    let expected: Vec<String> = rendered.keys().map(|path| format!("rendered/{path}")).collect();
    assert_eq!(paths, expected);
    for (path, content) in &rendered {
        assert_eq!(show(&repository, &format!("rendered/{path}")), String::from_utf8_lossy(content).trim_end());
    }

    let trailers = git(&repository, &["log", "-1", "--format=%(trailers:unfold)", "main"]);
    assert!(
        trailers.contains("Hlgen-Project: test") && trailers.contains(&format!("Hlgen-Source-Commit: {source}")),
        "{trailers}"
    );
    let message = git(&repository, &["log", "-1", "--format=%B", "main"]);
    assert!(message.starts_with("Publish test: 2 added\n\nAdded:\n- dev/db\n- dev/web\n"), "{message}");
    let times = git(&repository, &["log", "-1", "--format=%an <%ae> %at %ct", "main"]);
    let time = git(project.root(), &["log", "-1", "--format=%ct"]);
    assert_eq!(times, format!("hlgen <hlgen@noreply.invalid> {time} {time}"));
    assert_eq!(project.leftovers(), Vec::<String>::new());
}

#[test]
fn nothing_changed_makes_no_commit_and_the_same_source_makes_the_same_commit() {
    let Some(server) = GitServer::start() else { return };
    let (one, two) = (server.repository("one"), server.repository("two"));
    let project = Project::new(&server.url("one"));
    ok(&project.publish(&["--init"]));
    let first = tip(&one, "main");
    let again = project.publish(&[]);
    ok(&again);
    assert!(again.stderr.contains("has it already, nothing pushed"), "{}", again.stderr);
    assert_eq!(tip(&one, "main"), first);

    let text = project.case.read("hlgen.yaml");
    let push_url = format!("  repoURL: {}\n  pushURL: {}\n", server.url("one"), server.url("two"));
    let with_push_url = text.replace(&format!("  repoURL: {}\n", server.url("one")), &push_url);
    project.case.write("hlgen.yaml", with_push_url.as_bytes());
    project.commit("another place to push to");
    ok(&project.publish(&["--init"]));
    assert_eq!(git(&two, &["rev-parse", "main^{tree}"]), git(&one, &["rev-parse", "main^{tree}"]));
    let second = tip(&two, "main");
    git(&two, &["update-ref", "-d", "refs/heads/main"]);
    ok(&project.publish(&["--init"]));
    assert_eq!(tip(&two, "main"), second, "the same source makes the same commit");
}

#[test]
fn what_others_keep_there_is_carried_over_by_mode_and_content() {
    let Some(server) = GitServer::start() else { return };
    let repository = server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    ok(&project.publish(&["--init"]));

    let clone = tempfile::tempdir().unwrap();
    git(clone.path(), &["clone", "-q", &server.url_with_token("homelab"), "."]);
    let at = |path: &str| clone.path().join(path);
    fs::create_dir_all(at("scripts/deep")).unwrap();
    fs::write(at("scripts/deep/run.sh"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(at("scripts/deep/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("scripts/deep/run.sh", at("run")).unwrap();
    fs::write(at("rendered/notes.md"), "mine\n").unwrap();
    fs::write(at("rendered/dev/web/by-hand.yaml"), "a: 1\n").unwrap();
    fs::write(at("rendered/dev/.hidden"), "x").unwrap();
    let other = "# Written by hlgen for project other: dev/web values. Edits are overwritten.\na: 1\n";
    fs::write(at("rendered/dev/other.yaml"), other).unwrap();
    fs::write(at("binary"), [0_u8, 159, 146, 150]).unwrap();
    git(clone.path(), &["add", "-A"]);
    // A submodule is an entry of its own kind; its commit need not be there.
    let commit = tip(&repository, "main");
    git(clone.path(), &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor/module")]);
    git(clone.path(), &["commit", "-q", "-m", "by hand"]);
    git(clone.path(), &["push", "-q", "origin", "HEAD:main"]);
    let before = listing(&repository, "main");

    // One app changes, one goes: its files go, and nothing else does.
    project.case.write("catalog/web/values.yaml", b"replicas: 2\n");
    project.apps(&["web: { version: 1.1.0 }"]);
    project.commit("second");
    ok(&project.publish(&[]));
    fsck(&repository);
    let after = listing(&repository, "main");
    let is_rendered = |line: &&str| {
        line.contains("\trendered/")
            && !["notes.md", "by-hand", "hidden", "other"].iter().any(|name| line.contains(name))
    };
    let others = |text: &str| text.lines().filter(|line| !is_rendered(line)).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(others(&before), others(&after));
    assert_eq!(others(&after).len(), 8, "{after}");
    assert!(
        after.contains("160000 commit") && after.contains("120000 blob") && after.contains("100755 blob"),
        "{after}"
    );
    assert!(!after.contains("rendered/dev/db/"), "{after}");
    let message = git(&repository, &["log", "-1", "--format=%B", "main"]);
    assert!(
        message.contains("Removed:\n- dev/db\n") && message.contains("Versions:\n- dev/web: 1.0.0 -> 1.1.0\n"),
        "{message}"
    );
    assert_eq!(git(&repository, &["rev-list", "--count", "main"]), "3", "one commit on top of two");
}

#[test]
fn a_dry_run_says_what_would_be_pushed_and_pushes_nothing() {
    let Some(server) = GitServer::start() else { return };
    let repository = server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    let dry = project.publish(&["--init", "--dry-run"]);
    ok(&dry);
    assert!(dry.stdout.starts_with("Publish test: 2 added\n"), "{}", dry.stdout);
    assert!(dry.stdout.contains("\nadded dev/web/values.yaml\n"), "{}", dry.stdout);
    assert!(dry.stderr.contains("would push"), "{}", dry.stderr);
    assert_eq!(git(&repository, &["for-each-ref"]), "");
    let json = project.publish(&["--init", "--dry-run", "--format", "json"]);
    let value: serde_json::Value =
        serde_json::from_str(&json.stdout).unwrap_or_else(|error| panic!("{error}: {json:?}"));
    assert_eq!(value[0]["state"], "would-push");
}

#[test]
fn a_token_from_a_file_and_a_tree_that_differs_from_its_commit() {
    let Some(server) = GitServer::start() else { return };
    let repository = server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    let token = tempfile::NamedTempFile::new().unwrap();
    fs::write(token.path(), format!("{TOKEN}\n")).unwrap();
    project.case.write("catalog/web/values.yaml", b"replicas: 3\n");
    let outcome = project.publish_with(&["--init", "--token-file", token.path().to_str().unwrap()], &[]);
    ok(&outcome);
    assert!(outcome.stderr.contains("the working tree is published"), "{}", outcome.stderr);
    let trailers = git(&repository, &["log", "-1", "--format=%(trailers)", "main"]);
    assert!(trailers.contains("Hlgen-Source-Modified: true"), "{trailers}");
    assert!(show(&repository, "rendered/dev/web/values.yaml").contains("replicas: 3"));
}

#[test]
fn a_local_chart_travels_along_and_goes_with_its_last_release() {
    let Some(server) = GitServer::start() else { return };
    let repository = server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    let app = "apiVersion: hlgen.dev/v1\nkind: App\ndescription: Own\nnamespace: own\nchart: { path: charts/own }\n";
    project.case.write("catalog/own/app.yaml", app.as_bytes());
    project.case.write("charts/own/Chart.yaml", b"apiVersion: v2\nname: own\nversion: 1.0.0\n");
    project.case.write("charts/own/templates/config.yaml", b"kind: ConfigMap\n");
    project.apps(&["web", "db", "own"]);
    project.commit("a chart");
    ok(&project.publish(&["--init"]));
    assert_eq!(show(&repository, "charts/own/templates/config.yaml"), "kind: ConfigMap");
    assert!(
        show(&repository, "charts/own/.hlgen").starts_with("# Written by hlgen for project test: chart charts/own.")
    );
    fs::remove_file(project.case.path("charts/own/templates/config.yaml")).unwrap();
    project.commit("less of it");
    ok(&project.publish(&[]));
    assert!(!listing(&repository, "main").contains("config.yaml"));
    project.apps(&["web", "db"]);
    project.commit("none of it");
    ok(&project.publish(&[]));
    assert!(!listing(&repository, "main").contains("charts/"));
    fsck(&repository);
}

#[test]
fn a_local_repository_needs_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("homelab.git");
    git(folder.path(), &["init", "-q", "--bare", "--initial-branch=main", "homelab.git"]);
    let project = Project::new(&format!("file://{}", repository.display()));
    ok(&project.publish_with(&["--init"], &[]));
    project.case.write("catalog/web/values.yaml", b"replicas: 2\n");
    project.commit("second");
    ok(&project.publish_with(&[], &[]));
    fsck(&repository);
    assert_eq!(git(&repository, &["rev-list", "--count", "main"]), "2");
}
