//! The page of `hlgen diff --format html` in a real browser: it opens, folds and unfolds, and asks the network for nothing.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write their own files")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::tool;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff/everything/page.html");
    fs::read_to_string(path).unwrap()
}

#[test]
fn nothing_in_the_page_can_ask_for_anything() {
    let page = page().to_lowercase();
    for word in [
        " src=", " href=", "srcset", "url(", "@import", "<script", "<link", "<iframe", "<img", " onclick", " onload",
        "http:",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    // The page may show addresses, but only as text.
    assert!(page.contains("default-src 'none'"));
}

/// Runs the browser on a page and gives what it prints.
fn browse(chromium: &Path, folder: &Path, page: &str, more: &[&str]) -> String {
    let file = folder.join("page.html");
    fs::write(&file, page).unwrap();
    let profile = tempfile::tempdir_in(folder).unwrap();
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(more)
        .arg(format!("file://{}", file.display()))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_page_folds_and_unfolds() {
    let Some(chromium) = tool("chromium") else { return };
    let folder = tempfile::tempdir().unwrap();
    // The page forbids scripts; the one that drives it comes with a copy that does not.
    let script = "<script>
      const all = [...document.querySelectorAll('details')];
      const state = () => all.map(each => each.open && each.querySelector('h3, ul').getBoundingClientRect().height > 0);
      all.forEach(each => each.open = false);
      const first = state();
      all.forEach(each => each.querySelector('summary').click());
      const second = state();
      all.forEach(each => each.querySelector('summary').click());
      document.title = JSON.stringify([all.length, first, second, state()]);
    </script></body>";
    let driven = page().replace("default-src 'none'", "default-src 'unsafe-inline'").replace("</body>", script);
    let dom = browse(&chromium, folder.path(), &driven, &["--dump-dom", "--virtual-time-budget=2000"]);
    let title = dom.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
    let state: (usize, Vec<bool>, Vec<bool>, Vec<bool>) = serde_json::from_str(title).unwrap();
    assert!(state.0 >= 3, "{title}");
    assert!(
        state.1.iter().all(|open| !open) && state.2.iter().all(|open| *open) && state.3.iter().all(|open| !open),
        "{title}"
    );
}

#[test]
fn the_page_is_drawn_and_no_request_leaves_it() {
    let Some(chromium) = tool("chromium") else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("net.json");
    let more = [
        format!("--log-net-log={}", log.display()),
        "--net-log-capture-mode=Everything".into(),
        "--screenshot=page.png".into(),
        "--window-size=1200,1400".into(),
    ];
    browse(&chromium, folder.path(), &page(), &more.each_ref().map(String::as_str));
    let image = fs::read(folder.path().join("page.png")).unwrap();
    assert!(image.starts_with(b"\x89PNG") && image.len() > 20_000, "{} bytes", image.len());
    if let Some(keep) = std::env::var_os("HLGEN_SCREENSHOT") {
        fs::copy(folder.path().join("page.png"), keep).unwrap();
    }
    // What the browser asks for itself has no initiator; what a page asks for has.
    let log = fs::read_to_string(log).unwrap();
    let asked: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("\"initiator\":\"") && line.contains("\"url\":\"http"))
        .filter(|line| !line.contains("\"initiator\":\"not an origin\""))
        .collect();
    assert!(asked.is_empty(), "{asked:?}");
}
