//! Many Applications folded into one `ApplicationSet` with a list generator.
//!
//! The template holds what all Applications share. A text that differs only by a parameter of the element is
//! generalised where the caller named a [`Pattern`] for it, and only if the pattern gives the right text for every
//! element; so a pattern can make the output shorter but never wrong. What differs otherwise travels in the element
//! under `patch` and is applied by one constant `templatePatch`. It is found by rendering the template for each element
//! and comparing with what is wanted, hence `expand(factor(x)) == x` by construction; and it is compared in every run.
//!
//! Traps that shaped this: a patch replaces lists as a whole but *adds* to finalizers; it cannot change the project;
//! a key that only some elements have must not stand in the template, because removing it would take a `null`; the
//! CRD demands `destination`, `project` and each source's `repoURL` in the template.

use serde_json::{Map, Value};

use super::expand;
use super::types::leaves::{self, Leaf, Place};
use super::types::{
    Application, ApplicationSet, ApplicationSetSpec, Generator, ListGenerator, MatchExpression, Metadata, RollingSync,
    SetSyncPolicy, Step, Strategy, Template,
};

/// The parameter that holds what an Application has beyond the template.
pub const PATCH: &str = "patch";
/// The patch of every set: the element's own, or nothing.
pub const TEMPLATE_PATCH: &str = r#"{{ toJson (dig "patch" (dict) .) }}"#;
/// Argo CD reads numbers of elements as 64-bit floats, which are exact up to here.
pub const NUMBER_MAX: i64 = 1 << 53;

/// One Application and the parameters that its element shows, for example `cluster`.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    pub params: Map<String, Value>,
    pub application: Application,
}

/// A text with parameters in it and the places where it may stand in the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// The way into the Application; `*` stands for any one step, for example
    /// `["spec", "sources", "*", "helm", "valueFiles", "*"]`.
    pub at: &'static [&'static str],
    pub pieces: &'static [Piece],
}

/// A part of a [`Pattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands for itself, whatever it holds.
    Text(&'static str),
    /// The same, by its number in [`Patterns::given`].
    Given(usize),
    /// The value of a parameter.
    Param(&'static str),
}

/// Patterns and the texts that are the same in a whole set.
#[derive(Debug, Clone, Copy)]
pub struct Patterns<'p> {
    pub all: &'p [Pattern],
    pub given: &'p [&'p str],
}

impl Patterns<'_> {
    /// Whether the pattern gives this text for an element with these parameters. One that asks for a text or a parameter
    /// that is not there gives none.
    fn gives(&self, pattern: &Pattern, params: &Map<String, Value>, text: &str) -> bool {
        let rest = pattern.pieces.iter().try_fold(text, |rest, piece| match *piece {
            Piece::Text(text) => rest.strip_prefix(text),
            Piece::Given(number) => rest.strip_prefix(*self.given.get(number)?),
            Piece::Param(name) => rest.strip_prefix(params.get(name)?.as_str()?),
        });
        rest.is_some_and(str::is_empty)
    }

    /// The text of a pattern in the template.
    fn template(&self, pattern: &Pattern) -> String {
        // Most pieces are short.
        let (mut output, mut text) = (String::with_capacity(96), String::with_capacity(64));
        for piece in pattern.pieces {
            match *piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Given(number) => text.push_str(self.given.get(number).copied().unwrap_or_default()),
                Piece::Param(name) => {
                    escape(&text, true, &mut output);
                    text.clear();
                    output.push_str(&field(name));
                }
            }
        }
        escape(&text, false, &mut output);
        output
    }
}

/// Steps of a rollout: Applications whose `label` has one of the values of a group, group after group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    pub label: String,
    pub groups: Vec<Vec<String>>,
}

