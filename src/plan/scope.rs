//! What the templates of each release on each cluster can see: variables, capabilities' data, hosts.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::{Value as Json, json};

use super::clusters::ClusterPlan;
use crate::diag::{Code, Diagnostic, Span, nearest};
use crate::merge::{Path, Step};
use crate::model::{Backups, CapabilityChoice, Project, Visibility};
use crate::resolve::backup;
use crate::resolve::capability::{Bindings, Provider, declared, known};
use crate::resolve::environment::EnvModel;
use crate::resolve::release::ReleaseModel;
use crate::template::{Capabilities, Engine, Files, OPEN, Scope, TemplateError, Value, value_of};

/// Names of ways in with their hosts.
type Hosts = Arc<Vec<(String, String)>>;

/// Everything a scope is put together from; what is shared is computed once.
#[derive(Debug)]
pub(super) struct Scopes {
    project: Value,
    clusters: Vec<ClusterScope>,
    /// Data by providing release, capability and cluster.
    provided: FxHashMap<(usize, String), Vec<(usize, Value)>>,
    /// Data by environment and capability, for what the platform or the outside provides.
    given: FxHashMap<(usize, String), Value>,
    /// Hosts by release and cluster.
    hosts: FxHashMap<(usize, usize), Hosts>,
}

#[derive(Debug)]
struct ClusterScope {
    cluster: Value,
    vars: Value,
    env: Value,
    domain: Option<Arc<str>>,
    /// Whether pods name the PriorityClass of their tier.
    priority_classes: bool,
    backups: Backups,
}

impl Scopes {
    pub(super) fn new(
        project: &Project,
        environments: &[EnvModel],
        releases: &[ReleaseModel],
        clusters: &[ClusterPlan],
        engine: &Engine,
        findings: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut scopes = Self {
            project: value_of(json!({
                "name": project.name,
                "argocd": {
                    "namespace": project.argocd.namespace,
                    "version": project.argocd.version,
                    "rollout": project.argocd.rollout,
                },
            })),
            clusters: clusters
                .iter()
                .map(|cluster| cluster_scope(project, &environments[cluster.env], cluster))
                .collect(),
            provided: FxHashMap::default(),
            given: FxHashMap::default(),
            hosts: FxHashMap::default(),
        };
        scopes.expose(environments, releases, clusters, engine, findings);
        scopes.provide(environments, releases, clusters, engine, findings);
        scopes.give(environments, clusters, engine, findings);
        scopes
    }

    /// Whether two clusters, of this plan or another one, look the same to templates.
    pub(super) fn same_cluster(&self, cluster: usize, other: &Self, other_cluster: usize) -> bool {
        let (one, two) = (&self.clusters[cluster], &other.clusters[other_cluster]);
        one.domain == two.domain
            && same(&one.cluster, &two.cluster)
            && same(&one.vars, &two.vars)
            && same(&one.env, &two.env)
            && same(&self.project, &other.project)
    }

