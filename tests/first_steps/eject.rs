//! `eject`: the same output before and after, for every app of this repository's environments at once.

use std::collections::BTreeMap;
use std::path::Path;

use hlgen::io::Embedded;
use hlgen::ops::eject::collect;
use hlgen::ops::evaluate::Selection;
use hlgen::ops::render::{Delivery, Target, render};
use hlgen::ops::workspace::Workspace;
use hlgen::source::{Memory, Source as _};

use super::support::case::tree;
use super::{own, started};

fn rendered(workspace: &Workspace) -> BTreeMap<String, String> {
    let outcome = render(workspace, &Selection::default(), Delivery::Files, Target::Collect).unwrap();
    outcome.files.into_iter().map(|file| (file.path, file.text)).collect()
}

#[test]
fn what_is_rendered_stays_the_same() {
    // This repository's environments over the built-in catalog.
    let environments = tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("environments"));
    let own_profiles = |path: &String| path.starts_with("profiles/");
    let mut source: Memory = environments
        .into_iter()
        .filter(|(path, _)| !own_profiles(path))
        .map(|(path, content)| (format!("environments/{path}"), content))
        .collect();
    source.insert("hlgen.yaml", own("hlgen.yaml"));
    let workspace = Workspace::of(Path::new("."), source);
    let before = rendered(&workspace);
    assert!(before.len() > 100, "{}", before.len());

    let plan = render(&workspace, &Selection::default(), Delivery::Files, Target::Nowhere).unwrap().plan.unwrap();
    let mut files = BTreeMap::new();
    let mut bases = 0;
    for release in &plan.releases {
        let ejected = collect(&workspace, release.app.name.as_str()).unwrap().unwrap();
        bases += usize::from(ejected.base.is_some());
        files.extend(ejected.files);
    }
    assert!(bases > 0, "none has a base");
    let after = workspace.with_files(files.clone());
    assert_eq!(rendered(&after), before);
    let outcome = render(&after, &Selection::default(), Delivery::Files, Target::Nowhere).unwrap();
    assert!(outcome.plan.unwrap().releases.iter().all(|release| !release.app.builtin || release.brought_by.is_some()));
    // And it is the copy that counts.
    let values = "catalog/podinfo/values.yaml".to_owned();
    let changed = String::from_utf8(files[&values].clone()).unwrap() + "ejected: true\n";
    files.insert(values, changed.into_bytes());
    assert_ne!(rendered(&workspace.with_files(files)), before);
}

#[test]
fn every_entry_is_copied_whole() {
    let case = started();
    let workspace = Workspace::open(case.root()).unwrap();
    let built_in = Embedded.every("catalog", "app.yaml");
    assert!(built_in.len() > 100);
    for path in built_in {
        let folder = path.strip_suffix("/app.yaml").unwrap();
        let ejected = collect(&workspace, folder.strip_prefix("catalog/").unwrap()).unwrap().unwrap();
        let paths: Vec<&String> = ejected.files.iter().map(|(path, _)| path).collect();
        assert_eq!(paths, Embedded.list(folder).iter().collect::<Vec<_>>());
        for (path, content) in &ejected.files {
            assert_eq!(Embedded.read(path).unwrap().unwrap(), content.as_slice(), "{path}");
        }
    }
}

#[test]
fn there_and_back() {
    let case = started();
    assert_eq!(case.run(&["render"]).code, 0);
    let before = case.tree("rendered");
    let run = case.run(&["eject", "podinfo"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("to go back, remove catalog/podinfo/"), "{}", run.stderr);
    assert!(case.path("catalog/podinfo/app.yaml").exists());
    assert_eq!(case.run(&["render", "--check"]).code, 0);

    let again = case.run(&["eject", "podinfo"]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("error[file/exists]: `catalog/podinfo/` is there already"), "{}", again.stderr);
    case.write("catalog/homepage/notes.txt", b"mine\n");
    let half = case.run(&["eject", "homepage"]);
    assert!(half.code == 1 && half.stderr.contains("file/exists"), "{}", half.stderr);
    let unknown = case.run(&["eject", "podinf"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("did you mean `podinfo`?"), "{}", unknown.stderr);

    std::fs::remove_dir_all(case.path("catalog")).unwrap();
    assert_eq!(case.run(&["render"]).code, 0);
    assert_eq!(case.tree("rendered"), before);
    let shown = case.run(&["eject", "homepage", "--print"]);
    assert!(shown.code == 0 && shown.stdout.starts_with("catalog/homepage/app.yaml\n"), "{}", shown.stdout);
    assert!(!case.path("catalog").exists());
    let based = case.run(&["eject", "homepage"]);
    assert!(based.stderr.contains("its base `app-template` stays built in"), "{}", based.stderr);
}
