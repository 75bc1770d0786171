//! Paths into a values tree: `a.b[0]["grafana.ini"].server`.

use std::fmt;

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    Key(String),
    Index(usize),
}

impl Step {
    /// Whether the step is `*`, which stands for every key and every index where a path is a pattern.
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Key(key) if key == "*")
    }
}

/// A way from the root of a tree to one of its nodes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// Reads a path. Plain keys are separated by dots; `[0]` is an item of a list; a key that holds dots or brackets is
    /// written `["like this"]`, with JSON's escapes.
    ///
    /// # Errors
    /// What is wrong, and at which character (from 1).
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        let at = |rest: &str| text.len() - rest.len() + 1;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                if inner.starts_with('"') {
                    let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<String>();
                    let Some(Ok(key)) = stream.next() else {
                        return Err(format!("character {}: the quoted key does not end", at(inner)));
                    };
                    rest = &inner[stream.byte_offset()..];
                    steps.push(Step::Key(key));
                } else {
                    let end = inner.find(']').unwrap_or(inner.len());
                    let index = inner[..end].parse().map_err(|_| {
                        format!("character {}: a list index or a quoted key is expected in brackets", at(inner))
                    })?;
                    steps.push(Step::Index(index));
                    rest = &inner[end..];
                }
                rest = rest.strip_prefix(']').ok_or_else(|| format!("character {}: `]` is missing", at(rest)))?;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return Err(format!("character {}: a key is missing", at(rest)));
                }
                steps.push(Step::Key(rest[..end].to_owned()));
                rest = &rest[end..];
            }
            if let Some(after) = rest.strip_prefix('.') {
                if after.is_empty() {
                    return Err(format!("character {}: a key is missing", at(after)));
                }
                rest = after;
            }
        }
        Ok(Self(steps))
    }

    /// Adds a step into a map.
    pub fn push_key(&mut self, key: &str) {
        self.0.push(Step::Key(key.to_owned()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value at the path in a tree of JSON.
    pub fn find<'j>(&self, tree: &'j serde_json::Value) -> Option<&'j serde_json::Value> {
        self.0.iter().try_fold(tree, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        })
    }

    /// Whether a path is this one or leads further, where `*` here stands for any step.
    pub fn covers(&self, other: &Self) -> bool {
        let same = |(own, step): (&Step, &Step)| own.is_any() || own == step;
        self.0.len() <= other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) => {
                    if number > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(key)?;
                }
                Step::Key(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str()))?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| !matches!(c, '.' | '[' | ']' | '"') && !c.is_whitespace() && !c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["a", "a.b", "a[0].b", "a.b[0][\"grafana.ini\"].server", "[\"x y\"].z", "a[\"q\\\"u\"]"] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        assert!(Path::parse("").unwrap().is_empty());
    }

    #[test]
    fn patterns_cover_what_they_lead_to() {
        let covers = |pattern: &str, path: &str| Path::parse(pattern).unwrap().covers(&Path::parse(path).unwrap());
        assert!(covers("image", "image.tag") && covers("ports.*.nodePort", "ports.web.nodePort"));
        assert!(covers("ports.*.nodePort", "ports[0].nodePort"));
        assert!(!covers("image", "images.tag") && !covers("image.tag", "image") && !covers("a.*.b", "a.x.c"));
    }

    #[test]
    fn says_where_it_is_wrong() {
        assert_eq!(Path::parse("a..b").unwrap_err(), "character 3: a key is missing");
        assert_eq!(Path::parse("a.").unwrap_err(), "character 3: a key is missing");
        assert!(Path::parse("a[x]").unwrap_err().contains("character 3"));
        assert!(Path::parse("a[\"x").unwrap_err().contains("does not end"));
        assert!(Path::parse("a[0").unwrap_err().contains("`]` is missing"));
    }
}
