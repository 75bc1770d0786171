//! Sources: what each must have, and what they may ask of each other.

use crate::argocd::names;
use crate::argocd::types::{ApplicationSpec, Helm, Plugin, Source};
use crate::diag::{Code, nearest};

use super::{Rules, duplicates, json_size};

impl Rules {
    pub(super) fn sources(&mut self, spec: &ApplicationSpec) {
        match (&spec.source, spec.sources.as_slice()) {
            (None, []) => {
                self.field("has neither `source` nor `sources`");
            }
            (Some(_), [_, ..]) => {
                // `sources` wins and `source` is ignored (GetSources, by reading).
                self.field("has both `source` and `sources`; Argo CD ignores `source`");
            }
            _ => {}
        }
        if let Some(source) = &spec.source {
            self.at("source", |rules| {
                rules.source(source, &[]);
                if !source.reference.is_empty() {
                    rules.at("ref", |rules| {
                        rules.field("means nothing here").help = Some("`ref` is for `sources`".into());
                    });
                }
            });
        }
        self.each("sources", &spec.sources, |rules, source| rules.source(source, &spec.sources));
        self.references(&spec.sources);
    }

    /// Sources: `validateSourcePermissions` and `validateRepo`, by reading; the URL forms: the docs on Helm and OCI.
    fn source(&mut self, source: &Source, siblings: &[Source]) {
        self.at("repoURL", |rules| rules.repo_url(source));
        if source.chart.is_empty() && source.path.is_empty() && source.reference.is_empty() {
            self.field("has none of `chart`, `path` and `ref`");
        }
        if !source.chart.is_empty() {
            if !source.path.is_empty() {
                self.field("has both `chart` and `path`; a chart repository has no paths");
            }
            if !source.reference.is_empty() {
                self.field("has both `chart` and `ref`; only a Git repository can be referred to");
            }
            if source.target_revision.is_empty() {
                self.field("has a `chart` without `targetRevision`");
            }
            if source.directory.is_some() {
                self.field("has both `chart` and `directory`");
            }
        }
        if !source.path.is_empty() {
            self.at("path", |rules| rules.relative_path(&source.path));
        }
        if source.target_revision.trim() != source.target_revision {
            self.at("targetRevision", |rules| {
                rules.field("begins or ends with a blank");
            });
        }
        let blocks = [source.helm.is_some(), source.directory.is_some(), source.plugin.is_some()];
        if blocks.into_iter().filter(|block| *block).count() > 1 {
            // ExplicitType, by reading: "multiple application sources defined".
            self.field("has more than one of `helm`, `directory` and `plugin`");
        }
        if let Some(helm) = &source.helm {
            self.at("helm", |rules| rules.helm(helm, siblings));
        }
        if let Some(plugin) = &source.plugin {
            self.at("plugin", |rules| rules.plugin(plugin));
        }
    }

    fn repo_url(&mut self, source: &Source) {
        let url = source.repo_url.as_str();
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        if url.is_empty() {
            self.field("is empty");
            return;
        }
        if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
            self.field(format!("`{url}` holds a blank"));
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let credentials = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
        if credentials && matches!(scheme, "http" | "https") {
            // Anyone who may see Applications may read it; Argo CD takes credentials from Secrets.
            self.field("holds a password").help = Some("put it into a repository Secret".into());
        }
        match (scheme, source.chart.is_empty()) {
            ("oci", false) => {
                // The classic form of an OCI chart has no scheme; that is how Argo CD recognises it.
                self.field("begins with `oci://` beside `chart`").help =
                    Some("drop `oci://`, or put the chart's name behind the URL and write `path: .`".into());
            }
            ("oci", true) => {
                if !self.version.has_oci_sources() {
                    self.field("begins with `oci://`, which Argo CD knows since 3.1");
                }
                if !source.reference.is_empty() {
                    self.field("begins with `oci://` beside `ref`; only a Git repository can be referred to");
                }
                if source.reference.is_empty() && source.path.is_empty() {
                    self.field("begins with `oci://` without `path`").help = Some("write `path: .`".into());
                }
            }
            ("http" | "https", _) if authority.is_empty() => {
                self.field(format!("`{url}` names no host"));
            }
            ("" | "http" | "https" | "ssh" | "git" | "file", _) => {}
            _ => {
                self.field(format!("`{scheme}://` is no scheme of a Git or chart repository"));
            }
        }
    }

