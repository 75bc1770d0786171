//! The levels a project gives to findings (`severity:` in `hlgen.yaml`).
//!
//! What is broken and what is refused differ. A refused result was computed, so whether it may be used is for the
//! project to say. Where something is broken there is nothing to use, and a run that kept quiet about it would leave
//! things out without a word: such findings stay errors, and asking for another level is a finding itself.

use indexmap::IndexMap;

use crate::diag::{Code, Diagnostic, Level, Span, nearest};
use crate::model::Severity;

/// Whether a finding of this code, where it is an error, means that something could not be computed.
pub fn is_fixed(code: Code) -> bool {
    use Code as C;
    matches!(
        code,
        C::FileMissing
            | C::FileUnreadable
            | C::FileExists
            | C::FileEdit
            | C::FileEncoding
            | C::YamlSyntax
            | C::YamlTab
            | C::YamlDuplicateKey
            | C::YamlKey
            | C::YamlAlias
            | C::YamlLimit
            | C::YamlDocuments
            | C::YamlTag
            | C::YamlMergeKey
            | C::LimitInput
            | C::LimitNodes
            | C::LimitSteps
            | C::LimitFindings
            | C::LimitOutput
            | C::KindHeader
            | C::KindUnknownField
            | C::KindField
            | C::KindMissingField
            | C::KindName
            | C::KindVersion
            | C::RefUnknownApp
            | C::RefUnknownEnvironment
            | C::RefUnknownRelease
            | C::RefUnknownProfile
            | C::RefUnknownCapability
            | C::RefFrom
            | C::RefDuplicate
            | C::RefInstance
            | C::HlgenVersion
            | C::CapabilityMissing
            | C::CapabilityAmbiguous
            | C::CapabilityChoice
            | C::CapabilityData
            | C::OrderCycle
            | C::MergeTypeClash
            | C::MergeTag
            | C::MergeGlobalOnly
            | C::TemplateSyntax
            | C::TemplateUndefined
            | C::TemplateFailed
            | C::TemplateLimit
            | C::TemplateKey
            | C::OutClash
            | C::OutManifest
            | C::OutForeign
            | C::SecretsReference
            | C::SecretsProvider
            | C::BootstrapCluster
            | C::BootstrapArgocd
            | C::BackupClass
            | C::PluginParameter
            | C::PluginEmpty
    )
}

/// Codes that a word in `severity:` or in an allow-comment means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern<'a> {
    Code(Code),
    /// `area/*`
    Area(&'a str),
}

impl<'a> Pattern<'a> {
    /// `Err` holds the nearest name, if one is near.
    pub(super) fn parse(word: &'a str) -> Result<Self, Option<String>> {
        if let Some(area) = word.strip_suffix("/*") {
            if Code::ALL.iter().any(|code| area_of(*code) == area) {
                return Ok(Self::Area(area));
            }
            let near = nearest(area, Code::ALL.iter().map(|code| area_of(*code)));
            return Err(near.map(|area| format!("{area}/*")));
        }
        let near = || nearest(word, Code::ALL.iter().map(|code| code.info().name)).map(str::to_owned);
        Code::from_name(word).map(Self::Code).ok_or_else(near)
    }

    pub(super) fn matches(self, code: Code) -> bool {
        match self {
            Self::Code(own) => own == code,
            Self::Area(area) => area_of(code) == area,
        }
    }

    /// Whether every code it means is one that stays an error.
    pub(super) fn is_fixed(self) -> bool {
        Code::ALL.iter().filter(|code| self.matches(**code)).all(|code| is_fixed(*code))
    }
}

fn area_of(code: Code) -> &'static str {
    code.info().name.split('/').next().unwrap_or_default()
}

/// The finding for a word that is no code.
pub(super) fn unknown_code(word: &str, near: Option<String>, place: Option<Span>) -> Diagnostic {
    let finding = Diagnostic::new(Code::RefUnknownCode, format!("unknown finding code `{word}`"));
    let finding = match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("`docs/rules/README.md` lists all codes; `area/*` means all of an area"),
    };
    match place {
        Some(span) => finding.at(span, ""),
        None => finding,
    }
}

