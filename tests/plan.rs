//! Small repositories through the whole program: what was planned, found and written.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "tests make and read files themselves, and may take their time"
)]

use std::collections::BTreeMap;
use std::path::Path;

use hlgen::diag::Diagnostic;
use hlgen::ops::evaluate::Selection;
use hlgen::ops::render::{Delivery, Target, render};
use hlgen::ops::workspace::Workspace;
use hlgen::plan;
use hlgen::resolve::view::View;
use hlgen::schema::kinds::Kinds;

const PROJECT: &str =
    "apiVersion: hlgen.dev/v1\nkind: Project\nname: homelab\ngit: { repoURL: https://git.example.com/o/h.git }\n";
const ENVIRONMENT: &str =
    "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\nprovider: kind\ndomain: example.com\n";
const APP: &str = "apiVersion: hlgen.dev/v1\nkind: App\ndescription: x\n";
const CHART: &str = "chart: { repository: https://charts.example.com, name: web, version: 1.2.3 }\n";

/// A repository and what rendering it gave.
struct Case {
    files: BTreeMap<String, String>,
}

struct Rendered {
    findings: Vec<Diagnostic>,
    out: BTreeMap<String, String>,
}

impl Case {
    /// One app `web` in one environment `dev`.
    fn new() -> Self {
        let case = Self { files: BTreeMap::new() };
        case.file("hlgen.yaml", PROJECT).env("apps: { web: {} }\n").app(CHART).file("catalog/web/values.yaml", "a: 1\n")
    }

