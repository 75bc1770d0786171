//! Which releases an environment has, and what each is once its entry is merged over `app.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use semver::{Version, VersionReq};
use serde::Deserialize;

use super::catalog::{AppDef, Catalog};
use super::environment::EnvModel;
use crate::diag::{Code, Diagnostic, Span, nearest};
use crate::merge::{Forest, Path, Ref, Step};
use crate::model::{AppName, Chart, Companion, LifecycleStatus, Release, ReleaseName};
use crate::schema;
use crate::yaml::{Doc, Entry, Kind, NodeId};

/// One app installed once in one environment.
#[derive(Debug)]
pub struct ReleaseModel {
    pub name: ReleaseName,
    /// Index of the environment.
    pub env: usize,
    pub app: Arc<AppDef>,
    pub spec: Arc<Release>,
    /// The release whose app brought it, if no entry names it.
    pub brought_by: Option<ReleaseName>,
}

impl ReleaseModel {
    /// Namespace: the spec's, or the app's name.
    pub fn namespace(&self) -> &str {
        self.spec.namespace.as_deref().unwrap_or(self.app.name.as_str())
    }

    /// Helm's release name: the spec's, or the one it always had, or the release's own. A release that was renamed keeps
    /// the name of what it installed, or it would install everything a second time.
    pub fn helm_name(&self) -> &str {
        let former = self.former_names().next();
        self.spec.release_name.as_deref().or(former).unwrap_or(self.name.as_str())
    }

    /// The names it had before, oldest first.
    pub fn former_names(&self) -> impl Iterator<Item = &str> {
        self.spec.formerly.iter().map(ReleaseName::as_str).filter(|name| *name != self.name.as_str())
    }

    /// Whether it is about to be renamed: its own name is among its former ones. Its Application then neither prunes
    /// nor deletes, so that the next commit can take it away and leave what it installed.
    pub fn lets_go(&self) -> bool {
        self.spec.formerly.contains(&self.name)
    }

    /// The chart's version or the Git revision.
    pub fn version(&self) -> Option<&str> {
        let spec = &self.spec;
        spec.version
            .as_deref()
            .or_else(|| spec.chart.as_ref()?.version.as_deref())
            .or_else(|| spec.git.as_ref().map(|git| git.revision.as_str()))
    }

    /// Where a field is written: in the environment's entry, else in `app.yaml`.
    pub fn span(&self, env: &EnvModel, path: &[&str]) -> Span {
        let name = self.name.as_str();
        let first = path.first().copied().unwrap_or_default();
        if !first.is_empty() && env.entry_keys(name).any(|key| key == first) {
            let full: Vec<&str> = ["apps", name].into_iter().chain(path.iter().copied()).collect();
            return env.span(&full);
        }
        if path.is_empty() || !self.app.has(&path[..1]) { self.entry_span(env) } else { self.app.span(path) }
    }

    /// The document and node of a field: of the environment's entry, else of `app.yaml`.
    pub fn node<'a>(&'a self, env: &'a EnvModel, path: &Path) -> Option<(&'a Arc<Doc>, NodeId)> {
        let own = ["apps", self.name.as_str()].map(|key| Step::Key(key.to_owned()));
        let full = Path(own.into_iter().chain(path.0.iter().cloned()).collect());
        env.node(&full).or_else(|| self.app.node(path))
    }

    /// Where the environment names the release, or the one that brought it.
    pub fn entry_span(&self, env: &EnvModel) -> Span {
        let name = self.brought_by.as_ref().unwrap_or(&self.name);
        env.entry_span(name.as_str()).unwrap_or_else(|| env.span(&[]))
    }
}

/// An entry that sets these fields and nothing else, as almost all do: they are set directly, any other goes through the
/// merge.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Overlay {
    #[serde(default)]
    app: Option<AppName>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default, rename = "use")]
    use_: BTreeMap<String, ReleaseName>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    release_name: Option<String>,
}

