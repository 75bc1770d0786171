//! One app: all its releases that may differ, evaluated on both sides and compared.

use std::collections::BTreeMap;

use semver::Version;
use serde_json::Value as Json;

use super::cause::{self, Causes};
use super::changes::{
    AppChange, Caution, CautionKind, Counts, ObjectChange, PathChange, ReleaseChange, Removal, Status, Weight,
};
use super::fate;
use super::gather::Gather;
use super::made::{AppSide, Made, ObjectKey};
use super::pair::{Pair, Rename};
use super::tree::{self, Delta};
use super::{Comparison, Side};
use crate::diag::{Code, Diagnostic, Span};
use crate::merge::Step;
use crate::model::Crds;
use crate::plan::Plan;
use crate::plan::values::without_nulls;
use crate::resolve::release::ReleaseModel;
use crate::secret::Known;

/// Releases and clusters with manifests, and whether those hold what must outlive the Application.
pub(super) type Manifests = BTreeMap<(usize, usize), bool>;

/// What comparing one app brought.
#[derive(Debug, Default)]
pub struct Part {
    pub(super) app: AppChange,
    pub(super) removals: Vec<Removal>,
    pub(super) cautions: Vec<(Caution, String)>,
    pub(super) counts: Counts,
    /// Findings of the base and of the head.
    pub(super) findings: (Vec<Diagnostic>, Vec<Diagnostic>),
    /// Whom, on the head's side, and why.
    pub(super) broken: Vec<(String, bool, Vec<Diagnostic>)>,
    /// Releases and clusters with manifests, by side, as `render::sets` wants them.
    pub(super) manifests: (Manifests, Manifests),
}

#[derive(Default)]
struct Found {
    fields: Gather<PathChange>,
    values: Gather<PathChange>,
    objects: Gather<ObjectChange>,
    application: Gather<PathChange>,
}

/// Compares the pairs of one app.
pub(super) fn compare(comparison: &Comparison<'_>, pairs: &[Pair]) -> Part {
    let mut work = Work {
        comparison,
        base: BTreeMap::new(),
        head: BTreeMap::new(),
        part: Part::default(),
        found: Found::default(),
    };
    for pair in pairs {
        work.pair(*pair);
    }
    let Work { mut part, found, base, head, .. } = work;
    part.findings.0.extend(base.into_values().flat_map(|side| side.findings));
    part.findings.1.extend(head.into_values().flat_map(|side| side.findings));
    part.app.fields = found.fields.finish(|change, on| change.on = on);
    part.app.values = found.values.finish(|change, on| change.on = on);
    part.app.objects = found.objects.finish(|change, on| change.on = on);
    part.app.application = found.application.finish(|change, on| change.on = on);
    part.app.releases.sort();
    part
}

struct Work<'c, 'a> {
    comparison: &'c Comparison<'a>,
    /// By the app's name: a release may change its app.
    base: BTreeMap<&'a str, AppSide<'a>>,
    head: BTreeMap<&'a str, AppSide<'a>>,
    part: Part,
    found: Found,
}

fn side<'s, 'a>(
    sides: &'s mut BTreeMap<&'a str, AppSide<'a>>,
    side: Side<'a>,
    plan: &'a Plan,
    number: usize,
) -> &'s mut AppSide<'a> {
    let app = &plan.releases[number].app;
    sides.entry(app.name.as_str()).or_insert_with(|| AppSide::new(side, plan, app))
}

