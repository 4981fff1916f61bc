//! Feeds of which another history showed: both are compared, and this member says which one it holds.
//!
//! The other history is fetched from whoever claims it, as a damaged part would be (PEER-8), and only its tree is kept. Where both
//! part, a fork proof is made, and a control entry carries it; so everybody learns of it, and the resolution says what is kept.
//! Spec: PEER-4.1

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use weft_credential::{Branch, Credential, ForkProven};
use weft_crypto::{DeviceId, EntryId, FeedId, Head};
use weft_feed::{
    VerifiedRange, entry_id, kind, leaf,
    proof::{ForkProof, Nodes},
};
use weft_machine::Time;
use weft_replication::{ReadError, StoredRange};
use weft_space::{Fork, compose};

use super::{
    Effect, Room,
    ledger::End,
    mending::Question,
    own::{Draft, Purpose},
    replacing::Replacement,
};
use crate::{io::Ticket, links, outbox};

/// How long a peer may take between two ranges. 10 s, a guess, as for a damaged part.
const PATIENCE: Duration = Duration::from_secs(10);

/// Entries of a history that is compared. A million: 80 MiB of tree while it lasts. Of a longer feed the fork is shown and not proved.
const ENTRIES_MAX: u64 = 1 << 20;

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 1 << 20;

/// A feed with another history.
struct Case {
    /// The head of the other one.
    other: Head,
    ours: Nodes,
    theirs: Nodes,
    /// The other history's header where both part, once that came by.
    parts: Option<(u64, Bytes)>,
    /// The own one's.
    header: Option<Bytes>,
    /// What is held here where histories may part: after so many entries in common.
    entries: BTreeMap<u64, EntryId>,
    reading: Option<Ticket>,
    asked: Option<DeviceId>,
    until: Time,
    tried: BTreeSet<DeviceId>,
    /// A peer that holds what is kept says that this is not what is held here, though the entry is the same.
    astray: bool,
    /// What this member had to say is on its way, or said, and it is known what becomes of what it holds.
    said: bool,
}

/// What a case needs next.
enum Step {
    /// To read its own history from here on, so many bytes.
    Read(u64, usize),
    /// To take it for another one than is kept.
    Stop(Head),
    /// To hear the other one.
    Ask,
    /// To say what it holds.
    Say {
        common: u64,
    },
    /// What is held is the beginning of what is kept: to go on to its end.
    GoOn(End),
    /// It is not: to put what is kept in its place. Tells whether the entry where histories part is the same.
    Replace(End, bool),
    Rest,
}

/// Those of a space.
#[derive(Default)]
pub(crate) struct Forks {
    cases: BTreeMap<FeedId, Case>,
    /// Feeds of which another history is kept than is held.
    pub(crate) replacements: BTreeMap<FeedId, Replacement>,
}

impl Forks {
    /// A head showed that contradicts what is held.
    pub(crate) fn found(&mut self, now: Time, other: Head) {
        self.cases.entry(other.feed).or_insert_with(|| Case {
            other,
            ours: Nodes::new(),
            theirs: Nodes::new(),
            parts: None,
            header: None,
            entries: BTreeMap::new(),
            reading: None,
            asked: None,
            until: now,
            tried: BTreeSet::new(),
            astray: false,
            said: false,
        });
    }

    /// A range of another history: of the one that contradicts, from its start, or of the one that is kept.
    pub(crate) fn came(&mut self, now: Time, device: DeviceId, range: &VerifiedRange) {
        if let Some(replacement) = self.replacements.get_mut(&range.feed()) {
            replacement.came(now, device, range);
        }
        let Some(case) = self.cases.get_mut(&range.feed()).filter(|case| case.asked == Some(device)) else { return };
        case.until = now + PATIENCE;
        for entry in range.runs().iter().flat_map(weft_feed::Run::entries) {
            if entry.seq == case.theirs.length() && entry.seq < case.other.length {
                let header = entry.header.bytes();
                push(&mut case.theirs, header, entry.header.body_len());
                // What goes beyond the own one's end does not part from it.
                let same = case.parts.is_some()
                    || entry.seq >= case.ours.length()
                    || case.theirs.get(2 * entry.seq) == case.ours.get(2 * entry.seq);
                if !same {
                    case.parts = Some((entry.seq, Bytes::copy_from_slice(header)));
                }
            }
        }
        // That peer holds the same as this one.
        if case.theirs.length() == case.other.length && case.parts.is_none() {
            case.forget();
        }
    }

