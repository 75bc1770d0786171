//! What the declarations mean, worked out apart from `src/traits/network`: release by release, with places instead of
//! addresses, and without a thought of how policies are written.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use hlgen::model::{PodPort, PortRef, Transport};

use super::network_policies::{Cluster, End, Pod, Port};

/// The names that containers everywhere here give to their ports.
pub(crate) const NAMES: [(&str, u16); 2] = [("http", 8081), ("metrics", 9091)];

/// A port that nobody declares.
const UNDECLARED: Port = (4, "TCP");

/// A release, as far as traffic goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared {
    pub name: String,
    pub namespace: String,
    pub selector: BTreeMap<String, String>,
    pub api_server: bool,
    pub egress: Vec<String>,
    pub ingress: Vec<String>,
    pub ingress_ports: Vec<PodPort>,
    pub webhooks: Vec<PodPort>,
    pub calls_back: bool,
    /// What it may name, and who serves that (by number), as `requires` and `wants` say.
    pub uses: BTreeSet<usize>,
    /// Ways in: who carries requests there, the port, and who is asked first.
    pub ways: Vec<(usize, PodPort, Option<usize>)>,
    /// Who fetches its metrics, on which ports.
    pub metrics: Option<(usize, Vec<PodPort>)>,
}

/// How the network plugin treats addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plugin {
    Cilium,
    Vpc,
    Kindnet,
    Overlay,
}

/// Where an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Pod,
    Node,
    ApiServer,
    World,
    /// At home, or in a company.
    Private,
    /// The cloud's metadata service.
    Metadata,
}

/// An address that is no pod's.
pub(crate) struct Outside {
    pub place: Place,
    pub address: IpAddr,
    pub identities: &'static [&'static str],
}

/// A cluster as it is declared.
pub(crate) struct World {
    pub releases: Vec<Declared>,
    pub plugin: Plugin,
    /// The port of the API server.
    pub api_server: u16,
    /// Nodes have addresses of the pods' range.
    pub shared_range: bool,
    pub outside: Vec<Outside>,
    /// The first three numbers of the pods' addresses.
    pub pods: &'static str,
    /// An address of a DNS cache on the node.
    pub node_local_dns: Option<IpAddr>,
}

/// Whether ports meet; none listed are all.
fn has(ports: &[PodPort], (number, transport): Port) -> bool {
    ports.is_empty()
        || ports.iter().any(|port| {
            let same = match &port.port {
                PortRef::Number(one) => *one == number,
                PortRef::Name(name) => NAMES.contains(&(name.as_str(), number)),
            };
            same && port.transport.as_str() == transport
        })
}

impl World {
    /// Holds every connection there could be against the policies; what differs.
    pub(crate) fn differences(&self, cluster: &Cluster) -> Vec<String> {
        let pods = self.pods();
        let ports = self.ports();
        let mut wrong = Vec::new();
        let mut judge = |what: String, port: Port, expected: bool, found: bool| {
            if expected != found {
                let word = if expected { "denied though declared" } else { "allowed though nobody declared it" };
                wrong.push(format!("{what} on {}/{}: {word}", port.0, port.1));
            }
        };
        for port in &ports {
            for from in &pods {
                for to in pods.iter().filter(|to| to.address != from.address) {
                    let what = format!("{}/{:?} -> {}/{:?}", from.namespace, from.labels, to.namespace, to.labels);
                    let expected = self.opens(from, to, *port) && self.accepts(to, from, *port);
                    judge(what, *port, expected, cluster.allows(End::Pod(from), End::Pod(to), *port));
                }
                for outside in &self.outside {
                    let end = End::Address(outside.address, outside.identities);
                    let pod = format!("{}/{:?}", from.namespace, from.labels);
                    let out = self.leaves(from, outside.place, *port);
                    judge(
                        format!("{pod} -> {:?}", outside.place),
                        *port,
                        out,
                        cluster.opens(End::Pod(from), end, *port),
                    );
                    let back = self.enters(from, outside.place, *port);
                    judge(
                        format!("{:?} -> {pod}", outside.place),
                        *port,
                        back,
                        cluster.accepts(End::Pod(from), end, *port),
                    );
                }
                if let Some(address) = self.node_local_dns {
                    let end = End::Address(address, &["host"]);
                    let expected = port.0 == 53 || !self.is_managed(&from.namespace);
                    // Under Cilium a cache on the node is the node.
                    let expected = expected || self.plugin == Plugin::Cilium && self.leaves(from, Place::Node, *port);
                    judge(
                        format!("{} -> DNS on its node", from.namespace),
                        *port,
                        expected,
                        cluster.opens(End::Pod(from), end, *port),
                    );
                }
            }
        }
        wrong
    }

