//! The entries of the catalog as they are written, and repositories that install them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use hlgen::model::{BackupMethod, Release, Tier};
use hlgen::ops::evaluate::Selection;
use hlgen::ops::render::{Delivery, Outcome, Target, render};
use hlgen::ops::workspace::Workspace;

/// The built-in providers.
pub(crate) const PROVIDERS: &[&str] = &["kind", "k3s", "talos", "kubespray", "eks"];

/// Who is taken where several could provide a capability; else the first by name.
const CHOICES: &[(&str, &str, &str)] = &[
    ("storage", "eks", "aws-ebs-csi-driver"),
    ("storage", "", "local-path-provisioner"),
    ("ingress", "", "traefik"),
    ("loadbalancer", "eks", "aws-load-balancer-controller"),
    ("loadbalancer", "", "metallb"),
    ("secrets", "", "external-secrets"),
    ("metrics", "", "kube-prometheus-stack"),
    ("logs", "", "loki"),
    ("postgres", "", "postgres-cluster"),
    ("postgres/operator", "", "cloudnative-pg"),
    ("certificates", "", "cert-manager"),
    ("backup", "", "velero"),
    ("git", "", "gitea"),
    ("dns", "", "external-dns"),
    ("sso", "", "authentik"),
    ("gitops", "", "argocd"),
];

/// What an app cannot do without on a platform whose profile chooses so (`vars.secretsBackend: vault`).
const ALSO: &[(&str, &str, &str)] =
    &[("external-secrets", "talos", "vault"), ("external-secrets", "kubespray", "vault")];

/// What is outside of every cluster here.
const EXTERNAL: &[(&str, &str)] = &[
    ("storage/shared", "{ className: shared, expandable: true }"),
    ("objectstorage", "{ endpoint: 'https://s3.example.com', bucket: everything, region: eu-west-1 }"),
    ("objectstorage/backup", "{ endpoint: 'https://s3.example.com', bucket: backup, region: eu-west-1 }"),
    ("objectstorage/logs", "{ endpoint: 'https://s3.example.com', bucket: logs, region: eu-west-1 }"),
    ("objectstorage/traces", "{ endpoint: 'https://s3.example.com', bucket: traces, region: eu-west-1 }"),
];

/// What a person sets, besides what profiles bring.
const VARS: &str = "
  adminEmail: ops@example.com
  awsAccountId: '123456789012'
  region: eu-west-1
  vpcId: vpc-0a1b2c3d4e5f67890
  dnsZone: example.com
  hlgenImage: registry.example.com/hlgen:0.1.0
  smtp: { host: smtp.example.com, port: 587, from: alerts@example.com, user: alerts }
  backstageImage: { registry: registry.example.com, repository: backstage, tag: 1.0.0 }
  nfsServer: 192.0.2.30
  nfsShare: /export/volumes
  tunnelId: 6ff42ae2-765d-4adf-8112-31c55c1551ef
  linkerdTrustAnchor: '-----BEGIN CERTIFICATE-----'
  addressPools: [{ name: default, addresses: [192.0.2.10-192.0.2.20] }]
";

/// An app as its `app.yaml` says it, over its base.
pub(crate) struct Entry {
    pub name: String,
    pub spec: Release,
    /// `app.yaml` as it is written.
    pub text: String,
    /// All files of the entry by their path in the repository.
    pub files: BTreeMap<String, String>,
    /// The app it is based on.
    pub base: Option<String>,
}

impl Entry {
    /// Whether it is only there for others to be based on.
    pub(crate) fn is_base(&self) -> bool {
        self.spec.category.as_deref() == Some("base")
    }

    pub(crate) fn runs_on(&self, provider: &str) -> bool {
        self.spec.platforms.is_empty() || self.spec.platforms.iter().any(|platform| platform == provider)
    }

    pub(crate) fn version(&self) -> Option<&str> {
        let chart = self.spec.chart.as_ref().and_then(|chart| chart.version.as_deref());
        self.spec.version.as_deref().or(chart).or(self.spec.git.as_ref().map(|git| git.revision.as_str()))
    }

    fn provides(&self, capability: &str) -> bool {
        self.spec.provides.contains_key(capability)
    }
}

