//! The emitter: any tree to YAML that YAML 1.1 and YAML 1.2 readers read back as what was meant.
//!
//! The serde emitters leave the strings `yes`, `on`, `y` and `1_000` bare, and Kubernetes reads them back as something
//! else. Here a string stays bare only if no reader could take it for anything else; the check is a table over bytes, so
//! that a scalar costs one pass and no allocation. Walking is by an explicit stack: depth costs memory, never stack.
//!
//! An entry `key: value` at a given indentation is the same text wherever it stands: [`emit_key`] and [`emit_value`] write
//! exactly the lines that [`emit`] writes for it inside its map, so the text of a subtree may be kept and used again
//! in another map, as long as the indentation is the same.

use super::doc::{Doc, NodeId};
use super::scalar::{self, Kind, Number};

/// What a node of a [`Tree`] is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum View<'t> {
    Null,
    Bool(bool),
    /// The canonical text of a number, written as it is.
    Number(&'t str),
    Int(i64),
    Uint(u64),
    /// Must be finite; anything else is written as null.
    Float(f64),
    Str(&'t str),
    Map,
    Seq,
}

/// A tree that can be written. Walks are by callback, so that an implementation needs no index.
pub trait Tree {
    type Node: Copy;
    fn view(&self, node: Self::Node) -> View<'_>;
    /// Calls `each` for every entry of a map, in order.
    fn entries(&self, node: Self::Node, each: &mut dyn FnMut(&str, Self::Node));
    /// Calls `each` for every item of a list, in order.
    fn items(&self, node: Self::Node, each: &mut dyn FnMut(Self::Node));
}

/// Appends one document: block style, two spaces, lists indented below their key. Ends with a newline.
pub fn emit<T: Tree>(tree: &T, root: T::Node, out: &mut String) {
    let mut writer = Writer { tree, out, keys: String::new(), pending: Vec::new(), frames: Vec::new() };
    if !writer.open(root, 0, false) {
        // Below the left margin of the document a block scalar still needs an indentation.
        writer.scalar(root, 0);
    }
    writer.run();
}

/// Appends the beginning of an entry of a map whose keys stand at the column `indent`: `key:`. One that is `inline` continues
/// a line that `- ` has begun.
pub fn emit_key(key: &str, indent: usize, inline: bool, out: &mut String) {
    if !inline {
        spaces(indent, out);
    }
    write_key(key, indent, out);
}

/// Appends the beginning of an item of a list whose dashes stand at the column `indent`: `- `.
pub fn emit_dash(indent: usize, inline: bool, out: &mut String) {
    if !inline {
        spaces(indent, out);
    }
    out.push_str("- ");
}

/// Appends what stands behind [`emit_key`] or [`emit_dash`] at a column, to the end of its last line: of a map the first
/// entry continues the line of its dash. An empty map or list is `{}` or `[]`.
pub fn emit_value<T: Tree>(tree: &T, value: T::Node, indent: usize, behind: Behind, out: &mut String) {
    let view = tree.view(value);
    if !matches!(view, View::Map | View::Seq) {
        return emit_scalar(view, indent, behind, out);
    }
    let mut writer = Writer { tree, out, keys: String::new(), pending: Vec::new(), frames: Vec::new() };
    match behind {
        Behind::Key => writer.value_of_key(value, indent),
        Behind::Dash => writer.item(value, indent),
    }
    writer.run();
}

/// The same of a value without children.
pub fn emit_scalar(view: View<'_>, indent: usize, behind: Behind, out: &mut String) {
    if behind == Behind::Key {
        out.push(' ');
    }
    write_scalar(view, indent + 2, out);
}

/// What stands on the line before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Behind {
    /// `key:`
    Key,
    /// `- `
    Dash,
}

/// The document of a JSON value.
pub fn emit_json(value: &serde_json::Value) -> String {
    let mut out = String::new();
    emit(&JsonTree(value), value, &mut out);
    out
}

struct Writer<'a, T: Tree> {
    tree: &'a T,
    out: &'a mut String,
    /// Keys of the open maps, one after the other: a key lives only as long as the callback that shows it.
    keys: String,
    pending: Vec<Pending<T::Node>>,
    frames: Vec<Frame>,
}

struct Pending<N> {
    node: N,
    key_start: usize,
    key_end: usize,
}

/// An open map or list: its children not yet written are `pending[next..end]`.
struct Frame {
    next: usize,
    end: usize,
    /// Where its part of `pending` and `keys` begins.
    base: usize,
    keys_base: usize,
    indent: usize,
    map: bool,
    /// The first child continues a line that `- ` has begun.
    inline: bool,
}

