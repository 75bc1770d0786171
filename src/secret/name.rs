//! Keys that name a secret.

/// Words that name a secret wherever they stand in a key.
const WORDS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "pwd",
    "pass",
    "passphrase",
    "passcode",
    "pin",
    "psk",
    "otp",
    "totp",
    "token",
    "tokens",
    "jwt",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "creds",
    "bearer",
    "authorization",
    "cookie",
    "salt",
    "seed",
    "dsn",
    "htpasswd",
    "kubeconfig",
    "unseal",
    "mnemonic",
    "otpauth",
];

/// The same inside a word that is written together (`dbpassword`, `clientsecret`).
const STEMS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "apikey",
    "privatekey",
    "accesskey",
    "secretkey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "authkey",
    "accountkey",
    "sharedkey",
    "htpasswd",
    "dockerconfigjson",
    "connectionstring",
];

/// What makes a `key` a secret one.
const KEYS: &[&str] = &[
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
    "session",
    "cookie",
    "tls",
    "ssh",
    "hmac",
    "recovery",
    "root",
    "admin",
    "app",
    "deploy",
    "join",
];

/// Last words of a key that say it is about a secret and holds none.
const ABOUT: &[&str] = &[
    "name",
    "names",
    "namespace",
    "ref",
    "refs",
    "reference",
    "ttl",
    "path",
    "file",
    "filename",
    "dir",
    "directory",
    "length",
    "len",
    "size",
    "policy",
    "enabled",
    "disabled",
    "enable",
    "create",
    "expiry",
    "expiration",
    "expires",
    "duration",
    "timeout",
    "interval",
    "lifetime",
    "age",
    "type",
    "kind",
    "class",
    "store",
    "provider",
    "issuer",
    "audience",
    "algorithm",
    "count",
    "limit",
    "labels",
    "annotations",
    "mount",
    "mounts",
    "volume",
    "method",
    "mode",
    "version",
    "selector",
    "template",
    "backend",
    "engine",
    "manager",
    "operator",
    "driver",
    "host",
    "hostname",
    "url",
    "uri",
    "port",
    "address",
    "endpoint",
    "region",
];

/// Whether a key says that what stands below it is secret: `adminPassword`, `api_key`, `client-secret`. Not `existingSecret`,
/// `secretName` or `tokenTtl`, which are only about one.
pub fn names_one(key: &str) -> bool {
    if !may_name_one(key) {
        return false;
    }
    let words = words(key);
    let last = words.last().map_or("", String::as_str);
    if words.first().is_some_and(|first| first == "existing" || first == "use" || first == "has" || first == "pull")
        || ABOUT.contains(&last)
        || matches!(words.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), ["image", "pull", ..])
    {
        return false;
    }
    let joined: String = words.concat();
    words.iter().any(|word| WORDS.contains(&word.as_str()))
        || STEMS.iter().any(|stem| joined.contains(stem))
        || words.windows(2).any(|pair| (pair[1] == "key" || pair[1] == "keys") && KEYS.contains(&pair[0].as_str()))
        || joined == "connectionstring"
        || joined == "dbpass"
}

/// What every key that names a secret holds, in lower case; most keys hold none of it.
const PARTS: &[&str] = &[
    "pass",
    "pwd",
    "pin",
    "psk",
    "otp",
    "tok",
    "jwt",
    "secret",
    "cred",
    "bearer",
    "authori",
    "cookie",
    "salt",
    "seed",
    "dsn",
    "htp",
    "kubeconfig",
    "unseal",
    "mnemonic",
    "key",
    "dockerconfigjson",
    "connection",
];

/// Whether a line may hold a key that names a secret.
pub(super) fn has_part(line: &str) -> bool {
    holds_any(line, PARTS)
}

/// Whether a text holds one of some words of small letters, in whatever case.
fn holds_any(text: &str, words: &[&str]) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).any(|at| {
        let first = bytes[at].to_ascii_lowercase();
        first.is_ascii_lowercase()
            && words.iter().any(|word| {
                word.as_bytes()[0] == first
                    && bytes.get(at..at + word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()))
            })
    })
}

/// Whether the letters of a key hold a part of what names a secret. Most keys of a tree do not, and each is asked.
fn may_name_one(key: &str) -> bool {
    // The last three letters in base 32.
    let (mut three, mut count) = (0_usize, 0);
    for (at, byte) in key.bytes().enumerate() {
        if byte.is_ascii_alphabetic() {
            three = (three << 5 | usize::from(byte & 0x1f)) & 0x7fff;
            count += 1;
            // A key is one of something.
            let begins = BEGINNINGS[three / 64] >> (three % 64) & 1 == 1 && (count > 3 || three != number_of(b"key"));
            if begins
                && PARTS.iter().any(|part| number_of(part.as_bytes()) == three && goes_on(&key[at + 1..], &part[3..]))
            {
                return true;
            }
        } else if !byte.is_ascii() {
            let letters: String = key.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
            return holds_any(&letters, PARTS);
        }
    }
    false
}

