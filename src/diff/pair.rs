//! Which release of the base is which of the head.

use std::collections::BTreeMap;

use super::Settings;
use crate::plan::Plan;
use crate::resolve::release::ReleaseModel;

/// A release of the base and what became of it in the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub base: Option<usize>,
    pub head: Option<usize>,
    pub renamed: Option<Rename>,
}

/// How one knows of a rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rename {
    /// Both sides list the old name in `formerly`.
    Announced,
    /// Only the head does.
    Declared,
    /// Nobody says so, but chart and namespace are the same.
    Probable,
}

/// Matches the releases of two plans by environment and name; what is left by `formerly`, then by chart and namespace.
pub(super) fn pairs(base: &Plan, head: &Plan, settings: &Settings<'_>) -> Vec<Pair> {
    let env_in_base = |env: &str| match settings.between {
        Some((one, two)) if env == two => one.to_owned(),
        _ => env.to_owned(),
    };
    let wanted = |plan: &Plan, release: &ReleaseModel, own: Option<&str>| {
        let env = plan.env_of(release).name.as_str();
        own.is_none_or(|own| own == env)
            && (settings.environments.is_empty() || settings.environments.iter().any(|name| name == env))
    };
    let app = |release: &ReleaseModel| {
        settings.apps.is_empty()
            || settings.apps.iter().any(|name| name == release.app.name.as_str() || name == release.name.as_str())
    };
    let (one, two) = (settings.between.map(|(one, _)| one), settings.between.map(|(_, two)| two));
    let mut left: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (number, release) in base.releases.iter().enumerate().filter(|(_, release)| wanted(base, release, one)) {
        left.insert((base.env_of(release).name.to_string(), release.name.to_string()), number);
    }
    let mut pairs = Vec::new();
    let mut added = Vec::new();
    for (number, release) in head.releases.iter().enumerate().filter(|(_, release)| wanted(head, release, two)) {
        let env = env_in_base(head.env_of(release).name.as_str());
        match left.remove(&(env, release.name.to_string())) {
            Some(from) => pairs.push(Pair { base: Some(from), head: Some(number), renamed: None }),
            None => added.push(number),
        }
    }
    for number in added {
        let release = &head.releases[number];
        let env = env_in_base(head.env_of(release).name.as_str());
        let here = || left.iter().filter(|((name, _), _)| *name == env);
        let declared = here().find(|((_, name), _)| release.spec.formerly.iter().any(|old| old.as_str() == name));
        let probable = || {
            let mut like = here().filter(|(_, from)| is_like(&base.releases[**from], release));
            like.next().filter(|_| like.next().is_none())
        };
        let found = declared
            .map(|(key, from)| (key.clone(), *from, false))
            .or_else(|| probable().map(|(key, from)| (key.clone(), *from, true)));
        let Some((key, from, probable)) = found else {
            pairs.push(Pair { base: None, head: Some(number), renamed: None });
            continue;
        };
        left.remove(&key);
        let old = &base.releases[from];
        let renamed = match probable {
            true => Rename::Probable,
            false if old.spec.formerly.contains(&old.name) => Rename::Announced,
            false => Rename::Declared,
        };
        pairs.push(Pair { base: Some(from), head: Some(number), renamed: Some(renamed) });
    }
    pairs.extend(left.into_values().map(|from| Pair { base: Some(from), head: None, renamed: None }));
    pairs.retain(|pair| {
        pair.base.is_some_and(|number| app(&base.releases[number]))
            || pair.head.is_some_and(|number| app(&head.releases[number]))
    });
    pairs
}

/// Whether two releases install the same thing into the same namespace.
fn is_like(old: &ReleaseModel, new: &ReleaseModel) -> bool {
    let same = match (&old.spec.chart, &new.spec.chart) {
        (Some(a), Some(b)) => a.repository == b.repository && a.name == b.name && a.path == b.path,
        (None, None) => match (&old.spec.git, &new.spec.git) {
            (Some(a), Some(b)) => a.repo_url == b.repo_url && a.path == b.path,
            (None, None) => old.app.name == new.app.name,
            _ => false,
        },
        _ => false,
    };
    same && old.namespace() == new.namespace()
}
