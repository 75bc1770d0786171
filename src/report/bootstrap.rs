//! The steps of a bootstrap, as text for people.

use std::fmt::Write as _;

use super::text::{lines, one_line};
use crate::render::bootstrap::{Action, Bootstrap, Install};

/// A plan: every step with its number, what it rests on, and what is left to Argo CD.
pub fn text(bootstrap: &Bootstrap) -> String {
    let mut out = String::new();
    let goal = match (&bootstrap.only, &bootstrap.hub) {
        (Some(only), _) => format!("{only} and what it needs, whatever Argo CD does"),
        (None, Some(hub)) => format!("from an empty cluster to the Argo CD of {hub} in charge"),
        (None, None) => "from an empty cluster to Argo CD in charge".to_owned(),
    };
    let _ = writeln!(out, "{}, cluster {}: {}\n", bootstrap.environment, bootstrap.cluster, one_line(&goal));
    let width = bootstrap.steps.iter().map(|step| step.name.len()).max().unwrap_or(0);
    for (number, step) in (1..).zip(&bootstrap.steps) {
        let _ = writeln!(out, "{number:3}. {:width$}  {}", step.name, one_line(&step.title));
        for detail in details(&step.action) {
            for line in lines(&detail).lines() {
                let _ = writeln!(out, "       {line}");
            }
        }
    }
    if !bootstrap.left.is_empty() {
        let _ = writeln!(out, "\nArgo CD then brings: {}", bootstrap.left.join(", "));
    }
    for note in &bootstrap.notes {
        let _ = writeln!(out, "\nnote: {}", one_line(note));
    }
    out
}

fn details(action: &Action) -> Vec<String> {
    match action {
        Action::Input { description, check } => {
            let check = check.as_ref().map(|check| format!("it is there when this succeeds: {check}"));
            [Some(description.clone()), check].into_iter().flatten().collect()
        }
        Action::Install(install) => details_of(install),
        Action::Publish { namespace, service, port, path } => {
            vec![format!("hlgen publish --init, through service {namespace}/{service} port {port}, to {path}")]
        }
        Action::Credentials { secret, .. } => vec![format!("as Secret {secret}, which stays as it is where it exists")],
        _ => Vec::new(),
    }
}

fn details_of(install: &Install) -> Vec<String> {
    let mut details = Vec::new();
    if !install.requires.is_empty() {
        details.push(format!("after {}", install.requires.join(", ")));
    }
    details.extend(install.by_hand.clone());
    details
}
