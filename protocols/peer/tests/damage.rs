//! What a peer does when its disk has not kept what it was given.

use std::time::Duration;

use bytes::Bytes;
use weft_credential::Role;
use weft_crypto::DeviceId;
use weft_peer::{Answer, Command, Event};

use crate::{
    net::Net,
    spaces::{append, create, data_feed, insert, invite, join, level, note, pair, text},
};

fn mended(net: &mut Net, at: DeviceId) -> Vec<(u64, u64)> {
    net.node(at).store.mended.iter().map(|(_, from, until)| (*from, *until)).collect()
}

fn waiting(net: &mut Net, at: DeviceId) -> String {
    let Answer::Status(status) = net.answer(at, Command::Status).unwrap() else { panic!() };
    status.spaces.iter().flat_map(|space| &space.waiting).map(|waiting| format!("{}\n", waiting.what)).collect()
}

/// Spec: PEER-8
#[test]
fn a_damaged_part_is_fetched_again_and_the_feed_is_followed_on() {
    let mut net = Net::new();
    let (alice, bob, space, object) = pair(&mut net);
    for word in ["one", "two", "three"] {
        append(&mut net, alice, space, word);
        net.run();
    }
    let feed = data_feed(&mut net, alice, space);
    for place in [0, 2] {
        net.damage(bob, feed, place);
        net.run();
        assert!(net.node(bob).store.damaged.is_empty(), "range {place}");
    }
    let parts = mended(&mut net, bob);
    assert_eq!((parts.len(), parts[0].0), (2, 0));
    assert!(parts[1].0 >= parts[0].1);
    let told = &net.node(bob).events;
    let count = |wanted: fn(&Event) -> bool| told.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Damaged { .. })), 2);
    assert_eq!(count(|event| matches!(event, Event::Mended { .. })), 2);
    // Bob still follows alice, and alice bob.
    insert(&mut net, alice, space, object, 0, "> ");
    net.run();
    assert!(level(&mut net, bob, space));
    assert_eq!(text(&mut net, bob, space, object), "> note one");
}

/// Spec: PEER-8
#[test]
fn damage_waits_for_somebody_who_holds_the_part() {
    let mut net = Net::new();
    let (alice, bob, space, _) = pair(&mut net);
    append(&mut net, bob, space, "a record");
    net.run();
    net.disconnect(alice, bob);
    let feed = data_feed(&mut net, bob, space);
    net.damage(bob, feed, 0);
    net.advance(Duration::from_secs(30));
    let said = waiting(&mut net, bob);
    assert!(said.contains("entry 0") && said.contains(&feed.to_string()) && said.contains("damaged"), "{said}");
    // Who holds nothing better than damage is of no help, and is asked again later.
    net.node(alice).store.damaged.insert(feed);
    net.connect(alice, bob);
    net.advance(Duration::from_secs(5));
    assert!(!net.node(bob).store.damaged.is_empty());
    net.node(alice).store.damaged.clear();
    net.advance(Duration::from_secs(30));
    assert!(net.node(bob).store.damaged.is_empty());
    assert!(!waiting(&mut net, bob).contains("damaged"));
    for at in [alice, bob] {
        let broken = |event: &Event| matches!(event, Event::Violated { .. } | Event::Stopped { .. });
        assert!(!net.node(at).events.iter().any(broken), "damage is nobody's misbehaviour");
    }
}

/// Spec: PEER-3.3
#[test]
fn who_lost_its_store_writes_nothing_before_a_member_has_shown_its_end() {
    let mut net = Net::new();
    let (alice, bob, space, object) = pair(&mut net);
    insert(&mut net, bob, space, object, 8, " two");
    append(&mut net, bob, space, "a record");
    net.run();
    net.disconnect(alice, bob);
    net.lose(bob, space, 2);
    net.advance(Duration::from_secs(60));
    let command = Command::Append { space, records: vec!["x".into()] };
    assert_eq!(net.answer(bob, command).unwrap_err().code, "end_unknown");
    assert!(waiting(&mut net, bob).contains("lost its store"));
    net.connect(alice, bob);
    net.advance(Duration::from_secs(3));
    assert!(!waiting(&mut net, bob).contains("lost its store"));
    insert(&mut net, bob, space, object, 12, " three");
    net.restart(bob);
    net.connect(alice, bob);
    net.advance(Duration::from_secs(3));
    append(&mut net, bob, space, "another record");
    net.advance(Duration::from_secs(3));
    for at in [alice, bob] {
        assert!(level(&mut net, at, space));
        assert_eq!(text(&mut net, at, space, object), "note one two three");
        assert!(!net.node(at).events.iter().any(|event| matches!(event, Event::Stopped { .. })));
    }
}

