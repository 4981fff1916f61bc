//! Hosting: newcomers who redeem links here.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use weft_credential::Redemption;
use weft_crypto::{DeviceId, FeedId, Purpose as FeedPurpose, SpaceId};
use weft_invitation::{Host, HostInput, HostOutput, Part, Reason};
use weft_machine::{Machine as _, Seed, Time};
use weft_replication::{ReadError, StoredRange};

use crate::{
    event::Event,
    io::{Output, StreamId},
    links::invitation::{self, Redeemed},
    outbox::Purpose,
    peer::Peer,
    room::Room,
};

/// Newcomers at once. 64: each costs little before its proof, and at most a bundle after it.
const HOSTINGS_MAX: usize = 64;
/// How much of a control feed is read at a time, in bytes: what fits one part.
pub(crate) const PART_BYTES: usize = 1 << 20;

/// Bundles that a device which is let in already may have at once, since it did not hear the answer. A guess: four crashes in a row.
const BUNDLES_AT_ONCE: u32 = 4;
/// And then one in this time. A guess: whoever crashes so often has time.
const BUNDLE_EVERY: Duration = Duration::from_secs(30);

/// A newcomer on its stream.
struct Hosting {
    device: DeviceId,
    host: Host,
    space: Option<SpaceId>,
    redemption: Option<Box<Redemption>>,
    gathering: Option<Gathering>,
}

/// The control feeds on their way to a newcomer.
pub(crate) struct Gathering {
    feeds: VecDeque<(FeedId, u64)>,
    from: u64,
    parts: Vec<Part>,
}

impl Gathering {
    /// Of all control feeds of a room, as far as they are held now.
    pub(crate) fn of(room: &Room) -> Self {
        let control = room.ledger.iter().filter(|(_, entry)| {
            entry.admitted && entry.manifest.purpose == FeedPurpose::Control && entry.tree.length() > 0
        });
        let feeds = control.map(|(feed, entry)| (*feed, entry.tree.length())).collect();
        Self { feeds, from: 0, parts: Vec::new() }
    }

    /// What is to be read next: a feed, and from where on.
    pub(crate) fn next(&self) -> Option<(FeedId, u64)> {
        self.feeds.front().map(|(feed, _)| (*feed, self.from))
    }

    /// What was gathered.
    pub(crate) fn parts(&mut self) -> Vec<Part> {
        std::mem::take(&mut self.parts)
    }

    /// Takes what was read; none when what is durable cannot be read.
    pub(crate) fn take(&mut self, room: Option<&Room>, read: Result<Vec<StoredRange>, ReadError>) -> Option<()> {
        let (feed, until) = self.feeds.front().copied()?;
        let manifest = room?.ledger.get(&feed)?.signed.clone();
        let before = self.from;
        for range in read.ok()? {
            if self.from >= until {
                break;
            }
            self.parts.push(Part {
                manifest: manifest.clone(),
                from: self.from,
                head: range.head.encode(),
                headers: joined(range.runs.iter().map(|run| run.headers())),
                bodies: joined(range.runs.iter().map(|run| run.bodies())),
            });
            self.from = range.head.length;
        }
        if self.from >= until {
            self.feeds.pop_front();
            self.from = 0;
            return Some(());
        }
        (self.from > before).then_some(())
    }
}

/// Newcomers.
#[derive(Default)]
pub(crate) struct Hosts(BTreeMap<StreamId, Hosting>, Repeated);

/// Until when the budget of each device for further bundles is not whole. Bounded by the members that ask within minutes.
#[derive(Default)]
struct Repeated(BTreeMap<DeviceId, Time>);

impl Repeated {
    /// Takes a bundle out of a device's budget, if it may have one now. Spec: INVITATION-5
    fn take(&mut self, device: DeviceId, now: Time) -> bool {
        self.0.retain(|_, whole| *whole > now);
        let whole = self.0.get(&device).copied().unwrap_or(now);
        let may = whole.saturating_since(now) <= BUNDLE_EVERY * (BUNDLES_AT_ONCE - 1);
        if may {
            self.0.insert(device, whole + BUNDLE_EVERY);
        }
        may
    }
}

