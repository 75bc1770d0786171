//! Who provides what: built-in capabilities, and the binding of every consumer to a provider (DESIGN section 7).

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::catalog::Catalog;
use super::environment::EnvModel;
use super::release::ReleaseModel;
use super::view::View;
use crate::diag::{Code, Diagnostic, nearest};
use crate::model::{BackupMethod, CapabilityChoice};

/// A capability that hlgen knows, with the fields its data must and may have.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub name: &'static str,
    pub required: &'static [&'static str],
    pub optional: &'static [&'static str],
    pub summary: &'static str,
}

macro_rules! known {
    ($($name:literal: [$($required:literal),*] [$($optional:literal),*] $summary:literal;)*) => {
        /// The built-in capabilities. A project may use others; their data is free.
        pub const KNOWN: &[Known] = &[$(Known {
            name: $name, required: &[$($required),*], optional: &[$($optional),*], summary: $summary,
        }),*];
    };
}

known! {
    "backup": ["namespace"] ["storageLocation", "nodeAgent", "snapshots", "moveSnapshots"] "scheduled backups of volumes and objects";
    "cache": [] ["host", "port", "secret", "url"] "a Redis-like cache";
    "certificates": ["issuer"] ["kind"] "TLS certificates from an issuer";
    "dns": [] ["provider", "zones"] "DNS records for exposed hosts";
    "git": ["url"] ["namespace", "organization"] "a Git host";
    "gitops": ["namespace"] ["url"] "Argo CD itself";
    "ingress": ["className"] ["controller", "gateway", "namespace", "annotations"] "routes from outside to Services";
    "loadbalancer": [] ["class", "addresses", "annotations"] "Services of type LoadBalancer get an address";
    "logs": ["url"] ["readUrl"] "a log store that takes logs";
    "metrics": ["crds"] ["url", "labels", "alertmanagerUrl", "dashboards"] "a metrics stack that watches ServiceMonitors";
    "metrics-api": [] [] "the resource metrics API (`kubectl top`, autoscaling)";
    "monitoring-crds": [] [] "the Prometheus operator's CRDs";
    "objectstorage": [] ["endpoint", "bucket", "region", "secret", "pathStyle"] "an S3-like object store";
    "postgres": [] ["operator", "host", "port", "user", "database", "secret", "superuserSecret"] "PostgreSQL";
    "secrets": ["store"] ["kind", "backend", "namespace"] "secrets from a store";
    "sso": [] ["issuer", "url", "forwardAuth", "headers"] "single sign-on";
    "storage": ["className"] ["expandable", "snapshotClass", "driver", "hostPath"] "volumes for one node at a time";
    "storage/shared": ["className"] ["expandable", "driver", "hostPath"] "volumes for several nodes at a time";
    "traces": ["url"] [] "a trace store that takes traces";
    "tunnel": [] ["name", "target"] "a way in from the internet without open ports";
    "vault": ["address"] ["path"] "HashiCorp Vault or OpenBao";
}

/// The built-in capability of a name; a class that is not listed itself (`objectstorage/logs`) has its kind's fields, of
/// which it need not have any.
pub fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// Who serves a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// A release, by its number; of another environment only its `external` data can be read.
    Release(usize),
    /// The platform.
    Profile,
    /// Something outside of hlgen, named in the environment.
    External,
}

/// What the traits of a release want, besides its `wants`.
fn implied(release: &ReleaseModel) -> Vec<&'static str> {
    let spec = &release.spec;
    let mut implied = Vec::new();
    if !spec.expose.is_empty() {
        implied.extend(["ingress", "certificates", "dns"]);
        if spec.expose.iter().any(|expose| expose.sso) {
            implied.push("sso");
        }
        if spec.expose.iter().any(|expose| expose.visibility == crate::model::Visibility::Public) {
            implied.extend(["ingress/public", "tunnel"]);
        }
    }
    if spec.metrics.is_some() {
        implied.push("metrics");
    }
    match spec.backup.as_ref().filter(|backup| backup.is_wanted()).map(|backup| backup.method) {
        Some(BackupMethod::Velero) => implied.push("backup"),
        Some(BackupMethod::CloudNativePg) => implied.push("objectstorage/backup"),
        None => {}
    }
    if !spec.secrets.is_empty() {
        implied.push("secrets");
    }
    implied
}

/// The capabilities a release declares: required ones first, without releases (`release/x`).
pub fn declared(release: &ReleaseModel) -> Vec<(String, bool)> {
    let spec = &release.spec;
    let mut all: Vec<(String, bool)> = Vec::new();
    let required = spec.requires.iter().filter(|name| !name.starts_with("release/")).map(|name| (name.as_str(), true));
    let wanted = spec.wants.iter().map(|name| (name.as_str(), false));
    for (name, needed) in required.chain(wanted).chain(implied(release).into_iter().map(|name| (name, false))) {
        if !all.iter().any(|(have, _)| have == name) {
            all.push((name.to_owned(), needed));
        }
    }
    all
}

