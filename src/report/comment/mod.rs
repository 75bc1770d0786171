//! A comment on a pull request as blocks, and blocks as Markdown that fits a size.
//!
//! The text of a comment comes from repositories of strangers. Nothing of theirs is ever *escaped into* prose: it stands
//! in a code span, in a fenced block longer than any fence inside it, or as character references in `<code>` (the only
//! form a `<summary>` knows), and nowhere else. There no Markdown, HTML, mention, issue number or commit id works, and
//! characters that cannot be seen or turn the text are shown as `\u{…}`. The types keep it so: [`Inline::Words`] takes
//! only words of the program itself.
//!
//! Too long a comment is cut at blocks and lines, never inside of one, so every fence and every fold that opens also
//! closes. The front (cautions, summary) is kept; folds share what is left evenly.

mod cut;
mod escape;
mod review;

use std::borrow::Cow;

pub use cut::render;
pub use review::{Context, comment, headline_plain};

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    /// Words of ours: Markdown as it stands.
    Words(Cow<'static, str>),
    /// Anything of somebody else's.
    Code(String),
    /// A place in a file, or a commit: code that leads somewhere. The address must have been built by [`address`].
    Link { code: String, address: String },
}

/// A piece of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Paragraph(Vec<Inline>),
    /// `> [!WARNING]` with a list.
    Warning {
        title: &'static str,
        items: Vec<Vec<Inline>>,
    },
    List(Vec<Vec<Inline>>),
    /// A fenced block; `language` is ours.
    Fence {
        language: &'static str,
        text: String,
    },
}

/// A closed fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Words and code; links are shown as code.
    pub title: Vec<Inline>,
    pub blocks: Vec<Block>,
}

/// A whole comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comment {
    /// The first line: an HTML comment that finds it again.
    pub marker: String,
    pub front: Vec<Block>,
    pub folds: Vec<Fold>,
    pub end: Vec<Block>,
}

/// Words of ours.
pub fn words(text: impl Into<Cow<'static, str>>) -> Inline {
    Inline::Words(text.into())
}

/// Somebody else's text.
pub fn code(text: impl Into<String>) -> Inline {
    Inline::Code(text.into())
}

/// An address below `root`, with every part of `path` percent-encoded; `fragment` is ours (`L12`).
pub fn address(root: &str, path: &str, fragment: &str) -> String {
    escape::address(root, path, fragment)
}

impl Inline {
    fn markdown(&self, out: &mut String) {
        match self {
            Self::Words(words) => out.push_str(words),
            Self::Code(text) => escape::code_span(text, out),
            Self::Link { code, address } => {
                out.push('[');
                // In a link's text a bracket of the code would not end it: code spans bind tighter.
                escape::code_span(code, out);
                out.push_str("](");
                out.push_str(address);
                out.push(')');
            }
        }
    }

    fn html(&self, out: &mut String) {
        match self {
            Self::Words(words) => out.push_str(words),
            Self::Code(text) | Self::Link { code: text, .. } => escape::html_code(text, out),
        }
    }
}

fn line(inlines: &[Inline], out: &mut String) {
    inlines.iter().for_each(|inline| inline.markdown(out));
}

impl Block {
    /// The block with an empty line after it.
    fn markdown(&self, out: &mut String) {
        match self {
            Self::Paragraph(inlines) => {
                line(inlines, out);
                out.push('\n');
            }
            Self::Warning { title, items } => {
                out.push_str("> [!WARNING]\n> ");
                out.push_str(title);
                out.push('\n');
                for item in items {
                    out.push_str("> - ");
                    line(item, out);
                    out.push('\n');
                }
            }
            Self::List(items) => {
                for item in items {
                    out.push_str("- ");
                    line(item, out);
                    out.push('\n');
                }
            }
            Self::Fence { language, text } => escape::fence(language, text, out),
        }
        out.push('\n');
    }
}

impl Fold {
    /// The lines around the blocks. The empty lines are what lets Markdown work inside.
    fn open(&self, out: &mut String) {
        out.push_str("<details><summary>");
        self.title.iter().for_each(|inline| inline.html(out));
        out.push_str("</summary>\n\n");
    }

    const CLOSE: &'static str = "</details>\n\n";
}

#[cfg(test)]
mod tests;
