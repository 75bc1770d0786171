//! What a cluster does with network policies: an own, small reading of what Kubernetes and Cilium document, to hold what
//! hlgen writes against.
//!
//! It knows NetworkPolicy as it is specified (additive, both ends count, a pod is isolated in a direction as soon as a policy
//! of that direction selects it) and of Cilium's policies the entities. A field that it does not know ends the test, so
//! that nothing is judged by half. Under Cilium an address range never means a pod, a node or the API server.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize as _;
use serde_json::{Map, Value};

#[derive(Debug, Clone)]
pub(crate) struct Pod {
    pub namespace: String,
    pub labels: BTreeMap<String, String>,
    pub address: IpAddr,
    /// Names of its containers' ports.
    pub ports: BTreeMap<String, u16>,
}

/// One end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End<'e> {
    Pod(&'e Pod),
    /// An address that is no pod's, with Cilium's names for it.
    Address(IpAddr, &'e [&'e str]),
}

impl End<'_> {
    fn address(&self) -> IpAddr {
        match self {
            Self::Pod(pod) => pod.address,
            Self::Address(address, _) => *address,
        }
    }
}

/// A port and `TCP` or `UDP`.
pub(crate) type Port = (u16, &'static str);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ingress,
    Egress,
}

/// The policies of a cluster, by namespace.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    policies: BTreeMap<String, Vec<Value>>,
    cilium: BTreeMap<String, Vec<Value>>,
    is_cilium: bool,
}

impl Cluster {
    /// The policies among the objects of some texts.
    pub(crate) fn of_texts<'t>(texts: impl Iterator<Item = &'t str>, is_cilium: bool) -> Self {
        let mut cluster = Self { is_cilium, ..Self::default() };
        for text in texts {
            for document in serde_yaml::Deserializer::from_str(text) {
                cluster.add(Value::deserialize(document).unwrap());
            }
        }
        cluster
    }

    fn add(&mut self, object: Value) {
        let all = match (object["apiVersion"].as_str(), object["kind"].as_str()) {
            (Some("networking.k8s.io/v1"), Some("NetworkPolicy")) => &mut self.policies,
            (Some("cilium.io/v2"), Some("CiliumNetworkPolicy")) => {
                assert!(self.is_cilium, "only Cilium knows {object}");
                &mut self.cilium
            }
            _ => return,
        };
        let namespace = object["metadata"]["namespace"].as_str().unwrap().to_owned();
        all.entry(namespace).or_default().push(object);
    }

    /// Takes the policies of a name away; how many there were.
    pub(crate) fn remove(&mut self, name: &str) -> usize {
        let all = self.policies.values_mut().chain(self.cilium.values_mut());
        let mut removed = 0;
        for policies in all {
            let before = policies.len();
            policies.retain(|policy| policy["metadata"]["name"] != name);
            removed += before - policies.len();
        }
        removed
    }

    /// Whether a connection comes about: neither end refuses it.
    pub(crate) fn allows(&self, from: End<'_>, to: End<'_>, port: Port) -> bool {
        self.opens(from, to, port) && self.accepts(to, from, port)
    }

    /// Whether the end that opens it may.
    pub(crate) fn opens(&self, from: End<'_>, to: End<'_>, port: Port) -> bool {
        self.side(Direction::Egress, from, to, to, port)
    }

    /// Whether the end that it is opened to takes it.
    pub(crate) fn accepts(&self, to: End<'_>, from: End<'_>, port: Port) -> bool {
        self.side(Direction::Ingress, to, from, to, port)
    }

    fn side(&self, direction: Direction, own: End<'_>, peer: End<'_>, to: End<'_>, port: Port) -> bool {
        let End::Pod(pod) = own else { return true };
        let (mut isolated, mut allowed) = (false, false);
        for policy in self.policies.get(&pod.namespace).into_iter().flatten() {
            let spec = fields(&policy["spec"], &["podSelector", "policyTypes", "ingress", "egress"]);
            if !selects(&spec["podSelector"], &pod.labels) {
                continue;
            }
            let types = list(spec.get("policyTypes"));
            let named = |name: &str| types.iter().any(|one| *one == name);
            let (applies, key, peers) = match direction {
                Direction::Ingress => (types.is_empty() || named("Ingress"), "ingress", "from"),
                Direction::Egress => {
                    (if types.is_empty() { spec.contains_key("egress") } else { named("Egress") }, "egress", "to")
                }
            };
            if !applies {
                continue;
            }
            isolated = true;
            for rule in list(spec.get(key)) {
                let rule = fields(rule, &[peers, "ports"]);
                let peers = list(rule.get(peers));
                let ports = list(rule.get("ports"));
                let fits = |one: &Value| self.is_peer(one, &pod.namespace, peer);
                allowed |= (peers.is_empty() || peers.iter().any(fits))
                    && (ports.is_empty() || ports.iter().any(|one| is_port(one, to, port)));
            }
        }
        for policy in self.cilium.get(&pod.namespace).into_iter().flatten() {
            let spec = fields(&policy["spec"], &["endpointSelector", "ingress", "egress"]);
            if !selects(&spec["endpointSelector"], &pod.labels) {
                continue;
            }
            let (key, entities) = match direction {
                Direction::Ingress => ("ingress", "fromEntities"),
                Direction::Egress => ("egress", "toEntities"),
            };
            isolated |= spec.contains_key(key);
            for rule in list(spec.get(key)) {
                let rule = fields(rule, &[entities, "toPorts"]);
                let known = match peer {
                    End::Pod(_) => &[],
                    End::Address(_, names) => names,
                };
                let ports: Vec<&Value> = list(rule.get("toPorts"))
                    .iter()
                    .flat_map(|ports| list(fields(ports, &["ports"]).get("ports")))
                    .collect();
                allowed |= list(rule.get(entities)).iter().any(|one| known.iter().any(|name| one == name))
                    && (ports.is_empty() || ports.iter().any(|one| is_port(one, to, port)));
            }
        }
        !isolated || allowed
    }

    fn is_peer(&self, one: &Value, namespace: &str, peer: End<'_>) -> bool {
        let one = fields(one, &["ipBlock", "namespaceSelector", "podSelector"]);
        if let Some(block) = one.get("ipBlock") {
            assert_eq!(one.len(), 1, "a block and a selector");
            let block = fields(block, &["cidr", "except"]);
            let range = block["cidr"].as_str().unwrap();
            let except: Vec<&str> = list(block.get("except")).iter().map(|one| one.as_str().unwrap()).collect();
            for inner in &except {
                assert!(is_within(network(inner), range) && *inner != range, "{inner} is no part of {range}");
            }
            let outside = match peer {
                End::Pod(_) => false,
                End::Address(_, names) => names.contains(&"world"),
            };
            let address = peer.address();
            return (outside || !self.is_cilium)
                && is_within(address, range)
                && !except.iter().any(|range| is_within(address, range));
        }
        let End::Pod(pod) = peer else { return false };
        let in_namespace = match one.get("namespaceSelector") {
            None => pod.namespace == namespace,
            Some(selector) => {
                let labels = BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), pod.namespace.clone())]);
                selects(selector, &labels)
            }
        };
        in_namespace && one.get("podSelector").is_none_or(|selector| selects(selector, &pod.labels))
    }
}

