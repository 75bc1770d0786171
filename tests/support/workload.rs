//! A repository of any size for measurements: N apps in M environments, about 150 leaves an app in four layers, ten of
//! them templates, and a JSON Schema each. The same numbers give the same files.

use std::fmt::Write as _;

/// How large.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) apps: usize,
    pub(crate) environments: usize,
}

const PROVIDERS: [&str; 3] = ["kind", "talos", "eks"];
const STAGES: [&str; 3] = ["dev", "staging", "prod"];

impl Workload {
    /// Every file with its path in the repository.
    pub(crate) fn files(self) -> Vec<(String, String)> {
        let mut files = vec![("hlgen.yaml".to_owned(), project())];
        for environment in 0..self.environments {
            let name = environment_name(environment);
            files.push((format!("environments/{name}/environment.yaml"), self.environment(environment)));
            files.push((format!("environments/{name}/values.yaml"), format!("global:\n  environment: {name}\n")));
            for app in 0..self.apps {
                let path = format!("environments/{name}/values/app/{}.yaml", app_name(app));
                files.push((path, environment_values(app, environment)));
            }
        }
        for app in 0..self.apps {
            let folder = format!("catalog/{}", app_name(app));
            files.push((format!("{folder}/app.yaml"), app_file(app)));
            files.push((format!("{folder}/values.yaml"), base_values(app)));
            for (number, provider) in PROVIDERS.iter().enumerate() {
                files.push((format!("{folder}/values.{provider}.yaml"), provider_values(app, number)));
            }
            for (number, stage) in STAGES.iter().enumerate() {
                files.push((format!("{folder}/values.{stage}.yaml"), stage_values(number)));
            }
            files.push((format!("{folder}/values.schema.json"), schema()));
        }
        files
    }

    fn environment(self, number: usize) -> String {
        let (provider, stage) = (PROVIDERS[number % 3], STAGES[number / 3 % 3]);
        let mut text = format!(
            "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: {stage}\nprovider: {provider}\n\
             domain: {}.example.com\nvars:\n  region: region-{number}\n  size: {}\napps:\n",
            environment_name(number),
            number + 1
        );
        for app in 0..self.apps {
            let _ = writeln!(text, "  {}: {{ version: 1.2.{app} }}", app_name(app));
        }
        text
    }
}

pub(crate) fn app_name(number: usize) -> String {
    format!("app-{number:04}")
}

pub(crate) fn environment_name(number: usize) -> String {
    format!("env-{number}")
}

fn project() -> String {
    "apiVersion: hlgen.dev/v1\nkind: Project\nname: workload\n\
     git: { repoURL: https://git.example.com/ops/workload.git }\nvars: { team: platform }\n"
        .to_owned()
}

fn app_file(app: usize) -> String {
    let name = app_name(app);
    let mut text = format!(
        "apiVersion: hlgen.dev/v1\nkind: App\ndescription: Application {app} of the workload\ncategory: load\n\
         chart: {{ repository: https://charts.example.com, name: {name}, version: 1.2.{app}, supports: '>=1.2, <2' }}\n\
         namespace: team-{}\n",
        app / 10
    );
    if app == 0 {
        text.push_str(
            "tier: platform\nprovides:\n  ingress: { className: nginx }\n  storage: { className: fast }\n  \
             metrics: { crds: [servicemonitors], url: 'http://metrics.${{ env.name }}.svc' }\n",
        );
    } else {
        text.push_str("requires: [storage]\nwants: [ingress, metrics]\nbackup: { none: nothing is kept }\n");
        let _ = writeln!(
            text,
            "expose:\n  - {{ name: web, service: \"${{{{ release.name }}}}\", port: 8080, host: {name} }}"
        );
    }
    text
}

/// About a hundred leaves.
fn base_values(app: usize) -> String {
    let name = app_name(app);
    let mut text = format!(
        "# Values of {name}.\nreplicaCount: 1\nnameOverride: {name}\nimage:\n  repository: registry.example.com/{name}\n  \
         tag: \"1.{app}.0\"\n  pullPolicy: IfNotPresent\nserviceAccount: {{ create: true, automount: false }}\n\
         podSecurityContext:\n  runAsNonRoot: true\n  runAsUser: 1000\n  seccompProfile: {{ type: RuntimeDefault }}\n\
         service: {{ type: ClusterIP, port: 8080 }}\nresources:\n  requests: {{ cpu: 100m, memory: 128Mi }}\n  \
         limits: {{ memory: 256Mi }}\npersistence:\n  enabled: true\n  size: 10Gi\n"
    );
    // Ten templates.
    text.push_str(
        "identity:\n  cluster: ${{ cluster.name }}\n  stage: ${{ env.stage }}\n  size: ${{ vars.size }}\n  \
         url: https://${{ release.name }}.${{ env.domain }}/\n  owner: ${{ vars.team }}@example.com\n  \
         path: /${{ project.name }}/${{ env.name }}/${{ app.name }}\n  region: ${{ vars.region }}\n  \
         namespace: ${{ release.namespace }}\n  mode: ${{ 'large' if vars.size > 4 else 'small' }}\n  \
         version: v${{ app.version }}\n",
    );
    text.push_str("config:\n");
    for group in 0..8 {
        let _ = writeln!(text, "  group{group}:");
        for key in 0..7 {
            let _ = match key % 4 {
                0 => writeln!(text, "    key{key}: value-{group}-{key}"),
                1 => writeln!(text, "    key{key}: {}", group * 100 + key),
                2 => writeln!(text, "    key{key}: {}", key % 2 == 0),
                _ => writeln!(text, "    key{key}: \"text with spaces, {group}: {key}\""),
            };
        }
    }
    text.push_str("env:\n");
    for number in 0..8 {
        let _ = writeln!(text, "  - name: VARIABLE_{number}\n    value: \"{}\"", number * app);
    }
    text.push_str("script: |\n  #!/bin/sh\n  set -eu\n  echo \"{{ .Release.Name }} starts\"\n  exec server\n");
    text
}

