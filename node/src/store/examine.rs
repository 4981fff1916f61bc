//! What of a store is not what was written: which part of which feed, which derived rows, or more than that.

use std::{collections::BTreeSet, ops::ControlFlow};

use weft_crypto::FeedId;
use weft_feed::{Run, Tree, body_hash, leaf};
use weft_peer::store::Damage;

use super::{
    disk::Disk,
    error::StoreError,
    layout::{HeadersRow, number_key, run_from},
    row::{Change, Table},
    rows::View,
};

impl Disk {
    /// Goes through every row. Entries of data feeds that are damaged are noted, derived rows are dropped to be derived again;
    /// anything else is the error.
    pub(crate) fn look_through(&self) -> Result<(), StoreError> {
        let (mut feeds, mut spaces, mut other) = (BTreeSet::new(), BTreeSet::new(), None);
        let number_of = |key: &[u8]| key.first_chunk().copied().map_or(u32::MAX, u32::from_be_bytes);
        self.rows.view()?.look_through(&mut |table, key| match table {
            Table::Headers | Table::Bodies => {
                feeds.insert(number_of(key));
            }
            Table::Derived => {
                spaces.insert(number_of(key));
            }
            // Addresses of peers, which are learned again.
            Table::Node => {}
            _ => {
                other =
                    other.take().or(Some(StoreError::Row { table: table.name(), key: key.escape_ascii().to_string() }))
            }
        })?;
        if let Some(other) = other {
            return Err(other);
        }
        if !feeds.is_empty() {
            // A damaged key may name another feed than its own.
            let all: Vec<FeedId> = self.index().feeds.keys().copied().collect();
            for feed in all {
                if let Some(damage) = self.damage(&feed)? {
                    let entry = StoreError::Entry { feed, seq: damage.entry };
                    if self.slot(&feed).is_some_and(|slot| slot.control) {
                        return Err(entry);
                    }
                    tracing::error!(%entry, "it is shown to nobody, and fetched again from whoever holds it");
                    self.found().push(damage);
                }
            }
        }
        let changes: Vec<Change> =
            spaces.iter().map(|space| Change::RemovePrefix(Table::Derived, number_key(*space))).collect();
        if !changes.is_empty() {
            tracing::warn!(
                spaces = changes.len(),
                "rows that follow from the feeds are damaged, and are derived again"
            );
            self.rows.commit(changes, false)?;
        }
        Ok(())
    }

    /// The first part of a feed that is not what was signed; none when the whole feed is.
    pub(crate) fn damage(&self, feed: &FeedId) -> Result<Option<Damage>, StoreError> {
        let Some(slot) = self.slot(feed) else { return Ok(None) };
        let Some((newest, _)) = self.state(feed, slot.number)? else { return Ok(None) };
        let mut tree = Tree::new();
        // Where a signed head was met last, and the tree there.
        let mut whole: (u64, Option<(weft_crypto::Head, Tree)>) = (0, None);
        let (mut wrong, mut head) = (None, newest);
        let prefix = slot.number.to_be_bytes();
        let view = self.rows.view()?;
        view.look(Table::Headers, &prefix, &prefix, &mut |key, row| {
            let from = run_from(key).unwrap_or(u64::MAX);
            let row = row.and_then(|row| HeadersRow::decode(feed, from, row)).ok();
            let end = row.as_ref().and_then(|row| row.head);
            if let Some(wrong) = wrong {
                // The part ends at the next head that can be read.
                return Ok(match end.filter(|end| end.length > wrong && end.length <= newest.length) {
                    Some(end) => {
                        head = end;
                        ControlFlow::Break(())
                    }
                    None => ControlFlow::Continue(()),
                });
            }
            let expected = tree.length();
            let run = row.filter(|_| from == expected).and_then(|row| {
                let bodies = view.get_as_it_is(Table::Bodies, key).ok()?.unwrap_or_default();
                row.into_run(feed, from, bodies).ok()
            });
            wrong = match &run {
                None => Some(expected),
                Some(run) => wrong_body(run),
            };
            for entry in run.iter().filter(|_| wrong.is_none()).flat_map(Run::entries) {
                tree.push(leaf(entry.header.bytes()), entry.header.bytes().len() as u64 + entry.header.body_len());
            }
            if wrong.is_none()
                && let Some(end) = end
            {
                if end.length == tree.length() && end.root == tree.root() {
                    whole = (end.length, Some((end, tree.clone())));
                } else {
                    wrong = Some(whole.0);
                }
            }
            if wrong.is_some()
                && let Some(end) = end.filter(|end| from == expected && wrong.is_some_and(|wrong| end.length > wrong))
            {
                head = end;
                return Ok(ControlFlow::Break(()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let wrong = wrong.or_else(|| (whole.0 < newest.length).then_some(whole.0));
        Ok(wrong.map(|entry| Damage { feed: *feed, from: whole.0, entry, base: whole.1, head }))
    }
}

/// The first entry of a run whose body is not what its header names.
pub(super) fn first_damaged(
    view: &View<'_>,
    feed: &FeedId,
    key: &[u8],
    headers: HeadersRow,
) -> Result<u64, StoreError> {
    let from = run_from(key)?;
    let bodies = view.get_as_it_is(Table::Bodies, key)?.unwrap_or_default();
    let Ok(run) = headers.into_run(feed, from, bodies) else { return Ok(from) };
    Ok(wrong_body(&run).unwrap_or(from))
}

fn wrong_body(run: &Run) -> Option<u64> {
    let mut entries = run.entries();
    let wrong = entries.find(|entry| entry.body.is_some_and(|body| body_hash(body) != *entry.header.body_hash()));
    wrong.map(|entry| entry.seq)
}