    /// Where hlgen makes the namespace, and so policies.
    fn is_managed(&self, namespace: &str) -> bool {
        let is_ours = namespace != "default" && !namespace.starts_with("kube-");
        is_ours && self.releases.iter().any(|release| release.namespace == namespace)
    }

    /// How many pairs of releases in different namespaces have traffic, and how many have none.
    pub(crate) fn count(&self) -> (usize, usize) {
        let pods = self.pods();
        let pairs = pods.iter().flat_map(|from| pods.iter().map(move |to| (from, to)));
        let apart = pairs.filter(|(from, to)| from.namespace != to.namespace);
        let (yes, no): (Vec<_>, Vec<_>) = apart.partition(|(from, to)| self.edges(from, to).next().is_some());
        (yes.len(), no.len())
    }

    /// A pod of every release, a stranger in every namespace, the cluster's DNS and its neighbour.
    fn pods(&self) -> Vec<Pod> {
        let mut all: BTreeSet<(String, BTreeMap<String, String>)> = BTreeSet::new();
        let label = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        for release in &self.releases {
            let own = if release.selector.is_empty() { label("app", &release.name) } else { release.selector.clone() };
            all.insert((release.namespace.clone(), own));
            all.insert((release.namespace.clone(), label("app", "stranger")));
        }
        all.insert(("kube-system".into(), label("k8s-app", "kube-dns")));
        all.insert(("kube-system".into(), label("app", "neighbour")));
        all.insert(("elsewhere".into(), label("app", "stranger")));
        let numbered = all.into_iter().enumerate();
        numbered
            .map(|(number, (namespace, labels))| Pod {
                namespace,
                labels,
                address: format!("{}.{number}", self.pods).parse().unwrap(),
                ports: NAMES.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect(),
            })
            .collect()
    }

    /// Every port that somebody names, and one that nobody does.
    fn ports(&self) -> BTreeSet<Port> {
        let mut all = BTreeSet::from([UNDECLARED, (53, "TCP"), (53, "UDP"), (self.api_server, "TCP")]);
        for release in &self.releases {
            let metrics = release.metrics.iter().flat_map(|(_, ports)| ports);
            let ways = release.ways.iter().map(|(_, port, _)| port);
            for port in release.ingress_ports.iter().chain(&release.webhooks).chain(metrics).chain(ways) {
                let number = match &port.port {
                    PortRef::Number(number) => *number,
                    PortRef::Name(name) => NAMES.iter().find(|(known, _)| known == name).unwrap().1,
                };
                all.insert((number, if port.transport == Transport::Udp { "UDP" } else { "TCP" }));
            }
        }
        all
    }

    /// The releases a pod belongs to: those whose labels it has, or that say none, in its namespace.
    fn of<'w>(&'w self, pod: &'w Pod) -> impl Iterator<Item = usize> + 'w {
        let belongs = |release: &Declared| {
            release.namespace == pod.namespace
                && release.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
        };
        (0..self.releases.len()).filter(move |number| belongs(&self.releases[*number]))
    }

