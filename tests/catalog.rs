//! The built-in catalog: every entry renders on every platform it names, is complete, and stands in `docs/catalog.md`.
//!
//! For each app and provider a repository is made on the spot: three environments (dev, staging, prod) that install the app
//! and whatever it requires there. Anything but a note, or what upstream says of an app's life, is a mistake of the
//! catalog.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::format_push_string,
    reason = "tests make and read files themselves, and say what they skip"
)]

#[path = "catalog/around.rs"]
mod around;
#[path = "catalog/charts.rs"]
mod charts;
#[path = "catalog/entries.rs"]
mod entries;
#[path = "support/kubernetes.rs"]
mod kubernetes;
#[path = "catalog/metrics.rs"]
mod metrics;
#[path = "catalog/passwords.rs"]
mod passwords;
#[path = "catalog/secrets.rs"]
mod secrets;
mod support;
#[path = "catalog/table.rs"]
mod table;

use std::collections::{BTreeMap, BTreeSet};

use entries::{Entry, PROVIDERS, Repository};
use hlgen::diag::Level;
use rayon::prelude::*;

#[test]
fn every_app_renders_on_every_platform_it_names() {
    let entries = entries::all();
    let wanted: Vec<(&Entry, &str)> = entries
        .values()
        .filter(|entry| !entry.is_base())
        .flat_map(|entry| PROVIDERS.iter().filter(|provider| entry.runs_on(provider)).map(move |p| (entry, *p)))
        .collect();
    assert!(wanted.len() > 60, "only {} combinations", wanted.len());
    let wrong: Vec<String> = wanted
        .par_iter()
        .flat_map_iter(|(entry, provider)| {
            let repository = match Repository::with(&entries, entry, provider) {
                Ok(repository) => repository,
                Err(reason) => return vec![format!("{} on {provider}: {reason}", entry.name)],
            };
            let outcome = repository.render();
            let findings = outcome
                .findings
                .iter()
                .filter(|finding| finding.level != Level::Note && !finding.code.info().name.starts_with("lifecycle/"));
            let mut wrong: Vec<String> = findings
                .map(|finding| {
                    let help = finding.help.as_deref().unwrap_or_default();
                    format!("{} on {provider}: [{}] {} ({help})", entry.name, finding.code.info().name, finding.message)
                })
                .collect();
            if wrong.is_empty() && outcome.files.is_empty() {
                wrong.push(format!("{} on {provider}: nothing was rendered", entry.name));
            }
            wrong
        })
        .collect();
    assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_entry_says_what_a_reader_needs() {
    let mut wrong = Vec::new();
    for entry in entries::all().values() {
        let mut says = |what: &str| wrong.push(format!("{}: {what}", entry.name));
        let spec = &entry.spec;
        if spec.description.is_empty() || spec.description.len() > 90 || spec.description.ends_with('.') {
            says("`description` is one phrase of at most 90 characters, without a period");
        }
        if spec.category.as_deref().unwrap_or_default().is_empty() {
            says("has no `category`");
        }
        if !spec.docs.as_deref().is_some_and(|docs| docs.starts_with("https://")) {
            says("`docs` is no https link");
        }
        let own_version = entry.text.lines().any(|line| line.trim_start().starts_with("version:"));
        if own_version && !entry.text.contains("# renovate: datasource=") {
            says("nothing bumps its version: there is no `# renovate:` above it");
        }
        let tags = entry.files.iter().filter(|(path, _)| path.contains("/values"));
        for (path, text) in tags.filter(|(path, _)| !path.ends_with(".json")) {
            let lines: Vec<&str> = text.lines().collect();
            for (number, line) in lines.iter().enumerate() {
                let tag = line.trim_start().strip_prefix("tag: ").map(str::trim);
                // Upstream has no other tag for it that is kept.
                if tag == Some("latest") && entry.name != "excalidraw" {
                    says(&format!("{path}:{}: `tag: latest` is no version", number + 1));
                }
            }
        }
        let exact = spec.chart.as_ref().and_then(|chart| chart.version.as_deref());
        if exact.is_some_and(|version| version.contains(['*', 'x', '^', '~', '>', '<', ' '])) {
            says("its chart's version is not exact");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What one environment of this repository installs together must not meet: hosts, node ports.
#[test]
fn nothing_meets_in_this_repository() {
    let outcome = entries::own_repository();
    assert!(outcome.findings.iter().all(|finding| finding.level == Level::Note), "{:?}", outcome.findings);
    let mut ports: BTreeMap<(String, u64), BTreeSet<String>> = BTreeMap::new();
    for file in outcome.files.iter().filter(|file| file.path.ends_with("/values.yaml")) {
        let cluster = file.path.split('/').next().unwrap();
        let values: serde_yaml::Value = serde_yaml::from_str(&file.text).unwrap();
        node_ports(&values, &mut |port| {
            ports.entry((cluster.to_owned(), port)).or_default().insert(file.path.clone());
        });
    }
    let twice: Vec<_> = ports.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let plan = outcome.plan.unwrap();
    let mut hosts: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for (number, release) in plan.releases.iter().enumerate() {
        for expose in &release.spec.expose {
            let host = expose.host.clone().unwrap_or_else(|| release.name.to_string());
            let path = expose.path.clone().unwrap_or_default();
            let other = hosts.insert((release.env, format!("{host}{path}")), number);
            assert!(other.is_none_or(|other| other == number), "`{host}` is claimed twice in {}", release.name);
        }
    }
}

fn node_ports(value: &serde_yaml::Value, found: &mut impl FnMut(u64)) {
    match value {
        serde_yaml::Value::Mapping(map) => {
            for (key, value) in map {
                if let (Some("nodePort"), Some(port)) = (key.as_str(), value.as_u64()) {
                    found(port);
                }
                node_ports(value, found);
            }
        }
        serde_yaml::Value::Sequence(items) => items.iter().for_each(|item| node_ports(item, found)),
        _ => {}
    }
}

#[test]
fn the_page_of_the_catalog_is_in_step() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/catalog.md");
    let present = std::fs::read_to_string(path).unwrap();
    let expected = table::page(&present, &entries::all());
    if std::env::var_os("HLGEN_BLESS").is_some() {
        std::fs::write(path, &expected).unwrap();
    } else {
        let difference = support::diff::lines(&present, &expected);
        assert!(present == expected, "docs/catalog.md is not in step (`make bless`):\n{difference}");
    }
}
