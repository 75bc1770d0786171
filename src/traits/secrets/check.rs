//! What releases declare together, and what can be said of a Secret without its store: names, generators, two Secrets of
//! one name.

use std::collections::{BTreeMap, BTreeSet};

use super::generated::{Value, alphabet, values};
use super::place;
use crate::argocd::names::is_dns_subdomain;
use crate::diag::{Code, Diagnostic};
use crate::model::{Generate, Secret, SecretKey};
use crate::plan::Plan;
use crate::traits::namespace;

/// Characters of a generated value; longer ones are a mistake, and the operator draws them one by one.
const LENGTH_LIMIT: u16 = 4096;

pub(in crate::traits) fn check(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    if plan.releases.iter().all(|release| release.spec.secrets.is_empty()) {
        return;
    }
    for (number, release) in plan.releases.iter().enumerate() {
        for secret in &release.spec.secrets {
            check_names(plan, number, secret, findings);
            for (key, source) in &secret.keys {
                let SecretKey::Generate(how) = source else { continue };
                if let Some((message, help)) = wrong_generator(how) {
                    let message = format!("`{key}` of the Secret `{}` cannot be generated: {message}", secret.name);
                    let at = place(plan, number, secret, Some(key));
                    findings.push(Diagnostic::new(Code::SecretsGenerate, message).at(at, "this key").help(help));
                }
            }
        }
    }
    check_clashes(plan, findings);
    check_generated(plan, findings);
}

/// Whether Kubernetes takes a Secret's name and keys. Of one that it refuses nothing is made, and no command is shown.
pub(super) fn is_well_named(secret: &Secret) -> bool {
    is_dns_subdomain(&secret.name) && !secret.keys.is_empty() && secret.keys.keys().all(|key| is_key(key))
}

/// Whether a text can be the key of a Secret.
pub(super) fn is_key(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    !text.is_empty() && text.len() <= 253 && text.chars().all(plain) && text != "." && text != ".."
}

fn check_names(plan: &Plan, number: usize, secret: &Secret, findings: &mut Vec<Diagnostic>) {
    if is_well_named(secret) {
        return;
    }
    let mut says = |key: Option<&str>, message: String, help: &str| {
        let what = if key.is_some() { "this key" } else { "this Secret" };
        let at = place(plan, number, secret, key);
        findings.push(Diagnostic::new(Code::SecretsName, message).at(at, what).help(help));
    };
    if !is_dns_subdomain(&secret.name) {
        let message = format!("`{}` cannot be the name of a Secret", secret.name);
        says(None, message, "at most 253 characters of a-z, 0-9, `-` and `.`, letters and digits at the ends");
    }
    if secret.keys.is_empty() {
        let message = format!("the Secret `{}` has no keys", secret.name);
        says(None, message, "say below `keys:` what it holds, or remove it");
    }
    for key in secret.keys.keys().filter(|key| !is_key(key)) {
        let message = format!("`{key}` cannot be a key of a Secret");
        says(Some(key), message, "at most 253 letters, digits, `-`, `_` and `.`");
    }
}

/// Why the operator's generator cannot make such a value, and what to write.
fn wrong_generator(how: &Generate) -> Option<(String, &'static str)> {
    let characters = alphabet(how);
    if how.length == 0 || how.length > LENGTH_LIMIT {
        return Some((format!("its length is {}", how.length), "write a length from 1 to 4096"));
    }
    // It draws bytes: a character of several would be torn apart.
    if !characters.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "its alphabet has characters that are not printable ASCII".to_owned();
        return Some((message, "write letters, digits and signs without spaces"));
    }
    let mut sorted: Vec<u8> = characters.bytes().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        let message = "its alphabet has a character twice, which would come up twice as often".to_owned();
        return Some((message, "write each character once"));
    }
    (sorted.len() < 2).then(|| ("its alphabet has one character at most".to_owned(), "write at least two characters"))
}

