//! What a whole run may cost, as numbers that the input alone decides.
//!
//! Bounds of one file, one scalar or one release do not bound a repository: a hundred thousand small files are as
//! large as a huge one. A [`Budget`] says how much a run may read and make in all, and a [`Meter`] counts it. Counting
//! is preferred to the clock because it gives the same answer on every machine; `--timeout` is the last resort.
//!
//! Once something is used up, every further request is refused, so a run ends soon after and says only that.

use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::diag::{Code, Diagnostic};

/// How much a run may read and make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Files and folders that are listed.
    pub entries: u64,
    /// Files that are read; one that is read twice counts twice.
    pub files: u64,
    /// Bytes of those files.
    pub bytes: u64,
    /// YAML and schema nodes, aliases followed.
    pub nodes: u64,
    /// Steps of templates; 256 bytes that a filter handles are one too.
    pub steps: u64,
    /// Findings that are kept.
    pub findings: u64,
    /// Clusters of all environments.
    pub clusters: u64,
    /// Releases of all environments.
    pub releases: u64,
    /// Files that are rendered.
    pub outputs: u64,
    /// Bytes of those files.
    pub output_bytes: u64,
}

impl Default for Budget {
    /// Several times what ten thousand releases need.
    fn default() -> Self {
        Self {
            entries: 200_000,
            files: 50_000,
            bytes: 64 << 20,
            nodes: 4_000_000,
            steps: 8_000_000,
            findings: 50_000,
            clusters: 2_000,
            releases: 20_000,
            outputs: 100_000,
            output_bytes: 512 << 20,
        }
    }
}

impl Budget {
    /// For a process that serves other people's repositories under a deadline and beside others: the plugin.
    #[must_use]
    pub fn plugin() -> Self {
        Self {
            entries: 50_000,
            files: 20_000,
            bytes: 32 << 20,
            nodes: 2_000_000,
            steps: 4_000_000,
            findings: 5_000,
            clusters: 500,
            releases: 15_000,
            outputs: 20_000,
            output_bytes: 64 << 20,
        }
    }

    /// No bound at all: for files that the user named.
    #[must_use]
    pub fn unlimited() -> Self {
        let most = u64::MAX;
        Self {
            entries: most,
            files: most,
            bytes: most,
            nodes: most,
            steps: most,
            findings: most,
            clusters: most,
            releases: most,
            outputs: most,
            output_bytes: most,
        }
    }

    /// The bound of a resource.
    pub fn of(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Entries => self.entries,
            Resource::Files => self.files,
            Resource::Bytes => self.bytes,
            Resource::Nodes => self.nodes,
            Resource::Steps => self.steps,
            Resource::Findings => self.findings,
            Resource::Clusters => self.clusters,
            Resource::Releases => self.releases,
            Resource::Outputs => self.outputs,
            Resource::OutputBytes => self.output_bytes,
        }
    }

    fn set(&mut self, resource: Resource, bound: u64) {
        *match resource {
            Resource::Entries => &mut self.entries,
            Resource::Files => &mut self.files,
            Resource::Bytes => &mut self.bytes,
            Resource::Nodes => &mut self.nodes,
            Resource::Steps => &mut self.steps,
            Resource::Findings => &mut self.findings,
            Resource::Clusters => &mut self.clusters,
            Resource::Releases => &mut self.releases,
            Resource::Outputs => &mut self.outputs,
            Resource::OutputBytes => &mut self.output_bytes,
        } = bound;
    }

    /// Changes single bounds as `--limits` has them: `files=100000,bytes=128Mi`, or a preset (`default`, `plugin`)
    /// first.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn with(mut self, text: &str) -> Result<Self, String> {
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, bound)) = part.split_once('=') else {
                self = match part {
                    "default" => Self::default(),
                    "plugin" => Self::plugin(),
                    _ => return Err(format!("`{part}` is neither `default`, `plugin` nor `name=number`")),
                };
                continue;
            };
            let Some(resource) = Resource::ALL.into_iter().find(|known| known.name() == name.trim()) else {
                let known: Vec<&str> = Resource::ALL.iter().map(|known| known.name()).collect();
                return Err(format!("there is no limit `{name}`; known: {}", known.join(", ")));
            };
            let Some(bound) = number(bound.trim()) else {
                return Err(format!("`{bound}` is no number such as `200000` or `64Mi`"));
            };
            self.set(resource, bound);
        }
        Ok(self)
    }
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::default().with(text)
    }
}

/// `200000`, `64Ki`, `64Mi`, `2Gi`.
fn number(text: &str) -> Option<u64> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let shift = match unit {
        "" => 0,
        "Ki" => 10,
        "Mi" => 20,
        "Gi" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    Entries,
    Files,
    Bytes,
    Nodes,
    Steps,
    Findings,
    Clusters,
    Releases,
    Outputs,
    OutputBytes,
}

impl Resource {
    /// All there are, in the order of [`Budget`].
    pub const ALL: [Self; 10] = [
        Self::Entries,
        Self::Files,
        Self::Bytes,
        Self::Nodes,
        Self::Steps,
        Self::Findings,
        Self::Clusters,
        Self::Releases,
        Self::Outputs,
        Self::OutputBytes,
    ];

    /// Its name in `--limits`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Files => "files",
            Self::Bytes => "bytes",
            Self::Nodes => "nodes",
            Self::Steps => "steps",
            Self::Findings => "findings",
            Self::Clusters => "clusters",
            Self::Releases => "releases",
            Self::Outputs => "outputs",
            Self::OutputBytes => "output-bytes",
        }
    }
}

