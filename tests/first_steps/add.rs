//! `add`: what it writes, what it says is missing, what it refuses.

use hlgen::ops::workspace::Workspace;
use hlgen::resolve::catalog::Catalog;
use hlgen::scaffold::entry::pin;
use hlgen::schema::kinds::Kinds;

use super::support::case::Case;
use super::{own, started};

const ENVIRONMENT: &str = "environments/dev-kind/environment.yaml";

/// Runs `add`, and gives what the environment was before and is then.
fn add(case: &Case, arguments: &[&str]) -> (i32, String, String) {
    let run = case.run(&[&["add", "--format", "short"], arguments].concat());
    (run.code, run.stdout, run.stderr)
}

#[test]
fn an_app_is_added_with_its_version_and_renders() {
    let case = started();
    let before = case.read(ENVIRONMENT);
    let (code, printed, _) = add(&case, &["homepage", "--print"]);
    assert_eq!(code, 0);
    let entry = "  homepage:\n    # renovate: datasource=docker depName=app-template \
                 packageName=ghcr.io/bjw-s-labs/helm/app-template\n    version: ";
    assert!(printed.contains(&format!("+ {}", entry.replace('\n', "\n+ "))), "{printed}");
    assert_eq!(case.read(ENVIRONMENT), before);

    let (code, stdout, said) = add(&case, &["homepage", "--env", "dev-kind"]);
    assert_eq!((code, stdout.as_str()), (0, ""), "{said}");
    assert!(said.starts_with(&format!("added to {ENVIRONMENT}:\n  homepage ")), "{said}");
    let after = case.read(ENVIRONMENT);
    let rest = after.strip_prefix(&before).unwrap();
    assert!(rest.starts_with(entry) && rest.lines().count() == 3, "{rest}");
    assert_eq!(case.run(&["validate", "--deny-warnings"]).code, 0);
}

#[test]
fn another_release_of_an_app_has_its_name_and_namespace() {
    let case = started();
    let (code, _, said) = add(&case, &["podinfo", "--release", "canary", "--namespace", "canary"]);
    assert_eq!(code, 0, "{said}");
    assert!(case.read(ENVIRONMENT).contains("\n  canary:\n    app: podinfo\n    namespace: canary\n    # renovate: "));
    let (code, _, said) = add(&case, &["podinfo"]);
    assert_eq!(code, 1);
    assert!(said.contains("error[ref/duplicate]: there is a release `podinfo` here already"), "{said}");
    let (code, _, said) = add(&case, &["podinfo", "--release", "On"]);
    assert!(code == 2 && said.contains("not a DNS label"), "{said}");
}

#[test]
fn what_is_required_is_named_with_the_command_that_brings_it() {
    let case = started();
    let before = case.read(ENVIRONMENT);
    let (code, _, said) = add(&case, &["immich"]);
    assert_eq!(code, 1);
    assert!(said.contains("`immich` requires `postgres`, which nothing in `dev-kind` provides\n"), "{said}");
    assert!(said.contains("  hlgen add immich --env dev-kind --with postgres-cluster    # "), "{said}");
    assert!(!said.contains("template/undefined"), "what follows from it is left out: {said}");
    let (code, _, said) = add(&case, &["immich", "--with", "postgres-cluster"]);
    assert_eq!(code, 1);
    assert!(said.contains("  hlgen add immich --env dev-kind --with postgres-cluster,cloudnative-pg    # "), "{said}");
    assert_eq!(case.read(ENVIRONMENT), before);

    let (code, _, said) = add(&case, &["immich", "--with", "postgres-cluster,cloudnative-pg"]);
    assert_eq!(code, 0, "{said}");
    let after = case.read(ENVIRONMENT);
    let keys: Vec<&str> = after.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")).collect();
    assert!(keys.ends_with(&["  cloudnative-pg:", "  immich-postgres:", "  immich:"]), "{keys:?}");
    // Its Secret can only be read in the namespace it lies in.
    assert!(after.contains("  immich-postgres:\n    app: postgres-cluster\n    namespace: immich\n"), "{after}");
    assert!(after.contains("  immich:\n    use: { postgres: immich-postgres }\n"), "{after}");
    assert_eq!(case.run(&["validate", "--deny-warnings"]).code, 0);
}

#[test]
fn an_entry_can_be_written_before_what_it_needs() {
    let case = started();
    let (code, _, said) = add(&case, &["immich", "--anyway"]);
    assert_eq!(code, 1, "it does not render: {said}");
    assert!(said.contains("it does not render yet"), "{said}");
    assert!(case.read(ENVIRONMENT).contains("  immich:\n    # renovate: "));
}