impl<T: Tree> Writer<'_, T> {
    /// Opens a map or list that has children. `false` for everything that fits on the line (or is a block scalar).
    fn open(&mut self, node: T::Node, indent: usize, inline: bool) -> bool {
        let map = match self.tree.view(node) {
            View::Map => true,
            View::Seq => false,
            _ => return false,
        };
        let (base, keys_base) = (self.pending.len(), self.keys.len());
        let (pending, keys) = (&mut self.pending, &mut self.keys);
        if map {
            self.tree.entries(node, &mut |key, node| {
                let key_start = keys.len();
                keys.push_str(key);
                pending.push(Pending { node, key_start, key_end: keys.len() });
            });
        } else {
            self.tree.items(node, &mut |node| pending.push(Pending { node, key_start: 0, key_end: 0 }));
        }
        let end = self.pending.len();
        if end == base {
            return false;
        }
        self.frames.push(Frame { next: base, end, base, keys_base, indent, map, inline });
        true
    }

    fn run(&mut self) {
        while let Some(frame) = self.frames.last_mut() {
            if frame.next == frame.end {
                self.pending.truncate(frame.base);
                self.keys.truncate(frame.keys_base);
                self.frames.pop();
                continue;
            }
            let Pending { node, key_start, key_end } = self.pending[frame.next];
            let (indent, map) = (frame.indent, frame.map);
            if !frame.inline {
                spaces(indent, self.out);
            }
            frame.inline = false;
            frame.next += 1;
            if map {
                write_key(&self.keys[key_start..key_end], indent, self.out);
                self.value_of_key(node, indent);
            } else {
                self.out.push_str("- ");
                self.item(node, indent);
            }
        }
    }

    /// The value behind `key:`.
    fn value_of_key(&mut self, node: T::Node, indent: usize) {
        if self.open(node, indent + 2, false) {
            self.out.push('\n');
        } else {
            self.out.push(' ');
            self.scalar(node, indent + 2);
        }
    }

    /// The value behind `- `.
    fn item(&mut self, node: T::Node, indent: usize) {
        if !self.open(node, indent + 2, true) {
            self.scalar(node, indent + 2);
        }
    }

    fn scalar(&mut self, node: T::Node, indent: usize) {
        write_scalar(self.tree.view(node), indent, self.out);
    }
}

/// A scalar or an empty map or list, and the end of its line. `indent` is the column of a block scalar's text.
pub(super) fn write_scalar(view: View<'_>, indent: usize, out: &mut String) {
    match view {
        View::Bool(true) => out.push_str("true"),
        View::Bool(false) => out.push_str("false"),
        View::Number(text) => out.push_str(text),
        View::Int(value) => out.push_str(itoa(value < 0, value.unsigned_abs(), &mut [0; 20])),
        View::Uint(value) => out.push_str(itoa(false, value, &mut [0; 20])),
        View::Float(value) if value.is_finite() => scalar::write_float(value, out),
        View::Null | View::Float(_) => out.push_str("null"),
        View::Str(text) => {
            let classes = Classes::of(text);
            if classes.any & CONTROL != 0 && text.contains('\n') && is_clean_block(text) {
                write_block(text, indent.max(2), out);
                return;
            }
            write_classified(text, classes, out);
        }
        View::Map => out.push_str("{}"),
        View::Seq => out.push_str("[]"),
    }
    out.push('\n');
}

/// Decimal digits without an allocation.
fn itoa(negative: bool, mut value: u64, buffer: &mut [u8; 20]) -> &str {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if negative {
        at -= 1;
        buffer[at] = b'-';
    }
    std::str::from_utf8(&buffer[at..]).unwrap_or_default()
}

pub(super) fn spaces(count: usize, out: &mut String) {
    const SPACES: &str = "                                                                ";
    if let Some(few) = SPACES.get(..count) {
        return out.push_str(few);
    }
    let mut left = count;
    while left > 0 {
        let part = left.min(SPACES.len());
        out.push_str(&SPACES[..part]);
        left -= part;
    }
}

/// The longest written key that stands before its colon; libyaml looks no further than 1024 characters for the colon.
const LONGEST_SIMPLE_KEY: usize = 1000;

