//! MiniJinja, set up once a run, and what it says in our words.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Expression, UndefinedBehavior, Value};

use super::guard::{Additions, Place, guard, place_before, written_out};
use super::split::{Piece, Split, check_length, split};
use super::{EXPRESSION_LIMIT, FUEL, OUTPUT_LIMIT, Scope, TemplateError, functions, work};
use crate::diag::{Code, nearest};
use crate::source::budget::{Budget, Exceeded, Meter, Resource};

/// The template engine of a run; shared by threads.
#[derive(Debug)]
pub struct Engine {
    environment: Environment<'static>,
    /// Counts the steps of all templates of a run.
    meter: Arc<Meter>,
}

/// A scalar's template, compiled once and evaluated for every release and cluster.
#[derive(Debug)]
pub enum Compiled<'e> {
    /// Exactly one expression; the result keeps its type.
    Whole(Part<'e>),
    /// Text with expressions in it.
    Text(Vec<Part<'e>>),
    /// Text with blocks.
    Blocks(Additions),
}

/// A piece of text, or an expression with its place in the scalar.
#[derive(Debug)]
pub enum Part<'e> {
    Text(Range<usize>),
    /// Names with dots between them, as most expressions are: `cluster.name`. What leads nowhere is left to MiniJinja.
    Path(Range<usize>, Vec<String>),
    Expression(Range<usize>, Expression<'e, 'static>, Additions),
}

