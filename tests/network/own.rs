//! The environments of this repository that deny by default, held against what their apps declare.

use std::collections::BTreeSet;
use std::path::Path;

use hlgen::model::{PodPort, Protocol, Transport, Visibility};
use hlgen::ops::evaluate::Selection;
use hlgen::ops::render::{Delivery, Target, render};
use hlgen::ops::workspace::Workspace;
use hlgen::plan::Plan;
use hlgen::resolve::capability::Provider;
use hlgen::resolve::release::ReleaseModel;

use super::network_policies::{Cluster, End};
use super::oracle::{Declared, Outside, Place, Plugin, World};

/// The releases of an environment, and who serves whom as the bindings have it.
fn declared(plan: &Plan, environment: &str) -> Vec<Declared> {
    let env = plan.environments.iter().position(|env| env.name.as_str() == environment).unwrap();
    let releases: Vec<&ReleaseModel> = plan.releases.iter().filter(|release| release.env == env).collect();
    let first = plan.releases.iter().position(|release| release.env == env).unwrap();
    let provider = |release: &ReleaseModel, capability: &str| match plan
        .bindings
        .provider(&plan.releases, release, capability)
        .unwrap()
    {
        Some(Provider::Release(number)) => Some(number - first),
        _ => None,
    };
    let one = |release: &ReleaseModel| {
        let spec = &release.spec;
        let used = |name: &String| match name.strip_prefix("release/") {
            Some(other) => releases.iter().position(|release| release.name.as_str() == other),
            None => provider(release, name),
        };
        let ways = spec.expose.iter().filter_map(|expose| {
            let public = expose.visibility == Visibility::Public;
            let carrier = if public { provider(release, "ingress/public") } else { None };
            let transport = if expose.protocol == Protocol::Udp { Transport::Udp } else { Transport::Tcp };
            let port = expose.target_port.clone().unwrap_or_else(|| PodPort::new(expose.port, transport));
            let guard = if expose.sso { provider(release, "sso") } else { None };
            Some((carrier.or_else(|| provider(release, "ingress"))?, port, guard))
        });
        let fetched = spec.metrics.is_some() || spec.requires.iter().chain(&spec.wants).any(|name| name == "metrics");
        let ports = spec.metrics.as_ref().map(|metrics| metrics.ports.clone()).unwrap_or_default();
        let network = &spec.network;
        Declared {
            name: release.name.to_string(),
            namespace: release.namespace().to_owned(),
            selector: network.pod_selector.clone().into_iter().collect(),
            api_server: network.api_server,
            egress: network.egress.clone(),
            ingress: network.ingress.clone(),
            ingress_ports: network.ingress_ports.clone(),
            webhooks: network.webhooks.clone(),
            calls_back: network.calls_back,
            uses: spec.requires.iter().chain(&spec.wants).filter_map(used).collect(),
            ways: ways.collect(),
            metrics: provider(release, "metrics").filter(|_| fetched).map(|stack| (stack, ports)),
        }
    };
    releases.iter().map(|release| one(release)).collect()
}

fn outside(node: &str, api_server: &str) -> Vec<Outside> {
    let one = |place, address: &str, identities| Outside { place, address: address.parse().unwrap(), identities };
    vec![
        one(Place::Node, node, &["remote-node"]),
        one(Place::ApiServer, api_server, &["kube-apiserver", "remote-node"]),
        one(Place::World, "198.51.100.7", &["world"]),
        one(Place::Private, "192.168.9.9", &["world"]),
        one(Place::Metadata, "169.254.169.254", &["world"]),
    ]
}

struct Own {
    plan: Plan,
    files: Vec<hlgen::render::OutFile>,
}

