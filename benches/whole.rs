//! The whole process, as people start it: `cargo bench --bench whole`.
//!
//! Times depend on the machine, so each is set against something the same machine does in the same run: writing a tree
//! against copying it, checking a tree against reading it, ten times the apps against ten times the time. Every figure
//! is the best of several runs. Linux only: memory and processor time are read from `/proc`.
//!
//! Nothing is removed before the end: ext4 leaves the inodes of what was just deleted alone for a while and looks at
//! each of them again for every new file, which makes both writing and copying ten times slower. `TMPDIR` says where.
//!
//! `cargo bench --bench whole -- small` takes a tenth of the size, to try the program itself.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement writes, reads, looks at the clock and prints"
)]

#[path = "../tests/support/workload.rs"]
mod workload;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use workload::Workload;

const HLGEN: &str = env!("CARGO_BIN_EXE_hlgen");
const RUNS: usize = 3;
/// Times a short process is started, since processor time is counted in hundredths of a second.
const SHORT_RUNS: u32 = 40;

/// What a process took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    wall: Duration,
    /// Processor time in the program itself and in the kernel for it, where making files is most of it.
    cpu: Cpu,
    /// Largest resident size, in KiB.
    memory: u64,
}

#[derive(Debug, Clone, Copy)]
struct Cpu {
    user: Duration,
    system: Duration,
}

impl Cpu {
    fn sum(self) -> Duration {
        self.user + self.system
    }

    fn since(self, before: Self) -> Self {
        Self { user: self.user.saturating_sub(before.user), system: self.system.saturating_sub(before.system) }
    }
}

/// A generated repository on disk.
struct Repository {
    folder: tempfile::TempDir,
    /// Beside it, so that no output is taken for a file of the repository.
    rendered: tempfile::TempDir,
    outputs: std::cell::Cell<usize>,
    releases: usize,
    bytes: u64,
}

impl Repository {
    fn new(workload: Workload) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rendered = tempfile::tempdir().expect("a temporary folder");
        let mut bytes = 0;
        for (path, text) in workload.files() {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            bytes += text.len() as u64;
            fs::write(path, text).expect("a file");
        }
        let outputs = std::cell::Cell::new(0);
        Self { folder, rendered, outputs, releases: workload.apps * workload.environments, bytes }
    }

    /// A folder that is not there yet.
    fn new_folder(&self) -> PathBuf {
        self.outputs.set(self.outputs.get() + 1);
        self.rendered.path().join(format!("out-{}", self.outputs.get()))
    }

    fn render(&self, out: &Path, arguments: &[&str]) -> Cost {
        let mut command = Command::new(HLGEN);
        command.arg("-C").arg(self.folder.path()).arg("render").args(arguments).arg("--out").arg(out);
        measure(&mut command)
    }

    /// Checks the repository as a hook does.
    fn validate(&self, arguments: &[&str]) -> Cost {
        let mut command = Command::new(HLGEN);
        measure(command.arg("-C").arg(self.folder.path()).arg("validate").args(arguments))
    }

    /// Makes it a Git repository with everything staged, what is rendered too; false where there is no Git.
    fn stage(&self) -> bool {
        self.render(&self.folder.path().join("rendered"), &[]);
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.arg("-C").arg(self.folder.path()).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
            git.status().is_ok_and(|status| status.success())
        };
        git(&["init", "-q"]) && git(&["add", "-A"])
    }

    /// Renders into a new folder.
    fn fresh(&self) -> Cost {
        self.render(&self.new_folder(), &[])
    }
}

/// Runs a program to its end and watches it.
fn measure(command: &mut Command) -> Cost {
    let before = children();
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut memory = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("the program can be waited for") {
            break ended;
        }
        // The high-water mark only grows, so the last look is the largest.
        memory = high_water(&status).unwrap_or(memory);
        std::thread::sleep(Duration::from_micros(500));
    };
    let wall = start.elapsed();
    if !ended.success() {
        let mut said = String::new();
        let _ = std::io::Read::read_to_string(&mut child.stderr.take().expect("stderr"), &mut said);
        panic!("{command:?} failed\n{said}");
    }
    Cost { wall, cpu: children().since(before), memory }
}

