//! A room that is given up: who waits for it, and what private rows it has.

use bytes::Bytes;

use super::{EditPurpose, Persisting, Room, Saying};
use crate::{io::Ask, local};

impl Room {
    /// Whether something that was asked for is on its way to the disk: who asked hears what became of it, first.
    pub(crate) fn is_writing(&self) -> bool {
        let asked = |persisting: &Persisting| {
            matches!(
                persisting,
                Persisting::Session { .. } | Persisting::Draft(_) | Persisting::Newcomer(Saying::Denied(_))
            )
        };
        !self.control.is_idle()
            || !self.data.is_idle()
            || !self.edits.is_empty()
            || !self.written.is_empty()
            || self.persisting.values().any(asked)
    }

    /// Who reads, or waits for something of this room.
    pub(crate) fn readers_and_waiters(&mut self) -> Vec<Ask> {
        let mut asks: Vec<Ask> = std::mem::take(&mut self.readers).into_values().map(|reader| reader.ask).collect();
        asks.extend(self.rebuild.take().into_iter().flat_map(|(_, asks)| asks));
        asks.extend(self.catching_up.drain(..).map(|(ask, ..)| ask));
        asks.extend(self.edits_waiting.drain(..).filter_map(|(_, purpose)| match purpose {
            EditPurpose::Ask(ask) | EditPurpose::Update(ask) | EditPurpose::SpaceName(ask) => Some(ask),
            EditPurpose::Profile => None,
        }));
        asks
    }

    /// The keys of its private rows.
    pub(crate) fn private_rows(&self) -> Vec<Bytes> {
        let space = &self.space;
        let mut rows = vec![
            local::space_key(space),
            local::joining_key(space),
            local::profile_key(space),
            local::sessions_key(space),
            local::said_key(space),
            local::unsure_key(space),
            local::link_keys_key(space),
            local::pre_keys_key(space),
        ];
        rows.extend(self.ledger.iter().map(|(feed, _)| local::stopped_key(feed)));
        rows.extend(self.drafts.numbers().map(|number| local::draft_key(space, number)));
        rows.extend(self.newcomers.ids().map(|(invitation, device)| local::newcomer_key(space, invitation, device)));
        rows
    }
}