/// The fields of an [`Overlay`].
const SIMPLE: &[&str] = &["app", "enabled", "use", "version", "namespace", "releaseName"];

fn yes() -> bool {
    true
}

/// What an environment says of a release.
enum Written {
    /// Nothing: the entry is empty in every layer.
    Nothing,
    Simple(Overlay),
    Full(Box<Release>),
}

impl Written {
    fn read(env: &EnvModel, name: &ReleaseName, findings: &mut Vec<Diagnostic>) -> Result<Self, String> {
        if is_simple(env, name.as_str()) {
            return Ok(env.entry(name.as_str())?.map_or(Self::Nothing, Self::Simple));
        }
        let entry = match env.entry(name.as_str())? {
            None => weaker_entry(env, name, findings),
            entry => entry,
        };
        Ok(entry.map_or(Self::Nothing, |entry| Self::Full(Box::new(entry))))
    }

    fn is_enabled(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Simple(overlay) => overlay.enabled,
            Self::Full(release) => release.enabled,
        }
    }

    fn app(&self) -> Option<&AppName> {
        match self {
            Self::Nothing => None,
            Self::Simple(overlay) => overlay.app.as_ref(),
            Self::Full(release) => release.app.as_ref(),
        }
    }
}

/// The releases of one environment, sorted by name.
pub fn load(
    catalog: &mut Catalog<'_>,
    env: &EnvModel,
    index: usize,
    findings: &mut Vec<Diagnostic>,
) -> Vec<ReleaseModel> {
    let mut releases: IndexMap<ReleaseName, ReleaseModel> = IndexMap::new();
    for name in &env.releases {
        let entry = match Written::read(env, name, findings) {
            Ok(entry) => entry,
            Err(reason) => {
                findings.push(misfit(env, name, &reason));
                continue;
            }
        };
        if !entry.is_enabled() {
            continue;
        }
        let app_name = entry.app().map_or(name.as_str(), AppName::as_str);
        let written = if entry.app().is_some() {
            env.value_span(&["apps", name.as_str(), "app"])
        } else {
            env.entry_span(name.as_str()).unwrap_or_else(|| env.span(&[]))
        };
        let Some(app) = catalog.load(app_name, written, findings) else { continue };
        if env.entry_keys(name.as_str()).any(|key| key == "from") {
            let finding =
                Diagnostic::new(Code::KindField, format!("release `{name}` cannot have another base than its app"));
            let finding = finding.at(env.span(&["apps", name.as_str(), "from"]), "`from` belongs into app.yaml");
            findings.push(finding.help("write a catalog entry with that base, and name it with `app:`"));
            continue;
        }
        let Some(spec) = effective(catalog, &app, env, name, &entry, findings) else { continue };
        releases.insert(name.clone(), ReleaseModel { name: name.clone(), env: index, app, spec, brought_by: None });
    }
    bring_companions(catalog, env, index, &mut releases, findings);
    releases.sort_keys();
    for release in releases.values() {
        check(release, env, findings);
        check_local_chart(release, env, catalog, findings);
    }
    check_conflicts(&releases, env, findings);
    check_inputs(&releases, env, findings);
    releases.into_values().collect()
}

/// What weaker layers say of a release whose entry is empty (`traefik:`): that is written as null and means nothing
/// set, not everything dropped.
fn weaker_entry(env: &EnvModel, name: &ReleaseName, findings: &mut Vec<Diagnostic>) -> Option<Release> {
    let mut forest = Forest::new();
    let mut root: Option<Ref> = None;
    overlay_entries(&mut forest, &mut root, env, name, findings);
    schema::read::<Release>(&forest, root?, &[]).ok()
}