fn high_water(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

/// Processor time of all children that ended, from `/proc/self/stat` in hundredths of a second.
fn children() -> Cpu {
    let text = fs::read_to_string("/proc/self/stat").expect("/proc");
    let behind_name = text.rsplit(')').next().unwrap_or_default();
    let mut ticks = behind_name.split_whitespace().skip(13).filter_map(|field| field.parse::<u64>().ok());
    let mut next = || Duration::from_millis(ticks.next().unwrap_or_default() * 10);
    Cpu { user: next(), system: next() }
}

fn best(runs: usize, mut run: impl FnMut() -> Cost) -> Cost {
    (0..runs).map(|_| run()).min_by_key(|cost| cost.wall).expect("at least one run")
}

/// The best wall time of a short process, and the processor time of one in the average of many.
fn short(mut run: impl FnMut() -> Cost) -> String {
    let before = children();
    let costs: Vec<Cost> = (0..SHORT_RUNS).map(|_| run()).collect();
    let cpu = children().since(before);
    let wall = costs.iter().map(|cost| cost.wall).min().expect("at least one run");
    format!("{} wall, {} + {} kernel", ms(wall), ms(cpu.user / SHORT_RUNS), ms(cpu.system / SHORT_RUNS))
}

fn timed(runs: usize, mut run: impl FnMut()) -> Duration {
    let mut one = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..runs).map(|_| one()).min().expect("at least one run")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name();
    walk.into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

/// A plain recursive copy on one thread: the least that making a tree can cost.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(target, fs::read(entry.path()).expect("a file")).expect("a file");
        }
    }
}

/// Reads every file of a tree on one thread.
fn read(folder: &Path) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        bytes += if entry.file_type().expect("a type").is_dir() {
            read(&entry.path())
        } else {
            fs::read(entry.path()).expect("a file").len() as u64
        };
    }
    bytes
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn row(what: &str, found: &str, goal: &str) {
    println!("| {what:<48} | {found:>40} | {goal:<24} |");
}

fn main() {
    // `cargo test --benches` only asks whether it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let tenth = std::env::args().any(|argument| argument == "small");
    let apps = |number: usize| if tenth { number / 10 } else { number };
    println!("cargo bench --bench whole{}\n", if tenth { " -- small" } else { "" });
    row("what", "found", "goal");
    println!("|{:-<50}|{:-<42}|{:-<26}|", "", "", "");

    let large = Repository::new(Workload { apps: apps(1000), environments: 9 });
    let (scratch, copied, out) = against_copy(&large);
    let written = files(&out);
    let size: u64 = written.iter().filter_map(|path| path.metadata().ok()).map(|meta| meta.len()).sum();
    let name = format!("{} x 9", apps(1000));
    row(
        &format!("{name}: input, output"),
        &format!("{}, {} in {} files", mib(large.bytes), mib(size), written.len()),
        "",
    );
    row(&format!("{name}: render from scratch"), &both(scratch), "");
    row(&format!("{name}: plain copy of the output"), &ms(copied), "");
    row(&format!("{name}: render / copy"), &ratio(scratch.wall, copied), "at most 4");
    let check = best(RUNS, || large.render(&out, &["--check"]));
    let reading = timed(RUNS, || {
        read(&out);
    });
    row(&format!("{name}: render --check, nothing changed"), &both(check), "");
    row(&format!("{name}: plain reading of the output"), &ms(reading), "");
    row(&format!("{name}: check / reading"), &ratio(check.wall, reading), "at most 2");
    let everything = timed(RUNS, || {
        read(large.folder.path());
        read(&out);
    });
    row(&format!("{name}: check / reading input and output"), &ratio(check.wall, everything), "");
    row(
        &format!("{name}: largest memory"),
        &format!("{}, {:.1} x input", mib(scratch.memory << 10), (scratch.memory << 10) as f64 / large.bytes as f64),
        "under 10 x input",
    );

    let small = Repository::new(Workload { apps: 100, environments: 3 });
    row("100 x 3: render from scratch", &short(|| small.fresh()), "processor under 50 ms");
    row("this repository, all environments: render", &own(&std::env::temp_dir()), "processor under 100 ms");
    // Without the work of the file system, which a copy has too.
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        row("the same, into memory (/dev/shm)", &own(memory), "processor under 100 ms");
    }

    row("100 x 3: validate, warm", &both(best(RUNS * 3, || small.validate(&[]))), "under 100 ms");
    if small.stage() {
        row(
            "100 x 3: validate --staged, warm",
            &both(best(RUNS * 3, || small.validate(&["--staged"]))),
            "under 100 ms",
        );
    }

    let mut first = None;
    let mut kept = Vec::new();
    for number in [300, 1000, 3000] {
        let repository = Repository::new(Workload { apps: apps(number), environments: 3 });
        let cost = best(RUNS, || repository.fresh());
        let each = cost.cpu.sum().as_secs_f64() * 1e6 / repository.releases as f64;
        let relative = each / *first.get_or_insert(each);
        let memory = (cost.memory << 10) as f64 / repository.bytes as f64;
        row(
            &format!("{} x 3: per release", apps(number)),
            &format!("{each:.0} us processor, memory {memory:.1} x input"),
            &format!("{relative:.2} x the first, near 1"),
        );
        kept.push(repository);
    }
    review(apps(500));
}

