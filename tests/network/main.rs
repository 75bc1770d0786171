//! Network policies judged by what they do: rendered, loaded into a simulator, and every connection there could be held
//! against what the apps declare.
//!
//! The simulator (`support/network_policies.rs`) and the meaning of the declarations (`oracle.rs`) are written apart from each
//! other and from `src/traits/network`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read what was written")]

#[path = "../support/network_policies.rs"]
mod network_policies;
mod oracle;
mod own;
mod random;
mod simulator;
