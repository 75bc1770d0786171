//! The API, and the bot that lives by it: one suite for the stand-in and for any real Gitea (see `support::gitea`).
//!
//! Nothing here knows which server it is on: whatever a test needs it makes through the API, with names of its own.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

#[path = "support/gitea/mod.rs"]
mod gitea;
mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gitea::on_every_host;
use gitea::world::{Person, Work, unique, wait};
use hlgen::io::gitea::{CommitState, CommitStatus, EditPull, Hook, HookConfig, Kind, NewPull, NewRepository, RepoName};
use serde_json::json;

/// The scopes that the documentation names for the bot.
const BOT: &[&str] = &["write:repository", "write:issue", "read:user"];
const OWNER: &[&str] = &["write:repository", "write:issue", "write:user"];

const PROJECT: &[(&str, &str)] = &[
    (
        "hlgen.yaml",
        "apiVersion: hlgen.dev/v1\nkind: Project\nname: homelab\n\
         git: { repoURL: https://git.example.com/ops/homelab.git, branch: main, path: rendered }\n",
    ),
    (
        "catalog/web/app.yaml",
        "apiVersion: hlgen.dev/v1\nkind: App\nchart: { repository: https://charts.example.com, name: web, version: 1.0.0 }\n",
    ),
    ("catalog/web/values.yaml", "replicas: 1\nimage: web:1\n"),
    (
        "environments/prod/environment.yaml",
        "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: prod\nprovider: k3s\napps:\n  web: {}\n",
    ),
];

#[test]
fn a_server_says_who_we_are_and_what_it_is() {
    on_every_host(|host| {
        let person = host.user("person", &["read:user"]);
        assert_eq!(person.client().current_user().unwrap().login, person.login);
        assert!(!person.client().version().unwrap().text.is_empty());
    });
}

#[test]
fn a_repository_is_made_once() {
    on_every_host(|host| {
        let owner = host.user("owner", &["write:repository", "write:user", "write:organization"]);
        let client = owner.client();
        let new = NewRepository {
            name: unique("repo"),
            private: true,
            default_branch: "main".to_owned(),
            ..Default::default()
        };
        let name = RepoName::parse(&format!("{}/{}", owner.login, new.name)).unwrap();
        assert_eq!(client.repository(&name).unwrap(), None);
        let made = client.create_repository(&owner.login, true, &new).unwrap();
        assert!(made.empty && made.private && made.full_name == name.to_string());
        assert_eq!(client.repository(&name).unwrap().unwrap().id, made.id);
        assert_eq!(client.branch(&name, "main").unwrap(), None);
        let error = client.create_repository(&owner.login, true, &new).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict, "{error}");

        let organization = unique("org");
        let (status, answer) = owner.call("POST", "/orgs", Some(&json!({ "username": organization })));
        assert_eq!(status, 201, "{answer}");
        let made = client.create_repository(&organization, false, &new).unwrap();
        assert_eq!(made.full_name, format!("{organization}/{}", new.name));
    });
}

#[test]
fn what_is_refused_is_said_with_the_remedy_and_without_the_token() {
    on_every_host(|host| {
        let owner = host.user("owner", OWNER);
        let work = owner.repository(&[("README.md", "x\n")]);
        let stranger = host.user("stranger", BOT);
        let wrong = "0123456789abcdef0123456789abcdef01234567";
        let error = host.client(wrong).current_user().unwrap_err();
        assert_eq!(error.kind(), Kind::Unauthorized);
        assert!(error.to_string().contains("make a new one") && !error.to_string().contains(wrong), "{error}");

        // A private repository of somebody else's is not there.
        assert_eq!(stranger.client().repository(&work.name).unwrap(), None);
        let error = stranger.client().comments(&work.name, 1).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(error.to_string().contains("may not read it"), "{error}");

        // A token without the scope.
        let narrow = owner.new_token(&["read:repository"]);
        let error = host.client(&narrow).create_comment(&work.name, 1, "x").unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden, "{error}");
        assert!(error.to_string().contains("scope") && !error.to_string().contains(&narrow), "{error}");
    });
}

