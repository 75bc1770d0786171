//! The functions and filters that MiniJinja does not bring, or brings without a bound. All are pure.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use minijinja::value::{Kwargs, Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};
use sha2::{Digest, Sha256};

use super::{OUTPUT_LIMIT, Scope, work};
use crate::diag::nearest;

/// The functions there are, for "did you mean".
pub(super) const FUNCTIONS: &[&str] =
    &["has", "host", "secret", "file", "files", "sha256", "range", "dict", "namespace"];

/// The filters there are.
pub(super) const FILTERS: &[&str] = &[
    "sha256",
    "b64encode",
    "tojson",
    "toyaml",
    "quote",
    "trunc",
    "indent",
    "replace",
    "join",
    "list",
    "sort",
    "unique",
    "reverse",
    "lower",
    "upper",
    "title",
    "capitalize",
    "length",
    "count",
    "dictsort",
    "items",
    "trim",
    "split",
    "lines",
    "default",
    "d",
    "round",
    "abs",
    "int",
    "float",
    "attr",
    "first",
    "last",
    "min",
    "max",
    "string",
    "bool",
    "sum",
    "select",
    "reject",
    "selectattr",
    "rejectattr",
    "map",
    "chain",
    "zip",
];

/// Items a list may have.
const LIST_LIMIT: usize = 100_000;

/// Levels of lists and maps a result may have.
pub(super) const DEPTH_LIMIT: usize = 64;

/// The beginning of the names under which the filters themselves are kept, which are no names to a template.
const BARE: &str = "bare ";

/// Adds filters that count what they are given and what they make.
macro_rules! weighed {
    ($environment:ident, $($name:literal => $filter:expr),* $(,)?) => {
        $(
            $environment.add_filter(concat!("bare ", $name), $filter);
            $environment.add_filter($name, |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
                weighed(state, concat!("bare ", $name), &arguments.into_values())
            });
        )*
    };
}

fn weighed(state: &mut State<'_, '_>, filter: &str, arguments: &[Value]) -> Result<Value, Error> {
    for argument in arguments {
        if argument.as_str().is_some_and(|text| text.starts_with(BARE)) && filter == "bare map" {
            return Err(Error::from(ErrorKind::UnknownFilter));
        }
        work::weigh(argument)?;
    }
    let result = state.apply_filter(filter, arguments)?;
    work::weigh(&result)?;
    Ok(result)
}

/// Adds the filters and takes away those whose cost a template could choose freely (`slice`, `batch`, `format`).
pub(super) fn install(environment: &mut Environment<'_>) {
    for name in ["batch", "slice", "format", "pprint", "safe", "escape", "e", "groupby"] {
        environment.remove_filter(name);
    }
    weighed!(environment,
        "sha256" => |text: &str| hex(&Sha256::digest(text.as_bytes())),
        "b64encode" => |text: &str| base64::engine::general_purpose::STANDARD.encode(text),
        "tojson" => |value: Value| to_json(&value),
        "toyaml" => |value: Value| to_yaml(&value),
        "quote" => |value: Value| -> Result<String, Error> {
            let text = scalar_text(&value)?;
            Ok(serde_json::Value::from(text).to_string())
        },
        "string" => string,
        "trunc" => |text: &str, length: usize| text.chars().take(length).collect::<String>(),
        "indent" => indent,
        "replace" => replace,
        "join" => join,
        // `range(100000) | list` and the like are lazy in MiniJinja; what would make them real asks for the length first.
        "list" => |state: &State<'_, '_>, value: Value| filters::list(state, short(value)?),
        "sort" => |state: &State<'_, '_>, value: Value, options: Kwargs| filters::sort(state, short(value)?, options),
        "unique" => |state: &State<'_, '_>, value: Value, options: Kwargs| {
            filters::unique(state, short(value)?, options)
        },
        "reverse" => |value: Value| filters::reverse(&short(value)?),
        "lower" => filters::lower,
        "upper" => filters::upper,
        "title" => filters::title,
        "capitalize" => filters::capitalize,
        "trim" => filters::trim,
        "split" => filters::split,
        "lines" => filters::lines,
        "length" => filters::length,
        "count" => filters::length,
        "dictsort" => filters::dictsort,
        "items" => filters::items,
        "min" => filters::min,
        "max" => filters::max,
        "sum" => filters::sum,
        "select" => filters::select,
        "reject" => filters::reject,
        "selectattr" => filters::selectattr,
        "rejectattr" => filters::rejectattr,
        "map" => filters::map,
        "chain" => filters::chain,
        "zip" => filters::zip,
    );
    environment.add_function("sha256", |text: &str| hex(&Sha256::digest(text.as_bytes())));
}

