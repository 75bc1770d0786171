//! Whole repositories and what hlgen makes of them: one folder below `tests/cases` per behaviour.
//!
//! `in/` is the repository, `out/` what its `rendered/` holds afterwards, `stderr.txt` what is said and, where it is not
//! 0, the exit code; `stdout.txt` what is printed, if anything is. `args` (one argument a line) replaces the default
//! `render --format short`. A case with several runs has `args`, `args.2`, ...; all are run in the same folder, and
//! what they say follows one another. `look` holds the beginnings of the paths below `rendered/` that the case is
//! about, where that is not all of them. `why.md` says which rule the case is about. A link is a file that holds
//! `-> ` and its target.
//!
//! `HLGEN_BLESS=1 cargo test --test cases` writes what came out as the new expectation. Read it before it is committed.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write their expectations")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use support::case::{Case, Files, tree};
use support::diff;

macro_rules! cases {
    ($($name:ident)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        /// A folder that nobody runs proves nothing.
        #[test]
        fn every_folder_is_a_case() {
            let named: BTreeSet<String> = [$(stringify!($name)),*].map(str::to_owned).into();
            let folders = fs::read_dir(cases()).unwrap();
            let found: BTreeSet<String> =
                folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            assert_eq!(named, found, "the list in tests/cases.rs and the folders below tests/cases");
        }
    };
}