    /// Whether two scopes of releases give the same capabilities, hosts and secrets.
    pub(super) fn same_release(one: &Scope, two: &Scope) -> bool {
        let capabilities = match (&one.capabilities, &two.capabilities) {
            (Some(one), Some(two)) => {
                one.declared == two.declared
                    && one.provided.len() == two.provided.len()
                    && one.provided.iter().zip(&two.provided).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1))
            }
            (None, None) => true,
            _ => false,
        };
        capabilities && one.hosts == two.hosts && one.secrets == two.secrets
    }

    /// The scope of a release on a cluster, without values.
    pub(super) fn of(
        &self,
        bindings: &Bindings,
        releases: &[ReleaseModel],
        number: usize,
        cluster: usize,
        files: Option<Arc<dyn Files>>,
    ) -> Scope {
        let release = &releases[number];
        let mut capabilities = Capabilities::default();
        for (name, _) in declared(release) {
            if let Ok(Some(provider)) = bindings.provider(releases, release, &name)
                && let Some(data) = self.data(releases, release, cluster, &name, provider)
            {
                capabilities.provided.push((name.clone(), data));
            }
            capabilities.declared.push(name);
        }
        Scope {
            capabilities: Some(Arc::new(capabilities)),
            hosts: self.hosts.get(&(number, cluster)).cloned().unwrap_or_default(),
            files,
            ..self.base(release, cluster)
        }
    }

    /// The data of a capability and of its classes (`storage/shared`) as everybody offers it on a cluster, in an order of
    /// its own.
    pub(super) fn offers(
        &self,
        releases: &[ReleaseModel],
        env: &EnvModel,
        (cluster, env_index): (usize, usize),
        kind: &str,
    ) -> Vec<Value> {
        let is = |name: &str| name.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let here = releases.iter().enumerate().filter(|(_, release)| release.env == env_index);
        let provided = here.flat_map(|(number, release)| {
            let names = release.spec.provides.keys().filter(|name| is(name));
            names.filter_map(move |name| self.provided.get(&(number, name.clone())))
        });
        let provided = provided.filter_map(|all| all.iter().find(|(at, _)| *at == cluster)).map(|(_, data)| data);
        let names = env.provides.keys().chain(env.spec.capabilities.keys()).filter(|name| is(name));
        let given = names.filter_map(|name| self.given.get(&(env_index, name.clone())));
        provided.chain(given).cloned().collect()
    }

    /// The hosts of a release's ways in on a cluster, by their names.
    pub(super) fn hosts(&self, number: usize, cluster: usize) -> &[(String, String)] {
        self.hosts.get(&(number, cluster)).map(|hosts| hosts.as_slice()).unwrap_or_default()
    }

    /// What is there before capabilities are known.
    fn base(&self, release: &ReleaseModel, cluster: usize) -> Scope {
        let here = &self.clusters[cluster];
        let keys = |secret: &crate::model::Secret| secret.keys.keys().cloned().collect();
        let secrets = release.spec.secrets.iter().map(|secret| (secret.name.clone(), keys(secret))).collect();
        Scope {
            app: Value::from_pairs([
                ("name", Value::from(release.app.name.as_str())),
                ("category", release.spec.category.as_deref().map_or(Value::from(()), Value::from)),
                ("description", Value::from(release.spec.description.as_str())),
                ("tier", Value::from(release.spec.tier.as_str())),
                ("version", release.version().map_or(Value::from(()), Value::from)),
            ]),
            release: Value::from_pairs([
                ("name", Value::from(release.name.as_str())),
                ("namespace", Value::from(release.namespace())),
                ("releaseName", Value::from(release.helm_name())),
                (
                    "priorityClass",
                    Value::from(if here.priority_classes { release.spec.tier.priority_class() } else { "" }),
                ),
                ("backup", backup_value(release, &here.backups)),
            ]),
            env: here.env.clone(),
            cluster: here.cluster.clone(),
            vars: here.vars.clone(),
            project: self.project.clone(),
            domain: here.domain.clone(),
            secrets: Arc::new(secrets),
            ..Scope::default()
        }
    }

    /// The data that a provider gives of a capability to a release on a cluster.
    pub(super) fn data(
        &self,
        releases: &[ReleaseModel],
        release: &ReleaseModel,
        cluster: usize,
        capability: &str,
        provider: Provider,
    ) -> Option<Value> {
        match provider {
            Provider::Release(number) => {
                let all = self.provided.get(&(number, capability.to_owned()))?;
                if releases[number].env == release.env {
                    return all.iter().find(|(at, _)| *at == cluster).map(|(_, data)| data.clone());
                }
                // Another environment's capability gives only what it offers to the outside.
                let external = all.first()?.1.get_attr("external").ok()?;
                Some(if external.is_undefined() { value_of(json!({})) } else { external })
            }
            Provider::Profile | Provider::External => self.given.get(&(release.env, capability.to_owned())).cloned(),
        }
    }

    /// The hosts of all ways in, and `env.exposed`.
    fn expose(
        &mut self,
        environments: &[EnvModel],
        releases: &[ReleaseModel],
        clusters: &[ClusterPlan],
        engine: &Engine,
        findings: &mut Vec<Diagnostic>,
    ) {
        for (index, cluster) in clusters.iter().enumerate() {
            let domain = self.clusters[index].domain.clone();
            let mut exposed = Vec::new();
            let here = releases.iter().enumerate().filter(|(_, release)| release.env == cluster.env);
            for (number, release) in here.filter(|(_, release)| !release.spec.expose.is_empty()) {
                let mut hosts = Vec::new();
                for expose in &release.spec.expose {
                    let label = expose.host.as_deref().unwrap_or(release.name.as_str());
                    let label = match evaluate_text_with(engine, label, || Arc::new(self.base(release, index))) {
                        Ok(label) => label,
                        Err(error) => {
                            let at = release.span(&environments[release.env], &["expose"]);
                            findings.push(at_span(error, at, format!("`host` of `{}`", expose.name)));
                            continue;
                        }
                    };
                    let host = match &domain {
                        _ if label.contains('.') => label,
                        Some(domain) => format!("{label}.{domain}"),
                        None => continue,
                    };
                    exposed.push(Value::from_pairs([
                        ("name", Value::from(expose.name.as_str())),
                        ("release", Value::from(release.name.as_str())),
                        ("app", Value::from(release.app.name.as_str())),
                        ("description", Value::from(release.spec.description.as_str())),
                        ("category", release.spec.category.as_deref().map_or(Value::from(()), Value::from)),
                        ("host", Value::from(host.as_str())),
                        ("url", Value::from(format!("https://{host}{}", expose.path.as_deref().unwrap_or_default()))),
                        (
                            "visibility",
                            Value::from(if expose.visibility == Visibility::Public { "public" } else { "internal" }),
                        ),
                    ]));
                    hosts.push((expose.name.clone(), host));
                }
                self.hosts.insert((number, index), Arc::new(hosts));
            }
            self.clusters[index].env = env_value(&environments[cluster.env], Some(exposed));
        }
    }

    /// Evaluates what the releases provide.
    fn provide(
        &mut self,
        environments: &[EnvModel],
        releases: &[ReleaseModel],
        clusters: &[ClusterPlan],
        engine: &Engine,
        findings: &mut Vec<Diagnostic>,
    ) {
        for (number, release) in releases.iter().enumerate() {
            let env = &environments[release.env];
            for (capability, data) in &release.spec.provides {
                let at = release.span(env, &["provides", capability]);
                let mut all = Vec::new();
                for (index, _) in clusters.iter().enumerate().filter(|(_, cluster)| cluster.env == release.env) {
                    let scope = Arc::new(self.base(release, index));
                    match evaluate_json(engine, data, &scope) {
                        Ok(data) => {
                            check_data(capability, &data, at, findings);
                            all.push((index, value_of(&data)));
                        }
                        Err((path, error)) => {
                            let label = format!("what `{}` provides", release.name);
                            let full = below(&["provides", capability], &path);
                            findings.push(match release.node(env, &full) {
                                Some((doc, node)) => error.into_diagnostic(doc, node, label),
                                None => at_span(error, at, label),
                            });
                        }
                    }
                }
                self.provided.insert((number, capability.clone()), all);
            }
        }
    }

    /// Evaluates what the platforms and the outside provide.
    fn give(
        &mut self,
        environments: &[EnvModel],
        clusters: &[ClusterPlan],
        engine: &Engine,
        findings: &mut Vec<Diagnostic>,
    ) {
        for (index, env) in environments.iter().enumerate() {
            let Some(cluster) = clusters.iter().position(|cluster| cluster.env == index) else { continue };
            let here = &self.clusters[cluster];
            let scope = Arc::new(Scope {
                env: here.env.clone(),
                cluster: here.cluster.clone(),
                vars: here.vars.clone(),
                project: self.project.clone(),
                domain: here.domain.clone(),
                ..Scope::default()
            });
            let external = env.spec.capabilities.iter().filter_map(|(name, choice)| match choice {
                CapabilityChoice::External(external) => Some((name, &external.external, "capabilities")),
                _ => None,
            });
            let platform = env.provides.iter().map(|(name, data)| (name, data, "provides"));
            for (name, data, field) in platform.chain(external) {
                let at = env.span(&[field, name]);
                match evaluate_json(engine, data, &scope) {
                    Ok(data) => {
                        check_data(name, &data, at, findings);
                        self.given.insert((index, name.clone()), value_of(&data));
                    }
                    Err((path, error)) => {
                        let label = format!("data of `{name}`");
                        let start = if field == "provides" {
                            vec![field, name.as_str()]
                        } else {
                            vec![field, name.as_str(), "external"]
                        };
                        findings.push(match env.node(&below(&start, &path)) {
                            Some((doc, node)) => error.into_diagnostic(doc, node, label),
                            None => at_span(error, at, label),
                        });
                    }
                }
            }
        }
    }
}

