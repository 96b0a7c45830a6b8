//! HTTP/2 over TLS, with a certificate of `localhost` that nobody else trusts. Its key is no secret: it is here.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::{Address, Server};
use crate::Result;

/// Made for a hundred years by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
/// -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE`.
const CERTIFICATE: &str = include_str!("localhost.pem");
const KEY: &[u8] = include_bytes!("localhost.key.der");

/// Answers on a thread of its own, as long as the process lives.
pub(super) fn start(server: Arc<Server>) -> Result<Address> {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes())?;
    let key = PrivatePkcs8KeyDer::from(KEY).into();
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("https://localhost:{}/v1", listener.local_addr()?.port());
    std::thread::spawn(move || {
        runtime.block_on(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer_all(Arc::clone(&server), acceptor.clone(), connection));
            }
        });
    });
    Ok(Address { url, certificate: Some(CERTIFICATE.to_owned()) })
}

async fn answer_all(server: Arc<Server>, acceptor: TlsAcceptor, connection: TcpStream) {
    let answered = async {
        connection.set_nodelay(true)?;
        let connection = TokioIo::new(acceptor.accept(connection).await?);
        let service = service_fn(|request| answer(Arc::clone(&server), request));
        hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(connection, service).await?;
        Ok::<_, crate::Error>(())
    };
    if let Err(error) = answered.await {
        eprintln!("server: {error}");
    }
}

async fn answer(
    server: Arc<Server>,
    request: Request<Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // What was sent is read to its end, as a server does.
    drop(body.collect().await);
    let key = head.headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let mut response = Response::new(Full::default());
    match server.answer(head.method.as_str(), target, key.to_owned()) {
        Ok(answer) => {
            let (name, value) = &answer.header;
            if let (Ok(status), Ok(value)) = (answer.status.try_into(), value.parse()) {
                *response.status_mut() = status;
                response.headers_mut().insert(*name, value);
                *response.body_mut() = answer.body.clone().into();
            }
        }
        Err(error) => eprintln!("server: {error}"),
    }
    Ok(response)
}
