//! Sessions in the documentation, replayed.
//!
//! A block marked `console` is run by `sh`, one `$ ` line after the other, in a workspace of its page: a copy of this
//! repository's own project, or an empty folder named with `in=NAME`. A block with `file=PATH` is written there first.
//! `fresh` starts the workspace anew. Every command that does not end with 0 is followed by `$ echo $?`, or the block
//! says `exit=N`. A line `...` stands for any number of lines; times are not compared, nor are the numbers of a summary
//! line, because the catalog grows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::pages::{self, Page};

const FENCE: &str = "```";

/// Runs a page. Gives the page with what was printed, and what differs from what is shown.
pub(crate) fn replay(page: &Page) -> (String, Vec<String>) {
    let mut workspaces: BTreeMap<String, TempDir> = BTreeMap::new();
    let mut text = String::new();
    let mut differences = Vec::new();
    let mut lines = page.text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        text.push_str(line);
        text.push('\n');
        let Some(info) = line.strip_prefix(FENCE) else { continue };
        let mut block: Vec<&str> = Vec::new();
        for (_, line) in lines.by_ref() {
            if line.starts_with(FENCE) {
                break;
            }
            block.push(line);
        }
        let attribute = |name: &str| info.split_whitespace().find_map(|word| word.strip_prefix(name));
        let shown = block.join("\n");
        let mut printed = shown.clone();
        let is_console = info.split_whitespace().next() == Some("console");
        if is_console || attribute("file=").is_some() {
            let name = attribute("in=").unwrap_or("clone").to_owned();
            if info.split_whitespace().any(|word| word == "fresh") {
                workspaces.remove(&name);
            }
            let folder = workspaces.entry(name.clone()).or_insert_with(|| workspace(&name));
            if let Some(path) = attribute("file=") {
                let path = folder.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, format!("{shown}\n")).unwrap();
            } else {
                let expected_exit = attribute("exit=").map_or(0, |code| code.parse().unwrap());
                match run(&block, folder.path(), expected_exit) {
                    Ok(output) if matches(&block, &output) => {}
                    Ok(output) => {
                        let output = output.join("\n");
                        differences.push(format!("{}:{}: this is printed:\n{output}\n", page.path, number + 1));
                        if !block.contains(&"...") {
                            printed = output;
                        }
                    }
                    Err(reason) => differences.push(format!("{}:{}: {reason}", page.path, number + 1)),
                }
            }
        }
        if !printed.is_empty() {
            text.push_str(&printed);
            text.push('\n');
        }
        text.push_str(FENCE);
        text.push('\n');
    }
    (text, differences)
}

fn workspace(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if name == "clone" {
        for part in ["hlgen.yaml", "catalog", "environments"] {
            copy(&pages::root().join(part), &folder.path().join(part));
        }
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

/// Runs the commands of a block and gives the whole block as it should look.
fn run(block: &[&str], folder: &Path, expected_exit: i32) -> Result<Vec<String>, String> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_hlgen"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let commands: Vec<&str> = block.iter().filter_map(|line| line.strip_prefix("$ ")).collect();
    let mut out = Vec::new();
    let mut last = 0;
    for (number, command) in commands.iter().enumerate() {
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n(exit {last})\n{command}\n")])
            .current_dir(folder)
            .env("PATH", &path)
            .env("LC_ALL", "C")
            .env_remove("COLUMNS")
            .env("NO_COLOR", "1")
            .stdin(std::process::Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        last = output.status.code().unwrap_or(-1);
        out.push(format!("$ {command}"));
        let printed = String::from_utf8_lossy(&output.stdout);
        out.extend(printed.lines().map(|line| without_time(line.trim_end())));
        let says = commands.get(number + 1).is_some_and(|next| next.starts_with("echo $?"));
        if last != 0 && !says && last != expected_exit {
            return Err(format!("`{command}` ends with {last}:\n{}", out.join("\n")));
        }
    }
    Ok(out)
}

/// `(38 ms)` → `(N ms)`.
fn without_time(line: &str) -> String {
    match line.strip_suffix(" ms)").and_then(|rest| rest.rsplit_once('(')) {
        Some((rest, time)) if time.bytes().all(|byte| byte.is_ascii_digit()) => format!("{rest}(N ms)"),
        _ => line.to_owned(),
    }
}

/// A line as it is compared: without its time, and without numbers where it is a summary.
fn comparable(line: &str) -> String {
    let line = without_time(line.trim_end());
    if !line.ends_with("(N ms)") {
        return line;
    }
    let mut text = String::new();
    for c in line.chars() {
        if !c.is_ascii_digit() {
            text.push(c);
        } else if !text.ends_with('0') {
            text.push('0');
        }
    }
    text
}

/// Whether what is shown is what is printed, with `...` for any number of lines.
fn matches(shown: &[&str], printed: &[String]) -> bool {
    let Some((first, rest)) = shown.split_first() else { return printed.is_empty() };
    if *first == "..." {
        return (0..=printed.len()).any(|skip| matches(rest, &printed[skip..]));
    }
    printed.split_first().is_some_and(|(line, more)| comparable(first) == comparable(line) && matches(rest, more))
}
