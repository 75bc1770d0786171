//! The same change on many clusters, told once.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::Serialize;

/// Things with the releases they hold for, in the order of first appearance.
#[derive(Debug)]
pub(super) struct Gather<T> {
    /// By what the thing says.
    found: IndexMap<String, (T, BTreeSet<String>)>,
    marks: usize,
}

impl<T> Default for Gather<T> {
    fn default() -> Self {
        Self { found: IndexMap::new(), marks: 0 }
    }
}

impl<T: Serialize> Gather<T> {
    pub(super) fn add(&mut self, thing: T, on: &str) {
        self.marks += 1;
        let key = serde_json::to_string(&thing).unwrap_or_default();
        self.found.entry(key).or_insert_with(|| (thing, BTreeSet::new())).1.insert(on.to_owned());
    }

    /// How often something was added.
    pub(super) fn marks(&self) -> usize {
        self.marks
    }

    /// Everything, with `set` told for whom it holds.
    pub(super) fn finish(self, set: impl Fn(&mut T, Vec<String>)) -> Vec<T> {
        let finished = self.found.into_values().map(|(mut thing, on)| {
            set(&mut thing, on.into_iter().collect());
            thing
        });
        finished.collect()
    }
}
