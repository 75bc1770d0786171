//! Whether the Git host that Argo CD reads is itself one of the releases: then it comes up from the checkout, and what is
//! rendered is pushed into it from outside, before there is a root to read it.

use serde_json::Value as Json;

use super::order::provides;
use crate::plan::Plan;

/// A Git host in the cluster, and the way to it for a port-forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHost {
    pub release: usize,
    pub service: String,
    pub port: u16,
    /// The repository's path on that host: `/ops/homelab.git`.
    pub path: String,
}

/// The release of the cluster's environment that serves `repo_url`: one that provides `git`, at whose own address
/// (`provides.git.url`) or at one of whose exposed hosts the repository lies.
pub(super) fn find(plan: &Plan, cluster: usize, repo_url: &str) -> Option<GitHost> {
    let (host, path) = address(repo_url)?;
    let env = plan.clusters[cluster].env;
    let releases = plan.releases.iter().enumerate().filter(|(_, release)| release.env == env);
    releases.filter(|(number, _)| provides(plan, *number, "git")).find_map(|(number, release)| {
        let scope = std::sync::Arc::new(plan.scope(number, cluster));
        let text = |text: &str| plan.text(text, &scope).ok();
        let own = release.spec.provides.get("git").and_then(|data| data.get("url")).and_then(Json::as_str);
        let own = own.and_then(text).and_then(|url| address(&url).map(|(host, _)| host.to_owned()));
        let exposed = release.spec.expose.iter().find(|way| {
            let hosts = plan.hosts(number, cluster).iter();
            hosts.filter(|(name, _)| *name == way.name).any(|(_, exposed)| bare(exposed) == bare(host))
        });
        let is_own = own.as_deref().is_some_and(|own| bare(own) == bare(host));
        // A name inside of the cluster says the Service itself; from outside it is what the way in leads to.
        let way = exposed.or_else(|| release.spec.expose.first());
        let (service, port) = match (way, own.as_deref()) {
            (Some(way), _) if exposed.is_some() || is_own => (text(&way.service)?, way.port),
            (None, Some(own)) if is_own => (bare(own).split('.').next()?.to_owned(), port(own)),
            _ => return None,
        };
        Some(GitHost { release: number, service, port, path: path.to_owned() })
    })
}

/// Host with its port, and path.
fn address(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let at = rest.find('/').unwrap_or(rest.len());
    (at > 0).then(|| rest.split_at(at))
}

/// The host's name: without a port, and inside of the cluster without the cluster's domain.
fn bare(host: &str) -> &str {
    let name = host.split(':').next().unwrap_or(host);
    name.strip_suffix(".cluster.local").unwrap_or(name)
}

fn port(host: &str) -> u16 {
    host.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_hosts() {
        assert_eq!(address("https://git.example.com/ops/h.git"), Some(("git.example.com", "/ops/h.git")));
        assert_eq!(address("http://gitea-http.gitea.svc:3000/ops/h"), Some(("gitea-http.gitea.svc:3000", "/ops/h")));
        assert_eq!(address("https://git.example.com"), Some(("git.example.com", "")));
        for none in ["git@git.example.com:ops/h.git", "file:///srv/h.git", "https:///x", "ssh://git@h/x"] {
            assert_eq!(address(none), None, "{none}");
        }
        assert_eq!(bare("gitea-http.gitea.svc.cluster.local:3000"), "gitea-http.gitea.svc");
        assert_eq!((port("h:3000"), port("h")), (3000, 80));
    }
}
