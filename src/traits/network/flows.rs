//! The traffic that a release declares, or that others declare with it: what its pods may open, and what they accept.
//!
//! One walk gives both the rules and what is missing for them, so that a finding and a rule cannot disagree. Ports stand
//! only on the accepting side. What is opened towards a namespace has none: the VPC CNI sees the address and the port of a
//! Service where others see those of a pod, and whoever accepts says the port in any case.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::cidr::Cidr;
use super::facts::{Fact, Facts};
use crate::model::{Expose, PodPort, Visibility};
use crate::plan::Plan;
use crate::resolve::capability::Provider;
use crate::resolve::release::ReleaseModel;
use crate::resolve::uses::Use;

/// Who opens the connection: the release, or the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    Ingress,
    Egress,
}

/// The other end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    /// Pods of a namespace; without labels all.
    Pods {
        namespace: String,
        labels: BTreeMap<String, String>,
    },
    /// Every pod of the release's own namespace.
    Namespace,
    Block {
        range: Cidr,
        except: Vec<Cidr>,
    },
    /// One of Cilium's reserved identities.
    Entity(&'static str),
}

impl Peer {
    /// Whether it is more than the other, with everything that the other is.
    pub(super) fn holds(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pods { namespace, labels }, Self::Pods { namespace: other, labels: others }) => {
                labels.is_empty() && !others.is_empty() && namespace == other
            }
            (Self::Block { range, except }, Self::Block { range: other, .. }) => {
                except.is_empty() && range != other && range.covers(*other)
            }
            _ => false,
        }
    }
}

/// Traffic that is allowed; without ports on all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flow {
    pub(super) direction: Direction,
    pub(super) ports: Vec<PodPort>,
    pub(super) peer: Peer,
}

/// What stands in the way of a complete policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Problem {
    /// Something has to be known of the cluster.
    Unknown(Fact),
    /// A capability is served outside of the cluster, nobody says where.
    Outside { capability: String, host: Option<String> },
    /// Nobody says where requests to a way in come from.
    Ingress { capability: String },
}

/// A cluster as its releases see it.
pub(super) struct Here<'p> {
    pub(super) plan: &'p Plan,
    pub(super) cluster: usize,
    /// The environments of the cluster; several may share one.
    environments: BTreeSet<usize>,
    pub(super) facts: Facts<'p>,
}

impl<'p> Here<'p> {
    /// A cluster of an environment, whose facts count.
    pub(super) fn new(plan: &'p Plan, cluster: usize, env: usize) -> Self {
        let name = &plan.clusters[cluster].name;
        let same = plan.clusters.iter().filter(|other| other.name == *name);
        Self { plan, cluster, environments: same.map(|other| other.env).collect(), facts: Facts::of(plan, env) }
    }

    /// The traffic of a release, and what is missing for more.
    pub(super) fn flows(&self, number: usize) -> (BTreeSet<Flow>, BTreeSet<Problem>) {
        let release = &self.plan.releases[number];
        let mut walk = Walk { here: self, number, release, flows: BTreeSet::new(), problems: BTreeSet::new() };
        walk.declared(&release.spec.network);
        walk.used();
        walk.users();
        walk.exposed();
        walk.metrics();
        (walk.flows, walk.problems)
    }

    pub(super) fn has(&self, release: usize) -> bool {
        self.environments.contains(&self.plan.releases[release].env)
    }

    /// A release that serves others in this cluster.
    pub(super) fn local(&self, provider: Provider) -> Option<usize> {
        match provider {
            Provider::Release(number) if self.has(number) => Some(number),
            _ => None,
        }
    }

    /// The data of a capability as a release sees it.
    pub(super) fn data(&self, number: usize, capability: &str) -> Json {
        // The cluster may be another environment's of the same name.
        let release = &self.plan.releases[number];
        let name = &self.plan.clusters[self.cluster].name;
        let own = self.plan.clusters_of(release).find(|(_, cluster)| cluster.name == *name);
        let Some((cluster, _)) = own else { return Json::Null };
        let scope = self.plan.scope(number, cluster);
        let data = scope.capabilities.as_ref().and_then(|all| all.get(capability).cloned());
        data.and_then(|data| serde_json::to_value(data).ok()).unwrap_or_default()
    }

    /// Who carries requests to a way in of a release.
    pub(super) fn ingress_of<'u>(&self, number: usize, expose: &Expose) -> Option<&'u Use>
    where
        'p: 'u,
    {
        let find = |name: &str| self.plan.uses().of(number).find(|one| one.name == name);
        let public = if expose.visibility == Visibility::Public { find("ingress/public") } else { None };
        public.or_else(|| find("ingress"))
    }
}

/// A release whose traffic is collected: by `declared` and `graph`.
pub(super) struct Walk<'w> {
    pub(super) here: &'w Here<'w>,
    pub(super) number: usize,
    pub(super) release: &'w ReleaseModel,
    flows: BTreeSet<Flow>,
    pub(super) problems: BTreeSet<Problem>,
}

impl Walk<'_> {
    fn allow(&mut self, direction: Direction, peer: Peer, ports: &[PodPort]) {
        let mut ports = ports.to_vec();
        ports.sort();
        ports.dedup();
        self.flows.insert(Flow { direction, ports, peer });
    }

    /// Pods of another release; within a namespace everything is allowed anyway.
    pub(super) fn pods(&mut self, direction: Direction, other: usize, ports: &[PodPort]) {
        let other = &self.here.plan.releases[other];
        if other.namespace() == self.release.namespace() {
            return;
        }
        let selector = &other.spec.network.pod_selector;
        let labels = selector.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        self.allow(direction, Peer::Pods { namespace: other.namespace().to_owned(), labels }, ports);
    }

    pub(super) fn namespace(&mut self, direction: Direction, namespace: &str, ports: &[PodPort]) {
        if namespace != self.release.namespace() {
            let peer = Peer::Pods { namespace: namespace.to_owned(), labels: BTreeMap::new() };
            self.allow(direction, peer, ports);
        }
    }

    pub(super) fn blocks(&mut self, direction: Direction, ranges: &[Cidr], except: &[Cidr], ports: &[PodPort]) {
        for range in ranges {
            if let Some(except) = range.without(except) {
                self.allow(direction, Peer::Block { range: *range, except }, ports);
            }
        }
    }

    pub(super) fn entities(&mut self, direction: Direction, entities: &[&'static str], ports: &[PodPort]) {
        for entity in entities {
            self.allow(direction, Peer::Entity(entity), ports);
        }
    }

    /// A list of what is known; nothing known is a problem.
    pub(super) fn known<'f>(&mut self, list: &'f [Cidr], fact: Fact) -> &'f [Cidr] {
        if list.is_empty() {
            self.problems.insert(Problem::Unknown(fact));
        }
        list
    }
}
