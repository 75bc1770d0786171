//! Questions to a person: a line on stderr, an answer from stdin. Asked only where both are a terminal.
//!
//! Plain lines rather than a screen with menus: they work over any connection and can be scrolled back to, and whatever is
//! asked can be said by a flag instead.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use anyhow::bail;

use super::Terminal;

/// Bytes of an answer that are read.
const ANSWER_MAX: u64 = 4096;

/// Whether somebody is there to be asked.
pub(super) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// One line, or the default where it is empty.
///
/// # Errors
/// When the input ends.
pub(super) fn line(terminal: &Terminal, question: &str, default: Option<&str>) -> anyhow::Result<String> {
    let hint = default.map_or_else(String::new, |default| format!(" [{default}]"));
    terminal.talk(&format!("{question}{hint}: "));
    let mut answer = String::new();
    if io::stdin().lock().take(ANSWER_MAX).read_line(&mut answer)? == 0 {
        terminal.talk("\n");
        bail!("the input ended before all was answered; nothing was written");
    }
    let answer = answer.trim();
    Ok(if answer.is_empty() { default.unwrap_or_default().to_owned() } else { answer.to_owned() })
}

/// An answer that means something, asked for until it does.
///
/// # Errors
/// When the input ends.
pub(super) fn until<T>(
    terminal: &Terminal,
    question: &str,
    default: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<T> {
    loop {
        match read(&line(terminal, question, default)?) {
            Ok(answer) => return Ok(answer),
            Err(reason) => terminal.talk(&format!("  {reason}\n")),
        }
    }
}

/// Yes or no.
///
/// # Errors
/// When the input ends.
pub(super) fn yes(terminal: &Terminal, question: &str, default: bool) -> anyhow::Result<bool> {
    let hint = if default { "Y/n" } else { "y/N" };
    until(terminal, question, Some(hint), |answer| match answer.to_ascii_lowercase().as_str() {
        "y/n" => Ok(default),
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("answer `y` or `n`".to_owned()),
    })
}
