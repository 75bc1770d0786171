//! What `insert` makes of the ways in which people write a map.

use std::sync::Arc;

use super::*;
use crate::diag::{FileId, Level};
use crate::yaml::{Limits, parse};

fn doc(text: &str) -> Doc {
    let mut findings = Vec::new();
    let mut docs = parse(&Arc::from(text), FileId(0), &Limits::default(), &mut findings);
    assert!(findings.iter().all(|finding| finding.level != Level::Error), "{text}: {findings:?}");
    assert_eq!(docs.len(), 1, "{text}");
    docs.remove(0)
}

fn field(comment: Option<&str>, key: &str, value: &str) -> NewField {
    NewField { comment: comment.map(str::to_owned), key: key.into(), value: NewValue::Text(value.into()) }
}

/// `web`, pinned.
fn web() -> NewEntry {
    NewEntry { key: "web".into(), fields: vec![field(Some("renovate: x"), "version", "1.2.3")] }
}

fn bare(key: &str) -> NewEntry {
    NewEntry { key: key.into(), fields: Vec::new() }
}

#[track_caller]
fn becomes(before: &str, after: &str) {
    assert_eq!(insert(&doc(before), "apps", &[web()]).as_deref(), Ok(after), "{before}");
}

#[track_caller]
fn refused(text: &str, refusal: Refusal) {
    assert_eq!(insert(&doc(text), "apps", &[web()]), Err(refusal), "{text}");
}

#[test]
fn behind_the_last_entry() {
    becomes(
        "kind: E\napps:\n  a: {}\ninputs: []\n",
        "kind: E\napps:\n  a: {}\n  web:\n    # renovate: x\n    version: 1.2.3\ninputs: []\n",
    );
    becomes(
        "apps:\n    a:\n        b: 1\n",
        "apps:\n    a:\n        b: 1\n    web:\n        # renovate: x\n        version: 1.2.3\n",
    );
    becomes("apps:\n a: {}", "apps:\n a: {}\n web:\n  # renovate: x\n  version: 1.2.3\n");
}

#[test]
fn comments_that_are_indented_stay_in_front_and_others_behind() {
    becomes(
        "apps:\n  a: {} # one\n  # two\n\n# three\nx: 1\n",
        "apps:\n  a: {} # one\n  # two\n  web:\n    # renovate: x\n    version: 1.2.3\n\n# three\nx: 1\n",
    );
    becomes(
        "apps:\n  a:\n    b: |\n      # text\n\n      more\n\n\n# end\n",
        "apps:\n  a:\n    b: |\n      # text\n\n      more\n  web:\n    # renovate: x\n    version: 1.2.3\n\n\n# end\n",
    );
}

#[test]
fn blank_lines_that_belong_to_a_text_stay_with_it() {
    becomes(
        "apps:\n  a:\n    b: |+\n      text\n\n\nx: 1\n",
        "apps:\n  a:\n    b: |+\n      text\n\n\n  web:\n    # renovate: x\n    version: 1.2.3\nx: 1\n",
    );
}

#[test]
fn where_there_was_nothing() {
    let new = "  web:\n    # renovate: x\n    version: 1.2.3\n";
    becomes("kind: E\n# end\n", &format!("kind: E\n# end\napps:\n{new}"));
    becomes("apps:\nx: 1\n", &format!("apps:\n{new}x: 1\n"));
    becomes("apps: # none yet\n  # here\n# not here\n", &format!("apps: # none yet\n  # here\n{new}# not here\n"));
    becomes("apps: {}\nx: 1\n", &format!("apps:\n{new}x: 1\n"));
    becomes("apps: {} # none\n", &format!("apps: # none\n{new}"));
    becomes("apps: ~\n", &format!("apps: \n{new}"));
    becomes("apps: {\n}\n", &format!("apps:\n{new}"));
    becomes("a: 1\n...\n", &format!("a: 1\napps:\n{new}...\n"));
}

