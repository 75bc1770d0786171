//! The Secrets that catalog entries declare, rendered where External Secrets provides them: out of Kubernetes on kind, Vault
//! on Talos, AWS on EKS.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hlgen::diag::Level;
use hlgen::model::SecretKey;
use rayon::prelude::*;
use serde::Deserialize as _;
use serde_json::Value;

use crate::entries::{self, Entry, Repository};
use crate::kubernetes::{Verdict, check};

const PROVIDERS: &[&str] = &["kind", "talos", "eks"];

/// Entries whose Secrets are shown as they are rendered.
const SHOWN: &[&str] = &["external-dns", "oauth2-proxy", "sonarr"];

#[test]
fn every_declared_secret_is_made_on_every_platform() {
    let mut entries = entries::all();
    let declaring = |entry: &&mut Entry| !entry.is_base() && !entry.spec.secrets.is_empty();
    entries.values_mut().filter(declaring).for_each(|entry| entry.spec.requires.push("secrets".into()));
    let declaring: Vec<&Entry> = entries.values().filter(|entry| !entry.spec.secrets.is_empty()).collect();
    assert!(declaring.len() > 40, "only {} entries declare Secrets", declaring.len());
    let wanted: Vec<(&Entry, &str)> = declaring
        .iter()
        .flat_map(|entry| {
            PROVIDERS.iter().filter(|provider| entry.runs_on(provider)).map(|provider| (*entry, *provider))
        })
        .collect();
    let made: Vec<(String, Vec<String>)> =
        wanted.par_iter().map(|(entry, provider)| one(&entries, entry, provider)).collect();
    let wrong: Vec<&String> = made.iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for shown in SHOWN {
        let mut all = String::new();
        for ((_, provider), (text, _)) in wanted.iter().zip(&made).filter(|((entry, _), _)| entry.name == *shown) {
            write!(all, "# {provider}\n{text}").unwrap();
        }
        insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("catalog_secrets__{shown}"), all);
        });
    }
}

/// What an entry's Secrets become in prod, and what is wrong with it.
fn one(entries: &BTreeMap<String, Entry>, entry: &Entry, provider: &str) -> (String, Vec<String>) {
    let place = format!("{} on {provider}", entry.name);
    let outcome = match Repository::with(entries, entry, provider) {
        Ok(repository) => repository.render(),
        Err(reason) => return (String::new(), vec![format!("{place}: {reason}")]),
    };
    let serious = outcome.findings.iter().filter(|finding| finding.level == Level::Error);
    let mut wrong: Vec<String> = serious.map(|finding| format!("{place}: {}", finding.message)).collect();
    let text = |path: &str| outcome.files.iter().find(|file| file.path == path).map_or("", |file| file.body());
    let mut shown = String::new();
    let mut hold = |text: &str| {
        for document in serde_yaml::Deserializer::from_str(text) {
            let object = Value::deserialize(document).unwrap();
            if object.is_object() && check(&object) != Verdict::Fine {
                wrong.push(format!("{place}: {:?}", check(&object)));
            }
        }
    };
    for secret in &entry.spec.secrets {
        let made = text(&format!("prod/{}/manifests/secret-{}.yaml", entry.name, secret.name));
        assert!(made.contains(&format!("name: {}\n", secret.name)), "{place}: `{}` is missing", secret.name);
        hold(made);
        shown.push_str(made);
    }
    let label = format!("hlgen.dev/release: {}\n", entry.name);
    let namespace = text("prod/namespaces/external-secrets.yaml").split("---\n");
    let own: Vec<&str> = namespace.filter(|object| object.contains(&label)).collect();
    own.iter().for_each(|object| hold(object));
    let made = own.iter().filter(|object| object.contains("\nkind: Password\n")).count();
    let generated = entry.spec.secrets.iter().flat_map(|secret| secret.keys.values());
    let generated = generated.filter(|key| matches!(key, SecretKey::Generate(_))).count();
    assert_eq!(made, generated, "{place}: a generator for each generated value");
    shown.extend(own.iter().flat_map(|object| ["---\n", object]));
    (shown, wrong)
}
