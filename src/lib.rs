//! hlgen: an app catalog and environments in, checked Helm values and ApplicationSets out.
//!
//! Dependencies point downward only; a module may use those in lower rows (`tests/architecture.rs` holds that).
//!
//! ```text
//! cli        one file per command: arguments, help, what is printed
//! ops        one file per operation: order of steps, I/O in, core, I/O out
//! report     findings and explanations as text
//! io         the doors to read (disk, embedded), the only place that writes, and the servers we talk to (gitea)
//! ---- below this line: no files, no environment, no clock, no network, no printing ----
//! diff       two plans -> what differs, as data
//! check      rules on values, on output, on files; severities and allow-comments
//! render     plan -> files
//! scaffold   what people go on editing: a new repository's files, an app's entry
//! traits     what a few lines of app.yaml become: routes, and what lies in namespaces
//! plan       the central value; every command is a function of it
//! resolve    environments, releases, capabilities, order
//! schema     JSON Schema: files as kinds, values validated, schemas inferred
//! template   scalars of a merged tree evaluated
//! merge      layers -> one tree that borrows from them
//! model      the four kinds as types
//! argocd     types and rules of what we write; offline expansion
//! secret     what is a secret, and what is shown instead
//! source     the trait through which everything is read
//! yaml       text -> nodes with positions -> text
//! diag       findings, codes, places
//! ```
pub mod argocd;
pub mod check;
pub mod cli;
pub mod diag;
pub mod diff;
pub mod io;
pub mod merge;
pub mod model;
pub mod ops;
pub mod plan;
pub mod render;
pub mod report;
pub mod resolve;
pub mod scaffold;
pub mod schema;
pub mod secret;
pub mod source;
pub mod template;
pub mod traits;
pub mod yaml;
