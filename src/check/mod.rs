//! Rules: on the model, on values, on the plan; and what a project says about their findings.
pub mod allow;
pub mod severity;
