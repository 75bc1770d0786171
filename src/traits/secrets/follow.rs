//! References between keys, followed to their ends.
//!
//! A `template` names other keys of its Secret as `$(key)`, as Kubernetes does for environment variables; `$$(` stands for
//! `$(` itself. `from` names a key of another release. Both can lead on, so there is a bound on how far and how much.

use std::sync::Arc;

use super::store::{Backend, Store};
use super::value::{Generated, Origin, Part};
use crate::diag::{Code, Diagnostic, nearest};
use crate::model::{Secret, SecretFrom, SecretKey};
use crate::plan::Plan;
use crate::template::Scope;
use crate::traits::Context;

/// References that lead from one key to its value.
const DEPTH_LIMIT: usize = 32;

/// Bytes of text and references that a Secret may be composed of; Kubernetes takes a Secret of 1 MiB.
const ROOM: usize = 1024 * 1024;

/// A key of a Secret of a release on a cluster.
#[derive(Clone, Copy)]
struct Address<'s> {
    release: usize,
    cluster: usize,
    secret: &'s Secret,
    key: &'s str,
    source: &'s SecretKey,
}

impl Address<'_> {
    fn is(&self, other: &Self) -> bool {
        self.release == other.release && self.secret.name == other.secret.name && self.key == other.key
    }
}

/// The way through the references of one Secret.
pub(super) struct Walk<'w, 's> {
    context: &'w Context<'s>,
    room: usize,
    /// The keys that led here.
    trail: Vec<Address<'s>>,
}

type Found<T> = Result<T, Box<Diagnostic>>;

fn refused(message: String) -> Diagnostic {
    Diagnostic::new(Code::SecretsReference, message)
}

