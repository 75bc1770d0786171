//! `init` and `add` on a terminal: questions, answers, second thoughts.

use std::path::Path;
use std::process::Command;

use super::started;
use super::support::case::Case;
use super::support::tool;

/// Runs a program on a terminal of its own. Each line of the arguments behind `--` is `what is waited for`, `what is typed`.
const TYPIST: &str = r#"
import os, pty, select, sys
program, folder, at = sys.argv[1], sys.argv[2], sys.argv.index("--")
arguments, turns = sys.argv[3:at], sys.argv[at + 1:]
child, terminal = pty.fork()
if child == 0:
    os.chdir(folder)
    os.execve(program, [program] + arguments, {"NO_COLOR": "1"})
seen, read = b"", 0
def wait(text):
    global seen, read
    while text not in seen[read:]:
        if not select.select([terminal], [], [], 60)[0]:
            sys.exit("no `%s` in:\n%s" % (text.decode(), seen.decode()))
        try:
            more = os.read(terminal, 4096)
        except OSError:
            more = b""
        if not more:
            sys.exit("ended without `%s` in:\n%s" % (text.decode(), seen.decode()))
        seen += more
    read = seen.index(text, read) + len(text)
for expected, typed in zip(turns[::2], turns[1::2]):
    wait(expected.encode())
    os.write(terminal, b"\x04" if typed == "EOF" else typed.encode() + b"\n")
while True:
    try:
        more = os.read(terminal, 4096)
    except OSError:
        break
    if not more:
        break
    seen += more
sys.stdout.write(seen.decode().replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// The exit code and everything that was on the screen; `None` where there is no Python.
fn typed(case: &Case, arguments: &[&str], turns: &[(&str, &str)]) -> Option<(i32, String)> {
    let python = tool("python3")?;
    let turns = turns.iter().flat_map(|(expected, typed)| [*expected, *typed]);
    let output = Command::new(python)
        .args(["-c", TYPIST, env!("CARGO_BIN_EXE_hlgen")])
        .arg(case.root())
        .args(arguments)
        .arg("--")
        .args(turns)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Some((output.status.code().unwrap(), said))
}

#[test]
fn init_asks_what_was_not_said_and_again_where_an_answer_means_nothing() {
    let case = Case::new();
    let turns = [
        ("Name of the project [", "homelab"),
        ("Git repository, as Argo CD reads it: ", "git@git.example.com:ops/homelab.git"),
        ("https://git.example.com/ops/homelab.git", "https://git.example.com/ops/homelab.git"),
        ("(eks, k3s, kind, kubespray, talos) [kind]: ", "talos"),
        ("(dev, prod, staging) [prod]: ", ""),
        ("Domain of the apps' hosts: ", ""),
        ("Domain of the apps' hosts: ", "home.example.com"),
        ("Addresses for MetalLB", "192.0.2.200-192.0.2.219"),
    ];
    let Some((code, said)) = typed(&case, &["init"], &turns) else { return };
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("a domain such as `home.example.com`"), "{said}");
    assert!(said.contains("\nnext:\n"), "{said}");
    let environment = case.read("environments/prod-talos/environment.yaml");
    for line in ["stage: prod", "provider: talos", "domain: home.example.com", "  metallb:"] {
        assert!(environment.lines().any(|have| have == line), "{line}: {environment}");
    }
    assert!(environment.contains("addresses: [192.0.2.200-192.0.2.219]"));
    assert_eq!(case.run(&["validate", "--deny-warnings"]).code, 0);
}

#[test]
fn init_asks_for_what_flags_left_open_alone() {
    let case = Case::new();
    let flags = ["init", "--name", "x", "--repo-url", "https://git.example.com/a/b.git", "--provider", "kind"];
    let turns = [("[dev]: ", ""), ("[dev.localhost]: ", "")];
    let Some((code, said)) = typed(&case, &flags, &turns) else { return };
    assert_eq!(code, 0, "{said}");
    assert!(case.path(Path::new("environments/dev-kind/environment.yaml").to_str().unwrap()).exists());
}

#[test]
fn nothing_is_written_when_the_input_ends() {
    let case = Case::new();
    let Some((code, said)) = typed(&case, &["init"], &[("Name of the project", "x"), ("Git repository", "EOF")]) else {
        return;
    };
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("nothing was written"), "{said}");
    assert!(case.tree("").is_empty());
}

#[test]
fn add_offers_what_is_missing_until_nothing_is() {
    let case = started();
    let turns = [("Add postgres-cluster (", ""), ("Add cloudnative-pg (", "yes")];
    let Some((code, said)) = typed(&case, &["add", "immich"], &turns) else { return };
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("immich requires postgres, which nothing provides."), "{said}");
    let environment = case.read("environments/dev-kind/environment.yaml");
    assert!(
        environment.contains("\n  cloudnative-pg:\n") && environment.contains("\n  immich-postgres:\n"),
        "{environment}"
    );
    assert_eq!(case.run(&["validate", "--deny-warnings"]).code, 0);
}

#[test]
fn add_takes_no_for_an_answer() {
    let case = started();
    let before = case.tree("");
    let turns = [("Add postgres-cluster (", "n"), ("Write the entry without it? [y/N]: ", "what"), ("[y/N]: ", "")];
    let Some((code, said)) = typed(&case, &["add", "immich"], &turns) else { return };
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("answer `y` or `n`") && said.contains("nothing was written"), "{said}");
    assert_eq!(case.tree(""), before);
}
