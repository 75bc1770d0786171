//! Two texts as a difference that a person can read.

use std::fmt::Write as _;

/// Lines of `old` and `new` side by side: `-` only in the first, `+` only in the second; empty where they are equal.
/// Of equal stretches two lines are kept.
pub(crate) fn lines(old: &str, new: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    if a == b {
        return String::new();
    }
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    let mut marked: Vec<(char, &str)> = a[..start].iter().map(|line| (' ', *line)).collect();
    middle(&a[start..a.len() - end], &b[start..b.len() - end], &mut marked);
    marked.extend(a[a.len() - end..].iter().map(|line| (' ', *line)));
    let near = |at: usize| {
        let from = at.saturating_sub(2);
        marked[from..(at + 3).min(marked.len())].iter().any(|(mark, _)| *mark != ' ')
    };
    let mut out = String::new();
    let mut skipped = false;
    for (at, (mark, line)) in marked.iter().enumerate() {
        if near(at) {
            let text = line.strip_suffix('\n');
            let _ = writeln!(out, "{mark} {}", visible(text.unwrap_or(line)));
            if text.is_none() && *mark != ' ' {
                out.push_str("\\ no line end\n");
            }
        } else if !skipped {
            out.push_str("  ...\n");
        }
        skipped = !near(at);
    }
    out
}

/// The longest common subsequence of what differs; quadratic, which is enough for what a case writes.
fn middle<'t>(a: &[&'t str], b: &[&'t str], marked: &mut Vec<(char, &'t str)>) {
    if a.len() * b.len() > 4_000_000 {
        marked.extend(a.iter().map(|line| ('-', *line)).chain(b.iter().map(|line| ('+', *line))));
        return;
    }
    let width = b.len() + 1;
    let mut longest = vec![0u32; (a.len() + 1) * width];
    for x in (0..a.len()).rev() {
        for y in (0..b.len()).rev() {
            longest[x * width + y] = if a[x] == b[y] {
                longest[(x + 1) * width + y + 1] + 1
            } else {
                longest[(x + 1) * width + y].max(longest[x * width + y + 1])
            };
        }
    }
    let (mut x, mut y) = (0, 0);
    while x < a.len() || y < b.len() {
        if x < a.len() && y < b.len() && a[x] == b[y] {
            marked.push((' ', a[x]));
            (x, y) = (x + 1, y + 1);
        } else if y == b.len() || (x < a.len() && longest[(x + 1) * width + y] >= longest[x * width + y + 1]) {
            marked.push(('-', a[x]));
            x += 1;
        } else {
            marked.push(('+', b[y]));
            y += 1;
        }
    }
}

/// What the eye does not see: carriage returns, tabs and other control characters.
fn visible(line: &str) -> String {
    line.chars().flat_map(|c| if c.is_control() { c.escape_debug().collect::<Vec<_>>() } else { vec![c] }).collect()
}
