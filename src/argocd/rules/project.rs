//! `AppProject`s. Argo CD's own `ValidateProject` runs in its API server alone, which objects from Git never see.

use crate::argocd::names;
use crate::argocd::types::{AppProject, ProjectDestination, ResourceKind};
use crate::diag::Code;

use super::{Rules, duplicates};

/// `maxLength` in the CRD.
const DESCRIPTION_MAX: usize = 255;

impl Rules {
    pub(super) fn app_project(&mut self, project: &AppProject) {
        self.at("metadata", |rules| {
            rules.metadata(&project.metadata);
            rules.finalizers(&project.metadata.finalizers);
        });
        let spec = &project.spec;
        self.at("spec", |rules| {
            if spec.description.chars().count() > DESCRIPTION_MAX {
                rules.at("description", |rules| {
                    rules.add(Code::OutSize, format!("more than {DESCRIPTION_MAX} characters"));
                });
            }
            if spec.source_repos.is_empty() {
                rules.field("allows no repository: `sourceRepos` is empty");
            }
            rules.each("sourceRepos", &spec.source_repos, |rules, repo| rules.pattern(repo, "repository"));
            rules.twice("sourceRepos", &spec.source_repos);
            if spec.destinations.is_empty() {
                rules.field("allows no destination: `destinations` is empty");
            }
            rules.each("destinations", &spec.destinations, Self::project_destination);
            rules.twice("destinations", &spec.destinations);
            for (list, kinds, named) in [
                ("clusterResourceWhitelist", &spec.cluster_resource_whitelist, true),
                ("clusterResourceBlacklist", &spec.cluster_resource_blacklist, true),
                ("namespaceResourceWhitelist", &spec.namespace_resource_whitelist, false),
                ("namespaceResourceBlacklist", &spec.namespace_resource_blacklist, false),
            ] {
                rules.each(list, kinds, |rules, kind| rules.resource_kind(kind, named));
                rules.twice(list, kinds);
            }
        });
    }

    fn twice<T: PartialEq>(&mut self, list: &str, items: &[T]) {
        for (index, _) in duplicates(items) {
            self.at(format_args!("{list}[{index}]"), |rules| {
                rules.add(Code::OutClash, "stands twice");
            });
        }
    }

    /// `!*` denies everything and is refused by `ValidateProject`.
    fn pattern(&mut self, pattern: &str, what: &str) {
        if pattern.is_empty() || pattern.trim() != pattern {
            self.field(format!("`{pattern}` is not a pattern of a {what}"));
        } else if pattern == "!*" {
            self.field(format!("`!*` denies every {what}"));
        }
    }

    /// Name and server are alternatives: an entry with both admits whatever either matches (`isDestinationMatched`, by
    /// reading).
    fn project_destination(&mut self, destination: &ProjectDestination) {
        match (destination.name.is_empty(), destination.server.is_empty()) {
            (false, false) => {
                self.field("has both `name` and `server`; either would admit a cluster").help =
                    Some("write one of them".into());
            }
            (true, true) => {
                self.field("has neither `name` nor `server`");
            }
            (true, false) => self.at("server", |rules| rules.pattern(&destination.server, "cluster")),
            (false, true) => self.at("name", |rules| rules.pattern(&destination.name, "cluster")),
        }
        self.at("namespace", |rules| rules.pattern(&destination.namespace, "namespace"));
    }

    fn resource_kind(&mut self, kind: &ResourceKind, named: bool) {
        let is_pattern = kind.group.contains(['*', '?', '[']);
        if !kind.group.is_empty() && !is_pattern && !names::is_dns_subdomain(&kind.group) {
            self.at("group", |rules| {
                let violation = rules.field(format!("`{}` is not an API group", kind.group));
                violation.help = Some("leave out the version; the core group is the empty text".into());
            });
        }
        if kind.kind.is_empty() {
            self.field("has no `kind`");
        }
        if kind.name.is_empty() {
            return;
        }
        self.at("name", |rules| {
            if !named {
                rules.field("is known for cluster-scoped kinds alone");
            } else if !rules.version.has_cluster_resource_names() {
                rules.field("is known since Argo CD 3.3");
            }
        });
    }
}
