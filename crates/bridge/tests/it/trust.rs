//! TLS certificates and credentials.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::nats::Server;
use crate::recorder::{Recorder, Running, finish, once, pull, push, rows};

/// Starts a hub with a certificate for localhost; returns it and the file of the authority's certificate.
fn hub_with_certificate(dir: &Path) -> (Server, String) {
    let ca = certificate(dir);
    let [cert, secret] = ["cert.pem", "key.pem"].map(|name| dir.join(name));
    let tls =
        format!("tls {{ cert_file: '{}', key_file: '{}' }}", cert.display(), secret.display());
    (Server::with("", &tls), ca)
}

/// Writes a certificate for localhost and its key; returns the file of the authority's certificate.
fn certificate(dir: &Path) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let [ca, cert, secret] = ["ca.pem", "cert.pem", "key.pem"].map(|name| dir.join(name));
    fs::write(&ca, authority.pem()).unwrap();
    fs::write(&cert, certificate.pem()).unwrap();
    fs::write(&secret, key.serialize_pem()).unwrap();
    ca.to_str().unwrap().to_owned()
}

fn recorded(dir: &Path) {
    let mut recorder = Recorder::start(dir, 0);
    (0..10).for_each(|number| recorder.record(number));
}

#[track_caller]
fn refused(arguments: &[String], parts: &[&str]) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--once"]).collect();
    let (code, output) = finish(&arguments);
    assert_eq!(code, Some(2), "{output}");
    for part in parts {
        assert!(output.contains(part), "`{part}` in {output}");
    }
}

#[test]
fn a_hub_signed_by_a_private_authority_is_trusted_only_with_its_certificate() {
    let [dir, pulled, keys] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (server, ca) = hub_with_certificate(keys.path());
    recorded(dir.path());
    let trusting = ["--ca-file".to_owned(), ca];
    once(&[push(dir.path(), &server.url(), "attic"), trusting.to_vec()].concat());
    once(&[pull(pulled.path(), &server.url()), trusting.to_vec()].concat());
    assert_eq!(rows(pulled.path()), rows(dir.path()));
    refused(&push(dir.path(), &server.url(), "attic"), &["cannot be trusted", "--ca-file"]);
}

#[test]
fn a_hub_without_tls_is_refused_where_tls_is_required() {
    let [dir, keys] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (_other, ca) = hub_with_certificate(keys.path());
    let server = Server::quick();
    recorded(dir.path());
    let trusting = ["--ca-file".to_owned(), ca];
    let arguments = [push(dir.path(), &server.url(), "attic"), trusting.to_vec()].concat();
    refused(&arguments, &["does not speak TLS", "--plain"]);
}

#[test]
fn only_a_known_key_may_push_and_an_unknown_one_is_named() {
    let [dir, keys] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [known, unknown] =
        ["known.nk", "unknown.nk"].map(|name| keys.path().join(name).to_str().unwrap().to_owned());
    let (code, public) = finish(&["key", &known]);
    assert_eq!(code, Some(0));
    let (code, output) = finish(&["key", &known]);
    assert_eq!(code, Some(1), "a key is not overwritten: {output}");
    finish(&["key", &unknown]);
    let server =
        Server::with("", &format!("authorization {{ users: [ {{ nkey: {} }} ] }}", public.trim()));
    recorded(dir.path());
    let plain = push(dir.path(), &server.url(), "attic");
    let with = |file: &str| [plain.clone(), vec!["--nkey".to_owned(), file.to_owned()]].concat();
    once(&with(&known));
    refused(&with(&unknown), &["unknown.nk", "refused"]);
    refused(&plain, &["requires credentials", "--nkey"]);
    refused(&with("/not/there.nk"), &["--nkey", "/not/there.nk"]);
    let junk = keys.path().join("junk.nk");
    fs::write(&junk, "not a key").unwrap();
    refused(&with(junk.to_str().unwrap()), &["junk.nk"]);
}

/// Uses the shipped configuration, with a certificate and keys of the test.
#[test]
fn a_push_key_can_push_and_a_pull_key_can_only_pull() {
    let [dir, pulled, keys] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/ops/nats");
    let ca = certificate(keys.path());
    let make = |name: &str| {
        let file = keys.path().join(name).to_str().unwrap().to_owned();
        let (code, public) = finish(&["key", &file]);
        assert_eq!(code, Some(0));
        (file, public.trim().to_owned())
    };
    let ((pushes, push_key), (pulls, pull_key)) = (make("push.nk"), make("pull.nk"));
    let config = fs::read_to_string(scripts.join("others.conf")).unwrap();
    let config = config
        .replace("listen: 0.0.0.0:4222", "")
        .replace("/etc/nats/hub.pem", keys.path().join("cert.pem").to_str().unwrap())
        .replace("/etc/nats/hub.key", keys.path().join("key.pem").to_str().unwrap())
        .replace("UPUSH", &push_key)
        .replace("UPULL", &pull_key);
    let server = Server::with("", &config);
    recorded(dir.path());
    let with = |arguments: Vec<String>, key: &str| {
        let more = ["--nkey", key, "--ca-file", &ca].map(str::to_owned).to_vec();
        [arguments, more].concat()
    };
    once(&with(push(dir.path(), &server.url(), "attic"), &pushes));
    // Push again from another site, so that the rounds are compared with the stored ones.
    fs::remove_dir_all(dir.path().join(".bridge")).unwrap();
    once(&with(push(dir.path(), &server.url(), "cellar"), &pushes));
    once(&with(pull(pulled.path(), &server.url()), &pulls));
    assert_eq!(rows(pulled.path()), rows(dir.path()));
    fs::remove_dir_all(dir.path().join(".bridge")).unwrap();
    let mut refused = Running::start(&with(push(dir.path(), &server.url(), "reader"), &pulls));
    refused.wait_for("denies a permission", 1);
}
