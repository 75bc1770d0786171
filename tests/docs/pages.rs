//! The pages of the documentation, their headings and their links.

use std::fs;
use std::path::{Path, PathBuf};

/// A page by its path in the repository.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A page's text.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every page, sorted.
pub(crate) fn all() -> Vec<Page> {
    let mut paths: Vec<String> = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(str::to_owned).to_vec();
    collect("docs", &mut paths);
    paths.sort();
    paths.into_iter().map(|path| Page { text: read(&path), path }).collect()
}

fn collect(folder: &str, paths: &mut Vec<String>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&path, paths);
        } else if Path::new(&path).extension().is_some_and(|ending| ending == "md") {
            paths.push(path);
        }
    }
}

/// The lines outside of code blocks.
pub(crate) fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The targets of all links, without those that leave the repository.
pub(crate) fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        // What stands between backticks is no link.
        let plain: String = line.split('`').step_by(2).collect();
        for (at, _) in plain.match_indices("](") {
            let rest = &plain[at + 2..];
            let Some(end) = rest.find(')') else { continue };
            if !["https://", "http://", "mailto:"].iter().any(|scheme| rest.starts_with(scheme)) {
                links.push(rest[..end].to_owned());
            }
        }
    }
    links
}

/// Why a link leads nowhere.
pub(crate) fn broken(page: &Page, link: &str, pages: &[Page]) -> Option<String> {
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = if target.is_empty() { page.path.clone() } else { resolve(&page.path, target) };
    if !root().join(&path).exists() {
        return Some(format!("there is no `{path}`"));
    }
    if anchor.is_empty() {
        return None;
    }
    let text = pages.iter().find(|page| page.path == path).map_or("", |page| &page.text);
    let found = prose(text).filter_map(heading).any(|heading| slug(heading) == anchor);
    (!found).then(|| format!("`{path}` has no heading `#{anchor}`"))
}

fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    (text.len() < line.len()).then(|| text.strip_prefix(' ')).flatten()
}

/// A heading's anchor as Git hosts make it.
fn slug(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The section below a heading, up to the next heading of its level or above.
pub(crate) fn section<'t>(text: &'t str, title: &str) -> &'t str {
    let start = text.find(&format!("\n{title}\n")).unwrap_or_else(|| panic!("no heading `{title}`")) + 1;
    let level = title.chars().take_while(|c| *c == '#').count();
    let body = &text[start + title.len()..];
    let mut at = 0;
    let mut fenced = false;
    for line in body.split_inclusive('\n') {
        fenced ^= line.starts_with("```");
        let depth = line.chars().take_while(|c| *c == '#').count();
        if !fenced && depth > 0 && depth <= level {
            break;
        }
        at += line.len();
    }
    &body[..at]
}

/// The cells of a text's tables, without their heads, row by row.
pub(crate) fn rows(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = prose(text).collect();
    let mut rows = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let rule = |line: Option<&&str>| line.is_some_and(|line| line.starts_with("| ---") || line.starts_with("|---"));
        if line.starts_with('|') && !rule(Some(line)) && !rule(lines.get(number + 1)) {
            let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
            let inner = inner.replace("\\|", "\u{0}");
            rows.push(inner.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect());
        }
    }
    rows
}
