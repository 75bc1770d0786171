//! No default password of a chart survives: what a chart's defaults hold is switched off, overridden, or stands beside the
//! name of a Secret that is used instead.

use hlgen::secret::names_one;
use serde_json::Value;

use crate::charts::{as_helm_reads, chart_of, charts};
use crate::entries::{self, PROVIDERS, Repository};

/// Defaults that look like passwords and are none, or are never used: app, beginning of the path, reason.
const HARMLESS: &[(&str, &str, &str)] = &[
    ("aws-ebs-csi-driver", "awsAccessSecret.accessKey", "the key of a Secret"),
    ("clickhouse", "configs.files.config.yaml.clickhouse.configuration.user.default", "good for the pod itself only"),
    ("harbor", "database.internal", "the database is outside"),
    ("harbor", "persistence.imageChartStorage", "images lie in another kind of storage"),
    ("jaeger", "storage.cassandra", "traces lie in another kind of storage"),
    ("jenkins", "controller.JCasC.authorizationStrategy", "a setting"),
    ("kyverno", "features.registryClient.credentialHelpers", "names of helpers"),
    ("litmus", "adminConfig.ADMIN_PASSWORD", "`existingSecret` of the whole chart stands for it"),
    ("oauth2-proxy", "config.requiredSecretKeys", "keys of a Secret"),
    ("pihole", "adminPassword", "`admin.existingSecret` stands for it"),
    ("trivy-operator", "trivy.serverTokenHeader", "the name of a header"),
    ("vault", "server.enterpriseLicense.secretKey", "the key of a Secret"),
    ("zot", "secretFiles", "`mountSecret` is off"),
];

#[test]
fn no_default_password_survives() {
    let Some(charts) = charts() else { return };
    let entries = entries::all();
    let (mut wrong, mut judged, mut unused) = (Vec::new(), 0, HARMLESS.to_vec());
    for entry in entries.values().filter(|entry| !entry.is_base()) {
        let chart = chart_of(entry, &charts);
        let defaults = chart.and_then(|chart| std::fs::read_to_string(chart.folder.join("values.yaml")).ok());
        let Some(defaults) = defaults.map(|text| as_helm_reads(&text)) else {
            println!("skipped: no default values of {}", entry.name);
            continue;
        };
        let mut found = Vec::new();
        walk(&defaults, Some(&Value::Null), &mut Vec::new(), &mut found);
        if found.is_empty() {
            continue;
        }
        judged += 1;
        let provider = PROVIDERS.iter().find(|provider| entry.runs_on(provider)).unwrap();
        let outcome = Repository::with(&entries, entry, provider).unwrap().render();
        let path = format!("prod/{}/values.yaml", entry.name);
        let file = outcome.files.iter().find(|file| file.path == path).unwrap();
        let own: Value = serde_yaml::from_str(&file.text).unwrap();
        found.clear();
        walk(&defaults, Some(&own), &mut Vec::new(), &mut found);
        for path in found {
            let known = |(app, start, _): &(&str, &str, &str)| *app == entry.name && path.starts_with(start);
            if HARMLESS.iter().any(known) {
                unused.retain(|harmless| !known(harmless));
            } else {
                wrong.push(format!("{}: the chart's default of `{path}` is in use", entry.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged > 8, "only {judged} charts have a default password");
    assert!(unused.is_empty(), "no longer there: {unused:?}");
}

/// The paths of passwords among a chart's defaults that its values leave in use. Values that are null set nothing yet.
fn walk(defaults: &Value, own: Option<&Value>, path: &mut Vec<String>, found: &mut Vec<String>) {
    match defaults {
        Value::Object(map) => {
            let set = |key: &str| own.and_then(|own| own.get(key));
            let is = |key: &str| set(key).or_else(|| map.get(key));
            // The Secret that is named here takes the place of what stands beside it.
            let named = own
                .and_then(Value::as_object)
                .is_some_and(|own| own.iter().any(|(key, value)| names_a_secret(key, value)));
            if ["enabled", "enable", "create"].iter().any(|switch| is(switch) == Some(&Value::Bool(false))) {
                return;
            }
            for (key, below) in map {
                let is_leaf = !below.is_object() && !below.is_array();
                // Set to nothing: Helm drops the default.
                if set(key).is_some_and(Value::is_null) || is_leaf && (named || set(key).is_some()) {
                    continue;
                }
                path.push(key.clone());
                walk(below, set(key), path, found);
                path.pop();
            }
        }
        Value::Array(items) => {
            // A list of ours replaces the chart's.
            if own.is_some_and(Value::is_array) {
                return;
            }
            for (number, item) in items.iter().enumerate() {
                path.push(number.to_string());
                walk(item, None, path, found);
                path.pop();
            }
        }
        leaf => {
            let key = path.iter().rev().find(|step| step.parse::<usize>().is_err());
            let is_text = leaf.as_str().is_some_and(|text| !["", "true", "false", "yes", "no"].contains(&text));
            if is_text && key.is_some_and(|key| names_one(key) && !names_a_key(key)) {
                found.push(path.join("."));
            }
        }
    }
}

/// `existingSecret: x`, `usersExistingSecret: x`, `existingSecret: { enabled: true }`.
fn names_a_secret(key: &str, value: &Value) -> bool {
    let named = value.as_str().is_some_and(|name| !name.is_empty()) || value["enabled"] == true;
    key.to_lowercase().contains("existingsecret") && named
}

/// `passwordKey: admin-password` says under which key of a Secret a password is.
fn names_a_key(key: &str) -> bool {
    let key = key.to_lowercase();
    ["passwordkey", "passkey", "tokenkey", "usernamekey", "password_key", "token_key"]
        .iter()
        .any(|end| key.ends_with(end))
}