    /// A peer does not give it, or is gone.
    pub(crate) fn refused(&mut self, device: DeviceId, feed: Option<&FeedId>) {
        let replacements = self.replacements.iter_mut();
        for (_, replacement) in replacements.filter(|(other, _)| feed.is_none_or(|feed| feed == *other)) {
            replacement.refused(device, feed.is_none());
        }
        for (_, case) in self.cases.iter_mut().filter(|(other, _)| feed.is_none_or(|feed| feed == *other)) {
            if case.asked == Some(device) && case.theirs.length() < case.other.length {
                case.forget();
            }
            if feed.is_none() {
                case.tried.remove(&device);
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        let open = self.cases.values().filter(|case| !case.said && case.theirs.length() < case.other.length);
        let open = open.filter(|case| !case.tried.is_empty()).map(|case| case.until);
        open.chain(self.replacements.values().filter_map(Replacement::deadline)).min()
    }

    pub(crate) fn wake(&mut self, now: Time) {
        self.replacements.values_mut().for_each(|replacement| replacement.wake(now));
        for case in self.cases.values_mut().filter(|case| case.until <= now && case.theirs.length() < case.other.length)
        {
            if case.asked.is_some() {
                case.forget();
            } else {
                case.tried.clear();
            }
            case.until = now + PATIENCE;
        }
    }
}

impl Case {
    fn forget(&mut self) {
        self.asked = None;
        self.theirs = Nodes::new();
        (self.parts, self.header) = (None, None);
    }
}

fn push(nodes: &mut Nodes, header: &[u8], body_len: u64) {
    nodes.push(weft_feed::Peak { hash: leaf(header), size: header.len() as u64 + body_len });
}

impl Room {
    /// What is known of forks changed: whoever holds another history than is kept has something to do. Spec: PEER-4.1
    pub(crate) fn forks_changed(&mut self, now: Time, feeds: &[FeedId]) {
        for feed in feeds {
            let kept = self.membership.resolution().fork(feed).and_then(|fork| fork.kept);
            self.forks.replacements.remove(feed);
            // Anybody can prove forks of feeds that nobody knows.
            if let Some(kept) = kept.filter(|_| self.ledger.get(feed).is_some()) {
                self.forks.found(now, kept.head);
            }
            if let Some(case) = self.forks.cases.get_mut(feed) {
                (case.said, case.astray) = (false, false);
            }
        }
    }

    /// Who says that it holds what is kept of a feed says too that this contradicts what is held here.
    pub(crate) fn leads_elsewhere(&mut self, device: DeviceId, feed: &FeedId) {
        let Some(entry) = self.ledger.get(feed) else { return };
        let Some(End { head, .. }) = entry.end.filter(|end| entry.tree.length() < end.head.length) else { return };
        if self.sources.holders_of(*feed, head.length, head.root).any(|holder| holder == device)
            && let Some(case) = self.forks.cases.get_mut(feed)
        {
            (case.said, case.astray) = (false, true);
        }
    }

    /// Moves every fork on as far as it goes. Tells whether others may wait for less of a feed than before.
    pub(crate) fn compare_histories(&mut self, now: Time, outbox: &mut outbox::Outbox) -> bool {
        let mut moved = false;
        let feeds: Vec<FeedId> = self.forks.cases.keys().copied().collect();
        for feed in feeds {
            match self.next_step(&feed) {
                Step::Read(from, bytes_max) => {
                    let ticket = outbox.read(outbox::Purpose::RoomFork(self.space, feed), feed, from, bytes_max);
                    self.forks.cases.get_mut(&feed).expect("listed").reading = Some(ticket);
                }
                Step::Stop(kept) => {
                    self.is_another(now, kept, outbox);
                    moved = true;
                }
                Step::Ask => {
                    let case = self.forks.cases.get_mut(&feed).expect("listed");
                    let holders = self.sources.holders(&feed, case.other.length);
                    if let Some(device) = holders.into_iter().find(|device| !case.tried.contains(device)) {
                        case.asked = Some(device);
                        case.until = now + PATIENCE;
                        case.tried.insert(device);
                        let question = Question { device, feed, base: None, until: case.other.length };
                        self.effects.push_back(Effect::Mend(question));
                    }
                }
                Step::Say { common } => self.witness(feed, common),
                Step::GoOn(end) => {
                    self.forks.cases.get_mut(&feed).expect("listed").said = true;
                    moved |= self.goes_on(now, feed, end);
                }
                Step::Replace(end, same) => {
                    self.forks.cases.get_mut(&feed).expect("listed").said = true;
                    self.is_to_be_replaced(now, feed, end, same, outbox);
                    moved = true;
                }
                Step::Rest => {}
            }
        }
        moved
    }

    fn next_step(&mut self, feed: &FeedId) -> Step {
        // Who cannot write takes what is kept; who does not know its ends may be able to in a while.
        let is_mute = self.unsure.is_none() && links::membership::may_speak(self).is_err();
        let fork: Option<Fork> = self.membership.resolution().fork(feed).cloned();
        let (Some(case), Some(entry)) = (self.forks.cases.get_mut(feed), self.ledger.get(feed)) else {
            return Step::Rest;
        };
        if case.said || case.reading.is_some() || !entry.is_settled() {
            return Step::Rest;
        }
        let held = entry.head;
        // What is known already needs one look at what is held, if any.
        if let Some(fork) = &fork
            && let Some(kept) = fork.kept
        {
            let end = End { common: fork.common, entry: kept.entry, head: kept.head };
            let is_whole = held.is_some_and(|held| (held.length, held.root) == (end.head.length, end.head.root));
            let Some(head) = held.filter(|held| held.length > end.common && !is_whole) else { return Step::GoOn(end) };
            let Some(first) = case.entries.get(&end.common).copied() else {
                return Step::Read(end.common, 1);
            };
            let me = (&self.me.device.id(), &self.me.identity);
            if is_mute || !self.membership.resolution().has_to_witness(me, &head, end.common, &first) {
                let same = first == end.entry;
                let goes_on = same && head.length < end.head.length && !case.astray;
                return if goes_on { Step::GoOn(end) } else { Step::Replace(end, same) };
            }
            // The proof is about what is kept now, which may have been found otherwise before.
            if entry.end.is_some() {
                return Step::Stop(end.head);
            }
            if first != end.entry && case.other != end.head {
                case.other = end.head;
                case.forget();
                case.tried.clear();
            }
        }
        let Some(head) = held else { return Step::Rest };
        if head.length.max(case.other.length) > ENTRIES_MAX || entry.manifest.device == self.me.device.id() {
            return Step::Rest;
        }
        if case.ours.length() < head.length {
            return Step::Read(case.ours.length(), READ_BYTES);
        }
        match &case.parts {
            _ if case.asked.is_none() => Step::Ask,
            Some((common, _)) if case.theirs.length() == case.other.length => match case.entries.get(common) {
                _ if *common >= head.length => Step::Rest,
                Some(_) if case.header.is_some() => match self.unsure {
                    None => Step::Say { common: *common },
                    Some(_) => Step::Rest,
                },
                _ => Step::Read(*common, 1),
            },
            _ => Step::Rest,
        }
    }

    /// Entries of the own history.
    pub(crate) fn read_history(
        &mut self,
        now: Time,
        ticket: Ticket,
        feed: FeedId,
        read: Result<Vec<StoredRange>, ReadError>,
    ) {
        let Some(read) = self.read_to_replace(now, ticket, &feed, read) else { return };
        let common = self.membership.resolution().fork(&feed).map(|fork| fork.common);
        let Some(case) = self.forks.cases.get_mut(&feed).filter(|case| case.reading == Some(ticket)) else { return };
        case.reading = None;
        let Ok(ranges) = read else {
            // What cannot be read here cannot be shown either: damage is mended first.
            case.said = true;
            return;
        };
        let parts = case.parts.as_ref().map(|(common, _)| *common);
        for entry in ranges.iter().flat_map(|range| &range.runs).flat_map(weft_feed::Run::entries) {
            let header = entry.header.bytes();
            if entry.seq == case.ours.length() {
                push(&mut case.ours, header, entry.header.body_len());
            }
            if [parts, common].contains(&Some(entry.seq)) {
                case.entries.insert(entry.seq, entry_id(&feed, entry.seq, &leaf(header)));
            }
            if Some(entry.seq) == parts {
                case.header = Some(Bytes::copy_from_slice(header));
            }
        }
    }

    /// Writes what this member holds, if that is news. Spec: SPACE-16.5
    fn witness(&mut self, feed: FeedId, common: u64) {
        let Some(proven) = self.proven(&feed, common) else { return };
        let held = self.forks.cases.get(&feed).and_then(|case| case.entries.get(&common).copied());
        let Some(held) = held else { return };
        let head = self.ledger.get(&feed).and_then(|entry| entry.head);
        let me = (&self.me.device.id(), &self.me.identity);
        let news = head.is_some_and(|head| self.membership.resolution().has_to_witness(me, &head, common, &held));
        if news && links::membership::may_speak(self).is_ok() {
            let bodies = vec![compose::body(self.space, vec![Credential::ForkProven(proven)])];
            self.control.push(Draft { kind: kind::CONTROL, session: 0, bodies, purpose: Purpose::Witness(feed) });
        }
        self.forks.cases.get_mut(&feed).expect("looked at").said = true;
    }

    fn proven(&self, feed: &FeedId, common: u64) -> Option<ForkProven> {
        let (case, entry) = (self.forks.cases.get(feed)?, self.ledger.get(feed)?);
        let (head, header) = (entry.head?, case.header.clone()?);
        let (_, other) = case.parts.clone().filter(|(at, _)| *at == common)?;
        let proof = ForkProof::make((head, &case.ours, header), (case.other, &case.theirs, other)).ok()?;
        let held = if proof.first == head { Branch::First } else { Branch::Second };
        let proven = ForkProven { manifest: entry.manifest, proof: proof.encode(), held };
        proof.verify(&entry.manifest.feed_key).ok()?;
        Some(proven)
    }

    /// It could not be written: again when there is something to do.
    pub(crate) fn witness_failed(&mut self, feed: &FeedId) {
        if let Some(case) = self.forks.cases.get_mut(feed) {
            case.said = false;
        }
    }
}
