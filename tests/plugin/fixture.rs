//! The repositories that the plugin is asked about.

use std::path::Path;

use crate::support::case::{Case, tree};

/// This repository, as far as hlgen reads it.
pub(crate) fn own() -> Case {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let case = Case::new();
    case.write("hlgen.yaml", &std::fs::read(root.join("hlgen.yaml")).unwrap());
    for folder in ["catalog", "environments"] {
        for (path, content) in tree(&root.join(folder)) {
            case.write(&format!("{folder}/{path}"), &content);
        }
    }
    case
}

/// A small repository with what makes a part of it depend on another: a hub, a cluster of two environments, a capability
/// of another environment, a base app, links, templates that read files and see what other apps expose.
pub(crate) fn fixture() -> Case {
    let app = |more: &str| format!("apiVersion: hlgen.dev/v1\nkind: App\n{more}");
    let env = |more: &str| format!("apiVersion: hlgen.dev/v1\nkind: Environment\n{more}");
    let map = |name: &str, data: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name} }}\ndata: {{ {data} }}\n")
    };
    Case::new()
        .file(
            "hlgen.yaml",
            "apiVersion: hlgen.dev/v1\nkind: Project\nname: test\ngit: { repoURL: https://git.example.com/ops/test.git }\nargocd:\n  instances:\n    - { name: hub, runsIn: mgmt, manages: [dev, mgmt, prod] }\n    - { name: edge, runsIn: edge, manages: [edge, edge-extra] }\n",
        )
        .file("environments/mgmt/environment.yaml", env("stage: prod\napps: { store: {} }\n"))
        .file("environments/dev/environment.yaml", env("stage: dev\nprovider: kind\ndomain: dev.example.com\napps: { web: {}, api: { app: web, namespace: api } }\n"))
        .file("environments/dev/values/web.yaml", "text: dev\n")
        .file(
            "environments/prod/environment.yaml",
            env("stage: prod\ndomain: example.com\ncapabilities: { logs: { environment: mgmt } }\nclusters: [{ name: prod-a, vars: { zone: a } }, { name: prod-b, vars: { zone: b } }]\napps: { web: {}, api: { app: web, namespace: api }, podinfo: { version: 6.14.1 } }\n"),
        )
        .file("environments/prod/values/web.yaml", "-> ../../../shared/web.yaml")
        .file("shared/web.yaml", "text: prod\n")
        .file("environments/prod/manifests/web/own.yaml", map("own", "host: \"${{ env.exposed | length }}\""))
        .file("environments/prod/manifests/podinfo/own.yaml", map("podinfo", "zone: \"${{ cluster.name }}\""))
        .file("environments/edge/environment.yaml", env("stage: dev\napps: { store: {} }\n"))
        .file(
            "environments/edge-extra/environment.yaml",
            env("stage: dev\nclusters: [{ name: edge, destination: { server: https://kubernetes.default.svc } }]\napps: { web: { requires: [] } }\n"),
        )
        .file("environments/all/values.yaml", "global: { team: ops }\n")
        .file("environments/profiles/stage/prod.yaml", "apiVersion: hlgen.dev/v1\nkind: Profile\nvars: { level: high }\n")
        .file("catalog/base/app.yaml", app("chart: { repository: https://charts.example.com, name: web, version: 1.2.3 }\n"))
        .file("catalog/base/values.yaml", "text: base\nreplicas: 1\n")
        .file("catalog/base/values.prod.yaml", "replicas: 2\n")
        .file(
            "catalog/web/app.yaml",
            app("from: base\nwants: [logs]\nexpose: [{ name: web, service: web, port: 80 }]\n"),
        )
        .file("catalog/web/values.yaml", "own: true\n")
        .file(
            "catalog/web/manifests/map.yaml",
            map(
                "map",
                "text: '${{ values.text }}', file: \"${{ file('files/a.txt') }}\", logs: \"${{ cap.logs.url if has('logs') else '' }}\", all: \"${{ env.exposed | length }}\"",
            ),
        )
        .file("catalog/web/files/a.txt", "a")
        .file("catalog/web/README.md", "about\n")
        .file(
            "catalog/store/app.yaml",
            app("provides: { logs: { url: 'http://store', external: { url: 'https://logs.example.com' } } }\nchart: { repository: https://charts.example.com, name: store, version: 1.0.0 }\n"),
        )
        .file("catalog/store/values.yaml", "a: 1\n")
        .file("catalog/unused/app.yaml", app("chart: { repository: https://charts.example.com, name: x, version: 1.0.0 }\n"))
        .file("README.md", "about\n")
}