/// What cannot be folded into one set. All of these are mistakes of the caller, not of a user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactorError {
    #[error("ApplicationSet `{0}` would be empty, and an empty set deletes every Application it had")]
    Empty(String),
    #[error("Application `{application}` is in namespace `{found}`, its set in `{expected}`")]
    Namespace { application: String, found: String, expected: String },
    #[error("`{0}` cannot be the name of a parameter: letters, digits and `_`, no digit first, and not `patch`")]
    Param(String),
    #[error("Application `{application}` needs parameter `{param}` to be `{needed}`, but it has another value")]
    ParamClash { application: String, param: String, needed: String },
    #[error("Application `{application}` holds {number}, which Argo CD would round")]
    Number { application: String, number: String },
    #[error("Application `{application}`: {reason}")]
    Shape { application: String, reason: String },
}

/// Folds `elements` into one `ApplicationSet` that expands to exactly their Applications, in their order.
///
/// `patterns` are tried in order wherever they fit. Parameters of the elements are kept even where nothing reads them,
/// and `project`, `name` or `namespace` are added where the template needs them. The set always keeps what
/// its Applications installed when one of them goes.
///
/// # Errors
///
/// See [`FactorError`].
pub fn factor(
    name: &str,
    namespace: &str,
    elements: &[Element],
    patterns: &Patterns<'_>,
    rollout: Option<&Rollout>,
) -> Result<ApplicationSet, FactorError> {
    if elements.is_empty() {
        return Err(FactorError::Empty(name.to_owned()));
    }
    let generalised = generalised(namespace, elements, patterns);
    let is_proven = generalised.is_some();
    let (template, params) = match generalised {
        Some(made) => {
            debug_assert_eq!(Ok(&made), folded(namespace, elements, patterns).as_ref(), "two ways to one set");
            made
        }
        None => folded(namespace, elements, patterns)?,
    };
    let patched = params.iter().any(|params| params.contains_key(PATCH));
    let spec = ApplicationSetSpec {
        go_template: true,
        go_template_options: vec!["missingkey=error".into()],
        sync_policy: Some(SetSyncPolicy { preserve_resources_on_deletion: true }),
        strategy: rollout.map(strategy),
        generators: vec![Generator { list: ListGenerator { elements: params } }],
        template,
        template_patch: patched.then(|| TEMPLATE_PATCH.to_owned()),
    };
    let set = ApplicationSet { metadata: Metadata::new(name, namespace), spec, ..ApplicationSet::default() };
    if !is_proven {
        prove(&set, elements)?;
    }
    Ok(set)
}

/// Expands a set and compares, so that it can be long but not wrong.
fn prove(set: &ApplicationSet, elements: &[Element]) -> Result<(), FactorError> {
    let shape = |number: usize, reason: String| FactorError::Shape {
        application: elements[number].application.metadata.name.clone(),
        reason,
    };
    let expanded = expand::expand(set).map_err(|error| shape(error.element, error.to_string()))?;
    for (number, (expanded, Element { application, .. })) in expanded.iter().zip(elements).enumerate() {
        // An empty block is as good as none.
        if expanded != application && serde_json::to_value(expanded).ok() != serde_json::to_value(application).ok() {
            return Err(shape(number, "the set would expand to something else".into()));
        }
    }
    Ok(())
}

/// A template and the parameters of each element.
type Folded = (Template, Vec<Map<String, Value>>);

