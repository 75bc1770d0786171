//! The stand-in's API: what Gitea remembers, in memory, and its repositories as bare ones below a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use base64::Engine as _;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};

use super::stand_in::git;

pub(crate) struct Answer {
    pub status: u16,
    pub body: Value,
    pub total: Option<usize>,
}

pub(crate) struct Api {
    url: String,
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Login -> (id, password).
    users: BTreeMap<String, (i64, String)>,
    organizations: BTreeMap<String, String>,
    /// Token -> (login, scopes).
    tokens: BTreeMap<String, (String, Vec<String>)>,
    /// By `owner/name` in lower case.
    repositories: BTreeMap<String, Repository>,
    last: i64,
}

#[derive(Default, Clone)]
struct Repository {
    id: i64,
    name: String,
    private: bool,
    default_branch: String,
    writers: Vec<String>,
    rules: Vec<Value>,
    hooks: Vec<Value>,
    secrets: BTreeMap<i64, String>,
    pulls: Vec<Pull>,
    comments: Vec<(u64, Value)>,
    statuses: Vec<(String, Value)>,
}

#[derive(Clone)]
struct Pull {
    number: u64,
    title: String,
    body: String,
    open: bool,
    merged: bool,
    author: String,
    base: String,
    head: String,
    head_repository: String,
    sha: String,
}

fn ok(status: u16, body: Value) -> Answer {
    Answer { status, body, total: None }
}

fn fail(status: u16, message: &str) -> Answer {
    ok(status, json!({ "message": message, "url": "http://127.0.0.1/api/swagger" }))
}

/// A page of a list, as Gitea cuts it.
fn page(all: Vec<Value>, query: &str) -> Answer {
    let number = |name: &str, default: usize| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        pair.and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let (page, limit, total) = (number("page", 1).max(1), number("limit", 30).clamp(1, 50), all.len());
    let body: Vec<Value> = all.into_iter().skip((page - 1) * limit).take(limit).collect();
    Answer { status: 200, body: json!(body), total: Some(total) }
}

