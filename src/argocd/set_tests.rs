use serde_json::json;

use super::*;
use crate::argocd::expand::expand;

fn application(cluster: &str, project: &str) -> Application {
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("{cluster}-traefik"),
            "namespace": "argocd",
            "labels": { "hlgen.dev/cluster": cluster, "hlgen.dev/release": "traefik" },
        },
        "spec": {
            "project": project,
            "destination": { "name": cluster, "namespace": "traefik" },
            "sources": [
                {
                    "repoURL": "https://charts.example.com",
                    "chart": "traefik",
                    "targetRevision": "1.2.3",
                    "helm": {
                        "releaseName": "traefik",
                        "valueFiles": [format!("$values/rendered/{cluster}/traefik/values.yaml")],
                    },
                },
                { "repoURL": "https://git.example.com/x.git", "targetRevision": "main", "ref": "values" },
            ],
            "syncPolicy": { "automated": { "prune": true }, "syncOptions": ["ServerSideApply=true"] },
        },
    }))
    .unwrap()
}

fn element(cluster: &str, application: Application) -> Element {
    let params = Map::from_iter([("cluster".to_owned(), json!(cluster))]);
    Element { params, application }
}

const PATTERNS: Patterns<'static> = Patterns {
    all: &[
        Pattern { at: &["metadata", "name"], pieces: &[Piece::Param("cluster"), Piece::Text("-"), Piece::Given(0)] },
        Pattern { at: &["metadata", "labels", "hlgen.dev/cluster"], pieces: &[Piece::Param("cluster")] },
        Pattern { at: &["spec", "destination", "name"], pieces: &[Piece::Param("cluster")] },
        Pattern {
            at: &["spec", "sources", "*", "helm", "valueFiles", "*"],
            pieces: &[Piece::Text("$values/rendered/"), Piece::Param("cluster"), Piece::Text("/traefik/values.yaml")],
        },
        Pattern { at: &["spec", "project"], pieces: &[Piece::Param("cluster"), Piece::Given(1)] },
    ],
    given: &["traefik"],
};

#[track_caller]
fn folded(elements: &[Element]) -> ApplicationSet {
    let set = factor("traefik", "argocd", elements, &PATTERNS, None).unwrap();
    let expected: Vec<_> = elements.iter().map(|element| element.application.clone()).collect();
    assert_eq!(expand(&set).unwrap(), expected, "{}", serde_json::to_string_pretty(&set).unwrap());
    set
}

#[test]
fn what_differs_by_a_parameter_alone_is_generalised() {
    let set = folded(&[element("a", application("a", "p")), element("b", application("b", "p"))]);
    assert_eq!(
        serde_json::to_string_pretty(&set).unwrap(),
        r#"{
  "apiVersion": "argoproj.io/v1alpha1",
  "kind": "ApplicationSet",
  "metadata": {
    "name": "traefik",
    "namespace": "argocd"
  },
  "spec": {
    "goTemplate": true,
    "goTemplateOptions": [
      "missingkey=error"
    ],
    "syncPolicy": {
      "preserveResourcesOnDeletion": true
    },
    "generators": [
      {
        "list": {
          "elements": [
            {
              "cluster": "a"
            },
            {
              "cluster": "b"
            }
          ]
        }
      }
    ],
    "template": {
      "metadata": {
        "name": "{{ .cluster }}-traefik",
        "labels": {
          "hlgen.dev/cluster": "{{ .cluster }}",
          "hlgen.dev/release": "traefik"
        }
      },
      "spec": {
        "project": "p",
        "destination": {
          "name": "{{ .cluster }}",
          "namespace": "traefik"
        },
        "sources": [
          {
            "repoURL": "https://charts.example.com",
            "chart": "traefik",
            "targetRevision": "1.2.3",
            "helm": {
              "releaseName": "traefik",
              "valueFiles": [
                "$values/rendered/{{ .cluster }}/traefik/values.yaml"
              ]
            }
          },
          {
            "repoURL": "https://git.example.com/x.git",
            "targetRevision": "main",
            "ref": "values"
          }
        ],
        "syncPolicy": {
          "automated": {
            "prune": true
          },
          "syncOptions": [
            "ServerSideApply=true"
          ]
        }
      }
    }
  }
}"#
    );
}

#[test]
fn what_differs_otherwise_travels_in_the_element() {
    let mut other = application("b", "q");
    other.metadata.finalizers = vec!["resources-finalizer.argocd.argoproj.io".into()];
    other.spec.sources[0].target_revision = "1.3.0".into();
    other.spec.sync_policy.as_mut().unwrap().automated.as_mut().unwrap().prune = Some(false);
    let set = folded(&[element("a", application("a", "p")), element("b", other.clone())]);
    let elements: Vec<_> = set.spec.elements().collect();
    assert_eq!(elements[0]["project"], "p");
    assert_eq!(elements[1]["project"], "q");
    assert_eq!(
        elements[1]["patch"],
        json!({
            "metadata": { "finalizers": ["resources-finalizer.argocd.argoproj.io"] },
            "spec": {
                "sources": serde_json::to_value(&other.spec.sources).unwrap(),
                "syncPolicy": { "automated": { "prune": false } },
            },
        })
    );
    assert_eq!(set.spec.template.spec.project, "{{ .project }}");
    assert_eq!(set.spec.template.spec.sources, []);
    assert_eq!(set.spec.template.spec.sync_policy.as_ref().unwrap().automated, None);
    assert_eq!(set.spec.template_patch.as_deref(), Some(TEMPLATE_PATCH));
}

