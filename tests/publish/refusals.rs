//! Whatever goes wrong is said with its remedy, and the remote stays as it was.

use std::path::Path;

use super::project::{Project, fsck, ok, tip};
use super::support::case::Outcome;
use super::support::git_server::{GitServer, TOKEN, git, hook};

/// A server with a published project whose source has changed since.
fn changed() -> Option<(GitServer, std::path::PathBuf, Project)> {
    let server = GitServer::start()?;
    let repository = server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    ok(&project.publish(&["--init"]));
    project.case.write("catalog/web/values.yaml", b"replicas: 2\n");
    project.commit("second");
    Some((server, repository, project))
}

#[track_caller]
fn refused(outcome: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(outcome.code, code, "{}{}", outcome.stdout, outcome.stderr);
    for words in words {
        assert!(outcome.stderr.contains(words), "`{words}` is not in: {}", outcome.stderr);
    }
}

/// Runs and expects a refusal, an unchanged remote and an empty temporary folder.
#[track_caller]
fn nothing_happens(repository: &Path, project: &Project, outcome: &Outcome, code: i32, words: &[&str], before: &str) {
    refused(outcome, code, words);
    assert_eq!(tip(repository, "main"), before);
    fsck(repository);
    assert_eq!(project.leftovers(), Vec::<String>::new());
}

#[test]
fn tokens_that_are_wrong_or_missing() {
    let Some((_server, repository, project)) = changed() else { return };
    let before = tip(&repository, "main");
    let wrong = project.publish_with(&[], &[("HLGEN_GIT_TOKEN", "n0t-the-t0ken")]);
    nothing_happens(&repository, &project, &wrong, 2, &["does not accept the token", "write:repository"], &before);
    assert!(!wrong.stderr.contains("n0t-the-t0ken"), "{}", wrong.stderr);
    let none = project.publish_with(&[], &[]);
    nothing_happens(&repository, &project, &none, 2, &["wants a token", "--token-file", "HLGEN_GIT_TOKEN"], &before);
    let missing = project.publish(&["--token-file", "no/such/file"]);
    nothing_happens(&repository, &project, &missing, 2, &["the file `file` cannot be opened"], &before);
}

#[test]
fn a_wrong_token_is_tried_once() {
    let Some(server) = GitServer::start() else { return };
    server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    refused(&project.publish_with(&["--init"], &[("HLGEN_GIT_TOKEN", "wrong")]), 2, &["does not accept the token"]);
    let requests = server.requests();
    assert!((1..=2).contains(&requests.lines().count()), "{requests}");
    assert!(requests.lines().all(|line| line.contains(" 401 ")), "{requests}");
}

#[test]
fn places_that_are_not_there() {
    let Some((server, repository, project)) = changed() else { return };
    let before = tip(&repository, "main");
    let text = project.case.read("hlgen.yaml");
    let with = |from: &str, to: &str| {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        project.case.write("hlgen.yaml", changed.as_bytes());
        project.publish(&[])
    };
    let outcome = with("homelab.git", "nothing.git");
    nothing_happens(&repository, &project, &outcome, 2, &["there is no repository", "`--init` creates it"], &before);
    let outcome = with("branch: main", "branch: rendered");
    nothing_happens(&repository, &project, &outcome, 2, &["there is no branch `rendered`; `--init` makes it"], &before);
    let outcome = with(&server.url("homelab"), "git@git.example.com:ops/homelab.git");
    let https = "write the https form, for example `https://git.example.com/ops/homelab.git`";
    nothing_happens(&repository, &project, &outcome, 2, &["is an SSH address", https], &before);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let outcome = with(&format!(":{}/", server.port()), &format!(":{port}/"));
    nothing_happens(&repository, &project, &outcome, 2, &["cannot reach 127.0.0.1:"], &before);
    let outcome = with("http://127", &format!("http://hlgen:{TOKEN}@127"));
    nothing_happens(
        &repository,
        &project,
        &outcome,
        1,
        &["project/url-credentials", "`git.repoURL` in hlgen.yaml"],
        &before,
    );
}