/// A member that holds less than this device is known to have written does not know its end either, unless there is nobody else.
///
/// Spec: PEER-3.3
#[test]
fn a_member_that_is_behind_does_not_show_the_end_before_everybody_was_heard() {
    let mut net = Net::new();
    let (alice, bob, space, object) = pair(&mut net);
    let carol = net.add("carol");
    let link = invite(&mut net, alice, space, Role::Writer);
    join(&mut net, carol, link);
    net.run();
    net.disconnect(alice, bob);
    net.disconnect(alice, carol);
    insert(&mut net, bob, space, object, 8, " two");
    let feed = data_feed(&mut net, bob, space);
    let Answer::Feeds(feeds) = net.answer(bob, Command::Feeds { space }).unwrap() else { panic!() };
    let length = feeds.iter().find(|status| status.feed == feed).unwrap().length;
    net.lose(bob, space, length);
    net.connect(alice, bob);
    net.advance(Duration::from_secs(60));
    let command = Command::Append { space, records: vec!["x".into()] };
    assert_eq!(net.answer(bob, command).unwrap_err().code, "end_unknown");
    assert_eq!(text(&mut net, bob, space, object), "note one", "what alice holds is shown");
    // Carol holds no more: nobody does, and what bob signs now contradicts nothing that anybody has.
    net.disconnect(alice, bob);
    net.connect(bob, carol);
    net.advance(Duration::from_secs(5));
    insert(&mut net, bob, space, object, 8, " three");
    net.connect(alice, bob);
    net.advance(Duration::from_secs(5));
    for at in [alice, bob, carol] {
        assert_eq!(text(&mut net, at, space, object), "note one three");
        assert!(!net.node(at).events.iter().any(|event| matches!(event, Event::Stopped { .. })));
    }
}

/// Spec: PEER-3.3
#[test]
fn who_is_alone_in_a_space_has_nobody_to_ask_and_goes_on() {
    let mut net = Net::new();
    let alice = net.add("alice");
    let space = create(&mut net, alice);
    note(&mut net, alice, space, "note");
    net.lose(alice, space, 2);
    net.run();
    let object = note(&mut net, alice, space, "again");
    assert_eq!(text(&mut net, alice, space, object), "again");
}

/// Spec: PEER-11
#[test]
fn a_draft_is_kept_through_restarts_until_the_ends_are_known_and_it_is_dropped() {
    let mut net = Net::new();
    let (alice, bob, space, _) = pair(&mut net);
    let content = Bytes::from_static(b"a change");
    let keep = |number| Command::KeepDraft { space, number, content: content.clone() };
    assert_eq!(net.answer(bob, keep(None)).unwrap_err().code, "ends_known", "there is no need of one");
    net.disconnect(alice, bob);
    net.lose(bob, space, 2);
    let drafts = |net: &mut Net| match net.answer(bob, Command::Drafts { space }).unwrap() {
        Answer::Drafts { drafts, ends_known } => (drafts, ends_known),
        other => panic!("{other:?}"),
    };
    for number in 1..=3 {
        assert!(matches!(net.answer(bob, keep(None)).unwrap(), Answer::DraftKept { number: kept } if kept == number));
    }
    let replaced = Command::KeepDraft { space, number: Some(2), content: "another".into() };
    net.answer(bob, replaced).unwrap();
    net.answer(bob, Command::DropDraft { space, number: 1 }).unwrap();
    assert_eq!(net.answer(bob, Command::DropDraft { space, number: 1 }).unwrap_err().code, "unknown_draft");
    assert_eq!(net.answer(bob, keep(Some(9))).unwrap_err().code, "unknown_draft");
    net.restart(bob);
    let kept = vec![(2, "another".into()), (3, content.clone())];
    assert_eq!(drafts(&mut net), (kept.clone(), false));
    assert!(waiting(&mut net, bob).contains("2 edits wait here as drafts"));
    let large = Command::KeepDraft { space, number: None, content: vec![0; 17 << 20].into() };
    assert_eq!(net.answer(bob, large).unwrap_err().code, "too_many_drafts");
    // Nothing on the disk says what they are.
    assert!(!net.node(bob).store.says(b"another"));
    net.connect(alice, bob);
    net.advance(Duration::from_secs(5));
    assert!(net.node(bob).events.contains(&Event::EndsKnown { space }));
    assert_eq!(drafts(&mut net), (kept, true));
}