    fn file(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    fn env(self, text: &str) -> Self {
        self.file("environments/dev/environment.yaml", format!("{ENVIRONMENT}{text}"))
    }

    fn app(self, text: &str) -> Self {
        self.file("catalog/web/app.yaml", format!("{APP}{text}"))
    }

    fn folder(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in &self.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn render(&self) -> Rendered {
        let folder = self.folder();
        let workspace = Workspace::open(folder.path()).unwrap();
        let outcome = render(&workspace, &Selection::default(), Delivery::Files, Target::Write(Path::new(""))).unwrap();
        let mut out = BTreeMap::new();
        read(&folder.path().join("rendered"), "", &mut out);
        Rendered { findings: outcome.findings, out }
    }
}

fn read(folder: &Path, prefix: &str, out: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{name}/"), out);
        } else {
            out.insert(name, std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}

impl Rendered {
    fn codes(&self) -> Vec<&'static str> {
        self.findings.iter().map(|finding| finding.code.info().name).collect()
    }

    fn set(&self, name: &str) -> &str {
        assert_eq!(self.codes(), Vec::<&str>::new(), "{:?}", self.findings);
        &self.out[&format!("argocd/dev/applicationsets/{name}.yaml")]
    }
}

#[test]
fn an_entry_means_the_same_with_and_without_a_field_that_needs_the_merge() {
    let own = format!("{CHART}version: 2.0.0\nnamespace: webns\nreleaseName: webrel\n");
    for fields in [
        "version: null",
        "namespace: null",
        "releaseName: null",
        "namespace: !unset",
        "releaseName: !unset",
        "version: 3.0.0, namespace: other, releaseName: other",
    ] {
        let case = |more: &str| Case::new().app(&own).env(&format!("apps: {{ web: {{ {fields}{more} }} }}\n")).render();
        let (simple, full) = (case(""), case(", description: x"));
        assert_eq!(simple.set("web"), full.set("web"), "{fields}");
        assert_eq!(simple.out, full.out, "{fields}");
    }
}

#[test]
fn a_tag_on_an_entry_is_heard() {
    let replaced = Case::new().env("apps: { web: !replace { namespace: other } }\n").render();
    assert_eq!(replaced.codes(), ["out/manifest"], "the chart is gone: {:?}", replaced.findings);
}

#[test]
fn an_empty_entry_drops_nothing_of_a_profile() {
    let profile =
        "apiVersion: hlgen.dev/v1\nkind: Profile\napps: { web: { namespace: ofprofile }, two: { app: web } }\n";
    let case = || Case::new().file("environments/profiles/stage/dev.yaml", profile);
    let (null, empty) =
        (case().env("apps:\n  web:\n  two:\n").render(), case().env("apps: {web: {}, two: {}}\n").render());
    assert!(null.set("web").contains("namespace: ofprofile"));
    assert_eq!(null.out, empty.out);
}

#[test]
fn a_local_chart_is_rendered_again_when_it_changes() {
    let local = Case::new()
        .file("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n")
        .app("chart: { path: charts/web }\n")
        .render();
    assert!(local.set("web").contains(";/charts/web"), "{}", local.set("web"));
}

#[test]
fn a_directory_of_another_repository_is_rendered_at_every_revision() {
    let git =
        Case::new().app("git: { repoURL: https://git.example.com/x/y.git, path: deploy, revision: v1 }\n").render();
    assert!(!git.set("web").contains("manifest-generate-paths"), "{}", git.set("web"));
    assert!(!git.set("web").contains("finalizers"), "what it holds is not known");
}

#[test]
fn one_destination_is_one_cluster() {
    let case = Case::new()
        .env("clusters: [{ name: a, destination: { name: x } }, { name: b, destination: { name: x } }]\napps: { web: {} }\n")
        .render();
    assert_eq!(case.codes(), ["ref/duplicate"], "{:?}", case.findings);
}

#[test]
fn rendered_files_have_a_folder_of_their_own() {
    for path in ["..", "../x", "/abs", ".", "rendered/", ".git", "catalog", "environments/dev", "x*", "$x", "a b", ""] {
        let project = PROJECT.replace("h.git }", &format!("h.git, path: '{path}' }}"));
        let case = Case::new().file("hlgen.yaml", project).render();
        assert!(case.codes().contains(&"kind/field"), "{path}: {:?}", case.findings);
        assert!(case.findings.iter().all(|finding| !finding.labels.is_empty()), "{path}");
    }
}

#[test]
fn no_listed_manifest_is_lost() {
    let rule = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n";
    let twice = Case::new()
        .app(&format!("{CHART}manifests: [{{ path: manifests/a.yaml, when: 'true' }}, {{ path: a.yaml }}]\n"))
        .file("catalog/web/manifests/a.yaml", rule)
        .file("catalog/web/a.yaml", rule)
        .render();
    assert_eq!(twice.codes(), ["ref/duplicate"], "{:?}", twice.findings);
    let other =
        Case::new().app(&format!("{CHART}manifests: [{{ path: a.txt }}]\n")).file("catalog/web/a.txt", rule).render();
    assert_eq!(other.codes(), ["kind/field"], "{:?}", other.findings);
}

#[test]
fn manifests_are_bounded() {
    let documents = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n".repeat(200);
    let case = Case::new()
        .app(&format!("{CHART}manifests: [{{ path: manifests/a.yaml, each: range(1000) }}]\n"))
        .file("catalog/web/manifests/a.yaml", documents)
        .render();
    assert_eq!(case.codes(), ["template/limit"], "{:?}", case.findings);
}

#[test]
fn a_key_left_empty_is_not_there() {
    let case =
        Case::new().env("vars:\nclusters:\nnetwork:\ncapabilities:\napps: { web: {}, WEB: { app: web } }\n").render();
    assert_eq!(case.codes(), ["kind/name"], "{:?}", case.findings);
    let case = Case::new().env("gates:\napps: { web: {} }\n").render();
    assert_eq!(case.codes(), ["kind/field"], "{:?}", case.findings);
}

#[test]
fn very_many_violations_are_not_all_told() {
    let schema = serde_json::json!({ "additionalProperties": { "type": "string" } });
    let values: String = (0..20_000).map(|number| format!("k{number}: 1\n")).collect();
    let case = Case::new()
        .file("catalog/web/values.schema.json", schema.to_string())
        .file("environments/dev/values/web.yaml", values)
        .render();
    assert!((100..1000).contains(&case.findings.len()), "{}", case.findings.len());
}

#[test]
fn long_requirements_into_a_circle_are_walked_once() {
    let mut apps = String::from("apps:\n");
    for number in 0..2000 {
        let next = if number == 1999 { 1998 } else { number + 1 };
        apps.push_str(&format!(
            "  r{number:04}: {{ app: web, namespace: n{number}, requires: [release/r{next:04}] }}\n"
        ));
    }
    let case = Case::new().env(&apps).render();
    assert_eq!(case.codes(), ["order/cycle"]);
}

#[test]
fn nothing_is_called_as_the_root_is() {
    let case = Case::new().env("clusters: [{ name: homelab }]\napps: { root: { app: web } }\n").render();
    assert_eq!(case.codes(), ["out/clash"], "{:?}", case.findings);
}

#[test]
fn an_app_that_can_be_there_once_does_not_conflict_with_itself() {
    let app = format!("{CHART}conflicts: [web]\n");
    let once = Case::new().app(&app).render();
    assert_eq!(once.codes(), Vec::<&str>::new(), "{:?}", once.findings);
    let twice = Case::new().app(&app).env("apps: { web: {}, two: { app: web, namespace: two } }\n").render();
    assert!(twice.codes().contains(&"ref/conflict"), "{:?}", twice.findings);
}

/// A text of 100 KB behind 10,000 aliases would be a gigabyte of values.
#[test]
fn aliases_cannot_multiply_a_long_text() {
    let values = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 10_000].join(", "));
    let bomb = Case::new().file("catalog/web/values.yaml", values).render();
    assert_eq!(bomb.codes(), ["yaml/limit"], "{:?}", bomb.findings);
}

