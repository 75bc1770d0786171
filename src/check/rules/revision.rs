//! `catalog/revision`: a Git revision that moves, so that a cluster changes without a commit in this repository.
//!
//! A chart's version has to be exact (`kind/version`). Of a Git revision nobody can tell without asking the server whether
//! it is a tag or a branch; some words give themselves away, and so do the ranges that Argo CD resolves.

use crate::diag::{Code, Diagnostic};
use crate::plan::Plan;

/// Names that only branches have.
const BRANCHES: &[&str] = &["HEAD", "main", "master", "trunk", "develop", "development", "dev", "latest", "stable"];

pub(super) fn check(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    for release in plan.releases.iter().filter(|release| release.spec.git.is_some()) {
        let Some(revision) = release.version().filter(|revision| moves(revision)) else { continue };
        let env = plan.env_of(release);
        let pinned = env.entry_keys(release.name.as_str()).any(|key| key == "version");
        let at = if pinned { vec!["version"] } else { vec!["git", "revision"] };
        let finding = Diagnostic::new(Code::CatalogRevision, format!("`{revision}` is no fixed revision"))
            .at(release.span(env, &at), format!("of `{}`", release.name));
        findings.push(finding.help("write a tag or a commit; whatever moves changes clusters without a review"));
    }
}

fn moves(revision: &str) -> bool {
    revision.is_empty()
        || BRANCHES.contains(&revision)
        || revision.starts_with("refs/heads/")
        || revision.contains(['*', '^', '~', '<', '>', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions() {
        for text in ["HEAD", "main", "refs/heads/x", "1.*", ">=1.0.0", "~1.2"] {
            assert!(moves(text), "{text}");
        }
        for text in ["v1.2.3", "1.2.3", "refs/tags/v1", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "main-2024-01-01"] {
            assert!(!moves(text), "{text}");
        }
    }
}