pub(super) fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .variable_delimiters("${{", "}}")
        .block_delimiters("${{%", "%}}")
        .comment_delimiters("${{#", "#}}")
        .keep_trailing_newline(true)
        .build()
        .unwrap_or_default()
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    pub fn new() -> Self {
        Self::within(Arc::new(Meter::new(Budget::unlimited())))
    }

    /// An engine whose steps are counted against a run's budget.
    pub fn within(meter: Arc<Meter>) -> Self {
        let mut environment = Environment::new();
        environment.set_syntax(syntax());
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(64);
        environment.set_formatter(|out, _, value| {
            let text = functions::scalar_text(value)?;
            out.write_str(&text).map_err(Error::from)
        });
        functions::install(&mut environment);
        Self { environment, meter }
    }

    /// Compiles the text of a scalar that holds `${{`.
    ///
    /// # Errors
    /// `template/syntax`, or `template/limit` for an expression that is too long, with the place in the text.
    pub fn compile(&self, text: &str) -> Result<Compiled<'_>, TemplateError> {
        match split(text)? {
            Split::Whole(range) => Ok(Compiled::Whole(self.expression(text, range)?)),
            Split::Pieces(pieces) => {
                let parts = pieces.into_iter().map(|piece| match piece {
                    Piece::Text(range) => Ok(Part::Text(range)),
                    Piece::Expression(range) => self.expression(text, range),
                });
                Ok(Compiled::Text(parts.collect::<Result<_, _>>()?))
            }
            Split::Blocks(additions) => {
                match self.environment.template_from_str(&written_out(text, 0..text.len(), &additions)) {
                    Ok(_) => Ok(Compiled::Blocks(additions)),
                    Err(error) => Err(translate(&error, text, At { start: 0, additions: &additions }, None)),
                }
            }
        }
    }

    /// Compiles a bare expression (`when`, `each`).
    ///
    /// # Errors
    /// `template/syntax`, or `template/limit` for an expression that is too long, with the place in the text.
    pub fn compile_expression(&self, text: &str) -> Result<Compiled<'_>, TemplateError> {
        check_length(0..text.len())?;
        Ok(Compiled::Whole(self.expression(text, 0..text.len())?))
    }

    fn expression(&self, text: &str, range: Range<usize>) -> Result<Part<'_>, TemplateError> {
        match path(&text[range.clone()]) {
            Some(path) => Ok(Part::Path(range, path)),
            None => self.any_expression(text, range),
        }
    }

    fn any_expression(&self, text: &str, range: Range<usize>) -> Result<Part<'_>, TemplateError> {
        let additions = guard(text, range.clone(), Place::Expression)?;
        match self.environment.compile_expression_owned(written_out(text, range.clone(), &additions)) {
            Ok(expression) => Ok(Part::Expression(range, expression, additions)),
            Err(error) => Err(translate(&error, text, At { start: range.start, additions: &additions }, None)),
        }
    }

    /// Evaluates a compiled scalar. `text` is what it was compiled from.
    ///
    /// # Errors
    /// `template/undefined`, `template/failed` or `template/limit`, with the place in the text.
    pub fn evaluate(
        &self,
        compiled: &Compiled<'_>,
        text: &str,
        scope: &Arc<Scope>,
    ) -> Result<serde_json::Value, TemplateError> {
        let over = |exceeded: Exceeded| TemplateError::new(Code::LimitSteps, exceeded.to_string());
        self.meter.check().map_err(over)?;
        work::begin();
        let result = self.result(compiled, text, scope);
        // Without loops there are no more steps than bytes.
        let steps = work::steps() + text.len().min(EXPRESSION_LIMIT) as u64 / 4 + 1;
        self.meter.charge(Resource::Steps, steps).map_err(over)?;
        result
    }

    fn result(
        &self,
        compiled: &Compiled<'_>,
        text: &str,
        scope: &Arc<Scope>,
    ) -> Result<serde_json::Value, TemplateError> {
        match compiled {
            Compiled::Whole(part) => {
                let value = self.value(part, text, scope)?;
                let json =
                    functions::json(&value).map_err(|error| translate(&error, text, At::default(), Some(scope)))?;
                check_size(&json)?;
                Ok(json)
            }
            Compiled::Text(parts) => {
                let mut out = String::with_capacity(text.len() + 16);
                for part in parts {
                    match part {
                        Part::Text(range) => out.push_str(&text[range.clone()]),
                        Part::Path(range, _) | Part::Expression(range, ..) => {
                            let value = self.value(part, text, scope)?;
                            let piece = functions::scalar_text(&value).map_err(|error| {
                                let error = translate(&error, text, At::default(), Some(scope));
                                TemplateError { range: Some(trimmed(text, range.clone())), ..error }
                            })?;
                            out.push_str(&piece);
                        }
                    }
                    if out.len() > OUTPUT_LIMIT {
                        return Err(too_large());
                    }
                }
                Ok(out.into())
            }
            Compiled::Blocks(additions) => self.blocks(text, additions, scope),
        }
    }

    fn value(&self, part: &Part<'_>, text: &str, scope: &Arc<Scope>) -> Result<Value, TemplateError> {
        let Part::Path(range, path) = part else { return evaluate_part(part, text, scope) };
        match follow(path, scope) {
            Some(value) => Ok(value),
            None => evaluate_part(&self.any_expression(text, range.clone())?, text, scope),
        }
    }

    fn blocks(
        &self,
        text: &str,
        additions: &Additions,
        scope: &Arc<Scope>,
    ) -> Result<serde_json::Value, TemplateError> {
        let environment: &Environment<'_> = &self.environment;
        let at = At { start: 0, additions };
        let written = written_out(text, 0..text.len(), additions);
        let template =
            environment.template_from_str(&written).map_err(|error| translate(&error, text, at, Some(scope)))?;
        let mut out = Bounded(Vec::new());
        match template.render_captured_to(Value::from_dyn_object(Arc::clone(scope)), &mut out) {
            Ok(captured) => {
                work::add_steps(captured.state().fuel_levels().map_or(FUEL, |(used, _)| used));
                drop(captured);
                Ok(String::from_utf8_lossy(&out.0).into_owned().into())
            }
            Err(error) => {
                work::add_steps(FUEL);
                Err(if error.kind() == ErrorKind::WriteFailure {
                    too_large()
                } else {
                    translate(&error, text, at, Some(scope))
                })
            }
        }
    }
}

/// The names of an expression that is nothing but names with dots between them, two at least.
fn path(expression: &str) -> Option<Vec<String>> {
    const WORDS: &[&str] =
        &["and", "else", "false", "False", "if", "in", "is", "none", "None", "not", "or", "true", "True"];
    let is_name = |name: &str| {
        let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        word && name.starts_with(|first: char| !first.is_ascii_digit()) && !WORDS.contains(&name)
    };
    let expression = expression.trim_matches(' ');
    let names = expression.contains('.').then(|| expression.split('.'))?;
    names.map(|name| is_name(name).then(|| name.to_owned())).collect()
}

