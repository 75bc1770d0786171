//! The client against servers that misbehave: proxies, redirects, shed load, lost answers. What they do is scripted; what
//! the client then sent is the oracle.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hlgen::io::gitea::{CommitState, CommitStatus, Gitea, Kind, RepoName, Settings, Token};

const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

/// A server that gives these answers in turn, then closes; what it was sent, head by head.
struct Script {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

fn script(answers: Vec<String>) -> Script {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            kept.lock().unwrap().push(read_request(&stream));
            // An empty answer is a connection that breaks.
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    Script { url, heads }
}

fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
        if line.trim().is_empty() {
            break;
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).unwrap();
    head
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn client(url: &str) -> Gitea {
    let mut settings = Settings::new(url, Some(Token::new(TOKEN, "the test").unwrap()));
    settings.backoff = Duration::from_millis(5);
    settings.longest_wait = Duration::from_millis(100);
    Gitea::new(&settings).unwrap()
}

fn name() -> RepoName {
    RepoName::parse("ops/homelab").unwrap()
}

#[test]
fn a_busy_server_is_asked_again_and_no_more_often_than_that() {
    let user = answer(200, "", r#"{"login":"bot"}"#);
    let busy = |status| answer(status, "", "<html><title>busy</title></html>");
    let server = script(vec![busy(503), busy(429), String::new(), busy(502), user]);
    assert_eq!(client(&server.url).current_user().unwrap().login, "bot");
    assert_eq!(server.heads.lock().unwrap().len(), 5);

    let server = script((0..9).map(|_| busy(504)).collect());
    let error = client(&server.url).current_user().unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.is_temporary() && error.to_string().contains("busy"), "{error}");
    assert_eq!(server.heads.lock().unwrap().len(), 5);
}

#[test]
fn what_makes_a_second_one_is_sent_once() {
    let server = script(vec![answer(503, "", ""), answer(201, "", "{}")]);
    let error = client(&server.url).create_comment(&name(), 1, "text").unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(server.heads.lock().unwrap().len(), 1);
    let server = script(vec![String::new(), answer(201, "", "{}")]);
    let error = client(&server.url).create_comment(&name(), 1, "text").unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert_eq!(server.heads.lock().unwrap().len(), 1);

    // A status supersedes the one before: sent again.
    let status = CommitStatus {
        state: CommitState::Success,
        context: "hlgen".to_owned(),
        description: String::new(),
        target_url: String::new(),
        creator: None,
        id: 0,
    };
    let good = answer(201, "", r#"{"status":"success","context":"hlgen"}"#);
    let server = script(vec![answer(503, "", ""), good]);
    client(&server.url).set_status(&name(), "0a", &status).unwrap();
    assert_eq!(server.heads.lock().unwrap().len(), 2);
}

#[test]
fn retry_after_is_kept_within_bounds() {
    let user = answer(200, "", r#"{"login":"bot"}"#);
    let server = script(vec![answer(429, "retry-after: 3600\r\n", ""), user]);
    let start = Instant::now();
    client(&server.url).current_user().unwrap();
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(100) && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn no_redirect_is_followed_and_the_token_stays_here() {
    let elsewhere = script(vec![answer(200, "", r#"{"login":"thief"}"#)]);
    for status in [301, 302, 307, 308] {
        let location = format!("location: {}/api/v1/user?{TOKEN}\r\n", elsewhere.url);
        let server = script(vec![answer(status, &location, "")]);
        let error = client(&server.url).current_user().unwrap_err();
        assert_eq!(error.kind(), Kind::Moved);
        assert!(error.to_string().contains(&elsewhere.url) && !error.to_string().contains(TOKEN), "{error}");
        let heads = server.heads.lock().unwrap();
        assert!(heads[0].contains(&format!("authorization: token {TOKEN}")), "{}", heads[0]);
        assert!(heads[0].starts_with("GET /api/v1/user HTTP/1.1"), "{}", heads[0]);
    }
    assert!(elsewhere.heads.lock().unwrap().is_empty());
}

#[test]
fn pages_are_counted_and_have_an_end() {
    let pull = |number: u64| {
        format!(r#"{{"number":{number},"state":"open","base":{{"ref":"main"}},"head":{{"ref":"x"}},"more":[1]}}"#)
    };
    let page = |numbers: std::ops::Range<u64>| format!("[{}]", numbers.map(pull).collect::<Vec<_>>().join(","));
    // A server that clamps pages to two, and one that does not say how many there are.
    let total = "x-total-count: 3\r\n";
    let server = script(vec![answer(200, total, &page(1..3)), answer(200, total, &page(3..4))]);
    assert_eq!(client(&server.url).open_pulls(&name()).unwrap().len(), 3);
    let server = script(vec![answer(200, "", &page(1..3)), answer(200, "", "null")]);
    assert_eq!(client(&server.url).open_pulls(&name()).unwrap().len(), 2);
    assert!(server.heads.lock().unwrap()[1].contains("&page=2&limit=50"));
}

#[test]
fn a_page_instead_of_an_answer_is_said() {
    let server = script(vec![answer(200, "", "<!doctype html><title>Sign in</title>")]);
    let error = client(&server.url).current_user().unwrap_err().to_string();
    assert!(error.contains("a page instead of JSON; is this Gitea's address?"), "{error}");
    let server = script(vec![answer(413, "", "<html><title>413 Request Entity Too Large</title>")]);
    let error = client(&server.url).create_comment(&name(), 1, "x").unwrap_err();
    assert!(error.kind() == Kind::TooLarge && error.to_string().contains("client_max_body_size"), "{error}");
    let error = client("http://127.0.0.1:1").current_user().unwrap_err();
    assert!(
        error.kind() == Kind::Connection && error.to_string().contains("no connection to `127.0.0.1:1`"),
        "{error}"
    );
}
