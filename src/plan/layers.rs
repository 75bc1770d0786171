//! Which values files a release has, weakest first (DESIGN section 4).

use std::borrow::Cow;
use std::fmt::Write as _;

use super::doc_span;
use crate::diag::{Code, Diagnostic, nearest};
use crate::model::Project;
use crate::resolve::environment::{EnvModel, dimensions};
use crate::resolve::release::ReleaseModel;
use crate::source::docs::Docs;
use crate::yaml::{Doc, Kind};

/// One values file that a release may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    pub path: String,
    /// The file serves every app, so it holds only `global:`.
    pub for_every_app: bool,
    /// No release of another app has this file (but for those that have this app as their base).
    pub of_one_app: bool,
}

/// The list of values files as patterns.
#[derive(Debug, Clone)]
pub struct Layers {
    patterns: Vec<Vec<Part>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    App,
    Release,
    Env,
    Dimension(String),
}

impl Layers {
    /// The project's own list, or the default one; checks the files that serve every app.
    pub fn new(
        project: &Project,
        environments: &[EnvModel],
        project_doc: &Doc,
        docs: &Docs<'_>,
        findings: &mut Vec<Diagnostic>,
    ) -> Self {
        let names: Vec<String> = dimensions(project).iter().map(|dimension| dimension.name().to_owned()).collect();
        let list = project.layers.clone().unwrap_or_else(|| default_list(&names));
        let mut patterns = Vec::new();
        for (number, pattern) in list.iter().enumerate() {
            match parse(pattern, &names) {
                Ok(parts) => patterns.push(parts),
                Err((message, help)) => {
                    let at = project_doc
                        .get(project_doc.root(), "layers")
                        .and_then(|layers| project_doc.items(layers).get(number).copied())
                        .map_or_else(|| doc_span(project_doc, &["layers"]), |item| project_doc.span(item));
                    findings.push(Diagnostic::new(Code::KindField, message).at(at, "this layer").help(help));
                }
            }
        }
        let layers = Self { patterns };
        layers.check_shared(environments, docs, findings);
        layers
    }

    /// The files a release may have, weakest first. The base of `from:` comes under its app, layer by layer.
    pub fn of<'l>(&'l self, env: &'l EnvModel, release: &'l ReleaseModel) -> impl Iterator<Item = Layer> + 'l {
        let base = release.app.base.as_ref().map(|base| base.name.as_str());
        self.patterns.iter().flat_map(move |parts| {
            let for_every_app = !parts.iter().any(|part| matches!(part, Part::App | Part::Release));
            let catalog = matches!(parts.first(), Some(Part::Text(text)) if text.starts_with("catalog/"));
            let under = base.filter(|_| catalog && parts.contains(&Part::App));
            let has = |part: &Part| parts.contains(part);
            let of_one_app = has(&Part::App) || (has(&Part::Release) && has(&Part::Env));
            let skip = for_every_app && !release.spec.accepts_global;
            [under, Some(release.app.name.as_str())].into_iter().flatten().filter(move |_| !skip).filter_map(
                move |app| {
                    let path = fill(parts, app, release.name.as_str(), env)?;
                    Some(Layer { path, for_every_app, of_one_app })
                },
            )
        })
    }

    /// The files over all others while a cluster comes up without Argo CD: `values.bootstrap.yaml` of the base and the app.
    pub fn bootstrap(release: &ReleaseModel) -> impl Iterator<Item = Layer> {
        let base = release.app.base.as_ref().map(|base| base.folder.as_str());
        [base, Some(release.app.folder.as_str())].into_iter().flatten().map(|folder| Layer {
            path: format!("{folder}/values.bootstrap.yaml"),
            for_every_app: false,
            of_one_app: true,
        })
    }

    /// The patterns as written, for people.
    pub fn describe(&self) -> Vec<String> {
        self.patterns
            .iter()
            .map(|parts| {
                parts.iter().fold(String::new(), |mut text, part| {
                    let _ = match part {
                        Part::Text(literal) => write!(text, "{literal}"),
                        Part::App => write!(text, "{{app}}"),
                        Part::Release => write!(text, "{{release}}"),
                        Part::Env => write!(text, "{{env}}"),
                        Part::Dimension(name) => write!(text, "{{{name}}}"),
                    };
                    text
                })
            })
            .collect()
    }

    fn check_shared(&self, environments: &[EnvModel], docs: &Docs<'_>, findings: &mut Vec<Diagnostic>) {
        let mut seen = std::collections::BTreeSet::new();
        for env in environments {
            for parts in &self.patterns {
                if parts.iter().any(|part| matches!(part, Part::App | Part::Release)) {
                    continue;
                }
                let Some(path) = fill(parts, "", "", env) else { continue };
                if !seen.insert(path.clone()) {
                    continue;
                }
                let Some(doc) = docs.one(&path) else { continue };
                for entry in doc.entries(doc.root()) {
                    let key = doc.text(entry.key);
                    if key != "global" {
                        let message = format!("`{key}` is set for every app, but apps share only `global:`");
                        let finding =
                            Diagnostic::new(Code::MergeGlobalOnly, message).at(doc.span(entry.key), "set here");
                        let help = format!(
                            "move it to the file of one app, for example `environments/{}/values/app/<app>.yaml`",
                            env.name
                        );
                        findings.push(finding.help(help));
                    }
                }
            }
        }
    }
}

