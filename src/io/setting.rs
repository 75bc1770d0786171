//! Files that somebody names on the command line and that are no part of a repository: tokens, certificates, the
//! configuration of a service. Read whole, bounded, and named in errors by their last part only.

use std::io::Read as _;
use std::path::Path;

/// Why such a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file `{name}` {reason}")]
pub struct SettingError {
    name: String,
    reason: String,
}

/// The bytes of a file of at most `limit` bytes.
///
/// # Errors
/// When it cannot be read, or is longer.
#[expect(clippy::disallowed_methods, reason = "not of a repository")]
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, SettingError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wrong = |reason: String| SettingError { name: name.clone(), reason };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| wrong(format!("cannot be read: {}", error.kind())))?;
    if bytes.len() as u64 > limit {
        return Err(wrong(format!("is longer than {limit} bytes")));
    }
    Ok(bytes)
}

/// As [`read`], but text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, SettingError> {
    String::from_utf8(read(path, limit)?).map_err(|_| SettingError {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        reason: "is not UTF-8".to_owned(),
    })
}
