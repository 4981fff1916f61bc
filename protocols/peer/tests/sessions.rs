//! Document instances edit through a peer, each as a session of its own.

use bytes::Bytes;
use weft_credential::Role;
use weft_crypto::{DeviceId, ObjectId, SpaceId};
use weft_peer::{Answer, Command, Event, Refusal, RefusalKind, SessionKey};

use crate::net::Net;
use crate::spaces::{create, invite, join, level, note, text};

struct Session {
    number: u64,
    client: u64,
    key: SessionKey,
}

fn open(net: &mut Net, at: DeviceId, space: SpaceId) -> Session {
    match net.answer(at, Command::OpenSession { space }).unwrap() {
        Answer::Session { session: number, client, key } => Session { number, client, key },
        other => panic!("{other:?}"),
    }
}

/// A Yjs v1 update of one block that is typed at the beginning of an empty text, or after this character.
fn typed(client: u64, clock: u64, after: Option<(u64, u64)>, text: &str) -> Bytes {
    let mut update = vec![1, 1];
    let write = |number: u64, update: &mut Vec<u8>| weft_wire::varint::write(number, update);
    write(client, &mut update);
    write(clock, &mut update);
    match after {
        Some((client, clock)) => {
            update.push(0x84);
            write(client, &mut update);
            write(clock, &mut update);
        }
        None => update.extend_from_slice(b"\x04\x01\x04body"),
    }
    write(text.len() as u64, &mut update);
    update.extend_from_slice(text.as_bytes());
    update.push(0);
    update.into()
}

fn update(
    net: &mut Net,
    at: DeviceId,
    (space, object): (SpaceId, ObjectId),
    session: &Session,
    update: Bytes,
) -> Result<u64, Refusal> {
    let command = Command::Update { space, object, session: session.number, key: session.key, update };
    match net.answer(at, command)? {
        Answer::Updated { seq } => Ok(seq),
        other => panic!("{other:?}"),
    }
}

