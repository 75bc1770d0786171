//! A small project in a Git repository of its own, that publishes to a server.

use std::path::Path;
use std::process::{Command, Stdio};

use super::support::case::{Case, Outcome};
use super::support::git_server::{TOKEN, git};

pub(crate) struct Project {
    pub(crate) case: Case,
    temporary: tempfile::TempDir,
}

impl Project {
    /// Project `test` with the apps `web` and `db` in the environment `dev`, committed.
    pub(crate) fn new(url: &str) -> Self {
        Self::named("test", url, "rendered")
    }

    pub(crate) fn named(name: &str, url: &str, path: &str) -> Self {
        let case = Case::new()
            .file(
                "hlgen.yaml",
                format!(
                    "apiVersion: hlgen.dev/v1\nkind: Project\nname: {name}\ngit:\n  repoURL: {url}\n  branch: main\n  path: {path}\n"
                ),
            )
            .file("catalog/web/app.yaml", app("web"))
            .file("catalog/web/values.yaml", "replicas: 1\n")
            .file("catalog/db/app.yaml", app("db"))
            .file("catalog/db/values.yaml", "size: 1Gi\n");
        let project = Self { case, temporary: tempfile::tempdir().unwrap() };
        project.apps(&["web", "db"]);
        git(project.root(), &["init", "-q"]);
        project.commit("first");
        project
    }

    pub(crate) fn root(&self) -> &Path {
        self.case.root()
    }

    /// Writes the environment with these apps, one a line (`web`, or `web: { ... }`).
    pub(crate) fn apps(&self, apps: &[&str]) {
        let mut text = "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\nprovider: kind\napps:\n".to_owned();
        for app in apps {
            let line = if app.contains(':') { (*app).to_owned() } else { format!("{app}: {{}}") };
            text = format!("{text}  {line}\n");
        }
        self.case.write("environments/dev/environment.yaml", text.as_bytes());
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        git(self.root(), &["add", "-A"]);
        git(self.root(), &["commit", "-q", "--allow-empty", "-m", message]);
        git(self.root(), &["rev-parse", "HEAD"])
    }

    /// Publishes with the right token.
    pub(crate) fn publish(&self, arguments: &[&str]) -> Outcome {
        self.publish_with(arguments, &[("HLGEN_GIT_TOKEN", TOKEN)])
    }

    pub(crate) fn publish_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let temporary = self.temporary.path().to_str().unwrap();
        let variables: Vec<(&str, &str)> = [("TMPDIR", temporary)].iter().chain(variables).copied().collect();
        let outcome = self.case.run_with(&[&["publish"], arguments].concat(), &variables);
        assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains(TOKEN), "{outcome:?}");
        outcome
    }

    /// The command, for those who run it in a way of their own.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hlgen"));
        command
            .args(["publish"])
            .current_dir(self.root())
            .env_clear()
            .env("HLGEN_GIT_TOKEN", TOKEN)
            .env("TMPDIR", self.temporary.path())
            .stdin(Stdio::null());
        command
    }

    /// What lies in the temporary folder.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.temporary.path()).unwrap();
        // A run killed right after it made its folder leaves it empty; another run takes it for one in the making and removes
        // it a minute later.
        let holds_something =
            |entry: &std::fs::DirEntry| std::fs::read_dir(entry.path()).is_ok_and(|mut all| all.next().is_some());
        let left = entries.map(Result::unwrap).filter(holds_something);
        left.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }
}

fn app(name: &str) -> String {
    format!(
        "apiVersion: hlgen.dev/v1\nkind: App\ndescription: An app\nnamespace: {name}\n\
         chart: {{ repository: https://charts.example.com, name: {name}, version: 1.0.0 }}\n"
    )
}

/// Publishes and expects it to work.
#[track_caller]
pub(crate) fn ok(outcome: &Outcome) {
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
}

/// Paths of a branch with their mode and object, as Git lists them.
pub(crate) fn listing(repository: &Path, branch: &str) -> String {
    git(repository, &["ls-tree", "-r", branch])
}

pub(crate) fn tip(repository: &Path, branch: &str) -> String {
    git(repository, &["rev-parse", &format!("refs/heads/{branch}")])
}

/// Fails where Git finds anything wrong with a repository.
#[track_caller]
pub(crate) fn fsck(repository: &Path) {
    git(repository, &["fsck", "--strict", "--full"]);
}