/// Merges a release's entries of all layers over `root`, without the empty ones.
fn overlay_entries(
    forest: &mut Forest,
    root: &mut Option<Ref>,
    env: &EnvModel,
    name: &ReleaseName,
    findings: &mut Vec<Diagnostic>,
) {
    for (doc, node) in env.entry_layers(name.as_str()) {
        let layer = forest.add(doc);
        if forest.kind(Ref::of(layer, node)) != Kind::Null {
            *root = forest.overlay(*root, layer, node, findings);
        }
    }
}

/// Whether an entry sets some fields directly and nothing else: no null and no tag asks for what only a merge can do.
fn is_simple(env: &EnvModel, name: &str) -> bool {
    env.entry_layers(name).iter().all(|(doc, node)| {
        let plain = |entry: &Entry| doc.kind(entry.value) != Kind::Null && SIMPLE.contains(&doc.text(entry.key));
        doc.kind(*node) == Kind::Map && !doc.tagged(*node) && doc.entries(*node).iter().all(plain)
    })
}

fn effective(
    catalog: &mut Catalog<'_>,
    app: &Arc<AppDef>,
    env: &EnvModel,
    name: &ReleaseName,
    entry: &Written,
    findings: &mut Vec<Diagnostic>,
) -> Option<Arc<Release>> {
    match entry {
        Written::Nothing => return Some(Arc::clone(&app.spec)),
        Written::Simple(overlay) => {
            if env.entry_keys(name.as_str()).next().is_none() {
                return Some(Arc::clone(&app.spec));
            }
            let shared = catalog.specs.entry((app.name.clone(), overlay.clone()));
            return Some(Arc::clone(shared.or_insert_with(|| Arc::new(overlaid(&app.spec, overlay)))));
        }
        Written::Full(_) => {}
    }
    let mut forest = Forest::new();
    let mut root: Option<Ref> = None;
    for def in [app.base.as_deref(), Some(&**app)].into_iter().flatten() {
        let doc = Arc::clone(def.forest.doc(def.forest.origin(def.root).0));
        let node = doc.root();
        let layer = forest.add(doc);
        root = forest.overlay(root, layer, node, findings);
    }
    overlay_entries(&mut forest, &mut root, env, name, findings);
    match schema::read::<Release>(&forest, root?, &["apiVersion", "kind"]) {
        Ok(spec) => Some(Arc::new(spec)),
        Err(reason) => {
            findings.push(misfit(env, name, &reason));
            None
        }
    }
}

/// The spec of an app with what a simple entry sets.
fn overlaid(spec: &Release, overlay: &Overlay) -> Release {
    let mut spec = spec.clone();
    spec.app.clone_from(&overlay.app);
    spec.use_ = overlay.use_.iter().map(|(name, release)| (name.clone(), release.clone())).collect();
    for (own, overlay) in [
        (&mut spec.version, &overlay.version),
        (&mut spec.namespace, &overlay.namespace),
        (&mut spec.release_name, &overlay.release_name),
    ] {
        if overlay.is_some() {
            own.clone_from(overlay);
        }
    }
    spec
}

fn misfit(env: &EnvModel, name: &ReleaseName, reason: &str) -> Diagnostic {
    let finding = Diagnostic::new(Code::KindField, format!("release `{name}`: {reason}"));
    finding.at(env.span(&["apps", name.as_str()]), "this entry over the app's app.yaml")
}