/// What a path of names leads to, if there is anything.
fn follow(path: &[String], scope: &Scope) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    let value = rest.iter().try_fold(scope.variable(first)?, |value, name| value.get_attr(name).ok())?;
    (!value.is_undefined()).then_some(value)
}

/// A writer that refuses to hold more than a scalar may become.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_LIMIT {
            return Err(io::Error::other("too large"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_large() -> TemplateError {
    TemplateError::new(Code::TemplateLimit, "the template wrote more than 1 MiB")
}

/// About how many bytes a value takes when written.
pub fn size(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(items) => items.iter().map(|item| size(item) + 2).sum(),
        serde_json::Value::Object(map) => map.iter().map(|(key, value)| key.len() + size(value) + 2).sum(),
        _ => 8,
    }
}

fn check_size(value: &serde_json::Value) -> Result<(), TemplateError> {
    if size(value) > OUTPUT_LIMIT { Err(too_large()) } else { Ok(()) }
}

fn evaluate_part(part: &Part<'_>, text: &str, scope: &Arc<Scope>) -> Result<Value, TemplateError> {
    let Part::Expression(range, expression, additions) = part else { return Ok(Value::UNDEFINED) };
    match expression.eval(Value::from_dyn_object(Arc::clone(scope))) {
        Ok(value) if value.is_undefined() => Err(undefined(text, trimmed(text, range.clone()), scope)),
        Ok(value) => Ok(value),
        Err(error) => {
            let undefined_operand = error.detail().is_some_and(|detail| detail.contains("undefined"));
            if let Some(place) = undefined_operand.then(|| first_undefined(text, range.clone(), scope)).flatten() {
                return Err(undefined(text, place, scope));
            }
            let at = At { start: range.start, additions };
            let mut error = translate(&error, text, at, Some(scope));
            error.range.get_or_insert_with(|| trimmed(text, range.clone()));
            Err(error)
        }
    }
}

/// Where the first name stands that an expression reads and that does not exist.
fn first_undefined(text: &str, range: Range<usize>, scope: &Scope) -> Option<Range<usize>> {
    let expression = &text[range.clone()];
    let missing = super::reads(&format!("${{{{{expression}}}}}")).into_iter().filter(|path| {
        let mut steps = path.split('.');
        let first = steps.next().and_then(|name| scope.variable(name));
        first
            .and_then(|first| steps.try_fold(first, |value, step| value.get_attr(step).ok()))
            .is_none_or(|value| value.is_undefined())
    });
    let places = missing.filter_map(|path| expression.find(&path).map(|at| (at, path.len())));
    places.min().map(|(at, len)| range.start + at..range.start + at + len)
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let inner = &text[range.clone()];
    let start = range.start + (inner.len() - inner.trim_start().len());
    start..start + inner.trim().len()
}

/// Where what MiniJinja was given begins in the scalar, and what it was given besides.
#[derive(Clone, Copy)]
struct At<'a> {
    start: usize,
    additions: &'a Additions,
}

impl Default for At<'_> {
    fn default() -> Self {
        static NONE: Additions = Additions::new();
        Self { start: 0, additions: &NONE }
    }
}

/// MiniJinja's error in our words.
fn translate(error: &Error, text: &str, at: At<'_>, scope: Option<&Arc<Scope>>) -> TemplateError {
    let place = |written| place_before(written, at.start, at.additions);
    let range = error.range().map(|range| place(range.start)..place(range.end)).filter(|range| {
        range.start <= range.end
            && range.end <= text.len()
            && text.is_char_boundary(range.start)
            && text.is_char_boundary(range.end)
    });
    let repeats = error.detail().is_none_or(|detail| detail.contains("be multiplied with integers"));
    if error.kind() == ErrorKind::InvalidOperation && repeats && !at.additions.is_empty() {
        let made = TemplateError::new(Code::TemplateFailed, "`*` multiplies numbers; it repeats no text and no list");
        return TemplateError { range, ..made };
    }
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let made = match (error.kind(), scope) {
        (ErrorKind::UndefinedError, Some(scope)) if range.is_some() => {
            return undefined(text, range.unwrap_or_default(), scope);
        }
        (ErrorKind::OutOfFuel, _) => TemplateError::new(
            Code::TemplateLimit,
            error.detail().map_or_else(|| "the template ran too long".to_owned(), |_| detail.clone()),
        ),
        (ErrorKind::SyntaxError, _) => TemplateError::new(Code::TemplateSyntax, detail),
        (ErrorKind::UnknownFunction, _) => unknown("function", &detail, functions::FUNCTIONS),
        (ErrorKind::UnknownFilter, _) => unknown("filter", &detail, functions::FILTERS),
        (ErrorKind::UndefinedError | ErrorKind::UnknownTest | ErrorKind::UnknownMethod, _) => {
            TemplateError::new(Code::TemplateUndefined, detail)
        }
        _ => TemplateError::new(Code::TemplateFailed, detail),
    };
    TemplateError { range, ..made }
}

