//! A comment within a size: whole blocks and whole lines are left out, and it says so.

use super::{Block, Comment, Fold, words};

/// A fold with less room than this is not worth opening.
const SMALLEST_FOLD: usize = 600;
/// Room for what is said about things left out.
const NOTE: usize = 200;

/// The comment as Markdown of at most `limit` bytes (but never less than its marker).
///
/// The front comes first and gets at most half where there are folds; then folds share the rest: those that need less than
/// an even share leave it to the others, and where shares would become too small the last folds are named by number only.
pub fn render(comment: &Comment, limit: usize) -> String {
    let mut out = String::new();
    if !comment.marker.is_empty() {
        out.push_str(&comment.marker);
        out.push('\n');
    }
    let end = blocks(&comment.end, limit / 8);
    let budget = limit.saturating_sub(out.len() + end.len() + NOTE);
    let front_share = if comment.folds.is_empty() { budget } else { budget / 2 };
    out.push_str(&blocks(&comment.front, front_share));

    let budget = limit.saturating_sub(out.len() + end.len() + NOTE);
    let sizes: Vec<usize> = comment.folds.iter().map(|fold| whole(fold).len()).collect();
    let (shown, share) = shares(&sizes, budget);
    for (fold, size) in comment.folds.iter().zip(&sizes).take(shown) {
        out.push_str(&if *size <= share { whole(fold) } else { cut_fold(fold, share) });
    }
    let left = comment.folds.len() - shown;
    if left > 0 {
        Block::Paragraph(vec![words(format!(
            "{left} more left out: the comment would be too long. `hlgen diff` shows all."
        ))])
        .markdown(&mut out);
    }
    out.push_str(&end);
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// How many folds are shown, and the size above which one is cut.
fn shares(sizes: &[usize], budget: usize) -> (usize, usize) {
    for shown in (1..=sizes.len()).rev() {
        let mut sorted = sizes[..shown].to_vec();
        sorted.sort_unstable();
        let mut rest = budget;
        let mut share = usize::MAX;
        for (number, size) in sorted.iter().enumerate() {
            let even = rest / (shown - number);
            if *size > even {
                share = even;
                break;
            }
            rest -= size;
        }
        if share >= SMALLEST_FOLD {
            return (shown, share);
        }
    }
    (0, 0)
}

fn whole(fold: &Fold) -> String {
    let mut out = String::new();
    fold.open(&mut out);
    fold.blocks.iter().for_each(|block| block.markdown(&mut out));
    out.push_str(Fold::CLOSE);
    out
}

fn cut_fold(fold: &Fold, limit: usize) -> String {
    let mut out = String::new();
    fold.open(&mut out);
    if out.len() + Fold::CLOSE.len() > limit / 2 {
        // Signs become five times as long as they were; a name of signs alone is nobody's.
        out.clear();
        Fold { title: vec![words("(a name too long to show)")], blocks: Vec::new() }.open(&mut out);
    }
    let room = limit.saturating_sub(out.len() + Fold::CLOSE.len());
    out.push_str(&blocks(&fold.blocks, room));
    out.push_str(Fold::CLOSE);
    out
}

/// As many of the blocks as fit, the last one perhaps in part.
fn blocks(all: &[Block], limit: usize) -> String {
    let mut out = String::new();
    let mut text = String::new();
    for (number, block) in all.iter().enumerate() {
        text.clear();
        block.markdown(&mut text);
        let is_last = number + 1 == all.len();
        let reserve = if is_last { 0 } else { NOTE / 2 };
        if out.len() + text.len() + reserve <= limit {
            out.push_str(&text);
            continue;
        }
        let room = limit.saturating_sub(out.len() + NOTE / 2);
        if let Some(part) = part(block, room) {
            out.push_str(&part);
        }
        let note = "… more left out: the comment would be too long.\n\n";
        if out.len() + note.len() <= limit {
            out.push_str(note);
        }
        break;
    }
    out
}

/// The beginning of a block that can be divided.
fn part(block: &Block, room: usize) -> Option<String> {
    let fits = |count: usize| {
        let part = match block {
            Block::Paragraph(_) => return None,
            Block::Warning { title, items } => Block::Warning { title, items: items[..count].to_vec() },
            Block::List(items) => Block::List(items[..count].to_vec()),
            Block::Fence { language, text } => {
                let lines: Vec<&str> = text.lines().take(count).collect();
                Block::Fence { language, text: lines.join("\n") }
            }
        };
        let mut out = String::new();
        part.markdown(&mut out);
        (out.len() <= room).then_some(out)
    };
    let most = match block {
        Block::Paragraph(_) => 0,
        Block::Warning { items, .. } | Block::List(items) => items.len(),
        Block::Fence { text, .. } => text.lines().count(),
    };
    // The most that fit, by halving: sizes only grow.
    let (mut good, mut bad) = (0, most + 1);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fits(middle).is_some() { good = middle } else { bad = middle }
    }
    if good == 0 { None } else { fits(good) }
}
