//! `expose`: the ways in, rendered for whoever provides `ingress`: an Ingress, or a route of the Gateway API where the
//! provider names a Gateway.
//!
//! Names and hosts come from the plan, TLS from the provider of `certificates`, records from `dns`, a way in from the
//! internet from `tunnel`, a guard from `sso`. What only some controllers can do is an annotation or an object of that
//! controller; what the one in use cannot do is a finding, because a route that silently lacks its guard is worse than
//! none. Fields that a Gateway API route gets by default are written out, or Argo CD would see a difference for ever.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Context, file, object};
use crate::diag::{Code, Diagnostic};
use crate::model::{Expose, Protocol, Visibility};
use crate::plan::Plan;
use crate::plan::manifests::ManifestFile;

/// The ingress controllers whose own annotations and objects are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Controller {
    Traefik,
    Nginx,
    Other,
}

/// The provider of `ingress` as routes need it.
struct Provider {
    class: String,
    controller: Controller,
    gateway: Option<(String, Option<String>)>,
    annotations: Map<String, Json>,
}

impl Provider {
    fn new(data: &Json) -> Self {
        let text = |key: &str| data.get(key).and_then(Json::as_str).map(str::to_owned);
        let class = text("className").unwrap_or_default();
        let controller = match text("controller").as_deref().unwrap_or(&class) {
            "traefik" => Controller::Traefik,
            "nginx" => Controller::Nginx,
            _ => Controller::Other,
        };
        let gateway = text("gateway").map(|name| (name, text("namespace")));
        let annotations = data.get("annotations").and_then(Json::as_object).cloned().unwrap_or_default();
        Self { class, controller, gateway, annotations }
    }
}

/// One way in with everything that is known of it.
struct Way<'w> {
    expose: &'w Expose,
    /// Name of the objects: the release's and the way's.
    name: String,
    service: String,
    host: String,
}

impl Way<'_> {
    fn path(&self) -> &str {
        self.expose.path.as_deref().unwrap_or("/")
    }
}

/// The routes of a release on a cluster; none where nothing provides `ingress`.
pub(super) fn routes(context: &Context<'_>, files: &mut Vec<ManifestFile>, findings: &mut Vec<Diagnostic>) {
    for expose in &context.release.spec.expose {
        let public = expose.visibility == Visibility::Public;
        let own = if public { context.capability("ingress/public") } else { None };
        let Some(data) = own.or_else(|| context.capability("ingress")) else { continue };
        let at = context.span(&["expose"]);
        let label = || format!("`{}` of {}", expose.name, context.place);
        let service = match context.plan.text(&expose.service, context.scope) {
            Ok(service) => service,
            Err(error) => {
                let mut finding =
                    Diagnostic::new(error.code, error.message).at(at, format!("`service` of {}", label()));
                finding.help = error.help;
                findings.push(finding);
                continue;
            }
        };
        let hosts = context.plan.hosts(context.number, context.cluster);
        let host = hosts.iter().find(|(name, _)| *name == expose.name).map(|(_, host)| host.clone());
        let needs_host = !matches!(expose.protocol, Protocol::Tcp | Protocol::Udp);
        let Some(host) = host.or_else(|| (!needs_host).then(String::new)) else {
            let message = format!("`{}` has no host: the environment has no `domain`", expose.name);
            let finding = Diagnostic::new(Code::ExposeHost, message).at(at, label());
            findings.push(finding.help("write `domain:` into the environment, or a full name as `host`"));
            continue;
        };
        let name = format!("{}-{}", context.release.name, expose.name);
        let way = Way { expose, name, service, host };
        let provider = Provider::new(&data);
        findings.extend(check_scheme(&provider, &way).map(|finding| finding.at(at, label())));
        match objects(context, &provider, &way) {
            Ok(objects) => files.push(file(format!("expose-{}.yaml", expose.name), objects, at)),
            Err(refusal) => findings.push(refusal.finding().at(at, label()).help(refusal.help)),
        }
    }
}

/// What a person has to see to: Traefik takes the protocol of an Ingress' backend from an annotation of the Service, which
/// is the chart's.
fn check_scheme(provider: &Provider, way: &Way<'_>) -> Option<Diagnostic> {
    let scheme = match way.expose.protocol {
        Protocol::Https => "https",
        Protocol::Grpc => "h2c",
        _ => return None,
    };
    if provider.controller != Controller::Traefik || provider.gateway.is_some() {
        return None;
    }
    let name = &way.expose.name;
    let message = format!("Traefik takes the protocol of `{name}` from its Service, not from the Ingress");
    Some(Diagnostic::new(Code::ExposeScheme, message).help(format!(
        "let the chart annotate the Service with `traefik.ingress.kubernetes.io/service.serversscheme: {scheme}`"
    )))
}

