//! Whether this device knows where its own feeds end.
//!
//! A node that lost its store, or runs on an older copy of it, does not have what it wrote last. What it would sign now
//! could contradict what it signed before and others hold: an honest device would fork itself. So it writes nothing before a
//! member has shown all that it holds and whatever that is of the own feeds is here again. Where no other device was
//! ever let in, nobody can hold anything, and there is nothing to wait for. Spec: PEER-3.3

use std::collections::BTreeSet;

use weft_crypto::{DeviceId, FeedId};

use super::Room;
use crate::{
    command::{Refusal, RefusalKind},
    event::Event,
    local,
    outbox::Outbox,
    store::{Batch, Ends, Write},
};

/// What is known of the ends, and who has shown what it holds of them.
#[derive(Debug)]
pub(crate) struct Unsure {
    ends: Ends,
    /// Devices whose lists were heard to their end, with nothing of the own feeds in them that is not here. They need not be
    /// connected any more: what they get later is held by somebody who was not heard.
    heard: BTreeSet<DeviceId>,
}

impl Unsure {
    pub(crate) fn new(ends: Ends) -> Unsure {
        Unsure { ends, heard: BTreeSet::new() }
    }
}

impl Room {
    /// Whether own feeds may be written, as far as their ends go. Becomes so once, and is kept. Spec: PEER-3.3
    pub(crate) fn knows_its_ends(&mut self, outbox: &mut Outbox) -> bool {
        let own = [self.control.feed, self.data.feed];
        let is_shown = own.iter().all(|feed| self.sources.is_shown(feed));
        let Some(unsure) = &mut self.unsure else { return true };
        if is_shown {
            unsure.heard.extend(self.sources.shown_by());
        }
        let held = |feed: &FeedId| self.ledger.get(feed).map_or(0, |entry| entry.tree.length());
        let [control, data] = own.each_ref().map(held);
        let is_back = Ends { control, data, others: 0 }.covers(&unsure.ends);
        if !(is_shown && is_back || self.everybody_was_heard()) {
            return false;
        }
        self.unsure = None;
        let row = Write::Local { key: local::unsure_key(&self.space), value: None };
        self.persist_rows(Batch { writes: vec![row], durable: true }, outbox);
        outbox.event(Event::EndsKnown { space: self.space });
        true
    }

    /// Every other device of the space has shown what it holds, so that nobody holds more; also when there is none. Devices
    /// may be known to be there of which an older copy does not know who they are.
    fn everybody_was_heard(&self) -> bool {
        let Some(unsure) = &self.unsure else { return true };
        let me = self.me.device.id();
        let members = self.membership.resolution().members();
        let devices: BTreeSet<DeviceId> = members.iter().flat_map(|member| &member.devices).copied().collect();
        let writers: BTreeSet<DeviceId> = self.ledger.iter().map(|(_, feed)| feed.manifest.device).collect();
        let others = writers.iter().filter(|device| **device != me).count() as u64;
        others >= unsure.ends.others
            && devices.contains(&me)
            && devices.iter().all(|device| *device == me || unsure.heard.contains(device))
    }

    pub(crate) fn refusal_while_unsure(&self) -> Option<Refusal> {
        self.unsure.as_ref().map(|_| {
            let message = "this device lost its store, or its data folder is an older or another copy, and it does not know how far \
                           its own feeds went; what it wrote now could contradict what others hold of it";
            let hint = "connect to another member of the space: writing goes on when it has shown what it holds";
            Refusal::new(RefusalKind::Refused, "end_unknown", message, hint)
        })
    }
}
