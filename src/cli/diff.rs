//! `hlgen diff`.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Instant;

use clap_complete::ArgValueCandidates;

use super::{Common, Format, Status, Terminal, complete};
use crate::ops::diff::{Request, What, diff};
use crate::ops::evaluate::Selection;
use crate::report::diff as report;

/// What is compared with what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the change began: a branch, tag or commit; compared from where it and HEAD parted. Default: the branch this one
    /// is meant for. `A..B` compares exactly these two, `A..` the work tree with A
    #[arg(value_name = "BASE")]
    base: Option<String>,
    /// Where it ends; default: the work tree
    #[arg(value_name = "HEAD")]
    head: Option<String>,
    /// Only this environment; `A..B` compares two environments of one revision (BASE, or the work tree)
    #[arg(long = "env", value_name = "ENV", add = ArgValueCandidates::new(complete::environments))]
    environments: Vec<String>,
    /// Only this app (or release)
    #[arg(long = "app", value_name = "APP", add = ArgValueCandidates::new(complete::apps))]
    apps: Vec<String>,
    /// Exit 1 if more releases than this vanish or get another name
    #[arg(long, value_name = "N")]
    max_removals: Option<usize>,
    /// Exit 1 if there is any difference
    #[arg(long)]
    exit_code: bool,
    /// Evaluate everything, also what has the same inputs on both sides
    #[arg(long, hide = true)]
    everything: bool,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let start = Instant::now();
    let format = common.format.unwrap_or(Format::Human);
    anyhow::ensure!(
        matches!(format, Format::Human | Format::Markdown | Format::Json | Format::Html),
        "`diff` knows the formats human, markdown, json and html"
    );
    let pair = args.environments.iter().find_map(|env| env.split_once(".."));
    anyhow::ensure!(
        pair.is_none() || args.environments.len() == 1,
        "`--env A..B` compares two environments; leave out the other `--env`"
    );
    anyhow::ensure!(
        pair.is_none() || args.head.is_none(),
        "`--env A..B` compares two environments of one revision; leave out HEAD"
    );
    let what = match pair {
        Some((base, head)) => What::Environments { base, head, revision: args.base.as_deref() },
        None => revisions(args)?,
    };
    let environments = if pair.is_some() { Vec::new() } else { args.environments.clone() };
    let selection = Selection { environments, apps: args.apps.clone() };
    let outcome = diff(&Request {
        folder: &common.directory,
        what,
        selection: &selection,
        max_removals: args.max_removals,
        limits: common.limits,
        everything: args.everything,
        key: key(),
    })?;
    let changes = &outcome.changes;
    let text = match format {
        Format::Markdown => report::markdown(changes, &report::Options::default()),
        Format::Json => report::json(changes),
        Format::Html => report::html(changes),
        _ => report::human(changes, terminal.colors_data()),
    };
    terminal.data(&text)?;
    let time = format!("{} ms", start.elapsed().as_millis());
    terminal.summary(&format!("{} ({time})", report::summary(changes)));
    let differs = args.exit_code && !changes.is_empty();
    Ok(if outcome.refused || differs { Status::Found } else { Status::Fine })
}

fn revisions(args: &Args) -> anyhow::Result<What<'_>> {
    let (base, head) = (args.base.as_deref(), args.head.as_deref());
    let Some((from, to)) = base.and_then(|base| base.split_once("..")) else {
        return Ok(What::Revisions { base, head, merge_base: true });
    };
    anyhow::ensure!(head.is_none(), "write either `BASE HEAD` or `BASE..HEAD`");
    let (to, merge_base) = match to.strip_prefix('.') {
        Some(to) => (to, true),
        None => (to, false),
    };
    anyhow::ensure!(!from.is_empty(), "write the base in front of the dots, for example `main..`");
    Ok(What::Revisions { base: Some(from), head: Some(to).filter(|to| !to.is_empty()), merge_base })
}

/// A new random key for the digests of this run's secrets. The standard library takes the keys of its hash maps from the
/// operating system; what they make of a counter cannot be guessed by who sees only digests made with it.
fn key() -> [u8; 32] {
    let mut key = [0; 32];
    for (number, part) in key.chunks_mut(8).enumerate() {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_usize(number);
        part.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    key
}
