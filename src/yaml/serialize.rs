//! Typed objects → the text that [`super::emit_json`] gives for their JSON, without making that JSON.

use std::fmt;

use serde::ser::{self, Impossible, Serialize};

use super::emit::{View, spaces, write_key, write_scalar, write_word};

/// What cannot be written: a key that is no text, or a kind of type that no object of ours is made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SerializeError(String);

impl ser::Error for SerializeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Appends an object as one document.
///
/// # Errors
/// See [`SerializeError`].
pub fn emit_object(object: &impl Serialize, out: &mut String) -> Result<(), SerializeError> {
    object.serialize(Place { out, indent: 0, behind: Behind::Nothing })
}

/// What stands on the line before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    /// `key:`
    Key,
    /// `- `
    Dash,
    /// The beginning of the line of an entry: what is written is its key, which has to be a text.
    KeyItself,
}

/// Where a value is written; `indent` is the column of its entries or items.
struct Place<'o> {
    out: &'o mut String,
    indent: usize,
    behind: Behind,
}

impl<'o> Place<'o> {
    fn scalar(self, view: View<'_>) -> Result<(), SerializeError> {
        match (self.behind, view) {
            (Behind::KeyItself, View::Str(key)) => {
                write_key(key, self.indent, self.out);
                return Ok(());
            }
            (Behind::KeyItself, _) => return unknown("a key that is no text"),
            (Behind::Key, _) => self.out.push(' '),
            (Behind::Nothing | Behind::Dash, _) => {}
        }
        write_scalar(view, self.indent, self.out);
        Ok(())
    }

    fn children(self) -> Children<'o> {
        Children { place: self, any: false }
    }
}

/// An open map or list. Whether it is empty, and stands on its key's line, is known at its end.
struct Children<'o> {
    place: Place<'o>,
    any: bool,
}

impl Children<'_> {
    /// Begins the line of a child.
    fn line(&mut self) {
        let Place { out, indent, behind } = &mut self.place;
        match behind {
            Behind::Key if !self.any => out.push('\n'),
            _ => {}
        }
        if self.any || *behind != Behind::Dash {
            spaces(*indent, out);
        }
        self.any = true;
    }

    /// An entry whose key is the name of a field or variant.
    fn entry<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), SerializeError> {
        if self.place.behind == Behind::KeyItself {
            return unknown("a key that is no text");
        }
        self.line();
        let Place { out, indent, .. } = &mut self.place;
        write_word(key, out);
        value.serialize(Place { out, indent: *indent + 2, behind: Behind::Key })
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        if self.place.behind == Behind::KeyItself {
            return unknown("a key that is no text");
        }
        self.line();
        let Place { out, indent, .. } = &mut self.place;
        out.push_str("- ");
        value.serialize(Place { out, indent: *indent + 2, behind: Behind::Dash })
    }

    fn close(self, empty: View<'_>) -> Result<(), SerializeError> {
        if self.any { Ok(()) } else { self.place.scalar(empty) }
    }
}

fn unknown<T>(what: &str) -> Result<T, SerializeError> {
    Err(SerializeError(format!("{what} cannot be written")))
}

impl<'o> ser::Serializer for Place<'o> {
    type Ok = ();
    type Error = SerializeError;
    type SerializeSeq = Children<'o>;
    type SerializeTuple = Children<'o>;
    type SerializeTupleStruct = Impossible<(), SerializeError>;
    type SerializeTupleVariant = Impossible<(), SerializeError>;
    type SerializeMap = Children<'o>;
    type SerializeStruct = Children<'o>;
    type SerializeStructVariant = Impossible<(), SerializeError>;

