//! One stream of frames: reads whole frames within the driver's credit, writes what is queued.
//!
//! A length that a peer claims is never allocated: the buffer grows with the bytes that are there. A frame that trickles is
//! cut off.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use futures::{AsyncRead, AsyncWrite, FutureExt};
use futures_timer::Delay;
use weft_peer::{Protocol, StreamId};
use weft_wire::{
    frame::{FRAME_BYTES_MAX, FrameError},
    varint,
};

use super::gate::{Gate, Permit, SMALL_BYTES, Wish};

/// The least and the most that one read asks for, in bytes. A read that fills its piece doubles the next.
const READ_BYTES: (usize, usize) = (4 << 10, 256 << 10);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// The other side closed it between two frames.
    #[error("closed by the other side")]
    Finished,
    /// This side closed it, and everything queued went out.
    #[error("closed here")]
    Closed,
    /// The other side closed it within a frame.
    #[error("cut off within a frame")]
    CutOff,
    /// A length prefix above 2 MiB, or none at all.
    #[error("{0} (WIRE-2.1)")]
    Malformed(#[from] FrameError),
    /// A frame took too long.
    #[error("a frame took longer than {} s", .0.as_secs_f64())]
    Slow(Duration),
    /// The other side did not read what was sent.
    #[error("the other side does not read what is sent")]
    Congested,
    /// The connection failed.
    #[error("{0}")]
    Failed(#[from] std::io::Error),
}

impl End {
    /// Whether the other side broke a rule.
    pub(super) fn is_violation(&self) -> bool {
        matches!(self, End::Malformed(_) | End::Slow(_) | End::Congested)
    }
}

/// A stream that stands.
pub(super) struct Framed<S> {
    pub(super) id: StreamId,
    pub(super) protocol: Protocol,
    pub(super) opener: bool,
    io: S,
    gate: Arc<Gate>,
    reader: Reader,
    writer: Writer,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Framed<S> {
    pub(super) fn new(
        id: StreamId,
        protocol: Protocol,
        opener: bool,
        io: S,
        gate: Arc<Gate>,
        frame_timeout: Duration,
    ) -> Framed<S> {
        Framed {
            id,
            protocol,
            opener,
            io,
            gate,
            reader: Reader { buffer: BytesMut::new(), piece: READ_BYTES.0, frame_timeout, slow: None },
            writer: Writer { current: Bytes::new(), unflushed: false, frame_timeout, closing: None },
        }
    }

    /// Whole frames, at least one; or the end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Vec<Bytes>, Permit), End>> {
        match self.gate.wish() {
            Wish::Drop => return Poll::Ready(Err(End::Congested)),
            wish => {
                if let Poll::Ready(end) = self.writer.poll(&mut self.io, &self.gate, wish, cx) {
                    return Poll::Ready(Err(end));
                }
                if wish == Wish::Close {
                    return Poll::Pending;
                }
            }
        }
        let frames = ready!(self.reader.poll(&mut self.io, &self.gate, cx))?;
        let permit = Gate::admit(&self.gate, &frames);
        Poll::Ready(Ok((frames, permit)))
    }
}

struct Reader {
    buffer: BytesMut,
    piece: usize,
    frame_timeout: Duration,
    /// Runs while a frame is incomplete and this side is willing to read.
    slow: Option<Delay>,
}

impl Reader {
    fn poll<S: AsyncRead + Unpin>(
        &mut self,
        io: &mut S,
        gate: &Gate,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Vec<Bytes>, End>> {
        loop {
            // Asked anew each time; the connection's task was registered before, so that no wake-up is lost.
            let room = gate.readable();
            if room == 0 {
                self.slow = None;
                return Poll::Pending;
            }
            let frames = self.whole_frames(room)?;
            if !frames.is_empty() {
                self.slow = None;
                return Poll::Ready(Ok(frames));
            }
            let held = self.buffer.len();
            self.buffer.resize(held + self.piece, 0);
            let read = Pin::new(&mut *io).poll_read(cx, &mut self.buffer[held..]);
            self.buffer.truncate(held + if let Poll::Ready(Ok(count)) = read { count } else { 0 });
            match read {
                Poll::Ready(Ok(0)) if held == 0 => return Poll::Ready(Err(End::Finished)),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(End::CutOff)),
                Poll::Ready(Ok(count)) if count == self.piece => self.piece = (2 * self.piece).min(READ_BYTES.1),
                Poll::Ready(Ok(count)) if count < self.piece / 4 => self.piece = (self.piece / 2).max(READ_BYTES.0),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(End::Failed(error))),
                Poll::Pending => {
                    if self.buffer.is_empty() {
                        // An idle stream holds no memory.
                        self.buffer = BytesMut::new();
                        self.slow = None;
                        return Poll::Pending;
                    }
                    let timeout = self.frame_timeout;
                    let slow = self.slow.get_or_insert_with(|| Delay::new(timeout));
                    ready!(slow.poll_unpin(cx));
                    return Poll::Ready(Err(End::Slow(timeout)));
                }
            }
        }
    }

    /// Takes up to `frames_max` whole frames off the buffer.
    fn whole_frames(&mut self, frames_max: usize) -> Result<Vec<Bytes>, End> {
        let mut frames = Vec::new();
        while frames.len() < frames_max
            && let Some((prefix, length)) = length_prefix(&self.buffer)?
            && self.buffer.len() >= prefix + length
        {
            self.buffer.advance(prefix);
            // A small frame must not keep the whole piece alive that it came in.
            frames.push(if length < SMALL_BYTES {
                let frame = Bytes::copy_from_slice(&self.buffer[..length]);
                self.buffer.advance(length);
                frame
            } else {
                self.buffer.split_to(length).freeze()
            });
        }
        Ok(frames)
    }
}

