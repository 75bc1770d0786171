//! `init`: a repository that renders, from a few answers.
//!
//! The environment gets its apps by the road of `add`, and the whole is checked in memory before anything is written. So
//! what is written is never less than a repository that `validate` has nothing to say about.

use std::path::Path;

use anyhow::{Context as _, ensure};

use super::add::{self, Answer, Request};
use super::evaluate::Selection;
use super::render::{Delivery, Target, render};
use super::workspace::{Workspace, has_errors};
use crate::diag::{Code, Diagnostic, Level};
use crate::io::git::Repository;
use crate::io::git::url::RemoteUrl;
use crate::io::write::own;
use crate::model;
use crate::report::json_lines;
use crate::scaffold::NewFile;
use crate::scaffold::project::{self, Answers};
use crate::source::{Memory, Source as _};

/// The values of a built-in dimension (`provider`, `stage`), sorted.
pub fn built_in(dimension: &str) -> Vec<String> {
    let files = crate::io::Embedded.list(&format!("environments/profiles/{dimension}"));
    files.iter().filter_map(|path| Some(path.rsplit('/').next()?.strip_suffix(".yaml")?.to_owned())).collect()
}

/// The address that the Git repository around a folder was cloned from, in the form that Argo CD and `publish` take and
/// without credentials; `None` where there is none.
pub fn origin(folder: &Path) -> Option<String> {
    let url = Repository::open(folder).ok()?.origin()?;
    RemoteUrl::nearest(&url)
}

/// The files of a new repository, checked. Nothing is written.
///
/// # Errors
/// When the answers make no repository that can be rendered, with what is wrong in the message.
pub fn compose(answers: &Answers) -> anyhow::Result<Vec<NewFile>> {
    let mut files = project::sources(answers);
    let memory = |files: &[NewFile]| {
        let source: Memory = files.iter().map(|file| (file.path.clone(), file.text.clone())).collect();
        Workspace::of(Path::new("."), source)
    };
    let mut apps = answers.apps().into_iter().rev().map(str::to_owned);
    let request = Request {
        app: apps.next().unwrap_or_default(),
        environment: answers.environment.to_string(),
        with: apps.collect(),
        ..Request::default()
    };
    let workspace = memory(&files);
    match add::propose(&workspace, &request)? {
        Answer::Possible(proposal) if proposal.missing.is_empty() => {
            let path = answers.environment_path();
            files.iter_mut().filter(|file| file.path == path).for_each(|file| file.text.clone_from(&proposal.after));
        }
        Answer::Possible(proposal) => {
            let missing: Vec<&str> = proposal.missing.iter().map(|missing| missing.capability.as_str()).collect();
            anyhow::bail!("nothing provides {} there", missing.join(", "));
        }
        Answer::Impossible(findings, _) => anyhow::bail!("{}", first(&findings)),
    }
    let workspace = memory(&files);
    let outcome = render(&workspace, &Selection::default(), Delivery::Files, Target::Nowhere)?;
    let heavy: Vec<Diagnostic> = outcome.findings.into_iter().filter(|finding| finding.level > Level::Note).collect();
    ensure!(heavy.is_empty(), "{}", first(&heavy));
    files.extend(project::surroundings(answers));
    files.extend(schemas()?);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn first(findings: &[Diagnostic]) -> String {
    findings.iter().map(|finding| format!("{}: {}", finding.code, finding.message)).next().unwrap_or_default()
}

/// The schemas of the four kinds, where editors look for them.
///
/// # Errors
/// When a kind has none, which would be a mistake of hlgen's.
pub fn schemas() -> anyhow::Result<Vec<NewFile>> {
    let kinds = model::KINDS.iter();
    kinds
        .map(|kind| {
            let schema = model::schema_of(kind).with_context(|| format!("no schema of `{kind}`"))?;
            Ok(NewFile { path: project::schema_path(kind), text: json_lines(&schema) })
        })
        .collect()
}

/// What was written, and what was not because it is there already.
#[derive(Debug)]
pub struct Started {
    pub written: Vec<String>,
    pub findings: Vec<Diagnostic>,
}

/// Files without which the others mean nothing.
fn is_source(path: &str) -> bool {
    path == "hlgen.yaml" || path.starts_with("environments/")
}

/// Writes the files into a folder. Those of a project must not be there yet, in the folder or above it; other tools'
/// files that are there stay as they are.
///
/// # Errors
/// What the disk would not do.
pub fn write(folder: &Path, files: &[NewFile]) -> anyhow::Result<Started> {
    let mut findings = existing_project(folder)?;
    let mut taken = Vec::new();
    if findings.is_empty() {
        taken = own::taken(folder, files.iter().map(|file| file.path.as_str()))?;
        for path in &taken {
            let finding = Diagnostic::new(Code::FileExists, format!("`{path}` is there already"));
            findings.push(if is_source(path) {
                finding.help(
                    "`hlgen init` starts a repository; move the file away, or name another environment with `--env`",
                )
            } else {
                let help = "it stays as it is; `hlgen init --print` shows what it would hold";
                finding.level(Level::Warning).help(help)
            });
        }
    }
    if has_errors(&findings) {
        return Ok(Started { written: Vec::new(), findings });
    }
    let new: Vec<&NewFile> = files.iter().filter(|file| !taken.contains(&file.path)).collect();
    own::create(folder, new.iter().map(|file| (file.path.as_str(), file.text.as_bytes())))?;
    Ok(Started { written: new.iter().map(|file| file.path.clone()).collect(), findings })
}

/// The finding for a project that a folder lies in.
///
/// # Errors
/// When there is no such folder.
pub fn existing_project(folder: &Path) -> anyhow::Result<Vec<Diagnostic>> {
    let found = Workspace::find(folder)?;
    if own::taken(&found, ["hlgen.yaml"])?.is_empty() {
        return Ok(Vec::new());
    }
    let own = folder.canonicalize().is_ok_and(|folder| folder == found);
    let place = if own { "here" } else { "in a folder above this one" };
    let finding = Diagnostic::new(Code::FileExists, format!("there is a `hlgen.yaml` {place} already"));
    Ok(vec![finding.help("this repository has been started; `hlgen add APP` adds an app to an environment")])
}
