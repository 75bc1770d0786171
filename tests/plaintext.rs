//! Secrets in plain text: whatever the secret is and wherever it stands, it is found once, at its line, and no report holds
//! it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::path::Path;

use hlgen::diag::{Code, Diagnostic};
use hlgen::ops::evaluate::Selection;
use hlgen::ops::render::{Delivery, Target, render};
use hlgen::ops::workspace::Workspace;
use hlgen::report::{Format, Options};
use hlgen::source::Memory;
use proptest::prelude::*;

const PROJECT: &str =
    "apiVersion: hlgen.dev/v1\nkind: Project\nname: demo\ngit: { repoURL: https://git.example.com/ops/demo.git }\n";
const APP: &str = "apiVersion: hlgen.dev/v1\nkind: App\nchart: { repository: https://charts.example.com, name: web, version: 1.2.3 }\n";
const ENVIRONMENT: &str =
    "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\nprovider: kind\napps: { web: {} }\n";

/// What is found in a repository whose app has some values and a manifest, and all reports of it.
fn run(values: &str, manifest: &str) -> (Vec<Diagnostic>, Vec<usize>, Vec<String>) {
    let files = [
        ("hlgen.yaml", PROJECT),
        ("catalog/web/app.yaml", APP),
        ("catalog/web/values.yaml", values),
        ("catalog/web/manifests/own.yaml", manifest),
        ("environments/dev/environment.yaml", ENVIRONMENT),
    ];
    let files = files.into_iter().filter(|(_, text)| !text.is_empty());
    let workspace = Workspace::of(Path::new("/"), files.collect::<Memory>());
    let outcome = render(&workspace, &Selection::default(), Delivery::Files, Target::Nowhere).unwrap();
    let lines =
        outcome.findings.iter().map(|finding| workspace.sources.position(finding.span().unwrap()).line).collect();
    let report =
        |format: &Format| hlgen::report::render(*format, &outcome.findings, &workspace.sources, Options::default());
    let reports = Format::ALL.iter().map(report).collect();
    (outcome.findings, lines, reports)
}

/// Places for a secret in values, with the line it is on. `@@` stands for the secret.
const PLACES: &[(&str, usize)] = &[
    ("auth:\n  adminPassword: @@\n", 2),
    ("apiKey: @@ # for the demo\n", 1),
    ("auth: { user: x, clientSecret: @@, enabled: true }\n", 1),
    ("env:\n  - name: DB_PASSWORD\n    value: @@\n", 3),
    ("env:\n  - value: @@\n    name: DB_PASSWORD\n", 2),
    ("env: [{ name: DB_PASSWORD, value: @@ }]\n", 1),
    ("env:\n  GITHUB_TOKEN: @@\n", 2),
    ("passwords:\n  admin: @@\n", 2),
    ("args:\n  - --token\n  - @@\n", 3),
    ("args:\n  - --token=@@\n", 2),
    ("? token\n: @@\n", 2),
    ("auth:\n  password: >-\n    @@\n", 2),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_report_holds_a_secret(secret in "[A-Za-z][A-Za-z0-9]{2}Q[a-z]{3}[0-9]{2}[A-Za-z0-9]{0,24}", at in 0..PLACES.len()) {
        let (text, line) = PLACES[at];
        let (findings, lines, reports) = run(&text.replace("@@", &secret), "");
        prop_assert_eq!(findings.len(), 1, "{:?}", findings);
        prop_assert_eq!(findings[0].code, Code::SecretsPlaintext);
        // A text that is folded begins where its first line does.
        prop_assert!(lines[0] == line || lines[0] == line + 1, "{:?}", lines);
        for report in reports {
            prop_assert!(!report.contains(&secret), "{}", report);
        }
    }
}

#[test]
fn a_manifest_with_a_secret_is_refused_at_its_line() {
    let manifest = "apiVersion: v1\nkind: Secret\nmetadata: { name: api }\nstringData:\n  url: https://api.example.com\n  anything: opensesame\n";
    let (findings, lines, reports) = run("", manifest);
    assert_eq!((findings.len(), lines.as_slice()), (1, [6].as_slice()), "{findings:?}");
    let help = findings[0].help.as_deref().unwrap();
    assert!(help.contains("secrets: [{ name: api, keys: { anything: { provided: web/anything } } }]"), "{help}");
    assert!(reports.iter().all(|report| !report.contains("opensesame")));
}

#[test]
fn a_key_of_several_lines_is_in_no_report() {
    let body = "MIIEowIBAAKCAQEAexampleexampleexample";
    let values = format!(
        "tls:\n  data: |\n    -----BEGIN RSA PRIVATE KEY-----\n    {body}\n    {body}AB\n    -----END RSA PRIVATE KEY-----\n"
    );
    let (findings, _, reports) = run(&values, "");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].message.contains("a private key"));
    assert!(reports.iter().all(|report| !report.contains(body)));
}

/// What charts' own values files hold and is no secret: each of these fired in a first version of the rule, or might.
#[test]
fn the_idioms_of_charts_are_no_secrets() {
    let (findings, ..) = run(include_str!("plaintext/idioms.yaml"), "");
    assert!(findings.is_empty(), "{findings:?}");
}
