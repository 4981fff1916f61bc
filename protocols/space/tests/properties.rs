//! What holds for all stories and all orders of arrival. Spec: SPACE-2.1, SPACE-3, SPACE-3.6.

use std::collections::BTreeMap;

use proptest::prelude::*;
use weft_credential::{Credential, PreKeySet, Role, Unknown};
use weft_crypto::{FeedId, FeedSecret, InvitationSecret, Manifest, PreKeySecret, Purpose, SignedManifest};
use weft_feed::Past;
use weft_machine::{Draws, Seed};
use weft_space::{ControlEntry, Space, Verdict, resolve};

use crate::world::{ALICE, BOB, World};

const PEOPLE: usize = 5;

/// Something that somebody does.
#[derive(Clone, Debug)]
enum Act {
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
    Data {
        who: usize,
    },
    /// Alice and Bob each let somebody in by one single-use link, and both newcomers write.
    Contest {
        one: usize,
        other: usize,
    },
}

fn act() -> impl Strategy<Value = Act> {
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
        4 => who().prop_map(|who| Act::Data { who }),
        2 => (2..PEOPLE, 2..PEOPLE).prop_map(|(one, other)| Act::Contest { one, other }),
    ]
}

/// A data entry: its feed and its past.
type Written = (FeedId, Past);

/// Plays a story; whoever has no feed yet can only listen. Bob is an admin from the start.
fn play(acts: &[Act]) -> (World, Vec<Written>) {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
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
                world.write_bytes(who, bytes::Bytes::from_static(&[0xff, 1, 2]));
            }
            Act::Data { who } => {
                if let Some(feed) = world.people[who].data {
                    data.push((feed, world.people[who].past()));
                }
            }
            Act::Contest { one, other } if one != other => {
                let link = world.invite(ALICE, Role::Admin, 1, 0);
                world.hear(BOB, ALICE);
                for (host, newcomer) in [(ALICE, one), (BOB, other)] {
                    world.redeem(host, &link, newcomer);
                    data.push((world.people[newcomer].data.unwrap(), world.people[newcomer].past()));
                }
            }
            _ => {}
        }
    }
    (world, data)
}

/// Any order at all.
fn shuffled(entries: &[ControlEntry], draws: &mut Draws) -> Vec<ControlEntry> {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

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
            for (at, (feed, past)) in data.iter().enumerate() {
                if !seen.includes(past) {
                    continue;
                }
                let verdict = space.resolution().verdict(feed, 0, Some(&world.epoch), past);
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

    /// Spec: SPACE-6. Nobody but the founder is an owner unless an owner made it one, and every chain ends at the founder.
    #[test]
    fn authority_comes_from_genesis(acts in proptest::collection::vec(act(), 1..40)) {
        let (world, _) = play(&acts);
        let resolution = world.resolve();
        let founder = resolution.genesis().unwrap().root;
        for member in resolution.members() {
            let mut at = member.clone();
            let mut steps = 0;
            while let Some(by) = at.admitted_by {
                let granter = resolution.role_of(&by).unwrap();
                prop_assert!(granter.may_administer());
                at = resolution.member(&by).unwrap();
                steps += 1;
                prop_assert!(steps <= PEOPLE, "a chain of grants goes round");
            }
            prop_assert_eq!(at.identity, founder);
        }
        for (_, feed) in resolution.feeds().filter(|(_, feed)| feed.counts) {
            prop_assert!(resolution.device(&feed.manifest.device).is_some());
        }
    }
}
