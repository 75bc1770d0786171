//! A rename in one step is said; in two steps nothing is deleted and nothing installed twice.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read what was written")]

mod support;

use hlgen::argocd::expand::expand;
use hlgen::argocd::{Application, ApplicationSet};
use support::case::{Case, Outcome};

const APP: &str = "apiVersion: hlgen.dev/v1\nkind: App\nnamespace: monitoring\nchart: { repository: https://charts.example.com, name: grafana, version: 1.2.3 }\n";

fn case() -> Case {
    Case::project().file("catalog/grafana/app.yaml", APP).file("catalog/grafana/values.yaml", "a: 1\n")
}

fn render(case: &Case, apps: &str, more: &[&str]) -> Outcome {
    let environment = format!("apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\napps:\n{apps}");
    case.write("environments/dev/environment.yaml", environment.as_bytes());
    let arguments: Vec<&str> = ["render"].into_iter().chain(more.iter().copied()).collect();
    case.run(&arguments)
}

fn application(case: &Case, release: &str) -> Application {
    let text = case.read(&format!("rendered/argocd/dev/applicationsets/{release}.yaml"));
    let set: ApplicationSet = serde_yaml::from_str(&text).unwrap();
    expand(&set).unwrap().remove(0)
}

#[test]
fn in_one_step_it_is_said() {
    let case = case();
    assert_eq!(render(&case, "  grafana: {}\n", &[]).code, 0);
    let checked = render(&case, "  dashboards: { app: grafana }\n", &["--check", "--format", "short"]);
    assert!(checked.stderr.contains("warning[ref/renamed]"), "{}", checked.stderr);
    let outcome = render(&case, "  dashboards: { app: grafana }\n", &[]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    for said in [
        "environments/dev/environment.yaml:5:3",
        "`dashboards` looks like `grafana` under another name: the same app in the same namespace",
        "Argo CD deletes Application `dev-grafana` with everything it installed, and makes `dev-dashboards`",
        "Helm's release is `dashboards` instead of `grafana`",
        "first `formerly: [grafana]` on `grafana` itself",
    ] {
        assert!(outcome.stderr.contains(said), "`{said}` is not in\n{}", outcome.stderr);
    }
    assert!(case.tree("rendered/dev/grafana").is_empty(), "a warning does not stop the run");
}

#[test]
fn in_two_steps_nothing_goes() {
    let case = case();
    assert_eq!(render(&case, "  grafana: {}\n", &[]).code, 0);
    let before = application(&case, "grafana");
    assert!(!before.metadata.finalizers.is_empty(), "outside prod an Application cleans up behind itself");
    assert_eq!(before.spec.sync_policy.as_ref().unwrap().automated.unwrap().prune, Some(true));

    let outcome = render(&case, "  grafana: { formerly: [grafana] }\n", &[]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let going = application(&case, "grafana");
    assert!(going.metadata.finalizers.is_empty());
    assert_eq!(going.spec.sync_policy.as_ref().unwrap().automated.unwrap().prune, Some(false));
    assert_eq!(going.metadata.name, before.metadata.name);

    let outcome = render(&case, "  dashboards: { app: grafana, formerly: [grafana] }\n", &[]);
    assert_eq!((outcome.code, outcome.stderr.contains("ref/renamed")), (0, false), "{}", outcome.stderr);
    let after = application(&case, "dashboards");
    assert_eq!(after.metadata.name, "dev-dashboards");
    let helm = |application: &Application| application.spec.all_sources().next().unwrap().helm.clone().unwrap();
    assert_eq!(helm(&after).release_name, "grafana", "or everything would be installed a second time");
    assert_eq!(after.spec.destination, before.spec.destination);
    assert!(!after.metadata.finalizers.is_empty(), "once renamed it is an Application like any other");
}

#[test]
fn a_former_name_in_one_step_is_not_enough() {
    let case = case();
    assert_eq!(render(&case, "  grafana: {}\n", &[]).code, 0);
    let outcome = render(&case, "  dashboards: { app: grafana, formerly: [grafana] }\n", &["--format", "short"]);
    assert!(outcome.stderr.contains("[ref/renamed]"), "the old Application still deletes: {}", outcome.stderr);
}

#[test]
fn two_names_that_are_both_there_are_refused() {
    let outcome = render(
        &case(),
        "  grafana: {}\n  dashboards: { app: grafana, formerly: [grafana], namespace: x }\n",
        &["--format", "short"],
    );
    assert_eq!(outcome.code, 1);
    assert!(outcome.stderr.contains("error[ref/formerly]"), "{}", outcome.stderr);
}

/// Apps that share a chart and a namespace come and go without being each other.
#[test]
fn apps_on_one_base_are_not_taken_for_each_other() {
    let base = "apiVersion: hlgen.dev/v1\nkind: App\nfrom: base\nnamespace: media\n";
    let case = Case::project()
        .file("catalog/base/app.yaml", APP)
        .file("catalog/one/app.yaml", base)
        .file("catalog/two/app.yaml", base);
    assert_eq!(render(&case, "  one: {}\n", &[]).code, 0);
    let outcome = render(&case, "  two: {}\n", &[]);
    assert!(!outcome.stderr.contains("ref/renamed"), "{}", outcome.stderr);
}
