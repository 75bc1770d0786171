//! Random small catalogs: whatever apps require, want, provide, expose and say of their network, the rendered policies
//! allow exactly that, on every network plugin.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use hlgen::diag::Level;
use hlgen::model::{PodPort, Transport};
use hlgen::ops::evaluate::Selection;
use hlgen::ops::render::{Delivery, Target, render};
use hlgen::ops::workspace::Workspace;
use hlgen::source::Memory;
use proptest::collection::vec;
use proptest::prelude::*;

use super::network_policies::Cluster;
use super::oracle::{Declared, Outside, Place, Plugin, World};

const NAMESPACES: [&str; 4] = ["a", "b", "c", "kube-system"];
const EGRESS: [&str; 8] = [
    "internet",
    "private",
    "nodes",
    "namespace/b",
    "namespace/kube-system",
    "namespace/elsewhere",
    "198.51.100.0/24",
    "10.0.0.0/8",
];
const INGRESS: [&str; 4] = ["internet", "nodes", "192.168.0.0/16", "10.0.0.0/8"];
const PORTS: [&str; 5] = ["8080", "9000", "53/udp", "http", "metrics"];
/// Capabilities of a test; each is provided by at most one app.
const CAPABILITIES: [&str; 6] = ["ingress", "ingress/public", "sso", "metrics", "one", "two"];

/// One app of a random catalog.
#[derive(Debug, Clone)]
struct App {
    namespace: usize,
    selected: bool,
    api_server: bool,
    calls_back: bool,
    egress: BTreeSet<usize>,
    ingress: BTreeSet<usize>,
    ingress_ports: BTreeSet<usize>,
    webhooks: BTreeSet<usize>,
    wants: BTreeSet<usize>,
    /// Other apps by number; those that come before it can be required.
    requires: BTreeSet<usize>,
    /// Public, guarded, and the port of the pods where it is another one.
    ways: Vec<(bool, bool, Option<usize>)>,
    metrics: Option<BTreeSet<usize>>,
}

#[derive(Debug, Clone)]
struct Repository {
    apps: Vec<App>,
    /// Which app provides each capability; a number that is none means nobody.
    providers: Vec<usize>,
    plugin: usize,
    node_local_dns: bool,
}

fn some(below: usize, most: usize) -> impl Strategy<Value = BTreeSet<usize>> {
    prop::collection::btree_set(0..below, 0..=most)
}

fn app() -> impl Strategy<Value = App> {
    let way = (any::<bool>(), any::<bool>(), prop::option::of(0..PORTS.len()));
    (
        (0..NAMESPACES.len(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.3)),
        (some(EGRESS.len(), 2), some(INGRESS.len(), 1), some(PORTS.len(), 2), some(PORTS.len(), 1)),
        (some(CAPABILITIES.len(), 3), some(6, 1), vec(way, 0..3)),
        prop::option::of(some(PORTS.len(), 2)),
    )
        .prop_map(
            |(
                (namespace, selected, api_server, calls_back),
                (egress, ingress, ingress_ports, webhooks),
                (wants, requires, ways),
                metrics,
            )| App {
                namespace,
                selected,
                api_server,
                calls_back,
                egress,
                ingress,
                ingress_ports,
                webhooks,
                wants,
                requires,
                ways,
                metrics,
            },
        )
}

fn repository() -> impl Strategy<Value = Repository> {
    (vec(app(), 1..6), vec(0..7usize, CAPABILITIES.len()), 0..4usize, any::<bool>())
        .prop_map(|(apps, providers, plugin, node_local_dns)| Repository { apps, providers, plugin, node_local_dns })
}

fn pick(from: &[&str], numbers: &BTreeSet<usize>) -> Vec<String> {
    numbers.iter().map(|number| from[*number].to_owned()).collect()
}

fn ports(numbers: &BTreeSet<usize>) -> Vec<PodPort> {
    numbers.iter().map(|number| PodPort::parse(PORTS[*number]).unwrap()).collect()
}

