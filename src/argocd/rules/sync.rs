//! Sync options, automatic sync and retries.

use crate::argocd::types::{Automated, Retry, SyncPolicy};
use crate::diag::{Code, nearest};

use super::{Rules, duplicates};

/// Options of a whole Application (`syncPolicy.syncOptions`): compared letter by letter, unknown ones are ignored
/// (`SyncOptions.HasOption` in the controller, by reading).
pub(super) const APPLICATION_OPTIONS: &[&str] = &[
    "ApplyOutOfSyncOnly=true",
    "ClientSideApplyMigration=false",
    "CreateNamespace=true",
    "Delete=confirm",
    "Delete=false",
    "FailOnSharedResource=true",
    "Prune=confirm",
    "Prune=false",
    "PruneLast=true",
    "PrunePropagationPolicy=background",
    "PrunePropagationPolicy=foreground",
    "PrunePropagationPolicy=orphan",
    "Replace=true",
    "RespectIgnoreDifferences=true",
    "ServerSideApply=true",
    "SkipDryRunOnMissingResource=true",
    "Validate=false",
];

/// Options of one resource (annotation `argocd.argoproj.io/sync-options`), likewise.
pub(super) const RESOURCE_OPTIONS: &[&str] = &[
    "ClientSideApplyMigration=false",
    "Delete=confirm",
    "Delete=false",
    "Force=true",
    "Prune=confirm",
    "Prune=false",
    "PruneLast=true",
    "Replace=true",
    "ServerSideApply=false",
    "ServerSideApply=true",
    "SkipDryRunOnMissingResource=true",
    "Validate=false",
];

impl Rules {
    pub(super) fn sync_policy(&mut self, policy: &SyncPolicy) {
        if let Some(automated) = &policy.automated {
            self.at("automated", |rules| rules.automated(*automated));
        }
        self.each("syncOptions", &policy.sync_options, |rules, option| {
            rules.option(option, "sync option", APPLICATION_OPTIONS);
        });
        let keys: Vec<&str> = policy.sync_options.iter().map(|option| key(option)).collect();
        for (index, key) in duplicates(&keys) {
            self.at(format_args!("syncOptions[{index}]"), |rules| {
                rules.add(Code::OutClash, format!("`{key}` stands twice"));
            });
        }
        if let Some(retry) = &policy.retry {
            self.at("retry", |rules| rules.retry(retry));
        }
    }

    /// One word of a closed list that Argo CD compares letter by letter.
    pub(super) fn option(&mut self, option: &str, what: &str, known: &[&str]) {
        if known.contains(&option) {
            return;
        }
        let help = nearest(option, known.iter().copied())
            .or_else(|| known.iter().copied().find(|known| key(known).eq_ignore_ascii_case(key(option))));
        self.field(format!("Argo CD ignores the {what} `{option}`")).help =
            help.map(|known| format!("did you mean `{known}`?"));
    }

    fn automated(&mut self, automated: Automated) {
        if automated.enabled.is_some() && !self.version.has_automated_enabled() {
            self.at("enabled", |rules| {
                rules.field("is known since Argo CD 3.1");
            });
        }
        if self.version.keeps_explicit_false() {
            return;
        }
        // Before 3.4 these were plain booleans, and a false was dropped when the controller wrote the object back.
        for (name, flag) in [("prune", automated.prune), ("selfHeal", automated.self_heal)] {
            if flag == Some(false) {
                self.at(name, |rules| {
                    rules.field("is `false`, which Argo CD keeps since 3.4").help = Some("leave it out".into());
                });
            }
        }
    }

    fn retry(&mut self, retry: &Retry) {
        if retry.refresh && !self.version.has_retry_refresh() {
            self.at("refresh", |rules| {
                rules.field("is known since Argo CD 3.2");
            });
        }
        let Some(backoff) = &retry.backoff else { return };
        self.at("backoff", |rules| {
            let mut lengths = Vec::new();
            for (name, text) in [("duration", &backoff.duration), ("maxDuration", &backoff.max_duration)] {
                if text.is_empty() {
                    continue;
                }
                match seconds(text) {
                    Some(length) => lengths.push(length),
                    None => rules.at(name, |rules| {
                        rules.field(format!("`{text}` is not a duration")).help =
                            Some("write `5s`, `1m30s` or whole seconds".into());
                    }),
                }
            }
            if let [pause, longest] = lengths[..]
                && pause > longest
            {
                rules.field("`duration` is longer than `maxDuration`");
            }
            if backoff.factor.is_some_and(|factor| factor < 1) {
                rules.at("factor", |rules| {
                    rules.field("is below 1");
                });
            }
        });
    }
}

/// What stands before `=`.
fn key(option: &str) -> &str {
    option.split_once('=').map_or(option, |(key, _)| key)
}

/// A duration as Argo CD reads it: whole seconds, or Go's notation (`1h2m3.5s`).
fn seconds(text: &str) -> Option<f64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match &rest[..unit] {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations() {
        for (text, expected) in
            [("5s", 5.0), ("3m", 180.0), ("1h2m3.5s", 3723.5), ("90", 90.0), ("0", 0.0), ("250ms", 0.25)]
        {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "s", "5 s", "5S", "1d", "-5s", "5s3", ".", ".s", "1.2.3s"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
