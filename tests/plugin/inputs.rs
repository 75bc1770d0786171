//! `manifest-generate-paths` names everything that an answer depends on.
//!
//! Argo CD keeps an Application's manifests when a commit changes nothing below these paths. So whatever is done to any
//! other file, existing or not, must not change a byte of the answer.

use hlgen::argocd::ApplicationSet;
use hlgen::argocd::expand::expand;
use hlgen::argocd::plugin::{Given, NAME, Parameters};
use hlgen::argocd::types::{Application, Source, keys};
use hlgen::ops::plugin::generate;
use hlgen::ops::workspace::Workspace;

use crate::cmp::split;
use crate::fixture::{fixture, own};
use crate::support::case::Case;

/// An Application with a plugin source.
struct Asked {
    name: String,
    parameters: Parameters,
    paths: Vec<String>,
}

fn answer(case: &Case, parameters: &Parameters) -> Option<String> {
    generate(&Workspace::open(case.root()).unwrap(), parameters, true).text
}

/// Every Application of an instance that asks the plugin, the root among them.
fn asked(case: &Case, instance: &str) -> Vec<Asked> {
    let parameters = Parameters { instance: Some(instance.to_owned()), ..Parameters::default() };
    let mut applications: Vec<Application> = Vec::new();
    for object in split(&answer(case, &parameters).unwrap()).unwrap() {
        match object["kind"].as_str().unwrap() {
            "Application" => applications.push(serde_json::from_value(object).unwrap()),
            "ApplicationSet" => {
                let set: ApplicationSet = serde_json::from_value(object).unwrap();
                applications.extend(expand(&set).unwrap());
            }
            _ => {}
        }
    }
    applications.iter().filter_map(of_application).collect()
}

fn of_application(application: &Application) -> Option<Asked> {
    let plugin = application.spec.all_sources().find_map(|source: &Source| source.plugin.as_ref())?;
    assert_eq!(plugin.name, NAME);
    let given = Given { parameters: Some(serde_json::to_string(&plugin.parameters).unwrap()), ..Given::default() };
    let paths = application.metadata.annotations.get(keys::MANIFEST_GENERATE_PATHS);
    let paths = paths.unwrap_or_else(|| panic!("{} has no paths", application.metadata.name));
    assert!(paths.len() < 4 << 10, "{paths}");
    Some(Asked {
        name: application.metadata.name.clone(),
        parameters: Parameters::read(&given).unwrap(),
        paths: paths.split(';').map(str::to_owned).collect(),
    })
}

/// Whether Argo CD takes a change of a file for one of the Application.
fn is_concerned(asked: &Asked, file: &str) -> bool {
    let file = format!("/{file}");
    asked.paths.iter().any(|path| {
        assert!(path.starts_with('/'), "{path}");
        let below = file.strip_prefix(path.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'));
        let (pattern, name): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), file.split('/').collect());
        let matches =
            pattern.len() == name.len() && pattern.iter().zip(&name).all(|(one, other)| *one == "*" || one == other);
        file == *path || below || matches
    })
}

/// Files that are not there yet.
const NEW: &[&str] = &[
    "catalog/base/values.dev.yaml",
    "catalog/base/values.schema.json",
    "catalog/new/app.yaml",
    "catalog/podinfo/app.yaml",
    "catalog/podinfo/values.yaml",
    "catalog/store/values.dev.yaml",
    "catalog/web/files/b.txt",
    "catalog/web/manifests/other.yaml",
    "catalog/web/values.k3s.yaml",
    "catalog/web/values.schema.json",
    "charts/web/Chart.yaml",
    "environments/all/values/app/web.yaml",
    "environments/dev/manifests/web/other.yaml",
    "environments/dev/values.yaml",
    "environments/dev/values/app/web.yaml",
    "environments/edge-extra/values/web.yaml",
    "environments/mgmt/values/store.yaml",
    "environments/new/environment.yaml",
    "environments/prod/manifests/web/other.yaml",
    "environments/prod/values/api.yaml",
    "environments/prod/values/nobody.yaml",
    "environments/profiles/provider/k3s.yaml",
    "environments/profiles/provider/kind.yaml",
    "environments/profiles/stage/dev.yaml",
    ".argocd-source.yaml",
    "rendered/x.yaml",
];

