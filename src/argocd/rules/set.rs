//! `ApplicationSet`s: that they expand, to what, and that a rollout reaches every Application once.

use std::borrow::Cow;

use crate::argocd::expand::expand;
use crate::argocd::set::is_exact;
use crate::argocd::types::{Application, ApplicationSet, IntOrPercent, MatchExpression, RollingSync, Step, Strategy};
use crate::diag::Code;

use super::metadata::OBJECT_MAX;
use super::{Rules, duplicates, json_size};

impl Rules {
    /// `folded` is what the set expands to and how long its YAML is, where that is known.
    pub(super) fn application_set(&mut self, set: &ApplicationSet, folded: Option<(&[Application], usize)>) {
        self.at("metadata", |rules| {
            rules.metadata(&set.metadata);
            rules.finalizers(&set.metadata.finalizers);
        });
        self.at("spec", |rules| {
            if !set.spec.go_template {
                rules.field("`goTemplate` is not `true`; the old templates leave unknown names as they are");
            }
            if !set.spec.go_template_options.iter().any(|option| option == "missingkey=error") {
                rules.at("goTemplateOptions", |rules| {
                    rules.field("lacks `missingkey=error`; a missing parameter would print `<no value>`");
                });
            }
            // Without it, and without a finalizer in the template, Argo CD adds the one that deletes what was
            // installed.
            if !set.spec.sync_policy.as_ref().is_some_and(|policy| policy.preserve_resources_on_deletion) {
                rules.at("syncPolicy.preserveResourcesOnDeletion", |rules| {
                    rules.field("is not `true`; an Application that leaves the set would delete what it installed");
                });
            }
            rules.elements(set);
            if !set.spec.template.metadata.namespace.is_empty() {
                rules.at("template.metadata.namespace", |rules| {
                    rules.field("has no effect; Applications are made in the namespace of their set");
                });
            }
        });
        match folded.map_or_else(|| expand(set).map(Cow::Owned), |(known, _)| Ok(Cow::Borrowed(known))) {
            Ok(applications) => self.expanded(set, &applications),
            Err(error) => {
                // One element that fails stops Argo CD's work on the whole set (by reading).
                let path = format!("spec.{}", error.path);
                self.at(&path, |rules| {
                    rules.field(format!("fails for element {}: {}", error.element, error.reason)).help =
                        Some("braces that are meant as text are written `{{ \"{{\" }}`".into());
                });
            }
        }
        // Each entry has a colon, a blank and a line end in YAML, and at most six characters of quotes, colon and comma in
        // JSON; what JSON escapes with one more character is doubled or indented there too.
        if folded.is_none_or(|(_, yaml)| 2 * yaml >= OBJECT_MAX / 2) {
            self.written_size(json_size(set));
        } else {
            debug_assert!(folded.is_some_and(|(_, yaml)| json_size(set) <= 2 * yaml), "JSON is not that long");
        }
    }

    fn elements(&mut self, set: &ApplicationSet) {
        if set.spec.generators.is_empty() {
            self.field("has no generator");
        }
        self.each("generators", &set.spec.generators, |rules, generator| {
            rules.at("list", |rules| {
                if generator.list.elements.is_empty() {
                    rules.at("elements", |rules| {
                        rules.field("is empty; Argo CD would delete every Application of the set");
                    });
                }
                rules.each("elements", &generator.list.elements, |rules, element| {
                    if element.is_empty() {
                        // RenderTemplateParams returns the template unrendered and without its finalizer (by reading).
                        rules.field("is empty; Argo CD would not render the template for it");
                    }
                    for (key, value) in element {
                        rules.at(key, |rules| rules.numbers(value));
                    }
                });
            });
        });
    }

    /// Numbers pass through a 64-bit float.
    fn numbers(&mut self, value: &serde_json::Value) {
        match value {
            serde_json::Value::Number(number) if !is_exact(number) => {
                self.field(format!("{number} would be rounded")).help = Some("write it as a string".into());
            }
            serde_json::Value::Array(items) => self.each("", items, Self::numbers),
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    self.at(key, |rules| rules.numbers(value));
                }
            }
            serde_json::Value::Null => {
                self.field("is null");
            }
            _ => {}
        }
    }

    fn expanded(&mut self, set: &ApplicationSet, applications: &[Application]) {
        let names: Vec<&str> = applications.iter().map(|application| application.metadata.name.as_str()).collect();
        for (_, name) in duplicates(&names) {
            // Argo CD then skips every Application of that name, not only the second.
            self.add(Code::OutClash, format!("two elements give an Application `{name}`"));
        }
        for application in applications {
            let mut rules = Rules::new(self.version, format!("Application/{}", application.metadata.name));
            rules.application(application);
            self.found.append(&mut rules.found);
        }
        if let Some(Strategy::RollingSync { rolling_sync }) = &set.spec.strategy {
            self.at("spec.strategy.rollingSync", |rules| rules.rollout(rolling_sync, applications));
        }
    }

    /// Source: the progressive sync of the `ApplicationSet` controller, by reading.
    fn rollout(&mut self, rollout: &RollingSync, applications: &[Application]) {
        if rollout.steps.is_empty() {
            self.field("has no steps; nothing would ever be synced");
        }
        self.each("steps", &rollout.steps, |rules, step| {
            if step.match_expressions.is_empty() {
                rules.field("has no `matchExpressions` and takes every Application");
            }
            rules.each("matchExpressions", &step.match_expressions, |rules, expression| {
                if !matches!(expression.operator.as_str(), "In" | "NotIn") {
                    rules.at("operator", |rules| {
                        rules.field(format!("`{}` is neither `In` nor `NotIn`", expression.operator));
                    });
                }
                if expression.values.is_empty() {
                    rules.at("values", |rules| {
                        rules.field("is empty");
                    });
                }
            });
            match &step.max_update {
                Some(IntOrPercent::Percent(text)) if !is_percent(text) => rules.at("maxUpdate", |rules| {
                    rules.field(format!("`{text}` is neither a number nor a share such as `25%`"));
                }),
                _ => {}
            }
        });
        for application in applications {
            let name = &application.metadata.name;
            let steps: Vec<String> = (rollout.steps.iter().enumerate())
                .filter(|(_, step)| takes(step, application))
                .map(|(index, _)| index.to_string())
                .collect();
            match steps.as_slice() {
                [_] => {}
                [] => {
                    self.field(format!("no step takes Application `{name}`; it would never be synced"));
                }
                steps => {
                    self.field(format!("steps {} all take Application `{name}`", steps.join(", ")));
                }
            }
        }
    }
}

fn is_percent(text: &str) -> bool {
    let number = text.strip_suffix('%').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number.and_then(|digits| digits.parse::<u8>().ok()).is_some_and(|share| share <= 100)
}

/// All expressions must hold; a label that is missing is in no set.
fn takes(step: &Step, application: &Application) -> bool {
    let holds = |expression: &MatchExpression| {
        let label = application.metadata.labels.get(&expression.key);
        label.is_some_and(|label| expression.values.contains(label)) == (expression.operator != "NotIn")
    };
    step.match_expressions.iter().all(holds)
}