/// All entries by name.
pub(crate) fn all() -> BTreeMap<String, Entry> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: BTreeMap<String, String> = crate::support::case::tree(&root.join("catalog"))
        .into_iter()
        .map(|(path, content)| (path, String::from_utf8(content).unwrap()))
        .collect();
    let parsed: BTreeMap<&str, serde_yaml::Value> = files
        .iter()
        .filter_map(|(path, text)| Some((path.strip_suffix("/app.yaml")?, serde_yaml::from_str(text).unwrap())))
        .collect();
    parsed
        .iter()
        .map(|(name, own)| {
            let base = own.get("from").and_then(|from| from.as_str());
            let mut value = base.map_or_else(
                || serde_yaml::Value::Mapping(serde_yaml::Mapping::default()),
                |base| parsed[base].clone(),
            );
            merge(&mut value, own);
            let map = value.as_mapping_mut().unwrap();
            map.remove("apiVersion");
            map.remove("kind");
            let spec: Release = serde_yaml::with::singleton_map_recursive::deserialize(value)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let prefix = format!("{name}/");
            let own_files = files.iter().filter(|(path, _)| path.starts_with(&prefix));
            let entry = Entry {
                name: (*name).to_owned(),
                spec,
                text: files[&format!("{name}/app.yaml")].clone(),
                files: own_files.map(|(path, text)| (format!("catalog/{path}"), text.clone())).collect(),
                base: base.map(str::to_owned),
            };
            ((*name).to_owned(), entry)
        })
        .collect()
}

