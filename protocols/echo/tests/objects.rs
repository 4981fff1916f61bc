//! What becomes of mutations: honest ones, refused ones, hollow ones; and that the feed goes on.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_crypto::FeedId;
use weft_echo::inspect::Refusal;
use weft_echo::{
    Applied, Config, Counts, Mutation, OpenFailure, Quarantine, client_id, object_id, tables, tables::By, view,
};

use crate::update::{block, deletes, inserts};
use crate::world::{Node, entry, feed, op, past, reader, register, sealed, space};

type Feeds = BTreeMap<FeedId, Vec<Applied>>;

/// Alice has made a note with the text `hello`; object, her feed, her client id.
fn alice() -> (Node, weft_crypto::ObjectId, u64) {
    let mut alice = Node::new(1);
    let object = alice.create("note", vec![register("name", "\"first\"")], "hello");
    (alice, object, client_id(&space(), &feed(1), 0))
}

fn typed(object: weft_crypto::ObjectId, inserts: Vec<u8>) -> Mutation {
    Mutation { object: Some(object), inserts: inserts.into(), ..Mutation::default() }
}

/// Hands everything in, in many orders; all readers show the same, and what one quarantined is given back.
fn agree(feeds: &Feeds) -> Node {
    let first = reader(feeds, 0);
    for order in 1..12 {
        assert_eq!(reader(feeds, order).visible(), first.visible(), "order {order}");
    }
    first
}

#[test]
fn an_object_is_what_its_mutations_say() {
    let (mut alice, object, _) = alice();
    assert_eq!(object, object_id(&space(), &feed(1), 0));
    alice.typed(object, vec![op(5, 0, ", wörld 😀"), op(0, 1, "H")]);
    alice.set(object, "done", "true");
    alice.set(object, "done", "");
    assert_eq!(alice.text(&object), "Hello, wörld 😀");
    assert_eq!(alice.value(&object, "name").unwrap(), "\"first\"");
    assert_eq!(alice.value(&object, "done"), None);
    let shown = agree(&BTreeMap::from([(feed(1), alice.entries.clone())]));
    assert_eq!(shown.visible(), alice.visible());
}

