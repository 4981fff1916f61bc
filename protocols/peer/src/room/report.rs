//! What a room says of itself.

use std::collections::BTreeSet;

use weft_credential::Credential;
use weft_crypto::{DeviceId, FeedId};
use weft_space::Place;

use super::Room;
use crate::{
    command::{Acknowledgement, FeedStatus, MemberStatus},
    status::Waiting,
};

impl Room {
    pub(crate) fn members(&self) -> Vec<MemberStatus> {
        let members = self.membership.resolution().members();
        let status = |member: weft_space::Member| MemberStatus {
            me: member.identity == self.me.identity,
            identity: member.identity,
            role: member.role,
            devices: member.devices,
            admitted_by: member.admitted_by,
        };
        members.into_iter().map(status).collect()
    }

    /// Which current devices have heard of the newest change of who belongs to the space.
    pub(crate) fn acknowledgements(&self) -> Vec<Acknowledgement> {
        let Some(newest) = self.newest_change() else { return Vec::new() };
        let mut heard: BTreeSet<DeviceId> =
            self.sources.holders(&newest.feed, newest.seq + 1).into_iter().chain([self.me.device.id()]).collect();
        for (feed, entry) in self.ledger.iter().filter(|(_, entry)| entry.admitted) {
            let control = entry.manifest.purpose == weft_crypto::Purpose::Control;
            let order = if control { &self.control_order } else { &self.data_order };
            let past = order.past_at(feed, order.released(feed));
            if past.is_some_and(|past| past.get(&newest.feed) > newest.seq) {
                heard.insert(entry.manifest.device);
            }
        }
        // Who was let in later got what was known by then.
        for entry in self.membership.entries() {
            if entry.past.get(&newest.feed) > newest.seq || (entry.feed == newest.feed && entry.seq >= newest.seq) {
                let admitted = entry.parts.iter().flatten().filter_map(|part| match &part.credential {
                    Credential::FeedAdmitted(signed) => Some(signed.manifest().device),
                    _ => None,
                });
                heard.extend(admitted);
            }
        }
        let members = self.membership.resolution().members().into_iter();
        let of_member =
            members.flat_map(|member| member.devices.into_iter().map(move |device| (device, member.identity)));
        let mut all: Vec<Acknowledgement> = of_member
            .map(|(device, identity)| Acknowledgement { device, identity, acknowledged: heard.contains(&device) })
            .collect();
        all.sort_unstable_by_key(|of| of.device);
        all
    }

    /// Where the last act or start of an epoch that counts is said.
    fn newest_change(&self) -> Option<Place> {
        let changes = |credential: &Credential| {
            matches!(
                credential,
                Credential::MemberRemoved(_)
                    | Credential::RoleChanged(_)
                    | Credential::DeviceRemoved(_)
                    | Credential::FeedClosed(_)
                    | Credential::EpochStarted(_)
            )
        };
        let void: BTreeSet<Place> = self.membership.resolution().void().map(|(place, _)| *place).collect();
        let places = self.membership.entries().flat_map(|entry| {
            let changing = (0..).zip(entry.parts.iter().flatten()).filter(|(_, said)| changes(&said.credential));
            changing.map(|(part, _)| Place { feed: entry.feed, seq: entry.seq, part })
        });
        places.filter(|place| !void.contains(place)).last()
    }

    pub(crate) fn feeds(&self) -> Vec<FeedStatus> {
        let mut feeds: Vec<FeedStatus> = Vec::new();
        for (feed, entry) in self.ledger.iter().filter(|(_, entry)| entry.admitted) {
            let control = entry.manifest.purpose == weft_crypto::Purpose::Control;
            let order = if control { &self.control_order } else { &self.data_order };
            feeds.push(FeedStatus {
                feed: *feed,
                device: entry.manifest.device,
                identity: self.membership.resolution().feed(feed).map(|feed| feed.identity),
                purpose: entry.manifest.purpose,
                length: entry.tree.length(),
                byte_length: entry.tree.byte_length(),
                root: *entry.tree.root().as_bytes(),
                released: order.released(feed),
                stopped: self.why_stopped(feed),
                mine: [self.control.feed, self.data.feed].contains(feed),
            });
        }
        feeds
    }

    fn why_stopped(&self, feed: &FeedId) -> Option<String> {
        if self.forks.replacements.contains_key(feed) {
            return Some("forked: of the two logs that its author signed another one is kept than is held here".into());
        }
        let entry = self.ledger.get(feed)?;
        if let Some(end) = &entry.end {
            return Some(format!("forked: its author signed two logs; it ends with {} entries", end.head.length));
        }
        if entry.stopped.is_some() {
            return Some("forked: its author signed two logs; it stays as it is held".into());
        }
        self.refusals.get(feed).map(|(seq, why)| format!("entry {seq} breaks a rule: {why}"))
    }

