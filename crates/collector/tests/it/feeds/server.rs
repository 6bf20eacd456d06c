//! Scripted servers for tests, and a private certificate authority for encrypted connections.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// A server that stops when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) port: u16,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Runs `script` with each connection and its number, one after the other.
    pub(super) async fn tcp<F, S>(mut script: F) -> Self
    where
        F: FnMut(TcpStream, usize) -> S + Send + 'static,
        S: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                script(stream, number).await;
            }
        });
        Self { port, _tasks: tasks }
    }

    /// Runs `script` with each WebSocket.
    pub(super) async fn websocket<F, S>(script: F) -> Self
    where
        F: Fn(WebSocketStream<TcpStream>) -> S + Clone + Send + Sync + 'static,
        S: Future<Output = ()> + Send,
    {
        Self::tcp(move |stream, _| {
            let script = script.clone();
            async move { script(accept_async(stream).await.unwrap()).await }
        })
        .await
    }

    /// Answers each request with the result of `answer` for its head and number, and closes the connection.
    pub(super) async fn http<F>(answer: F) -> Self
    where
        F: Fn(&str, usize) -> Vec<u8> + Clone + Send + Sync + 'static,
    {
        Self::tcp(move |stream, number| {
            let answer = answer.clone();
            async move { respond(stream, |head| answer(head, number)).await }
        })
        .await
    }

    /// Returns the server's URL with this scheme.
    pub(super) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}/feed?token=secret", self.port)
    }
}

/// Reads one request and writes one answer.
pub(super) async fn respond<S>(mut stream: S, answer: impl FnOnce(&str) -> Vec<u8>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(head) = head_of(&mut stream).await else { return };
    let answer = answer(&head);
    // The client may have disconnected already.
    if stream.write_all(&answer).await.is_ok() && stream.shutdown().await.is_ok() {
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    }
}

/// Returns the head of a request; `None` if it is incomplete.
pub(super) async fn head_of<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Returns an answer with a status, headers (one per line) and a body.
pub(super) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = format!("Content-Length: {}", body.len());
    let status = format!("HTTP/1.1 {status}");
    let lines = [status.as_str(), &length, "Connection: close"];
    let lines: Vec<&str> = lines.into_iter().chain(headers.lines()).collect();
    let head = format!("{}\r\n\r\n", lines.join("\r\n"));
    [head.as_bytes(), body].concat()
}

/// Like [`respond`], but encrypted; a client that does not trust the certificate disconnects first.
pub(super) async fn respond_encrypted(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    answer: impl FnOnce(&str) -> Vec<u8>,
) {
    if let Ok(stream) = acceptor.accept(stream).await {
        respond(stream, answer).await;
    }
}

/// What a server has received, for the test to inspect.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub(super) fn note(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A private certificate authority, and a server with a certificate of it.
pub(super) struct Authority {
    pub(super) acceptor: TlsAcceptor,
    /// The authority's certificate, for `ca_file`.
    pub(super) file: PathBuf,
    _directory: TempDir,
}

impl Authority {
    pub(super) fn new() -> Self {
        collector::tls::install();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let server_key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let server =
            CertificateParams::new(names).unwrap().signed_by(&server_key, &issuer).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![server.der().clone()],
                PrivateKeyDer::Pkcs8(server_key.serialize_der().into()),
            )
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        std::fs::write(&file, own.pem()).unwrap();
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), file, _directory: directory }
    }
}