/// Why a way in is not rendered.
struct Refusal {
    code: Code,
    message: String,
    help: String,
}

impl Refusal {
    fn unsupported(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code: Code::ExposeUnsupported, message: message.into(), help: help.into() }
    }

    fn finding(&self) -> Diagnostic {
        Diagnostic::new(self.code, self.message.clone())
    }
}

fn objects(context: &Context<'_>, provider: &Provider, way: &Way<'_>) -> Result<Vec<Json>, Refusal> {
    match (way.expose.protocol, &provider.gateway) {
        (Protocol::Tcp | Protocol::Udp, gateway) => {
            stream(context, provider, way, gateway.as_ref()).map(|route| vec![route])
        }
        (_, Some(gateway)) => gateway_route(context, provider, way, gateway),
        (_, None) => ingress(context, provider, way),
    }
}

/// The guard that a way in asks for: the address to ask for every request, and where people sign in.
fn guard(context: &Context<'_>, way: &Way<'_>) -> Result<Option<(String, Json)>, Refusal> {
    if !way.expose.sso {
        return Ok(None);
    }
    let Some(data) = context.capability("sso") else {
        return Err(Refusal {
            code: Code::ExposeUnguarded,
            message: format!(
                "`{}` is not exposed: it wants single sign-on, which nothing provides here",
                way.expose.name
            ),
            help: "install an app that provides `sso`, or write `sso: false` to expose it as it is".into(),
        });
    };
    match data.get("forwardAuth").and_then(Json::as_str) {
        Some(address) => Ok(Some((address.to_owned(), data.clone()))),
        None => Err(Refusal::unsupported(
            format!("`{}` wants single sign-on, but its provider has no `forwardAuth` address", way.expose.name),
            "let the app sign people in itself (`sso: false`), or add `forwardAuth` to the data of `sso`",
        )),
    }
}

/// Traefik's objects in front of a route: the guard and the largest body.
fn middlewares(context: &Context<'_>, way: &Way<'_>, guard: Option<&(String, Json)>) -> Vec<Json> {
    let middleware = |suffix: &str, spec: Json| {
        let name = format!("{}-{suffix}", way.name);
        json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "Middleware",
            "metadata": context.metadata(&name, Map::new()),
            "spec": spec,
        })
    };
    let mut all = Vec::new();
    if let Some((address, data)) = guard {
        let mut spec = json!({ "address": address, "trustForwardHeader": true });
        if let Some(headers) = data.get("headers").filter(|headers| headers.is_array()) {
            spec["authResponseHeaders"] = headers.clone();
        }
        all.push(middleware("auth", json!({ "forwardAuth": spec })));
    }
    // Traefik has no limit of its own.
    if let Some(bytes) = way.expose.max_body.filter(|bytes| *bytes > 0) {
        all.push(middleware("body", json!({ "buffering": { "maxRequestBodyBytes": bytes } })));
    }
    all
}

