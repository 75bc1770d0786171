//! How much of a repository is looked at: all of it, or some environments and what they refer to.
//!
//! The plugin looks at what one Application is made of and at nothing else. What is not looked at cannot be wrong, so a
//! mistake in one environment does not stop another; and what was read is exactly what an output depends on, so that
//! Argo CD need not ask again when something else changes.

use std::collections::BTreeSet;

/// A part of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum View {
    #[default]
    Everything,
    /// These environments, and those whose capabilities or secrets they use.
    Environments(BTreeSet<String>),
}

impl View {
    /// Whether an environment is asked for by its name. One that is there because another refers to it is not.
    pub fn asks_for(&self, environment: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Environments(names) => names.contains(environment),
        }
    }

    pub fn is_everything(&self) -> bool {
        *self == Self::Everything
    }
}
