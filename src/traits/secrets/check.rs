//! What releases declare together, and what can be said of a Secret without its store: names, generators, two Secrets of
//! one name.

use std::collections::BTreeMap;

use super::generated::{alphabet, values};
use super::place;
use super::store::Store;
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

fn check_names(plan: &Plan, number: usize, secret: &Secret, findings: &mut Vec<Diagnostic>) {
    let at = |key| place(plan, number, secret, key);
    if !is_dns_subdomain(&secret.name) {
        let finding = Diagnostic::new(Code::SecretsName, format!("`{}` cannot be the name of a Secret", secret.name));
        let help = "at most 253 characters of a-z, 0-9, `-` and `.`, letters and digits at the ends";
        findings.push(finding.at(at(None), "this Secret").help(help));
    }
    if secret.keys.is_empty() {
        let finding = Diagnostic::new(Code::SecretsName, format!("the Secret `{}` has no keys", secret.name));
        findings.push(finding.at(at(None), "this Secret").help("say below `keys:` what it holds, or remove it"));
    }
    for key in secret.keys.keys() {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if key.is_empty() || key.len() > 253 || !key.chars().all(plain) || key == "." || key == ".." {
            let finding = Diagnostic::new(Code::SecretsName, format!("`{key}` cannot be a key of a Secret"));
            let help = "at most 253 letters, digits, `-`, `_` and `.`";
            findings.push(finding.at(at(Some(key)), "this key").help(help));
        }
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
    let mut namespaces: BTreeMap<(&str, String), bool> = BTreeMap::new();
    for (cluster, all) in namespace::all(plan) {
        let name = plan.clusters[cluster].name.as_str();
        namespaces.extend(all.into_iter().map(|namespace| ((name, namespace.name), true)));
    }
    let mut clusters: Vec<&str> = plan.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    clusters.sort_unstable();
    clusters.dedup();
    for cluster in clusters {
        let mut names: BTreeMap<(Option<String>, String), String> = BTreeMap::new();
        let mut homeless: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for value in values(plan, cluster, |_| true) {
            let release = &plan.releases[value.release];
            let Store { namespace, .. } = &value.store;
            let known = namespace.as_ref().is_some_and(|name| namespaces.contains_key(&(cluster, name.clone())));
            if !known {
                homeless.entry(namespace.clone()).or_insert(value.release);
                continue;
            }
            let (name, path) = (value.name(), value.origin.path());
            let at = || release.span(plan.env_of(release), &["secrets"]);
            if !is_dns_subdomain(&name) {
                let finding =
                    Diagnostic::new(Code::SecretsName, format!("`{name}` is too long for the name of an object"));
                let finding = finding.at(at(), format!("for {cluster}"));
                findings.push(finding.help("a generated value is named after environment, release, Secret and key"));
            }
            match names.get(&(namespace.clone(), name.clone())) {
                Some(other) if *other != path => {
                    let message = format!("the generated values `{path}` and `{other}` would both be called `{name}`");
                    let finding = Diagnostic::new(Code::SecretsClash, message).at(at(), format!("for {cluster}"));
                    findings
                        .push(finding.help("rename a key: only small letters, digits, `-` and `.` tell names apart"));
                }
                _ => {
                    names.insert((namespace.clone(), name), path);
                }
            }
        }
        for (namespace, number) in homeless {
            let release = &plan.releases[number];
            let message = match namespace {
                Some(namespace) => {
                    format!("generated values would live in namespace `{namespace}`, which hlgen does not make")
                }
                None => "the provider of `secrets` does not say in which namespace generated values live".to_owned(),
            };
            let at = release.span(plan.env_of(release), &["secrets"]);
            let finding =
                Diagnostic::new(Code::SecretsProvider, message).at(at, format!("`{}` has some", release.name));
            findings.push(finding.help("write the namespace of a release as `namespace` into the data of `secrets`"));
        }
    }
}