fn ingress(context: &Context<'_>, provider: &Provider, way: &Way<'_>) -> Result<Vec<Json>, Refusal> {
    let guard = guard(context, way)?;
    let expose = way.expose;
    let mut annotations = provider.annotations.clone();
    let mut objects = Vec::new();
    match provider.controller {
        Controller::Traefik => {
            // Traefik takes the protocol from an annotation of the Service (`service.serversscheme`), which is the
            // chart's; see `check_scheme`.
            objects = middlewares(context, way, guard.as_ref());
            let namespace = context.release.namespace();
            let names: Vec<String> = objects
                .iter()
                .filter_map(|object| object["metadata"]["name"].as_str())
                .map(|name| format!("{namespace}-{name}@kubernetescrd"))
                .collect();
            if !names.is_empty() {
                annotations.insert("traefik.ingress.kubernetes.io/router.middlewares".into(), names.join(",").into());
            }
        }
        Controller::Nginx => {
            if let Some((address, data)) = &guard {
                annotations.insert("nginx.ingress.kubernetes.io/auth-url".into(), address.as_str().into());
                if let Some(url) = data.get("url").and_then(Json::as_str) {
                    annotations.insert("nginx.ingress.kubernetes.io/auth-signin".into(), url.into());
                }
            }
            if let Some(bytes) = expose.max_body {
                annotations.insert("nginx.ingress.kubernetes.io/proxy-body-size".into(), bytes.to_string().into());
            }
            let backend = match expose.protocol {
                Protocol::Https => Some("HTTPS"),
                Protocol::Grpc => Some("GRPC"),
                _ => None,
            };
            if let Some(backend) = backend {
                annotations.insert("nginx.ingress.kubernetes.io/backend-protocol".into(), backend.into());
            }
        }
        Controller::Other => plain_only(way, guard.is_some(), &provider.class)?,
    }
    let certificates = context.capability("certificates");
    if let Some(data) = &certificates {
        let text = |key: &str| data.get(key).and_then(Json::as_str).unwrap_or_default();
        let key = if text("kind") == "Issuer" { "cert-manager.io/issuer" } else { "cert-manager.io/cluster-issuer" };
        annotations.insert(key.into(), text("issuer").into());
    }
    records(context, way, &mut annotations);
    annotations.extend(own_annotations(expose));
    let port = object([("number", expose.port.into())]);
    let service = object([("name", way.service.as_str().into()), ("port", port)]);
    let backend = object([("service", service)]);
    let path = object([("path", way.path().into()), ("pathType", "Prefix".into()), ("backend", backend)]);
    let http = object([("paths", vec![path].into())]);
    let rule = object([("host", way.host.as_str().into()), ("http", http)]);
    let class = provider.class.as_str();
    let mut spec = object([("ingressClassName", class.into()), ("rules", vec![rule].into())]);
    if certificates.is_some() {
        let hosts = vec![Json::from(way.host.as_str())];
        let secret = format!("{}-tls", way.name);
        spec["tls"] = vec![object([("hosts", hosts.into()), ("secretName", secret.into())])].into();
    }
    objects.push(object([
        ("apiVersion", "networking.k8s.io/v1".into()),
        ("kind", "Ingress".into()),
        ("metadata", context.metadata(&way.name, annotations)),
        ("spec", spec),
    ]));
    Ok(objects)
}

/// What an unknown controller can be trusted with: HTTP, without a guard and without limits.
fn plain_only(way: &Way<'_>, guarded: bool, class: &str) -> Result<(), Refusal> {
    let expose = way.expose;
    let what = if guarded {
        "single sign-on"
    } else if expose.protocol != Protocol::Http {
        "a backend that does not speak plain HTTP"
    } else if expose.max_body.is_some_and(|bytes| bytes > 0) {
        "a largest body"
    } else {
        return Ok(());
    };
    Err(Refusal::unsupported(
        format!("hlgen does not know how `{class}` does what `{}` asks for: {what}", expose.name),
        "say it with `annotations:` of that controller instead, or name the controller in the data of `ingress`",
    ))
}

/// Where external-dns puts the name: to the ingress controller's own address, or to the tunnel's for what is public.
fn records(context: &Context<'_>, way: &Way<'_>, annotations: &mut Map<String, Json>) {
    if context.capability("dns").is_none() {
        return;
    }
    annotations.insert("external-dns.alpha.kubernetes.io/hostname".into(), way.host.as_str().into());
    if way.expose.visibility != Visibility::Public {
        return;
    }
    if let Some(target) = context.capability("tunnel").and_then(|data| Some(data.get("target")?.as_str()?.to_owned())) {
        annotations.insert("external-dns.alpha.kubernetes.io/target".into(), target.into());
        annotations.insert("external-dns.alpha.kubernetes.io/cloudflare-proxied".into(), "true".into());
    }
}

fn own_annotations(expose: &Expose) -> impl Iterator<Item = (String, Json)> + '_ {
    expose.annotations.iter().map(|(key, value)| (key.clone(), value.as_str().into()))
}

