//! `--pr` and `--init` against the API: on the stand-in, and on any real Gitea there is (see `support::gitea`).

use serde_json::Value;

use super::gitea::on_every_host;
use super::gitea::world::{Person, unique};
use super::project::{Project, ok};
use super::support::case::Outcome;
use super::support::git_server::{git, git_command};

/// The scopes that `hlgen publish --help` names.
const SCOPES: &[&str] = &["write:repository", "write:issue", "write:user"];

/// A person with a name for a repository that is not there yet, and a clone of it once it is.
struct Place<'a> {
    person: &'a Person<'a>,
    name: String,
    clone: tempfile::TempDir,
}

impl<'a> Place<'a> {
    fn new(person: &'a Person<'a>) -> Self {
        let clone = tempfile::tempdir().unwrap();
        git(clone.path(), &["init", "-q"]);
        Self { person, name: unique("repo"), clone }
    }

    fn url(&self) -> String {
        format!("{}/{}/{}.git", self.person.host.url, self.person.login, self.name)
    }

    fn publish(&self, project: &Project, arguments: &[&str]) -> Outcome {
        let outcome = project.publish_with(arguments, &[("HLGEN_GIT_TOKEN", &self.person.token)]);
        assert!(!outcome.stderr.contains(&self.person.token), "{}", outcome.stderr);
        outcome
    }

    fn git(&self, arguments: &[&str]) -> String {
        let header = format!("http.extraHeader=Authorization: token {}", self.person.token);
        git(self.clone.path(), &[&["-c", &header], arguments].concat())
    }

    /// The commit of a branch, fetched into the clone.
    fn tip(&self, branch: &str) -> String {
        self.git(&["fetch", "-q", &self.url(), &format!("+refs/heads/{branch}:refs/remotes/{branch}")]);
        self.git(&["rev-parse", &format!("refs/remotes/{branch}")])
    }

    fn push(&self, commit: &str, branch: &str) {
        self.git(&["push", "-q", &self.url(), &format!("{commit}:refs/heads/{branch}")]);
    }

    fn pulls(&self) -> Vec<Value> {
        let path = format!("/repos/{}/{}/pulls?state=open", self.person.login, self.name);
        let (status, answer) = self.person.call("GET", &path, None);
        assert_eq!(status, 200, "{answer}");
        answer.as_array().unwrap().clone()
    }

    fn merge(&self, number: u64) {
        let path = format!("/repos/{}/{}/pulls/{number}/merge", self.person.login, self.name);
        let (status, answer) = self.person.call("POST", &path, Some(&serde_json::json!({ "Do": "merge" })));
        if status != 200 {
            // The stand-in need not merge; by hand it is the same.
            println!("merged by hand ({status}: {answer})");
            let head = self.tip("hlgen/test/main");
            self.push(&head, "main");
        }
    }
}

#[test]
fn from_nothing_to_a_repository_with_a_branch() {
    on_every_host(|host| {
        let person = host.user("owner", SCOPES);
        let place = Place::new(&person);
        let project = Project::new(&place.url());
        let outcome = place.publish(&project, &[]);
        assert_eq!(outcome.code, 2, "{outcome:?}");
        assert!(outcome.stderr.contains("`--init` creates it on Gitea"), "{}", outcome.stderr);
        let dry = place.publish(&project, &["--init", "--dry-run"]);
        ok(&dry);
        let path = format!("/repos/{}/{}", person.login, place.name);
        assert_eq!(person.call("GET", &path, None).0, 404, "a dry run makes nothing");
        ok(&place.publish(&project, &["--init"]));
        let (status, repository) = person.call("GET", &path, None);
        assert_eq!((status, &repository["private"], &repository["empty"]), (200, &true.into(), &false.into()));
        let first = place.tip("main");
        ok(&place.publish(&project, &["--init"]));
        assert_eq!(place.tip("main"), first, "a second time nothing is left to do");
        assert_eq!(git(place.clone.path(), &["rev-list", "--count", &first]), "1");
    });
}

