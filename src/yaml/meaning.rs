//! What scalars, tags and keys mean, and the findings about words that mean two things.

use yaml_rust2::parser::Tag as RawTag;

use super::build::{Builder, Shape, Stop};
use super::doc::{Content, Node};
use super::scalar::{self, Number, Reading};
use super::{Kind, NodeId, Style, Tag};
use crate::diag::{Code, Diagnostic, Level, nearest};

/// What a scalar is.
pub(super) struct Meaning {
    pub(super) kind: Kind,
    /// Its merge tag's number in the document, 0 for none.
    pub(super) tag: u16,
    pub(super) raw: bool,
    /// No tag stands on it that would say what the word is; a merge tag does not.
    pub(super) untagged: bool,
}

/// A tag that hlgen knows.
enum Known {
    Core(&'static str),
    Merge(Tag),
}

/// A place in the text: start and end.
type Place = (usize, usize);

const CORE: [&str; 7] = ["str", "int", "float", "bool", "null", "map", "seq"];
const CORE_PREFIX: &str = "tag:yaml.org,2002:";

impl Builder<'_> {
    /// Reads a tag; an unknown one is reported and gives `None`.
    fn known_tag(&mut self, tag: &RawTag, place: Place) -> Option<Known> {
        let full = format!("{}{}", tag.handle, tag.suffix);
        if let Some(name) = full.strip_prefix(CORE_PREFIX)
            && let Some(name) = CORE.iter().find(|known| **known == name)
        {
            return Some(Known::Core(name));
        }
        let merge = match full.as_str() {
            "!append" => Some(Tag::Append),
            "!prepend" => Some(Tag::Prepend),
            "!replace" => Some(Tag::Replace),
            "!unset" => Some(Tag::Unset),
            "!raw" => Some(Tag::Raw),
            _ => match full.strip_prefix("!merge:") {
                Some(key) if !key.is_empty() => Some(Tag::Merge(key.into())),
                _ => None,
            },
        };
        if merge.is_some() {
            return merge.map(Known::Merge);
        }
        let written = &self.text[place.0..place.1];
        let finding =
            Diagnostic::new(Code::YamlTag, format!("unknown tag `{written}`")).at(self.span(place), "this tag");
        let finding = if full == "!merge" || full == "!merge:" {
            finding.help("name the key that tells the list's maps apart, for example `!merge:name`")
        } else if let Some(name) = nearest(&full, ["!append", "!prepend", "!merge:", "!replace", "!unset", "!raw"]) {
            finding.help(format!("did you mean `{name}`?"))
        } else {
            finding.help(
                "known tags are `!append`, `!prepend`, `!merge:<key>`, `!replace`, `!unset` and `!raw`; \
                 text that begins with `!` needs quotes",
            )
        };
        self.report(finding);
        None
    }

    fn tag_finding(&mut self, code: Code, place: Place, message: String, help: &str) {
        let finding = Diagnostic::new(code, message).at(self.span(place), "this tag").help(help);
        self.report(finding);
    }

    /// The kind and tag of a scalar, with the findings about them that do not depend on whether it is a key.
    pub(super) fn scalar_meaning(
        &mut self,
        value: &str,
        style: Style,
        tag: Option<(&RawTag, Place)>,
        place: Place,
    ) -> Result<Meaning, Stop> {
        let plain = if style == Style::Plain { scalar::plain(value) } else { Kind::Str };
        let Some((tag, tag_place)) = tag else {
            return Ok(Meaning { kind: plain, tag: 0, raw: false, untagged: true });
        };
        let untouched = Meaning { kind: plain, tag: 0, raw: false, untagged: false };
        match self.known_tag(tag, tag_place) {
            None => Ok(untouched),
            Some(Known::Core(name)) => {
                let kind = self.core(name, value, tag_place);
                Ok(Meaning { kind, ..untouched })
            }
            Some(Known::Merge(Tag::Raw)) => {
                let tag = self.tag_index(Tag::Raw, tag_place)?;
                Ok(Meaning { tag, raw: true, untagged: true, ..untouched })
            }
            Some(Known::Merge(tag @ (Tag::Append | Tag::Prepend | Tag::Merge(_)))) => {
                let written = &self.text[tag_place.0..tag_place.1];
                let message = format!("`{written}` works on lists, and this is none");
                self.tag_finding(Code::MergeTag, tag_place, message, merge_help(&tag));
                Ok(untouched)
            }
            Some(Known::Merge(Tag::Unset)) if plain != Kind::Null => {
                let finding = Diagnostic::new(Code::MergeTag, "`!unset` removes the key, so its value would be lost")
                    .at(self.span(tag_place), "this tag")
                    .at(self.span(place), "this value")
                    .help("write `key: !unset` with nothing behind it, or leave the tag out");
                self.report(finding);
                Ok(untouched)
            }
            Some(Known::Merge(tag)) => {
                let tag = self.tag_index(tag, tag_place)?;
                // A merge tag says nothing of what the word means: it is as ambiguous as without one.
                Ok(Meaning { tag, untagged: true, ..untouched })
            }
        }
    }

