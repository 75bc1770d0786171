//! Steps → a shell script that needs bash, kubectl, helm and awk, and nothing of this repository but local charts.
//!
//! The functions are the same in every script (`main.sh`, `install.sh`, `argocd.sh`, `split.awk`); a step is a few calls of
//! them. Values and manifests travel in quoted here-documents, and every other text in single quotes, so that nothing
//! somebody wrote into a file is ever read as a command.

use std::fmt::Write as _;

use super::{Action, Bootstrap, Install, Origin};

const FUNCTIONS: [&str; 3] = [include_str!("main.sh"), include_str!("install.sh"), include_str!("argocd.sh")];
const SPLITTER: &str = include_str!("split.awk");

/// The script of a bootstrap.
pub fn script(bootstrap: &Bootstrap) -> String {
    let mut out = head(bootstrap);
    for functions in FUNCTIONS {
        out.push('\n');
        out.push_str(functions);
    }
    out.push_str("\nwrite_splitter() {\n  cat <<");
    here_document(&mut out, SPLITTER);
    out.push_str("}\n");
    let mut calls = String::new();
    for (number, step) in (1..).zip(&bootstrap.steps) {
        let _ = write!(out, "\nstep_{number}() {{\n{}}}\n", body(&step.name, &step.action));
        let _ = writeln!(calls, "    {number}) step_{number} ;;");
    }
    let _ = write!(out, "\nrun_step() {{\n  case \"$1\" in\n{calls}  esac\n}}\n\nmain \"$@\"\n");
    out
}

fn head(bootstrap: &Bootstrap) -> String {
    let (mut names, mut titles) = (String::new(), String::new());
    for step in &bootstrap.steps {
        let _ = writeln!(names, "  {}", quote(&step.name));
        let _ = writeln!(titles, "  {}", quote(&step.title));
    }
    let root = bootstrap.steps.iter().find_map(|step| match &step.action {
        Action::Watch { application } => Some(application.as_str()),
        _ => None,
    });
    let variables = [
        ("project", bootstrap.project.as_str()),
        ("environment", bootstrap.environment.as_str()),
        ("cluster", bootstrap.cluster.as_str()),
        ("argocd_namespace", bootstrap.argocd_namespace.as_str()),
        ("hub", bootstrap.hub.as_deref().unwrap_or_default()),
        ("root", root.unwrap_or_default()),
        ("break_glass", bootstrap.only.as_deref().unwrap_or_default()),
    ];
    let mut out = format!(
        "#!/usr/bin/env bash\n{}, bootstrap. Edits are lost when it is written again.\n#\n\
         # bash FILE --context NAME; --help shows more, --list the steps.\n#\n\
         # What stands in single quotes is meant as it stands.\n# shellcheck disable=SC2016\nset -euo pipefail\numask 077\n\n",
        marker(bootstrap)
    );
    for (name, value) in variables {
        let _ = writeln!(out, "{name}={}", quote(value));
    }
    let _ = write!(out, "tools=({})\nsteps=(\n{names})\ntitles=(\n{titles})\n", tools(bootstrap).join(" "));
    out
}

/// The line by which a script is known to be ours.
pub fn marker(bootstrap: &Bootstrap) -> String {
    format!("# Written by hlgen for project {}: cluster {}", bootstrap.project, bootstrap.cluster)
}

fn tools(bootstrap: &Bootstrap) -> Vec<&'static str> {
    let mut tools = vec!["kubectl", "awk"];
    let installs = || {
        bootstrap.steps.iter().filter_map(|step| match &step.action {
            Action::Install(install) => install.origin.as_ref(),
            _ => None,
        })
    };
    if installs().next().is_some() {
        tools.push("helm");
    }
    if installs().any(|origin| matches!(origin, Origin::Git { .. })) {
        tools.push("git");
    }
    if bootstrap.steps.iter().any(|step| matches!(step.action, Action::Publish { .. })) {
        tools.push("hlgen");
    }
    tools
}

