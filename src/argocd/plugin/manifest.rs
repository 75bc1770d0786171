//! `plugin.yaml`: what the sidecar is told (argocd.md section 1.1).
//!
//! Argo CD reads it without complaint whatever it holds, so it is written from here and nowhere else. There is no
//! discovery: a plugin that is asked for by its name gets the repository once, one with a rule gets it once more for the
//! rule. There is no `spec.version`: Argo CD would append it to the name.

use serde_json::json;

use super::NAME;

/// Seconds after which the plugin gives up by itself. Argo CD waits for 60, checking out the repository and sending it
/// included, and says nothing of use when they are over.
pub const BUDGET_SECONDS: u64 = 50;

/// The file's text. `program` is the path of the binary in the sidecar.
pub fn manifest(program: &str) -> String {
    let command = |name: &str| json!([program, "plugin", name]);
    let timeout = BUDGET_SECONDS.to_string();
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ConfigManagementPlugin",
        "metadata": { "name": NAME },
        "spec": {
            "generate": { "command": command("generate"), "args": ["--timeout", timeout] },
            "parameters": { "dynamic": { "command": command("parameters"), "args": ["--timeout", "10"] } },
        },
    });
    crate::yaml::emit_json(&object)
}
