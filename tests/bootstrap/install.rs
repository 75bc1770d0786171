//! What a step does with a chart: CRDs, hooks, the rest, manifests, and what has to wait.

use super::cluster::{Cluster, script};
use super::support::{self, case::Case};
use super::{HOME, small};

/// A chart with everything that has an order, in no order.
const CHART: &str = "\
---
# Source: web/templates/after.yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: after
  annotations:
    helm.sh/hook: post-install,post-upgrade
spec: {}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
---
apiVersion: example.com/v1
kind: Thing
metadata:
  name: own-kind
---
apiVersion: batch/v1
kind: Job
metadata:
  name: second
  annotations:
    \"helm.sh/hook\": pre-install
    \"helm.sh/hook-weight\": \"5\"
---
apiVersion: batch/v1
kind: Job
metadata:
  name: first
  annotations:
    \"helm.sh/hook\": \"pre-install, pre-upgrade\"
    \"helm.sh/hook-weight\": \"-5\"
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.com
# serves: example.com/v1/Thing
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: unknown-kind
---
apiVersion: v1
kind: Pod
metadata:
  name: tested
  annotations:
    helm.sh/hook: test
";

#[test]
fn crds_then_hooks_then_the_rest() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("apps: { argocd: {}, web: {} }\n");
    cluster.set("charts/web.yaml", CHART);
    let run = cluster.run(case.root(), &script(&case, &["dev"]), HOME, "");
    assert_eq!(run.code, 0, "{}", run.said);
    cluster.in_order(&[
        &["set-context --current --namespace web"],
        &["helm template web"],
        &["[kubeconfig@web] apply "],
        &["applied", "CustomResourceDefinition"],
        &["wait --for=condition=Established"],
        &["delete job first"],
        &["applied", "Job"],
        &["get job first"],
        &["delete job second"],
        &["get job second"],
        &["applied", "Deployment Thing"],
        &["rollout status Deployment/web --namespace web"],
        &["delete job after"],
        &["get job after"],
        &["helm template argocd"],
    ]);
    assert!(!cluster.applied().contains("tested"), "tests are not installed");
    assert!(!cluster.applied().contains("unknown-kind"));
    assert!(
        run.said.contains("does not know their kind") && run.said.contains("ServiceMonitor unknown-kind"),
        "{}",
        run.said
    );
    // What the CRDs brought is known to the charts that come later.
    let versions = |name: &str| cluster.get(&format!("values/{name}.versions"));
    assert!(!versions("web").contains("example.com/v1"), "{}", versions("web"));
    assert!(versions("argocd").lines().any(|line| line == "example.com/v1/Thing"), "{}", versions("argocd"));
    assert!(versions("argocd").lines().any(|line| line == "apps/v1"));
}

/// Objects of a kind that a later step brings are applied then, in their own namespace.
#[test]
fn what_is_not_known_yet_comes_later() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("apps: { argocd: {}, extra: { namespace: early }, web: {} }\n");
    let monitor = "---\napiVersion: example.com/v1\nkind: Thing\nmetadata: { name: early }\n";
    cluster.set("charts/extra.yaml", &format!("{monitor}---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n"));
    cluster.set("charts/web.yaml", CHART);
    let run = cluster.run(case.root(), &script(&case, &["dev"]), HOME, "");
    assert_eq!(run.code, 0, "{}", run.said);
    cluster.in_order(&[
        &["helm template extra"],
        &["applied", "Secret"],
        &["helm template web"],
        &["wait --for=condition=Established"],
        &["@early] apply"],
        &["applied", "Thing"],
        &["helm template argocd"],
    ]);
    assert_eq!(cluster.applied().matches("name: early").count(), 2, "the namespace and the object");
}

#[test]
fn a_hook_that_fails_stops_the_step() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("apps: { argocd: {}, web: {} }\n");
    cluster.set("charts/web.yaml", CHART);
    cluster.set("jobs/first", "exists FailureTarget Failed .");
    let run = cluster.run(case.root(), &script(&case, &["dev"]), HOME, "");
    assert_eq!(run.code, 1);
    assert!(run.said.contains("job first in namespace web failed"), "{}", run.said);
    assert!(!cluster.applied().contains("name: second"));
    // A Job that is not done in time, and one whose time to live is over.
    cluster.set("jobs/first", "exists  .");
    let run = cluster.run(case.root(), &script(&case, &["dev"]), HOME, "");
    assert!(run.said.contains("job first in namespace web is not complete after 3 s"), "{}", run.said);
    cluster.set("jobs/first", "");
    assert_eq!(cluster.run(case.root(), &script(&case, &["dev"]), HOME, "").code, 0);
}

