//! Several who push at once, and a process that is killed: nothing of anybody's is lost.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::Duration;

use super::project::{Project, fsck, ok, tip};
use super::support::case::tree;
use super::support::git_server::{GitServer, git, git_command, hook};

const ROUNDS: usize = 50;

/// Files of one project in a branch, and whether the last commit of that project holds what was rendered.
#[track_caller]
fn holds_what_was_rendered(repository: &std::path::Path, project: &Project, revision: &str, path: &str) {
    ok(&project.case.run(&["render", "--out", "out"]));
    let rendered = tree(&project.case.path("out"));
    let listed = git(repository, &["ls-tree", "-r", "--name-only", revision, &format!("{path}/")]);
    let listed: Vec<&str> = listed.lines().filter(|line| !line.ends_with(".md")).collect();
    let expected: Vec<String> = rendered.keys().map(|file| format!("{path}/{file}")).collect();
    assert_eq!(listed, expected);
    for (file, content) in rendered {
        let output = git_command(repository, &["show", &format!("{revision}:{path}/{file}")]).output().unwrap();
        assert_eq!(output.stdout, content, "{file} in {revision}");
    }
}

#[test]
fn two_publishers_and_a_person_push_at_the_same_time() {
    let Some(server) = GitServer::start() else { return };
    let repository = server.repository("homelab");
    let projects = [("one", "rendered/one"), ("two", "rendered/two")]
        .map(|(name, path)| (Project::named(name, &server.url("homelab"), path), path));
    ok(&projects[0].0.publish(&["--init"]));
    ok(&projects[1].0.publish(&[]));
    let clone = tempfile::tempdir().unwrap();
    git(clone.path(), &["clone", "-q", &server.url_with_token("homelab"), "."]);

    let mut conflicts = 0;
    for round in 0..ROUNDS {
        let before = tip(&repository, "main");
        let sources: Vec<String> = projects
            .iter()
            .map(|(project, _)| {
                project.case.write("catalog/web/values.yaml", format!("replicas: {round}\n").as_bytes());
                project.commit(&format!("round {round}"))
            })
            .collect();
        let children: Vec<_> = projects
            .iter()
            .map(|(project, _)| project.command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        // A person, in one of three rounds, retries as people do.
        let by_hand = round % 3 == 0;
        if by_hand {
            let name = format!("rendered/one/note-{round}.md");
            fs::write(clone.path().join(&name), format!("round {round}\n")).unwrap();
            loop {
                git(clone.path(), &["fetch", "-q", "origin"]);
                git(clone.path(), &["reset", "-q", "--mixed", "origin/main"]);
                git(clone.path(), &["add", &name]);
                git(clone.path(), &["commit", "-q", "-m", &format!("note {round}")]);
                if git_command(clone.path(), &["push", "-q", "origin", "HEAD:main"]).output().unwrap().status.success()
                {
                    break;
                }
                conflicts += 1;
            }
        }
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "round {round}: {}", String::from_utf8_lossy(&output.stderr));
        }
        // Everything that was there is in the history, and each publisher has made one commit.
        assert!(
            git_command(&repository, &["merge-base", "--is-ancestor", &before, "main"]).status().unwrap().success()
        );
        let new = git(&repository, &["rev-list", "--count", &format!("{before}..main")]);
        assert_eq!(new, if by_hand { "3" } else { "2" }, "round {round}");
        for ((project, path), source) in projects.iter().zip(&sources) {
            let grep = format!("--grep=Hlgen-Source-Commit: {source}");
            let commit = git(&repository, &["log", "--format=%H", &grep, &format!("{before}..main")]);
            assert_eq!(commit.lines().count(), 1, "round {round}: {commit}");
            if round % 10 == 0 {
                holds_what_was_rendered(&repository, project, &commit, path);
            }
            let values = git(&repository, &["show", &format!("{commit}:{path}/dev/web/values.yaml")]);
            assert!(values.contains(&format!("replicas: {round}")), "{values}");
            // What a publisher did not render it did not touch.
            let touched = git(&repository, &["diff-tree", "-r", "--name-only", "--no-commit-id", &commit]);
            assert!(touched.lines().all(|line| line.starts_with(&format!("{path}/"))), "{touched}");
        }
    }
    for round in (0..ROUNDS).step_by(3) {
        let note = git(&repository, &["show", &format!("main:rendered/one/note-{round}.md")]);
        assert_eq!(note, format!("round {round}"));
    }
    for (project, path) in &projects {
        holds_what_was_rendered(&repository, project, "main", path);
    }
    fsck(&repository);
    let asked =
        server.requests().lines().filter(|line| line.contains("receive-pack") && line.contains(" 200 ")).count();
    let commits: usize = git(&repository, &["rev-list", "--count", "main"]).parse().unwrap();
    // A push that wins is two requests.
    assert!(asked > commits * 2, "nobody ever lost a race: {asked} requests for {commits} commits");
    println!("{asked} requests for {commits} commits; the person lost {conflicts} races");
}

