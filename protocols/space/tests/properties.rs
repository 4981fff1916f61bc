//! What holds for all stories and all orders of arrival. Spec: SPACE-2.1, SPACE-3, SPACE-3.6.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use weft_credential::{
    Credential, Cut, History, LockboxRefused, Part, PolicyChanged, PreKeySet, Role, RulesChanged, Subject, Unknown,
};
use weft_crypto::{
    EpochId, FeedId, FeedSecret, InvitationSecret, Manifest, PreKeySecret, Purpose, Root, SignedManifest, Verified,
};
use weft_feed::Past;
use weft_machine::{Draws, Seed};
use weft_space::{ControlEntry, Space, Verdict, resolve};

use crate::world::{ALICE, BOB, World};

const PEOPLE: usize = 5;

/// Something that somebody does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Invite {
        who: usize,
        role: usize,
        uses: u32,
    },
    Redeem {
        host: usize,
        link: usize,
        newcomer: usize,
    },
    Hear {
        who: usize,
        from: usize,
    },
    PreKey {
        who: usize,
        of: usize,
        number: u64,
    },
    Feed {
        who: usize,
        of: usize,
        generation: u64,
        seed: u8,
        control: bool,
    },
    Copy {
        who: usize,
        entry: usize,
    },
    Unknown {
        who: usize,
        critical: bool,
    },
    Garbage {
        who: usize,
    },
    Remove {
        who: usize,
        target: usize,
    },
    Role {
        who: usize,
        target: usize,
        role: usize,
    },
    /// Of a device, by the device `who`, or by the root key carried there.
    Device {
        who: usize,
        target: usize,
        root: bool,
    },
    Close {
        who: usize,
        target: usize,
        length: u64,
    },
    Revoke {
        who: usize,
        link: usize,
    },
    /// Of any entry: an act or not.
    Raise {
        who: usize,
        entry: usize,
        target: usize,
        length: u64,
    },
    Seal {
        who: usize,
        entry: usize,
    },
    /// A second device.
    Link {
        host: usize,
        owner: usize,
    },
    /// A second device, which a sibling lets in.
    LetIn {
        sibling: usize,
        by: usize,
    },
    Rules {
        who: usize,
    },
    Policy {
        who: usize,
        all: bool,
    },
    Refuse {
        who: usize,
        of: usize,
    },
    /// An epoch after one of those there are, whether or not the author has heard of it.
    Begin {
        who: usize,
        after: usize,
    },
    Data {
        who: usize,
    },
    /// Alice and Bob each let somebody in by one single-use link, and both newcomers write.
    Contest {
        one: usize,
        other: usize,
    },
}

pub(crate) fn act() -> impl Strategy<Value = Act> {
    let who = || 0..PEOPLE;
    prop_oneof![
        4 => (who(), 0..5usize, 1..3u32).prop_map(|(who, role, uses)| Act::Invite { who, role, uses }),
        6 => (who(), 0..4usize, who()).prop_map(|(host, link, newcomer)| Act::Redeem { host, link, newcomer }),
        6 => (who(), who()).prop_map(|(who, from)| Act::Hear { who, from }),
        1 => (who(), who(), 0..3u64).prop_map(|(who, of, number)| Act::PreKey { who, of, number }),
        2 => (who(), who(), 0..2u64, 1..3u8, any::<bool>())
            .prop_map(|(who, of, generation, seed, control)| Act::Feed { who, of, generation, seed, control }),
        2 => (who(), 0..12usize).prop_map(|(who, entry)| Act::Copy { who, entry }),
        1 => (who(), any::<bool>()).prop_map(|(who, critical)| Act::Unknown { who, critical }),
        1 => who().prop_map(|who| Act::Garbage { who }),
        5 => (who(), who()).prop_map(|(who, target)| Act::Remove { who, target }),
        5 => (who(), who(), 0..5usize).prop_map(|(who, target, role)| Act::Role { who, target, role }),
        2 => (who(), who(), any::<bool>()).prop_map(|(who, target, root)| Act::Device { who, target, root }),
        1 => (who(), who(), 0..3u64).prop_map(|(who, target, length)| Act::Close { who, target, length }),
        1 => (who(), 0..4usize).prop_map(|(who, link)| Act::Revoke { who, link }),
        2 => (who(), 0..40usize, who(), 1..5u64)
            .prop_map(|(who, entry, target, length)| Act::Raise { who, entry, target, length }),
        4 => (who(), 0..40usize).prop_map(|(who, entry)| Act::Seal { who, entry }),
        1 => (who(), who()).prop_map(|(host, owner)| Act::Link { host, owner }),
        1 => (who(), who()).prop_map(|(sibling, by)| Act::LetIn { sibling, by }),
        1 => who().prop_map(|who| Act::Rules { who }),
        1 => (who(), any::<bool>()).prop_map(|(who, all)| Act::Policy { who, all }),
        1 => (who(), who()).prop_map(|(who, of)| Act::Refuse { who, of }),
        4 => (who(), 0..4usize).prop_map(|(who, after)| Act::Begin { who, after }),
        4 => who().prop_map(|who| Act::Data { who }),
        2 => (2..PEOPLE, 2..PEOPLE).prop_map(|(one, other)| Act::Contest { one, other }),
    ]
}

