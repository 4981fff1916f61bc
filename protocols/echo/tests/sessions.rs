//! Document instances with sessions of their own: what they send is judged as anybody's, and they and every replica agree.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use weft_crypto::{FeedId, ObjectId};
use weft_echo::inspect::Refusal;
use weft_echo::{Applied, Config, Edit, EditRefusal, Input, Mutation, Quarantine, Replica, client_id, tables};
use weft_machine::Draws;
use yrs::updates::decoder::Decode as _;
use yrs::{ClientID, Doc, GetString as _, OffsetKind, Options, ReadTxn as _, Text as _, Transact as _, Update};

use crate::update::{block, deletes, inserts};
use crate::world::{Node, deliver_all, deliver_one, draws, feed, op, reader, space};

type Feeds = BTreeMap<FeedId, Vec<Applied>>;

/// A document as an application holds it.
struct Tab {
    doc: Doc,
    session: u64,
    replica: Replica,
    unsent: Vec<Vec<u8>>,
}

impl Tab {
    fn new(node: &Node, session: u64) -> Self {
        let client = ClientID::new(client_id(&space(), &node.me.feed, session));
        let options = Options { skip_gc: true, offset_kind: OffsetKind::Utf16, ..Options::with_client_id(client) };
        let doc = Doc::with_options(options);
        doc.get_or_insert_text("body");
        Self { doc, session, replica: Replica::new(space(), &[]).unwrap(), unsent: Vec::new() }
    }

    fn text(&self) -> String {
        let text = self.doc.get_or_insert_text("body");
        text.get_string(&self.doc.transact())
    }

    /// Deletes and inserts; positions are UTF-16 units, as JavaScript counts.
    fn edit(&mut self, position: u32, delete: u32, insert: &str) {
        let text = self.doc.get_or_insert_text("body");
        let mut transaction = self.doc.transact_mut();
        text.remove_range(&mut transaction, position, delete);
        text.insert(&mut transaction, position, insert);
        transaction.commit();
        self.unsent.push(transaction.encode_update_v1());
    }

    fn update(&self) -> Bytes {
        yrs::merge_updates_v1(&self.unsent).unwrap().into()
    }

    fn send(&mut self, node: &mut Node, object: ObjectId) -> Result<u64, EditRefusal> {
        let update = self.update();
        let done = node.edit(Edit::Update { object, session: self.session, update })?;
        self.unsent.clear();
        Ok(done.1)
    }

    fn apply(&self, update: &[u8]) {
        let mut transaction = self.doc.transact_mut();
        transaction.apply_update(Update::decode_v1(update).unwrap()).unwrap();
        assert!(!transaction.has_missing_updates(), "a document is told what it can place");
    }

    /// Hears what is new in the rows.
    fn hear(&mut self, node: &Node, object: ObjectId) {
        let [tail, folded] = Replica::prefixes(&object).map(|prefix| node.prefix(tables::OBJECT, &prefix));
        let updates = self.replica.tell(&tail, &folded).unwrap();
        let updates = updates.unwrap_or_else(|| {
            let rows = node.prefix(tables::OBJECT, &tables::object(&object));
            vec![self.replica.level(&rows).unwrap()]
        });
        updates.iter().for_each(|update| self.apply(update));
    }

    /// The connection breaks: where it stood is known by its document alone.
    fn reconnect(&mut self) {
        let vector = yrs::updates::encoder::Encode::encode_v1(&self.doc.transact().state_vector());
        self.replica = Replica::new(space(), &vector).unwrap();
    }
}

fn deliver_some(node: &mut Node, feeds: &Feeds, draws: &mut Draws) {
    for _ in 0..draws.below(6) {
        deliver_one(node, feeds, draws);
    }
}

/// What is visible is one or two units wide: a position that cuts no character.
fn position(text: &str, draws: &mut Draws) -> (u32, usize) {
    let at = draws.below(text.chars().count() as u64 + 1) as usize;
    (text.chars().take(at).map(|c| c.len_utf16() as u32).sum(), at)
}

