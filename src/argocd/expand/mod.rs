//! From an `ApplicationSet` back to its Applications, as Argo CD's controller would, without a cluster.
//!
//! This covers what [`super::set`] writes: list generators, Go templates in every text and key of the template, a
//! template patch in JSON. What it does not know it refuses. `list --applications` and the rules look at the result,
//! and tests hold it against what went in. Compared with Argo CD 3.5.1's own code, which gave the same Applications.

mod go_json;
mod patch;
mod template;

use serde_json::{Map, Value};

pub(crate) use template::render;

use super::types::{Application, ApplicationSet, Metadata, Template};

/// An `ApplicationSet` that Argo CD would not expand, or that is beyond what is known here. One bad element stops Argo
/// CD's work on the whole set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("element {element}: `{path}`: {reason}")]
pub struct ExpandError {
    /// Position of the element over all generators, from 0.
    pub element: usize,
    /// Where in the set's `spec`, for example `template.metadata.name`.
    pub path: String,
    pub reason: String,
}

/// All Applications of a set, in the order of its elements.
///
/// # Errors
///
/// The first element that cannot be expanded.
pub fn expand(set: &ApplicationSet) -> Result<Vec<Application>, ExpandError> {
    let template = template_value(&set.spec.template);
    set.spec
        .elements()
        .enumerate()
        .map(|(index, params)| {
            one(set, &template, params).map_err(|(path, reason)| ExpandError { element: index, path, reason })
        })
        .collect()
}

/// The template of a set as an Application in JSON.
pub(crate) fn template_value(template: &Template) -> Value {
    let metadata = Metadata { namespace: String::new(), ..template.metadata.clone() };
    let application = Application::new(metadata, template.spec.clone());
    // These types serialise without fail: their keys are texts and their numbers whole.
    serde_json::to_value(application).unwrap_or_default()
}

/// The template rendered for one element and nothing else: what a patch would be applied to.
pub(crate) fn rendered(template: &Value, params: &Map<String, Value>) -> Result<Value, String> {
    let failed = |(path, reason): Failure| format!("`{path}`: {reason}");
    let rendered =
        render_all(template, &Value::Object(params.clone()), &mut vec!["template".to_owned()]).map_err(failed)?;
    let application = typed(rendered, "template").map_err(failed)?;
    serde_json::to_value(application).map_err(|error| error.to_string())
}

type Failure = (String, String);

fn one(set: &ApplicationSet, template: &Value, element: &Map<String, Value>) -> Result<Application, Failure> {
    if !set.spec.go_template {
        return Err(("goTemplate".into(), "sets without Go templates are not known here".into()));
    }
    if element.is_empty() {
        return Err(("generators".into(), "an empty element leaves the template as it is".into()));
    }
    let params = Value::Object(element.clone());
    let text = render_all(template, &params, &mut vec!["template".to_owned()])?;
    let mut application = typed(text, "template")?;
    let project = application.spec.project.clone();
    if let Some(patch) = &set.spec.template_patch {
        let failed = |reason: String| ("templatePatch".to_owned(), reason);
        let text = render(patch, &params).map_err(failed)?;
        let patch: Value =
            serde_json::from_str(&text).map_err(|error| failed(format!("the patch is not JSON: {error}")))?;
        let Ok(Value::Object(mut target)) = serde_json::to_value(&application) else {
            return Err(failed("the Application cannot be written as JSON".into()));
        };
        patch::apply(&mut target, &patch).map_err(failed)?;
        application = typed(Value::Object(target), "templatePatch")?;
        // Argo CD restores it, so that a patch cannot leave the project.
        application.spec.project = project;
    }
    application.metadata.namespace.clone_from(&set.metadata.namespace);
    Ok(application)
}

/// Reading into the types drops empty texts, as `omitempty` does in Go.
fn typed(value: Value, path: &str) -> Result<Application, Failure> {
    serde_json::from_value(value).map_err(|error| (path.to_owned(), error.to_string()))
}

/// Renders every text and every key.
fn render_all(value: &Value, params: &Value, path: &mut Vec<String>) -> Result<Value, Failure> {
    match value {
        Value::String(text) => render(text, params).map(Value::String).map_err(|reason| (path.join("."), reason)),
        Value::Array(items) => {
            let mut rendered = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                rendered.push(render_all(item, params, path)?);
                path.pop();
            }
            Ok(Value::Array(rendered))
        }
        Value::Object(map) => {
            let mut rendered = Map::with_capacity(map.len());
            for (key, item) in map {
                path.push(key.clone());
                let key = render(key, params).map_err(|reason| (path.join("."), reason))?;
                rendered.insert(key, render_all(item, params, path)?);
                path.pop();
            }
            Ok(Value::Object(rendered))
        }
        other => Ok(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(elements: &Value, template: &Value, patch: Option<&str>) -> ApplicationSet {
        let mut set: ApplicationSet = serde_json::from_value(json!({
            "metadata": { "name": "traefik", "namespace": "argocd" },
            "spec": {
                "goTemplate": true,
                "goTemplateOptions": ["missingkey=error"],
                "generators": [{ "list": { "elements": elements } }],
                "template": template,
            },
        }))
        .unwrap();
        set.spec.template_patch = patch.map(str::to_owned);
        set
    }

    fn template() -> Value {
        json!({
            "metadata": { "name": "{{ .cluster }}-x", "annotations": { "{{ .cluster }}": "" } },
            "spec": { "project": "p", "destination": { "name": "{{ .cluster }}", "namespace": "{{ .namespace }}" } },
        })
    }

    #[test]
    fn renders_texts_and_keys_then_patches() {
        let set = set(
            &json!([
                {
                    "cluster": "a",
                    "namespace": "",
                    "patch": { "spec": { "project": "other", "revisionHistoryLimit": 2 } },
                },
                { "cluster": "b", "namespace": "n" },
            ]),
            &template(),
            Some(r#"{{ toJson (dig "patch" (dict) .) }}"#),
        );
        let applications = expand(&set).unwrap();
        assert_eq!(
            serde_json::to_value(&applications).unwrap(),
            json!([
                {
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "Application",
                    "metadata": { "name": "a-x", "namespace": "argocd", "annotations": { "a": "" } },
                    "spec": { "project": "p", "destination": { "name": "a" }, "revisionHistoryLimit": 2 },
                },
                {
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "Application",
                    "metadata": { "name": "b-x", "namespace": "argocd", "annotations": { "b": "" } },
                    "spec": { "project": "p", "destination": { "name": "b", "namespace": "n" } },
                },
            ])
        );
    }

    #[test]
    fn one_bad_element_stops_the_set() {
        let failed = |elements: Value, patch| expand(&set(&elements, &template(), patch)).unwrap_err().to_string();
        assert_eq!(
            failed(json!([{ "cluster": "a", "namespace": "n" }, { "cluster": "b" }]), None),
            "element 1: `template.spec.destination.namespace`: the element has no `.namespace`"
        );
        assert!(failed(json!([{}]), None).contains("empty element"));
        let element = json!([{ "cluster": "a", "namespace": "n" }]);
        assert!(failed(element.clone(), Some("spec: {}")).contains("not JSON"));
        assert!(failed(element, Some(r#"{"spec":{"sorces":[]}}"#)).contains("unknown field"));
    }
}