/// Who provides what in every environment.
#[derive(Debug, Default)]
pub struct Bindings {
    environments: Vec<FxHashMap<String, EnvBinding>>,
}

#[derive(Debug, Default)]
struct EnvBinding {
    releases: Vec<usize>,
    /// What the environment (or its platform) says; `None` where nobody does.
    chosen: Option<Provider>,
    /// A choice was made, rightly or not.
    decided: bool,
}

impl Bindings {
    /// Collects the providers of all environments and the environments' choices.
    pub fn new(environments: &[EnvModel], releases: &[ReleaseModel], findings: &mut Vec<Diagnostic>) -> Self {
        let mut bindings = Self { environments: environments.iter().map(|_| FxHashMap::default()).collect() };
        for (number, release) in releases.iter().enumerate() {
            for capability in release.spec.provides.keys() {
                let table = &mut bindings.environments[release.env];
                table.entry(capability.clone()).or_default().releases.push(number);
            }
        }
        for (index, env) in environments.iter().enumerate() {
            for (capability, choice) in &env.spec.capabilities {
                let provider = bindings.choice(environments, releases, index, capability, choice, findings);
                let binding = bindings.environments[index].entry(capability.clone()).or_default();
                binding.chosen = provider;
                binding.decided = true;
            }
        }
        for (index, env) in environments.iter().enumerate() {
            for capability in env.provides.keys() {
                let binding = bindings.environments[index].entry(capability.clone()).or_default();
                if !binding.decided && binding.releases.is_empty() {
                    binding.chosen = Some(Provider::Profile);
                }
            }
            for (capability, rival) in &env.rivals {
                let binding = bindings.environments[index].get(capability);
                let first = binding.and_then(|binding| binding.releases.first());
                if let Some(release) = first.filter(|_| !super::environment::is_off(rival, &env.spec.vars)) {
                    let release = &releases[*release];
                    let message = format!("{} also provides `{capability}`, as `{}` does", rival.name, release.name);
                    let finding = Diagnostic::new(Code::CapabilityRival, message)
                        .at(release.entry_span(env), "the one you install");
                    let off = rival.off_when.as_ref().map_or_else(String::new, |var| {
                        format!("; then write `{var}: false` below `vars:` of the environment")
                    });
                    findings.push(finding.help(format!("switch it off: {}{off}", rival.switch_off)));
                }
            }
        }
        bindings
    }

