//! JSON as Go's `encoding/json` writes it: keys sorted, and `<`, `>`, `&` and two line separators escaped.
//!
//! Where the text is read as JSON again the difference does not matter; where it is printed into a string it does.

use serde_json::Value;

pub(crate) fn to_json(value: &Value) -> String {
    let mut output = String::new();
    write(value, &mut output);
    output
}

fn write(value: &Value, output: &mut String) {
    match value {
        Value::String(text) => write_text(text, output),
        Value::Array(items) => {
            output.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    output.push(',');
                }
                write(item, output);
            }
            output.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            output.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    output.push(',');
                }
                write_text(key, output);
                output.push(':');
                write(item, output);
            }
            output.push('}');
        }
        other => output.push_str(&other.to_string()),
    }
}

fn write_text(text: &str, output: &mut String) {
    output.push('"');
    for next in text.chars() {
        match next {
            '"' => output.push_str("\\\""),
            '\\' => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            '\u{8}' => output.push_str("\\b"),
            '\u{c}' => output.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let code = u32::from(next);
                output.push_str("\\u");
                for shift in [12, 8, 4, 0] {
                    output.push(char::from_digit((code >> shift) & 0xf, 16).unwrap_or('0'));
                }
            }
            other => output.push(other),
        }
    }
    output.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn writes_as_go_does() {
        let value = json!({ "b": ["<&>", null, true, 20], "a": "\u{1}\u{2028}\"\\\n\u{7f}ä" });
        assert_eq!(
            to_json(&value),
            "{\"a\":\"\\u0001\\u2028\\\"\\\\\\n\u{7f}ä\",\"b\":[\"\\u003c\\u0026\\u003e\",null,true,20]}"
        );
        assert_eq!(serde_json::from_str::<Value>(&to_json(&value)).unwrap(), value);
    }
}
