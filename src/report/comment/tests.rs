//! A Markdown reader of somebody else's is the judge of what breaks out.

use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::diff::Changes;
use crate::diff::changes::{
    AppChange, Broken, Caution, CautionKind, Finding, ItemChange, ItemKind, ObjectChange, PathChange, Place, Removal,
    Shown, Status, Weight,
};

/// A comment that holds `text` in every place that takes one.
fn everywhere(text: &str) -> Comment {
    let inlines = || {
        vec![
            words("before "),
            code(text),
            words(" then "),
            Inline::Link { code: text.to_owned(), address: address("https://git.example.com/a/b", text, "L1") },
            words(" after"),
        ]
    };
    Comment {
        marker: "<!-- hlgen:review test -->".to_owned(),
        front: vec![
            Block::Warning { title: "**Caution**", items: vec![inlines(), inlines()] },
            Block::Paragraph(inlines()),
            Block::List(vec![inlines(), inlines()]),
        ],
        folds: (0..3)
            .map(|_| Fold {
                title: inlines(),
                blocks: vec![
                    Block::List(vec![inlines()]),
                    Block::Fence { language: "diff", text: text.to_owned() },
                    Block::Paragraph(inlines()),
                ],
            })
            .collect(),
        end: vec![Block::Paragraph(inlines())],
    }
}

/// The shape of a comment: every event of the reader's, without the text of code.
fn shape(markdown: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM;
    let mut in_fence = false;
    let mut shape = Vec::new();
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Code(_) => shape.push("code".to_owned()),
            Event::Text(_) if in_fence => {}
            Event::Start(Tag::CodeBlock(kind)) => {
                in_fence = true;
                let kind = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => "indented".to_owned(),
                };
                shape.push(format!("fence {kind}"));
            }
            Event::End(TagEnd::CodeBlock) => {
                in_fence = false;
                shape.push("end of fence".to_owned());
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(dest_url.starts_with("https://git.example.com/a/b"), "{dest_url}");
                shape.push("link".to_owned());
            }
            Event::Html(html) | Event::InlineHtml(html) => shape.push(tags(&html)),
            event => shape.push(format!("{event:?}")),
        }
    }
    shape
}

/// The tags of a piece of HTML; what stands between them must be text without anything that means something.
fn tags(html: &str) -> String {
    if html.starts_with("<!--") {
        return html.trim_end().to_owned();
    }
    let mut out = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(c);
                continue;
            }
            '@' | '`' | '"' | '\'' if !inside => panic!("{c} stands free in {html}"),
            _ => {}
        }
        if inside {
            out.push(c);
        }
    }
    out
}

/// Every fence and fold that opens also closes.
fn is_closed(markdown: &str) {
    let shape = shape(markdown);
    let count = |what: &str| shape.iter().filter(|event| event.contains(what)).count();
    assert_eq!(count("<details>"), count("</details>"), "{markdown}");
    assert_eq!(count("fence diff"), count("end of fence"), "{markdown}");
}

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "`",
        "``",
        "```",
        "~~~",
        "\n",
        "\n\n",
        "\r\n",
        "</details>",
        "</summary>",
        "</code>",
        "<details open>",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<!-- hlgen:review test -->",
        "-->",
        "<!--",
        "@admin",
        "@ops/team",
        "#1",
        "ops/homelab#1",
        "![x](https://evil.example/x.png)",
        "[x](javascript:alert(1))",
        "](",
        ")",
        "|",
        "\\",
        "\\`",
        "&lt;",
        "&#96;",
        "\u{202e}",
        "\u{200b}",
        "\u{feff}",
        "\u{0}",
        "\u{1b}[2J",
        "\t",
        " ",
        "    code",
        "> quote",
        "- item",
        "# head",
        "---",
        "===",
        "1. one",
        "[x]: https://evil.example",
        "[^1]",
        "$math$",
        "$$",
        ":smile:",
        "https://evil.example/",
        "www.evil.example",
        "a@b.example",
        "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
        "name",
        "é",
        "漢",
        "\u{85}",
        "\u{2028}",
        "..",
        "/",
        "%2f",
        "?",
        "~~x~~",
        "**x**",
        "_x_",
        "<https://evil.example>",
        "<a",
        "\u{c}",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn nothing_breaks_out(text in hostile()) {
        // Paths may be shorter by a part, code blocks by a line; what surrounds them stays as for a harmless name.
        let is = render(&everywhere(&text), 1_000_000);
        let wanted = render(&everywhere("name"), 1_000_000);
        prop_assert_eq!(shape(&is), shape(&wanted), "{}", is);
        let unseen = is.contains(['\u{202e}', '\u{200b}', '\u{feff}', '\u{0}', '\u{1b}', '\r']);
        prop_assert!(!unseen, "{}", is);
    }

    #[test]
    fn any_limit_is_kept_and_everything_closes(text in hostile(), repeat in 1_usize..60, limit in 300_usize..20_000) {
        let text = text.repeat(repeat);
        let is = render(&everywhere(&text), limit);
        prop_assert!(is.len() <= limit.max(300), "{} of {}", is.len(), limit);
        is_closed(&is);
        prop_assert!(is.starts_with("<!-- hlgen:review test -->\n"));
    }
}

