//! Annotations and finalizers that mean something to Argo CD.

/// Order within one sync: an integer as text, lowest first.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// Options of one resource, separated by commas.
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// How one resource (or a whole Application) is compared, separated by commas.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// Paths whose changes make Argo CD render an Application again, separated by semicolons.
pub const MANIFEST_GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
/// The phase in which a hook runs.
pub const HOOK: &str = "argocd.argoproj.io/hook";
/// When a hook's object is deleted.
pub const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Written by Argo CD to recognise what belongs to an Application.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";

/// Deleting the Application deletes what it installed, and waits for it.
pub const RESOURCES_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
/// The same in words.
pub const FOREGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/foreground";
/// Deleting the Application deletes what it installed, in the background.
pub const BACKGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/background";
