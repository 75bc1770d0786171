//! `hlgen add`.

use std::fmt::Write as _;

use anyhow::bail;
use clap_complete::ArgValueCandidates;

use super::{Common, Status, Terminal, ask, complete};
use crate::diff::text::{Line, lines};
use crate::model::ReleaseName;
use crate::ops::add::{self, Added, Answer, Candidate, Missing, Proposal, Request};
use crate::ops::workspace::Workspace;
use crate::report::one_line;

/// Which app, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An app of the catalog
    #[arg(value_name = "APP", add = ArgValueCandidates::new(complete::apps))]
    app: String,
    /// The environment; not needed where there is one
    #[arg(long = "env", value_name = "ENV", add = ArgValueCandidates::new(complete::environments))]
    environment: Option<String>,
    /// Name of the release; default: the app's
    #[arg(long, value_name = "NAME")]
    release: Option<ReleaseName>,
    /// Namespace; default: the app's
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Add these apps too, which provide what it requires
    #[arg(long, value_name = "APP,...", value_delimiter = ',', add = ArgValueCandidates::new(complete::apps))]
    with: Vec<String>,
    /// Write it even if nothing provides what it requires
    #[arg(long)]
    anyway: bool,
    /// Print what would change instead of writing it
    #[arg(long)]
    print: bool,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let workspace = Workspace::open(&common.directory)?.within(common.limits);
    let mut request = Request {
        app: args.app.clone(),
        environment: environment(args, &workspace, terminal)?,
        release: args.release.clone(),
        namespace: args.namespace.clone(),
        with: args.with.clone(),
    };
    let (proposal, agreed) = loop {
        let proposal = match add::propose(&workspace, &request)? {
            Answer::Possible(proposal) => proposal,
            Answer::Impossible(findings, then) => {
                let sources = then.as_ref().map_or(&workspace.sources, |then| &then.sources);
                terminal.findings(&findings, sources, false)?;
                terminal.summary("nothing was written");
                return Ok(Status::Found);
            }
        };
        let talks = !args.anyway && !args.print && ask::is_possible();
        match proposal.missing.first().filter(|_| talks) {
            None => break (proposal, false),
            Some(missing) => match choose(missing, terminal)? {
                Some(app) => request.with.push(app),
                None => {
                    let agreed = ask::yes(terminal, "Write the entry without it?", false)?;
                    break (proposal, agreed);
                }
            },
        }
    };
    if args.print {
        print(&proposal, terminal)?;
    }
    terminal.findings(&proposal.findings, &proposal.workspace.sources, false)?;
    if !proposal.missing.is_empty() {
        terminal.talk(&missing(&proposal.missing, args, &request));
        if !args.anyway && !agreed {
            if !args.print {
                terminal.summary("nothing was written; `--anyway` writes the entry all the same");
            }
            return Ok(Status::Found);
        }
    }
    if !args.print {
        proposal.write()?;
        terminal.summary(&written(&proposal));
    }
    Ok(if proposal.is_broken() { Status::Found } else { Status::Fine })
}

/// Whether the run may wait for a person.
pub(super) fn waits(args: &Args) -> bool {
    !args.anyway && !args.print && ask::is_possible()
}

fn environment(args: &Args, workspace: &Workspace, terminal: &Terminal) -> anyhow::Result<String> {
    if let Some(given) = &args.environment {
        return Ok(given.clone());
    }
    let known = add::environments(workspace);
    match known.as_slice() {
        [] => bail!("there is no environment; `hlgen init` starts a repository with one"),
        [one] => Ok(one.clone()),
        several if ask::is_possible() => {
            let question = format!("Environment ({})", one_line(&several.join(", ")));
            ask::until(terminal, &question, None, |answer| {
                let found = several.iter().find(|known| *known == answer);
                found.cloned().ok_or_else(|| "there is no such environment".to_owned())
            })
        }
        several => {
            bail!("there are several environments; say one of them with --env: {}", one_line(&several.join(", ")))
        }
    }
}