/// Nothing in a repository may keep a run for ever.
#[test]
fn a_run_gives_up_when_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    // What an operator looks through is not counted, so each of these takes a good part of a second.
    let slow = "${{% for t in [file('large.txt')] %}}${{% for x in range(20000) %}}${{ 'y' in t }}${{% endfor %}}${{% endfor %}}";
    for (path, text) in [
        ("hlgen.yaml", PROJECT.to_owned()),
        ("environments/dev/environment.yaml", format!("{ENVIRONMENT}apps: {{ web: {{}} }}\n")),
        ("catalog/web/app.yaml", format!("{APP}{CHART}")),
        ("catalog/web/values.yaml", (0..200).map(|n| format!("a{n}: \"{slow}\"\n")).collect()),
        ("catalog/web/large.txt", "xy".repeat(400_000).replace('y', "z")),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hlgen"))
        .args(["render", "--timeout", "1", "-C"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("gave up after 1 s"), "{said}");
    assert!(!folder.path().join("rendered").exists());
}

/// What one app's releases have read may be forgotten when they are done, but not what another app still needs.
#[test]
fn an_app_may_be_installed_and_be_a_base_too() {
    let mut case = Case::new().env(
        "apps:\n  web: {}\n  one: { app: other, namespace: one }\n  two: { app: other, namespace: two }\n  three: { app: third, namespace: three }\n",
    );
    for name in ["other", "third"] {
        case = case.file(&format!("catalog/{name}/app.yaml"), format!("{APP}from: web\n"));
    }
    for _ in 0..20 {
        let out = case.render();
        assert_eq!(out.codes(), Vec::<&str>::new(), "{:?}", out.findings);
        for release in ["web", "one", "two", "three"] {
            assert!(out.out[&format!("dev/{release}/values.yaml")].ends_with("a: 1\n"), "{release}");
        }
    }
}

#[test]
fn another_provider_of_secrets_changes_where_secrets_come_from_and_nothing_else() {
    let secrets = "secrets: [{ name: web, keys: { user: { literal: me }, password: { generate: { length: 16 } } } }]\n";
    let operator = |data: &str| format!("{APP}tier: platform\n{CHART}provides: {{ secrets: {{ {data} }} }}\n");
    let sealed = format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{ name: web, namespace: web }}\nspec: {{ encryptedData: {{ password: {} }} }}\n",
        "AgBy8hCi8kYt0fXm3wq1zU".repeat(4)
    );
    let case = |chosen: &str| {
        Case::new()
            .app(&format!("{CHART}{secrets}"))
            .file("catalog/external/app.yaml", operator("store: main, backend: vault"))
            .file("catalog/sealed/app.yaml", operator("store: main, backend: sealed"))
            .env(&format!(
                "capabilities: {{ secrets: {chosen} }}\napps: {{ web: {{}}, external: {{}}, sealed: {{}} }}\n"
            ))
    };
    let vault = case("external").render();
    let switched = case("sealed").file("environments/dev/manifests/web/secret-web.yaml", sealed).render();
    assert_eq!(vault.codes(), Vec::<&str>::new(), "{:?}", vault.findings);
    assert_eq!(switched.codes(), Vec::<&str>::new(), "{:?}", switched.findings);
    assert_eq!(vault.out.keys().collect::<Vec<_>>(), switched.out.keys().collect::<Vec<_>>());
    let changed: Vec<&str> =
        vault.out.iter().filter(|(path, text)| switched.out[*path] != **text).map(|(path, _)| path.as_str()).collect();
    assert_eq!(changed, ["dev/namespaces/external.yaml", "dev/web/manifests/secret-web.yaml"]);
    let (made, namespace) =
        (&switched.out["dev/web/manifests/secret-web.yaml"], &switched.out["dev/namespaces/external.yaml"]);
    assert!(made.contains("kind: SealedSecret") && made.contains("user: me"), "{made}");
    assert!(!namespace.contains("Password"), "{namespace}");
}

