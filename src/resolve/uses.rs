//! Who uses whom, looked up from either end: what a release declares with whoever serves it, and whom it serves.
//!
//! Bindings answer for a consumer only. What lies in a provider's namespace depends on its consumers, and asking all
//! releases about each of them would cost the square of their number, so the table is made once for a plan.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::capability::{Bindings, Provider, declared};
use super::release::ReleaseModel;

/// A release uses a capability, or another release by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub consumer: usize,
    /// The capability, or `release/x`.
    pub name: String,
    /// Whether `requires` or `wants` names it; else a trait implies it (`expose`, `metrics`, `backup`, `secrets`).
    pub named: bool,
    pub provider: Provider,
}

/// The uses of a plan.
#[derive(Debug, Default)]
pub struct Uses {
    all: Vec<Use>,
    of: Vec<Vec<usize>>,
    by: Vec<Vec<usize>>,
    towards: BTreeMap<String, Vec<usize>>,
}

impl Uses {
    /// Collects what releases declare and somebody serves; what nobody or no one release serves is left out.
    pub fn new(releases: &[ReleaseModel], bindings: &Bindings) -> Self {
        let mut names: FxHashMap<(usize, &str), usize> = FxHashMap::default();
        for (number, release) in releases.iter().enumerate() {
            names.insert((release.env, release.name.as_str()), number);
        }
        let mut uses =
            Self { of: vec![Vec::new(); releases.len()], by: vec![Vec::new(); releases.len()], ..Self::default() };
        for (consumer, release) in releases.iter().enumerate() {
            let spec = &release.spec;
            for (name, _) in declared(release) {
                let named = spec.requires.iter().chain(&spec.wants).any(|have| *have == name);
                if let Ok(Some(provider)) = bindings.provider(releases, release, &name) {
                    uses.add(Use { consumer, name, named, provider });
                }
            }
            for name in spec.requires.iter().filter(|name| name.starts_with("release/")) {
                if let Some(found) = names.get(&(release.env, &name["release/".len()..])) {
                    let provider = Provider::Release(*found);
                    uses.add(Use { consumer, name: name.clone(), named: true, provider });
                }
            }
            for namespace in spec.network.egress.iter().filter_map(|entry| entry.strip_prefix("namespace/")) {
                uses.towards.entry(namespace.to_owned()).or_default().push(consumer);
            }
        }
        uses
    }

    fn add(&mut self, one: Use) {
        let number = self.all.len();
        self.of[one.consumer].push(number);
        if let Provider::Release(provider) = one.provider {
            self.by[provider].push(number);
        }
        self.all.push(one);
    }

    /// What a release uses.
    pub fn of(&self, release: usize) -> impl Iterator<Item = &Use> {
        self.of[release].iter().map(|number| &self.all[*number])
    }

    /// Who uses a release.
    pub fn by(&self, release: usize) -> impl Iterator<Item = &Use> {
        self.by[release].iter().map(|number| &self.all[*number])
    }

    /// The releases whose `network.egress` names a namespace.
    pub fn towards(&self, namespace: &str) -> &[usize] {
        self.towards.get(namespace).map(Vec::as_slice).unwrap_or_default()
    }
}
