//! A new repository: the project, one environment, and what editors, Renovate, pre-commit and Git want to know of it.
//!
//! The environment is written without its apps; they are added to it by the same road as any later one (`ops::add`), so
//! each has its version and Renovate's comment. What is written for an app's sake (kind's ports, MetalLB's addresses)
//! depends on the provider alone and is a few lines each.

use super::NewFile;
use crate::model::{EnvName, ReleaseName};

/// Where rendered files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Into the branch people work on, reviewed with their source.
    SameBranch,
    /// Into the branch `rendered`, which `publish` alone writes.
    OwnBranch,
    /// Into another repository.
    OwnRepository,
}

/// The branch that `publish` writes in [`Layout::OwnBranch`].
pub const RENDERED: &str = "rendered";

/// What a new repository is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    pub name: ReleaseName,
    /// As Argo CD reads it.
    pub repo_url: String,
    pub layout: Layout,
    pub environment: EnvName,
    /// A built-in provider.
    pub provider: String,
    /// A built-in stage.
    pub stage: String,
    pub domain: String,
    /// What MetalLB may hand out, as a range or in CIDR notation; only where the provider has no load balancer.
    pub addresses: Option<String>,
    /// The account in which roles for service accounts are (EKS): twelve digits.
    pub aws_account: Option<String>,
}

/// Providers whose Services of type `LoadBalancer` wait for MetalLB.
pub fn wants_addresses(provider: &str) -> bool {
    matches!(provider, "talos" | "kubespray")
}

/// Providers on which apps talk to the cloud by roles of service accounts.
pub fn wants_aws_account(provider: &str) -> bool {
    provider == "eks"
}

/// The domain that needs nobody's DNS, where there is one: every name below `localhost` is the machine itself.
pub fn local_domain(provider: &str, stage: &str) -> Option<String> {
    (provider == "kind").then(|| format!("{stage}.localhost"))
}

impl Answers {
    /// The apps of the first environment: Argo CD, what lets requests in, certificates, and one that can be seen.
    pub fn apps(&self) -> Vec<&'static str> {
        let mut apps = vec!["argocd"];
        if self.addresses.is_some() && wants_addresses(&self.provider) {
            apps.push("metallb");
        }
        // k3s packages its own Traefik.
        if self.provider != "k3s" {
            apps.push("traefik");
        }
        apps.extend(["cert-manager", "podinfo"]);
        apps
    }

    /// The environment's file, below the repository's root.
    pub fn environment_path(&self) -> String {
        format!("environments/{}/environment.yaml", self.environment)
    }
}

/// The files that say what is installed: the project, and the environment without its apps.
pub fn sources(answers: &Answers) -> Vec<NewFile> {
    vec![NewFile::new("hlgen.yaml", project(answers)), NewFile::new(answers.environment_path(), environment(answers))]
}

/// The files around them; schemas are beside these, see [`schema_path`].
pub fn surroundings(answers: &Answers) -> Vec<NewFile> {
    vec![
        NewFile::new(".gitignore", gitignore(answers)),
        NewFile::new(".pre-commit-config.yaml", pre_commit(answers)),
        NewFile::new("README.md", readme(answers)),
        NewFile::new("renovate.json", RENOVATE),
    ]
}

/// Where editors find the schema of a kind.
pub fn schema_path(kind: &str) -> String {
    format!(".hlgen/schemas/{kind}.schema.json")
}

/// The line by which editors find it; `up` leads from the file's folder to the root.
fn modeline(kind: &str, up: &str) -> String {
    format!("# yaml-language-server: $schema={up}{}\n", schema_path(kind))
}

fn project(answers: &Answers) -> String {
    let Answers { name, repo_url, layout, .. } = answers;
    let modeline = modeline("project", "");
    let (comment, branch) = match layout {
        Layout::SameBranch => {
            ("The branch that people work on: rendered files are committed with their source.", "main")
        }
        Layout::OwnBranch => {
            ("Written by `hlgen publish` and by nobody else; people work on another branch.", RENDERED)
        }
        Layout::OwnRepository => ("Written by `hlgen publish` and by nobody else.", "main"),
    };
    format!(
        "{modeline}apiVersion: hlgen.dev/v1
kind: Project
name: {name}
git:
  # As Argo CD reads it. If `publish` reaches it by another address, say so in `pushURL`.
  repoURL: {repo_url}
  # {comment}
  branch: {branch}
"
    )
}

fn environment(answers: &Answers) -> String {
    let Answers { provider, stage, domain, .. } = answers;
    let modeline = modeline("environment", "../../");
    let around = around(answers);
    let policies = policies(answers);
    format!(
        "{modeline}apiVersion: hlgen.dev/v1
kind: Environment
stage: {stage}
provider: {provider}
# Apps get hosts below it: podinfo.{domain}
domain: {domain}
{around}{policies}# `hlgen add APP` adds to these. Versions are exact; Renovate raises them by pull request.
apps:
"
    )
}

