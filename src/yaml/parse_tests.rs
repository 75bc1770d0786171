use std::fmt::Write as _;

use super::*;
use crate::diag::SourceMap;
use crate::yaml::{Kind, NodeId, Style, Tag, emit};

/// Documents and findings as `line:column code`.
fn read_with(text: &str, limits: &Limits) -> (Vec<Doc>, Vec<String>) {
    let sources = SourceMap::new();
    let text: Arc<str> = text.into();
    let file = sources.add("f", Arc::clone(&text));
    let mut findings = Vec::new();
    let docs = parse(&text, file, limits, &mut findings);
    let shown = findings
        .iter()
        .map(|finding| {
            let places: Vec<String> = finding
                .labels
                .iter()
                .map(|label| sources.place(label.span).trim_start_matches("f:").to_owned())
                .collect();
            format!("{} {}", places.join(" "), finding.code)
        })
        .collect();
    (docs, shown)
}

fn read(text: &str) -> (Vec<Doc>, Vec<String>) {
    read_with(text, &Limits::default())
}

/// The only document of a text that gives no finding.
fn clean(text: &str) -> Doc {
    let (mut docs, findings) = read(text);
    assert_eq!(findings, Vec::<String>::new(), "{text:?}");
    assert_eq!(docs.len(), 1);
    docs.remove(0)
}

fn findings(text: &str) -> Vec<String> {
    read(text).1
}

fn at(doc: &Doc, path: &str) -> NodeId {
    path.split('.').fold(doc.root(), |node, part| match part.parse::<usize>() {
        Ok(index) => doc.items(node)[index],
        Err(_) => doc.get(node, part).unwrap(),
    })
}

fn emitted(doc: &Doc) -> String {
    let mut out = String::new();
    emit(doc, doc.root(), &mut out);
    out
}

#[test]
fn spans_have_a_beginning_and_an_end() {
    let doc = clean(
        "# c\na: one # x\nb:\n  c: 'it''s'\n  d: \"q\\\"\"   # y\n  e:\nlist:\n  - x\n  -\n  - {}\n  - [1, {k: v}]\nt: |\n  l1\n\n  l2\n\n# z\nf: >-\n  p\n  q\nm: two\n  lines\n",
    );
    for (path, source) in [
        ("a", "one"),
        ("b", "c: 'it''s'\n  d: \"q\\\"\"   # y\n  e"),
        ("b.c", "'it''s'"),
        ("b.d", "\"q\\\"\""),
        ("b.e", "e"),
        ("list", "x\n  -\n  - {}\n  - [1, {k: v"),
        ("list.1", "-"),
        ("list.2", "{}"),
        ("list.3", "1, {k: v"),
        ("t", "|\n  l1\n\n  l2"),
        ("f", ">-\n  p\n  q"),
        ("m", "two\n  lines"),
    ] {
        assert_eq!(doc.source(at(&doc, path)), source, "{path}");
    }
    assert_eq!(doc.text(at(&doc, "b.c")), "it's");
    assert_eq!(doc.text(at(&doc, "t")), "l1\n\nl2\n");
    assert_eq!(doc.text(at(&doc, "m")), "two lines");
    assert_eq!(doc.style(at(&doc, "f")), Style::Folded);
    assert_eq!(doc.content_offset(at(&doc, "a")), Some(7));
    assert_eq!(doc.content_offset(at(&doc, "b.c")), None);
}

#[test]
fn positions_survive_wide_characters_line_ends_and_the_byte_order_mark() {
    for text in [
        "\u{feff}ä: |\n  ünï\n  cödé\nb: 'ß' # é\nc: [ü, x]\n",
        "ä: |\r\n  ünï\r\n  cödé\r\nb: 'ß' # é\r\nc: [ü, x]\r\n",
        "ä: |\r  ünï\r  cödé\rb: 'ß' # é\rc: [ü, x]\r",
    ] {
        let doc = clean(text);
        assert_eq!(doc.text(at(&doc, "ä")), "ünï\ncödé\n");
        assert_eq!(doc.source(at(&doc, "b")), "'ß'");
        assert_eq!(doc.source(at(&doc, "c.0")), "ü");
        assert_eq!(doc.source(at(&doc, "c.1")), "x");
    }
}