/// A values file must be a map, or empty.
pub(super) fn is_values(doc: &Doc, findings: &mut Vec<Diagnostic>) -> bool {
    match doc.kind(doc.root()) {
        Kind::Map => true,
        Kind::Null => false,
        kind => {
            let noun = crate::merge::overlay::noun(kind);
            let finding = Diagnostic::new(Code::MergeTypeClash, format!("a values file is a map, this is {noun}"));
            findings.push(finding.at(doc.span(doc.root()), "the file's content"));
            false
        }
    }
}

fn default_list(dimensions: &[String]) -> Vec<String> {
    let mut list = vec!["catalog/{app}/values.yaml".to_owned()];
    list.extend(dimensions.iter().map(|name| format!("catalog/{{app}}/values.{{{name}}}.yaml")));
    list.extend(
        [
            "environments/all/values.yaml",
            "environments/all/values/app/{app}.yaml",
            "environments/{env}/values.yaml",
            "environments/{env}/values/app/{app}.yaml",
            "environments/{env}/values/{release}.yaml",
        ]
        .map(str::to_owned),
    );
    list
}

fn parse(pattern: &str, dimensions: &[String]) -> Result<Vec<Part>, (String, Cow<'static, str>)> {
    if !crate::source::is_plain_path(pattern) {
        return Err((
            format!("layer `{pattern}` is not a path of this repository"),
            "write it relative to the repository, without `..`".into(),
        ));
    }
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        if open > 0 {
            parts.push(Part::Text(rest[..open].to_owned()));
        }
        let Some(close) = rest[open..].find('}') else {
            return Err((format!("layer `{pattern}`: `}}` is missing"), "close the brace".into()));
        };
        let name = &rest[open + 1..open + close];
        parts.push(match name {
            "app" => Part::App,
            "release" => Part::Release,
            "env" => Part::Env,
            name if dimensions.iter().any(|dimension| dimension == name) => Part::Dimension(name.to_owned()),
            name => {
                let known = ["app", "release", "env"].into_iter().chain(dimensions.iter().map(String::as_str));
                let help = match nearest(name, known) {
                    Some(near) => format!("did you mean `{{{near}}}`?"),
                    None => "`{app}`, `{release}`, `{env}` and the project's dimensions are known".to_owned(),
                };
                return Err((format!("layer `{pattern}`: there is no `{{{name}}}`"), help.into()));
            }
        });
        rest = &rest[open + close + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

fn fill(parts: &[Part], app: &str, release: &str, env: &EnvModel) -> Option<String> {
    let mut path = String::with_capacity(64);
    for part in parts {
        path.push_str(match part {
            Part::Text(text) => text,
            Part::App => app,
            Part::Release => release,
            Part::Env => env.name.as_str(),
            Part::Dimension(name) => env.dimension(name)?,
        });
    }
    Some(path)
}
