//! What Kubernetes and Helm accept as a name, and what is known of the kinds that Kubernetes itself brings.
//!
//! The rules are those of `k8s.io/apimachinery/pkg/util/validation` and of Helm's `chartutil.ValidateReleaseName`. The
//! functions answer yes or no; the words of a finding belong to whoever asks, who knows what the name is for.

/// Longest DNS label, label value and name part of a qualified key.
pub const LABEL_MAX: usize = 63;
/// Longest DNS subdomain.
pub const SUBDOMAIN_MAX: usize = 253;
/// Longest name of a Helm release.
pub const RELEASE_MAX: usize = 53;

/// Whether `text` is a DNS label (RFC 1123): 1 to 63 of `a-z0-9-` with a letter or digit at both ends. Namespaces,
/// containers, ports.
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= LABEL_MAX && is_label_of_any_length(text)
}

/// Whether `text` is a DNS subdomain (RFC 1123): labels joined by dots, 253 characters in all. The name of most
/// objects.
///
/// Kubernetes limits the whole alone, not each label.
pub fn is_dns_subdomain(text: &str) -> bool {
    // Small letters and digits, and between two of them any number of `-` or one dot.
    let mut before = b'.';
    let right = text.bytes().all(|byte| {
        let joins = matches!(before, b'.' | b'-');
        let fits = match byte {
            b'a'..=b'z' | b'0'..=b'9' => true,
            b'-' => before != b'.',
            b'.' => !joins,
            _ => false,
        };
        before = byte;
        fits
    });
    text.len() <= SUBDOMAIN_MAX && right && !matches!(before, b'.' | b'-')
}

/// Whether `text` is a DNS label that begins with a letter (RFC 1035): the name of a Service.
pub fn is_rfc1035_label(text: &str) -> bool {
    is_dns_label(text) && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// Whether `text` may be the value of a label: empty, or 1 to 63 of `A-Za-z0-9-_.` with a letter or digit at both ends.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_qualified_part(text)
}

/// Whether `text` may be the key of a label: a name, or a DNS subdomain, `/` and a name.
pub fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_qualified_part(name),
        None => is_qualified_part(text),
    }
}

/// Whether `text` may be the key of an annotation: as a label's, but the prefix may have capitals.
pub fn is_annotation_key(text: &str) -> bool {
    is_label_key(&text.to_ascii_lowercase())
}

/// Whether `text` may be the name of a Helm release: a DNS subdomain of at most 53 characters.
pub fn is_release_name(text: &str) -> bool {
    text.len() <= RELEASE_MAX && is_dns_subdomain(text)
}