    /// The kind of a scalar under a core tag, as go-yaml has it: the tag must fit what the plain word would be.
    fn core(&mut self, name: &str, value: &str, place: Place) -> Kind {
        let plain = scalar::plain(value);
        match (name, plain) {
            ("str", _) => return Kind::Str,
            ("int", Kind::Int) | ("float", Kind::Float) | ("bool", Kind::Bool(_)) | ("null", Kind::Null) => {
                return plain;
            }
            ("float", Kind::Int) if !matches!(scalar::number(value), Some(Number::Uint(_))) => return Kind::Float,
            _ => {}
        }
        let message = format!("`!!{name}` does not fit what it stands on, and Helm refuses it");
        self.tag_finding(Code::YamlTag, place, message, "leave the tag out, or write a value that fits it");
        Kind::Str
    }

    /// The tag of a map or list: its number, and whether it is `!raw`.
    pub(super) fn collection_tag(&mut self, map: bool, tag: Option<(&RawTag, Place)>) -> Result<(u16, bool), Stop> {
        let Some((tag, place)) = tag else { return Ok((0, false)) };
        match self.known_tag(tag, place) {
            None => Ok((0, false)),
            Some(Known::Core(name)) => {
                if name != if map { "map" } else { "seq" } {
                    let message = format!("`!!{name}` stands on a {}", if map { "map" } else { "list" });
                    self.tag_finding(Code::YamlTag, place, message, "leave the tag out");
                }
                Ok((0, false))
            }
            Some(Known::Merge(Tag::Append | Tag::Prepend | Tag::Merge(_))) if map => {
                let written = &self.text[place.0..place.1];
                let message = format!("`{written}` works on lists, and this is a map");
                self.tag_finding(Code::MergeTag, place, message, "leave the tag out: maps merge by themselves");
                Ok((0, false))
            }
            Some(Known::Merge(Tag::Unset)) => {
                let message = "`!unset` removes the key, so its value would be lost".to_owned();
                self.tag_finding(Code::MergeTag, place, message, "write `key: !unset` with nothing behind it");
                Ok((0, false))
            }
            Some(Known::Merge(tag)) => {
                let raw = tag == Tag::Raw;
                Ok((self.tag_index(tag, place)?, raw))
            }
        }
    }

    /// Reports a merge tag on a list's item, where there is no key below to merge with.
    pub(super) fn check_item_tag(&mut self, item: NodeId, place: Place) {
        let name = match self.doc.tag(item) {
            Some(Tag::Append) => "!append",
            Some(Tag::Prepend) => "!prepend",
            Some(Tag::Merge(_)) => "!merge",
            Some(Tag::Unset) => "!unset",
            _ => return,
        };
        let finding = Diagnostic::new(
            Code::MergeTag,
            format!("`{name}` stands on an item of a list, which has no key to merge by"),
        )
        .at(self.span(place), "this item")
        .help("put the tag on the list itself, behind its key");
        self.report(finding);
    }

    /// The key node that a finished node makes, and whether it is `<<`; `None` with a finding where it cannot be a key.
    ///
    /// `shared` says that the node is an alias or has an anchor, so that it must not be changed; `plain` that it is an
    /// untagged plain scalar.
    pub(super) fn key(
        &mut self,
        id: NodeId,
        place: Place,
        shared: bool,
        plain: bool,
        raw: bool,
    ) -> Option<(NodeId, bool)> {
        let node = *self.doc.node(id);
        let text = self.doc.text(id);
        if plain && text == "<<" {
            return Some((id, true));
        }
        // Almost every key: a word that nobody takes for anything else.
        let word = plain && !shared && node.kind == Kind::Str && node.tag == 0 && !node.templated;
        if word && scalar::reads_differently(text).is_none() {
            return Some((id, false));
        }
        let template = !raw && super::build::holds_template(text);
        let ambiguous = plain && scalar::reads_differently(text).is_some();
        let content = match scalar::json_key(text, node.kind) {
            Some(key) if *key == *text => Some(node.content),
            Some(key) => {
                let key = key.into_owned();
                Some(Content::Scalar(self.piece(&key, place.0)))
            }
            None => None,
        };
        if self.doc.tag(id).is_some_and(|tag| *tag != Tag::Raw) {
            let finding = Diagnostic::new(Code::MergeTag, "a merge tag stands on a key")
                .at(self.span(place), "this key")
                .help("put the tag behind the colon");
            self.report(finding);
        }
        let Some(content) = content else {
            self.report_bad_key(id, place);
            return None;
        };
        if template {
            let finding = Diagnostic::new(Code::TemplateKey, "a template stands in a key")
                .at(self.span(place), "keys are not evaluated")
                .help("write the key out; text that only looks like a template goes below `!raw`");
            self.report(finding);
        }
        if ambiguous {
            self.ambiguous(place, true);
        }
        let (start, end) = (place.0 as u32, place.1 as u32);
        let key = Node { content, start, end, kind: Kind::Str, tag: 0, templated: false, tagged: false, ..node };
        if shared {
            return Some((self.push(key, Shape { weight: 1, height: 0 }), false));
        }
        self.doc.nodes[id.0 as usize] = key;
        Some((id, false))
    }