#[test]
fn pull_requests_are_opened_found_and_changed() {
    on_every_host(|host| {
        let owner = host.user("owner", OWNER);
        let work = owner.repository(&[("README.md", "x\n")]);
        let client = owner.client();
        let head = work.branch("feature/one", &[("a", "1\n")]);
        assert_eq!(client.branch(&work.name, "feature/one").unwrap().unwrap().commit.id, head);
        let pull = work.open("feature/one");
        assert!(pull.is_open() && !pull.is_from_fork() && pull.head.sha == head);
        assert_eq!(client.find_open_pull(&work.name, "feature/one", "main").unwrap().unwrap().number, pull.number);
        assert_eq!(client.find_open_pull(&work.name, "main", "feature/one").unwrap(), None);
        let new = |head: &str| NewPull {
            title: "x".to_owned(),
            head: head.to_owned(),
            base: "main".to_owned(),
            ..Default::default()
        };
        assert_eq!(client.create_pull(&work.name, &new("feature/one")).unwrap_err().kind(), Kind::Conflict);
        assert_eq!(client.create_pull(&work.name, &new("missing")).unwrap_err().kind(), Kind::NotFound);

        let edit = EditPull { title: Some("second".to_owned()), body: Some("text".to_owned()), state: None };
        let edited = client.edit_pull(&work.name, pull.number, &edit).unwrap();
        assert_eq!((edited.title.as_str(), edited.body.as_str()), ("second", "text"));
        let close = EditPull { state: Some("closed".to_owned()), ..Default::default() };
        client.edit_pull(&work.name, pull.number, &close).unwrap();
        assert_eq!(client.find_open_pull(&work.name, "feature/one", "main").unwrap(), None);
        assert!(!client.pull(&work.name, pull.number).unwrap().unwrap().is_open());
        assert_eq!(client.pull(&work.name, 999).unwrap(), None);
    });
}

#[test]
fn comments_and_statuses_come_back_as_they_were_said() {
    on_every_host(|host| {
        let owner = host.user("owner", OWNER);
        let work = owner.repository(&[("README.md", "x\n")]);
        let client = owner.client();
        let pull = work.pull("one", &[("a", "1\n")]);
        let text = "<!-- hidden -->\n`@name` ünïcode 漢字\n";
        let made = client.create_comment(&work.name, pull.number, text).unwrap();
        client.create_comment(&work.name, pull.number, "second").unwrap();
        client.edit_comment(&work.name, made.id, &format!("{text}more\n")).unwrap();
        let all = client.comments(&work.name, pull.number).unwrap();
        assert_eq!(all.len(), 2);
        assert!(all[0].id == made.id && all[0].body.starts_with(text.trim_end()) && all[0].body.contains("more"));
        client.delete_comment(&work.name, made.id).unwrap();
        assert_eq!(client.delete_comment(&work.name, made.id).unwrap_err().kind(), Kind::NotFound);
        assert_eq!(client.comments(&work.name, pull.number).unwrap().len(), 1);

        // More than a page.
        let status = |number: u32, state| CommitStatus {
            state,
            context: format!("check-{number}"),
            description: "words".to_owned(),
            target_url: String::new(),
            creator: None,
            id: 0,
        };
        for number in 0..53 {
            client.set_status(&work.name, &pull.head.sha, &status(number, CommitState::Pending)).unwrap();
        }
        client.set_status(&work.name, &pull.head.sha, &status(7, CommitState::Success)).unwrap();
        let all = client.statuses(&work.name, &pull.head.sha).unwrap();
        assert_eq!(all.len(), 54);
        let newest = all.iter().find(|status| status.context == "check-7").unwrap();
        assert_eq!(newest.state, CommitState::Success);
        assert_eq!(newest.creator.as_ref().unwrap().login, owner.login);
    });
}

