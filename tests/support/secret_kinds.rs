//! The kinds of External Secrets and Sealed Secrets, as far as hlgen writes them: closed JSON Schemas after their CRDs
//! (External Secrets 2.9, Sealed Secrets 0.36). What the API server would set by default is required here, because Argo CD
//! would show it as a difference.
#![allow(clippy::needless_pass_by_value, reason = "schemas are put together from parts made on the spot")]

use serde_json::{Value, json};

type Kind = (&'static str, &'static str);

/// Each kind with its schema.
pub(super) fn schemas() -> Vec<(Kind, Value)> {
    let named = |api_version: &'static str, kind: &'static str, spec: Value| {
        let properties = json!({
            "apiVersion": { "const": api_version },
            "kind": { "const": kind },
            "metadata": metadata(),
            "spec": spec,
        });
        ((api_version, kind), object(&["apiVersion", "kind", "metadata", "spec"], properties))
    };
    vec![
        named("external-secrets.io/v1", "ExternalSecret", external_secret()),
        named("external-secrets.io/v1alpha1", "PushSecret", push_secret()),
        named("generators.external-secrets.io/v1alpha1", "Password", password()),
        named("bitnami.com/v1alpha1", "SealedSecret", sealed_secret()),
    ]
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn texts() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" } })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "minItems": 1, "items": items })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "enum": words })
}

fn name() -> Value {
    let pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
    json!({ "type": "string", "maxLength": 253, "pattern": pattern })
}

fn key() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 253, "pattern": "^[-._a-zA-Z0-9]+$" })
}

fn duration() -> Value {
    json!({ "type": "string", "pattern": "^([0-9]+(h|m|s))+$" })
}

fn metadata() -> Value {
    let properties = json!({ "name": name(), "namespace": name(), "labels": texts(), "annotations": texts() });
    object(&["name"], properties)
}

fn store() -> Value {
    let kinds = one_of(&["SecretStore", "ClusterSecretStore"]);
    object(&["kind", "name"], json!({ "kind": kinds, "name": name() }))
}

fn external_secret() -> Value {
    let remote = object(
        &["key", "conversionStrategy", "decodingStrategy", "metadataPolicy"],
        json!({
            "key": { "type": "string", "minLength": 1 },
            "property": { "type": "string", "minLength": 1 },
            "version": { "type": "string" },
            "conversionStrategy": one_of(&["Default", "Unicode"]),
            "decodingStrategy": one_of(&["Auto", "Base64", "Base64URL", "None"]),
            "metadataPolicy": one_of(&["None", "Fetch"]),
        }),
    );
    let generator = object(
        &["apiVersion", "kind", "name"],
        json!({
            "apiVersion": { "const": "generators.external-secrets.io/v1alpha1" },
            "kind": { "const": "Password" },
            "name": name(),
        }),
    );
    let template = object(
        &["engineVersion", "mergePolicy", "metadata"],
        json!({
            "engineVersion": { "const": "v2" },
            "mergePolicy": one_of(&["Replace", "Merge"]),
            "type": { "type": "string" },
            "metadata": object(&[], json!({ "labels": texts(), "annotations": texts() })),
            "data": texts(),
        }),
    );
    let target = object(
        &["name", "creationPolicy", "deletionPolicy"],
        json!({
            "name": name(),
            "creationPolicy": one_of(&["Owner", "Orphan", "Merge", "None", "CreateOrMerge"]),
            "deletionPolicy": one_of(&["Delete", "Merge", "Retain"]),
            "immutable": { "type": "boolean" },
            "template": template,
        }),
    );
    let source = object(&["generatorRef"], json!({ "generatorRef": generator }));
    let from = object(&[], json!({ "sourceRef": source, "extract": remote }));
    let mut spec = object(
        &["refreshInterval", "target"],
        json!({
            "refreshPolicy": one_of(&["CreatedOnce", "Periodic", "OnChange"]),
            "refreshInterval": duration(),
            "secretStoreRef": store(),
            "target": target,
            "data": list(object(&["secretKey", "remoteRef"], json!({ "secretKey": key(), "remoteRef": remote }))),
            "dataFrom": list(from),
        }),
    );
    // The operator's webhook refuses one that reads nothing.
    spec["anyOf"] = json!([{ "required": ["data", "secretStoreRef"] }, { "required": ["dataFrom"] }]);
    spec
}

fn push_secret() -> Value {
    let remote = object(
        &["remoteKey"],
        json!({ "remoteKey": { "type": "string", "minLength": 1 }, "property": { "type": "string", "minLength": 1 } }),
    );
    // Free in the CRD; this is what the provider for AWS takes.
    let metadata = object(
        &["apiVersion", "kind", "spec"],
        json!({
            "apiVersion": { "const": "kubernetes.external-secrets.io/v1alpha1" },
            "kind": { "const": "PushSecretMetadata" },
            "spec": object(&["secretPushFormat"], json!({ "secretPushFormat": one_of(&["string", "binary"]) })),
        }),
    );
    let data = object(
        &["match", "conversionStrategy"],
        json!({
            "match": object(&["remoteRef"], json!({ "secretKey": key(), "remoteRef": remote })),
            "conversionStrategy": one_of(&["None", "ReverseUnicode"]),
            "metadata": metadata,
        }),
    );
    let selector = object(&["secret"], json!({ "secret": object(&["name"], json!({ "name": name() })) }));
    object(
        &["refreshInterval", "secretStoreRefs", "updatePolicy", "deletionPolicy", "selector", "data"],
        json!({
            "refreshInterval": duration(),
            "secretStoreRefs": list(store()),
            "updatePolicy": one_of(&["Replace", "IfNotExists"]),
            "deletionPolicy": one_of(&["Delete", "None"]),
            "selector": selector,
            "data": list(data),
        }),
    )
}

fn password() -> Value {
    let number = json!({ "type": "integer", "minimum": 0 });
    object(
        &["length", "noUpper", "allowRepeat", "encoding"],
        json!({
            "length": { "type": "integer", "minimum": 1 },
            "digits": number,
            "symbols": number,
            "symbolCharacters": { "type": "string", "minLength": 1 },
            "noUpper": { "type": "boolean" },
            "allowRepeat": { "type": "boolean" },
            "encoding": one_of(&["base64", "base64url", "base32", "hex", "raw"]),
        }),
    )
}

fn sealed_secret() -> Value {
    let template = object(
        &[],
        json!({
            "metadata": { "type": "object" },
            "type": { "type": "string" },
            "immutable": { "type": "boolean" },
            "data": texts(),
        }),
    );
    object(&["encryptedData"], json!({ "encryptedData": texts(), "template": template }))
}
