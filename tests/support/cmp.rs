//! What `argocd-cmp-server` does with a plugin, without Argo CD (argocd.md sections 1.3 to 1.5).
//!
//! A request copies the repository into a fresh folder with a random name, runs the command of `plugin.yaml` there
//! without a shell, with that environment and nothing on stdin, kills its process group at the deadline, and takes
//! stdout apart. The sidecar's own environment is empty, which is the least that a container has.

use std::fs;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize as _;
use serde_json::Value;

/// A sidecar with its plugin.
pub(crate) struct Sidecar {
    /// Stands for `/tmp` of the container.
    folder: tempfile::TempDir,
    argv: Vec<String>,
}

/// What Argo CD asks of the plugin.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `ARGOCD_APP_PARAMETERS`; not set where there is no plugin block.
    pub parameters: Option<String>,
    /// `source.path`.
    pub path: String,
    /// The Application's instance name: `namespace_name` where it lies outside of Argo CD's namespace.
    pub name: String,
    pub variables: Vec<(String, String)>,
    pub deadline: Duration,
    /// The container's user.
    pub uid: Option<u32>,
    /// Arguments behind those of `plugin.yaml`.
    pub more: Vec<String>,
}

/// What Argo CD gets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    /// The manifests, or the error that the UI shows.
    pub result: Result<Vec<Value>, String>,
    pub stdout: String,
    pub stderr: String,
    /// The folder that the repository lay in.
    pub folder: PathBuf,
    pub took: Duration,
}

impl Request {
    /// A request with parameters, all of them texts.
    pub(crate) fn with(parameters: &[(&str, &str)]) -> Self {
        let list: Vec<Value> =
            parameters.iter().map(|(name, value)| serde_json::json!({ "name": name, "string": value })).collect();
        Self { parameters: Some(Value::from(list).to_string()), ..Self::bare() }
    }

    /// A request without a plugin block.
    pub(crate) fn bare() -> Self {
        Self {
            parameters: None,
            path: ".".to_owned(),
            name: "app".to_owned(),
            variables: Vec::new(),
            deadline: Duration::from_secs(60),
            uid: None,
            more: Vec::new(),
        }
    }

    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(crate) fn arguments(mut self, more: &[&str]) -> Self {
        self.more = more.iter().map(|argument| (*argument).to_owned()).collect();
        self
    }
}