    fn choice(
        &self,
        environments: &[EnvModel],
        releases: &[ReleaseModel],
        index: usize,
        capability: &str,
        choice: &CapabilityChoice,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Provider> {
        let env = &environments[index];
        let at = env.value_span(&["capabilities", capability]);
        let bad = |message: String| Diagnostic::new(Code::CapabilityChoice, message).at(at, "chosen here");
        let providers = |env: usize| {
            let table = self.environments.get(env).and_then(|table| table.get(capability));
            table.map(|binding| binding.releases.clone()).unwrap_or_default()
        };
        match choice {
            CapabilityChoice::External(_) => Some(Provider::External),
            CapabilityChoice::Release(name) => {
                let here = providers(index);
                if let Some(found) = here.iter().find(|number| releases[**number].name == *name) {
                    return Some(Provider::Release(*found));
                }
                if !releases.iter().any(|release| release.env == index && release.name == *name) {
                    let known =
                        releases.iter().filter(|release| release.env == index).map(|release| release.name.as_str());
                    let finding = bad(format!("there is no release `{name}` in `{}`", env.name));
                    findings.push(match nearest(name.as_str(), known) {
                        Some(near) => finding.help(format!("did you mean `{near}`?")),
                        None => finding.help("add it below `apps:`"),
                    });
                    return None;
                }
                let names: Vec<String> = here.iter().map(|number| format!("`{}`", releases[*number].name)).collect();
                let finding = bad(format!("`{name}` does not provide `{capability}`"));
                findings.push(if names.is_empty() {
                    finding.help(format!("add `{capability}` to the `provides` of its app, or choose another release"))
                } else {
                    finding.help(format!("{} does", names.join(" or ")))
                });
                None
            }
            CapabilityChoice::Environment(other) => {
                let Some(other_index) = environments.iter().position(|env| env.name == other.environment) else {
                    let known = environments.iter().map(|env| env.name.as_str());
                    let finding = bad(format!("there is no environment `{}`", other.environment));
                    findings.push(match nearest(other.environment.as_str(), known) {
                        Some(near) => finding.help(format!("did you mean `{near}`?")),
                        None => finding,
                    });
                    return None;
                };
                match providers(other_index).as_slice() {
                    [one] => Some(Provider::Release(*one)),
                    [] => {
                        findings.push(bad(format!("nothing in `{}` provides `{capability}`", other.environment)));
                        None
                    }
                    _ => {
                        findings
                            .push(bad(format!("several releases of `{}` provide `{capability}`", other.environment)));
                        None
                    }
                }
            }
        }
    }

    /// Who serves a capability for a release. `Err` holds the releases that nobody chose among.
    pub fn provider(
        &self,
        releases: &[ReleaseModel],
        release: &ReleaseModel,
        capability: &str,
    ) -> Result<Option<Provider>, Vec<usize>> {
        let kind = capability.split('/').next().unwrap_or(capability);
        let binding = self.environments[release.env].get(capability);
        if let Some(name) = release.spec.use_.get(capability).or_else(|| release.spec.use_.get(kind)) {
            let found =
                binding.and_then(|binding| binding.releases.iter().find(|number| releases[**number].name == *name));
            return Ok(found.map(|number| Provider::Release(*number)));
        }
        let Some(binding) = binding else { return Ok(None) };
        if binding.decided || binding.chosen.is_some() {
            return Ok(binding.chosen);
        }
        match binding.releases.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(Provider::Release(*one))),
            several => Err(several.to_vec()),
        }
    }

    /// Checks every consumer: choices that name the wrong release, missing and ambiguous providers, unknown names.
    pub fn check(
        &self,
        environments: &[EnvModel],
        releases: &[ReleaseModel],
        catalog: &mut Catalog<'_>,
        view: &View,
        findings: &mut Vec<Diagnostic>,
    ) {
        // Whether a name means anything is known only to those who look at everything.
        let whole = view.is_everything();
        let mut missing: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
        let mut ambiguous: BTreeMap<(usize, String), (usize, Vec<usize>)> = BTreeMap::new();
        let mut unknown: BTreeSet<String> = BTreeSet::new();
        for (number, release) in releases.iter().enumerate() {
            let env = &environments[release.env];
            self.check_use(env, releases, release, findings);
            for (capability, needed) in declared(release) {
                match self.provider(releases, release, &capability) {
                    // A wrong choice was a finding of its own.
                    Ok(None) if self.was_chosen(release, &capability) => {}
                    Ok(None) => {
                        if whole && known(&capability).is_none() && unknown.insert(capability.clone()) {
                            self.check_name(environments, release, &capability, catalog, findings);
                        }
                        if needed && (!whole || known(&capability).is_some() || !self.is_unknown(&capability, catalog))
                        {
                            missing.entry((release.env, capability)).or_default().push(number);
                        }
                    }
                    Ok(Some(_)) => {}
                    Err(several) => {
                        ambiguous.entry((release.env, capability)).or_insert((number, several));
                    }
                }
            }
        }
        for ((env, capability), consumers) in missing {
            findings.push(missing_finding(&environments[env], releases, &capability, &consumers, catalog));
        }
        for ((env, capability), (consumer, providers)) in ambiguous {
            findings.push(ambiguous_finding(&environments[env], releases, &capability, consumer, &providers));
        }
    }

    fn check_use(
        &self,
        env: &EnvModel,
        releases: &[ReleaseModel],
        release: &ReleaseModel,
        findings: &mut Vec<Diagnostic>,
    ) {
        for (capability, name) in &release.spec.use_ {
            let table = &self.environments[release.env];
            let serves = |key: &str| {
                table
                    .get(key)
                    .is_some_and(|binding| binding.releases.iter().any(|number| releases[*number].name == *name))
            };
            let prefix = format!("{capability}/");
            if serves(capability) || table.keys().any(|key| key.starts_with(&prefix) && serves(key)) {
                continue;
            }
            let at = env.value_span(&["apps", release.name.as_str(), "use", capability]);
            let exists = releases.iter().any(|other| other.env == release.env && other.name == *name);
            let message = if exists {
                format!("`{name}` does not provide `{capability}`")
            } else {
                format!("there is no release `{name}` in `{}`", env.name)
            };
            let candidates = table.get(capability).map(|binding| binding.releases.as_slice()).unwrap_or_default();
            let names: Vec<String> = candidates.iter().map(|number| format!("`{}`", releases[*number].name)).collect();
            let finding = Diagnostic::new(Code::CapabilityChoice, message).at(at, "chosen here");
            findings.push(if names.is_empty() {
                finding.help(format!("nothing in `{}` provides `{capability}`", env.name))
            } else {
                finding.help(format!("{} would do", names.join(" or ")))
            });
        }
    }

    /// The capabilities that releases of an environment require and nobody provides, with the releases' numbers.
    pub fn missing(&self, releases: &[ReleaseModel], env: usize) -> BTreeMap<String, Vec<usize>> {
        let mut missing: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, release) in releases.iter().enumerate().filter(|(_, release)| release.env == env) {
            for (capability, _) in declared(release).into_iter().filter(|(_, needed)| *needed) {
                let nobody = matches!(self.provider(releases, release, &capability), Ok(None));
                if nobody && !self.was_chosen(release, &capability) {
                    missing.entry(capability).or_default().push(number);
                }
            }
        }
        missing
    }

    /// Whether the release or its environment says who serves a capability.
    fn was_chosen(&self, release: &ReleaseModel, capability: &str) -> bool {
        let kind = capability.split('/').next().unwrap_or(capability);
        let own = &release.spec.use_;
        let binding = self.environments[release.env].get(capability);
        own.contains_key(capability) || own.contains_key(kind) || binding.is_some_and(|binding| binding.decided)
    }

    /// Whether nobody ever provides a capability of that name. A class of a known kind (`objectstorage/logs`) is what an
    /// environment may name as external, so it is known without a provider.
    fn is_unknown(&self, capability: &str, catalog: &mut Catalog<'_>) -> bool {
        if capability.split_once('/').is_some_and(|(kind, _)| known(kind).is_some()) {
            return false;
        }
        !self.environments.iter().any(|table| table.contains_key(capability))
            && catalog.providers(capability).is_empty()
    }

    fn check_name(
        &self,
        environments: &[EnvModel],
        release: &ReleaseModel,
        capability: &str,
        catalog: &mut Catalog<'_>,
        findings: &mut Vec<Diagnostic>,
    ) {
        if !self.is_unknown(capability, catalog) {
            return;
        }
        let provided: BTreeSet<&str> =
            self.environments.iter().flat_map(|table| table.keys()).map(String::as_str).collect();
        let field = if release.spec.requires.iter().any(|name| name == capability) { "requires" } else { "wants" };
        let finding = Diagnostic::new(
            Code::RefUnknownCapability,
            format!("no app provides a capability `{capability}`, and hlgen knows none of that name"),
        )
        .at(release.span(&environments[release.env], &[field]), format!("in `{field}` of `{}`", release.name));
        let names = KNOWN.iter().map(|known| known.name).chain(provided);
        findings.push(match nearest(capability, names) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("add it to the `provides` of an app, or to `capabilities:` of the environment"),
        });
    }
}

