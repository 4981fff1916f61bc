//! What the driver and a connection's task share of one stream: the frames that wait to go out, and the credit for reading.
//!
//! Frames go out through here rather than through the swarm's command channel, because that channel stalls every peer
//! when one connection is slow. Both directions are bounded: a stream whose peer does not read is given up, and a stream
//! whose driver does not keep up is not read.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::{Bytes, BytesMut};
use futures::task::AtomicWaker;

use super::config::Config;

/// Frames shorter than this are written together, and copied out of the read buffer. 16 KiB: a copy of that costs less
/// than a write of its own.
pub(super) const SMALL_BYTES: usize = 16 << 10;

/// What a frame in a queue costs beside its bytes: its place there and its allocation. Without it, whoever asks for many tiny
/// answers and reads none of them could make a queue of several times its bound.
const FRAME_COST: usize = 128;

/// How much is written together at most.
const TOGETHER_BYTES: usize = 64 << 10;

/// One stream, seen from both sides.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
    /// Of the connection's task.
    task: Arc<AtomicWaker>,
    queued_bytes_max: usize,
    ahead_frames_max: usize,
    ahead_bytes_max: usize,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    wish: Wish,
    ahead_frames: usize,
    ahead_bytes: usize,
}

/// What the driver wants of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wish {
    /// Frames both ways.
    #[default]
    Open,
    /// The end, after what is queued went out.
    Close,
    /// The end, now: more was queued than the bound allows, or the peer's streams are dropped together.
    Drop,
}

impl Gate {
    pub(super) fn new(task: Arc<AtomicWaker>, config: &Config) -> Arc<Gate> {
        Arc::new(Gate {
            state: Mutex::default(),
            task,
            queued_bytes_max: config.queued_bytes_max,
            ahead_frames_max: config.ahead_frames_max,
            ahead_bytes_max: config.ahead_bytes_max,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code below can panic between two fields that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame with its length prefix. Past the bound the stream is given up.
    pub(super) fn send(&self, frame: Bytes) {
        let mut state = self.state();
        if state.wish != Wish::Open {
            return;
        }
        state.queued_bytes += frame.len() + FRAME_COST;
        if state.queued_bytes > self.queued_bytes_max {
            state.wish = Wish::Drop;
            state.queue.clear();
        } else {
            state.queue.push_back(frame);
        }
        drop(state);
        self.task.wake();
    }

    /// Ends the stream.
    pub(super) fn end(&self, wish: Wish) {
        self.state().wish = wish;
        self.task.wake();
    }

    pub(super) fn wish(&self) -> Wish {
        self.state().wish
    }

    /// The next piece to write: one large frame, or small ones together.
    pub(super) fn take(&self) -> Option<Bytes> {
        let mut state = self.state();
        let first = state.queue.pop_front()?;
        let mut frames = 1;
        let piece = match state.queue.front() {
            Some(second) if first.len() < SMALL_BYTES && second.len() < SMALL_BYTES => {
                let mut piece = BytesMut::with_capacity(first.len() + second.len());
                piece.extend_from_slice(&first);
                while let Some(next) = state.queue.front()
                    && next.len() < SMALL_BYTES
                    && piece.len() + next.len() <= TOGETHER_BYTES
                {
                    piece.extend_from_slice(next);
                    frames += 1;
                    state.queue.pop_front();
                }
                piece.freeze()
            }
            _ => first,
        };
        state.queued_bytes -= piece.len() + frames * FRAME_COST;
        Some(piece)
    }

    /// How many more frames may be read now.
    pub(super) fn readable(&self) -> usize {
        let state = self.state();
        if state.ahead_bytes >= self.ahead_bytes_max {
            0
        } else {
            self.ahead_frames_max.saturating_sub(state.ahead_frames)
        }
    }

    /// Counts frames as read ahead of the driver, until the permit is dropped.
    pub(super) fn admit(gate: &Arc<Gate>, frames: &[Bytes]) -> Permit {
        let permit =
            Permit { frames: frames.len(), bytes: frames.iter().map(Bytes::len).sum(), gate: Arc::clone(gate) };
        let mut state = gate.state();
        state.ahead_frames += permit.frames;
        state.ahead_bytes += permit.bytes;
        drop(state);
        permit
    }
}

/// Held by whoever has frames that were read; while too many are held, nothing more is read of the stream.
#[derive(Debug)]
pub struct Permit {
    gate: Arc<Gate>,
    frames: usize,
    bytes: usize,
}

#[cfg(test)]
impl Permit {
    /// Lets nothing through and holds nothing back.
    pub(super) fn none() -> Permit {
        Gate::admit(&Gate::new(Arc::default(), &Config::default()), &[])
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let was_shut = self.gate.readable() == 0;
        let mut state = self.gate.state();
        state.ahead_frames -= self.frames;
        state.ahead_bytes -= self.bytes;
        drop(state);
        if was_shut {
            self.gate.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiny_frames_count_for_what_they_cost() {
        let gate = Gate::new(Arc::default(), &Config { queued_bytes_max: 10_000, ..Config::default() });
        (0..50).for_each(|_| gate.send(Bytes::from_static(&[0])));
        assert_eq!(gate.take().map(|piece| piece.len()), Some(50));
        assert_eq!((gate.take(), gate.state().queued_bytes), (None, 0));
        (0..100).for_each(|_| gate.send(Bytes::from_static(&[0])));
        assert_eq!(gate.wish(), Wish::Drop);
    }
}
