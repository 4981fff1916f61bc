//! Which bytes the keys and values of the store are.
//!
//! Feeds and spaces have a number of four bytes here, so that a key does not cost 32. Numbers in keys are big endian, so that
//! rows of one feed lie together and in order. Format version 1 is this file.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use weft_crypto::{FeedId, Head, SpaceId};
use weft_feed::{Absent, Run, Tree};

use super::error::StoreError;

/// Feed number and sequence number.
pub(super) fn run_key(feed: u32, from: u64) -> Bytes {
    let mut key = BytesMut::with_capacity(12);
    key.put_u32(feed);
    key.put_u64(from);
    key.freeze()
}

/// The sequence number in a run's key.
pub(super) fn run_from(key: &[u8]) -> Result<u64, StoreError> {
    let bytes = key.get(4..).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u64::from_be_bytes).ok_or_else(|| StoreError::damaged("a run's key of another length"))
}

pub(super) fn number_key(number: u32) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

/// Space number and table, then the key.
pub(super) fn derived_key(space: u32, table: u8, key: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(5 + key.len());
    out.put_u32(space);
    out.put_u8(table);
    out.put_slice(key);
    out.freeze()
}

/// Bytes before the key in [`derived_key`].
pub(super) const DERIVED_PREFIX_BYTES: usize = 5;

/// A row of the table of feeds.
pub(super) struct FeedRow {
    pub(super) number: u32,
    pub(super) space: SpaceId,
    pub(super) manifest: Bytes,
}

impl FeedRow {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(36 + self.manifest.len());
        out.put_u32(self.number);
        out.put_slice(self.space.as_bytes());
        out.put_slice(&self.manifest);
        out.freeze()
    }

    pub(super) fn decode(row: &[u8]) -> Result<FeedRow, StoreError> {
        let wrong = || StoreError::damaged("a row of the table of feeds is too short");
        let (number, rest) = row.split_first_chunk().ok_or_else(wrong)?;
        let (space, manifest) = rest.split_first_chunk().ok_or_else(wrong)?;
        Ok(FeedRow {
            number: u32::from_be_bytes(*number),
            space: SpaceId::from_bytes(*space),
            manifest: Bytes::copy_from_slice(manifest),
        })
    }
}

/// A feed's newest head (length first) and its tree.
pub(super) fn encode_state(head: &Head, tree: &Tree) -> Bytes {
    let head = head.encode();
    let mut out = BytesMut::new();
    out.put_u16_le(head.len() as u16);
    out.put_slice(&head);
    out.put_slice(&tree.encode());
    out.freeze()
}

pub(super) fn decode_state(feed: &FeedId, row: &[u8]) -> Result<(Head, Tree), StoreError> {
    let wrong = |what: String| StoreError::damaged(format!("the state of feed {feed}: {what}"));
    let mut rest = row;
    let head = take_head(&mut rest).map_err(wrong)?.ok_or_else(|| wrong("no head".to_owned()))?;
    let tree = Tree::decode(rest).map_err(|error| wrong(error.to_string()))?;
    Ok((head, tree))
}

/// A run's row among the headers: the head at its end (length first, 0 for none), which bodies are absent (length first), the
/// headers.
pub(super) fn encode_headers(run: &Run, head: Option<&Head>) -> Bytes {
    let head = head.map(Head::encode).unwrap_or_default();
    let absent = run.absent().to_bits();
    let mut out = BytesMut::with_capacity(3 + head.len() + absent.len() + run.headers().len());
    out.put_u16_le(head.len() as u16);
    out.put_slice(&head);
    out.put_u8(absent.len() as u8);
    out.put_slice(&absent);
    out.put_slice(run.headers());
    out.freeze()
}

/// The head at the end of a run, its absent bodies and its headers.
pub(super) struct HeadersRow {
    pub(super) head: Option<Head>,
    absent: Absent,
    headers: Bytes,
}

impl HeadersRow {
    pub(super) fn decode(feed: &FeedId, from: u64, row: &[u8]) -> Result<HeadersRow, StoreError> {
        let wrong = |what: String| StoreError::damaged(format!("entries of feed {feed} from {from}: {what}"));
        let mut rest = row;
        let head = take_head(&mut rest).map_err(wrong)?;
        let (bits, headers) = rest
            .split_first()
            .and_then(|(len, rest)| rest.split_at_checked(usize::from(*len)))
            .ok_or_else(|| wrong("cut short".to_owned()))?;
        let absent = Absent::from_bits(bits, u32::MAX).map_err(|error| wrong(error.to_string()))?;
        Ok(HeadersRow { head, absent, headers: Bytes::copy_from_slice(headers) })
    }

    pub(super) fn into_run(self, feed: &FeedId, from: u64, bodies: Bytes) -> Result<Run, StoreError> {
        Run::new(from, self.headers, bodies, self.absent)
            .map_err(|error| StoreError::damaged(format!("entries of feed {feed} from {from}: {error}")))
    }
}

fn take_head(rest: &mut &[u8]) -> Result<Option<Head>, String> {
    let len = rest.try_get_u16_le().map_err(|_| "cut short".to_owned())?;
    let (head, after) = rest.split_at_checked(usize::from(len)).ok_or("cut short")?;
    *rest = after;
    if head.is_empty() { Ok(None) } else { Head::decode(head).map(Some).map_err(|error| error.to_string()) }
}