cases! {
    allow_comment_that_answers_nothing
    allow_comments
    application_fields_are_no_templates
    application_names_meet
    argocd_of_an_older_version
    argocd_of_an_unknown_version
    availability_budgets
    backup_by_velero
    backup_in_several_places
    backup_of_a_database
    backup_that_cannot_be
    backup_words_and_policies
    brings_companions
    capability_ambiguous
    capability_bindings
    capability_choice_wrong
    capability_class_that_nobody_provides
    capability_data
    capability_data_templates
    capability_missing
    capability_rival
    dashboards_of_an_app
    dashboards_that_grafana_would_not_show
    deletion_and_pruning
    dimension_value_that_is_reserved
    environments_sharing_a_cluster
    environments_sharing_a_cluster_meet
    explain_values
    expose_as_ingress
    expose_as_ingress_of_nginx
    expose_as_routes_of_a_gateway
    expose_streams_of_traefik
    expose_that_cannot_be
    expose_without_what_it_wants
    file_that_nobody_reads
    global_alone_in_shared_files
    global_only_where_accepted
    hlgen_version_too_old
    hub_and_spokes
    instances_that_do_not_fit
    kind_header
    kind_header_missing
    kind_header_wrong
    kind_unknown_fields
    kind_wrong_types
    layers_in_every_position
    layers_of_a_base
    layers_replaced_by_the_project
    layers_that_mean_nothing
    lint_git_revision_moves
    lint_image_tags
    lint_labels
    lint_paths_that_cannot_be_read
    lint_ports_meet
    lint_requests_and_replicas
    lint_storage_class_unknown
    list_releases_and_applications
    manifests_of_an_environment
    manifests_of_kinds_with_crds
    manifests_that_kubernetes_refuses
    manifests_when_and_each
    manifests_with_labels_that_are_no_strings
    merge_keeps_text_and_order
    merge_null_stays
    merge_tags
    merge_tags_in_several_layers
    merge_tags_that_do_not_fit
    merge_type_clash
    names_that_are_reserved
    names_that_hlgen_uses_itself
    names_that_kubernetes_refuses
    names_too_long
    namespaces_of_a_cluster
    namespaces_of_kubernetes_versions
    network_policies_of_a_shared_cluster
    network_policies_of_cilium
    network_policies_on_eks
    network_policies_on_kind
    network_policies_on_talos
    network_policies_that_need_to_know
    network_policies_that_nobody_enforces
    network_ranges_that_are_none
    no_environment
    no_project
    order_cycle
    order_cycle_over_environments
    order_tier
    out_check_says_what_differs
    out_foreign_file_in_the_way
    out_nothing_is_written_with_errors
    out_second_run_changes_nothing
    out_selection_leaves_the_rest_alone
    out_selection_of_nothing
    out_stale_files_are_removed
    out_through_a_link
    policy_pod_security
    priority_classes
    profiles_and_vars
    projects_of_an_environment
    quantities_that_cannot_be
    quotas_and_budgets_of_the_catalog
    quotas_exceeded
    quotas_of_namespaces
    ref_conflict_platform_lifecycle
    ref_duplicate_helm_release
    ref_from_chains
    ref_unknown_app_and_profile
    rollout_by_stage
    rollout_by_stage_alone
    rule_and_its_mistakes
    schema_and_templates
    schema_inferred_warns
    schema_of_another_version_warns
    schema_points_at_the_layer
    schema_that_cannot_be_used
    schema_with_defaults
    secrets_allowed
    secrets_by_hand
    secrets_in_aws
    secrets_in_kubernetes
    secrets_in_plain_text
    secrets_in_vault
    secrets_of_another_environment
    secrets_of_ones_own
    secrets_out_of_reach
    secrets_sealed
    secrets_sealed_wrong
    secrets_that_are_none
    secrets_that_cannot_be
    secrets_that_clash
    secrets_without_a_home
    severity_of_a_project
    source_links_that_lead_out
    sources_of_every_kind
    sources_that_cannot_be
    template_functions
    template_in_a_key
    template_is_opaque_to_the_merge
    template_limits_and_errors
    template_reads_only_its_own_folder
    template_types_and_text
    template_undefined
    template_undefined_functions
    two_clusters_in_an_environment
    two_releases_of_an_app
    versions_pinned_and_supported
    warnings_denied
    yaml_ambiguous_words
    yaml_anchors_and_merge_keys
    yaml_bom_crlf_and_empty_files
    yaml_duplicate_key
    yaml_duplicate_release
    yaml_hostile
    yaml_not_utf8
    yaml_syntax_in_several_files
    yaml_unknown_tags
    yaml_values_that_are_no_map
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Runs a case and compares everything it left with the expectation, or writes the expectation.
fn check(name: &str) {
    let folder = cases().join(name);
    let case = Case::copy_of(&folder.join("in"));
    let (mut stdout, mut stderr) = (String::new(), String::new());
    for arguments in runs(&folder) {
        let arguments: Vec<&str> = arguments.lines().filter(|line| !line.is_empty()).collect();
        let outcome = case.run(&arguments);
        stdout.push_str(&outcome.stdout);
        stderr.push_str(&outcome.stderr);
        if outcome.code != 0 {
            let _ = writeln!(stderr, "[exit code {}]", outcome.code);
        }
    }
    let mut found = Files::new();
    let look = fs::read_to_string(folder.join("look")).unwrap_or_default();
    let looked_at = |path: &str| look.is_empty() || look.lines().any(|start| path.starts_with(start));
    for (path, content) in case.tree("rendered").into_iter().filter(|(path, _)| looked_at(path)) {
        found.insert(format!("out/{path}"), content);
    }
    for (path, text) in [("stdout.txt", stdout), ("stderr.txt", stderr)] {
        if !text.is_empty() {
            found.insert(path.to_owned(), text.into_bytes());
        }
    }
    let mut expected: Files =
        tree(&folder.join("out")).into_iter().map(|(path, text)| (format!("out/{path}"), text)).collect();
    for path in ["stdout.txt", "stderr.txt"] {
        if let Ok(text) = fs::read(folder.join(path)) {
            expected.insert(path.to_owned(), text);
        }
    }
    if found == expected {
        return;
    }
    if std::env::var_os("HLGEN_BLESS").is_some() {
        bless(&folder, &expected, &found);
        return;
    }
    panic!("case `{name}` came out differently (- expected, + found)\n{}", difference(&expected, &found));
}

/// The arguments of each run, one a line.
fn runs(folder: &Path) -> Vec<String> {
    let Ok(first) = fs::read_to_string(folder.join("args")) else {
        return vec!["render\n--format\nshort\n".to_owned()];
    };
    let later = (2..).map_while(|number| fs::read_to_string(folder.join(format!("args.{number}"))).ok());
    std::iter::once(first).chain(later).collect()
}

fn bless(folder: &Path, expected: &Files, found: &Files) {
    for path in expected.keys().filter(|path| !found.contains_key(*path)) {
        fs::remove_file(folder.join(path)).unwrap();
    }
    for (path, content) in found {
        let target = folder.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        // A link is kept as text: Git on other systems has no links.
        fs::write(&target, content).unwrap();
    }
}

fn difference(expected: &Files, found: &Files) -> String {
    let mut out = String::new();
    let paths: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for path in paths {
        let text = |files: &Files| files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let (old, new) = (text(expected), text(found));
        if old == new {
            continue;
        }
        let note = match (&old, &new) {
            (Some(_), None) => " (not there)",
            (None, Some(_)) => " (not expected)",
            _ => "",
        };
        let _ = writeln!(out, "--- {path}{note}\n{}", diff::lines(&old.unwrap_or_default(), &new.unwrap_or_default()));
    }
    out
}
