//! Why the store did not do what it was asked to, each with what a person can do about it.

use std::io;

use weft_crypto::FeedId;

/// Why the store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Written by a newer version of the program.
    #[error("the store has format {found}; this version of weft reads up to {known}")]
    Newer {
        /// What the store says.
        found: u32,
        /// The newest format that is known here.
        known: u32,
    },
    /// What is on disk contradicts itself.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// What was found, where.
        what: String,
    },
    /// A row is not what was written.
    #[error("the store is damaged: the row {key} of its table `{table}` is not what was written")]
    Row {
        /// The table.
        table: &'static str,
        /// The row's key, as far as it can be shown.
        key: String,
    },
    /// Entries of a feed are not what was signed. They are shown to nobody; a node that runs fetches them again.
    #[error("the store is damaged: entry {seq} of feed {feed} is not what was signed")]
    Entry {
        /// The feed.
        feed: FeedId,
        /// The first such entry, as far as can be seen.
        seq: u64,
    },
    /// Another process has it open.
    #[error("the store is open in another process")]
    Locked,
    /// The disk refused, and nothing of what was to be written is there. What was written before is, and can be read; writing
    /// is tried again whenever it is asked for.
    #[error("the disk refused: {0}")]
    Disk(#[from] io::Error),
    /// The disk failed, and what is on it could not be opened again.
    #[error("the disk failed, and the store must be opened anew")]
    Stopped,
    /// A bug of ours: the range does not continue what is held.
    #[error("entries of feed {feed} from {from} do not continue the {held} that are held")]
    NotContiguous {
        /// The feed.
        feed: FeedId,
        /// How many entries are held.
        held: u64,
        /// Where the range begins.
        from: u64,
    },
    /// A bug of ours: entries of a feed that was never written down.
    #[error("feed {feed} is not known to the store")]
    UnknownFeed {
        /// The feed.
        feed: FeedId,
    },
}

impl StoreError {
    pub(super) fn damaged(what: impl Into<String>) -> StoreError {
        StoreError::Damaged { what: what.into() }
    }

    /// Whether what is on disk contradicts itself.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, StoreError::Damaged { .. } | StoreError::Row { .. } | StoreError::Entry { .. })
    }

    /// Whether only what follows from the feeds is damaged: it can be derived again.
    pub(crate) fn is_of_derived(&self) -> bool {
        matches!(self, StoreError::Row { table, .. } if *table == super::row::Table::Derived.name())
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> StoreError {
        match error {
            // It answers so to a file that is no store or ends too early, which the disk is not to blame for.
            redb::Error::Io(error)
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                StoreError::damaged(error.to_string())
            }
            redb::Error::Io(error) => StoreError::Disk(error),
            redb::Error::DatabaseAlreadyOpen => StoreError::Locked,
            redb::Error::PreviousIo => StoreError::Stopped,
            other => StoreError::damaged(other.to_string()),
        }
    }
}

/// redb has an error type for each of its calls; here they are one.
macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> StoreError {
                redb::Error::from(error).into()
            }
        })*
    };
}
from_redb!(DatabaseError, TransactionError, TableError, StorageError, CommitError, SetDurabilityError);