impl Api {
    pub(crate) fn new(url: String, root: PathBuf, token: &str) -> Self {
        let mut state = State { last: 1, ..State::default() };
        state.users.insert("root".to_owned(), (1, String::new()));
        state.tokens.insert(token.to_owned(), ("root".to_owned(), vec!["all".to_owned()]));
        Self { url, root, state: Mutex::new(state) }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whose credentials these are; wrong ones are an error, none are nobody's.
    pub(crate) fn who(&self, authorization: Option<&str>) -> Result<Option<String>, ()> {
        Ok(self.scoped(authorization)?.map(|(login, _)| login))
    }

    fn scoped(&self, authorization: Option<&str>) -> Result<Option<(String, Vec<String>)>, ()> {
        let Some((scheme, value)) = authorization.and_then(|value| value.split_once(' ')) else { return Ok(None) };
        let state = self.lock();
        if scheme.eq_ignore_ascii_case("token") || scheme.eq_ignore_ascii_case("bearer") {
            return state.tokens.get(value).cloned().map(Some).ok_or(());
        }
        let text = base64::engine::general_purpose::STANDARD.decode(value).map_err(drop)?;
        let text = String::from_utf8(text).map_err(drop)?;
        let (login, password) = text.split_once(':').ok_or(())?;
        if let Some(found) = state.tokens.get(password) {
            return Ok(Some(found.clone()));
        }
        let is_right = state.users.get(login).is_some_and(|(_, known)| known == password);
        if is_right { Ok(Some((login.to_owned(), vec!["all".to_owned()]))) } else { Err(()) }
    }

    pub(crate) fn may(&self, login: &str, name: &str, write: bool) -> bool {
        self.lock().repositories.get(&name.to_lowercase()).is_some_and(|repository| repository.may(login, write))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.git"))
    }

    pub(crate) fn handle(
        &self,
        method: &str,
        path: &str,
        query: &str,
        authorization: Option<&str>,
        body: &[u8],
    ) -> Answer {
        let Ok(who) = self.scoped(authorization) else { return fail(401, "user does not exist [uid: 0, name: ]") };
        if path == "/version" {
            return ok(200, json!({ "version": "1.28.0" }));
        }
        let Some((login, scopes)) = who else { return fail(401, "token is required") };
        if let Some(missing) = missing_scope(method, path, &scopes) {
            return fail(403, &format!("token does not have at least one of required scope(s): [{missing}]"));
        }
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["user"]) => ok(200, self.user(&login)),
            ("POST", ["admin", "users"]) => self.make_user(&body),
            ("POST", ["users", owner, "tokens"]) => self.make_token(owner, &body),
            ("POST", ["orgs"]) => {
                let name = body["username"].as_str().unwrap().to_owned();
                self.lock().organizations.insert(name.clone(), login);
                ok(201, json!({ "id": 1, "name": name, "username": name }))
            }
            ("POST", ["user", "repos"]) => self.make_repository(&login, &login, &body),
            ("POST", ["orgs", organization, "repos"]) => {
                let is_own = self.lock().organizations.get(*organization) == Some(&login);
                if is_own { self.make_repository(organization, &login, &body) } else { fail(404, "not found") }
            }
            (_, ["repos", owner, name, rest @ ..]) => {
                let name = format!("{owner}/{name}").to_lowercase();
                if !self.may(&login, &name, false) {
                    return fail(404, "The target couldn't be found.");
                }
                self.repository(method, &name, rest, query, &login, &body)
            }
            _ => fail(404, "not found"),
        }
    }

    fn user(&self, login: &str) -> Value {
        let id = self.lock().users.get(login).map_or(0, |(id, _)| *id);
        json!({ "id": id, "login": login, "full_name": "", "email": format!("{login}@example.test") })
    }

    fn make_user(&self, body: &Value) -> Answer {
        let login = body["username"].as_str().unwrap().to_owned();
        let mut state = self.lock();
        state.last += 1;
        let entry = (state.last, body["password"].as_str().unwrap().to_owned());
        state.users.insert(login.clone(), entry);
        drop(state);
        ok(201, self.user(&login))
    }

    fn make_token(&self, owner: &str, body: &Value) -> Answer {
        let mut state = self.lock();
        state.last += 1;
        let token = format!("{:040x}", (state.last as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let scopes =
            body["scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap().to_owned()).collect();
        state.tokens.insert(token.clone(), (owner.to_owned(), scopes));
        ok(201, json!({ "id": state.last, "name": body["name"], "sha1": token, "scopes": body["scopes"] }))
    }

    fn make_repository(&self, owner: &str, login: &str, body: &Value) -> Answer {
        let name = format!("{owner}/{}", body["name"].as_str().unwrap());
        let key = name.to_lowercase();
        let mut state = self.lock();
        if state.repositories.contains_key(&key) {
            return fail(409, "The repository with the same name already exists.");
        }
        state.last += 1;
        let default_branch =
            body["default_branch"].as_str().filter(|name| !name.is_empty()).unwrap_or("main").to_owned();
        let repository = Repository {
            id: state.last,
            name: name.clone(),
            private: body["private"] == true,
            default_branch: default_branch.clone(),
            writers: vec![login.to_owned()],
            ..Repository::default()
        };
        let folder = self.folder(&name);
        std::fs::create_dir_all(&folder).unwrap();
        git(&folder, &["init", "-q", "--bare", "-b", &default_branch, "."]).unwrap();
        let hook = folder.join("hooks/pre-receive");
        let script = "#!/bin/sh\nwhile read -r old new ref; do\n  if grep -qxF \"$ref\" protected 2> /dev/null; then\n    \
                      echo \"error:\nerror: Not allowed to push to protected branch ${ref#refs/heads/}\nerror:\" >&2\n    exit 1\n  fi\n\
                      done\n";
        std::fs::write(&hook, script).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let answer = repository.json(&self.url, true);
        state.repositories.insert(key, repository);
        ok(201, answer)
    }

    fn repository(&self, method: &str, key: &str, rest: &[&str], query: &str, login: &str, body: &Value) -> Answer {
        let not_found = || fail(404, "The target couldn't be found.");
        let repository = self.lock().repositories[key].clone();
        let folder = self.folder(&repository.name);
        let commit = |name: &str| git(&folder, &["rev-parse", "--verify", "-q", &format!("{name}^{{commit}}")]);
        let change = |change: &mut dyn FnMut(&mut Repository, i64) -> Answer| {
            let mut state = self.lock();
            state.last += 1;
            let id = state.last;
            change(state.repositories.get_mut(key).unwrap(), id)
        };
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        match (method, rest) {
            ("GET", []) => ok(200, repository.json(&self.url, commit(&repository.default_branch).is_none())),
            ("GET", ["branches", name @ ..]) => match commit(&format!("refs/heads/{}", name.join("/"))) {
                Some(id) => {
                    let name = name.join("/");
                    let rule = repository.rules.iter().find(|rule| rule["rule_name"] == *name);
                    ok(
                        200,
                        json!({ "name": name, "commit": { "id": id }, "protected": rule.is_some(),
                                    "user_can_push": rule.is_none(), "status_check_contexts": [] }),
                    )
                }
                None => fail(404, "branch does not exist"),
            },
            ("GET", ["branch_protections"]) => ok(200, json!(repository.rules)),
            ("GET", ["branch_protections", name]) => {
                let rule = repository.rules.iter().find(|rule| rule["rule_name"] == *name);
                rule.map_or_else(not_found, |rule| ok(200, rule.clone()))
            }
            ("POST", ["branch_protections"]) => change(&mut |repository, _| {
                repository.rules.push(body.clone());
                let lines: String = repository
                    .rules
                    .iter()
                    .map(|rule| format!("refs/heads/{}\n", rule["rule_name"].as_str().unwrap()))
                    .collect();
                std::fs::write(folder.join("protected"), lines).unwrap();
                ok(201, body.clone())
            }),
            ("PUT", ["collaborators", other]) => change(&mut |repository, _| {
                repository.writers.push((*other).to_owned());
                ok(204, Value::Null)
            }),
            ("POST", ["forks"]) => {
                let short = repository.name.split('/').nth(1).unwrap();
                let answer =
                    self.make_repository(login, login, &json!({ "name": short, "private": repository.private }));
                let from = folder.to_string_lossy().into_owned();
                let fork = self.folder(&format!("{login}/{short}"));
                git(&fork, &["fetch", "-q", &from, "+refs/heads/*:refs/heads/*"]).unwrap();
                ok(202, answer.body)
            }
            ("GET", ["hooks"]) => page(repository.hooks, query),
            ("POST", ["hooks"]) => change(&mut |repository, id| {
                let mut hook = body.clone();
                let config = hook["config"].as_object_mut().unwrap();
                let secret = config.shift_remove("secret").and_then(|secret| secret.as_str().map(str::to_owned));
                hook["id"] = json!(id);
                repository.secrets.insert(id, secret.unwrap_or_default());
                repository.hooks.push(hook.clone());
                ok(201, hook)
            }),
            ("DELETE", ["hooks", id]) => change(&mut |repository, _| {
                repository.hooks.retain(|hook| hook["id"].to_string() != *id);
                ok(204, Value::Null)
            }),
            ("GET", ["statuses", sha]) => {
                let of = repository.statuses.iter().rev().filter(|(commit, _)| commit == sha);
                page(of.map(|(_, status)| status.clone()).collect(), query)
            }
            ("POST", ["statuses", sha]) => {
                let Some(sha) = commit(sha) else { return fail(500, "") };
                if !repository.may(login, true) {
                    return not_found();
                }
                let user = self.user(login);
                change(&mut |repository, id| {
                    let status = json!({ "id": id, "status": body["state"], "context": body["context"],
                                         "description": body["description"], "target_url": text("target_url"), "creator": user });
                    repository.statuses.push((sha.clone(), status.clone()));
                    ok(201, status)
                })
            }
            (_, ["issues", rest @ ..]) => self.comments(method, &repository, key, rest, login, &text("body")),
            (_, ["pulls", rest @ ..]) => self.pulls(method, &repository, rest, query, login, body),
            _ => not_found(),
        }
    }

    fn comments(
        &self,
        method: &str,
        repository: &Repository,
        key: &str,
        rest: &[&str],
        login: &str,
        body: &str,
    ) -> Answer {
        let user = self.user(login);
        let mut state = self.lock();
        state.last += 1;
        let id = state.last;
        let all = &mut state.repositories.get_mut(key).unwrap().comments;
        match (method, rest) {
            ("GET", [number, "comments"]) => {
                let number: u64 = number.parse().unwrap();
                let of: Vec<&Value> = all.iter().filter(|(of, _)| *of == number).map(|(_, comment)| comment).collect();
                ok(200, json!(of))
            }
            ("POST", [number, "comments"]) => {
                let number: u64 = number.parse().unwrap();
                let page = format!("{}/{}/pulls/{number}#issuecomment-{id}", self.url, repository.name);
                let comment = json!({ "id": id, "body": body, "user": user, "html_url": page });
                all.push((number, comment.clone()));
                ok(201, comment)
            }
            (_, ["comments", wanted]) => {
                let Some(at) = all.iter().position(|(_, comment)| comment["id"].to_string() == **wanted) else {
                    return fail(404, "The target couldn't be found.");
                };
                if all[at].1["user"]["login"] != *login && !repository.may(login, true) {
                    return ok(403, Value::Null);
                }
                if method == "DELETE" {
                    all.remove(at);
                    return ok(204, Value::Null);
                }
                all[at].1["body"] = json!(body);
                ok(200, all[at].1.clone())
            }
            _ => fail(404, "The target couldn't be found."),
        }
    }

    fn pulls(
        &self,
        method: &str,
        repository: &Repository,
        rest: &[&str],
        query: &str,
        login: &str,
        body: &Value,
    ) -> Answer {
        let folder = self.folder(&repository.name);
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let key = repository.name.to_lowercase();
        let find = |number: &str| repository.pulls.iter().position(|pull| pull.number.to_string() == number);
        match (method, rest) {
            ("GET", []) => {
                let wanted = |pull: &&Pull| !query.contains("state=open") || pull.open;
                page(
                    repository.pulls.iter().filter(wanted).map(|pull| self.pull_json(repository, pull)).collect(),
                    query,
                )
            }
            ("POST", []) => {
                let (owner, head) = match text("head").split_once(':') {
                    Some((owner, head)) => (Some(owner.to_owned()), head.to_owned()),
                    None => (None, text("head")),
                };
                let short = repository.name.split('/').nth(1).unwrap().to_owned();
                let head_repository = owner.map_or_else(|| repository.name.clone(), |owner| format!("{owner}/{short}"));
                let tip =
                    |name: &str, branch: &str| git(&self.folder(name), &["rev-parse", &format!("refs/heads/{branch}")]);
                let (Some(sha), Some(base)) = (tip(&head_repository, &head), tip(&repository.name, &text("base")))
                else {
                    return fail(404, "branch does not exist");
                };
                let same = |pull: &Pull| pull.open && pull.head == head && pull.head_repository == head_repository;
                if repository.pulls.iter().any(same) {
                    return fail(409, "pull request already exists for these targets");
                }
                if sha == base {
                    return fail(422, "no changes between the head and the base");
                }
                let number = repository.pulls.len() as u64 + 1;
                let (title, words, base) = (text("title"), text("body"), text("base"));
                let pull = Pull {
                    number,
                    title,
                    body: words,
                    open: true,
                    merged: false,
                    author: login.to_owned(),
                    base,
                    head,
                    head_repository,
                    sha,
                };
                self.point(repository, &pull);
                let answer = self.pull_json(repository, &pull);
                self.lock().repositories.get_mut(&key).unwrap().pulls.push(pull);
                self.deliver(repository, "opened", &answer);
                ok(201, answer)
            }
            ("GET", [number]) => match find(number) {
                Some(at) => ok(200, self.pull_json(repository, &repository.pulls[at])),
                None => fail(404, "The target couldn't be found."),
            },
            ("PATCH", [number]) => {
                let Some(at) = find(number) else { return fail(404, "The target couldn't be found.") };
                let pull = {
                    let mut state = self.lock();
                    let pull = &mut state.repositories.get_mut(&key).unwrap().pulls[at];
                    pull.title = body["title"].as_str().unwrap_or(&pull.title).to_owned();
                    pull.body = body["body"].as_str().unwrap_or(&pull.body).to_owned();
                    pull.open = body["state"].as_str().map_or(pull.open, |state| state == "open");
                    pull.clone()
                };
                ok(201, self.pull_json(repository, &pull))
            }
            ("POST", [number, "merge"]) => {
                let Some(at) = find(number) else { return fail(404, "The target couldn't be found.") };
                let pull = &repository.pulls[at];
                let contexts = repository.rules.iter().filter(|rule| rule["rule_name"] == *pull.base);
                let contexts: Vec<&Value> =
                    contexts.flat_map(|rule| rule["status_check_contexts"].as_array().unwrap()).collect();
                let is_good = |context: &Value| {
                    let mut newest = repository.statuses.iter().rev();
                    let newest = newest.find(|(sha, status)| *sha == pull.sha && status["context"] == *context);
                    newest.is_some_and(|(_, status)| status["status"] == "success")
                };
                if !contexts.iter().all(|context| is_good(context)) {
                    return fail(405, "Please try again later");
                }
                let base = format!("refs/heads/{}", pull.base);
                let tree = git(&folder, &["merge-tree", "--write-tree", &base, &pull.sha]).unwrap();
                let commit =
                    git(&folder, &["commit-tree", &tree, "-p", &base, "-p", &pull.sha, "-m", "merge"]).unwrap();
                git(&folder, &["update-ref", &base, &commit]).unwrap();
                let mut state = self.lock();
                let pull = &mut state.repositories.get_mut(&key).unwrap().pulls[at];
                (pull.open, pull.merged) = (false, true);
                ok(200, Value::Null)
            }
            _ => fail(404, "The target couldn't be found."),
        }
    }

    /// Lets `refs/pull/N/head` be what the pull request's branch is.
    fn point(&self, repository: &Repository, pull: &Pull) {
        let folder = self.folder(&repository.name);
        let from = self.folder(&pull.head_repository).to_string_lossy().into_owned();
        let spec = format!("+refs/heads/{}:refs/pull/{}/head", pull.head, pull.number);
        git(&folder, &["fetch", "-q", &from, &spec]).unwrap();
    }

    fn pull_json(&self, repository: &Repository, pull: &Pull) -> Value {
        let folder = self.folder(&repository.name);
        let base = git(&folder, &["rev-parse", &format!("refs/heads/{}", pull.base)]).unwrap_or_default();
        let merge_base = git(&folder, &["merge-base", &base, &pull.sha]).unwrap_or_default();
        let head = self.lock().repositories.get(&pull.head_repository.to_lowercase()).cloned().unwrap_or_default();
        json!({
            "id": pull.number, "number": pull.number, "title": pull.title, "body": pull.body, "merged": pull.merged,
            "state": if pull.open { "open" } else { "closed" }, "user": self.user(&pull.author), "merge_base": merge_base,
            "html_url": format!("{}/{}/pulls/{}", self.url, repository.name, pull.number),
            "base": { "label": pull.base, "ref": pull.base, "sha": base, "repo_id": repository.id,
                      "repo": repository.json(&self.url, false) },
            "head": { "label": pull.head, "ref": pull.head, "sha": pull.sha, "repo_id": head.id,
                      "repo": head.json(&self.url, false) },
        })
    }

    /// After a push: pull requests of the branches that moved, and who is to be told.
    pub(crate) fn pushed(&self, name: &str) {
        let all: Vec<Repository> = self.lock().repositories.values().cloned().collect();
        for repository in all {
            for (at, pull) in repository.pulls.iter().enumerate() {
                if !pull.open || !pull.head_repository.eq_ignore_ascii_case(name) {
                    continue;
                }
                let tip =
                    git(&self.folder(&pull.head_repository), &["rev-parse", &format!("refs/heads/{}", pull.head)]);
                let Some(sha) = tip.filter(|sha| *sha != pull.sha) else { continue };
                let moved = Pull { sha, ..pull.clone() };
                self.point(&repository, &moved);
                self.lock().repositories.get_mut(&repository.name.to_lowercase()).unwrap().pulls[at] = moved.clone();
                self.deliver(&repository, "synchronized", &self.pull_json(&repository, &moved));
            }
        }
    }

    /// Sends a delivery to every webhook, once, as Gitea does.
    fn deliver(&self, repository: &Repository, action: &str, pull: &Value) {
        let body = json!({ "action": action, "number": pull["number"], "pull_request": pull,
                           "repository": repository.json(&self.url, false), "sender": pull["user"] })
        .to_string();
        for hook in repository.hooks.iter().filter(|hook| hook["active"] == true) {
            let id = hook["id"].as_i64().unwrap();
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(repository.secrets[&id].as_bytes()).unwrap();
            mac.update(body.as_bytes());
            let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            let request = ureq::post(hook["config"]["url"].as_str().unwrap())
                .header("content-type", "application/json")
                .header("x-gitea-event", "pull_request")
                .header("x-gitea-delivery", super::world::unique("delivery"))
                .header("x-gitea-signature", signature);
            let body = body.clone();
            std::thread::spawn(move || drop(request.send(body)));
        }
    }
}

impl Repository {
    fn may(&self, login: &str, write: bool) -> bool {
        self.writers.iter().any(|writer| writer == login) || (!write && !self.private)
    }

    fn json(&self, url: &str, empty: bool) -> Value {
        json!({ "id": self.id, "full_name": self.name, "private": self.private, "empty": empty,
                "default_branch": self.default_branch, "clone_url": format!("{url}/{}.git", self.name),
                "html_url": format!("{url}/{}", self.name), "archived": false })
    }
}

/// The scope that a token lacks for a request.
fn missing_scope(method: &str, path: &str, scopes: &[String]) -> Option<String> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let categories: &[&str] = match parts.as_slice() {
        ["admin", ..] => &["admin"],
        ["user", "repos"] => &["user", "repository"],
        ["user" | "users", ..] => &["user"],
        ["orgs", _, "repos"] => &["organization", "repository"],
        ["orgs", ..] => &["organization"],
        ["repos", _, _, "issues", ..] => &["issue"],
        _ => &["repository"],
    };
    let level = if method == "GET" { "read" } else { "write" };
    let has = |category: &&&str| {
        let write = format!("write:{category}");
        scopes.iter().any(|scope| scope == "all" || *scope == write || *scope == format!("{level}:{category}"))
    };
    categories.iter().find(|category| !has(category)).map(|category| format!("{level}:{category}"))
}