/// Whether the letters of a text begin with some small letters. What is not ASCII is looked at by its letters elsewhere.
fn goes_on(text: &str, letters: &str) -> bool {
    let mut own = text.bytes().filter(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    letters.bytes().all(|letter| own.next().is_some_and(|byte| byte.to_ascii_lowercase() == letter || !byte.is_ascii()))
}

/// Three letters as a number in base 32.
const fn number_of(letters: &[u8]) -> usize {
    ((letters[0] & 0x1f) as usize) << 10 | ((letters[1] & 0x1f) as usize) << 5 | (letters[2] & 0x1f) as usize
}

/// The first three letters of each of [`PARTS`], as bits by their number in base 32.
static BEGINNINGS: [u64; 512] = {
    let mut bits = [0; 512];
    let mut at = 0;
    while at < PARTS.len() {
        let three = number_of(PARTS[at].as_bytes());
        bits[three / 64] |= 1 << (three % 64);
        at += 1;
    }
    bits
};

/// Whether a key leads to where a secret is kept and never to the secret: `secretKeyRef`, `existingSecret`.
pub(super) fn refers(key: &str) -> bool {
    let may = key.bytes().any(|byte| matches!(byte, b'f' | b'F' | b'x' | b'X'));
    if !may || !holds_any(key, &["ref", "existing"]) {
        return false;
    }
    let words = words(key);
    words.last().is_some_and(|last| last == "ref" || last == "refs")
        || words.first().is_some_and(|first| first == "existing")
}

/// A key as the key of a Secret is mostly written: `adminPassword` as `admin-password`.
pub fn kebab(key: &str) -> String {
    words(key).join("-")
}

/// The words of a key in lower case: `adminAPIKey_2` is `admin`, `api`, `key`.
pub(super) fn words(key: &str) -> Vec<String> {
    let chars: Vec<char> = key.chars().collect();
    let mut words: Vec<String> = vec![String::new()];
    for (at, c) in chars.iter().enumerate() {
        if !c.is_alphabetic() {
            words.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(at + 1);
        let begins = c.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase())
            });
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::Strategy as _;

    use super::*;

    proptest::proptest! {
        #[test]
        fn parts_are_found_by_their_letters(
            pieces in proptest::collection::vec(
                proptest::prop_oneof![
                    proptest::sample::select(PARTS).prop_map(str::to_owned),
                    proptest::sample::select(PARTS).prop_map(|part| part[..part.len() - 1].to_uppercase()),
                    "[a-zA-Z0-9_-]{0,3}",
                    "[\u{e9}\u{212a}]",
                ],
                0..4,
            ),
        ) {
            let key = pieces.concat();
            let letters: String = key.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
            let holds = |part: &&str| letters.match_indices(*part).any(|(at, _)| at > 0 || *part != "key");
            // It is asked first: one that holds none names none.
            proptest::prop_assert!(may_name_one(&key) || !PARTS.iter().any(holds), "{}", key);
            proptest::prop_assert!(!key.is_ascii() || !may_name_one(&key) || PARTS.iter().any(holds), "{}", key);
        }
    }

    #[test]
    fn keys_that_name_a_secret() {
        for key in [
            "password",
            "adminPassword",
            "admin_password",
            "ADMIN-PASSWORD",
            "dbpassword",
            "passwd",
            "pass",
            "token",
            "authToken",
            "apiKey",
            "api_key",
            "APIKey",
            "apikey",
            "privateKey",
            "private-key",
            "clientSecret",
            "secretKey",
            "credentials",
            "aws_secret_access_key",
            "accessKey",
            "password2",
            "passwordHash",
            "webhookToken",
            "tokens",
            "cookieSecret",
            "connectionString",
            "GF_SECURITY_ADMIN_PASSWORD",
            "dsn",
            "secret",
            "secrets",
            "rootPwd",
            "tls.key",
            "ssh-key",
            ".dockerconfigjson",
            "kubeconfig",
            "SMTP_PASS",
            "encryptionKey",
            "tokenSecret",
            "unsealKeys",
        ] {
            assert!(names_one(key), "{key}");
        }
    }

    #[test]
    fn keys_that_are_about_a_secret() {
        for key in [
            "existingSecret",
            "existingSecretPasswordKey",
            "secretName",
            "secretKeyRef",
            "secretRef",
            "passwordFile",
            "tokenTtl",
            "imagePullSecrets",
            "pullSecrets",
            "secretStoreRef",
            "replicas",
            "host",
            "key",
            "monkey",
            "keys",
            "author",
            "compass",
            "passthrough",
            "bypass",
            "enabled",
            "image",
            "tag",
            "namespace",
            "secretsNamespace",
            "secretsBackend",
            "hostname",
        ] {
            assert!(!names_one(key), "{key}");
        }
    }
}
