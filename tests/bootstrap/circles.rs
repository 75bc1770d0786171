//! What rests on what comes after it: the Git host inside of the cluster, and a cluster that another one manages.

use super::cluster::{Cluster, script, steps};
use super::support::case::Case;
use super::{HOME, small};

fn names(plan: &serde_json::Value) -> Vec<String> {
    let steps = plan["steps"].as_array().unwrap().iter();
    steps.map(|step| step["name"].as_str().unwrap().to_owned()).collect()
}

/// Argo CD reads from a Git host that runs in the same cluster, with its database.
pub(crate) fn git_host() -> Case {
    let app = "apiVersion: hlgen.dev/v1\nkind: App\ndescription: x\n";
    let chart =
        |name: &str| format!("chart: {{ repository: https://charts.example.com, name: {name}, version: 1.2.3 }}\n");
    small("apps: { argocd: {}, forge: {}, db: {}, web: {} }\n")
        .file(
            "hlgen.yaml",
            "apiVersion: hlgen.dev/v1\nkind: Project\nname: test\ngit: { repoURL: https://git.example.com/ops/test.git }\n",
        )
        .file(
            "catalog/forge/app.yaml",
            format!(
                "{app}{}namespace: forge-system\nrequires: [postgres]\n\
                 provides: {{ git: {{ url: 'http://${{{{ release.releaseName }}}}-http.forge-system.svc:3000' }} }}\n\
                 expose: [{{ name: web, service: '${{{{ release.releaseName }}}}-http', port: 3000, host: git }}]\n",
                chart("forge")
            ),
        )
        .file("catalog/db/app.yaml", format!("{app}{}provides: {{ postgres: {{}} }}\n", chart("db")))
}

#[test]
fn the_git_host_comes_up_from_the_checkout() {
    let Some(cluster) = Cluster::new() else { return };
    let case = git_host();
    let plan = steps(&case, &["dev"]);
    let expected =
        ["namespaces", "release/web", "release/argocd", "release/db", "release/forge", "publish", "root", "watch"];
    assert_eq!(names(&plan), expected);
    let text = script(&case, &["dev"]);
    let run = cluster.run_with(case.root(), &text, HOME, "", &[("HLGEN_GIT_TOKEN", "a-token")]);
    assert_eq!(run.code, 0, "{}", run.said);
    cluster.in_order(&[
        &["helm template db"],
        &["helm template forge"],
        &["rollout status Deployment/forge"],
        &["port-forward --namespace forge-system service/forge-http :3000"],
        &["hlgen --directory", "publish --init --push-url http://127.0.0.1:40123/ops/test.git (token given)"],
        &["AppProject Application"],
    ]);
    assert!(cluster.log().contains("port-forward ended"), "{}", cluster.log());
    assert!(!run.said.contains("a-token") && !cluster.log().contains("a-token"));
    // Without a token a person is asked, and without a person it stops.
    let run = cluster.run(case.root(), &text, HOME, "");
    assert!(run.code == 1 && run.said.contains("the token is missing"), "{}", run.said);
    let run = cluster.run(case.root(), &text, &["--context", "home"], "typed-token\n");
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(run.said.contains("http://127.0.0.1:40123") && !run.said.contains("typed-token"), "{}", run.said);

    let only = steps(&case, &["dev", "--only", "forge"]);
    assert_eq!(names(&only), ["namespaces", "release/db", "release/forge"]);
}