#[test]
fn one_pull_request_that_follows_the_source() {
    on_every_host(|host| {
        let person = host.user("owner", SCOPES);
        let place = Place::new(&person);
        let project = Project::new(&place.url());
        ok(&place.publish(&project, &["--init"]));
        let base = place.tip("main");
        let nothing = place.publish(&project, &["--pr"]);
        ok(&nothing);
        assert!(nothing.stderr.contains("nothing pushed") && place.pulls().is_empty(), "{}", nothing.stderr);

        let change = |replicas: u32| {
            project.case.write("catalog/web/values.yaml", format!("replicas: {replicas}\n").as_bytes());
            project.commit("change");
        };
        change(2);
        let opened = place.publish(&project, &["--pr"]);
        ok(&opened);
        assert!(opened.stderr.contains("opened http"), "{}", opened.stderr);
        let pulls = place.pulls();
        assert_eq!(pulls.len(), 1);
        assert_eq!(pulls[0]["title"], "Publish test: 1 changed");
        assert_eq!((&pulls[0]["head"]["ref"], &pulls[0]["base"]["ref"]), (&"hlgen/test/main".into(), &"main".into()));
        assert!(pulls[0]["body"].as_str().unwrap().contains("- dev/web\n"), "{}", pulls[0]["body"]);
        assert_eq!(place.tip("main"), base, "the target is as it was");

        // A second change replaces the commit, and the pull request stays the same one.
        change(3);
        project.apps(&["web: { version: 2.0.0 }", "db"]);
        project.commit("upgrade");
        let updated = place.publish(&project, &["--pr"]);
        ok(&updated);
        assert!(updated.stderr.contains("updated http"), "{}", updated.stderr);
        let again = place.pulls();
        assert_eq!((again.len(), &again[0]["number"]), (1, &pulls[0]["number"]));
        assert!(again[0]["body"].as_str().unwrap().contains("dev/web: 1.0.0 -> 2.0.0"), "{}", again[0]["body"]);
        let head = place.tip("hlgen/test/main");
        assert_eq!(place.git(&["rev-list", "--count", &format!("{base}..{head}")]), "1");
        let same = place.publish(&project, &["--pr"]);
        ok(&same);
        assert_eq!(place.tip("hlgen/test/main"), head, "the same source, the same commit");

        // The target moves on: the commit follows it.
        let tree = place.git(&["rev-parse", &format!("{base}^{{tree}}")]);
        let moved = place.git(&["commit-tree", "-p", &base, "-m", "by hand", &tree]);
        place.push(&moved, "main");
        ok(&place.publish(&project, &["--pr"]));
        let head = place.tip("hlgen/test/main");
        assert_eq!(place.git(&["rev-parse", &format!("{head}~1")]), moved);

        place.merge(pulls[0]["number"].as_u64().unwrap());
        let merged = place.publish(&project, &[]);
        ok(&merged);
        assert!(merged.stderr.contains("nothing pushed"), "{}", merged.stderr);
    });
}

#[test]
fn commits_of_others_in_the_branch_are_never_overwritten() {
    on_every_host(|host| {
        let person = host.user("owner", SCOPES);
        let place = Place::new(&person);
        let project = Project::new(&place.url());
        ok(&place.publish(&project, &["--init"]));
        project.case.write("catalog/web/values.yaml", b"replicas: 2\n");
        project.commit("change");
        ok(&place.publish(&project, &["--pr"]));
        let ours = place.tip("hlgen/test/main");
        let base = place.tip("main");
        let message = place.git(&["log", "-1", "--format=%B", &ours]);
        let tree = place.git(&["rev-parse", &format!("{ours}^{{tree}}")]);
        project.case.write("catalog/web/values.yaml", b"replicas: 3\n");
        project.commit("another change");

        // On top of ours; ours amended; ours rebased onto a commit of somebody's.
        let on_top = place.git(&["commit-tree", "-p", &ours, "-m", "by hand", &tree]);
        let amended = place.git(&["commit-tree", "-p", &base, "-m", &message, &tree]);
        let foreign = place.git(&["commit-tree", "-p", &base, "-m", "by hand", &tree]);
        let mut rebased = git_command(place.clone.path(), &["commit-tree", "-p", &foreign, "-m", &message, &tree]);
        for who in ["AUTHOR", "COMMITTER"] {
            rebased.env(format!("GIT_{who}_NAME"), "hlgen").env(format!("GIT_{who}_EMAIL"), "hlgen@noreply.invalid");
        }
        let rebased = String::from_utf8(rebased.output().unwrap().stdout).unwrap().trim().to_owned();
        for theirs in [on_top, amended, rebased] {
            place.git(&["push", "-q", "--force", &place.url(), &format!("{theirs}:refs/heads/hlgen/test/main")]);
            let outcome = place.publish(&project, &["--pr"]);
            assert_eq!(outcome.code, 2, "{outcome:?}");
            assert!(outcome.stderr.contains("nobody's commits are overwritten"), "{}", outcome.stderr);
            assert_eq!(place.tip("hlgen/test/main"), theirs);
        }
        ok(&place.publish(&project, &["--pr", "--pr-branch", "hlgen/other"]));
        assert_eq!(place.pulls().len(), 2);
        let same = place.publish(&project, &["--pr", "--pr-branch", "main"]);
        assert_eq!(same.code, 2, "{same:?}");
        assert!(same.stderr.contains("are both `main`"), "{}", same.stderr);
    });
}