/// A data entry: its feed, its epoch and its past.
pub(crate) type Written = (FeedId, EpochId, Past);

/// Plays a story; whoever has no feed yet can only listen. Bob is an admin from the start.
pub(crate) fn play(acts: &[Act]) -> (World, Vec<Written>) {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    let data = play_on(&mut world, acts);
    (world, data)
}

/// Goes on with a story.
pub(crate) fn play_on(world: &mut World, acts: &[Act]) -> Vec<Written> {
    let mut links: Vec<InvitationSecret> = Vec::new();
    let mut data = Vec::new();
    for act in acts {
        let speaks = |who: usize| world.people[who].control.is_some();
        match *act {
            Act::Invite { who, role, uses } if speaks(who) => {
                links.push(world.invite(who, Role::ALL[role], uses, 0));
            }
            Act::Redeem { host, link, newcomer } if speaks(host) && host != newcomer && !links.is_empty() => {
                let link = links[link % links.len()].clone();
                world.redeem(host, &link, newcomer);
            }
            Act::Hear { who, from } if who != from => world.hear(who, from),
            Act::PreKey { who, of, number } if speaks(who) => {
                let key = PreKeySecret::from_seed([number as u8; 32]).id();
                let device = world.people[of].device.id();
                world.write(who, vec![Credential::PreKeySet(PreKeySet { device, number, key })]);
            }
            Act::Feed { who, of, generation, seed, control } if speaks(who) => {
                let (device, secret) = (&world.people[of].device, FeedSecret::from_seed([seed; 32]));
                let manifest = Manifest {
                    version: Manifest::VERSION,
                    space: world.space,
                    device: device.id(),
                    feed_key: secret.id(),
                    purpose: if control { Purpose::Control } else { Purpose::Data },
                    generation,
                };
                let signed = SignedManifest::sign(&manifest, device, &secret);
                world.write(who, vec![Credential::FeedAdmitted(signed)]);
            }
            Act::Copy { who, entry } if speaks(who) => {
                if let Ok(parts) = world.entries[entry % world.entries.len()].parts.clone() {
                    world.write_parts(who, parts.into_iter().map(|part| part.into_inner()).collect());
                }
            }
            Act::Unknown { who, critical } if speaks(who) => {
                let unknown = Unknown { kind: 40, critical, content: bytes::Bytes::new() };
                world.write(who, vec![Credential::Unknown(unknown)]);
            }
            Act::Garbage { who } if speaks(who) => {
                world.write_bytes(who, bytes::Bytes::from_static(&[0xff]));
            }
            Act::Remove { who, target } if speaks(who) => drop(world.remove(who, target)),
            Act::Role { who, target, role } if speaks(who) => drop(world.set_role(who, target, Role::ALL[role])),
            Act::Device { who, target, root: false } if speaks(who) => drop(world.remove_device(who, target)),
            Act::Device { who, target, root: true } if speaks(who) => {
                let device = world.people[target].device.id();
                let said = world.root_says(target, 5, Subject::DeviceRemoved { device, cuts: None });
                world.write(who, vec![Credential::RootStatement(said)]);
            }
            Act::Close { who, target, length } if speaks(who) && speaks(target) => {
                let feed = world.people[target].control.unwrap();
                world.close(who, feed, length);
            }
            Act::Revoke { who, link } if speaks(who) && !links.is_empty() => {
                let link = links[link % links.len()].clone();
                world.revoke(who, &link, Vec::new());
            }
            Act::Raise { who, entry, target, length } if speaks(who) && speaks(target) => {
                let feed = world.people[target].control.unwrap();
                let cut = Cut { feed, length, root: Root::from_bytes([0; 32]) };
                world.raise(who, entry % world.entries.len(), vec![cut]);
            }
            Act::Seal { who, entry } if speaks(who) => {
                // Of the latest entries, since those are acts more often than not.
                let back = entry % 6 % world.entries.len();
                world.seal(who, world.entries.len() - 1 - back);
            }
            Act::Link { host, owner } if speaks(host) && speaks(owner) && world.people.len() < 2 * PEOPLE => {
                let second = world.link(host, owner);
                data.push((world.people[second].data.unwrap(), world.epoch, world.people[second].past()));
            }
            Act::LetIn { sibling, by } if speaks(sibling) && world.people.len() < 2 * PEOPLE => {
                let device = world.linked_device(by);
                world.let_in(sibling, device);
                data.push((world.people[device].data.unwrap(), world.epoch, world.people[device].past()));
            }
            Act::Policy { who, all } if speaks(who) => {
                let history = if all { History::All } else { History::FromJoining };
                world.write(who, vec![Credential::PolicyChanged(PolicyChanged { history })]);
            }
            Act::Refuse { who, of } if speaks(who) => {
                let (epoch, device) = (world.epoch, world.people[of].device.id());
                world.write(who, vec![Credential::LockboxRefused(LockboxRefused { epoch, device })]);
            }
            Act::Rules { who } if speaks(who) => {
                world.write(who, vec![Credential::RulesChanged(RulesChanged { rules: 2 })]);
            }
            Act::Begin { who, after } if speaks(who) && world.begun.len() < 50 => {
                let known: Vec<usize> = (0..world.people.len()).filter(|one| speaks(*one)).collect();
                let parent = world.begun.iter().rev().nth(after).copied().unwrap_or(world.epoch);
                let seed = 2 + 2 * world.begun.len() as u8;
                let epoch = world.begin(who, &known, vec![parent], seed);
                // Whoever has heard of the last one writes under it.
                if let Some(feed) = world.people[who].data {
                    data.push((feed, epoch, world.people[who].past()));
                }
            }
            Act::Data { who } => {
                if let Some(feed) = world.people[who].data {
                    let epoch = world.begun.last().copied().unwrap_or(world.epoch);
                    data.push((feed, epoch, world.people[who].past()));
                }
            }
            Act::Contest { one, other } if one != other => {
                let link = world.invite(ALICE, Role::Admin, 1, 0);
                world.hear(BOB, ALICE);
                for (host, newcomer) in [(ALICE, one), (BOB, other)] {
                    world.redeem(host, &link, newcomer);
                    data.push((world.people[newcomer].data.unwrap(), world.epoch, world.people[newcomer].past()));
                }
            }
            _ => {}
        }
    }
    data
}