/// Whether two values are the same to a template, which sees the order of a map's keys too.
fn same(one: &Value, two: &Value) -> bool {
    one == two && one.to_string() == two.to_string()
}

fn at_span(error: TemplateError, at: Span, label: String) -> Diagnostic {
    let mut finding = Diagnostic::new(error.code, error.message).at(at, label);
    finding.help = error.help;
    finding
}

fn cluster_scope(project: &Project, env: &EnvModel, cluster: &ClusterPlan) -> ClusterScope {
    let mut vars = Json::Object(project.vars.clone().into_iter().collect());
    merge_json(&mut vars, &Json::Object(env.spec.vars.clone().into_iter().collect()));
    merge_json(&mut vars, &Json::Object(cluster.vars.clone().into_iter().collect()));
    ClusterScope {
        cluster: value_of(json!({ "name": cluster.name })),
        vars: value_of(&vars),
        env: env_value(env, None),
        domain: env.spec.domain.as_deref().map(Into::into),
        priority_classes: env.spec.policies.over(&project.policies).priority_classes == Some(true),
        backups: env.spec.backups.clone(),
    }
}

/// `release.backup`: the classes of a release that wants a backup, and the days that it is kept.
fn backup_value(release: &ReleaseModel, backups: &Backups) -> Value {
    let Some(wanted) = release.spec.backup.as_ref().filter(|backup| backup.is_wanted()) else {
        return Value::from(());
    };
    let keep = wanted.keep.as_deref().unwrap_or(backup::DEFAULT_KEEP);
    let hours = backup::keep(backups, keep).and_then(backup::hours);
    Value::from_pairs([
        ("schedule", Value::from(wanted.schedule.as_deref().unwrap_or(backup::DEFAULT_SCHEDULE))),
        ("keep", Value::from(keep)),
        ("days", hours.map_or(Value::from(()), |hours| Value::from(hours.div_ceil(24)))),
    ])
}

