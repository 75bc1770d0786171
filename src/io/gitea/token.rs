//! An access token that cannot be printed by accident.

use std::path::Path;

use super::error::{Error, Kind};

/// Longest token file that is read: a token is 40 characters, a JSON web token of a job a few thousand.
const LONGEST: u64 = 16 * 1024;

/// A token, or any other secret text. `Debug` and errors show `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token from a text; white space around it is dropped.
    ///
    /// # Errors
    /// [`Kind::Settings`] where it is empty or holds what no header can hold. `origin` says where it came from.
    pub fn new(text: &str, origin: &str) -> Result<Self, Error> {
        let text = text.trim();
        let wrong = if text.is_empty() {
            "is empty"
        } else if text.chars().any(|c| !c.is_ascii_graphic()) {
            "holds white space or characters outside of ASCII"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(Error::new(Kind::Settings, "read the token", format!("{origin} {wrong}")))
    }

    /// A token from a file, as Kubernetes and systemd hand secrets over.
    ///
    /// # Errors
    /// [`Kind::Settings`] where the file cannot be read, is too long, or holds no token.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let text = crate::io::setting::read_text(path, LONGEST)
            .map_err(|error| Error::new(Kind::Settings, "read the token", error.to_string()))?;
        Self::new(&text, &format!("the file `{}`", path.file_name().unwrap_or_default().to_string_lossy()))
    }

    /// The secret itself, for headers and credential callbacks.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}
