//! Rows: what the store is made of below feeds and objects, and how a set of changes is written down in the journal.

use bytes::{BufMut, Bytes};

/// The tables. Keys and values are bytes; [`super::layout`] says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Table {
    /// Version, id and the journal's mark.
    Meta,
    /// Feed id: number, space and manifest.
    Feeds,
    /// Feed number: newest head and tree.
    States,
    /// Feed number and first entry of a run: its headers, and the head at its end if there is one.
    Headers,
    /// The same key: the run's bodies.
    Bodies,
    /// Private rows of the peer.
    Local,
    /// Space id: number.
    Spaces,
    /// Space number, table and key: a derived row.
    Derived,
    /// Rows of the node itself: addresses of peers.
    Node,
}

impl Table {
    pub(super) const ALL: [Table; 9] = [
        Table::Meta,
        Table::Feeds,
        Table::States,
        Table::Headers,
        Table::Bodies,
        Table::Local,
        Table::Spaces,
        Table::Derived,
        Table::Node,
    ];

    pub(super) fn definition(self) -> redb::TableDefinition<'static, &'static [u8], &'static [u8]> {
        redb::TableDefinition::new(self.name())
    }

    /// As redb and people know it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Table::Meta => "meta",
            Table::Feeds => "feeds",
            Table::States => "states",
            Table::Headers => "headers",
            Table::Bodies => "bodies",
            Table::Local => "local",
            Table::Spaces => "spaces",
            Table::Derived => "derived",
            Table::Node => "node",
        }
    }
}

/// A change of rows. Doing it twice is doing it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Put(Table, Bytes, Bytes),
    Remove(Table, Bytes),
    /// Every row whose key begins with this.
    RemovePrefix(Table, Bytes),
}

/// How many bytes [`encode`] makes of them.
pub(super) fn encoded_len(changes: &[Change]) -> usize {
    let len = |change: &Change| match change {
        Change::Put(_, key, value) => 10 + key.len() + value.len(),
        Change::Remove(_, key) | Change::RemovePrefix(_, key) => 6 + key.len(),
    };
    changes.iter().map(len).sum()
}

/// Each change: what it is, table, key length, key, and for a put value length and value; numbers are u32 little endian.
pub(super) fn encode(changes: &[Change], out: &mut Vec<u8>) {
    for change in changes {
        let (what, table, key) = match change {
            Change::Put(table, key, _) => (0, table, key),
            Change::Remove(table, key) => (1, table, key),
            Change::RemovePrefix(table, key) => (2, table, key),
        };
        out.put_u8(what);
        out.put_u8(*table as u8);
        out.put_u32_le(key.len() as u32);
        out.put_slice(key);
        if let Change::Put(_, _, value) = change {
            out.put_u32_le(value.len() as u32);
            out.put_slice(value);
        }
    }
}

/// The inverse of [`encode`]; nothing for other bytes.
pub(super) fn decode(bytes: &Bytes) -> Option<Vec<Change>> {
    let mut rest = bytes.clone();
    let mut changes = Vec::new();
    while !rest.is_empty() {
        let what = take(&mut rest, 1)?[0];
        let table = *Table::ALL.get(usize::from(take(&mut rest, 1)?[0]))?;
        let key = take_framed(&mut rest)?;
        changes.push(match what {
            0 => Change::Put(table, key, take_framed(&mut rest)?),
            1 => Change::Remove(table, key),
            2 => Change::RemovePrefix(table, key),
            _ => return None,
        });
    }
    Some(changes)
}

fn take(rest: &mut Bytes, count: usize) -> Option<Bytes> {
    (rest.len() >= count).then(|| rest.split_to(count))
}

fn take_framed(rest: &mut Bytes) -> Option<Bytes> {
    let len = u32::from_le_bytes(take(rest, 4)?.as_ref().try_into().ok()?);
    take(rest, len as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_survive_the_journal_and_cut_bytes_do_not() {
        let changes = vec![
            Change::Put(Table::Headers, Bytes::from_static(b"key"), Bytes::from_static(b"value")),
            Change::Remove(Table::Local, Bytes::from_static(b"gone")),
            Change::RemovePrefix(Table::Derived, Bytes::new()),
            Change::Put(Table::Node, Bytes::new(), Bytes::new()),
        ];
        let mut out = Vec::new();
        encode(&changes, &mut out);
        assert_eq!(out.len(), encoded_len(&changes));
        assert_eq!(decode(&out.clone().into()), Some(changes.clone()));
        for cut in 0..out.len() {
            assert_ne!(decode(&Bytes::copy_from_slice(&out[..cut])), Some(changes.clone()));
        }
    }
}
