//! Every text, key and number of an Application with its place, in the order and under the names of its JSON.
//!
//! Folding and expanding sets change texts alone, so they need not go through JSON and back. Each type is taken apart
//! by name and without `..`: a new field does not compile before it stands here.

use indexmap::IndexMap;

use super::{
    ApplicationSpec, Automated, Backoff, Destination, Directory, Helm, IgnoreDifference, Metadata, Plugin,
    PluginParameter, Retry, Source, SyncPolicy, Template,
};

/// The way from the root to a value: its own step and the place above it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'p> {
    above: Option<&'p Place<'p>>,
    step: Step<'p>,
    /// How many steps lead here.
    depth: usize,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl<'p> Place<'p> {
    /// The place of a key below another place, or of the root.
    pub(crate) fn new(above: Option<&'p Self>, key: &'p str) -> Self {
        Self { above, step: Step::Key(key), depth: above.map_or(1, |above| above.depth + 1) }
    }

    /// The place of a list's item.
    pub(crate) fn item(above: Option<&'p Self>, index: usize) -> Self {
        Self { above, step: Step::Index(index), depth: above.map_or(1, |above| above.depth + 1) }
    }

    fn key(&'p self, key: &'p str) -> Self {
        Self::new(Some(self), key)
    }

    fn index(&'p self, index: usize) -> Self {
        Self::item(Some(self), index)
    }

    /// Whether these steps lead here from the root; `*` stands for any one step.
    #[inline]
    pub(crate) fn fits(&self, steps: &[&str]) -> bool {
        steps.len() == self.depth && self.ends_with(steps)
    }

    fn ends_with(&self, steps: &[&str]) -> bool {
        let Some((step, above)) = steps.split_last() else { return true };
        let here = match self.step {
            _ if *step == "*" => true,
            Step::Index(index) => step.parse() == Ok(index),
            Step::Key(key) => *step == key,
        };
        here && self.above.is_none_or(|place| place.ends_with(above))
    }
}