fn edit_at_random(tab: &mut Tab, draws: &mut Draws) {
    let text = tab.text();
    let (from, at) = position(&text, draws);
    let gone: u32 = text.chars().skip(at).take(draws.below(4) as usize).map(|c| c.len_utf16() as u32).sum();
    tab.edit(from, gone, ["", "x", "ß😀", "word "][draws.below(4) as usize]);
}

/// Two nodes with two tabs each, and edits of the nodes themselves, at random, with crashes and broken connections.
fn random_tabs(seed: u64) -> (Vec<Node>, Vec<Vec<Tab>>, Feeds, ObjectId) {
    let mut draws = draws(seed);
    let config = Config { tail_entries_max: 5, tail_bytes_max: 400, mutation_bytes_max: 2_000, ..Config::default() };
    let mut nodes: Vec<Node> = (1..=2).map(|number| Node::with(number, config.clone())).collect();
    let object = nodes[0].create("note", Vec::new(), "abc");
    let mut feeds: Feeds = (1..=2).map(|number| (feed(number), Vec::new())).collect();
    feeds.insert(feed(1), nodes[0].entries.clone());
    deliver_all(&mut nodes[1], &feeds, &mut draws);
    let mut tabs: Vec<Vec<Tab>> = nodes.iter().map(|node| vec![Tab::new(node, 1), Tab::new(node, 2)]).collect();
    for step in 0..120 {
        let who = draws.below(2) as usize;
        let node = &mut nodes[who];
        let tab = &mut tabs[who][draws.below(2) as usize];
        match draws.below(10) {
            0..3 => edit_at_random(tab, &mut draws),
            3 | 4 => {
                let again = tab.update();
                let sent = tab.send(node, object);
                assert!(sent.is_ok(), "{sent:?} {:?}", node.quarantined);
                if draws.below(3) == 0 {
                    // The answer was lost.
                    node.edit(Edit::Update { object, session: tab.session, update: again }).unwrap();
                }
            }
            5 => tab.hear(node, object),
            6 => tab.reconnect(),
            7 => {
                let length = node.text(&object).chars().count() as u64;
                let at = draws.below(length + 1);
                node.typed(object, vec![op(at, draws.below(3).min(length - at), "node ")]);
            }
            _ => deliver_some(node, &feeds, &mut draws),
        }
        if step == 60 {
            tab.edit(0, 0, &"a long paragraph, ".repeat(200));
        }
        let own = feeds.get_mut(&node.me.feed).unwrap();
        own.extend_from_slice(&node.entries[own.len()..]);
        if draws.below(12) == 0 {
            node.restart();
        }
    }
    (nodes, tabs, feeds, object)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Spec: ECHO-1.2, ECHO-7.6, ECHO-9.1, ECHO-9.2
    #[test]
    fn tabs_and_replicas_converge(seed in any::<u64>()) {
        let (mut nodes, mut tabs, mut feeds, object) = random_tabs(seed);
        for (node, tabs) in nodes.iter_mut().zip(&mut tabs) {
            for tab in tabs {
                tab.send(node, object).unwrap();
            }
            feeds.insert(node.me.feed, node.entries.clone());
        }
        for node in &mut nodes {
            deliver_all(node, &feeds, &mut draws(seed ^ 1));
            prop_assert!(node.quarantined.is_empty(), "{:?}", node.quarantined);
        }
        let text = nodes[0].text(&object);
        let third = reader(&feeds, seed);
        prop_assert!(third.quarantined.is_empty(), "{:?}", third.quarantined);
        prop_assert_eq!(&nodes[1].text(&object), &text);
        prop_assert_eq!(&third.text(&object), &text);
        for (node, tabs) in nodes.iter().zip(&mut tabs) {
            for tab in tabs {
                tab.hear(node, object);
                prop_assert_eq!(&tab.text(), &text);
            }
        }
    }
}

fn update(node: &mut Node, object: ObjectId, session: u64, update: Vec<u8>) -> Result<(ObjectId, u64), EditRefusal> {
    node.edit(Edit::Update { object, session, update: update.into() })
}

/// One update of insertions and deletions.
fn joined(inserts: &[u8], deletes: &[u8]) -> Vec<u8> {
    [inserts.split_last().unwrap().1, deletes].concat()
}