/// What [`folded`] gives, for Applications that differ by texts with a pattern alone, as almost all do; `None` for all
/// others. The first Application becomes the template without a detour, and those of the other elements are made from it again.
fn generalised(namespace: &str, elements: &[Element], patterns: &Patterns<'_>) -> Option<Folded> {
    let first = elements.first()?;
    let first_params = Value::Object(first.params.clone());
    let mut template = of_template(&first.application);
    let generalise = |place: &Place<'_>, leaf: Leaf<'_>| match leaf {
        Leaf::Text(text) => {
            let fits = |pattern: &&Pattern| place.fits(pattern.at) && patterns.gives(pattern, &first.params, text);
            let made = match patterns.all.iter().find(fits) {
                Some(pattern) => patterns.template(pattern),
                None if text.contains('{') => escaped(text),
                None => return Some(()),
            };
            // The rest of the first Application is copied, so with this its element is proven.
            let same = expand::render(&made, &first_params).is_ok_and(|rendered| rendered == *text);
            *text = made;
            same.then_some(())
        }
        Leaf::Key(key) => (!key.contains("{{")).then_some(()),
        Leaf::Number(number) => is_exact(&number.into()).then_some(()),
    };
    leaves::each(&mut template, |place, leaf| generalise(place, leaf).ok_or(())).ok()?;
    if template.metadata.name.is_empty() {
        return None;
    }
    let params = elements.iter().enumerate().map(|(number, Element { params, application })| {
        let right = application.metadata.namespace == namespace
            && params.keys().all(|param| is_param(param))
            && params.values().all(|value| inexact(value).is_none());
        let mut params = if right { params.clone() } else { return None };
        if params.is_empty() {
            params.insert("name".into(), application.metadata.name.as_str().into());
        }
        if number == 0 {
            return Some(params);
        }
        let params = Value::Object(params);
        let mut rendered = template.clone();
        let render = |_: &Place<'_>, leaf: Leaf<'_>| match leaf {
            Leaf::Text(text) if text.contains('{') => expand::render(text, &params).map(|rendered| *text = rendered),
            _ => Ok(()),
        };
        leaves::each(&mut rendered, render).ok()?;
        rendered.metadata.namespace.clone_from(&application.metadata.namespace);
        let same = rendered.metadata == application.metadata && rendered.spec == application.spec;
        match params {
            Value::Object(params) if same => Some(params),
            _ => None,
        }
    });
    let params = params.collect::<Option<_>>()?;
    Some((template, params))
}

/// An Application as a set's template has it: its namespace is that of the set.
fn of_template(application: &Application) -> Template {
    let metadata = Metadata { namespace: String::new(), ..application.metadata.clone() };
    Template { metadata, spec: application.spec.clone() }
}

/// The template of what all Applications share, by way of JSON; what it lacks is in the parameters.
fn folded(namespace: &str, elements: &[Element], patterns: &Patterns<'_>) -> Result<Folded, FactorError> {
    let wanted = elements.iter().map(|element| wanted(element, namespace)).collect::<Result<Vec<_>, _>>()?;
    let folding = Folding { elements, patterns };
    let views: Vec<&Value> = wanted.iter().collect();
    let mut template = folding.shared(&views, None).unwrap_or_else(|| Value::Object(Map::new()));
    let mut params: Vec<Map<String, Value>> = elements.iter().map(|element| element.params.clone()).collect();

    let promote = |template: &mut Value, params: &mut [Map<String, Value>], path: [&str; 2], param: &str| {
        for ((element, wanted), params) in elements.iter().zip(&wanted).zip(params) {
            let needed = wanted.pointer(&format!("/{}/{}", path[0], path[1])).cloned();
            set_param(params, param, needed, &element.application)?;
        }
        insert(template, &path, Value::String(field(param)));
        Ok::<_, FactorError>(())
    };
    if template.pointer("/metadata/name").is_none() {
        promote(&mut template, &mut params, ["metadata", "name"], "name")?;
    }
    if template.pointer("/spec/project").is_none() {
        promote(&mut template, &mut params, ["spec", "project"], "project")?;
    }
    if template.pointer("/spec/destination").is_none() {
        // Without a namespace of its own an element says "", which Argo CD takes as none.
        for ((element, wanted), params) in elements.iter().zip(&wanted).zip(&mut params) {
            let namespace = wanted.pointer("/spec/destination/namespace").cloned();
            set_param(params, "namespace", namespace, &element.application)?;
        }
        insert(&mut template, &["spec", "destination", "namespace"], Value::String(field("namespace")));
    }
    for (element, params) in elements.iter().zip(&mut params) {
        if params.is_empty() {
            // An element without parameters would leave the template unrendered.
            let name = Value::String(element.application.metadata.name.clone());
            set_param(params, "name", Some(name), &element.application)?;
        }
    }

    let shape = |application: &Application, reason: String| FactorError::Shape {
        application: application.metadata.name.clone(),
        reason,
    };
    let first = &elements[0].application;
    let template: Template =
        serde_json::from_value(template).map_err(|error| shape(first, format!("no template fits: {error}")))?;
    let plain = expand::template_value(&template);
    for ((element, wanted), params) in elements.iter().zip(&wanted).zip(&mut params) {
        let application = &element.application;
        let rendered = expand::rendered(&plain, params).map_err(|reason| shape(application, reason))?;
        if let Some(patch) = difference(&rendered, wanted) {
            params.insert(PATCH.to_owned(), patch);
        }
    }
    Ok((template, params))
}

