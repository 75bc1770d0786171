//! What a policy has to know of a cluster: its network plugin, and the addresses of pods, nodes and the API server.
//!
//! All of it is declared in `network:` of the environment or of a profile. What is not known is a finding
//! ([`Fact`] says what to write), and the traffic that needs it stays denied: guessing would open too much.

use super::cidr::Cidr;
use crate::plan::Plan;
use crate::resolve::environment::EnvModel;

/// The port on which a control plane listens unless its platform says otherwise (kubeadm, k3s, Talos).
const API_SERVER_PORT: u16 = 6443;

/// Something that has to be declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    Cni,
    Pods,
    Nodes,
    ApiServer,
}

impl Fact {
    /// What it is, for a message.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Cni => "the network plugin",
            Self::Pods => "the addresses of pods",
            Self::Nodes => "the addresses of nodes",
            Self::ApiServer => "the addresses of the API server",
        }
    }

    /// The line to write.
    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Cni => "write it into the environment, for example `network: { cni: cilium }`",
            Self::Pods => "write them into the environment, for example `network: { podCIDRs: [10.244.0.0/16] }`",
            Self::Nodes => "write them into the environment, for example `network: { nodeCIDRs: [192.168.1.0/24] }`",
            Self::ApiServer => {
                "write its endpoints (`kubectl get endpointslices -l kubernetes.io/service-name=kubernetes`) into the environment, for example `network: { apiServer: [192.168.1.10/32] }`"
            }
        }
    }
}

/// How a network plugin treats addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plugin {
    /// Cilium knows nodes, the API server and the outside by identities; a CIDR never means a pod or a node.
    Cilium,
    /// Pods, nodes and the API server have addresses of one VPC.
    Vpc,
    /// What comes from a node has the node's own address.
    Kindnet,
    /// What comes from another node may have the address of a tunnel, which is one of the pods' range: flannel, Calico
    /// (VXLAN or IP in IP), and every plugin that is not known.
    Overlay,
}

/// What is declared of an environment's clusters.
pub(super) struct Facts<'p> {
    pub(super) cni: Option<&'p str>,
    plugin: Plugin,
    /// Who enforces policies, where the network plugin does not.
    pub(super) engine: Option<&'p str>,
    pub(super) pods: Vec<Cidr>,
    pub(super) nodes: Vec<Cidr>,
    pub(super) api_server: Vec<Cidr>,
    pub(super) api_server_port: u16,
    pub(super) node_local_dns: Vec<Cidr>,
}

/// The lists of addresses of an environment, by their fields.
pub(super) fn lists(env: &EnvModel) -> [(&'static str, &[String]); 4] {
    let network = &env.spec.network;
    [
        ("podCIDRs", &network.pod_cidrs),
        ("nodeCIDRs", &network.node_cidrs),
        ("apiServer", &network.api_server),
        ("nodeLocalDNS", &network.node_local_dns),
    ]
}

impl<'p> Facts<'p> {
    /// What an environment declares. What is no range is a finding of its own and left out here.
    pub(super) fn of(plan: &'p Plan, env: usize) -> Self {
        let network = &plan.environments[env].spec.network;
        let ranges = |list: &[String]| list.iter().filter_map(|text| Cidr::parse(text).ok()).collect();
        let plugin = match network.cni.as_deref() {
            Some("cilium") => Plugin::Cilium,
            Some("vpc") => Plugin::Vpc,
            Some("kindnet") => Plugin::Kindnet,
            _ => Plugin::Overlay,
        };
        Self {
            cni: network.cni.as_deref(),
            plugin,
            engine: network.policy_engine.as_deref(),
            pods: ranges(&network.pod_cidrs),
            nodes: ranges(&network.node_cidrs),
            api_server: ranges(&network.api_server),
            api_server_port: network.api_server_port.unwrap_or(API_SERVER_PORT),
            node_local_dns: ranges(&network.node_local_dns),
        }
    }

    pub(super) fn is_cilium(&self) -> bool {
        self.plugin == Plugin::Cilium
    }

    pub(super) fn is_vpc(&self) -> bool {
        self.plugin == Plugin::Vpc
    }

    pub(super) fn is_overlay(&self) -> bool {
        self.plugin == Plugin::Overlay
    }

    /// Whether anything makes the clusters keep to policies. Flannel alone does not.
    pub(super) fn enforces(&self) -> bool {
        self.cni != Some("flannel") || self.engine.is_some()
    }

    /// Whether pods have addresses of a family. IPv4 is assumed unless something else is declared.
    pub(super) fn has_family(&self, v6: bool) -> bool {
        if self.pods.is_empty() { !v6 } else { self.pods.iter().any(|range| range.is_v6() == v6) }
    }
}