impl Hosts {
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.0.values().filter_map(|hosting| hosting.host.deadline()).min()
    }
}

impl Peer {
    pub(crate) fn host_stream(&mut self, stream: StreamId, device: DeviceId) -> bool {
        let mine = self.hosts.0.values().filter(|hosting| hosting.device == device).count();
        if self.hosts.0.len() >= HOSTINGS_MAX || mine > 0 {
            return false;
        }
        let seed = Seed::from_bytes(self.draws.draw32());
        let me = self.me.device.id();
        let host = Host::new(weft_invitation::Config::default(), me, device, self.now, &seed);
        self.hosts.0.insert(stream, Hosting { device, host, space: None, redemption: None, gathering: None });
        true
    }

    pub(crate) fn host_closed(&mut self, stream: StreamId) {
        self.hosts.0.remove(&stream);
    }

    /// Whether the stream is one of a host.
    pub(crate) fn host_received(&mut self, stream: StreamId, frame: Bytes) -> bool {
        let known = self.hosts.0.contains_key(&stream);
        if known {
            self.host_input(stream, HostInput::Received(frame));
        }
        known
    }

    fn host_input(&mut self, stream: StreamId, input: HostInput) {
        let now = self.now;
        if let Some(hosting) = self.hosts.0.get_mut(&stream) {
            hosting.host.handle_input(now, input);
        }
        self.host_pump(stream);
    }

    fn host_pump(&mut self, stream: StreamId) {
        while let Some(output) = self.hosts.0.get_mut(&stream).and_then(|hosting| hosting.host.poll_output()) {
            match output {
                HostOutput::Send(frame) => self.outbox.push(Output::Send { stream, frame }),
                HostOutput::Judge { invitation, redemption } => {
                    let space = redemption.statement().space;
                    let (now, now_ms) = (self.now, self.unix_ms());
                    let draws = &mut self.draws;
                    let judged = self
                        .rooms
                        .get_mut(&space)
                        .ok_or(Reason::NotValid)
                        .and_then(|room| room.redeem(stream, &redemption, now_ms, draws));
                    self.busy_rooms.insert(space);
                    let device = redemption.statement().device;
                    if let Some(hosting) = self.hosts.0.get_mut(&stream) {
                        hosting.space = Some(space);
                        hosting.redemption = Some(redemption);
                    }
                    match judged {
                        Ok(Redeemed::Ordered) => {}
                        Ok(Redeemed::Stands) => match self.hosts.1.take(device, now) {
                            true => self.host_redeemed(stream),
                            false => self.host_input(stream, HostInput::Judged(Err(Reason::Busy))),
                        },
                        Ok(Redeemed::Waits) => self.host_kept(stream),
                        Ok(Redeemed::Keep(write)) => {
                            let at = (invitation, device);
                            self.in_room(space, |room, outbox| room.keep_newcomer(stream, at, write, outbox));
                        }
                        Err(reason) => self.host_input(stream, HostInput::Judged(Err(reason))),
                    }
                }
                HostOutput::Close => {
                    self.hosts.0.remove(&stream);
                    self.close(stream);
                }
                HostOutput::Violated(violation) => {
                    if let Some(hosting) = self.hosts.0.remove(&stream) {
                        self.outbox.event(Event::Violated { device: hosting.device, what: violation.to_string() });
                    }
                    self.close(stream);
                }
            }
        }
    }

