//! hlgen renders its own catalog and environments: without a finding, the same bytes whatever the number of threads,
//! and nothing to do a second time.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read what was written")]

mod support;

use std::path::Path;

use support::case::{Case, Files};

/// The files that make the repository one that hlgen renders.
fn own() -> Case {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let case = Case::new();
    case.write("hlgen.yaml", &std::fs::read(root.join("hlgen.yaml")).unwrap());
    for folder in ["catalog", "environments"] {
        for (path, content) in support::case::tree(&root.join(folder)) {
            case.write(&format!("{folder}/{path}"), &content);
        }
    }
    case
}

fn rendered(case: &Case, threads: &str, out: &str) -> Files {
    let outcome = case.run(&["render", "--threads", threads, "--out", out, "--format", "short"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "only the summary is expected\n{}", outcome.stderr);
    case.tree(out)
}

#[test]
fn renders_without_a_finding_and_always_the_same() {
    let case = own();
    let one = rendered(&case, "1", "one");
    let four = rendered(&case, "4", "four");
    assert!(one.len() > 100, "{} files", one.len());
    assert_eq!(one.keys().collect::<Vec<_>>(), four.keys().collect::<Vec<_>>());
    for (path, content) in &one {
        assert!(four[path] == *content, "{path} depends on the number of threads");
        let text = std::str::from_utf8(content).unwrap();
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("# Written by hlgen for project homelab: "), "{path} begins with `{first}`");
        assert!(text.ends_with('\n') && !text.contains('\r'), "{path}");
    }
    let check = case.run(&["render", "--check", "--out", "four"]);
    assert_eq!((check.code, check.stdout.as_str()), (0, ""), "{}", check.stderr);
}

/// The same files, made in the opposite order, so that the file system may list them in another one.
#[test]
fn the_order_of_a_folder_does_not_show() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![("hlgen.yaml".to_owned(), std::fs::read(root.join("hlgen.yaml")).unwrap())];
    for folder in ["catalog", "environments"] {
        let tree = support::case::tree(&root.join(folder));
        files.extend(tree.into_iter().map(|(path, content)| (format!("{folder}/{path}"), content)));
    }
    let case = Case::new();
    for (path, content) in files.into_iter().rev() {
        case.write(&path, &content);
    }
    assert!(rendered(&case, "8", "out") == rendered(&own(), "1", "out"));
}

#[test]
fn a_user_needs_only_environments() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let case = own();
    std::fs::remove_dir_all(case.path("catalog")).unwrap();
    std::fs::remove_dir_all(case.path("environments/profiles")).unwrap();
    let builtin = rendered(&case, "2", "out");
    let full = rendered(&own(), "2", "out");
    assert_eq!(builtin.keys().collect::<Vec<_>>(), full.keys().collect::<Vec<_>>(), "{}", root.display());
    for (path, content) in &full {
        assert!(builtin[path] == *content, "{path} depends on where the catalog lies");
    }
}

/// An independent reader of YAML 1.1 takes every file that was written.
#[test]
fn pyyaml_reads_every_file() {
    let Some(python) = support::tool("python3") else { return };
    let case = own();
    rendered(&case, "2", "out");
    let script = "import sys, glob, yaml\n\
        files = glob.glob(sys.argv[1] + '/**/*.yaml', recursive=True)\n\
        print(len(files), sum(1 for f in files for d in yaml.safe_load_all(open(f, encoding='utf-8')) if d is not None))";
    let folder = case.path("out").display().to_string();
    let printed = support::run(&python, &["-c", script, &folder], "");
    let numbers: Vec<usize> = printed.split_whitespace().map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers[0], case.tree("out").len());
    assert!(numbers[1] >= numbers[0], "{printed}");
}

/// The steps of a staged rollout mean nothing to an Argo CD whose progressive syncs are off.
#[test]
fn a_staged_rollout_switches_progressive_syncs_on() {
    let case = own();
    let project = case.read("hlgen.yaml");
    for (rollout, expected) in [("all-at-once", "false"), ("by-stage", "true")] {
        let instances = "[{ name: hub, runsIn: prod-eks, manages: [dev-kind, staging-talos, prod-eks, home-k3s] }]";
        let more = format!("argocd:\n  rollout: {rollout}\n  instances: {instances}\n");
        let project = project.replace("  rollout: all-at-once\n", "").replace("argocd:\n", &more);
        case.write("hlgen.yaml", project.as_bytes());
        let outcome = case.run(&["render", "--out", "out", "--quiet"]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let values = case.read("out/prod-eks/argocd/values.yaml");
        let line = format!("applicationsetcontroller.enable.progressive.syncs: {expected}\n");
        assert!(values.contains(&line), "{values}");
    }
}
