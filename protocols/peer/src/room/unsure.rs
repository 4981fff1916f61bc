//! Whether this device knows where its own feeds end.
//!
//! A node that lost its store has its keys and the control feeds again, and not what it wrote last. What it would sign now
//! could contradict what it signed before and others hold: an honest device would fork itself. So it writes nothing before a
//! member has shown all that it holds and whatever that is of the own feeds is here again. Where no other device was
//! ever let in, nobody can hold anything, and there is nothing to wait for. Spec: PEER-3.3

use weft_crypto::FeedId;

use super::Room;
use crate::{
    command::{Refusal, RefusalKind},
    local,
    outbox::Outbox,
    store::{Batch, Write},
};

/// What the store knew of the own feeds before it was lost: at least so many entries of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsure {
    pub(crate) control: u64,
    pub(crate) data: u64,
}

impl Room {
    /// Whether own feeds may be written, as far as their ends go. Becomes so once, and is kept.
    pub(crate) fn knows_its_ends(&mut self, outbox: &mut Outbox) -> bool {
        let Some(unsure) = self.unsure else { return true };
        let came_back = |feed: &FeedId, before: u64| {
            let held = self.ledger.get(feed).map_or(0, |entry| entry.tree.length());
            held >= before && self.sources.is_shown(feed)
        };
        let shown = came_back(&self.control.feed, unsure.control) && came_back(&self.data.feed, unsure.data);
        if !shown && !self.is_alone() {
            return false;
        }
        self.unsure = None;
        let row = Write::Local { key: local::unsure_key(&self.space), value: None };
        self.persist_rows(Batch { writes: vec![row], durable: true }, outbox);
        true
    }

    /// No other device was ever let into the space.
    fn is_alone(&self) -> bool {
        let members = self.membership.resolution().members();
        let mut devices = members.iter().flat_map(|member| &member.devices).peekable();
        devices.peek().is_some() && devices.all(|device| *device == self.me.device.id())
    }

    pub(crate) fn refusal_while_unsure(&self) -> Option<Refusal> {
        self.unsure.map(|_| {
            let message = "this device lost its store and does not know how far its own feeds went; what it wrote now could \
                           contradict what others hold of it";
            let hint = "connect to another member of the space: writing goes on when it has shown what it holds";
            Refusal::new(RefusalKind::Refused, "end_unknown", message, hint)
        })
    }
}
