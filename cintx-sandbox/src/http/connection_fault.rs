//! Connections that can be cut on purpose: closed, reset, or ended in the
//! middle of an answer, as networks do; and that end when nobody uses them.

use crate::api::engine::Engine;
use crate::fault::{CONNECTION, Effect};
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};

/// How the next answer on a connection ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cut {
    /// As it should.
    #[default]
    Not,
    /// Nothing of it is sent; the connection is closed.
    Close,
    /// Nothing of it is sent; the connection is reset.
    Reset,
    /// The head and so many bytes of the body are sent.
    Body(usize),
}

/// A handle on one connection.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionFault {
    cut: Arc<Mutex<Cut>>,
    /// How many requests are being answered.
    busy: Arc<AtomicUsize>,
    peer: SocketAddr,
}

/// A request that is being answered, so that its connection is not idle.
#[derive(Debug)]
pub(crate) struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ConnectionFault {
    fn new(peer: SocketAddr) -> Self {
        Self { cut: Arc::default(), busy: Arc::default(), peer }
    }

    /// Who is at the other end.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Keeps the connection from counting as idle.
    pub(crate) fn begin(&self) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.busy.clone())
    }

    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    /// Cuts the answer that is about to be written.
    pub(crate) fn cut(&self, cut: Cut) {
        *self.lock() = cut;
    }

    fn lock(&self) -> MutexGuard<'_, Cut> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected<IncomingStream<'_, FaultyListener>> for ConnectionFault {
    fn connect_info(stream: IncomingStream<'_, FaultyListener>) -> Self {
        stream.io().line.clone()
    }
}

/// A listener whose connections can be cut, some as soon as they are opened.
#[derive(Debug)]
pub(crate) struct FaultyListener {
    pub(crate) listener: TcpListener,
    pub(crate) engine: Arc<Engine>,
    /// How long nothing may come in before a connection is closed.
    pub(crate) idle: Duration,
}

impl FaultyListener {
    /// Whether a connection is cut before anything is read from it.
    fn is_cut(&self, stream: &TcpStream) -> bool {
        match self.engine.faults().draw(CONNECTION).map(|strike| strike.effect) {
            Some(Effect::ResetBefore | Effect::ResetAfter) => {
                let _ = stream.set_zero_linger();
                true
            }
            Some(Effect::DropBefore | Effect::DropAfter) => true,
            _ => false,
        }
    }
}

impl Listener for FaultyListener {
    type Io = FaultyStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (FaultyStream, SocketAddr) {
        let (stream, address) = loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            if !self.is_cut(&stream) {
                break (stream, address);
            }
        };
        // Small answers must not wait for a full packet.
        let _ = stream.set_nodelay(true);
        let quiet = Box::pin(tokio::time::sleep(self.idle));
        (FaultyStream { stream, line: ConnectionFault::new(address), idle: self.idle, quiet }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Listener::local_addr(&self.listener)
    }
}

/// A connection that obeys its handle.
#[derive(Debug)]
pub(crate) struct FaultyStream {
    stream: TcpStream,
    line: ConnectionFault,
    idle: Duration,
    /// Ends when nothing has come in for too long.
    quiet: Pin<Box<Sleep>>,
}

impl FaultyStream {
    /// How much of a buffer may be written; `None` ends the connection.
    fn allowed(&self, buffer: &[u8]) -> Option<usize> {
        let mut cut = self.line.lock();
        match *cut {
            Cut::Not => Some(buffer.len()),
            Cut::Close => None,
            Cut::Reset => {
                // Without lingering, closing a socket resets its connection.
                let _ = self.stream.set_zero_linger();
                None
            }
            Cut::Body(bytes) => {
                let head = buffer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)?;
                *cut = Cut::Close;
                Some((head + bytes).min(buffer.len()))
            }
        }
    }
}

impl AsyncRead for FaultyStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let until = Instant::now() + self.idle;
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_read(cx, buf) {
            self.quiet.as_mut().reset(until);
            return Poll::Ready(result);
        }
        while self.quiet.as_mut().poll(cx).is_ready() {
            if !self.line.is_busy() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.quiet.as_mut().reset(until);
        }
        Poll::Pending
    }
}

impl AsyncWrite for FaultyStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Some(part) = self.allowed(buf).and_then(|length| buf.get(..length)) else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        // The rest of a cut answer fails at the next call.
        Pin::new(&mut self.stream).poll_write(cx, part)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
