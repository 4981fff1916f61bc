//! Frames: a varint length and that many bytes. On a stream a frame is one message; in lists it is one item.
//!
//! The [`Decoder`] takes pieces as a stream delivers them and gives whole frames back; a frame that lies within one
//! piece is a slice of it, never a copy. A length over the bound is refused as soon as it is read, before anything is
//! kept for it.
//!
//! Spec: WIRE-2.1

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::varint::{self, VarintError};

/// The largest frame payload on any stream, in bytes. A range of 1 MiB of headers or a piece of bodies fits.
pub const FRAME_BYTES_MAX: usize = 2 << 20;

/// Why a frame or a list of frames is not well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The length prefix is no shortest-form varint.
    #[error("frame length: {0}")]
    Length(#[from] VarintError),
    /// The frame says that it is larger than the bound.
    #[error("frame of {claimed} bytes, at most {bytes_max} are allowed")]
    TooLarge {
        /// What the prefix says.
        claimed: u64,
        /// What is allowed here.
        bytes_max: usize,
    },
    /// A list ended inside an item.
    #[error("list cut short: {missing} more bytes were announced")]
    Truncated {
        /// How many bytes are missing; 1 when the length itself is cut.
        missing: u64,
    },
}

/// Encodes a message as one frame, length first.
///
/// # Panics
/// When the message is larger than [`FRAME_BYTES_MAX`]: callers cut their messages to fit.
pub fn encode(message: &impl prost::Message) -> Bytes {
    let len = message.encoded_len();
    assert!(len <= FRAME_BYTES_MAX, "a message of ours is larger than a frame: {len} bytes");
    let mut out = Vec::with_capacity(len + varint::len(len as u64));
    varint::write(len as u64, &mut out);
    message.encode(&mut out).expect("a Vec grows");
    out.into()
}

/// Appends one item of a "varint length, bytes" list.
pub fn put_framed(item: &[u8], out: &mut Vec<u8>) {
    varint::write(item.len() as u64, out);
    out.extend_from_slice(item);
}

/// Walks a list of framed items. Each is a slice of `list`; after an error the walk ends.
///
/// Spec: WIRE-2.2
pub fn split_framed(list: &Bytes) -> impl Iterator<Item = Result<Bytes, FrameError>> + '_ {
    Framed::new(list).map(|item| item.map(|slice| list.slice_ref(slice)))
}

/// The items of a "varint length, bytes" list as borrowed slices; after an error the walk ends.
#[derive(Debug, Clone)]
pub struct Framed<'a> {
    rest: &'a [u8],
}

impl<'a> Framed<'a> {
    /// Walks `list` from its start.
    #[must_use]
    pub fn new(list: &'a [u8]) -> Self {
        Self { rest: list }
    }

    /// What has not been walked yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn item(&mut self) -> Result<&'a [u8], FrameError> {
        let (len, used) = varint::read(self.rest)?.ok_or(FrameError::Truncated { missing: 1 })?;
        let body = &self.rest[used..];
        if len > body.len() as u64 {
            return Err(FrameError::Truncated { missing: len - body.len() as u64 });
        }
        let (item, rest) = body.split_at(len as usize);
        self.rest = rest;
        Ok(item)
    }
}

impl<'a> Iterator for Framed<'a> {
    type Item = Result<&'a [u8], FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let item = self.item();
        if item.is_err() {
            self.rest = &[];
        }
        Some(item)
    }
}

/// Takes frames out of the pieces of a stream.
///
/// It holds what was pushed and not yet taken. Take all frames with [`Decoder::next`] after every push and it never holds
/// more than one frame of `bytes_max` and one piece.
#[derive(Debug)]
pub struct Decoder {
    pieces: VecDeque<Bytes>,
    held: usize,
    bytes_max: usize,
    failed: Option<FrameError>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder for frames of at most [`FRAME_BYTES_MAX`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_max(FRAME_BYTES_MAX)
    }

    /// A decoder for frames of at most `bytes_max` bytes.
    #[must_use]
    pub fn with_max(bytes_max: usize) -> Self {
        Self { pieces: VecDeque::new(), held: 0, bytes_max, failed: None }
    }

    /// Hands over the next piece of the stream. After an error the stream is lost and pieces are dropped.
    pub fn push(&mut self, piece: Bytes) {
        if self.failed.is_none() && !piece.is_empty() {
            self.held += piece.len();
            self.pieces.push_back(piece);
        }
    }

    /// Bytes held and not yet taken.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }

    /// The next whole frame without its length, or `None` when more bytes are needed. (Not an `Iterator`: `None` is not
    /// the end.)
    ///
    /// # Errors
    /// The stream is beyond repair: no later frame can be found. The same error is given for ever after.
    #[allow(clippy::should_implement_trait, reason = "None means not yet, and frames may fail")]
    pub fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let taken = self.take();
        if let Err(error) = taken {
            self.failed = Some(error);
            self.pieces.clear();
            self.held = 0;
        }
        taken
    }

    fn take(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some((len, used)) = self.peek_length()? else {
            return Ok(None);
        };
        if len > self.bytes_max as u64 {
            return Err(FrameError::TooLarge { claimed: len, bytes_max: self.bytes_max });
        }
        let len = len as usize;
        if self.held < used + len {
            return Ok(None);
        }
        self.skip(used);
        Ok(Some(self.cut(len)))
    }

    fn peek_length(&self) -> Result<Option<(u64, usize)>, FrameError> {
        let mut start = [0; varint::BYTES_MAX];
        let mut filled = 0;
        for piece in &self.pieces {
            let part = &piece[..piece.len().min(start.len() - filled)];
            start[filled..filled + part.len()].copy_from_slice(part);
            filled += part.len();
            if filled == start.len() {
                break;
            }
        }
        Ok(varint::read(&start[..filled])?)
    }

    fn skip(&mut self, mut count: usize) {
        self.held -= count;
        while count > 0 {
            let front = self.pieces.front_mut().expect("the bytes to skip are held");
            let part = count.min(front.len());
            front.advance(part);
            count -= part;
            self.drop_empty_front();
        }
    }

    fn cut(&mut self, len: usize) -> Bytes {
        if len == 0 {
            return Bytes::new();
        }
        self.held -= len;
        let front = self.pieces.front_mut().expect("the frame's bytes are held");
        if front.len() >= len {
            let frame = front.split_to(len);
            self.drop_empty_front();
            return frame;
        }
        let mut frame = BytesMut::with_capacity(len);
        while frame.len() < len {
            let front = self.pieces.front_mut().expect("the frame's bytes are held");
            let part = front.split_to(front.len().min(len - frame.len()));
            frame.extend_from_slice(&part);
            self.drop_empty_front();
        }
        frame.freeze()
    }

    fn drop_empty_front(&mut self) {
        if self.pieces.front().is_some_and(Bytes::is_empty) {
            self.pieces.pop_front();
        }
    }
}
