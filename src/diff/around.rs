//! What is around the releases: ApplicationSets, environments, clusters, namespaces, AppProjects, capabilities.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::Comparison;
use super::app::Manifests;
use super::changes::{
    Caution, CautionKind, Changes, ItemChange, ItemKind, PathChange, Removal, SetChange, Shown, Status, Weight,
};
use super::tree;
use crate::model::Destination;
use crate::plan::Plan;
use crate::plan::values::without_nulls;
use crate::render::application::brings_something;
use crate::render::{Mode, projects, sets};
use crate::traits::{namespace, priority};

/// Items of one kind by name, with what is compared of them and a place that they are written at.
type Items = BTreeMap<String, (Json, Option<crate::diag::Span>)>;

/// Lists the items of a kind.
type Listing = fn(&Plan) -> Items;

/// Who provides something before and after, and for whom.
type Providers = BTreeMap<(Option<String>, Option<String>), Vec<String>>;

/// Compares everything that is no release.
pub(super) fn compare(
    comparison: &Comparison<'_>,
    manifests: &(Manifests, Manifests),
    changes: &mut Changes,
    caution: &mut dyn FnMut(Caution, String),
) {
    let filtered = !comparison.settings.environments.is_empty() || !comparison.settings.apps.is_empty();
    changes.sets = set_changes(comparison, manifests, filtered);
    capabilities(comparison, changes);
    if filtered {
        return;
    }
    let (base, head) = (comparison.base_plan, comparison.head_plan);
    let kinds: [(ItemKind, Listing); 5] = [
        (ItemKind::Project, project),
        (ItemKind::Instance, instances),
        (ItemKind::Environment, environments),
        (ItemKind::Cluster, clusters),
        (ItemKind::Namespace, cluster_namespaces),
    ];
    for (kind, items) in kinds {
        diff(comparison, kind, &items(base), &items(head), changes);
    }
    let app_projects =
        (projects_of(comparison, base, &manifests.0, true), projects_of(comparison, head, &manifests.1, false));
    diff(comparison, ItemKind::AppProject, &app_projects.0, &app_projects.1, changes);
    for item in &changes.items {
        let gone = item.status == Status::Removed;
        match item.kind {
            ItemKind::Environment | ItemKind::Cluster | ItemKind::Instance if gone => {
                let word = match item.kind {
                    ItemKind::Environment => "environment",
                    ItemKind::Cluster => "cluster",
                    _ => "Argo CD instance",
                };
                let message = format!("{word} `{}` goes, with all its releases", item.name);
                caution(
                    Caution { weight: Weight::Danger, kind: CautionKind::PlaceRemoved, message, on: Vec::new() },
                    item.name.clone(),
                );
            }
            ItemKind::Cluster if item.changes.iter().any(|change| change.path.starts_with("destination")) => {
                let message =
                    format!("cluster `{}` gets another destination: every release of it moves there", item.name);
                caution(
                    Caution { weight: Weight::Danger, kind: CautionKind::Moved, message, on: Vec::new() },
                    item.name.clone(),
                );
            }
            ItemKind::AppProject => {
                let gains = item
                    .changes
                    .iter()
                    .any(|change| change.path.starts_with("clusterResourceWhitelist") && change.after.is_some());
                if gains && item.status == Status::Changed {
                    let message = format!("AppProject `{}` allows more kinds that belong to no namespace", item.name);
                    let weight = Weight::Warning;
                    caution(
                        Caution { weight, kind: CautionKind::ClusterRights, message, on: Vec::new() },
                        item.name.clone(),
                    );
                }
            }
            _ => {}
        }
    }
}