/// A webhook that is not up refuses objects for a while.
#[test]
fn what_is_refused_is_tried_again() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("apps: { argocd: {}, web: {} }\n")
        .file("catalog/web/manifests/issuer.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: issuer }\n");
    let text = script(&case, &["dev"]);
    cluster.set("refuse.pattern", "name: issuer");
    cluster.set("refuse", "3\n");
    let run = cluster.run(case.root(), &text, HOME, "");
    assert_eq!(run.code, 0, "{}", run.said);
    // The pods do not wait for it: it comes again when they are ready.
    cluster.in_order(&[&["rollout status Deployment/web"], &["applied", "ConfigMap"], &["helm template argocd"]]);

    cluster.forget();
    cluster.set("refuse", "99\n");
    let run = cluster.run(case.root(), &text, HOME, "");
    assert_eq!(run.code, 1);
    assert!(run.said.contains("the cluster refuses objects of step 'release/web'"), "{}", run.said);
}

#[test]
fn only_the_bootstrap_has_its_own_values() {
    let Some(cluster) = Cluster::new() else { return };
    let case = small("apps: { argocd: {}, web: {} }\n")
        .file("catalog/web/values.yaml", "a: 1\nmonitor: { enabled: true, interval: 30s }\n")
        .file("catalog/web/values.bootstrap.yaml", "monitor: { enabled: false }\n");
    assert_eq!(cluster.run(case.root(), &script(&case, &["dev"]), HOME, "").code, 0);
    assert_eq!(cluster.get("values/web.yaml"), "a: 1\nmonitor:\n  enabled: false\n  interval: '30s'\n");
    let rendered = case.run(&["render", "--format", "short"]);
    assert_eq!((rendered.code, rendered.stderr.lines().count()), (0, 1), "{}", rendered.stderr);
    assert!(case.read("rendered/dev/web/values.yaml").contains("enabled: true"));
}

/// Charts of the repository and of a registry, a directory of another repository, manifests alone.
pub(crate) fn origins() -> Case {
    let app = "apiVersion: hlgen.dev/v1\nkind: App\ndescription: x\ntier: platform\n";
    small("apps: { argocd: {}, local: {}, oci: {}, directory: {}, bare: {} }\n")
        .file(
            "catalog/local/app.yaml",
            format!("{app}chart: {{ path: charts/local }}\napplication: {{ helm: {{ apiVersions: [a.example.com/v1] }} }}\n"),
        )
        .file("catalog/local/values.yaml", "greeting: hello\n")
        .file("charts/local/Chart.yaml", "apiVersion: v2\nname: local\nversion: 1.0.0\n")
        .file("charts/local/crds/things.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things.example.com\n")
        .file(
            "charts/local/templates/all.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\n\
             data:\n  greeting: {{ .Values.greeting }}\n  kube: {{ .Capabilities.KubeVersion.Version }}\n  \
             has: {{ .Capabilities.APIVersions.Has \"a.example.com/v1\" | quote }}\n  deployments: {{ .Capabilities.APIVersions.Has \
             \"apps/v1/Deployment\" | quote }}\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: before\n  annotations:\n    \
             helm.sh/hook: pre-install\n",
        )
        .file(
            "catalog/oci/app.yaml",
            format!("{app}chart: {{ repository: oci://registry.example.com/charts, name: web, version: 1.2.3 }}\n"),
        )
        .file(
            "catalog/directory/app.yaml",
            format!("{app}git: {{ repoURL: https://git.example.com/others/thing.git, path: deploy/base, revision: v1.0.0 }}\n"),
        )
        .file("catalog/bare/app.yaml", app)
        .file("catalog/bare/manifests/one.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: bare }\n")
}