#[test]
fn empty_files_are_null() {
    for text in ["", "# c\n", "---\n", "\n\n", "\u{feff}"] {
        let doc = clean(text);
        assert_eq!(doc.kind(doc.root()), Kind::Null, "{text:?}");
    }
    let (docs, findings) = read("a: 1\n---\nb: 2\n...\n---\n");
    assert_eq!((docs.len(), findings.len()), (3, 0));
}

#[test]
fn keys_are_json_keys() {
    let (docs, findings) = read("on: x\n1: v\n0x10: z\n1.50: f\n'on2': q\n&a k: v\n*a : w\n");
    assert_eq!(findings, ["1:1 yaml/ambiguous-scalar", "7:1 6:4 yaml/duplicate-key"]);
    let keys: Vec<&str> = docs[0].entries(docs[0].root()).iter().map(|entry| docs[0].text(entry.key)).collect();
    assert_eq!(keys, ["true", "1", "16", "1.5", "on2", "k"]);
    assert_eq!(findings_of_keys(), ["1:1 yaml/key", "2:1 yaml/key", "3:4 yaml/key", "4:2 yaml/key", "5:1 yaml/key"]);
}

fn findings_of_keys() -> Vec<String> {
    findings("~: a\n: b\n? {x: z}\n[1]: c\n18446744073709551615: d\n")
}

#[test]
fn duplicates_are_found_in_small_and_large_maps() {
    assert_eq!(findings("a: 1\nb: 2\na: 3\n"), ["3:1 1:1 yaml/duplicate-key"]);
    assert_eq!(findings("1: a\n'1': b\n"), ["2:1 1:1 yaml/duplicate-key"]);
    let mut text = String::new();
    for number in 0..20_000 {
        writeln!(text, "k{number}: 1").unwrap();
    }
    text.push_str("k7: 2\n");
    let (docs, findings) = read(&text);
    assert_eq!(findings, ["20001:1 8:1 yaml/duplicate-key"]);
    assert_eq!(docs[0].text(at(&docs[0], "k7")), "2");
    assert_eq!(docs[0].entries(docs[0].root()).len(), 20_000);
}

