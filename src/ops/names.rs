//! The names of a repository, for those who complete a line: nothing is checked and nothing is said.

use std::path::Path;

use super::workspace::Workspace;
use crate::resolve::catalog::Catalog;
use crate::resolve::environment::{FILE, name_of};

/// A repository whose names are asked for.
pub struct Names(Workspace);

impl Names {
    /// Opens the repository that a folder lies in.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        Workspace::open(folder).map(Self)
    }

    /// The apps, each with its description.
    pub fn apps(&self) -> Vec<(String, String)> {
        let docs = self.0.docs();
        let mut catalog = Catalog::new(&docs, &self.0.kinds);
        let names = catalog.names().into_iter();
        names
            .map(|name| {
                let app = catalog.find(&name, &mut Vec::new());
                let description = app.map(|app| app.spec.description.clone()).unwrap_or_default();
                (name, description)
            })
            .collect()
    }

    /// The environments.
    pub fn environments(&self) -> Vec<(String, String)> {
        let files = self.0.source().every("environments", FILE);
        files.iter().filter_map(|path| Some((name_of(path)?.to_owned(), String::new()))).collect()
    }

    /// The releases as `environment/release`, each with its app.
    pub fn releases(&self) -> Vec<(String, String)> {
        let docs = self.0.docs();
        let plan = self.0.plan(&docs, &mut Vec::new());
        let releases = plan.iter().flat_map(|plan| plan.releases.iter().map(move |release| (plan, release)));
        releases
            .map(|(plan, release)| {
                let name = format!("{}/{}", plan.env_of(release).name, release.name);
                (name, release.app.spec.description.clone())
            })
            .collect()
    }
}