#[test]
fn a_branch_that_moves_between_look_and_push() {
    let Some(server) = GitServer::start() else { return };
    let repository = server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    ok(&project.publish(&["--init"]));
    // The server's own lock decides: a hook moves the branch while the push is being taken, three times over.
    hook(
        &repository,
        "pre-receive",
        "n=$(cat count 2>/dev/null || echo 0); [ \"$n\" -lt 3 ] || exit 0; echo $((n + 1)) > count\n\
         unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n\
         c=$(git -c user.name=x -c user.email=x@example.com commit-tree -p main -m moved 'main^{tree}')\n\
         git update-ref refs/heads/main \"$c\"; exit 0",
    );
    project.case.write("catalog/web/values.yaml", b"replicas: 2\n");
    project.commit("second");
    ok(&project.publish(&[]));
    fsck(&repository);
    let subjects = git(&repository, &["log", "--format=%s", "main"]);
    assert_eq!(subjects, "Publish test: 1 changed\nmoved\nmoved\nmoved\nPublish test: 2 added");

    // Somebody who is always faster ends in an error that says so, not in an endless loop.
    fs::write(repository.join("count"), "-1000").unwrap();
    project.case.write("catalog/web/values.yaml", b"replicas: 3\n");
    project.commit("third");
    let outcome = project.publish(&[]);
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("somebody else pushed to `main` 30 times meanwhile"), "{}", outcome.stderr);
    fsck(&repository);
}

#[test]
fn killed_at_any_moment_nothing_is_lost_or_half_written() {
    let Some(server) = GitServer::start() else { return };
    let repository = server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    ok(&project.publish(&["--init"]));
    // How long a whole run takes here.
    project.case.write("catalog/web/values.yaml", b"replicas: 1000\n");
    project.commit("to measure");
    let start = std::time::Instant::now();
    ok(&project.publish(&[]));
    let whole = start.elapsed();

    let (mut killed, mut pushed, mut most) = (0, 0, 0);
    for round in 0..ROUNDS {
        project.case.write("catalog/web/values.yaml", format!("replicas: {round}\n").as_bytes());
        project.commit(&format!("round {round}"));
        let before = tip(&repository, "main");
        let mut child = project.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Moments spread over the run, in no order.
        let moment = whole.as_micros() as u64 * ((round as u64 * 37) % 50) / 48;
        std::thread::sleep(Duration::from_micros(moment));
        let _ = child.kill();
        killed += usize::from(child.wait().unwrap().signal() == Some(9));
        most = most.max(project.leftovers().len());

        // The server may still be taking a push whose sender is gone.
        let after = settled(&repository);
        let has_pushed = after != before;
        pushed += usize::from(has_pushed);
        if has_pushed {
            assert_eq!(git(&repository, &["rev-parse", "main~1"]), before, "round {round}");
            holds_what_was_rendered(&repository, &project, "main", "rendered");
        }
        // The next run brings it to its end, and takes what the killed one left.
        ok(&project.publish(&[]));
        assert_eq!(git(&repository, &["rev-list", "--count", &format!("{before}..main")]), "1", "round {round}");
        assert_eq!(project.leftovers(), Vec::<String>::new(), "round {round}");
        if round % 10 == 0 {
            fsck(&repository);
        }
    }
    fsck(&repository);
    holds_what_was_rendered(&repository, &project, "main", "rendered");
    assert!(most <= 1, "{most} temporary folders at once");
    assert!(killed > ROUNDS / 2 && pushed < ROUNDS, "{killed} killed, {pushed} of them had pushed");
    println!("{killed} of {ROUNDS} runs were killed in time, {pushed} had pushed");
}

/// The tip once nobody works on the repository any more.
fn settled(repository: &std::path::Path) -> String {
    loop {
        let one = tip(repository, "main");
        std::thread::sleep(Duration::from_millis(60));
        let is_busy = repository.join("refs/heads/main.lock").exists()
            || fs::read_dir(repository.join("objects"))
                .unwrap()
                .any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with("tmp_objdir"));
        if !is_busy && tip(repository, "main") == one {
            return one;
        }
    }
}
