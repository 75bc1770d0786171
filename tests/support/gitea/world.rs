//! What a test needs of a server, made through its API with names nobody else has: users with tokens, repositories with
//! a project in them, branches by real pushes, waits with an end.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hlgen::io::gitea::{Comment, CommitStatus, Gitea, NewPull, NewRepository, Pull, RepoName, Settings, Token};
use serde_json::{Value, json};

use super::Host;

pub(crate) fn unique(what: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    format!("{what}-{:x}-{}", time & 0xfff_ffff_ffff, NUMBER.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn token(text: &str) -> Token {
    Token::new(text, "the test").unwrap()
}

impl Host {
    pub(crate) fn client(&self, token_text: &str) -> Gitea {
        let mut settings = Settings::new(&self.url, Some(token(token_text)));
        settings.backoff = Duration::from_millis(20);
        Gitea::new(&settings).unwrap()
    }

    /// A call that the client does not know; gives status and body.
    pub(crate) fn call(&self, method: &str, path: &str, authorization: &str, body: Option<&Value>) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/api/v1{path}", self.url))
            .header("authorization", authorization)
            .header("content-type", "application/json");
        let mut response = match body {
            Some(body) => agent.run(request.body(body.to_string()).unwrap()).unwrap(),
            None => agent.run(request.body(()).unwrap()).unwrap(),
        };
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// As the administrator.
    pub(crate) fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.call(method, path, &format!("token {}", self.token), body)
    }

    /// A new user with a token of these scopes.
    pub(crate) fn user(&self, what: &str, scopes: &[&str]) -> Person<'_> {
        use base64::Engine as _;
        let login = unique(what);
        let body = json!({ "username": login, "email": format!("{login}@example.test"), "password": "correct-horse-battery",
                           "must_change_password": false });
        let (status, answer) = self.admin("POST", "/admin/users", Some(&body));
        assert_eq!(status, 201, "{answer}");
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{login}:correct-horse-battery"));
        let person =
            |token: String| Person { host: self, login: login.clone(), token, basic: format!("Basic {basic}") };
        let mut person = person(String::new());
        person.token = person.new_token(scopes);
        person
    }
}

/// A user of a server.
pub(crate) struct Person<'a> {
    pub host: &'a Host,
    pub login: String,
    pub token: String,
    basic: String,
}

impl Person<'_> {
    pub(crate) fn new_token(&self, scopes: &[&str]) -> String {
        let path = format!("/users/{}/tokens", self.login);
        let body = json!({ "name": unique("token"), "scopes": scopes });
        let (status, answer) = self.host.call("POST", &path, &self.basic, Some(&body));
        assert_eq!(status, 201, "{answer}");
        answer["sha1"].as_str().unwrap().to_owned()
    }

    pub(crate) fn client(&self) -> Gitea {
        self.host.client(&self.token)
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.host.call(method, path, &format!("token {}", self.token), body)
    }

    /// A private repository of this user with `files` on `main`.
    pub(crate) fn repository(&self, files: &[(&str, &str)]) -> Work<'_> {
        let new = NewRepository {
            name: unique("repo"),
            private: true,
            default_branch: "main".to_owned(),
            ..Default::default()
        };
        self.client().create_repository(&self.login, true, &new).unwrap();
        let name = RepoName::parse(&format!("{}/{}", self.login, new.name)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let work = Work { person: self, name, folder };
        work.git(&["init", "-q", "-b", "main"]);
        work.commit(files);
        assert!(work.push("main").status.success());
        work
    }
}

/// A repository of somebody's and a clone of it.
pub(crate) struct Work<'a> {
    pub person: &'a Person<'a>,
    pub name: RepoName,
    folder: tempfile::TempDir,
}

impl Work<'_> {
    pub(crate) fn try_git(&self, arguments: &[&str]) -> Output {
        let header = format!("http.extraHeader=Authorization: token {}", self.person.token);
        let mut command = Command::new("git");
        command.args(["-c", &header, "-c", "user.name=Tester", "-c", "user.email=tester@example.test"]);
        command.args(["-c", "commit.gpgsign=false", "-c", "protocol.version=2"]).args(arguments);
        command.current_dir(self.folder.path()).env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.try_git(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Writes files and commits them; gives the commit.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            let path: PathBuf = self.folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn push(&self, branch: &str) -> Output {
        let url = format!("{}/{}.git", self.person.host.url, self.name);
        self.try_git(&["push", "-q", &url, &format!("HEAD:refs/heads/{branch}")])
    }

    /// A new branch from `main` with a change, pushed.
    pub(crate) fn branch(&self, branch: &str, files: &[(&str, &str)]) -> String {
        self.git(&["checkout", "-q", "-B", branch, "main"]);
        let commit = self.commit(files);
        let output = self.push(branch);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        commit
    }

    /// A pull request of such a branch.
    pub(crate) fn pull(&self, branch: &str, files: &[(&str, &str)]) -> Pull {
        self.branch(branch, files);
        self.open(branch)
    }

    pub(crate) fn open(&self, branch: &str) -> Pull {
        let new =
            NewPull { title: branch.to_owned(), head: branch.to_owned(), base: "main".to_owned(), body: String::new() };
        self.person.client().create_pull(&self.name, &new).unwrap()
    }

    /// Lets somebody write to the repository.
    pub(crate) fn invite(&self, login: &str) {
        let path = format!("/repos/{}/collaborators/{login}", self.name);
        let (status, answer) = self.person.call("PUT", &path, Some(&json!({ "permission": "write" })));
        assert_eq!(status, 204, "{answer}");
    }

    /// What the bot has left: its comments, and the newest status of a commit.
    pub(crate) fn left(&self, login: &str, number: u64, head: &str) -> (Vec<Comment>, Option<CommitStatus>) {
        let client = self.person.client();
        let ours = |comment: &Comment| comment.user.as_ref().is_some_and(|user| user.login == login);
        // The status is written last, so it is read first: what it speaks of is there when the comments are read.
        let status = client.statuses(&self.name, head).unwrap().into_iter().find(|status| status.context == "hlgen");
        let comments = client.comments(&self.name, number).unwrap().into_iter().filter(ours).collect();
        (comments, status)
    }
}

/// Asks until there is an answer, for a minute.
pub(crate) fn wait<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "waited for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
