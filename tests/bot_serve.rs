//! The service's front door, without any Gitea behind it: what is let in, what is not, and what a flood does.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::format_collect, reason = "tests")]

use std::io::{BufRead as _, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hmac::{Hmac, Mac as _};

const SECRET: &str = "a-secret-of-the-webhook";

struct Served {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(more: &str) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bot.yaml");
    // Nobody listens there.
    let text = format!(
        "server: http://127.0.0.1:1\nlisten: 127.0.0.1:0\ncache: cache\nrepositories: [{{ name: ops/homelab }}]\n{more}"
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hlgen"));
    command.args(["bot", "serve", "--config"]).arg(&config);
    command.env("HLGEN_GIT_TOKEN", "token").env("HLGEN_WEBHOOK_SECRET", SECRET).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let url = first.strip_prefix("listening on ").unwrap_or_else(|| panic!("{first}")).to_owned();
    std::thread::spawn(move || lines.for_each(drop));
    Served { child, url, _folder: folder }
}

fn body(number: u64) -> String {
    format!(r#"{{"action":"opened","number":{number},"repository":{{"full_name":"ops/homelab"}}}}"#)
}

fn sign(body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Served {
    fn send(&self, body: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let mut request = agent.post(format!("{}/webhook", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.send(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    fn deliver(&self, body: &str, delivery: &str) -> (u16, String) {
        let signature = sign(body);
        let headers = [
            ("x-gitea-signature", signature.as_str()),
            ("content-type", "application/json"),
            ("x-gitea-event", "pull_request"),
            ("x-gitea-delivery", delivery),
        ];
        self.send(body, &headers)
    }

    fn metric(&self, name: &str) -> u64 {
        let text = ureq::get(format!("{}/metrics", self.url)).call().unwrap().body_mut().read_to_string().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("hlgen_bot_{name} ")));
        line.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
    }
}

#[test]
fn only_what_is_signed_is_let_in() {
    let served = serve("");
    let good = body(1);
    let signature = sign(&good);
    let json = ("content-type", "application/json");
    let event = ("x-gitea-event", "pull_request");
    assert_eq!(served.send(&good, &[json, event]).0, 401);
    assert_eq!(served.send(&good, &[json, event, ("x-gitea-signature", "")]).0, 401);
    assert_eq!(served.send(&body(2), &[json, event, ("x-gitea-signature", &signature)]).0, 401);
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(served.send(&good, &[form, event, ("x-gitea-signature", &signature)]).0, 415);
    assert_eq!(served.send("{", &[json, event, ("x-gitea-signature", &sign("{"))]).0, 400);
    assert_eq!(served.metric("refused_total"), 5);
    assert_eq!(served.metric("deliveries_total"), 0);

    assert_eq!(served.send(&good, &[json, ("x-gitea-event", "push"), ("x-gitea-signature", &signature)]).0, 200);
    assert_eq!(served.deliver(&good, "one"), (202, "queued\n".to_owned()));
    assert_eq!(served.deliver(&good, "one"), (200, "seen before\n".to_owned()));
    let other = good.replace("ops/homelab", "ops/other");
    assert_eq!(served.deliver(&other, "two").0, 404);
    assert_eq!(served.metric("repeated_total"), 1);
}

#[test]
fn a_flood_is_one_review_each_and_too_many_are_turned_away() {
    let served = serve("limits: { waiting: 3 }\n");
    for delivery in 0..300 {
        assert_eq!(served.deliver(&body(1), &format!("flood-{delivery}")).0, 202);
    }
    assert!(served.metric("waiting") + served.metric("running") <= 1);
    let statuses: Vec<u16> = (2..20).map(|number| served.deliver(&body(number), &format!("many-{number}")).0).collect();
    assert!(statuses.contains(&503), "{statuses:?}");
    assert!(served.metric("waiting") <= 3);
    assert!(served.metric("overflowed_total") > 0);
    // What was turned away may come again.
    assert_ne!(served.deliver(&body(19), "many-19").1, "seen before\n");
}

#[test]
fn a_body_without_end_is_cut_off() {
    let served = serve("");
    let address = served.url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head =
        "POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    // The service stops reading at some point; what cannot be written any more is fine.
    for _ in 0..200 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let mut answer = [0; 12];
    if stream.read_exact(&mut answer).is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
    assert_eq!(served.metric("deliveries_total"), 0);
    assert_eq!(served.metric("refused_total"), 1);
}

#[test]
fn what_is_missing_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bot.yaml");
    let try_it = |text: &str, variables: &[(&str, &str)]| {
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hlgen"));
        command.args(["bot", "serve", "--config"]).arg(&config).envs(variables.iter().copied());
        for name in ["HLGEN_GIT_TOKEN", "GITEA_TOKEN", "GITHUB_TOKEN", "HLGEN_WEBHOOK_SECRET"] {
            if variables.iter().all(|(variable, _)| *variable != name) {
                command.env_remove(name);
            }
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let text = "server: http://127.0.0.1:1\nrepositories: [{ name: ops/homelab }]\n";
    let secret = ("HLGEN_WEBHOOK_SECRET", SECRET);
    assert!(try_it(text, &[]).contains("no secret for webhooks"));
    assert!(try_it(text, &[secret]).contains("no token"));
    let said = try_it(&text.replace("http://", "http://bot:s3cr3t@"), &[secret, ("HLGEN_GIT_TOKEN", "x")]);
    assert!(said.contains("it holds credentials") && !said.contains("s3cr3t"), "{said}");
    assert!(try_it("server: x\nrepositorys: []\n", &[]).contains("unknown field `repositorys`"));
}
