//! What a change means: the difference of two plans as data.
//!
//! Nothing is compared as text. Two plans of the same project are matched release by release; values, manifests and
//! Applications are compared as trees, path by path; what changed alike on many clusters is told once. `report::diff`
//! turns a [`Changes`] into text for terminals, reviews, machines and browsers. Whatever is secret is in here only as
//! a keyed digest (see `secret`), so no format can show it.

mod app;
mod around;
mod cause;
pub mod changes;
mod fate;
mod findings;
mod gather;
mod made;
mod pair;
pub mod text;
mod touched;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet};

pub use app::Part;
pub use changes::Changes;
pub use findings::{Scrub, breaks};

use self::cause::Causes;
use self::changes::{AppChange, Broken, Caution, SideInfo, Weight};
use self::pair::Pair;
use self::touched::{Same, Touched};
use crate::diag::Diagnostic;
use crate::plan::Plan;
use crate::secret::{Known, Masker};
use crate::source::docs::Docs;

/// One of the two things that are compared.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// What people call it: a branch, a commit, `working tree`.
    pub name: &'a str,
    /// The commit, where it is one.
    pub commit: Option<&'a str>,
    /// None where the project cannot be planned at all.
    pub plan: Option<&'a Plan>,
    pub docs: &'a Docs<'a>,
    /// What planning found.
    pub findings: &'a [Diagnostic],
}

/// What is compared, and how much of it.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// Only these environments and apps (or releases); empty: all.
    pub environments: &'a [String],
    pub apps: &'a [String],
    /// The environment of the base and the other one of the head, where two environments are compared.
    pub between: Option<(&'a str, &'a str)>,
    /// Evaluate everything, also what has the same inputs on both sides. The result is the same, only later.
    pub everything: bool,
    pub masker: &'a Masker,
}

/// Compares two sides.
pub fn compare(base: &Side<'_>, head: &Side<'_>, settings: &Settings<'_>) -> Changes {
    match Comparison::new(*base, *head, *settings) {
        Err(broken) => *broken,
        Ok(comparison) => {
            let parts = (0..comparison.len()).map(|number| comparison.part(number)).collect();
            let (changes, findings) = comparison.finish(parts);
            comparison.with_findings(changes, &findings)
        }
    }
}

/// A comparison in pieces, one for each app with a release that may differ, so that they can be worked on side by side.
pub struct Comparison<'a> {
    base: Side<'a>,
    head: Side<'a>,
    base_plan: &'a Plan,
    head_plan: &'a Plan,
    settings: Settings<'a>,
    causes: Causes<'a>,
    /// The secrets that both plans hold.
    known: Known,
    /// Everything that was matched, and the rest of it that may differ, by the app's name.
    matched: Vec<Pair>,
    groups: Vec<(String, Vec<Pair>)>,
}

impl<'a> Comparison<'a> {
    /// Finds what may differ.
    ///
    /// # Errors
    /// A side that cannot be planned: then nothing is compared, and the changes say why.
    pub fn new(base: Side<'a>, head: Side<'a>, settings: Settings<'a>) -> Result<Self, Box<Changes>> {
        let (Some(base_plan), Some(head_plan)) = (whole(&base), whole(&head)) else {
            return Err(Box::new(findings::broken(&base, &head)));
        };
        let matched = pair::pairs(base_plan, head_plan, &settings);
        let touched = if settings.everything || settings.between.is_some() {
            Touched::everything()
        } else {
            Touched::between(&base, &head)
        };
        let mut groups: BTreeMap<String, Vec<Pair>> = BTreeMap::new();
        {
            let sides = (&base, &head);
            let mut same = Same::new(sides, base_plan, head_plan, &touched);
            for pair in &matched {
                let unchanged = match (pair.base, pair.head, pair.renamed) {
                    (Some(base), Some(head), None) => same.releases(base, head),
                    _ => false,
                };
                if !unchanged {
                    let app = match (pair.head, pair.base) {
                        (Some(number), _) => head_plan.releases[number].app.name.to_string(),
                        (None, Some(number)) => base_plan.releases[number].app.name.to_string(),
                        (None, None) => continue,
                    };
                    groups.entry(app).or_default().push(*pair);
                }
            }
        }
        let groups = groups.into_iter().collect();
        let causes = Causes::new(base, head);
        let mut known = Known::default();
        [base_plan, head_plan].into_iter().for_each(|plan| made::learn(plan, &mut known));
        Ok(Self { base, head, base_plan, head_plan, settings, causes, known, matched, groups })
    }

