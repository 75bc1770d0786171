//! What several test programs need: the tools that serve as oracles, and trees to compare.
#![allow(
    dead_code,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "every test program uses a part of it; what is skipped is said; what goes wrong here fails the test"
)]

pub(crate) mod case;
pub(crate) mod diff;
#[cfg(unix)]
pub(crate) mod git_server;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A tool by its name: in the folder `HLGEN_TOOLS`, else in the `PATH`.
///
/// Where it is missing the test says `skipped: <tool> not found` and returns, unless `HLGEN_REQUIRE_TOOLS` is set.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("HLGEN_TOOLS").into_iter().map(PathBuf::from).collect();
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var_os("HLGEN_REQUIRE_TOOLS").is_none(), "{name} not found");
        println!("skipped: {name} not found");
    }
    found
}

/// Files next to the repository that only some machines have.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if !path.exists() {
        println!("skipped: shared/{} not found", path.file_name().unwrap_or_default().display());
        return None;
    }
    Some(path)
}

/// Runs a tool with a text as its input and gives what it prints; a failure of the tool fails the test.
pub(crate) fn run<A: AsRef<OsStr>>(program: &Path, arguments: &[A], input: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    assert!(output.status.success(), "{} failed: {}", program.display(), String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