#[test]
fn lists_and_names_follow_the_object() {
    let (mut alice, object, _) = alice();
    let find = |node: &Node, by| {
        let keys = node.prefix(tables::INDEX, &tables::index(by));
        keys.iter().map(|(key, _)| tables::object_of(key).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(find(&alice, By::Name("first")), [object]);
    alice.set(object, "name", "\"second\"");
    assert_eq!(find(&alice, By::Name("first")), []);
    assert_eq!(find(&alice, By::Name("second")), [object]);
    alice.set(object, "name", "17");
    assert_eq!(find(&alice, By::Name("second")), []);
    assert_eq!(find(&alice, By::Type("note")), [object]);
    alice.edit(weft_echo::Edit::Delete { object }).unwrap();
    assert_eq!(find(&alice, By::Type("note")), []);
    let (_, summary) = alice.prefix(tables::SUMMARY, &[]).remove(0);
    assert!(view::summary(&summary).unwrap().deleted);
}

#[test]
fn concurrent_writes_are_kept_and_the_highest_entry_shows() {
    let (alice, object, _) = alice();
    let set =
        |value| Mutation { object: Some(object), registers: vec![register("colour", value)], ..Mutation::default() };
    let seen = past(&[(feed(1), 1)]);
    let all = past(&[(feed(1), 1), (feed(2), 1), (feed(3), 1)]);
    let mut feeds = BTreeMap::from([
        (feed(1), alice.entries),
        (feed(2), vec![entry(feed(2), 0, seen.clone(), &set("\"red\""))]),
        (feed(3), vec![entry(feed(3), 0, seen, &set("\"blue\""))]),
    ]);
    let shown = agree(&feeds);
    let property = &shown.object(&object).unwrap().properties["colour"];
    let winner = if feeds[&feed(2)][0].entry > feeds[&feed(3)][0].entry { "\"red\"" } else { "\"blue\"" };
    assert_eq!(property.value.as_deref(), Some(winner.as_bytes()));
    assert_eq!(property.alternatives.len(), 1);

    // A write overwrites what its author had seen.
    feeds.insert(feed(4), vec![entry(feed(4), 0, all, &set(""))]);
    let shown = agree(&feeds);
    let property = &shown.object(&object).unwrap().properties["colour"];
    assert_eq!((property.value.clone(), property.alternatives.len()), (None, 0));
}

#[test]
fn origin_outside_the_past_is_refused_in_every_order() {
    let (mut alice, object, her) = alice();
    alice.typed(object, vec![op(5, 0, "!")]);
    let mallory = client_id(&space(), &feed(6), 0);
    // She has seen entry 0 only, and stands beside the exclamation mark of entry 1.
    let beside = typed(object, inserts(mallory, 0, &[block(Some((her, 5)), None, "x")]));
    let after = typed(object, inserts(mallory, 1, &[block(Some((her, 4)), None, "?")]));
    let seen = past(&[(feed(1), 1)]);
    let feeds = BTreeMap::from([
        (feed(1), alice.entries),
        (feed(6), vec![entry(feed(6), 0, seen.clone(), &beside), entry(feed(6), 1, seen, &after)]),
    ]);
    let shown = agree(&feeds);
    let refusal = Refusal::OriginOutsideThePast { client: her, clock: 5, reached: 5 };
    assert_eq!(shown.quarantined[&(feed(6), 0)], Quarantine::Refused(refusal));
    assert_eq!(shown.quarantined.len(), 1, "the next update goes on after the clock that was refused");
    assert!(["hello!?", "hello?!"].contains(&shown.text(&object).as_str()));
}

#[test]
fn quarantined_update_does_not_kill_the_feed() {
    let (alice, object, her) = alice();
    let mallory = client_id(&space(), &feed(6), 0);
    let seen = past(&[(feed(1), 1)]);
    let mutations = [
        // Well formed and acausal: its clocks count.
        typed(object, inserts(mallory, 0, &[block(Some((her, 99)), None, "abc")])),
        // Malformed: a clock that does not continue; counts for nothing.
        typed(object, inserts(mallory, 0, &[block(Some((her, 4)), None, "again")])),
        // Honest again.
        typed(object, inserts(mallory, 3, &[block(Some((her, 4)), None, "!")])),
        // Refers to the text that was refused.
        typed(object, inserts(mallory, 4, &[block(Some((mallory, 1)), None, "x")])),
        typed(object, inserts(mallory, 5, &[block(Some((mallory, 3)), None, "?")])),
    ];
    let entries =
        mutations.iter().enumerate().map(|(seq, mutation)| entry(feed(6), seq as u64, seen.clone(), mutation));
    let shown = agree(&BTreeMap::from([(feed(1), alice.entries), (feed(6), entries.collect())]));
    assert_eq!(shown.text(&object), "hello!?");
    let reasons: Vec<&str> = shown.quarantined.values().map(Quarantine::code).collect();
    assert_eq!(reasons, ["acausal", "malformed_update", "stranded"]);
    assert_eq!(shown.processed[&feed(6)].length, 5, "the feed goes on");
    let (key, row) = shown.prefix(tables::QUARANTINE, &[]).remove(0);
    assert_eq!(tables::parse_quarantine_key(&key), Some((feed(6), 0)));
    let row = view::quarantined(&row).unwrap();
    assert_eq!((row.code.as_str(), &row.author[..]), ("acausal", &[6; 32][..]));
}

#[test]
fn deleting_the_future_is_refused() {
    let (mut alice, object, her) = alice();
    let bomb = Mutation {
        object: Some(object),
        deletes: deletes(&[(her, &[(0, (1 << 31) - 1)])]).into(),
        ..Mutation::default()
    };
    alice.typed(object, vec![op(5, 0, " world")]);
    let feeds =
        BTreeMap::from([(feed(1), alice.entries), (feed(6), vec![entry(feed(6), 0, past(&[(feed(1), 1)]), &bomb)])]);
    let shown = agree(&feeds);
    assert_eq!(shown.text(&object), "hello world");
    let refusal = Refusal::DeleteOutsideThePast { client: her, end: (1 << 31) - 1, reached: 5 };
    assert_eq!(shown.quarantined[&(feed(6), 0)], Quarantine::Refused(refusal));
}

#[test]
fn neighbours_that_are_none_are_refused_in_every_order() {
    let (mut alice, object, her) = alice();
    alice.typed(object, vec![op(1, 0, "X")]);
    let mallory = client_id(&space(), &feed(6), 0);
    let seen = past(&[(feed(1), 2)]);
    // h X e l l o: clocks 0 5 1 2 3 4.
    for (left, right) in [(Some(0), Some(2)), (Some(3), Some(1)), (None, Some(1)), (Some(5), None), (Some(2), Some(2))]
    {
        let id = |clock: Option<u32>| clock.map(|clock| (her, clock));
        let blocks = [block(Some((her, 4)), None, "!"), block(id(left), id(right), "x")];
        let entries = vec![entry(feed(6), 0, seen.clone(), &typed(object, inserts(mallory, 0, &blocks)))];
        let shown = agree(&BTreeMap::from([(feed(1), alice.entries.clone()), (feed(6), entries)]));
        assert_eq!(shown.text(&object), "hXello", "all of a mutation or nothing");
        let refusal = Refusal::NotNeighbours { client: mallory, clock: 1 };
        assert_eq!(shown.quarantined[&(feed(6), 0)], Quarantine::Refused(refusal));
    }
}

/// Two sessions with one client id: which one has it is for the space to say (it knows who was admitted first); then all
/// replicas agree, and nothing of the other is taken, not even its clocks. Should it not be said, the second is refused and the
/// document is never mixed up.
///
/// Spec: ECHO-1.2
#[test]
fn colliding_client_ids_converge() {
    let config = Config { client_bits: 1, ..Config::default() };
    let mut founder = Node::with(1, config.clone());
    let object = founder.create("note", Vec::new(), "");
    let seen = past(&[(feed(1), 1)]);
    // With one bit, two of three feeds share an id.
    let ids: Vec<(u8, u64)> = (2..40).map(|number| (number, inserted_client(&config, number))).collect();
    let (first, id) = ids[0];
    let (second, _) = *ids[1..].iter().find(|(_, other)| *other == id).unwrap();
    let text = |word| typed(object, inserts(id, 0, &[block(None, None, word)]));
    let one = entry(feed(first), 0, seen.clone(), &text("first"));
    let mut other = entry(feed(second), 0, seen, &text("second"));
    let show = |order: [(u8, &Applied); 2]| {
        let mut node = Node::with(250, config.clone());
        node.take(feed(1), founder.entries[0].clone());
        for (number, applied) in order {
            node.take(feed(number), applied.clone());
        }
        node
    };
    let mixed = show([(first, &one), (second, &other)]);
    assert_eq!(mixed.quarantined[&(feed(second), 0)], Quarantine::ClientTaken { client: id });

    other.counts = Counts::Taken;
    let (a, b) = (show([(first, &one), (second, &other)]), show([(second, &other), (first, &one)]));
    assert_eq!(a.rows, b.rows);
    assert_eq!(a.quarantined[&(feed(second), 0)], Quarantine::ClientTaken { client: id });
}

/// Spec: ECHO-1.2
#[test]
fn a_session_that_no_feed_has_changes_nothing() {
    let (alice, object, her) = alice();
    let deleting =
        Mutation { object: Some(object), deletes: deletes(&[(her, &[(0, 5)])]).into(), ..Mutation::default() };
    let mut far = entry(feed(6), 0, past(&[(feed(1), 1)]), &deleting);
    far.session = weft_echo::SESSIONS_MAX;
    let shown = agree(&BTreeMap::from([(feed(1), alice.entries.clone()), (feed(6), vec![far])]));
    assert_eq!(shown.text(&object), "hello");
    assert_eq!(shown.quarantined[&(feed(6), 0)], Quarantine::Session { session: 65_536 });
}

/// The client id of a feed at a test's width, found by which update is not refused as foreign.
fn inserted_client(config: &Config, number: u8) -> u64 {
    client_id(&space(), &feed(number), 0) & ((1 << config.client_bits) - 1)
}

#[test]
fn void_set_of_a_property_restores_the_old_value() {
    let (alice, object, _) = alice();
    let set = Mutation { object: Some(object), registers: vec![register("name", "\"stolen\"")], ..Mutation::default() };
    let mut feeds =
        BTreeMap::from([(feed(1), alice.entries), (feed(6), vec![entry(feed(6), 0, past(&[(feed(1), 1)]), &set)])]);
    let mut node = agree(&feeds);
    assert_eq!(node.value(&object, "name").unwrap(), "\"stolen\"");

    for verdict in [Counts::Hollow, Counts::Void("removed".into())] {
        feeds.get_mut(&feed(6)).unwrap()[0].counts = verdict;
        node.rebuild(&feeds);
        assert_eq!(node.value(&object, "name").unwrap(), "\"first\"");
        assert_eq!(node.visible(), agree(&feeds).visible());
    }
}

#[test]
fn text_typed_into_void_text_keeps_its_place() {
    let (alice, object, her) = alice();
    let mallory = client_id(&space(), &feed(6), 0);
    let bob = client_id(&space(), &feed(2), 0);
    let paragraph = Mutation {
        deletes: deletes(&[(her, &[(0, 2)])]).into(),
        ..typed(object, inserts(mallory, 0, &[block(Some((her, 2)), Some((her, 3)), "MALLORY")]))
    };
    // Bob had not heard of the removal, and typed in the middle of it.
    let corrected = typed(object, inserts(bob, 0, &[block(Some((mallory, 3)), Some((mallory, 4)), "bob")]));
    let mut feeds = BTreeMap::from([
        (feed(1), alice.entries),
        (feed(2), vec![entry(feed(2), 0, past(&[(feed(1), 1), (feed(6), 1)]), &corrected)]),
        (feed(6), vec![entry(feed(6), 0, past(&[(feed(1), 1)]), &paragraph)]),
    ]);
    let mut node = agree(&feeds);
    assert_eq!(node.text(&object), "lMALLbobORYlo");

    feeds.get_mut(&feed(6)).unwrap()[0].counts = Counts::Hollow;
    node.rebuild(&feeds);
    assert_eq!(node.text(&object), "helboblo");
    assert_eq!(node.visible(), agree(&feeds).visible());
}

#[test]
fn a_hollow_object_shows_when_something_that_counts_is_in_it() {
    let mut made = entry(feed(6), 0, past(&[]), &Mutation { type_name: "note".into(), ..Mutation::default() });
    made.counts = Counts::Hollow;
    let object = object_id(&space(), &feed(6), 0);
    let bob = client_id(&space(), &feed(2), 0);
    let text = typed(object, inserts(bob, 0, &[block(None, None, "mine")]));
    let mut feeds = BTreeMap::from([(feed(6), vec![made])]);
    assert!(agree(&feeds).visible().objects.is_empty());
    feeds.insert(feed(2), vec![entry(feed(2), 0, past(&[(feed(6), 1)]), &text)]);
    assert_eq!(agree(&feeds).visible().objects[&object].2, "mine");
}

#[test]
fn an_object_outside_the_past_is_unknown() {
    let (alice, object, her) = alice();
    let mallory = client_id(&space(), &feed(6), 0);
    // She can compute the id before she has seen the object.
    let early = typed(object, inserts(mallory, 0, &[block(None, None, "early")]));
    let late = typed(object, inserts(mallory, 0, &[block(Some((her, 4)), None, "!")]));
    let feeds = BTreeMap::from([
        (feed(1), alice.entries),
        (feed(6), vec![entry(feed(6), 0, past(&[]), &early), entry(feed(6), 1, past(&[(feed(1), 1)]), &late)]),
    ]);
    let shown = agree(&feeds);
    assert_eq!(shown.quarantined[&(feed(6), 0)], Quarantine::UnknownObject);
    assert_eq!(shown.text(&object), "hello!", "it moved no clock of an object that was not there");
}

#[test]
fn bodies_that_cannot_be_read_are_quarantined() {
    let (alice, object, _) = alice();
    let seen = past(&[(feed(1), 1)]);
    let delete = Mutation { object: Some(object), deleted: true, ..Mutation::default() };
    let void = Applied { counts: Counts::Void("removed".into()), ..entry(feed(6), 4, seen.clone(), &delete) };
    let entries = vec![
        sealed(feed(6), 0, seen.clone(), Err(OpenFailure::NoKey)),
        sealed(feed(6), 1, seen.clone(), Err(OpenFailure::Undecryptable)),
        sealed(feed(6), 2, seen.clone(), Err(OpenFailure::Erased)),
        sealed(feed(6), 3, seen, Ok(Bytes::from_static(b"\xff\xff"))),
        void,
    ];
    let shown = agree(&BTreeMap::from([(feed(1), alice.entries), (feed(6), entries)]));
    let reasons: Vec<&str> = shown.quarantined.values().map(Quarantine::code).collect();
    assert_eq!(reasons, ["no_key", "undecryptable", "erased", "malformed", "void"]);
    assert_eq!(shown.text(&object), "hello");
    assert_eq!(shown.processed[&feed(6)].length, 5);
}
