//! A small Gitea of ours: its API in memory, its Git by `git http-backend`, its webhooks by real requests. Every request
//! and every answer of the API is held against [`Contract`]; a fault is answered with 500 and fails the run.
//!
//! It knows what the suite and the client ask, as Gitea answers it, and no more.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};

use super::Host;
use super::api::Api;
use super::contract::Contract;

pub(crate) struct Server {
    pub api: Api,
    contract: Option<Contract>,
}

/// Starts the stand-in in a thread of this process.
pub(crate) fn start() -> Host {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // The folder of repositories stays until the machine tidies up: the thread never ends.
    let root = tempfile::tempdir().unwrap().keep();
    let token = "0a".repeat(20);
    let server = Arc::new(Server { api: Api::new(url.clone(), root, &token), contract: Contract::load() });
    std::thread::spawn(move || {
        runtime.block_on(async {
            let app = axum::Router::new().fallback(move |request: Request| {
                let server = Arc::clone(&server);
                async move {
                    let (parts, body) = request.into_parts();
                    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
                    let work =
                        move || server.answer(parts.method.as_str(), &parts.uri.to_string(), &parts.headers, &body);
                    tokio::task::spawn_blocking(work).await.unwrap()
                }
            });
            axum::serve(listener, app).await.unwrap();
        });
    });
    Host { name: "stand-in", url, token }
}

impl Server {
    fn answer(&self, method: &str, uri: &str, headers: &HeaderMap, body: &[u8]) -> Response<Body> {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
        match path.strip_prefix("/api/v1") {
            Some(path) => self.api(method, path, query, authorization, body),
            None => self.git(method, path, query, headers, authorization, body),
        }
    }

    fn api(&self, method: &str, path: &str, query: &str, authorization: Option<&str>, body: &[u8]) -> Response<Body> {
        let fault = |wrong: String| {
            eprintln!("contract: {wrong}");
            let text = serde_json::json!({ "message": format!("contract: {wrong}") }).to_string();
            Response::builder().status(500).body(Body::from(text)).unwrap()
        };
        let operation = match self.contract.as_ref().map(|contract| contract.request(method, path, query, body)) {
            Some(Err(wrong)) => return fault(wrong),
            Some(Ok(operation)) => Some(operation),
            None => None,
        };
        let answer = self.api.handle(method, path, query, authorization, body);
        if let Some(Err(wrong)) = operation.map(|operation| operation.answer(answer.status, &answer.body)) {
            return fault(wrong);
        }
        let mut response = Response::builder().status(answer.status).header("content-type", "application/json");
        if let Some(total) = answer.total {
            response = response.header("x-total-count", total);
        }
        let text = if answer.body.is_null() { String::new() } else { answer.body.to_string() };
        response.body(Body::from(text)).unwrap()
    }

    /// Git over HTTP, as a CGI program.
    fn git(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        authorization: Option<&str>,
        body: &[u8],
    ) -> Response<Body> {
        let plain =
            |status: u16, text: &str| Response::builder().status(status).body(Body::from(text.to_owned())).unwrap();
        let login = match self.api.who(authorization) {
            Ok(Some(login)) => login,
            _ => {
                let response = Response::builder().status(401).header("www-authenticate", "Basic realm=\"Gitea\"");
                return response.body(Body::from("Unauthorized")).unwrap();
            }
        };
        let is_push = path.ends_with("/git-receive-pack") || query.contains("git-receive-pack");
        let Some(name) = path.split_once(".git/").map(|(name, _)| name.trim_start_matches('/').to_owned()) else {
            return plain(404, "Not found.");
        };
        if !self.api.may(&login, &name, is_push) {
            return plain(404, "Not found.");
        }
        let header =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let mut backend = Command::new("git");
        backend
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", self.api.root())
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("REQUEST_METHOD", method)
            .env("REMOTE_USER", &login)
            .env("REMOTE_ADDR", "127.0.0.1")
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
            .env("GIT_PROTOCOL", header("git-protocol"));
        let mut child = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = body.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap().stdout;
        let _ = writer.join().unwrap();
        if path.ends_with("/git-receive-pack") {
            self.api.pushed(&name);
        }
        let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(output.len());
        let mut response = Response::builder();
        for line in String::from_utf8_lossy(&output[..end]).lines() {
            let (name, value) = line.split_once(": ").unwrap();
            response = match name {
                "Status" => response.status(value.split(' ').next().unwrap().parse::<u16>().unwrap()),
                _ => response.header(name, value),
            };
        }
        response.body(Body::from(output.get(end + 4..).unwrap_or_default().to_vec())).unwrap()
    }
}

/// Runs Git in a folder; what it prints, or nothing where it fails.
pub(crate) fn git(folder: &PathBuf, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Gitea", "-c", "user.email=gitea@example.test"]).args(arguments);
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").current_dir(folder);
    let output = command.stderr(Stdio::null()).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
}
