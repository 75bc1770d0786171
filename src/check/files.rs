//! Files that no rule of the layout reads: a misspelt name would otherwise be dropped without a word.

use std::collections::BTreeSet;

use crate::diag::{Code, Diagnostic, Span, nearest};
use crate::plan::Plan;
use crate::source::docs::Docs;

/// Warns of YAML files below `environments/` that nothing read, and of values files in the repository's catalog for a
/// dimension value that does not exist.
pub fn check(plan: &Plan, docs: &Docs<'_>, findings: &mut Vec<Diagnostic>) {
    for path in docs.source.list("environments") {
        let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml");
        let shared = ["environments/profiles/", "environments/schemas/"].iter().any(|folder| path.starts_with(folder));
        if !is_yaml || shared || docs.was_read(&path) {
            continue;
        }
        findings.push(unread(plan, docs, &path));
    }
    let known: BTreeSet<&str> =
        plan.environments.iter().flat_map(|env| env.dimensions.iter().map(|(_, value)| value.as_str())).collect();
    let profiles: Vec<String> = ["environments/profiles", "builtin:environments/profiles"]
        .iter()
        .flat_map(|folder| docs.source.list(folder))
        .filter_map(|path| Some(path.rsplit('/').next()?.strip_suffix(".yaml")?.to_owned()))
        .collect();
    let known: BTreeSet<&str> =
        known.into_iter().chain(profiles.iter().map(String::as_str)).chain(["bootstrap", "defaults"]).collect();
    let mut lost = BTreeSet::new();
    for path in docs.source.list("catalog") {
        if docs.source.display(&path).starts_with("builtin:") || docs.was_read(&path) {
            continue;
        }
        let Some(name) = path.rsplit('/').next() else { continue };
        if let ["catalog", app, _, ..] = path.split('/').collect::<Vec<_>>().as_slice() {
            let app_file = format!("catalog/{app}/app.yaml");
            if !docs.exists(&app_file) {
                if lost.insert((*app).to_owned()) {
                    let finding = at_start(docs, &path, format!("`catalog/{app}/` is no app: it has no `app.yaml`"));
                    findings.push(finding.help(format!("write `{app_file}`, or remove the folder")));
                }
                continue;
            }
        }
        let Some(value) = name.strip_prefix("values.").and_then(|rest| rest.strip_suffix(".yaml")) else { continue };
        if !known.contains(value) && plan.project.layers.is_none() {
            let finding =
                at_start(docs, &path, format!("`{path}` is for `{value}`, which is no value of any dimension"));
            findings.push(match nearest(value, known.iter().copied()) {
                Some(near) => finding.help(format!("did you mean `values.{near}.yaml`?")),
                None => finding.help("it is read once an environment has that value"),
            });
        }
    }
}

fn unread(plan: &Plan, docs: &Docs<'_>, path: &str) -> Diagnostic {
    let finding = at_start(docs, path, format!("nothing reads `{path}`"));
    let rest = path.strip_prefix("environments/").unwrap_or(path);
    let (env_name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    if env_name == "all" {
        let help = "for every environment there are `environments/all/values.yaml` and `environments/all/values/app/<app>.yaml`";
        return finding.help(help);
    }
    let Some((index, env)) = plan.environments.iter().enumerate().find(|(_, env)| env.name.as_str() == env_name) else {
        return finding.help(format!(
            "an environment is a folder with an `environment.yaml`: `environments/{env_name}/environment.yaml`"
        ));
    };
    let releases = || plan.releases.iter().filter(move |release| release.env == index);
    let stem = |file: &str| file.trim_end_matches(".yaml").trim_end_matches(".yml").to_owned();
    let help = if let Some(app) = rest.strip_prefix("values/app/").map(stem) {
        match nearest(&app, releases().map(|release| release.app.name.as_str())) {
            Some(near) => format!("did you mean `values/app/{near}.yaml`?"),
            None => format!("no release of `{}` installs an app `{app}`", env.name),
        }
    } else if let Some(release) = rest.strip_prefix("values/").map(stem) {
        match nearest(&release, releases().map(|release| release.name.as_str())) {
            Some(near) => format!("did you mean `values/{near}.yaml`?"),
            None => format!("`{}` has no release `{release}`; add it below `apps:`", env.name),
        }
    } else if let Some(app) = rest.strip_prefix("manifests/").and_then(|rest| rest.split('/').next()) {
        match nearest(app, releases().map(|release| release.app.name.as_str())) {
            Some(near) => format!("did you mean `manifests/{near}/`?"),
            None => format!("no release of `{}` installs an app `{app}`", env.name),
        }
    } else {
        "an environment holds `environment.yaml`, `values.yaml`, `values/` and `manifests/`".to_owned()
    };
    finding.help(help)
}

fn at_start(docs: &Docs<'_>, path: &str, message: String) -> Diagnostic {
    let text = docs.bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let file = docs.sources.add(docs.source.display(path), text.as_str());
    Diagnostic::new(Code::FileUnexpected, message)
        .at(Span::new(file, 0, text.lines().next().map_or(0, str::len)), "this file")
}
