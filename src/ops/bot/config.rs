//! The configuration of the service, a file of the operator's. Nothing in a repository changes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::job::{Limits, Policy};
use crate::io::gitea::RepoName;
use crate::io::setting;

const LARGEST: u64 = 1024 * 1024;

/// The file as it is written.
#[expect(clippy::struct_field_names, reason = "named as in the file")]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    server: String,
    #[serde(default)]
    listen: Option<String>,
    #[serde(default)]
    token_file: Option<PathBuf>,
    #[serde(default)]
    secret_file: Option<PathBuf>,
    #[serde(default)]
    ca_file: Option<PathBuf>,
    #[serde(default)]
    login: Option<String>,
    #[serde(default)]
    cache: Option<PathBuf>,
    #[serde(default)]
    workers: Option<usize>,
    #[serde(default)]
    scan_seconds: Option<u64>,
    #[serde(default)]
    limits: FileLimits,
    repositories: Vec<FileRepository>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FileLimits {
    seconds: Option<u64>,
    memory_megabytes: Option<u64>,
    cache_megabytes: Option<u64>,
    comment_bytes: Option<usize>,
    waiting: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FileRepository {
    name: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    forks: bool,
    #[serde(default)]
    max_removals: Option<usize>,
    #[serde(default)]
    deny_warnings: bool,
}

/// The configuration as it is used.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server's root.
    pub server: String,
    pub listen: String,
    pub token_file: Option<PathBuf>,
    pub secret_file: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
    /// Whose comments are ours; else the token's owner is asked for.
    pub login: Option<String>,
    pub cache: Option<PathBuf>,
    pub workers: usize,
    /// Between two scans of open pull requests.
    pub scan: Duration,
    /// Pull requests that may wait.
    pub waiting: usize,
    pub limits: Limits,
    pub repositories: BTreeMap<RepoName, Policy>,
}

impl Config {
    /// Reads a configuration file; relative paths in it are relative to it.
    ///
    /// # Errors
    /// When it cannot be read, holds an unknown key, or a value that makes no sense.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = setting::read_text(path, LARGEST)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        Self::parse(&text, folder).with_context(|| format!("cannot use `{name}`"))
    }

    fn parse(text: &str, folder: &Path) -> anyhow::Result<Self> {
        let file: File = serde_yaml::from_str(text)?;
        let defaults = Limits::default();
        let megabytes =
            |given: Option<u64>, default: u64| given.map_or(default, |megabytes| megabytes.saturating_mul(1_000_000));
        let limits = Limits {
            time: file.limits.seconds.map_or(defaults.time, Duration::from_secs),
            memory: megabytes(file.limits.memory_megabytes, defaults.memory),
            cache: megabytes(file.limits.cache_megabytes, defaults.cache),
            comment: file.limits.comment_bytes.unwrap_or(defaults.comment),
        };
        ensure!(limits.comment >= 2000, "`limits.commentBytes` is less than 2000; no comment fits");
        ensure!(!limits.time.is_zero(), "`limits.seconds` is 0; nothing can be done in no time");
        ensure!(!file.repositories.is_empty(), "`repositories` is empty; name one: `- name: owner/name`");
        let mut repositories = BTreeMap::new();
        for repository in file.repositories {
            let name = RepoName::parse(&repository.name)?;
            let policy = Policy {
                path: repository.path.trim_matches('/').to_owned(),
                forks: repository.forks,
                max_removals: repository.max_removals,
                deny_warnings: repository.deny_warnings,
            };
            let twice = repositories.insert(name, policy).is_some();
            ensure!(!twice, "the repository `{}` is named twice", repository.name);
        }
        let absolute = |path: Option<PathBuf>| path.map(|path| folder.join(path));
        Ok(Self {
            server: file.server,
            listen: file.listen.unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
            token_file: absolute(file.token_file),
            secret_file: absolute(file.secret_file),
            ca_file: absolute(file.ca_file),
            login: file.login,
            cache: absolute(file.cache),
            workers: file.workers.unwrap_or(1).clamp(1, 16),
            scan: Duration::from_secs(file.scan_seconds.unwrap_or(600).max(1)),
            waiting: file.limits.waiting.unwrap_or(1000).max(1),
            limits,
            repositories,
        })
    }

    /// The policy of a repository that is served, whatever the case of its name.
    pub fn policy(&self, name: &RepoName) -> Option<(&RepoName, &Policy)> {
        let same = |other: &RepoName| {
            other.owner.eq_ignore_ascii_case(&name.owner) && other.name.eq_ignore_ascii_case(&name.name)
        };
        self.repositories.iter().find(|(known, _)| same(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_file_is_enough_and_mistakes_are_named() {
        let parse = |text: &str| Config::parse(text, Path::new("/etc/hlgen"));
        let config =
            parse("server: https://git.example.com\ntokenFile: token\nrepositories: [{ name: ops/homelab }]").unwrap();
        assert_eq!(config.token_file.as_deref(), Some(Path::new("/etc/hlgen/token")));
        assert_eq!((config.listen.as_str(), config.workers, config.limits.comment), ("127.0.0.1:8080", 1, 250_000));
        assert!(config.policy(&RepoName::parse("Ops/HomeLab").unwrap()).is_some());
        assert!(config.policy(&RepoName::parse("ops/other").unwrap()).is_none());
        for (text, word) in [
            ("server: x\nrepositories: []", "`repositories` is empty"),
            ("server: x\nrepositories: [{ name: ops/homelab, fork: true }]", "unknown field `fork`"),
            ("server: x\nrepositories: [{ name: a/b }, { name: a/b }]", "named twice"),
            ("server: x\nrepositories: [{ name: a }]", "is not `owner/name`"),
            ("server: x\nlimits: { commentBytes: 5 }\nrepositories: [{ name: a/b }]", "no comment fits"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(word), "{error}");
        }
    }
}