fn is_label_of_any_length(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_qualified_part(text: &str) -> bool {
    text.len() <= LABEL_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
}

/// The group of an `apiVersion`: `apps` of `apps/v1`, the empty text of `v1`.
pub fn api_group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether Kubernetes itself serves the group, so that its kinds need no CRD.
///
/// `metrics.k8s.io` and its like are not here: something has to be installed for them.
pub fn is_builtin_group(group: &str) -> bool {
    BUILTIN_GROUPS.binary_search(&group).is_ok()
}

/// API groups of Kubernetes up to 1.36, sorted.
pub const BUILTIN_GROUPS: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Whether objects of a kind live in a namespace, as far as Kubernetes itself brings the kind; `None` for all others.
///
/// A kind keeps its scope over all versions of its group, so the version does not matter.
pub fn is_namespaced(api_version: &str, kind: &str) -> Option<bool> {
    let group = api_group(api_version);
    if CLUSTER_KINDS.contains(&(group, kind)) {
        Some(false)
    } else if NAMESPACED_KINDS.contains(&(group, kind)) {
        Some(true)
    } else {
        None
    }
}

/// Kinds of Kubernetes outside namespaces, as group and kind.
pub const CLUSTER_KINDS: &[(&str, &str)] = &[
    ("", "ComponentStatus"),
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("authentication.k8s.io", "SelfSubjectReview"),
    ("authentication.k8s.io", "TokenReview"),
    ("authorization.k8s.io", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "SelfSubjectRulesReview"),
    ("authorization.k8s.io", "SubjectAccessReview"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("certificates.k8s.io", "ClusterTrustBundle"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("internal.apiserver.k8s.io", "StorageVersion"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("policy", "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "DeviceTaintRule"),
    ("resource.k8s.io", "ResourceSlice"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("storage.k8s.io", "VolumeAttributesClass"),
    ("storagemigration.k8s.io", "StorageVersionMigration"),
];

/// Kinds of Kubernetes inside namespaces, as group and kind.
pub const NAMESPACED_KINDS: &[(&str, &str)] = &[
    ("", "Binding"),
    ("", "ConfigMap"),
    ("", "Endpoints"),
    ("", "Event"),
    ("", "LimitRange"),
    ("", "PersistentVolumeClaim"),
    ("", "Pod"),
    ("", "PodTemplate"),
    ("", "ReplicationController"),
    ("", "ResourceQuota"),
    ("", "Secret"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "ControllerRevision"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("authorization.k8s.io", "LocalSubjectAccessReview"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("batch", "CronJob"),
    ("batch", "Job"),
    ("certificates.k8s.io", "PodCertificateRequest"),
    ("coordination.k8s.io", "Lease"),
    ("coordination.k8s.io", "LeaseCandidate"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("events.k8s.io", "Event"),
    ("extensions", "Ingress"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("resource.k8s.io", "ResourceClaim"),
    ("resource.k8s.io", "ResourceClaimTemplate"),
    ("scheduling.k8s.io", "Workload"),
    ("storage.k8s.io", "CSIStorageCapacity"),
];

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn subdomains_are_labels_with_dots_between(text in r"[ab0.\-A_]{0,7}") {
            proptest::prop_assert_eq!(is_dns_subdomain(&text), text.split('.').all(is_label_of_any_length));
        }
    }

    #[test]
    fn subdomains() {
        assert!(is_dns_subdomain("a") && is_dns_subdomain("a.b-c.9") && is_dns_subdomain(&"a".repeat(253)));
        for bad in ["", ".", "a.", ".a", "a..b", "A", "a_b", "-a", "a-.b", "a b", "ä", &"a".repeat(254)] {
            assert!(!is_dns_subdomain(bad), "{bad}");
        }
    }

    #[test]
    fn service_names_begin_with_a_letter() {
        assert!(is_rfc1035_label("a9") && !is_rfc1035_label("9a") && !is_rfc1035_label("a.b"));
    }

    #[test]
    fn labels() {
        assert!(is_label_value("") && is_label_value("A_b.c-9") && is_label_value(&"x".repeat(63)));
        assert!(!is_label_value("-a") && !is_label_value("a/b") && !is_label_value(&"x".repeat(64)));
        assert!(is_label_key("app") && is_label_key("app.kubernetes.io/name") && is_label_key("Foo_x"));
        for bad in ["", "/a", "a/", "A.io/x", "a/b/c", "a b", &format!("{}/x", "a".repeat(254))] {
            assert!(!is_label_key(bad), "{bad}");
        }
        assert!(is_annotation_key("A.io/x") && !is_annotation_key("a/b/c"));
    }

    #[test]
    fn release_names() {
        assert!(is_release_name("a.b") && is_release_name(&"a".repeat(53)));
        assert!(!is_release_name(&"a".repeat(54)) && !is_release_name("A") && !is_release_name(""));
    }

    #[test]
    fn kinds_and_groups() {
        assert!(BUILTIN_GROUPS.is_sorted());
        assert!(CLUSTER_KINDS.is_sorted() && NAMESPACED_KINDS.is_sorted());
        for (group, _) in CLUSTER_KINDS.iter().chain(NAMESPACED_KINDS) {
            assert!(is_builtin_group(group), "{group}");
        }
        assert_eq!(is_namespaced("v1", "Namespace"), Some(false));
        assert_eq!(is_namespaced("apps/v1", "Deployment"), Some(true));
        assert_eq!(is_namespaced("rbac.authorization.k8s.io/v1", "ClusterRole"), Some(false));
        assert_eq!(is_namespaced("v1", "Deployment"), None);
        assert_eq!(is_namespaced("argoproj.io/v1alpha1", "Application"), None);
        assert!(is_builtin_group("") && is_builtin_group("batch") && !is_builtin_group("cert-manager.io"));
    }
}
