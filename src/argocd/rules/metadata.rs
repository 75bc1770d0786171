//! Names, labels, annotations and finalizers of any object, and the annotations that mean something to Argo CD.

use indexmap::IndexMap;

use crate::argocd::types::{Application, Metadata, keys};
use crate::argocd::{Version, names};
use crate::diag::{Code, Level};

use super::{Rules, Violation, duplicates, json_size, sync};

/// All annotations of an object together (`TotalAnnotationSizeLimitB` of apimachinery).
const ANNOTATIONS_MAX: usize = 256 * 1024;
/// What etcd takes in one request.
pub(super) const OBJECT_MAX: usize = 1536 * 1024;
/// Copies of the source that Argo CD keeps besides the history: spec, comparison, and twice in the last operation.
const COPIES: i64 = 4;
/// History entries unless an Application says otherwise.
const HISTORY: i64 = 10;

/// Checks what is common to all Kubernetes objects, and Argo CD's annotations, on a resource that an Application
/// installs.
///
/// `object` is `Kind/name`, for the violations.
pub fn resource(
    object: &str,
    labels: &IndexMap<String, String>,
    annotations: &IndexMap<String, String>,
    version: Version,
) -> Vec<Violation> {
    let mut rules = Rules::new(version, object.to_owned());
    rules.at("metadata", |rules| {
        rules.labels(labels);
        rules.annotations(annotations);
        if annotations.contains_key(keys::TRACKING_ID) {
            rules.at(format_args!("annotations[\"{}\"]", keys::TRACKING_ID), |rules| {
                rules.field("is written by Argo CD itself");
            });
        }
    });
    rules.found
}

impl Rules {
    /// A name as most kinds want it, the namespace, labels and annotations.
    pub(super) fn metadata(&mut self, metadata: &Metadata) {
        self.at("name", |rules| {
            // IsDNS1123Subdomain of apimachinery.
            if !names::is_dns_subdomain(&metadata.name) {
                let name = &metadata.name;
                rules.name(format!("`{name}` is not a DNS name (a-z, 0-9, `-` and `.`, at most 253 characters)"));
            }
        });
        if !metadata.namespace.is_empty() && !names::is_dns_label(&metadata.namespace) {
            self.at("namespace", |rules| {
                rules.name(format!("`{}` is not the name of a namespace", metadata.namespace));
            });
        }
        self.labels(&metadata.labels);
        self.annotations(&metadata.annotations);
    }

    /// Source: `ValidateLabels` of apimachinery.
    fn labels(&mut self, labels: &IndexMap<String, String>) {
        for (key, value) in labels {
            let (key_fits, value_fits) = (names::is_label_key(key), names::is_label_value(value));
            if key_fits && value_fits {
                continue;
            }
            self.at(format_args!("labels[\"{key}\"]"), |rules| {
                if !key_fits {
                    rules.name(format!("`{key}` is not a label key"));
                }
                if !value_fits {
                    let rule = "at most 63 of letters, digits, `-`, `_` and `.`, a letter or digit at both ends";
                    rules.name(format!("`{value}` is not a label value")).help = Some(rule.into());
                }
            });
        }
    }

    /// Source: `ValidateAnnotations` of apimachinery; the rest by reading.
    fn annotations(&mut self, annotations: &IndexMap<String, String>) {
        for (key, value) in annotations {
            self.at(format_args!("annotations[\"{key}\"]"), |rules| {
                if !names::is_annotation_key(key) {
                    rules.name(format!("`{key}` is not an annotation key"));
                }
                match key.as_str() {
                    keys::SYNC_WAVE => rules.sync_wave(value),
                    keys::SYNC_OPTIONS => rules.options(value, "sync option", sync::RESOURCE_OPTIONS),
                    keys::COMPARE_OPTIONS => rules.options(value, "compare option", COMPARE_OPTIONS),
                    keys::HOOK => rules.options(value, "hook", HOOKS),
                    keys::HOOK_DELETE_POLICY => rules.options(value, "hook delete policy", HOOK_DELETE_POLICIES),
                    keys::MANIFEST_GENERATE_PATHS if value.split(';').any(|path| path.trim().is_empty()) => {
                        rules.field("has an empty path").help = Some("separate paths with one `;`".into());
                    }
                    _ => {}
                }
            });
        }
        let size: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > ANNOTATIONS_MAX {
            self.at("annotations", |rules| {
                rules.add(Code::OutSize, format!("{size} bytes; Kubernetes takes {ANNOTATIONS_MAX}"));
            });
        }
    }

