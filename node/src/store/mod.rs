//! What a node keeps on disk, behind a trait so small that a simulator can keep it in memory.
//!
//! The promise: a [`Batch`] is there as a whole or not at all, and one that was written durably is there after any crash.
//! [`Disk`] keeps it with redb and a journal in front of it. Entries lie as runs, two rows a run, and every range keeps the
//! signed head it ended at, because what is served must end at one.

mod anchor;
mod aside;
mod counted;
mod disk;
mod error;
mod examine;
mod incarnation;
mod journal;
mod layout;
mod lock;
mod mark;
mod medium;
mod plan;
mod private;
mod recognise;
mod row;
mod rows;
mod sealed;
#[cfg(test)]
mod tests;
mod thread;

use std::path::Path;

use bytes::Bytes;
use weft_crypto::{FeedId, SpaceId};
use weft_peer::{
    Rows as Wanted,
    store::{Batch, Damage, Opened},
};
use weft_replication::{ReadError, StoredRange};

pub(crate) use aside::set_aside;
pub use aside::{FoundFeed, SetAside};
pub(crate) use counted::Counted;
pub use disk::Disk;
pub use error::StoreError;
pub(crate) use incarnation::Outside;
pub use lock::{Lock, LockError};
pub(crate) use mark::leave as leave_mark;
pub(crate) use private::{make_folder, open as open_private, sync_folder_of};
pub use rows::Recovered;
pub(crate) use rows::is_catching;
pub(crate) use thread::{Fact, Order, Threads};

/// Whether there is a store in this folder, or what is left of one.
pub(crate) fn exists(folder: &Path) -> bool {
    [rows::NAME, anchor::NAME].iter().any(|name| folder.join(name).exists())
}

/// What a node keeps. One writer; readers at any time, who see whole batches.
pub trait Store: Send + Sync + 'static {
    /// Writes the batches in their order, all of them or none. Durable when one of them asks for it; whoever reads after this
    /// sees them.
    fn write(&self, batches: &[Batch]) -> Result<(), StoreError>;

    /// The same if it takes no longer than one sync of a disk where that is quick; else nothing is done, and the answer is
    /// false. For callers that have other work to do.
    fn write_if_quick(&self, batches: &[Batch]) -> Result<bool, StoreError>;

    /// Does now what the next reader would have to wait for. An error means that nothing can be read or written any more;
    /// what was durable is safe.
    fn settle(&self) -> Result<(), StoreError>;

    /// Stored ranges of a feed from entry `from` on: each ends at a head that is held, the first is cut so that it begins at
    /// `from`. At least one; no further one when `bytes_max` would be passed.
    fn read(&self, feed: &FeedId, from: u64, bytes_max: usize) -> Result<Vec<StoredRange>, ReadError>;

    /// Derived rows of a space, in the order of their keys.
    fn load(&self, space: &SpaceId, table: u8, rows: &Wanted) -> Result<Vec<(Bytes, Bytes)>, StoreError>;

    /// Everything that a peer needs to begin.
    fn opened(&self) -> Result<Opened, StoreError>;

    /// The first part of a feed that is stored and is not what was signed.
    fn damage(&self, feed: &FeedId) -> Result<Option<Damage>, StoreError>;

    /// Nothing is to be done: a good moment for housekeeping. Also the last call before the store is closed.
    fn rest(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
