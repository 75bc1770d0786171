//! The part of Go templates that hlgen writes, evaluated as Argo CD evaluates it (`missingkey=error`).
//!
//! Known are text, fields of the element (`.cluster`, `.a.b`), quoted and raw strings, parentheses, pipelines and the
//! functions `toJson`, `index`, `dig`, `dict` and `default`. Everything else (control structures, variables, trim
//! markers, the rest of sprig) is refused by name: a guess would be worse than no answer.

use std::fmt;

use serde_json::{Map, Value};

use super::go_json::to_json;

/// How deep parentheses may nest.
const DEPTH: usize = 32;

/// Evaluates `text` with the parameters of one element; `params` is a map.
///
/// # Errors
///
/// A sentence that says what cannot be parsed, is not known here, or would make Argo CD fail.
pub(crate) fn render(text: &str, params: &Value) -> Result<String, String> {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = action(rest) {
        output.push_str(&rest[..start]);
        if let Some((text, after)) = plain_field(&rest[start + 2..], params) {
            output.push_str(text);
            rest = after;
            continue;
        }
        let (tokens, after) = tokens(&rest[start + 2..])?;
        let mut parser = Parser { tokens: tokens.into_iter().peekable(), params, depth: 0 };
        let value = parser.pipeline()?;
        if let Some(token) = parser.tokens.next() {
            return Err(format!("{token} is not expected in a template"));
        }
        print(&value, &mut output)?;
        rest = after;
    }
    output.push_str(rest);
    Ok(output)
}

/// The text of an action that is no more than a field with a text, ` .name }}`, as almost all are, and what follows it.
fn plain_field<'t>(action: &'t str, params: &'t Value) -> Option<(&'t str, &'t str)> {
    let rest = action.strip_prefix(" .")?;
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let (name, after) = rest.split_at(rest.bytes().take_while(|byte| name(byte)).count());
    let first_fits = name.starts_with(|first: char| !first.is_ascii_digit());
    if first_fits { Some((params.get(name)?.as_str()?, after.strip_prefix(" }}")?)) } else { None }
}

/// Where the first action begins. Most texts hold no brace at all, and this is asked of every one.
fn action(text: &str) -> Option<usize> {
    text.as_bytes().windows(2).position(|pair| pair == b"{{")
}

/// Prints what Go prints the same way whatever its type was; a number would come out as `1e+06`.
fn print(value: &Value, output: &mut String) -> Result<(), String> {
    match value {
        Value::String(text) => output.push_str(text),
        Value::Bool(flag) => output.push_str(if *flag { "true" } else { "false" }),
        Value::Null => return Err("the value is null and would be printed as `<no value>`".into()),
        Value::Number(_) => return Err("a number would be printed as a floating point number; use a string".into()),
        Value::Array(_) | Value::Object(_) => return Err("a list or map is printed; use `toJson`".into()),
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
enum Token {
    /// `.`, or `.a.b` as `["a", "b"]`.
    Field(Vec<String>),
    Text(String),
    Word(String),
    Open,
    Close,
    Pipe,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(names) => write!(f, "`.{}`", names.join(".")),
            Self::Text(text) => write!(f, "`{text:?}`"),
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Open => f.write_str("`(`"),
            Self::Close => f.write_str("`)`"),
            Self::Pipe => f.write_str("`|`"),
        }
    }
}

/// The tokens of an action and the text behind its `}}`.
fn tokens(action: &str) -> Result<(Vec<Token>, &str), String> {
    let mut tokens = Vec::new();
    let mut rest = action;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if let Some(after) = rest.strip_prefix("}}") {
            return Ok((tokens, after));
        }
        let Some(first) = rest.chars().next() else {
            return Err("`{{` has no `}}`".into());
        };
        let token = match first {
            '(' => {
                rest = &rest[1..];
                Token::Open
            }
            ')' => {
                rest = &rest[1..];
                Token::Close
            }
            '|' => {
                rest = &rest[1..];
                Token::Pipe
            }
            '`' => {
                let end = rest[1..].find('`').ok_or("a raw string has no end")?;
                let text = rest[1..=end].to_owned();
                rest = &rest[end + 2..];
                Token::Text(text)
            }
            '"' => {
                let (text, after) = quoted(&rest[1..])?;
                rest = after;
                Token::Text(text)
            }
            '.' => {
                let mut names = Vec::new();
                while let Some(after) = rest.strip_prefix('.') {
                    let (name, after) = word(after);
                    rest = after;
                    match name {
                        "" if names.is_empty() && !rest.starts_with('.') => break,
                        "" => return Err("a field has no name".into()),
                        name => names.push(name.to_owned()),
                    }
                }
                separated(rest)?;
                Token::Field(names)
            }
            first if first.is_alphabetic() || first == '_' => {
                let (name, after) = word(rest);
                rest = after;
                separated(rest)?;
                Token::Word(name.to_owned())
            }
            other => return Err(format!("`{other}` is not expected in a template")),
        };
        tokens.push(token);
    }
}

