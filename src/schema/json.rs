//! JSON Schema as hlgen uses it: a compiled schema, and what it finds as paths and words of ours.
//!
//! Schemas are never fetched: a reference that leads out of the schema makes it unusable, which is a finding at the
//! schema's place. Messages never print the value (it may be a secret).

use std::fmt::Write as _;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, JsonType, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::cost::{Cost, cost};
use super::instance::{Instance, Values};
use crate::merge::{Path, Step};

/// How many violations one value is told of: more than anyone reads, few enough to look each up.
const VIOLATION_LIMIT: usize = 200;

/// Bytes that a compiled pattern may take; real ones take a tenth of that.
const PATTERN_SIZE: usize = 256 << 10;

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    validator: Validator<Values>,
    document: Value,
    cost: Cost,
}

/// One place where a value does not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The value; for `UnknownKey` the map that has the key, for `Missing` the map that lacks it.
    pub path: Path,
    pub what: Mismatch,
    /// JSON pointer of the rule in the schema.
    pub rule: String,
}

/// What does not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    UnknownKey {
        key: String,
        known: Vec<String>,
    },
    Missing {
        key: String,
    },
    /// Anything else, as `takes an integer` or `must be at least 1`.
    Value {
        demand: String,
        choices: Vec<String>,
    },
}

impl Schema {
    /// Compiles a schema; without `$schema` it is read as draft 2020-12, as Helm does.
    ///
    /// # Errors
    /// Why the schema cannot be used.
    pub fn compile(document: Value) -> Result<Self, String> {
        let cost = cost(&document)?;
        let mut options = jsonschema::options_for::<Values>();
        if document.get("$schema").is_none() {
            options = options.with_draft(Draft::Draft202012);
        }
        // Linear-time patterns, as in Helm (RE2): a pattern from a hostile repository cannot hang the check.
        let validator = options
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_SIZE).dfa_size_limit(PATTERN_SIZE))
            .should_validate_formats(true)
            .build(&document)
            .map_err(|error| unusable(&error))?;
        Ok(Self { validator, document, cost })
    }

    /// What it costs to hold the schema and to apply it to one node of a value.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    pub fn is_valid(&self, instance: Instance<'_>) -> bool {
        self.validator.is_valid(instance)
    }

    /// Everything that does not match, in the schema's order; the first of very many.
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        let mut found = Vec::new();
        for error in self.validator.iter_errors(Instance::json(value)) {
            self.collect(&error, value, &mut found);
            if found.len() >= VIOLATION_LIMIT {
                found.truncate(VIOLATION_LIMIT);
                break;
            }
        }
        found.dedup();
        found
    }

    fn collect(&self, error: &ValidationError<'_>, root: &Value, found: &mut Vec<Violation>) {
        let path = path_of(error.instance_path().as_str(), root);
        let rule = error.schema_path().as_str().to_owned();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = self.known_keys(&rule);
                found.extend(unexpected.iter().take(VIOLATION_LIMIT).map(|key| Violation {
                    path: path.clone(),
                    what: Mismatch::UnknownKey { key: key.clone(), known: known.clone() },
                    rule: rule.clone(),
                }));
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default().to_owned();
                found.push(Violation { path, what: Mismatch::Missing { key }, rule });
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context }
            | ValidationErrorKind::OneOfMultipleValid { context } => {
                self.collect_branches(context, path, rule, root, found);
            }
            kind => {
                let (demand, choices) = demand(kind, error);
                found.push(Violation { path, what: Mismatch::Value { demand, choices }, rule });
            }
        }
    }

    /// Of several alternatives the closest one speaks: the one that got deepest with the fewest complaints. Where all
    /// alternatives fail at the value itself, their demands are joined with `or`.
    fn collect_branches(
        &self,
        context: &[Vec<ValidationError<'static>>],
        path: Path,
        rule: String,
        root: &Value,
        found: &mut Vec<Violation>,
    ) {
        let branches: Vec<Vec<Violation>> = context
            .iter()
            .map(|errors| {
                let mut branch = Vec::new();
                for error in errors {
                    self.collect(error, root, &mut branch);
                }
                branch
            })
            .collect();
        let at_value =
            |violation: &Violation| violation.path == path && matches!(violation.what, Mismatch::Value { .. });
        let deeper = branches.iter().filter(|branch| !branch.is_empty() && !branch.iter().any(at_value));
        if let Some(closest) = deeper.min_by_key(|branch| branch.len()) {
            found.extend(closest.iter().cloned());
            return;
        }
        let mut demands = Vec::new();
        let mut choices = Vec::new();
        for violation in branches.iter().flatten() {
            if let Mismatch::Value { demand, choices: more } = &violation.what {
                let demand = demand.strip_prefix("takes ").unwrap_or(demand);
                let demand = demand.split(", this is ").next().unwrap_or(demand).to_owned();
                if violation.path == path && !demands.contains(&demand) {
                    demands.push(demand);
                }
                choices.extend(more.iter().cloned());
            }
        }
        let demand = if demands.is_empty() {
            "matches none of the allowed forms".to_owned()
        } else {
            let instance =
                value_at(root, &path).map_or_else(String::new, |value| format!(", this is {}", noun_of(value)));
            format!("takes {}{instance}", demands.join(" or "))
        };
        found.push(Violation { path, what: Mismatch::Value { demand, choices }, rule });
    }

    /// The keys a map may have, next to the rule that forbids others.
    fn known_keys(&self, rule: &str) -> Vec<String> {
        let Some((parent, _)) = rule.rsplit_once('/') else { return Vec::new() };
        let Some(Value::Object(parent)) = self.document.pointer(parent) else { return Vec::new() };
        let Some(Value::Object(properties)) = parent.get("properties") else { return Vec::new() };
        properties.keys().cloned().collect()
    }
}