/// A function or filter that does not exist; MiniJinja says `filter x is unknown` or `x is unknown`.
fn unknown(what: &str, detail: &str, known: &[&str]) -> TemplateError {
    let name = detail.trim_end_matches(" is unknown").rsplit(' ').next().unwrap_or(detail);
    let error = TemplateError::new(Code::TemplateUndefined, format!("there is no {what} `{name}`"));
    match nearest(name, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("`docs/templates.md` lists every {what}")),
    }
}

/// Names the part of `vars.replica.count` that does not exist, and the nearest that does.
fn undefined(text: &str, range: Range<usize>, scope: &Scope) -> TemplateError {
    // MiniJinja's range of a failed attribute may begin behind the name it belongs to.
    let start = if text[range.start..].starts_with('.') {
        let before = &text[..range.start];
        before.rfind(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.')).map_or(0, |at| at + 1)
    } else {
        range.start
    };
    let range = start..range.end;
    let expression = &text[range.clone()];
    let end =
        expression.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.')).unwrap_or(expression.len());
    let path = expression[..end].trim_end_matches('.');
    let is_call = expression[end..].starts_with('(');
    let mut steps = path.split('.');
    let plain = TemplateError::new(Code::TemplateUndefined, format!("`{expression}` is undefined")).at(range.clone());
    let Some(first) = steps.next().filter(|name| !name.is_empty() && !is_call) else { return plain };
    let Some(mut value) = scope.variable(first) else {
        let error = TemplateError::new(Code::TemplateUndefined, format!("there is no `{first}` here"))
            .at(range.start..range.start + first.len());
        return match nearest(first, scope.names()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("templates can use {}", list(&scope.names()))),
        };
    };
    let mut walked = first.to_owned();
    for name in steps {
        let at = range.start + walked.len() + 1;
        let next = value.get_attr(name).unwrap_or(Value::UNDEFINED);
        if next.is_undefined() {
            let error = TemplateError::new(Code::TemplateUndefined, format!("`{walked}` has no `{name}`"))
                .at(at..at + name.len());
            if walked == "cap" {
                return error.help(capability_help(name, scope));
            }
            let keys: Vec<String> = value
                .try_iter()
                .map(|keys| keys.filter_map(|key| key.as_str().map(str::to_owned)).collect())
                .unwrap_or_default();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            return match nearest(name, keys.iter().copied()) {
                Some(near) => error.help(format!("did you mean `{walked}.{near}`?")),
                None if keys.is_empty() => error,
                None => error.help(format!("`{walked}` has {}", list(&keys))),
            };
        }
        walked = format!("{walked}.{name}");
        value = next;
    }
    plain
}

fn capability_help(name: &str, scope: &Scope) -> String {
    let declared = scope.capabilities.as_ref().map(|caps| caps.declared.clone()).unwrap_or_default();
    if declared.iter().any(|have| have == name) {
        return format!("nothing provides `{name}` here; ask `has('{name}')` first");
    }
    match nearest(name, declared.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `cap.{near}`?"),
        None => format!("add `{name}` to the app's `wants` or `requires`"),
    }
}

