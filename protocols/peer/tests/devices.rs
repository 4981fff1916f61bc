//! One person, several devices. Spec: PEER-15, INVITATION-6

use std::time::Duration;

use bytes::Bytes;
use weft_credential::Role;
use weft_crypto::{DeviceId, SpaceId};
use weft_invitation::device::DeviceLink;
use weft_peer::{Answer, Command, DeviceInfo, DeviceRemoval, Event, LinkedBy, Refusal, Status};

use crate::{
    net::Net,
    spaces::{append, create, insert, invite, join, note, text},
};

const NOW_MS: u64 = 1_800_000_000_000;

fn link(net: &mut Net, host: DeviceId) -> DeviceLink {
    let command = Command::LinkDevice { expires_ms: NOW_MS + 600_000, addresses: vec!["/memory/1".into()] };
    match net.answer(host, command).unwrap() {
        Answer::DeviceLink { link, .. } => DeviceLink::parse(&link).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The device becomes one of the link's identity, and is started anew as such.
fn use_link(net: &mut Net, device: DeviceId, link: DeviceLink, name: &str) -> Result<(), Refusal> {
    match net.answer(device, Command::JoinAsDevice { link, name: name.into() })? {
        Answer::JoinedAsDevice { welcome, host, addresses } => {
            let by = LinkedBy { home: welcome.home, host, addresses };
            net.linked.insert(device, (*welcome, by));
            net.restart(device);
            net.advance(Duration::from_secs(1));
            Ok(())
        }
        other => panic!("{other:?}"),
    }
}

/// Alice's phone, which made the identity, and her laptop, which was linked from it.
fn phone_and_laptop(net: &mut Net) -> (DeviceId, DeviceId) {
    let (phone, laptop) = (net.add("alice"), net.add("laptop"));
    let link = link(net, phone);
    use_link(net, laptop, link, "laptop").unwrap();
    (phone, laptop)
}

fn status(net: &mut Net, at: DeviceId) -> Status {
    match net.answer(at, Command::Status).unwrap() {
        Answer::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

fn spaces(net: &mut Net, at: DeviceId) -> Vec<SpaceId> {
    status(net, at).spaces.iter().map(|space| space.space).collect()
}

fn devices(net: &mut Net, at: DeviceId) -> Vec<DeviceInfo> {
    match net.answer(at, Command::Devices).unwrap() {
        Answer::Devices(devices) => devices,
        other => panic!("{other:?}"),
    }
}

/// What it does is what was foreseen.
fn remove(net: &mut Net, at: DeviceId, device: DeviceId) -> DeviceRemoval {
    let foreseen = match net.answer(at, Command::ForeseeMyDeviceRemoval { device }).unwrap() {
        Answer::MyDeviceRemoved(foreseen) => foreseen,
        other => panic!("{other:?}"),
    };
    match net.answer(at, Command::RemoveMyDevice { device }).unwrap() {
        Answer::MyDeviceRemoved(done) => {
            assert_eq!(done, foreseen);
            net.advance(Duration::from_secs(3));
            done
        }
        other => panic!("{other:?}"),
    }
}

fn connected(net: &mut Net, at: DeviceId, to: DeviceId) -> bool {
    status(net, at).peers.iter().any(|peer| peer.device == to)
}

/// Spec: PEER-15.1, PEER-15.2
#[test]
fn a_linked_device_gets_the_spaces_of_the_identity() {
    let mut net = Net::new();
    let (phone, laptop) = (net.add("alice"), net.add("laptop"));
    let space = create(&mut net, phone);
    let object = note(&mut net, phone, space, "from the phone");
    let link = link(&mut net, phone);
    use_link(&mut net, laptop, link, "laptop").unwrap();
    net.advance(Duration::from_secs(2));
    assert_eq!(spaces(&mut net, laptop), [space], "home is not among them");
    assert_eq!(status(&mut net, laptop).identity, status(&mut net, phone).identity);
    assert_eq!(text(&mut net, laptop, space, object), "from the phone");
    insert(&mut net, laptop, space, object, 0, "and the laptop ");
    net.advance(Duration::from_secs(2));
    assert_eq!(text(&mut net, phone, space, object), "and the laptop from the phone");

    let listed = devices(&mut net, phone);
    assert_eq!(listed.len(), 2);
    let other = listed.iter().find(|device| device.device == laptop).unwrap();
    assert_eq!((other.name.as_deref(), other.sibling, other.connected), (Some("laptop"), true, true));
    assert_eq!(other.spaces, [space]);
    assert_eq!(other.lacking, Some(0));
    net.answer(laptop, Command::NameDevice { name: "old laptop".into() }).unwrap();
    net.advance(Duration::from_secs(6));
    let listed = devices(&mut net, phone);
    assert!(listed.iter().any(|device| device.device == laptop && device.name.as_deref() == Some("old laptop")));
}

/// Spec: PEER-15.2
#[test]
fn a_space_that_one_device_makes_or_joins_later_appears_on_the_others() {
    let mut net = Net::new();
    let (phone, laptop) = phone_and_laptop(&mut net);
    let bob = net.add("bob");
    let tablet = net.add("tablet");
    // Made by the device that was linked: it founds by its chain.
    let first = create(&mut net, laptop);
    net.advance(Duration::from_secs(2));
    assert_eq!(spaces(&mut net, phone), [first]);
    // Joined by it: it redeems by its chain.
    let second = create(&mut net, bob);
    let invitation = invite(&mut net, bob, second, Role::Writer);
    join(&mut net, laptop, invitation);
    net.advance(Duration::from_secs(2));
    let object = note(&mut net, phone, second, "from alice's phone");
    net.advance(Duration::from_secs(2));
    assert_eq!(text(&mut net, bob, second, object), "from alice's phone");
    // And a third device, linked by the second.
    let link = link(&mut net, laptop);
    use_link(&mut net, tablet, link, "tablet").unwrap();
    net.advance(Duration::from_secs(10));
    let mut both = [first, second];
    both.sort();
    assert_eq!(spaces(&mut net, tablet), both);
    // The first and the third have met nowhere but at home.
    net.connect(phone, tablet);
    net.disconnect(laptop, tablet);
    let third = create(&mut net, phone);
    net.advance(Duration::from_secs(10));
    assert!(spaces(&mut net, tablet).contains(&third));
}

/// Spec: INVITATION-6.2
#[test]
fn a_device_link_is_good_once_and_for_a_while() {
    let mut net = Net::new();
    let (phone, laptop, mallory) = (net.add("alice"), net.add("laptop"), net.add("mallory"));
    let stolen = link(&mut net, phone);
    use_link(&mut net, laptop, stolen.clone(), "laptop").unwrap();
    assert_eq!(use_link(&mut net, mallory, stolen, "mine now").unwrap_err().code, "used_link");
    assert!(devices(&mut net, phone).iter().all(|device| device.device != mallory));
    // One that has expired, by the host's clock.
    let (late, mut invented) = (link(&mut net, phone), link(&mut net, phone));
    net.advance(Duration::from_secs(601));
    assert_eq!(use_link(&mut net, mallory, late, "late").unwrap_err().code, "expired_link");
    // One that the host never made.
    invented.secret = weft_crypto::InvitationSecret::from_seed([66; 32]);
    assert_eq!(use_link(&mut net, mallory, invented, "x").unwrap_err().code, "unknown_link");
}

/// Spec: PEER-15.1
#[test]
fn a_link_that_was_taken_back_is_good_no_more_and_one_that_was_used_stays_so() {
    let mut net = Net::new();
    let (phone, laptop, mallory) = (net.add("alice"), net.add("laptop"), net.add("mallory"));
    let (used, open) = (link(&mut net, phone), link(&mut net, phone));
    net.answer(laptop, Command::JoinAsDevice { link: used.clone(), name: "laptop".into() }).unwrap();
    match net.answer(phone, Command::CancelDeviceLinks).unwrap() {
        Answer::DeviceLinksCancelled { links } => assert_eq!(links, 1),
        other => panic!("{other:?}"),
    }
    net.restart(phone);
    assert_eq!(use_link(&mut net, mallory, open, "mine now").unwrap_err().code, "unknown_link");
    use_link(&mut net, laptop, used.clone(), "laptop").unwrap();
    match net.answer(phone, Command::DeviceLinks).unwrap() {
        Answer::DeviceLinks(links) => {
            let [known] = &links[..] else { panic!("{links:?}") };
            assert_eq!((known.id, known.used_by), (used.secret.id(), Some(laptop)));
        }
        other => panic!("{other:?}"),
    }
}

/// What it was told may be lost with the stream: who has used a link gets the same again.
///
/// Spec: PEER-15.1
#[test]
fn a_crash_on_either_side_uses_up_no_link() {
    let mut net = Net::new();
    let (phone, laptop) = (net.add("alice"), net.add("laptop"));
    let space = create(&mut net, phone);
    let good = link(&mut net, phone);
    // The laptop is told, and forgets it before it is kept.
    let join = Command::JoinAsDevice { link: good.clone(), name: "laptop".into() };
    net.answer(laptop, join).unwrap();
    net.restart(laptop);
    net.restart(phone);
    use_link(&mut net, laptop, good, "laptop").unwrap();
    // It crashes again before it has entered home, and after.
    net.restart(laptop);
    net.advance(Duration::from_secs(2));
    net.restart(laptop);
    net.connect(phone, laptop);
    net.advance(Duration::from_secs(2));
    assert_eq!(spaces(&mut net, laptop), [space]);
}

/// Spec: INVITATION-6.1
#[test]
fn a_device_with_spaces_of_its_own_becomes_nobody_elses() {
    let mut net = Net::new();
    let (phone, bob) = (net.add("alice"), net.add("bob"));
    create(&mut net, bob);
    let link = link(&mut net, phone);
    assert_eq!(use_link(&mut net, bob, link, "bob's").unwrap_err().code, "has_spaces");
}

/// Spec: PEER-15.3
#[test]
fn a_lost_laptop_is_removed_from_the_phone() {
    let mut net = Net::new();
    let (phone, laptop) = phone_and_laptop(&mut net);
    let bob = net.add("bob");
    let space = create(&mut net, phone);
    let invitation = invite(&mut net, phone, space, Role::Writer);
    join(&mut net, bob, invitation);
    net.advance(Duration::from_secs(2));
    let object = note(&mut net, laptop, space, "before");
    net.advance(Duration::from_secs(2));
    net.connect(bob, laptop);
    net.advance(Duration::from_secs(2));
    let stolen = net.node(laptop).store.clone();
    let done = remove(&mut net, phone, laptop);
    assert_eq!(done, DeviceRemoval { stays: None, spaces: vec![(space, None)] });
    for at in [phone, bob] {
        assert!(!connected(&mut net, at, laptop), "its open connection ends");
    }
    // Whoever sits at it hears why, and it stays so.
    net.restart(laptop);
    assert_eq!(status(&mut net, laptop).removed_by, Some(phone));
    let edit = Command::Append { space, records: vec![Bytes::from_static(b"x")] };
    assert_eq!(net.answer(laptop, edit).unwrap_err().code, "device_removed");
    let found = Command::CreateSpace { name: "elsewhere".into() };
    assert_eq!(net.answer(laptop, found).unwrap_err().code, "device_removed");
    // The thief does not care: it goes on writing, and finds its way back to both.
    net.restore(laptop, stolen);
    insert(&mut net, laptop, space, object, 6, " and after");
    for at in [phone, bob] {
        net.connect(laptop, at);
    }
    net.advance(Duration::from_secs(10));
    let later = create(&mut net, phone);
    net.advance(Duration::from_secs(10));
    for at in [phone, bob] {
        assert_eq!(text(&mut net, at, space, object), "before", "what it wrote before stays, and nothing else came");
    }
    assert!(!spaces(&mut net, laptop).contains(&later));
    append(&mut net, bob, space, "bob goes on");
    // It cannot be linked again under its key, and what it links is nobody.
    let again = link(&mut net, phone);
    assert!(use_link(&mut net, laptop, again, "it's me").is_err());
}

/// Spec: PEER-15.3, SPACE-11.4
#[test]
fn a_later_device_does_not_remove_an_earlier_one() {
    let mut net = Net::new();
    let (phone, laptop) = phone_and_laptop(&mut net);
    let space = create(&mut net, phone);
    net.advance(Duration::from_secs(2));
    let done = remove(&mut net, laptop, phone);
    assert_eq!(done.refusal().unwrap().code, "earlier_device");
    assert!(done.spaces.iter().all(|(_, stays)| stays.as_ref().is_some_and(|stays| stays.code == "earlier_device")));
    append(&mut net, phone, space, "still here");
    // But the laptop has nothing more to do with it.
    assert!(devices(&mut net, laptop).iter().any(|device| device.device == phone && device.removed && !device.sibling));
}

/// What one device removes is removed by the others in the spaces that the first one does not hold. Spec: PEER-15.3
#[test]
fn a_removal_is_carried_into_spaces_that_only_siblings_hold() {
    let mut net = Net::new();
    let (phone, laptop) = phone_and_laptop(&mut net);
    let tablet = net.add("tablet");
    let link = link(&mut net, phone);
    use_link(&mut net, tablet, link, "tablet").unwrap();
    net.connect(laptop, tablet);
    net.advance(Duration::from_secs(2));
    net.disconnect(phone, laptop);
    net.disconnect(phone, tablet);
    // The laptop makes a space, and the tablet gets it; the phone has not heard of it.
    let apart = create(&mut net, laptop);
    net.advance(Duration::from_secs(2));
    assert_eq!(spaces(&mut net, tablet), [apart]);
    net.disconnect(laptop, tablet);
    remove(&mut net, phone, tablet);
    net.connect(phone, laptop);
    net.advance(Duration::from_secs(5));
    assert!(spaces(&mut net, phone).contains(&apart));
    for at in [phone, laptop] {
        let listed = devices(&mut net, at);
        let tablet = listed.iter().find(|device| device.device == tablet);
        assert!(tablet.is_none_or(|tablet| tablet.spaces.is_empty() && !tablet.sibling), "{tablet:?}");
    }
}

/// Spec: PEER-15, PEER-15.2
#[test]
fn a_stranger_that_says_it_is_a_sibling_gets_nothing() {
    let mut net = Net::new();
    let (phone, laptop) = phone_and_laptop(&mut net);
    let space = create(&mut net, phone);
    let mallory = net.add("mallory");
    // She takes herself for a device that the phone has linked, and knows the name of home.
    let (welcome, by) = net.linked[&laptop].clone();
    let _ = welcome;
    net.restart_as_linked_by(mallory, by);
    net.advance(Duration::from_secs(30));
    assert!(spaces(&mut net, mallory).is_empty());
    assert!(devices(&mut net, phone).iter().all(|device| device.device != mallory));
    let said = |event: &Event| matches!(event, Event::SpaceAdded { space: added } if *added == space);
    assert!(!net.node(mallory).events.iter().any(said));
    let records = vec![Bytes::from_static(b"x")];
    assert!(net.answer(mallory, Command::Append { space, records }).is_err());
}