fn bring_companions(
    catalog: &mut Catalog<'_>,
    env: &EnvModel,
    index: usize,
    releases: &mut IndexMap<ReleaseName, ReleaseModel>,
    findings: &mut Vec<Diagnostic>,
) {
    let mut at = 0;
    while let Some((_, bringer)) = releases.get_index(at) {
        at += 1;
        let bringer_name = bringer.brought_by.clone().unwrap_or_else(|| bringer.name.clone());
        let version = bringer.version().map(str::to_owned);
        let span = bringer.app.span(&["brings"]);
        for Companion { app: app_name, release, version: wanted } in bringer.spec.brings.clone() {
            let name: ReleaseName = match release.clone().map_or_else(|| app_name.as_str().parse(), Ok) {
                Ok(name) => name,
                Err(_) => continue,
            };
            if let Some(own) = releases.get_mut(&name) {
                // An entry of its own refines the companion; the version still follows unless the entry names one.
                let pinned = env.entry_keys(name.as_str()).any(|key| key == "version" || key == "chart");
                if wanted.as_deref() == Some("same") && !pinned {
                    let mut spec = (*own.spec).clone();
                    spec.version.clone_from(&version);
                    own.spec = Arc::new(spec);
                }
                continue;
            }
            if env.entry_span(name.as_str()).is_some() {
                continue;
            }
            let Some(app) = catalog.load(app_name.as_str(), span, findings) else { continue };
            let mut spec = (*app.spec).clone();
            match wanted.as_deref() {
                Some("same") => spec.version.clone_from(&version),
                Some(_) => spec.version.clone_from(&wanted),
                None => {}
            }
            let brought_by = Some(bringer_name.clone());
            releases.insert(name.clone(), ReleaseModel { name, env: index, app, spec: Arc::new(spec), brought_by });
        }
    }
}

fn check(release: &ReleaseModel, env: &EnvModel, findings: &mut Vec<Diagnostic>) {
    let spec = &release.spec;
    let name = &release.name;
    let entry = release.entry_span(env);
    if !spec.platforms.is_empty() && !spec.platforms.contains(&env.spec.provider) {
        let finding = Diagnostic::new(
            Code::RefPlatform,
            format!("`{}` does not run on `{}`, the provider of `{}`", release.app.name, env.spec.provider, env.name),
        );
        let finding = finding.at(entry, "asked for here");
        let platforms = spec.platforms.iter().map(|platform| format!("`{platform}`")).collect::<Vec<_>>().join(", ");
        findings.push(finding.help(format!("it runs on {platforms}; remove it here, or choose another app")));
    }
    match (&spec.chart, &spec.git) {
        (Some(_), Some(_)) => {
            let finding = Diagnostic::new(Code::KindField, format!("release `{name}` has both `chart` and `git`"));
            findings.push(finding.at(release.span(env, &["git"]), "one of the two").help("remove one of them"));
        }
        (Some(chart), None) => check_chart(release, env, chart, findings),
        _ => {}
    }
    if let Some(lifecycle) = spec.lifecycle.as_ref().filter(|lifecycle| lifecycle.status != LifecycleStatus::Active) {
        let word = if lifecycle.status == LifecycleStatus::Retired { "retired" } else { "deprecated" };
        let since = lifecycle.since.as_ref().map_or_else(String::new, |since| format!(" since {since}"));
        let finding = Diagnostic::new(Code::CatalogLifecycle, format!("`{}` is {word}{since}", release.app.name));
        let finding = finding.at(entry, "used here");
        findings.push(match &lifecycle.replacement {
            Some(replacement) => finding.help(format!("move to `{replacement}`")),
            None => finding.help("look for another app"),
        });
    }
    check_manifest_entries(release, env, findings);
    check_value_paths(release, env, findings);
    let mut seen = Vec::new();
    for secret in &spec.secrets {
        if seen.contains(&&secret.name) {
            let finding = Diagnostic::new(Code::RefDuplicate, format!("secret `{}` is declared twice", secret.name));
            findings.push(finding.at(release.span(env, &["secrets"]), "in this list"));
        }
        seen.push(&secret.name);
    }
    let mut names: Vec<&str> = spec.expose.iter().map(|expose| expose.name.as_str()).collect();
    names.sort_unstable();
    if let Some([twice, _]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let finding = Diagnostic::new(Code::RefDuplicate, format!("`{twice}` is exposed twice by `{name}`"));
        findings.push(finding.at(release.span(env, &["expose"]), "in this list"));
    }
}

