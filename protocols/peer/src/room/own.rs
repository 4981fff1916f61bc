//! The feeds this device writes in a space: drafts wait, go out as one batch, and become facts when they are durable.
//!
//! One batch of a feed is under way at a time. Whatever is asked for meanwhile gathers and goes out under one signed head:
//! many callers cost one signature and one write (group commit).

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
};

use bytes::Bytes;
use weft_crypto::{DeviceId, EpochId, FeedId, FeedSecret, InvitationId};
use weft_echo::WriteTicket;
use weft_feed::{Checkpoint, NewEntry, VerifiedRange, Writer, acknowledged::Acknowledged};
use weft_machine::ClaimedTime;

use super::elsewhere::Elsewhere;
use crate::io::{Ask, StreamId, Ticket};

/// Entries that belong together, in plaintext.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) kind: u32,
    /// The session that wrote it; 0: the node.
    pub(crate) session: u64,
    pub(crate) bodies: Vec<Bytes>,
    pub(crate) purpose: Purpose,
}

impl Draft {
    pub(crate) fn bytes(&self) -> usize {
        self.bodies.iter().map(|body| body.len() + 256).sum()
    }
}

/// What is to happen once the entries are durable.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// An application appended records.
    Records(Ask),
    /// ECHO wrote.
    Mutation(WriteTicket),
    /// A link was issued.
    Invitation { ask: Ask, link: String, invitation: InvitationId, hosts: Vec<DeviceId> },
    /// Somebody's right was changed; an epoch may have begun with it.
    Act { ask: Ask, counts: bool, epoch: Option<EpochId> },
    /// The space is kept writable.
    Upkeep,
    /// This member says which history it holds of a forked feed.
    Witness(FeedId),
    /// A newcomer was let in.
    Redemption { stream: StreamId, invitation: InvitationId },
    /// A sibling was let in.
    LetIn { stream: StreamId },
    /// A device of this identity was removed here as elsewhere.
    Carried { device: DeviceId },
    /// A newcomer was let in whom a person has approved.
    Approval { ask: Ask, invitation: InvitationId, newcomer: DeviceId },
    /// An invitation was taken back.
    Revocation { ask: Ask, invitation: InvitationId, standing: u32 },
}

/// A draft, and the first entry it became.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) draft: Draft,
    pub(crate) from: u64,
}

/// A batch on its way to the disk.
#[derive(Debug)]
pub(crate) struct Flying {
    pub(crate) ticket: Option<Ticket>,
    before: (Checkpoint, Acknowledged),
    pub(crate) placed: Vec<Placed>,
}

/// One feed that this device writes.
#[derive(Debug)]
pub(crate) struct OwnFeed {
    pub(crate) feed: FeedId,
    writer: Writer,
    /// What of other feeds the next entry will name.
    pub(crate) news: Acknowledged,
    drafts: VecDeque<Draft>,
    bytes: usize,
    flying: Option<Flying>,
    /// A longer log came back from a peer; the writer goes on from it once it is released.
    stale: bool,
    /// Peers claim that they hold more of it. Nothing is written before that is adopted, or found to be nothing (PEER-3.1).
    pub(crate) elsewhere: Elsewhere,
}

impl OwnFeed {
    pub(crate) fn new(writer: Writer, news: Acknowledged) -> OwnFeed {
        let feed = writer.origin().feed;
        OwnFeed {
            feed,
            writer,
            news,
            drafts: VecDeque::new(),
            bytes: 0,
            flying: None,
            stale: false,
            elsewhere: Elsewhere::default(),
        }
    }

    /// Nothing more is written by this one.
    pub(crate) fn into_secret(self) -> FeedSecret {
        self.writer.into_secret()
    }

    pub(crate) fn push(&mut self, draft: Draft) {
        self.bytes += draft.bytes();
        self.drafts.push_back(draft);
    }

    pub(crate) fn drafts(&self) -> usize {
        self.drafts.len()
    }

    pub(crate) fn draft_bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn length(&self) -> u64 {
        self.writer.length()
    }

    /// Whether the next entries say which history of a forked feed is held.
    pub(crate) fn bears_witness(&self) -> bool {
        self.drafts.iter().any(|draft| matches!(draft.purpose, Purpose::Witness(_)))
    }