    /// What is not as it should be, apart from single peers. `since` says when it was first seen.
    pub(crate) fn waiting(&self, since_ms: u64) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        let mut say = |what: String, from: Option<DeviceId>, rule: &str, remedy: &str| {
            waiting.push(Waiting { what, from, since_ms, rule: rule.into(), remedy: remedy.into() });
        };
        if let Some((reason, _)) = &self.store_failed {
            say(
                format!("the store did not keep what was written: {reason}"),
                None,
                "PEER-3",
                "make room on the disk; it is tried again every 5 seconds",
            );
        }
        for damage in self.mending.damaged() {
            say(
                format!(
                    "entry {} of feed {} is damaged on this disk; it is shown to nobody and fetched again, with the entries \
                     from {} to {}",
                    damage.entry,
                    damage.feed,
                    damage.from,
                    damage.head.length - 1
                ),
                None,
                "PEER-8",
                "connect to somebody who holds it; and look at the disk",
            );
        }
        for order in [&self.control_order, &self.data_order] {
            for waits in order.waiting() {
                say(
                    format!(
                        "entry {} of feed {} waits for entry {} of feed {}",
                        waits.seq, waits.feed, waits.on.length, waits.on.feed
                    ),
                    self.ledger.device(&waits.on.feed),
                    "FEED-6.2",
                    "connect to somebody who holds it",
                );
            }
        }
        for (feed, entry) in self.ledger.iter().filter(|(_, entry)| entry.is_forked()) {
            let (from, held) = (Some(entry.manifest.device), entry.tree.length());
            if entry.manifest.device == self.me.device.id() {
                say(
                    format!(
                        "this device's own feed {feed} is forked: two logs of it were signed, as by an older or another copy of its data folder; nothing more is written in this space"
                    ),
                    None,
                    "PEER-4",
                    "stop the other copy, and join the space with another device",
                );
            } else if self.forks.replacements.contains_key(feed) {
                say(
                    format!(
                        "feed {feed} is forked: its author signed two logs, and another one is kept than is held here"
                    ),
                    from,
                    "PEER-4.2",
                    "connect to somebody who holds it: it comes in the place of this one",
                );
            } else if let Some(end) = entry.end.filter(|end| held < end.head.length) {
                say(
                    format!(
                        "feed {feed} is forked: its author signed two logs, and of the one that is kept {held} of {} entries are here",
                        end.head.length
                    ),
                    from,
                    "PEER-4.2",
                    "connect to somebody who holds it",
                );
            } else {
                say(
                    format!("feed {feed} is forked: its author signed two logs"),
                    from,
                    "PEER-4",
                    "ask its author; what is held of it stays",
                );
            }
        }
        for (feed, (seq, why)) in &self.refusals {
            say(
                format!("feed {feed} ends before entry {seq}, which breaks a rule: {why}"),
                self.ledger.device(feed),
                "FEED-6.1",
                "its author has to update weft",
            );
        }
        for own in [&self.control, &self.data] {
            if own.elsewhere.length() > own.length() {
                say(
                    format!(
                        "peers hold {} entries of this device's own feed {}, here are {}",
                        own.elsewhere.length(),
                        own.feed,
                        own.length()
                    ),
                    None,
                    "PEER-3.1",
                    "stay connected: they are fetched before anything is written",
                );
            }
        }
        if self.unsure.is_some() {
            say(
                "this device lost its store, or its data folder is an older or another copy: nothing is written here before a \
                 member has shown what it holds of this device's own feeds"
                    .into(),
                None,
                "PEER-3.3",
                "connect to a member; if nobody else holds the space, what was not kept here is lost",
            );
        }
        if self.drafts.count() > 0 {
            let (what, remedy) = match self.unsure {
                Some(_) => ("until a member has shown what it holds of this device's own feeds", "connect to a member"),
                None => ("until the running node has appended them, or could not", "`weft draft list SPACE` says more"),
            };
            let (edits, wait) = if self.drafts.count() == 1 { ("edit", "waits") } else { ("edits", "wait") };
            say(format!("{} {edits} {wait} here as drafts {what}", self.drafts.count()), None, "PEER-11", remedy);
        }
        if self.rebuild.is_some() {
            say("objects are derived again from the feeds".into(), None, "PEER-5", "wait");
        } else if !self.echo.is_judged(None, u64::MAX) {
            let what = "objects are made again of which some entries count otherwise than before";
            say(what.into(), None, "PEER-5", "wait; whatever is read goes first");
        }
        waiting
    }
}
