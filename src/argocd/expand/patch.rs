//! Strategic merge, as far as it matters to the Application type.
//!
//! Maps merge, `null` removes, lists are replaced as a whole. The one list of an Application that Kubernetes marks as
//! merging is `metadata.finalizers`: there the patch adds to what the template has.

use serde_json::{Map, Value};

/// Merges `patch` into `target`, both whole Applications.
///
/// # Errors
///
/// A sentence: the patch is no map, or holds a directive (`$patch` and the like), which hlgen never writes.
pub(crate) fn apply(target: &mut Map<String, Value>, patch: &Value) -> Result<(), String> {
    let Value::Object(patch) = patch else {
        return Err("a patch that is no map".into());
    };
    merge(target, patch, &mut Vec::new())
}

fn merge<'p>(
    target: &mut Map<String, Value>,
    patch: &'p Map<String, Value>,
    path: &mut Vec<&'p str>,
) -> Result<(), String> {
    for (key, value) in patch {
        if key.starts_with('$') {
            return Err(format!("the patch directive `{key}` is not known here"));
        }
        path.push(key);
        match (target.get_mut(key), value) {
            (Some(_), Value::Null) => {
                target.shift_remove(key);
            }
            (None, Value::Null) => {}
            (Some(Value::Object(target)), Value::Object(patch)) => merge(target, patch, path)?,
            (Some(Value::Array(target)), Value::Array(patch)) if *path == ["metadata", "finalizers"] => {
                for item in patch {
                    if !target.contains(item) {
                        target.push(item.clone());
                    }
                }
            }
            (_, Value::Object(patch)) => {
                // Merging into nothing drops the nulls below.
                let mut fresh = Map::new();
                merge(&mut fresh, patch, path)?;
                target.insert(key.clone(), Value::Object(fresh));
            }
            (_, value) => {
                target.insert(key.clone(), value.clone());
            }
        }
        path.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(target: Value, patch: &Value) -> Result<Value, String> {
        let Value::Object(mut target) = target else { panic!("no map") };
        apply(&mut target, patch).map(|()| Value::Object(target))
    }

    #[test]
    fn maps_merge_lists_replace_null_removes_finalizers_add() {
        let target = json!({
            "metadata": { "finalizers": ["a", "b"], "labels": { "x": "1", "y": "2" } },
            "spec": { "sources": [1, 2], "syncPolicy": { "retry": { "limit": 1 } }, "source": {} },
        });
        let patch = json!({
            "metadata": { "finalizers": ["b", "c"], "labels": { "x": null, "z": "3" } },
            "spec": { "sources": [3], "syncPolicy": { "automated": { "prune": null } }, "source": null, "info": null },
        });
        assert_eq!(
            merged(target, &patch),
            Ok(json!({
                "metadata": { "finalizers": ["a", "b", "c"], "labels": { "y": "2", "z": "3" } },
                "spec": { "sources": [3], "syncPolicy": { "retry": { "limit": 1 }, "automated": {} } },
            }))
        );
    }

    #[test]
    fn directives_are_refused() {
        assert!(merged(json!({}), &json!({ "spec": { "$patch": "replace" } })).is_err());
        assert!(merged(json!({}), &json!([])).is_err());
    }
}