fn body(name: &str, action: &Action) -> String {
    let mut out = String::new();
    match action {
        Action::Input { description, check } => {
            call(&mut out, "ask", &[name, description, check.as_deref().unwrap_or_default()]);
        }
        Action::Namespaces { text, .. } => {
            out.push_str("  begin default\n");
            write_file(&mut out, "objects.yaml", text);
            out.push_str("  install \"$work/objects.yaml\"\n");
        }
        Action::Install(install) => install_release(&mut out, install),
        Action::Credentials { secret, url, kind, oci } => {
            call(&mut out, "repository_secret", &[secret, url, kind, if *oci { "true" } else { "" }]);
        }
        Action::OwnCluster { known_as } => call(&mut out, "own_cluster", &[known_as]),
        Action::Register { known_as, server, text } => {
            let _ = write!(out, "  register {} {} <<", quote(known_as), quote(server.as_deref().unwrap_or_default()));
            here_document(&mut out, text);
        }
        Action::Publish { namespace, service, port, path } => {
            call(&mut out, "publish", &[namespace, service, &port.to_string(), path]);
        }
        Action::Root { text, .. } => {
            out.push_str("  begin \"$argocd_namespace\"\n");
            write_file(&mut out, "objects.yaml", text);
            out.push_str("  apply \"$work/objects.yaml\"\n");
        }
        Action::Watch { .. } => out.push_str("  watch\n"),
    }
    out
}

fn install_release(out: &mut String, install: &Install) {
    let _ = writeln!(out, "  if is_managed {}; then return; fi", quote(&install.application));
    call(out, "begin", &[&install.namespace]);
    let render = |out: &mut String, function: &str, fixed: &[&str], helm: &super::Helm| {
        write_file(out, "values.yaml", &helm.values);
        let own = [helm.release_name.as_str()];
        let options = helm.options.iter().map(String::as_str);
        let all: Vec<&str> = own.into_iter().chain(fixed.iter().copied()).chain(options).collect();
        call(out, function, &all);
    };
    match &install.origin {
        Some(Origin::Chart { repository, chart, version, helm }) => match repository.strip_prefix("oci://") {
            Some(_) => {
                let reference = format!("{}/{chart}", repository.trim_end_matches('/'));
                render(out, "chart", &[&reference, "--version", version], helm);
            }
            None => render(out, "chart", &[chart, "--repo", repository, "--version", version], helm),
        },
        Some(Origin::LocalChart { path, helm }) => render(out, "local_chart", &[path], helm),
        Some(Origin::Git { repo_url, path, revision, release_name }) => {
            call(out, "directory", &[release_name, repo_url, path, revision]);
        }
        None => {}
    }
    if install.origin.is_some() {
        out.push_str("  install \"$work/objects.yaml\"\n");
    }
    if !install.manifests.is_empty() {
        write_file(out, "manifests.yaml", &install.manifests);
        out.push_str("  install \"$work/manifests.yaml\" offer\n");
    }
    if let Some(text) = &install.by_hand {
        call(out, "by_hand", &[&install.release, text]);
    }
    out.push_str("  healthy\n  complete\n");
}

fn call(out: &mut String, function: &str, arguments: &[&str]) {
    out.push_str("  ");
    out.push_str(function);
    for argument in arguments {
        out.push(' ');
        out.push_str(&quote(argument));
    }
    out.push('\n');
}

fn write_file(out: &mut String, name: &str, text: &str) {
    let _ = write!(out, "  cat > \"$work/{name}\" <<");
    here_document(out, text);
}

/// A here-document in which nothing is expanded; its end is a word that stands on no line of the text.
fn here_document(out: &mut String, text: &str) {
    let mut end = "HLGEN_END".to_owned();
    let mut number = 0;
    while text.lines().any(|line| line.trim() == end) {
        number += 1;
        end = format!("HLGEN_END_{number}");
    }
    let _ = write!(out, "'{end}'\n{text}");
    if !text.is_empty() && !text.ends_with('\n') {
        out.push('\n');
    }
    let _ = writeln!(out, "{end}");
}

/// A text as one word of the shell. Control characters, which no terminal should get, are left out.
fn quote(text: &str) -> String {
    let kept: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    format!("'{}'", kept.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_quotes() {
        assert_eq!(quote("a'b; rm -rf /"), r"'a'\''b; rm -rf /'");
        assert_eq!(quote("$(x) `y` \\ \"\n\u{1b}[2J\0"), "'$(x) `y` \\ \"\n[2J'");
        let mut out = String::new();
        here_document(&mut out, "a\nHLGEN_END\nHLGEN_END_1\n$(x)");
        assert_eq!(out, "'HLGEN_END_2'\na\nHLGEN_END\nHLGEN_END_1\n$(x)\nHLGEN_END_2\n");
    }
}