/// The real Helm on a chart of the repository.
#[test]
fn a_chart_of_the_repository_is_rendered_by_helm() {
    let (Some(cluster), Some(helm)) = (Cluster::new(), support::tool("helm")) else { return };
    let cluster = cluster.with_real_helm(&helm);
    let case = origins();
    let run = cluster.run(case.root(), &script(&case, &["dev", "--only", "local"]), HOME, "");
    assert_eq!(run.code, 0, "{}", run.said);
    cluster.in_order(&[
        &["helm template local"],
        &["applied", "CustomResourceDefinition"],
        &["applied", "Secret"],
        &["applied", "ConfigMap"],
    ]);
    let applied = cluster.applied();
    for line in [
        "greeting: hello",
        "kube: v1.34.2",
        "has: \"true\"",
        "deployments: \"true\"",
        "name: local",
        "namespace: local",
    ] {
        assert!(applied.contains(line), "no `{line}` in\n{applied}");
    }
    // From elsewhere the repository has to be named.
    let run = cluster.run(cluster.path("fake").as_path(), &script(&case, &["dev", "--only", "local"]), HOME, "");
    assert!(run.code == 1 && run.said.contains("there is no chart in"), "{}", run.said);
    let root = case.root().to_str().unwrap();
    let arguments = ["--context", "home", "--yes", "--checkout", root];
    let run = cluster.run(cluster.path("fake").as_path(), &script(&case, &["dev", "--only", "local"]), &arguments, "");
    assert_eq!(run.code, 0, "{}", run.said);
}

#[test]
fn charts_of_a_registry_and_manifests_alone() {
    let Some(cluster) = Cluster::new() else { return };
    let case = origins();
    assert_eq!(cluster.run(case.root(), &script(&case, &["dev", "--only", "oci"]), HOME, "").code, 0);
    let line = cluster.log().lines().find(|line| line.starts_with("helm ")).unwrap().to_owned();
    assert!(
        line.starts_with("helm template oci oci://registry.example.com/charts/web --namespace oci ")
            && line.contains(" --version 1.2.3 "),
        "{line}"
    );
    cluster.forget();
    assert_eq!(cluster.run(case.root(), &script(&case, &["dev", "--only", "bare"]), HOME, "").code, 0);
    assert!(!cluster.log().contains("helm "), "{}", cluster.log());
    assert!(cluster.applied().contains("name: bare"));
}

/// A directory of another repository, at a tag and at a commit, as a kustomization and as plain files.
#[test]
fn a_directory_of_another_repository() {
    let Some(cluster) = Cluster::new() else { return };
    let remote = Case::new()
        .file("deploy/base/one.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\n")
        .file("deploy/base/two.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: left-out\n");
    let git = |arguments: &[&str]| {
        let folder = remote.root().to_str().unwrap();
        let own = ["-C", folder, "-c", "user.name=x", "-c", "user.email=x@example.com"];
        support::run(std::path::Path::new("git"), &[&own, arguments].concat(), "")
    };
    git(&["init", "--quiet"]);
    let commit = |message: &str| {
        git(&["add", "."]);
        git(&["commit", "--quiet", "-m", message]);
        git(&["rev-parse", "HEAD"]).trim().to_owned()
    };
    let plain = commit("plain");
    git(&["tag", "v1.0.0"]);
    remote.write("deploy/base/kustomization.yaml", b"resources: [one.yaml]\nnamePrefix: pre-\n");
    commit("kustomization");
    git(&["tag", "v1.1.0"]);
    let run = |revision: &str| {
        let case = origins();
        let text = case.read("catalog/directory/app.yaml");
        case.write("catalog/directory/app.yaml", text.replace("v1.0.0", revision).as_bytes());
        // The script's own address is no folder, so it is put there behind hlgen's back.
        let script = script(&case, &["dev", "--only", "directory"]);
        let script =
            script.replace("https://git.example.com/others/thing.git", &format!("file://{}", remote.root().display()));
        cluster.set("log", "");
        let run = cluster.run(case.root(), &script, HOME, "");
        assert_eq!(run.code, 0, "{revision}: {}", run.said);
        cluster.applied()
    };
    assert!(run("v1.0.0").contains("name: left-out"));
    let before = run(&plain).len();
    let applied = run("v1.1.0");
    assert!(applied[before..].contains("name: pre-plain") && !applied[before..].contains("left-out"), "{applied}");
}
