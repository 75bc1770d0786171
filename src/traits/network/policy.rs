//! Traffic as policies of Kubernetes, and of Cilium where Cilium's identities are meant.
//!
//! Policies only ever add to what is allowed, so one for the namespace denies everything and those of the releases say
//! the exceptions. `podSelector` and `policyTypes` are always written: Kubernetes before 1.35 requires the one, and an
//! egress rule without the other would deny what comes in.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::flows::{Direction, Flow, Peer};
use crate::argocd::types::keys;
use crate::model::{PodPort, PortRef};
use crate::traits::object;

/// Label that the API server gives to every namespace: its name.
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

/// What a policy is called and whose it is.
pub(super) struct Head<'h> {
    pub(super) name: String,
    pub(super) namespace: &'h str,
    /// The release it is for; else for the namespace.
    pub(super) release: Option<&'h str>,
}

impl Head<'_> {
    fn metadata(&self) -> Json {
        let mut labels = json!({ "app.kubernetes.io/managed-by": "hlgen" });
        if let Some(release) = self.release {
            labels["hlgen.dev/release"] = release.into();
        }
        object([("name", self.name.as_str().into()), ("namespace", self.namespace.into()), ("labels", labels)])
    }
}

/// The policy that denies everything to and from all pods of a namespace.
pub(super) fn deny(head: &Head<'_>) -> Json {
    network_policy(head, json!({}), Map::new())
}

fn network_policy(head: &Head<'_>, pods: Json, rules: Map<String, Json>) -> Json {
    let mut spec =
        Map::from_iter([("podSelector".to_owned(), pods), ("policyTypes".to_owned(), json!(["Ingress", "Egress"]))]);
    spec.extend(rules);
    object([
        ("apiVersion", "networking.k8s.io/v1".into()),
        ("kind", "NetworkPolicy".into()),
        ("metadata", head.metadata()),
        ("spec", spec.into()),
    ])
}

/// The policies that allow traffic of the pods with these labels: at most one of each kind.
pub(super) fn allow(head: &Head<'_>, pods: &IndexMap<String, String>, flows: &BTreeSet<Flow>) -> Vec<Json> {
    let pods = if pods.is_empty() { json!({}) } else { json!({ "matchLabels": pods }) };
    let (cilium, plain): (Vec<&Flow>, Vec<&Flow>) = flows.iter().partition(|flow| matches!(flow.peer, Peer::Entity(_)));
    let mut policies = Vec::new();
    let rules = rules(&plain, |direction, ports, peers| {
        let peers: Vec<Json> = peers.iter().map(|peer| selector(peer)).collect();
        let mut rule = object([(if direction == Direction::Ingress { "from" } else { "to" }, peers.into())]);
        if !ports.is_empty() {
            rule["ports"] = ports.iter().map(port).collect();
        }
        rule
    });
    if !rules.is_empty() {
        policies.push(network_policy(head, pods.clone(), rules));
    }
    let rules = self::rules(&cilium, |direction, ports, peers| {
        let names: Vec<Json> = peers.iter().map(|peer| selector(peer)).collect();
        let key = if direction == Direction::Ingress { "fromEntities" } else { "toEntities" };
        let mut rule = object([(key, names.into())]);
        if !ports.is_empty() {
            let ports: Vec<Json> = ports.iter().map(cilium_port).collect();
            rule["toPorts"] = vec![object([("ports", ports.into())])].into();
        }
        rule
    });
    if !rules.is_empty() {
        let mut metadata = head.metadata();
        // Cilium's CRDs are made by its operator, perhaps after this.
        metadata["annotations"] = json!({ keys::SYNC_OPTIONS: "SkipDryRunOnMissingResource=true" });
        let mut spec = Map::from_iter([("endpointSelector".to_owned(), pods)]);
        spec.extend(rules);
        policies.push(object([
            ("apiVersion", "cilium.io/v2".into()),
            ("kind", "CiliumNetworkPolicy".into()),
            ("metadata", metadata),
            ("spec", spec.into()),
        ]));
    }
    policies
}

/// The lists `ingress` and `egress`: each peer with all its ports, and one rule for the peers that have the same.
fn rules(flows: &[&Flow], rule: impl Fn(Direction, &[PodPort], &[&Peer]) -> Json) -> Map<String, Json> {
    // Whoever may come to every port may come to one.
    let mut ports: BTreeMap<(Direction, &Peer), Option<BTreeSet<PodPort>>> = BTreeMap::new();
    for flow in flows {
        let known = ports.entry((flow.direction, &flow.peer)).or_insert_with(|| Some(BTreeSet::new()));
        match known {
            Some(known) if !flow.ports.is_empty() => known.extend(flow.ports.iter().cloned()),
            known => *known = None,
        }
    }
    let mut grouped: BTreeMap<(Direction, Vec<PodPort>), Vec<&Peer>> = BTreeMap::new();
    for ((direction, peer), ports) in ports {
        let ports = ports.map(|ports| ports.into_iter().collect()).unwrap_or_default();
        grouped.entry((direction, ports)).or_default().push(peer);
    }
    let mut lists: Map<String, Json> = Map::new();
    for ((direction, ports), peers) in grouped {
        let needed: Vec<&Peer> =
            peers.iter().copied().filter(|peer| !peers.iter().any(|other| other.holds(peer))).collect();
        let key = if direction == Direction::Ingress { "ingress" } else { "egress" };
        let list = lists.entry(key).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(rule(direction, &ports, &needed));
        }
    }
    lists
}

fn selector(peer: &Peer) -> Json {
    match peer {
        // Both selectors in one item: pods with these labels in that namespace.
        Peer::Pods { namespace, labels } => {
            let name = object([(NAMESPACE_LABEL, namespace.as_str().into())]);
            let mut selector = object([("namespaceSelector", object([("matchLabels", name)]))]);
            if !labels.is_empty() {
                selector["podSelector"] = json!({ "matchLabels": labels });
            }
            selector
        }
        Peer::Namespace => json!({ "podSelector": {} }),
        Peer::Block { range, except } => {
            let mut block = object([("cidr", range.to_string().into())]);
            if !except.is_empty() {
                block["except"] = except.iter().map(ToString::to_string).collect();
            }
            object([("ipBlock", block)])
        }
        Peer::Entity(name) => json!(name),
    }
}

fn port(port: &PodPort) -> Json {
    let number: Json = match &port.port {
        PortRef::Number(number) => (*number).into(),
        PortRef::Name(name) => name.as_str().into(),
    };
    object([("port", number), ("protocol", port.transport.as_str().into())])
}

/// Cilium writes numbers as text.
fn cilium_port(port: &PodPort) -> Json {
    let text = match &port.port {
        PortRef::Number(number) => number.to_string(),
        PortRef::Name(name) => name.clone(),
    };
    object([("port", text.into()), ("protocol", port.transport.as_str().into())])
}