/// What a file becomes: nothing anybody can read, something that says something else, nothing.
fn versions(path: &str) -> [Option<&'static str>; 3] {
    let other = match path {
        "environments/new/environment.yaml" => {
            "apiVersion: hlgen.dev/v1\nkind: Environment\nclusters: [{ name: edge, destination: { server: https://kubernetes.default.svc } }, { name: prod-a }]\napps: { web: { namespace: new } }\n"
        }
        path if path.ends_with("environment.yaml") => {
            "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\napps: { api: { app: web } }\n"
        }
        path if path.ends_with("app.yaml") => {
            "apiVersion: hlgen.dev/v1\nkind: App\nprovides: { logs: { url: new } }\nchart: { repository: https://charts.example.com, name: new, version: 9.9.9 }\n"
        }
        path if path.contains("/profiles/") => "apiVersion: hlgen.dev/v1\nkind: Profile\ndomain: new.example.com\n",
        path if path.contains("/manifests/") => {
            "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: new }\ndata: { new: \"${{ values.text }}\" }\n"
        }
        path if path.ends_with("all/values.yaml") || path.ends_with("dev/values.yaml") => "global: { new: true }\n",
        path if path.ends_with(".json") => "{\"properties\":{\"text\":{\"type\":\"integer\"}}}",
        _ => "text: new\n",
    };
    [Some("{ broken: [\n"), Some(other), None]
}

#[test]
fn a_file_outside_the_list_changes_no_byte() {
    let case = fixture();
    let all: Vec<Asked> = ["hub", "edge"].iter().flat_map(|instance| asked(&case, instance)).collect();
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    for name in ["prod-a-web", "prod-b-web", "prod-a-api", "prod-a-podinfo", "dev-web", "edge-web", "edge-namespaces"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(names.iter().filter(|name| **name == "test-root").count(), 2);
    let before: Vec<Option<String>> = all.iter().map(|one| answer(&case, &one.parameters)).collect();
    assert!(before.iter().all(Option::is_some));
    let existing = case.tree("");
    let files = existing.keys().map(String::as_str).chain(NEW.iter().copied());
    let (mut outside, mut inside_and_changed) = (vec![0; all.len()], vec![0; all.len()]);
    for path in files {
        for version in versions(path) {
            let _ = std::fs::remove_file(case.path(path));
            if let Some(text) = &version {
                case.write(path, text.as_bytes());
            }
            for (at, one) in all.iter().enumerate() {
                let same = answer(&case, &one.parameters) == before[at];
                if is_concerned(one, path) {
                    inside_and_changed[at] += usize::from(!same);
                } else {
                    outside[at] += 1;
                    assert!(same, "{}: {path} as {version:?} is not in {:?}", one.name, one.paths);
                }
            }
            let _ = std::fs::remove_file(case.path(path));
        }
        if let Some(was) = existing.get(path) {
            case.write(path, was);
        }
    }
    for (at, one) in all.iter().enumerate() {
        assert!(outside[at] > 10, "{} is asked again for nearly everything: {:?}", one.name, one.paths);
        assert!(inside_and_changed[at] > 3, "{}: {:?}", one.name, one.paths);
    }
    let paths = |name: &str| &all.iter().find(|one| one.name == name).unwrap().paths;
    let web = paths("prod-a-web");
    assert!(!web.iter().any(|path| path.contains("/dev") || path.contains('*')), "{web:?}");
    assert!(web.contains(&"/shared/web.yaml".to_owned()), "where the link leads: {web:?}");
    assert!(paths("prod-a-podinfo").contains(&"/catalog/podinfo".to_owned()), "what would hide the built-in app");
}

#[test]
fn another_environment_asks_for_nothing_here() {
    let case = own();
    let all = asked(&case, "prod-eks");
    assert!(all.len() > 4);
    let elsewhere =
        ["environments/dev-kind/values/podinfo-canary.yaml", "environments/staging-talos/values/jellyfin.yaml"];
    for one in all {
        assert!(elsewhere.iter().all(|path| !is_concerned(&one, path)), "{}: {:?}", one.name, one.paths);
        assert!(is_concerned(&one, "hlgen.yaml") && is_concerned(&one, "environments/prod-eks/environment.yaml"));
    }
}
