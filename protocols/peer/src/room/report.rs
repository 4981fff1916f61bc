//! What a room says of itself.

use std::collections::BTreeMap;

use weft_crypto::{DeviceId, FeedId};

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

    /// Which current devices have heard of the epoch that is written under: an entry of theirs that is released here has its
    /// start in its past.
    pub(crate) fn acknowledgements(&self) -> Vec<Acknowledgement> {
        let resolution = self.membership.resolution();
        let epoch = self.epoch.and_then(|epoch| resolution.epoch(&epoch));
        let places = epoch.as_ref().map(|epoch| epoch.places).unwrap_or_default();
        let heard = |feed: &FeedId, past: &weft_feed::Past| {
            places.iter().any(|place| place.feed == *feed || past.get(&place.feed) > place.seq)
        };
        let mut devices: BTreeMap<DeviceId, bool> = BTreeMap::new();
        for (feed, entry) in self.ledger.iter().filter(|(_, entry)| entry.admitted) {
            let control = entry.manifest.purpose == weft_crypto::Purpose::Control;
            let order = if control { &self.control_order } else { &self.data_order };
            let past = order.past_at(feed, order.released(feed));
            *devices.entry(entry.manifest.device).or_default() |= past.is_some_and(|past| heard(feed, &past));
        }
        let current = devices.into_iter().filter_map(|(device, acknowledged)| {
            let identity = resolution.device(&device)?.identity;
            Some(Acknowledgement { device, identity, acknowledged })
        });
        current.collect()
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
                mine: entry.manifest.device == self.me.device.id(),
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
