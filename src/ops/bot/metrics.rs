//! Counters of the service in Prometheus' text form. Names and labels are ours alone: nothing that a repository or
//! a request brings becomes a label, so nobody can make series.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Debug, Default)]
pub struct Metrics {
    pub deliveries: AtomicU64,
    pub refused: AtomicU64,
    pub repeated: AtomicU64,
    pub overflowed: AtomicU64,
    pub reviews_success: AtomicU64,
    pub reviews_failure: AtomicU64,
    pub reviews_error: AtomicU64,
    pub reviews_skipped: AtomicU64,
    pub retries: AtomicU64,
    pub scans: AtomicU64,
    pub scan_failures: AtomicU64,
    pub seconds_thousandths: AtomicU64,
}

/// One more.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl Metrics {
    /// The text of `/metrics`.
    pub fn text(&self, waiting: usize, running: usize) -> String {
        let mut out = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, series: &[(&str, u64)]| {
            // Writing to a `String` does not fail.
            _ = writeln!(out, "# HELP hlgen_bot_{name} {help}\n# TYPE hlgen_bot_{name} {kind}");
            for (labels, value) in series {
                _ = writeln!(out, "hlgen_bot_{name}{labels} {value}");
            }
        };
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        metric(
            "deliveries_total",
            "counter",
            "Webhook deliveries with a good signature.",
            &[("", get(&self.deliveries))],
        );
        metric("refused_total", "counter", "Webhook deliveries refused.", &[("", get(&self.refused))]);
        metric("repeated_total", "counter", "Webhook deliveries seen before.", &[("", get(&self.repeated))]);
        metric(
            "overflowed_total",
            "counter",
            "Requests turned away because too many waited.",
            &[("", get(&self.overflowed))],
        );
        metric(
            "reviews_total",
            "counter",
            "Reviews that ended, by what became of them.",
            &[
                ("{result=\"success\"}", get(&self.reviews_success)),
                ("{result=\"failure\"}", get(&self.reviews_failure)),
                ("{result=\"error\"}", get(&self.reviews_error)),
                ("{result=\"skipped\"}", get(&self.reviews_skipped)),
            ],
        );
        metric(
            "retries_total",
            "counter",
            "Reviews put off because Gitea was busy or away.",
            &[("", get(&self.retries))],
        );
        metric("scans_total", "counter", "Scans of open pull requests.", &[("", get(&self.scans))]);
        metric(
            "scan_failures_total",
            "counter",
            "Repositories that could not be scanned.",
            &[("", get(&self.scan_failures))],
        );
        metric("waiting", "gauge", "Pull requests that wait for a review.", &[("", waiting as u64)]);
        metric("running", "gauge", "Reviews under way.", &[("", running as u64)]);
        let thousandths = get(&self.seconds_thousandths);
        _ = writeln!(
            out,
            "# HELP hlgen_bot_review_seconds_total Time spent on reviews.\n# TYPE hlgen_bot_review_seconds_total counter\n\
             hlgen_bot_review_seconds_total {}.{:03}",
            thousandths / 1000,
            thousandths % 1000
        );
        out
    }
}
