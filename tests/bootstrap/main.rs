//! `hlgen bootstrap`: the steps, and the real script against a cluster that writes down what it is asked.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests write and read their own folders, and say what they skip"
)]

#[path = "../support/mod.rs"]
mod support;

mod circles;
mod cluster;
mod install;
mod people;
mod quoting;

use std::path::Path;

use cluster::{Cluster, script, steps};
use support::case::Case;

/// This repository's own project.
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

/// The environments of this repository.
fn environments() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("environments");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("environment.yaml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A small project: an environment `dev` with Argo CD and what `text` adds to its file.
fn small(text: &str) -> Case {
    let app = "apiVersion: hlgen.dev/v1\nkind: App\ndescription: x\ntier: platform\n";
    let chart =
        |name: &str| format!("chart: {{ repository: https://charts.example.com, name: {name}, version: 1.2.3 }}\n");
    Case::project()
        .file(
            "environments/dev/environment.yaml",
            format!(
                "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\nprovider: kind\ndomain: example.com\n{text}"
            ),
        )
        .file(
            "catalog/argocd/app.yaml",
            format!("{app}{}provides: {{ gitops: {{ namespace: argocd }} }}\n", chart("argo-cd")),
        )
        .file("catalog/web/app.yaml", format!("{app}{}", chart("web")))
        .file("catalog/extra/app.yaml", format!("{app}{}", chart("extra")))
}

const HOME: &[&str] = &["--context", "home", "--yes"];

#[test]
fn every_release_comes_after_what_it_requires() {
    let case = own();
    for env in environments() {
        for arguments in [vec![env.as_str()], vec![env.as_str(), "--minimal"]] {
            let plan = steps(&case, &arguments);
            let mut done: Vec<&str> = Vec::new();
            for step in plan["steps"].as_array().unwrap().iter().filter(|step| step["action"] == "install") {
                for required in step["requires"].as_array().unwrap() {
                    let required = required.as_str().unwrap();
                    assert!(done.contains(&required), "{env}: {} comes before {required}", step["release"]);
                }
                done.push(step["release"].as_str().unwrap());
            }
            assert!(done.contains(&"argocd"), "{env}: {done:?}");
            let names: Vec<&str> =
                plan["steps"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap()).collect();
            assert!(names.contains(&"root") && names.last() == Some(&"watch"), "{env}: {names:?}");
        }
    }
}

/// Each environment of this repository from an empty cluster to the end.
#[test]
fn own_environments_come_up() {
    let case = own();
    for env in environments() {
        let Some(cluster) = Cluster::new() else { return };
        let plan = steps(&case, &[&env]);
        let run = cluster.run(case.root(), &script(&case, &[&env]), HOME, "");
        assert_eq!(run.code, 0, "{env}: {}", run.said);
        let installs: Vec<&serde_json::Value> =
            plan["steps"].as_array().unwrap().iter().filter(|step| step["action"] == "install").collect();
        let helm: Vec<String> =
            cluster.log().lines().filter(|line| line.starts_with("helm template")).map(str::to_owned).collect();
        assert_eq!(helm.len(), installs.iter().filter(|step| step["origin"]["from"] == "chart").count(), "{env}");
        for (line, step) in helm.iter().zip(installs.iter().filter(|step| step["origin"]["from"] == "chart")) {
            let chart = step["origin"]["chart"].as_str().unwrap();
            let version = step["origin"]["version"].as_str().unwrap();
            for part in
                [chart, &format!("--version {version}"), "--skip-tests", "--kube-version v1.34.2 ", "--include-crds"]
            {
                assert!(line.contains(part), "{env}: no `{part}` in {line}");
            }
            let namespace = format!("--namespace {} ", step["namespace"].as_str().unwrap());
            assert!(line.contains(&namespace), "{env}: no `{namespace}` in {line}");
        }
        for line in cluster.log().lines().filter(|line| line.contains("] apply ")) {
            let own = "apply --server-side --force-conflicts --field-manager=argocd-controller --filename ";
            assert!(line.contains(own) && !line.contains("namespace"), "{env}: {line}");
        }
        let root = cluster.at(&["applied", "AppProject Application"]);
        let log = cluster.log();
        let last = log.lines().enumerate().filter(|(_, line)| line.contains("] apply ")).last().unwrap().0;
        assert!(root > last, "{env}: the root is applied last");
        assert!(run.said.contains("Argo CD is in charge"), "{env}: {}", run.said);
        assert!(!run.said.contains("the-token-of-a-person") && !cluster.log().contains("the-token-of-a-person"));
    }
}

#[test]
fn scripts_pass_shellcheck() {
    let Some(shellcheck) = support::tool("shellcheck") else { return };
    let case = own();
    let mut scripts: Vec<String> = environments().iter().map(|env| script(&case, &[env])).collect();
    scripts.push(script(&case, &["dev-kind", "--only", "gitea"]));
    scripts.push(script(&circles::git_host(), &["dev"]));
    scripts.push(script(&circles::spoke(), &["laptop"]));
    scripts.push(script(&install::origins(), &["dev"]));
    scripts.push(script(&quoting::nasty(), &["dev"]));
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<std::path::PathBuf> =
        (1..=scripts.len()).map(|number| folder.path().join(format!("{number}.sh"))).collect();
    for (file, script) in files.iter().zip(&scripts) {
        std::fs::write(file, script).unwrap();
    }
    let output = std::process::Command::new(shellcheck).args(&files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn refuses_what_is_not_said_clearly() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("apps: { argocd: {} }\n");
    let script = script(&case, &["dev"]);
    let refused = |arguments: &[&str], words: &str| {
        let run = cluster.run(case.root(), &script, arguments, "");
        assert_eq!(run.code, 1, "{}", run.said);
        assert!(run.said.contains(words), "{}", run.said);
        assert!(!cluster.log().contains("] apply "), "{}", cluster.log());
    };
    refused(&[], "say which cluster is meant");
    refused(&["--context", "nowhere"], "there is no context 'nowhere'");
    refused(&["--context", "home", "--from", "release/arcgo"], "there is no step 'release/arcgo'");
    refused(&["--contxt", "home"], "unknown option '--contxt'");
    refused(&["--context"], "--context needs a value");
    cluster.set("namespaces", "prod\nprod\n\n");
    refused(HOME, "context 'home' is no dev: its namespaces belong to prod");
    cluster.set("namespaces", "dev\n\n");
    assert_eq!(cluster.run(case.root(), &script, HOME, "").code, 0);
    // The context of the person's kubeconfig stays as it was.
    let kubeconfig = std::fs::read_to_string(cluster.path("kubeconfig")).unwrap();
    assert!(kubeconfig.contains("current-context: other") && kubeconfig.contains("namespace: elsewhere"));
}

#[test]
fn a_step_that_fails_can_be_resumed_or_left_out() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("apps: { argocd: {}, web: {}, extra: {} }\n");
    let script = script(&case, &["dev"]);
    cluster.set("unhealthy", "Deployment/web\n");
    let run = cluster.run(case.root(), &script, HOME, "");
    assert_eq!(run.code, 1);
    assert!(run.said.contains("stopped in step 'release/web'"), "{}", run.said);
    assert!(run.said.contains("--from release/web") && run.said.contains("--skip release/web"), "{}", run.said);
    assert!(!cluster.log().contains("helm template argocd"));

    cluster.forget();
    let run = cluster.run(case.root(), &script, &["--context", "home", "--yes", "--skip", "release/web"], "");
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(!cluster.log().contains("helm template web") && cluster.log().contains("helm template argocd"));

    cluster.forget();
    cluster.set("unhealthy", "");
    let run = cluster.run(case.root(), &script, &["--context", "home", "--yes", "--from", "release/web"], "");
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(!cluster.log().contains("helm template extra"), "{}", cluster.log());
    cluster.in_order(&[&["helm template web"], &["helm template argocd"], &["AppProject Application"]]);
}

/// A second run applies the same again, and leaves alone what Argo CD has.
#[test]
fn running_it_again_is_safe() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("apps: { argocd: {}, web: {} }\n");
    let text = script(&case, &["dev"]);
    assert_eq!(cluster.run(case.root(), &text, HOME, "").code, 0);
    let first = cluster.applied();
    assert_eq!(cluster.run(case.root(), &text, HOME, "").code, 0);
    assert_eq!(cluster.applied(), format!("{first}{first}"));

    cluster.forget();
    cluster.set("applications", "dev-web\ndev-argocd\n");
    let run = cluster.run(case.root(), &text, HOME, "");
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(run.said.contains("Argo CD has the Application dev-web already"), "{}", run.said);
    assert!(!cluster.log().contains("helm template"), "{}", cluster.log());

    // Break-glass means now, whatever Argo CD has.
    cluster.forget();
    let run = cluster.run(case.root(), &script(&case, &["dev", "--only", "web"]), HOME, "");
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(cluster.log().contains("helm template web"), "{}", cluster.log());
    assert!(!cluster.log().contains("helm template argocd") && !cluster.log().contains("Application\n"));
}

#[test]
fn says_what_does_not_come_up() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("apps: { argocd: {} }\n");
    cluster.set(
        "status",
        "dev-web|OutOfSync|Missing|Failed\ndev-new|OutOfSync|Missing|Running\ndev-argocd|Synced|Healthy|Succeeded\n",
    );
    let run = cluster.run_with(case.root(), &script(&case, &["dev"]), HOME, "", &[("BOOTSTRAP_TIMEOUT", "0")]);
    assert_eq!(run.code, 0, "{}", run.said);
    let shown = run.said.split_once("not synced and healthy yet").unwrap().1;
    assert!(shown.contains("  dev-web|OutOfSync") && !shown.contains("dev-argocd"), "{shown}");
    assert!(shown.contains("the last operation of dev-web ended with Failed"), "{shown}");
    assert!(shown.contains("patch application dev-web --type merge"), "{shown}");
    assert!(!shown.contains("operation of dev-new"), "{shown}");
}