/// Metadata and spec of an element's Application, after the checks that concern it alone.
fn wanted(element: &Element, namespace: &str) -> Result<Value, FactorError> {
    let application = &element.application;
    let name = &application.metadata.name;
    if application.metadata.namespace != namespace {
        return Err(FactorError::Namespace {
            application: name.clone(),
            found: application.metadata.namespace.clone(),
            expected: namespace.to_owned(),
        });
    }
    if let Some(param) = element.params.keys().find(|param| !is_param(param)) {
        return Err(FactorError::Param(param.clone()));
    }
    let value = serde_json::to_value(of_template(application))
        .map_err(|error| FactorError::Shape { application: name.clone(), reason: error.to_string() })?;
    let number = element.params.values().find_map(inexact).or_else(|| inexact(&value));
    match number {
        Some(number) => Err(FactorError::Number { application: name.clone(), number }),
        None => Ok(value),
    }
}

struct Folding<'f> {
    elements: &'f [Element],
    patterns: &'f Patterns<'f>,
}

impl Folding<'_> {
    /// The template of what all values, one per element, share; `None` where that is nothing.
    fn shared(&self, values: &[&Value], place: Option<&Place<'_>>) -> Option<Value> {
        let Value::Object(first) = values[0] else {
            return self.whole(values, place);
        };
        let maps: Vec<&Map<String, Value>> = values.iter().filter_map(|value| value.as_object()).collect();
        if maps.len() < values.len() {
            return None;
        }
        let mut shared = Map::new();
        for key in first.keys() {
            let inner: Vec<&Value> = maps.iter().filter_map(|map| map.get(key)).collect();
            if inner.len() < values.len() {
                continue;
            }
            if let Some(value) = self.shared(&inner, Some(&Place::new(place, key))) {
                shared.insert(escaped(key), value);
            }
        }
        let incomplete = place.is_some_and(|place| place.fits(&["spec", "source"])) && !shared.contains_key("repoURL");
        let says_nothing = shared.is_empty() && maps.iter().any(|map| !map.is_empty());
        (!incomplete && !says_nothing).then_some(Value::Object(shared))
    }

    /// As [`Self::shared`], but all or nothing: for lists, which a patch can only replace.
    fn whole(&self, values: &[&Value], place: Option<&Place<'_>>) -> Option<Value> {
        match values[0] {
            Value::String(first) => {
                let texts: Vec<&str> = values.iter().filter_map(|value| value.as_str()).collect();
                if texts.len() < values.len() {
                    return None;
                }
                let gives = |pattern: &&Pattern| {
                    let mut pairs = self.elements.iter().zip(&texts);
                    place.is_some_and(|place| place.fits(pattern.at))
                        && pairs.all(|(element, text)| self.patterns.gives(pattern, &element.params, text))
                };
                if let Some(pattern) = self.patterns.all.iter().find(gives) {
                    return Some(Value::String(self.patterns.template(pattern)));
                }
                texts.iter().all(|text| text == first).then(|| Value::String(escaped(first)))
            }
            Value::Array(first) => {
                let lists: Vec<&Vec<Value>> = values.iter().filter_map(|value| value.as_array()).collect();
                if lists.len() < values.len() || lists.iter().any(|list| list.len() != first.len()) {
                    return None;
                }
                let items = (0..first.len()).map(|index| {
                    let inner: Vec<&Value> = lists.iter().map(|list| &list[index]).collect();
                    self.whole(&inner, Some(&Place::item(place, index)))
                });
                items.collect::<Option<Vec<_>>>().map(Value::Array)
            }
            Value::Object(first) => {
                let maps: Vec<&Map<String, Value>> = values.iter().filter_map(|value| value.as_object()).collect();
                if maps.len() < values.len() || maps.iter().any(|map| map.len() != first.len()) {
                    return None;
                }
                let entries = first.keys().map(|key| {
                    let inner = maps.iter().map(|map| map.get(key)).collect::<Option<Vec<_>>>()?;
                    let value = self.whole(&inner, Some(&Place::new(place, key)));
                    value.map(|value| (escaped(key), value))
                });
                entries.collect::<Option<Map<_, _>>>().map(Value::Object)
            }
            first => values.iter().all(|value| *value == first).then(|| first.clone()),
        }
    }
}

