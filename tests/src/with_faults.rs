//! An HTTP server on a real socket that does what servers do on bad days, exactly as told.
//! It reads and answers by hand: a well-behaved library could not break off in the middle.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::AbortHandle;

/// A port that refuses connections. It is held for as long as this lives, so that nobody else listens there meanwhile.
#[derive(Debug)]
pub struct RefusingPort(TcpSocket);

impl RefusingPort {
    /// Takes a port of the loopback interface.
    ///
    /// # Errors
    /// No port is free.
    pub fn take() -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        Ok(Self(socket))
    }

    /// Its address: `http://127.0.0.1:` and the port.
    ///
    /// # Errors
    /// The system does not tell the port.
    pub fn url(&self) -> std::io::Result<String> {
        Ok(format!("http://{}", self.0.local_addr()?))
    }
}

/// What becomes of one request.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A whole answer.
    Answer(Answer),
    /// The head of an answer and a part of its body, then the end.
    Truncate(Answer),
    /// The head of an answer and a part of its body, then nothing for a long time.
    Stall(Answer),
    /// The connection is reset although the request was read.
    Reset,
    /// The connection is closed without a word although the request was read.
    Close,
    /// Nothing at all, for a long time.
    Silence,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers beside the length.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self::media(status, "application/json", body)
    }

    /// An answer with a body of this media type.
    pub fn media(status: u16, media: &str, body: impl Into<String>) -> Self {
        Self { status, headers: vec![("content-type", media.to_owned())], body: body.into() }
    }

    /// The same with one more header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A request as it was read.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| &**value)
    }
}

/// Decides on a connection before anything is read from it, and on each request.
pub trait Behaviour: Send + Sync + 'static {
    /// Whether the connection is reset as soon as something arrives, unread.
    fn resets_unread(&self) -> bool {
        false
    }

    /// What becomes of a request.
    fn deed(&self, request: &Received) -> Deed;
}

/// The server. It stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Server {
    /// A server on a free port of this machine.
    pub async fn start(behaviour: Arc<dyn Behaviour>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let behaviour = Arc::clone(&behaviour);
                tokio::spawn(async move {
                    let _ = serve(stream, &*behaviour).await;
                });
            }
        });
        Self { address, accepting: accepting.abort_handle() }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut stream: TcpStream, behaviour: &dyn Behaviour) -> std::io::Result<()> {
    if behaviour.resets_unread() {
        // Bytes have left the client by then, and nobody has read them.
        stream.peek(&mut [0]).await?;
        return reset(stream);
    }
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await? {
        match behaviour.deed(&request) {
            Deed::Answer(answer) => write(&mut stream, &answer, answer.body.as_bytes()).await?,
            Deed::Truncate(answer) => {
                let half = answer.body.len() / 2;
                write(&mut stream, &answer, &answer.body.as_bytes()[..half]).await?;
                return Ok(());
            }
            Deed::Stall(answer) => {
                let half = answer.body.len() / 2;
                write(&mut stream, &answer, &answer.body.as_bytes()[..half]).await?;
                tokio::time::sleep(Duration::from_secs(600)).await;
                return Ok(());
            }
            Deed::Reset => return reset(stream),
            Deed::Close => return Ok(()),
            Deed::Silence => {
                tokio::time::sleep(Duration::from_secs(600)).await;
                return Ok(());
            }
        }
    }
    Ok(())
}

/// An end without a farewell: the kernel sends RST instead of FIN.
fn reset(stream: TcpStream) -> std::io::Result<()> {
    stream.set_zero_linger()?;
    drop(stream);
    Ok(())
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Received>> {
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
    buffer.drain(..head + 4);
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let body = buffer.drain(..length).collect();
    Ok(Some(Received { method: method.to_owned(), target: target.to_owned(), headers, body }))
}

async fn write(stream: &mut TcpStream, answer: &Answer, body: &[u8]) -> std::io::Result<()> {
    use std::fmt::Write as _;
    let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
    if answer.status != 204 && answer.status != 304 {
        let _ = write!(head, "content-length: {}\r\n", answer.body.len());
    }
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    // In one piece: a second write would wait for the client's acknowledgement of the first.
    let mut whole = head.into_bytes();
    whole.extend_from_slice(body);
    stream.write_all(&whole).await?;
    stream.flush().await
}

/// A behaviour that a test changes as it goes, and that remembers what was sent.
#[derive(Debug)]
pub struct Scripted {
    state: Mutex<(Deed, bool, Vec<Received>)>,
}

impl Scripted {
    /// Answers this until told otherwise.
    pub fn new(deed: Deed) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new((deed, false, Vec::new())) })
    }

    /// From now on this; what was seen is forgotten.
    pub fn now(&self, deed: Deed) {
        *self.lock() = (deed, false, Vec::new());
    }

    /// From now on connections are reset unread; what was seen is forgotten.
    pub fn now_resets_unread(&self) {
        self.lock().1 = true;
        self.lock().2.clear();
    }

    /// The requests since the last change. Of those that were not read, nothing but their number is known.
    pub fn seen(&self) -> Vec<Received> {
        self.lock().2.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Deed, bool, Vec<Received>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Behaviour for Scripted {
    fn resets_unread(&self) -> bool {
        let mut state = self.lock();
        if state.1 {
            state.2.push(Received {
                method: String::new(),
                target: String::new(),
                headers: Vec::new(),
                body: Vec::new(),
            });
        }
        state.1
    }

    fn deed(&self, request: &Received) -> Deed {
        let mut state = self.lock();
        state.2.push(request.clone());
        state.0.clone()
    }
}
