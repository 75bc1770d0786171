//! The files below `plugin/`: printed by the program where it can print them, and saying the same in every form.

use std::path::Path;

use serde_json::{Value, json};

use crate::fixture::own;
use crate::support;

fn yaml(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn plugin_yaml_is_what_the_program_prints() {
    let outcome = own().run(&["plugin", "manifest"]);
    assert_eq!((outcome.code, outcome.stdout), (0, crate::plugin_yaml()));
    let plugin = yaml("plugin/plugin.yaml");
    assert_eq!(plugin["metadata"]["name"], "hlgen");
    assert_eq!(plugin["spec"].get("version"), None, "Argo CD would append it to the name");
    assert_eq!(plugin["spec"]["generate"]["args"], json!(["--timeout", "50"]));
    let program = plugin["spec"]["generate"]["command"][0].as_str().unwrap();
    let image = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("plugin/Dockerfile")).unwrap();
    assert!(image.contains(&format!("/image{program} ")), "the image has the binary elsewhere");
    assert!(image.contains("FROM scratch") && image.contains("USER 999:999"));
}

#[test]
fn the_container_is_the_same_in_every_form() {
    let values = yaml("plugin/values.yaml");
    let patch = yaml("plugin/patch.yaml");
    let (container, volumes) = (&values["repoServer"]["extraContainers"][0], &values["repoServer"]["volumes"]);
    let pod = &patch["spec"]["template"]["spec"];
    assert_eq!((&pod["containers"][0], &pod["volumes"]), (container, volumes));
    let security = &container["securityContext"];
    assert_eq!((&security["runAsUser"], &security["runAsNonRoot"]), (&json!(999), &json!(true)));
    let closed = (&security["readOnlyRootFilesystem"], &security["capabilities"]["drop"]);
    assert_eq!(closed, (&json!(true), &json!(["ALL"])));
    assert!(container["resources"]["limits"]["memory"].is_string());
    // One line in the environment brings the same; the image has to be named once.
    let case = own();
    let plain = case.run(&["render", "--quiet", "--out", "plain"]);
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    let path = "environments/dev-kind/environment.yaml";
    let environment = case.read(path);
    assert!(environment.contains("\n  argocd: {}\n"));
    let switched = environment.replace("\n  argocd: {}\n", "\n  argocd: { app: argocd-hlgen }\n");
    case.write(path, switched.as_bytes());
    let unset = case.run(&["render", "--quiet", "--format", "short", "--out", "with"]);
    assert_eq!(unset.code, 1);
    assert!(unset.stderr.contains("hlgenImage"), "{}", unset.stderr);
    let image = "vars:\n  hlgenImage: registry.example.com/hlgen:0.1.0\n";
    case.write("hlgen.yaml", case.read("hlgen.yaml").replace("vars:\n", image).as_bytes());
    let outcome = case.run(&["render", "--quiet", "--format", "short", "--out", "with"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let values = |out: &str| -> Value {
        serde_yaml::from_str(&case.read(&format!("{out}/dev-kind/argocd/values.yaml"))).unwrap()
    };
    let (plain, mut with) = (values("plain"), values("with"));
    assert_eq!(&with["repoServer"]["extraContainers"][0], container);
    assert_eq!(&with["repoServer"]["volumes"], volumes);
    let own = with["repoServer"].as_object_mut().unwrap();
    own.shift_remove("extraContainers");
    own.shift_remove("volumes");
    assert_eq!(with, plain, "nothing else changes");
}

/// `kubectl` merges the patch into a Deployment as Argo CD's own manifests have it, in part.
#[test]
fn kubectl_takes_the_patch() {
    let Some(kubectl) = support::tool("kubectl") else { return };
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: argocd-repo-server }\nspec:\n  selector: { matchLabels: { a: b } }\n  template:\n    metadata: { labels: { a: b } }\n    spec:\n      containers: [{ name: argocd-repo-server, image: x }]\n      volumes: [{ name: var-files, emptyDir: {} }, { name: plugins, emptyDir: {} }]\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deployment.yaml");
    std::fs::write(&file, deployment).unwrap();
    let patch = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugin/patch.yaml");
    let (file, patch) = (file.to_str().unwrap(), patch.to_str().unwrap());
    let arguments = ["patch", "--local", "-f", file, "--patch-file", patch, "-o", "json"];
    let patched: Value = serde_json::from_str(&support::run(&kubectl, &arguments, "")).unwrap();
    let pod = &patched["spec"]["template"]["spec"];
    let names = |list: &str| -> Vec<String> {
        let all = pod[list].as_array().unwrap().iter();
        let mut names: Vec<String> = all.map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("containers"), ["argocd-repo-server", "hlgen"]);
    assert_eq!(names("volumes"), ["hlgen-tmp", "plugins", "var-files"]);
    let hlgen = pod["containers"].as_array().unwrap().iter().find(|one| one["name"] == "hlgen").unwrap();
    for mount in hlgen["volumeMounts"].as_array().unwrap() {
        assert!(names("volumes").contains(&mount["name"].as_str().unwrap().to_owned()), "{mount}");
    }
}

/// The values that the patch sets exist in the chart.
#[test]
fn the_chart_knows_the_values() {
    let Some(path) = support::shared("charts/argocd/values.yaml") else { return };
    let chart: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (key, value) in yaml("plugin/values.yaml")["repoServer"].as_object().unwrap() {
        let known = chart["repoServer"].get(key).unwrap_or_else(|| panic!("the chart has no repoServer.{key}"));
        assert_eq!(known.is_array(), value.is_array(), "{key}");
    }
}