/// The same by the name that the cluster itself gives it, and not by anybody else's.
#[test]
fn the_git_host_is_known_by_its_addresses() {
    let publish = |url: &str| {
        let case = git_host();
        let project = format!("apiVersion: hlgen.dev/v1\nkind: Project\nname: test\ngit: {{ repoURL: '{url}' }}\n");
        case.write("hlgen.yaml", project.as_bytes());
        let plan = steps(&case, &["dev"]);
        let found = plan["steps"].as_array().unwrap().iter().find(|step| step["action"] == "publish").cloned();
        found.map(|step| {
            format!("{}/{}:{}{}", step["namespace"], step["service"], step["port"], step["path"]).replace('"', "")
        })
    };
    let inside = Some("forge-system/forge-http:3000/ops/x".to_owned());
    assert_eq!(publish("http://forge-http.forge-system.svc:3000/ops/x"), inside);
    assert_eq!(publish("http://forge-http.forge-system.svc.cluster.local:3000/ops/x"), inside);
    assert_eq!(publish("https://git.example.com/ops/x"), inside);
    for outside in ["https://github.com/ops/x", "https://web.example.com/ops/x", "https://forge-http/ops/x"] {
        assert_eq!(publish(outside), None, "{outside}");
    }
}

/// A laptop that the hub's Argo CD manages.
pub(crate) fn spoke() -> Case {
    let env = |name: &str, apps: &str| {
        format!(
            "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\nprovider: kind\ndomain: {name}.example.com\napps: {apps}\n"
        )
    };
    small("apps: { argocd: {} }\n")
        .file(
            "hlgen.yaml",
            "apiVersion: hlgen.dev/v1\nkind: Project\nname: test\ngit: { repoURL: https://git.example.com/ops/test.git }\n\
             argocd: { instances: [{ name: hub, runsIn: dev, manages: [dev, laptop] }] }\n",
        )
        .file("environments/laptop/environment.yaml", env("laptop", "{ web: {} }"))
}

#[test]
fn a_spoke_is_registered_with_its_hub() {
    let Some(cluster) = Cluster::new() else { return };
    let case = spoke();
    assert_eq!(names(&steps(&case, &["laptop"])), ["namespaces", "release/web", "register", "watch"]);
    assert_eq!(names(&steps(&case, &["laptop", "--minimal"])), ["register", "watch"]);
    let text = script(&case, &["laptop"]);
    let both = ["--context", "laptop", "--hub-context", "home", "--yes"];
    let run = cluster.run(case.root(), &text, &["--context", "laptop", "--yes"], "");
    assert!(run.code == 1 && run.said.contains("--hub-context"), "{}", run.said);
    let run = cluster.run(case.root(), &text, &["--context", "home", "--hub-context", "home"], "");
    assert!(run.code == 1 && run.said.contains("--hub-context is the cluster itself"), "{}", run.said);
    // The hub cannot reach a loopback address.
    let run = cluster.run(case.root(), &text, &both, "");
    assert!(run.code == 1 && run.said.contains("--server URL"), "{}", run.said);

    cluster.forget();
    let reached = [&both[..], &["--server", "https://laptop.example.com:6443"]].concat();
    let run = cluster.run(case.root(), &text, &reached, "");
    assert_eq!(run.code, 0, "{}", run.said);
    cluster.in_order(&[
        &["helm template web"],
        &["[kubeconfig@kube-system] apply"],
        &["applied", "ServiceAccount ClusterRoleBinding Secret"],
        &["[hub.kubeconfig@default] apply", "field-manager=hlgen-bootstrap"],
        &["[hub.kubeconfig@", "get applications.argoproj.io test-root"],
    ]);
    let applied = cluster.applied();
    let encoded = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    for part in [
        "argocd.argoproj.io/secret-type: cluster".to_owned(),
        "namespace: argocd".to_owned(),
        format!("name: {}", encoded("laptop")),
        format!("server: {}", encoded("https://laptop.example.com:6443")),
        encoded(r#"{"bearerToken":"the-token-of-the-spoke","tlsClientConfig":{"insecure":false,"caData":"bGFwdG9w"}}"#),
    ] {
        assert!(applied.contains(&part), "no `{part}` in\n{applied}");
    }
    assert!(!run.said.contains("the-token-of") && !cluster.log().contains("the-token-of"));
}

/// Argo CD's own cluster under a name, as a hub may have it.
#[test]
fn a_hub_that_knows_itself_by_name() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("clusters: [{ name: dev, destination: { name: the-hub } }]\napps: { argocd: {} }\n");
    assert_eq!(names(&steps(&case, &["dev"])), ["namespaces", "release/argocd", "cluster", "root", "watch"]);
    assert_eq!(cluster.run(case.root(), &script(&case, &["dev"]), HOME, "").code, 0);
    let applied = cluster.applied();
    // https://kubernetes.default.svc
    assert!(applied.contains("server: aHR0cHM6Ly9rdWJlcm5ldGVzLmRlZmF1bHQuc3Zj"), "{applied}");
}