#[test]
fn aliases_share_nodes_and_bombs_are_stopped() {
    let doc = clean("a: &x {k: v}\nb: *x\nc: [*x, *x]\n");
    assert_eq!(at(&doc, "a"), at(&doc, "b"));
    assert_eq!(at(&doc, "a"), at(&doc, "c.1"));
    assert_eq!(doc.weight(), 1 + 2 + 2 + 1 + 4);
    assert_eq!(findings("a: *none\n"), ["1:4 yaml/alias"]);
    assert_eq!(findings("a: &x\n  b: *x\n"), ["2:6 yaml/alias"]);
    assert_eq!(findings("a: &x 1\n---\nb: *x\n"), ["3:4 yaml/alias"]);
    let mut bomb = String::from("a0: &a0 [x]\n");
    for level in 1..40 {
        let below = level - 1;
        writeln!(bomb, "a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}]").unwrap();
    }
    let (docs, shown) = read(&bomb);
    assert!(docs.is_empty());
    assert_eq!(shown.len(), 1);
    assert!(shown[0].ends_with("yaml/limit"), "{shown:?}");
    // Every link is one level deeper than the one before.
    let mut chain = String::from("a0: &a0 [x]\n");
    for level in 1..80 {
        writeln!(chain, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert_eq!(findings(&chain), ["64:12 yaml/limit"]);
}

#[test]
fn depth_is_bounded() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(findings(&deep(64)), Vec::<String>::new());
    assert_eq!(findings(&deep(65)), ["1:65 yaml/limit"]);
    assert!(findings(&deep(100_000))[0].ends_with("yaml/limit"));
    assert!(findings(&"- ".repeat(100_000))[0].ends_with("yaml/limit"));
    let small = Limits { bytes: 3, ..Limits::default() };
    assert_eq!(read_with("a: 1\n", &small).1, ["1:1 yaml/limit"]);
    let few = Limits { nodes: 3, ..Limits::default() };
    assert_eq!(read_with("[1, 2, 3]\n", &few).1, ["1:8 yaml/limit"]);
}

#[test]
fn merge_tags_are_kept_and_misplaced_ones_found() {
    let doc = clean(
        "a: !append [1]\nb: !merge:name\n  - name: x\nc: !unset\nd: !replace\n  k: v\ne: !raw ${{ x }}\nf: !unset # c\n",
    );
    assert_eq!(doc.tag(at(&doc, "a")), Some(&Tag::Append));
    assert_eq!(doc.tag(at(&doc, "b")), Some(&Tag::Merge("name".into())));
    assert_eq!(doc.tag(at(&doc, "c")), Some(&Tag::Unset));
    assert_eq!(doc.kind(at(&doc, "c")), Kind::Null);
    assert_eq!(doc.tag(at(&doc, "d")), Some(&Tag::Replace));
    assert_eq!(doc.tag(at(&doc, "e")), Some(&Tag::Raw));
    assert!(doc.tagged(doc.root()) && !doc.templated(doc.root()));
    assert_eq!(
        findings("a: !append 1\nb: !merge:x {}\nc: !unset 1\nd: !apend []\ne: !!int x\nf: !merge []\n- x"),
        [
            "1:4 merge/tag",
            "2:4 merge/tag",
            "3:4 3:11 merge/tag",
            "4:4 yaml/tag",
            "5:4 yaml/tag",
            "6:4 yaml/tag",
            "7:3 yaml/syntax"
        ]
    );
    assert_eq!(findings("- !append [1]\n- !replace {}\n"), ["1:12 merge/tag"]);
    assert_eq!(findings("!append k: 1\n"), ["1:1 merge/tag"]);
}

#[test]
fn core_tags_mean_what_they_mean_to_helm() {
    let doc = clean(
        "a: !!str 12\nb: !!int '12'\nc: !!float 1\nd: !!map {}\ne: !!seq []\nf: !!null\ng: !!str\nh: !!bool yes\n",
    );
    let kinds: Vec<Kind> = doc.entries(doc.root()).iter().map(|entry| doc.kind(entry.value)).collect();
    assert_eq!(
        kinds,
        [Kind::Str, Kind::Int, Kind::Float, Kind::Map, Kind::Seq, Kind::Null, Kind::Str, Kind::Bool(true)]
    );
}

#[test]
fn merge_keys_give_way_to_own_keys() {
    let doc = clean("b: &b {x: 1, w: 2}\nc: &c {w: 3, z: 4}\nm:\n  <<: [*b, *c]\n  x: 5\nq: {'<<': *b}\n");
    assert_eq!(
        emitted(&doc),
        "b:\n  x: 1\n  w: 2\nc:\n  w: 3\n  z: 4\nm:\n  x: 5\n  w: 2\n  z: 4\nq:\n  '<<':\n    x: 1\n    w: 2\n"
    );
}

#[test]
fn merge_keys_that_are_wrong_are_found() {
    assert_eq!(
        findings("a: {<<: 1}\nb: {<<: [{}, 2]}\nc: &l [{}]\nd: {<<: *l}\n"),
        ["1:9 yaml/merge-key", "2:14 yaml/merge-key", "4:9 yaml/merge-key"]
    );
    assert_eq!(findings("b: &b {x: 1}\na: {x: 2, <<: *b}\n"), ["2:11 2:5 yaml/merge-key"]);
    assert_eq!(findings("b: &b {x: 1}\na: {x: 1, <<: *b, <<: *b}\n"), ["2:19 2:11 yaml/duplicate-key"]);
    // A map of many entries merged many times is stopped before it costs anything.
    let wide: Vec<String> = (0..2000).map(|number| format!("k{number}: 1")).collect();
    let text = format!("b: &b {{{}}}\nl: {{<<: [{}]}}\n", wide.join(", "), vec!["*b"; 2000].join(", "));
    assert!(findings(&text)[0].ends_with("yaml/limit"));
}

#[test]
fn ambiguous_words_are_shown() {
    assert_eq!(
        findings("a: yes\nb: 'yes'\nc: [012, true]\nd: .inf\n"),
        ["1:4 yaml/ambiguous-scalar", "3:5 yaml/ambiguous-scalar", "4:4 yaml/ambiguous-scalar"]
    );
    let sources = SourceMap::new();
    let text: Arc<str> = "a: 012\n".into();
    let file = sources.add("f", Arc::clone(&text));
    let mut findings = Vec::new();
    parse(&text, file, &Limits::default(), &mut findings);
    assert_eq!(findings[0].message, "`012` is the number 10 to Helm and Kubernetes, the number 12 to YAML 1.2");
    assert_eq!(findings[0].help.as_deref(), Some("write `10` or `12`, or `'012'` if the text is meant"));
}

#[test]
fn templates_are_seen_and_raw_hides_them() {
    let doc = clean("a: ${{ x }}\nb: {c: 'v ${{ y }}'}\nr: !raw\n  t: ${{ z }}\n  ${{ k }}: 1\nd: ${x}\n");
    assert!(doc.templated(doc.root()) && doc.templated(at(&doc, "a")) && doc.templated(at(&doc, "b")));
    assert!(!doc.templated(at(&doc, "r")) && !doc.templated(at(&doc, "r.t")) && !doc.templated(at(&doc, "d")));
    assert_eq!(findings("${{ k }}: 1\n"), ["1:1 template/key"]);
}

#[test]
fn tabs_and_forbidden_characters_are_found() {
    for (text, expected) in [
        ("a:\n\tb: 1\n", "2:1 yaml/tab"),
        ("a: 1\n\tb: 1\n", "2:1 yaml/tab"),
        ("\ta: 1\n", "1:1 yaml/tab"),
        ("-\ta\n", "1:2 yaml/tab"),
        ("a: 'x'\n\t# c\nb: 1\n", "2:1 yaml/tab"),
        ("a: 1\nb: \0\n", "2:4 yaml/syntax"),
        ("a: \u{7f}\n", "1:4 yaml/syntax"),
        ("a: é\u{9f}\n", "1:5 yaml/syntax"),
        ("a: x\u{2028}y\n", "1:5 yaml/ambiguous-scalar"),
    ] {
        assert_eq!(findings(text), [expected], "{text:?}");
    }
    clean("|\n  ---\n  \tx\n");
    clean("a: \tb\nc: [1,\n\t2]\nd: |\n  x\n  \ty\ne: \"q\n \tr\"\nf: x\t# c\n");
}

#[test]
fn brackets_may_close_at_the_indentation_of_their_key() {
    let doc = clean(
        "a:\n  b: [\n    'x', # c\n    {k: v,\n  l: w}\n  ]\n  c: {\n    ä: [\n    ]\n  }\n  d:\n  - [\n    true\n  ]\n  e: z\n",
    );
    assert_eq!(
        emitted(&doc),
        "a:\n  b:\n    - x\n    - k: v\n      l: w\n  c:\n    'ä': []\n  d:\n    - - true\n  e: z\n"
    );
    assert_eq!(doc.source(at(&doc, "a.e")), "z");
    assert_eq!(findings("a:\n  b: [\n    yes,\n  ]\n  c: @\n"), ["3:5 yaml/ambiguous-scalar", "5:6 yaml/syntax"]);
    // Only so much is tried again.
    let many = format!("a:\n{}", "  - [\n  x\n ]\n".repeat(100_000));
    assert!(findings(&many).len() == 1);
}

#[test]
fn syntax_errors_have_a_place_and_a_remedy() {
    for (text, expected) in [
        ("a: b: c\n", "1:5 yaml/syntax"),
        ("a: [1, 2\nb: 3\n", "2:2 yaml/syntax"),
        ("a: 'x\n", "1:4 yaml/syntax"),
        ("a: @x\n", "1:4 yaml/syntax"),
        ("|\n---\na: 1\n", "1:1 yaml/syntax"),
        ("a:\n  b: 'x\ny'\n", "2:6 yaml/syntax"),
        ("a: {{ .Values.x }}\n", "1:7 yaml/key"),
    ] {
        assert_eq!(findings(text), [expected], "{text:?}");
    }
    // The documents before the broken one are there.
    assert_eq!(read("a: 1\n---\nb: 'x\n").0.len(), 1);
}

#[test]
fn findings_are_bounded() {
    let (_, findings) = read(&"- yes\n".repeat(5000));
    assert_eq!(findings.len(), 1001);
}

/// What the parser makes of a text, and what is made of it line by line, if it is simple enough.
fn both_ways(text: &str) -> (String, Option<String>) {
    let (bounded, simple) = both_ways_within(text, &Limits { depth: 6, nodes: 40, ..Limits::default() });
    assert!(simple.is_none_or(|simple| simple == bounded), "{text:?}");
    both_ways_within(text, &Limits::default())
}

fn both_ways_within(text: &str, limits: &Limits) -> (String, Option<String>) {
    let sources = SourceMap::new();
    let text: Arc<str> = text.into();
    let file = sources.add("f", Arc::clone(&text));
    let mut findings = Vec::new();
    let docs = parsed(&text, 0, file, limits, &mut findings);
    let by_parser = format!("{docs:?} {findings:?}");
    findings.clear();
    let docs = simple(&text, file, limits, &mut findings);
    assert!(docs.is_some() || findings.is_empty(), "an attempt leaves nothing behind");
    (by_parser, docs.map(|docs| format!("{docs:?} {findings:?}")))
}

#[test]
fn what_is_simple_is_known() {
    for text in [
        "a: 1\n",
        "# c\na: b # c\n\nb:\n  c: 'x, y'\n  d: \"{{ .x }}\"\n  - e: 1\n",
        "a:\n  - b: 1\n    c:\n      - d\n      - e: {}\n  - {f: [1, {g: 'h'}], i: -}\nz: true\n",
        "a: { b: 1.2.3, c: [x, y/z] }\nb: |\n  #!/bin/sh\n\n  x: y\n   z \n\nc: |-\n  x\nd: ${{ a.b }} c: d\n",
        "a: !append\n  - b\n# c\nb: !merge:name\n  - { name: x }\nc: !raw\n  - x\na: twice\non: yes\n",
        "a: 012\nb: ~\nc: null\nd: .5\ne: +1\nf: a b  # c\ng: a#b\nh: -x\ni: /x/y:z\n",
        "a:\n    b:\n       c: 1\n    d: 2\ne: 3\n",
        "a:\n  b: |\n    c\n\n    d\n",
        "a: |-\n c\n  d\n",
        "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e: &y 2\n  f: [a]\ng: &z [*y]\nh:\n  - &w i\n  - *w\nj: &v |\n  k\n",
        "a: &x\n  b: *x\nc: &x 1\nd: *y\n",
        "a: &x\n- b\nc: &y !append\n  - d\ne: &e # f\n  g: h\n",
        "a: >-\n  b c\n  d: e\n\nf: >\n  g\n  h\ni:\n  j: >-\n    k\n    l # m\nn: >\n o\n  p\n",
        "a: [b=c, d e, --f, -g, h~1/i, j.*, k|l, m('n'), o'p]\nb: { c: d is e, f: g=h }\nc:\n  - --d=e\n  - -f\n  - ---\n",
    ] {
        for end in 0..=text.len() {
            let text = format!("{}\n", &text[..end]);
            let (parser, simple) = both_ways(&text);
            assert!(simple.is_none_or(|simple| simple == parser), "{text:?}");
        }
    }
    for text in ["a: 1\n", "a:\n  - b: { c: [d] }\n    e: 'f' # g\nh: |\n  i\nj: !append\n  - k\n"] {
        assert!(both_ways(text).1.is_some(), "{text:?}");
    }
    for text in ["a: &b\n  c: d\ne:\n  <<: *b\n  f: >\n    g\n", "a: &b c\nd: *b\n", "a: [--b=c, d e]\n"] {
        assert!(both_ways(text).1.is_some(), "{text:?}");
    }
    for text in
        ["a:\n", "a: *b\n", "a: &b c\nd: &b e\n", "a: b\n  c\n", "a:\n- b\n", "a: >\n  b\n\n  c\n", "---\na: 1\n", ""]
    {
        assert_eq!(both_ways(text).1, None, "{text:?}");
    }
}

fn lines() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let word = || {
        prop::sample::select(
            &[
                "a",
                "b",
                "c.d",
                "1",
                "0x1F",
                "-1",
                "~",
                "yes",
                "'x'",
                "''",
                "\"x y\"",
                "'a: b'",
                "\"\\n\"",
                "x y",
                "x #y",
                "x#y",
                "x:",
                "x: y",
                ":x",
                "-",
                "- x",
                "|",
                "|-",
                "|+",
                ">",
                "{}",
                "[]",
                "{ a: b }",
                "{a: b, c: [d, 'e']}",
                "[a, b]",
                "[a, ]",
                "{ a: b, }",
                "{a}",
                "[a: b]",
                "[[a], {}]",
                "{ a: }",
                "{ a:b }",
                "!append",
                "!merge:x",
                "!raw",
                "!unset",
                "!!str",
                "!x",
                "${{ a }}",
                "${{ a: b }}",
                "&a b",
                "*a",
                "---",
                "...",
                "?",
                "a?",
                "<<",
                "@",
                "`",
                "%",
                "a  ",
                "/a",
                "a,b",
                "a, b",
                "]",
                "}",
                "'",
                "\"",
                "'a' 'b'",
                "'a'b",
                "'a' # c",
                "",
                " ",
            ][..],
        )
    };
    let key = || {
        prop::sample::select(
            &[
                "a: ",
                "b: ",
                "c: ",
                "d.e/f-g: ",
                "a:",
                "b:",
                "'k': ",
                "- ",
                "- a: ",
                "- b:",
                "-",
                "# x ",
                "",
                "? ",
                "<<: ",
                "0: ",
            ][..],
        )
    };
    let line = (0_usize..5, key(), word(), 0_usize..12).prop_map(|(indent, key, word, end)| {
        let end = ["", "", "", "", "", "", "", " # c", " ", "\n", "\n  \n", "\t"][end];
        format!("{}{key}{word}{end}\n", "  ".repeat(indent / 2) + if indent == 3 { " " } else { "" })
    });
    prop::collection::vec(line, 1..9).prop_map(|lines| lines.concat())
}

