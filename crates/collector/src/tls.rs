//! Whom an encrypted connection trusts.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Makes ring the cryptography of this process: rustls takes one, once. Done at the start of the program, and again by
/// whoever builds a client, so that none can be built without.
pub fn install() {
    // The error says that one is installed already, which is what is wanted.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// The certificates of `ca_file`, as they stand in it.
///
/// # Errors
///
/// The file cannot be read, or has no certificate in it.
pub fn authorities(ca_file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |problem: String| format!("{}: {problem}", ca_file.display());
    let bytes = fs::read(ca_file).map_err(|error| wrong(error.to_string()))?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong(
            "has no certificate in PEM form (-----BEGIN CERTIFICATE-----)".to_owned(),
        ));
    }
    Ok(certificates)
}

/// A client that trusts what this machine trusts, and `added`.
///
/// # Errors
///
/// One of `added` is no certificate of an authority.
pub fn client(added: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, String> {
    install();
    let mut roots = RootCertStore::empty();
    // A machine without certificates is told by the connection, where it matters: a feed on ws:// needs none.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in added {
        roots.add(certificate.clone()).map_err(|error| error.to_string())?;
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// `what`, with what to do where a certificate is at fault.
pub fn explained(what: String) -> String {
    if what.contains("invalid peer certificate") {
        format!(
            "{what}; if the server's authority is your own, name its certificate in feed.ca_file"
        )
    } else {
        what
    }
}