#[test]
fn inside_brackets() {
    let new = "web: {\n    # renovate: x\n    version: 1.2.3 }";
    becomes("apps: { a: {} }\n", &format!("apps: {{ a: {{}},\n  {new} }}\n"));
    becomes("apps: {a: {b: '}'},} # c\nx: 1\n", &format!("apps: {{a: {{b: '}}'}},\n  {new}}} # c\nx: 1\n"));
    becomes(
        "apps: {\n    a: {}, # one\n    b: {} # two\n}\n",
        "apps: {\n    a: {}, # one\n    b: {}, # two\n    web: {\n      # renovate: x\n      version: 1.2.3 }\n}\n",
    );
    becomes("apps: {\n  a: {},\n}\n", "apps: {\n  a: {},\n  web: {\n    # renovate: x\n    version: 1.2.3 },\n}\n");
    becomes("apps: {\n  # none\n}\n", "apps: {\n  # none\n  web: {\n    # renovate: x\n    version: 1.2.3 }\n}\n");
    becomes("{kind: E}\n", "{kind: E,\n  apps: { web: {\n      # renovate: x\n      version: 1.2.3 } }}\n");
    assert_eq!(
        insert(&doc("apps: {a: {}}\n"), "apps", &[bare("b"), bare("c")]).as_deref(),
        Ok("apps: {a: {},\n  b: {},\n  c: {}}\n")
    );
}

#[test]
fn line_ends_byte_order_mark_and_indentation_of_the_file() {
    becomes(
        "\u{feff}apps:\r\n  a: {}\r\nx: 1\r\n",
        "\u{feff}apps:\r\n  a: {}\r\n  web:\r\n    # renovate: x\r\n    version: 1.2.3\r\nx: 1\r\n",
    );
    becomes("apps:\r  a: {}\r", "apps:\r  a: {}\r  web:\r    # renovate: x\r    version: 1.2.3\r");
    becomes("\u{feff}a: ü\n", "\u{feff}a: ü\napps:\n  web:\n    # renovate: x\n    version: 1.2.3\n");
    becomes("--- # d\n  a: 1\n", "--- # d\n  a: 1\n  apps:\n    web:\n      # renovate: x\n      version: 1.2.3\n");
}

#[test]
fn words_that_would_mean_something_else_are_quoted() {
    let entry = NewEntry {
        key: "on".into(),
        fields: vec![
            field(None, "app", "1e3"),
            NewField { comment: None, key: "use".into(), value: NewValue::Map(vec![("postgres".into(), "no".into())]) },
            field(None, "version", "1.10"),
        ],
    };
    let text = insert(&doc("a: 1\n"), "apps", std::slice::from_ref(&entry)).unwrap();
    assert_eq!(text, "a: 1\napps:\n  'on':\n    app: '1e3'\n    use: { postgres: 'no' }\n    version: '1.10'\n");
    let text = insert(&doc("apps: {b: {}}\n"), "apps", &[entry]).unwrap();
    assert_eq!(text, "apps: {b: {},\n  'on': { app: '1e3', use: { postgres: 'no' }, version: '1.10' }}\n");
}

#[test]
fn what_cannot_be_done_is_refused() {
    refused("apps: [a]\n", Refusal::NotAMap);
    refused("apps: all\n", Refusal::NotAMap);
    refused("- apps\n", Refusal::NotAMap);
    refused("apps:\n  web: {}\n", Refusal::Exists);
    // Both would change.
    refused("vars: &all { a: {} }\napps: *all\n", Refusal::Unsure);
    refused("apps: &all\n  a: {}\nvars: *all\n", Refusal::Unsure);
    // The text would get a line end.
    refused("apps:\n  a:\n    b: |\n      x", Refusal::Unsure);
}

#[test]
fn anchors_and_merged_maps_are_no_hindrance() {
    becomes(
        "vars: &v { x: {} }\napps:\n  <<: *v\n  a: {}\n",
        "vars: &v { x: {} }\napps:\n  <<: *v\n  a: {}\n  web:\n    # renovate: x\n    version: 1.2.3\n",
    );
    becomes("apps: &a # c\n  a: {}\n", "apps: &a # c\n  a: {}\n  web:\n    # renovate: x\n    version: 1.2.3\n");
}
