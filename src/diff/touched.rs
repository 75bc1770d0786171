//! Which files differ between two sides, by the ids of their content, and which releases that can concern.
//!
//! A release whose inputs are the same means the same, so it need not be evaluated. Inputs are the files of its app, its
//! layers and manifests, and what planning made of the rest: its spec, its environment, and what templates see of other
//! releases (capabilities, exposed hosts). When in doubt a release counts as touched.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Side;
use crate::plan::Plan;
use crate::source::Source;

/// The files that differ.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Everything counts as touched.
    all: bool,
    /// The same files on both sides say what is planned.
    same_plan: bool,
    paths: FxHashSet<String>,
    /// Apps with a file that differs, other than `app.yaml`.
    apps: FxHashSet<String>,
    /// Apps whose `app.yaml` differs.
    specs: FxHashSet<String>,
    /// Environments whose own file, or a profile, differs.
    environments: FxHashSet<String>,
    /// Environments and apps with a manifest there that differs.
    manifests: FxHashSet<(String, String)>,
}

impl Touched {
    /// Compares the files of two sides.
    pub(super) fn between(base: &Side<'_>, head: &Side<'_>) -> Self {
        let mut touched = Self { same_plan: true, ..Self::default() };
        let (one, two) = (base.docs.source, head.docs.source);
        touched.look_at("hlgen.yaml", one, two);
        for folder in ["catalog", "environments"] {
            let paths: BTreeSet<String> = one.list(folder).into_iter().chain(two.list(folder)).collect();
            paths.iter().for_each(|path| touched.look_at(path, one, two));
        }
        touched
    }

    /// As if every file differed.
    pub(super) fn everything() -> Self {
        Self { all: true, ..Self::default() }
    }

    fn look_at(&mut self, path: &str, one: &dyn Source, two: &dyn Source) {
        let ids = (one.content_id(path), two.content_id(path));
        if ids.0.is_some() && ids.0 == ids.1 {
            return;
        }
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["hlgen.yaml"] | ["environments", "profiles", ..] => self.all = true,
            ["catalog", app, "app.yaml"] => {
                self.specs.insert((*app).to_owned());
                self.same_plan = false;
            }
            ["catalog", app, _, ..] => {
                self.apps.insert((*app).to_owned());
            }
            ["environments", env, "environment.yaml"] => {
                self.environments.insert((*env).to_owned());
                self.same_plan = false;
            }
            ["environments", env, "manifests", app, ..] => {
                self.manifests.insert(((*env).to_owned(), (*app).to_owned()));
            }
            _ => {}
        }
        self.paths.insert(path.to_owned());
    }

    /// Whether the same files say what is planned, so that the two plans are the same.
    pub(super) fn same_plan(&self) -> bool {
        self.same_plan && !self.all
    }

    /// Whether a local chart (or another folder outside of the catalog) differs; the names of its files that do.
    pub(super) fn in_folder(base: &Side<'_>, head: &Side<'_>, folder: &str) -> Vec<String> {
        let (one, two) = (base.docs.source, head.docs.source);
        let paths: BTreeSet<String> = one.list(folder).into_iter().chain(two.list(folder)).collect();
        let differs = |path: &String| {
            let id = one.content_id(path);
            id.is_none() || id != two.content_id(path)
        };
        paths.into_iter().filter(differs).collect()
    }
}

/// Whether two releases mean the same, as far as that can be told without evaluating them.
pub(super) struct Same<'a> {
    base: &'a Plan,
    head: &'a Plan,
    sides: (&'a Side<'a>, &'a Side<'a>),
    touched: &'a Touched,
    /// Clusters that look the same to templates and to Argo CD, by their numbers.
    clusters: FxHashMap<(usize, usize), bool>,
    whole: bool,
}

impl<'a> Same<'a> {
    pub(super) fn new(
        sides: (&'a Side<'a>, &'a Side<'a>),
        base: &'a Plan,
        head: &'a Plan,
        touched: &'a Touched,
    ) -> Self {
        let whole = !touched.all && base.project == head.project;
        Self { base, head, sides, touched, clusters: FxHashMap::default(), whole }
    }

