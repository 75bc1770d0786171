//! Servers that the API suite runs on: always the stand-in, and a real Gitea where there is one, either given by
//! `HLGEN_TEST_GITEA_URL` and `HLGEN_TEST_GITEA_TOKEN` (an administrator's, all scopes), or a `gitea` in `HLGEN_TOOLS` or
//! the `PATH`, which is started in a temporary folder. The suite knows neither from the other.

#![allow(
    dead_code,
    clippy::cast_sign_loss,
    clippy::cmp_owned,
    clippy::format_collect,
    clippy::manual_let_else,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a server for tests: what is skipped or wrong is said, and speed is no matter"
)]

pub(crate) mod api;
pub(crate) mod contract;
pub(crate) mod real;
pub(crate) mod stand_in;
pub(crate) mod world;

use std::sync::OnceLock;

/// A server and its administrator.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub name: &'static str,
    pub url: String,
    pub token: String,
}

/// Runs a test on every server there is, one after the other.
pub(crate) fn on_every_host(test: impl Fn(&Host)) {
    static HOSTS: OnceLock<Vec<Host>> = OnceLock::new();
    if crate::support::tool("git").is_none() {
        return;
    }
    for host in HOSTS.get_or_init(|| [Some(stand_in::start()), real::find()].into_iter().flatten().collect()) {
        println!("on the {}", host.name);
        test(host);
    }
}
