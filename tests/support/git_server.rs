//! A real Git server over HTTP: `git http-backend` behind lighttpd, with basic authentication, hooks and TLS.
//!
//! It listens on a free port of this machine and ends with its value. Repositories lie in its folder, so that a test can
//! ask Git itself what became of them.
#![allow(clippy::disallowed_methods, reason = "the server's folder is made and read here")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::tool;

pub(crate) const USER: &str = "hlgen";
pub(crate) const TOKEN: &str = "s3cr3t-t0ken-0123456789abcdef0123456789";

pub(crate) struct GitServer {
    folder: tempfile::TempDir,
    child: Child,
    port: u16,
    scheme: &'static str,
}

/// Certificate chain and key in PEM, both in one text.
pub(crate) struct Tls {
    pub(crate) pem: String,
}

impl GitServer {
    /// Starts a server without TLS; `None` where lighttpd is missing.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(None, "")
    }

    pub(crate) fn start_tls(tls: &Tls) -> Option<Self> {
        Self::start_with(Some(tls), "")
    }

    /// Starts a server with more lines of lighttpd's configuration.
    pub(crate) fn start_with(tls: Option<&Tls>, more: &str) -> Option<Self> {
        let lighttpd = tool("lighttpd")?;
        let folder = tempfile::Builder::new().prefix("hlgen-git-server-").tempdir().unwrap();
        fs::create_dir(folder.path().join("repos")).unwrap();
        fs::write(folder.path().join("htpasswd"), format!("{USER}:{TOKEN}\n")).unwrap();
        if let Some(tls) = tls {
            fs::write(folder.path().join("tls.pem"), &tls.pem).unwrap();
        }
        // Somebody else may take the port between the two steps.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            fs::write(folder.path().join("lighttpd.conf"), configuration(folder.path(), port, tls.is_some(), more))
                .unwrap();
            let log = fs::File::create(folder.path().join("log")).unwrap();
            let mut child = Command::new(&lighttpd)
                .args(["-D", "-f"])
                .arg(folder.path().join("lighttpd.conf"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(10) {
                if let Some(status) = child.try_wait().unwrap() {
                    let log = fs::read_to_string(folder.path().join("log")).unwrap();
                    assert!(log.contains("in use"), "lighttpd ended with {status}: {log}");
                    break;
                }
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    let scheme = if tls.is_some() { "https" } else { "http" };
                    return Some(Self { folder, child, port, scheme });
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("lighttpd does not listen: {}", fs::read_to_string(folder.path().join("log")).unwrap());
    }

    /// Makes an empty repository `ops/<name>.git` with the default branch `main`.
    pub(crate) fn repository(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join("repos/ops").join(format!("{name}.git"));
        git(self.folder.path(), &["init", "-q", "--bare", "--initial-branch=main", path.to_str().unwrap()]);
        path
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}://127.0.0.1:{}/git/ops/{name}.git", self.scheme, self.port)
    }

    /// The same with a user and the token, for Git itself.
    pub(crate) fn url_with_token(&self, name: &str) -> String {
        format!("{}://{USER}:{TOKEN}@127.0.0.1:{}/git/ops/{name}.git", self.scheme, self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What was asked of the server, one line each. lighttpd keeps them for a while, and writes them when asked to
    /// open its log anew.
    pub(crate) fn requests(&self) -> String {
        let _ = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status();
        std::thread::sleep(Duration::from_millis(300));
        fs::read_to_string(self.folder.path().join("access")).unwrap_or_default()
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Puts a hook into a repository.
pub(crate) fn hook(repository: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = repository.join("hooks").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Written beside and renamed: another test's fork may hold the file open, and then it cannot be run.
    let new = path.with_extension("new");
    fs::write(&new, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(new, path).unwrap();
}

/// Runs Git with nothing of the user's; a failure fails the test.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = git_command(folder, arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

pub(crate) fn git_command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "init.defaultBranch=main"])
        .args(["-c", "http.sslVerify=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::null());
    command
}

fn configuration(folder: &Path, port: u16, tls: bool, more: &str) -> String {
    let exec_path = Command::new("git").arg("--exec-path").output().unwrap().stdout;
    let backend = format!("{}/git-http-backend", String::from_utf8(exec_path).unwrap().trim());
    let at = folder.display();
    let (tls_module, tls_lines) = if tls {
        (", \"mod_openssl\"", format!("ssl.engine = \"enable\"\nssl.pemfile = \"{at}/tls.pem\"\n"))
    } else {
        ("", String::new())
    };
    format!(
        r#"server.modules = ("mod_accesslog", "mod_redirect", "mod_auth", "mod_authn_file", "mod_setenv", "mod_alias", "mod_cgi"{tls_module})
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{at}"
server.upload-dirs = ("{at}")
accesslog.filename = "{at}/access"
accesslog.format = "%m %U%q %s %u"
{tls_lines}{more}
$HTTP["url"] =~ "^/git/" {{
  alias.url = ("/git/" => "{backend}/")
  cgi.assign = ("" => "")
  setenv.set-environment = ("GIT_PROJECT_ROOT" => "{at}/repos", "GIT_HTTP_EXPORT_ALL" => "1", "HOME" => "{at}")
  auth.backend = "plain"
  auth.backend.plain.userfile = "{at}/htpasswd"
  auth.require = ("" => ("method" => "basic", "realm" => "Gitea", "require" => "valid-user"))
}}
"#
    )
}
