//! Two commits of a bare clone, compared.
//!
//! As `ops::diff` does it, but judged by the base: what a project's `severity` makes of a finding is read from the branch
//! that is merged into, so a pull request cannot call its own mistakes harmless.

use std::path::Path;

use crate::diff::{Changes, Settings};
use crate::io::git::{GitError, Repository};
use crate::ops::sides::{self, Opened};
use crate::ops::workspace::Workspace;
use crate::secret::Masker;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Compare<'a> {
    /// The bare clone.
    pub folder: &'a Path,
    /// The folder that holds `hlgen.yaml`; empty: the root.
    pub path: &'a str,
    pub head: &'a str,
    /// The branch that is merged into; compared is where the two parted.
    pub base: &'a str,
    /// The key of this run's digests of secrets.
    pub key: [u8; 32],
}

/// The changes from where base and head parted to the head.
///
/// # Errors
/// When a commit is missing, or the two have nothing in common.
pub fn compare(what: &Compare<'_>) -> Result<Changes, GitError> {
    let repository = Repository::open_bare(what.folder, what.path)?;
    let head = repository.resolve(what.head)?;
    let tip = repository.resolve(what.base)?;
    let short = |text: &str| text.chars().take(10).collect::<String>();
    let base = repository.merge_base(tip, head)?;
    let base = base.ok_or_else(|| GitError::NoMergeBase(short(what.base), short(what.head)))?;
    let open = |name: &str, commit| {
        let tree = repository.tree(commit)?;
        // A bare clone has no root on the disk, and nothing asks for it.
        let workspace = Workspace::of(Path::new(""), tree);
        Ok::<_, GitError>(Opened { name: name.to_owned(), commit: Some(commit), workspace })
    };
    let (base, head, tip) = (open("base", base)?, open("head", head)?, open("base", tip)?);
    let (one, two) = rayon::join(|| base.plan(), || head.plan());
    // Where the base has moved on, its newest word counts.
    let newest = if tip.commit == base.commit { None } else { tip.plan().plan };
    let masker = Masker::new(what.key);
    let settings = Settings { environments: &[], apps: &[], between: None, everything: false, masker: &masker };
    let judge = newest.as_ref().or(one.plan.as_ref());
    Ok(sides::compare((one.side(), two.side()), (&one, &two), settings, judge))
}
