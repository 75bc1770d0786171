//! The two ways out: data on stdout, talk on stderr; whether they take colours.
#![expect(clippy::disallowed_methods, reason = "the environment is read here and nowhere else")]

use std::io::{self, IsTerminal as _, Write as _};

use super::{Color, Common};
use crate::diag::{Diagnostic, Level, SourceMap};
use crate::report::{self, Count, Format, Options};

/// Where a run prints.
#[derive(Debug)]
pub struct Terminal {
    format: Option<Format>,
    color: Color,
    quiet: bool,
    verbose: bool,
    width: usize,
}

impl Terminal {
    pub fn new(common: &Common) -> Self {
        let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(120);
        Self {
            format: common.format.map(Into::into),
            color: common.color,
            quiet: common.quiet,
            verbose: common.verbose,
            width,
        }
    }

    /// Writes data.
    ///
    /// # Errors
    /// As stdout has them; a closed pipe among them.
    pub fn data(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Writes talk; nobody can be told that it failed.
    pub fn talk(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Writes what is said when a run is broken off.
    pub fn last_word(text: &str) {
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Writes the line that ends a run.
    pub fn summary(&self, text: &str) {
        if !self.quiet {
            self.talk(&format!("{text}\n"));
        }
    }

    pub fn wants_json(&self) -> bool {
        self.format == Some(Format::Json)
    }

    /// Whether data on stdout takes colours.
    pub fn colors_data(&self) -> bool {
        self.colored(io::stdout().is_terminal())
    }

    fn colored(&self, is_terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && std::env::var("NO_COLOR").map_or(true, |value| value.is_empty()),
        }
    }

    /// Shows findings: as data where they are what was asked for or a machine reads them, else as talk.
    ///
    /// # Errors
    /// As stdout has them.
    pub fn findings(&self, findings: &[Diagnostic], sources: &SourceMap, are_data: bool) -> io::Result<()> {
        let least = match (self.quiet, self.verbose) {
            (true, _) => Level::Error,
            (_, true) => Level::Note,
            _ => Level::Warning,
        };
        let format = self.format.unwrap_or(Format::Human);
        let machine = !matches!(format, Format::Human | Format::Short);
        let shown: Vec<Diagnostic> =
            findings.iter().filter(|finding| machine || finding.level >= least).cloned().collect();
        let as_data = are_data || machine;
        let color = self.colored(if as_data { io::stdout().is_terminal() } else { io::stderr().is_terminal() });
        let text = report::render(format, &shown, sources, Options { color, width: self.width });
        if as_data {
            self.data(&text)
        } else {
            self.talk(&text);
            Ok(())
        }
    }

    /// `3 errors, 1 warning`, or nothing.
    pub fn count(findings: &[Diagnostic], sources: &SourceMap) -> String {
        Count::of(findings, sources).to_string()
    }
}