#[test]
fn a_protected_branch_wants_the_status() {
    on_every_host(|host| {
        let owner = host.user("owner", OWNER);
        let work = owner.repository(&[("README.md", "x\n")]);
        let client = owner.client();
        let rule = json!({ "rule_name": "main", "enable_push": false, "enable_status_check": true,
                           "status_check_contexts": ["hlgen"], "block_admin_merge_override": true });
        let (status, answer) = owner.call("POST", &format!("/repos/{}/branch_protections", work.name), Some(&rule));
        assert_eq!(status, 201, "{answer}");
        let rules = client.branch_protections(&work.name).unwrap();
        assert_eq!(rules.len(), 1);
        assert!(rules[0].enable_status_check && !rules[0].enable_push);
        assert_eq!(client.branch_protection(&work.name, "main").unwrap().unwrap(), rules[0]);
        assert_eq!(client.branch_protection(&work.name, "other").unwrap(), None);
        assert!(client.branch(&work.name, "main").unwrap().unwrap().protected);

        // Git refuses a push, the API a merge without the status.
        work.commit(&[("b", "2\n")]);
        let refused = work.push("main");
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains("protected branch"), "{refused:?}");
        work.git(&["reset", "-q", "--hard", "HEAD~1"]);
        let pull = work.pull("one", &[("a", "1\n")]);
        let path = format!("/repos/{}/pulls/{}/merge", work.name, pull.number);
        let merge = || owner.call("POST", &path, Some(&json!({ "do": "merge" }))).0;
        assert_eq!(merge(), 405);
        let status = CommitStatus {
            state: CommitState::Success,
            context: "hlgen".to_owned(),
            description: String::new(),
            target_url: String::new(),
            creator: None,
            id: 0,
        };
        client.set_status(&work.name, &pull.head.sha, &status).unwrap();
        // Gitea finds out in the background whether it can be merged.
        wait("the merge", || (merge() == 200).then_some(()));
        assert!(client.pull(&work.name, pull.number).unwrap().unwrap().merged);
    });
}

#[test]
fn webhooks_are_added_listed_and_removed() {
    on_every_host(|host| {
        let owner = host.user("owner", OWNER);
        let work = owner.repository(&[("README.md", "x\n")]);
        let made = hook(&work, "http://127.0.0.1:1/webhook", "secret");
        let listed = owner.client().hooks(&work.name).unwrap();
        assert_eq!(listed.len(), 1);
        assert!(listed[0].active && listed[0].config.secret.is_none());
        owner.client().delete_hook(&work.name, made.id).unwrap();
        assert!(owner.client().hooks(&work.name).unwrap().is_empty());
    });
}

fn hook(work: &Work<'_>, url: &str, secret: &str) -> Hook {
    let config = HookConfig { url: url.to_owned(), content_type: "json".to_owned(), secret: Some(secret.to_owned()) };
    let new = Hook { id: 0, kind: "gitea".to_owned(), active: true, events: vec!["pull_request".to_owned()], config };
    work.person.client().create_hook(&work.name, &new).unwrap()
}