impl<'a> Work<'_, 'a> {
    fn base_side(&mut self, number: usize) -> &mut AppSide<'a> {
        side(&mut self.base, self.comparison.base, self.comparison.base_plan, number)
    }

    fn head_side(&mut self, number: usize) -> &mut AppSide<'a> {
        side(&mut self.head, self.comparison.head, self.comparison.head_plan, number)
    }

    fn causes(&self) -> &Causes<'a> {
        &self.comparison.causes
    }

    fn caution(&mut self, weight: Weight, kind: CautionKind, message: String, on: &str) {
        self.part.cautions.push((Caution { weight, kind, message, on: Vec::new() }, on.to_owned()));
    }

    fn pair(&mut self, pair: Pair) {
        let (base, head) = (self.comparison.base_plan, self.comparison.head_plan);
        let clusters = self.comparison.clusters(pair);
        let before = self.marks();
        for (from, to) in clusters {
            match (pair.base.zip(from), pair.head.zip(to)) {
                (Some(old), Some(new)) => self.both(pair, old, new),
                (None, Some(new)) => self.added(new),
                (Some(old), None) => self.removed(old),
                (None, None) => {}
            }
        }
        let names = |plan: &Plan, number: usize| -> Vec<String> {
            plan.clusters_of(&plan.releases[number]).map(|(_, cluster)| cluster.name.to_string()).collect()
        };
        let (status, plan, number) = match (pair.base, pair.head) {
            (Some(_), Some(head_number)) => {
                if pair.renamed.is_none() && self.marks() == before {
                    return;
                }
                let status = if pair.renamed.is_some() { Status::Renamed } else { Status::Changed };
                (status, head, head_number)
            }
            (None, Some(number)) => (Status::Added, head, number),
            (Some(number), None) => (Status::Removed, base, number),
            (None, None) => return,
        };
        let release = &plan.releases[number];
        let counts = &mut self.part.counts;
        match status {
            Status::Added => counts.added += 1,
            Status::Removed => counts.removed += 1,
            Status::Renamed => counts.renamed += 1,
            Status::Changed => counts.changed += 1,
        }
        self.part.app.releases.push(ReleaseChange {
            status,
            environment: plan.env_of(release).name.to_string(),
            release: release.name.to_string(),
            clusters: names(plan, number),
            formerly: pair.renamed.and(pair.base).map(|number| base.releases[number].name.to_string()),
            declared: pair.renamed.map(|renamed| renamed != Rename::Probable),
            version: release.version().map(str::to_owned),
            namespace: Some(release.namespace().to_owned()),
        });
        if let (Some(renamed), Some(old), Some(new)) = (pair.renamed, pair.base, pair.head) {
            self.renamed(renamed, old, new);
        }
    }

    /// How much was found so far; a pair that adds nothing is unchanged.
    fn marks(&self) -> [usize; 6] {
        let found = &self.found;
        [
            found.fields.marks(),
            found.values.marks(),
            found.objects.marks(),
            found.application.marks(),
            self.part.broken.len(),
            self.part.removals.len() + self.part.counts.applications_added,
        ]
    }

    fn both(&mut self, pair: Pair, (old, from): (usize, usize), (new, to): (usize, usize)) {
        let (base, head) = (self.comparison.base_plan, self.comparison.head_plan);
        let (was, is) = (&base.releases[old], &head.releases[new]);
        let on = format!("{}/{}", head.clusters[to].name, is.name);
        self.fields(was, is, &on);
        let one = self.base_side(old).make(old, from);
        let two = self.head_side(new).make(new, to);
        self.note_manifests((old, from), Some(&one), (new, to), Some(&two));
        let broken = [(false, &one), (true, &two)].map(|(in_head, made)| {
            if !made.broken.is_empty() {
                self.part.broken.push((on.clone(), in_head, made.broken.clone()));
            }
            !made.broken.is_empty()
        });
        if broken[1] {
            self.part.counts.broken += 1;
        }
        if broken != [false, false] {
            return;
        }
        let masker = self.comparison.settings.masker;
        let known = self.known(&one, &two);
        for delta in tree::compare(one.values.as_ref(), two.values.as_ref(), masker, &known) {
            let spans = |side: &mut AppSide<'_>, number, path: &Option<_>| {
                path.as_ref().map(|path| cause::of_value(side, number, path)).unwrap_or_default()
            };
            // A value that is gone may have been unset at its path.
            let path = delta.head.clone().or_else(|| delta.base.clone());
            let in_head = spans(self.head_side(new), new, &path);
            let in_base = spans(self.base_side(old), old, &delta.base);
            let place = self.causes().pick(&in_base, &in_head);
            let what = path.as_ref().and_then(|path| what_it_is(is, path).or_else(|| what_it_is(was, path)));
            self.found.values.add(change(delta, place, what), &on);
        }
        self.objects(&one, &two, new, &known, &on);
        self.applications(pair, ((old, from), &one), ((new, to), &two), &on);
    }

    /// The secrets of two evaluated releases and of both plans.
    fn known(&self, one: &Made, two: &Made) -> Known {
        let mut known = self.comparison.known.clone();
        known.join(&one.known);
        known.join(&two.known);
        known
    }

    fn note_manifests(&mut self, old: (usize, usize), one: Option<&Made>, new: (usize, usize), two: Option<&Made>) {
        if let Some(made) = one.filter(|made| made.has_manifests) {
            self.part.manifests.0.insert(old, made.holds_state);
        }
        if let Some(made) = two.filter(|made| made.has_manifests) {
            self.part.manifests.1.insert(new, made.holds_state);
        }
    }

    /// Fields of the release itself: version, namespace, what it requires, and so on.
    fn fields(&mut self, was: &ReleaseModel, is: &ReleaseModel, on: &str) {
        let (base, head) = (self.comparison.base_plan, self.comparison.head_plan);
        let masker = self.comparison.settings.masker;
        for delta in tree::compare(Some(&spec(was)), Some(&spec(is)), masker, &self.comparison.known) {
            let keys = |path: &Option<crate::merge::Path>| -> Vec<String> {
                let steps = path.iter().flat_map(|path| &path.0);
                steps.map_while(|step| if let Step::Key(key) = step { Some(key.clone()) } else { None }).collect()
            };
            let spans = |plan: &Plan, release: &ReleaseModel, keys: &[String]| -> Vec<Span> {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                let env = plan.env_of(release);
                match keys.as_slice() {
                    [] => Vec::new(),
                    ["version"] => {
                        let written = env.entry_keys(release.name.as_str()).any(|key| key == "version");
                        let own = if written {
                            env.value_span(&["apps", release.name.as_str(), "version"])
                        } else {
                            release.span(env, &["chart", "version"])
                        };
                        vec![own, release.span(env, &["version"]), release.span(env, &["git", "revision"])]
                    }
                    keys => vec![release.span(env, keys)],
                }
            };
            let in_head = spans(head, is, &keys(&delta.head.clone().or_else(|| delta.base.clone())));
            let in_base = spans(base, was, &keys(&delta.base));
            let place = self.causes().pick(&in_base, &in_head);
            self.found.fields.add(change(delta, place, None), on);
        }
        let chart = [&was.spec.chart, &is.spec.chart].map(|chart| chart.as_ref().and_then(|chart| chart.path.clone()));
        if let [Some(before), Some(after)] = chart
            && before == after
        {
            let files = super::touched::Touched::in_folder(&self.comparison.base, &self.comparison.head, &after);
            if !files.is_empty() {
                let shown: Vec<Json> = files.iter().map(|file| crate::secret::shown(file).into()).collect();
                let change = PathChange {
                    path: "chart files".into(),
                    before: None,
                    after: Some(super::changes::Shown::Value(shown.into())),
                    place: None,
                    place_in_base: false,
                    what: None,
                    on: Vec::new(),
                    note: Some("Argo CD renders the chart; what its objects become is not compared".into()),
                };
                self.found.fields.add(change, on);
            }
        }
        self.warn(was, is, on);
    }

    /// What a reviewer must not overlook about a release that stays.
    fn warn(&mut self, was: &ReleaseModel, is: &ReleaseModel, on: &str) {
        let name = &is.name;
        let version =
            |release: &ReleaseModel| Version::parse(release.version().unwrap_or_default().trim_start_matches('v')).ok();
        if self.comparison.settings.between.is_none()
            && let (Some(before), Some(after)) = (version(was), version(is))
        {
            if after < before {
                self.caution(
                    Weight::Warning,
                    CautionKind::Downgrade,
                    format!("`{name}` goes down from {before} to {after}"),
                    on,
                );
            } else if after.major > before.major {
                self.caution(
                    Weight::Warning,
                    CautionKind::MajorUpgrade,
                    format!("`{name}` goes up a major version, from {before} to {after}"),
                    on,
                );
            }
            let crds =
                |release: &ReleaseModel| release.spec.chart.as_ref().is_some_and(|chart| chart.crds == Crds::Chart);
            if before != after && (crds(was) || crds(is)) {
                self.caution(
                    Weight::Warning,
                    CautionKind::Crds,
                    format!("the chart of `{name}` installs CRDs, and its version changes"),
                    on,
                );
            }
        }
        if self.comparison.settings.between.is_some() {
            return;
        }
        for (what, before, after) in
            [("namespace", was.namespace(), is.namespace()), ("Helm release", was.helm_name(), is.helm_name())]
        {
            if before != after && was.name == is.name {
                let head = self.comparison.head_plan;
                let rest = if crate::render::application::prunes(head, is) {
                    "what it installed is pruned and made anew; volumes do not move along"
                } else {
                    "it is installed anew, and what it installed before stays"
                };
                let message = format!("`{name}` moves from {what} `{before}` to `{after}`: {rest}");
                self.caution(Weight::Danger, CautionKind::Moved, message, on);
            }
        }
        let (tier_was, tier_is) = (was.spec.tier, is.spec.tier);
        if tier_was != tier_is && tier_is == crate::model::Tier::Platform {
            let message =
                format!("`{name}` becomes a platform app, whose AppProject allows every kind in every namespace");
            self.caution(Weight::Warning, CautionKind::ClusterRights, message, on);
        }
    }

    fn objects(&mut self, one: &Made, two: &Made, new: usize, known: &Known, on: &str) {
        let masker = self.comparison.settings.masker;
        for (key, (value, object)) in &two.objects {
            let before = one.objects.get(key);
            let deltas = match before {
                Some((before, _)) => tree::compare(Some(before), Some(value), masker, known),
                None => Vec::new(),
            };
            if before.is_some() && deltas.is_empty() {
                continue;
            }
            let changes = deltas.into_iter().map(|delta| {
                let span = |object: &crate::plan::manifests::Object, path: &Option<crate::merge::Path>| -> Vec<Span> {
                    let keys: Vec<&str> = path
                        .iter()
                        .flat_map(|path| &path.0)
                        .map_while(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None })
                        .collect();
                    path.as_ref().map(|_| object.span(&keys)).into_iter().collect()
                };
                let in_base = before.map(|(_, object)| span(object, &delta.base)).unwrap_or_default();
                let place = self.comparison.causes.pick(&in_base, &span(object, &delta.head));
                change(delta, place, None)
            });
            let changes: Vec<PathChange> = changes.collect();
            let status = if before.is_some() { Status::Changed } else { Status::Added };
            let place = self.causes().pick(&[], &[object.span(&[])]);
            self.object_cautions(key, status, value, on);
            self.found.objects.add(object_change(status, key, changes, place, None), on);
        }
        for (key, (value, object)) in &one.objects {
            if two.objects.contains_key(key) {
                continue;
            }
            let (pruned, consequence) = fate::of_object(self.comparison.head_plan, new, value);
            if pruned && self.comparison.settings.between.is_none() {
                self.part.counts.pruned += 1;
                let heavy = key.kind.starts_with("CustomResourceDefinition")
                    || ["PersistentVolumeClaim", "Namespace", "PersistentVolume"].contains(&key.kind.as_str());
                let weight = if heavy { Weight::Danger } else { Weight::Warning };
                let name = crate::secret::shown(&key.name);
                self.caution(weight, CautionKind::Pruned, format!("{} `{name}` is {consequence}", key.kind), on);
            }
            let place = self.causes().pick(&[object.span(&[])], &[]);
            self.found.objects.add(object_change(Status::Removed, key, Vec::new(), place, Some(consequence)), on);
        }
    }

    fn object_cautions(&mut self, key: &ObjectKey, status: Status, value: &Json, on: &str) {
        let name = crate::secret::shown(&key.name);
        let word = if status == Status::Added { "comes" } else { "changes" };
        match key.kind.split('.').next().unwrap_or_default() {
            "CustomResourceDefinition" => {
                let message = format!("CRD `{name}` {word}");
                self.caution(Weight::Warning, CautionKind::Crds, message, on);
            }
            kind @ ("ClusterRole" | "ClusterRoleBinding") => {
                let all = value.get("rules").and_then(Json::as_array).is_some_and(|rules| {
                    rules.iter().any(|rule| {
                        rule.get("verbs")
                            .and_then(Json::as_array)
                            .is_some_and(|verbs| verbs.iter().any(|verb| verb == "*"))
                    })
                }) || value.pointer("/roleRef/name").and_then(Json::as_str) == Some("cluster-admin");
                let rights = if all { ", and with it every right over the cluster" } else { "" };
                let weight = if all { Weight::Danger } else { Weight::Warning };
                self.caution(weight, CautionKind::ClusterRights, format!("{kind} `{name}` {word}{rights}"), on);
            }
            _ => {}
        }
    }

    fn applications(
        &mut self,
        pair: Pair,
        ((old, from), one): ((usize, usize), &Made),
        ((new, to), two): ((usize, usize), &Made),
        on: &str,
    ) {
        let before = self.base_side(old).application(old, from, one);
        let after = self.head_side(new).application(new, to, two);
        let name = |application: &Option<Json>| {
            let name = application.as_ref()?.pointer("/metadata/name")?.as_str()?;
            Some(name.to_owned())
        };
        let (was, is) = (name(&before), name(&after));
        let between = self.comparison.settings.between.is_some();
        match (&was, &is) {
            (Some(was), Some(is)) if was != is && !between => {
                let renamed = pair.renamed.is_some();
                self.part.counts.applications_added += 1;
                self.part.counts.applications_removed += 1;
                // A renamed release is told once, with all that follows from it.
                if !renamed {
                    let stays = fate::of_release(self.comparison.base_plan, old, one.holds_state, true);
                    let message = format!("Application `{was}` becomes `{is}`: {}", stays.consequence);
                    let weight = if stays.deletes { Weight::Danger } else { Weight::Warning };
                    self.caution(weight, CautionKind::Renamed, message, on);
                }
            }
            (None, Some(_)) => self.part.counts.applications_added += 1,
            (Some(_), None) => self.removed((old, from)),
            _ => {}
        }
        let (Some(mut before), Some(mut after)) = (before, after) else { return };
        for application in [&mut before, &mut after] {
            settle(application, between || pair.renamed.is_some());
        }
        let masker = self.comparison.settings.masker;
        for delta in tree::compare(Some(&before), Some(&after), masker, &self.comparison.known) {
            self.found.application.add(change(delta, (None, false), None), on);
        }
    }

    fn added(&mut self, (new, to): (usize, usize)) {
        let head = self.comparison.head_plan;
        let release = &head.releases[new];
        let on = format!("{}/{}", head.clusters[to].name, release.name);
        let made = self.head_side(new).make(new, to);
        self.note_manifests((0, 0), None, (new, to), Some(&made));
        if !made.broken.is_empty() {
            self.part.counts.broken += 1;
            self.part.broken.push((on, true, made.broken));
            return;
        }
        if self.head_side(new).application(new, to, &made).is_some() {
            self.part.counts.applications_added += 1;
        }
        let known = self.known(&made, &made);
        self.objects(&Made::default(), &made, new, &known, &on);
    }

    /// A release that a cluster loses.
    fn removed(&mut self, (old, from): (usize, usize)) {
        if self.comparison.settings.between.is_some() {
            return;
        }
        let base = self.comparison.base_plan;
        let release = &base.releases[old];
        let cluster = &base.clusters[from];
        let made = self.base_side(old).make(old, from);
        self.note_manifests((old, from), Some(&made), (0, 0), None);
        let Some(application) = self.base_side(old).application(old, from, &made) else { return };
        self.part.counts.applications_removed += 1;
        let name = application.pointer("/metadata/name").and_then(Json::as_str).unwrap_or_default().to_owned();
        let instance = &base.instances[cluster.instance].name;
        let stays = self.comparison.head_plan.instances.iter().any(|other| other.name == *instance);
        let fate = fate::of_release(base, old, made.holds_state, stays);
        let env = base.env_of(release);
        self.part.removals.push(Removal {
            environment: env.name.to_string(),
            release: release.name.to_string(),
            app: release.app.name.to_string(),
            clusters: vec![cluster.name.to_string()],
            applications: vec![name],
            deletes: fate.deletes,
            consequence: fate.consequence,
            prod: env.spec.stage == "prod",
            renamed_to: None,
        });
    }

    /// A rename in one commit makes Argo CD install the release anew beside, or after deleting, the old one.
    fn renamed(&mut self, renamed: Rename, old: usize, new: usize) {
        let (base, head) = (self.comparison.base_plan, self.comparison.head_plan);
        let (was, is) = (&base.releases[old], &head.releases[new]);
        let env = head.env_of(is);
        let on = format!("{}/{}", env.name, is.name);
        let stays = fate::of_release(base, old, false, true);
        let message = format!("`{}` becomes `{}`: {}", was.name, is.name, stays.consequence);
        self.caution(Weight::Danger, CautionKind::Renamed, message, &on);
        if self.comparison.settings.between.is_none()
            && !self
                .part
                .removals
                .iter()
                .any(|removal| removal.release == *was.name.as_str() && removal.environment == *env.name.as_str())
        {
            let clusters = || base.clusters_of(was).map(|(_, cluster)| cluster);
            let own = was.spec.application.name.as_deref();
            let name = |cluster| {
                crate::render::application::name(base, cluster, was.name.as_str(), was.app.name.as_str(), own)
            };
            self.part.removals.push(Removal {
                environment: base.env_of(was).name.to_string(),
                release: was.name.to_string(),
                app: was.app.name.to_string(),
                clusters: clusters().map(|cluster| cluster.name.to_string()).collect(),
                applications: clusters().map(name).collect(),
                deletes: stays.deletes,
                consequence: stays.consequence,
                prod: base.env_of(was).spec.stage == "prod",
                renamed_to: Some(is.name.to_string()),
            });
        }
        if renamed == Rename::Announced || self.comparison.settings.between.is_some() {
            return;
        }
        let (verb, help) = match renamed {
            Rename::Probable => (
                "seems to become",
                format!(
                    "if it is a rename, write `formerly: [{}]` in its entry under the old name first, and rename it in the next commit",
                    was.name
                ),
            ),
            _ => (
                "becomes",
                format!(
                    "write `formerly: [{}]` in its entry under the old name first, and rename it in the next commit",
                    was.name
                ),
            ),
        };
        let message = format!("release `{}` {verb} `{}` in one step", was.name, is.name);
        let finding = Diagnostic::new(Code::DiffRename, message).at(is.entry_span(env), "the new name");
        self.part.findings.1.push(finding.help(help));
    }
}