    /// Whether the releases of these numbers mean the same on all their clusters.
    pub(super) fn releases(&mut self, base: usize, head: usize) -> bool {
        if !self.whole {
            return false;
        }
        let (one, two) = (&self.base.releases[base], &self.head.releases[head]);
        let (env_one, env_two) = (self.base.env_of(one), self.head.env_of(two));
        if env_one.name != env_two.name || one.name != two.name || one.app.name != two.app.name {
            return false;
        }
        self.same_files(base, head) && (self.touched.same_plan() || self.same_plan(base, head))
    }

    fn same_files(&self, base: usize, head: usize) -> bool {
        let (one, two) = (&self.base.releases[base], &self.head.releases[head]);
        let touched = self.touched;
        let env = self.head.env_of(two).name.as_str();
        let app = two.app.name.as_str();
        let bases = || [&one.app.base, &two.app.base].into_iter().flatten();
        let charts = [&one.spec.chart, &two.spec.chart].into_iter().flatten().filter_map(|chart| chart.path.as_deref());
        if touched.apps.contains(app)
            || bases().any(|base| touched.apps.contains(base.name.as_str()))
            || !touched.manifests.is_empty() && touched.manifests.contains(&(env.to_owned(), app.to_owned()))
            || charts.into_iter().any(|folder| !Touched::in_folder(self.sides.0, self.sides.1, folder).is_empty())
        {
            return false;
        }
        let layer = |path: &str| {
            if path.starts_with("catalog/") || path.starts_with("environments/") {
                return !touched.paths.contains(path);
            }
            self.sides.0.docs.source.content_id(path) == self.sides.1.docs.source.content_id(path)
        };
        let own = !touched.paths.is_empty() || self.base.project.layers.is_some();
        !own || self.head.layers.of(self.head.env_of(two), two).all(|path| layer(&path.path))
    }

    fn same_plan(&mut self, base: usize, head: usize) -> bool {
        let (one, two) = (&self.base.releases[base], &self.head.releases[head]);
        let app = two.app.name.as_str();
        let env = self.head.env_of(two).name.as_str();
        let spec_touched = self.touched.environments.contains(env)
            || self.touched.specs.contains(app)
            || one.app.base.as_ref().is_some_and(|base| self.touched.specs.contains(base.name.as_str()))
            || two.app.base.as_ref().is_some_and(|base| self.touched.specs.contains(base.name.as_str()))
            // A companion takes its version from the app that brings it.
            || one.brought_by.is_some()
            || two.brought_by.is_some();
        if spec_touched {
            let text = |spec| serde_json::to_string(spec).unwrap_or_default();
            if one.spec != two.spec || text(&*one.spec) != text(&*two.spec) {
                return false;
            }
        }
        let own: Vec<usize> = self.base.clusters_of(one).map(|(index, _)| index).collect();
        let others: Vec<usize> = self.head.clusters_of(two).map(|(index, _)| index).collect();
        own.len() == others.len()
            && own.iter().zip(&others).all(|(a, b)| {
                self.same_clusters(*a, *b) && self.base.sees_same_release((base, *a), self.head, (head, *b))
            })
    }

    fn same_clusters(&mut self, base: usize, head: usize) -> bool {
        if let Some(known) = self.clusters.get(&(base, head)) {
            return *known;
        }
        let (one, two) = (&self.base.clusters[base], &self.head.clusters[head]);
        let (env_one, env_two) = (&self.base.environments[one.env], &self.head.environments[two.env]);
        let (instance_one, instance_two) = (&self.base.instances[one.instance], &self.head.instances[two.instance]);
        let same = one.name == two.name
            && one.destination == two.destination
            && env_one.spec.stage == env_two.spec.stage
            && env_one.spec.provider == env_two.spec.provider
            && env_one.spec.gates == env_two.spec.gates
            && env_one.dimensions == env_two.dimensions
            && self.base.policies(one.env) == self.head.policies(two.env)
            && instance_one.name == instance_two.name
            && instance_one.git == instance_two.git
            && instance_one.version == instance_two.version
            && self.base.sees_same_cluster(base, self.head, head);
        self.clusters.insert((base, head), same);
        same
    }
}