/// The fields of a map, none but these.
fn fields<'v>(value: &'v Value, known: &[&str]) -> &'v Map<String, Value> {
    let map = value.as_object().unwrap_or_else(|| panic!("no map: {value}"));
    for key in map.keys() {
        assert!(known.contains(&key.as_str()), "`{key}` is not simulated: {value}");
    }
    map
}

fn list(value: Option<&Value>) -> &[Value] {
    value.map(|value| value.as_array().unwrap_or_else(|| panic!("no list: {value}")).as_slice()).unwrap_or_default()
}

fn selects(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let selector = fields(selector, &["matchLabels"]);
    let wanted = selector.get("matchLabels").and_then(Value::as_object);
    wanted.into_iter().flatten().all(|(key, value)| labels.get(key).is_some_and(|have| value == have))
}

fn is_port(rule: &Value, to: End<'_>, (number, transport): Port) -> bool {
    let rule = fields(rule, &["port", "protocol"]);
    if rule.get("protocol").map_or("TCP", |one| one.as_str().unwrap()) != transport {
        return false;
    }
    match &rule["port"] {
        Value::Number(one) => one.as_u64() == Some(number.into()),
        Value::String(text) if text.parse::<u16>().is_ok() => text.parse() == Ok(number),
        Value::String(name) => match to {
            End::Pod(pod) => pod.ports.get(name) == Some(&number),
            End::Address(..) => false,
        },
        other => panic!("no port: {other}"),
    }
}

fn network(range: &str) -> IpAddr {
    range.split_once('/').unwrap().0.parse().unwrap()
}

fn is_within(address: IpAddr, range: &str) -> bool {
    let length: u32 = range.split_once('/').unwrap().1.parse().unwrap();
    match (address, network(range)) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            length == 0 || (u32::from(one) ^ u32::from(other)) >> (32 - length) == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            length == 0 || (u128::from(one) ^ u128::from(other)) >> (128 - length) == 0
        }
        _ => false,
    }
}