#[test]
fn a_branch_that_the_server_protects_and_a_hook_that_declines() {
    let Some((_server, repository, project)) = changed() else { return };
    let before = tip(&repository, "main");
    hook(
        &repository,
        "pre-receive",
        "while read old new ref; do [ \"$ref\" != refs/heads/main ] || {\n\
         echo 'error:' >&2; echo 'error: Not allowed to push to protected branch main' >&2; echo 'error:' >&2; exit 1; }; done",
    );
    let outcome = project.publish(&[]);
    let words = ["the branch is protected; open a pull request with `--pr`", "remote: error: Not allowed to push"];
    nothing_happens(&repository, &project, &outcome, 2, &words, &before);

    // What a hook says is shown, without the token and without steering the terminal.
    let script = format!("printf 'lint: \\033[2Jfile too long {TOKEN}\\n' >&2; exit 1");
    hook(&repository, "pre-receive", &script);
    let outcome = project.publish(&[]);
    let words = ["a hook of the server declined it", "  remote: lint: [2Jfile too long ***"];
    nothing_happens(&repository, &project, &outcome, 2, &words, &before);
    assert!(!outcome.stderr.contains('\u{1b}'));

    hook(&repository, "pre-receive", "exit 0");
    hook(&repository, "update", "echo 'no space: No space left on device' >&2; exit 1");
    let outcome = project.publish(&[]);
    nothing_happens(&repository, &project, &outcome, 2, &["its disk is full"], &before);
    hook(&repository, "update", "exit 0");
    ok(&project.publish(&[]));
    assert_ne!(tip(&repository, "main"), before);
}

#[test]
fn a_redirect_to_another_host_is_not_followed_and_gets_no_token() {
    let Some(other) = GitServer::start() else { return };
    let elsewhere = other.repository("homelab");
    let to = format!("url.redirect = (\"^/git/(.*)$\" => \"http://localhost:{}/git/$1\")", other.port());
    let Some(server) = GitServer::start_with(None, &to) else { return };
    server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    for arguments in [&["--init"][..], &["--init", "--pr"], &[]] {
        let outcome = project.publish(arguments);
        refused(&outcome, 2, &["answers with a redirect to another host, which is not followed"]);
    }
    assert_eq!(other.requests(), "", "the other server was asked");
    assert_eq!(git(&elsewhere, &["for-each-ref"]), "");
}

#[test]
fn a_full_disk_here() {
    let Some((_server, repository, project)) = changed() else { return };
    let before = tip(&repository, "main");
    // A bound on the size of files is the nearest to a full disk that needs no rights.
    let hlgen = env!("CARGO_BIN_EXE_hlgen");
    let mut command = project.command();
    let shell = format!("trap '' XFSZ; ulimit -f 0; exec {hlgen} publish");
    let arguments = ["-c", &shell];
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(arguments).current_dir(project.root()).env_clear();
    shell.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = shell.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("no space left on the device that holds temporary files"), "{stderr}");
    assert_eq!(tip(&repository, "main"), before);
    assert_eq!(project.leftovers(), Vec::<String>::new());
    assert!(command.status().unwrap().success());
}

#[test]
fn a_file_of_somebody_elses_in_the_way() {
    let Some((server, repository, project)) = changed() else { return };
    let clone = tempfile::tempdir().unwrap();
    git(clone.path(), &["clone", "-q", &server.url_with_token("homelab"), "."]);
    let put = |path: &str, content: &str| {
        let path = clone.path().join(path);
        for above in path.ancestors().take_while(|above| *above != clone.path()) {
            if above.is_file() {
                std::fs::remove_file(above).unwrap();
            }
        }
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        git(clone.path(), &["add", "-A"]);
        git(clone.path(), &["commit", "-q", "-m", "by hand"]);
        git(clone.path(), &["push", "-q", "origin", "HEAD:main"]);
        tip(&repository, "main")
    };
    let before = put("rendered/dev/web/values.yaml", "mine: true\n");
    let words = ["out/foreign-file", "`rendered/dev/web/values.yaml` is in the way"];
    nothing_happens(&repository, &project, &project.publish(&[]), 1, &words, &before);
    let before = put("rendered/dev/web", "a file where a folder goes\n");
    let words = ["`rendered/dev/web` is in the way"];
    nothing_happens(&repository, &project, &project.publish(&[]), 1, &words, &before);
    let before = put("rendered/dev/web/values.yaml/inner/deep.txt", "a folder where a file goes\n");
    let words = ["`rendered/dev/web/values.yaml/inner/deep.txt` is in the way"];
    nothing_happens(&repository, &project, &project.publish(&[]), 1, &words, &before);
    let before = put("rendered", "a file for the folder itself\n");
    nothing_happens(&repository, &project, &project.publish(&[]), 1, &["is in the way"], &before);
}

