//! Network policies: where an environment asks for `default-deny`, every namespace denies what nobody declared.
//!
//! Who talks to whom follows from the graph that `requires`, `wants` and `expose` make; `network:` of an app says the rest.
//! A connection has two ends, so both namespaces get their half of it. The policies of a namespace depend on releases
//! elsewhere in the cluster, which is why they lie in its file and not beside a release's manifests. Namespaces that are
//! not hlgen's (`kube-system`, say) stay open; the other end still names them.

mod cidr;
mod declared;
mod facts;
mod findings;
mod flows;
mod graph;
mod outside;
mod policy;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::Value as Json;

use self::flows::{Direction, Flow, Here, Peer};
use self::policy::Head;
use super::namespace::Namespace;
use crate::model::{NetworkPolicyMode, PodPort, Transport};
use crate::plan::Plan;

pub(super) use findings::check;

/// The environment whose policy a namespace follows: the first of its releases' that denies.
fn denying(plan: &Plan, namespace: &Namespace) -> Option<usize> {
    let environments = namespace.releases.iter().map(|number| plan.releases[*number].env);
    environments.into_iter().find(|env| denies(plan, *env))
}

fn denies(plan: &Plan, env: usize) -> bool {
    plan.policies(env).network == Some(NetworkPolicyMode::DefaultDeny)
}

/// The policies of a namespace; none where its environment does not ask for any.
pub(super) fn policies(plan: &Plan, cluster: usize, namespace: &Namespace) -> Vec<Json> {
    let Some(env) = denying(plan, namespace) else { return Vec::new() };
    let here = Here::new(plan, cluster, env);
    let head = |name: String, release| Head { name, namespace: &namespace.name, release };
    let mut all = vec![policy::deny(&head("default-deny".into(), None))];
    all.extend(policy::allow(&head("default-allow".into(), None), &IndexMap::new(), &common(&here)));
    for number in &namespace.releases {
        let release = &plan.releases[*number];
        let name = release.name.as_str();
        let (flows, _) = here.flows(*number);
        let pods = &release.spec.network.pod_selector;
        all.extend(policy::allow(&head(format!("release-{name}"), Some(name)), pods, &flows));
    }
    all
}

/// What every pod may: talk to its neighbours in the namespace, and ask for names. The kubelet's probes come from the pod's
/// own node, which all implementations let through.
fn common(here: &Here<'_>) -> BTreeSet<Flow> {
    let dns = [PodPort::new(53, Transport::Tcp), PodPort::new(53, Transport::Udp)];
    let flow = |direction, peer, ports: &[PodPort]| Flow { direction, ports: ports.to_vec(), peer };
    // The cluster's DNS under the labels that kubeadm, kind, k3s, Talos, Kubespray and EKS give to it.
    let servers = Peer::Pods {
        namespace: "kube-system".into(),
        labels: BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())]),
    };
    let mut flows = BTreeSet::from([
        flow(Direction::Ingress, Peer::Namespace, &[]),
        flow(Direction::Egress, Peer::Namespace, &[]),
        flow(Direction::Egress, servers, &dns),
    ]);
    // A cache on the node uses the node's network: to Cilium it is the host.
    if here.facts.is_cilium() && !here.facts.node_local_dns.is_empty() {
        flows.insert(flow(Direction::Egress, Peer::Entity("host"), &dns));
    } else {
        let blocks = here.facts.node_local_dns.iter().map(|range| Peer::Block { range: *range, except: Vec::new() });
        flows.extend(blocks.map(|peer| flow(Direction::Egress, peer, &dns)));
    }
    flows
}