/// What the app's `paths:` say that a value is.
fn what_it_is(release: &ReleaseModel, path: &crate::merge::Path) -> Option<String> {
    let covers = |pattern: &String| crate::merge::Path::parse(pattern).is_ok_and(|pattern| pattern.covers(path));
    let mut paths = release.spec.paths.iter();
    paths.find(|(_, paths)| paths.as_slice().iter().any(covers)).map(|(what, _)| what.clone())
}

fn change(
    delta: Delta,
    (place, place_in_base): (Option<super::changes::Place>, bool),
    what: Option<String>,
) -> PathChange {
    PathChange {
        path: delta.shown,
        before: delta.before,
        after: delta.after,
        place,
        place_in_base,
        what,
        on: Vec::new(),
        note: delta.note.map(str::to_owned),
    }
}

fn object_change(
    status: Status,
    key: &ObjectKey,
    changes: Vec<PathChange>,
    (place, place_in_base): (Option<super::changes::Place>, bool),
    consequence: Option<String>,
) -> ObjectChange {
    let namespace = Some(crate::secret::shown(&key.namespace).to_owned()).filter(|namespace| !namespace.is_empty());
    ObjectChange {
        status,
        kind: key.kind.clone(),
        namespace,
        name: crate::secret::shown(&key.name).to_owned(),
        changes,
        place,
        place_in_base,
        consequence,
        on: Vec::new(),
    }
}