    /// How many pieces there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Works on one piece.
    pub fn part(&self, number: usize) -> Part {
        app::compare(self, &self.groups[number].1)
    }

    /// The clusters of a pair, matched by name; those of two environments by their order.
    fn clusters(&self, pair: Pair) -> Vec<(Option<usize>, Option<usize>)> {
        let of = |plan: &Plan, number: Option<usize>| -> Vec<usize> {
            let release = number.map(|number| &plan.releases[number]);
            release.into_iter().flat_map(|release| plan.clusters_of(release)).map(|(index, _)| index).collect()
        };
        let (base, head) = (of(self.base_plan, pair.base), of(self.head_plan, pair.head));
        if self.settings.between.is_some() {
            let longest = if pair.base.is_some() && pair.head.is_some() {
                base.len().min(head.len())
            } else {
                base.len().max(head.len())
            };
            return (0..longest).map(|at| (base.get(at).copied(), head.get(at).copied())).collect();
        }
        let name = |plan: &'a Plan, cluster: usize| plan.clusters[cluster].name.as_str();
        let mut pairs = Vec::new();
        for to in &head {
            let from = base.iter().find(|from| name(self.base_plan, **from) == name(self.head_plan, *to));
            pairs.push((from.copied(), Some(*to)));
        }
        for from in &base {
            if !head.iter().any(|to| name(self.head_plan, *to) == name(self.base_plan, *from)) {
                pairs.push((Some(*from), None));
            }
        }
        pairs
    }

