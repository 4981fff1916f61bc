//! All nodes of a tree, made again from the leaves when somebody asks for a proof.

use crate::{flat, hashes, limits::LENGTH_MAX, run::Run, tree::Peak};

/// The nodes of a tree: 80 bytes an entry.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    /// Complete nodes by depth, left to right.
    levels: Vec<Vec<Peak>>,
}

impl Nodes {
    /// The nodes of an empty feed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves there are.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.leaves().len() as u64
    }

    fn leaves(&self) -> &[Peak] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// Adds the leaf of the next entry.
    pub fn push(&mut self, leaf: Peak) {
        let mut node = leaf;
        for depth in 0.. {
            if self.levels.len() == depth {
                self.levels.push(Vec::new());
            }
            let level = &mut self.levels[depth];
            level.push(node);
            if level.len() % 2 == 1 {
                break;
            }
            node = hashes::parent(&level[level.len() - 2], &node);
        }
    }

    /// Adds the leaves of a run's entries. The run must continue the feed.
    pub fn extend(&mut self, run: &Run) {
        for entry in run.entries() {
            let header = entry.header.bytes();
            self.push(Peak { hash: hashes::leaf(header), size: header.len() as u64 + entry.header.body_len() });
        }
    }

    /// The node at a place, if all entries below it are here. What proofs are made from.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<Peak> {
        if index > 2 * LENGTH_MAX {
            return None;
        }
        let level = self.levels.get(flat::depth(index) as usize)?;
        level.get(usize::try_from(flat::offset(index)).ok()?).copied()
    }

    /// How many entries from the start two feeds have in common.
    #[must_use]
    pub fn common(&self, other: &Self) -> u64 {
        self.leaves().iter().zip(other.leaves()).take_while(|(one, two)| one == two).count() as u64
    }
}
