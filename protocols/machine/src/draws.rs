//! A stream of random bytes out of a seed: BLAKE3's extendable output, read in 64-byte blocks by a counter.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Seed;

/// Bytes of one draw's block; every draw starts a new block, so that draws of different widths never overlap.
const BLOCK_BYTES: u64 = 64;

/// Draws in order. Cannot be cloned: two copies would draw the same.
///
/// Spec: MACHINE-3.2
pub struct Draws {
    stream: blake3::OutputReader,
    counter: u64,
}

impl Draws {
    /// The stream of this seed, at its start.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/draws/1");
        hasher.update(seed.as_bytes());
        let stream = hasher.finalize_xof();
        hasher.zeroize();
        Self { stream, counter: 0 }
    }

    /// The next 32 bytes.
    pub fn draw32(&mut self) -> [u8; 32] {
        self.draw()
    }

    /// The next 24 bytes.
    pub fn draw24(&mut self) -> [u8; 24] {
        self.draw()
    }

    /// The next 16 bytes.
    pub fn draw16(&mut self) -> [u8; 16] {
        self.draw()
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.draw())
    }

    /// A number below `bound`, each equally likely.
    ///
    /// # Panics
    /// When `bound` is 0: there is no such number.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below zero");
        // Values past the last whole multiple of `bound` would favour the low numbers.
        let unfair = (u64::MAX % bound + 1) % bound;
        loop {
            let drawn = self.next_u64();
            if drawn <= u64::MAX - unfair {
                return drawn % bound;
            }
        }
    }

    fn draw<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N as u64 <= BLOCK_BYTES) };
        let mut bytes = [0; N];
        self.stream.set_position(self.counter * BLOCK_BYTES);
        self.stream.fill(&mut bytes);
        self.counter += 1;
        bytes
    }
}

impl Drop for Draws {
    fn drop(&mut self) {
        self.stream.zeroize();
    }
}

impl ZeroizeOnDrop for Draws {}

impl fmt::Debug for Draws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draws({} drawn)", self.counter)
    }
}
