//! The YAML that most files consist of, read line by line for the same builder.
//!
//! Block maps and lists, words, quoted texts on one line, `{...}` and `[...]` on one line, `|` and `>` blocks, anchors and
//! aliases of values, and merge tags on lists. Whatever else a file holds, or might be taken for, ends the attempt, and
//! the whole file goes to the real parser: this reader never reports anything and never has to know what a mistake is.
//! That both make the same document of every text that is taken here is held by a property test.

use std::collections::HashMap;

use yaml_rust2::parser::Tag as RawTag;
use yaml_rust2::scanner::TScalarStyle;

use super::build::Builder;

/// The text is not as simple as this reader takes it.
pub(super) struct NotSimple;

type Simple<T = ()> = Result<T, NotSimple>;

/// Keys longer than this are for the parser to judge.
const KEY_MAX: usize = 200;

/// Whether a text has no letter that this reader does not take. Looked at to its end, which is faster than stopping at
/// the first.
pub(super) fn may_be_simple(text: &str) -> bool {
    let odd = text.bytes().fold(0, |odd, byte| odd | u8::from((byte < b' ' && byte != b'\n') || byte > b'~'));
    odd == 0 && text.ends_with('\n')
}

/// Feeds a text that may be simple to a builder, which is of use only if all of it was taken.
pub(super) fn feed(text: &str, builder: &mut Builder<'_>) -> Simple {
    builder.expect_nodes(text.len() / 10);
    let (open, anchors) = (Vec::new(), HashMap::new());
    let mut reader = Reader { text, at: 0, builder, open, awaits: Awaits::Root, anchors, anchor: 0 };
    while reader.at < text.len() {
        reader.line()?;
    }
    match reader.awaits {
        Awaits::Nothing if reader.anchor == 0 => reader.close_to(None),
        _ => Err(NotSimple),
    }?;
    reader.builder.close_document(text.len()).map_err(|_| NotSimple)
}

/// What a line may bring besides one more entry or item of an open map or list.
#[derive(Clone, Copy, PartialEq)]
enum Awaits {
    Nothing,
    /// The map that the file is.
    Root,
    /// A map or list indented deeper than this.
    Value(usize),
    /// A list indented deeper than this, which has a tag.
    Tagged(usize, (usize, usize)),
}

/// An open map or list of lines.
struct Open {
    column: usize,
    map: bool,
}

/// How a block of text begins.
struct BlockHead {
    /// Its last line end is part of it.
    keeps: bool,
    /// Its first letter.
    content: usize,
    indent: usize,
    /// Its first line.
    at: usize,
}

/// May stand in a key without quotes.
const KEY: u8 = 1;
/// May begin a word. What begins with a dash is looked at more closely.
const WORD_START: u8 = 2;
/// May stand in a word in brackets.
const IN_BRACKETS: u8 = 4;

static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'/' => KEY | WORD_START | IN_BRACKETS,
            b'-' => KEY | IN_BRACKETS,
            b'~' | b'+' => WORD_START | IN_BRACKETS,
            b'$' => WORD_START,
            b' ' | b'=' | b'*' | b'|' | b'@' | b'(' | b')' | b'\'' => IN_BRACKETS,
            _ => 0,
        };
        byte += 1;
    }
    table
};

struct Reader<'t, 'b, 'f> {
    text: &'t str,
    /// The beginning of the next line.
    at: usize,
    builder: &'b mut Builder<'f>,
    open: Vec<Open>,
    awaits: Awaits,
    /// Numbers of the anchors so far. A name that is given twice is for the parser.
    anchors: HashMap<&'t str, usize>,
    /// The anchor of the next value, or 0.
    anchor: usize,
}