/// The network of the pods is first, even with `--minimal`; what needs Argo CD is left to it.
#[test]
fn the_network_is_first() {
    let app = "apiVersion: hlgen.dev/v1\nkind: App\ndescription: x\ntier: platform\nchart: { repository: https://charts.example.com, name: x, version: 1.2.3 }\n";
    let case = small("apps: { argocd: {}, web: {}, zz-network: {}, aa-updater: {} }\n")
        .file("catalog/zz-network/app.yaml", format!("{app}provides: {{ cni: {{}} }}\n"))
        .file("catalog/aa-updater/app.yaml", format!("{app}requires: [gitops]\n"));
    let all = ["namespaces", "release/zz-network", "release/web", "release/argocd", "root", "watch"];
    assert_eq!(names(&steps(&case, &["dev"])), all);
    assert_eq!(steps(&case, &["dev"])["left"], serde_json::json!(["aa-updater"]));
    let minimal = ["namespaces", "release/zz-network", "release/argocd", "root", "watch"];
    assert_eq!(names(&steps(&case, &["dev", "--minimal"])), minimal);
}

/// Whoever makes a release's Secrets comes before it, but wishes may run in circles.
#[test]
fn secrets_come_before_those_who_read_them() {
    let app = "apiVersion: hlgen.dev/v1\nkind: App\ndescription: x\ntier: platform\nchart: { repository: https://charts.example.com, name: x, version: 1.2.3 }\n";
    let secret = "secrets: [{ name: s, keys: { k: { provided: a/b } } }]\n";
    let case =
        small("apps: { argocd: {}, aa-dns: {}, zz-secrets: {}, yy-vault: {}, bb-ingress: {}, cc-metrics: {} }\n")
            .file("catalog/aa-dns/app.yaml", format!("{app}{secret}"))
            .file(
                "catalog/zz-secrets/app.yaml",
                format!("{app}provides: {{ secrets: {{ store: x, backend: vault }} }}\nrequires: [vault]\n"),
            )
            .file(
                "catalog/yy-vault/app.yaml",
                format!("{app}provides: {{ vault: {{ address: x }} }}\nwants: [ingress]\n"),
            )
            .file(
                "catalog/bb-ingress/app.yaml",
                format!("{app}provides: {{ ingress: {{ className: x }} }}\nwants: [metrics]\n"),
            )
            .file(
                "catalog/cc-metrics/app.yaml",
                format!("{app}provides: {{ metrics: {{ crds: [] }} }}\nwants: [ingress]\n"),
            );
    let order = names(&steps(&case, &["dev"]));
    let at = |name: &str| order.iter().position(|step| step == &format!("release/{name}")).unwrap();
    assert!(at("yy-vault") < at("zz-secrets") && at("zz-secrets") < at("aa-dns"), "{order:?}");
    assert!(at("bb-ingress") < at("yy-vault"), "{order:?}");
    assert!(at("aa-dns") < at("argocd"), "{order:?}");
}

