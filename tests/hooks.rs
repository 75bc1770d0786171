//! Hooks before a commit: with the real pre-commit, and with Git's own.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests write and read their own folders")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::case::Case;
use support::git_server::{git, git_command};
use support::tool;

const GOOD: &str = "replicas: 1\n";
const BAD: &str = "replicas: 1\nreplicas: 2\n";
const VALUES: &str = "catalog/web/values.yaml";

/// A project in a Git repository, below `folder` of it.
fn project(folder: &str) -> Case {
    let at = |path: &str| if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") };
    let case = Case::new()
        .file(
            &at("hlgen.yaml"),
            "apiVersion: hlgen.dev/v1\nkind: Project\nname: test\ngit: { repoURL: https://git.example.com/ops/test.git }\n",
        )
        .file(
            &at("catalog/web/app.yaml"),
            "apiVersion: hlgen.dev/v1\nkind: App\ndescription: An app\nnamespace: web\n\
             chart: { repository: https://charts.example.com, name: web, version: 1.0.0 }\n",
        )
        .file(&at(VALUES), GOOD)
        .file(
            &at("environments/dev/environment.yaml"),
            "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\nprovider: kind\napps:\n  web: {}\n",
        )
        .file("README.md", "about\n");
    git(case.root(), &["init", "-q"]);
    git(case.root(), &["add", "-A"]);
    git(case.root(), &["commit", "-q", "-m", "first"]);
    case
}

/// Git with hlgen on the PATH.
fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = git_command(folder, arguments);
    command.env("PATH", path()).envs(variables.iter().copied()).output().unwrap()
}