/// Each entry of `manifests` becomes one file of its own, which Argo CD reads as YAML.
fn check_manifest_entries(release: &ReleaseModel, env: &EnvModel, findings: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    for entry in release.spec.manifests.iter().flatten() {
        let path = entry.path.strip_prefix("manifests/").unwrap_or(&entry.path);
        let at = || release.span(env, &["manifests"]);
        if !seen.insert(path) {
            let finding = Diagnostic::new(Code::RefDuplicate, format!("manifest `{path}` is listed twice"));
            let finding = finding.at(at(), "in this list");
            findings.push(finding.help("join their conditions with `or`, or copy the file under another name"));
        }
        if !path.ends_with(".yaml") && !path.ends_with(".yml") {
            let finding = Diagnostic::new(Code::KindField, format!("manifest `{path}` is no YAML file by its name"));
            findings.push(finding.at(at(), "in this list").help("let its name end in `.yaml`, or Argo CD skips it"));
        }
    }
}

/// A path that cannot be read would switch off the checks of what it leads to.
fn check_value_paths(release: &ReleaseModel, env: &EnvModel, findings: &mut Vec<Diagnostic>) {
    for (name, paths) in &release.spec.paths {
        for path in paths.as_slice() {
            let reason = match Path::parse(path) {
                Ok(path) if path.is_empty() => "it is empty".to_owned(),
                Ok(_) => continue,
                Err(reason) => reason,
            };
            let message = format!("the path `{path}` in `paths.{name}` cannot be read: {reason}");
            let finding =
                Diagnostic::new(Code::KindField, message).at(release.span(env, &["paths", name]), "this path");
            findings.push(finding.help("separate keys with dots, for example `controller.replicas`"));
        }
    }
}

fn check_chart(release: &ReleaseModel, env: &EnvModel, chart: &Chart, findings: &mut Vec<Diagnostic>) {
    let at = release.span(env, &["chart"]);
    let field = |message: String, help: &str| Diagnostic::new(Code::KindField, message).at(at, "this chart").help(help);
    let name = &release.name;
    match (&chart.path, &chart.repository) {
        (Some(path), None) => {
            if !crate::source::is_plain_path(path) {
                findings.push(field(
                    format!("the chart's path `{path}` is not a folder of this repository"),
                    "write it relative to the repository, without `..`, for example `charts/jellyfin`",
                ));
            }
            return;
        }
        (Some(_), Some(_)) => {
            findings
                .push(field(format!("the chart of `{name}` has both `path` and `repository`"), "remove one of them"));
            return;
        }
        (None, None) => {
            findings.push(field(
                format!("the chart of `{name}` has neither `repository` nor `path`"),
                "add the chart repository's URL, or the chart's folder in this repository",
            ));
            return;
        }
        (None, Some(repository)) => {
            let known = ["https://", "http://", "oci://"].iter().any(|scheme| repository.starts_with(scheme));
            if !known {
                findings.push(field(
                    format!("the chart repository `{repository}` is no URL"),
                    "begin it with `https://` or `oci://`",
                ));
            }
        }
    }
    if chart.name.is_none() {
        findings.push(field(format!("the chart of `{name}` has no name"), "add `name:` below `chart:`"));
    }
    let Some(version) = release.version() else {
        findings.push(field(
            format!("the chart of `{name}` has no version"),
            "add `version:` to the release, or below `chart:` in app.yaml",
        ));
        return;
    };
    // A search through all entries, so only for a finding.
    let at = || {
        if env.entry_keys(name.as_str()).any(|key| key == "version") {
            env.value_span(&["apps", name.as_str(), "version"])
        } else {
            release.span(env, &["chart", "version"])
        }
    };
    let Ok(parsed) = Version::parse(version.trim_start_matches('v')) else {
        let finding = Diagnostic::new(Code::KindVersion, format!("chart version `{version}` is not exact"));
        findings.push(
            finding
                .at(at(), "three numbers are expected")
                .help("write one version, for example `1.2.3`; ranges would change clusters without a commit"),
        );
        return;
    };
    if let Some(supports) = &chart.supports {
        match VersionReq::parse(supports) {
            Ok(range) => {
                let release_version = Version { pre: semver::Prerelease::EMPTY, ..parsed.clone() };
                if !range.matches(&parsed) && !range.matches(&release_version) {
                    let message = format!(
                        "the catalog's values for `{}` fit chart versions {supports}, not {version}",
                        release.app.name
                    );
                    let app = &release.app.name;
                    let other = if release.app.builtin {
                        format!("`hlgen eject {app}` to adapt its values")
                    } else {
                        format!("adapt the values in `catalog/{app}/` and its `supports`")
                    };
                    let help = format!("take a version in that range, or {other}");
                    findings.push(Diagnostic::new(Code::ChartUnsupported, message).at(at(), "pinned here").help(help));
                }
            }
            Err(error) => {
                let finding = Diagnostic::new(Code::KindVersion, format!("`supports: {supports}`: {error}"));
                let finding = finding.at(release.span(env, &["chart", "supports"]), "this range");
                findings.push(finding.help("write a range such as `>=4, <5`"));
            }
        }
    }
    let pinned = env.entry_keys(name.as_str()).any(|key| key == "version" || key == "chart");
    if env.spec.stage == "prod" && release.app.builtin && !pinned && release.brought_by.is_none() {
        let finding = Diagnostic::new(
            Code::CatalogUnpinned,
            format!("`{name}` takes its chart version from the built-in catalog"),
        );
        findings.push(
            finding.at(release.entry_span(env), "no version here").help(format!(
                "write `{name}: {{ version: {version} }}`, so that an upgrade of hlgen upgrades nothing"
            )),
        );
    }
}

