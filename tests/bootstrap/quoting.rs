//! Nothing that somebody wrote into a file is read as a command.

use super::cluster::{Cluster, script};
use super::small;
use super::support::case::Case;

/// Texts that would leave quotes, here-documents, comments and lists.
pub(crate) fn nasty() -> Case {
    let evil = "$(touch pwned) `touch pwned` '; touch pwned; '' \\\" ${x} # \\u001b[2J";
    small(&format!(
        "inputs:\n  - {{ name: \"{evil}\", description: \"{evil}\\nHLGEN_END\\ntouch pwned\\n\", release: web }}\n\
         apps: {{ argocd: {{}}, web: {{}} }}\n"
    ))
    .file(
        "catalog/web/values.yaml",
        "text: |\n  HLGEN_END\n  $(touch pwned)\nother: \"`touch pwned`\\nHLGEN_END\\ntouch pwned\\n\"\n",
    )
    .file(
        "catalog/web/manifests/evil.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: evil\ndata:\n  \"$(touch pwned)\": \"'; touch pwned\"\n  \
         x: |\n    ---\n    kind: Job\n    metadata:\n      annotations:\n        helm.sh/hook: pre-install\n",
    )
}

#[test]
fn nasty_texts_stay_texts() {
    let Some(cluster) = Cluster::new() else { return };
    let case = nasty();
    let text = script(&case, &["dev"]);
    assert!(!text.contains('\u{1b}'));
    let run = cluster.run(case.root(), &text, &["--context", "home"], "\n");
    assert_eq!(run.code, 0, "{}", run.said);
    assert!(!case.path("pwned").exists() && !cluster.path("fake/pwned").exists());
    assert!(run.said.contains("$(touch pwned) `touch pwned` '; touch pwned; ''"), "{}", run.said);
    assert!(cluster.get("values/web.yaml").contains("$(touch pwned)"), "{}", cluster.get("values/web.yaml"));
    assert!(cluster.applied().contains("$(touch pwned)"));
    let plan = case.run(&["bootstrap", "dev"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    assert!(!plan.stdout.contains('\u{1b}'), "{}", plan.stdout);
}

#[test]
fn a_script_is_written_over_its_own_only() {
    let case = small("apps: { argocd: {} }\n");
    let write = || case.run(&["bootstrap", "dev", "--out", "up.sh"]);
    let outcome = write();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
    let text = case.read("up.sh");
    assert_eq!(text, case.run(&["bootstrap", "dev", "--script"]).stdout);
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(case.path("up.sh")).unwrap().permissions().mode() & 0o777, 0o755);
    }
    assert_eq!(write().code, 0);
    case.write("up.sh", b"#!/bin/sh\necho mine\n");
    let outcome = write();
    assert!(outcome.code == 2 && outcome.stderr.contains("is no script that hlgen wrote"), "{}", outcome.stderr);
    assert_eq!(case.read("up.sh"), "#!/bin/sh\necho mine\n");
}