    fn report_bad_key(&mut self, id: NodeId, place: Place) {
        let (kind, text) = (self.doc.kind(id), self.doc.text(id));
        let (message, help) = match kind {
            Kind::Map if self.text[place.0..].starts_with("{{") || self.text[..place.0].trim_end().ends_with("{{") => (
                "a map stands where a key should be".to_owned(),
                "put quotes around text that begins with `{{`".to_owned(),
            ),
            Kind::Map => ("a map stands where a key should be".to_owned(), "write a word as the key".to_owned()),
            Kind::Seq => ("a list stands where a key should be".to_owned(), "write a word as the key".to_owned()),
            Kind::Null if text.is_empty() => ("a key is missing".to_owned(), "write a key before the colon".to_owned()),
            Kind::Null => (format!("the key `{text}` is null"), format!("write `'{text}'` if the word is meant")),
            _ => (
                format!("the key `{text}` is a number too large for Helm to take as a key"),
                format!("write `'{text}'` if the text is meant"),
            ),
        };
        let finding = Diagnostic::new(Code::YamlKey, message).at(self.span(place), "not a key").help(help);
        self.report(finding);
    }

    /// Reports what a value's plain word does not tell all readers alike. An infinite number becomes a text.
    pub(super) fn check_value(&mut self, id: NodeId, place: Place) {
        let text = self.doc.text(id);
        let infinite = || matches!(scalar::number(text), Some(Number::Float(value)) if !value.is_finite());
        if self.doc.kind(id) == Kind::Float && infinite() {
            let finding =
                Diagnostic::new(Code::YamlAmbiguousScalar, format!("`{text}` is a number that JSON does not have"))
                    .level(Level::Error)
                    .at(self.span(place), "Helm and Kubernetes refuse it")
                    .help(format!("write `'{text}'` if the text is meant"));
            self.report(finding);
            self.doc.nodes[id.0 as usize].kind = Kind::Str;
            return;
        }
        if scalar::reads_differently(text).is_some() {
            self.ambiguous(place, false);
        }
    }

    /// Warns of the plain word at a place.
    fn ambiguous(&mut self, place: Place, key: bool) {
        let text = &self.text[place.0..place.1];
        let Some(readings) = scalar::reads_differently(text) else { return };
        let shown = |reading: Reading| match reading {
            Reading::Null => "null".to_owned(),
            Reading::Bool(value) => format!("`{value}`"),
            Reading::Number(number) => format!("the number {number}"),
            Reading::Str => "a text".to_owned(),
        };
        let written = |reading: Reading| match reading {
            Reading::Bool(value) => Some(format!("`{value}`")),
            Reading::Number(number) if number.as_f64().is_finite() => Some(format!("`{number}`")),
            _ => None,
        };
        let mut ways: Vec<String> = [written(readings.helm), written(readings.core)].into_iter().flatten().collect();
        let quoted = format!("`'{text}'`");
        let help = if ways.is_empty() {
            format!("write {quoted}")
        } else {
            ways.dedup();
            format!("write {}, or {quoted} if the text is meant", ways.join(" or "))
        };
        let what = if key { "the key " } else { "" };
        let finding = Diagnostic::new(
            Code::YamlAmbiguousScalar,
            format!(
                "{what}`{text}` is {} to Helm and Kubernetes, {} to YAML 1.2",
                shown(readings.helm),
                shown(readings.core)
            ),
        )
        .at(self.span(place), "read as Helm reads it")
        .help(help);
        self.report(finding);
    }
}

fn merge_help(tag: &Tag) -> &'static str {
    match tag {
        Tag::Merge(_) => "put it on a list of maps, or leave it out",
        _ => "put it on a list, for example `!append [item]`, or leave it out",
    }
}