/// A part that holds no others, or the key of one.
pub(crate) enum Leaf<'l> {
    Text(&'l mut String),
    Key(&'l str),
    Number(i64),
}

type Visit<'v, E> = dyn FnMut(&Place<'_>, Leaf<'_>) -> Result<(), E> + 'v;

/// Shows every leaf that is written; the first error ends it.
pub(crate) fn each<E>(
    template: &mut Template,
    mut visit: impl FnMut(&Place<'_>, Leaf<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let Template { metadata, spec } = template;
    each_metadata(metadata, &Place::new(None, "metadata"), &mut visit)?;
    each_spec(spec, &Place::new(None, "spec"), &mut visit)
}

/// A text that is written even if it is empty.
fn text<E>(text: &mut String, key: &str, at: &Place<'_>, visit: &mut Visit<'_, E>) -> Result<(), E> {
    visit(&at.key(key), Leaf::Text(text))
}

/// A text that is written unless it is empty.
fn filled<E>(filled: &mut String, key: &str, at: &Place<'_>, visit: &mut Visit<'_, E>) -> Result<(), E> {
    if filled.is_empty() { Ok(()) } else { text(filled, key, at, visit) }
}

fn number<E>(number: Option<i64>, key: &str, at: &Place<'_>, visit: &mut Visit<'_, E>) -> Result<(), E> {
    number.map_or(Ok(()), |number| visit(&at.key(key), Leaf::Number(number)))
}

fn texts<E>(texts: &mut [String], key: &str, at: &Place<'_>, visit: &mut Visit<'_, E>) -> Result<(), E> {
    let at = at.key(key);
    texts.iter_mut().enumerate().try_for_each(|(index, text)| visit(&at.index(index), Leaf::Text(text)))
}

fn map<E>(map: &mut IndexMap<String, String>, key: &str, at: &Place<'_>, visit: &mut Visit<'_, E>) -> Result<(), E> {
    let at = at.key(key);
    for (key, text) in map {
        visit(&at, Leaf::Key(key))?;
        visit(&at.key(key), Leaf::Text(text))?;
    }
    Ok(())
}

fn each_metadata<E>(metadata: &mut Metadata, at: &Place<'_>, visit: &mut Visit<'_, E>) -> Result<(), E> {
    let Metadata { name, namespace, labels, annotations, finalizers } = metadata;
    filled(name, "name", at, visit)?;
    filled(namespace, "namespace", at, visit)?;
    map(labels, "labels", at, visit)?;
    map(annotations, "annotations", at, visit)?;
    texts(finalizers, "finalizers", at, visit)
}

fn each_spec<E>(spec: &mut ApplicationSpec, at: &Place<'_>, visit: &mut Visit<'_, E>) -> Result<(), E> {
    let ApplicationSpec {
        project,
        destination: Destination { name, server, namespace },
        source,
        sources,
        sync_policy,
        ignore_differences,
        revision_history_limit,
    } = spec;
    text(project, "project", at, visit)?;
    let destination = at.key("destination");
    filled(name, "name", &destination, visit)?;
    filled(server, "server", &destination, visit)?;
    filled(namespace, "namespace", &destination, visit)?;
    if let Some(source) = source {
        each_source(source, &at.key("source"), visit)?;
    }
    let list = at.key("sources");
    for (index, source) in sources.iter_mut().enumerate() {
        each_source(source, &list.index(index), visit)?;
    }
    if let Some(policy) = sync_policy {
        each_sync_policy(policy, &at.key("syncPolicy"), visit)?;
    }
    let list = at.key("ignoreDifferences");
    for (index, ignore) in ignore_differences.iter_mut().enumerate() {
        let at = list.index(index);
        let IgnoreDifference {
            group,
            kind,
            name,
            namespace,
            json_pointers,
            jq_path_expressions,
            managed_fields_managers,
        } = ignore;
        filled(group, "group", &at, visit)?;
        text(kind, "kind", &at, visit)?;
        filled(name, "name", &at, visit)?;
        filled(namespace, "namespace", &at, visit)?;
        texts(json_pointers, "jsonPointers", &at, visit)?;
        texts(jq_path_expressions, "jqPathExpressions", &at, visit)?;
        texts(managed_fields_managers, "managedFieldsManagers", &at, visit)?;
    }
    number(*revision_history_limit, "revisionHistoryLimit", at, visit)
}

fn each_source<E>(source: &mut Source, at: &Place<'_>, visit: &mut Visit<'_, E>) -> Result<(), E> {
    let Source { repo_url, chart, path, target_revision, reference, helm, directory, plugin } = source;
    text(repo_url, "repoURL", at, visit)?;
    filled(chart, "chart", at, visit)?;
    filled(path, "path", at, visit)?;
    filled(target_revision, "targetRevision", at, visit)?;
    filled(reference, "ref", at, visit)?;
    if let Some(helm) = helm {
        let at = at.key("helm");
        let Helm {
            release_name,
            namespace,
            value_files,
            values,
            skip_crds: _,
            skip_tests: _,
            skip_schema_validation: _,
            pass_credentials: _,
            kube_version,
            api_versions,
        } = helm;
        filled(release_name, "releaseName", &at, visit)?;
        filled(namespace, "namespace", &at, visit)?;
        texts(value_files, "valueFiles", &at, visit)?;
        filled(values, "values", &at, visit)?;
        filled(kube_version, "kubeVersion", &at, visit)?;
        texts(api_versions, "apiVersions", &at, visit)?;
    }
    if let Some(Directory { recurse: _ }) = directory {}
    if let Some(Plugin { name, parameters }) = plugin {
        let at = at.key("plugin");
        filled(name, "name", &at, visit)?;
        let list = at.key("parameters");
        for (index, parameter) in parameters.iter_mut().enumerate() {
            let at = list.index(index);
            let PluginParameter { name, string, array, map: entries } = parameter;
            filled(name, "name", &at, visit)?;
            if let Some(string) = string {
                text(string, "string", &at, visit)?;
            }
            texts(array, "array", &at, visit)?;
            map(entries, "map", &at, visit)?;
        }
    }
    Ok(())
}

fn each_sync_policy<E>(policy: &mut SyncPolicy, at: &Place<'_>, visit: &mut Visit<'_, E>) -> Result<(), E> {
    let SyncPolicy { automated, sync_options, retry } = policy;
    if let Some(Automated { enabled: _, prune: _, self_heal: _ }) = automated {}
    texts(sync_options, "syncOptions", at, visit)?;
    if let Some(Retry { limit, backoff, refresh: _ }) = retry {
        let at = at.key("retry");
        number(Some(*limit), "limit", &at, visit)?;
        if let Some(Backoff { duration, factor, max_duration }) = backoff {
            let at = at.key("backoff");
            filled(duration, "duration", &at, visit)?;
            number(*factor, "factor", &at, visit)?;
            filled(max_duration, "maxDuration", &at, visit)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_fits_step_by_step() {
        let labels = Place::new(None, "labels");
        let label = labels.key("a/b~c");
        assert!(label.fits(&["labels", "a/b~c"]) && label.fits(&["*", "*"]) && label.fits(&["labels", "*"]));
        assert!(!label.fits(&["labels", "a", "b~c"]) && !label.fits(&["labels"]) && !label.fits(&["*"]));
        assert!(!label.fits(&["x", "*"]) && !label.fits(&["x", "labels", "a/b~c"]) && !label.fits(&[]));
        let item = labels.index(11);
        assert!(item.fits(&["labels", "11"]) && item.fits(&["labels", "*"]));
        assert!(!item.fits(&["labels", "1"]) && !item.fits(&["labels"]));
        assert!(labels.key("").fits(&["labels", ""]));
    }
}
