//! `init`: what it writes can be rendered, edited and kept up to date; what is there stays.

use std::path::Path;

use hlgen::diag::Level;
use hlgen::ops::evaluate::Selection;
use hlgen::ops::init::{built_in, compose};
use hlgen::ops::render::{Delivery, Target, render};
use hlgen::ops::workspace::Workspace;
use hlgen::scaffold::NewFile;
use hlgen::scaffold::project::{Answers, Layout, RENOVATE};
use hlgen::source::Memory;
use regex::Regex;
use serde_json::Value;

use super::support::case::Case;
use super::support::git_server::git;
use super::support::tool;
use super::{answers, own};

const FLAGS: &[&str] = &["init", "--repo-url", "https://git.example.com/ops/homelab.git", "--name", "homelab"];

fn with(extra: &[&'static str]) -> Vec<&'static str> {
    FLAGS.iter().chain(extra).copied().collect()
}

fn text<'f>(files: &'f [NewFile], path: &str) -> &'f str {
    &files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}")).text
}

#[test]
fn every_provider_and_stage_renders_without_a_word() {
    let mut combinations = 0;
    for provider in built_in("provider") {
        for stage in built_in("stage") {
            let addresses = Some("192.0.2.200-192.0.2.219".to_owned()).filter(|_| stage != "dev");
            let answers = Answers {
                environment: format!("{stage}-{provider}").parse().unwrap(),
                provider: provider.clone(),
                stage,
                domain: "example.com".into(),
                addresses,
                aws_account: Some("012345678901".into()),
                ..answers()
            };
            let files = compose(&answers).unwrap();
            let source: Memory = files.iter().map(|file| (file.path.clone(), file.text.clone())).collect();
            let workspace = Workspace::of(Path::new("."), source);
            let outcome = render(&workspace, &Selection::default(), Delivery::Files, Target::Collect).unwrap();
            let loud: Vec<_> = outcome.findings.iter().filter(|finding| finding.level > Level::Note).collect();
            assert!(loud.is_empty(), "{}: {loud:?}", answers.environment);
            let plan = outcome.plan.unwrap();
            let releases: Vec<&str> = plan.releases.iter().map(|release| release.name.as_str()).collect();
            let mut expected = answers.apps();
            expected.sort_unstable();
            assert_eq!(releases, expected, "{}", answers.environment);
            // A route, so that there is something to see.
            assert!(outcome.files.iter().any(|file| file.text.contains("podinfo.example.com")), "{provider}");
            combinations += 1;
        }
    }
    assert_eq!(combinations, 15);
}

#[test]
fn the_binary_writes_what_is_shown() {
    let case = Case::new();
    let shown = case.run(&with(&["--provider", "kind", "--print", "--format", "json"]));
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(case.tree("").is_empty(), "--print writes nothing");
    let shown: serde_json::Map<String, Value> = serde_json::from_str(&shown.stdout).unwrap();

    let written = case.run(&with(&["--provider", "kind"]));
    assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{}", written.stderr);
    let files = case.tree("");
    assert_eq!(files.keys().collect::<Vec<_>>(), shown.keys().collect::<Vec<_>>());
    for (path, content) in &files {
        assert_eq!(Some(std::str::from_utf8(content).unwrap()), shown[path].as_str(), "{path}");
    }
    assert!(files.contains_key("environments/dev-kind/environment.yaml"));
    assert_eq!(case.run(&["validate", "--deny-warnings"]).code, 0);
    assert_eq!(case.run(&["render"]).code, 0);
    assert!(case.path("rendered/dev-kind/podinfo/values.yaml").exists());
}

#[test]
fn nothing_is_overwritten() {
    let case = Case::new().file("README.md", "mine\n").file("renovate.json", "{}\n");
    let run = case.run(&with(&["--provider", "kind", "--format", "short"]));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("warning[file/exists]: `README.md` is there already"), "{}", run.stderr);
    assert!(run.stderr.contains("warning[file/exists]: `renovate.json` is there already"), "{}", run.stderr);
    assert_eq!((case.read("README.md"), case.read("renovate.json")), ("mine\n".into(), "{}\n".into()));
    assert!(case.path("hlgen.yaml").exists());

    let before = case.tree("");
    let again = case.run(&with(&["--provider", "k3s", "--domain", "example.com"]));
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("error[file/exists]: there is a `hlgen.yaml` here already"), "{}", again.stderr);
    std::fs::create_dir(case.path("below")).unwrap();
    let below = case.run(&[&["-C", "below"], &with(&["--provider", "kind"])[..]].concat());
    assert!(below.code == 1 && below.stderr.contains("in a folder above this one"), "{}", below.stderr);
    assert_eq!(case.tree(""), before);

    let case = Case::new().file("environments/dev-kind/environment.yaml", "# mine\n");
    let run = case.run(&with(&["--provider", "kind"]));
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("`environments/dev-kind/environment.yaml` is there already"), "{}", run.stderr);
    assert_eq!(case.tree("").len(), 1);
}

