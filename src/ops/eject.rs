//! `eject`: a built-in entry of the catalog as files of the repository, where it can be changed.
//!
//! What is rendered stays the same, because the copy hides the built-in entry of that name and holds the same bytes. A
//! base (`from:`) is not copied along: other apps share it, and it can be ejected by its own name.

use anyhow::Context as _;

use super::workspace::Workspace;
use crate::diag::{Code, Diagnostic};
use crate::io::write::own;
use crate::resolve::catalog::Catalog;

/// The files of a built-in entry.
#[derive(Debug)]
pub struct Ejected {
    /// `catalog/<app>`.
    pub folder: String,
    /// Path below the repository's root, and content.
    pub files: Vec<(String, Vec<u8>)>,
    /// The app it is based on, which stays where it is.
    pub base: Option<String>,
}

/// Collects the files of a built-in entry; nothing is written. The findings say why there are none.
///
/// # Errors
/// When the disk does not say what is there.
pub fn collect(workspace: &Workspace, app: &str) -> anyhow::Result<Result<Ejected, Vec<Diagnostic>>> {
    let docs = workspace.docs();
    let mut findings = Vec::new();
    let found = Catalog::new(&docs, &workspace.kinds).find(app, &mut findings);
    let folder = format!("catalog/{app}");
    if found.as_ref().is_some_and(|found| !found.builtin)
        || (found.is_none() && !workspace.repository().list(&folder).is_empty())
    {
        let finding = Diagnostic::new(Code::FileExists, format!("`{folder}/` is there already"));
        return Ok(Err(vec![finding.help("edit it, or remove it to have the built-in entry back and eject that")]));
    }
    let Some(found) = found else {
        findings.extend(docs.take_findings());
        workspace.settle_part(None, &mut findings);
        return Ok(Err(findings));
    };
    let source = workspace.source();
    let files = source.list(&folder).into_iter().map(|path| {
        let content = source.read(&path)?.context("a file of the list can be read")?.into_owned();
        Ok((path, content))
    });
    let files: Vec<_> = files.collect::<anyhow::Result<_>>()?;
    let base = found.base.as_ref().map(|base| base.name.to_string());
    Ok(Ok(Ejected { folder, files, base }))
}

/// Writes the files of an entry.
///
/// # Errors
/// When one is there by now, or the disk fails.
pub fn write(workspace: &Workspace, ejected: &Ejected) -> anyhow::Result<()> {
    let files = ejected.files.iter().map(|(path, content)| (path.as_str(), content.as_slice()));
    own::create(&workspace.root, files).with_context(|| format!("cannot write `{}/`", ejected.folder))
}