    fn serialize_bool(self, value: bool) -> Result<(), SerializeError> {
        self.scalar(View::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Result<(), SerializeError> {
        self.scalar(View::Int(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Result<(), SerializeError> {
        self.scalar(View::Int(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Result<(), SerializeError> {
        self.scalar(View::Int(value.into()))
    }

    fn serialize_i64(self, value: i64) -> Result<(), SerializeError> {
        self.scalar(View::Int(value))
    }

    fn serialize_u8(self, value: u8) -> Result<(), SerializeError> {
        self.scalar(View::Uint(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Result<(), SerializeError> {
        self.scalar(View::Uint(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Result<(), SerializeError> {
        self.scalar(View::Uint(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Result<(), SerializeError> {
        self.scalar(View::Uint(value))
    }

    fn serialize_f32(self, value: f32) -> Result<(), SerializeError> {
        self.scalar(View::Float(value.into()))
    }

    fn serialize_f64(self, value: f64) -> Result<(), SerializeError> {
        self.scalar(View::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<(), SerializeError> {
        self.scalar(View::Str(value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_str(self, value: &str) -> Result<(), SerializeError> {
        self.scalar(View::Str(value))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), SerializeError> {
        unknown("bytes")
    }

    fn serialize_none(self) -> Result<(), SerializeError> {
        self.scalar(View::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), SerializeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), SerializeError> {
        self.scalar(View::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), SerializeError> {
        self.scalar(View::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), SerializeError> {
        self.scalar(View::Str(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), SerializeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        self.children().entry(variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Children<'o>, SerializeError> {
        Ok(self.children())
    }

    fn serialize_tuple(self, _: usize) -> Result<Children<'o>, SerializeError> {
        Ok(self.children())
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, SerializeError> {
        unknown(name)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, SerializeError> {
        unknown(name)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Children<'o>, SerializeError> {
        Ok(self.children())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Children<'o>, SerializeError> {
        Ok(self.children())
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, SerializeError> {
        unknown(name)
    }
}

impl ser::SerializeSeq for Children<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.item(value)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.close(View::Seq)
    }
}

impl ser::SerializeTuple for Children<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.item(value)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.close(View::Seq)
    }
}

impl ser::SerializeMap for Children<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerializeError> {
        if self.place.behind == Behind::KeyItself {
            return unknown("a key that is no text");
        }
        self.line();
        let Place { out, indent, .. } = &mut self.place;
        key.serialize(Place { out, indent: *indent, behind: Behind::KeyItself })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        let Place { out, indent, .. } = &mut self.place;
        value.serialize(Place { out, indent: *indent + 2, behind: Behind::Key })
    }

    fn end(self) -> Result<(), SerializeError> {
        self.close(View::Map)
    }
}

impl ser::SerializeStruct for Children<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), SerializeError> {
        self.entry(key, value)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.close(View::Map)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;
    use crate::yaml::emit_json;

    fn trees() -> impl Strategy<Value = Json> {
        let text = prop_oneof![Just(String::new()), Just("a\nb\n".to_owned()), Just("y".to_owned()), "\\PC{0,6}"];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            text.clone().prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            let list = proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from);
            let map = proptest::collection::vec((text.clone(), inner), 0..4);
            prop_oneof![list, map.prop_map(|entries| Json::Object(entries.into_iter().collect()))]
        })
    }

    proptest! {
        #[test]
        fn writes_what_its_json_would_be(tree in trees()) {
            let mut text = String::new();
            emit_object(&tree, &mut text).unwrap();
            prop_assert_eq!(text, emit_json(&tree));
        }
    }

    #[test]
    fn what_is_left_out_and_what_varies() {
        #[derive(serde::Serialize)]
        struct Object {
            list: Vec<Vec<u8>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            left_out: Option<u8>,
            variant: Variant,
        }
        #[derive(serde::Serialize)]
        enum Variant {
            Of(Option<char>),
        }
        let object = Object { list: vec![vec![1, 2], vec![]], left_out: None, variant: Variant::Of(Some('~')) };
        let mut text = String::new();
        emit_object(&object, &mut text).unwrap();
        assert_eq!(text, "list:\n  - - 1\n    - 2\n  - []\nvariant:\n  Of: '~'\n");
        assert_eq!(text, emit_json(&serde_json::to_value(&object).unwrap()));
    }

    #[test]
    fn a_key_is_a_text() {
        let numbers = std::collections::BTreeMap::from([(1, 2)]);
        assert!(emit_object(&numbers, &mut String::new()).is_err());
        let lists = std::collections::BTreeMap::from([(vec![1], 2)]);
        assert!(emit_object(&lists, &mut String::new()).is_err());
        let empty = std::collections::BTreeMap::from([(Vec::<u8>::new(), 2)]);
        assert!(emit_object(&empty, &mut String::new()).is_err());
    }
}
