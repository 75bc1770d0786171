//! The order of the modules: each may use those below it, none above.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "the test reads the sources")]

use std::path::{Path, PathBuf};

/// Highest first, as in the head of `src/lib.rs`.
const ORDER: &[&str] = &[
    "cli", "ops", "report", "io", "diff", "check", "render", "scaffold", "traits", "plan", "resolve", "schema",
    "template", "merge", "model", "argocd", "secret", "source", "yaml", "diag",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_module_uses_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let rank = |module: &str| ORDER.iter().position(|known| *known == module);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in files {
        let path = file.strip_prefix(&root).unwrap();
        let module = path.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        let Some(own) = rank(module) else { continue };
        let text = std::fs::read_to_string(&file).unwrap();
        // Tests at a file's foot may look where they like, and links in comments are no use.
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let used = used.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap();
                seen += 1;
                if rank(used).is_some_and(|used| used < own) {
                    wrong.push(format!("{} uses `{used}`: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(seen > 200, "only {seen} uses were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let head = std::fs::read_to_string(root.join("lib.rs")).unwrap();
    let rows: Vec<&str> =
        head.lines().filter_map(|line| line.strip_prefix("//! ")?.split_whitespace().next()).collect();
    let listed: Vec<&str> = rows.into_iter().filter(|word| ORDER.contains(word)).collect();
    assert_eq!(listed, ORDER, "the map in src/lib.rs is in another order");
}
