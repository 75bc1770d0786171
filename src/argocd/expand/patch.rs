//! Strategic merge, as far as it matters to the Application type.
//!
//! Maps merge, `null` removes, lists are replaced as a whole. The one list of an Application that Kubernetes marks as
//! merging is `metadata.finalizers`: there the patch adds to what the template has.

use serde_json::{Map, Value};

/// Merges `patch` into `application`, both whole Applications.
///
/// # Errors
///
/// A sentence: the patch is no map, or holds a directive (`$patch` and the like), which hlgen never writes.
pub(crate) fn apply(application: &mut Map<String, Value>, patch: &Value) -> Result<(), String> {
    let Value::Object(patch) = patch else {
        return Err("a patch that is no map".into());
    };
    merge(application, patch, &mut Vec::new())
}

fn merge<'p>(
    target: &mut Map<String, Value>,
    patch: &'p Map<String, Value>,
    place: &mut Vec<&'p str>,
) -> Result<(), String> {
    for (key, value) in patch {
        if key.starts_with('$') {
            return Err(format!("the patch directive `{key}` is not known here"));
        }
        place.push(key);
        match (target.get_mut(key), value) {
            (Some(_), Value::Null) => {
                target.shift_remove(key);
            }
            (None, Value::Null) => {}
            (Some(Value::Object(inner)), Value::Object(value)) => merge(inner, value, place)?,
            (Some(Value::Array(present)), Value::Array(added)) if *place == ["metadata", "finalizers"] => {
                *present = united(present, added);
            }
            (_, Value::Object(value)) => {
                // Merging into nothing drops the nulls below.
                let mut fresh = Map::new();
                merge(&mut fresh, value, place)?;
                target.insert(key.clone(), Value::Object(fresh));
            }
            (_, value) => {
                target.insert(key.clone(), value.clone());
            }
        }
        place.pop();
    }
    Ok(())
}

/// Both lists without repetition. The patch keeps its order; what only the target has comes before those items of the
/// patch that it preceded in the target (`mergeSortedSlice` of apimachinery; what the target lacks precedes all).
fn united(target: &[Value], patch: &[Value]) -> Vec<Value> {
    let place = |item: &Value| target.iter().position(|present| present == item);
    let mut own = target.iter().filter(|item| !patch.contains(item)).peekable();
    let mut all: Vec<Value> = Vec::with_capacity(target.len() + patch.len());
    for item in patch {
        while let Some(present) = own.next_if(|present| place(present) < place(item)) {
            all.push(present.clone());
        }
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
    all.extend(own.cloned());
    all
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
    fn the_order_of_finalizers_is_that_of_kubernetes() {
        for (target, patch, expected) in [
            (json!(["a", "b"]), json!(["b", "c"]), json!(["a", "b", "c"])),
            (json!(["b", "a"]), json!(["c"]), json!(["c", "b", "a"])),
            (json!(["z"]), json!(["a"]), json!(["a", "z"])),
            (json!(["a", "b"]), json!(["b", "a"]), json!(["b", "a"])),
        ] {
            let of = |list| json!({ "metadata": { "finalizers": list } });
            assert_eq!(merged(of(target), &of(patch)), Ok(of(expected)));
        }
    }

    #[test]
    fn directives_are_refused() {
        assert!(merged(json!({}), &json!({ "spec": { "$patch": "replace" } })).is_err());
        assert!(merged(json!({}), &json!([])).is_err());
    }
}