#[test]
fn what_no_honest_document_sends_is_refused_and_writes_nothing() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "hello");
    let [own, mine, other] = [0, 1, 2].map(|session| client_id(&space(), &feed(1), session));
    let nowhere = ObjectId::from_bytes([9; 32]);
    let at = |left: u32| block(Some((own, left)), Some((own, left + 1)), "x");
    let refused = |alice: &mut Node, bytes: Vec<u8>| match update(alice, object, 1, bytes) {
        Err(EditRefusal::Update(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let foreign = refused(&mut alice, inserts(other, 0, &[at(1)]));
    assert_eq!(foreign, Refusal::ForeignClient { expected: mine, found: other });
    let gap = refused(&mut alice, inserts(mine, 3, &[at(1)]));
    assert_eq!(gap, Refusal::Clock { expected: 0, found: 3 });
    let unknown = refused(&mut alice, inserts(mine, 0, &[block(Some((other, 7)), None, "x")]));
    assert_eq!(unknown, Refusal::OriginOutsideThePast { client: other, clock: 7, reached: 0 });
    let future = refused(&mut alice, joined(&inserts(mine, 0, &[at(1)]), &deletes(&[(own, &[(0, 9)])])));
    assert_eq!(future, Refusal::DeleteOutsideThePast { client: own, end: 9, reached: 5 });
    let mut gone = inserts(mine, 0, &[at(1)]);
    gone[13] = 0;
    assert!(refused(&mut alice, gone).is_malformed());
    assert!(refused(&mut alice, vec![1, 1]).is_malformed());
    assert_eq!(update(&mut alice, nowhere, 1, vec![0, 0]), Err(EditRefusal::UnknownObject));
    assert_eq!(update(&mut alice, object, 0, inserts(own, 5, &[at(1)])), Err(EditRefusal::ClientTaken { client: own }));
    assert_eq!((alice.entries.len(), alice.text(&object).as_str()), (1, "hello"));
    update(&mut alice, object, 1, inserts(mine, 0, &[at(1)])).unwrap();
    assert_eq!((alice.entries[1].session, alice.text(&object).as_str()), (1, "hexllo"));
}

#[test]
fn characters_that_were_never_neighbours_take_no_insertion_between_them() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "");
    let [first, second] = [1, 2].map(|session| client_id(&space(), &feed(1), session));
    update(&mut alice, object, 1, inserts(first, 0, &[block(None, None, "ac")])).unwrap();
    update(&mut alice, object, 1, inserts(first, 2, &[block(Some((first, 0)), Some((first, 1)), "b")])).unwrap();
    // Between `b` and `a`, which stands before it.
    let wrong = inserts(second, 0, &[block(Some((first, 2)), Some((first, 0)), "x")]);
    let refusal = update(&mut alice, object, 2, wrong).unwrap_err();
    assert_eq!(refusal, EditRefusal::Update(Refusal::NotNeighbours { client: second, clock: 0 }));
    update(&mut alice, object, 2, inserts(second, 0, &[block(Some((first, 2)), Some((first, 1)), "x")])).unwrap();
    assert_eq!(alice.text(&object), "abxc");
}

#[test]
fn deletions_alone_are_a_mutation_and_what_was_said_is_not_said_twice() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "hello");
    let [own, mine] = [0, 1].map(|session| client_id(&space(), &feed(1), session));
    let typed = inserts(mine, 0, &[block(Some((own, 4)), None, "!")]);
    assert_eq!(update(&mut alice, object, 1, typed.clone()), Ok((object, 1)));
    assert_eq!(update(&mut alice, object, 1, typed), Ok((object, 1)), "the entry it became");
    assert_eq!(
        update(&mut alice, object, 1, joined(&[0, 0], &deletes(&[(mine, &[(0, 1)]), (own, &[(0, 1)])]))),
        Ok((object, 2))
    );
    assert_eq!(update(&mut alice, object, 1, vec![0, 0]), Ok((object, 1)), "nothing at all");
    assert_eq!((alice.entries.len(), alice.text(&object).as_str()), (3, "ello"));
}