#[test]
fn what_cannot_be_told_is_a_finding() {
    let finds = |case: &Case, arguments: &[&str], words: &[&str]| {
        let outcome = case.run(&[&["bootstrap"], arguments].concat());
        assert_eq!(outcome.code, 1, "{}{}", outcome.stdout, outcome.stderr);
        for word in words {
            assert!(outcome.stderr.contains(word), "no `{word}` in {}", outcome.stderr);
        }
        assert_eq!(outcome.stdout, "");
    };
    let case = small("apps: { web: {} }\n");
    finds(&case, &["dev"], &["bootstrap/argocd", "argocd: {}"]);
    finds(&case, &["dve"], &["ref/unknown-environment", "did you mean `dev`?"]);
    finds(&case, &["dev", "--only", "wbe"], &["ref/unknown-release", "did you mean `web`?"]);
    let case = small("clusters: [{ name: one }, { name: two }]\napps: { argocd: {} }\n");
    finds(&case, &["dev"], &["bootstrap/cluster", "--cluster one"]);
    finds(&case, &["dev", "--cluster", "three"], &["bootstrap/cluster", "one, two"]);
    finds(&case, &["dev", "--cluster", "one"], &["bootstrap/cluster", "kubernetes.default.svc"]);
    let home = "clusters: [{ name: one, destination: { server: https://kubernetes.default.svc } }, { name: two }]\napps: { argocd: {} }\n";
    let case = small(home);
    assert!(names(&steps(&case, &["dev", "--cluster", "one"])).contains(&"root".to_owned()));
    assert!(names(&steps(&case, &["dev", "--cluster", "two"])).contains(&"register".to_owned()));
}

/// With the plugin the root is the plugin's, and carries what `render --mode inline` writes.
#[test]
fn the_root_of_the_plugin() {
    let case = small("apps: { argocd: {} }\n");
    let rendered = case.run(&["render", "--mode", "inline", "--out", "inline"]);
    assert_eq!(rendered.code, 0, "{}", rendered.stderr);
    let root = case.read("inline/argocd/dev/root.yaml");
    let body = root.split_once('\n').unwrap().1;
    assert!(body.contains("name: hlgen\n"), "{body}");
    assert!(script(&case, &["dev", "--mode", "inline"]).contains(body));
    assert!(!script(&case, &["dev"]).contains(body));
}

/// What the values say stays known: they are read for the steps, and once more for the plugin's root.
#[test]
fn the_root_of_the_plugin_knows_the_values() {
    let case = small("apps: { argocd: {}, web: {} }\n");
    let environment = case.read("environments/dev/environment.yaml").replace("stage: dev", "stage: prod");
    case.write("environments/dev/environment.yaml", environment.as_bytes());
    let app = case.read("catalog/web/app.yaml");
    case.write("catalog/web/app.yaml", format!("{app}paths: {{ replicas: replicas }}\n").as_bytes());
    let said = || case.run(&["bootstrap", "dev", "--script", "--mode", "inline"]).stderr;
    let unknown = "how many replicas `web` has";
    assert!(said().contains(unknown), "{}", said());
    case.write("catalog/web/values.yaml", b"replicas: 2\n");
    assert!(!said().contains(unknown), "{}", said());
    // What is wrong with them is said once, however often they are evaluated.
    case.write("catalog/web/values.yaml", b"replicas: 2\nnested: { y: 1 }\n");
    assert_eq!(said().matches("yaml/ambiguous-scalar").count(), 1, "{}", said());
}

/// Generated values live in one namespace; where it is no release's of these steps it is made all the same.
#[test]
fn the_namespace_of_the_secrets_is_there() {
    let store = "capabilities: { secrets: { external: { store: company, backend: vault, namespace: keys } } }\n";
    let case = small(&format!(
        "{store}apps: {{ argocd: {{}}, web: {{}}, extra: {{ namespace: keys, tier: application }} }}\n"
    ));
    assert_eq!(steps(&case, &["dev"])["steps"][0]["namespaces"], serde_json::json!(["argocd", "web"]));
    let app = case.read("catalog/web/app.yaml");
    case.write(
        "catalog/web/app.yaml",
        format!("{app}secrets: [{{ name: s, keys: {{ k: {{ provided: a/b }} }} }}]\n").as_bytes(),
    );
    assert_eq!(steps(&case, &["dev"])["steps"][0]["namespaces"], serde_json::json!(["argocd", "keys", "web"]));
}
