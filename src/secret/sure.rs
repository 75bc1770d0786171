//! Names of secrets that leave no doubt, and names that excuse a random text.
//!
//! [`name::names_one`] hides too much rather than too little; this list stands behind a refusal, so it is the other way
//! round.

use super::name;

/// Words behind which a `secret` is the secret itself; a `tlsSecret` or `adminSecret` is mostly the name of a Secret.
const SECRET_OF: &[&str] = &[
    "client",
    "app",
    "application",
    "consumer",
    "cookie",
    "csrf",
    "session",
    "jwt",
    "oauth",
    "oidc",
    "sso",
    "webhook",
    "shared",
    "signing",
    "hmac",
    "encryption",
    "token",
    "api",
    "bot",
    "state",
    "registration",
    "form",
    "macaroon",
];

/// What makes a `key` a secret and not the name of one.
const KEY_OF: &[&str] = &[
    "api",
    "private",
    "access",
    "secret",
    "signing",
    "encryption",
    "encrypt",
    "master",
    "auth",
    "account",
    "shared",
    "license",
    "licence",
    "hmac",
    "recovery",
    "session",
    "cookie",
];

/// Ends of words that are written together.
const ENDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "token",
    "apikey",
    "privatekey",
    "accesskey",
    "secretkey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "authkey",
    "clientsecret",
    "cookiesecret",
    "sharedsecret",
    "jwtsecret",
    "sessionsecret",
    "webhooksecret",
];

/// Words of passwords.
const PASSWORDS: &[&str] = &["password", "passwords", "passwd", "pwd", "pass", "passphrase", "passcode", "psk"];

/// Whether a key names a secret beyond doubt: `adminPassword`, `client_secret`, `GITHUB_TOKEN`, `apiKey`; not `secret`,
/// `tls.secret`, `passwordKey` (the name of a key) or `tokens` (a number of them).
pub(super) fn is_sure(key: &str) -> bool {
    if !name::names_one(key) {
        return false;
    }
    let words = name::words(key);
    let Some((last, before)) = words.split_last() else { return false };
    let previous = before.last().map_or("", String::as_str);
    match last.as_str() {
        "token" | "htpasswd" | "dockerconfigjson" | "mnemonic" => true,
        "secret" => SECRET_OF.contains(&previous),
        "key" | "keys" => KEY_OF.contains(&previous) || previous == "unseal",
        // `passwordHash` is what a password can be guessed from.
        "hash" | "bcrypt" => PASSWORDS.contains(&previous),
        last => PASSWORDS.contains(&last) || ENDS.iter().any(|end| last.ends_with(end)),
    }
}

/// Whether a key names a password, which can be made anew: not a token that somebody else gave out.
pub fn is_password(key: &str) -> bool {
    let words = name::words(key);
    let last = words.last().map_or("", String::as_str);
    PASSWORDS.contains(&last) || ["password", "passwd", "passphrase"].iter().any(|end| last.ends_with(end))
}

/// Keys of a Secret's data that are no secret: what goes with it. Sources: Argo CD's repository Secrets, the keys of
/// Kubernetes' own types of Secrets, and what operators of databases write.
const HARMLESS: &[&str] = &[
    "type",
    "url",
    "uri",
    "name",
    "project",
    "username",
    "user",
    "email",
    "host",
    "hostname",
    "port",
    "server",
    "endpoint",
    "region",
    "bucket",
    "database",
    "dbname",
    "schema",
    "issuer",
    "realm",
    "enableoci",
    "insecure",
    "proxy",
    "noproxy",
    "forcehttpbasicauth",
    "ca.crt",
    "tls.crt",
    "cacrt",
    "ssh-publickey",
    "known_hosts",
    "namespace",
];

/// Whether a key of a Secret's data is no secret.
pub(super) fn is_harmless(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    HARMLESS.contains(&key.as_str()) || name::words(&key).last().is_some_and(|last| HARMLESS.contains(&last.as_str()))
}

/// Words of keys under which random texts are public, or name something.
const PUBLIC: &[&str] = &[
    "public",
    "pub",
    "cert",
    "certs",
    "certificate",
    "certificates",
    "ca",
    "cacert",
    "crt",
    "bundle",
    "cabundle",
    "pem",
    "digest",
    "sha",
    "hash",
    "checksum",
    "fingerprint",
    "thumbprint",
    "id",
    "ids",
    "uid",
    "uuid",
    "guid",
    "arn",
    "revision",
    "commit",
    "version",
    "tag",
    "image",
    "etag",
    "signature",
    "zone",
    "integrity",
    "publickey",
    "host",
    "hostname",
    "url",
    "hosts",
    "annotations",
    "anchor",
    "anchors",
    "seal",
    "encrypted",
    "sealed",
    "content",
    "icon",
    "logo",
    "favicon",
    "schema",
];

/// Whether a key says that what stands below it may be random and is no secret: `caBundle`, `publicKey`, `revision`, an id.
pub fn is_public(key: &str) -> bool {
    name::words(key).iter().any(|word| PUBLIC.contains(&word.as_str()))
}

/// Whether a key names a secret or, as often, the key under which a Secret holds it: `secretKey`, `accessKey`.
pub(super) fn may_be_of_a_key(key: &str) -> bool {
    let words = name::words(key);
    matches!(words.as_slice(), [.., before, last]
        if matches!(before.as_str(), "secret" | "access" | "private") && matches!(last.as_str(), "key" | "keys"))
}

/// Whether a key names several passwords, so that the keys below it are whose they are.
pub(super) fn is_of_several(key: &str) -> bool {
    name::words(key).last().is_some_and(|last| last == "passwords")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_no_doubt() {
        for key in [
            "password",
            "adminPassword",
            "DB_PASSWORD",
            "dbpassword",
            "SMTP_PASS",
            "token",
            "GITHUB_TOKEN",
            "authtoken",
            "apiKey",
            "api_key",
            "APIKEY",
            "secretAccessKey",
            "aws_secret_access_key",
            "privateKey",
            "clientSecret",
            "client_secret",
            "cookieSecret",
            "SESSION_SECRET",
            "jwtSecret",
            "SECRET_KEY",
            "encryptionKey",
            "passwordHash",
            "htpasswd",
            ".dockerconfigjson",
            "passphrase",
            "--token",
        ] {
            assert!(is_sure(key), "{key}");
        }
        for key in [
            "secret",
            "secrets",
            "tlsSecret",
            "tls.secret",
            "adminSecret",
            "passwordKey",
            "userPasswordKey",
            "tokens",
            "maxTokens",
            "credentials",
            "existingSecret",
            "secretName",
            "tokenTtl",
            "passwordFile",
            "serviceAccountTokenPath",
            "imagePullSecrets",
            "pin",
            "seed",
            "cookie",
            "salt",
            "author",
            "keys",
            "tls.key",
            "bypass",
            "compass",
        ] {
            assert!(!is_sure(key), "{key}");
        }
    }

    #[test]
    fn names_of_what_is_public() {
        assert!(["caBundle", "publicKey", "image.digest", "gitRevision", "zoneId"].into_iter().all(is_public));
        assert!(!is_public("license") && !is_public("value"));
    }
}
