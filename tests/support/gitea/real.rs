//! A real Gitea.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Host;

/// The one that is given, else one that is started, else none, said by name.
pub(crate) fn find() -> Option<Host> {
    if let (Ok(url), Ok(token)) = (std::env::var("HLGEN_TEST_GITEA_URL"), std::env::var("HLGEN_TEST_GITEA_TOKEN")) {
        return Some(Host { name: "given Gitea", url: url.trim_end_matches('/').to_owned(), token });
    }
    let mut folders: Vec<PathBuf> = std::env::var_os("HLGEN_TOOLS").into_iter().map(PathBuf::from).collect();
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let Some(program) = folders.iter().map(|folder| folder.join("gitea")).find(|path| path.is_file()) else {
        println!("skipped: gitea not found; only the stand-in is asked");
        return None;
    };
    Some(start(&program))
}

/// Starts a server in a temporary folder. It ends with this process: a shell holds it and waits for our pipe to close.
fn start(program: &Path) -> Host {
    let work = tempfile::tempdir().unwrap().keep();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // A binary without embedded files has them beside it (`make gitea`).
    let beside = program.with_file_name("gitea-files");
    let files = if beside.is_dir() { format!("STATIC_ROOT_PATH = {}", beside.display()) } else { String::new() };
    let folder = work.display();
    let config = work.join("custom/conf/app.ini");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(
        &config,
        format!(
            "WORK_PATH = {folder}\nRUN_MODE = prod\nI_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true\n[server]\n\
             HTTP_ADDR = 127.0.0.1\nHTTP_PORT = {port}\nROOT_URL = http://127.0.0.1:{port}/\n{files}\n\
             DISABLE_SSH = true\nLFS_START_SERVER = false\nOFFLINE_MODE = true\n[database]\nDB_TYPE = sqlite3\n\
             PATH = {folder}/gitea.db\nSQLITE_JOURNAL_MODE = WAL\n[security]\nINSTALL_LOCK = true\n\
             [service]\nDISABLE_REGISTRATION = true\n[webhook]\nALLOWED_HOST_LIST = loopback\n[queue]\nTYPE = immediate\n\
             [actions]\nENABLED = false\n[log]\nMODE = console\nLEVEL = Warn\n"
        ),
    )
    .unwrap();
    let gitea = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).arg("--config").arg(&config).env("GITEA_WORK_DIR", &work).env("HOME", &work);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    gitea(&["migrate"]);
    let said = gitea(&[
        "admin",
        "user",
        "create",
        "--username",
        "root-of-tests",
        "--password",
        "correct-horse-battery",
        "--email",
        "root@example.test",
        "--admin",
        "--must-change-password=false",
        "--access-token",
        "--access-token-scopes",
        "all",
    ]);
    let token = said.split_whitespace().last().unwrap().to_owned();
    let script =
        r#""$1" web --config "$2" > "$3/web.log" 2>&1 & server=$!; cat > /dev/null; kill $server; rm -rf "$3""#;
    let mut holder = Command::new("sh");
    holder.args(["-c", script, "sh"]).arg(program).arg(&config).arg(&work);
    let holder = holder.env("GITEA_WORK_DIR", &work).env("HOME", &work).stdin(Stdio::piped()).spawn().unwrap();
    // The pipe stays open as long as this process lives.
    std::mem::forget(holder);
    let host = Host { name: "gitea of this machine", url: format!("http://127.0.0.1:{port}"), token };
    let agent = ureq::Agent::new_with_defaults();
    for _ in 0..300 {
        if agent.get(format!("{}/api/v1/version", host.url)).call().is_ok() {
            return host;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("gitea does not answer; see {}/web.log", work.display());
}
