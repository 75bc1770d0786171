//! The page of each code (`docs/rules/`), compiled into the binary: what `hlgen rule CODE` prints and what SARIF
//! carries as help.

use std::fmt::Write as _;

use crate::diag::Code;
use crate::io::embedded::table::PAGES;

/// Where a code's page is in the repository: `docs/rules/yaml-tab.md`.
pub fn path(code: Code) -> String {
    format!("docs/rules/{}.md", code.info().name.replace('/', "-"))
}

/// A code's page as Markdown. Its one-line summary where there is no page, which a test rules out.
pub fn page(code: Code) -> &'static str {
    let path = path(code);
    PAGES.binary_search_by(|(name, _)| (*name).cmp(&path)).map_or(code.info().summary, |at| PAGES[at].1)
}

/// `docs/rules/README.md`: all codes with level and summary.
pub fn index() -> String {
    let mut out = String::from(
        "# Findings\n\n\
         Every finding has a code. `hlgen rule CODE` prints its page. The level is what applies unless the project's\n\
         `severity:` says otherwise; a line may answer a finding with `# hlgen: allow CODE -- reason`.\n\
         Findings marked \u{2022} mean that something could not be computed: they stay errors whatever a project says.\n\n\
         | code | level | what it means |\n| --- | --- | --- |\n",
    );
    for code in Code::ALL {
        let info = code.info();
        let file = info.name.replace('/', "-");
        let mark = if crate::check::severity::is_fixed(*code) { " \u{2022}" } else { "" };
        // Writing to a `String` does not fail.
        _ = writeln!(out, "| [{}]({file}.md) | {}{mark} | {} |", info.name, info.level.as_str(), info.summary);
    }
    out
}
