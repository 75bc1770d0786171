//! What lies around a few entries in production on kind, Talos and EKS, as it is rendered: the namespace with its policies
//! and its quota, routes, Secrets, schedules of backups. A change of any trait shows here for real apps.

use std::fmt::Write as _;

use hlgen::diag::Level;
use serde::Deserialize as _;
use serde_json::Value;

use crate::entries::{self, Repository};
use crate::kubernetes::{Verdict, check};

const APPS: &[&str] = &["gitea", "paperless-ngx", "vaultwarden"];

const PROVIDERS: &[&str] = &["kind", "talos", "eks"];

/// What has to be there for every trait to have something to do.
const WANTED: &[&str] = &["ingress", "certificates", "secrets", "backup"];

#[test]
fn the_traits_of_real_apps() {
    let mut entries = entries::all();
    for app in APPS {
        let requires = &mut entries.get_mut(*app).unwrap().spec.requires;
        requires.extend(WANTED.iter().map(|name| (*name).to_owned()));
    }
    for app in APPS {
        let mut all = String::new();
        for provider in PROVIDERS {
            let repository = Repository::with(&entries, &entries[*app], provider).unwrap().denying();
            let outcome = repository.render();
            let errors: Vec<_> = outcome.findings.iter().filter(|finding| finding.level == Level::Error).collect();
            assert!(errors.is_empty(), "{app} on {provider}: {errors:?}");
            let namespace = entries[*app].spec.namespace.as_deref().unwrap_or(app);
            let beside = format!("prod/{app}/manifests/");
            let own = |path: &str| path.starts_with(&beside) || path == format!("prod/namespaces/{namespace}.yaml");
            let mut kinds = Vec::new();
            for file in outcome.files.iter().filter(|file| own(&file.path)) {
                write!(all, "# {provider}: {}\n{}", file.path, file.body()).unwrap();
                kinds.extend(objects(file.body()));
            }
            // Schedules lie in Velero's namespace.
            let velero = outcome.files.iter().find(|file| file.path == "prod/namespaces/velero.yaml").unwrap();
            let holds = format!("name: {namespace}-");
            let schedules = velero.body().split("---\n").filter(|object| {
                object.contains("\nkind: Schedule\n")
                    && (object.contains(&holds) || object.contains(&format!("- {namespace}\n")))
            });
            for schedule in schedules {
                write!(all, "# {provider}: a schedule\n{schedule}").unwrap();
                kinds.extend(objects(schedule));
            }
            for kind in
                ["Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "Ingress", "ExternalSecret", "Schedule"]
            {
                assert!(kinds.iter().any(|found| found == kind), "{app} on {provider} has no {kind}: {kinds:?}");
            }
        }
        insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("catalog_around__{app}"), all);
        });
    }
}

/// The kinds of the objects in a text, each held against Kubernetes' schemas.
fn objects(text: &str) -> Vec<String> {
    let documents = serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap());
    let objects = documents.filter(Value::is_object);
    objects
        .map(|object| {
            assert!(!matches!(check(&object), Verdict::Wrong(_)), "{:?}: {object}", check(&object));
            object["kind"].as_str().unwrap().to_owned()
        })
        .collect()
}
