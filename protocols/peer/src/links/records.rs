//! Store → application: records of a feed, opened.

use weft_crypto::FeedId;
use weft_echo::Counts;
use weft_feed::kind;
use weft_replication::{ReadError, StoredRange};

use super::replay::{Judge, Sealed};
use crate::{
    command::{Answer, Refusal, RefusalKind},
    room::Room,
};

/// Opens the records among the entries `from..until` that were read. Records that are not here, that no held key opens, or that
/// do not count are left out. Spec: PEER-7
pub(crate) fn open(
    room: &mut Room,
    feed: FeedId,
    from: u64,
    until: u64,
    read: Result<Vec<StoredRange>, ReadError>,
) -> Result<Answer, Refusal> {
    let ranges = read.map_err(|error| match room.mending.damaged().find(|damage| damage.feed == feed) {
        Some(damage) => {
            let message = format!("entry {} of feed {feed} is damaged on this disk, and fetched again", damage.entry);
            Refusal::new(RefusalKind::Store, "damaged", message, "connect to somebody who holds it, then read again")
        }
        None => {
            let message = format!("entries of feed {feed} from {from} on cannot be read: {error}");
            Refusal::new(RefusalKind::Store, "unreadable", message, "`weft verify` says what is damaged")
        }
    })?;
    let (mut records, mut judge) = (Vec::new(), Judge::default());
    let mut next = from;
    for run in ranges.iter().flat_map(|range| &range.runs) {
        for entry in run.entries() {
            if entry.seq < next || entry.seq >= until {
                continue;
            }
            next = entry.seq + 1;
            if entry.header.kind() != kind::RECORD {
                continue;
            }
            let (Some(body), Some(epoch)) = (entry.body, entry.header.epoch()) else { continue };
            let Some(past) = room.data_order.past_at(&feed, next) else { continue };
            let sealed = Sealed { seq: entry.seq, session: entry.header.session(), epoch: Some(epoch) };
            if !matches!(judge.rule(room, &feed, sealed, next, &past), Counts::Counts | Counts::Taken) {
                continue;
            }
            let opened =
                room.keys.body_keys(&epoch, &feed).and_then(|keys| keys.open(entry.seq, kind::RECORD, body).ok());
            if let Some(record) = opened {
                records.push((entry.seq, record));
            }
        }
    }
    Ok(Answer::Records { records, next })
}
