//! What a person has to do or bring: inputs, releases that start sealed, credentials.

use super::cluster::{Cluster, script, steps};
use super::{HOME, small, support::case::Case};

fn with_input(check: &str) -> Case {
    small(&format!(
        "inputs:\n  - {{ name: DNS token, description: A token that may edit the zone., release: web, check: '{check}' }}\n\
         apps: {{ argocd: {{}}, web: {{}} }}\n"
    ))
}

#[test]
fn waits_until_it_is_there() {
    let Some(cluster) = Cluster::new() else { return };
    let case = with_input(r#"test -f "$FAKE/token""#);
    let text = script(&case, &["dev"]);
    let home = ["--context", "home"];
    // Nobody answers.
    let run = cluster.run(case.root(), &text, &home, "");
    assert_eq!(run.code, 1, "{}", run.said);
    assert!(
        run.said.contains("A token that may edit the zone.") && run.said.contains("stopped in step 'input/dns-token'"),
        "{}",
        run.said
    );
    assert!(run.said.contains("nobody answers"), "{}", run.said);
    assert!(!cluster.log().contains("helm template web"));
    // Somebody says so, but it is not there; and without a person it is not there either.
    let run = cluster.run(case.root(), &text, &home, "\n\n");
    assert!(run.code == 1 && run.said.contains("It is not there yet"), "{}", run.said);
    let run = cluster.run(case.root(), &text, HOME, "");
    assert!(run.code == 1 && run.said.contains("'input/dns-token' is not there"), "{}", run.said);
    // It is there, so nobody is asked.
    cluster.set("token", "x");
    let run = cluster.run(case.root(), &text, &home, "");
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(run.said.contains("it is there already"), "{}", run.said);
}

#[test]
fn without_a_check_a_person_says_so() {
    let Some(cluster) = Cluster::new() else { return };
    let case = with_input("");
    let run = cluster.run(case.root(), &script(&case, &["dev"]), &["--context", "home"], "\n");
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(run.said.contains("Press Enter"), "{}", run.said);
}

/// A vault starts sealed: the pods run, and are not ready before somebody opens it.
#[test]
fn a_release_that_waits_for_a_person() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small(
        "inputs: [{ name: Unseal keys, description: Three of five., release: web }]\n\
         apps: { argocd: {}, web: { health: manual }, extra: { requires: [release/web] } }\n",
    );
    let plan = steps(&case, &["dev"]);
    let names: Vec<&str> =
        plan["steps"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["namespaces", "release/web", "release/extra", "release/argocd", "root", "watch"]);
    cluster.set(
        "charts/web.yaml",
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: vault\nspec:\n  updateStrategy:\n    type: OnDelete\n",
    );
    let text = script(&case, &["dev"]);
    cluster.set("pods/vault", "3/\n3/1\n3/2\n3/3\n");
    let run = cluster.run(case.root(), &text, &["--context", "home"], "\n");
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(run.said.contains("web starts, and then waits for a person"), "{}", run.said);
    assert!(run.said.contains("Unseal keys: Three of five."), "{}", run.said);
    assert!(!cluster.log().contains("rollout status StatefulSet"), "kubectl does not follow sets that replace nothing");
    cluster.in_order(&[&["get StatefulSet vault"], &["helm template extra"]]);
    // Open already: nobody is asked. Never opened: it stops.
    let run = cluster.run(case.root(), &text, &["--context", "home"], "");
    assert!(run.code == 0 && run.said.contains("web is ready already"), "{}", run.said);
    cluster.set("pods/vault", "3/\n");
    let run = cluster.run(case.root(), &text, HOME, "");
    assert!(
        run.code == 1 && run.said.contains("StatefulSet vault in namespace web is not ready after 3 s"),
        "{}",
        run.said
    );
}

/// What belongs to a release that Argo CD brings is asked for when there is a root.
#[test]
fn inputs_of_what_is_left_to_argo_cd_come_last() {
    let case = with_input("");
    let plan = steps(&case, &["dev", "--minimal"]);
    let names: Vec<&str> =
        plan["steps"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["namespaces", "release/argocd", "root", "input/dns-token", "watch"]);
    assert_eq!(plan["left"], serde_json::json!(["web"]));
}

#[test]
fn an_input_names_a_release_that_is_there() {
    let case = small("inputs: [{ name: x, description: text, release: wbe }]\napps: { argocd: {}, web: {} }\n");
    let outcome = case.run(&["validate"]);
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stdout.contains("ref/unknown-release") && outcome.stdout.contains("did you mean `web`?"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn credentials_travel_in_files() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("apps: { argocd: {} }\n").file(
        "hlgen.yaml",
        "apiVersion: hlgen.dev/v1\nkind: Project\nname: test\ngit: { repoURL: https://git.example.com/ops/test.git }\n\
         repositories:\n  - { url: https://git.example.com/ops/test.git, type: git, secret: repo-git }\n  \
         - { url: oci://registry.example.com/charts, type: oci, secret: repo-oci }\n",
    );
    let text = script(&case, &["dev"]);
    let run = cluster.run(case.root(), &text, &["--context", "home"], "me\npa ss'w\"ord\nbot\nsecret-two\n");
    assert_eq!(run.code, 0, "{}", run.said);
    for hidden in ["secret-two", "ss'w"] {
        assert!(!run.said.contains(hidden) && !cluster.log().contains(hidden), "{}", run.said);
    }
    let applied = cluster.applied();
    let base64 = |text: &str| support_base64(text);
    for part in [
        "name: repo-git",
        "argocd.argoproj.io/secret-type: repository",
        &format!("url: {}", base64("https://git.example.com/ops/test.git")),
        &format!("username: {}", base64("me")),
        &format!("password: {}", base64("pa ss'w\"ord")),
        &format!("url: {}", base64("registry.example.com/charts")),
        &format!("enableOCI: {}", base64("true")),
        &format!("password: {}", base64("secret-two")),
    ] {
        assert!(applied.contains(part), "no `{part}` in\n{applied}");
    }
    cluster.in_order(&[&["helm template argocd"], &["field-manager=hlgen-bootstrap"], &["AppProject Application"]]);

    // From files, where nobody is there to be asked; and a Secret that is there stays.
    let run = cluster.run(case.root(), &text, HOME, "");
    assert!(
        run.code == 1 && run.said.contains("the credentials of https://git.example.com/ops/test.git are missing"),
        "{}",
        run.said
    );
    let folder = Case::new().file("repo-git/username", "me\n").file("repo-git/password", "from-file\n");
    cluster.set("secrets/repo-oci", "secret/repo-oci\n");
    let arguments = ["--context", "home", "--yes", "--credentials", folder.root().to_str().unwrap()];
    let run = cluster.run(case.root(), &text, &arguments, "");
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(run.said.contains("Secret repo-oci is there already"), "{}", run.said);
    assert!(cluster.applied().contains(&format!("password: {}", base64("from-file"))));
}

fn support_base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