/// What is wrong with a project's `severity:` itself: unknown codes, and levels for what stays an error. `place` gives
/// the span of a key.
pub fn check(severity: &IndexMap<String, Severity>, place: impl Fn(&str) -> Option<Span>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (word, level) in severity {
        match Pattern::parse(word) {
            Err(near) => findings.push(unknown_code(word, near, place(word))),
            Ok(pattern) if pattern.is_fixed() && *level != Severity::Error => {
                let message =
                    format!("`{word}` cannot have another level: it means that something could not be computed");
                let finding =
                    Diagnostic::new(Code::AllowInvalid, message).help("remove this line and correct what is found");
                findings.push(match place(word) {
                    Some(span) => finding.at(span, "stays an error"),
                    None => finding,
                });
            }
            Ok(_) => {}
        }
    }
    findings
}

/// Gives findings the levels that the project asks for; the exact code wins over `area/*`. Findings that are allowed
/// are left out.
pub fn apply(findings: &mut Vec<Diagnostic>, severity: &IndexMap<String, Severity>) {
    if severity.is_empty() {
        return;
    }
    findings.retain_mut(|finding| {
        let name = finding.code.info().name;
        let area = || severity.get(&format!("{}/*", area_of(finding.code)));
        let Some(level) = severity.get(name).or_else(area) else { return true };
        if is_fixed(finding.code) && finding.level == Level::Error {
            return true;
        }
        finding.level = match level {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
            Severity::Note => Level::Note,
            Severity::Allow => return false,
        };
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn severity(entries: &[(&str, Severity)]) -> IndexMap<String, Severity> {
        entries.iter().map(|(word, level)| ((*word).to_owned(), *level)).collect()
    }

    fn levels(entries: &[(&str, Severity)], codes: &[Code]) -> Vec<(Code, Level)> {
        let mut findings = codes.iter().map(|code| Diagnostic::new(*code, "x")).collect();
        apply(&mut findings, &severity(entries));
        findings.into_iter().map(|finding| (finding.code, finding.level)).collect()
    }

    #[test]
    fn the_exact_code_wins_over_its_area() {
        let codes = [Code::ValuesSchema, Code::ValuesUnknownKey, Code::CatalogUnpinned, Code::OutSize];
        let entries = [
            ("values/unknown-key", Severity::Error),
            ("values/*", Severity::Note),
            ("catalog/unpinned", Severity::Allow),
        ];
        let expected =
            [(Code::ValuesSchema, Level::Note), (Code::ValuesUnknownKey, Level::Error), (Code::OutSize, Level::Error)];
        assert_eq!(levels(&entries, &codes), expected);
    }

    #[test]
    fn what_is_broken_stays_an_error() {
        let codes = [Code::YamlSyntax, Code::YamlAmbiguousScalar];
        for entries in [
            [("yaml/*", Severity::Allow), ("x", Severity::Allow)],
            [("yaml/syntax", Severity::Allow), ("yaml/*", Severity::Allow)],
        ] {
            assert_eq!(levels(&entries, &codes), [(Code::YamlSyntax, Level::Error)]);
        }
        // A check that only warns can be answered.
        let mut findings = vec![Diagnostic::new(Code::FileMissing, "x").level(Level::Warning)];
        apply(&mut findings, &severity(&[("file/missing", Severity::Allow)]));
        assert!(findings.is_empty());
    }

    #[test]
    fn words_that_mean_nothing_are_found() {
        let entries = severity(&[
            ("yaml/sintax", Severity::Note),
            ("yamls/*", Severity::Note),
            ("yaml/syntax", Severity::Warning),
            ("kind/*", Severity::Allow),
            ("order/cycle", Severity::Error),
            ("yaml/*", Severity::Warning),
        ]);
        let findings = check(&entries, |_| None);
        let shown: Vec<_> =
            findings.iter().map(|finding| (finding.code, finding.help.as_deref().unwrap_or_default())).collect();
        assert_eq!(shown[0], (Code::RefUnknownCode, "did you mean `yaml/syntax`?"));
        assert_eq!(shown[1], (Code::RefUnknownCode, "did you mean `yaml/*`?"));
        assert_eq!(shown[2].0, Code::AllowInvalid);
        assert_eq!(shown[3].0, Code::AllowInvalid);
        assert_eq!(shown.len(), 4);
    }
}