/// A chart in this repository has to be there.
fn check_local_chart(release: &ReleaseModel, env: &EnvModel, catalog: &Catalog<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(path) = release.spec.chart.as_ref().and_then(|chart| chart.path.as_deref()) else { return };
    if crate::source::is_plain_path(path) && !catalog.has_file(&format!("{path}/Chart.yaml")) {
        let finding = Diagnostic::new(Code::FileMissing, format!("there is no chart in `{path}`"))
            .at(release.span(env, &["chart", "path"]), "this folder");
        findings
            .push(finding.help(format!("a chart is a folder with a `Chart.yaml`; `{path}/Chart.yaml` does not exist")));
    }
}

fn check_conflicts(releases: &IndexMap<ReleaseName, ReleaseModel>, env: &EnvModel, findings: &mut Vec<Diagnostic>) {
    for release in releases.values() {
        for conflict in &release.spec.conflicts {
            if let Some(other) =
                releases.values().find(|other| other.app.name == *conflict && other.name != release.name)
            {
                let message = format!("`{}` and `{}` cannot live together", release.app.name, other.app.name);
                let finding = Diagnostic::new(Code::RefConflict, message)
                    .at(release.entry_span(env), "asked for here")
                    .at(other.entry_span(env), "and here");
                findings.push(finding.help("remove one of them from the environment"));
            }
        }
    }
}

/// What a person brings is for a release that is there.
fn check_inputs(releases: &IndexMap<ReleaseName, ReleaseModel>, env: &EnvModel, findings: &mut Vec<Diagnostic>) {
    for name in env.spec.inputs.iter().filter_map(|input| input.release.as_ref()) {
        if releases.contains_key(name) {
            continue;
        }
        let message = format!("there is no release `{name}` in `{}`", env.name);
        let finding = Diagnostic::new(Code::RefUnknownRelease, message).at(env.span(&["inputs"]), "named in this list");
        findings.push(match nearest(name.as_str(), releases.keys().map(ReleaseName::as_str)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("add it below `apps:`, or take it out of the input"),
        });
    }
}