/// `hlgen bot comment` on a pull request, by flags; gives its exit code and what it said.
fn comment(work: &Work<'_>, bot: &Person<'_>, number: u64, cache: &Path, more: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hlgen"));
    command.args(["bot", "comment", "--server", &bot.host.url, "--repository", &work.name.to_string()]);
    command.args(["--pr", &number.to_string(), "--cache"]).arg(cache).args(more).env("HLGEN_GIT_TOKEN", &bot.token);
    for name in ["GITHUB_REF", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(!said.contains(&bot.token), "{said}");
    (output.status.code().unwrap(), said)
}

#[test]
fn a_ci_job_comments_once_and_edits_afterwards() {
    on_every_host(|host| {
        let owner = host.user("owner", OWNER);
        let bot = host.user("bot", BOT);
        let work = owner.repository(PROJECT);
        work.invite(&bot.login);
        let cache = tempfile::tempdir().unwrap();
        let pull = work.pull("more", &[("catalog/web/values.yaml", "replicas: 3\nimage: web:1\n")]);
        // Somebody pastes a marker of ours: it is not our comment.
        let forged =
            owner.client().create_comment(&work.name, pull.number, "<!-- hlgen:review head=x base=y -->\nhi").unwrap();

        let (code, said) = comment(&work, &bot, pull.number, cache.path(), &[]);
        assert_eq!(code, 0, "{said}");
        let (comments, status) = work.left(&bot.login, pull.number, &pull.head.sha);
        assert_eq!(comments.len(), 1, "{comments:?}");
        let status = status.unwrap();
        assert_eq!(status.state, CommitState::Success);
        assert_eq!(status.target_url, comments[0].html_url);
        assert!(comments[0].body.contains("replicas"), "{}", comments[0].body);

        // Again: nothing to do. A second push: the same comment, another text.
        let (code, said) = comment(&work, &bot, pull.number, cache.path(), &[]);
        assert!(code == 0 && said.contains("its head has been reviewed"), "{said}");
        let head = work.commit(&[("catalog/web/values.yaml", "replicas: 4\nimage: web:1\n")]);
        work.push("more");
        let (code, said) = comment(&work, &bot, pull.number, cache.path(), &[]);
        assert_eq!(code, 0, "{said}");
        let (again, status) = work.left(&bot.login, pull.number, &head);
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].id, comments[0].id);
        assert_ne!(again[0].body, comments[0].body);
        assert_eq!(status.unwrap().state, CommitState::Success);
        let all = owner.client().comments(&work.name, pull.number).unwrap();
        assert!(all.iter().any(|comment| comment.id == forged.id && comment.body.ends_with("hi")));

        // A head that cannot be computed fails, and says why.
        let head = work.commit(&[(
            "environments/prod/environment.yaml",
            "apiVersion: hlgen.dev/v1\nkind: Environment\napps: 5\n",
        )]);
        work.push("more");
        let (code, said) = comment(&work, &bot, pull.number, cache.path(), &[]);
        assert_eq!(code, 1, "{said}");
        let (again, status) = work.left(&bot.login, pull.number, &head);
        assert_eq!(again.len(), 1);
        assert_eq!(status.unwrap().state, CommitState::Failure);
        assert!(again[0].body.contains("environments/prod/environment.yaml"), "{}", again[0].body);
    });
}