#[test]
fn what_cannot_be_there_is_refused() {
    let case = started();
    assert_eq!(add(&case, &["gatekeeper"]).0, 0);
    let before = case.tree("");
    for (app, said) in [
        ("longhorn", "error[ref/platform]: `longhorn` does not run on `kind`"),
        ("podinf", "error[ref/unknown-app]: there is no app `podinf` in the catalog"),
        ("../podinfo", "error[ref/unknown-app]"),
        ("kyverno", "error[ref/conflict]: `gatekeeper` and `kyverno` cannot live together"),
    ] {
        let (code, _, stderr) = add(&case, &[app]);
        assert_eq!(code, 1, "{app}: {stderr}");
        assert!(stderr.contains(said) && stderr.contains("nothing was written"), "{app}: {stderr}");
    }
    let (code, _, said) = add(&case, &["homepage", "--env", "dev-kin"]);
    assert!(code == 1 && said.contains("error[ref/unknown-environment]"), "{said}");
    assert_eq!(case.tree(""), before);
}

#[test]
fn several_environments_want_a_choice() {
    let case = started();
    let text = case.read(ENVIRONMENT).replace("dev.localhost", "other.localhost");
    case.write("environments/other/environment.yaml", text.as_bytes());
    let (code, _, said) = add(&case, &["homepage"]);
    assert_eq!(code, 2);
    assert!(said.contains("say one of them with --env: dev-kind, other"), "{said}");
    let (code, _, said) = add(&case, &["homepage", "--env", "other"]);
    assert_eq!(code, 0, "{said}");
    assert!(!case.read(ENVIRONMENT).contains("homepage"));
}

#[test]
fn a_file_that_cannot_be_extended_is_left_alone_and_the_lines_are_said() {
    let case = started();
    let text = case.read(ENVIRONMENT);
    let (head, apps) = text.split_once("apps:\n").unwrap();
    let text = format!("{head}apps: &apps\n{apps}vars: {{ copy: *apps }}\n");
    case.write(ENVIRONMENT, text.as_bytes());
    let run = case.run(&["add", "homepage"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("error[file/edit]: `apps:` cannot be extended"), "{}", run.stderr);
    assert!(run.stderr.contains("  homepage:\n"), "{}", run.stderr);
    assert_eq!(case.read(ENVIRONMENT), text);
}

#[test]
fn an_entry_of_the_repository_has_its_version_in_one_place() {
    let case = started().file(
        "catalog/web/app.yaml",
        "apiVersion: hlgen.dev/v1\nkind: App\nchart: { repository: https://charts.example.com, name: web, version: 1.2.3 }\n",
    );
    let (code, _, said) = add(&case, &["web"]);
    assert_eq!(code, 0, "{said}");
    assert!(case.read(ENVIRONMENT).ends_with("\n  web: {}\n"));
}

#[test]
fn where_there_is_no_repository_it_says_how_to_start_one() {
    let run = Case::new().run(&["add", "podinfo"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`hlgen init` starts a repository"), "{}", run.stderr);
    let run = Case::new().run(&["add", "podinfo", "--env", "dev"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("there is no `hlgen.yaml` here"), "{}", run.stderr);
    let run = Case::project().run(&["add", "podinfo", "--env", "dev"]);
    assert!(run.code == 1 && run.stderr.contains("there is no environment `dev`"), "{}", run.stderr);
}

/// What `add` would pin is what a person wrote into this repository's production.
#[test]
fn the_pin_is_the_one_of_this_repository() {
    let text = own("environments/prod-eks/environment.yaml");
    let empty = tempfile::tempdir().unwrap();
    let workspace = Workspace::open(empty.path()).unwrap();
    let (docs, kinds) = (workspace.docs(), Kinds::default());
    let mut catalog = Catalog::new(&docs, &kinds);
    let names: Vec<String> = catalog.names().into_iter().collect();
    let mut seen = 0;
    for name in names {
        let app = catalog.find(&name, &mut Vec::new()).unwrap();
        let Some(pin) = pin(&app) else { continue };
        let comment = pin.comment.unwrap_or_else(|| panic!("{name} has no comment for Renovate"));
        assert!(comment.starts_with("renovate: datasource="), "{name}: {comment}");
        if let Some((_, entry)) = text.split_once(&format!("\n  {name}:\n")) {
            let wanted = format!("    # {comment}\n    version: {}\n", pin.version);
            assert!(entry.starts_with(&wanted), "{name}: {wanted}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}