/// `key:`, or `? key` and a line that begins with `:` where the key is too long.
pub(super) fn write_key(key: &str, indent: usize, out: &mut String) {
    let start = out.len();
    out.reserve(key.len() + 1);
    write_flow(key, out);
    if out.len() - start > LONGEST_SIMPLE_KEY {
        out.insert_str(start, "? ");
        out.push('\n');
        spaces(indent, out);
    }
    out.push(':');
}

/// The same for the name of a field of a type of ours, which is a bare word.
pub(super) fn write_word(key: &'static str, out: &mut String) {
    debug_assert!(is_bare(key, Classes::of(key)) && key.len() <= LONGEST_SIMPLE_KEY);
    out.push_str(key);
    out.push(':');
}

/// May stand in a bare string, though not everywhere (see [`is_bare`]).
const BARE: u8 = 1;
/// May begin a bare string.
const BARE_START: u8 = 2;
/// Needs double quotes.
const CONTROL: u8 = 4;
/// Begins a character outside ASCII.
const WIDE: u8 = 8;
/// May make a gap that ends or changes a bare string: a blank or a colon.
const GAP: u8 = 16;
/// A single quote, which is doubled between single quotes.
const QUOTE: u8 = 32;

static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'/' => BARE | BARE_START,
            b'0'..=b'9' | b'.' | b'-' | b'+' | b'@' | b'=' | b',' => BARE,
            b':' | b' ' => BARE | GAP,
            b'\'' => QUOTE,
            0..=0x1f | 0x7f => CONTROL,
            0x80..=0xff => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// What the bytes of a text are: all of them, and any of them.
#[derive(Clone, Copy)]
struct Classes {
    all: u8,
    any: u8,
}

impl Classes {
    fn of(text: &str) -> Self {
        text.bytes().fold(Self { all: u8::MAX, any: 0 }, |seen, byte| {
            let class = CLASS[byte as usize];
            Self { all: seen.all & class, any: seen.any | class }
        })
    }
}

/// Whether every reader takes the text as this string without quotes.
fn is_bare(text: &str, classes: Classes) -> bool {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else { return false };
    if classes.all & BARE == 0 || CLASS[*first as usize] & BARE_START == 0 {
        return false;
    }
    if classes.any & GAP != 0 {
        let mut gap = false;
        for byte in bytes {
            // A colon before a space or the end would make a key; two spaces in a row are legal but easily lost.
            if gap && *byte == b' ' {
                return false;
            }
            gap = matches!(byte, b' ' | b':');
        }
        if gap {
            return false;
        }
    }
    !is_reserved(bytes)
}

/// Words that some reader takes for null, a boolean or a number, in any case.
fn is_reserved(bytes: &[u8]) -> bool {
    const WORDS: [&[u8]; 10] = [b"y", b"n", b"on", b"no", b"yes", b"off", b"nan", b"inf", b"null", b"true"];
    match bytes.len() {
        1..=5 if !matches!(bytes[0] | 0x20, b'y' | b'n' | b'o' | b'i' | b't' | b'f') => false,
        1..=4 => WORDS.iter().any(|word| bytes.eq_ignore_ascii_case(word)),
        5 => bytes.eq_ignore_ascii_case(b"false"),
        _ => false,
    }
}

