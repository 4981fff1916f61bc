//! Drafts: what an application wants written while it is not known where the own feeds end.
//!
//! They are the application's own words, sealed in private rows: nothing of them is signed, so nothing can contradict what was
//! signed before. The application appends them, in their order, once [`Event::EndsKnown`] is told, and takes each away when it is
//! written. They are few: a person's edits while no member is near. Spec: PEER-11
//!
//! [`Event::EndsKnown`]: crate::event::Event::EndsKnown

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_machine::Draws;

use super::{Persisting, Room};
use crate::{
    command::{Answer, Refusal, RefusalKind},
    io::{Ask, Output},
    links::own::not_stored,
    local,
    outbox::{Outbox, Purpose},
    store::{Batch, Write},
};

/// The drafts of a room by their number, sealed.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    kept: BTreeMap<u64, Bytes>,
    last: u64,
    /// Of those that are kept, and of those on their way to the disk.
    bytes: usize,
    under_way: usize,
}

/// A change of the drafts on its way to the disk: this one is kept, or it is dropped.
#[derive(Debug)]
pub(crate) struct Change {
    ask: Ask,
    number: u64,
    sealed: Option<Bytes>,
}

impl Drafts {
    pub(crate) fn opened(rows: Vec<(u64, Bytes)>) -> Drafts {
        let kept: BTreeMap<u64, Bytes> = rows.into_iter().collect();
        let bytes = kept.values().map(Bytes::len).sum();
        Drafts { last: kept.keys().next_back().copied().unwrap_or(0), bytes, kept, under_way: 0 }
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.kept.keys().copied()
    }

    pub(crate) fn count(&self) -> usize {
        self.kept.len()
    }
}

impl Room {
    /// Keeps a draft. One that has a number already is replaced.
    pub(crate) fn keep_draft(
        &mut self,
        ask: Ask,
        number: Option<u64>,
        content: &[u8],
        draws: &mut Draws,
        outbox: &mut Outbox,
    ) -> Result<(), Refusal> {
        let number = match number {
            Some(number) if self.drafts.kept.contains_key(&number) => number,
            Some(number) => return Err(unknown(number)),
            None if self.unsure.is_none() => {
                let message = "the ends of this device's feeds are known: there is no need of a draft";
                return Err(Refusal::new(RefusalKind::Failed, "ends_known", message, "make the change"));
            }
            None => self.drafts.last + 1,
        };
        let is_full = self.drafts.kept.len() + self.drafts.under_way >= self.config.kept_drafts_max
            || self.drafts.bytes + content.len() > self.config.kept_draft_bytes_max;
        if is_full && !self.drafts.kept.contains_key(&number) {
            let message = "more drafts wait in this space than are kept";
            let hint = "connect to another member of the space, or drop some: `weft draft list SPACE`";
            return Err(Refusal::new(RefusalKind::Refused, "too_many_drafts", message, hint));
        }
        let sealed = local::seal_draft(&self.me.device, content, draws.draw16());
        self.drafts.last = self.drafts.last.max(number);
        self.drafts.bytes += sealed.len();
        self.drafts.under_way += 1;
        self.change_draft(Change { ask, number, sealed: Some(sealed) }, outbox);
        Ok(())
    }

    /// Drops a draft, because it is written or not wanted any more.
    pub(crate) fn drop_draft(&mut self, ask: Ask, number: u64, outbox: &mut Outbox) -> Result<(), Refusal> {
        if !self.drafts.kept.contains_key(&number) {
            return Err(unknown(number));
        }
        self.change_draft(Change { ask, number, sealed: None }, outbox);
        Ok(())
    }

    fn change_draft(&mut self, change: Change, outbox: &mut Outbox) {
        let row = Write::Local { key: local::draft_key(&self.space, change.number), value: change.sealed.clone() };
        let ticket = outbox.persist(Purpose::RoomPersist(self.space), Batch { writes: vec![row], durable: true });
        self.persisting.insert(ticket, Persisting::Draft(change));
    }

    /// A change of the drafts is durable.
    pub(crate) fn changed_draft(&mut self, change: Change, outbox: &mut Outbox) {
        let Change { ask, number, sealed } = change;
        let kept = sealed.is_some();
        let before = match sealed {
            Some(sealed) => {
                self.drafts.under_way -= 1;
                self.drafts.kept.insert(number, sealed)
            }
            None => self.drafts.kept.remove(&number),
        };
        self.drafts.bytes -= before.map_or(0, |before| before.len());
        let answer = if kept { Answer::DraftKept { number } } else { Answer::DraftDropped };
        outbox.push(Output::Answer { ask, result: Ok(answer) });
    }

    /// The disk did not take it.
    pub(crate) fn draft_failed(&mut self, change: Change, reason: &str, outbox: &mut Outbox) {
        if let Some(sealed) = &change.sealed {
            self.drafts.under_way -= 1;
            self.drafts.bytes -= sealed.len();
        }
        outbox.push(Output::Answer { ask: change.ask, result: Err(not_stored(reason)) });
    }

    /// Every draft with its number, in the order in which they were kept.
    pub(crate) fn all_drafts(&self) -> Result<Vec<(u64, Bytes)>, Refusal> {
        let open = |(number, sealed): (&u64, &Bytes)| {
            let content = local::open_draft(&self.me.device, sealed).map_err(|error| {
                let hint = "the store and the device key do not belong together; drop it";
                Refusal::new(RefusalKind::Store, "damaged_draft", format!("draft {number}: {error}"), hint)
            })?;
            Ok((*number, content))
        };
        self.drafts.kept.iter().map(open).collect()
    }
}

fn unknown(number: u64) -> Refusal {
    let message = format!("there is no draft {number} in this space");
    Refusal::new(RefusalKind::NotFound, "unknown_draft", message, "`weft draft list SPACE` lists them")
}
