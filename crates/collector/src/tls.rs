//! TLS: the cryptography provider and the root certificates.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rounds::read_limited;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Largest size of a file of certificates; the bundles of systems have half a megabyte.
const BYTES_MAX: u64 = 16 << 20;

/// Installs ring as the cryptography provider of the process. rustls accepts one provider, once; calling this again has no
/// effect, so every function that builds a client calls it.
pub fn install() {
    // The error means that a provider is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Returns the certificates in `ca_file`.
///
/// # Errors
///
/// The file cannot be read or holds no certificate.
pub fn authorities(ca_file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let error_text = |problem: String| format!("{}: {problem}", ca_file.display());
    let bytes = File::open(ca_file)
        .and_then(|file| read_limited(file, BYTES_MAX))
        .map_err(|error| error_text(error.to_string()))?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| error_text(error.to_string()))?;
    if certificates.is_empty() {
        return Err(error_text(
            "has no certificate in PEM form (-----BEGIN CERTIFICATE-----)".to_owned(),
        ));
    }
    Ok(certificates)
}

/// Returns a client configuration that trusts the root certificates of the system and `added`.
///
/// # Errors
///
/// One of `added` is not a CA certificate.
pub fn client(added: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, String> {
    install();
    let mut roots = RootCertStore::empty();
    // A system without certificates is not an error here: a feed on ws:// needs none, and others fail when they connect.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in added {
        roots.add(certificate.clone()).map_err(|error| error.to_string())?;
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// Returns the error text `what`, with advice if a certificate was rejected.
pub fn explained(what: String) -> String {
    if what.contains("invalid peer certificate") {
        format!(
            "{what}; if the server's certificate is signed by your own authority, give the authority's certificate in feed.ca_file"
        )
    } else {
        what
    }
}