/// A bound that a run has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Exceeded {
    pub resource: Resource,
    pub bound: u64,
}

impl Exceeded {
    fn sentence(self) -> String {
        let bound = self.bound;
        match self.resource {
            Resource::Entries => format!("the folders that are read hold more than {bound} files and folders"),
            Resource::Files => format!("more than {bound} files would be read"),
            Resource::Bytes => format!("more than {bound} bytes would be read"),
            Resource::Nodes => format!("the files hold more than {bound} YAML nodes in all, aliases followed"),
            Resource::Steps => format!("the templates need more than {bound} steps in all"),
            Resource::Findings => format!("there are more than {bound} findings"),
            Resource::Clusters => format!("the environments have more than {bound} clusters"),
            Resource::Releases => format!("the environments have more than {bound} releases"),
            Resource::Outputs => format!("more than {bound} files would be rendered"),
            Resource::OutputBytes => format!("more than {bound} bytes would be rendered"),
        }
    }

    /// The finding for it. It concerns the whole run and has no place.
    pub fn finding(self) -> Diagnostic {
        let (code, remedy) = match self.resource {
            Resource::Entries | Resource::Files | Resource::Bytes => {
                (Code::LimitInput, "keep in `catalog/` and `environments/` only what hlgen reads")
            }
            Resource::Nodes => (Code::LimitNodes, "write less, or repeat less with aliases"),
            Resource::Steps => (Code::LimitSteps, "compute less in templates"),
            Resource::Findings => (Code::LimitFindings, "look at fewer files at a time"),
            Resource::Clusters | Resource::Releases | Resource::Outputs | Resource::OutputBytes => {
                (Code::LimitOutput, "split the repository, or install less on fewer clusters")
            }
        };
        let name = self.resource.name();
        Diagnostic::new(code, self.to_string())
            .help(format!("{remedy}; where the repository is trusted, raise the bound with `--limits {name}=...`"))
    }
}

/// Counts what a run uses. Shared by threads.
#[derive(Debug)]
pub struct Meter {
    budget: Budget,
    /// What was asked for instead, after the meter was handed out.
    replaced: OnceLock<Budget>,
    used: [AtomicU64; Resource::ALL.len()],
    /// The first bound that was passed.
    exceeded: OnceLock<Exceeded>,
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(Budget::default())
    }
}

impl Meter {
    pub fn new(budget: Budget) -> Self {
        Self { budget, replaced: OnceLock::new(), used: Default::default(), exceeded: OnceLock::new() }
    }

    pub fn budget(&self) -> &Budget {
        self.replaced.get().unwrap_or(&self.budget)
    }

    /// Gives the run another budget; only the first one counts.
    pub fn restrict(&self, budget: Budget) {
        let _ = self.replaced.set(budget);
    }

    /// What was used of a resource so far.
    pub fn used(&self, resource: Resource) -> u64 {
        self.used[resource as usize].load(Ordering::Relaxed)
    }

    /// Uses some of a resource.
    ///
    /// # Errors
    /// When that is more than there is, or when anything was used up before.
    pub fn charge(&self, resource: Resource, amount: u64) -> Result<(), Exceeded> {
        self.check()?;
        let before = self.used[resource as usize].fetch_add(amount, Ordering::Relaxed);
        let bound = self.budget().of(resource);
        if before.saturating_add(amount) > bound {
            return Err(*self.exceeded.get_or_init(|| Exceeded { resource, bound }));
        }
        Ok(())
    }

    /// Asks whether as much of a resource is there at all, without using it.
    ///
    /// # Errors
    /// When there is not; nothing more is given then.
    pub fn fits(&self, resource: Resource, amount: u64) -> Result<(), Exceeded> {
        self.check()?;
        let bound = self.budget().of(resource);
        if amount > bound { Err(*self.exceeded.get_or_init(|| Exceeded { resource, bound })) } else { Ok(()) }
    }

    /// Whether nothing is used up yet.
    ///
    /// # Errors
    /// The first bound that was passed.
    pub fn check(&self) -> Result<(), Exceeded> {
        self.exceeded().map_or(Ok(()), Err)
    }

    /// The first bound that was passed.
    pub fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_stays_used_up() {
        let meter = Meter::new(Budget { files: 2, ..Budget::default() });
        assert_eq!(meter.charge(Resource::Files, 2), Ok(()));
        let exceeded = Exceeded { resource: Resource::Files, bound: 2 };
        assert_eq!(meter.charge(Resource::Files, 1), Err(exceeded));
        assert_eq!(meter.charge(Resource::Bytes, 1), Err(exceeded), "the run is over");
        assert_eq!(meter.exceeded(), Some(exceeded));
        let meter = Meter::new(Budget { bytes: u64::MAX, ..Budget::default() });
        assert_eq!(meter.charge(Resource::Bytes, u64::MAX), Ok(()));
    }

    #[test]
    fn limits_are_written_as_names_and_numbers() {
        let changed = Budget { files: 7, bytes: 2 << 20, ..Budget::default() };
        assert_eq!("files=7, bytes=2Mi".parse(), Ok(changed));
        assert_eq!("plugin,nodes=1".parse(), Ok(Budget { nodes: 1, ..Budget::plugin() }));
        assert_eq!("".parse(), Ok(Budget::default()));
        for wrong in ["files", "file=1", "files=x", "files=1Mb", "files=-1", "bytes=99999999999Gi"] {
            assert!(wrong.parse::<Budget>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_plugin_may_do_less() {
        let (usual, plugin) = (Budget::default(), Budget::plugin());
        assert!(Resource::ALL.iter().all(|resource| plugin.of(*resource) < usual.of(*resource)));
    }
}