    /// Puts the pieces together. What was found in the files of both sides (base, head) comes beside, to be settled before
    /// it goes into [`Comparison::with_findings`].
    pub fn finish(&self, parts: Vec<Part>) -> (Changes, (Vec<Diagnostic>, Vec<Diagnostic>)) {
        let mut changes = Changes { base: Self::info(&self.base), head: Self::info(&self.head), ..Changes::default() };
        let mut manifests = (BTreeMap::new(), BTreeMap::new());
        let mut found = (self.base.findings.to_vec(), self.head.findings.to_vec());
        let mut cautions: BTreeMap<(Weight, changes::CautionKind, String), BTreeSet<String>> = BTreeMap::new();
        // Reading all secrets of both sides costs time, and nearly no comparison needs them.
        let scrub = std::cell::OnceCell::new();
        for ((name, _), mut part) in self.groups.iter().zip(parts) {
            manifests.0.append(&mut part.manifests.0);
            manifests.1.append(&mut part.manifests.1);
            found.0.append(&mut part.findings.0);
            found.1.append(&mut part.findings.1);
            for (caution, on) in part.cautions {
                cautions.entry((caution.weight, caution.kind, caution.message)).or_default().insert(on);
            }
            changes.removals.append(&mut part.removals);
            let mut app = part.app;
            name.clone_into(&mut app.app);
            let mut broken: BTreeMap<(bool, String), (Vec<Diagnostic>, BTreeSet<String>)> = BTreeMap::new();
            for (on, in_head, why) in part.broken {
                let key =
                    why.iter().fold(String::new(), |key, finding| key + finding.code.info().name + &finding.message);
                broken.entry((in_head, key)).or_insert_with(|| (why, BTreeSet::new())).1.insert(on);
            }
            for ((in_head, _), (why, on)) in broken {
                let side = if in_head { &self.head } else { &self.base };
                let scrub = scrub.get_or_init(|| Scrub::new(self.base.docs.sources, self.head.docs.sources));
                let findings = why.iter().map(|finding| scrub.finding(finding, side.docs.sources)).collect();
                app.broken.push(Broken { on: on.into_iter().collect(), side: side.name.to_owned(), findings });
            }
            let counts = part.counts;
            changes.counts.added += counts.added;
            changes.counts.removed += counts.removed;
            changes.counts.renamed += counts.renamed;
            changes.counts.changed += counts.changed;
            changes.counts.broken += counts.broken;
            changes.counts.applications_added += counts.applications_added;
            changes.counts.applications_removed += counts.applications_removed;
            changes.counts.pruned += counts.pruned;
            if !is_nothing(&app) {
                changes.apps.push(app);
            }
        }
        changes.removals = joined(std::mem::take(&mut changes.removals), &changes.apps);
        if self.settings.between.is_none() {
            around::compare(self, &manifests, &mut changes, &mut |caution, on| {
                cautions.entry((caution.weight, caution.kind, caution.message)).or_default().insert(on);
            });
        }
        for removal in changes.removals.iter().filter(|removal| removal.renamed_to.is_none()) {
            let caution = around::removal_caution(removal);
            let on = removal.clusters.iter().map(|cluster| format!("{cluster}/{}", removal.release));
            cautions.entry((caution.weight, caution.kind, caution.message)).or_default().extend(on);
        }
        changes.cautions = cautions
            .into_iter()
            .map(|((weight, kind, message), on)| Caution { weight, kind, message, on: on.into_iter().collect() })
            .collect();
        (changes, found)
    }

    /// The changes with what was found, base and head: errors of the head, and its warnings that the base has not.
    pub fn with_findings(&self, mut changes: Changes, found: &(Vec<Diagnostic>, Vec<Diagnostic>)) -> Changes {
        changes.findings = findings::shown(&self.base, &self.head, found);
        changes
    }

    fn info(side: &Side<'_>) -> SideInfo {
        SideInfo {
            name: side.name.to_owned(),
            commit: side.commit.map(str::to_owned),
            releases: side.plan.map_or(0, |plan| plan.releases.len()),
            broken: Vec::new(),
        }
    }
}

/// The plan of a side on which every release can be told from one that is not there.
fn whole<'a>(side: &Side<'a>) -> Option<&'a Plan> {
    side.plan.filter(|_| !side.findings.iter().any(breaks))
}

fn is_nothing(app: &AppChange) -> bool {
    app.releases.is_empty()
        && app.fields.is_empty()
        && app.values.is_empty()
        && app.objects.is_empty()
        && app.application.is_empty()
        && app.broken.is_empty()
}

/// Removals of one release with one consequence, told once with all clusters; a renamed release knows its new name.
fn joined(removals: Vec<changes::Removal>, apps: &[AppChange]) -> Vec<changes::Removal> {
    let mut joined: Vec<changes::Removal> = Vec::new();
    for mut removal in removals {
        let releases = || apps.iter().flat_map(|app| &app.releases);
        removal.renamed_to = releases()
            .find(|release| {
                release.environment == removal.environment && release.formerly.as_ref() == Some(&removal.release)
            })
            .map(|release| release.release.clone());
        let same = joined.iter_mut().find(|known| {
            (&known.environment, &known.release, &known.consequence)
                == (&removal.environment, &removal.release, &removal.consequence)
        });
        match same {
            Some(known) => {
                known.clusters.append(&mut removal.clusters);
                known.applications.append(&mut removal.applications);
            }
            None => joined.push(removal),
        }
    }
    joined.sort_by(|a, b| (&a.environment, &a.release).cmp(&(&b.environment, &b.release)));
    joined
}
