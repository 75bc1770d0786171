//! `docs/rules/`: one page for every code, and a list that is in step with them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files of the repository")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hlgen::check::severity::is_fixed;
use hlgen::diag::Code;
use hlgen::report::rules;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules")
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let pages: BTreeSet<_> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let codes = Code::ALL.iter().map(|code| rules::path(*code).rsplit_once('/').unwrap().1.to_owned());
    let expected: BTreeSet<_> = codes.chain(["README.md".to_owned()]).collect();
    assert_eq!(pages, expected);
}

#[test]
fn pages_are_short_and_of_one_shape() {
    for code in Code::ALL {
        let (info, page) = (code.info(), rules::page(*code));
        let mut lines = page.lines();
        assert_eq!(lines.next(), Some(&*format!("# {}", info.name)));
        let fixed = if is_fixed(*code) { " Stays an error: something could not be computed." } else { "" };
        assert_eq!(lines.nth(1), Some(&*format!("Level: {}.{fixed}", info.level.as_str())), "{}", info.name);
        let parts = ["\n## Example\n\n```", "\n## Fix\n", "\n## Why\n"].map(|part| page.find(part));
        assert!(parts.iter().all(Option::is_some) && parts.is_sorted(), "{}", info.name);
        assert!((10..=36).contains(&page.lines().count()), "{}: {} lines", info.name, page.lines().count());
        assert!(page.ends_with('\n') && !page.ends_with("\n\n"), "{}", info.name);
    }
}

/// With `INSTA_UPDATE=always` the list is written anew.
#[test]
fn the_list_is_in_step() {
    let file = folder().join("README.md");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(&file, rules::index()).unwrap();
    }
    assert_eq!(fs::read_to_string(file).unwrap(), rules::index(), "write it anew with INSTA_UPDATE=always");
}
