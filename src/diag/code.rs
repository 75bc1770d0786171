//! Every code a finding can have. A code is a contract: never renamed, never used again for something else.
//!
//! The page of each code is `docs/rules/<area>-<what>.md`; a test holds the two lists together.

use super::Level;

/// What is known of a code besides its name in Rust.
#[derive(Debug, Clone, Copy)]
pub struct CodeInfo {
    /// `area/what-is-wrong`, as shown and as written in `severity:` and allow-comments.
    pub name: &'static str,
    /// The level unless a project says otherwise.
    pub level: Level,
    /// One line for lists.
    pub summary: &'static str,
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $level:ident, $summary:literal;)*) => {
        /// The stable identity of a kind of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($variant),* }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// Name, level and summary.
            pub fn info(self) -> CodeInfo {
                match self {
                    $(Code::$variant => CodeInfo { name: $name, level: Level::$level, summary: $summary },)*
                }
            }
        }
    };
}

codes! {
    // Files and their text.
    FileMissing = "file/missing", Error, "a file that is needed does not exist";
    FileUnreadable = "file/unreadable", Error, "a file cannot be read: outside the repository, not a regular file, too large";
    FileUnexpected = "file/unexpected", Warning, "a file that no rule of the layout reads";
    FileExists = "file/exists", Error, "a file that would be made is there already";
    FileEdit = "file/edit", Error, "a file cannot be edited without changing more than what is asked for";
    FileEncoding = "file/encoding", Error, "a file is not UTF-8 text";
    YamlSyntax = "yaml/syntax", Error, "the text is not YAML";
    YamlTab = "yaml/tab", Error, "a tab stands where YAML wants spaces";
    YamlDuplicateKey = "yaml/duplicate-key", Error, "a key stands twice in one map";
    YamlKey = "yaml/key", Error, "a key is not a plain word, a number or a boolean";
    YamlAlias = "yaml/alias", Error, "an alias names no anchor, or itself";
    YamlLimit = "yaml/limit", Error, "a file is larger, deeper or expands further than allowed";
    YamlDocuments = "yaml/documents", Error, "a file holds several documents where one is read";
    YamlTag = "yaml/tag", Error, "a YAML tag that hlgen does not know, or at a place where it means nothing";
    YamlMergeKey = "yaml/merge-key", Error, "`<<` does not refer to a map";
    YamlAmbiguousScalar = "yaml/ambiguous-scalar", Warning, "a plain word that YAML 1.1 and YAML 1.2 read differently";
    // What a whole run may cost.
    LimitInput = "limit/input", Error, "the repository holds more files or bytes than a run reads";
    LimitNodes = "limit/nodes", Error, "the repository's files hold more nodes than a run takes";
    LimitSteps = "limit/steps", Error, "the repository's templates need more steps than a run takes";
    LimitFindings = "limit/findings", Error, "more is wrong than a run keeps in mind";
    LimitOutput = "limit/output", Error, "more would be rendered than a run may write";
    // The four kinds.
    KindHeader = "kind/header", Error, "`apiVersion` or `kind` is missing or wrong";
    KindUnknownField = "kind/unknown-field", Error, "a field that the kind does not have";
    KindField = "kind/field", Error, "a field has the wrong type or a value that is not allowed";
    KindMissingField = "kind/missing-field", Error, "a required field is missing";
    KindName = "kind/name", Error, "a name is not allowed: reserved, too long, or not a DNS label";
    KindVersion = "kind/version", Error, "a version or version range cannot be read";
    // References between files.
    RefUnknownApp = "ref/unknown-app", Error, "no such app in the catalog";
    RefUnknownEnvironment = "ref/unknown-environment", Error, "no such environment";
    RefUnknownRelease = "ref/unknown-release", Error, "no such release in the environment";
    RefUnknownValue = "ref/unknown-value", Error, "nothing sets a value that was asked for";
    RefUnknownProfile = "ref/unknown-profile", Error, "no such profile or dimension value";
    RefUnknownCode = "ref/unknown-code", Error, "no such finding code";
    RefUnknownCapability = "ref/unknown-capability", Error, "a capability that nothing in the catalog knows";
    RefFrom = "ref/from", Error, "`from` names an app that cannot serve as a base";
    RefDuplicate = "ref/duplicate", Error, "two things have one name";
    RefConflict = "ref/conflict", Error, "two apps that cannot live together";
    RefPlatform = "ref/platform", Error, "an app does not support the environment's provider";
    RefFormerly = "ref/formerly", Error, "`formerly` names a release that is still there";
    RefRenamed = "ref/renamed", Warning, "a release seems to be renamed in one step";
    RefInstance = "ref/instance", Error, "an Argo CD instance and its environments do not fit together";
    HlgenVersion = "project/hlgen-version", Error, "the project asks for another version of hlgen";
    ChartUnsupported = "catalog/unsupported-version", Error, "a chart version outside what the catalog entry's values fit";
    CatalogUnpinned = "catalog/unpinned", Warning, "a prod environment takes the chart version from the built-in catalog";
    CatalogRevision = "catalog/revision", Warning, "a Git revision that moves without a commit here";
    CatalogLifecycle = "lifecycle/status", Warning, "an app or its chart is deprecated or retired";
    // Capabilities and order.
    CapabilityMissing = "capability/missing", Error, "nothing provides a required capability";
    CapabilityAmbiguous = "capability/ambiguous", Error, "several apps provide a capability and nobody chose";
    CapabilityChoice = "capability/choice", Error, "a choice names something that does not provide the capability";
    CapabilityData = "capability/data", Error, "a capability's data does not match its schema";
    CapabilityRival = "capability/rival", Warning, "the platform packages a rival that should be switched off";
    OrderCycle = "order/cycle", Error, "requirements run in a circle";
    OrderTier = "order/tier", Error, "a platform app requires an application app";
    // Layers and merging.
    MergeTypeClash = "merge/type-clash", Error, "a map meets a scalar or a list";
    MergeTag = "merge/tag", Error, "a merge tag does not fit what it stands on";
    MergeGlobalOnly = "merge/global-only", Error, "a file for every app sets something other than `global:`";
    // Templates.
    TemplateSyntax = "template/syntax", Error, "a template cannot be parsed";
    TemplateUndefined = "template/undefined", Error, "a template uses a name that is not defined";
    TemplateFailed = "template/failed", Error, "a template cannot be evaluated";
    TemplateLimit = "template/limit", Error, "a template ran too long or wrote too much";
    TemplateKey = "template/key", Error, "a template stands in a key";
    TemplateForeign = "template/foreign", Warning, "text that looks like Helm's templates in a manifest of hlgen's";
    // Values.
    ValuesSchema = "values/schema", Error, "a value does not match the app's JSON Schema";
    ValuesUnknownKey = "values/unknown-key", Warning, "a value names a key that the chart does not know";
    ValuesMissing = "values/missing", Error, "a value that the app's JSON Schema requires is not set";
    SchemaInvalid = "schema/invalid", Error, "a JSON Schema cannot be used";
    // What would be written.
    OutName = "out/name", Error, "a name that Kubernetes or Argo CD would refuse";
    OutClash = "out/clash", Error, "two things would be written to one place or get one name";
    OutField = "out/field", Error, "a field or value that Argo CD or Kubernetes would refuse or ignore";
    OutManifest = "out/manifest", Error, "a manifest is not a Kubernetes object";
    OutSize = "out/size", Error, "an object would be larger than Kubernetes or Argo CD takes";
    OutForeign = "out/foreign-file", Error, "a file that hlgen did not write is in the way";
    OutLabel = "out/label", Error, "a label or annotation that Kubernetes refuses";
    ExposeClash = "expose/clash", Error, "two releases claim one host and path";
    ExposeHost = "expose/no-host", Warning, "a way in has no host";
    ExposeUnguarded = "expose/unguarded", Note, "a way in that wants single sign-on is left out, because nothing provides it";
    ExposeScheme = "expose/scheme", Note, "a way in whose protocol the Service has to say itself";
    ExposeUnsupported = "expose/unsupported", Error, "the ingress provider cannot do what a way in asks for";
    SecretsPlaintext = "secrets/plaintext", Error, "a secret in plain text";
    SecretsEntropy = "secrets/entropy", Warning, "a text that looks random, as a secret does";
    SecretsReference = "secrets/reference", Error, "a key of a Secret refers to something that does not exist";
    SecretsGenerate = "secrets/generate", Error, "a value cannot be generated as declared";
    SecretsName = "secrets/name", Error, "a Secret or one of its keys has a name that Kubernetes would refuse";
    SecretsClash = "secrets/clash", Error, "two Secrets, or two generated values, would have one name";
    SecretsProvider = "secrets/provider", Error, "the provider of `secrets` does not say enough to make Secrets";
    SecretsSealed = "secrets/sealed", Error, "a SealedSecret does not fit the Secret that the app declares";
    SecretsNotSealed = "secrets/not-sealed", Warning, "a Secret that a person has yet to seal";
    SecretsByHand = "secrets/by-hand", Note, "a Secret that a person has to create, because nothing provides `secrets`";
    NetworkUnknown = "network/unknown", Error, "something that network policies need to know of a cluster is not declared";
    NetworkRange = "network/range", Error, "an entry is neither a range of addresses nor a word that is known";
    NetworkOutside = "network/outside", Error, "nobody says at which addresses a capability from outside is";
    NetworkUnenforced = "network/unenforced", Note, "nothing in the cluster keeps to network policies";
    // What namespaces hold.
    PolicyPodSecurity = "policy/pod-security", Error, "a release needs a weaker Pod Security level than the policy";
    QuotaExceeded = "quota/exceeded", Error, "a release's values ask for more than it declares";
    QuotaUndeclared = "quota/undeclared", Note, "a namespace gets no quota, because a release does not say what it asks for";
    // What runs, judged where the app's `paths:` lead.
    ImageTag = "image/tag", Warning, "an image without a tag, or with the tag `latest`";
    ResourcesRequests = "resources/requests", Warning, "an app that asks for no CPU or no memory in production";
    ReplicasSingle = "replicas/single", Warning, "one replica in production, and nobody says that it is meant";
    PortClash = "port/clash", Error, "two releases want one node port or host port of a cluster";
    StorageClass = "storage/class", Warning, "a storage class that nothing in the environment provides";
    BackupClass = "backup/class", Error, "a schedule or retention class is unknown or cannot be read";
    BackupCopies = "backup/copies", Error, "fewer copies of backups than the policy asks for";
    BackupMissing = "backup/missing", Error, "an app that keeps data has no backup where the policy asks for one";
    BackupNamespace = "backup/namespace", Error, "Velero's namespace is not one that hlgen makes";
    BackupProvider = "backup/no-provider", Error, "nothing provides what the backups need that the policy asks for";
    BackupShared = "backup/shared-namespace", Note, "a backup holds other releases of the namespace too";
    BackupUnsaved = "backup/unsaved", Warning, "volumes that will not be in a backup";
    MetricsDashboard = "metrics/dashboard", Error, "a file that Grafana would not show as a dashboard";
    // The plugin.
    PluginParameter = "plugin/parameter", Error, "the plugin's parameters do not name something that exists";
    PluginEmpty = "plugin/empty", Error, "what the plugin was asked for holds no object";
    // Rollouts.
    RolloutPrune = "rollout/unpruned", Warning, "a staged rollout waits for a release that is not pruned";
    RolloutSingle = "rollout/single-environment", Warning, "a staged rollout with a single environment";
    // Bootstrap.
    BootstrapCluster = "bootstrap/cluster", Error, "it cannot be told which cluster is meant";
    BootstrapArgocd = "bootstrap/argocd", Error, "an environment is to be taken over by an Argo CD that nothing installs";
    // Comparing two revisions.
    DiffRename = "diff/rename", Error, "a release gets another name in one step";
    DiffRemovals = "diff/removals", Error, "more releases vanish than allowed";
    // Publishing.
    ProjectUrlCredentials = "project/url-credentials", Error, "an address in `hlgen.yaml` holds a user name or a password";
    PublishRemovals = "publish/removals", Error, "more releases would be removed or renamed than allowed";
    PublishRename = "publish/rename", Error, "a release would get another name in one step";
    PublishUnreadable = "publish/unreadable", Error, "a published ApplicationSet cannot be read back";
    PublishOlder = "publish/older", Error, "the branch holds what was made from a newer commit";
    AllowUnused = "allow/unused", Note, "an allow-comment that matches no finding";
    AllowInvalid = "allow/invalid", Warning, "an allow-comment without a reason, or a level for a finding that cannot have another";
}

impl Code {
    /// Whether a finding of this code stands on a secret: its place is hidden in every report, and what is said of it is made of
    /// names alone.
    pub fn is_on_a_secret(self) -> bool {
        matches!(self, Self::SecretsPlaintext | Self::SecretsEntropy)
    }

    /// The code of a name such as `yaml/syntax`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.info().name == name)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.info().name)
    }
}
