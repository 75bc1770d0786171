//! The environment's Pod Security level against what releases need.
//!
//! A namespace gets the weakest level that any release in it needs, so a release never has pods that are refused. Where the
//! policy asks for more, that is said here, to people, rather than enforced against running pods.

use std::collections::BTreeSet;

use super::namespace;
use crate::diag::{Code, Diagnostic};
use crate::plan::Plan;

/// Releases that need a weaker level than the policy, in namespaces that are hlgen's.
pub(super) fn check(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    let installed: BTreeSet<usize> = plan.clusters.iter().map(|cluster| cluster.env).collect();
    for release in plan.releases.iter().filter(|release| installed.contains(&release.env)) {
        let Some(policy) = plan.policies(release.env).pod_security else { continue };
        let level = release.spec.security.pod_security;
        if level >= policy || !namespace::is_ours(release) {
            continue;
        }
        let env = plan.env_of(release);
        let (level, policy) = (level.as_str(), policy.as_str());
        let message = format!(
            "`{}` needs the Pod Security level `{level}`, and `{}` asks for `{policy}`",
            release.name, env.name
        );
        let entry = release.entry_span(env);
        let declared = release.span(env, &["security", "podSecurity"]);
        let at_policy = match env.spec.policies.pod_security {
            Some(_) => env.span(&["policies", "podSecurity"]),
            None => plan.project_span(&["policies", "podSecurity"]),
        };
        let mut finding = Diagnostic::new(Code::PolicyPodSecurity, message).at(entry, "this release");
        if declared != entry {
            finding = finding.at(declared, "needed here");
        }
        let help = format!(
            "write `security: {{ podSecurity: {policy} }}` once its pods keep to it, or `# hlgen: allow {} -- why` behind the release's name",
            Code::PolicyPodSecurity
        );
        findings.push(finding.at(at_policy, "the policy").help(help));
    }
}
