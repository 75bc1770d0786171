//! Certificates: a private CA, and each way a certificate is not trusted.

use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};

use super::project::{Project, ok};
use super::support::git_server::{GitServer, TOKEN, Tls, git};

/// A certificate and its key.
struct Pair {
    certificate: X509,
    key: PKey<Private>,
}

impl Pair {
    fn pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    fn tls(&self, chain: &[&Pair]) -> Tls {
        let key = String::from_utf8(self.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let chain: String = chain.iter().map(|pair| pair.pem()).collect();
        Tls { pem: format!("{}{chain}{key}", self.pem()) }
    }
}

/// Makes a certificate, signed by `issuer` or by itself. `names` are those of a server; none for a CA.
fn certificate(name: &str, issuer: Option<&Pair>, names: &[&str], until: i64) -> Pair {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(key.public_key_to_der().unwrap().iter().map(|byte| u32::from(*byte)).sum()).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&*subject, |issuer| issuer.certificate.subject_name())).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(1_000_000_000).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(until).unwrap()).unwrap();
    if names.is_empty() {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.append_extension(KeyUsage::new().key_cert_sign().build().unwrap()).unwrap();
    } else {
        builder.append_extension(ExtendedKeyUsage::new().server_auth().build().unwrap()).unwrap();
        let mut alternatives = SubjectAlternativeName::new();
        for name in names {
            if name.parse::<std::net::IpAddr>().is_ok() {
                alternatives.ip(name)
            } else {
                alternatives.dns(name)
            };
        }
        let extension = alternatives.build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(extension).unwrap();
    }
    builder.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256()).unwrap();
    Pair { certificate: builder.build(), key }
}

const FUTURE: i64 = 4_000_000_000;
const PAST: i64 = 1_500_000_000;
const HERE: &[&str] = &["127.0.0.1", "localhost"];

fn file(folder: &Path, name: &str, pem: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, pem).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_private_ca_is_named_by_a_flag_or_by_the_environment() {
    let ca = certificate("Homelab CA", None, &[], FUTURE);
    let between = certificate("Homelab intermediate", Some(&ca), &[], FUTURE);
    let leaf = certificate("git", Some(&between), HERE, FUTURE);
    let Some(server) = GitServer::start_tls(&leaf.tls(&[&between])) else { return };
    let repository = server.repository("homelab");
    let project = Project::new(&server.url("homelab"));
    let folder = tempfile::tempdir().unwrap();
    let root = file(folder.path(), "root.pem", &ca.pem());
    let whole = file(folder.path(), "whole.pem", &(ca.pem() + &between.pem()));
    let own = file(folder.path(), "own.pem", &leaf.pem());

    let unknown = project.publish(&["--init"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    let words = "the certificate of 127.0.0.1:";
    assert!(
        unknown.stderr.contains(words) && unknown.stderr.contains("a private CA is named with `--ca-file`"),
        "{unknown:?}"
    );
    assert_eq!(git(&repository, &["for-each-ref"]), "");

    // libgit2 sees the chain that the server sends, the flag's check does not.
    ok(&project.publish_with(&["--init"], &[("HLGEN_GIT_TOKEN", TOKEN), ("SSL_CERT_FILE", &root)]));
    ok(&project.publish(&["--ca-file", &whole]));
    ok(&project.publish(&["--ca-file", &own]));
    let without_between = project.publish(&["--ca-file", &root]);
    assert_eq!(without_between.code, 2);
    assert!(without_between.stderr.contains("unable to get local issuer certificate"), "{without_between:?}");
}

#[test]
fn each_way_a_certificate_is_not_trusted_is_said() {
    let ca = certificate("Homelab CA", None, &[], FUTURE);
    let other = certificate("Another CA", None, &[], FUTURE);
    let folder = tempfile::tempdir().unwrap();
    let ca_file = file(folder.path(), "ca.pem", &ca.pem());
    for (leaf, reason) in [
        (certificate("git", Some(&ca), HERE, PAST), "certificate has expired"),
        (certificate("git", Some(&ca), &["git.example.com"], FUTURE), "IP address mismatch"),
        (certificate("git", Some(&other), HERE, FUTURE), "unable to get local issuer certificate"),
        (certificate("git", None, HERE, FUTURE), "self-signed certificate"),
    ] {
        let Some(server) = GitServer::start_tls(&leaf.tls(&[])) else { return };
        let repository = server.repository("homelab");
        let project = Project::new(&server.url("homelab"));
        let outcome = project.publish(&["--init", "--ca-file", &ca_file]);
        assert_eq!(outcome.code, 2, "{outcome:?}");
        assert!(outcome.stderr.contains(reason) && outcome.stderr.contains("is not trusted"), "{reason}: {outcome:?}");
        assert_eq!(git(&repository, &["for-each-ref"]), "");
        assert!(!server.requests().contains("hlgen"), "the token was sent");
    }
    let project = Project::new("https://127.0.0.1:1/ops/homelab.git");
    let outcome = project.publish(&["--ca-file", &file(folder.path(), "empty.pem", "nothing\n")]);
    assert!(outcome.stderr.contains("cannot read the certificates in `empty.pem`"), "{outcome:?}");
}
