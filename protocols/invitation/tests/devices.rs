//! Devices talk: one is linked, siblings let each other in. Spec: INVITATION-6

use bytes::Bytes;
use weft_credential::{Chain, DeviceLinked, linked};
use weft_crypto::{DeviceKey, InvitationSecret, PreKeySecret, Purpose, SpaceId};
use weft_invitation::{
    Config, LinkError, Part, Reason, Violation,
    device::{
        DeviceLink, DeviceLinkError, Guest, GuestInput, GuestOutput, Host, HostInput, HostOutput, Newcomer,
        NewcomerInput, NewcomerOutput, SPACES_MAX, Welcome,
    },
};
use weft_machine::{Machine, Seed, Time, laws};

use crate::{newcomer::Newcomer as Person, session::payload};

const NOW: Time = Time::from_millis(5000);
const HOME: SpaceId = SpaceId::from_bytes([9; 32]);

fn seed(byte: u8) -> Seed {
    Seed::from_bytes([byte; 32])
}

fn secret() -> InvitationSecret {
    InvitationSecret::from_seed([5; 32])
}

fn link(alice: &Person) -> DeviceLink {
    let (identity, host) = (alice.root.id(), alice.device.id());
    DeviceLink { identity, secret: secret(), host, addresses: vec!["/ip4/192.0.2.7/tcp/9338".into()] }
}

fn welcome(of: &Person, to: &DeviceKey) -> Box<Welcome> {
    let chain = Chain::default().and(of.root.id(), &of.device, to.id()).unwrap();
    Box::new(Welcome { statements: of.statements.clone(), chain, home: HOME, name: "alice".into() })
}

fn host(alice: &Person, peer: &DeviceKey) -> Host {
    Host::new(Config::default(), alice.root.id(), alice.device.id(), peer.id(), NOW, &seed(1))
}

