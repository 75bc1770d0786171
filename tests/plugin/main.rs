//! The plugin as Argo CD's sidecar runs it.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests write and read their own folders")]

#[path = "../support/cmp.rs"]
mod cmp;
mod files;
mod fixture;
mod inputs;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/workload.rs"]
#[allow(dead_code, reason = "a part of it is enough")]
mod workload;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cmp::{Reply, Request, Sidecar};
use fixture::{fixture, own};
use serde_json::{Value, json};
use support::case::{Case, tree};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn plugin_yaml() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("plugin/plugin.yaml")).unwrap()
}

fn sidecar() -> Sidecar {
    Sidecar::new(&plugin_yaml(), Path::new(env!("CARGO_BIN_EXE_hlgen")))
}

/// The objects of the files below a folder of rendered ones, in the order of their paths.
fn objects(case: &Case, folder: &str) -> Vec<Value> {
    let files = case.tree(folder);
    files.values().flat_map(|text| cmp::split(std::str::from_utf8(text).unwrap()).unwrap()).collect()
}

/// Every place below a rendered folder: cluster and release (or `namespaces`).
fn places(case: &Case, out: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = case
        .tree(out)
        .keys()
        .filter_map(|path| {
            let mut parts = path.split('/');
            Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
        })
        .filter(|(cluster, _)| cluster != "argocd")
        .collect();
    all.dedup();
    all
}

fn ask(cluster: &str, release: &str) -> Request {
    match release {
        "namespaces" => Request::with(&[("cluster", cluster), ("namespaces", "true"), ("version", VERSION)]),
        _ => Request::with(&[("cluster", cluster), ("release", release), ("version", VERSION)]),
    }
}

fn error(reply: &Reply) -> &str {
    match &reply.result {
        Err(error) => error,
        Ok(objects) => panic!("{} objects, an error was expected", objects.len()),
    }
}

fn clean(reply: &Reply) {
    let folder = reply.folder.to_string_lossy().into_owned();
    let random = reply.folder.file_name().unwrap().to_string_lossy().into_owned();
    for text in [&reply.stdout, &reply.stderr] {
        assert!(!text.contains(&folder) && !text.contains(&random), "{text}");
        // Every folder of these tests lies in one of `tempfile`; a container may well have a `/tmp` of its own.
        assert!(!text.contains("/_cmp_server") && !text.contains("/tmp/.tmp"), "{text}");
    }
}

/// Compares the plugin's answers with what `render` writes, for every cluster and release; returns how many there were.
fn same_as_rendered(case: &Case) -> usize {
    let rendered = case.run(&["render", "--out", "out"]);
    assert_eq!(rendered.code, 0, "{}", rendered.stderr);
    let inline = case.run(&["render", "--mode", "inline", "--out", "inline"]);
    assert_eq!(inline.code, 0, "{}", inline.stderr);
    let (all, instances) = (places(case, "out"), case.tree("inline/argocd"));
    let sidecar = sidecar();
    // The output lies elsewhere for the plugin's copy.
    let repository = Case::copy_of(case.root());
    for folder in ["out", "inline"] {
        std::fs::remove_dir_all(repository.path(folder)).unwrap();
    }
    for (cluster, release) in &all {
        let folder = if release == "namespaces" { String::new() } else { "/manifests".to_owned() };
        let expected = objects(case, &format!("out/{cluster}/{release}{folder}"));
        let reply = sidecar.generate(repository.root(), &ask(cluster, release));
        clean(&reply);
        if expected.is_empty() {
            assert!(error(&reply).contains("brings no object"), "{cluster}/{release}: {}", error(&reply));
            let more = ask(cluster, release).arguments(&["--allow-empty"]);
            assert_eq!(sidecar.generate(repository.root(), &more).result, Ok(Vec::new()));
        } else {
            assert_eq!(reply.result, Ok(expected), "{cluster}/{release}");
            assert_eq!(reply.stderr, "", "{cluster}/{release}");
        }
    }
    let names: std::collections::BTreeSet<&str> =
        instances.keys().map(|path| path.split('/').next().unwrap()).collect();
    for instance in names {
        let expected = objects(case, &format!("inline/argocd/{instance}"));
        let reply = sidecar.generate(repository.root(), &Request::with(&[("instance", instance)]));
        clean(&reply);
        assert_eq!(reply.result, Ok(expected), "instance {instance}");
    }
    all.len()
}