#[test]
fn mistakes_in_the_repository_are_found_before_anything_is_sent() {
    // Nobody listens there: whoever asks gets another error.
    let project = Project::new("http://127.0.0.1:1/ops/homelab.git");
    refused(&project.publish(&[]), 2, &["cannot reach 127.0.0.1:1/ops/homelab"]);
    project.apps(&["web", "db", "nothing"]);
    refused(&project.publish(&[]), 1, &["ref/unknown-app", "nothing published"]);
}

#[test]
fn more_removals_than_allowed_and_renames_in_one_step() {
    let Some((_server, repository, project)) = changed() else { return };
    let many =
        ["a1: { app: web, namespace: n1 }", "a2: { app: web, namespace: n2 }", "a3: { app: web, namespace: n3 }"];
    project.apps(&[&["web", "db"][..], &many].concat());
    ok(&project.publish(&[]));
    let before = tip(&repository, "main");
    project.apps(&["db"]);
    let outcome = project.publish(&[]);
    let names = "4 releases would be removed or renamed, 3 are allowed: `dev/a1`, `dev/a2`, `dev/a3`, `dev/web`";
    nothing_happens(&repository, &project, &outcome, 1, &["publish/removals", names, "`--allow-removals 4`"], &before);
    nothing_happens(&repository, &project, &project.publish(&["--dry-run"]), 1, &["publish/removals"], &before);
    ok(&project.publish(&["--allow-removals", "4"]));

    // One step: refused. With the former name declared, or in two steps: fine.
    let before = tip(&repository, "main");
    project.apps(&["storage: { app: db, namespace: db }"]);
    let outcome = project.publish(&[]);
    let words = ["publish/rename", "`dev/db` would become `dev/storage` in one step", "`formerly: [db]`"];
    nothing_happens(&repository, &project, &outcome, 1, &words, &before);
    project.apps(&["storage: { app: db, namespace: db, formerly: [db] }"]);
    ok(&project.publish(&[]));
    let message = git(&repository, &["log", "-1", "--format=%B", "main"]);
    assert!(message.contains("Renamed:\n- dev/db -> dev/storage\n"), "{message}");

    // Another app of the same chart is no rename.
    project.apps(&["web"]);
    ok(&project.publish(&[]));

    // Another pattern of names renames every Application.
    project.apps(&many);
    ok(&project.publish(&[]));
    let text = project.case.read("hlgen.yaml") + "argocd: { applicationName: \"{env}-of-{release}\" }\n";
    project.case.write("hlgen.yaml", text.as_bytes());
    let before = tip(&repository, "main");
    let outcome = project.publish(&["--allow-removals", "2"]);
    nothing_happens(&repository, &project, &outcome, 1, &["3 releases would be removed or renamed"], &before);
    ok(&project.publish(&[]));
    let message = git(&repository, &["log", "-1", "--format=%B", "main"]);
    assert!(message.contains("- dev/a1: Application dev-a1 -> dev-of-a1\n"), "{message}");
}

#[test]
fn a_published_set_that_cannot_be_read_back() {
    let Some((server, repository, project)) = changed() else { return };
    let clone = tempfile::tempdir().unwrap();
    git(clone.path(), &["clone", "-q", &server.url_with_token("homelab"), "."]);
    let set = clone.path().join("rendered/argocd/dev/applicationsets/web.yaml");
    let first = std::fs::read_to_string(&set).unwrap().lines().next().unwrap().to_owned();
    std::fs::write(&set, format!("{first}\nkind: [broken\n")).unwrap();
    git(clone.path(), &["commit", "-qam", "by hand"]);
    git(clone.path(), &["push", "-q", "origin", "HEAD:main"]);
    let before = tip(&repository, "main");
    let words = ["publish/unreadable", "`argocd/dev/applicationsets/web.yaml`"];
    nothing_happens(&repository, &project, &project.publish(&[]), 1, &words, &before);
}

#[test]
fn an_older_checkout_does_not_undo_a_newer_one() {
    let Some((_server, repository, project)) = changed() else { return };
    ok(&project.publish(&[]));
    let before = tip(&repository, "main");
    git(project.root(), &["checkout", "-q", "HEAD~1"]);
    let outcome = project.publish(&[]);
    nothing_happens(&repository, &project, &outcome, 1, &["publish/older", "`--allow-older`"], &before);
    ok(&project.publish(&["--allow-older"]));
    assert_ne!(tip(&repository, "main"), before);
}
