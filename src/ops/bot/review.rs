//! What the two children do: fetch; compare and write the comment. Neither talks to Gitea's API.

use std::hash::{BuildHasher as _, RandomState};

use super::child::Failure;
use super::compare::{self, Compare};
use super::job::{FetchAnswer, FetchOrder, ReviewAnswer, ReviewOrder};
use crate::diff::Changes;
use crate::io::git::mirror::{self, Fetch, FetchError};
use crate::io::gitea::Token;
use crate::report::comment;

/// Fetches what a review needs.
///
/// # Errors
/// In words for a status; whether it may work later.
pub fn fetch(order: &FetchOrder) -> Result<FetchAnswer, Failure> {
    let failure = |message: String, is_temporary| Failure { message, is_temporary };
    let token = order.token.as_deref().map(|token| Token::new(token, "the order"));
    let token = token.transpose().map_err(|error| failure(error.to_string(), false))?;
    let fetched = mirror::fetch(&Fetch {
        folder: &order.folder,
        url: &order.url,
        token: token.as_ref(),
        number: order.number,
        base: &order.base,
        limit: order.limit,
    });
    let fetched = fetched.map_err(|error| {
        let is_temporary = matches!(error, FetchError::Transport(_) | FetchError::Missing(_));
        failure(error.to_string(), is_temporary)
    })?;
    Ok(FetchAnswer { head: fetched.head, base: fetched.base })
}

/// Compares, and writes the comment.
///
/// # Errors
/// In words for a status.
pub fn review(order: &ReviewOrder) -> Result<ReviewAnswer, Failure> {
    let changes = compare(order)?;
    let context = comment::Context {
        marker: &order.marker,
        page: &order.page,
        path: &order.path,
        head: &order.head,
        base: changes.base.commit.as_deref().unwrap_or(&order.base),
        max_removals: order.max_removals,
    };
    let text = comment::render(&comment::comment(&changes, &context), order.limit);
    Ok(ReviewAnswer {
        comment: text,
        is_good: is_good(&changes, order),
        description: comment::headline_plain(&changes),
    })
}

/// Whether the status is success: the head can be computed, nothing in it is an error, and no more goes than may.
fn is_good(changes: &Changes, order: &ReviewOrder) -> bool {
    let is_bad = |level: &str| level == "error" || (order.deny_warnings && level == "warning");
    changes.head.broken.is_empty()
        && changes.counts.broken == 0
        && !changes.findings.iter().any(|finding| is_bad(&finding.level))
        && order.max_removals.is_none_or(|most| changes.removals.len() <= most)
}

fn compare(order: &ReviewOrder) -> Result<Changes, Failure> {
    let what = Compare { folder: &order.folder, path: &order.path, head: &order.head, base: &order.base, key: key() };
    compare::compare(&what).map_err(|error| Failure { message: error.to_string(), is_temporary: false })
}

/// A key that is new in every process: the hasher of the standard library is keyed by the system's randomness.
fn key() -> [u8; 32] {
    let state = RandomState::new();
    let mut key = [0; 32];
    for (number, part) in key.chunks_exact_mut(8).enumerate() {
        part.copy_from_slice(&state.hash_one(number).to_le_bytes());
    }
    key
}
