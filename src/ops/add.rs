//! `add`: what an environment would be with one more app, and the edit that makes it so.
//!
//! The edit is tried before it is made: the repository is checked as it is and as it would be, and what is wrong with the
//! second and not with the first is what the new app causes. So every rule that `validate` knows speaks here too, about
//! the platform, conflicts, hosts and missing capabilities, and none is written a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;

use super::evaluate::Selection;
use super::render::{Delivery, Outcome, Target, render};
use super::workspace::{Workspace, has_errors};
use crate::diag::{Code, Diagnostic, Level, nearest};
use crate::io::write::own;
use crate::model::{Environment, LifecycleStatus, ReleaseName};
use crate::plan::Plan;
use crate::resolve::catalog::{AppDef, Catalog};
use crate::scaffold::entry::{self, Install};
use crate::source::docs::Docs;
use crate::yaml::Doc;
use crate::yaml::insert::{NewEntry, Refusal, insert};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub app: String,
    pub environment: String,
    /// The release's name, where it is not the app's.
    pub release: Option<ReleaseName>,
    pub namespace: Option<String>,
    /// Apps that provide what this one requires, each added too.
    pub with: Vec<String>,
}

/// What would be done.
pub struct Proposal {
    /// The environment's file.
    pub path: String,
    pub before: Arc<str>,
    /// The whole file as it would be.
    pub after: String,
    pub added: Vec<Added>,
    /// What the new releases require and nobody provides.
    pub missing: Vec<Missing>,
    /// What is wrong then and is not now, besides what is missing; none of it stands in the way of the entry.
    pub findings: Vec<Diagnostic>,
    /// What the entries' README files say a person must do.
    pub notes: Vec<String>,
    /// The repository as it would be, whose sources the findings point into.
    pub workspace: Workspace,
}

/// A release that would be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    pub release: String,
    pub app: String,
    pub namespace: String,
    pub version: Option<String>,
    pub description: String,
}

/// A capability (or `release/x`) that is required and that nobody provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub capability: String,
    pub needed_by: Vec<String>,
    /// Apps that provide it and run there.
    pub candidates: Vec<Candidate>,
}

/// An app that would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub app: String,
    pub description: String,
}

/// A proposal, or why there is none.
pub enum Answer {
    Possible(Box<Proposal>),
    /// The findings, and the repository that they point into.
    Impossible(Vec<Diagnostic>, Option<Box<Workspace>>),
}

/// Findings that say that the entry itself cannot be: no other line of the repository could make it right.
const PROHIBITIVE: &[Code] =
    &[Code::RefPlatform, Code::RefConflict, Code::RefDuplicate, Code::KindName, Code::OutClash];

/// Works out what it means to add an app to an environment; nothing is written.
///
/// # Errors
/// What the disk would not do. What stands in the way is in the answer.
pub fn propose(workspace: &Workspace, request: &Request) -> anyhow::Result<Answer> {
    let docs = workspace.docs();
    let mut findings = Vec::new();
    let before = check(workspace)?;
    let refuse = |mut findings: Vec<Diagnostic>| {
        workspace.settle_part(None, &mut findings);
        Ok(Answer::Impossible(findings, None))
    };
    let Some(plan) = &before.plan else { return refuse(before.findings) };
    let Some(doc) = environment(&docs, request, &mut findings) else {
        // A file that cannot be read is among what was found before.
        findings.extend(if findings.is_empty() { before.findings } else { Vec::new() });
        return refuse(findings);
    };
    if workspace.kinds.read::<Environment>(&doc, "environment", &mut findings).is_none() {
        return refuse(findings);
    }
    let mut catalog = Catalog::new(&docs, &workspace.kinds);
    let Some(installs) = installs(&mut catalog, request, &mut findings) else { return refuse(findings) };
    let entries: Vec<NewEntry> = installs.iter().map(|(app, install)| entry::entry(app, install)).collect();
    let path = path_of(&request.environment);
    let after = match insert(&doc, "apps", &entries) {
        Ok(after) => after,
        Err(refusal) => {
            findings.push(refused(&doc, refusal, &entries, &installs));
            return refuse(findings);
        }
    };
    let then = workspace.with_files(BTreeMap::from([(path.clone(), after.clone().into_bytes())]));
    let outcome = check(&then)?;
    let new = new_findings(&before, &outcome);
    let is_prohibitive = |finding: &Diagnostic| PROHIBITIVE.contains(&finding.code) && finding.level == Level::Error;
    if new.iter().any(is_prohibitive) || outcome.plan.is_none() {
        let prohibits = new.iter().any(is_prohibitive);
        let told = new.into_iter().filter(|finding| !prohibits || is_prohibitive(finding)).collect();
        return Ok(Answer::Impossible(told, Some(Box::new(then))));
    }
    let after_plan = outcome.plan.as_ref().context("the plan with the app")?;
    let added: Vec<Added> = installs.iter().map(|(app, install)| added(app, install)).collect();
    let missing = missing(plan, after_plan, &request.environment, &added, &mut catalog);
    // What is missing is said by itself; templates that ask for it only repeat that.
    let follows =
        |code: Code| code == Code::CapabilityMissing || (!missing.is_empty() && code == Code::TemplateUndefined);
    let findings = new.into_iter().filter(|finding| !follows(finding.code)).collect();
    let notes = installs.iter().filter_map(|(app, _)| docs.text(&format!("{}/README.md", app.folder))).collect();
    let before = Arc::clone(doc.file_text());
    Ok(Answer::Possible(Box::new(Proposal { path, before, after, added, missing, findings, notes, workspace: then })))
}