/// Renders this repository, each time into a new folder below `base`.
fn own(base: &Path) -> String {
    let folder = tempfile::tempdir_in(base).expect("a temporary folder");
    let mut number = 0;
    short(|| {
        number += 1;
        let mut command = Command::new(HLGEN);
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .arg("render")
            .arg("--out")
            .arg(folder.path().join(number.to_string()));
        measure(&mut command)
    })
}

/// A pull request that touches one app: the whole `hlgen diff` against `git diff --stat` on the same revisions.
fn review(apps: usize) {
    let repository = Repository::new(Workload { apps, environments: 3 });
    let root = repository.folder.path();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(root)
            .args(["-c", "user.name=bench", "-c", "user.email=bench@example.com"])
            .args(arguments);
        command
    };
    let did = |arguments: &[&str]| {
        let done = git(arguments).stdout(Stdio::null()).status().is_ok_and(|status| status.success());
        assert!(done, "git {arguments:?}");
    };
    did(&["init", "-q", "-b", "main"]);
    did(&["add", "."]);
    did(&["commit", "-q", "-m", "base"]);
    did(&["gc", "-q"]);
    let path = root.join("catalog").join(workload::app_name(0)).join("values.yaml");
    let text = fs::read_to_string(&path).expect("a values file");
    fs::write(&path, text.replacen("replicaCount: 1", "replicaCount: 7", 1)).expect("a values file");
    did(&["commit", "-q", "-a", "-m", "head"]);
    let mut plain = Duration::MAX;
    let cost = best(2 * RUNS, || {
        plain = plain.min(measure(git(&["diff", "--stat", "HEAD~1", "HEAD"]).stdin(Stdio::null())).wall);
        let mut command = Command::new(HLGEN);
        command.arg("-C").arg(root).args(["diff", "HEAD~1", "HEAD"]);
        measure(&mut command)
    });
    let goal = format!("at most {}", ms((plain * 3).max(Duration::from_millis(150))));
    row(&format!("{apps} x 3: diff of a change to one app"), &both(cost), &goal);
    row(&format!("{apps} x 3: diff / git diff --stat"), &ratio(cost.wall, plain), "3, or 150 ms");
}

fn both(cost: Cost) -> String {
    format!("{} wall, {} processor", ms(cost.wall), ms(cost.cpu.sum()))
}

fn ratio(found: Duration, against: Duration) -> String {
    format!("{:.2}", found.as_secs_f64() / against.as_secs_f64())
}

/// Renders from scratch and copies the result, in turn, so that both see the same machine; and where the last is.
fn against_copy(repository: &Repository) -> (Cost, Duration, PathBuf) {
    let mut out = PathBuf::new();
    let mut copying = Duration::MAX;
    let render = best(RUNS, || {
        out = repository.new_folder();
        let cost = repository.render(&out, &[]);
        copying = copying.min(timed(1, || copy(&out, &repository.new_folder())));
        cost
    });
    (render, copying, out)
}