    /// Argo CD refuses absolute paths and paths that lead out of the repository (`path.Path`, by reading).
    fn relative_path(&mut self, path: &str) {
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            self.field(format!("`{path}` must lead down from the top of the repository")).help =
                Some("no leading `/`, no `..`".into());
        }
    }

    fn helm(&mut self, helm: &Helm, siblings: &[Source]) {
        if !helm.release_name.is_empty() && !names::is_release_name(&helm.release_name) {
            self.at("releaseName", |rules| {
                let name = &helm.release_name;
                rules.name(format!("`{name}` is not a release name (a DNS name of at most 53 characters)"));
            });
        }
        if !helm.namespace.is_empty() && !names::is_dns_label(&helm.namespace) {
            self.at("namespace", |rules| {
                rules.name(format!("`{}` is not the name of a namespace", helm.namespace));
            });
        }
        self.each("valueFiles", &helm.value_files, |rules, file| rules.value_file(file, siblings));
        for (index, file) in duplicates(&helm.value_files) {
            self.at(format_args!("valueFiles[{index}]"), |rules| {
                rules.add(Code::OutClash, format!("`{file}` stands twice"));
            });
        }
        let version: Vec<&str> = helm.kube_version.trim_start_matches('v').splitn(3, '.').collect();
        let digits = |part: &&str| part.starts_with(|first: char| first.is_ascii_digit());
        if !helm.kube_version.is_empty() && (version.len() < 2 || !version.iter().all(digits)) {
            self.at("kubeVersion", |rules| {
                rules.field(format!("`{}` is not a version such as `1.33.0`", helm.kube_version));
            });
        }
        self.each("apiVersions", &helm.api_versions, |rules, version| {
            let parts: Vec<&str> = version.split('/').collect();
            if parts.len() > 3 || parts.iter().any(|part| part.is_empty()) {
                rules.field(format!("`{version}` is not `group/version` or `group/version/Kind`"));
            }
        });
    }

    /// `$name/` at the start refers to another source (`ResolveValueFilePathOrUrl` and `GetRefSources`, by reading).
    fn value_file(&mut self, file: &str, siblings: &[Source]) {
        if file.is_empty() {
            self.field("is empty");
            return;
        }
        if let Some(reference) = file.strip_prefix('$') {
            let (name, path) = reference.split_once('/').unwrap_or((reference, ""));
            let known = || siblings.iter().map(|source| source.reference.as_str()).filter(|name| !name.is_empty());
            if !known().any(|known| known == name) {
                let violation = self.field(format!("`{file}` refers to `{name}`, but no source has `ref: {name}`"));
                violation.help = nearest(name, known()).map(|known| format!("did you mean `${known}/...`?"));
            } else if path.is_empty() {
                self.field(format!("`{file}` names no file")).help =
                    Some(format!("write `${name}/path/of/values.yaml`"));
            }
        } else if file.contains('$') {
            self.field(format!("`{file}` holds `$`, which Argo CD replaces from its environment"));
        }
        let path = file.split_once("://").map_or(file, |(_, path)| path);
        if path.split('/').any(|part| part == "..") && file.starts_with('$') {
            self.field(format!("`{file}` must lead down from the top of the repository"));
        }
        if self.version.expands_value_file_globs() && file.contains(['*', '?', '[']) {
            self.field(format!("`{file}` is a pattern; Argo CD would read every file that matches"));
        }
    }

    fn plugin(&mut self, plugin: &Plugin) {
        if plugin.name.is_empty() {
            // Without a name every plugin is asked in turn, each with a copy of the repository.
            self.field("has no `name`; Argo CD would ask every plugin");
        }
        self.each("parameters", &plugin.parameters, |rules, parameter| {
            if parameter.name.is_empty() {
                rules.field("has no `name`");
            }
            let given = [parameter.string.is_some(), !parameter.array.is_empty(), !parameter.map.is_empty()];
            if given.into_iter().filter(|given| *given).count() != 1 {
                rules.field("must have one of `string`, `array` and `map`");
            }
        });
        let names: Vec<&str> = plugin.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        for (index, name) in duplicates(&names) {
            self.at(format_args!("parameters[{index}]"), |rules| {
                rules.add(Code::OutClash, format!("parameter `{name}` stands twice"));
            });
        }
        let size = json_size(&plugin.parameters);
        if size >= PARAMETERS_MAX {
            self.at("parameters", |rules| {
                let what = format!("{size} bytes; the environment variable that carries them takes {PARAMETERS_MAX}");
                rules.add(Code::OutSize, what);
            });
        }
    }

    /// Names of references and what the repositories behind them must agree on.
    fn references(&mut self, sources: &[Source]) {
        for (index, source) in sources.iter().enumerate().filter(|(_, source)| !source.reference.is_empty()) {
            let name = &source.reference;
            self.at(format_args!("sources[{index}].ref"), |rules| {
                // `^[a-zA-Z0-9_-]+$` (GetRefSources, by reading).
                if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
                    rules.name(format!("`{name}` is not a name for `ref`: letters, digits, `_` and `-`"));
                }
                if sources[..index].iter().any(|earlier| earlier.reference == *name) {
                    rules.add(Code::OutClash, format!("two sources have `ref: {name}`"));
                }
            });
            // One checkout serves all references to a repository, and the charts in it.
            let other = sources.iter().enumerate().find(|(at, other)| {
                let reads = if other.reference.is_empty() { other.chart.is_empty() } else { *at < index };
                reads
                    && same_repository(&other.repo_url, &source.repo_url)
                    && other.target_revision != source.target_revision
            });
            if let Some((_, other)) = other {
                let (found, expected) = (&source.target_revision, &other.target_revision);
                self.at(format_args!("sources[{index}].targetRevision"), |rules| {
                    rules.field(format!("is `{found}`, but `{expected}` in another source of the same repository"));
                });
            }
        }
    }
}

/// Argo CD passes all parameters in one environment variable, of which Linux takes 128 KiB, name included.
const PARAMETERS_MAX: usize = 128 * 1024 - 32;

/// Whether two spellings mean one repository, as far as Argo CD sees it: letter case, `.git` and a last `/` do not
/// count.
fn same_repository(left: &str, right: &str) -> bool {
    let plain = |url: &str| url.trim_end_matches('/').trim_end_matches(".git").to_ascii_lowercase();
    plain(left) == plain(right)
}