impl Proposal {
    /// Writes the file, unless it is no longer as it was when it was read.
    ///
    /// # Errors
    /// What the disk would not do, and when somebody else wrote the file meanwhile.
    pub fn write(&self) -> anyhow::Result<()> {
        own::replace(&self.workspace.root, &self.path, self.before.as_bytes(), self.after.as_bytes())
            .with_context(|| format!("cannot write `{}`", self.path))
    }

    /// Whether the repository would not render.
    pub fn is_broken(&self) -> bool {
        !self.missing.is_empty() || has_errors(&self.findings)
    }
}

/// The environments of a repository, by their folders.
pub fn environments(workspace: &Workspace) -> Vec<String> {
    let files = workspace.source().every("environments", crate::resolve::environment::FILE);
    files.iter().filter_map(|path| crate::resolve::environment::name_of(path)).map(str::to_owned).collect()
}

fn path_of(environment: &str) -> String {
    format!("environments/{environment}/{}", crate::resolve::environment::FILE)
}

fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    render(workspace, &Selection::default(), Delivery::Files, Target::Nowhere)
}

/// The environment's own document.
fn environment(docs: &Docs<'_>, request: &Request, findings: &mut Vec<Diagnostic>) -> Option<Arc<Doc>> {
    let name = &request.environment;
    let known = docs.source.every("environments", crate::resolve::environment::FILE);
    let names = || known.iter().filter_map(|path| crate::resolve::environment::name_of(path));
    if names().any(|known| known == name) {
        return docs.one(&path_of(name));
    }
    let finding = Diagnostic::new(Code::RefUnknownEnvironment, format!("there is no environment `{name}`"));
    let all: Vec<&str> = names().collect();
    findings.push(match nearest(name, names()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None if all.is_empty() => finding.help(format!("write `{}`", path_of(name))),
        None => finding.help(format!("known: {}", all.join(", "))),
    });
    None
}

type Installs = Vec<(Arc<AppDef>, Install)>;

/// The app and those it comes with, in the order in which they are written: what is needed comes first.
fn installs(catalog: &mut Catalog<'_>, request: &Request, findings: &mut Vec<Diagnostic>) -> Option<Installs> {
    let app = catalog.find(&request.app, findings)?;
    let named = |name: &str, findings: &mut Vec<Diagnostic>| -> Option<ReleaseName> {
        name.parse().map_err(|reason: String| findings.push(Diagnostic::new(Code::KindName, reason))).ok()
    };
    let release = match &request.release {
        Some(name) => name.clone(),
        None => named(app.name.as_str(), findings)?,
    };
    let mut installs = vec![(app, Install { release, namespace: request.namespace.clone(), uses: Vec::new() })];
    for name in &request.with {
        let provider = catalog.find(name, findings)?;
        let release = named(provider.name.as_str(), findings)?;
        let mut install = Install { release, namespace: None, uses: Vec::new() };
        if let Some((capability, consumer)) = private(&provider, &installs) {
            let (app, of) = &mut installs[consumer];
            let kind = capability.split('/').next().unwrap_or(&capability);
            let namespace = of.namespace.as_deref().or(app.spec.namespace.as_deref()).unwrap_or(app.name.as_str());
            install.namespace = Some(namespace.to_owned());
            install.release = named(&format!("{}-{kind}", of.release), findings)?;
            of.uses.push((capability.clone(), install.release.to_string()));
        }
        installs.push((provider, install));
    }
    installs.reverse();
    Some(installs)
}

/// The capability and the consumer for which a provider is installed as its own: where credentials come as a Secret, only
/// pods of that namespace can read it.
fn private(provider: &AppDef, installs: &Installs) -> Option<(String, usize)> {
    let secret = provider.spec.provides.iter().filter(|(_, data)| data.get("secret").is_some());
    secret.map(|(capability, _)| capability).find_map(|capability| {
        let consumer = installs.iter().position(|(app, install)| {
            app.spec.requires.contains(capability) && !install.uses.iter().any(|(used, _)| used == capability)
        })?;
        Some((capability.clone(), consumer))
    })
}

