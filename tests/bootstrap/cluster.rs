//! A cluster that is not there: `kubectl`, `helm` and `hlgen` of ours in front of the PATH write down what the real script
//! asks of them, and answer as a cluster would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::support::{self, case::Case};

const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
current-context: other
clusters:
  - { name: home, cluster: { server: 'https://10.0.0.1:6443' } }
  - { name: laptop, cluster: { server: 'https://127.0.0.1:6443', certificate-authority-data: bGFwdG9w } }
users:
  - { name: me, user: { token: the-token-of-a-person } }
contexts:
  - { name: home, context: { cluster: home, user: me, namespace: elsewhere } }
  - { name: laptop, context: { cluster: laptop, user: me } }
  - { name: other, context: { cluster: laptop, user: me } }
";

/// What Kubernetes itself serves, as far as the charts of the tests use it.
const KINDS: &str = "\
v1/ConfigMap
v1/Namespace
v1/Secret
v1/Service
v1/ServiceAccount
v1/ResourceQuota
v1/LimitRange
apps/v1/Deployment
apps/v1/DaemonSet
apps/v1/StatefulSet
batch/v1/Job
networking.k8s.io/v1/Ingress
networking.k8s.io/v1/NetworkPolicy
policy/v1/PodDisruptionBudget
rbac.authorization.k8s.io/v1/ClusterRoleBinding
scheduling.k8s.io/v1/PriorityClass
storage.k8s.io/v1/StorageClass
";

/// The state of the cluster, and the tools in front of it.
pub(crate) struct Cluster {
    folder: TempDir,
}

/// How a script ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    /// Both streams.
    pub(crate) said: String,
}

impl Cluster {
    /// `None` where there is no kubectl: what needs no server is done by the real one.
    pub(crate) fn new() -> Option<Self> {
        let real = support::tool("kubectl")?;
        let cluster = Self { folder: tempfile::tempdir().unwrap() };
        for folder in
            ["bin", "tmp", "fake/applied", "fake/values", "fake/charts", "fake/jobs", "fake/pods", "fake/secrets"]
        {
            fs::create_dir_all(cluster.folder.path().join(folder)).unwrap();
        }
        cluster.tool("kubectl", &format!("REAL_KUBECTL='{}'\n{}", real.display(), include_str!("kubectl.sh")));
        cluster.tool("helm", include_str!("helm.sh"));
        cluster.tool("hlgen", include_str!("hlgen.sh"));
        cluster.set("kinds", KINDS);
        cluster.set("pending", "");
        cluster.set("status", "x|Synced|Healthy|Succeeded\n");
        fs::write(cluster.folder.path().join("kubeconfig"), KUBECONFIG).unwrap();
        Some(cluster)
    }

    fn tool(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.path().join("bin").join(name);
        let text = if text.starts_with("#!") { text.to_owned() } else { format!("#!/usr/bin/env bash\n{text}") };
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The real helm instead of ours.
    pub(crate) fn with_real_helm(self, helm: &Path) -> Self {
        self.tool(
            "helm",
            &format!("printf 'helm %s\\n' \"$1 $2\" >> \"$FAKE/log\"\nexec '{}' \"$@\"\n", helm.display()),
        );
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Sets a part of the state.
    pub(crate) fn set(&self, path: &str, text: &str) {
        fs::write(self.path("fake").join(path), text).unwrap();
    }

    /// A part of the state; empty where there is none.
    pub(crate) fn get(&self, path: &str) -> String {
        fs::read_to_string(self.path("fake").join(path)).unwrap_or_default()
    }

    pub(crate) fn forget(&self) {
        self.set("log", "");
    }

    pub(crate) fn log(&self) -> String {
        self.get("log")
    }

    /// Where in the log the first line stands that holds all these words.
    pub(crate) fn at(&self, words: &[&str]) -> usize {
        let log = self.log();
        let found = log.lines().position(|line| words.iter().all(|word| line.contains(word)));
        found.unwrap_or_else(|| panic!("no line with {words:?} in\n{log}"))
    }

    /// Asserts that lines with these words stand in the log in this order.
    pub(crate) fn in_order(&self, lines: &[&[&str]]) {
        let log = self.log();
        let mut rest = log.lines();
        for words in lines {
            let found = rest.any(|line| words.iter().all(|word| line.contains(word)));
            assert!(found, "no line with {words:?}, or not in this order:\n{log}");
        }
    }

    /// Everything that was applied, in order.
    pub(crate) fn applied(&self) -> String {
        let all = support::case::tree(&self.path("fake/applied"));
        all.values().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    /// Runs a script in a folder, with what a person types.
    pub(crate) fn run(&self, folder: &Path, script: &str, arguments: &[&str], typed: &str) -> Run {
        self.run_with(folder, script, arguments, typed, &[])
    }

    pub(crate) fn run_with(
        &self,
        folder: &Path,
        script: &str,
        arguments: &[&str],
        typed: &str,
        variables: &[(&str, &str)],
    ) -> Run {
        use std::io::Write as _;
        let file = self.path("script.sh");
        fs::write(&file, script).unwrap();
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let out = fs::File::create(self.path("said")).unwrap();
        let mut child = Command::new("bash")
            .arg(&file)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("tmp/.."))
            .env("FAKE", self.path("fake"))
            .env("TMPDIR", self.path("tmp"))
            .env("KUBECONFIG", self.path("kubeconfig"))
            .envs([("BOOTSTRAP_PAUSE", "0"), ("BOOTSTRAP_TIMEOUT", "3"), ("BOOTSTRAP_TRIES", "4")])
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        // Who does not read what is typed has ended before; that is no failure of the test.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        let code = child.wait().unwrap().code().unwrap_or(-1);
        let said = fs::read_to_string(self.path("said")).unwrap();
        let left: Vec<_> = fs::read_dir(self.path("tmp")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "the script left {left:?} behind");
        Run { code, said }
    }
}

/// The script of a repository.
pub(crate) fn script(case: &Case, arguments: &[&str]) -> String {
    let all: Vec<&str> = ["bootstrap"].iter().chain(arguments).chain(&["--script"]).copied().collect();
    let outcome = case.run(&all);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    outcome.stdout
}

/// The steps of a repository.
pub(crate) fn steps(case: &Case, arguments: &[&str]) -> serde_json::Value {
    let all: Vec<&str> = ["bootstrap"].iter().chain(arguments).chain(&["--format", "json"]).copied().collect();
    let outcome = case.run(&all);
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap()
}