/// The functions that depend on the release: `has`, `host`, `secret`, `file`, `files`.
pub(super) fn of_scope(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    let scope = Arc::clone(scope);
    Some(match name {
        "has" if scope.capabilities.is_some() => Value::from_function(move |name: &str| has(&scope, name)),
        "host" => Value::from_function(move |name: Option<&str>| host(&scope, name)),
        "secret" => Value::from_function(move |name: &str, key: Option<&str>| secret(&scope, name, key)),
        "file" => Value::from_function(move |path: &str| file(&scope, path)),
        "files" => Value::from_function(move |pattern: &str| files(&scope, pattern)),
        _ => return None,
    })
}

fn failed(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// Whether a declared capability is provided here.
fn has(scope: &Scope, name: &str) -> Result<bool, Error> {
    let Some(capabilities) = &scope.capabilities else { return Ok(false) };
    if capabilities.get(name).is_some() {
        return Ok(true);
    }
    if capabilities.declared.iter().any(|declared| declared == name) {
        return Ok(false);
    }
    Err(failed(format!("`{name}` is neither in `requires` nor in `wants` of this app, so nobody looked for it")))
}

/// The host of one of the release's ways in, or the environment's host for a label.
fn host(scope: &Scope, name: Option<&str>) -> Result<String, Error> {
    let known = match name {
        None => scope.hosts.first().map(|(_, host)| host.clone()),
        Some(name) => scope.hosts.iter().find(|(entry, _)| entry == name).map(|(_, host)| host.clone()),
    };
    match (known, name, &scope.domain) {
        (Some(host), _, _) => Ok(host),
        (None, Some(name), _) if name.contains('.') => Ok(name.to_owned()),
        (None, Some(name), Some(domain)) => Ok(format!("{name}.{domain}")),
        (None, None, _) => Err(failed("`host()` needs a name: this release exposes nothing")),
        (None, Some(_), None) => {
            Err(failed("the environment has no `domain`, so there are no hosts; set `domain:` in its environment.yaml"))
        }
    }
}

/// The name of one of the app's Secrets; with a key it is checked that the Secret has it.
fn secret(scope: &Scope, name: &str, key: Option<&str>) -> Result<String, Error> {
    let Some((_, keys)) = scope.secrets.iter().find(|(secret, _)| secret == name) else {
        let hint = nearest(name, scope.secrets.iter().map(|(secret, _)| secret.as_str()))
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(failed(format!("the app declares no secret `{name}`{hint}")));
    };
    match key {
        Some(key) if !keys.iter().any(|have| have == key) => Err(failed(format!(
            "secret `{name}` has no key `{key}`; it has {}",
            keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
        ))),
        _ => Ok(name.to_owned()),
    }
}

fn file(scope: &Scope, path: &str) -> Result<String, Error> {
    let files = scope.files.as_ref().ok_or_else(|| failed("files cannot be read here"))?;
    let read = files.read(path);
    work::charge(read.as_ref().map_or(0, String::len))?;
    read.ok_or_else(|| {
        let all = files.list();
        if all.iter().any(|have| have == path) {
            return failed(format!("`{path}` cannot be read here: it is no text, or too large"));
        }
        let hint = nearest(path, all.iter().map(String::as_str))
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        failed(format!("there is no file `{path}` below the app's folder{hint}"))
    })
}

/// Files whose path matches a pattern (`*` within a folder, `**` across), as a list of `{path, name, text}`.
fn files(scope: &Scope, pattern: &str) -> Result<Value, Error> {
    let files = scope.files.as_ref().ok_or_else(|| failed("files cannot be read here"))?;
    let matching = files.list().into_iter().filter(|path| glob(pattern.as_bytes(), path.as_bytes()));
    matching
        .map(|path| {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            let text = files.read(&path).unwrap_or_default();
            work::charge(text.len() + path.len())?;
            Ok(Value::from_pairs([("path", Value::from(path)), ("name", name.into()), ("text", text.into())]))
        })
        .collect()
}

/// Whether a path matches a pattern: `*` and `?` stay within a folder, `**` crosses folders.
pub(crate) fn glob(pattern: &[u8], path: &[u8]) -> bool {
    // Linear in both: on a mismatch only the last star of each sort is tried again.
    let (mut p, mut s) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut deep: Option<(usize, usize)> = None;
    loop {
        if pattern[p..].starts_with(b"**") {
            p += if pattern[p..].starts_with(b"**/") { 3 } else { 2 };
            deep = Some((p, s));
            star = None;
        } else if pattern.get(p) == Some(&b'*') {
            p += 1;
            star = Some((p, s));
        } else if s < path.len()
            && (pattern.get(p) == Some(&path[s]) || (pattern.get(p) == Some(&b'?') && path[s] != b'/'))
        {
            p += 1;
            s += 1;
        } else if s == path.len() && p == pattern.len() {
            return true;
        } else if let Some((after, from)) = star.filter(|(_, from)| *from < path.len() && path[*from] != b'/') {
            star = Some((after, from + 1));
            (p, s) = (after, from + 1);
        } else if let Some((after, from)) = deep.filter(|(_, from)| *from < path.len()) {
            deep = Some((after, from + 1));
            star = None;
            (p, s) = (after, from + 1);
        } else {
            return false;
        }
    }
}

/// The text of a scalar; lists and maps could become a text of any length, and one that only Python reads.
#[expect(clippy::needless_pass_by_value, reason = "MiniJinja hands arguments over by value")]
fn string(value: Value) -> Result<String, Error> {
    if value.is_none() { Ok("none".to_owned()) } else { scalar_text(&value) }
}

#[expect(clippy::needless_pass_by_value, reason = "MiniJinja hands arguments over by value")]
fn indent(text: &str, width: usize, options: Kwargs) -> Result<String, Error> {
    let first = options.get::<Option<bool>>("first")?.unwrap_or(false);
    let blank = options.get::<Option<bool>>("blank")?.unwrap_or(false);
    options.assert_all_used()?;
    let width = width.min(256);
    limit(text.len() + (text.matches('\n').count() + 1) * width)?;
    let mut out = String::with_capacity(text.len() + 64);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if (number > 0 || first) && (blank || !line.trim_end().is_empty()) {
            out.extend(std::iter::repeat_n(' ', width));
        }
        out.push_str(line);
    }
    Ok(out)
}