fn refused(doc: &Doc, refusal: Refusal, entries: &[NewEntry], installs: &Installs) -> Diagnostic {
    let apps = doc.entry(doc.root(), "apps");
    let known = apps.and_then(|apps| entries.iter().find_map(|entry| doc.entry(apps.value, &entry.key)));
    if let (Refusal::Exists, Some(known)) = (refusal, known) {
        let name = doc.text(known.key);
        let message = format!("there is a release `{name}` here already");
        let finding = Diagnostic::new(Code::RefDuplicate, message).at(doc.span(known.key), "this one");
        let is_off = doc.get(known.value, "enabled").is_some_and(|node| doc.text(node) == "false");
        return finding.help(match installs.last() {
            _ if is_off => "remove `enabled: false` to have it back".to_owned(),
            Some((app, install)) if install.release.as_str() == name => {
                format!("install `{}` a second time with `--release NAME` and `--namespace NAMESPACE`", app.name)
            }
            _ => "leave it out of `--with`".to_owned(),
        });
    }
    let place = doc.span(apps.map_or(doc.root(), |apps| apps.key));
    let lines = crate::yaml::insert::block_lines(entries);
    Diagnostic::new(Code::FileEdit, format!("`apps:` cannot be extended: {refusal}"))
        .at(place, "here")
        .help(format!("write it by hand:\n{lines}"))
}

/// What is found in the second run and was not in the first.
fn new_findings(before: &Outcome, after: &Outcome) -> Vec<Diagnostic> {
    let known: BTreeSet<(Code, &str)> =
        before.findings.iter().map(|finding| (finding.code, finding.message.as_str())).collect();
    let is_new = |finding: &&Diagnostic| !known.contains(&(finding.code, finding.message.as_str()));
    after.findings.iter().filter(is_new).cloned().collect()
}

/// What the new releases require, and what others do not get any more.
fn missing(before: &Plan, after: &Plan, environment: &str, added: &[Added], catalog: &mut Catalog<'_>) -> Vec<Missing> {
    let index = |plan: &Plan| plan.environments.iter().position(|env| env.name.as_str() == environment);
    let Some(env) = index(after) else { return Vec::new() };
    let provider = after.environments[env].spec.provider.clone();
    let known: BTreeSet<String> =
        index(before).map_or_else(BTreeSet::new, |env| required(before, env).into_keys().collect());
    let is_ours = |name: &String| added.iter().any(|added| added.release == *name);
    let missing = required(after, env).into_iter();
    let missing = missing.filter(|(capability, by)| !known.contains(capability) || by.iter().any(is_ours));
    missing
        .map(|(capability, needed_by)| {
            let names = match capability.strip_prefix("release/") {
                Some(release) => vec![release.to_owned()],
                None => catalog.providers(&capability),
            };
            let candidates = names.iter().filter_map(|name| {
                let app = catalog.find(name, &mut Vec::new())?;
                let runs = app.spec.platforms.is_empty() || app.spec.platforms.contains(&provider);
                let retired = app.spec.lifecycle.as_ref().is_some_and(|life| life.status != LifecycleStatus::Active);
                (runs && !retired).then(|| Candidate { app: name.clone(), description: app.spec.description.clone() })
            });
            Missing { capability, needed_by, candidates: candidates.collect() }
        })
        .collect()
}

/// The capabilities and releases that are required in an environment and not there, with the names of who requires them.
fn required(plan: &Plan, env: usize) -> BTreeMap<String, Vec<String>> {
    let name = |number: usize| plan.releases[number].name.to_string();
    let missing = plan.bindings.missing(&plan.releases, env).into_iter();
    let mut all: BTreeMap<String, Vec<String>> =
        missing.map(|(capability, numbers)| (capability, numbers.into_iter().map(name).collect())).collect();
    for release in plan.releases.iter().filter(|release| release.env == env) {
        for other in release.spec.requires.iter().filter_map(|name| name.strip_prefix("release/")) {
            if !plan.releases.iter().any(|known| known.env == env && known.name.as_str() == other) {
                all.entry(format!("release/{other}")).or_default().push(release.name.to_string());
            }
        }
    }
    all
}

fn added(app: &AppDef, install: &Install) -> Added {
    let namespace = install.namespace.as_deref().or(app.spec.namespace.as_deref()).unwrap_or(app.name.as_str());
    Added {
        release: install.release.to_string(),
        app: app.name.to_string(),
        namespace: namespace.to_owned(),
        version: entry::pin(app).map(|pin| pin.version),
        description: app.spec.description.clone(),
    }
}