#[test]
fn routes_of_the_gateway_api_instead_of_ingresses_change_and_nothing_else() {
    let case = |data: &str| {
        Case::new()
            .app(&format!(
                "{CHART}expose: [{{ name: web, service: web, port: 80 }}, {{ name: api, service: web, port: 81, host: api }}]\n"
            ))
            .file("catalog/quiet/app.yaml", format!("{APP}{CHART}"))
            .file(
                "catalog/traefik/app.yaml",
                format!("{APP}tier: platform\n{CHART}provides: {{ ingress: {{ className: traefik{data} }} }}\n"),
            )
            .env("apps: { web: {}, quiet: {}, traefik: {} }\n")
    };
    let (ingress, gateway) = (case("").render(), case(", gateway: public, namespace: traefik").render());
    assert_eq!((ingress.codes(), gateway.codes()), (Vec::<&str>::new(), Vec::<&str>::new()));
    assert_eq!(ingress.out.keys().collect::<Vec<_>>(), gateway.out.keys().collect::<Vec<_>>());
    let changed: Vec<&str> =
        ingress.out.iter().filter(|(path, text)| gateway.out[*path] != **text).map(|(path, _)| path.as_str()).collect();
    assert_eq!(changed, ["dev/web/manifests/expose-api.yaml", "dev/web/manifests/expose-web.yaml"]);
    for path in changed {
        assert!(ingress.out[path].contains("kind: Ingress\n"), "{path}");
        assert!(gateway.out[path].contains("kind: HTTPRoute\n") && !gateway.out[path].contains("Ingress"), "{path}");
    }
}

#[test]
fn a_part_of_a_repository_has_the_environments_whose_secrets_it_names() {
    let secrets = "[{ name: web, keys: { a: { from: { environment: hub, release: web, secret: web, key: a } } } }]";
    let folder = Case::new()
        .app(&format!("{CHART}secrets: [{{ name: web, keys: {{ a: {{ literal: x }} }} }}]\n"))
        .env(&format!("apps: {{ web: {{ secrets: {secrets} }} }}\n"))
        .file("environments/hub/environment.yaml", format!("{ENVIRONMENT}apps: {{ web: {{}} }}\n"))
        .file("environments/other/environment.yaml", format!("{ENVIRONMENT}apps: {{ web: {{}} }}\n"))
        .folder();
    let workspace = Workspace::open(folder.path()).unwrap();
    let (docs, mut findings) = (workspace.docs(), Vec::new());
    let view = View::Environments(["dev".to_owned()].into());
    let plan = plan::part(&docs, &Kinds::default(), &view, &mut findings).unwrap();
    let names: Vec<&str> = plan.environments.iter().map(|env| env.name.as_str()).collect();
    assert_eq!(names, ["dev", "hub"], "{findings:?}");
}
