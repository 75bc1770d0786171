//! What the plugin reads for each Application, without running it for each: the inputs that inline ApplicationSets name.
//!
//! A run for one release plans its environment and evaluates that release. Planning is the same for all releases of an
//! environment, so each environment is planned once more with a record kept, from documents that are parsed already; the
//! records of evaluating come with the evaluation that renders the values.

use std::collections::{BTreeMap, BTreeSet};

use super::workspace::Workspace;
use crate::io::recording::{Record, Recording};
use crate::plan::survey::Survey;
use crate::plan::{self, Plan};
use crate::render::{Inline, plugin_paths};
use crate::resolve::view::View;
use crate::source::docs::Docs;
use crate::traits::namespace;

/// What inline ApplicationSets carry: the values and the inputs of everything that was evaluated. `records` are those of
/// the evaluation, by release; with an `instance` only that one is looked at.
pub(super) fn inline(
    workspace: &Workspace,
    docs: &Docs<'_>,
    plan: &Plan,
    values: BTreeMap<(usize, usize), String>,
    records: &BTreeMap<usize, Record>,
    instance: Option<usize>,
) -> Inline {
    let mut planned = Planned { workspace, docs, known: BTreeMap::new() };
    let recording = Recording::new(docs.source);
    let survey = Survey::take(&recording);
    let survey_record = recording.take();
    let mut inline = Inline { values, ..Inline::default() };
    let mut roots: BTreeMap<usize, Record> = BTreeMap::new();
    for (number, own) in records {
        let release = &plan.releases[*number];
        let name = plan.env_of(release).name.to_string();
        let mut record = planned.record(BTreeSet::from([name])).clone();
        record.extend(own);
        let paths = plugin_paths::annotation(&record);
        for (index, cluster) in plan.clusters_of(release) {
            inline.paths.insert((Some(*number), index), paths.clone());
            roots.entry(cluster.instance).or_default().extend(&record);
        }
    }
    let wanted = |index: usize| instance.is_none_or(|only| only == index);
    for index in namespace::all(plan).into_keys().filter(|index| wanted(plan.clusters[*index].instance)) {
        let cluster = &plan.clusters[index];
        let mut record = planned.record(survey.with_cluster(cluster.name.as_str())).clone();
        record.extend(&survey_record);
        inline.paths.insert((None, index), plugin_paths::annotation(&record));
        roots.entry(cluster.instance).or_default().extend(&record);
    }
    for (index, instance) in plan.instances.iter().enumerate().filter(|(index, _)| wanted(*index)) {
        let mut record = roots.remove(&index).unwrap_or_default();
        record.extend(&survey_record);
        if let View::Environments(names) = survey.view_of_instance(&plan.project, instance.name.as_str()) {
            record.extend(planned.record(names));
        }
        inline.roots.insert(index, plugin_paths::annotation(&record));
    }
    inline
}

/// The records of planning parts of the repository, each made once.
struct Planned<'w> {
    workspace: &'w Workspace,
    docs: &'w Docs<'w>,
    known: BTreeMap<BTreeSet<String>, Record>,
}

impl Planned<'_> {
    fn record(&mut self, environments: BTreeSet<String>) -> &Record {
        self.known.entry(environments.clone()).or_insert_with(|| {
            let recording = Recording::new(self.docs.source);
            let docs = self.docs.through(&recording);
            // What is wrong was found when the whole was planned.
            plan::part(&docs, &self.workspace.kinds, &View::Environments(environments), &mut Vec::new());
            recording.take()
        })
    }
}