/// What a patch has to say to turn `rendered` into `wanted`; `None` if they are the same.
fn difference(rendered: &Value, wanted: &Value) -> Option<Value> {
    let (Value::Object(rendered), Value::Object(wanted)) = (rendered, wanted) else {
        return (rendered != wanted).then(|| wanted.clone());
    };
    let mut patch = Map::new();
    for (key, value) in wanted {
        let differs = match rendered.get(key) {
            Some(rendered) => difference(rendered, value),
            None => Some(value.clone()),
        };
        if let Some(differs) = differs {
            patch.insert(key.clone(), differs);
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

fn strategy(rollout: &Rollout) -> Strategy {
    let steps = rollout.groups.iter().filter(|group| !group.is_empty()).map(|group| Step {
        match_expressions: vec![MatchExpression {
            key: rollout.label.clone(),
            operator: "In".into(),
            values: group.clone(),
        }],
        max_update: None,
    });
    Strategy::RollingSync { rolling_sync: RollingSync { steps: steps.collect() } }
}

fn set_param(
    params: &mut Map<String, Value>,
    param: &str,
    needed: Option<Value>,
    application: &Application,
) -> Result<(), FactorError> {
    let needed = needed.unwrap_or_else(|| Value::String(String::new()));
    match params.get(param) {
        Some(found) if *found != needed => Err(FactorError::ParamClash {
            application: application.metadata.name.clone(),
            param: param.to_owned(),
            needed: needed.as_str().unwrap_or_default().to_owned(),
        }),
        Some(_) => Ok(()),
        None => {
            params.insert(param.to_owned(), needed);
            Ok(())
        }
    }
}

/// Puts a value below nested maps, which are made where they do not exist.
fn insert(target: &mut Value, path: &[&str], value: Value) {
    let Value::Object(map) = target else { return };
    match path {
        [] => {}
        [last] => {
            map.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            insert(map.entry(*first).or_insert_with(|| Value::Object(Map::new())), rest, value);
        }
    }
}

/// Whether a template can read a parameter as `.name` (no word of Go's templates follows a dot, so none is reserved).
fn is_param(name: &str) -> bool {
    name != PATCH
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a number of an element reaches the Application unchanged.
pub(crate) fn is_exact(number: &serde_json::Number) -> bool {
    number.as_i64().is_some_and(|number| (-NUMBER_MAX..=NUMBER_MAX).contains(&number))
}

/// The first number, at any depth, that a 64-bit float does not hold exactly.
fn inexact(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => (!is_exact(number)).then(|| number.to_string()),
        Value::Array(items) => items.iter().find_map(inexact),
        Value::Object(map) => map.values().find_map(inexact),
        _ => None,
    }
}

fn field(param: &str) -> String {
    ["{{ .", param, " }}"].concat()
}

/// `text` as a template that yields it verbatim.
pub fn escaped(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    escape(text, false, &mut output);
    output
}

/// Writes `text` so that a template yields it verbatim. Only `{{` begins something in a template; a last single `{`
/// would join the braces of an action that follows.
fn escape(text: &str, action_follows: bool, output: &mut String) {
    let mut rest = text;
    if !text.contains('{') {
        return output.push_str(text);
    }
    while let Some(start) = rest.find("{{") {
        output.push_str(&rest[..start]);
        output.push_str(r#"{{ "{{" }}"#);
        rest = &rest[start + 2..];
    }
    match rest.strip_suffix('{') {
        Some(before) if action_follows => {
            output.push_str(before);
            output.push_str(r#"{{ "{" }}"#);
        }
        _ => output.push_str(rest),
    }
}

#[cfg(test)]
#[path = "set_tests.rs"]
mod tests;