impl Sidecar {
    /// A sidecar with a `plugin.yaml`; `program` stands where the container's image has the binary.
    pub(crate) fn new(plugin_yaml: &str, program: &Path) -> Self {
        let plugin: Value = serde_yaml::from_str(plugin_yaml).unwrap();
        assert_eq!(plugin["kind"], "ConfigManagementPlugin");
        assert_ne!(plugin["metadata"]["name"], Value::Null);
        assert_eq!(plugin["spec"]["discover"], Value::Null, "a rule would cost a second copy of the repository");
        let texts = |pointer: &str| -> Vec<String> {
            let list = plugin.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
            list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let mut argv = texts("/spec/generate/command");
        argv.extend(texts("/spec/generate/args"));
        assert!(argv[0].starts_with('/'), "the container has no PATH to search");
        program.to_str().unwrap().clone_into(&mut argv[0]);
        let folder = tempfile::Builder::new().prefix("cmp-").tempdir().unwrap();
        open_to_all(folder.path(), 0o755);
        Self { folder, argv }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// One `GenerateManifest`.
    pub(crate) fn generate(&self, repository: &Path, request: &Request) -> Reply {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let folder = self.folder.path().join(format!("_cmp_server/{nanos:032x}-{count}"));
        unpack(repository, &folder);
        let cwd = folder.join(&request.path);
        let start = Instant::now();
        let mut command = Command::new(&self.argv[0]);
        command
            .args(&self.argv[1..])
            .args(&request.more)
            .current_dir(&cwd)
            .env_clear()
            .envs(environment(request))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if let Some(uid) = request.uid {
            command.uid(uid).gid(uid);
        }
        let mut child = command.spawn().unwrap();
        let out = collect(child.stdout.take().unwrap());
        let err = collect(child.stderr.take().unwrap());
        let ended = wait(&mut child, start + request.deadline);
        // The request returns when everybody who holds stdout has closed it.
        let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
        let took = start.elapsed();
        fs::remove_dir_all(&folder).unwrap();
        let line = format!("`{} {}`", self.argv.join(" "), request.more.join(" "));
        let result = match ended {
            None => Err(format!("{line} failed timeout after {:?}", request.deadline)),
            Some(status) if status.success() => split(&stdout),
            Some(status) => {
                let cause = status.code().map_or_else(
                    || format!("signal: {}", status.signal().unwrap_or_default()),
                    |code| format!("exit status {code}"),
                );
                Err(format!("{line} failed {cause}: {}", stderr.trim()))
            }
        };
        Reply { result, stdout, stderr, folder, took }
    }
}

fn environment(request: &Request) -> Vec<(String, String)> {
    let fixed = [
        ("ARGOCD_APP_NAME", request.name.as_str()),
        ("ARGOCD_APP_NAMESPACE", "default"),
        ("ARGOCD_APP_PROJECT_NAME", "default"),
        ("ARGOCD_APP_REVISION", "0123456789abcdef0123456789abcdef01234567"),
        ("ARGOCD_APP_REVISION_SHORT", "0123456"),
        ("ARGOCD_APP_REVISION_SHORT_8", "01234567"),
        ("ARGOCD_APP_SOURCE_REPO_URL", "https://git.example.com/ops/test.git"),
        ("ARGOCD_APP_SOURCE_PATH", request.path.as_str()),
        ("ARGOCD_APP_SOURCE_TARGET_REVISION", "main"),
        ("KUBE_VERSION", "1.34.0"),
        ("KUBE_API_VERSIONS", "v1,apps/v1,apps/v1/Deployment"),
    ];
    let mut all: Vec<(String, String)> =
        fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    if let Some(parameters) = &request.parameters {
        all.push(("ARGOCD_APP_PARAMETERS".to_owned(), parameters.clone()));
        let list: Option<Vec<Value>> = serde_json::from_str(parameters).unwrap_or_default();
        for parameter in list.into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default().to_uppercase();
            let value = parameter["string"].as_str().unwrap_or("something else").to_owned();
            all.push((format!("PARAM_{name}"), format!("not-{value}")));
        }
    }
    all.extend(request.variables.iter().cloned());
    all
}

/// Unpacks what the tarball holds: files, folders and links, none of their modes.
fn unpack(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            unpack(&entry.path(), &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).unwrap();
            open_to_all(&target, 0o644);
        }
    }
    open_to_all(to, 0o755);
}

fn open_to_all(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn collect(mut pipe: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).expect("what a plugin prints is text")
    })
}

/// Waits until the deadline; then the child is killed at once and its group is asked to end, and killed after a while.
fn wait(child: &mut Child, deadline: Instant) -> Option<std::process::ExitStatus> {
    let id = child.id();
    let group = |signal: &str| {
        let _ = Command::new("kill").args([signal, "--", &format!("-{id}")]).stderr(Stdio::null()).status();
    };
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            // Daemons of a plugin end with the request.
            group("-TERM");
            return Some(status);
        }
        if Instant::now() >= deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            group("-TERM");
            group("-KILL");
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Takes stdout apart as Argo CD does: JSON where it begins with a brace, else YAML documents; each an object with a kind,
/// lists flattened.
pub(crate) fn split(stdout: &str) -> Result<Vec<Value>, String> {
    let text = stdout.strip_suffix('\n').unwrap_or(stdout);
    let documents: Vec<Value> = if text.trim_start().starts_with('{') {
        serde_json::Deserializer::from_str(text)
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?
    } else {
        let mut parts = vec![String::new()];
        for line in text.lines() {
            match line.strip_prefix("---") {
                Some(rest) if rest.trim().is_empty() || rest.trim_start().starts_with('#') => parts.push(String::new()),
                Some(_) => return Err(format!("invalid Yaml document separator: {line}")),
                None => {
                    let part = parts.last_mut().unwrap();
                    part.push_str(line);
                    part.push('\n');
                }
            }
        }
        let parse = |part: &String| -> Result<Value, String> {
            let value = serde_yaml::Value::deserialize(serde_yaml::Deserializer::from_str(part));
            serde_json::to_value(value.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
        };
        parts.iter().map(parse).collect::<Result<_, _>>()?
    };
    let mut objects = Vec::new();
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        let Some(kind) = document.get("kind").and_then(Value::as_str) else {
            return Err("Object 'Kind' is missing".to_owned());
        };
        match document.get("items").and_then(Value::as_array).filter(|_| kind.ends_with("List")) {
            Some(items) => objects.extend(items.iter().cloned()),
            None => objects.push(document),
        }
    }
    Ok(objects)
}
