//! Opens an object from its rows. What does not fit is damage, never a guess.

use bytes::Bytes;
use weft_crypto::FeedId;

use super::Object;
use crate::ids::Clients;
use crate::reach::{Step, Tracks};
use crate::rows::{self, About, ClockTrack, Clocks, OrderPiece, RowError, Tail};
use crate::tables::{self, Part};

pub(super) fn load(
    mut object: Object,
    rows: &[(Bytes, Bytes)],
    clients: &Clients,
) -> Result<(Object, Vec<(FeedId, u64)>), RowError> {
    let mut entries = Vec::new();
    let mut snapshot = Vec::new();
    let mut tails = Vec::new();
    for (key, value) in rows {
        let (id, part, rest) =
            tables::parse_object_key(key).ok_or_else(|| RowError::new("object", "an unknown key"))?;
        if id != object.id {
            return Err(RowError::new("object", "a row of another object"));
        }
        match part {
            Part::About => object.about = Some(rows::decode::<About>("about", value)?),
            Part::Register => {
                let name = std::str::from_utf8(rest).map_err(|error| RowError::new("register", error))?;
                let writes = rows::decode::<rows::Register>("register", value)?.into_writes()?;
                object.registers.insert(name.to_owned(), writes);
            }
            Part::Clocks => {
                let page = rows::decode::<Clocks>("clocks", value)?;
                for track in &page.tracks {
                    load_track(&mut object.tracks, track, clients)?;
                }
                entries.extend(page.listed()?);
                object.text.loaded_clocks(number(rest)?);
            }
            Part::Judged => object.judged = rows::judged(value)?,
            Part::Folded => object.text.loaded_fold(rows::folded(value)?),
            Part::Order => object.text.load_order(number(rest)?, &rows::decode::<OrderPiece>("order", value)?)?,
            Part::Snapshot => snapshot.push(value),
            Part::Tail => tails.push((number(rest)?, value)),
        }
    }
    if !snapshot.is_empty() {
        object.text.load_snapshot(&snapshot)?;
    }
    for (number, value) in tails {
        let tail: Tail = rows::decode("tail", value)?;
        let feed = FeedId::from_bytes(rows::id(&tail.feed, "tail")?);
        let client = clients.of(&feed, tail.session);
        object.text.load_tail(number, &tail, client, feed, &mut object.tracks)?;
        if tail.state != Tail::GAP {
            entries.push((feed, tail.seq));
        }
    }
    for (feed, seq) in &entries {
        object.feeds.insert(*feed, *seq);
    }
    Ok((object, entries))
}

fn number(rest: &[u8]) -> Result<u64, RowError> {
    tables::parse_number(rest).ok_or_else(|| RowError::new("object", "a key without its number"))
}

fn load_track(tracks: &mut Tracks, row: &ClockTrack, clients: &Clients) -> Result<(), RowError> {
    let damaged = || RowError::new("clocks", "clocks that do not continue");
    let feed = FeedId::from_bytes(rows::id(&row.feed, "clocks")?);
    let client = clients.of(&feed, row.session);
    if tracks.is_taken(client, &feed, row.session)
        || tracks.end(client) != row.from
        || row.seqs.len() != row.clocks.len()
    {
        return Err(damaged());
    }
    let (mut seq, mut end, mut first) = (tracks.last_seq(client), row.from, true);
    for (later, clocks) in row.seqs.iter().zip(&row.clocks) {
        let next = if first { Some(*later) } else { seq.and_then(|seq| seq.checked_add(*later)) };
        // A gap has the number of the entry that follows it.
        let next = next.filter(|next| seq.is_none_or(|seq| *next >= seq)).ok_or_else(damaged)?;
        let taken = u32::try_from(clocks / 2).ok().filter(|taken| *taken > 0).ok_or_else(damaged)?;
        end = end.checked_add(taken).ok_or_else(damaged)?;
        tracks.push(client, feed, row.session, Step { seq: next, end, integrated: clocks % 2 == 0 });
        (seq, first) = (Some(next), false);
    }
    Ok(())
}