/// A running `hlgen bot serve`; killed when it is dropped.
struct Served {
    child: Child,
    url: String,
    log: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SECRET: &str = "a-secret-of-the-webhook";

/// Starts the service for these repositories; `port` 0 is any.
fn serve(bot: &Person<'_>, works: &[&Work<'_>], folder: &Path, port: u16) -> Served {
    use std::io::BufRead as _;
    let repositories: Vec<_> = works.iter().map(|work| json!({ "name": work.name.to_string() })).collect();
    let config = json!({ "server": bot.host.url, "listen": format!("127.0.0.1:{port}"), "cache": "cache",
                         "repositories": repositories, "scanSeconds": 3600 });
    std::fs::write(folder.join("bot.yaml"), config.to_string()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hlgen"))
        .args(["bot", "serve", "--config"])
        .arg(folder.join("bot.yaml"))
        .env("HLGEN_GIT_TOKEN", &bot.token)
        .env("HLGEN_WEBHOOK_SECRET", SECRET)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let url = first.strip_prefix("listening on ").unwrap_or_else(|| panic!("{first}")).to_owned();
    let log = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let kept = std::sync::Arc::clone(&log);
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let mut log = kept.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    Served { child, url, log }
}

/// Waits until a head has a final status; gives the one comment.
fn reviewed(work: &Work<'_>, bot: &Person<'_>, number: u64, head: &str) -> (hlgen::io::gitea::Comment, CommitStatus) {
    wait("the review", || {
        let (comments, status) = work.left(&bot.login, number, head);
        let status = status.filter(|status| matches!(status.state, CommitState::Success | CommitState::Failure))?;
        assert_eq!(comments.len(), 1, "{comments:?}");
        Some((comments.into_iter().next().unwrap(), status))
    })
}

fn get(url: &str) -> String {
    ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap()
}

#[test]
fn the_service_follows_webhooks() {
    on_every_host(|host| {
        let owner = host.user("owner", OWNER);
        let bot = host.user("bot", BOT);
        let (one, two) = (owner.repository(PROJECT), owner.repository(PROJECT));
        one.invite(&bot.login);
        two.invite(&bot.login);
        let folder = tempfile::tempdir().unwrap();
        let served = serve(&bot, &[&one, &two], folder.path(), 0);
        for work in [&one, &two] {
            hook(work, &format!("{}/webhook", served.url), SECRET);
        }
        assert_eq!(get(&format!("{}/healthz", served.url)), "ok\n");
        let first = one.pull("more", &[("catalog/web/values.yaml", "replicas: 2\nimage: web:1\n")]);
        let other = two.pull("more", &[("catalog/web/values.yaml", "replicas: 5\nimage: web:1\n")]);
        let (before, status) = reviewed(&one, &bot, first.number, &first.head.sha);
        assert_eq!(status.state, CommitState::Success);
        reviewed(&two, &bot, other.number, &other.head.sha);

        let mut head = String::new();
        for replicas in 3..6 {
            head = one.commit(&[("catalog/web/values.yaml", &format!("replicas: {replicas}\nimage: web:1\n"))]);
            // `one` still stands on its branch.
            assert!(one.push("more").status.success());
        }
        let (after, _) = reviewed(&one, &bot, first.number, &head);
        assert_eq!(after.id, before.id);
        assert!(after.body.contains(&head[..10]), "{}", after.body);

        let text = get(&format!("{}/metrics", served.url));
        assert!(text.contains("hlgen_bot_reviews_total{result=\"success\"}"), "{text}");
        let log = served.log.lock().unwrap().clone();
        assert!(!log.contains(&bot.token) && !log.contains(SECRET), "{log}");
    });
}

#[test]
fn a_start_makes_good_what_was_missed_and_sigterm_ends_it() {
    on_every_host(|host| {
        let owner = host.user("owner", OWNER);
        let bot = host.user("bot", BOT);
        let work = owner.repository(PROJECT);
        work.invite(&bot.login);
        let pull = work.pull("more", &[("catalog/web/values.yaml", "replicas: 2\nimage: web:1\n")]);
        let folder = tempfile::tempdir().unwrap();
        let mut served = serve(&bot, &[&work], folder.path(), 0);
        reviewed(&work, &bot, pull.number, &pull.head.sha);
        let process = served.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
        let ended = wait("the end", || served.child.try_wait().unwrap());
        assert!(ended.success(), "{ended}");
    });
}

#[test]
fn forks_are_refused_unless_they_are_allowed() {
    on_every_host(|host| {
        let owner = host.user("owner", OWNER);
        let bot = host.user("bot", BOT);
        let stranger = host.user("stranger", OWNER);
        let work = owner.repository(PROJECT);
        work.invite(&bot.login);
        work.invite(&stranger.login);
        let (status, answer) = stranger.call("POST", &format!("/repos/{}/forks", work.name), Some(&json!({})));
        assert_eq!(status, 202, "{answer}");
        let fork = RepoName::parse(answer["full_name"].as_str().unwrap()).unwrap();
        let clone = tempfile::tempdir().unwrap();
        let at = |arguments: &[&str]| {
            let header = format!("http.extraHeader=Authorization: token {}", stranger.token);
            let mut git = Command::new("git");
            git.args(["-c", &header, "-c", "user.name=S", "-c", "user.email=s@example.test"]).args(arguments);
            assert!(git.current_dir(clone.path()).status().unwrap().success(), "{arguments:?}");
        };
        let url = format!("{}/{fork}.git", host.url);
        wait("the fork", || {
            let client = stranger.client();
            client.branch(&fork, "main").ok().flatten()
        });
        at(&["clone", "-q", &url, "."]);
        at(&["checkout", "-q", "-b", "evil"]);
        std::fs::write(clone.path().join("catalog/web/values.yaml"), "replicas: 9\nimage: web:1\n").unwrap();
        at(&["commit", "-q", "-am", "change"]);
        at(&["push", "-q", "origin", "evil"]);
        let new = NewPull {
            title: "x".to_owned(),
            head: format!("{}:evil", stranger.login),
            base: "main".to_owned(),
            body: String::new(),
        };
        let pull = stranger.client().create_pull(&work.name, &new).unwrap();
        assert!(pull.is_from_fork());
        let cache = tempfile::tempdir().unwrap();
        let (code, said) = comment(&work, &bot, pull.number, cache.path(), &[]);
        assert!(code == 0 && said.contains("it comes from a fork"), "{said}");
        let (comments, status) = work.left(&bot.login, pull.number, &pull.head.sha);
        assert!(comments.is_empty());
        assert_eq!(status.unwrap().state, CommitState::Failure);
        let (code, said) = comment(&work, &bot, pull.number, cache.path(), &["--forks"]);
        assert_eq!(code, 0, "{said}");
        let (comments, status) = work.left(&bot.login, pull.number, &pull.head.sha);
        assert_eq!(comments.len(), 1);
        assert_eq!(status.unwrap().state, CommitState::Success);
    });
}

#[test]
fn a_killed_service_loses_nothing_and_says_nothing_twice() {
    on_every_host(|host| {
        let owner = host.user("owner", OWNER);
        let bot = host.user("bot", BOT);
        let work = owner.repository(PROJECT);
        work.invite(&bot.login);
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        hook(&work, &format!("http://127.0.0.1:{port}/webhook"), SECRET);
        let pulls: Vec<u64> = (0..3)
            .map(|number| {
                work.pull(&format!("branch-{number}"), &[("catalog/web/values.yaml", "replicas: 2\n")]).number
            })
            .collect();
        let mut heads = vec![String::new(); pulls.len()];
        // The same moments in every run: a small generator instead of chance.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for round in 0..50_u64 {
            let mut served = serve(&bot, &[&work], folder.path(), port);
            let which = (round % 3) as usize;
            let branch = format!("branch-{which}");
            work.git(&["checkout", "-q", &branch]);
            heads[which] = work.commit(&[("catalog/web/values.yaml", &format!("replicas: {}\n", round + 10))]);
            assert!(work.push(&branch).status.success());
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            std::thread::sleep(Duration::from_millis(state % 400));
            served.child.kill().unwrap();
            served.child.wait().unwrap();
            for number in &pulls {
                let (comments, _) = work.left(&bot.login, *number, &heads[which]);
                assert!(comments.len() <= 1, "round {round}: {comments:?}");
            }
        }
        let _served = serve(&bot, &[&work], folder.path(), port);
        for (number, head) in pulls.iter().zip(&heads) {
            let (comment, status) = reviewed(&work, &bot, *number, head);
            assert_eq!(status.state, CommitState::Success);
            assert!(comment.body.contains(&head[..10]), "{}", comment.body);
        }
    });
}

#[test]
fn the_contract_finds_what_gitea_does_not_know() {
    let Some(contract) = gitea::contract::Contract::load() else { return };
    let wrong = |method: &str, path: &str, query: &str, body: &str| {
        contract.request(method, path, query, body.as_bytes()).is_err()
    };
    assert!(!wrong("GET", "/repos/a/b/pulls", "state=open&page=1", ""));
    assert!(wrong("GET", "/repos/a/b/pulls", "head=x", ""));
    assert!(wrong("PUT", "/repos/a/b/pulls", "", ""));
    assert!(wrong("GET", "/repos/a/b/pull/1", "", ""));
    assert!(wrong("POST", "/repos/a/b/pulls", "", r#"{"heads":"x"}"#));
    assert!(wrong("POST", "/repos/a/b/pulls", "", r#"{"head":5}"#));
    let operation = contract.request("GET", "/repos/a/b/pulls/1", "", b"").unwrap();
    assert!(operation.answer(200, &json!({ "number": 1, "head": { "ref": "x" } })).is_ok());
    assert!(operation.answer(200, &json!({ "number": "1" })).is_err());
    assert!(operation.answer(200, &json!({ "head": { "branch": "x" } })).is_err());
    assert!(operation.answer(418, &json!({})).is_err());
}
