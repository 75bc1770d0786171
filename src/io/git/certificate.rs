//! Trust in a server's certificate: `--ca-file`, and why a certificate was not trusted.
//!
//! libgit2 reads the host's store (`SSL_CERT_FILE` and `SSL_CERT_DIR` count) and says only that a certificate is
//! invalid; the setter for another file is an unsafe function of a global. Its callback hands over the server's own
//! certificate, whose key the handshake has proven, so the chain from there to the file is checked here, with the TLS
//! library that libgit2 itself uses. The certificates between the two are not handed over: they belong into the file.

use std::path::Path;

use super::remote::RemoteError;

/// Largest file of certificates.
const LARGEST: u64 = 4 << 20;

/// Reads a file of PEM certificates.
///
/// # Errors
/// When it cannot be read, is no text of certificates, or is too large.
#[expect(clippy::disallowed_methods, reason = "a file of certificates is no part of a repository")]
pub fn read(path: &Path) -> Result<Vec<u8>, RemoteError> {
    use std::io::Read as _;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wrong = |reason: String| RemoteError::CaFile(name.clone(), reason);
    let file = std::fs::File::open(path).map_err(|error| wrong(error.kind().to_string()))?;
    let mut pem = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut pem).map_err(|error| wrong(error.kind().to_string()))?;
    if pem.len() as u64 > LARGEST {
        return Err(wrong("it is too large".into()));
    }
    match verify::count(&pem) {
        Ok(0) => Err(wrong("there is no PEM certificate in it".into())),
        Ok(_) => Ok(pem),
        Err(reason) => Err(wrong(reason)),
    }
}

/// Checks a server's certificate for a host against the certificates of a file, or against the host's store.
///
/// # Errors
/// Why it is not trusted.
pub fn check(der: &[u8], host: &str, ca: Option<&[u8]>) -> Result<(), String> {
    verify::verify(der, host, ca)
}

#[cfg(all(unix, not(target_os = "macos")))]
mod verify {
    use openssl::error::ErrorStack;
    use openssl::stack::Stack;
    use openssl::x509::store::X509StoreBuilder;
    use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
    use openssl::x509::{X509, X509PurposeId, X509StoreContext, X509VerifyResult};

    pub(super) fn count(pem: &[u8]) -> Result<usize, String> {
        X509::stack_from_pem(pem).map(|all| all.len()).map_err(|_| "it is not PEM".to_owned())
    }

    pub(super) fn verify(der: &[u8], host: &str, ca: Option<&[u8]>) -> Result<(), String> {
        match result(der, host, ca) {
            Ok(X509VerifyResult::OK) => Ok(()),
            Ok(reason) => Err(reason.error_string().to_owned()),
            Err(_) => Err("it cannot be read".to_owned()),
        }
    }

    fn result(der: &[u8], host: &str, ca: Option<&[u8]>) -> Result<X509VerifyResult, ErrorStack> {
        let certificate = X509::from_der(der)?;
        let mut store = X509StoreBuilder::new()?;
        match ca {
            Some(pem) => {
                for trusted in X509::stack_from_pem(pem)? {
                    store.add_cert(trusted)?;
                }
            }
            None => store.set_default_paths()?,
        }
        let mut wanted = X509VerifyParam::new()?;
        match host.trim_matches(['[', ']']).parse() {
            Ok(address) => wanted.set_ip(address)?,
            Err(_) => wanted.set_host(host)?,
        }
        wanted.set_purpose(X509PurposeId::SSL_SERVER)?;
        if ca.is_some() {
            // Whoever names an intermediate, or the server's own certificate, trusts it.
            wanted.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        }
        store.set_param(&wanted)?;
        let (store, between) = (store.build(), Stack::new()?);
        let mut context = X509StoreContext::new()?;
        context.init(&store, &certificate, &between, |context| {
            let trusted = context.verify_cert()?;
            Ok(if trusted { X509VerifyResult::OK } else { context.error() })
        })
    }
}

/// Elsewhere libgit2 uses the system's own TLS and its store, where a private CA is added.
#[cfg(not(all(unix, not(target_os = "macos"))))]
mod verify {
    const REASON: &str = "this system takes certificates from its own store only; add the CA there";

    pub(super) fn count(_: &[u8]) -> Result<usize, String> {
        Err(REASON.to_owned())
    }

    pub(super) fn verify(_: &[u8], _: &str, _: Option<&[u8]>) -> Result<(), String> {
        Err("the system does not trust it".to_owned())
    }
}