fn merge(below: &mut serde_yaml::Value, over: &serde_yaml::Value) {
    match (below, over) {
        (serde_yaml::Value::Mapping(below), serde_yaml::Value::Mapping(over)) => {
            for (key, value) in over {
                match below.get_mut(key) {
                    Some(known) => merge(known, value),
                    None => {
                        below.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (below, over) => *below = over.clone(),
    }
}

/// What a profile brings natively.
fn native(provider: &str) -> BTreeSet<String> {
    let path = format!("{}/environments/profiles/provider/{provider}.yaml", env!("CARGO_MANIFEST_DIR"));
    let profile: serde_yaml::Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let provides = profile.get("provides").and_then(|provides| provides.as_mapping().cloned()).unwrap_or_default();
    provides.keys().map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// A repository that installs an app and what it requires. There are quotas, so that what apps declare is held against what
/// their values ask for.
pub(crate) struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    /// The environments `dev`, `staging` and `prod` of a provider, with `entry` and all it requires there.
    pub(crate) fn with(entries: &BTreeMap<String, Entry>, entry: &Entry, provider: &str) -> Result<Self, String> {
        let native = native(provider);
        let mut apps: Vec<&Entry> = vec![entry];
        // Release name and app of those that are not named after their app.
        let mut at = 0;
        let mut external = BTreeSet::new();
        while at < apps.len() {
            let app = apps[at];
            at += 1;
            let also = ALSO.iter().filter(|(name, on, _)| *name == app.name && *on == provider);
            for other in also.map(|(_, _, other)| &entries[*other]) {
                if !apps.iter().any(|have| have.name == other.name) {
                    apps.push(other);
                }
            }
            // In production something has to make the backups. On kind nothing can: its volumes are of the type hostPath.
            let backup = app.spec.backup.as_ref().filter(|backup| backup.is_wanted() && provider != "kind");
            match backup.map(|backup| backup.method) {
                Some(BackupMethod::CloudNativePg) => {
                    external.insert("objectstorage/backup");
                }
                Some(BackupMethod::Velero) if !apps.iter().any(|have| have.provides("backup")) => {
                    apps.push(choose(entries, "backup", provider)?);
                }
                _ => {}
            }
            let companions = app.spec.brings.iter().map(|companion| companion.app.as_str());
            let companions: BTreeSet<&str> = companions.collect();
            for required in
                app.spec.requires.iter().filter(|name| !companions.contains(name.trim_start_matches("release/")))
            {
                if let Some(release) = required.strip_prefix("release/") {
                    let other = entries.get(release).ok_or(format!("requires `{release}`, which is no app"))?;
                    if !apps.iter().any(|have| have.name == other.name) {
                        apps.push(other);
                    }
                    continue;
                }
                if let Some((name, _)) = EXTERNAL.iter().find(|(name, _)| name == required) {
                    external.insert(*name);
                    continue;
                }
                let brought = |app: &Entry| {
                    app.provides(required)
                        || app.spec.brings.iter().any(|companion| entries[companion.app.as_str()].provides(required))
                };
                if native.contains(required.as_str()) || apps.iter().any(|app| brought(app)) {
                    continue;
                }
                apps.push(choose(entries, required, provider)?);
            }
        }
        let mut chosen = String::new();
        for (name, data) in EXTERNAL.iter().filter(|(name, _)| external.contains(name)) {
            writeln!(chosen, "  {name}: {{ external: {data} }}").unwrap();
        }
        let mut vars = VARS.to_owned();
        for capability in native.iter().filter(|name| apps.iter().any(|app| app.provides(name))) {
            let var = match capability.as_str() {
                "ingress" => "k3sTraefik",
                "loadbalancer" => "k3sServiceLB",
                "metrics-api" => "k3sMetricsServer",
                _ => "k3sLocalStorage",
            };
            writeln!(vars, "  {var}: false").unwrap();
        }
        let provided: BTreeSet<&String> = apps.iter().flat_map(|app| app.spec.provides.keys()).collect();
        for capability in provided {
            let providers: Vec<&&Entry> = apps.iter().filter(|app| app.provides(capability)).collect();
            if providers.len() > 1 || native.contains(capability) {
                let one = providers.iter().find(|app| app.name == entry.name).unwrap_or(&providers[0]);
                writeln!(chosen, "  {capability}: {}", one.name).unwrap();
            }
        }
        let mut releases = String::new();
        for app in &apps {
            let version = app.version().map_or_else(String::new, |version| format!("version: \"{version}\""));
            let version = if app.spec.git.is_some() { String::new() } else { version };
            // A database lives beside the app that uses it.
            let beside = app.name == "postgres-cluster" && apps[0].name != app.name;
            let namespace = entry.spec.namespace.as_deref().unwrap_or(&entry.name);
            let namespace = if beside { format!("namespace: {namespace}") } else { String::new() };
            let fields: Vec<String> = [version, namespace].into_iter().filter(|field| !field.is_empty()).collect();
            writeln!(releases, "  {}: {{ {} }}", app.name, fields.join(", ")).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: String| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("hlgen.yaml", "apiVersion: hlgen.dev/v1\nkind: Project\nname: catalog\ngit: { repoURL: https://git.example.com/o/h.git }\npolicies: { quota: all }\n".into());
        let policies = if provider == "kind" { "policies: { backup: optional }\n" } else { "" };
        let capabilities = if chosen.is_empty() { String::new() } else { format!("capabilities:\n{chosen}") };
        for stage in ["dev", "staging", "prod"] {
            write(
                &format!("environments/{stage}/environment.yaml"),
                format!(
                    "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: {stage}\nprovider: {provider}\ndomain: {stage}.example.com\nnetwork: {{ podCIDRs: [10.0.0.0/16], nodeCIDRs: [10.1.0.0/16], apiServer: [10.1.0.1/32] }}\n{capabilities}{policies}vars:{vars}apps:\n{releases}"
                ),
            );
        }
        Ok(Self { folder })
    }

    /// Lets something outside provide a capability in every environment.
    pub(crate) fn provide(&self, capability: &str, data: &str) {
        for stage in ["dev", "staging", "prod"] {
            let path = self.folder.path().join(format!("environments/{stage}/environment.yaml"));
            let text = std::fs::read_to_string(&path).unwrap();
            let line = format!("  {capability}: {{ external: {data} }}\n");
            let text = match text.split_once("\ncapabilities:\n") {
                Some((before, after)) => format!("{before}\ncapabilities:\n{line}{after}"),
                None => format!("{text}capabilities:\n{line}"),
            };
            std::fs::write(path, text).unwrap();
        }
    }

    /// The same, where everything that nobody declared is denied; what is outside has an address then.
    pub(crate) fn denying(self) -> Self {
        let edit = |path: &str, from: &str, to: &str| {
            let path = self.folder.path().join(path);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace(from, to)).unwrap();
        };
        edit("hlgen.yaml", "quota: all", "quota: all, network: default-deny");
        for stage in ["dev", "staging", "prod"] {
            let path = format!("environments/{stage}/environment.yaml");
            edit(&path, "region: eu-west-1 } }", "region: eu-west-1 }, addresses: [192.0.2.40/32] }");
        }
        self
    }

    pub(crate) fn render(&self) -> Outcome {
        let workspace = Workspace::open(self.folder.path()).unwrap();
        render(&workspace, &Selection::default(), Delivery::Files, Target::Collect).unwrap()
    }
}

fn choose<'e>(entries: &'e BTreeMap<String, Entry>, capability: &str, provider: &str) -> Result<&'e Entry, String> {
    let fits = |entry: &&Entry| entry.provides(capability) && entry.runs_on(provider);
    let preferred = CHOICES
        .iter()
        .filter(|(name, on, _)| *name == capability && (on.is_empty() || *on == provider))
        .find_map(|(_, _, app)| entries.get(*app).filter(fits));
    preferred.or_else(|| entries.values().find(fits)).ok_or(format!("nothing provides `{capability}` there"))
}

/// This repository, rendered into memory.
pub(crate) fn own_repository() -> Outcome {
    let workspace = Workspace::open(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    render(&workspace, &Selection::default(), Delivery::Files, Target::Collect).unwrap()
}

/// `platform` or `application`.
pub(crate) fn tier(entry: &Entry) -> &'static str {
    match entry.spec.tier {
        Tier::Platform => "platform",
        Tier::Application => "application",
    }
}