#[test]
fn folds_share_what_there_is_and_the_small_ones_stay_whole() {
    let long = |lines: usize| Block::Fence { language: "diff", text: "+ line\n".repeat(lines) };
    let fold = |name: &str, lines| Fold { title: vec![code(name)], blocks: vec![long(lines)] };
    let comment =
        Comment { folds: vec![fold("huge", 5000), fold("small", 10), fold("large", 2000)], ..Comment::default() };
    let text = render(&comment, 8000);
    assert!(text.len() <= 8000, "{}", text.len());
    is_closed(&text);
    let parts: Vec<usize> = text.split("<details>").skip(1).map(|part| part.matches("+ line").count()).collect();
    assert_eq!(parts[1], 10);
    assert!(parts[0] > 300 && parts[2] > 300, "{parts:?}");
    assert_eq!(text.matches("more left out").count(), 2);

    let many = Comment { folds: (0..100).map(|_| fold("app", 200)).collect(), ..Comment::default() };
    let text = render(&many, 8000);
    assert!(
        text.len() <= 8000 && text.contains(" more left out: the comment would be too long. `hlgen diff` shows all.")
    );
    is_closed(&text);
}

#[test]
fn a_comment_reads_like_one() {
    let comment = Comment {
        marker: "<!-- hlgen:review -->".to_owned(),
        front: vec![Block::Paragraph(vec![words("**hlgen**: 1 release changed")])],
        folds: vec![Fold {
            title: vec![code("web"), words(": 1 value")],
            blocks: vec![Block::Fence { language: "diff", text: "-a\n+```\n".to_owned() }],
        }],
        end: Vec::new(),
    };
    assert_eq!(
        render(&comment, 10_000),
        "<!-- hlgen:review -->\n**hlgen**: 1 release changed\n\n<details><summary><code>web</code>: 1 value</summary>\n\n\
         ````diff\n-a\n+```\n````\n\n</details>\n"
    );
}

/// Changes with `text` wherever somebody else's text can be.
fn changes(text: &str) -> Changes {
    let t = || text.to_owned();
    let place = || Some(Place { file: t(), line: 3, column: 1 });
    let finding = || Finding { code: t(), level: "error".to_owned(), message: t(), place: place(), help: Some(t()) };
    let path = |before: &str, after: &str| PathChange {
        path: t(),
        before: Some(Shown::Value(before.into())),
        after: Some(Shown::Value(after.into())),
        place: place(),
        place_in_base: false,
        what: Some(t()),
        on: vec![t()],
        note: Some(t()),
    };
    let paths = || vec![path(text, "x"), path("a\nb\n", &format!("a\n{text}\n"))];
    let object = ObjectChange {
        status: Status::Changed,
        kind: t(),
        namespace: Some(t()),
        name: t(),
        changes: paths(),
        place: place(),
        place_in_base: true,
        consequence: Some(t()),
        on: vec![t()],
    };
    let removal = Removal {
        environment: t(),
        release: t(),
        app: t(),
        clusters: vec![t()],
        applications: vec![t()],
        deletes: true,
        consequence: t(),
        prod: true,
        renamed_to: Some(t()),
    };
    let app = AppChange {
        app: t(),
        fields: paths(),
        values: paths(),
        objects: vec![object],
        application: paths(),
        broken: vec![Broken { on: vec![t()], side: t(), findings: vec![finding()] }],
        ..AppChange::default()
    };
    Changes {
        cautions: vec![Caution {
            weight: Weight::Danger,
            kind: CautionKind::Removed,
            message: format!("the release `{text}` goes"),
            on: vec![t()],
        }],
        findings: vec![finding()],
        removals: vec![removal],
        apps: vec![app],
        items: vec![ItemChange { kind: ItemKind::Cluster, status: Status::Added, name: t(), changes: paths() }],
        ..Changes::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_review_of_hostile_files_is_only_ours(text in hostile()) {
        let context = Context {
            marker: "<!-- hlgen:review test -->",
            page: "https://git.example.com/a/b",
            path: "",
            head: "0123456789abcdef0123456789abcdef01234567",
            base: "76543210fedcba9876543210fedcba9876543210",
            max_removals: Some(0),
        };
        let markdown = render(&comment(&changes(&text), &context), 1_000_000);
        let allowed = ["", "<details><summary><code></code></summary>", "</details>", "<!-- hlgen:review test -->"];
        let mut in_fence = false;
        for event in Parser::new_ext(&markdown, Options::all()) {
            match event {
                Event::Start(Tag::CodeBlock(_)) => in_fence = true,
                Event::End(TagEnd::CodeBlock) => in_fence = false,
                Event::Text(text) if !in_fence => {
                    prop_assert!(!text.contains(['@', '#', '<', '`']), "{} in {}", text, markdown);
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    let tags = tags(html.trim_end());
                    let is_ours = allowed.contains(&tags.as_str()) || tags == "<details><summary></summary>";
                    prop_assert!(is_ours, "{} in {}", tags, markdown);
                }
                Event::Start(Tag::Link { dest_url, .. }) => {
                    prop_assert!(dest_url.starts_with("https://git.example.com/a/b/"), "{}", dest_url);
                }
                Event::Start(Tag::Image { .. } | Tag::Heading { .. } | Tag::Table(_) | Tag::FootnoteDefinition(_))
                | Event::FootnoteReference(_) | Event::Rule | Event::TaskListMarker(_)
                | Event::InlineMath(_) | Event::DisplayMath(_) => prop_assert!(false, "{}", markdown),
                _ => {}
            }
        }
        is_closed(&markdown);
    }
}
