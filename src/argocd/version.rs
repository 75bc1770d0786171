//! The minor version of Argo CD, and what may be written for it.
//!
//! A field that an older CRD does not know is pruned on write; the Application then differs from Git for ever. So each
//! field that came later has a predicate here, named after what it allows.

use std::fmt;
use std::str::FromStr;

/// A minor version of Argo CD such as `3.4`. Patch levels never decide about fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    major: u16,
    minor: u16,
}

impl Version {
    /// The oldest version whose behaviour the output relies on.
    pub const OLDEST: Self = Self::new(3, 0);
    /// The newest version whose CRDs the output was checked against.
    pub const NEWEST: Self = Self::new(3, 5);

    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Whether hlgen knows how to write for this version: from [`Self::OLDEST`] on, within the same major version.
    pub fn is_supported(self) -> bool {
        self >= Self::OLDEST && self.major == Self::NEWEST.major
    }

    /// `syncPolicy.automated.enabled` (3.1).
    pub fn has_automated_enabled(self) -> bool {
        self >= Self::new(3, 1)
    }

    /// Sources with `repoURL: oci://...` and `path` instead of `chart` (3.1).
    pub fn has_oci_sources(self) -> bool {
        self >= Self::new(3, 1)
    }

    /// `syncPolicy.retry.refresh`: a retry takes the newest revision (3.2).
    pub fn has_retry_refresh(self) -> bool {
        self >= Self::new(3, 2)
    }

    /// `strategy.deletionOrder` of `ApplicationSet`s (3.2).
    pub fn has_deletion_order(self) -> bool {
        self >= Self::new(3, 2)
    }

    /// `RollingSync` leaves `automated` in place and writes `enabled: false`; before it dropped the block (3.3).
    pub fn rolling_sync_keeps_automated(self) -> bool {
        self >= Self::new(3, 3)
    }

    /// `clusterResourceWhitelist[].name` of `AppProject`s (3.3).
    pub fn has_cluster_resource_names(self) -> bool {
        self >= Self::new(3, 3)
    }

    /// An explicit `prune: false` or `selfHeal: false` survives; before, the controller dropped it and a parent
    /// Application saw a difference (3.4).
    pub fn keeps_explicit_false(self) -> bool {
        self >= Self::new(3, 4)
    }

    /// `helm.valueFiles` entries are glob patterns (3.4).
    pub fn expands_value_file_globs(self) -> bool {
        self >= Self::new(3, 4)
    }
}

impl Default for Version {
    /// What a project that says nothing is written for.
    fn default() -> Self {
        Self::new(3, 4)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version of Argo CD; write major and minor, for example `3.4`")]
pub struct VersionError(String);

impl FromStr for Version {
    type Err = VersionError;

    /// Reads `3.4`, and also `v3.4` and `3.4.2`, since that is what people copy; the patch level is dropped.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let number = |part: &str| -> Option<u16> {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if digits && (part == "0" || !part.starts_with('0')) { part.parse().ok() } else { None }
        };
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.').map(number);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(major)), Some(Some(minor)), None | Some(Some(_)), None) => Ok(Self { major, minor }),
            _ => Err(VersionError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for text in ["3.4", "v3.4", "3.4.12"] {
            assert_eq!(text.parse(), Ok(Version::new(3, 4)), "{text}");
        }
        for text in ["", "3", "3.", "3.x", "3.4.", "3.4.1.2", "03.4", "3.04", "+3.4", "3.4-rc1", "99999.1"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
        assert_eq!(Version::new(3, 10).to_string(), "3.10");
    }

    #[test]
    fn ten_comes_after_nine() {
        assert!(Version::new(3, 10) > Version::new(3, 9));
        assert!(Version::new(3, 10).keeps_explicit_false());
        assert!(!Version::new(3, 3).keeps_explicit_false());
        assert!(Version::new(3, 2).has_retry_refresh() && !Version::new(3, 1).has_retry_refresh());
        assert!(!Version::new(2, 14).is_supported() && !Version::new(4, 0).is_supported());
        assert!(Version::default().is_supported());
    }
}