    /// How much of each feed its entries have named.
    pub(crate) fn named(&self) -> BTreeMap<FeedId, u64> {
        self.writer.checkpoint().named
    }

    /// Nothing waits and nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.drafts.is_empty() && self.flying.is_none()
    }

    /// A batch is on its way to the disk.
    pub(crate) fn is_flying(&self) -> bool {
        self.flying.is_some()
    }

    /// Whether a batch can be composed now.
    pub(crate) fn is_ready(&self) -> bool {
        !self.drafts.is_empty()
            && self.flying.is_none()
            && !self.stale
            && self.elsewhere.length() <= self.writer.length()
    }

    /// Puts waiting drafts, up to `bytes_max`, under signed heads. What there is to acknowledge goes into the first entry, and
    /// into merge entries before it when it is too much. `seal` makes the stored body of (seq, kind, plaintext).
    pub(crate) fn compose(
        &mut self,
        claimed: ClaimedTime,
        epoch: Option<EpochId>,
        bytes_max: usize,
        mut seal: impl FnMut(u64, u32, &Bytes) -> Bytes,
    ) -> Vec<VerifiedRange> {
        let before = (self.writer.checkpoint(), self.news.clone());
        let acknowledgement = self.news.take();
        let mut placed = Vec::new();
        let mut entries = Vec::new();
        let mut seq = self.writer.length();
        for deps in acknowledgement.merges {
            entries.push(NewEntry::merge(claimed, deps));
            seq += 1;
        }
        let mut deps = acknowledgement.deps;
        let mut bytes = 0;
        while let Some(draft) = self.drafts.front() {
            if bytes > 0 && bytes + draft.bytes() > bytes_max {
                break;
            }
            let draft = self.drafts.pop_front().expect("just seen");
            bytes += draft.bytes();
            self.bytes -= draft.bytes();
            let from = seq;
            for plaintext in &draft.bodies {
                let body = seal(seq, draft.kind, plaintext);
                let deps = mem::take(&mut deps);
                entries.push(NewEntry { kind: draft.kind, session: draft.session, epoch, claimed, deps, body });
                seq += 1;
            }
            placed.push(Placed { draft, from });
        }
        let ranges = self.writer.append(entries).expect("drafts were checked when they were taken");
        self.flying = Some(Flying { ticket: None, before, placed });
        ranges
    }

    /// The batch that was composed last is ordered under this ticket.
    pub(crate) fn ordered(&mut self, ticket: Ticket) {
        self.flying.as_mut().expect("composed just before").ticket = Some(ticket);
    }

    /// The batch is durable: what it held.
    pub(crate) fn landed(&mut self, ticket: Ticket) -> Vec<Placed> {
        match &self.flying {
            Some(flying) if flying.ticket == Some(ticket) => self.flying.take().expect("just seen").placed,
            _ => Vec::new(),
        }
    }

    /// The batch was not written: the writer is back where it was, and everything that waited fails with it, since later
    /// drafts may build on earlier ones.
    pub(crate) fn failed(&mut self, ticket: Ticket) -> Vec<Draft> {
        match self.flying.take() {
            Some(flying) if flying.ticket == Some(ticket) => {
                let (checkpoint, news) = flying.before;
                self.writer.rollback(checkpoint);
                self.news = news;
                self.bytes = 0;
                flying.placed.into_iter().map(|placed| placed.draft).chain(self.drafts.drain(..)).collect()
            }
            flying => {
                self.flying = flying;
                Vec::new()
            }
        }
    }

    /// A longer log of this feed, signed by this device, came back from a peer: it is adopted, not contradicted.
    pub(crate) fn adopt(&mut self, state: Checkpoint, news: Acknowledged) {
        self.writer.rollback(state);
        self.news = news;
        self.stale = false;
    }

    /// See [`OwnFeed::adopt`]: until then nothing is written.
    pub(crate) fn is_overtaken(&mut self) {
        self.stale = true;
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Takes back everything that waits: it cannot be written any more.
    pub(crate) fn give_up(&mut self) -> Vec<Draft> {
        self.bytes = 0;
        self.drafts.drain(..).collect()
    }
}
