//! `metrics.dashboards`: the dashboards that ship with an app, as ConfigMaps that the sidecar of Grafana loads.
//!
//! They are written only where the provider of `metrics` says by which labels it finds them (`dashboards` in its data). All
//! releases of an app would bring the same ones, and Grafana takes an identity once, so the first release of an
//! environment brings them. Grafana shows nothing at all of a file that it cannot read, so a dashboard is looked at here.

use serde_json::{Map, Value as Json, json};

use super::{Context, file};
use crate::diag::{Code, Diagnostic, Level};
use crate::plan::manifests::ManifestFile;
use crate::resolve::release::ReleaseModel;
use crate::template::glob;

/// Bytes of `data` that Kubernetes takes in a ConfigMap (`MaxSecretSize` of its validation).
const DATA_MAX: usize = 1 << 20;

/// The dashboards of a release, one ConfigMap each.
pub(super) fn dashboards(context: &Context<'_>, files: &mut Vec<ManifestFile>, findings: &mut Vec<Diagnostic>) {
    let Some(metrics) = context.release.spec.metrics.as_ref().filter(|metrics| !metrics.dashboards.is_empty()) else {
        return;
    };
    let Some(labels) = context.capability("metrics").and_then(|data| data.get("dashboards")?.as_object().cloned())
    else {
        return;
    };
    if !is_first(context) {
        return;
    }
    let Some(own) = &context.scope.files else { return };
    let at = context.span(&["metrics"]);
    let list = own.list();
    for pattern in &metrics.dashboards {
        let mut matching = list.iter().filter(|path| glob(pattern.as_bytes(), path.as_bytes())).peekable();
        if matching.peek().is_none() {
            let message = format!("`{}` has no file that matches `{pattern}`", context.release.app.name);
            let finding = Diagnostic::new(Code::FileMissing, message).at(at, "in this list");
            findings.push(finding.help("patterns count from the app's folder, for example `dashboards/*.json`"));
        }
        for path in matching {
            let stem = stem(path);
            let name = format!("dashboard-{}", name(context.release.app.name.as_str(), &stem));
            if files.iter().any(|file| file.path == format!("{name}.yaml")) {
                continue;
            }
            let text = own.read(path);
            findings.extend(
                problems(path, text.as_deref()).map(|finding| finding.at(at, format!("for {}", context.place))),
            );
            let Some(text) = text.filter(|text| text.len() <= DATA_MAX) else { continue };
            files.push(file(format!("{name}.yaml"), vec![config_map(context, &name, &labels, &text)], at));
        }
    }
}

/// Whether no release before this one of the same app and environment brings the dashboards.
fn is_first(context: &Context<'_>) -> bool {
    let release = context.release;
    let mut earlier = context.plan.releases[..context.number].iter();
    let brings = |other: &ReleaseModel| other.spec.metrics.as_ref().is_some_and(|own| !own.dashboards.is_empty());
    !earlier.any(|other| other.env == release.env && other.app.name == release.app.name && brings(other))
}

/// The file's name without folder and ending, as part of an object's name.
fn stem(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(plain).collect();
    name.trim_matches('-').to_owned()
}

/// The app's name and the dashboard's, once where they are the same.
fn name(app: &str, stem: &str) -> String {
    match stem.strip_prefix(app) {
        _ if stem.is_empty() => app.to_owned(),
        Some(rest) if rest.is_empty() || rest.starts_with('-') => stem.to_owned(),
        _ => format!("{app}-{stem}"),
    }
}

fn config_map(context: &Context<'_>, name: &str, labels: &Map<String, Json>, text: &str) -> Json {
    let mut metadata = context.metadata(name, Map::new());
    if let Some(own) = metadata["labels"].as_object_mut() {
        own.extend(labels.clone());
    }
    // The sidecar puts every file into one folder, so the key is as unique as the object's name.
    let key = format!("{}.json", name.trim_start_matches("dashboard-"));
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { key: text } })
}

/// What keeps Grafana from showing a dashboard.
fn problems(path: &str, text: Option<&str>) -> impl Iterator<Item = Diagnostic> {
    let mut found = Vec::new();
    let finding = |message: String| Diagnostic::new(Code::MetricsDashboard, message);
    let Some(text) = text else {
        found.push(finding(format!("`{path}` is no text, or larger than hlgen reads")));
        return found.into_iter();
    };
    if text.len() > DATA_MAX {
        let message = format!("`{path}` has {} bytes; a ConfigMap takes {DATA_MAX}", text.len());
        found.push(Diagnostic::new(Code::OutSize, message).help("split the dashboard, or export it without its data"));
        return found.into_iter();
    }
    match serde_json::from_str::<Json>(text) {
        Err(error) => {
            found.push(
                finding(format!("`{path}` is not JSON: {error}")).help("export the dashboard from Grafana again"),
            );
        }
        Ok(dashboard) if dashboard.get("title").and_then(Json::as_str).is_none_or(str::is_empty) => {
            let help = "a dashboard is an object with a `title`; the API's answer holds it below `dashboard`";
            found.push(finding(format!("`{path}` is no dashboard: it has no `title`")).help(help));
        }
        Ok(dashboard)
            if dashboard.get("__inputs").and_then(Json::as_array).is_some_and(|inputs| !inputs.is_empty()) =>
        {
            let message = format!("`{path}` asks for data sources that nobody chooses when it is loaded from a file");
            found.push(finding(message).level(Level::Warning).help(
                "export it without `Export for sharing externally`, or replace `${DS_...}` and remove `__inputs`",
            ));
        }
        Ok(_) => {}
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_unique() {
        assert_eq!(name("podinfo", &stem("dashboards/podinfo.json")), "podinfo");
        assert_eq!(name("loki", &stem("dashboards/loki-writes.json")), "loki-writes");
        assert_eq!(name("loki", &stem("dashboards/Reads & more_.json")), "loki-reads---more");
        assert_eq!(name("loki", &stem("dashboards/\u{fc}.json")), "loki");
    }

    #[test]
    fn what_grafana_would_not_show() {
        let codes = |text: Option<&str>| -> Vec<(&str, Level)> {
            problems("a.json", text).map(|finding| (finding.code.info().name, finding.level)).collect()
        };
        assert_eq!(codes(Some(r#"{ "title": "a" }"#)), []);
        for wrong in [None, Some("{"), Some("[]"), Some("{}"), Some(r#"{ "dashboard": { "title": "a" } }"#)] {
            assert_eq!(codes(wrong), [("metrics/dashboard", Level::Error)], "{wrong:?}");
        }
        let shared = r#"{ "title": "a", "__inputs": [{ "name": "DS_PROMETHEUS" }] }"#;
        assert_eq!(codes(Some(shared)), [("metrics/dashboard", Level::Warning)]);
        assert_eq!(codes(Some(&"x".repeat(DATA_MAX + 1))), [("out/size", Level::Error)]);
    }
}