impl Repository {
    fn provider(&self, capability: &str) -> Option<usize> {
        let at = CAPABILITIES.iter().position(|name| *name == capability).unwrap();
        Some(self.providers[at]).filter(|number| *number < self.apps.len())
    }

    fn required(number: usize, app: &App) -> impl Iterator<Item = usize> + '_ {
        app.requires.iter().copied().filter(move |other| *other < number)
    }

    fn plugin(&self) -> (&'static str, Plugin) {
        [("cilium", Plugin::Cilium), ("vpc", Plugin::Vpc), ("kindnet", Plugin::Kindnet), ("calico", Plugin::Overlay)]
            [self.plugin]
    }

    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::from([(
            "hlgen.yaml".to_owned(),
            "apiVersion: hlgen.dev/v1\nkind: Project\nname: random\ngit: { repoURL: https://git.example.com/o/r.git }\n".to_owned(),
        )]);
        let mut environment = format!(
            "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\nprovider: kind\ndomain: example.com\n\
             policies: {{ network: default-deny }}\nnetwork:\n  cni: {}\n  podCIDRs: [10.20.0.0/16]\n  \
             nodeCIDRs: [10.9.0.0/16]\n  apiServer: [10.9.0.2/32]\n",
            self.plugin().0
        );
        if self.node_local_dns {
            environment.push_str("  nodeLocalDNS: [169.254.20.10/32]\n");
        }
        environment.push_str("apps:\n");
        for (number, app) in self.apps.iter().enumerate() {
            writeln!(environment, "  app-{number}: {{}}").unwrap();
            files.insert(format!("catalog/app-{number}/app.yaml"), self.app(number, app));
        }
        files.insert("environments/dev/environment.yaml".into(), environment);
        files
    }

    fn app(&self, number: usize, app: &App) -> String {
        let mut text = format!(
            "apiVersion: hlgen.dev/v1\nkind: App\ndescription: x\n\
             chart: {{ repository: https://charts.example.com, name: x, version: 1.2.3 }}\nnamespace: {}\n",
            NAMESPACES[app.namespace]
        );
        let provided: Vec<&str> = CAPABILITIES.into_iter().filter(|name| self.provider(name) == Some(number)).collect();
        if !provided.is_empty() {
            text.push_str("provides:\n");
            for name in provided {
                let data = match name {
                    "ingress" | "ingress/public" => "{ className: traefik }",
                    "sso" => "{ forwardAuth: http://guard.example.com }",
                    "metrics" => "{ crds: [servicemonitors] }",
                    _ => "{}",
                };
                writeln!(text, "  {name}: {data}").unwrap();
            }
        }
        let required: Vec<String> = Self::required(number, app).map(|other| format!("release/app-{other}")).collect();
        writeln!(text, "requires: [{}]", required.join(", ")).unwrap();
        // One that nobody provides must be known, or it would be a mistake.
        let wanted = pick(&CAPABILITIES, &app.wants).into_iter();
        let wanted: Vec<String> = wanted.filter(|name| self.provider(name).is_some()).collect();
        writeln!(text, "wants: [{}]", wanted.join(", ")).unwrap();
        if !app.ways.is_empty() {
            text.push_str("expose:\n");
        }
        for (at, (public, guarded, target)) in app.ways.iter().enumerate() {
            let visibility = if *public { "public" } else { "internal" };
            let target = target.map_or_else(String::new, |port| format!(", targetPort: {}", target_port(port)));
            writeln!(
                text,
                "  - {{ name: way-{at}, service: x, port: {}, host: app-{number}-{at}, visibility: {visibility}, sso: {guarded}{target} }}",
                8100 + at
            )
            .unwrap();
        }
        if let Some(ports) = &app.metrics {
            writeln!(text, "metrics: {{ ports: [{}] }}", pick(&PORTS, ports).join(", ")).unwrap();
        }
        text.push_str("network:\n");
        writeln!(text, "  apiServer: {}\n  callsBack: {}", app.api_server, app.calls_back).unwrap();
        for (field, list) in [
            ("egress", pick(&EGRESS, &app.egress)),
            ("ingress", pick(&INGRESS, &app.ingress)),
            ("ingressPorts", pick(&PORTS, &app.ingress_ports)),
            ("webhooks", pick(&PORTS, &app.webhooks)),
        ] {
            writeln!(text, "  {field}: [{}]", list.join(", ")).unwrap();
        }
        if app.selected {
            writeln!(text, "  podSelector: {{ app: app-{number} }}").unwrap();
        }
        text
    }

    fn world(&self) -> World {
        let one = |(number, app): (usize, &App)| {
            let wanted = app.wants.iter().filter_map(|at| self.provider(CAPABILITIES[*at]));
            let ways = app.ways.iter().enumerate().filter_map(|(at, (public, guarded, target))| {
                let carrier = if *public { self.provider("ingress/public") } else { None };
                let port = match target {
                    Some(port) => PodPort::parse(target_port(*port)).unwrap(),
                    None => PodPort::new(8100 + at as u16, Transport::Tcp),
                };
                let guard = if *guarded { self.provider("sso") } else { None };
                Some((carrier.or_else(|| self.provider("ingress"))?, port, guard))
            });
            let named = app.wants.iter().any(|at| CAPABILITIES[*at] == "metrics");
            let fetched = self.provider("metrics").filter(|_| named || app.metrics.is_some());
            let selector = BTreeMap::from([("app".to_owned(), format!("app-{number}"))]);
            Declared {
                name: format!("app-{number}"),
                namespace: NAMESPACES[app.namespace].into(),
                selector: if app.selected { selector } else { BTreeMap::new() },
                api_server: app.api_server,
                egress: pick(&EGRESS, &app.egress),
                ingress: pick(&INGRESS, &app.ingress),
                ingress_ports: ports(&app.ingress_ports),
                webhooks: ports(&app.webhooks),
                calls_back: app.calls_back,
                uses: wanted.chain(Self::required(number, app)).collect(),
                ways: ways.collect(),
                metrics: fetched.map(|stack| (stack, app.metrics.as_ref().map(ports).unwrap_or_default())),
            }
        };
        let outside =
            |place, address: &str, identities| Outside { place, address: address.parse().unwrap(), identities };
        World {
            releases: self.apps.iter().enumerate().map(one).collect(),
            plugin: self.plugin().1,
            api_server: 6443,
            shared_range: false,
            pods: "10.20.3",
            outside: vec![
                outside(Place::Node, "10.9.0.5", &["remote-node"]),
                outside(Place::ApiServer, "10.9.0.2", &["kube-apiserver", "remote-node"]),
                outside(Place::World, "198.51.100.7", &["world"]),
                outside(Place::Private, "192.168.9.9", &["world"]),
                outside(Place::Metadata, "169.254.169.254", &["world"]),
            ],
            node_local_dns: self.node_local_dns.then(|| "169.254.20.10".parse().unwrap()),
        }
    }
}

/// Ways in here are HTTP, so their ports are TCP's.
fn target_port(port: usize) -> &'static str {
    PORTS[port].trim_end_matches("/udp")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn policies_allow_what_is_declared_and_nothing_else(repository in repository()) {
        let mut memory = Memory::new();
        let files = repository.files();
        for (path, text) in &files {
            memory.insert(path.as_str(), text.as_bytes());
        }
        let workspace = Workspace::of(Path::new(""), memory);
        let outcome = render(&workspace, &Selection::default(), Delivery::Files, Target::Collect).unwrap();
        let errors: Vec<_> = outcome.findings.iter().filter(|finding| finding.level == Level::Error).collect();
        prop_assert!(errors.is_empty(), "{errors:?}\n{files:#?}");
        let namespaces = outcome.files.iter().filter(|file| file.path.starts_with("dev/namespaces/"));
        let is_cilium = repository.plugin().1 == Plugin::Cilium;
        let cluster = Cluster::of_texts(namespaces.map(|file| file.text.as_str()), is_cilium);
        let wrong = repository.world().differences(&cluster);
        prop_assert!(wrong.is_empty(), "{}\n{:#?}", wrong.join("\n"), files);
    }
}
