//! What Argo CD takes: the objects we write as types, its rules, and what it makes of an `ApplicationSet`.
//!
//! Argo CD's CRDs carry almost no enums and drop unknown fields without a word, so the types here make unknown fields
//! impossible ([`types`]), [`rules`] checks what the CRDs leave open, [`set`] folds many Applications into one
//! `ApplicationSet` and [`expand`] does the reverse, as the controller would, without a cluster. Everything is pure: no
//! file, no network, no clock. Facts were read in Argo CD 3.5.1; where versions differ, [`Version`] knows since when.

pub mod expand;
pub mod names;
pub mod plugin;
pub mod rules;

pub mod set;
pub mod types;
mod version;

pub use types::{AppProject, Application, ApplicationSet};
pub use version::{Version, VersionError};