/// Texts that are mostly right, made by writing trees in several ways.
fn written() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let scalar = prop::sample::select(
        &[
            "x",
            "'y z'",
            "\"q\"",
            "1.5",
            "no",
            "{}",
            "{ a: 1, b: [c] }",
            "|\n{}l1\n\n{} l2",
            "|-\n{}l",
            ">-\n{}l1\n{}l2",
            ">\n{}l1\n{} l2",
            "&x y",
            "*x",
            "[a=b, -c d]",
        ][..],
    );
    let leaf = scalar.prop_map(|text| vec![text.to_owned()]);
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        (prop::collection::vec((prop::sample::select(&["a", "b", "c", "d"][..]), inner), 1..4), 0..4_u8).prop_map(
            |(children, form)| {
                let mut lines = vec![if form == 1 { "!append".to_owned() } else { String::new() }];
                for (key, child) in children {
                    let list = form < 2;
                    let head = if list { "-".to_owned() } else { format!("{key}:") };
                    let mut rest = child.into_iter();
                    let first = rest.next().unwrap_or_default();
                    let rest: Vec<String> = rest.collect();
                    if list && first.is_empty() && rest.first().is_some_and(|line| line.trim_start() == line.as_str()) {
                        let mut rest = rest.into_iter();
                        lines.push(format!("- {}", rest.next().unwrap_or_default()));
                        lines.extend(rest.map(|line| format!("  {line}")));
                    } else {
                        lines.push(if first.is_empty() { head } else { format!("{head} {first}") });
                        lines.extend(rest.into_iter().map(|line| format!("  {line}")));
                    }
                }
                lines
            },
        )
    });
    tree.prop_map(|lines| {
        let mut text = String::new();
        for line in lines.iter().filter(|line| !line.is_empty()) {
            let indent = line.len() - line.trim_start().len() + 4;
            let _ = writeln!(
                text,
                "{}",
                line.replace("{}l", &format!("{}l", " ".repeat(indent)))
                    .replace("{} l", &format!("{}  l", " ".repeat(indent)))
            );
        }
        text
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

    #[test]
    fn simple_texts_are_what_the_parser_says(text in lines()) {
        let (parser, simple) = both_ways(&text);
        proptest::prop_assert!(simple.is_none_or(|simple| simple == parser), "{}", text);
    }

    #[test]
    fn written_texts_are_what_the_parser_says(text in written()) {
        let (parser, simple) = both_ways(&text);
        proptest::prop_assert!(simple.is_none_or(|simple| simple == parser), "{}", text);
    }
}

/// Every file of this repository and every file that is measured.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads")]
fn real_files_are_what_the_parser_says() {
    let (mut taken, mut all) = (0, 0);
    for folder in ["catalog", "environments", "tests/cases", "docs"] {
        let root = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
        for entry in walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok) {
            let yaml = entry.path().extension().is_some_and(|end| end == "yaml");
            let Some(text) = yaml.then(|| std::fs::read_to_string(entry.path()).ok()).flatten() else { continue };
            let (parser, simple) = both_ways(&text);
            all += 1;
            taken += usize::from(simple.is_some());
            assert!(simple.is_none_or(|simple| simple == parser), "{}", entry.path().display());
            // A character more, less or another, here and there.
            let places = text.char_indices().map(|(at, _)| at).step_by(1 + text.len() / 12);
            for (number, at) in places.enumerate() {
                let odd = &[
                    " ", "\n", ":", "-", "#", "'", "\"", "{", "]", ",", "!", "|", "&", "\t", ": ", " #", "- ", ">",
                    "*", "&a ", " *a", "=",
                ];
                let odd = odd[(number + all) % odd.len()];
                let rest = text[at..].chars().next().map_or(0, char::len_utf8);
                for changed in [
                    format!("{}{odd}{}", &text[..at], &text[at..]),
                    format!("{}{odd}{}", &text[..at], &text[at + rest..]),
                    format!("{}{}", &text[..at], &text[at + rest..]),
                ] {
                    let (parser, simple) = both_ways(&changed);
                    assert!(simple.is_none_or(|simple| simple == parser), "{changed}");
                }
            }
        }
    }
    assert!(all > 100 && taken * 4 > all, "{taken} of {all} files are simple");
}
