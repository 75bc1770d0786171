//! The first ten minutes: `init`, `add`, `eject`, and names that a shell completes.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests write and read their own folders")]

mod add;
mod complete;
mod eject;
mod init;
mod insert;
#[path = "../support/mod.rs"]
mod support;
mod typed;

use std::path::Path;

use hlgen::scaffold::project::{Answers, Layout};

/// What somebody with kind answers.
fn answers() -> Answers {
    Answers {
        name: "homelab".parse().unwrap(),
        repo_url: "https://git.example.com/ops/homelab.git".into(),
        layout: Layout::OwnBranch,
        environment: "dev-kind".parse().unwrap(),
        provider: "kind".into(),
        stage: "dev".into(),
        domain: "dev.localhost".into(),
        addresses: None,
        aws_account: None,
    }
}

/// A file of this repository.
fn own(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// A repository that `init` made.
fn started() -> support::case::Case {
    let case = support::case::Case::new();
    for file in hlgen::ops::init::compose(&answers()).unwrap() {
        case.write(&file.path, file.text.as_bytes());
    }
    case
}