#[test]
fn braces_of_users_stay_what_they_are() {
    let mut first = application("a", "p");
    let mut second = application("b", "p");
    for application in [&mut first, &mut second] {
        let helm = application.spec.sources[0].helm.as_mut().unwrap();
        helm.values = "a: '{{ $labels.pod }}' {{{ }} {{{{ {{ .cluster }} {".into();
        application.metadata.annotations.insert("x".into(), "{".into());
    }
    second.metadata.annotations.insert("only/here".into(), "{{ .cluster }}".into());
    folded(&[element("a", first), element("b", second)]);
}

#[test]
fn a_single_brace_before_a_parameter() {
    let (x, brace) = (Piece::Param("x"), Piece::Text("{"));
    let pieces = Box::leak(Box::new([Piece::Text("a{"), Piece::Given(0), x, brace, x, brace]));
    let (pattern, patterns) = (Pattern { at: &[], pieces }, Patterns { all: &[], given: &["{{"] });
    let template = patterns.template(&pattern);
    assert_eq!(template, r#"a{{ "{{" }}{{ "{" }}{{ .x }}{{ "{" }}{{ .x }}{"#);
    let params = json!({ "x": "1" });
    assert_eq!(expand::render(&template, &params).as_deref(), Ok("a{{{1{1{"));
    let gives = |text: &str| patterns.gives(&pattern, params.as_object().unwrap(), text);
    assert!(gives("a{{{1{1{") && !gives("a{{{1{1") && !gives("a{{{1{1{{") && !gives("a{{{1{2{"));
}

#[test]
fn destinations_that_share_nothing() {
    let mut by_server = application("b", "p");
    by_server.spec.destination = crate::argocd::types::Destination { server: "https://k".into(), ..Default::default() };
    let set = folded(&[element("a", application("a", "p")), element("b", by_server)]);
    assert_eq!(set.spec.template.spec.destination.namespace, "{{ .namespace }}");
}

#[test]
fn automatic_sync_without_a_word_and_one_source_or_several() {
    let mut single = application("b", "p");
    single.spec.source = Some(single.spec.sources.remove(0));
    single.spec.sources.clear();
    single.spec.sync_policy.as_mut().unwrap().automated = Some(crate::argocd::types::Automated::default());
    folded(&[element("a", application("a", "p")), element("b", single.clone())]);
    let mut other = single.clone();
    other.metadata.name = "c-traefik".into();
    other.spec.source.as_mut().unwrap().repo_url = "https://other.example.com".into();
    folded(&[element("b", single), element("c", other)]);
}

#[test]
fn an_element_is_never_empty_and_names_need_no_pattern() {
    let bare = |cluster: &str| Element { params: Map::new(), application: application(cluster, "p") };
    let set = folded(&[bare("a")]);
    assert_eq!(set.spec.elements().next().unwrap()["name"], "a-traefik");
    let set = folded(&[bare("a"), bare("b")]);
    assert_eq!(set.spec.template.metadata.name, "{{ .name }}");
}

#[test]
fn mistakes_of_the_caller() {
    let error = |elements: &[Element]| factor("x", "argocd", elements, &PATTERNS, None).unwrap_err();
    assert_eq!(error(&[]), FactorError::Empty("x".into()));
    let mut elsewhere = application("a", "p");
    elsewhere.metadata.namespace = "other".into();
    assert!(matches!(error(&[element("a", elsewhere)]), FactorError::Namespace { .. }));
    let mut named = element("a", application("a", "p"));
    named.params.insert("patch".into(), json!({}));
    assert!(matches!(error(&[named]), FactorError::Param(_)));
    let mut clash = element("a", application("a", "p"));
    clash.params.insert("project".into(), json!("else"));
    assert!(matches!(error(&[clash, element("b", application("b", "q"))]), FactorError::ParamClash { .. }));
    let mut large = application("a", "p");
    large.spec.revision_history_limit = Some(NUMBER_MAX + 1);
    assert!(matches!(error(&[element("a", large)]), FactorError::Number { .. }));
}

#[test]
fn a_rollout_has_a_step_for_each_group_that_is_not_empty() {
    let rollout = Rollout {
        label: "hlgen.dev/stage".into(),
        groups: vec![vec!["dev".into()], vec![], vec!["staging".into(), "prod".into()]],
    };
    let set = factor("x", "argocd", &[element("a", application("a", "p"))], &PATTERNS, Some(&rollout)).unwrap();
    assert_eq!(
        serde_json::to_value(set.spec.strategy).unwrap(),
        json!({
            "type": "RollingSync",
            "rollingSync": { "steps": [
                { "matchExpressions": [{ "key": "hlgen.dev/stage", "operator": "In", "values": ["dev"] }] },
                { "matchExpressions": [{ "key": "hlgen.dev/stage", "operator": "In", "values": ["staging", "prod"] }] },
            ] },
        })
    );
}
