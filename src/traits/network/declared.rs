//! What `network:` of an app says by itself: the API server, webhooks, and ranges of addresses.

use super::cidr::{ANY, Cidr, LINK, PRIVATE};
use super::facts::Fact;
use super::flows::{Direction, Walk};
use crate::diag::nearest;
use crate::model::{AppNetwork, PodPort, Transport, is_dns_label};

impl Walk<'_> {
    /// What `network:` of the release says by itself.
    pub(super) fn declared(&mut self, network: &AppNetwork) {
        let here = self.here;
        let facts = &here.facts;
        if network.api_server {
            if facts.is_cilium() {
                self.entities(Direction::Egress, &["kube-apiserver"], &[]);
            } else {
                let ranges = self.known(&facts.api_server, Fact::ApiServer);
                let port = PodPort::new(facts.api_server_port, Transport::Tcp);
                self.blocks(Direction::Egress, ranges, &[], &[port]);
            }
        }
        if !network.webhooks.is_empty() {
            self.called_by_the_api_server(&network.webhooks);
        }
        for entry in &network.egress {
            self.egress(entry);
        }
        for entry in &network.ingress {
            self.ingress(entry, &network.ingress_ports);
        }
    }

    fn called_by_the_api_server(&mut self, ports: &[PodPort]) {
        let facts = &self.here.facts;
        if facts.is_cilium() {
            self.entities(Direction::Ingress, &["kube-apiserver"], ports);
        } else {
            // Its own address is that of no node where the provider runs it.
            let ranges = self.known(&facts.api_server, Fact::ApiServer);
            self.blocks(Direction::Ingress, ranges, &[], ports);
        }
        // On EKS the API server runs on none of them, and their range is that of the pods.
        if !facts.is_vpc() {
            self.called_by_nodes(ports);
        }
    }

    /// What comes from another node has its address, or that of a tunnel where the plugin has one.
    fn called_by_nodes(&mut self, ports: &[PodPort]) {
        let facts = &self.here.facts;
        if facts.is_cilium() {
            self.entities(Direction::Ingress, &["host", "remote-node"], ports);
            return;
        }
        let mut ranges = self.known(&facts.nodes, Fact::Nodes).to_vec();
        if facts.is_overlay() {
            ranges.extend(self.known(&facts.pods, Fact::Pods));
        }
        self.blocks(Direction::Ingress, &ranges, &[], ports);
    }

    fn egress(&mut self, entry: &str) {
        let facts = &self.here.facts;
        match entry {
            "internet" | "private" => {
                let mut inside = Vec::new();
                if !facts.is_cilium() {
                    let (pods, nodes) = (self.known(&facts.pods, Fact::Pods), self.known(&facts.nodes, Fact::Nodes));
                    if pods.is_empty() || nodes.is_empty() {
                        return;
                    }
                    inside.extend(pods.iter().chain(nodes).chain(&facts.api_server));
                }
                if entry == "internet" {
                    inside.extend(PRIVATE.iter().chain(&LINK));
                }
                let ranges: &[Cidr] = if entry == "internet" { &ANY } else { &PRIVATE };
                let ranges: Vec<Cidr> =
                    ranges.iter().copied().filter(|range| facts.has_family(range.is_v6())).collect();
                self.blocks(Direction::Egress, &ranges, &inside, &[]);
            }
            "nodes" if facts.is_cilium() => self.entities(Direction::Egress, &["host", "remote-node"], &[]),
            "nodes" => {
                let ranges = self.known(&facts.nodes, Fact::Nodes);
                self.blocks(Direction::Egress, ranges, &[], &[]);
            }
            _ => match entry.strip_prefix("namespace/") {
                Some(namespace) => self.namespace(Direction::Egress, namespace, &[]),
                None => self.range(Direction::Egress, entry, &[]),
            },
        }
    }

    /// A load balancer or a node's port may hide where a request comes from behind the address of any node or of a tunnel,
    /// so `internet` means every address here.
    fn ingress(&mut self, entry: &str, ports: &[PodPort]) {
        let facts = &self.here.facts;
        match entry {
            "internet" if facts.is_cilium() => {
                self.entities(Direction::Ingress, &["host", "remote-node", "world"], ports);
            }
            "internet" => {
                let ranges: Vec<Cidr> = ANY.into_iter().filter(|range| facts.has_family(range.is_v6())).collect();
                self.blocks(Direction::Ingress, &ranges, &[], ports);
            }
            "nodes" => self.called_by_nodes(ports),
            _ => self.range(Direction::Ingress, entry, ports),
        }
    }

    /// A range that somebody wrote. It may hold the pods' own, which are not meant. What is no range is a finding of its
    /// own ([`entry`]).
    fn range(&mut self, direction: Direction, entry: &str, ports: &[PodPort]) {
        if let Ok(range) = Cidr::parse(entry) {
            let pods = self.here.facts.pods.iter().copied();
            let inside: Vec<Cidr> = pods.filter(|pods| !pods.covers(range)).collect();
            self.blocks(direction, &[range], &inside, ports);
        }
    }
}

/// Checks an entry of `network.egress` or `network.ingress`.
///
/// # Errors
/// What to write instead.
pub(super) fn entry(direction: Direction, entry: &str) -> Result<(), String> {
    let words: &[&str] =
        if direction == Direction::Egress { &["internet", "private", "nodes"] } else { &["internet", "nodes"] };
    match (direction, entry.strip_prefix("namespace/")) {
        _ if words.contains(&entry) => Ok(()),
        (Direction::Egress, Some(namespace)) if is_dns_label(namespace) => Ok(()),
        (Direction::Egress, Some(_)) => Err("write the namespace's name, for example `namespace/kube-system`".into()),
        _ => Cidr::parse(entry).map(|_| ()).map_err(|help| match nearest(entry, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => help,
        }),
    }
}
