//! Environment files as people write them, at random: one more app, and everything else as it was.
//!
//! The result is judged by another reader than the one that made it (serde), and by its bytes.

use std::fmt::Write as _;
use std::sync::Arc;

use hlgen::diag::FileId;
use hlgen::yaml::insert::{NewEntry, NewField, NewValue, insert};
use hlgen::yaml::{Limits, parse};
use proptest::prelude::*;
use serde_yaml::{Mapping, Value};

/// How `apps:` is written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    Missing,
    Null,
    Tilde,
    Braces,
    Block,
    Flow,
    FlowLines,
}

#[derive(Debug, Clone)]
struct File {
    text: String,
    style: Style,
}

/// An entry's value in one of the ways of writing it.
fn entry(kind: u8, key: &str, indent: &str, step: &str) -> String {
    match kind {
        0 => format!("{indent}{key}: {{}}\n"),
        1 => format!("{indent}{key}:\n"),
        2 => format!("{indent}{key}: {{ version: 1.2.3 }} # pinned\n"),
        3 => format!("{indent}{key}:\n{indent}{step}# above\n{indent}{step}version: 'v1'\n"),
        4 => format!(
            "{indent}{key}:\n{indent}{step}description: |\n{indent}{step}{step}# text\n{indent}{step}{step}more\n"
        ),
        5 => format!("{indent}{key}:\n{indent}{step}wants:\n{indent}{step}- a\n{indent}{step}- b\n"),
        6 => format!("{indent}{key}: {{\n{indent}{step}version: \"x}}\",\n{indent}}}\n"),
        7 => format!("{indent}{key}:\n{indent}{step}description: |+\n{indent}{step}{step}kept\n\n\n"),
        _ => format!(
            "{indent}{key}:\n{indent}{step}description: >-\n{indent}{step}{step}two\n{indent}{step}{step}lines\n"
        ),
    }
}

fn flow_entry(kind: u8, key: &str) -> String {
    match kind % 4 {
        0 => format!("{key}: {{}}"),
        1 => format!("{key}: {{ version: 1.2.3 }}"),
        2 => format!("{key}: {{ description: 'it''s }} here', wants: [a, \"]\"] }}"),
        _ => format!("{key}: ~"),
    }
}

const OTHERS: &[&str] = &[
    "stage: dev\n",
    "# a line of its own\ndomain: example.com # the domain\n",
    "vars:\n  apps: { x: 1 }\n  text: |\n    apps:\n      none: {}\n",
    "\ninputs: []\n\n",
    "capabilities: { ingress: traefik }\n# behind\n",
    "network:\n    podCIDRs: [\n      10.0.0.0/8,\n    ]\n",
];

fn file() -> impl Strategy<Value = File> {
    let styles = prop_oneof![
        1 => Just(Style::Missing),
        1 => Just(Style::Null),
        1 => Just(Style::Tilde),
        1 => Just(Style::Braces),
        4 => Just(Style::Block),
        2 => Just(Style::Flow),
        2 => Just(Style::FlowLines),
    ];
    let parts = (
        styles,
        proptest::collection::vec(0u8..9, 1..5),
        proptest::sample::subsequence(OTHERS.to_vec(), 0..=OTHERS.len()),
        0usize..7,
        prop_oneof![Just("  "), Just("    "), Just(" ")],
        prop_oneof![3 => Just("\n"), 1 => Just("\r\n")],
        any::<[bool; 5]>(),
    );
    parts.prop_map(|(style, kinds, others, at, step, eol, [bom, end, comment, tail, start])| {
        let mut apps = String::new();
        let remark = if comment { " # apps: {}" } else { "" };
        let keys: Vec<String> = (0..kinds.len()).map(|number| format!("app-{number}")).collect();
        let flow: Vec<String> = kinds.iter().zip(&keys).map(|(kind, key)| flow_entry(*kind, key)).collect();
        match style {
            Style::Missing => {}
            Style::Null => writeln!(apps, "apps:{remark}").unwrap(),
            Style::Tilde => writeln!(apps, "apps: ~{remark}").unwrap(),
            Style::Braces => writeln!(apps, "apps: {{}}{remark}").unwrap(),
            Style::Block => {
                writeln!(apps, "apps:{remark}").unwrap();
                for (kind, key) in kinds.iter().zip(&keys) {
                    apps.push_str(&entry(*kind, key, step, step));
                }
            }
            Style::Flow => writeln!(apps, "apps: {{ {} }}{remark}", flow.join(", ")).unwrap(),
            Style::FlowLines => {
                let comma = if start { "," } else { "" };
                writeln!(apps, "apps: {{{remark}\n  {}{comma} # last\n}}", flow.join(", # c\n  ")).unwrap();
            }
        }
        if tail && !matches!(style, Style::Missing | Style::Flow | Style::FlowLines) {
            write!(apps, "{step}# belongs to the apps\n\n").unwrap();
        }
        let mut text = if start { "---\n".to_owned() } else { String::new() };
        text.push_str("apiVersion: hlgen.dev/v1\n");
        let at = at.min(others.len());
        others[..at].iter().for_each(|other| text.push_str(other));
        text.push_str(&apps);
        others[at..].iter().for_each(|other| text.push_str(other));
        // A text in a block takes part in the file's end.
        if !end && !text.ends_with("\n\n") && !text.contains('|') {
            text.truncate(text.trim_end_matches('\n').len());
        }
        let text = format!("{}{}", if bom { "\u{feff}" } else { "" }, text.replace('\n', eol));
        File { text, style }
    })
}

