//! `hlgen publish` against a real Git server; Git itself says what became of the repository.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests write and read their own folders")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/gitea/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod gitea;

mod basics;
mod project;
mod pulls;
mod races;
mod refusals;
#[cfg(target_os = "linux")]
mod tls;