fn replace(text: &str, from: &str, to: &str) -> Result<String, Error> {
    limit(text.len() + text.matches(from).count().saturating_mul(to.len()))?;
    Ok(text.replace(from, to))
}

#[expect(clippy::needless_pass_by_value, reason = "MiniJinja hands arguments over by value")]
fn join(list: Value, separator: Option<&str>) -> Result<String, Error> {
    let separator = separator.unwrap_or_default();
    let mut out = String::new();
    for (number, item) in list.try_iter()?.enumerate() {
        if number > 0 {
            out.push_str(separator);
        }
        out.push_str(&scalar_text(&item)?);
        limit(out.len())?;
    }
    Ok(out)
}

fn limit(size: usize) -> Result<(), Error> {
    if size > OUTPUT_LIMIT {
        return Err(too_large("the text grew larger than 1 MiB"));
    }
    Ok(())
}

fn too_large(message: &'static str) -> Error {
    Error::new(ErrorKind::OutOfFuel, message)
}

/// Refuses lists that are longer than any real one.
fn short(value: Value) -> Result<Value, Error> {
    match value.len() {
        Some(length) if value.kind() != ValueKind::String && length > LIST_LIMIT => {
            Err(too_large("a list grew longer than 100,000 items"))
        }
        _ => Ok(value),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A value as JSON. Lists can be shared (`[[1] * 1000] * 1000`), so what they would become is counted on the way.
///
/// # Errors
/// Values that JSON cannot hold (undefined parts, numbers that are not finite, bytes), or that are too large.
pub(super) fn json(value: &Value) -> Result<serde_json::Value, Error> {
    let mut room = OUTPUT_LIMIT;
    json_within(value, &mut room, 0)
}

fn json_within(value: &Value, room: &mut usize, depth: usize) -> Result<serde_json::Value, Error> {
    let mut take = |size: usize| -> Result<(), Error> {
        *room = room.checked_sub(size).ok_or_else(|| too_large("the result grew larger than 1 MiB"))?;
        Ok(())
    };
    if depth > DEPTH_LIMIT {
        return Err(too_large("the result is nested too deep"));
    }
    match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            take(text.len() + 2)?;
            Ok(text.into())
        }
        ValueKind::Map => {
            take(2)?;
            let mut map = serde_json::Map::new();
            for key in value.try_iter()? {
                let below = json_within(&value.get_item(&key)?, room, depth + 1)?;
                let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                *room = room.saturating_sub(key.len() + 2);
                map.insert(key, below);
            }
            Ok(map.into())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            take(2)?;
            let mut items = Vec::new();
            for item in short(value.clone())?.try_iter()? {
                items.push(json_within(&item, room, depth + 1)?);
            }
            Ok(items.into())
        }
        _ => {
            take(8)?;
            let json =
                serde_json::to_value(value).map_err(|error| failed(format!("the result is no JSON value: {error}")))?;
            if json.is_null() && !value.is_none() {
                return Err(failed("the result cannot be written: it is undefined or not a finite number"));
            }
            Ok(json)
        }
    }
}