/// The caution for a release that vanishes.
pub(super) fn removal_caution(removal: &Removal) -> Caution {
    let name = &removal.release;
    let message = match &removal.renamed_to {
        Some(new) => format!("`{name}` goes (as `{new}` comes): {}", removal.consequence),
        None => format!("`{name}` goes from `{}`: {}", removal.environment, removal.consequence),
    };
    let (weight, kind) = match (removal.prod, removal.deletes) {
        (true, _) => (Weight::Danger, CautionKind::RemovedInProd),
        (false, true) => (Weight::Danger, CautionKind::Removed),
        (false, false) => (Weight::Warning, CautionKind::Removed),
    };
    Caution { weight, kind, message, on: Vec::new() }
}

/// The manifests of a side with those releases that were not evaluated because they are the same on both sides: what lives
/// by manifests alone has some.
fn completed(comparison: &Comparison<'_>, plan: &Plan, known: &Manifests, in_base: bool) -> Manifests {
    let mut all = known.clone();
    let looked_at: BTreeSet<usize> = comparison
        .groups
        .iter()
        .flat_map(|(_, pairs)| pairs)
        .filter_map(|pair| if in_base { pair.base } else { pair.head })
        .collect();
    for (number, release) in plan.releases.iter().enumerate() {
        if !looked_at.contains(&number) && !brings_something(release, false) {
            for (cluster, _) in plan.clusters_of(release) {
                all.entry((number, cluster)).or_insert(false);
            }
        }
    }
    all
}

fn set_changes(comparison: &Comparison<'_>, manifests: &(Manifests, Manifests), filtered: bool) -> Vec<SetChange> {
    let of = |plan: &Plan, manifests: &Manifests, in_base: bool| {
        let manifests = completed(comparison, plan, manifests, in_base);
        let owners: Vec<usize> = namespace::all(plan).keys().copied().collect();
        let mut sets: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for group in sets::groups(plan, &manifests, &owners) {
            let instance = plan.instances[group.instance].name.to_string();
            let clusters = group.members.iter().map(|member| plan.clusters[member.cluster].name.to_string());
            sets.entry((instance, group.name)).or_default().extend(clusters);
        }
        sets
    };
    let base = of(comparison.base_plan, &manifests.0, true);
    let head = of(comparison.head_plan, &manifests.1, false);
    let matched: BTreeSet<&str> = comparison
        .matched
        .iter()
        .flat_map(|pair| {
            let name = |plan: &'_ Plan, number: Option<usize>| {
                number.map(|number| plan.releases[number].name.as_str().to_owned())
            };
            [name(comparison.base_plan, pair.base), name(comparison.head_plan, pair.head)]
        })
        .flatten()
        .filter_map(|name| {
            let known = comparison.base_plan.releases.iter().chain(&comparison.head_plan.releases);
            known.map(|release| release.name.as_str()).find(|known| *known == name)
        })
        .collect();
    let keys: BTreeSet<&(String, String)> = base.keys().chain(head.keys()).collect();
    let none = BTreeSet::new();
    let mut changes = Vec::new();
    for key in keys {
        if filtered && !matched.contains(key.1.as_str()) {
            continue;
        }
        let (old, new) = (base.get(key).unwrap_or(&none), head.get(key).unwrap_or(&none));
        if old == new {
            continue;
        }
        let status = match (old.is_empty(), new.is_empty()) {
            (true, _) => Status::Added,
            (_, true) => Status::Removed,
            _ => Status::Changed,
        };
        changes.push(SetChange {
            status,
            instance: key.0.clone(),
            name: key.1.clone(),
            clusters_added: new.difference(old).cloned().collect(),
            clusters_removed: old.difference(new).cloned().collect(),
        });
    }
    changes
}

