//! A connection that must keep moving: whoever sends a head too slowly, or does not take what is written, is cut off.
//!
//! Entry points: [`Paced`] around the connection, [`Pace`] for who serves it. Why here: hyper limits the time of a head, but
//! with one limit for a head and for the rest between two requests, and it waits for ever on a peer that does not read.
//! Invariant: a connection holds its place until it is dropped, also as a WebSocket.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::limits::Limits;
use super::places::{Household, Place};

/// Whoever reads slowly must take so many bytes within [`Limits::write_ms`]: 1.6 KiB a second by default, which the worst
/// mobile line does.
const SLOW_BYTES: usize = 16 * 1024;

/// Counts the turns of a connection, shared by it and whoever serves it: even while a head is expected, odd while an answer
/// is made.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace(Arc<AtomicU32>);

impl Pace {
    /// A head has arrived; what follows is not the beginning of another one.
    pub(super) fn begin_answer(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// The answer is given: what comes next is a head.
    pub(super) fn end_answer(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn turn(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }
}

/// A connection with its limits and its place.
pub(super) struct Paced<S> {
    io: S,
    pace: Pace,
    limits: Limits,
    /// The turn in which a head has begun, and until when it must be there.
    head: Option<(u32, Pin<Box<Sleep>>)>,
    stall: Option<Stall>,
    _place: Place<Household>,
}

/// The peer has not taken what was written.
struct Stall {
    until: Pin<Box<Sleep>>,
    /// How many bytes it has taken since.
    taken: usize,
}

impl<S> Paced<S> {
    /// Watches over `io` from now on; its first head has begun.
    pub(super) fn new(io: S, (pace, place): (Pace, Place<Household>), limits: Limits) -> Self {
        let head = Some((pace.turn(), sleep(limits.head())));
        Self { io, pace, limits, head, stall: None, _place: place }
    }

    /// An error once the head is overdue; otherwise whoever waits is woken when it is.
    fn check_head(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let turn = self.pace.turn();
        self.head.take_if(|(begun, _)| *begun != turn);
        let is_overdue = self.head.as_mut().is_some_and(|(_, until)| until.as_mut().poll(cx).is_ready());
        if is_overdue { Err(too_slow("the head of a request")) } else { Ok(()) }
    }

    /// Judges an attempt to write `wanted` bytes.
    fn check_write(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let taken = match written {
            Poll::Ready(Ok(count)) if count >= wanted => {
                self.stall = None;
                return written;
            }
            Poll::Ready(Ok(count)) => count,
            Poll::Ready(Err(_)) => return written,
            Poll::Pending => 0,
        };
        let limit = self.limits.write();
        let stall = self.stall.get_or_insert_with(|| Stall { until: sleep(limit), taken: 0 });
        stall.taken += taken;
        if stall.taken >= SLOW_BYTES {
            *stall = Stall { until: sleep(limit), taken: 0 };
        }
        if stall.until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(too_slow("taking what it was sent")));
        }
        written
    }
}

fn sleep(limit: Duration) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep_until(Instant::now() + limit))
}

fn too_slow(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the peer was too slow with {what}"))
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.check_head(cx)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.io).poll_read(cx, buffer);
        let turn = this.pace.turn();
        if buffer.filled().len() > before && this.head.is_none() && turn.is_multiple_of(2) {
            this.head = Some((turn, sleep(this.limits.head())));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.check_write(cx, bytes.len(), written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let wanted = parts.iter().map(|part| part.len()).sum();
        let written = Pin::new(&mut this.io).poll_write_vectored(cx, parts);
        this.check_write(cx, wanted, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