/// Spec: PEER-10
#[test]
fn numbers_are_never_handed_out_twice() {
    let mut net = Net::new();
    let alice = net.add("alice");
    let space = create(&mut net, alice);
    let numbers: Vec<u64> = (0..3).map(|_| open(&mut net, alice, space).number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    net.restart(alice);
    assert_eq!(open(&mut net, alice, space).number, 4);
    // Taken, and the answer never came.
    net.ask(alice, Command::OpenSession { space });
    net.run();
    net.restart(alice);
    assert_eq!(open(&mut net, alice, space).number, 6);
}

/// Spec: PEER-10
#[test]
fn numbers_in_a_feed_that_comes_back_are_taken() {
    let mut net = Net::new();
    let (alice, bob) = (net.add("alice"), net.add("bob"));
    let space = create(&mut net, alice);
    let object = note(&mut net, alice, space, "");
    let link = invite(&mut net, alice, space, Role::Writer);
    join(&mut net, bob, link);
    net.run();
    let before = net.node(alice).store.clone();
    let sessions: Vec<Session> = (0..4).map(|_| open(&mut net, alice, space)).collect();
    update(&mut net, alice, (space, object), &sessions[2], typed(sessions[2].client, 0, None, "hello")).unwrap();
    net.run();
    net.restore(alice, before);
    net.connect(alice, bob);
    net.run();
    assert!(level(&mut net, alice, space));
    assert_eq!(text(&mut net, alice, space, object), "hello");
    assert_eq!(open(&mut net, alice, space).number, 4, "3 is in the feed");
}

/// Spec: PEER-10, ECHO-7.6
#[test]
fn what_a_session_writes_reaches_the_other_peer_under_its_number() {
    let mut net = Net::new();
    let (alice, bob) = (net.add("alice"), net.add("bob"));
    let space = create(&mut net, alice);
    let object = note(&mut net, alice, space, "");
    let link = invite(&mut net, alice, space, Role::Writer);
    join(&mut net, bob, link);
    net.run();
    let (hers, his) = (open(&mut net, alice, space), open(&mut net, bob, space));
    assert_ne!(hers.client, his.client);
    let place = (space, object);
    update(&mut net, alice, place, &hers, typed(hers.client, 0, None, "Hello ")).unwrap();
    net.run();
    update(&mut net, bob, place, &his, typed(his.client, 0, Some((hers.client, 5)), "Alice")).unwrap();
    net.run();
    for peer in [alice, bob] {
        assert_eq!(text(&mut net, peer, space, object), "Hello Alice");
        assert!(level(&mut net, peer, space));
    }
}

#[test]
fn who_does_not_hold_the_session_writes_nothing() {
    let mut net = Net::new();
    let (alice, carol) = (net.add("alice"), net.add("carol"));
    let space = create(&mut net, alice);
    let object = note(&mut net, alice, space, "");
    let link = invite(&mut net, alice, space, Role::Reader);
    join(&mut net, carol, link);
    net.run();
    let place = (space, object);
    let [first, second] = [(); 2].map(|()| open(&mut net, alice, space));
    let bytes = |session: &Session| typed(session.client, 0, None, "x");
    let code = |result: Result<u64, Refusal>| result.unwrap_err().code;
    let forged = Session { key: second.key, ..first };
    assert_eq!(code(update(&mut net, alice, place, &forged, bytes(&forged))), "not_your_session");
    for number in [0, 3, 1 << 40] {
        let unknown = Session { number, client: 1, key: [0; 16] };
        assert_eq!(code(update(&mut net, alice, place, &unknown, bytes(&unknown))), "unknown_session");
    }
    let mine = Session { key: first.key, ..forged };
    assert_eq!(code(update(&mut net, alice, place, &mine, bytes(&second))), "foreign_client");
    assert_eq!(code(update(&mut net, alice, place, &mine, typed(mine.client, 7, None, "x"))), "clock_gap");
    assert_eq!(code(update(&mut net, alice, place, &mine, typed(mine.client, 0, Some((9, 9)), "x"))), "acausal");
    assert_eq!(code(update(&mut net, alice, place, &mine, Bytes::from_static(b"\x01"))), "malformed_update");
    let refusal = net.answer(carol, Command::OpenSession { space }).unwrap_err();
    assert_eq!((refusal.code, refusal.kind), ("wrong_role", RefusalKind::Refused));
    assert_eq!(text(&mut net, alice, space, object), "");
    let check = |key| Command::CheckSession { space, session: mine.number, key };
    assert!(net.answer(alice, check(mine.key)).is_ok());
    assert_eq!(net.answer(alice, check([0; 16])).unwrap_err().code, "not_your_session");
}

/// Spec: PEER-9
#[test]
fn what_a_document_says_is_heard_by_connected_members_and_kept_by_nobody() {
    let mut net = Net::new();
    let (alice, bob, mallory) = (net.add("alice"), net.add("bob"), net.add("mallory"));
    let space = create(&mut net, alice);
    let object = note(&mut net, alice, space, "");
    let link = invite(&mut net, alice, space, Role::Reader);
    join(&mut net, bob, link);
    net.connect(alice, mallory);
    net.run();
    let say = |state: &'static [u8]| Command::Say { space, object, session: 7, state: Bytes::from_static(state) };
    let stored = net.node(bob).store.clone();
    net.answer(alice, say(b"here")).unwrap();
    net.answer(alice, say(b"")).unwrap();
    net.run();
    let heard = |net: &mut Net, at| {
        let events = net.node(at).events.iter();
        let heard = events.filter_map(|event| match event {
            Event::Heard { device, space: of, object: at, session: 7, state } if (*of, *at) == (space, object) => {
                Some((*device, state.clone()))
            }
            Event::Heard { .. } => panic!("{event:?}"),
            _ => None,
        });
        heard.collect::<Vec<_>>()
    };
    let said = [(alice, Bytes::from_static(b"here")), (alice, Bytes::new())];
    assert_eq!(heard(&mut net, bob), said);
    assert_eq!(heard(&mut net, mallory), []);
    assert_eq!(net.node(bob).store.derived, stored.derived);
    net.disconnect(alice, bob);
    net.answer(alice, say(b"alone")).unwrap();
    net.connect(alice, bob);
    net.run();
    assert_eq!(heard(&mut net, bob), said, "whoever is not there never hears it");
    let large = vec![0; 1_025].into();
    let refusal = net.answer(alice, Command::Say { space, object, session: 7, state: large }).unwrap_err();
    assert_eq!(refusal.code, "too_large");
}