/// Characters outside ASCII that must be escaped: line ends of YAML 1.1, C1 controls, byte order marks, no characters.
fn is_escaped(character: char) -> bool {
    matches!(character, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A string on one line: bare, in single quotes, or in double quotes.
fn write_flow(text: &str, out: &mut String) {
    write_classified(text, Classes::of(text), out);
}

fn write_classified(text: &str, classes: Classes, out: &mut String) {
    if is_bare(text, classes) {
        out.push_str(text);
        return;
    }
    if classes.any & CONTROL != 0 || (classes.any & WIDE != 0 && text.chars().any(is_escaped)) {
        write_double_quoted(text, out);
        return;
    }
    out.push('\'');
    let mut rest = text;
    while classes.any & QUOTE != 0
        && let Some(at) = rest.find('\'')
    {
        out.push_str(&rest[..=at]);
        out.push('\'');
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('\'');
}

fn write_double_quoted(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    out.push('"');
    let mut done = 0;
    for (at, character) in text.char_indices() {
        let escape = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\t' => "\\t",
            '\r' => "\\r",
            _ if character.is_ascii_control() || is_escaped(character) => "",
            _ => continue,
        };
        out.push_str(&text[done..at]);
        done = at + character.len_utf8();
        if escape.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[done..]);
    out.push('"');
}

/// Whether a text with line breaks can stand as a block scalar that all readers read alike and people see as it is.
fn is_clean_block(text: &str) -> bool {
    let body = text.trim_end_matches('\n');
    if body.is_empty() {
        return false;
    }
    let mut first = true;
    for line in body.split('\n') {
        let bytes = line.as_bytes();
        let (Some(start), Some(end)) = (bytes.first(), bytes.last()) else { continue };
        // The first line sets the indentation, so it cannot begin with blanks.
        if (first && matches!(start, b' ' | b'\t')) || matches!(end, b' ' | b'\t') {
            return false;
        }
        first = false;
        let mut wide = false;
        for byte in bytes {
            let class = CLASS[*byte as usize];
            if class & CONTROL != 0 && *byte != b'\t' {
                return false;
            }
            wide |= class & WIDE != 0;
        }
        if wide && line.chars().any(is_escaped) {
            return false;
        }
    }
    true
}

fn write_block(text: &str, indent: usize, out: &mut String) {
    let body = text.trim_end_matches('\n');
    out.push_str(match text.len() - body.len() {
        0 => "|-\n",
        1 => "|\n",
        _ => "|+\n",
    });
    for line in body.split('\n') {
        if !line.is_empty() {
            spaces(indent, out);
            out.push_str(line);
        }
        out.push('\n');
    }
    for _ in 1..text.len() - body.len() {
        out.push('\n');
    }
}

/// What a JSON value is to the emitter.
pub fn json_view(value: &serde_json::Value) -> View<'_> {
    use serde_json::Value;
    match value {
        Value::Null => View::Null,
        Value::Bool(value) => View::Bool(*value),
        Value::Number(number) => number
            .as_i64()
            .map(View::Int)
            .or_else(|| number.as_u64().map(View::Uint))
            .or_else(|| number.as_f64().map(View::Float))
            .unwrap_or(View::Null),
        Value::String(text) => View::Str(text),
        Value::Array(_) => View::Seq,
        Value::Object(_) => View::Map,
    }
}

/// What a parsed scalar (or map, or list) is to the emitter; numbers as [`scalar::canonical_number`] has them.
pub fn scalar_view(kind: Kind, text: &str) -> View<'_> {
    match kind {
        Kind::Null => View::Null,
        Kind::Bool(value) => View::Bool(value),
        Kind::Int | Kind::Float if scalar::is_plain_number(text) => View::Number(text),
        Kind::Int | Kind::Float => match scalar::number(text) {
            Some(Number::Int(value)) => View::Int(value),
            Some(Number::Uint(value)) => View::Uint(value),
            // Whole numbers are written as Helm would, without a fraction.
            Some(Number::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => View::Int(value as i64),
            Some(Number::Float(value)) => View::Float(value),
            None => View::Str(text),
        },
        Kind::Str => View::Str(text),
        Kind::Map => View::Map,
        Kind::Seq => View::Seq,
    }
}

/// A JSON value as a [`Tree`]; its nodes are the value and the values below it.
#[derive(Debug, Clone, Copy)]
pub struct JsonTree<'v>(pub &'v serde_json::Value);

impl<'v> Tree for JsonTree<'v> {
    type Node = &'v serde_json::Value;

    fn view(&self, node: Self::Node) -> View<'_> {
        json_view(node)
    }

    fn entries(&self, node: Self::Node, each: &mut dyn FnMut(&str, Self::Node)) {
        for (key, value) in node.as_object().into_iter().flatten() {
            each(key, value);
        }
    }

    fn items(&self, node: Self::Node, each: &mut dyn FnMut(Self::Node)) {
        for value in node.as_array().into_iter().flatten() {
            each(value);
        }
    }
}

/// A parsed document, merge tags and comments left out; numbers as [`scalar::canonical_number`] has them.
impl Tree for Doc {
    type Node = NodeId;