    /// Anything but an integer silently counts as 0 (`syncwaves.Wave`, by reading).
    fn sync_wave(&mut self, value: &str) {
        if value.parse::<i32>().is_err() || value.starts_with('+') {
            self.field(format!("`{value}` is not an integer; Argo CD would take it as 0"));
        }
    }

    /// A list separated by commas, of which Argo CD ignores what it does not know.
    fn options(&mut self, value: &str, what: &str, known: &[&str]) {
        for option in value.split(',').map(str::trim) {
            self.option(option, what, known);
        }
    }

    /// Finalizers that Argo CD knows; those for hooks are its own business.
    pub(super) fn finalizers(&mut self, finalizers: &[String]) {
        const KNOWN: &[&str] = &[keys::RESOURCES_FINALIZER, keys::FOREGROUND_FINALIZER, keys::BACKGROUND_FINALIZER];
        self.each("finalizers", finalizers, |rules, finalizer| {
            if !KNOWN.contains(&finalizer.as_str()) {
                let violation = rules.field(format!("Argo CD does not handle the finalizer `{finalizer}`"));
                violation.help = crate::diag::nearest(finalizer, KNOWN.iter().copied())
                    .map(|known| format!("did you mean `{known}`?"));
            }
        });
        for (index, finalizer) in duplicates(finalizers) {
            self.at(format_args!("finalizers[{index}]"), |rules| {
                rules.add(Code::OutClash, format!("`{finalizer}` stands twice"));
            });
        }
    }

    /// An Application keeps whole copies of its sources in its status and history (by reading): inline values multiply.
    pub(super) fn stored_size(&mut self, application: &Application) {
        let written: usize = application.spec.all_sources().map(json_size).sum();
        let history = application.spec.revision_history_limit.unwrap_or(HISTORY).max(0);
        let stored = written.saturating_mul(usize::try_from(COPIES + history).unwrap_or(usize::MAX));
        if stored > OBJECT_MAX {
            let what = format!("its sources have {written} bytes, of which Argo CD keeps {} copies", COPIES + history);
            self.add(Code::OutSize, what).help =
                Some("use value files instead of inline values, or lower `revisionHistoryLimit`".into());
        }
    }

    /// The object as it is written.
    pub(super) fn written_size(&mut self, bytes: usize) {
        if bytes > OBJECT_MAX {
            self.add(Code::OutSize, format!("{bytes} bytes; Kubernetes takes {OBJECT_MAX}"));
        } else if bytes > OBJECT_MAX / 3 * 2 {
            let violation = self.add(Code::OutSize, format!("{bytes} bytes, and its status comes on top"));
            violation.level = Level::Warning;
        }
    }
}

/// Values of `argocd.argoproj.io/compare-options` that are looked for, by reading.
const COMPARE_OPTIONS: &[&str] =
    &["IgnoreExtraneous", "ServerSideDiff=true", "ServerSideDiff=false", "IncludeMutationWebhook=true"];

const HOOKS: &[&str] = &["PreSync", "Sync", "PostSync", "SyncFail", "Skip", "PreDelete", "PostDelete"];

const HOOK_DELETE_POLICIES: &[&str] = &["HookSucceeded", "HookFailed", "BeforeHookCreation"];
