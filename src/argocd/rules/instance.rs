//! What the objects of one Argo CD must agree on: names that are given once, and projects that admit their
//! Applications.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use crate::argocd::Version;
use crate::argocd::types::{AppProject, Application, ProjectDestination};
use crate::diag::{Code, Level};

use super::{Rules, Violation};

/// Checks all Applications (those of `ApplicationSet`s expanded) and `AppProject`s of one Argo CD against each other.
///
/// A project that is not among `projects` is Argo CD's `default`, or an error.
pub fn instance(applications: &[Application], projects: &[AppProject], version: Version) -> Vec<Violation> {
    let mut rules = Rules::new(version, String::new());
    let mut by_name: BTreeMap<&str, &AppProject> = BTreeMap::new();
    for project in projects {
        rules.object = format!("AppProject/{}", project.metadata.name);
        if by_name.insert(&project.metadata.name, project).is_some() {
            rules.add(Code::OutClash, "two AppProjects have this name");
        }
    }
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for application in applications {
        rules.object = format!("Application/{}", application.metadata.name);
        let count = seen.entry((&application.metadata.namespace, &application.metadata.name)).or_default();
        *count += 1;
        if *count == 2 {
            rules.add(Code::OutClash, "two Applications have this name").help =
                Some("tell them apart with `argocd.applicationName`, or `applicationName` of a release".into());
        }
        match by_name.get(application.spec.project.as_str()) {
            Some(project) => rules.at("spec", |rules| rules.admitted(application, project)),
            None if application.spec.project == "default" => {}
            None => rules.at("spec.project", |rules| {
                rules.field(format!("there is no AppProject `{}`", application.spec.project));
            }),
        }
    }
    rules.found
}

impl Rules {
    /// Sources: `IsSourcePermitted` and `isDestinationMatched`, by reading.
    fn admitted(&mut self, application: &Application, project: &AppProject) {
        let name = &project.metadata.name;
        for source in application.spec.all_sources() {
            let wanted = LazyCell::new(|| normalized(&source.repo_url));
            let fits = |pattern: &str| pattern == source.repo_url || glob(&normalized(pattern), wanted.as_str(), true);
            if !admits(&project.spec.source_repos, &source.repo_url, fits) {
                self.field(format!("AppProject `{name}` does not allow the repository `{}`", source.repo_url));
            }
        }
        let destination = &application.spec.destination;
        // Almost every destination is in the list word for word; patterns cost too much to try each on a thousand.
        if project.spec.destinations.contains(&ProjectDestination {
            name: destination.name.clone(),
            server: destination.server.clone(),
            namespace: destination.namespace.clone(),
        }) {
            return;
        }
        let cluster = |allowed: &ProjectDestination| {
            (!destination.name.is_empty() && matches(&allowed.name, &destination.name))
                || (!destination.server.is_empty() && matches(&allowed.server, &destination.server))
        };
        let matched = project
            .spec
            .destinations
            .iter()
            .any(|allowed| cluster(allowed) && matches(&allowed.namespace, &destination.namespace));
        if !matched {
            let cluster = if destination.name.is_empty() { &destination.server } else { &destination.name };
            let violation = self.field(format!(
                "AppProject `{name}` does not allow namespace `{}` on `{cluster}`",
                destination.namespace
            ));
            // A project may know the cluster by its other name, which only Argo CD can translate.
            let translated = |allowed: &ProjectDestination| {
                matches(&allowed.namespace, &destination.namespace)
                    && if destination.name.is_empty() { !allowed.name.is_empty() } else { !allowed.server.is_empty() }
            };
            if project.spec.destinations.iter().any(translated) {
                violation.level = Level::Warning;
            }
        }
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    !pattern.starts_with('!') && glob(pattern, text, false)
}

/// Whether one pattern matches and none that begins with `!` denies. The text itself mostly is among them.
fn admits(patterns: &[String], text: &str, matches: impl Fn(&str) -> bool) -> bool {
    let mut denied = patterns.iter().filter_map(|pattern| pattern.strip_prefix('!'));
    let mut allowed = patterns.iter().filter(|pattern| !pattern.starts_with('!'));
    (patterns.iter().any(|pattern| pattern == text) || allowed.any(|pattern| matches(pattern))) && !denied.any(matches)
}

/// A repository's URL as Argo CD compares it: lower case, without `.git` and blanks (`NormalizeGitURL`, by reading).
fn normalized(url: &str) -> String {
    url.trim().to_lowercase().trim_end_matches(".git").to_owned()
}

/// Argo CD's patterns: `*` (not across `/` if `segments`; a lone `*` is everything), `**` and `?`.
///
/// A pattern with brackets or braces is taken to match: it is better to miss a mistake than to invent one.
fn glob(pattern: &str, text: &str, segments: bool) -> bool {
    if pattern == "*" || pattern.contains(['[', '{', '\\']) {
        return true;
    }
    if !pattern.contains(['*', '?']) {
        return pattern == text;
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // reachable[t]: the pattern so far can end at t.
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        let stars = pattern[at..].iter().take_while(|c| **c == '*').count();
        let crosses = !segments || stars > 1;
        let mut next = vec![false; text.len() + 1];
        if stars > 0 {
            for end in 0..=text.len() {
                next[end] = reachable[end] || (end > 0 && next[end - 1] && (crosses || text[end - 1] != '/'));
            }
            at += stars;
        } else {
            for end in 1..=text.len() {
                let fits = match pattern[at] {
                    '?' => !segments || text[end - 1] != '/',
                    literal => literal == text[end - 1],
                };
                next[end] = reachable[end - 1] && fits;
            }
            at += 1;
        }
        reachable = next;
    }
    reachable[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(glob("*", "https://a/b/c", true) && glob("https://a/*", "https://a/b", true));
        assert!(!glob("https://a/*", "https://a/b/c", true) && glob("https://a/**", "https://a/b/c", true));
        assert!(
            glob("team-*", "team-a/b", false) && glob("team-?", "team-a", false) && !glob("team-?", "team-", false)
        );
        assert!(glob("a*b*c", "axxbyyc", false) && !glob("a*b*c", "axxbyy", false) && glob("", "", true));
        assert!(!glob("abc", "ab", true) && !glob("ab", "abc", true));
    }

    #[test]
    fn denial_wins() {
        let patterns = ["https://a/**".to_owned(), "!https://a/secret".to_owned()];
        let allowed = |url: &str| admits(&patterns, url, |pattern| glob(pattern, url, true));
        assert!(allowed("https://a/x/y") && !allowed("https://a/secret") && !allowed("https://b"));
        assert_eq!(normalized(" https://Git.example.com/Ops/Homelab.git"), "https://git.example.com/ops/homelab");
    }
}