/// Carries frames until the newcomer is done; the host's peer answers a link with `judged`.
fn meet(
    newcomer: &mut Newcomer,
    host: &mut Host,
    judged: &Result<Box<Welcome>, Reason>,
) -> (NewcomerOutput, Vec<Bytes>) {
    let mut sent = Vec::new();
    loop {
        match newcomer.poll_output().expect("the newcomer goes on") {
            NewcomerOutput::Send(frame) => host.handle_input(NOW, HostInput::Received(payload(frame))),
            end => return (end, sent),
        }
        while let Some(output) = host.poll_output() {
            match output {
                HostOutput::Send(frame) => {
                    sent.push(payload(frame.clone()));
                    newcomer.handle_input(NOW, NewcomerInput::Received(payload(frame)));
                }
                HostOutput::Link { key, .. } => {
                    let known = key == secret().id();
                    let judged = if known { judged.clone() } else { Err(Reason::NotValid) };
                    host.handle_input(NOW, HostInput::Linked(judged));
                }
                HostOutput::Close => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

fn newcomer(device: &DeviceKey, link: DeviceLink) -> Newcomer {
    Newcomer::new(Config::default(), device.id(), link, "phone".into(), NOW, &seed(2))
}

/// Spec: INVITATION-6.1
#[test]
fn a_device_link_is_read_as_it_was_written() {
    let alice = Person::new(1);
    let text = link(&alice).encode();
    assert!(text.starts_with("weft-device:"));
    let read = DeviceLink::parse(&format!(" {}\n", text.to_uppercase())).unwrap();
    assert_eq!(
        (read.identity, read.host, read.addresses),
        (alice.root.id(), alice.device.id(), link(&alice).addresses)
    );
    assert_eq!(DeviceLink::parse("weft-invite:abc").unwrap_err(), DeviceLinkError::NotALink);
    assert_eq!(DeviceLink::parse(&text[..60]).unwrap_err(), DeviceLinkError::Link(LinkError::CutShort));
    // The checksum is another one than that of invitations.
    let other = text.replace("weft-device:", "weft-invite:");
    assert_eq!(weft_invitation::Link::parse(&other).unwrap_err(), LinkError::Damaged);
}

/// Spec: INVITATION-6.2
#[test]
fn who_knows_the_link_becomes_a_device() {
    let (alice, phone) = (Person::new(1), DeviceKey::from_seed([50; 32]));
    let good = welcome(&alice, &phone);
    let (end, _) = meet(&mut newcomer(&phone, link(&alice)), &mut host(&alice, &phone), &Ok(good.clone()));
    assert_eq!(end, NewcomerOutput::Welcome(good));
    for reason in [Reason::Expired, Reason::UsedUp] {
        let (end, _) = meet(&mut newcomer(&phone, link(&alice)), &mut host(&alice, &phone), &Err(reason));
        assert_eq!(end, NewcomerOutput::Refused(reason));
    }
}

/// Spec: INVITATION-6.2
#[test]
fn a_wrong_key_and_an_unknown_link_get_one_answer() {
    let (alice, mallory) = (Person::new(1), DeviceKey::from_seed([66; 32]));
    let unknown = DeviceLink { secret: InvitationSecret::from_seed([6; 32]), ..link(&alice) };
    let never = Err(Reason::NotValid);
    let (end, first) = meet(&mut newcomer(&mallory, unknown), &mut host(&alice, &mallory), &never);
    assert_eq!(end, NewcomerOutput::Refused(Reason::NotValid));
    // The right key, for another identity: the proof does not fit.
    let wrong = DeviceLink { identity: Person::new(2).root.id(), ..link(&alice) };
    let (end, second) = meet(&mut newcomer(&mallory, wrong), &mut host(&alice, &mallory), &never);
    assert_eq!(end, NewcomerOutput::Refused(Reason::NotValid));
    assert_eq!(first, second);
}

/// Spec: INVITATION-6.2
#[test]
fn a_host_that_offers_another_identity_is_found_out() {
    let (alice, mallory, phone) = (Person::new(1), Person::new(3), DeviceKey::from_seed([50; 32]));
    let offered = |welcome: Box<Welcome>| {
        let (end, _) = meet(&mut newcomer(&phone, link(&alice)), &mut host(&alice, &phone), &Ok(welcome));
        match end {
            NewcomerOutput::Violated(violation) => violation,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(offered(welcome(&mallory, &phone)), Violation::OtherIdentity);
    // Alice's statements, with a chain of mallory's making, or one to another device.
    let mut mixed = welcome(&alice, &phone);
    mixed.chain = welcome(&mallory, &phone).chain;
    assert!(matches!(offered(mixed), Violation::Welcome(_)));
    assert!(matches!(offered(welcome(&alice, &DeviceKey::from_seed([51; 32]))), Violation::Welcome(_)));
}

fn says(phone: &Person, alice: &Person, space: SpaceId) -> DeviceLinked {
    let statement = linked::Statement {
        space,
        identity: alice.root.id(),
        device: phone.device.id(),
        pre_key: PreKeySecret::from_seed([8; 32]).id(),
        control: phone.manifest(space, Purpose::Control),
        data: phone.manifest(space, Purpose::Data),
        host: alice.device.id(),
    };
    statement.sign(&phone.device)
}

fn part(bytes: usize) -> Part {
    let field = Bytes::from(vec![1; 10]);
    Part { manifest: field.clone(), from: 3, head: field.clone(), headers: field, bodies: vec![1; bytes].into() }
}

/// Carries what each says to the other; gives what they order besides.
fn talk(guest: &mut Guest, host: &mut Host) -> (Vec<GuestOutput>, Vec<HostOutput>) {
    let (mut guests, mut hosts) = (Vec::new(), Vec::new());
    loop {
        let mut quiet = true;
        while let Some(output) = guest.poll_output() {
            quiet = false;
            match output {
                GuestOutput::Send(frame) => host.handle_input(NOW, HostInput::Received(payload(frame))),
                other => guests.push(other),
            }
        }
        while let Some(output) = host.poll_output() {
            quiet = false;
            match output {
                HostOutput::Send(frame) => guest.handle_input(NOW, GuestInput::Received(payload(frame))),
                other => hosts.push(other),
            }
        }
        if quiet {
            return (guests, hosts);
        }
    }
}

/// Spec: INVITATION-6.3
#[test]
fn a_sibling_hears_of_spaces_and_is_let_in() {
    let (alice, phone) = (Person::new(1), Person::new(2));
    let space = SpaceId::from_bytes([7; 32]);
    let mut guest = Guest::new(Config::default(), "phone".into());
    let mut host = host(&alice, &phone.device);
    assert_eq!(talk(&mut guest, &mut host).1, [HostOutput::Sibling { name: "phone".into() }]);
    host.handle_input(NOW, HostInput::Told(vec![HOME, space]));
    assert_eq!(talk(&mut guest, &mut host).0, [GuestOutput::Told(vec![HOME, space])]);
    let linked = says(&phone, &alice, space);
    guest.handle_input(NOW, GuestInput::Enter(Box::new(linked.clone())));
    assert_eq!(talk(&mut guest, &mut host).1, [HostOutput::Enter(Box::new(linked))]);
    host.handle_input(NOW, HostInput::Judged(Ok(())));
    host.handle_input(NOW, HostInput::Bundle(vec![part(100), part(2000)]));
    assert_eq!(talk(&mut guest, &mut host).0, [GuestOutput::Bundle(vec![part(100), part(2000)])]);
    // The next one is refused, and the talk goes on.
    let other = says(&phone, &alice, HOME);
    guest.handle_input(NOW, GuestInput::Enter(Box::new(other)));
    talk(&mut guest, &mut host);
    host.handle_input(NOW, HostInput::Judged(Err(Reason::NotValid)));
    assert_eq!(talk(&mut guest, &mut host).0, [GuestOutput::Refused(Reason::NotValid)]);
    host.handle_input(NOW, HostInput::Told(vec![HOME]));
    assert_eq!(talk(&mut guest, &mut host).0, [GuestOutput::Told(vec![HOME])]);
}

/// Spec: INVITATION-6.3
#[test]
fn a_sibling_that_was_removed_hears_so_and_nothing_more() {
    let (alice, phone) = (Person::new(1), Person::new(2));
    let linked = says(&phone, &alice, HOME);
    for is_known in [false, true] {
        let mut guest = Guest::new(Config::default(), "phone".into());
        let mut host = host(&alice, &phone.device);
        talk(&mut guest, &mut host);
        if is_known {
            // In the middle of being let in.
            host.handle_input(NOW, HostInput::Told(vec![HOME]));
            talk(&mut guest, &mut host);
            guest.handle_input(NOW, GuestInput::Enter(Box::new(linked.clone())));
            talk(&mut guest, &mut host);
        }
        host.handle_input(NOW, HostInput::Removed);
        assert_eq!(talk(&mut guest, &mut host), (vec![GuestOutput::Removed], vec![]));
        for input in [HostInput::Judged(Ok(())), HostInput::Bundle(vec![part(1)]), HostInput::Told(vec![HOME])] {
            host.handle_input(NOW, input);
        }
        guest.handle_input(NOW, GuestInput::Enter(Box::new(linked.clone())));
        assert_eq!(talk(&mut guest, &mut host), (vec![], vec![]));
    }
}

/// Spec: INVITATION-6.3
#[test]
fn a_device_asks_for_nobody_but_itself() {
    let (alice, phone, mallory) = (Person::new(1), Person::new(2), Person::new(3));
    let space = SpaceId::from_bytes([7; 32]);
    for linked in [says(&mallory, &alice, space), says(&phone, &mallory, space)] {
        let mut guest = Guest::new(Config::default(), "phone".into());
        let mut host = host(&alice, &phone.device);
        talk(&mut guest, &mut host);
        host.handle_input(NOW, HostInput::Told(vec![space]));
        talk(&mut guest, &mut host);
        guest.handle_input(NOW, GuestInput::Enter(Box::new(linked)));
        assert_eq!(talk(&mut guest, &mut host), (vec![GuestOutput::Refused(Reason::Malformed)], vec![]));
    }
}

/// Spec: INVITATION-6, INVITATION-6.4
#[test]
fn who_speaks_out_of_turn_is_not_heard() {
    let (alice, phone) = (Person::new(1), Person::new(2));
    let mut guest = Guest::new(Config::default(), "phone".into());
    let mut host = host(&alice, &phone.device);
    let Some(GuestOutput::Send(sibling)) = guest.poll_output() else { panic!("it greets") };
    host.handle_input(NOW, HostInput::Received(payload(sibling.clone())));
    assert!(matches!(host.poll_output(), Some(HostOutput::Sibling { .. })));
    // Before it is known, and twice.
    host.handle_input(NOW, HostInput::Received(payload(sibling)));
    assert!(matches!(host.poll_output(), Some(HostOutput::Violated(Violation::NotDue { .. }))));
    assert_eq!(host.poll_output(), None);
    // More spaces than one may name.
    let mut host = self::host(&alice, &phone.device);
    let mut guest = Guest::new(Config::default(), "phone".into());
    talk(&mut guest, &mut host);
    host.handle_input(NOW, HostInput::Told(vec![HOME; SPACES_MAX + 1]));
    let (told, _) = talk(&mut guest, &mut host);
    assert!(matches!(&told[..], [GuestOutput::Told(spaces)] if spaces.len() == SPACES_MAX));
}

#[test]
fn the_laws_of_machines_hold_for_devices() {
    let (alice, phone) = (Person::new(1), Person::new(2));
    let frames: Vec<Bytes> = {
        let mut newcomer = newcomer(&phone.device, link(&alice));
        let mut guest = Guest::new(Config::default(), "phone".into());
        let Some(NewcomerOutput::Send(begin)) = newcomer.poll_output() else { panic!("a beginning") };
        let Some(GuestOutput::Send(sibling)) = guest.poll_output() else { panic!("a greeting") };
        vec![payload(begin), payload(sibling), Bytes::from_static(&[1, 2, 3])]
    };
    for first in &frames {
        let script = [
            HostInput::Received(first.clone()),
            HostInput::Told(vec![HOME]),
            HostInput::Received(frames[2].clone()),
            HostInput::Judged(Ok(())),
        ];
        let script: Vec<_> = script.into_iter().map(|input| (NOW, input)).collect();
        laws::all(|| host(&alice, &phone.device), &script);
    }
    let script = vec![(NOW, NewcomerInput::Received(frames[0].clone()))];
    laws::all(|| newcomer(&phone.device, link(&alice)), &script);
    let linked = Box::new(says(&phone, &alice, HOME));
    let script = vec![(NOW, GuestInput::Enter(linked)), (NOW, GuestInput::Received(frames[1].clone()))];
    laws::all(|| Guest::new(Config::default(), "phone".into()), &script);
}