/// A name that does not exist, with the nearest one that does.
fn unknown<'k>(what: String, name: &str, known: impl IntoIterator<Item = &'k str>) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    let finding = refused(what);
    match nearest(name, known.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => finding.help("it has none"),
        None => finding
            .help(format!("there is {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))),
    }
}

impl<'w, 's> Walk<'w, 's> {
    pub(super) fn new(context: &'w Context<'s>) -> Self {
        Self { context, room: ROOM, trail: Vec::new() }
    }

    /// What a key of a Secret of the release at hand is made of.
    ///
    /// # Errors
    /// A finding without a place: it leads nowhere, in a circle, or too far.
    pub(super) fn follow(&mut self, secret: &'s Secret, key: &'s str, source: &'s SecretKey) -> Found<Vec<Part<'s>>> {
        let (release, cluster) = (self.context.number, self.context.cluster);
        self.value(Address { release, cluster, secret, key, source })
    }

    fn plan(&self) -> &'s Plan {
        self.context.plan
    }

    fn spend(&mut self, bytes: usize) -> Found<()> {
        self.room = self.room.checked_sub(bytes).ok_or_else(|| {
            let finding = refused("the Secret would be larger than 1 MiB".into());
            Box::new(finding.help("Kubernetes takes none of that size; split it"))
        })?;
        Ok(())
    }

    fn value(&mut self, at: Address<'s>) -> Found<Vec<Part<'s>>> {
        if let Some(start) = self.trail.iter().position(|before| before.is(&at)) {
            let way: Vec<String> =
                self.trail[start..].iter().chain([&at]).map(|one| format!("`{}`", one.key)).collect();
            let finding = refused(format!("a value cannot be made of itself: {}", way.join(" → ")));
            return Err(Box::new(finding.help("break the circle: let one of them be generated or provided")));
        }
        if self.trail.len() == DEPTH_LIMIT {
            return Err(Box::new(refused(format!("more than {DEPTH_LIMIT} references lead from one to the next"))));
        }
        self.spend(64)?;
        self.trail.push(at);
        let parts = self.made(at);
        self.trail.pop();
        parts
    }

    fn made(&mut self, at: Address<'s>) -> Found<Vec<Part<'s>>> {
        let release = &self.plan().releases[at.release];
        match at.source {
            SecretKey::Literal(text) => Ok(vec![Part::Text(self.text(at, text)?)]),
            SecretKey::Template(text) => {
                let text = self.text(at, text)?;
                let mut parts = Vec::new();
                for piece in pieces(&text) {
                    match piece {
                        Piece::Text(text) => parts.push(Part::Text(text)),
                        Piece::Key(name) => parts.extend(self.value(Self::neighbour(at, name)?)?),
                    }
                }
                Ok(parts)
            }
            SecretKey::Generate(how) => Ok(vec![Part::Stored(Origin::Generated(Generated {
                environment: self.plan().env_of(release).name.as_str(),
                release: release.name.as_str(),
                namespace: release.namespace(),
                secret: &at.secret.name,
                key: at.key,
                how,
            }))]),
            SecretKey::Provided(path) => {
                let path = self.text(at, path)?;
                check_path(&path)?;
                Ok(vec![Part::Stored(Origin::Provided(path))])
            }
            SecretKey::From(from) => {
                let other = self.other(at, from)?;
                let parts = self.value(other)?;
                self.check_reach(at, other, &parts)?;
                Ok(parts)
            }
        }
    }

    /// A text of `app.yaml`, evaluated where it stands.
    fn text(&mut self, at: Address<'s>, text: &str) -> Found<String> {
        let plan = self.plan();
        let scope: Arc<Scope> = if at.release == self.context.number {
            Arc::clone(self.context.scope)
        } else {
            Arc::new(plan.scope(at.release, at.cluster))
        };
        let text = plan.text(text, &scope).map_err(|error| {
            let mut finding = Diagnostic::new(error.code, error.message);
            finding.help = error.help;
            Box::new(finding)
        })?;
        self.spend(text.len())?;
        Ok(text)
    }

    /// Another key of the same Secret.
    fn neighbour(at: Address<'s>, name: &str) -> Found<Address<'s>> {
        match at.secret.keys.get_key_value(name) {
            Some((key, source)) => Ok(Address { key, source, ..at }),
            None => {
                let others = at.secret.keys.keys().map(String::as_str).filter(|key| *key != at.key);
                Err(Box::new(unknown(
                    format!("`$({name})` is no key of the Secret `{}`", at.secret.name),
                    name,
                    others,
                )))
            }
        }
    }

    /// The key that `from` names.
    fn other(&self, at: Address<'s>, from: &'s SecretFrom) -> Found<Address<'s>> {
        let plan = self.plan();
        let own = &plan.releases[at.release];
        let env = match &from.environment {
            None => own.env,
            Some(name) => {
                let written = plan.env_of(own).entry_keys(own.name.as_str()).any(|key| key == "secrets");
                if !written {
                    let finding =
                        refused(format!("which environment has the value is not for `{}` to say", own.app.name));
                    let help = "write the Secret below `secrets:` of the release in environment.yaml";
                    return Err(Box::new(finding.help(help)));
                }
                let found = plan.environments.iter().position(|env| env.name == *name);
                found.ok_or_else(|| {
                    let known = plan.environments.iter().map(|env| env.name.as_str());
                    Box::new(unknown(format!("there is no environment `{name}`"), name.as_str(), known))
                })?
            }
        };
        let env_name = &plan.environments[env].name;
        let Some(number) = plan.find(env_name.as_str(), from.release.as_str()) else {
            let known = plan.releases.iter().filter(|release| release.env == env).map(|release| release.name.as_str());
            let message = format!("there is no release `{}` in `{env_name}`", from.release);
            let near = nearest(from.release.as_str(), known).map(|near| format!("did you mean `{near}`?"));
            let finding = refused(message);
            let help = near.unwrap_or_else(|| format!("add `{}` below `apps:` of {env_name}", from.release));
            return Err(Box::new(finding.help(help)));
        };
        let release = &plan.releases[number];
        let secrets = &release.spec.secrets;
        let Some(secret) = secrets.iter().find(|secret| secret.name == from.secret) else {
            let known = secrets.iter().map(|secret| secret.name.as_str());
            let message = format!("`{}` declares no Secret `{}`", release.name, from.secret);
            return Err(Box::new(unknown(message, &from.secret, known)));
        };
        let Some((key, source)) = secret.keys.get_key_value(&from.key) else {
            let known = secret.keys.keys().map(String::as_str);
            let message = format!("the Secret `{}` of `{}` has no key `{}`", secret.name, release.name, from.key);
            return Err(Box::new(unknown(message, &from.key, known)));
        };
        let cluster = if env == own.env {
            at.cluster
        } else {
            plan.clusters.iter().position(|cluster| cluster.env == env).unwrap_or(at.cluster)
        };
        Ok(Address { release: number, cluster, secret, key, source })
    }

    /// Whether the store of the release at hand holds what another environment keeps: only Vault is taken to be one for
    /// all, and a cluster's own Secrets are read only where the environments share the cluster.
    fn check_reach(&self, at: Address<'s>, other: Address<'s>, parts: &[Part<'_>]) -> Found<()> {
        let plan = self.plan();
        let (own, theirs) = (&plan.releases[at.release], &plan.releases[other.release]);
        let stored = parts.iter().any(|part| matches!(part, Part::Stored(_)));
        if own.env == theirs.env || !stored {
            return Ok(());
        }
        let stores = (Store::of(plan, at.release, at.cluster)?, Store::of(plan, other.release, other.cluster)?);
        let backends = (stores.0.as_ref().map(|store| store.backend), stores.1.as_ref().map(|store| store.backend));
        let shared = plan.clusters[at.cluster].name == plan.clusters[other.cluster].name;
        let reached = match backends {
            // A person copies what no store reads.
            (None | Some(Backend::Sealed), _) | (Some(Backend::Vault), Some(Backend::Vault)) => true,
            (Some(Backend::Kubernetes), Some(Backend::Kubernetes)) => shared && stores.0 == stores.1,
            _ => false,
        };
        if reached {
            return Ok(());
        }
        let (here, there) = (&plan.env_of(own).name, &plan.env_of(theirs).name);
        let finding = refused(format!("the store of `{here}` does not hold what `{there}` keeps"));
        let help = "let both use one Vault, or copy the value and name its path with `provided`";
        Err(Box::new(finding.help(help)))
    }
}

/// A path in a store: names separated by `/`, and after `#` the key of one of several values there.
fn check_path(text: &str) -> Found<()> {
    let (path, property) = text.split_once('#').map_or((text, None), |(path, property)| (path, Some(property)));
    let plain = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-+=@".contains(c);
        !part.is_empty() && part != "." && part != ".." && part.chars().all(allowed)
    };
    if path.split('/').all(plain) && property.is_none_or(plain) {
        return Ok(());
    }
    let finding = refused(format!("`{text}` is no path in a secret store"));
    Err(Box::new(
        finding.help("write names of letters, digits and `_.-+=@`, for example `dns/token` or `dns/token#key`"),
    ))
}

/// A text of a template, or a key that it names.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(String),
    Key(&'t str),
}

/// Splits a template at `$(key)`. `$$(` is the text `$(`; a `$(` that is not closed is text.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut text, mut rest) = (String::new(), template);
    while let Some(at) = rest.find("$(") {
        if rest[..at].ends_with('$') {
            text.push_str(&rest[..at]);
            text.push('(');
            rest = &rest[at + 2..];
            continue;
        }
        let Some(end) = rest[at..].find(')') else { break };
        text.push_str(&rest[..at]);
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Key(&rest[at + 2..at + end]));
        rest = &rest[at + end + 1..];
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_split_at_their_keys() {
        let text = |text: &str| Piece::Text(text.into());
        assert_eq!(pieces("$(a)"), [Piece::Key("a")]);
        let dsn = pieces("postgres://app:$(password)@db/$(db.name)?x");
        let expected =
            [text("postgres://app:"), Piece::Key("password"), text("@db/"), Piece::Key("db.name"), text("?x")];
        assert_eq!(dsn, expected);
        assert_eq!(pieces("costs $5 (or $$(x))"), [text("costs $5 (or $(x))")]);
        assert_eq!(pieces("open $(end"), [text("open $(end")]);
        assert_eq!(pieces("$()"), [Piece::Key("")]);
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn paths_are_plain() {
        for path in ["a", "dns/cloudflare-token", "a/b_c.d#e", "a@b+c=d"] {
            assert!(check_path(path).is_ok(), "{path}");
        }
        for path in ["", "/a", "a/", "a//b", "../a", "a/./b", "a b", "a#", "a#b#c", "ä"] {
            assert!(check_path(path).is_err(), "{path}");
        }
    }
}
