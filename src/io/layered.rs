//! The user's repository over the built-in files.
//!
//! `catalog/<app>/` in the repository hides the built-in entry of that name as a whole, so an entry is always read
//! from one place and never mixed from two. Everything else is read from the repository alone; what is built in is
//! reachable under the prefix `builtin:`, because a profile in the repository merges over the built-in one and both
//! have to be read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::OnceLock;

use super::embedded::PREFIX;
use crate::source::{ContentId, ReadError, Source};

/// `over` where it has something to say, `under` below it.
#[derive(Debug)]
pub struct Layered<O, U> {
    over: O,
    under: U,
    /// Catalog entries of `over`, known after the first question about the catalog.
    own_apps: OnceLock<HashSet<String>>,
}

/// Where a path of the layered view lies.
enum Place<'p> {
    Over,
    Under(&'p str),
    /// The catalog as a whole, or what holds it: both.
    Both,
}

impl<O: Source, U: Source> Layered<O, U> {
    pub fn new(over: O, under: U) -> Self {
        Self { over, under, own_apps: OnceLock::new() }
    }

    /// The repository alone.
    pub fn over(&self) -> &O {
        &self.over
    }

    fn place<'p>(&self, path: &'p str) -> Place<'p> {
        if let Some(rest) = path.strip_prefix(PREFIX) {
            return Place::Under(rest);
        }
        if path.is_empty() || path == "catalog" {
            return Place::Both;
        }
        match app_of(path) {
            Some(app) if !self.own_apps().contains(app) => Place::Under(path),
            _ => Place::Over,
        }
    }

    fn own_apps(&self) -> &HashSet<String> {
        self.own_apps.get_or_init(|| {
            self.over
                .list("catalog")
                .iter()
                .filter(|path| path.matches('/').count() > 1)
                .filter_map(|path| app_of(path))
                .map(str::to_owned)
                .collect()
        })
    }
}

/// `<app>` of `catalog/<app>` and of all below it.
fn app_of(path: &str) -> Option<&str> {
    path.strip_prefix("catalog/")?.split('/').next()
}

impl<O: Source, U: Source> Source for Layered<O, U> {
    fn list(&self, dir: &str) -> Vec<String> {
        match self.place(dir) {
            Place::Over => self.over.list(dir),
            Place::Under(rest) if rest.len() < dir.len() => {
                self.under.list(rest).into_iter().map(|path| format!("{PREFIX}{path}")).collect()
            }
            Place::Under(rest) => self.under.list(rest),
            Place::Both => {
                let own = self.own_apps();
                let mut files = self.over.list(dir);
                files.extend(
                    self.under
                        .list("catalog")
                        .into_iter()
                        .filter(|path| app_of(path).is_some_and(|app| !own.contains(app))),
                );
                files.sort_unstable();
                files.dedup();
                files
            }
        }
    }

    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        match self.place(path) {
            Place::Under(rest) => self.under.read(rest),
            Place::Over | Place::Both => self.over.read(path),
        }
    }

    fn display(&self, path: &str) -> String {
        match self.place(path) {
            Place::Under(rest) => self.under.display(rest),
            Place::Over | Place::Both => self.over.display(path),
        }
    }

    fn problems(&self) -> Vec<ReadError> {
        let mut problems = self.over.problems();
        problems.extend(self.under.problems());
        problems
    }

    fn content_id(&self, path: &str) -> Option<ContentId> {
        match self.place(path) {
            Place::Under(rest) => self.under.content_id(rest),
            Place::Over | Place::Both => self.over.content_id(path),
        }
    }

    fn rests_on(&self, path: &str) -> Vec<String> {
        match self.place(path) {
            Place::Over | Place::Both => self.over.rests_on(path),
            Place::Under(rest) if rest.len() < path.len() => Vec::new(),
            // Any file in that folder of the repository hides the built-in entry.
            Place::Under(_) => app_of(path).map(|app| format!("catalog/{app}")).into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Memory;

    fn layered() -> Layered<Memory, Memory> {
        Layered::new(
            Memory::from_iter([
                ("catalog/b/app.yaml", "mine"),
                ("catalog/README.md", "about"),
                ("environments/profiles/provider/kind.yaml", "mine"),
            ]),
            Memory::from_iter([
                ("catalog/a/app.yaml", "theirs"),
                ("catalog/b/app.yaml", "theirs"),
                ("catalog/b/values.yaml", "theirs"),
                ("environments/profiles/provider/kind.yaml", "theirs"),
                ("environments/profiles/stage/prod.yaml", "theirs"),
            ]),
        )
    }

    fn text(source: &dyn Source, path: &str) -> Option<String> {
        source.read(path).unwrap().map(|bytes| String::from_utf8(bytes.into_owned()).unwrap())
    }

    #[test]
    fn an_entry_of_the_repository_hides_the_built_in_one_as_a_whole() {
        let source = layered();
        assert_eq!(text(&source, "catalog/a/app.yaml").as_deref(), Some("theirs"));
        assert_eq!(text(&source, "catalog/b/app.yaml").as_deref(), Some("mine"));
        assert_eq!(text(&source, "catalog/b/values.yaml"), None);
        assert_eq!(source.list("catalog/b"), ["catalog/b/app.yaml"]);
        assert_eq!(source.list("catalog"), ["catalog/README.md", "catalog/a/app.yaml", "catalog/b/app.yaml"]);
        assert_eq!(source.list("").len(), 4);
    }

    #[test]
    fn built_in_profiles_are_read_by_their_prefix_alone() {
        let source = layered();
        assert_eq!(text(&source, "environments/profiles/provider/kind.yaml").as_deref(), Some("mine"));
        assert_eq!(text(&source, "builtin:environments/profiles/provider/kind.yaml").as_deref(), Some("theirs"));
        assert_eq!(text(&source, "environments/profiles/stage/prod.yaml"), None);
        assert_eq!(
            source.list("builtin:environments/profiles/stage"),
            ["builtin:environments/profiles/stage/prod.yaml"]
        );
        assert_eq!(source.list("environments"), ["environments/profiles/provider/kind.yaml"]);
    }

    #[test]
    fn people_see_what_is_built_in() {
        let source = Layered::new(Memory::from_iter([("catalog/b/app.yaml", "mine")]), crate::io::Embedded);
        assert_eq!(source.display("catalog/a/app.yaml"), "builtin:catalog/a/app.yaml");
        assert_eq!(source.display("catalog/b/app.yaml"), "catalog/b/app.yaml");
        assert_eq!(source.display("builtin:environments/x.yaml"), "builtin:environments/x.yaml");
        assert_eq!(source.display("hlgen.yaml"), "hlgen.yaml");
    }

    #[test]
    fn what_is_built_in_rests_on_the_folder_that_would_hide_it() {
        let source = layered();
        assert_eq!(source.rests_on("catalog/a/values.yaml"), ["catalog/a"]);
        assert_eq!(source.rests_on("catalog/a"), ["catalog/a"]);
        assert_eq!(source.rests_on("catalog/b/values.yaml"), ["catalog/b/values.yaml"]);
        assert_eq!(source.rests_on("builtin:environments/x.yaml"), Vec::<String>::new());
        assert_eq!(source.rests_on("hlgen.yaml"), ["hlgen.yaml"]);
        assert_eq!(source.every("catalog", "app.yaml"), ["catalog/a/app.yaml", "catalog/b/app.yaml"]);
    }

    #[test]
    fn no_path_leads_out_through_the_prefix() {
        assert!(layered().read("builtin:../x").is_err());
        assert!(layered().read("builtin:builtin:catalog/a/app.yaml").unwrap().is_none());
    }
}
