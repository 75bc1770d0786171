//! The table in `docs/catalog.md`, made from the entries.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hlgen::model::{LifecycleStatus, PodSecurity};

use crate::entries::{Entry, PROVIDERS, tier};

const MARK: &str = "<!-- From here on the page is made from the catalog: `make bless` writes it. -->\n";

/// The page: what a person wrote above the mark, and the table below it.
pub(crate) fn page(present: &str, entries: &BTreeMap<String, Entry>) -> String {
    let head = present.split(MARK).next().unwrap();
    let mut page = format!("{head}{MARK}");
    let mut categories: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.values() {
        categories.entry(entry.spec.category.as_deref().unwrap_or("other")).or_default().push(entry);
    }
    writeln!(page, "\n{} entries.", entries.len()).unwrap();
    for (category, entries) in categories {
        let mut name = category.to_owned();
        name[..1].make_ascii_uppercase();
        writeln!(page, "\n## {name}\n\n| app | version | tier | provides | requires | platforms | special |\n| --- | --- | --- | --- | --- | --- | --- |").unwrap();
        for entry in entries {
            let spec = &entry.spec;
            let code = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
            let platforms = match spec.platforms.as_slice() {
                [] => "all".to_owned(),
                some if PROVIDERS.iter().all(|provider| some.iter().any(|have| have == provider)) => "all".to_owned(),
                some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            };
            writeln!(
                page,
                "| [{}]({}) | {} | {} | {} | {} | {platforms} | {} |",
                entry.name,
                format_args!("../catalog/{}/app.yaml", entry.name),
                entry.version().unwrap_or_default(),
                tier(entry),
                code(spec.provides.keys().map(String::as_str).collect()),
                code(spec.requires.iter().map(String::as_str).collect()),
                special(entry)
            )
            .unwrap();
        }
    }
    page
}

fn special(entry: &Entry) -> String {
    let spec = &entry.spec;
    let mut special = vec![spec.description.replace('|', "\\|")];
    if let Some(lifecycle) = spec.lifecycle.as_ref().filter(|lifecycle| lifecycle.status != LifecycleStatus::Active) {
        let word = if lifecycle.status == LifecycleStatus::Retired { "retired" } else { "deprecated" };
        let instead = lifecycle.replacement.as_ref().map_or_else(String::new, |other| format!(", take `{other}`"));
        special.push(format!("**{word}**{instead}"));
    }
    if let Some(base) = &entry.base {
        special.push(format!("on `{base}`"));
    }
    if spec.chart.is_none() && spec.git.is_some() {
        special.push("a directory, no chart".into());
    }
    if spec.security.pod_security == PodSecurity::Privileged {
        special.push("privileged pods".into());
    }
    let overlays: Vec<&str> = entry
        .files
        .keys()
        .filter_map(|path| path.rsplit('/').next()?.strip_prefix("values.")?.strip_suffix(".yaml"))
        .collect();
    if !overlays.is_empty() {
        special.push(format!("differs on {}", overlays.join(", ")));
    }
    if entry.files.contains_key(&format!("catalog/{}/README.md", entry.name)) {
        special.push(format!("[a person has to act](../catalog/{}/README.md)", entry.name));
    }
    special.join("; ")
}
