//! Two revisions and what `hlgen diff` says of them: one folder below `tests/diff` per behaviour.
//!
//! `base/` and `head/` are the files of two commits, made into a repository on the spot. `human.txt`, `review.md`,
//! `changes.json` and `page.html` are what the formats print; `exit` holds the exit code where it is not 0. Digests of
//! secrets are new in every run and stand as DIGEST. `HLGEN_BLESS=1 cargo test --test diff` writes what came out.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write their expectations")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hlgen::ops::diff::{Request, What, diff};
use hlgen::ops::evaluate::Selection;
use hlgen::report::diff as report;
use proptest::prelude::*;
use support::case::{Case, Files, tree};

macro_rules! cases {
    ($($name:ident)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        #[test]
        fn every_folder_is_a_case() {
            let named: BTreeSet<String> = [$(stringify!($name)),*].map(str::to_owned).into();
            let found: BTreeSet<String> = fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            assert_eq!(named, found);
        }
    };
}

cases! {
    broken_head
    broken_values
    capability_moves
    cluster_leaves
    everything
    policies_take_hold
    refused_head
    rename_announced
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff")
}

/// A repository with these files on `main` and those on `change`, which is checked out.
fn repository(base: &Files, head: &Files) -> Case {
    let case = Case::new();
    let git =
        git2::Repository::init_opts(case.root(), git2::RepositoryInitOptions::new().initial_head("main")).unwrap();
    let first = commit(&git, base, &[]);
    let first = git.find_commit(first).unwrap();
    git.reference("refs/heads/main", first.id(), true, "").unwrap();
    let second = commit(&git, head, &[&first]);
    git.reference("refs/heads/change", second, true, "").unwrap();
    git.set_head("refs/heads/change").unwrap();
    for (path, content) in head {
        case.write(path, content);
    }
    case
}

/// A commit of files without a work tree; the same files give the same commit.
fn commit(git: &git2::Repository, files: &Files, parents: &[&git2::Commit<'_>]) -> git2::Oid {
    let mut index = git2::Index::new().unwrap();
    for (path, content) in files {
        let (content, mode) = match content.strip_prefix(b"-> ") {
            Some(target) => (target.strip_suffix(b"\n").unwrap_or(target), 0o120_000),
            None => (content.as_slice(), 0o100_644),
        };
        let id = git.blob(content).unwrap();
        let time = git2::IndexTime::new(0, 0);
        let entry = git2::IndexEntry {
            ctime: time,
            mtime: time,
            dev: 0,
            ino: 0,
            mode,
            uid: 0,
            gid: 0,
            file_size: 0,
            id,
            flags: 0,
            flags_extended: 0,
            path: path.as_bytes().to_vec(),
        };
        index.add(&entry).unwrap();
    }
    let tree = git.find_tree(index.write_tree_to(git).unwrap()).unwrap();
    let who = git2::Signature::new("test", "test@example.com", &git2::Time::new(0, 0)).unwrap();
    git.commit(None, &who, &who, "files", &tree, parents).unwrap()
}

fn check(name: &str) {
    let folder = cases().join(name);
    let case = repository(&tree(&folder.join("base")), &tree(&folder.join("head")));
    let mut found = Files::new();
    for (format, file) in
        [("human", "human.txt"), ("markdown", "review.md"), ("json", "changes.json"), ("html", "page.html")]
    {
        let outcome = case.run(&["diff", "main", "change", "--format", format, "-q"]);
        assert_eq!(outcome.stderr, "", "{format}");
        found.insert(file.to_owned(), without_digests(&outcome.stdout).into_bytes());
        if outcome.code != 0 {
            found.insert("exit".into(), format!("{}\n", outcome.code).into_bytes());
        }
        // The work tree has the same files, so the same is said of it.
        let work = case.run(&["diff", "main", "--format", format, "-q"]);
        assert_eq!(work.code, outcome.code);
        if format == "human" {
            let rest = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(
                rest(&work.stdout).join("\n").replace("working tree", "change"),
                rest(&outcome.stdout).join("\n")
            );
        }
    }
    let files = ["human.txt", "review.md", "changes.json", "page.html", "exit"];
    let expected: Files =
        files.iter().filter_map(|file| Some((String::from(*file), fs::read(folder.join(file)).ok()?))).collect();
    if found == expected {
        return;
    }
    if std::env::var_os("HLGEN_BLESS").is_some() {
        files.iter().for_each(|file| _ = fs::remove_file(folder.join(file)));
        found.iter().for_each(|(path, content)| fs::write(folder.join(path), content).unwrap());
        return;
    }
    for (path, content) in &found {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let old = expected.get(path).map(|bytes| text(bytes)).unwrap_or_default();
        assert!(old == text(content), "{name}/{path}\n{}", support::diff::lines(&old, &text(content)));
    }
    panic!("{name}: other files than expected");
}

fn without_digests(text: &str) -> String {
    let mut pieces = text.split("{\"secret\":\"");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str("{\"secret\":\"DIGEST");
        out.push_str(&piece[16..]);
    }
    out
}

