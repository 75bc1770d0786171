//! Compiles the catalog, the built-in profiles and the pages of the rules into the binary.
//!
//! The result is two sorted tables in `OUT_DIR/embedded.rs`, so that a lookup is a binary search and nothing is
//! unpacked at run time. Paths go through `CARGO_MANIFEST_DIR`, so the generated text is the same in every checkout.
#![expect(clippy::disallowed_methods, reason = "a build script reads files and talks to cargo")]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = env::var("CARGO_MANIFEST_DIR")?;
    let root = Path::new(&root);
    let mut files = Vec::new();
    for folder in ["catalog", "environments/profiles"] {
        collect(root, folder, &mut files)?;
    }
    let mut pages = Vec::new();
    collect(root, "docs/rules", &mut pages)?;
    pages.retain(|path| !path.ends_with("/README.md"));

    let mut text = String::from("/// Path and bytes of every built-in file, sorted by path.\n");
    table(&mut text, "FILES", "[u8]", "include_bytes", &files)?;
    text.push_str("/// Path and text of every rule's page, sorted by path.\n");
    table(&mut text, "PAGES", "str", "include_str", &pages)?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("embedded.rs"), text)?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// Adds all files below a folder, `/`-separated and relative to the root. Hidden files are left out; a folder that
/// does not exist holds nothing. Cargo looks at a folder's whole content when it decides whether to run this again.
fn collect(root: &Path, folder: &str, files: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={folder}");
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let path = root.join(&folder);
        if !path.is_dir() {
            continue;
        }
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|name| format!("not UTF-8: {}", name.display()))?;
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{folder}/{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                files.push(path);
            } else {
                return Err(format!("`{path}` is neither a file nor a folder").into());
            }
        }
    }
    files.sort_unstable();
    Ok(())
}

fn table(text: &mut String, name: &str, kind: &str, include: &str, files: &[String]) -> std::fmt::Result {
    writeln!(text, "pub(crate) static {name}: &[(&str, &{kind})] = &[")?;
    for path in files {
        let from_root = format!("/{path}");
        writeln!(text, "    ({path:?}, {include}!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {from_root:?}))),")?;
    }
    text.push_str("];\n");
    Ok(())
}