/// Why a schema cannot be used, in our words where the library's speak of itself.
fn unusable(error: &ValidationError<'_>) -> String {
    let text = error.masked().to_string();
    if matches!(error.kind(), ValidationErrorKind::Referencing(_)) {
        return if text.contains("resolve") || text.contains("retriev") {
            "a reference leads out of the schema, and nothing is fetched".to_owned()
        } else {
            text
        };
    }
    match error.instance_path().as_str() {
        "" => text,
        place => format!("`{place}` is no JSON Schema: {text}"),
    }
}

/// A JSON pointer as a path; digits are an index where the instance has a list.
fn path_of(pointer: &str, root: &Value) -> Path {
    let mut path = Path::default();
    let mut node = Some(root);
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        match (node, token.parse::<usize>()) {
            (Some(Value::Array(items)), Ok(index)) => {
                path.0.push(Step::Index(index));
                node = items.get(index);
            }
            _ => {
                node = node.and_then(|node| node.get(&token));
                path.0.push(Step::Key(token));
            }
        }
    }
    path
}

fn value_at<'v>(root: &'v Value, path: &Path) -> Option<&'v Value> {
    path.0.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    })
}

fn demand(kind: &ValidationErrorKind, error: &ValidationError<'_>) -> (String, Vec<String>) {
    let text = match kind {
        ValidationErrorKind::Type { kind } => {
            let types = match kind {
                TypeKind::Single(one) => noun(*one).to_owned(),
                TypeKind::Multiple(set) => {
                    let mut nouns: Vec<&str> = set.iter().map(noun).collect();
                    nouns.sort_by_key(|noun| *noun == "null");
                    nouns.join(" or ")
                }
            };
            format!("takes {types}, this is {}", noun_of(error.instance()))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options
                .as_array()
                .map(|options| {
                    options
                        .iter()
                        .map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned))
                        .collect()
                })
                .unwrap_or_default();
            let mut text = "takes one of ".to_owned();
            for (number, option) in options.iter().enumerate() {
                let _ = write!(text, "{}`{option}`", if number == 0 { "" } else { ", " });
            }
            return (text, options);
        }
        ValidationErrorKind::Constant { expected_value } => format!("takes only `{}`", plain(expected_value)),
        ValidationErrorKind::Pattern { pattern } => format!("does not match the pattern `{pattern}`"),
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        ValidationErrorKind::MinLength { limit } => format!("needs at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("takes at most {limit} characters"),
        ValidationErrorKind::MinItems { limit } => format!("needs at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("takes at most {limit} items"),
        ValidationErrorKind::MinProperties { limit } => format!("needs at least {limit} keys"),
        ValidationErrorKind::MaxProperties { limit } => format!("takes at most {limit} keys"),
        ValidationErrorKind::UniqueItems => "must not hold an item twice".to_owned(),
        ValidationErrorKind::Format { format } => format!("is not a valid {format}"),
        ValidationErrorKind::FalseSchema => "is not allowed here".to_owned(),
        _ => error.masked().to_string(),
    };
    (text, Vec::new())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn noun(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "an integer",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "a map",
        JsonType::String => "a string",
    }
}

fn noun_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(schema: Value, value: &Value) -> Vec<(String, Mismatch)> {
        let schema = Schema::compile(schema).unwrap();
        assert_eq!(schema.is_valid(Instance::json(value)), schema.violations(value).is_empty());
        schema.violations(value).into_iter().map(|violation| (violation.path.to_string(), violation.what)).collect()
    }

    #[test]
    fn unknown_keys_know_their_siblings() {
        let schema =
            json!({"type": "object", "properties": {"replicas": {"type": "integer"}}, "additionalProperties": false});
        assert_eq!(
            found(schema, &json!({"repicas": 1})),
            [(String::new(), Mismatch::UnknownKey { key: "repicas".into(), known: vec!["replicas".into()] })]
        );
    }

    #[test]
    fn says_types() {
        let schema = json!({"properties": {"a": {"items": {"type": ["integer", "null"]}}}});
        let demand = "takes an integer or null, this is a string".to_owned();
        assert_eq!(
            found(schema, &json!({"a": [1, "x"]})),
            [("a[1]".into(), Mismatch::Value { demand, choices: vec![] })]
        );
    }

    #[test]
    fn the_closest_branch_speaks() {
        let schema =
            json!({"anyOf": [{"type": "string"}, {"type": "object", "properties": {"x": {"type": "integer"}}}]});
        let demand = "takes an integer, this is a boolean".to_owned();
        assert_eq!(
            found(schema.clone(), &json!({"x": true})),
            [("x".into(), Mismatch::Value { demand, choices: vec![] })]
        );
        let demand = "takes a string or a map, this is an integer".to_owned();
        assert_eq!(found(schema, &json!(1)), [(String::new(), Mismatch::Value { demand, choices: vec![] })]);
    }

    #[test]
    fn nothing_is_fetched() {
        assert!(Schema::compile(json!({"$ref": "https://example.com/schema.json"})).is_err());
        assert!(Schema::compile(json!({"$ref": "file:///etc/passwd"})).is_err());
        assert!(Schema::compile(json!({"type": 5})).is_err());
    }
}
