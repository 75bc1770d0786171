//! Charts of the repository itself, which travel along where Argo CD reads another branch or repository.
//!
//! A chart's files carry no line of hlgen's, so the folder does: `.hlgen` in it names the project. A folder with it is
//! ours as a whole; one without it is somebody's, and left alone where it is the same. A branch that holds `hlgen.yaml`
//! is the one the sources live in (layout A) and has the charts already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use git2::{ObjectType, Oid, Repository, TreeWalkMode, TreeWalkResult};

use super::super::workspace::Workspace;
use crate::diag::{Code, Diagnostic};
use crate::io::git::commit::{self, Files, PlaceError};
use crate::plan::Plan;
use crate::render::marker;

/// The file that says whose folder it is.
const MARKER: &str = ".hlgen";

/// Local charts, by folder.
#[derive(Debug, Default)]
pub(super) struct Charts(BTreeMap<String, Files>);

/// Reads the local charts that releases use.
pub(super) fn read(workspace: &Workspace, plan: &Plan, findings: &mut Vec<Diagnostic>) -> Charts {
    let docs = workspace.docs();
    let paths = plan.releases.iter().filter_map(|release| release.spec.chart.as_ref()?.path.as_deref());
    let mut charts = Charts::default();
    for path in paths.collect::<BTreeSet<_>>() {
        let mut files = Files::new();
        for file in docs.source.list(path) {
            match docs.source.read(&file) {
                Ok(Some(content)) => {
                    let below = file.strip_prefix(path).unwrap_or(&file).trim_start_matches('/');
                    files.insert(below.to_owned(), content.into_owned());
                }
                Ok(None) => {}
                Err(error) => findings.push(error.finding()),
            }
        }
        charts.0.insert(path.to_owned(), files);
    }
    charts
}

impl Charts {
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Puts the charts into a root tree and removes those that were ours and are no longer used; gives the new root.
    ///
    /// # Errors
    /// What the object database would not do. A folder in the way is a finding.
    pub(super) fn place(
        &self,
        repository: &Repository,
        root: Oid,
        project: &str,
        findings: &mut Vec<Diagnostic>,
    ) -> Result<Oid, PlaceError> {
        let mut tree = repository.find_tree(root)?;
        if tree.get_name("hlgen.yaml").is_some() {
            return Ok(root);
        }
        let mut stale = Vec::new();
        tree.walk(TreeWalkMode::PreOrder, |at, entry| {
            if entry.name() == Ok(MARKER) && entry.kind() == Some(ObjectType::Blob) && !at.is_empty() {
                let folder = at.trim_end_matches('/').to_owned();
                let is_ours =
                    repository.find_blob(entry.id()).is_ok_and(|blob| commit::owner(blob.content()) == Some(project));
                if is_ours && !self.0.contains_key(&folder) {
                    stale.push(folder);
                }
            }
            TreeWalkResult::Ok
        })?;
        for folder in stale {
            let placed = commit::replace_folder(repository, Some(&tree), &folder, &Files::new())?;
            tree = repository.find_tree(placed.tree)?;
        }
        for (folder, files) in &self.0 {
            let own = tree.get_path(&Path::new(folder).join(MARKER)).ok();
            let own = own.and_then(|entry| repository.find_blob(entry.id()).ok());
            let is_ours = own.is_some_and(|blob| commit::owner(blob.content()) == Some(project));
            let is_free = tree.get_path(Path::new(folder)).is_err();
            let mut files = files.clone();
            if is_ours || is_free {
                let line = format!("{}\n", marker::line(project, &format!("chart {folder}")));
                files.insert(MARKER.to_owned(), line.into_bytes());
            }
            let placed = commit::replace_folder(repository, Some(&tree), folder, &files)?;
            if !is_ours && !is_free && placed.tree != tree.id() {
                let message = format!("`{folder}` is in the way: a folder that hlgen did not write");
                let help = format!("move or remove it in that branch; a folder of hlgen's holds a file `{MARKER}`");
                findings.push(Diagnostic::new(Code::OutForeign, message).help(help));
                continue;
            }
            findings.extend(placed.summary.foreign.iter().map(|foreign| foreign.finding(folder)));
            tree = repository.find_tree(placed.tree)?;
        }
        Ok(tree.id())
    }
}
