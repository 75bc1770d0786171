//! Plan → files (DESIGN section 8). Pure: a file is a path below the output folder and its text.
//!
//! Values and manifests are rendered release by release while they are evaluated ([`values`], [`release`]); ApplicationSets,
//! AppProjects, namespaces and the root come after, because they need to know which releases have manifests.

pub mod application;
pub mod bootstrap;
pub mod inline;
pub mod marker;
pub mod namespaces;
pub mod plugin_paths;
pub mod projects;
pub mod release;
pub mod root;
pub mod sets;
pub mod values;

use serde::Serialize;

pub use inline::{Inline, Mode};

use crate::plan::Plan;

/// A file below the output folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutFile {
    pub path: String,
    pub text: String,
}

/// A file of a release on a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub release: usize,
    pub cluster: usize,
    pub kind: PieceKind,
    pub file: OutFile,
}

/// What a release's file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    /// `values.yaml`, for Helm.
    Values,
    /// A file below `manifests/`.
    Manifests,
}

/// Name of the set, the Applications' release part and the folder of a cluster's namespaces; no release may have it.
pub const NAMESPACES: &str = "namespaces";

impl OutFile {
    /// The text without the line that says who wrote it.
    pub fn body(&self) -> &str {
        self.text.split_once('\n').map_or("", |(_, body)| body)
    }

    /// A file that holds objects, one document each.
    pub fn objects(plan: &Plan, path: String, subject: &str, objects: &[impl Serialize]) -> Self {
        let mut text = marker::line(plan.project.name.as_str(), subject);
        text.push('\n');
        for (number, object) in objects.iter().enumerate() {
            if number > 0 {
                text.push_str("---\n");
            }
            // Types of ours always serialise: their keys are texts.
            let written = crate::yaml::emit_object(object, &mut text);
            debug_assert_eq!(written, Ok(()));
        }
        Self { path, text }
    }
}