fn parent(gateway: &(String, Option<String>), port: Option<u16>) -> Json {
    let (name, namespace) = gateway;
    let mut parent = json!({ "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name });
    if let Some(namespace) = namespace {
        parent["namespace"] = namespace.as_str().into();
    }
    if let Some(port) = port {
        parent["port"] = port.into();
    }
    parent
}

fn backend(way: &Way<'_>) -> Json {
    json!([{ "group": "", "kind": "Service", "name": way.service, "port": way.expose.port, "weight": 1 }])
}

/// A route below a Gateway, whose listener holds the certificate.
fn gateway_route(
    context: &Context<'_>,
    provider: &Provider,
    way: &Way<'_>,
    gateway: &(String, Option<String>),
) -> Result<Vec<Json>, Refusal> {
    let guard = guard(context, way)?;
    let expose = way.expose;
    let traefik = provider.controller == Controller::Traefik;
    if expose.protocol == Protocol::Https || !traefik && (guard.is_some() || expose.max_body.is_some_and(|max| max > 0))
    {
        return plain_only(way, guard.is_some(), &provider.class).map(|()| Vec::new());
    }
    let mut objects = if traefik { middlewares(context, way, guard.as_ref()) } else { Vec::new() };
    let filters: Vec<Json> = objects
        .iter()
        .map(|object| {
            let reference = json!({ "group": "traefik.io", "kind": "Middleware", "name": object["metadata"]["name"] });
            json!({ "type": "ExtensionRef", "extensionRef": reference })
        })
        .collect();
    let mut annotations = Map::new();
    records(context, way, &mut annotations);
    annotations.extend(own_annotations(expose));
    let grpc = expose.protocol == Protocol::Grpc;
    let mut rule = json!({ "backendRefs": backend(way) });
    if !grpc {
        rule["matches"] = json!([{ "path": { "type": "PathPrefix", "value": way.path() } }]);
    }
    if !filters.is_empty() {
        rule["filters"] = filters.into();
    }
    let spec = object([
        ("parentRefs", vec![parent(gateway, None)].into()),
        ("hostnames", vec![Json::from(way.host.as_str())].into()),
        ("rules", vec![rule].into()),
    ]);
    objects.push(object([
        ("apiVersion", "gateway.networking.k8s.io/v1".into()),
        ("kind", if grpc { "GRPCRoute" } else { "HTTPRoute" }.into()),
        ("metadata", context.metadata(&way.name, annotations)),
        ("spec", spec),
    ]));
    Ok(objects)
}

/// TCP and UDP: a route of the Gateway API, or Traefik's own at the entry point of the way's name.
fn stream(
    context: &Context<'_>,
    provider: &Provider,
    way: &Way<'_>,
    gateway: Option<&(String, Option<String>)>,
) -> Result<Json, Refusal> {
    let expose = way.expose;
    let tcp = expose.protocol == Protocol::Tcp;
    if expose.sso || expose.path.is_some() {
        return Err(Refusal::unsupported(
            format!("`{}` is a stream, which has no path and no single sign-on", expose.name),
            "remove `path` and `sso`, or write `protocol: http`",
        ));
    }
    let annotations: Map<String, Json> = own_annotations(expose).collect();
    let metadata = context.metadata(&way.name, annotations);
    if let Some(gateway) = gateway {
        return Ok(json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": if tcp { "TCPRoute" } else { "UDPRoute" },
            "metadata": metadata,
            "spec": { "parentRefs": [parent(gateway, Some(expose.port))], "rules": [{ "backendRefs": backend(way) }] },
        }));
    }
    if provider.controller != Controller::Traefik {
        return Err(Refusal::unsupported(
            format!("an Ingress of `{}` cannot carry the stream `{}`", provider.class, expose.name),
            "give the app a Service of type LoadBalancer, or use Traefik or a Gateway",
        ));
    }
    let services = json!([{ "name": way.service, "port": expose.port }]);
    let mut route = json!({ "services": services });
    if tcp {
        route["match"] = "HostSNI(`*`)".into();
    }
    Ok(json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": if tcp { "IngressRouteTCP" } else { "IngressRouteUDP" },
        "metadata": metadata,
        "spec": { "entryPoints": [expose.name], "routes": [route] },
    }))
}

/// Two ways in at one host and path, where somebody renders them: whoever is applied last would win.
pub(super) fn check_clashes(plan: &Plan, findings: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<(&str, &str, &str), (usize, &str)> = BTreeMap::new();
    let streams = |expose: &&Expose| matches!(expose.protocol, Protocol::Tcp | Protocol::Udp);
    for (number, release) in plan.releases.iter().enumerate() {
        if !matches!(plan.bindings.provider(&plan.releases, release, "ingress"), Ok(Some(_))) {
            continue;
        }
        for (index, cluster) in plan.clusters_of(release) {
            for expose in release.spec.expose.iter().filter(|expose| !streams(expose)) {
                let hosts = plan.hosts(number, index);
                let Some((_, host)) = hosts.iter().find(|(name, _)| *name == expose.name) else { continue };
                let path = expose.path.as_deref().unwrap_or("/");
                let key = (cluster.name.as_str(), host.as_str(), path);
                let Some((other, way)) = seen.insert(key, (number, &expose.name)) else { continue };
                let other = &plan.releases[other];
                let message = format!(
                    "`{host}` is claimed by `{}` of `{}` and by `{way}` of `{}`",
                    expose.name, release.name, other.name
                );
                let finding = Diagnostic::new(Code::ExposeClash, message)
                    .at(release.span(plan.env_of(release), &["expose"]), format!("for {}", cluster.name))
                    .at(other.span(plan.env_of(other), &["expose"]), "and here");
                findings.push(finding.help("give one of them another `host` or `path`"));
            }
        }
    }
}
