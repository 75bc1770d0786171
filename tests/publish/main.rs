//! `hlgen publish` against a real Git server; Git itself says what became of the repository.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests write and read their own folders")]

#[path = "../support/mod.rs"]
mod support;

mod basics;
mod project;
mod races;
mod refusals;
#[cfg(target_os = "linux")]
mod tls;