fn pinned() -> NewEntry {
    let field = |comment: Option<&str>, key: &str, value| NewField {
        comment: comment.map(str::to_owned),
        key: key.to_owned(),
        value,
    };
    NewEntry {
        key: "web".into(),
        fields: vec![
            field(None, "use", NewValue::Map(vec![("postgres".into(), "db".into())])),
            field(Some("renovate: datasource=helm depName=web"), "version", NewValue::Text("1.2.3".into())),
        ],
    }
}

fn read(text: &str) -> Value {
    serde_yaml::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// How many bytes two texts share at their beginnings and, of the rest, at their ends.
fn shared(one: &str, other: &str) -> usize {
    let start = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let most = one.len().min(other.len()) - start;
    start + one.bytes().rev().zip(other.bytes().rev()).take(most).take_while(|(a, b)| a == b).count()
}

/// Whether one text is the other with something left out.
fn is_part(part: &str, of: &str) -> bool {
    let mut bytes = of.bytes();
    part.bytes().all(|byte| bytes.any(|other| other == byte))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn one_more_app_and_everything_else_as_it_was(file in file()) {
        let text: Arc<str> = file.text.as_str().into();
        let docs = parse(&text, FileId(0), &Limits::default(), &mut Vec::new());
        prop_assert_eq!(docs.len(), 1);
        let after = insert(&docs[0], "apps", &[pinned()]);
        prop_assert!(after.is_ok(), "{:?}\n{}", after, file.text);
        let after = after.unwrap();

        let mut expected = read(&file.text);
        let entry: Value = read("use: { postgres: db }\nversion: 1.2.3\n");
        let map = expected.as_mapping_mut().unwrap();
        let apps = map.entry("apps".into()).or_insert(Value::Null);
        if apps.is_null() {
            *apps = Value::Mapping(Mapping::new());
        }
        apps.as_mapping_mut().unwrap().insert("web".into(), entry);
        prop_assert_eq!(read(&after), expected, "{}", &after);

        match file.style {
            // One piece of text more.
            Style::Missing | Style::Null | Style::Block | Style::Flow => {
                prop_assert_eq!(shared(&file.text, &after), file.text.len(), "{}", &after);
            }
            // The comma behind the last entry is another one.
            Style::FlowLines => prop_assert!(is_part(&file.text, &after), "{}", &after),
            // The value that said that there is nothing is gone.
            Style::Tilde | Style::Braces => {
                let without = file.text.replacen("apps: ~", "apps: ", 1).replacen("apps: {}", "apps:", 1);
                prop_assert!(is_part(&without, &after), "{}", &after);
            }
        }
        let ends = |text: &str| text.matches('\n').count() - text.matches("\r\n").count();
        prop_assert!(!file.text.contains("\r\n") || ends(&after) == 0, "{:?}", &after);
        prop_assert!(after.contains("# renovate: datasource=helm depName=web"));
    }
}