/// Bytes of the prefix and the length it claims; nothing while it is incomplete.
fn length_prefix(buffer: &[u8]) -> Result<Option<(usize, usize)>, FrameError> {
    match varint::read(buffer)? {
        Some((claimed, _)) if claimed > FRAME_BYTES_MAX as u64 => {
            Err(FrameError::TooLarge { claimed, bytes_max: FRAME_BYTES_MAX })
        }
        Some((length, prefix)) => Ok(Some((prefix, length as usize))),
        None => Ok(None),
    }
}

struct Writer {
    current: Bytes,
    unflushed: bool,
    frame_timeout: Duration,
    closing: Option<Delay>,
}

impl Writer {
    /// Ready with the end, or pending with everything written that could be.
    fn poll<S: AsyncWrite + Unpin>(&mut self, io: &mut S, gate: &Gate, wish: Wish, cx: &mut Context<'_>) -> Poll<End> {
        if wish == Wish::Close {
            let timeout = self.frame_timeout;
            let closing = self.closing.get_or_insert_with(|| Delay::new(timeout));
            if closing.poll_unpin(cx).is_ready() {
                return Poll::Ready(End::Congested);
            }
        }
        loop {
            if self.current.is_empty() {
                match gate.take() {
                    Some(piece) => self.current = piece,
                    None => break,
                }
            }
            match ready!(Pin::new(&mut *io).poll_write(cx, &self.current)) {
                Ok(0) => return Poll::Ready(End::Failed(std::io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    self.current.advance(count);
                    self.unflushed = true;
                }
                Err(error) => return Poll::Ready(End::Failed(error)),
            }
        }
        if self.unflushed {
            match ready!(Pin::new(&mut *io).poll_flush(cx)) {
                Ok(()) => self.unflushed = false,
                Err(error) => return Poll::Ready(End::Failed(error)),
            }
        }
        if wish == Wish::Close {
            return match ready!(Pin::new(io).poll_close(cx)) {
                Ok(()) => Poll::Ready(End::Closed),
                Err(error) => Poll::Ready(End::Failed(error)),
            };
        }
        Poll::Pending
    }
}
