//! The review bot: one comment and one status for each pull request, from a CI job (`bot comment`) or as a service
//! (`bot serve`).
//!
//! ```text
//! serve      the service: webhook, workers, scan, health, metrics, shutdown
//! config     its configuration file
//! webhook    deliveries: signature, then meaning
//! queue      each pull request at most once
//! metrics    counters
//! job        one review, step by step          also `bot comment`
//! post       the one comment and the status, found again and edited
//! child      a process for each step on a stranger's files, with bounds
//! review     what the two children do
//! compare    two commits, judged by the base
//! ```

pub mod child;
pub mod compare;
pub mod config;
pub mod job;
pub mod metrics;
pub mod post;
pub mod queue;
pub mod review;
pub mod serve;
pub mod webhook;