/// Who provides what to whom, where that is somebody else now.
fn capabilities(comparison: &Comparison<'_>, changes: &mut Changes) {
    let (base, head) = (comparison.base_plan, comparison.head_plan);
    let mut found: BTreeMap<(String, String), Providers> = BTreeMap::new();
    for pair in &comparison.matched {
        let (Some(old), Some(new)) = (pair.base, pair.head) else { continue };
        let before: BTreeMap<String, Option<String>> = base.providers(old).into_iter().collect();
        let env = head.env_of(&head.releases[new]);
        for (capability, after) in head.providers(new) {
            // One that is asked for only now is a change of the release.
            let Some(was) = before.get(&capability) else { continue };
            if *was != after {
                let by = found.entry((env.name.to_string(), capability)).or_default();
                by.entry((was.clone(), after)).or_default().push(format!("{}/{}", env.name, head.releases[new].name));
            }
        }
    }
    for ((env, capability), by) in found {
        let span = head
            .environments
            .iter()
            .find(|other| other.name.as_str() == env)
            .map(|env| env.span(&["capabilities", &capability]));
        let (place, place_in_base) = comparison.causes.pick(&[], &span.into_iter().collect::<Vec<_>>());
        let shown = |provider: Option<String>| provider.map(|provider| Shown::Value(provider.into()));
        let changes_of = by.into_iter().map(|((before, after), on)| PathChange {
            path: "provider".into(),
            before: shown(before),
            after: shown(after),
            place: place.clone(),
            place_in_base,
            what: None,
            on,
            note: None,
        });
        changes.items.push(ItemChange {
            kind: ItemKind::Capability,
            status: Status::Changed,
            name: format!("{env}/{capability}"),
            changes: changes_of.collect(),
        });
    }
}

fn diff(comparison: &Comparison<'_>, kind: ItemKind, base: &Items, head: &Items, changes: &mut Changes) {
    let names: BTreeSet<&String> = base.keys().chain(head.keys()).collect();
    for name in names {
        let (old, new) = (base.get(name), head.get(name));
        let status = match (old, new) {
            (None, _) => Status::Added,
            (_, None) => Status::Removed,
            _ => Status::Changed,
        };
        let deltas = match (old, new) {
            (Some((old, _)), Some((new, _))) => {
                tree::compare(Some(old), Some(new), comparison.settings.masker, &comparison.known)
            }
            _ => Vec::new(),
        };
        if status == Status::Changed && deltas.is_empty() {
            continue;
        }
        let spans = |item: Option<&(Json, Option<_>)>| item.and_then(|(_, span)| *span).into_iter().collect::<Vec<_>>();
        let changed = deltas.into_iter().map(|delta| {
            let (own, other) = match kind {
                ItemKind::Environment => (
                    env_spans(comparison.base_plan, name, delta.base.as_ref()),
                    env_spans(comparison.head_plan, name, delta.head.as_ref()),
                ),
                ItemKind::Project => (
                    project_spans(comparison.base_plan, delta.base.as_ref()),
                    project_spans(comparison.head_plan, delta.head.as_ref()),
                ),
                _ => (spans(old), spans(new)),
            };
            let (place, place_in_base) = comparison.causes.pick(&own, &other);
            PathChange {
                path: delta.shown,
                before: delta.before,
                after: delta.after,
                place,
                place_in_base,
                what: None,
                on: Vec::new(),
                note: delta.note.map(str::to_owned),
            }
        });
        changes.items.push(ItemChange { kind, status, name: name.clone(), changes: changed.collect() });
    }
}

fn keys(path: Option<&crate::merge::Path>) -> Vec<&str> {
    let steps = path.into_iter().flat_map(|path| &path.0);
    steps.map_while(|step| if let crate::merge::Step::Key(key) = step { Some(key.as_str()) } else { None }).collect()
}

fn env_spans(plan: &Plan, name: &str, path: Option<&crate::merge::Path>) -> Vec<crate::diag::Span> {
    let Some(env) = plan.environments.iter().find(|env| env.name.as_str() == name).filter(|_| path.is_some()) else {
        return Vec::new();
    };
    vec![env.value_span(&keys(path)), env.span(&keys(path))]
}

fn project_spans(plan: &Plan, path: Option<&crate::merge::Path>) -> Vec<crate::diag::Span> {
    path.map(|path| plan.project_span(&keys(Some(path)))).into_iter().collect()
}

