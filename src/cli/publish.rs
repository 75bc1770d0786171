//! `hlgen publish`.
#![expect(clippy::disallowed_methods, reason = "the environment and the clock are read in cli")]

use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{Common, Status, Terminal, render};
use crate::io::git::commit::Author;
use crate::io::gitea::Token;
use crate::ops::publish::{Published, Request, State, publish};
use crate::ops::workspace::{Workspace, has_errors};

/// The variable that may hold the token.
const TOKEN: &str = "HLGEN_GIT_TOKEN";

/// Where to and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The token comes from `--token-file` or from the environment variable HLGEN_GIT_TOKEN, and needs the scope
`write:repository` (with --init also `write:user` or `write:organization`, with --pr `write:issue`).
A private CA is named with `--ca-file`, or with SSL_CERT_FILE for the host's whole store."
)]
pub struct Args {
    /// Open a pull request, or update the one that is open, instead of pushing to the branch
    #[arg(long)]
    pr: bool,
    /// The branch of the pull request; default: hlgen/PROJECT/BRANCH
    #[arg(long, value_name = "BRANCH", requires = "pr")]
    pr_branch: Option<String>,
    /// Create what is missing: the repository on Gitea, the branch, the first commit
    #[arg(long)]
    init: bool,
    /// Push to this repository instead of `git.pushURL` or `git.repoURL`, through a port-forward for example
    #[arg(long, value_name = "URL")]
    push_url: Option<String>,
    /// Say what would be pushed, push nothing
    #[arg(long)]
    dry_run: bool,
    /// Releases that may be removed or renamed
    #[arg(long, value_name = "N", default_value_t = 3)]
    allow_removals: usize,
    /// Publish although the branch holds what was made from a newer commit
    #[arg(long)]
    allow_older: bool,
    /// File that holds the token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// User name beside the token; Gitea takes any
    #[arg(long, value_name = "NAME", default_value = "hlgen")]
    user: String,
    /// PEM certificates to trust instead of the host's own, intermediate ones included
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Author and committer of what is published
    #[arg(long, value_name = "NAME <EMAIL>", default_value = "hlgen <hlgen@noreply.invalid>", value_parser = author)]
    author: Author,
    /// Publish nothing where there are warnings
    #[arg(long)]
    deny_warnings: bool,
}

fn author(text: &str) -> Result<Author, String> {
    let parts = text.trim().strip_suffix('>').and_then(|text| text.split_once('<'));
    match parts.map(|(name, email)| (name.trim(), email.trim())) {
        Some((name, email)) if !name.is_empty() && !email.is_empty() && !text.chars().any(char::is_control) => {
            Ok(Author { name: name.to_owned(), email: email.to_owned() })
        }
        _ => Err("write `Name <email>`".to_owned()),
    }
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let start = Instant::now();
    let workspace = Workspace::open(&common.directory)?.within(common.limits);
    let token = match (&args.token_file, std::env::var(TOKEN)) {
        (Some(file), _) => Some(Token::from_file(file)?),
        (None, Ok(text)) if !text.trim().is_empty() => Some(Token::new(&text, TOKEN)?),
        _ => None,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let request = Request {
        user: args.user.clone(),
        token,
        ca_file: args.ca_file.clone(),
        author: args.author.clone(),
        pull_branch: args.pr.then(|| args.pr_branch.clone().unwrap_or_default()),
        init: args.init,
        push_url: args.push_url.clone(),
        dry_run: args.dry_run,
        allow_removals: args.allow_removals,
        allow_older: args.allow_older,
        deny_warnings: args.deny_warnings,
        temporary: std::env::temp_dir(),
        now: i64::try_from(now).unwrap_or_default(),
    };
    let outcome = publish(&workspace, &request)?;
    let failed = has_errors(&outcome.findings) || outcome.published.is_empty();
    if failed || !terminal.wants_json() {
        terminal.findings(&outcome.findings, &workspace.sources, false)?;
    }
    for note in &outcome.notes {
        terminal.summary(&format!("note: {note}"));
    }
    let time = format!("{} ms", start.elapsed().as_millis());
    let Some(plan) = outcome.plan.as_ref().filter(|_| !failed) else {
        let scope = outcome.plan.as_ref().map(|plan| format!("{}: ", render::scope(plan))).unwrap_or_default();
        terminal.summary(&format!("{scope}nothing published ({time})"));
        return Ok(Status::Found);
    };
    if terminal.wants_json() {
        let all: Vec<Value> = outcome.published.iter().map(as_json).collect();
        terminal.data(&format!("{}\n", serde_json::to_string_pretty(&all)?))?;
    }
    for published in &outcome.published {
        if !terminal.wants_json() && args.dry_run && published.state != State::Unchanged {
            terminal.data(&format!(
                "{}{}",
                published.message,
                render::changes(&published.summary, "added", "removed")
            ))?;
        }
        if !published.said.is_empty() {
            terminal.summary(&published.said);
        }
        let counts = render::counts(&published.summary);
        terminal.summary(&format!("{}: {counts}; {} ({time})", render::scope(plan), ending(published)));
    }
    Ok(Status::Fine)
}

/// How it ended, for the summary.
fn ending(published: &Published) -> String {
    let Published { repository, branch, state, .. } = published;
    match state {
        State::Unchanged => format!("`{branch}` of {repository} has it already, nothing pushed"),
        State::WouldPush(commit) => format!("would push {commit:.10} to `{branch}` of {repository}"),
        State::Pushed(commit) => format!("pushed {commit:.10} to `{branch}` of {repository}"),
        State::Pull { commit, url, is_new } => {
            let verb = if *is_new { "opened" } else { "updated" };
            format!("pushed {commit:.10}, {verb} {url}")
        }
    }
}

fn as_json(published: &Published) -> Value {
    let (state, commit, pull) = match &published.state {
        State::Unchanged => ("unchanged", None, None),
        State::WouldPush(commit) => ("would-push", Some(commit), None),
        State::Pushed(commit) => ("pushed", Some(commit), None),
        State::Pull { commit, url, is_new } => (if *is_new { "opened" } else { "updated" }, Some(commit), Some(url)),
    };
    let summary = &published.summary;
    json!({
        "repository": published.repository,
        "branch": published.branch,
        "state": state,
        "commit": commit.map(ToString::to_string),
        "pull": pull,
        "message": published.message,
        "files": { "added": summary.added, "changed": summary.changed, "removed": summary.removed },
    })
}
