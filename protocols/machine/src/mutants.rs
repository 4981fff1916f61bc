//! Mutants of real bytes: what decoders are tried with, many and cheap.
//!
//! The generator has a seed of its own and no other state, so a mutant that breaks something can be made again. It is no
//! source of secrets.

/// Bytes of a mutant at most: longer ones cost time and find nothing that these do not.
pub const BYTES_MAX: usize = 4_096;

/// Numbers at the borders of what decoders count with, as varints.
const BORDERS: [&[u8]; 8] = [
    &[0],
    &[0x7f],
    &[0x80, 0x01],
    &[0xff, 0xff, 0x03],
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xf3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
];

/// Makes mutants out of a corpus.
#[derive(Clone, Debug)]
pub struct Mutants {
    state: u64,
    bytes: Vec<u8>,
}

impl Mutants {
    /// The mutants of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed, bytes: Vec::with_capacity(2 * BYTES_MAX) }
    }

    /// A number below `bound`, near enough equally likely; 0 below 0.
    fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) as usize).checked_rem(bound).unwrap_or(0)
    }

    /// The next mutant: one of the corpus with one to four changes. An empty corpus gives short noise.
    pub fn next<'a>(&'a mut self, corpus: &[Vec<u8>]) -> &'a [u8] {
        let chosen = self.below(corpus.len());
        self.bytes.clear();
        if let Some(chosen) = corpus.get(chosen) {
            self.bytes.extend_from_slice(&chosen[..chosen.len().min(BYTES_MAX)]);
        }
        for _ in 0..=self.below(4) {
            self.change(corpus);
        }
        self.bytes.truncate(BYTES_MAX);
        &self.bytes
    }

    fn change(&mut self, corpus: &[Vec<u8>]) {
        let at = self.below(self.bytes.len() + 1);
        let random = self.below(256);
        match self.below(8) {
            0 => self.bytes.truncate(at),
            1 => self.bytes.insert(at, random as u8),
            2 => {
                let border = BORDERS[random % BORDERS.len()];
                self.bytes.splice(at..at, border.iter().copied());
            }
            3 => {
                let end = at + self.below((self.bytes.len() - at).min(256) + 1);
                self.bytes.extend_from_within(at..end);
            }
            4 => {
                let end = at + self.below((self.bytes.len() - at).min(256) + 1);
                self.bytes.drain(at..end);
            }
            5 => {
                // The end of another one.
                let other = self.below(corpus.len());
                if let Some(other) = corpus.get(other) {
                    let from = random.min(other.len());
                    self.bytes.truncate(at);
                    self.bytes.extend_from_slice(&other[from..other.len().min(BYTES_MAX)]);
                }
            }
            _ => {
                if let Some(byte) = self.bytes.get_mut(at) {
                    *byte ^= 1 << (random % 8);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_row_of_mutants_within_the_bound() {
        let corpus = [vec![7; 3 * BYTES_MAX], b"short".to_vec()];
        let (mut one, mut other) = (Mutants::new(3), Mutants::new(3));
        let mut changed = 0;
        for _ in 0..10_000 {
            let mutant = one.next(&corpus);
            assert_eq!(mutant, other.next(&corpus));
            assert!(mutant.len() <= BYTES_MAX);
            changed += usize::from(!corpus.iter().any(|bytes| bytes == mutant));
        }
        assert!(changed > 9_000, "{changed}");
        assert!(Mutants::new(4).next(&[]).len() <= 64);
    }
}
