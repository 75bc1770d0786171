//! The first line of every file that hlgen writes: who wrote it, for which project, and what it is.
//!
//! Ownership is this line and nothing else. A file that carries it for this project may be replaced and removed, any
//! other may not. It holds no version and no digest, so that a file changes only when its content does.

const START: &str = "# Written by hlgen for project ";

/// The line for a file, without a line end. `subject` says what the file is: `prod-eks/traefik values`.
///
/// ```
/// use hlgen::render::marker;
/// let line = marker::line("homelab", "prod-eks/traefik values");
/// assert_eq!(line, "# Written by hlgen for project homelab: prod-eks/traefik values. Edits are overwritten.");
/// assert_eq!(marker::owner(&line), Some("homelab"));
/// ```
pub fn line(project: &str, subject: &str) -> String {
    let one_line = |text: &str| text.replace(|c: char| c.is_control(), " ");
    format!("{START}{}: {}. Edits are overwritten.", one_line(project), one_line(subject))
}

/// The project that a file with this first line belongs to; `None` where hlgen did not write it.
///
/// Takes a line that somebody's tools have touched: with a line end of either kind, a byte order mark, trailing
/// spaces.
pub fn owner(first_line: &str) -> Option<&str> {
    let rest = first_line.strip_prefix('\u{feff}').unwrap_or(first_line).strip_prefix(START)?;
    let (project, rest) = rest.split_once(": ")?;
    let is_name = !project.is_empty() && !project.contains(|c: char| c.is_whitespace() || c.is_control());
    (is_name && !rest.trim().is_empty()).then_some(project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_owner_whatever_its_end() {
        let line = line("homelab", "prod-eks/traefik values");
        for end in ["", "\n", "\r\n", "  \r\n"] {
            assert_eq!(owner(&format!("{line}{end}")), Some("homelab"));
        }
        assert_eq!(owner(&format!("\u{feff}{line}")), Some("homelab"));
    }

    #[test]
    fn other_lines_have_no_owner() {
        for line in [
            "",
            "\r\n",
            "---",
            "# Written by hand",
            "# Written by hlgen for project ",
            "# Written by hlgen for project x",
            "# Written by hlgen for project : x",
            "# Written by hlgen for project a b: x",
            " # Written by hlgen for project a: x",
        ] {
            assert_eq!(owner(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_subject_cannot_break_out_of_the_line() {
        assert!(!line("p", "a\nb: c\r").contains(['\n', '\r']));
    }
}