#[test]
fn a_large_update_becomes_entries_that_each_fit() {
    let mut alice = Node::with(1, Config { mutation_bytes_max: 4_000, ..Config::default() });
    let object = alice.create("note", Vec::new(), "");
    let mut tab = Tab::new(&alice, 1);
    let text = "ß🦀 a paragraph ".repeat(1_000);
    tab.edit(0, 0, &text);
    for n in 0..600 {
        tab.edit(3 * n, 1, "");
    }
    tab.send(&mut alice, object).unwrap();
    assert!(alice.entries.len() > 20, "{}", alice.entries.len());
    for entry in &alice.entries {
        assert!(entry.mutation.as_ref().unwrap().len() <= 4_000);
    }
    assert_eq!(alice.text(&object), tab.text());
    assert!(alice.quarantined.is_empty());
}

#[test]
fn two_updates_of_a_session_go_one_after_the_other() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "");
    let mut tab = Tab::new(&alice, 1);
    alice.holds_writes = true;
    tab.edit(0, 0, "one ");
    let first = alice.begin(Edit::Update { object, session: 1, update: tab.unsent[0].clone().into() });
    tab.edit(4, 0, "two");
    let second = alice.begin(Edit::Update { object, session: 1, update: tab.unsent[1].clone().into() });
    assert_eq!((alice.writes.len(), alice.text(&object).as_str()), (1, ""), "nothing is seen before it is durable");
    alice.append_one();
    assert_eq!((alice.writes.len(), alice.text(&object).as_str()), (1, "one "));
    alice.append_one();
    assert_eq!((alice.done[&first].1, alice.done[&second].1), (1, 2));
    assert_eq!(alice.text(&object), "one two");
}

#[test]
fn an_update_that_could_not_be_stored_is_sent_again() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "hello");
    let mut tab = Tab::new(&alice, 1);
    tab.hear(&alice, object);
    tab.edit(5, 0, " there");
    alice.holds_writes = true;
    let ticket = alice.begin(Edit::Update { object, session: 1, update: tab.update() });
    alice.fail_all();
    assert_eq!(alice.refused[&ticket], EditRefusal::WriteFailed);
    alice.holds_writes = false;
    tab.send(&mut alice, object).unwrap();
    assert_eq!(alice.text(&object), "hello there");
}

/// Spec: ECHO-1.2
#[test]
fn a_client_id_that_another_feed_has_is_refused_before_it_is_written_or_when_it_is() {
    let config = Config { client_bits: 1, ..Config::default() };
    let mut alice = Node::with(1, config.clone());
    let object = alice.create("note", Vec::new(), "");
    let client = |number: u8, session| client_id(&space(), &feed(number), session) & 1;
    let session = (1..64).find(|session| client(1, *session) != client(1, 0)).unwrap();
    let other = (2..9).find(|number| client(*number, 0) == client(1, session)).unwrap();
    let taken = EditRefusal::ClientTaken { client: client(1, session) };
    let theirs = Mutation {
        object: Some(object),
        inserts: inserts(client(other, 0), 0, &[block(None, None, "theirs")]).into(),
        ..Mutation::default()
    };
    let theirs = crate::world::entry(feed(other), 0, crate::world::past(&[(feed(1), 1)]), &theirs);
    let mine = inserts(client(1, session), 0, &[block(None, None, "mine")]);
    // It comes while ours is on its way.
    alice.holds_writes = true;
    let ticket = alice.begin(Edit::Update { object, session, update: mine.clone().into() });
    alice.input(Input::Released(weft_echo::Released { feed: feed(other), length: 1, entries: vec![theirs] }));
    alice.append_one();
    assert_eq!(alice.refused[&ticket], taken);
    assert_eq!(alice.quarantined[&(feed(1), 1)], Quarantine::ClientTaken { client: client(1, session) });
    alice.holds_writes = false;
    assert_eq!(update(&mut alice, object, session, mine), Err(taken));
    assert_eq!(alice.entries.len(), 2);
}

#[test]
fn bytes_that_are_no_state_vector_are_refused() {
    for bytes in [&[1][..], &[1, 2], &[1, 2, 3, 4], &[0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], &[1, 0xff]] {
        assert!(Replica::new(space(), bytes).is_err(), "{bytes:?}");
    }
    let replica = Replica::new(space(), &[2, 5, 7, 6, 0]).unwrap();
    assert_eq!((replica.clock(5), replica.clock(6), replica.clock(7)), (7, 0, 0));
}