/// Asks which app shall provide something; `None`: none.
fn choose(missing: &Missing, terminal: &Terminal) -> anyhow::Result<Option<String>> {
    let what = format!("{} requires {}, which nothing provides.\n", missing.needed_by.join(", "), missing.capability);
    terminal.talk(&one_line_each(&what));
    match missing.candidates.as_slice() {
        [] => Ok(None),
        [one] => {
            let question = format!("Add {}?", named(one));
            Ok(ask::yes(terminal, &one_line(&question), true)?.then(|| one.app.clone()))
        }
        several => {
            let list = several.iter().enumerate().fold(String::new(), |mut list, (number, candidate)| {
                let _ = writeln!(list, "  {}  {}", number + 1, one_line(&named(candidate)));
                list
            });
            terminal.talk(&list);
            ask::until(terminal, "Add which one? (a number; none: nothing)", None, |answer| {
                let number = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                match (answer, number.and_then(|number| several.get(number))) {
                    ("", _) => Ok(None),
                    (_, Some(candidate)) => Ok(Some(candidate.app.clone())),
                    _ => Err(format!("a number from 1 to {}", several.len())),
                }
            })
        }
    }
}

fn named(candidate: &Candidate) -> String {
    let Candidate { app, description } = candidate;
    if description.is_empty() { app.clone() } else { format!("{app} ({description})") }
}

fn one_line_each(text: &str) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "{}", one_line(line));
        out
    })
}

/// What is missing, with the commands that would add it.
fn missing(missing: &[Missing], args: &Args, request: &Request) -> String {
    let mut text = String::new();
    for one in missing {
        let needed_by = one.needed_by.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            text,
            "{needed_by} requires `{}`, which nothing in `{}` provides",
            one.capability, request.environment
        );
        for candidate in &one.candidates {
            let with = request.with.iter().chain([&candidate.app]).cloned().collect::<Vec<_>>().join(",");
            let mut command = format!("hlgen add {} --env {} --with {with}", request.app, request.environment);
            for (flag, value) in [
                ("--release", args.release.as_ref().map(ReleaseName::as_str)),
                ("--namespace", args.namespace.as_deref()),
            ] {
                if let Some(value) = value {
                    let _ = write!(command, " {flag} {value}");
                }
            }
            let _ = writeln!(text, "  {command}    # {}", candidate.description);
        }
        if one.candidates.is_empty() {
            let _ = writeln!(
                text,
                "  no app of the catalog does there; if it exists outside, write this into the environment:\n  \
                 capabilities: {{ {}: {{ external: {{ ... }} }} }}",
                one.capability
            );
        }
    }
    one_line_each(&text)
}

fn written(proposal: &Proposal) -> String {
    let broken = if proposal.is_broken() { "; it does not render yet" } else { "" };
    let mut text = format!("added to {}{broken}:\n", proposal.path);
    for Added { release, app, namespace, version, .. } in &proposal.added {
        let version = version.as_deref().map_or_else(String::new, |version| format!(" {version}"));
        let of = if release == app { String::new() } else { format!(" (app {app})") };
        let _ = writeln!(text, "  {release}{of}{version}, namespace {namespace}");
    }
    for note in &proposal.notes {
        let _ = write!(text, "\n{note}");
    }
    one_line_each(&text).trim_end().to_owned()
}

/// The change as lines, or as JSON with the whole file.
fn print(proposal: &Proposal, terminal: &Terminal) -> anyhow::Result<()> {
    if terminal.wants_json() {
        let added: Vec<serde_json::Value> = proposal.added.iter().map(|added| {
            serde_json::json!({ "release": added.release, "app": added.app, "namespace": added.namespace, "version": added.version })
        }).collect();
        let value = serde_json::json!({ "path": proposal.path, "added": added, "text": proposal.after });
        terminal.data(&format!("{}\n", serde_json::to_string_pretty(&value)?))?;
        return Ok(());
    }
    let mut text = format!("{}\n", proposal.path);
    let joined = |pieces: Vec<(bool, String)>| pieces.into_iter().map(|(_, piece)| piece).collect::<String>();
    for line in lines(&proposal.before, &proposal.after).unwrap_or_default() {
        let (mark, line) = match line {
            Line::Same(line) => (' ', line),
            Line::Removed(pieces) => ('-', joined(pieces)),
            Line::Added(pieces) => ('+', joined(pieces)),
            Line::Skipped => (' ', "...".to_owned()),
        };
        let _ = writeln!(text, "{}", format!("{mark} {}", one_line(&line)).trim_end());
    }
    terminal.data(&text)?;
    Ok(())
}