fn list(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > shown.len() { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::template::{Capabilities, EXPRESSION_LIMIT, value_of};

    fn scope() -> Arc<Scope> {
        Arc::new(Scope {
            vars: value_of(json!({"replicas": 3, "name": "x", "flag": true, "none": null, "list": ["a", "b"]})),
            release: value_of(json!({"name": "grafana"})),
            capabilities: Some(Arc::new(Capabilities {
                declared: vec!["ingress".into(), "metrics".into()],
                provided: vec![("ingress".into(), value_of(json!({"className": "traefik"})))],
            })),
            domain: Some("example.com".into()),
            ..Scope::default()
        })
    }

    fn run(text: &str) -> Result<serde_json::Value, TemplateError> {
        let engine = Engine::new();
        let compiled = engine.compile(text)?;
        engine.evaluate(&compiled, text, &scope())
    }

    proptest! {
        /// What is followed leads where MiniJinja goes, and says the same where that is nowhere.
        #[test]
        fn a_path_is_what_minijinja_makes_of_it(
            path in r"(vars|release|cap|env|none|true|not|x)(\.(name|replicas|list|none|nothing|items|ingress|className|0|if)){0,3}",
            blanks in r"[ \n\t]{0,2}",
        ) {
            let text = format!("${{{{{blanks}{path}{blanks}}}}}");
            let (engine, range) = (Engine::new(), 3..text.len() - 2);
            let json = |value: Value| functions::json(&value).unwrap();
            let plain = engine
                .any_expression(&text, range.clone())
                .and_then(|part| evaluate_part(&part, &text, &scope()))
                .map(json);
            let ours = engine.expression(&text, range).and_then(|part| engine.value(&part, &text, &scope())).map(json);
            prop_assert_eq!(ours, plain);
        }
    }

    #[test]
    fn paths_are_seen() {
        assert_eq!(path(" vars.a_b.c1 "), Some(vec!["vars".to_owned(), "a_b".to_owned(), "c1".to_owned()]));
        for other in ["vars", "vars.", ".vars", "vars.1a", "vars.not", "vars.a b", "vars.a()", "vars.a|x", "a.\tb"] {
            assert_eq!(path(other), None, "{other}");
        }
    }

    #[test]
    fn keeps_the_type_of_one_expression() {
        assert_eq!(run("${{ vars.replicas }}").unwrap(), json!(3));
        assert_eq!(run("${{ vars.flag }}").unwrap(), json!(true));
        assert_eq!(run("${{ vars.list }}").unwrap(), json!(["a", "b"]));
        assert_eq!(run("${{ vars.none }}").unwrap(), json!(null));
        assert_eq!(run("${{ vars.x | default(7) }}").unwrap(), json!(7));
        assert_eq!(run("${{ vars.replicas * 2 + 1 }}").unwrap(), json!(7));
        assert_eq!(run("${{ 2 * vars.replicas | int * (1 + 1) - -2 * 3 }}").unwrap(), json!(18));
        assert_eq!(run("${{ 1.5 * vars.replicas }}").unwrap(), json!(4.5));
        assert_eq!(run("${{ {'a': {'b': 1}} }}").unwrap(), json!({"a": {"b": 1}}));
    }

    #[test]
    fn writes_text() {
        assert_eq!(run("a-${{ vars.replicas }}-${{ vars.flag }}").unwrap(), json!("a-3-true"));
        assert_eq!(
            run("${{% if has('ingress') %}}${{ cap.ingress.className }}\n${{% endif %}}\n").unwrap(),
            json!("traefik\n\n")
        );
        assert_eq!(run("${{% for x in vars.list %}}${{ x }};${{% endfor %}}").unwrap(), json!("a;b;"));
        assert_eq!(run("{{ .Values }} ${{ '${{' }}").unwrap(), json!("{{ .Values }} ${{"));
        assert_eq!(run("${{ host('grafana') }}").unwrap(), json!("grafana.example.com"));
        assert_eq!(run("${{ '<a>' | tojson }}").unwrap(), json!("\"<a>\""));
        assert_eq!(run("${{ has('metrics') }}").unwrap(), json!(false));
        assert_eq!(run("${{ 'x' | sha256 | trunc(8) }}").unwrap(), json!("2d711642"));
    }

    #[test]
    fn says_which_name_is_undefined() {
        let error = run("x ${{ vars.repicas }}").unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (Code::TemplateUndefined, "`vars` has no `repicas`"));
        assert_eq!(error.range, Some(11..18));
        assert_eq!(error.help.as_deref(), Some("did you mean `vars.replicas`?"));
        let error = run("${{ var.replicas }}").unwrap_err();
        assert_eq!(error.message, "there is no `var` here");
        assert_eq!(error.help.as_deref(), Some("did you mean `vars`?"));
        let error = run("${{ cap.metrics.url }}").unwrap_err();
        assert_eq!(error.help.as_deref(), Some("nothing provides `metrics` here; ask `has('metrics')` first"));
        let error = run("${{ cap.storage.className }}").unwrap_err();
        assert_eq!(error.help.as_deref(), Some("add `storage` to the app's `wants` or `requires`"));
        let error = run("${{ release.name + vars.nope }}").unwrap_err();
        assert_eq!(error.code, Code::TemplateUndefined);
        assert_eq!(run("${{ nofunc() }}").unwrap_err().code, Code::TemplateUndefined);
    }

    #[test]
    fn refuses_what_text_cannot_hold() {
        assert!(run("a ${{ vars.none }}").unwrap_err().message.contains("null cannot stand inside text"));
        assert!(run("a ${{ vars.list }}").unwrap_err().message.contains("cannot stand inside text"));
        assert_eq!(run("${{ vars. }}").unwrap_err().code, Code::TemplateSyntax);
    }

    #[test]
    fn is_bounded() {
        for text in [
            "${{% for a in range(100000) %}}${{% for b in range(100000) %}}x${{% endfor %}}${{% endfor %}}",
            "${{% for a in range(20000) %}}${{ range(20) | join(a) }}${{% endfor %}}",
            "${{ range(9999) | join | replace('1', range(9999) | join) }}",
            "${{ range(100000) | join(range(1000) | join) }}",
            "${{ 'x' * 100000000 }}",
            "${{ 100000000 * 'x' }}",
            "${{ vars.replicas * vars.name }}",
            "${{ [0] * 100000000 }}",
            "${{ ([0] * 100000000) | list | length }}",
            "${{% for a in [vars.list] %}}${{ a * 1000 }}${{% endfor %}}",
        ] {
            let error = run(text).unwrap_err();
            assert!(matches!(error.code, Code::TemplateLimit | Code::TemplateFailed), "{text}: {error:?}");
        }
        // What is shared and would double with every level.
        let zipped = format!("vars.list{} | string", " | zip(vars.list) | list".repeat(30));
        let mapped = format!("range(99) | map('default', 1){} | length", " | chain(range(9999))".repeat(20));
        for text in [zipped.as_str(), &mapped, "[range(9999) | join, range(9999) | join] | sum | length"] {
            let _ = run(&format!("${{{{ {text} }}}}"));
        }
        let text =
            "${{% for a in [vars.list, vars.list] %}}${{% for b in [[a, a], [a, a]] %}}${{% endfor %}}${{% endfor %}}";
        assert_eq!(run(text).unwrap_err().code, Code::TemplateLimit);
        assert_eq!(run("${{ 'x' | map('bare list') }}").unwrap_err().code, Code::TemplateUndefined);
        let text = "${{% for a in range(10000) %}}${{ range(9999) | join | length }}${{% endfor %}}";
        assert_eq!(run(text).unwrap_err().code, Code::TemplateLimit);
        // The longest chains that are let through fit the stack of a thread.
        for (chain, last) in [("not ", "1"), ("-", "1"), ("1+", "1"), ("1 if 1 else ", "1"), ("2**", "1")] {
            let _ = run(&format!("${{{{ {}{last} }}}}", chain.repeat((EXPRESSION_LIMIT - 16) / chain.len())));
        }
        for link in [".a", "|int", "()", "[0]", " is eq 1"] {
            let _ = run(&format!("${{{{ vars{} }}}}", link.repeat((EXPRESSION_LIMIT - 16) / link.len())));
        }
        assert_eq!(run("${{% set x = 1 %}}").unwrap_err().code, Code::TemplateSyntax);
        assert_eq!(run("${{% include 'x' %}}").unwrap_err().code, Code::TemplateSyntax);
    }
}