fn env_value(env: &EnvModel, exposed: Option<Vec<Value>>) -> Value {
    let dimensions = env.dimensions.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str())));
    let mut value = vec![
        ("name", Value::from(env.name.as_str())),
        ("stage", Value::from(env.spec.stage.as_str())),
        ("provider", Value::from(env.spec.provider.as_str())),
        ("domain", env.spec.domain.as_deref().map_or(Value::from(()), Value::from)),
        ("dimensions", Value::from_pairs(dimensions)),
        ("network", value_of(&env.spec.network)),
        ("backups", value_of(&env.spec.backups)),
    ];
    value.extend(exposed.map(|exposed| ("exposed", Value::from(exposed))));
    Value::from_pairs(value)
}

/// Maps merge, everything else replaces.
fn merge_json(base: &mut Json, over: &Json) {
    match (base, over) {
        (Json::Object(base), Json::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(key) {
                    Some(below) => merge_json(below, value),
                    None => {
                        base.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

fn check_data(capability: &str, data: &Json, at: Span, findings: &mut Vec<Diagnostic>) {
    let Some(known) = known(capability) else { return };
    let finding = |message: String| Diagnostic::new(Code::CapabilityData, message).at(at, "this capability");
    let Json::Object(map) = data else {
        if !data.is_null() || !known.required.is_empty() {
            findings.push(finding(format!("the data of `{capability}` is not a map")));
        }
        return;
    };
    for field in known.required {
        if map.get(*field).is_none_or(Json::is_null) {
            findings.push(
                finding(format!("`{capability}` needs `{field}`"))
                    .help(format!("it is what `cap` hands to the apps that use {capability}")),
            );
        }
    }
    let fields = || known.required.iter().chain(known.optional).copied();
    for key in map.keys().filter(|key| *key != "external" && !fields().any(|field| field == *key)) {
        let finding = finding(format!("`{capability}` has no field `{key}`"));
        findings.push(match nearest(key, fields()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding
                .help(format!("it has {}", fields().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", "))),
        });
    }
}

/// Evaluates a text that may hold templates.
pub(super) fn evaluate_text(engine: &Engine, text: &str, scope: &Arc<Scope>) -> Result<String, TemplateError> {
    evaluate_text_with(engine, text, || Arc::clone(scope))
}

/// The same, with a scope that is made only for a text that holds one.
fn evaluate_text_with(
    engine: &Engine,
    text: &str,
    scope: impl FnOnce() -> Arc<Scope>,
) -> Result<String, TemplateError> {
    if !text.contains(OPEN) {
        return Ok(text.to_owned());
    }
    let compiled = engine.compile(text)?;
    Ok(match engine.evaluate(&compiled, text, &scope())? {
        Json::String(text) => text,
        other => other.to_string(),
    })
}

/// Evaluates all strings of a value; what fails comes with its path.
pub(super) fn evaluate_json(engine: &Engine, value: &Json, scope: &Arc<Scope>) -> Result<Json, (Path, TemplateError)> {
    let inside = |step: Step, (mut path, error): (Path, TemplateError)| {
        path.0.insert(0, step);
        (path, error)
    };
    Ok(match value {
        Json::String(text) if text.contains(OPEN) => {
            let evaluated = engine.compile(text).and_then(|compiled| engine.evaluate(&compiled, text, scope));
            evaluated.map_err(|error| (Path::default(), error))?
        }
        Json::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| {
                evaluate_json(engine, item, scope).map_err(|error| inside(Step::Index(index), error))
            });
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| match evaluate_json(engine, value, scope) {
                Ok(value) => Ok((key.clone(), value)),
                Err(error) => Err(inside(Step::Key(key.clone()), error)),
            });
            Json::Object(entries.collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    })
}

fn below(start: &[&str], path: &Path) -> Path {
    let start = start.iter().map(|key| Step::Key((*key).to_owned()));
    Path(start.chain(path.0.iter().cloned()).collect())
}