fn missing_finding(
    env: &EnvModel,
    releases: &[ReleaseModel],
    capability: &str,
    consumers: &[usize],
    catalog: &mut Catalog<'_>,
) -> Diagnostic {
    let first = &releases[consumers[0]];
    let mut finding =
        Diagnostic::new(Code::CapabilityMissing, format!("nothing in `{}` provides `{capability}`", env.name))
            .at(first.entry_span(env), format!("`{}` requires it", first.name));
    if consumers.len() > 1 {
        let others: Vec<String> = consumers[1..].iter().map(|number| format!("`{}`", releases[*number].name)).collect();
        finding = finding.note(format!("so do {}", others.join(", ")));
    }
    let candidates = catalog.providers(capability);
    let candidates: Vec<&String> = candidates.iter().take(6).collect();
    finding.help(match candidates.as_slice() {
        [] => format!(
            "if it exists outside, write `capabilities: {{ {capability}: {{ external: {{ ... }} }} }}` in the environment"
        ),
        [one] => format!("add `{one}: {{}}` below `apps:`"),
        [first, ..] => format!(
            "add one of {} below `apps:`, for example `{first}: {{}}`",
            candidates.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    })
}

fn ambiguous_finding(
    env: &EnvModel,
    releases: &[ReleaseModel],
    capability: &str,
    consumer: usize,
    providers: &[usize],
) -> Diagnostic {
    let names: Vec<String> = providers.iter().map(|number| format!("`{}`", releases[*number].name)).collect();
    let consumer = &releases[consumer];
    let mut finding = Diagnostic::new(
        Code::CapabilityAmbiguous,
        format!("{} provide `{capability}` in `{}`, and nobody chose", names.join(" and "), env.name),
    )
    .at(consumer.entry_span(env), format!("`{}` uses it", consumer.name));
    for number in providers {
        finding = finding.at(releases[*number].entry_span(env), "provides it");
    }
    let first = &releases[providers[0]].name;
    finding.help(format!(
        "write `capabilities: {{ {capability}: {first} }}` in the environment, or `use: {{ {capability}: {first} }}` at the release"
    ))
}
