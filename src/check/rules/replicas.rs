//! `replicas/single`: one replica in production, so that every restart is an outage, without anybody saying that this is
//! meant. `singleton: <why>` says so.
//!
//! `paths.replicas` leads to the number, or with `*` to several whose sum counts.

use serde_json::Value as Json;

use super::Subject;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let release = subject.release();
    let said = release.spec.singleton.as_deref().is_some_and(|why| !why.trim().is_empty());
    if said || !subject.in_production() {
        return;
    }
    for (pattern, settings) in subject.settings("replicas") {
        let numbers: Vec<u64> = settings.iter().filter_map(|setting| number(&setting.value)).collect();
        let unset = settings.iter().all(|setting| setting.value.is_null());
        let message = match numbers.iter().fold(0, |sum: u64, number| sum.saturating_add(*number)) {
            1 => format!("`{}` has one replica in production", release.name),
            _ if unset => format!("nothing says how many replicas `{}` has in production", release.name),
            _ => continue,
        };
        let Some(setting) = settings.iter().find(|setting| unset || number(&setting.value) == Some(1)) else {
            continue;
        };
        let finding = subject.finding(Code::ReplicasSingle, message, "replicas", &setting.path);
        findings.push(finding.help(format!(
            "set `{pattern}` to 2 or more, or say at the release why one is right: `singleton: its volume can be mounted once`"
        )));
    }
}

fn number(value: &Json) -> Option<u64> {
    match value {
        Json::Number(number) => number.as_u64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}
