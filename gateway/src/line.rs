//! The TCP connection below a request, for those who must know that it is gone without reading it.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use futures_util::FutureExt as _;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection that can be looked at while it is in use.
pub(crate) struct Tcp(Arc<TcpStream>);

/// Looks at a [`Tcp`]; does not keep it open.
#[derive(Clone)]
pub(crate) struct Line(Weak<TcpStream>);

impl Tcp {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self(Arc::new(tcp))
    }

    pub(crate) fn line(&self) -> Line {
        Line(Arc::downgrade(&self.0))
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.0.readable().await
    }
}

impl Line {
    /// The client will send no more, or the connection broke. That it left is not known while what it sent before
    /// does not fit the kernel's buffers.
    pub(crate) fn is_closed(&self) -> bool {
        let Some(tcp) = self.0.upgrade() else { return true };
        let interest = Interest::READABLE | Interest::WRITABLE;
        let ready = tcp.ready(interest).now_or_never();
        ready.is_some_and(|ready| ready.is_ok_and(|ready| ready.is_read_closed() || ready.is_write_closed()))
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read(buffer.initialize_unfilled()) {
                Ok(length) => {
                    buffer.advance(length);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |tcp| tcp.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |tcp| tcp.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match socket2::SockRef::from(&*self.0).shutdown(Shutdown::Write) {
            // The client was faster.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        })
    }
}

impl Tcp {
    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            match write(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_end_behind_unread_bytes_is_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let tcp = Tcp::new(listener.accept().await.unwrap().0);
        client.write_all(b"unread").await.unwrap();
        tcp.readable().await.unwrap();
        assert!(!tcp.line().is_closed());
        drop(client);
        let closed = async {
            while !tcp.line().is_closed() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), closed).await.unwrap();
    }

    #[tokio::test]
    async fn a_line_does_not_keep_its_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = Tcp::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let line = tcp.line();
        drop(tcp);
        assert!(line.is_closed());
    }
}