/// Any order at all.
pub(crate) fn shuffled(entries: &[ControlEntry], draws: &mut Draws) -> Vec<ControlEntry> {
    let mut left = entries.to_vec();
    let mut order = Vec::new();
    while !left.is_empty() {
        let at = draws.below(left.len() as u64) as usize;
        order.push(left.swap_remove(at));
    }
    order
}

/// Any order that causality allows.
fn causal(entries: &[ControlEntry], draws: &mut Draws) -> Vec<ControlEntry> {
    let mut left = entries.to_vec();
    let mut order = Vec::new();
    let mut seen = Past::new();
    while !left.is_empty() {
        let ready = |entry: &ControlEntry| seen.includes(&entry.past) && seen.get(&entry.feed) == entry.seq;
        let ready: Vec<_> = (0..left.len()).filter(|at| ready(&left[*at])).collect();
        let at = ready[draws.below(ready.len() as u64) as usize];
        let entry = left.swap_remove(at);
        seen.raise(entry.feed, entry.seq + 1);
        order.push(entry);
    }
    order
}

/// Random spaces a property: enough for every change, and as many as asked for in a long run.
pub(crate) fn cases() -> u32 {
    std::env::var("WEFT_SPACES").ok().and_then(|number| number.parse().ok()).unwrap_or(334)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// Spec: SPACE-3. The resolution is a function of the set.
    #[test]
    fn any_order_of_arrival_gives_one_resolution(
        acts in proptest::collection::vec(act(), 1..40),
        seed in any::<[u8; 32]>(),
    ) {
        let (world, _) = play(&acts);
        let mut draws = Draws::new(Seed::from_bytes(seed));
        let expected = world.resolve();
        prop_assert_eq!(&resolve(&world.space, &shuffled(&world.entries, &mut draws)), &expected);

        // Piece by piece, some of it twice.
        let mut space = Space::new(world.space);
        let mut left = shuffled(&world.entries, &mut draws);
        while !left.is_empty() {
            let take = 1 + draws.below(left.len() as u64) as usize;
            let piece = left.split_off(left.len() - take);
            space.insert(piece.clone());
            space.insert(piece);
        }
        prop_assert_eq!(space.resolution(), &expected);
    }

    /// Spec: SPACE-3.6. Whoever follows the changes knows what a fresh look would show.
    #[test]
    fn changes_tell_everything_that_changed(
        acts in proptest::collection::vec(act(), 1..40),
        seed in any::<[u8; 32]>(),
    ) {
        let (world, data) = play(&acts);
        let mut draws = Draws::new(Seed::from_bytes(seed));
        let mut space = Space::new(world.space);
        let mut seen = Past::new();
        let mut feeds = Vec::new();
        let mut devices = Vec::new();
        let mut judged: BTreeMap<usize, Verdict> = BTreeMap::new();
        for entry in causal(&world.entries, &mut draws) {
            seen.raise(entry.feed, entry.seq + 1);
            let changes = space.insert(vec![entry]);
            feeds.extend(changes.feeds_admitted);
            devices.extend(changes.devices_admitted);
            devices.retain(|device| !changes.devices_gone.contains(device));
            for (at, (feed, epoch, past)) in data.iter().enumerate() {
                if !seen.includes(past) {
                    continue;
                }
                let verdict = space.resolution().verdict(feed, 0, Some(epoch), past);
                let before = judged.insert(at, verdict.clone());
                let silent = !changes.verdicts_changed.contains(feed);
                let known = before.as_ref().is_some_and(|before| *before != Verdict::Undecided);
                prop_assert!(!(known && silent) || before == Some(verdict), "a verdict changed in silence");
            }
        }
        feeds.sort();
        let all: Vec<_> = space.resolution().feeds().map(|(id, _)| id).collect();
        prop_assert_eq!(feeds, all);
        let current = |device: &_| space.resolution().device(device).is_some();
        prop_assert!(devices.iter().all(current));
        let members = space.resolution().members();
        prop_assert_eq!(members.iter().map(|member| member.devices.len()).sum::<usize>(), devices.len());
    }

    /// Spec: SPACE-11, SPACE-12. What the model checks of small worlds, in large random ones.
    #[test]
    fn acts_hold_and_nobody_comes_back_by_them(acts in proptest::collection::vec(act(), 1..60)) {
        let (world, data) = play(&acts);
        let resolution = world.resolve();
        let void: BTreeSet<_> = resolution.void().map(|(place, _)| (place.feed, place.seq, place.part)).collect();
        prop_assert!(resolution.members().iter().any(|member| member.role == Role::Owner), "no owner");
        let parts = |entry: &ControlEntry| entry.parts.clone().unwrap_or_default();
        let named = world.entries.iter().flat_map(parts).filter_map(|part| match part.into_inner().credential {
            Credential::Seal(seal) => Some(seal.act.entry),
            _ => None,
        });
        let sealed: BTreeSet<_> = named.collect();
        for entry in &world.entries {
            for (part, said) in (0..).zip(parts(entry)) {
                let counts = !void.contains(&(entry.feed, entry.seq, part));
                let by_root = matches!(said.credential, Credential::RootStatement(_));
                // What a majority sealed is decided first, and stands when its author is cut below it later. So may an act of
                // another device than the one by which its member did something to itself (SPACE-12.2).
                let author = resolution.feed(&entry.feed).map(|feed| feed.identity);
                let by_another_device = world.entries.iter().filter(|other| other.feed != entry.feed).any(|other| {
                    let same = resolution.feed(&other.feed).map(|feed| feed.identity) == author;
                    let itself = |part: &Verified<Part>| match &part.credential {
                        Credential::MemberRemoved(removed) => Some(removed.identity) == author,
                        Credential::RoleChanged(changed) => Some(changed.identity) == author,
                        _ => false,
                    };
                    same && parts(other).iter().any(itself)
                });
                if counts && !by_root && entry.seq > 0 && !sealed.contains(&entry.id) && !by_another_device {
                    let stands = resolution.stands(&entry.feed).unwrap_or(u64::MAX);
                    prop_assert!(entry.seq < stands, "entry {} of a feed that stands up to {stands} counts", entry.seq);
                }
                match &said.credential {
                    Credential::MemberRemoved(removed) if counts => {
                        // Who is a member nevertheless was let in anew, by one who knew.
                        let back = world.entries.iter().any(|other| {
                            let knew = other.past.get(&entry.feed) > entry.seq
                                || other.feed == entry.feed && other.seq > entry.seq;
                            knew && parts(other).iter().any(|part| match &part.credential {
                                Credential::InvitationRedeemed(redeemed) => {
                                    redeemed.statement().identity == removed.identity
                                }
                                _ => false,
                            })
                        });
                        prop_assert!(back || resolution.member(&removed.identity).is_none(), "resurrection");
                    }
                    Credential::DeviceRemoved(removed) if counts => {
                        prop_assert!(resolution.device(&removed.device).is_none(), "a removed device is current");
                    }
                    _ => {}
                }
            }
        }
        for (feed, epoch, past) in data {
            let stands = resolution.stands(&feed).unwrap_or(u64::MAX);
            if stands < u64::MAX {
                let verdict = resolution.verdict(&feed, stands, Some(&epoch), &past);
                prop_assert!(verdict != Verdict::Counts, "past its cut an entry counts");
            }
        }
        for (_, feed) in resolution.feeds().filter(|(id, feed)| feed.counts && resolution.stands(id).is_none()) {
            prop_assert!(resolution.device(&feed.manifest.device).is_some());
        }
    }
}