impl Own {
    fn rendered() -> Self {
        let workspace = Workspace::open(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let outcome = render(&workspace, &Selection::default(), Delivery::Files, Target::Collect).unwrap();
        Self { plan: outcome.plan.unwrap(), files: outcome.files }
    }

    fn policies(&self, cluster: &str) -> Cluster {
        let below = format!("{cluster}/namespaces/");
        let texts = self.files.iter().filter(|file| file.path.starts_with(&below));
        Cluster::of_texts(texts.map(|file| file.text.as_str()), false)
    }
}

#[test]
fn environments_allow_what_is_declared_and_nothing_else() {
    let own = Own::rendered();
    for (environment, cluster, plugin, api_server, shared_range, pods, outside) in [
        ("prod-eks", "prod-eks", Plugin::Vpc, 443, true, "10.20.3", outside("10.20.7.7", "10.20.255.5")),
        ("staging-talos", "lab", Plugin::Overlay, 6443, false, "10.244.3", outside("192.168.40.77", "192.168.40.12")),
    ] {
        let releases = declared(&own.plan, environment);
        let namespaces: BTreeSet<String> = releases.iter().map(|release| release.namespace.clone()).collect();
        assert!(namespaces.len() > 8, "{namespaces:?}");
        let world = World { releases, plugin, api_server, shared_range, outside, pods, node_local_dns: None };
        let policies = own.policies(cluster);
        let (with, without) = world.count();
        assert!(with > 40 && without > 40, "{environment}: {with} pairs with traffic, {without} without");
        let wrong = world.differences(&policies);
        assert!(wrong.is_empty(), "{environment}: {} connections\n{}", wrong.len(), wrong.join("\n"));
        // It would be seen: each of these policies is needed.
        for name in ["default-allow", "release-traefik", "release-cert-manager"] {
            let mut policies = own.policies(cluster);
            assert!(policies.remove(name) > 0);
            assert!(!world.differences(&policies).is_empty(), "{environment} without `{name}`");
        }
        let mut policies = own.policies(cluster);
        assert_eq!(
            policies.remove("default-deny"),
            namespaces.iter().filter(|name| !name.starts_with("kube-")).count()
        );
    }
}

/// What the simulator is for, spelled out once by hand.
#[test]
fn grafana_reaches_what_the_graph_says() {
    let own = Own::rendered();
    let policies = own.policies("prod-eks");
    let pod = |namespace: &str, number: u8| super::network_policies::Pod {
        namespace: namespace.into(),
        labels: std::collections::BTreeMap::from([("app".to_owned(), namespace.to_owned())]),
        address: std::net::IpAddr::from([10, 20, 3, number]),
        ports: std::collections::BTreeMap::new(),
    };
    let [monitoring, loki, immich, traefik, podinfo, argocd] =
        [("monitoring", 1), ("loki", 2), ("immich", 3), ("traefik", 4), ("podinfo", 5), ("argocd", 6)]
            .map(|(namespace, number)| pod(namespace, number));
    let allows = |from, to, port| policies.allows(End::Pod(from), End::Pod(to), (port, "TCP"));
    assert!(allows(&monitoring, &loki, 3100), "Grafana asks Loki for logs");
    assert!(!allows(&loki, &immich, 2283));
    assert!(allows(&traefik, &immich, 2283), "requests to Immich");
    assert!(!allows(&traefik, &immich, 5432), "its database is nobody else's");
    assert!(allows(&traefik, &argocd, 8080), "the port of the pods, not that of the Service");
    assert!(!allows(&traefik, &argocd, 80));
    assert!(allows(&monitoring, &podinfo, 9797), "metrics");
    assert!(!allows(&podinfo, &argocd, 8080));
    assert!(!allows(&podinfo, &immich, 2283));
    let world = End::Address("198.51.100.7".parse().unwrap(), &[]);
    assert!(policies.accepts(End::Pod(&traefik), world, (8443, "TCP")), "the way in");
    assert!(!policies.accepts(End::Pod(&traefik), world, (9100, "TCP")), "its metrics are not for everybody");
    assert!(!policies.accepts(End::Pod(&argocd), world, (8080, "TCP")));
}
