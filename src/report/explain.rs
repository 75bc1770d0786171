//! What `explain` found, as text.

use std::fmt::Write as _;

use crate::plan::explain::{ClusterValue, Explained, Explanation};

/// An explanation for a person: without a path the layers and every value with its place, with one the whole chain.
pub fn text(explanation: &Explanation, detailed: bool) -> String {
    let mut out = String::new();
    let version = explanation.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    let _ = writeln!(out, "{}: app {}{version}", explanation.release, explanation.app);
    if !detailed {
        out.push_str("\nvalues files, weakest first (* exists):\n");
        for layer in &explanation.layers {
            let _ = writeln!(out, "  {} {}", if layer.exists { '*' } else { ' ' }, layer.path);
        }
        out.push('\n');
        let rows: Vec<(String, String)> = explanation
            .values
            .iter()
            .map(|value| (format!("{} = {}", value.path, shown(value)), origin(value).to_owned()))
            .collect();
        let width = rows.iter().map(|(left, _)| left.chars().count().min(60)).max().unwrap_or(0);
        for (left, place) in rows {
            let _ = writeln!(out, "{left:width$}  {place}");
        }
        return out;
    }
    for value in &explanation.values {
        out.push('\n');
        for cluster in &value.values {
            let at = cluster.cluster.as_ref().map_or_else(String::new, |name| format!(" on {name}"));
            let _ = writeln!(out, "{} = {}{at}", value.path, written(cluster));
        }
        let width = value.origins.iter().map(|origin| origin.place.chars().count()).max().unwrap_or(0);
        for (number, origin) in value.origins.iter().enumerate() {
            let word = if number == 0 { "set      " } else { "overrides" };
            let _ = writeln!(out, "  {word}  {:width$}  {}", origin.place, clip(&origin.text));
        }
        if let Some(template) = &value.template {
            for read in &template.reads {
                let places = if read.places.is_empty() { "built in".to_owned() } else { read.places.join(", ") };
                let _ = writeln!(out, "  reads      {}  {places}", read.name);
            }
        }
    }
    out
}

fn origin(value: &Explained) -> &str {
    value.origins.first().map_or("", |origin| origin.place.as_str())
}

fn shown(value: &Explained) -> String {
    let texts: Vec<String> = value.values.iter().map(written).collect();
    texts.join(" | ")
}

fn written(value: &ClusterValue) -> String {
    clip(&value.text.clone().unwrap_or_else(|| value.value.to_string()))
}

/// A text on one line that a terminal can show: control characters escaped, long ones cut.
fn clip(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars().take(100) {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    if text.chars().count() > 100 {
        line.push_str("...");
    }
    line
}