fn to_json(value: &Value) -> Result<String, Error> {
    let text = json(value)?.to_string();
    limit(text.len())?;
    Ok(text)
}

fn to_yaml(value: &Value) -> Result<String, Error> {
    let mut text = crate::yaml::emit_json(&json(value)?);
    limit(text.len())?;
    text.truncate(text.trim_end_matches('\n').len());
    Ok(text)
}

/// The text of a scalar inside other text: `true`/`false`, numbers, strings. Null, lists and maps have none.
pub(super) fn scalar_text(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Bool => Ok(if value.is_true() { "true".into() } else { "false".into() }),
        ValueKind::Number => Ok(json(value)?.to_string()),
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "a value is undefined")),
        ValueKind::None => Err(failed("null cannot stand inside text; write `| default('...', true)`")),
        kind => Err(failed(format!("a {kind} cannot stand inside text; write `| tojson` or `| toyaml`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn globs() {
        let matches = |pattern: &str, path: &str| glob(pattern.as_bytes(), path.as_bytes());
        assert!(matches("rules/*.yaml", "rules/a.yaml"));
        assert!(!matches("rules/*.yaml", "rules/x/a.yaml"));
        assert!(matches("rules/**/*.yaml", "rules/x/y/a.yaml"));
        assert!(matches("rules/**/*.yaml", "rules/a.yaml"));
        assert!(matches("**", "a/b"));
        assert!(matches("a?c", "abc"));
        assert!(!matches("a?c", "a/c"));
        assert!(!matches("*.yaml", "a.yml"));
        assert!(matches("", ""));
        assert!(!matches("", "a"));
    }
}
