//! Findings of both sides as data that may be shown, and which of them make a side impossible to compare.

use rustc_hash::FxHashSet;

use super::changes::{Changes, Finding, SideInfo};
use super::{Side, cause};
use crate::diag::{Code, Diagnostic, Level, SourceMap};
use crate::secret::source;

/// Whether a finding of planning means that releases may be missing from the plan, so that comparing it would show them as
/// deleted. What is merely not allowed is compared.
pub fn breaks(finding: &Diagnostic) -> bool {
    use Code::{
        FileEncoding, FileMissing, FileUnreadable, HlgenVersion, KindField, KindHeader, KindMissingField, KindName,
        KindUnknownField, KindVersion, MergeTag, MergeTypeClash, RefDuplicate, RefFrom, RefInstance, RefUnknownApp,
        RefUnknownEnvironment, RefUnknownProfile, RefUnknownRelease, YamlAlias, YamlDuplicateKey, YamlKey, YamlLimit,
        YamlMergeKey, YamlSyntax, YamlTab, YamlTag,
    };
    finding.level == Level::Error
        && matches!(
            finding.code,
            FileMissing
                | FileUnreadable
                | FileEncoding
                | YamlSyntax
                | YamlTab
                | YamlDuplicateKey
                | YamlKey
                | YamlAlias
                | YamlLimit
                | YamlTag
                | YamlMergeKey
                | KindHeader
                | KindUnknownField
                | KindField
                | KindMissingField
                | KindName
                | KindVersion
                | RefUnknownApp
                | RefUnknownEnvironment
                | RefUnknownRelease
                | RefUnknownProfile
                | RefFrom
                | RefDuplicate
                | RefInstance
                | HlgenVersion
                | MergeTypeClash
                | MergeTag
        )
}

/// Takes the secrets of both sides' files out of messages.
pub struct Scrub {
    secrets: Vec<String>,
}

impl Scrub {
    pub fn new(base: &SourceMap, head: &SourceMap) -> Self {
        let mut secrets: Vec<String> = Vec::new();
        for sources in [base, head] {
            for id in sources.ids() {
                let text = &sources.file(id).text;
                secrets.extend(source::texts(text, &source::ranges(text)));
            }
        }
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Self { secrets }
    }

    /// A text without them.
    pub fn text(&self, text: &str) -> String {
        source::scrub(text, &self.secrets)
    }

    /// A finding for people.
    pub fn finding(&self, finding: &Diagnostic, sources: &SourceMap) -> Finding {
        let text = |text: &str| if finding.code.is_on_a_secret() { text.to_owned() } else { self.text(text) };
        Finding {
            code: finding.code.info().name.to_owned(),
            level: finding.level.as_str().to_owned(),
            message: text(&finding.message),
            place: finding.span().map(|span| cause::place(sources, span)),
            help: finding.help.as_deref().map(text),
        }
    }
}

/// The changes of two sides of which at least one cannot be planned.
pub(super) fn broken(base: &Side<'_>, head: &Side<'_>) -> Changes {
    let scrub = Scrub::new(base.docs.sources, head.docs.sources);
    let info = |side: &Side<'_>| {
        let reasons = side
            .findings
            .iter()
            .filter(|finding| breaks(finding) || side.plan.is_none() && finding.level == Level::Error);
        let mut broken: Vec<Finding> = reasons.map(|finding| scrub.finding(finding, side.docs.sources)).collect();
        broken.sort_by(|a, b| (&a.place, &a.code, &a.message).cmp(&(&b.place, &b.code, &b.message)));
        broken.dedup();
        SideInfo {
            name: side.name.to_owned(),
            commit: side.commit.map(str::to_owned),
            releases: side.plan.map_or(0, |plan| plan.releases.len()),
            broken,
        }
    };
    Changes { base: info(base), head: info(head), ..Changes::default() }
}

/// The findings to show above a comparison: what is wrong in the head, and what only warns where the base did not.
pub(super) fn shown(base: &Side<'_>, head: &Side<'_>, found: &(Vec<Diagnostic>, Vec<Diagnostic>)) -> Vec<Finding> {
    let worth = |finding: &&Diagnostic| finding.level >= Level::Warning;
    if !found.1.iter().any(|finding| worth(&finding)) {
        return Vec::new();
    }
    let scrub = Scrub::new(base.docs.sources, head.docs.sources);
    let key = |finding: &Finding| {
        (finding.code.clone(), finding.message.clone(), finding.place.as_ref().map(|place| place.file.clone()))
    };
    let convert = |findings: &[Diagnostic], side: &Side<'_>| -> Vec<Finding> {
        findings.iter().filter(worth).map(|finding| scrub.finding(finding, side.docs.sources)).collect()
    };
    let before: FxHashSet<_> = convert(&found.0, base).iter().map(key).collect();
    let mut shown = convert(&found.1, head);
    shown.retain(|finding| finding.level == "error" || !before.contains(&key(finding)));
    shown.sort_by(|a, b| (&a.level, &a.place, &a.code, &a.message).cmp(&(&b.level, &b.place, &b.code, &b.message)));
    shown.dedup();
    shown
}
