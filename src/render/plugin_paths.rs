//! `manifest-generate-paths` of what the plugin prints, from the record of what it reads.
//!
//! Argo CD takes an Application's last manifests for those of a new commit unless a changed file is one of these paths,
//! lies below one, or matches one as a pattern in which `*` stands for one name (argocd.md section 1.7). The list may
//! therefore name more than what was read and never less. It stands in every Application and in the elements of the
//! ApplicationSets, so a long one is cut down to folders.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Record;

/// Bytes that a list may have before it is cut down: far below the 256 KiB that annotations may have together, since the
/// list of every Application travels in the ApplicationSets.
const LONG: usize = 2 << 10;

/// The annotation's text: paths from the repository's root with a leading `/`, joined by `;`.
///
/// ```
/// use hlgen::render::plugin_paths;
/// use hlgen::source::Record;
/// let mut record = Record::default();
/// record.read.insert("hlgen.yaml".into());
/// record.absent.insert("environments/all/values.yaml".into());
/// record.listed.insert("catalog/web/manifests".into());
/// let paths = plugin_paths::annotation(&record);
/// assert_eq!(paths, "/catalog/web/manifests;/environments/all/values.yaml;/hlgen.yaml");
/// ```
pub fn annotation(record: &Record) -> String {
    let mut paths: BTreeSet<&str> = [&record.read, &record.absent, &record.listed, &record.patterns]
        .into_iter()
        .flatten()
        .map(String::as_str)
        // What no path of a repository can be was refused, whatever the files say.
        .filter(|path| crate::source::is_plain_path(path))
        .collect();
    // The whole repository.
    if record.listed.contains("") {
        return "/".to_owned();
    }
    // A `;` in a name would end the path: its folder stands for it.
    while let Some(path) = paths.iter().copied().find(|path| path.contains(';')) {
        paths.remove(path);
        match path.rsplit_once('/') {
            Some((folder, _)) => paths.insert(folder),
            None => return "/".to_owned(),
        };
    }
    drop_covered(&mut paths);
    while paths.iter().map(|path| path.len() + 2).sum::<usize>() > LONG {
        let Some(folder) = fullest(&paths) else { break };
        paths.insert(folder);
        drop_covered(&mut paths);
    }
    paths.iter().map(|path| format!("/{path}")).collect::<Vec<_>>().join(";")
}

/// The folder to stand for what is in it: from the one that holds most of the paths downward, as long as one folder in
/// it holds at least a third of them. So a long list of values of one environment becomes that folder and not all
/// environments.
fn fullest<'p>(paths: &BTreeSet<&'p str>) -> Option<&'p str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths.iter().filter(|path| !path.contains('*')) {
        for (at, _) in path.match_indices('/') {
            *counts.entry(&path[..at]).or_default() += 1;
        }
    }
    let depth = |folder: &str| folder.matches('/').count();
    let most = |folders: &mut dyn Iterator<Item = (&'p str, usize)>| {
        folders.max_by_key(|(folder, count)| (*count, std::cmp::Reverse(*folder)))
    };
    let all = || counts.iter().map(|(folder, count)| (*folder, *count));
    let (mut folder, mut count) = most(&mut all().filter(|(folder, _)| depth(folder) == 0))?;
    loop {
        let inside = |other: &str| {
            depth(other) == depth(folder) + 1 && other.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        match most(&mut all().filter(|(other, _)| inside(other))) {
            Some((deeper, held)) if held * 3 >= count && held > 1 => (folder, count) = (deeper, held),
            _ => return Some(folder),
        }
    }
}

/// Removes what lies below another path, or matches another one.
fn drop_covered(paths: &mut BTreeSet<&str>) {
    let all = paths.clone();
    let matches = |pattern: &str, path: &str| {
        let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
        loop {
            match (pattern.next(), path.next()) {
                (None, None) => return true,
                (Some("*"), Some(_)) => {}
                (Some(one), Some(other)) if one == other => {}
                _ => return false,
            }
        }
    };
    let patterns: Vec<&str> = all.iter().copied().filter(|path| path.contains("/*/")).collect();
    paths.retain(|path| {
        let below = path.match_indices('/').any(|(at, _)| all.contains(&path[..at]));
        !below && !patterns.iter().any(|pattern| pattern != path && matches(pattern, path))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(read: &[&str], listed: &[&str], patterns: &[&str]) -> Record {
        let set = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        Record { read: set(read), listed: set(listed), patterns: set(patterns), absent: BTreeSet::new() }
    }

    #[test]
    fn what_another_path_covers_is_left_out() {
        let record = record(
            &["environments/dev/environment.yaml", "environments/dev/values/a.yaml", "catalog/web/x", "catalog/webs"],
            &["catalog/web"],
            &["environments/*/environment.yaml"],
        );
        let expected = "/catalog/web;/catalog/webs;/environments/*/environment.yaml;/environments/dev/values/a.yaml";
        assert_eq!(annotation(&record), expected);
    }

    #[test]
    fn a_long_list_is_cut_down_to_the_folder_that_holds_most() {
        let apps: Vec<String> = (0..200).map(|number| format!("catalog/app-{number}/app.yaml")).collect();
        let mut record = record(&["hlgen.yaml", "environments/dev/values/web.yaml"], &[], &[]);
        record.read.extend(apps);
        assert_eq!(annotation(&record), "/catalog;/environments/dev/values/web.yaml;/hlgen.yaml");
        record.read.extend((0..100).map(|number| format!("environments/dev/values/app/app-{number}.yaml")));
        record.read.insert("environments/all/values.yaml".to_owned());
        let expected = "/catalog;/environments/all/values.yaml;/environments/dev/values/app;/environments/dev/values/web.yaml;/hlgen.yaml";
        assert_eq!(annotation(&record), expected);
    }

    #[test]
    fn names_that_would_end_a_path_stand_for_their_folder() {
        assert_eq!(annotation(&record(&["a/b;c/d", "a/x"], &[], &[])), "/a");
        assert_eq!(annotation(&record(&["b;c"], &[], &[])), "/");
        assert_eq!(annotation(&record(&["../up", "x"], &[], &[])), "/x");
        assert_eq!(annotation(&record(&["x"], &[""], &[])), "/");
    }
}