fn compare(case: &Case, everything: bool) -> hlgen::diff::Changes {
    let selection = Selection::default();
    let what = What::Revisions { base: Some("main"), head: Some("change"), merge_base: true };
    let request = Request {
        folder: case.root(),
        what,
        selection: &selection,
        max_removals: None,
        limits: hlgen::source::budget::Budget::default(),
        everything,
        key: [1; 32],
    };
    diff(&request).unwrap().changes
}

#[test]
fn the_formats_say_what_a_check_needs() {
    let folder = cases().join("everything");
    let case = repository(&tree(&folder.join("base")), &tree(&folder.join("head")));
    assert_eq!(case.run(&["diff", "main", "main", "--exit-code", "-q"]).code, 0);
    let same = case.run(&["diff", "change", "change", "-q"]);
    assert_eq!((same.code, same.stdout.contains("no differences")), (0, true), "{}", same.stdout);
    let over = case.run(&["diff", "main", "change", "--max-removals", "1", "-q"]);
    assert!(over.stdout.contains("[diff/removals]") && over.code == 1, "{}", over.stdout);
    let one = case.run(&["diff", "main", "change", "--app", "shop", "--env", "dev-kind", "-q"]);
    assert!(!one.stdout.contains("gone") && !one.stdout.contains("prod-eks"), "{}", one.stdout);
    // What it compares holds secrets in plain text: refused, and shown all the same.
    assert!(one.stdout.contains("[secrets/plaintext]") && one.code == 1, "{}", one.stdout);
    assert_eq!(case.run(&["diff", "main", "change", "--app", "shop", "--exit-code", "-q"]).code, 1);
    let wrong = case.run(&["diff", "nowhere"]);
    assert_eq!((wrong.code, wrong.stderr.contains("there is no revision `nowhere`")), (2, true), "{}", wrong.stderr);
    let wrong = case.run(&["diff", "--env", "dev-kind..nope"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("there is no environment `nope`"), "{}", wrong.stderr);
    let exact = case.run(&["diff", "main..change", "-q"]);
    assert_eq!(exact.stdout, case.run(&["diff", "main", "change", "-q"]).stdout);
    let pair = case.run(&["diff", "change", "--env", "dev-kind..prod-eks", "-q"]);
    assert!(pair.stdout.starts_with("dev-kind"), "{}", pair.stdout);
}

#[test]
fn a_folder_of_a_repository_is_compared_by_itself() {
    let folder = cases().join("refused_head");
    let inside = |side: &str| -> Files {
        tree(&folder.join(side)).into_iter().map(|(path, text)| (format!("ops/{path}"), text)).collect()
    };
    let case = repository(&inside("base"), &inside("head"));
    let outcome = case.run(&["-C", "ops", "diff", "main", "change", "-q"]);
    assert!(outcome.stdout.contains("replicas: 1 -> many"), "{}\n{}", outcome.stdout, outcome.stderr);
}

/// A small repository in which much hangs together: capabilities, exposed hosts, shared layers, a base app, manifests.
fn connected() -> Files {
    let mut files = Files::new();
    let mut add = |path: &str, text: &str| files.insert(path.to_owned(), text.as_bytes().to_vec());
    add(
        "hlgen.yaml",
        "apiVersion: hlgen.dev/v1\nkind: Project\nname: test\ngit: { repoURL: https://git.example.com/ops/test.git }\nvars: { size: 1 }\n",
    );
    let app = |body: &str| format!("apiVersion: hlgen.dev/v1\nkind: App\n{body}");
    add(
        "catalog/base/app.yaml",
        &app("description: Base\nchart: { repository: https://charts.example.com, name: base, version: 1.0.0 }\n"),
    );
    add("catalog/base/values.yaml", "from: base\n");
    for name in ["a", "b", "c", "d"] {
        let provides = if name == "a" { "provides: { ingress: { className: a } }\n" } else { "wants: [ingress]\n" };
        let expose = if name == "b" { "expose: [{ name: web, service: b, port: 80 }]\n" } else { "" };
        let from = if name == "c" {
            "from: base\n".to_owned()
        } else {
            format!("chart: {{ repository: https://charts.example.com, name: {name}, version: 1.0.0 }}\n")
        };
        add(&format!("catalog/{name}/app.yaml"), &app(&format!("description: {name}\n{from}{provides}{expose}")));
        add(&format!("catalog/{name}/values.yaml"), &format!("own: {name}\nsize: ${{{{ vars.size }}}}\n"));
    }
    add("catalog/b/values.yaml", "className: ${{ cap.ingress.className if has('ingress') else 'none' }}\n");
    add("catalog/d/values.yaml", "hosts: ${{ env.exposed }}\nfile: ${{ file('note.txt') }}\n");
    add("catalog/d/note.txt", "note\n");
    add(
        "catalog/d/manifests/cm.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: d }\ndata: { hosts: '${{ env.exposed | length }}' }\n",
    );
    add("environments/all/values.yaml", "global: { all: 1 }\n");
    for (env, stage) in [("dev", "dev"), ("prod", "prod")] {
        add(
            &format!("environments/{env}/environment.yaml"),
            &format!(
                "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: {stage}\nprovider: talos\ndomain: {env}.example.com\napps:\n  a: {{}}\n  b: {{}}\n  c: {{}}\n  d: {{}}\n"
            ),
        );
        add(&format!("environments/{env}/values/app/a.yaml"), "layer: 1\n");
    }
    files
}

/// A side that was read in part only lacks what was not read, which is no deletion.
#[test]
fn a_side_over_its_budget_is_broken() {
    let base = connected();
    let mut head = base.clone();
    head.insert("catalog/e/app.yaml".into(), head["catalog/a/app.yaml"].clone());
    let case = repository(&base, &head);
    assert!(case.run(&["diff"]).code <= 1);
    for limit in ["files=9", "nodes=60", "outputs=1"] {
        let outcome = case.run(&["diff", "--format", "json", "--limits", limit]);
        assert_eq!(outcome.code, 1, "{limit}: {}", outcome.stderr);
        assert!(outcome.stdout.contains("limit/"), "{limit}: {}", outcome.stdout);
        let changes: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(changes["removals"], serde_json::json!([]), "{limit}");
    }
}

/// One edit of somebody's.
fn edit(files: &mut Files, which: usize) {
    let mut change = |path: &str, from: &str, to: &str| {
        if let Some(bytes) = files.get_mut(path) {
            *bytes = String::from_utf8(bytes.clone()).unwrap().replace(from, to).into_bytes();
        }
    };
    match which {
        0 => change("hlgen.yaml", "size: 1", "size: 2"),
        1 => change("catalog/a/values.yaml", "own: a", "own: z"),
        2 => change("catalog/a/app.yaml", "className: a", "className: z"),
        3 => change("catalog/b/app.yaml", "name: web", "name: site"),
        4 => change("catalog/b/app.yaml", "description: b", "description: z"),
        5 => change("catalog/d/note.txt", "note", "other"),
        6 => change("catalog/d/manifests/cm.yaml", "name: d", "name: e"),
        7 => change("environments/all/values.yaml", "all: 1", "all: 2"),
        8 => change("environments/dev/environment.yaml", "  b: {}\n", ""),
        9 => change("environments/dev/environment.yaml", "  c: {}\n", "  c: { version: 2.0.0 }\n"),
        10 => change("environments/prod/environment.yaml", "domain: prod.example.com", "domain: example.org"),
        11 => change("environments/prod/environment.yaml", "apps:\n", "vars: { size: 5 }\napps:\n"),
        12 => change("environments/prod/environment.yaml", "  a: {}\n", "  z: { app: a }\n"),
        13 => change("catalog/base/values.yaml", "from: base", "from: other"),
        14 => change("catalog/base/app.yaml", "version: 1.0.0", "version: 0.9.0"),
        15 => change("environments/dev/values/app/a.yaml", "layer: 1", "layer: 2"),
        16 => {
            _ = files.insert(
                "environments/prod/manifests/b/x.yaml".into(),
                b"apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n".to_vec(),
            );
        }
        17 => _ = files.insert("environments/prod/values/c.yaml".into(), b"added: true\n".to_vec()),
        18 => _ = files.remove("catalog/c/values.yaml"),
        19 => change("environments/dev/environment.yaml", "stage: dev", "stage: staging"),
        20 => change("environments/prod/environment.yaml", "  d: {}\n", "  d: { namespace: other }\n"),
        21 => _ = files.insert("README.md".into(), b"nothing to do with it\n".to_vec()),
        22 => change("hlgen.yaml", "vars:", "layers: ['catalog/{app}/values.yaml', 'more/{env}.yaml']\nvars:"),
        23 => {
            _ = files.insert(
                "environments/profiles/stage/prod.yaml".into(),
                b"apiVersion: hlgen.dev/v1\nkind: Profile\nvars: { size: 9 }\n".to_vec(),
            );
        }
        _ => change(
            "environments/prod/environment.yaml",
            "apps:\n",
            "clusters: [{ name: one, destination: { name: one } }, { name: two, destination: { name: two } }]\napps:\n",
        ),
    }
}

const EDITS: usize = 25;

/// Not evaluating what has the same inputs changes nothing but the time.
fn assert_the_short_way_is_right(edits: &[usize]) -> Option<String> {
    let base = connected();
    let mut head = base.clone();
    edits.iter().for_each(|which| edit(&mut head, *which));
    for (one, two) in [(&base, &head), (&head, &base)] {
        let case = repository(one, two);
        let (short, long) = (report::json(&compare(&case, false)), report::json(&compare(&case, true)));
        if short != long {
            return Some(support::diff::lines(&long, &short));
        }
    }
    None
}

#[test]
fn every_single_edit_is_seen_on_the_short_way() {
    for which in 0..EDITS {
        assert_eq!(assert_the_short_way_is_right(&[which]), None, "edit {which}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_short_way_finds_what_the_long_one_finds(edits in prop::collection::vec(0..EDITS, 2..5)) {
        prop_assert_eq!(assert_the_short_way_is_right(&edits), None);
    }
}

/// A repository with a secret at every place where one may be.
fn with_secrets(one: &str, two: &str) -> [Files; 2] {
    [one, two].map(|secret| {
        let mut files = connected();
        let mut add = |path: &str, text: String| files.insert(path.to_owned(), text.into_bytes());
        add("catalog/a/values.yaml", format!(
            "adminPassword: {secret}\nauth: {{ token: {secret}, nested: {{ x: 1 }} }}\napiKey:\n  - {secret}\ncredentials:\n  user: {secret}\n  deep: {{ list: [{secret}] }}\nenv:\n  - {{ name: DB_PASSWORD, value: {secret} }}\nargs: [--token, {secret}, --password={secret}]\nurl: postgres://user:{secret}@db/x\nini: |\n  [auth]\n  client_secret = {secret}\njson: '{{\"privateKey\": \"{secret}\"}}'\npem: |\n  -----BEGIN PRIVATE KEY-----\n  {secret}\n  -----END PRIVATE KEY-----\njwt: eyJhbGciOiJIUzI1NiJ9.{secret}.x\ngh: ghp_{secret}{secret}\nviaTemplate: ${{{{ vars.dbPassword }}}}\n"
        ));
        add("catalog/d/manifests/secret.yaml", format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{ name: s }}\nstringData:\n  harmless: {secret}\n---\ndata: {{ alsoHarmless: {secret} }}\napiVersion: v1\nkind: Secret\nmetadata: {{ name: t }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: copies, annotations: {{ a: \"${{{{ vars.dbPassword | b64encode }}}}\" }} }}\ndata: {{ a: \"x ${{{{ vars.dbPassword }}}} y\" }}\n"
        ));
        // A finding whose message repeats the value, and one whose frame shows the line.
        add("catalog/b/values.schema.json", "{\"type\":\"object\",\"properties\":{\"pin\":{\"type\":\"integer\"},\"password\":{\"enum\":[\"a\"]}}}".into());
        add("catalog/b/values.yaml", format!("pin: {secret}\npassword: {secret}\n"));
        add("hlgen.yaml", format!("apiVersion: hlgen.dev/v1\nkind: Project\nname: test\ngit: {{ repoURL: https://git.example.com/ops/test.git }}\nvars: {{ size: 1, dbPassword: {secret} }}\n"));
        files
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_is_in_any_output(one in "[a-z]{3}[0-9][a-zA-Z0-9]{6,20}", two in "[a-z]{3}[0-9][a-zA-Z0-9]{6,20}") {
        let [base, head] = with_secrets(&one, &two);
        let case = repository(&base, &head);
        for arguments in [
            &["diff", "main", "change"][..], &["diff", "main", "change", "--format", "markdown"], &["diff", "main", "change", "--format", "json"],
            &["diff", "main", "change", "--format", "html"], &["diff", "--env", "dev..prod"], &["diff", "main", "--color", "always"],
            &["validate"], &["validate", "--format", "short"], &["validate", "--format", "json"], &["validate", "--format", "sarif"],
            &["validate", "--format", "github"], &["render", "--out", "o"],
        ] {
            let outcome = case.run(arguments);
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            prop_assert!(!said.contains(&one) && !said.contains(&two), "{:?}\n{}", arguments, said);
            if arguments[0] != "diff" {
                prop_assert!(said.contains("values/schema"), "{:?}\n{}", arguments, said);
            } else if arguments[1..] == ["main", "change"] {
                prop_assert!(said.contains("adminPassword: <secret> changed"), "{}", said);
            }
        }
    }
}