    /// The redemption is durable: if it counts, the newcomer gets the control feeds up to it, and else, since others were first, not a
    /// byte.
    pub(crate) fn host_redeemed(&mut self, stream: StreamId) {
        let Some(hosting) = self.hosts.0.get(&stream) else { return };
        let room = hosting.space.and_then(|space| self.rooms.get(&space));
        let stands = hosting.redemption.as_ref().zip(room).is_some_and(|(said, room)| invitation::stands(room, said));
        if !stands {
            return self.host_input(stream, HostInput::Judged(Err(Reason::UsedUp)));
        }
        self.host_input(stream, HostInput::Judged(Ok(())));
        let Some(hosting) = self.hosts.0.get_mut(&stream) else { return };
        let Some(room) = hosting.space.and_then(|space| self.rooms.get(&space)) else { return };
        hosting.gathering = Some(Gathering::of(room));
        self.host_gather(stream);
    }

    pub(crate) fn host_failed(&mut self, stream: StreamId) {
        self.host_input(stream, HostInput::Judged(Err(Reason::Busy)));
    }

    /// A person has to approve, and the redemption is durable until then.
    pub(crate) fn host_kept(&mut self, stream: StreamId) {
        self.host_input(stream, HostInput::Kept);
    }

    /// Reads on, or hands over when everything is read.
    fn host_gather(&mut self, stream: StreamId) {
        let Some(gathering) = self.hosts.0.get_mut(&stream).and_then(|hosting| hosting.gathering.as_mut()) else {
            return;
        };
        match gathering.next() {
            Some((feed, from)) => drop(self.outbox.read(Purpose::HostRead(stream), feed, from, PART_BYTES)),
            None => {
                let parts = gathering.parts();
                self.host_input(stream, HostInput::Bundle(parts));
            }
        }
    }

    pub(crate) fn host_was_read(&mut self, stream: StreamId, result: Result<Vec<StoredRange>, ReadError>) {
        let Some(hosting) = self.hosts.0.get_mut(&stream) else { return };
        let room = hosting.space.and_then(|space| self.rooms.get(&space));
        let Some(gathering) = &mut hosting.gathering else { return };
        match gathering.take(room, result) {
            Some(()) => self.host_gather(stream),
            None => self.host_gave_up(stream),
        }
    }

    /// What is durable cannot be read: the newcomer may try again later.
    fn host_gave_up(&mut self, stream: StreamId) {
        self.hosts.0.remove(&stream);
        self.close(stream);
    }

    pub(crate) fn host_wake(&mut self) {
        let now = self.now;
        let due: Vec<StreamId> = self
            .hosts
            .0
            .iter()
            .filter(|(_, hosting)| hosting.host.deadline().is_some_and(|at| at <= now))
            .map(|(stream, _)| *stream)
            .collect();
        for stream in due {
            if let Some(hosting) = self.hosts.0.get_mut(&stream) {
                hosting.host.wake(now);
            }
            self.host_pump(stream);
        }
    }
}

fn joined<'a>(pieces: impl Iterator<Item = &'a Bytes>) -> Bytes {
    let mut pieces: Vec<&Bytes> = pieces.collect();
    if pieces.len() == 1 {
        return pieces.remove(0).clone();
    }
    pieces.into_iter().flatten().copied().collect::<Vec<u8>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spec: INVITATION-5
    #[test]
    fn bundles_are_given_again_a_few_times_and_then_at_leisure() {
        let (mut repeated, alice, bob) =
            (Repeated::default(), DeviceId::from_bytes([1; 32]), DeviceId::from_bytes([2; 32]));
        let start = Time::from_millis(1_000);
        for _ in 0..BUNDLES_AT_ONCE {
            assert!(repeated.take(alice, start));
        }
        assert!(!repeated.take(alice, start) && repeated.take(bob, start));
        assert!(repeated.take(alice, start + BUNDLE_EVERY) && !repeated.take(alice, start + BUNDLE_EVERY));
        let later = start + BUNDLE_EVERY * 100;
        assert!(repeated.take(alice, later));
        assert_eq!(repeated.0.len(), 1, "what is whole is forgotten");
    }
}
