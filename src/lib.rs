//! hlgen: an app catalog and environments in, checked Helm values and ApplicationSets out.
pub mod argocd;
pub mod check;
pub mod cli;
pub mod diag;
pub mod io;
pub mod merge;
pub mod model;
pub mod ops;
pub mod plan;
pub mod render;
pub mod report;
pub mod resolve;
pub mod source;
pub mod template;
pub mod yaml;