/// Two Secrets of one name in one namespace: whoever is applied last would win.
fn check_clashes(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<(&str, &str, &str), (usize, &Secret)> = BTreeMap::new();
    for (number, release) in plan.releases.iter().enumerate() {
        for (_, cluster) in plan.clusters_of(release) {
            for secret in &release.spec.secrets {
                let key = (cluster.name.as_str(), release.namespace(), secret.name.as_str());
                // Twice in one release is said where it is read.
                let before = seen.insert(key, (number, secret)).filter(|(other, _)| *other != number);
                let Some((other, first)) = before else { continue };
                let (name, namespace) = (&secret.name, release.namespace());
                let (one, two) = (&release.name, &plan.releases[other].name);
                let message = format!("`{one}` and `{two}` both have a Secret `{name}` in namespace `{namespace}`");
                let finding = Diagnostic::new(Code::SecretsClash, message)
                    .at(place(plan, number, secret, None), format!("for {}", cluster.name))
                    .at(place(plan, other, first, None), "and here");
                findings
                    .push(finding.help("give one of the releases a namespace of its own, or the Secret another name"));
            }
        }
    }
}

/// Generated values need a namespace to live in, and names of their own there.
fn check_generated(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    let all = namespace::all(plan).into_iter();
    let namespaces: BTreeSet<(&str, String)> = all
        .flat_map(|(cluster, all)| {
            all.into_iter().map(move |namespace| (plan.clusters[cluster].name.as_str(), namespace.name))
        })
        .collect();
    let clusters: BTreeSet<&str> = plan.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    for cluster in clusters {
        let mut homeless: BTreeMap<Option<String>, usize> = BTreeMap::new();
        let mut names: BTreeMap<(String, String), String> = BTreeMap::new();
        for value in values(plan, cluster, |_| true) {
            match &value.store.namespace {
                Some(namespace) if namespaces.contains(&(cluster, namespace.clone())) => {
                    check_name(plan, cluster, namespace, &value, &mut names, findings);
                }
                namespace => {
                    homeless.entry(namespace.clone()).or_insert(value.release);
                }
            }
        }
        findings.extend(homeless.into_iter().map(|(namespace, release)| homeless_finding(plan, namespace, release)));
    }
}

/// `names` are those of the values before, by namespace and name.
fn check_name(
    plan: &Plan,
    cluster: &str,
    namespace: &str,
    value: &Value<'_>,
    names: &mut BTreeMap<(String, String), String>,
    findings: &mut Vec<Diagnostic>,
) {
    let release = &plan.releases[value.release];
    let (name, path) = (value.name(), value.origin.path());
    let mut says = |code: Code, message: String, help: &str| {
        let at = release.span(plan.env_of(release), &["secrets"]);
        findings.push(Diagnostic::new(code, message).at(at, format!("for {cluster}")).help(help));
    };
    if !is_dns_subdomain(&name) {
        let message = format!("`{name}` is too long for the name of an object");
        says(Code::SecretsName, message, "a generated value is named after environment, release, Secret and key");
    }
    if let Some(other) = names.insert((namespace.to_owned(), name.clone()), path.clone()) {
        let message = format!("the generated values `{path}` and `{other}` would both be called `{name}`");
        says(Code::SecretsClash, message, "rename a key: only small letters, digits, `-` and `.` tell names apart");
    }
}

fn homeless_finding(plan: &Plan, namespace: Option<String>, number: usize) -> Diagnostic {
    let release = &plan.releases[number];
    let message = match namespace {
        Some(name) => format!("generated values would live in namespace `{name}`, which hlgen does not make"),
        None => "the provider of `secrets` does not say in which namespace generated values live".to_owned(),
    };
    let at = release.span(plan.env_of(release), &["secrets"]);
    let finding = Diagnostic::new(Code::SecretsProvider, message).at(at, format!("`{}` has some", release.name));
    finding.help("write the namespace of a release as `namespace` into the data of `secrets`")
}
