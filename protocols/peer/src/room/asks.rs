//! What an application asks of a room.

use bytes::Bytes;
use weft_credential::Redemption;
use weft_crypto::{FeedId, ObjectId, Purpose as FeedPurpose};
use weft_echo::{Edit, EditTicket};
use weft_feed::kind;
use weft_machine::{Draws, Machine as _, Time};

use super::{
    EditPurpose, Reader, Rebuild, Room,
    own::{self, Draft},
};
use crate::{
    command::{Answer, Refusal, RefusalKind},
    io::{Ask, Output, StreamId},
    links,
    outbox::{Outbox, Purpose},
};

impl Room {
    /// Why nothing can be written now, if that is so.
    pub(crate) fn may_write(&self) -> Result<(), Refusal> {
        links::membership::may_write(self)
    }

    pub(crate) fn append(&mut self, ask: Ask, records: Vec<Bytes>) -> Result<(), Refusal> {
        self.may_write()?;
        if let Some(large) = records.iter().find(|record| record.len() > self.config.record_bytes_max) {
            let message =
                format!("a record of {} bytes is over the limit of {}", large.len(), self.config.record_bytes_max);
            return Err(Refusal::new(RefusalKind::Refused, "too_large", message, "split it into several records"));
        }
        if records.is_empty() {
            return Err(Refusal::new(
                RefusalKind::Refused,
                "empty",
                "there is no record to append",
                "give at least one",
            ));
        }
        let draft = Draft { kind: kind::RECORD, session: 0, bodies: records, purpose: own::Purpose::Records(ask) };
        self.draft_data(draft)
    }

    /// Why this device can write no control entry now, if that is so.
    pub(crate) fn may_change_members(&self) -> Result<(), Refusal> {
        links::membership::may_write(self)
    }

    fn draft_data(&mut self, draft: Draft) -> Result<(), Refusal> {
        if matches!(self.rebuild, Some((Rebuild::Wanted, _))) {
            let message = "objects are about to be derived again, and own writes finish first";
            return Err(Refusal::new(RefusalKind::Failed, "busy", message, "try again in a moment"));
        }
        let full = self.data.drafts() >= self.config.drafts_max
            || self.data.draft_bytes() + draft.bytes() > self.config.draft_bytes_max + self.config.batch_bytes_max;
        if full && !self.data.is_idle() {
            return Err(Refusal::new(
                RefusalKind::Failed,
                "busy",
                "more is waiting to be written in this space than fits",
                "wait for earlier writes to be answered, then try again",
            ));
        }
        self.data.push(draft);
        Ok(())
    }

    pub(crate) fn edit(&mut self, now: Time, edit: Edit, purpose: EditPurpose) {
        if matches!(self.rebuild, Some((Rebuild::Wanted, _))) {
            self.edits_waiting.push_back((edit, purpose));
            return;
        }
        self.next_edit += 1;
        let ticket = EditTicket(self.next_edit);
        self.edits.insert(ticket, purpose);
        self.echo.handle_input(now, weft_echo::Input::Edit { ticket, edit });
    }

    pub(crate) fn invite(&mut self, draft: Draft) {
        self.control.push(draft);
    }

    /// A newcomer's redemption is to be written down, if its link still stands.
    pub(crate) fn redeem(
        &mut self,
        stream: StreamId,
        redemption: &Redemption,
        now_ms: u64,
        draws: &mut Draws,
    ) -> Result<links::invitation::Redeemed, weft_invitation::Reason> {
        links::invitation::redeem(self, stream, redemption, now_ms, draws)
    }

    pub(crate) fn rebuild(&mut self, ask: Ask) {
        match &mut self.rebuild {
            Some((_, asks)) => asks.push(ask),
            None => self.rebuild = Some((Rebuild::Wanted, vec![ask])),
        }
    }

    /// Answers once what is shown, of an object or of all, holds all that was held when the room was opened, and goes by the
    /// verdicts of now.
    pub(crate) fn catch_up(&mut self, now: Time, ask: Ask, object: Option<ObjectId>) {
        if let Some(object) = object {
            self.echo.handle_input(now, weft_echo::Input::Look { object });
        }
        self.catching_up.push((ask, object, self.echo.judged()));
    }

    pub(crate) fn read_records(
        &mut self,
        ask: Ask,
        feed: FeedId,
        from: u64,
        entries_max: u64,
        outbox: &mut Outbox,
    ) -> Result<(), Refusal> {
        let known = self.ledger.get(&feed).filter(|entry| entry.manifest.purpose == FeedPurpose::Data);
        if known.is_none() {
            let message = format!("there is no data feed {feed} in this space");
            return Err(Refusal::new(
                RefusalKind::NotFound,
                "unknown_feed",
                message,
                "`weft feed list SPACE` lists them",
            ));
        }
        // Whether an entry counts is known once its past is here.
        let until = from.saturating_add(entries_max).min(self.data_order.released(&feed));
        if from >= until {
            outbox.push(Output::Answer { ask, result: Ok(Answer::Records { records: Vec::new(), next: from }) });
            return Ok(());
        }
        let ticket = outbox.read(Purpose::RoomRecords(self.space), feed, from, self.config.replay_bytes_max);
        self.readers.insert(ticket, Reader { ask, feed, from, until });
        Ok(())
    }
}