impl<'t> Reader<'t, '_, '_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(b'\n')
    }

    fn end_of_line(&self, mut at: usize) -> usize {
        while self.byte(at) != b'\n' {
            at += 1;
        }
        at
    }

    fn after_blanks(&self, mut at: usize) -> usize {
        while self.byte(at) == b' ' {
            at += 1;
        }
        at
    }

    /// Whether nothing but blanks and a comment stands from here to the end of the line.
    fn ends(&self, at: usize) -> bool {
        let next = self.after_blanks(at);
        self.byte(next) == b'\n' || (next > at && self.byte(next) == b'#')
    }

    fn scalar(&mut self, value: &str, style: TScalarStyle, mark: usize) -> Simple {
        let anchor = std::mem::take(&mut self.anchor);
        self.builder.scalar(value, style, anchor, None, mark).map_err(|_| NotSimple)
    }

    fn open(&mut self, map: bool, tag: Option<&RawTag>, mark: usize) -> Simple {
        let anchor = std::mem::take(&mut self.anchor);
        self.builder.open(map, anchor, tag, mark).map_err(|_| NotSimple)
    }

    fn close(&mut self, mark: usize) -> Simple {
        self.builder.close(mark).map_err(|_| NotSimple)
    }

    /// Closes what is indented deeper than a column, or everything.
    fn close_to(&mut self, column: Option<usize>) -> Simple {
        while self.open.last().is_some_and(|open| column.is_none_or(|column| open.column > column)) {
            self.open.pop();
            self.close(self.at)?;
        }
        Ok(())
    }

    fn line(&mut self) -> Simple {
        let start = self.after_blanks(self.at);
        let column = start - self.at;
        match self.byte(start) {
            b'\n' | b'#' => {
                self.at = self.end_of_line(start) + 1;
                return Ok(());
            }
            b'-' | b'.' if column == 0 && self.byte(start + 1) != b' ' => return Err(NotSimple),
            _ => {}
        }
        let dash = self.byte(start) == b'-' && self.byte(start + 1) == b' ';
        match self.awaits {
            Awaits::Root if column == 0 && !dash => self.begin(true, column, None, start)?,
            Awaits::Value(above) if column > above => self.begin(!dash, column, None, start)?,
            Awaits::Tagged(above, (from, to)) if column > above && dash => {
                let tag = RawTag { handle: "!".to_owned(), suffix: self.text[from + 1..to].to_owned() };
                self.begin(false, column, Some(&tag), start)?;
            }
            Awaits::Nothing => self.close_to(Some(column))?,
            _ => return Err(NotSimple),
        }
        match self.open.last() {
            Some(open) if open.column == column && open.map != dash => {}
            _ => return Err(NotSimple),
        }
        if dash { self.item(start) } else { self.entry(start, column) }
    }

    fn begin(&mut self, map: bool, column: usize, tag: Option<&RawTag>, mark: usize) -> Simple {
        self.open(map, tag, mark)?;
        self.open.push(Open { column, map });
        self.awaits = Awaits::Nothing;
        Ok(())
    }

    /// `- ` and what follows: a value, or a map that begins on the line.
    fn item(&mut self, dash: usize) -> Simple {
        let start = self.after_blanks(dash + 1);
        let column = start - self.at;
        match self.key_end(start) {
            Some(_) => {
                self.begin(true, column, None, start)?;
                self.entry(start, column)
            }
            None => self.value(start, 0),
        }
    }

    /// The end of a key without quotes that stands here, with its colon behind it.
    fn key_end(&self, start: usize) -> Option<usize> {
        if self.byte(start) == b'<' && self.text[start..].starts_with("<<: ") {
            return Some(start + 2);
        }
        let bytes = &self.text.as_bytes()[start..];
        let length = bytes.iter().position(|byte| CLASS[usize::from(*byte)] & KEY == 0).unwrap_or(bytes.len());
        let length = length.min(KEY_MAX);
        let end = start + length;
        let whole = length > 0 && self.byte(start) != b'-' && self.byte(end) == b':';
        (whole && matches!(self.byte(end + 1), b' ' | b'\n')).then_some(end)
    }

    fn entry(&mut self, start: usize, column: usize) -> Simple {
        let end = self.key_end(start).ok_or(NotSimple)?;
        let text = self.text;
        self.scalar(&text[start..end], TScalarStyle::Plain, start)?;
        if self.ends(end + 1) {
            self.awaits = Awaits::Value(column);
            self.at = self.end_of_line(end) + 1;
            return Ok(());
        }
        self.value(self.after_blanks(end + 1), column)
    }

    /// A value that begins on the line of its key, which stands at a column, or of its dash, where the column is of no
    /// use: blocks and tags are taken behind keys alone.
    fn value(&mut self, start: usize, column: usize) -> Simple {
        let in_map = self.open.last().is_some_and(|open| open.map);
        let end = match self.byte(start) {
            b'&' if self.anchor == 0 => {
                let (name, end) = self.name(start)?;
                self.anchor = self.anchors.len() + 1;
                if self.anchors.insert(name, self.anchor).is_some() {
                    return Err(NotSimple);
                }
                if !self.ends(end) {
                    return self.value(self.after_blanks(end), column);
                }
                if !in_map {
                    return Err(NotSimple);
                }
                self.awaits = Awaits::Value(column);
                end
            }
            b'*' if self.anchor == 0 => {
                let (name, end) = self.name(start)?;
                let anchor = *self.anchors.get(name).ok_or(NotSimple)?;
                self.builder.alias(anchor, start).map_err(|_| NotSimple)?;
                end
            }
            b'{' | b'[' => self.flow(start)?,
            b'\'' | b'"' => self.quoted(start)?,
            b'|' if in_map => return self.block(start, column),
            b'>' if in_map => return self.folded(start, column),
            b'!' if in_map && self.anchor == 0 => {
                let bytes = self.text.as_bytes()[start + 1..].iter();
                let end = start + 1 + bytes.take_while(|byte| matches!(byte, b'a'..=b'z' | b':')).count();
                if !self.ends(end) {
                    return Err(NotSimple);
                }
                self.awaits = Awaits::Tagged(column, (start, end));
                end
            }
            _ => self.word(start)?,
        };
        if !self.ends(end) {
            return Err(NotSimple);
        }
        self.at = self.end_of_line(end) + 1;
        Ok(())
    }

    /// The name of an anchor or alias behind its mark, with a blank or the end of the line behind it.
    fn name(&self, mark: usize) -> Simple<(&'t str, usize)> {
        let bytes = self.text.as_bytes()[mark + 1..].iter().take(KEY_MAX);
        let length = bytes.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
        let end = mark + 1 + length;
        let whole = length > 0 && matches!(self.byte(end), b' ' | b'\n');
        if whole { Ok((&self.text[mark + 1..end], end)) } else { Err(NotSimple) }
    }

    /// A text without quotes to the end of its line or a comment.
    fn word(&mut self, start: usize) -> Simple<usize> {
        let bytes = &self.text.as_bytes()[start..];
        let begins = match bytes {
            [b'-', b'-', next, ..] | [b'-', next, ..] => next.is_ascii_alphanumeric(),
            [first, ..] => CLASS[usize::from(*first)] & WORD_START != 0,
            [] => false,
        };
        if !begins {
            return Err(NotSimple);
        }
        // Up to the last letter that is no blank, on the line and before a comment.
        let mut length = 0;
        for (at, pair) in bytes.windows(2).enumerate() {
            match pair {
                [b'\n', _] | b" #" => break,
                b": " | b":\n" => return Err(NotSimple),
                [b' ', _] => {}
                _ => length = at + 1,
            }
        }
        let text = self.text;
        self.scalar(&text[start..start + length], TScalarStyle::Plain, start)?;
        Ok(start + length)
    }

    /// A text in quotes on one line, without anything that is escaped.
    fn quoted(&mut self, start: usize) -> Simple<usize> {
        let text = self.text;
        let quote = self.byte(start);
        let rest = &text[start + 1..];
        // No further than to where it ends: a line may hold any number of them.
        let length = rest.bytes().position(|byte| byte == quote || byte == b'\n').ok_or(NotSimple)?;
        let (value, end) = (&rest[..length], start + 1 + length + 1);
        if rest.as_bytes()[length] == b'\n' {
            return Err(NotSimple);
        }
        if self.byte(end) == quote || (quote == b'"' && value.contains('\\')) {
            return Err(NotSimple);
        }
        let style = if quote == b'"' { TScalarStyle::DoubleQuoted } else { TScalarStyle::SingleQuoted };
        self.scalar(value, style, start)?;
        Ok(end)
    }

    /// A map or list in brackets on one line; its words hold nothing that could mean more.
    fn flow(&mut self, start: usize) -> Simple<usize> {
        let map = self.byte(start) == b'{';
        let closing = if map { b'}' } else { b']' };
        self.open(map, None, start)?;
        let mut at = self.after_blanks(start + 1);
        while self.byte(at) != closing {
            if map {
                let end = self.key_end(at).filter(|end| self.byte(end + 1) == b' ').ok_or(NotSimple)?;
                let text = self.text;
                self.scalar(&text[at..end], TScalarStyle::Plain, at)?;
                at = self.after_blanks(end + 1);
            }
            at = match self.byte(at) {
                b'{' | b'[' => self.flow(at)?,
                b'\'' | b'"' => self.quoted(at)?,
                first if first.is_ascii_alphanumeric() || matches!(first, b'/' | b'-') => self.flow_word(at)?,
                _ => return Err(NotSimple),
            };
            at = self.after_blanks(at);
            match self.byte(at) {
                b',' if self.byte(at + 1) == b' ' => at = self.after_blanks(at + 1),
                next if next == closing => {}
                _ => return Err(NotSimple),
            }
            // A comma before the closing bracket is nothing that everybody reads alike.
            if self.byte(at) == closing && self.text[..at].trim_end().ends_with(',') {
                return Err(NotSimple);
            }
        }
        self.close(at)?;
        Ok(at + 1)
    }

    /// A text without quotes in brackets.
    fn flow_word(&mut self, start: usize) -> Simple<usize> {
        let rest = &self.text.as_bytes()[start..];
        let length = rest.iter().position(|byte| CLASS[usize::from(*byte)] & IN_BRACKETS == 0).unwrap_or(rest.len());
        let blanks = rest[..length].iter().rev().take_while(|byte| **byte == b' ').count();
        let word = &self.text[start..start + length - blanks];
        let dash =
            word.starts_with('-') && !word.trim_start_matches('-').starts_with(|c: char| c.is_ascii_alphanumeric());
        // A dash or a quote at the beginning of a later word is for the parser.
        let odd = word.as_bytes().windows(2).any(|pair| pair[0] == b' ' && !pair[1].is_ascii_alphanumeric());
        if dash || odd || word.starts_with("---") || !matches!(self.byte(start + length), b',' | b'}' | b']') {
            return Err(NotSimple);
        }
        let text = self.text;
        self.scalar(&text[start..start + word.len()], TScalarStyle::Plain, start)?;
        Ok(start + word.len())
    }

    /// The head of a `|` or `>` block behind a key at a column, whose first line is not blank.
    fn block_head(&self, header: usize, column: usize) -> Simple<BlockHead> {
        let keeps = match (self.byte(header + 1), self.byte(header + 2)) {
            (b'\n', _) => true,
            (b'-', b'\n') => false,
            _ => return Err(NotSimple),
        };
        let at = self.end_of_line(header) + 1;
        let content = self.after_blanks(at);
        let indent = content - at;
        if indent <= column || self.byte(content) == b'\n' {
            return Err(NotSimple);
        }
        Ok(BlockHead { keeps, content, indent, at })
    }

    /// `>` or `>-` and its lines, none of which is blank or indented deeper than the first.
    fn folded(&mut self, header: usize, column: usize) -> Simple {
        let BlockHead { keeps, content, indent, mut at } = self.block_head(header, column)?;
        let mut value = String::new();
        while at < self.text.len() {
            let (first, end) = (self.after_blanks(at), self.end_of_line(at));
            if first == end || self.byte(end - 1) == b' ' {
                return Err(NotSimple);
            }
            match first - at {
                found if found == indent => {}
                found if found < indent && !value.is_empty() => break,
                _ => return Err(NotSimple),
            }
            if !value.is_empty() {
                value.push(' ');
            }
            value.push_str(&self.text[first..end]);
            at = end + 1;
        }
        if value.is_empty() || (at < self.text.len() && self.byte(self.after_blanks(at)) == b'#') {
            return Err(NotSimple);
        }
        if keeps {
            value.push('\n');
        }
        self.scalar(&value, TScalarStyle::Folded, content)?;
        self.at = at;
        Ok(())
    }

    /// `|` or `|-` and its lines, of which the first is not blank and none is blank but has blanks.
    fn block(&mut self, header: usize, column: usize) -> Simple {
        let BlockHead { keeps, content, indent, mut at } = self.block_head(header, column)?;
        let mut value = String::new();
        let mut blank = 0;
        while at < self.text.len() {
            let (first, end) = (self.after_blanks(at), self.end_of_line(at));
            if first == end {
                if first > at {
                    return Err(NotSimple);
                }
                blank += 1;
            } else if first - at < indent {
                break;
            } else {
                value.extend(std::iter::repeat_n('\n', std::mem::take(&mut blank)));
                value.push_str(&self.text[at + indent..end]);
                value.push('\n');
            }
            at = end + 1;
        }
        // What follows is a key or a dash of an open map or list, or nothing; all else is for the parser.
        let ended = at >= self.text.len();
        if (ended && blank > 0) || (!ended && self.byte(self.after_blanks(at)) == b'#') {
            return Err(NotSimple);
        }
        if !keeps {
            value.pop();
        }
        self.scalar(&value, TScalarStyle::Literal, content)?;
        self.at = at;
        Ok(())
    }
}
