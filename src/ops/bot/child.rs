//! Work on a stranger's repository in a process of its own.
//!
//! Templates, schemas and packs of somebody else's are bounded in steps and sizes, but only a process can be stopped
//! whatever it does, and only a process has no memory of secrets. So each review is two children of this very program:
//! one that fetches (it has the token, and evaluates nothing), one that compares (it evaluates, and has no token and an
//! empty environment). Orders go in by stdin and answers come out by stdout, as JSON, so nothing shows in a process list.
//! A child that takes too long, too much memory or talks too much is killed; the service goes on.

use std::ffi::OsString;
use std::io::{Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How to start this program again.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    /// Environment of the child that fetches: trust store and proxy.
    pub network: Vec<(OsString, OsString)>,
}

/// What a child may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub time: Duration,
    /// Bytes of resident memory; looked at on Linux.
    pub memory: u64,
    /// Bytes of its answer.
    pub answer: u64,
}

/// What a child answers where it could not do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub message: String,
    /// Whether it may work later.
    pub is_temporary: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChildError {
    #[error("it took longer than {} s", .0.as_secs())]
    Time(Duration),
    #[error("it took more than {} MB of memory", .0 / 1_000_000)]
    Memory(u64),
    #[error("it ended without an answer ({0})")]
    Ended(String),
    #[error("it could not be started ({0})")]
    Start(String),
    /// The service is stopping.
    #[error("it was stopped")]
    Stopped,
}

const STEP: Duration = Duration::from_millis(20);
/// What is kept of what a child says on stderr.
const TALK: u64 = 4096;

/// Runs `hlgen bot <command>` with an order and gives its answer.
///
/// # Errors
/// As [`ChildError`] says. The child is gone then, too.
pub fn run<T: DeserializeOwned>(
    program: &Program,
    command: &str,
    order: &impl Serialize,
    bounds: Bounds,
    stop: &AtomicBool,
) -> Result<Result<T, Failure>, ChildError> {
    let start = |error: std::io::Error| ChildError::Start(error.kind().to_string());
    let order = serde_json::to_vec(order).map_err(|error| ChildError::Start(error.to_string()))?;
    let mut start_of = Command::new(&program.path);
    // Its own limit is for the case that nobody is left to kill it.
    let seconds = (bounds.time.as_secs() + 5).to_string();
    start_of.args(["bot", command, "--timeout", &seconds]).env_clear();
    if command == "fetch" {
        start_of.envs(program.network.iter().map(|(name, value)| (name, value)));
    }
    let mut child = start_of
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start)?;
    let stdin = child.stdin.take();
    let writer = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&order)));
    let answer = child.stdout.take().map(|pipe| collect(pipe, bounds.answer));
    let talk = child.stderr.take().map(|pipe| collect(pipe, TALK));
    let ended = wait(&mut child, bounds, stop);
    if ended.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let join = |handle: Option<thread::JoinHandle<Vec<u8>>>| handle.and_then(|h| h.join().ok()).unwrap_or_default();
    let _ = writer.join();
    let (answer, talk) = (join(answer), join(talk));
    let status = ended?;
    serde_json::from_slice(&answer).map_err(|_| {
        let talk = String::from_utf8_lossy(&talk);
        let last = talk.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let last: String = last.chars().filter(|c| !c.is_control()).take(200).collect();
        ChildError::Ended(if last.is_empty() { status } else { format!("{status}: {last}") })
    })
}

/// Reads all, keeps the beginning: a full pipe would stop the child.
fn collect(mut pipe: impl Read + Send + 'static, limit: u64) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut kept = Vec::new();
        let _ = pipe.by_ref().take(limit).read_to_end(&mut kept);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        kept
    })
}

fn wait(child: &mut Child, bounds: Bounds, stop: &AtomicBool) -> Result<String, ChildError> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.to_string()),
            Err(error) => return Err(ChildError::Ended(error.kind().to_string())),
            Ok(None) => {}
        }
        if stop.load(Ordering::Relaxed) {
            return Err(ChildError::Stopped);
        }
        if start.elapsed() > bounds.time {
            return Err(ChildError::Time(bounds.time));
        }
        if resident(child.id()).is_some_and(|bytes| bytes > bounds.memory) {
            return Err(ChildError::Memory(bounds.memory));
        }
        thread::sleep(STEP);
    }
}

/// The memory a process holds, where the system says it.
#[expect(clippy::disallowed_methods, reason = "the kernel's word about a child")]
fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