#[test]
fn where_nobody_can_be_asked_the_flags_are_named() {
    let case = Case::new();
    let run = case.run(&["init"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.stderr, "error: nobody can be asked here; say --repo-url, --provider\n");
    let run = case.run(&["init", "--provider", "eks", "--repo-url", "https://git.example.com/a/b.git"]);
    assert_eq!(run.stderr, "error: nobody can be asked here; say --domain, --aws-account\n");
    let run = case.run(&["init", "--provider", "k8s"]);
    assert!(run.code == 2 && run.stderr.contains("one of eks, k3s, kind, kubespray, talos"), "{}", run.stderr);
    assert!(case.tree("").is_empty());
}

#[test]
fn the_remote_is_taken_without_its_password() {
    let case = Case::new();
    git(case.root(), &["init", "-q"]);
    git(case.root(), &["remote", "add", "origin", "https://me:s3cret@git.example.com/ops/homelab.git"]);
    let run = case.run(&["init", "--provider", "kind"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(case.read("hlgen.yaml").contains("\n  repoURL: https://git.example.com/ops/homelab.git\n"));
    assert!(!run.stderr.contains("s3cret"));
}

#[test]
fn layouts_differ_in_where_rendered_files_go() {
    for (layout, branch, ignored, hook) in [
        (Layout::SameBranch, "main", false, true),
        (Layout::OwnBranch, "rendered", true, false),
        (Layout::OwnRepository, "main", true, false),
    ] {
        let files = compose(&Answers { layout, ..answers() }).unwrap();
        assert!(text(&files, "hlgen.yaml").ends_with(&format!("\n  branch: {branch}\n")), "{layout:?}");
        assert_eq!(text(&files, ".gitignore").contains("/rendered/\n"), ignored, "{layout:?}");
        assert_eq!(text(&files, ".pre-commit-config.yaml").contains("hlgen render"), hook, "{layout:?}");
        assert!(text(&files, "README.md").lines().count() <= 10, "{layout:?}");
    }
}

/// The line for editors leads to the schema of the file's kind, which accepts the file.
#[test]
fn editors_find_a_schema_that_fits() {
    let files = compose(&answers()).unwrap();
    let mut seen = 0;
    for file in &files {
        let Some(line) =
            file.text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="))
        else {
            continue;
        };
        let folder = Path::new(&file.path).parent().unwrap().components().count();
        let schema = line.strip_prefix(&"../".repeat(folder)).unwrap();
        let schema: Value = serde_json::from_str(text(&files, schema)).unwrap();
        let value: Value = serde_yaml::from_str(&file.text).unwrap();
        assert_eq!(schema["properties"]["kind"]["const"], value["kind"], "{}", file.path);
        assert!(jsonschema::draft202012::is_valid(&schema, &value), "{}", file.path);
        seen += 1;
    }
    assert_eq!(seen, 2);
    assert_eq!(files.iter().filter(|file| file.path.starts_with(".hlgen/schemas/")).count(), 4);
}

#[test]
fn schemas_are_brought_up_to_date() {
    let case = super::started();
    let path = ".hlgen/schemas/app.schema.json";
    let schema = case.read(path);
    case.write(path, b"{}\n");
    let run = case.run(&["schema", "write"]);
    assert_eq!(run.stderr, "1 of 4 schemas in .hlgen/schemas brought up to date\n");
    assert_eq!(case.read(path), schema);
    assert_eq!(case.run(&["schema", "app"]).stdout, schema);
    let outside = Case::new().run(&["schema", "write"]);
    assert!(outside.code == 2 && outside.stderr.contains("there is no `hlgen.yaml` here"), "{}", outside.stderr);
}

/// Every version that carries Renovate's comment is found by the expression, with what Renovate needs to look it up.
#[test]
fn renovate_follows_every_comment() {
    let config: Value = serde_json::from_str(RENOVATE).unwrap();
    let manager = &config["customManagers"][0];
    let versions = Regex::new(manager["matchStrings"][0].as_str().unwrap()).unwrap();
    let pattern = manager["managerFilePatterns"][0].as_str().unwrap();
    let files = Regex::new(pattern.strip_prefix('/').unwrap().strip_suffix('/').unwrap()).unwrap();
    let ignored = config["ignorePaths"][0].as_str().unwrap();
    assert_eq!(ignored, "rendered/**");

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = 0;
    for folder in ["catalog", "environments"] {
        for (path, content) in super::support::case::tree(&root.join(folder)) {
            let (path, text) = (format!("{folder}/{path}"), String::from_utf8(content).unwrap());
            if !path.ends_with(".yaml") {
                continue;
            }
            assert!(files.is_match(&path), "{path}");
            let comments = text.lines().filter(|line| line.trim_start().starts_with("# renovate: datasource=")).count();
            let matches: Vec<_> = versions.captures_iter(&text).collect();
            assert_eq!(matches.len(), comments, "{path}");
            for one in matches {
                let version = &one["currentValue"];
                assert!(version.contains(|c: char| c.is_ascii_digit()) && !version.contains('/'), "{path}: {version}");
                let helm = &one["datasource"] == "helm";
                assert_eq!(helm, one.name("registryUrl").is_some(), "{path}: {}", &one[0]);
                found += 1;
            }
        }
    }
    assert!(found > 120, "{found}");
    assert_eq!(own("renovate.json"), RENOVATE, "this repository's own");
}

#[test]
fn pre_commit_runs_the_hook() {
    let Some(pre_commit) = tool("pre-commit") else { return };
    let case = super::started();
    git(case.root(), &["init", "-q"]);
    git(case.root(), &["add", "-A"]);
    let folder = Path::new(env!("CARGO_BIN_EXE_hlgen")).parent().unwrap().display().to_string();
    let run = || {
        let output = std::process::Command::new(&pre_commit)
            .args(["run", "--all-files", "--color=never"])
            .current_dir(case.root())
            .env("PATH", format!("{folder}:{}", std::env::var("PATH").unwrap()))
            .env("PRE_COMMIT_HOME", case.path(".cache"))
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (passed, said) = run();
    assert!(passed && said.contains("hlgen validate") && said.contains("Passed"), "{said}");
    case.write("environments/dev-kind/values/podinfo.yaml", b"a: 1\na: 2\n");
    git(case.root(), &["add", "-A"]);
    let (passed, said) = run();
    assert!(!passed && said.contains("yaml/duplicate-key"), "{said}");
}
