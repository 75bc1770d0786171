//! Names that a shell completes, asked for as the scripts ask.

use std::process::Command;

use super::started;
use super::support::case::Case;

/// What is offered for the last of these words, flags aside.
fn offered(case: &Case, words: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_hlgen"))
        .arg("--")
        .arg("hlgen")
        .args(words)
        .current_dir(case.root())
        .env_clear()
        .env("HLGEN_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_IFS", "\n")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let offered = String::from_utf8(output.stdout).unwrap();
    offered.lines().filter(|word| !word.starts_with('-')).map(str::to_owned).collect()
}

#[test]
fn apps_environments_releases_and_codes() {
    let case = started().file("catalog/podium/app.yaml", "apiVersion: hlgen.dev/v1\nkind: App\n");
    assert_eq!(offered(&case, &["add", "pod"]), ["podinfo", "podium"]);
    assert_eq!(offered(&case, &["eject", "podi"]), ["podinfo", "podium"]);
    assert_eq!(offered(&case, &["add", "podinfo", "--env", ""]), ["dev-kind"]);
    assert_eq!(offered(&case, &["render", "--env", "d"]), ["dev-kind"]);
    assert_eq!(offered(&case, &["explain", "dev-kind/p"]), ["dev-kind/podinfo"]);
    assert_eq!(offered(&case, &["rule", "order/"]), ["order/cycle", "order/tier"]);
    assert!(offered(&case, &["ren"]).contains(&"render".to_owned()));
}

#[test]
fn the_repository_is_the_one_of_the_line() {
    let case = started();
    std::fs::create_dir(case.path("below")).unwrap();
    assert_eq!(offered(&case, &["-C", "below", "explain", "dev-kind/a"]), ["dev-kind/argocd"]);
    let outside = Case::new();
    let root = case.root().to_str().unwrap();
    assert_eq!(offered(&outside, &["-C", root, "list", "--env", ""]), ["dev-kind"]);
    // No repository, or a broken one: nothing, and no word.
    assert_eq!(offered(&outside, &["list", "--env", ""]), [""; 0]);
    let broken = Case::new().file("hlgen.yaml", "{").file("environments/$(id)/environment.yaml", "");
    assert_eq!(offered(&broken, &["list", "--env", ""]), [""; 0]);
}

#[test]
fn a_shell_takes_the_script() {
    let case = started();
    let script = case.run(&["completions", "bash"]).stdout;
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_hlgen")).parent().unwrap();
    let program = format!(
        "{script}\nCOMP_WORDS=(hlgen add podi)\nCOMP_CWORD=2\nCOMP_TYPE=9\n_clap_complete_hlgen hlgen podi add\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    );
    let Ok(output) = Command::new("bash")
        .args(["--norc", "-c", &program])
        .current_dir(case.root())
        .env("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()))
        .output()
    else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "podinfo", "{output:?}");
    for shell in ["elvish", "fish", "powershell", "zsh"] {
        let script = case.run(&["completions", shell]);
        assert!(script.code == 0 && script.stdout.contains("HLGEN_COMPLETE"), "{shell}");
    }
}
