//! `hlgen publish` against a real Git server; Git itself says what became of the repository.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests write and read their own folders, and say what they found"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/gitea/mod.rs"]
mod gitea;

mod basics;
mod project;
mod pulls;
mod races;
mod refusals;
#[cfg(target_os = "linux")]
mod tls;