/// A release's fields as they are compared: without what shows elsewhere (values, manifests, the Application) or changes
/// nothing.
fn spec(release: &ReleaseModel) -> Json {
    let mut spec = without_nulls(serde_json::to_value(&*release.spec).unwrap_or_default());
    let Some(map) = spec.as_object_mut() else { return spec };
    for field in ["enabled", "docs", "paths", "formerly", "manifests", "application", "use", "lifecycle", "version"] {
        map.shift_remove(field);
    }
    for (section, fields) in [("chart", &["version", "supports"][..]), ("git", &["revision"])] {
        if let Some(section) = map.get_mut(section).and_then(Json::as_object_mut) {
            fields.iter().for_each(|field| _ = section.shift_remove(*field));
        }
    }
    map.insert("app".into(), release.app.name.as_str().into());
    map.insert("namespace".into(), release.namespace().into());
    map.insert("releaseName".into(), release.helm_name().into());
    if let Some(version) = release.version() {
        map.insert("version".into(), version.into());
    }
    spec
}

/// Takes out of an Application what other parts of the result say: its name, chart version, and where `renamed` (or another
/// environment) changes them, all that holds names.
fn settle(application: &mut Json, renamed: bool) {
    if let Some(metadata) = application.get_mut("metadata").and_then(Json::as_object_mut) {
        metadata.shift_remove("name");
        if renamed {
            metadata.shift_remove("labels");
            metadata.shift_remove("annotations");
        }
    }
    let Some(spec) = application.get_mut("spec").and_then(Json::as_object_mut) else { return };
    if renamed {
        ["source", "sources", "project", "destination"].iter().for_each(|field| _ = spec.shift_remove(*field));
        return;
    }
    let version = |source: &mut Json| {
        if let Some(source) = source.as_object_mut().filter(|source| source.contains_key("chart")) {
            source.shift_remove("targetRevision");
        }
    };
    spec.get_mut("source").into_iter().for_each(version);
    spec.get_mut("sources").and_then(Json::as_array_mut).into_iter().flatten().for_each(version);
    if let Some(destination) = spec.get_mut("destination").and_then(Json::as_object_mut) {
        // The release's namespace is a field of it.
        destination.shift_remove("namespace");
    }
}
