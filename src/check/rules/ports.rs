//! `port/clash`: two releases that want one node port or host port of a cluster.
//!
//! Node ports are the cluster's: the API server refuses the second Service. Host ports are each node's: the second pod
//! stays pending on every node that has the first, which may be meant, so that is a warning. `paths.nodePorts` and
//! `paths.hostPorts` lead to ports in values; manifests say theirs themselves.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Subject;
use crate::diag::{Code, Diagnostic, Level, Span};
use crate::merge::{Path, Step};
use crate::plan::Plan;
use crate::plan::manifests::Object;

/// Earlier claims of one port that a claim is compared with; beyond that something else is wrong.
const COMPARED: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Node,
    Host,
}

/// A port that a release wants.
#[derive(Debug)]
pub(super) struct Claim {
    cluster: usize,
    release: usize,
    kind: Kind,
    port: u16,
    /// `TCP`, `UDP` or `SCTP`; `None` where the values do not say.
    protocol: Option<String>,
    /// The address of the node it listens on, if not all.
    address: Option<String>,
    at: Span,
}

impl Claim {
    fn meets(&self, other: &Self) -> bool {
        let differ =
            |one: &Option<String>, two: &Option<String>| matches!((one, two), (Some(one), Some(two)) if one != two);
        if differ(&self.protocol, &other.protocol) || differ(&self.address, &other.address) {
            return false;
        }
        // Within a release values may name one port twice (TCP and UDP), and one pod template stands for one pod.
        self.release != other.release || self.kind == Kind::Node && self.protocol.is_some() && other.protocol.is_some()
    }
}

/// Finds the ports of a release on a cluster.
pub(super) fn collect(subject: &Subject<'_>, claims: &mut Vec<Claim>) {
    let claim = |kind, port: &Json, protocol: Option<&Json>, address: Option<&Json>, at| {
        let number = port.as_u64().or_else(|| port.as_str()?.parse().ok());
        let port = number.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)?;
        let text =
            |value: Option<&Json>| value.and_then(Json::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let protocol = text(protocol).map(|protocol| protocol.to_ascii_uppercase());
        let address = text(address).filter(|address| address != "0.0.0.0" && address != "::");
        Some(Claim { cluster: subject.cluster, release: subject.number, kind, port, protocol, address, at })
    };
    let entry = || subject.release().entry_span(subject.plan.env_of(subject.release()));
    if subject.release().spec.chart.is_some() {
        for (kind, name) in [(Kind::Node, "nodePorts"), (Kind::Host, "hostPorts")] {
            for setting in subject.settings(name).into_iter().flat_map(|(_, settings)| settings) {
                let protocol = subject.beside(&setting.path, "protocol");
                let place = subject.place(&setting.path).map(|(span, _)| span);
                let at = place.filter(|span| !subject.is_builtin(*span)).unwrap_or_else(entry);
                let ports = setting.value.as_array().map_or(std::slice::from_ref(&setting.value), Vec::as_slice);
                claims.extend(ports.iter().filter_map(|port| claim(kind, port, protocol.as_ref(), None, at)));
            }
        }
    }
    let tcp = Json::from("TCP");
    for object in subject.files.iter().flat_map(|file| &file.objects) {
        for (kind, path, map) in of_object(object) {
            let field = if kind == Kind::Node { "nodePort" } else { "hostPort" };
            // A pod in the host's network has its ports there.
            let port = map.get(field).or_else(|| (kind == Kind::Host).then(|| map.get("containerPort"))?);
            let protocol = map.get("protocol").or(Some(&tcp));
            let at = object.value_span(&path);
            claims.extend(port.and_then(|port| claim(kind, port, protocol, map.get("hostIP"), at)));
        }
    }
}

/// The ports in an object that are the node's, each with its path and its map.
fn of_object(object: &Object) -> Vec<(Kind, Path, &Json)> {
    let value = &object.value;
    let path = |steps: &[&str]| Path(steps.iter().map(|step| Step::Key((*step).to_owned())).collect());
    let items = |map: &'_ Json, key: &str| map.get(key).and_then(Json::as_array).map_or(0, Vec::len);
    let below = |path: &Path, key: &str, index: usize| {
        let steps = path.0.iter().cloned().chain([Step::Key(key.to_owned()), Step::Index(index)]);
        Path(steps.collect())
    };
    let mut found = Vec::new();
    let steps: &[&str] = match value.get("kind").and_then(Json::as_str).unwrap_or_default() {
        "Service" => {
            let Some(spec) = value.get("spec") else { return found };
            for index in 0..items(spec, "ports") {
                let port = &spec["ports"][index];
                if port.get("nodePort").is_some() {
                    found.push((Kind::Node, below(&path(&["spec"]), "ports", index), port));
                }
            }
            return found;
        }
        "Pod" => &["spec"],
        "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet" | "Job" => &["spec", "template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return found,
    };
    let Some(spec) = steps.iter().try_fold(value, |value, step| value.get(step)) else { return found };
    let on_host = spec.get("hostNetwork") == Some(&Json::Bool(true));
    for container in 0..items(spec, "containers") {
        let at = below(&path(steps), "containers", container);
        let map = &spec["containers"][container];
        for index in 0..items(map, "ports") {
            let port = &map["ports"][index];
            if on_host || port.get("hostPort").is_some() {
                found.push((Kind::Host, below(&at, "ports", index), port));
            }
        }
    }
    found
}

/// Finds the ports that are wanted twice.
pub(super) fn check(plan: &Plan, claims: Vec<Claim>, findings: &mut Vec<Diagnostic>) {
    // Clusters of one name are one, whichever environments share it.
    let mut by_port: BTreeMap<(&str, Kind, u16), Vec<Claim>> = BTreeMap::new();
    for claim in claims {
        let cluster = plan.clusters[claim.cluster].name.as_str();
        by_port.entry((cluster, claim.kind, claim.port)).or_default().push(claim);
    }
    for ((cluster, kind, port), mut claims) in by_port {
        claims.sort_by_key(|claim| (claim.release, claim.at.file, claim.at.start));
        for (number, claim) in claims.iter().enumerate() {
            let Some(other) = claims[..number].iter().take(COMPARED).find(|other| claim.meets(other)) else { continue };
            let (own, first) = (&plan.releases[claim.release].name, &plan.releases[other.release].name);
            let (what, level, why) = match kind {
                Kind::Node => ("node", Level::Error, "Kubernetes would refuse the second Service"),
                Kind::Host => ("host", Level::Warning, "on a node that runs the one, the other's pods stay pending"),
            };
            let who = if own == first { format!("twice by `{own}`") } else { format!("by `{first}` and by `{own}`") };
            let message = format!("{what} port {port} is claimed {who}");
            let finding = Diagnostic::new(Code::PortClash, message).level(level);
            let finding = finding.at(claim.at, format!("for {cluster}/{own}")).at(other.at, "and here");
            findings.push(finding.note(why).help("give one of them another port"));
        }
    }
}
