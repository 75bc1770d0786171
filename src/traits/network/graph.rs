//! The traffic that follows from who uses whom: `requires` and `wants`, ways in, metrics, and what is served from outside.

use std::net::IpAddr;

use serde_json::Value as Json;

use super::cidr::Cidr;
use super::flows::{Direction, Problem, Walk};
use super::outside::{host, hosts, namespace_of};
use crate::model::{CapabilityChoice, Expose, PodPort, Protocol, Transport};
use crate::resolve::capability::Provider;
use crate::resolve::uses::Use;

impl Walk<'_> {
    /// What the release uses: `requires` and `wants`, by name or by capability.
    pub(super) fn used(&mut self) {
        for one in self.here.plan.uses().of(self.number).filter(|one| one.named) {
            if let Some(provider) = self.here.local(one.provider) {
                self.pods(Direction::Egress, provider, &[]);
                if self.here.plan.releases[provider].spec.network.calls_back {
                    self.pods(Direction::Ingress, provider, &[]);
                }
            } else {
                self.outside(one);
            }
        }
    }

    /// Who uses the release.
    pub(super) fn users(&mut self) {
        let calls_back = self.release.spec.network.calls_back;
        let here = self.here;
        let users = here.plan.uses().by(self.number).filter(|one| one.named);
        for one in users.filter(|one| here.has(one.consumer)) {
            self.pods(Direction::Ingress, one.consumer, &[]);
            if calls_back {
                self.pods(Direction::Egress, one.consumer, &[]);
            }
        }
        let towards = here.plan.uses().towards(self.release.namespace());
        for other in towards.iter().filter(|other| here.has(**other)) {
            self.pods(Direction::Ingress, *other, &[]);
        }
    }

    /// A capability that no release of this cluster serves: what its data says of where that is.
    fn outside(&mut self, one: &Use) {
        let data = self.here.data(self.number, &one.name);
        if one.provider == Provider::Profile {
            if let Some(namespace) = data.get("namespace").and_then(Json::as_str) {
                self.namespace(Direction::Egress, namespace, &[]);
            }
            return;
        }
        let addresses = self.addresses(&one.name);
        if !addresses.is_empty() {
            self.blocks(Direction::Egress, &addresses, &[], &[]);
            return;
        }
        let hosts = hosts(&data);
        let elsewhere = matches!(one.provider, Provider::Release(_));
        if hosts.is_empty() && elsewhere {
            self.unless_declared(&one.name, None);
        }
        for host in hosts {
            if let Ok(address) = host.parse::<IpAddr>() {
                self.blocks(Direction::Egress, &[Cidr::single(address)], &[], &[]);
            } else if let Some(namespace) = namespace_of(&host) {
                self.namespace(Direction::Egress, namespace, &[]);
            } else {
                self.unless_declared(&one.name, Some(host));
            }
        }
    }

    /// A name says no address to a policy. An app that may leave the cluster anyway is taken at its word.
    fn unless_declared(&mut self, capability: &str, host: Option<String>) {
        let leaves = |entry: &String| entry != "nodes" && !entry.starts_with("namespace/");
        if !self.release.spec.network.egress.iter().any(leaves) {
            self.problems.insert(Problem::Outside { capability: capability.to_owned(), host });
        }
    }

    /// Where the environment says that something outside answers.
    fn addresses(&mut self, capability: &str) -> Vec<Cidr> {
        let env = self.here.plan.env_of(self.release);
        let addresses = match env.spec.capabilities.get(capability) {
            Some(CapabilityChoice::External(external)) => &external.addresses,
            Some(CapabilityChoice::Environment(other)) => &other.addresses,
            _ => return Vec::new(),
        };
        addresses.iter().filter_map(|text| Cidr::parse(text).ok()).collect()
    }

    /// Requests to the ways in: from the ingress provider to the pods behind each. The provider asks the provider of `sso`
    /// first where a way in is guarded.
    pub(super) fn exposed(&mut self) {
        let here = self.here;
        let uses = here.plan.uses();
        for expose in &self.release.spec.expose {
            let Some(ingress) = here.ingress_of(self.number, expose) else { continue };
            let data = here.data(self.number, &ingress.name);
            let ports = [target(expose)];
            let namespace = data.get("namespace").and_then(Json::as_str);
            let provider = here.local(ingress.provider);
            if let Some(provider) = provider {
                self.pods(Direction::Ingress, provider, &ports);
            } else if namespace.is_none() {
                let addresses = self.addresses(&ingress.name);
                if addresses.is_empty() {
                    self.problems.insert(Problem::Ingress { capability: ingress.name.clone() });
                }
                self.blocks(Direction::Ingress, &addresses, &[], &ports);
            }
            // A Gateway's pods may run elsewhere than its controller.
            let own = provider.map(|provider| here.plan.releases[provider].namespace());
            if let Some(namespace) = namespace.filter(|namespace| own != Some(namespace)) {
                self.namespace(Direction::Ingress, namespace, &ports);
            }
        }
        for one in uses.by(self.number).filter(|one| here.has(one.consumer)) {
            for expose in &here.plan.releases[one.consumer].spec.expose {
                let Some(ingress) = here.ingress_of(one.consumer, expose) else { continue };
                if ingress.name == one.name {
                    self.pods(Direction::Egress, one.consumer, &[]);
                    if expose.sso {
                        self.asks_the_guard(one.consumer);
                    }
                }
                if one.name == "sso"
                    && expose.sso
                    && let Some(provider) = here.local(ingress.provider)
                {
                    self.pods(Direction::Ingress, provider, &[]);
                }
            }
        }
    }

    /// Whoever carries requests to a guarded way in asks the provider of `sso` about each.
    fn asks_the_guard(&mut self, consumer: usize) {
        let here = self.here;
        let Some(guard) = here.plan.uses().of(consumer).find(|one| one.name == "sso") else { return };
        if let Some(provider) = here.local(guard.provider) {
            self.pods(Direction::Egress, provider, &[]);
        } else if let Some(address) = here.data(consumer, "sso").get("forwardAuth").and_then(Json::as_str)
            && let Some(namespace) = namespace_of(host(address))
        {
            self.namespace(Direction::Egress, namespace, &[]);
        }
    }

    /// The metrics stack fetches from whoever wants it.
    pub(super) fn metrics(&mut self) {
        let here = self.here;
        let ports = self.release.spec.metrics.as_ref().map(|metrics| metrics.ports.clone()).unwrap_or_default();
        for one in here.plan.uses().of(self.number).filter(|one| one.name == "metrics") {
            match here.local(one.provider) {
                Some(provider) => self.pods(Direction::Ingress, provider, &ports),
                None if one.provider == Provider::Profile => {
                    let data = here.data(self.number, "metrics");
                    if let Some(namespace) = data.get("namespace").and_then(Json::as_str) {
                        self.namespace(Direction::Ingress, namespace, &ports);
                    }
                }
                None => {}
            }
        }
        let fetched = here.plan.uses().by(self.number).filter(|one| one.name == "metrics");
        for one in fetched.filter(|one| here.has(one.consumer)) {
            self.pods(Direction::Egress, one.consumer, &[]);
        }
    }
}

/// The port of the pods behind a way in.
fn target(expose: &Expose) -> PodPort {
    let transport = if expose.protocol == Protocol::Udp { Transport::Udp } else { Transport::Tcp };
    match &expose.target_port {
        Some(port) => PodPort { port: port.port.clone(), transport },
        None => PodPort::new(expose.port, transport),
    }
}
