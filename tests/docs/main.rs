//! Documentation and program, held together: links lead somewhere, sessions print what is shown, tables are complete.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files of the repository")]

mod pages;
mod session;
mod tables;

/// Where every link of the documentation leads.
#[test]
fn links_lead_somewhere() {
    let pages = pages::all();
    let mut broken = Vec::new();
    for page in &pages {
        for link in pages::links(&page.text) {
            if let Some(reason) = pages::broken(page, &link, &pages) {
                broken.push(format!("{}: `{link}`: {reason}", page.path));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// Runs every `console` block. With `HLGEN_BLESS=1` the output is written anew, except in blocks that leave lines out.
#[test]
fn sessions_print_what_is_shown() {
    let bless = std::env::var_os("HLGEN_BLESS").is_some();
    let mut wrong = Vec::new();
    // The pages of the rules show excerpts.
    for page in pages::all().into_iter().filter(|page| !page.path.starts_with("docs/rules/")) {
        let (text, differences) = session::replay(&page);
        if bless && text != page.text {
            std::fs::write(pages::root().join(&page.path), text).unwrap();
        } else if !bless {
            wrong.extend(differences);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