#[test]
fn the_plugin_prints_what_render_writes() {
    assert!(same_as_rendered(&own()) > 40);
    assert!(same_as_rendered(&fixture()) > 8);
}

/// Argo CD reads YAML 1.1, in which more words mean something.
#[test]
fn a_yaml_1_1_reader_sees_the_same_objects() {
    const PROGRAM: &str = "import json, sys\ntry:\n    import yaml\nexcept ImportError:\n    print('null'); sys.exit()\nprint(json.dumps([d for d in yaml.safe_load_all(sys.stdin.read()) if d is not None]))";
    let Some(python) = support::tool("python3") else { return };
    let case = own();
    let sidecar = sidecar();
    for parameters in [
        vec![("env", "prod-eks")],
        vec![("instance", "dev-kind")],
        vec![("cluster", "lab"), ("namespaces", "true")],
        vec![("cluster", "prod-eks"), ("release", "kube-prometheus-stack")],
        vec![("cluster", "prod-eks"), ("release", "immich")],
    ] {
        let reply = sidecar.generate(case.root(), &Request::with(&parameters));
        let Ok(objects) = reply.result else { continue };
        let read: Option<Vec<Value>> =
            serde_json::from_str(&support::run(&python, &["-c", PROGRAM], &reply.stdout)).unwrap();
        let Some(read) = read else {
            assert!(std::env::var_os("HLGEN_REQUIRE_TOOLS").is_none(), "PyYAML not found");
            println!("skipped: PyYAML not found");
            return;
        };
        assert!(!objects.is_empty());
        assert_eq!(read, objects, "{parameters:?}");
    }
}

