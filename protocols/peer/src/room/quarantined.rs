//! What is held of feeds past where they stand, and which acts put it there.

use std::collections::BTreeSet;

use weft_credential::Credential;
use weft_crypto::FeedId;
use weft_space::{AdmittedFeed, Place};

use super::Room;
use crate::command::{CuttingAct, QuarantinedFeed};

impl Room {
    /// Every feed of which something is held that an act has cut. Spec: PEER-12
    pub(crate) fn quarantined(&self) -> Vec<QuarantinedFeed> {
        let resolution = self.membership.resolution();
        let void: BTreeSet<Place> = resolution.void().map(|(place, _)| *place).collect();
        let mut quarantined = Vec::new();
        for (feed, entry) in self.ledger.iter().filter(|(_, entry)| entry.admitted) {
            let (Some(stands), Some(admitted)) = (resolution.stands(feed), resolution.feed(feed)) else { continue };
            if entry.tree.length() <= stands {
                continue;
            }
            let cut = self.quarantine.cuts.get(feed);
            quarantined.push(QuarantinedFeed {
                feed: *feed,
                device: entry.manifest.device,
                identity: admitted.identity,
                purpose: entry.manifest.purpose,
                from: stands,
                until: entry.tree.length(),
                bytes: cut.map_or(0, |cut| cut.bytes),
                full: cut.is_some_and(|cut| cut.full),
                acts: self.acts_on(feed, &admitted, &void),
            });
        }
        quarantined
    }

    /// The acts that count and end a feed.
    fn acts_on(&self, feed: &FeedId, admitted: &AdmittedFeed, void: &BTreeSet<Place>) -> Vec<CuttingAct> {
        let resolution = self.membership.resolution();
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
                    let author = resolution.feed(&entry.feed).map(|feed| feed.identity);
                    acts.push(CuttingAct { act, kind, author });
                }
            }
        }
        acts
    }
}
