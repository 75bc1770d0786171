//! The simulator against what the documentation of Kubernetes and Cilium says, before anything is judged with it.

use std::collections::BTreeMap;

use super::network_policies::{Cluster, End, Pod, Port};

const WEB: Port = (80, "TCP");

fn pod(namespace: &str, app: &str, address: &str) -> Pod {
    Pod {
        namespace: namespace.into(),
        labels: BTreeMap::from([("app".to_owned(), app.to_owned())]),
        address: address.parse().unwrap(),
        ports: BTreeMap::from([("http".to_owned(), 80)]),
    }
}

fn policy(spec: &str) -> Cluster {
    let text = format!(
        "{{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{ name: x, namespace: a }}, spec: {spec} }}"
    );
    Cluster::of_texts(std::iter::once(text.as_str()), false)
}

/// Whether `from` of namespace `b` with the label `app: from` reaches `to` of namespace `a`.
fn arrives(spec: &str, port: Port) -> bool {
    let (from, to) = (pod("b", "from", "10.0.0.1"), pod("a", "to", "10.0.0.2"));
    policy(spec).allows(End::Pod(&from), End::Pod(&to), port)
}

#[test]
fn a_pod_that_no_policy_selects_is_open() {
    assert!(arrives("{ podSelector: { matchLabels: { app: other } } }", WEB));
    assert!(!arrives("{ podSelector: {} }", WEB));
    assert!(!arrives("{ podSelector: { matchLabels: { app: to } } }", WEB));
}

#[test]
fn each_direction_is_isolated_by_itself() {
    assert!(arrives("{ podSelector: {}, policyTypes: [Egress] }", WEB));
    // Without types a policy is about what comes in, and about what goes out only where it has rules for that.
    let (from, to) = (pod("a", "from", "10.0.0.1"), pod("b", "to", "10.0.0.2"));
    let leaves = |spec: &str| policy(spec).allows(End::Pod(&from), End::Pod(&to), WEB);
    assert!(leaves("{ podSelector: {} }"));
    assert!(!leaves("{ podSelector: {}, egress: [] }"));
    assert!(!leaves("{ podSelector: {}, policyTypes: [Egress] }"));
    assert!(leaves("{ podSelector: {}, policyTypes: [Egress], egress: [{}] }"));
}

#[test]
fn selectors_of_one_item_are_both_meant() {
    let rule = |peers: &str| arrives(&format!("{{ podSelector: {{}}, ingress: [{{ from: {peers} }}] }}"), WEB);
    let namespace = "namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: b } }";
    assert!(rule(&format!("[{{ {namespace} }}]")));
    assert!(rule(&format!("[{{ {namespace}, podSelector: {{ matchLabels: {{ app: from }} }} }}]")));
    assert!(!rule(&format!("[{{ {namespace}, podSelector: {{ matchLabels: {{ app: x }} }} }}]")));
    assert!(rule(&format!("[{{ {namespace} }}, {{ podSelector: {{ matchLabels: {{ app: x }} }} }}]")));
    // A selector of pods alone means the policy's own namespace.
    assert!(!rule("[{ podSelector: {} }]"));
    assert!(rule("[{ ipBlock: { cidr: 10.0.0.0/24 } }]"));
    assert!(!rule("[{ ipBlock: { cidr: 10.0.0.0/24, except: [10.0.0.1/32] } }]"));
    assert!(!rule("[{ ipBlock: { cidr: 10.0.1.0/24 } }]"));
    assert!(rule("[{ ipBlock: { cidr: 0.0.0.0/0 } }]"));
    assert!(!rule("[{ ipBlock: { cidr: '::/0' } }]"));
}

#[test]
fn ports_have_a_number_or_a_name_and_a_transport() {
    let rule =
        |ports: &str, port: Port| arrives(&format!("{{ podSelector: {{}}, ingress: [{{ ports: {ports} }}] }}"), port);
    assert!(rule("[{ port: 80 }]", WEB));
    assert!(rule("[{ port: http, protocol: TCP }]", WEB));
    assert!(!rule("[{ port: http }]", (81, "TCP")));
    assert!(!rule("[{ port: 80 }]", (80, "UDP")));
    assert!(rule("[{ port: 53, protocol: UDP }, { port: 80 }]", (53, "UDP")));
}

#[test]
fn a_field_that_is_not_simulated_ends_the_test() {
    let judged = std::panic::catch_unwind(|| arrives("{ podSelector: { matchExpressions: [] } }", WEB));
    assert!(judged.is_err());
}

#[test]
fn cilium_tells_by_identity_what_a_range_would_not() {
    let text = "{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: x, namespace: a }, \
        spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 0.0.0.0/0 } }] }] } }\n---\n\
        { apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: { name: x, namespace: a }, spec: { \
        endpointSelector: {}, ingress: [{ fromEntities: [kube-apiserver], toPorts: [{ ports: [{ port: '80', protocol: TCP }] }] }] } }";
    let cluster = Cluster::of_texts(std::iter::once(text), true);
    let (from, to) = (pod("b", "from", "10.0.0.1"), pod("a", "to", "10.0.0.2"));
    let address = "192.0.2.1".parse().unwrap();
    let accepts = |from: End<'_>, port: Port| cluster.allows(from, End::Pod(&to), port);
    assert!(!accepts(End::Pod(&from), WEB));
    assert!(accepts(End::Address(address, &["world"]), WEB));
    assert!(!accepts(End::Address(address, &["remote-node"]), WEB));
    assert!(accepts(End::Address(address, &["kube-apiserver", "remote-node"]), WEB));
    assert!(!accepts(End::Address(address, &["kube-apiserver", "remote-node"]), (81, "TCP")));
}
