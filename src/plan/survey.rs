//! Which environments and clusters there are, found out without planning any of them.
//!
//! Whoever wants a part of a repository has to know which part that is. This looks at the clusters of every environment
//! and at nothing else, and it takes any file: one that is no YAML stands for every cluster that its text names, so that
//! a mistake in it stops what may depend on it and nothing else.

use std::collections::BTreeSet;

use crate::diag::SourceMap;
use crate::model::Project;
use crate::resolve::environment::{FILE, name_of};
use crate::resolve::view::View;
use crate::source::docs::Docs;
use crate::source::{Source, is_plain_path};
use crate::yaml::{Doc, Kind};

/// The environments of a repository with their clusters, by name.
#[derive(Debug, Default)]
pub struct Survey {
    environments: Vec<Glance>,
}

#[derive(Debug)]
struct Glance {
    name: String,
    clusters: Clusters,
}

#[derive(Debug)]
enum Clusters {
    Named(Vec<String>),
    /// The file cannot be read: its text.
    Unknown(String),
}

impl Survey {
    /// Looks at every environment.
    pub fn take(source: &dyn Source) -> Self {
        Self::of_files(source, source.every("environments", FILE))
    }

    /// Looks at one environment, which need not exist.
    pub fn of(source: &dyn Source, environment: &str) -> Self {
        let path = format!("environments/{environment}/{FILE}");
        let exists = is_plain_path(&path) && !matches!(source.read(&path), Ok(None));
        Self::of_files(source, exists.then_some(path))
    }

    fn of_files(source: &dyn Source, files: impl IntoIterator<Item = String>) -> Self {
        // Documents of its own: what is wrong in a file is said where the file is used.
        let sources = SourceMap::new();
        let docs = Docs::new(source, &sources);
        let mut environments = Vec::new();
        for path in files {
            let Some(name) = name_of(&path).map(str::to_owned) else { continue };
            let clusters = match docs.one(&path) {
                Some(doc) => Clusters::Named(clusters(&doc, &name)),
                None => {
                    let bytes = source.read(&path).ok().flatten().unwrap_or_default();
                    Clusters::Unknown(String::from_utf8_lossy(&bytes).into_owned())
                }
            };
            environments.push(Glance { name, clusters });
        }
        environments.sort_by(|one, other| one.name.cmp(&other.name));
        Self { environments }
    }

    /// The environments' names.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.environments.iter().map(|env| env.name.as_str())
    }

    /// The clusters' names, sorted, each once.
    pub fn clusters(&self) -> BTreeSet<&str> {
        let named = self.environments.iter().filter_map(|env| match &env.clusters {
            Clusters::Named(names) => Some(names),
            Clusters::Unknown(_) => None,
        });
        named.flatten().map(String::as_str).collect()
    }

    /// The clusters of an environment, as far as they are known.
    pub fn clusters_of(&self, environment: &str) -> &[String] {
        match self.environments.iter().find(|env| env.name == environment).map(|env| &env.clusters) {
            Some(Clusters::Named(names)) => names,
            _ => &[],
        }
    }

    /// The environments that have a cluster of a name, or may have it.
    pub fn with_cluster(&self, cluster: &str) -> BTreeSet<String> {
        self.environments.iter().filter(|env| env.may_have(cluster)).map(|env| env.name.clone()).collect()
    }

    /// These environments, and those that share a cluster with one of them.
    pub fn sharing(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let clusters = names.iter().flat_map(|name| self.clusters_of(name));
        names.iter().cloned().chain(clusters.flat_map(|cluster| self.with_cluster(cluster))).collect()
    }

    /// The instances of a project.
    pub fn instances(&self, project: &Project) -> Vec<String> {
        let own = &project.argocd.instances;
        if own.is_empty() {
            return self.environments().map(str::to_owned).collect();
        }
        own.iter().map(|instance| instance.name.to_string()).collect()
    }

    /// The instance that manages an environment.
    pub fn instance_of(&self, project: &Project, environment: &str) -> Option<String> {
        let own = &project.argocd.instances;
        if own.is_empty() {
            return self.environments().find(|name| *name == environment).map(str::to_owned);
        }
        let manages = own.iter().find(|instance| instance.manages.iter().any(|name| name.as_str() == environment));
        manages.map(|instance| instance.name.to_string())
    }

    /// What has to be looked at for all that an instance brings.
    pub fn view_of_instance(&self, project: &Project, instance: &str) -> View {
        let own = project.argocd.instances.iter().find(|own| own.name.as_str() == instance);
        let names = match own {
            Some(own) => own.manages.iter().map(ToString::to_string).collect(),
            None => BTreeSet::from([instance.to_owned()]),
        };
        View::Environments(self.sharing(&names))
    }
}

impl Glance {
    fn may_have(&self, cluster: &str) -> bool {
        match &self.clusters {
            Clusters::Named(names) => names.iter().any(|name| name == cluster),
            Clusters::Unknown(text) => {
                let in_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
                self.name == cluster || text.split(|c| !in_name(c)).any(|word| word == cluster)
            }
        }
    }
}

/// The names below `clusters:`, or the environment's own where there are none.
fn clusters(doc: &Doc, environment: &str) -> Vec<String> {
    let list = doc.get(doc.root(), "clusters").filter(|list| doc.kind(*list) == Kind::Seq);
    let items = list.map(|list| doc.items(list)).unwrap_or_default();
    let names: Vec<String> =
        items.iter().filter_map(|item| Some(doc.text(doc.get(*item, "name")?).to_owned())).collect();
    if names.is_empty() { vec![environment.to_owned()] } else { names }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    #[test]
    fn a_file_that_is_no_yaml_stands_for_the_clusters_it_names() {
        let source = Memory::from_iter([
            ("environments/prod/environment.yaml", "clusters: [{ name: one }, { name: two }]\n"),
            ("environments/prod-b/environment.yaml", "stage: prod\nclusters:\n  - name: two\n"),
            ("environments/dev/environment.yaml", "stage: dev\n"),
            ("environments/broken/environment.yaml", "clusters: [{ name: one }\nstage: dev\n"),
            ("environments/all/values.yaml", ""),
        ]);
        let survey = Survey::take(&source);
        assert_eq!(survey.environments().collect::<Vec<_>>(), ["broken", "dev", "prod", "prod-b"]);
        assert_eq!(Vec::from_iter(survey.clusters()), ["dev", "one", "two"]);
        let with = |cluster| survey.with_cluster(cluster).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(with("one"), "broken prod");
        assert_eq!(with("two"), "prod prod-b");
        assert_eq!(with("broken"), "broken");
        assert_eq!(with("dev"), "broken dev", "the word stands in the broken file");
        assert_eq!(with("on"), "");
        let sharing = survey.sharing(&BTreeSet::from(["prod-b".to_owned()]));
        assert_eq!(Vec::from_iter(sharing), ["prod", "prod-b"]);
    }
}
