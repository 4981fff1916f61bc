//! What is held of feeds past where their authors' right to write them ends, and which acts put it there.

use std::collections::BTreeSet;

use weft_credential::Credential;
use weft_crypto::{FeedId, Purpose};
use weft_space::{AdmittedFeed, Place, Span, Verdict, VoidReason};

use super::Room;
use crate::command::{CuttingAct, QuarantinedFeed};

impl Room {
    /// Every feed of which something is held that an act has cut. Spec: PEER-12
    pub(crate) fn quarantined(&self) -> Vec<QuarantinedFeed> {
        let resolution = self.membership.resolution();
        let void: BTreeSet<Place> = resolution.void().map(|(place, _)| *place).collect();
        let mut quarantined = Vec::new();
        for (feed, entry) in self.ledger.iter().filter(|(_, entry)| entry.admitted) {
            let Some(admitted) = resolution.feed(feed) else { continue };
            let length = entry.tree.length();
            let ends = resolution.stands(feed).filter(|stands| *stands < length);
            let demoted = self.demoted(feed, &admitted);
            let past = [ends.map(|stands| (stands, length)), demoted].into_iter().flatten();
            let Some((from, until)) = past.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))) else {
                continue;
            };
            let mut acts = if ends.is_some() { self.acts_on(feed, &admitted, &void) } else { Vec::new() };
            if demoted.is_some() {
                acts.extend(
                    resolution.demoted(feed).into_iter().filter_map(|(act, _)| self.cutting(act, "role_changed")),
                );
            }
            let share = u128::from(entry.tree.byte_length()) * u128::from(until - from) / u128::from(length.max(1));
            quarantined.push(QuarantinedFeed {
                feed: *feed,
                device: entry.manifest.device,
                identity: admitted.identity,
                purpose: entry.manifest.purpose,
                from,
                until,
                bytes: u64::try_from(share).unwrap_or(u64::MAX),
                full: self.quarantine.cuts.get(feed).is_some_and(|cut| cut.full),
                acts,
            });
        }
        quarantined
    }

    /// From where to where a data feed is held that its author wrote as somebody who may not write any more. Who got such a role back
    /// writes on in entries that have seen it.
    fn demoted(&self, feed: &FeedId, admitted: &AdmittedFeed) -> Option<(u64, u64)> {
        let resolution = self.membership.resolution();
        if admitted.manifest.purpose != Purpose::Data {
            return None;
        }
        let cut = resolution.demoted(feed).into_iter().map(|(_, cut)| cut).min()?;
        let released = self.data_order.released(feed);
        let is_void = |seq: u64| {
            let Some(past) = self.data_order.past_at(feed, seq + 1) else { return true };
            let span = Span { feed, from: seq, until: seq + 1, epoch: None, body: false, past: &past };
            matches!(resolution.judge(&span).verdict, Verdict::Void(VoidReason::NoRight { .. }))
        };
        if cut >= released || !is_void(cut) {
            return None;
        }
        // What an entry has seen, later ones have seen: the first that counts again is between the two.
        let (mut void, mut counts) = (cut, released);
        while counts - void > 1 {
            let middle = void + (counts - void) / 2;
            if is_void(middle) { void = middle } else { counts = middle }
        }
        Some((cut, counts))
    }

    /// The acts that count and end a feed.
    fn acts_on(&self, feed: &FeedId, admitted: &AdmittedFeed, void: &BTreeSet<Place>) -> Vec<CuttingAct> {
        let mut acts = Vec::new();
        for entry in self.membership.entries() {
            for (part, said) in (0..).zip(entry.parts.iter().flatten()) {
                let kind = match &said.credential {
                    Credential::MemberRemoved(act) if act.identity == admitted.identity => "member_removed",
                    Credential::DeviceRemoved(act) if act.device == admitted.manifest.device => "device_removed",
                    Credential::FeedClosed(act) if act.feed == *feed => "feed_closed",
                    _ => continue,
                };
                let act = Place { feed: entry.feed, seq: entry.seq, part };
                if !void.contains(&act) {
                    acts.extend(self.cutting(act, kind));
                }
            }
        }
        acts
    }

    fn cutting(&self, act: Place, kind: &'static str) -> Option<CuttingAct> {
        let entry = self.membership.entry(&act)?.id;
        let author = self.membership.resolution().feed(&act.feed).map(|feed| feed.identity);
        Some(CuttingAct { act, entry, kind, author })
    }
}
