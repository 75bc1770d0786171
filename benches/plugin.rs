//! The plugin on this repository, as Argo CD starts it: `cargo bench --bench plugin`. Linux only.
//!
//! Argo CD asks once for every Application, one process each, and a restarted repo-server asks for all of them.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement reads, looks at the clock and prints"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Processor time is counted in hundredths of a second, so a short process is started often.
const RUNS: u32 = 50;

fn plugin(parameters: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hlgen"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["plugin", "generate", "--allow-empty"]).args(parameters);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}

fn run(mut command: Command) {
    assert!(command.status().expect("the program starts").success(), "{command:?}");
}

/// Processor time of all children that ended, from `/proc/self/stat`.
fn children() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").expect("/proc");
    let behind_name = text.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        behind_name.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The largest resident size of a run, in KiB.
fn memory(mut command: Command) -> u64 {
    let mut child = command.spawn().expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().expect("the program can be waited for").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(mark.unwrap_or_default());
        std::thread::sleep(Duration::from_micros(200));
    }
    most
}

/// Every folder right below another, by name.
fn folders(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).expect("a folder").flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("environment.yaml").exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn row(what: &str, found: &str, goal: &str) {
    println!("| {what:<40} | {found:>36} | {goal:<28} |");
}

fn main() {
    // `cargo test --benches` only asks whether it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("cargo bench --bench plugin\n");
    row("what", "found", "goal");
    println!("|{:-<42}|{:-<38}|{:-<30}|", "", "", "");
    let environments = folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("environments"));
    let mut kinds: Vec<(String, Vec<String>)> =
        environments.iter().map(|name| (format!("root of {name}"), vec!["--env".to_owned(), name.clone()])).collect();
    let cluster = environments.iter().find(|name| name.starts_with("prod")).expect("an environment for production");
    let release = |release: &str| ["--cluster", cluster, "--release", release].map(str::to_owned).to_vec();
    kinds.push((format!("one release of {cluster}"), release("immich")));
    let namespaces = ["--cluster", cluster, "--namespaces"].map(str::to_owned).to_vec();
    kinds.push((format!("namespaces of {cluster}"), namespaces));
    for (what, parameters) in &kinds {
        let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
        let (before, start) = (children(), Instant::now());
        (0..RUNS).for_each(|_| run(plugin(&parameters)));
        let (cpu, wall) = (children().saturating_sub(before) / RUNS, start.elapsed() / RUNS);
        let most = (0..5).map(|_| memory(plugin(&parameters))).max().unwrap_or_default();
        let found = format!("{cpu:.1?} processor, {wall:.1?}, {:.1} MiB", most as f64 / 1024.0);
        row(what, &found, "under 100 ms and 64 MiB");
    }
    let each = release("immich");
    let each: Vec<&str> = each.iter().map(String::as_str).chain(["--threads", "1"]).collect();
    let start = Instant::now();
    (0..64).for_each(|_| run(plugin(&each)));
    row("64 releases, one after the other", &format!("{:.2?}", start.elapsed()), "under 5 s on one core");
}
