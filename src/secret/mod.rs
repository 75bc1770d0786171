//! What is a secret, and what is shown instead of it.
//!
//! Reviews, logs and comments are read by more people than may know a password. A text counts as secret when it sits
//! under a key that names one, when it looks like one, or when it is in a Secret; when in doubt it does. It is shown as
//! a digest under a key that is made for one run, so two digests of a run tell whether two secrets are equal and
//! nothing else: without the key nobody can try words against them.

mod known;
mod look;
mod name;
mod plain;
mod shape;
pub mod source;
mod sure;
mod tree;

pub use known::{Known, names_secret, reads_one};
pub use look::looks_like_one;
pub use name::{kebab, names_one};
pub use plain::{Plain, Spot};
pub use sure::{is_password, is_public};
pub use tree::Place;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// Makes the digests of one run.
#[derive(Clone)]
pub struct Masker {
    key: [u8; 32],
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Masker")
    }
}

impl Masker {
    /// With a key that is random and new in each run.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The digest of a secret: 16 hexadecimal digits.
    pub fn digest(&self, secret: &[u8]) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return "?".repeat(16) };
        mac.update(secret);
        let digest = mac.finalize().into_bytes();
        let first = u64::from_be_bytes(std::array::from_fn(|at| digest[at]));
        format!("{first:016x}")
    }
}

/// What stands where a secret is not shown.
pub const MASK: &str = "<secret>";

/// A text of somebody's as it may be shown: whole, or not at all.
pub fn shown(text: &str) -> &str {
    if looks_like_one(text) { MASK } else { text }
}
