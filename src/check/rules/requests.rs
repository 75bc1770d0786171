//! `resources/requests`: pods in production that ask for nothing, so that the scheduler packs them without end and the
//! kubelet evicts them first.
//!
//! `paths.resources` leads to a container's resources. A limit counts as a request, as Kubernetes itself copies it.

use serde_json::Value as Json;

use super::Subject;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !subject.in_production() {
        return;
    }
    for (pattern, settings) in subject.settings("resources") {
        for setting in settings {
            let asks = |resource: &str| {
                // Kubernetes' own form, and the one of charts that turn it around (`cpu: { request: 10m }`).
                let own = [["requests", resource], ["limits", resource]];
                let turned = [[resource, "request"], [resource, "limit"]];
                let set = |[outer, inner]: [&str; 2]| setting.value.get(outer)?.get(inner);
                own.into_iter().chain(turned).filter_map(set).any(|amount| !is_nothing(amount))
            };
            let lacking = match (asks("cpu"), asks("memory")) {
                (true, true) => continue,
                (false, false) => "neither CPU nor memory",
                (false, true) => "no CPU",
                (true, false) => "no memory",
            };
            // Something that is no map is for the chart to judge.
            if !matches!(setting.value, Json::Object(_) | Json::Null) {
                continue;
            }
            let release = &subject.release().name;
            let message = format!("`{release}` asks for {lacking} in production");
            let finding = subject.finding(Code::ResourcesRequests, message, "resources", &setting.path);
            findings.push(finding.help(format!(
                "set what it needs, for example `requests: {{ cpu: 100m, memory: 128Mi }}` below `{pattern}`"
            )));
        }
    }
}

fn is_nothing(amount: &Json) -> bool {
    match amount {
        Json::String(text) => text.is_empty(),
        other => other.is_null(),
    }
}