    fn view(&self, node: NodeId) -> View<'_> {
        scalar_view(self.kind(node), self.text(node))
    }

    fn entries(&self, node: NodeId, each: &mut dyn FnMut(&str, NodeId)) {
        for entry in self.entries(node) {
            each(self.text(entry.key), entry.value);
        }
    }

    fn items(&self, node: NodeId, each: &mut dyn FnMut(NodeId)) {
        for item in self.items(node) {
            each(*item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_manifest_looks_like_one() {
        let value = json!({
            "apiVersion": "v1",
            "metadata": { "name": "web", "labels": {}, "finalizers": [] },
            "ports": [{ "port": 80, "name": "http" }, { "port": 443 }],
            "nested": [[1, 2.5], [[]], [{ "a": [null, true] }]],
        });
        let expected = "\
apiVersion: v1
metadata:
  name: web
  labels: {}
  finalizers: []
ports:
  - port: 80
    name: http
  - port: 443
nested:
  - - 1
    - 2.5
  - - []
  - - a:
        - null
        - true
";
        assert_eq!(emit_json(&value), expected);
    }

    #[test]
    fn strings_are_quoted_where_a_reader_could_stumble() {
        for (text, written) in [
            ("plain", "plain"),
            ("https://example.com:8080/a_b", "https://example.com:8080/a_b"),
            ("Media server", "Media server"),
            ("", "''"),
            ("yes", "'yes'"),
            ("Y", "'Y'"),
            ("nULL", "'nULL'"),
            ("012", "'012'"),
            ("500m", "'500m'"),
            ("it's", "'it''s'"),
            ("a: b", "'a: b'"),
            ("a:", "'a:'"),
            ("a #b", "'a #b'"),
            ("a ", "'a '"),
            ("*", "'*'"),
            ("${{ x }}", "'${{ x }}'"),
            ("\u{fc}ber", "'\u{fc}ber'"),
            ("a\tb", r#""a\tb""#),
            ("a\r\nb", r#""a\r\nb""#),
            ("\u{2028}", r#""\u2028""#),
            ("\0\"\\", r#""\u0000\"\\""#),
            ("a\nb", "|-\n  a\n  b"),
            ("a\n\nb\n", "|\n  a\n\n  b"),
            ("a\n\n", "|+\n  a\n"),
            ("\na\n", "|\n\n  a"),
            ("a {\n\tb\n}\n", "|\n  a {\n  \tb\n  }"),
            (" a\nb", r#"" a\nb""#),
            ("a \nb", r#""a \nb""#),
            ("\n", r#""\n""#),
        ] {
            assert_eq!(emit_json(&Value::from(text)), format!("{written}\n"), "{text:?}");
        }
    }

    #[test]
    fn keys_pass_the_same_gate() {
        let long = "k".repeat(2000);
        let value = json!({ "on": 1, "a\nb": 2, "<<": {}, "": "x\ny", long.as_str(): { "a": [1] } });
        let expected = format!("'on': 1\n\"a\\nb\": 2\n'<<': {{}}\n'': |-\n  x\n  y\n? {long}\n:\n  a:\n    - 1\n");
        assert_eq!(emit_json(&value), expected);
    }

    #[test]
    fn an_entry_is_the_same_text_wherever_it_stands() {
        let value = json!({ "a": { "b": [1, { "c": "x\ny\n" }], "d": "e" } });
        let inner = &value["a"];
        let mut parts = String::new();
        for (key, entry) in inner.as_object().unwrap() {
            emit_key(key, 2, false, &mut parts);
            emit_value(&JsonTree(inner), entry, 2, Behind::Key, &mut parts);
        }
        assert_eq!(emit_json(&value), format!("a:\n{parts}"));
        let mut whole = String::new();
        emit_key("a", 0, false, &mut whole);
        emit_value(&JsonTree(&value), inner, 0, Behind::Key, &mut whole);
        assert_eq!(emit_json(&value), whole);

        let list = json!([{ "a": [1], "b": "x\ny" }, [[2], {}], "z", []]);
        let mut items = String::new();
        for item in list.as_array().unwrap() {
            emit_dash(0, false, &mut items);
            emit_value(&JsonTree(item), item, 0, Behind::Dash, &mut items);
        }
        assert_eq!(emit_json(&list), items);
    }

    #[test]
    fn depth_costs_no_stack() {
        let mut value = json!(1);
        for _ in 0..5000 {
            value = Value::Array(vec![value]);
        }
        assert!(emit_json(&value).starts_with("- - - "));
        // Dropping a value recurses, so it is taken apart.
        while let Value::Array(mut items) = value {
            value = items.pop().unwrap_or_default();
        }
    }

    #[test]
    fn numbers_are_numbers_to_everyone() {
        let value = json!([0, -1, i64::MIN, u64::MAX, 1.5, 1.0, 1e21, 1e-7]);
        let expected = "- 0\n- -1\n- -9223372036854775808\n- 18446744073709551615\n- 1.5\n- 1.0\n- 1.0e+21\n- 1.0e-7\n";
        assert_eq!(emit_json(&value), expected);
    }
}