    /// The traffic that is declared between two pods, as lists of ports.
    fn edges<'w>(&'w self, from: &'w Pod, to: &'w Pod) -> impl Iterator<Item = Vec<PodPort>> + 'w {
        let pairs = self.of(from).flat_map(move |one| self.of(to).map(move |other| (one, other)));
        let named = self.names(from, to) && (self.of(to).next().is_some() || !self.is_managed(&to.namespace));
        pairs.flat_map(move |(one, other)| self.between(one, other)).chain(named.then(Vec::new))
    }

    /// Whether a release of the pod names the other's namespace as such.
    fn names(&self, from: &Pod, to: &Pod) -> bool {
        let is_named = |entry: &String| entry.strip_prefix("namespace/") == Some(to.namespace.as_str());
        self.of(from).any(|one| self.releases[one].egress.iter().any(is_named))
    }

    fn between(&self, from: usize, to: usize) -> Vec<Vec<PodPort>> {
        let (consumer, provider) = (&self.releases[from], &self.releases[to]);
        let mut all = Vec::new();
        if consumer.uses.contains(&to) || consumer.calls_back && provider.uses.contains(&from) {
            all.push(Vec::new());
        }
        for (carrier, port, _) in &provider.ways {
            if *carrier == from {
                all.push(vec![port.clone()]);
            }
        }
        // Whoever carries requests to a guarded way asks the guard, whosever way it is.
        let guarded = self.releases.iter().flat_map(|release| &release.ways);
        if guarded.into_iter().any(|(carrier, _, guard)| *carrier == from && *guard == Some(to)) {
            all.push(Vec::new());
        }
        if let Some((stack, ports)) = &provider.metrics
            && *stack == from
        {
            all.push(ports.clone());
        }
        all
    }

    fn opens(&self, from: &Pod, to: &Pod, port: Port) -> bool {
        let dns = to.namespace == "kube-system" && to.labels.contains_key("k8s-app") && port.0 == 53;
        !self.is_managed(&from.namespace)
            || from.namespace == to.namespace
            || dns
            || self.edges(from, to).next().is_some()
            || self.names(from, to)
            || self.leaves(from, Place::Pod, port)
    }

    fn accepts(&self, to: &Pod, from: &Pod, port: Port) -> bool {
        !self.is_managed(&to.namespace)
            || from.namespace == to.namespace
            || self.edges(from, to).any(|ports| has(&ports, port))
            || self.enters(to, Place::Pod, port)
    }

    /// Whether a pod may open a connection to an address of a place, by ranges alone.
    fn leaves(&self, pod: &Pod, place: Place, port: Port) -> bool {
        if place != Place::Pod && !self.is_managed(&pod.namespace) {
            return true;
        }
        self.of(pod).any(|number| {
            let release = &self.releases[number];
            let to_api_server = release.api_server
                && place == Place::ApiServer
                && (self.plugin == Plugin::Cilium || port == (self.api_server, "TCP"));
            to_api_server || release.egress.iter().any(|entry| self.is_meant(entry, place))
        })
    }

    fn is_meant(&self, entry: &str, place: Place) -> bool {
        match entry {
            "internet" | "198.51.100.0/24" => place == Place::World,
            "private" | "192.168.0.0/16" => place == Place::Private,
            "nodes" => {
                matches!(place, Place::Node | Place::ApiServer)
                    || self.shared_range && place == Place::Pod && self.plugin != Plugin::Cilium
            }
            // The ranges of the generator: one outside, and one that holds nodes and pods.
            "10.0.0.0/8" => matches!(place, Place::Node | Place::ApiServer) && self.plugin != Plugin::Cilium,
            _ => false,
        }
    }

    /// Whether a pod takes a connection from an address of a place, by ranges alone.
    fn enters(&self, pod: &Pod, place: Place, port: Port) -> bool {
        if place != Place::Pod && !self.is_managed(&pod.namespace) {
            return true;
        }
        let overlay = self.plugin == Plugin::Overlay;
        self.of(pod).any(|number| {
            let release = &self.releases[number];
            let called = !release.webhooks.is_empty()
                && has(&release.webhooks, port)
                && match place {
                    Place::ApiServer => true,
                    Place::Node => self.plugin != Plugin::Vpc,
                    Place::Pod => overlay,
                    _ => false,
                };
            let open = |entry: &str| match entry {
                "internet" => self.plugin != Plugin::Cilium || place != Place::Pod,
                "nodes" => {
                    matches!(place, Place::Node | Place::ApiServer)
                        || place == Place::Pod && (overlay || self.shared_range && self.plugin != Plugin::Cilium)
                }
                other => self.is_meant(other, place),
            };
            called || has(&release.ingress_ports, port) && release.ingress.iter().any(|entry| open(entry))
        })
    }
}