/// Letters, digits and underscores at the start of `text`, and what follows.
fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len()))
}

/// Whether a field or a name may end here.
fn separated(rest: &str) -> Result<(), String> {
    match rest.chars().next() {
        None | Some(' ' | '\t' | '\r' | '\n' | ')' | '|') => Ok(()),
        Some('}') if rest.starts_with("}}") => Ok(()),
        Some(other) => Err(format!("`{other}` is not expected in a template")),
    }
}

/// A Go string whose opening quote is already taken, and the text behind its closing quote.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut output = String::new();
    let mut chars = text.char_indices();
    while let Some((at, next)) = chars.next() {
        match next {
            '"' => return Ok((output, &text[at + 1..])),
            '\n' => break,
            '\\' => match chars.next().map(|(_, escape)| escape) {
                Some(same @ ('"' | '\\')) => output.push(same),
                Some('n') => output.push('\n'),
                Some('r') => output.push('\r'),
                Some('t') => output.push('\t'),
                Some(other) => return Err(format!("the escape `\\{other}` is not known here")),
                None => break,
            },
            other => output.push(other),
        }
    }
    Err("a string has no end".into())
}

struct Parser<'p, I: Iterator<Item = Token>> {
    tokens: std::iter::Peekable<I>,
    params: &'p Value,
    depth: usize,
}

impl<I: Iterator<Item = Token>> Parser<'_, I> {
    /// Commands joined by `|`; the result of one is the last argument of the next.
    fn pipeline(&mut self) -> Result<Value, String> {
        let mut value = self.command(None)?;
        while self.tokens.next_if_eq(&Token::Pipe).is_some() {
            value = self.command(Some(value))?;
        }
        Ok(value)
    }

    fn command(&mut self, piped: Option<Value>) -> Result<Value, String> {
        let name = match self.tokens.next_if(|token| matches!(token, Token::Word(_))) {
            Some(Token::Word(name)) => name,
            _ if piped.is_some() => return Err("a value cannot be piped into another".into()),
            _ => return self.operand()?.ok_or_else(|| "a template holds nothing".into()),
        };
        let mut arguments = Vec::new();
        while let Some(argument) = self.operand()? {
            arguments.push(argument);
        }
        arguments.extend(piped);
        call(&name, &arguments)
    }

    fn operand(&mut self) -> Result<Option<Value>, String> {
        let Some(token) = self.tokens.next_if(|token| !matches!(token, Token::Close | Token::Pipe)) else {
            return Ok(None);
        };
        match token {
            Token::Text(text) => Ok(Some(Value::String(text))),
            Token::Field(names) => field(self.params, &names).map(Some),
            Token::Open if self.depth >= DEPTH => Err("parentheses nest too deep".into()),
            Token::Open => {
                self.depth += 1;
                let value = self.pipeline()?;
                self.depth -= 1;
                match self.tokens.next() {
                    Some(Token::Close) => Ok(Some(value)),
                    _ => Err("`(` has no `)`".into()),
                }
            }
            // A function without arguments may stand where a value does.
            Token::Word(name) => call(&name, &[]).map(Some),
            Token::Close | Token::Pipe => Ok(None),
        }
    }
}

fn field(params: &Value, names: &[String]) -> Result<Value, String> {
    names
        .iter()
        .try_fold(params, |value, name| match value {
            Value::Object(map) => map.get(name).ok_or_else(|| format!("the element has no `.{}`", names.join("."))),
            _ => Err(format!("`.{}` leads through something that is no map", names.join("."))),
        })
        .cloned()
}

fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    match (name, arguments) {
        ("true", []) => Ok(Value::Bool(true)),
        ("false", []) => Ok(Value::Bool(false)),
        ("toJson", [value]) => Ok(Value::String(to_json(value))),
        ("dict", []) => Ok(Value::Object(Map::new())),
        ("default", [fallback, value]) => Ok(if is_empty(value) { fallback } else { value }.clone()),
        ("index", [value, keys @ ..]) => keys
            .iter()
            .try_fold(value, |value, key| match (value, key) {
                (Value::Object(map), Value::String(key)) => Ok(map.get(key).unwrap_or(&Value::Null)),
                _ => Err("`index` is known for maps and texts alone".to_owned()),
            })
            .cloned(),
        ("dig", [keys @ .., fallback, value @ Value::Object(_)]) if !keys.is_empty() => {
            let mut found = value;
            for key in keys {
                match (found, key) {
                    (Value::Object(map), Value::String(key)) => match map.get(key) {
                        Some(next) => found = next,
                        None => return Ok(fallback.clone()),
                    },
                    _ => return Err("`dig` leads through something that is no map".into()),
                }
            }
            Ok(found.clone())
        }
        ("toJson" | "dict" | "default" | "index" | "dig" | "true" | "false", _) => {
            Err(format!("`{name}` does not take these arguments"))
        }
        _ => Err(format!("`{name}` is not known here")),
    }
}

/// What sprig's `default` takes as not given.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn renders_what_we_write() {
        let params =
            json!({ "cluster": "a{{ x }}", "nested": { "k": "v" }, "patch": { "b": "<", "a": [1] }, "on": true });
        for (template, expected) in [
            ("plain } text }} $x", "plain } text }} $x"),
            ("{{ .cluster }}-{{.cluster}}", "a{{ x }}-a{{ x }}"),
            (r#"{{ "{{" }} .cluster }}"#, "{{ .cluster }}"),
            ("{{ `{{ \"x\" }}` }}", r#"{{ "x" }}"#),
            (r#"{{ "a\"b\\c\n}}" }}"#, "a\"b\\c\n}}"),
            (r#"{{ "{" }}{{ .cluster }}"#, "{a{{ x }}"),
            ("{{ .nested.k }}", "v"),
            ("{{ .on }}", "true"),
            (r#"{{ index .nested "k" }}"#, "v"),
            (r#"{{ index . "nested" "k" }}"#, "v"),
            ("{{ toJson .patch }}", r#"{"a":[1],"b":"\u003c"}"#),
            (r#"{{ toJson (dig "patch" (dict) .) }}"#, r#"{"a":[1],"b":"\u003c"}"#),
            (r#"{{ dig "none" dict . | toJson }}"#, "{}"),
            (r#"{{ index . "none" | default "x" }}"#, "x"),
        ] {
            assert_eq!(render(template, &params).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        let params = json!({ "n": 1_000_000, "list": [], "text": "x", "null": null });
        for template in [
            "{{",
            "{{ }}",
            "{{{ .text }}",
            "{{ .none }}",
            "{{ .text.x }}",
            "{{ .n }}",
            "{{ .list }}",
            "{{ .null }}",
            "{{ if .text }}x{{ end }}",
            "{{ $x }}",
            "{{- .text }}",
            "{{ .text -}}",
            "{{/* x */}}",
            "{{ now }}",
            "{{ .text | .text }}",
            "{{ (.text }}",
            "{{ .text) }}",
            "{{ \"x }}",
            "{{ `x }}",
            "{{ \"\\q\" }}",
            "{{ ..x }}",
            "{{ .text. }}",
            "{{ index . \"none\" }}",
            "{{ toJson }}",
            "{{ .text\"x\" }}",
            "{{ 1 }}",
            "{{ .text .text }}",
            "{{ $labels.pod }}",
            "{{ .Values.x }}",
        ] {
            assert!(render(template, &params).is_err(), "{template}: {:?}", render(template, &params));
        }
        let deep = format!("{{{{ {}.text{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
        assert_eq!(render(&deep, &params), Err("parentheses nest too deep".into()));
    }
}