#[test]
fn parameters_come_in_every_shape() {
    let case = fixture();
    let sidecar = sidecar();
    let answer = |request: &Request| sidecar.generate(case.root(), request);
    let expected = answer(&ask("prod-a", "web")).result.unwrap();
    assert_eq!(expected.len(), 3);
    let raw = |text: &str| Request { parameters: Some(text.to_owned()), ..Request::bare() };
    let by_variables =
        |request: Request| request.variable("ARGOCD_ENV_CLUSTER", "prod-a").variable("ARGOCD_ENV_RELEASE", "web");
    let version = r#"[{"name":"version","string":"0.0.1"}]"#;
    for request in [
        raw(r#"[{"array":[],"map":{},"name":"cluster","string":"prod-a"},{"name":"release","string":"web"}]"#),
        raw(
            r#"[{"name":"env","string":"prod"},{"name":"cluster","string":"prod-a"},{"name":"release","string":"\u0077eb"}]"#,
        ),
        by_variables(raw("null")),
        by_variables(raw("[]")),
        by_variables(raw(version)),
        by_variables(Request::bare()),
        by_variables(ask("prod-a", "web")).variable("ARGOCD_ENV_CLUSTER", "dev").variable("ARGOCD_ENV_INSTANCE", "x"),
        // By hand.
        raw(r#"[{"name":"instance","string":"hub"}]"#).arguments(&["--cluster", "prod-a", "--release", "web"]),
    ] {
        assert_eq!(answer(&request).result.as_ref(), Ok(&expected), "{request:?}");
    }
    for nothing in [raw("null"), raw("[]"), raw(version), Request::bare()] {
        let reply = answer(&nothing);
        let error = error(&reply);
        assert!(error.contains("the plugin was not told what to print"), "{error}");
        assert!(error.contains("instances: `hub`, `edge`") && error.contains("`prod-a`, `prod-b`"), "{error}");
        assert_eq!(reply.stdout, "");
    }
    for (wrong, said) in [
        (r#"[{"name":"cluster","array":["prod-a"]}]"#, "is a list"),
        (r#"[{"name":"cluster","map":{"a":"b"}}]"#, "is a map"),
        (r#"[{"name":"clusters","string":"prod-a"}]"#, "did you mean `cluster`?"),
        (r#"{"cluster":"hunter2"}"#, "is not the list that Argo CD writes"),
        (r#"["hunter2"]"#, "is not the list that Argo CD writes"),
    ] {
        let reply = answer(&raw(wrong));
        assert!(error(&reply).contains(said), "{}", error(&reply));
        assert!(!error(&reply).contains("hunter2"), "{}", error(&reply));
    }
}

/// Every subset of the parameters: five ways of asking are answered, all others are refused with what there is.
#[test]
fn every_combination_is_answered_or_refused() {
    let case = fixture();
    let sidecar = sidecar();
    let all = [("instance", "hub"), ("env", "prod"), ("cluster", "prod-a"), ("release", "web"), ("namespaces", "true")];
    for mask in 0..32_u32 {
        let chosen: Vec<(&str, &str)> =
            all.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0).map(|(_, one)| *one).collect();
        let names: Vec<&str> = chosen.iter().map(|(name, _)| *name).collect();
        let reply = sidecar.generate(case.root(), &Request::with(&chosen));
        let answered = [
            "instance",
            "env",
            "instance env",
            "cluster release",
            "env cluster release",
            "cluster namespaces",
            "env cluster namespaces",
        ]
        .contains(&names.join(" ").as_str());
        match &reply.result {
            Ok(objects) => assert!(answered && !objects.is_empty(), "{names:?}"),
            Err(error) => {
                assert!(!answered, "{names:?}: {error}");
                assert!(error.contains("error[plugin/parameter]") && error.contains("ask for `instance`"), "{error}");
            }
        }
    }
    for (parameters, said) in [
        (vec![("instance", "hab")], "there is no instance `hab`\n  help: did you mean `hub`? there are `hub`, `edge`"),
        (vec![("env", "prd")], "there is no environment `prd`\n  help: did you mean `prod`?"),
        (vec![("instance", "edge"), ("env", "prod")], "instance `edge` does not manage an environment `prod`"),
        (vec![("cluster", "prod-c"), ("release", "web")], "there is no cluster `prod-c`"),
        (vec![("env", "dev"), ("cluster", "prod-a"), ("release", "web")], "no cluster `prod-a` in environment `dev`"),
        (vec![("env", "../dev"), ("cluster", "x"), ("release", "web")], "there is no environment `../dev`"),
        (
            vec![("cluster", "prod-a"), ("release", "wep")],
            "no release `wep` on cluster `prod-a`\n  help: did you mean `web`?",
        ),
        (vec![("cluster", "prod-a"), ("release", "store")], "no release `store` on cluster `prod-a`"),
    ] {
        let reply = sidecar.generate(case.root(), &Request::with(&parameters));
        assert!(error(&reply).contains(said), "{}", error(&reply));
    }
}

#[test]
fn sixteen_requests_at_once_and_two_folders_give_the_same_bytes() {
    let case = own();
    let sidecar = sidecar();
    let expected = sidecar.generate(case.root(), &Request::with(&[("env", "prod-eks")])).stdout;
    assert!(expected.len() > 10_000);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| sidecar.generate(case.root(), &Request::with(&[("env", "prod-eks")]))))
            .collect();
        for run in runs {
            let reply = run.join().unwrap();
            clean(&reply);
            assert!(reply.stdout == expected);
        }
    });
    assert_eq!(std::fs::read_dir(sidecar.folder().join("_cmp_server")).unwrap().count(), 0, "nothing is left behind");
}

/// The plugin's own budget ends before Argo CD's deadline and says so; without it nothing is said.
#[test]
fn the_budget_ends_before_the_deadline_does() {
    let case = Case::new();
    for (path, text) in (workload::Workload { apps: 200, environments: 6 }).files() {
        case.write(&path, text.as_bytes());
    }
    // One instance for all, so that there is enough to do.
    let names: Vec<String> = std::fs::read_dir(case.path("environments"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| case.path(&format!("environments/{name}/environment.yaml")).exists())
        .collect();
    let project = case.read("hlgen.yaml");
    let hub =
        format!("argocd:\n  instances: [{{ name: hub, runsIn: {}, manages: [{}] }}]\n", names[0], names.join(", "));
    case.write("hlgen.yaml", format!("{project}{hub}").as_bytes());
    let request = Request::with(&[("instance", "hub")]).arguments(&["--threads", "1"]);
    let hurried = plugin_yaml().replace("'50'", "'1'");
    let own = Sidecar::new(&hurried, Path::new(env!("CARGO_BIN_EXE_hlgen"))).generate(case.root(), &request);
    assert!(error(&own).contains("exit status 2: error: gave up after 1 s"), "{}", error(&own));
    assert_eq!(own.stdout, "", "half an answer would delete the other half");
    assert!(own.took < Duration::from_secs(30), "{:?}", own.took);
    let killed = sidecar().generate(case.root(), &request.deadline(Duration::from_millis(300)));
    assert!(error(&killed).contains("failed timeout after 300ms"), "{}", error(&killed));
    assert_eq!((killed.stdout.as_str(), killed.stderr.as_str()), ("", ""));
}

#[test]
fn the_container_may_be_as_bare_as_it_likes() {
    let case = fixture();
    let sidecar = sidecar();
    let plain = ask("prod-a", "web");
    let expected = sidecar.generate(case.root(), &plain).stdout;
    let apis = "some-group.example.com/v1/SomeKind,".repeat(3_000);
    assert!(apis.len() > 100_000);
    let read_only = sidecar.folder().join("home");
    std::fs::create_dir(&read_only).unwrap();
    let mut permissions = read_only.metadata().unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&read_only, permissions).unwrap();
    let home = read_only.to_str().unwrap().to_owned();
    for request in [
        plain.clone().variable("KUBE_API_VERSIONS", apis),
        plain.clone().variable("HOME", home),
        plain.clone().variable("HOME", "/nonexistent").variable("TMPDIR", "/nonexistent"),
        Request { name: "team-a_prod-a-web".to_owned(), ..plain.clone() },
        plain.clone().variable("ARGOCD_APP_REVISION", "f".repeat(40)).variable("RUST_LOG", "trace"),
        plain.clone().variable("RUST_BACKTRACE", "1").variable("COLUMNS", "20").variable("CLICOLOR_FORCE", "1"),
        // `source.path` may be any folder of the repository.
        plain.clone().at("environments/prod"),
        plain.clone().at("catalog/web/files"),
    ] {
        let reply = sidecar.generate(case.root(), &request);
        assert_eq!(reply.stdout, expected, "{:?} {}", request.name, reply.stderr);
        clean(&reply);
    }
    let fails = sidecar.generate(case.root(), &ask("prod-a", "wep").variable("SECRET_TOKEN", "hunter2"));
    assert!(!error(&fails).contains("hunter2"));
}

/// A user that no `/etc/passwd` knows, as in an image without one.
#[test]
fn the_user_needs_no_entry_in_passwd() {
    use std::os::unix::fs::MetadataExt as _;
    let case = fixture();
    if case.root().metadata().unwrap().uid() != 0 {
        println!("skipped: root not found");
        return;
    }
    // The user may not be able to reach the build's folder.
    let bin = tempfile::Builder::new().prefix("bin-").tempdir().unwrap();
    let program = bin.path().join("hlgen");
    std::fs::copy(env!("CARGO_BIN_EXE_hlgen"), &program).unwrap();
    std::fs::set_permissions(bin.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let sidecar = Sidecar::new(&plugin_yaml(), &program);
    let expected = sidecar.generate(case.root(), &ask("prod-a", "web")).stdout;
    let reply = sidecar.generate(case.root(), &Request { uid: Some(59_999), ..ask("prod-a", "web") });
    assert_eq!(reply.stdout, expected, "{}", reply.stderr);
}

/// The nearest `hlgen.yaml` upward counts, and nothing above the checkout does.
#[test]
fn the_search_for_the_root_ends_at_the_checkout() {
    let sidecar = sidecar();
    let outside = sidecar.folder().join("_cmp_server");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("hlgen.yaml"), "name: somebody else's\n").unwrap();
    let nested = Case::new();
    for (path, content) in tree(fixture().root()) {
        nested.write(&format!("ops/{path}"), &content);
    }
    let inner = sidecar.generate(nested.root(), &ask("prod-a", "web").at("ops/environments"));
    assert!(inner.result.is_ok(), "{inner:?}");
    for path in [".", "ops/.."] {
        let reply = sidecar.generate(nested.root(), &ask("prod-a", "web").at(path));
        assert!(error(&reply).contains("there is no `hlgen.yaml` here"), "{}", error(&reply));
        clean(&reply);
    }
}

/// Each mistake stops what it concerns: everybody else gets the same bytes as before.
#[test]
fn a_mistake_stops_only_what_it_concerns() {
    let asks: BTreeMap<&str, Request> = BTreeMap::from([
        ("prod web", Request::with(&[("env", "prod"), ("cluster", "prod-a"), ("release", "web")])),
        ("prod-b web", ask("prod-b", "web")),
        ("prod api", ask("prod-a", "api")),
        ("prod namespaces", ask("prod-a", "namespaces")),
        ("dev web", ask("dev", "web")),
        ("dev api", ask("dev", "api")),
        ("dev namespaces", ask("dev", "namespaces")),
        ("edge web", ask("edge", "web")),
        ("edge namespaces", ask("edge", "namespaces")),
        ("hub", Request::with(&[("instance", "hub")])),
        ("edge", Request::with(&[("env", "edge-extra")])),
    ]);
    let sidecar = sidecar();
    let run = |case: &Case| -> BTreeMap<&str, Reply> {
        asks.iter().map(|(name, request)| (*name, sidecar.generate(case.root(), request))).collect()
    };
    let before = run(&fixture());
    for (name, reply) in &before {
        assert!(reply.result.is_ok(), "{name}: {reply:?}");
    }
    let environment = fixture().read("environments/dev/environment.yaml");
    let dev = ["dev web", "dev api", "dev namespaces", "hub"];
    for (path, content, concerned, said) in [
        ("environments/dev/values/web.yaml", "text: [\n", &["dev web", "hub"][..], "environments/dev/values/web.yaml:"),
        (
            "environments/dev/values/web.yaml",
            "text: ${{ vars.nope }}\n",
            &["dev web", "hub"],
            "environments/dev/values/web.yaml:1:",
        ),
        (
            "environments/dev/environment.yaml",
            &format!("{environment}stge: dev\n"),
            &dev,
            "environments/dev/environment.yaml:",
        ),
        ("environments/dev/environment.yaml", "stage: [\n", &dev, "environments/dev/environment.yaml:"),
        (
            "environments/dev/environment.yaml",
            &environment.replace("web: {}", "wep: {}"),
            &dev,
            "there is no app `wep`",
        ),
        ("environments/dev/values/web.yaml", "-> /etc/passwd", &["dev web", "hub"], "environments/dev/values/web.yaml"),
        ("catalog/unused/app.yaml", "kind: [\n", &[], ""),
        ("environments/dev/values/nobody.yaml", "kind: [\n", &[], ""),
        ("environments/edge-extra/values/web.yaml", "text: [\n", &["edge web", "edge"], "edge-extra/values/web.yaml"),
        // Nobody can say whether it has the cluster that it names.
        (
            "environments/edge-extra/environment.yaml",
            "clusters: [{ name: edge }\n",
            &["edge web", "edge namespaces", "edge"],
            "edge-extra/environment.yaml:",
        ),
        (
            "environments/prod/manifests/web/own.yaml",
            "kind: ConfigMap\n",
            &["prod web", "prod-b web", "prod api", "hub"],
            "own.yaml:",
        ),
        (
            "catalog/store/app.yaml",
            "kind: [\n",
            &["prod web", "prod-b web", "prod api", "prod namespaces", "hub", "edge", "edge web", "edge namespaces"],
            "catalog/store/app.yaml:",
        ),
    ] {
        let case = fixture();
        let _ = std::fs::remove_file(case.path(path));
        case.write(path, content.as_bytes());
        for (name, reply) in run(&case) {
            clean(&reply);
            if concerned.contains(&name) {
                assert!(error(&reply).contains(said), "{path}, {name}: {}", error(&reply));
                assert_eq!(reply.stdout, "", "{path}, {name}");
            } else {
                assert_eq!(reply.stdout, before[name].stdout, "{path}, {name}: {}", reply.stderr);
                assert_eq!(reply.stderr, "", "{path}, {name}");
            }
        }
    }
}

/// An upgrade in either order: a source that another version wrote renders as ever; what this version cannot read says
/// what to do.
#[test]
fn an_upgrade_strands_nobody() {
    let case = fixture();
    let sidecar = sidecar();
    let with = |version: &str| {
        [
            Request::with(&[("instance", "hub"), ("version", version)]),
            Request::with(&[("cluster", "prod-a"), ("release", "web"), ("version", version)]),
        ]
    };
    let now: Vec<Reply> = with(VERSION).iter().map(|request| sidecar.generate(case.root(), request)).collect();
    // New plugin, old source (the root was applied by hand long ago); old plugin, new source.
    for version in ["0.0.1", "99.0.0", "", "nonsense"] {
        for (request, now) in with(version).iter().zip(&now) {
            let reply = sidecar.generate(case.root(), request);
            assert_eq!((&reply.stdout, reply.stderr.as_str()), (&now.stdout, ""), "{version}");
        }
    }
    // What is written names the version that runs, so an upgrade changes every source, and Argo CD asks again.
    let root = now[0].result.as_ref().unwrap().iter().find(|object| object["kind"] == "Application").unwrap();
    let parameters = &root["spec"]["source"]["plugin"]["parameters"];
    assert_eq!(parameters, &json!([{ "name": "instance", "string": "hub" }, { "name": "version", "string": VERSION }]));
    assert_eq!(root["spec"]["source"]["plugin"]["name"], "hlgen", "no version in the name");
    // Old plugin, new repository.
    let newer = fixture();
    let project = newer.read("hlgen.yaml");
    newer.write("hlgen.yaml", format!("{project}hlgen: '>=99'\n").as_bytes());
    for request in with("99.0.0") {
        let reply = sidecar.generate(newer.root(), &request);
        assert!(error(&reply).contains("hlgen.yaml:"), "{}", error(&reply));
        assert!(error(&reply).contains("the project wants >=99"), "{}", error(&reply));
        assert!(error(&reply).contains("update the sidecar's image first"), "{}", error(&reply));
    }
    newer.write("hlgen.yaml", format!("{project}somethingNew: true\n").as_bytes());
    for request in with("99.0.0") {
        let reply = sidecar.generate(newer.root(), &request);
        assert!(error(&reply).contains("somethingNew"), "{}", error(&reply));
        assert!(error(&reply).contains("hlgen 99.0.0 wrote this source"), "{}", error(&reply));
    }
    let parameter =
        r#"[{"name":"shard","string":"1"},{"name":"cluster","string":"prod-a"},{"name":"version","string":"99.0.0"}]"#;
    let reply = sidecar.generate(case.root(), &Request { parameters: Some(parameter.to_owned()), ..Request::bare() });
    assert!(error(&reply).contains("there is no parameter `shard`"), "{}", error(&reply));
}

#[test]
fn the_form_is_announced_with_the_names_that_exist() {
    let case = fixture();
    let announced = |case: &Case, variables: &[(&str, &str)]| -> Value {
        let outcome = case.run_with(&["plugin", "parameters"], variables);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let all = announced(&case, &[]);
    let names: Vec<&str> = all.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["instance", "env", "cluster", "release"]);
    let tooltip = |list: &Value, at: usize| list[at]["tooltip"].as_str().unwrap().to_owned();
    assert!(tooltip(&all, 0).ends_with(": `hub`, `edge`"), "{}", tooltip(&all, 0));
    assert!(tooltip(&all, 1).ends_with(": `dev`, `edge`, `edge-extra`, `mgmt`, `prod`"));
    assert!(tooltip(&all, 2).ends_with(": `dev`, `edge`, `mgmt`, `prod-a`, `prod-b`"));
    assert!(tooltip(&all, 3).ends_with(": `api`, `podinfo`, `store`, `web`"), "{}", tooltip(&all, 3));
    for one in all.as_array().unwrap() {
        assert!(one["title"].is_string() && one["required"] == false && one["collectionType"] == "string");
    }
    let edge = announced(&case, &[("ARGOCD_APP_PARAMETERS", r#"[{"name":"cluster","string":"dev"}]"#)]);
    assert!(tooltip(&edge, 3).ends_with(": `api`, `web`"), "{}", tooltip(&edge, 3));
    // A repository that cannot be read still has a form.
    case.write("hlgen.yaml", b"[");
    case.write("environments/dev/environment.yaml", b"[");
    assert_eq!(announced(&case, &[]).as_array().unwrap().len(), 4);
}
