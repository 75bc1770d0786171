//! Where a capability's data says that it is: hosts in the fields that hold addresses.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// The hosts that a capability's data names, in the fields that hold addresses.
pub(super) fn hosts(data: &Json) -> BTreeSet<String> {
    const FIELDS: &[&str] =
        &["address", "alertmanagerUrl", "endpoint", "forwardAuth", "host", "issuer", "readUrl", "url"];
    let texts = FIELDS.iter().filter_map(|field| Some((*field, data.get(*field)?.as_str()?)));
    // The issuer of certificates is a name, that of single sign-on an address.
    let addresses = texts.filter(|(field, text)| *field != "issuer" || text.contains("://"));
    addresses.map(|(_, text)| host(text).to_owned()).filter(|host| !host.is_empty()).collect()
}

/// The host of a URL, of `host:port`, or of a host.
pub(super) fn host(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(inner) = authority.strip_prefix('[') {
        return inner.split(']').next().unwrap_or_default();
    }
    match authority.split_once(':') {
        Some((host, port)) if !port.contains(':') => host,
        _ => authority,
    }
}

/// The namespace in a Service's name (`db.databases.svc`).
pub(super) fn namespace_of(host: &str) -> Option<&str> {
    let mut parts = host.split('.');
    let (_, namespace, svc) = (parts.next()?, parts.next()?, parts.next()?);
    (svc == "svc").then_some(namespace)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hosts_of_what_is_outside() {
        for (text, expected) in [
            ("https://s3.example.com:9000/path", "s3.example.com"),
            ("db.example.com", "db.example.com"),
            ("db.example.com:5432", "db.example.com"),
            ("postgres://user:secret@192.0.2.1:5432/db", "192.0.2.1"),
            ("http://[fd00::1]:80", "fd00::1"),
            ("fd00::1", "fd00::1"),
            ("", ""),
        ] {
            assert_eq!(host(text), expected);
        }
        let certificates = json!({ "issuer": "letsencrypt" });
        assert_eq!(hosts(&certificates), BTreeSet::new());
        let sso = json!({ "issuer": "https://id.example.com/x", "url": "https://id.example.com" });
        assert_eq!(hosts(&sso), BTreeSet::from(["id.example.com".to_owned()]));
        assert_eq!(namespace_of("db.databases.svc.cluster.local"), Some("databases"));
        assert_eq!(namespace_of("db.example.com"), None);
    }
}