/// What production asks for and a new cluster cannot have yet: backups need a place outside of it.
fn policies(answers: &Answers) -> &'static str {
    if answers.stage != "prod" {
        return "";
    }
    "\
policies:
  # Production wants a backup of all that keeps data. Take this line out once there is somewhere to put them: a bucket
  # (`capabilities: { objectstorage/backup: { external: { ... } } }`), then `hlgen add velero`.
  backup: optional
"
}

/// What a provider wants to know, or a person has to bring, before the first apps run.
fn around(answers: &Answers) -> String {
    match (answers.provider.as_str(), &answers.addresses) {
        ("kind", _) => "\
inputs:
  - name: kind cluster
    description: >-
      Made with extraPortMappings from the machine's ports 80 and 443 to 30080 and 30443 of the control plane, where
      Traefik listens.
    release: traefik
"
        .to_owned(),
        ("eks", _) => {
            let account = answers.aws_account.as_deref().unwrap_or_default();
            format!(
                "\
vars:
  # Of the roles that service accounts take. Quoted: it is no number.
  awsAccountId: \"{account}\"
# Until there is the AWS Load Balancer Controller, Traefik gets a classic load balancer. For a network load balancer set
# `region` and `vpcId` below `vars:`, then `hlgen add aws-load-balancer-controller`.
"
            )
        }
        (_, Some(addresses)) if wants_addresses(&answers.provider) => format!(
            "\
vars:
  # What MetalLB may hand out: addresses of the nodes' network that nothing else uses.
  addressPools:
    - {{ name: default, addresses: [{addresses}] }}
"
        ),
        (provider, None) if wants_addresses(provider) => "\
# Traefik waits for an address until something hands one out: set `addressPools` below `vars:`, then `hlgen add metallb`.
# vars: { addressPools: [{ name: default, addresses: [192.0.2.200-192.0.2.219] }] }
"
        .to_owned(),
        _ => String::new(),
    }
}

fn gitignore(answers: &Answers) -> String {
    let rendered = match answers.layout {
        Layout::SameBranch => "",
        Layout::OwnBranch | Layout::OwnRepository => {
            "# `hlgen render` writes it to be looked at; Argo CD reads what `hlgen publish` pushes.\n/rendered/\n"
        }
    };
    format!("{rendered}.hlgen-staging-*\n")
}

fn pre_commit(answers: &Answers) -> String {
    let hook = |id: &str, entry: &str, files: &str| {
        format!(
            "      - id: {id}
        name: {entry}
        entry: {entry}
        language: system
        pass_filenames: false
        files: '(^|/)(hlgen\\.yaml$|({files})/)'
"
        )
    };
    let mut text = format!(
        "# https://pre-commit.com: `pre-commit install`. The hooks run the hlgen on the PATH.
repos:
  - repo: local
    hooks:
{}",
        hook("hlgen-validate", "hlgen validate", "catalog|environments|charts")
    );
    if answers.layout == Layout::SameBranch {
        text.push_str(&hook("hlgen-render", "hlgen render --exit-code", "catalog|environments|charts|rendered"));
    }
    text
}

fn readme(answers: &Answers) -> String {
    let Answers { name, environment, layout, .. } = answers;
    let publish = match layout {
        Layout::SameBranch => "git commit               # `rendered/` with its source; Argo CD follows the branch",
        Layout::OwnBranch => "hlgen publish            # push it to the branch `rendered`, which Argo CD follows",
        Layout::OwnRepository => "hlgen publish            # push it to the repository that Argo CD follows",
    };
    format!(
        "# {name}

What runs on our clusters. `environments/` says which apps, hlgen checks it and writes what Argo CD reads.

```sh
hlgen add APP            # one more app in {environment}
hlgen render             # check everything and write `rendered/`
hlgen explain ENV/APP    # where each value comes from
{publish}
```
"
    )
}

/// Renovate's configuration: the comments above versions in the catalog and in environments are what it follows.
pub const RENOVATE: &str = r##"{
  "$schema": "https://docs.renovatebot.com/renovate-schema.json",
  "extends": ["config:recommended"],
  "ignorePaths": ["rendered/**"],
  "customManagers": [
    {
      "customType": "regex",
      "description": "Versions below a `# renovate:` comment",
      "managerFilePatterns": ["/(^|/)(catalog|environments)/.+\\.ya?ml$/"],
      "matchStrings": [
        "# renovate: datasource=(?<datasource>[a-z-]+) depName=(?<depName>[^\\s]+)(?: packageName=(?<packageName>[^\\s]+))?(?: registryUrl=(?<registryUrl>[^\\s]+))?(?: versioning=(?<versioning>[^\\s]+))?\\s+[a-zA-Z]+: *['\"]?(?:[^\\s'\"]*:)?(?<currentValue>[^\\s'\",:@}#]+)"
      ]
    }
  ]
}
"##;