fn path() -> String {
    let hlgen = PathBuf::from(env!("CARGO_BIN_EXE_hlgen"));
    format!("{}:{}", hlgen.parent().unwrap().display(), std::env::var("PATH").unwrap())
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn commits(folder: &Path) -> usize {
    git(folder, &["rev-list", "--count", "HEAD"]).parse().unwrap()
}

#[test]
fn the_hook_checks_what_is_staged_and_not_what_lies_around() {
    let case = project("");
    let installed = case.run(&["hook", "install"]);
    assert_eq!(
        (installed.code, installed.stderr.as_str()),
        (0, "the pre-commit hook is installed; it runs `hlgen validate --staged`\n")
    );
    let again = case.run(&["hook", "install"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, "the pre-commit hook is there already\n"));
    let commit = |arguments: &[&str]| run(case.root(), &[&["commit", "-m", "x"], arguments].concat(), &[]);

    // Bad and staged, good on disk: refused.
    case.write(VALUES, BAD.as_bytes());
    git(case.root(), &["add", "-A"]);
    case.write(VALUES, GOOD.as_bytes());
    let output = commit(&[]);
    assert!(!output.status.success() && said(&output).contains("yaml/duplicate-key"), "{}", said(&output));
    assert_eq!(commits(case.root()), 1);

    // Good and staged, bad on disk: taken.
    case.write(VALUES, b"replicas: 5\n");
    git(case.root(), &["add", "-A"]);
    case.write(VALUES, BAD.as_bytes());
    let output = commit(&[]);
    assert!(output.status.success(), "{}", said(&output));

    // `commit -a` and a commit of some paths have an index of their own, which Git names.
    let output = commit(&["-a"]);
    assert!(!output.status.success() && said(&output).contains("yaml/duplicate-key"), "{}", said(&output));
    case.write("README.md", b"more\n");
    let output = commit(&["--", "README.md"]);
    assert!(output.status.success(), "{}", said(&output));
    let output = commit(&["--", VALUES]);
    assert!(!output.status.success(), "{}", said(&output));
    assert_eq!(commits(case.root()), 3);

    // Without hlgen the commit is refused with what to do.
    let output = git_command(case.root(), &["commit", "-m", "x", "--allow-empty"])
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert!(!output.status.success() && said(&output).contains("hlgen is not on the PATH"), "{}", said(&output));

    let removed = case.run(&["hook", "install", "--uninstall"]);
    assert_eq!((removed.code, removed.stderr.as_str()), (0, "the pre-commit hook is removed\n"));
    assert!(commit(&["-a"]).status.success());
    assert_eq!(case.run(&["hook", "install", "--uninstall"]).stderr, "there is no pre-commit hook\n");
}

#[test]
fn a_project_in_a_folder_and_a_second_work_tree() {
    let case = project("infra/it's here");
    let inner = case.path("infra/it's here");
    let installed =
        Command::new(env!("CARGO_BIN_EXE_hlgen")).args(["hook", "install"]).current_dir(&inner).output().unwrap();
    assert!(installed.status.success(), "{}", said(&installed));
    fs::write(inner.join(VALUES), BAD).unwrap();
    let output = run(case.root(), &["commit", "-qam", "x"], &[]);
    assert!(!output.status.success() && said(&output).contains("yaml/duplicate-key"), "{}", said(&output));
    fs::write(inner.join(VALUES), GOOD).unwrap();

    let second = tempfile::tempdir().unwrap();
    let tree = second.path().join("tree");
    git(case.root(), &["worktree", "add", "-q", tree.to_str().unwrap()]);
    fs::write(tree.join("infra/it's here").join(VALUES), BAD).unwrap();
    let output = run(&tree, &["commit", "-qam", "x"], &[]);
    assert!(!output.status.success() && said(&output).contains("yaml/duplicate-key"), "{}", said(&output));
    fs::write(tree.join("infra/it's here").join(VALUES), "replicas: 7\n").unwrap();
    let output = run(&tree, &["commit", "-qam", "x"], &[]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn hooks_of_others_are_left_alone() {
    let case = project("");
    let own = "#!/bin/sh\nexit 0\n";
    fs::write(case.path(".git/hooks/pre-commit"), own).unwrap();
    for (arguments, words) in [
        (&["hook", "install"][..], "hlgen validate --staged || exit 1"),
        (&["hook", "install", "--uninstall"], "nothing was removed"),
    ] {
        let outcome = case.run(arguments);
        assert_eq!(outcome.code, 1, "{outcome:?}");
        assert!(
            outcome.stderr.contains("that hlgen did not write") && outcome.stderr.contains(words),
            "{}",
            outcome.stderr
        );
        assert_eq!(case.read(".git/hooks/pre-commit"), own);
    }
    // A link to one of ours is somebody's link.
    fs::remove_file(case.path(".git/hooks/pre-commit")).unwrap();
    std::os::unix::fs::symlink("../../README.md", case.path(".git/hooks/pre-commit")).unwrap();
    assert_eq!(case.run(&["hook", "install"]).code, 1);
    assert_eq!(case.read("README.md"), "about\n");

    // Where Git is told to look elsewhere: a folder of this repository, or one that others share.
    git(case.root(), &["config", "core.hooksPath", ".githooks"]);
    assert_eq!(case.run(&["hook", "install"]).code, 0);
    assert!(case.read(".githooks/pre-commit").contains("validate --staged"));
    case.write(VALUES, BAD.as_bytes());
    assert!(!run(case.root(), &["commit", "-qam", "x"], &[]).status.success());
    let elsewhere = tempfile::tempdir().unwrap();
    git(case.root(), &["config", "core.hooksPath", elsewhere.path().to_str().unwrap()]);
    let outcome = case.run(&["hook", "install"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("whose hooks run for others too"), "{}", outcome.stderr);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);

    let nowhere = Case::project();
    let outcome = nowhere.run(&["hook", "install"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (2, "error: this folder is in no Git repository\n"));
}

/// The hooks of this repository as a repository of their own: cloned by pre-commit as anybody's would be. The ids that
/// run the hlgen on the PATH are used; the others differ in how hlgen gets there, by compiling it.
fn hook_repository(folder: &Path) -> String {
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    fs::copy(hooks, folder.join(".pre-commit-hooks.yaml")).unwrap();
    git(folder, &["init", "-q"]);
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "hooks"]);
    git(folder, &["rev-parse", "HEAD"])
}

#[test]
fn pre_commit_runs_the_hooks_where_they_matter() {
    let Some(pre_commit) = tool("pre-commit") else { return };
    let (hooks, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let revision = hook_repository(hooks.path());
    let valid = Command::new(&pre_commit)
        .args(["validate-manifest", ".pre-commit-hooks.yaml"])
        .current_dir(hooks.path())
        .output()
        .unwrap();
    assert!(valid.status.success(), "{}", said(&valid));

    let case = project("");
    let config = format!(
        "repos:\n  - repo: {}\n    rev: {revision}\n    hooks:\n      - id: hlgen-validate-system\n      - id: hlgen-render-system\n",
        hooks.path().display()
    );
    case.write(".pre-commit-config.yaml", config.as_bytes());
    let variables = [("PRE_COMMIT_HOME", home.path().to_str().unwrap())];
    let install = Command::new(&pre_commit)
        .args(["install"])
        .current_dir(case.root())
        .envs(variables)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(install.status.success(), "{}", said(&install));
    let commit = |message: &str| {
        let output = run(case.root(), &["commit", "-m", message], &variables);
        (output.status.success(), said(&output))
    };

    // Nothing that matters: skipped.
    git(case.root(), &["add", ".pre-commit-config.yaml"]);
    let (ok, text) = commit("configuration");
    assert!(
        ok && text.contains("no files to check") && !text.contains("Passed") && !text.contains("WARNING"),
        "{text}"
    );

    // A mistake: found by the one, and the other writes nothing. What is not staged does not count.
    case.write(VALUES, BAD.as_bytes());
    git(case.root(), &["add", "-A"]);
    let (ok, text) = commit("bad");
    assert!(!ok && text.contains("yaml/duplicate-key") && text.matches("Failed").count() == 2, "{text}");
    case.write(VALUES, b"replicas: 4\n");
    git(case.root(), &["add", "-A"]);
    case.write(VALUES, BAD.as_bytes());

    // The fixer writes and fails; with what it wrote staged, the commit is taken.
    let (ok, text) = commit("good");
    assert!(!ok && text.matches("Failed").count() == 1 && text.matches("Passed").count() == 1, "{text}");
    assert!(case.read("rendered/dev/web/values.yaml").contains("replicas: 4"));
    assert_eq!(case.read(VALUES), BAD, "what was not staged is back");
    git(case.root(), &["add", "rendered"]);
    let (ok, text) = commit("good");
    assert!(ok && text.matches("Passed").count() == 2, "{text}");

    // An edit by hand of what hlgen wrote is put right.
    git(case.root(), &["checkout", "-q", "--", "."]);
    let rendered = case.read("rendered/dev/web/values.yaml");
    case.write("rendered/dev/web/values.yaml", rendered.replace('4', "9").as_bytes());
    git(case.root(), &["add", "-A"]);
    let (ok, text) = commit("by hand");
    assert!(!ok && text.contains("files were modified by this hook"), "{text}");
    assert_eq!(case.read("rendered/dev/web/values.yaml"), rendered);
}

/// The examples of `docs/ci.md`: YAML for two readers, and commands that hlgen takes.
#[test]
fn examples_for_ci_are_valid() {
    use clap::CommandFactory as _;
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md")).unwrap();
    let blocks: Vec<&str> = text.split("```yaml").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 4);
    let mut commands = 0;
    for block in blocks {
        let (head, yaml) = block.split_once('\n').unwrap();
        let value: serde_yaml::Value = serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{head}: {error}"));
        assert!(value.is_mapping(), "{head}");
        let mut findings = Vec::new();
        hlgen::yaml::parse(&yaml.into(), hlgen::diag::FileId(0), &hlgen::yaml::Limits::default(), &mut findings);
        // That `on` is a boolean to YAML 1.1 is as true as it is known of these files.
        findings.retain(|finding| finding.code != hlgen::diag::Code::YamlAmbiguousScalar);
        assert!(findings.is_empty(), "{head}: {findings:?}");
        for line in yaml.lines().filter(|line| line.contains("hlgen validate") || line.contains("hlgen publish")) {
            let from = line.find("hlgen ").unwrap();
            let words = line[from..].split_whitespace().take_while(|word| !word.starts_with("${"));
            hlgen::cli::Cli::command().try_get_matches_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
            commands += 1;
        }
        if head.contains(".pre-commit-config.yaml") {
            let hooks =
                fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml")).unwrap();
            for id in yaml.lines().filter_map(|line| line.trim().strip_prefix("- id: ")) {
                let id = id.split_whitespace().next().unwrap();
                assert!(hooks.contains(&format!("- id: {id}\n")), "{id}");
            }
            if let Some(pre_commit) = tool("pre-commit") {
                let file = tempfile::NamedTempFile::new().unwrap();
                fs::write(file.path(), yaml).unwrap();
                let output = Command::new(pre_commit).arg("validate-config").arg(file.path()).output().unwrap();
                assert!(output.status.success(), "{}", said(&output));
            }
        }
    }
    assert_eq!(commands, 5);
}