fn project(plan: &Plan) -> Items {
    let mut value = without_nulls(serde_json::to_value(&plan.project).unwrap_or_default());
    if let Some(map) = value.as_object_mut() {
        ["apiVersion", "kind", "severity"].iter().for_each(|field| _ = map.shift_remove(*field));
    }
    Items::from([(plan.project.name.to_string(), (value, Some(plan.project_span(&[]))))])
}

fn instances(plan: &Plan) -> Items {
    let items = plan.instances.iter().map(|instance| {
        let manages: Vec<&str> = instance.manages.iter().map(|env| plan.environments[*env].name.as_str()).collect();
        let value = json!({
            "runsIn": instance.runs_in.map(|env| &plan.environments[env].name),
            "manages": manages,
            "git": { "repoURL": instance.git.repo_url, "branch": instance.git.branch, "path": instance.git.path },
            "version": instance.version,
        });
        (instance.name.to_string(), (value, Some(plan.project_span(&["argocd"]))))
    });
    items.collect()
}

fn environments(plan: &Plan) -> Items {
    let items = plan.environments.iter().map(|env| {
        let mut value = without_nulls(serde_json::to_value(&env.spec).unwrap_or_default());
        if let Some(map) = value.as_object_mut() {
            ["apiVersion", "kind", "apps", "clusters"].iter().for_each(|field| _ = map.shift_remove(*field));
        }
        (env.name.to_string(), (value, Some(env.span(&[]))))
    });
    items.collect()
}

fn clusters(plan: &Plan) -> Items {
    let owners = namespace::all(plan);
    let items = plan.clusters.iter().enumerate().map(|(index, cluster)| {
        let env = &plan.environments[cluster.env];
        let destination = match &cluster.destination {
            Destination::Name(name) => name,
            Destination::Server(server) => server,
        };
        let mut value = json!({
            "environment": env.name,
            "instance": plan.instances[cluster.instance].name,
            "destination": destination,
            "vars": cluster.vars,
        });
        if let Some(version) = cluster.kubernetes {
            value["kubernetes"] = version.to_string().into();
        }
        objects_below(
            &mut value,
            owners.contains_key(&index).then(|| priority::classes(plan, index)).into_iter().flatten(),
        );
        (cluster.name.to_string(), (value, Some(env.span(&["clusters"]))))
    });
    items.collect()
}

/// Adds objects to what is compared, by kind and name.
fn objects_below(value: &mut Json, objects: impl Iterator<Item = Json>) {
    for object in objects {
        let text = |pointer: &str| object.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
        let key = format!("{}/{}", text("/kind"), text("/metadata/name"));
        value[key] = object;
    }
}

fn cluster_namespaces(plan: &Plan) -> Items {
    let mut items = Items::new();
    for (cluster, all) in namespace::all(plan) {
        for namespace in all {
            let name = format!("{}/{}", plan.clusters[cluster].name, namespace.name);
            let mut value = json!({ "podSecurity": namespace.pod_security.as_str() });
            // What lies in it, by kind and name; the Namespace itself comes first and is told by the line above.
            objects_below(&mut value, namespace::objects(plan, cluster, &namespace).into_iter().skip(1));
            items.insert(name, (value, None));
        }
    }
    items
}

fn projects_of(comparison: &Comparison<'_>, plan: &Plan, manifests: &Manifests, in_base: bool) -> Items {
    let manifests = completed(comparison, plan, manifests, in_base);
    let owners: Vec<usize> = namespace::all(plan).keys().copied().collect();
    let groups = sets::groups(plan, &manifests, &owners);
    let items = projects::all(plan, &groups, Mode::Files).into_iter().map(|project| {
        let instance = &plan.instances[project.instance].name;
        let value = serde_json::to_value(&project.project.spec).unwrap_or_default();
        (format!("{instance}/{}", project.project.metadata.name), (value, None))
    });
    items.collect()
}