fn provider_values(app: usize, provider: usize) -> String {
    let mut text = format!(
        "persistence:\n  storageClass: class-{provider}\n  accessMode: ReadWriteOnce\nresources:\n  \
         requests: {{ cpu: {}m }}\nconfig:\n",
        100 * (provider + 1)
    );
    for group in 0..3 {
        let _ = writeln!(text, "  group{group}: {{ key0: provider-{provider}-{app}, provider: {provider} }}");
    }
    text.push_str(
        "nodeSelector: { kubernetes.io/os: linux }\ntolerations:\n  - { key: dedicated, operator: Exists }\n",
    );
    text
}

fn stage_values(stage: usize) -> String {
    let mut text = format!(
        "replicaCount: {}\nresources:\n  limits: {{ memory: {}Mi }}\nautoscaling:\n  enabled: {}\n  minReplicas: 1\n  \
         maxReplicas: {}\nenv: !append\n  - {{ name: STAGE, value: \"{stage}\" }}\nconfig:\n",
        stage + 1,
        256 << stage,
        stage == 2,
        stage * 3 + 1
    );
    for group in 2..6 {
        let _ = writeln!(text, "  group{group}: {{ key1: {}, stage: true }}", stage * 10 + group);
    }
    text
}

fn environment_values(app: usize, environment: usize) -> String {
    format!(
        "image: {{ tag: \"1.{app}.{environment}\" }}\npersistence: {{ size: {}Gi }}\nconfig:\n  \
         group7: {{ key0: env-{environment}, key6: null }}\nenv: !merge:name\n  \
         - {{ name: VARIABLE_3, value: from-{environment} }}\nannotations:\n  example.com/owner: team-{}\n  \
         example.com/environment: \"{environment}\"\n",
        10 + environment,
        app / 10
    )
}

fn schema() -> String {
    let text = r#"{ "type": "string" }"#;
    let flag = r#"{ "type": "boolean" }"#;
    let count = r#"{ "type": "integer", "minimum": 0 }"#;
    let open = r#"{ "type": "object" }"#;
    let mut properties = String::new();
    for (name, kind) in [
        ("global", open),
        ("replicaCount", count),
        ("nameOverride", text),
        ("nodeSelector", r#"{ "type": "object", "additionalProperties": { "type": "string" } }"#),
        ("annotations", r#"{ "type": "object", "additionalProperties": { "type": "string" } }"#),
        ("tolerations", r#"{ "type": "array", "items": { "type": "object", "required": ["key"] } }"#),
        ("script", text),
        ("podSecurityContext", open),
        ("serviceAccount", r#"{ "type": "object", "properties": { "create": { "type": "boolean" } } }"#),
        ("service", r#"{ "type": "object", "properties": { "port": { "type": "integer", "maximum": 65535 } } }"#),
    ] {
        let _ = writeln!(properties, "    \"{name}\": {kind},");
    }
    format!(
        r##"{{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {{
{properties}    "image": {{
      "type": "object", "required": ["repository", "tag"], "additionalProperties": false,
      "properties": {{ "repository": {text}, "tag": {text}, "pullPolicy": {{ "enum": ["Always", "IfNotPresent", "Never"] }} }}
    }},
    "resources": {{ "type": "object", "properties": {{ "requests": {{ "$ref": "#/$defs/amounts" }}, "limits": {{ "$ref": "#/$defs/amounts" }} }} }},
    "persistence": {{ "type": "object", "properties": {{ "enabled": {flag}, "size": {{ "type": "string", "pattern": "^[0-9]+Gi$" }} }} }},
    "autoscaling": {{ "type": "object", "properties": {{ "enabled": {flag}, "minReplicas": {count}, "maxReplicas": {count} }} }},
    "identity": {{ "type": "object", "properties": {{ "size": {count}, "url": {{ "type": "string", "format": "uri" }} }} }},
    "config": {{ "type": "object", "additionalProperties": {{ "type": "object" }} }},
    "env": {{ "type": "array", "items": {{ "type": "object", "required": ["name"], "properties": {{ "name": {text}, "value": {text} }} }} }}
  }},
  "$defs": {{ "amounts": {{ "type": "object", "additionalProperties": {text} }} }}
}}
"##
    )
}
