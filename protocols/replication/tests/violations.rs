//! What a hostile peer may try: each attempt is one violation with its section, nothing is stored, little is kept.

use bytes::Bytes;
use weft_crypto::{FeedId, Head, Purpose::Data};
use weft_feed::{Range, VerifiedRange};
use weft_machine::{Machine, Time};
use weft_replication::{Config, FRAME_COST, Input, Output, VERSION, Violation, WINDOW_MIN};
use weft_wire::replication::{self as wire, Frame, frame::Kind};

use crate::harness::{BOB, SPACE, World, manifest, ranges, writer};

const NUMBER: u32 = 1;

/// Bob, with his door open to somebody who sends what it likes.
struct Victim {
    world: World,
}

impl Victim {
    fn new() -> Self {
        let mut victim = Self::silent();
        victim.says(Kind::Hello(wire::Hello { version: VERSION, credit: 8 << 20 }));
        victim
    }

    fn silent() -> Self {
        let mut world = World::new(Config::default());
        world.connect();
        world.nodes[BOB].wire.clear();
        Self { world }
    }

    /// Bob was told of as much as `ranges` of Alice's data feed and asked for it.
    fn asking(claim: &[VerifiedRange]) -> Self {
        let mut victim = Self::new();
        victim.claims(claim);
        assert!(victim.world.nodes[BOB].sent["want"] >= 1);
        victim
    }

    fn claims(&mut self, ranges: &[VerifiedRange]) {
        let head = ranges.last().unwrap().head();
        self.says(have(feed(), head.length, *head.root.as_bytes()));
    }

    fn says(&mut self, kind: Kind) {
        self.says_bytes(prost::Message::encode_to_vec(&Frame { kind: Some(kind) }).into());
    }

    fn says_bytes(&mut self, payload: Bytes) {
        // The harness keeps the books of honest peers only; this one goes straight to the session.
        self.world.input(BOB, Input::Received(payload));
        while self.world.work(BOB, 0) {}
    }

    fn violation(&self) -> Option<&Violation> {
        self.world.nodes[BOB].violation.as_ref()
    }

    /// The violation, after checking that nothing is stored and nothing is to be.
    fn caught(self, section: &str) -> Violation {
        let violation = self.violation().expect("a violation").clone();
        assert_eq!(violation.section(), section, "{violation}");
        assert!(violation.to_string().contains(section), "{violation}");
        assert_eq!(self.world.lengths(BOB), [0; 4]);
        assert!(self.world.nodes[BOB].persists.is_empty());
        violation
    }
}

fn feed() -> FeedId {
    manifest(1, Data).id()
}

fn id(feed: FeedId) -> Bytes {
    Bytes::copy_from_slice(feed.as_bytes())
}

fn have(feed: FeedId, length: u64, root: [u8; 32]) -> Kind {
    let holdings = [feed.as_bytes().as_slice(), &length.to_le_bytes(), &root].concat();
    Kind::Have(wire::Have { space: NUMBER, holdings: holdings.into(), complete: true })
}

fn message(range: &VerifiedRange) -> wire::Range {
    let Range { from, head, headers, bodies, absent } = range.to_range();
    let (bodies, inline) = (bodies.concat().into(), true);
    wire::Range {
        space: NUMBER,
        feed: id(feed()),
        from,
        head: head.encode(),
        headers,
        bodies,
        absent: absent.to_bits(),
        inline,
    }
}

/// 600 records of Alice in three ranges.
fn honest() -> Vec<VerifiedRange> {
    ranges(&mut writer(1, Data), 600, 100)
}

fn flipped(bytes: &Bytes, at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes.into()
}

#[test]
fn an_honest_range_is_stored() {
    let honest = honest();
    let mut victim = Victim::asking(&honest);
    for range in &honest {
        victim.says(Kind::Range(message(range)));
    }
    while victim.world.persist(BOB) {}
    assert_eq!((victim.violation(), victim.world.lengths(BOB).iter().sum::<u64>()), (None, 600));
}

#[test]
fn garbage_is_no_frame() {
    let mut victim = Victim::new();
    victim.says_bytes(Bytes::from_static(&[0xff; 9]));
    assert!(matches!(victim.caught("REPLICATION-2.1"), Violation::Frame(_)));
    let mut victim = Victim::new();
    victim.says(Kind::Stop(wire::Stop { space: NUMBER, feed: Bytes::from_static(b"short") }));
    assert_eq!(victim.caught("REPLICATION-2.1"), Violation::FeedId { bytes: 5 });
}

#[test]
fn hello_comes_first_and_once() {
    let mut victim = Victim::silent();
    victim.says(have(feed(), 1, [0; 32]));
    assert_eq!(victim.caught("REPLICATION-3.1"), Violation::BeforeHello { frame: "Have" });
    let mut victim = Victim::new();
    victim.says(Kind::Hello(wire::Hello { version: VERSION, credit: 8 << 20 }));
    assert_eq!(victim.caught("REPLICATION-3.1"), Violation::SecondHello);
    let mut victim = Victim::silent();
    victim.says(Kind::Hello(wire::Hello { version: 2, credit: 8 << 20 }));
    assert_eq!(victim.caught("REPLICATION-3.1"), Violation::Version { version: 2 });
    let mut victim = Victim::silent();
    victim.says(Kind::Hello(wire::Hello { version: VERSION, credit: WINDOW_MIN - 1 }));
    assert_eq!(victim.caught("REPLICATION-6.2"), Violation::Window { credit: WINDOW_MIN - 1 });
}

#[test]
fn a_number_that_no_door_gave_is_refused_for_all_but_have() {
    let stop = |space| Kind::Stop(wire::Stop { space, feed: id(feed()) });
    let mut victim = Victim::new();
    victim.says(stop(77));
    assert_eq!(victim.caught("REPLICATION-4.1"), Violation::UnknownNumber { frame: "Stop", number: 77 });
    let mut victim = Victim::new();
    for number in 1_000.. {
        victim.says(Kind::Have(wire::Have { space: number, holdings: Bytes::new(), complete: true }));
        if victim.violation().is_some() {
            assert_eq!(number, 1_000 + 2_048);
            break;
        }
    }
    victim.caught("REPLICATION-4.1");
}

#[test]
fn claims_made_a_moment_before_the_door_opens_here_are_kept() {
    let honest = honest();
    let mut victim = Victim::new();
    let head = honest[2].head();
    let Kind::Have(mut early) = have(feed(), head.length, *head.root.as_bytes()) else { unreachable!() };
    early.space = 2;
    victim.says(Kind::Have(early));
    assert_eq!(victim.world.nodes[BOB].sources.source(&feed()), None);
    let feeds = victim.world.nodes[BOB].logs.values().map(crate::harness::Log::held).collect();
    victim.world.input(BOB, Input::Granted { number: 2, space: SPACE, feeds });
    assert!(victim.world.nodes[BOB].sources.source(&feed()).is_some());
}

#[test]
fn lists_of_holdings_are_whole_and_bounded() {
    let mut victim = Victim::new();
    victim.says(Kind::Have(wire::Have { space: NUMBER, holdings: vec![0; 71].into(), complete: false }));
    assert_eq!(victim.caught("REPLICATION-4.2"), Violation::Holdings { bytes: 71 });
    let mut victim = Victim::new();
    victim.says(have(feed(), 0, [0; 32]));
    assert_eq!(victim.caught("REPLICATION-4.2"), Violation::EmptyHolding { feed: feed() });
    let mut victim = Victim::new();
    for page in 0..5u8 {
        let one = |at: u16| [[page; 30].as_slice(), &at.to_le_bytes(), &1u64.to_le_bytes(), &[0; 32]].concat();
        let holdings = (0..16_384u16).flat_map(one).collect::<Vec<u8>>().into();
        victim.says(Kind::Have(wire::Have { space: NUMBER, holdings, complete: false }));
    }
    assert_eq!(victim.caught("REPLICATION-4.3"), Violation::TooManyClaims { claims_max: 65_536 });
}

#[test]
fn a_feed_that_one_frame_names_many_times_is_news_once() {
    let mut victim = Victim::new();
    let one = |length: u64| [feed().as_bytes().as_slice(), &length.to_le_bytes(), &[0; 32]].concat();
    let holdings = (1..=1_000).flat_map(one).collect::<Vec<u8>>().into();
    let have = Frame { kind: Some(Kind::Have(wire::Have { space: NUMBER, holdings, complete: true })) };
    let session = victim.world.nodes[BOB].session.as_mut().unwrap();
    session.handle_input(Time::ZERO, Input::Received(prost::Message::encode_to_vec(&have).into()));
    let outputs = std::iter::from_fn(|| session.poll_output());
    let learned: Vec<u64> = outputs
        .filter_map(|output| if let Output::Learned { length, .. } = output { Some(length) } else { None })
        .collect();
    assert_eq!(learned, [1_000]);
}

#[test]
fn a_huge_claim_costs_nothing_and_its_maker_must_keep_it() {
    let mut victim = Victim::new();
    victim.says(have(feed(), 1 << 60, [5; 32]));
    assert_eq!(victim.violation(), None);
    let (from, length) = (0, 1 << 60);
    let head = Head { length, ..*honest()[0].head() };
    let range =
        wire::Range { space: NUMBER, feed: id(feed()), from, head: head.encode(), inline: true, ..Default::default() };
    victim.says(Kind::Range(range));
    assert_eq!(victim.caught("REPLICATION-7.1"), Violation::RangeHead { feed: feed(), from: 0 });
}

#[test]
fn a_range_nobody_asked_for_is_refused() {
    let other = manifest(2, Data).id();
    let mut victim = Victim::new();
    victim.says(Kind::Range(wire::Range { feed: id(other), ..message(&honest()[0]) }));
    assert_eq!(victim.caught("REPLICATION-7.1"), Violation::RangeUnasked { feed: other });
    let mut victim = Victim::new();
    victim.says(Kind::Range(wire::Range { feed: vec![9; 32].into(), ..message(&honest()[0]) }));
    assert_eq!(victim.caught("REPLICATION-7.1"), Violation::RangeUnasked { feed: FeedId::from_bytes([9; 32]) });
}

#[test]
fn a_range_out_of_order_is_refused() {
    let honest = honest();
    let mut victim = Victim::asking(&honest);
    victim.says(Kind::Range(message(&honest[1])));
    assert_eq!(victim.caught("REPLICATION-7.1"), Violation::RangeFrom { feed: feed(), expected: 0, found: 256 });
}

#[test]
fn an_altered_run_is_refused() {
    let honest = honest();
    let range = message(&honest[0]);
    let header = wire::Range { headers: flipped(&range.headers, 1_000), ..range.clone() };
    let body = wire::Range { bodies: flipped(&range.bodies, 1_000), ..range.clone() };
    let root = wire::Range { head: flipped(&range.head, 60), ..range.clone() };
    let signature = wire::Range { head: flipped(&range.head, range.head.len() - 1), ..range.clone() };
    let longer = wire::Range { bodies: [&range.bodies[..], &[0]].concat().into(), ..range };
    for altered in [header, body, root, signature, longer] {
        let mut victim = Victim::asking(&honest);
        victim.says(Kind::Range(altered));
        assert!(matches!(victim.caught("REPLICATION-7.3"), Violation::Range { from: 0, .. }));
    }
}

#[test]
fn absent_bits_and_shapes_that_do_not_fit_are_refused() {
    let honest = honest();
    let range = message(&honest[2]); // 88 entries
    let beyond =
        wire::Range { absent: vec![0; 11].into_iter().chain([1]).collect::<Vec<u8>>().into(), ..range.clone() };
    let both = wire::Range { inline: false, ..range };
    for altered in [beyond, both] {
        let mut victim = Victim::asking(&honest);
        victim.says(Kind::Range(wire::Range { from: 0, head: honest[2].head().encode(), ..altered }));
        // From 0 the head is too far away; so the shape is looked at with the ranges before it in place.
        assert!(matches!(victim.caught("REPLICATION-7.1"), Violation::RangeHead { .. }));
    }
    let first = message(&honest[0]);
    let mut victim = Victim::asking(&honest);
    victim.says(Kind::Range(wire::Range { inline: false, ..first.clone() }));
    assert_eq!(victim.caught("REPLICATION-7.1"), Violation::RangeShape { feed: feed(), from: 0 });
    let mut victim = Victim::asking(&honest);
    victim.says(Kind::Range(wire::Range { absent: vec![0].into(), ..first }));
    assert_eq!(victim.caught("REPLICATION-7.1"), Violation::RangeShape { feed: feed(), from: 0 });
}

#[test]
fn bodies_come_for_the_range_under_way_only_and_all_of_them() {
    let honest = honest();
    let bodies = |from, bodies| Kind::Bodies(wire::Bodies { space: NUMBER, feed: id(feed()), from, bodies });
    let range = message(&honest[0]);
    let (open, all) = (wire::Range { inline: false, bodies: Bytes::new(), ..range.clone() }, range.bodies);

    let mut victim = Victim::asking(&honest);
    victim.says(bodies(0, all.clone()));
    assert_eq!(victim.caught("REPLICATION-7.2"), Violation::BodiesUnasked { feed: feed(), from: 0 });

    let mut victim = Victim::asking(&honest);
    victim.says(Kind::Range(open.clone()));
    victim.says(bodies(0, all.slice(..200)));
    victim.says(Kind::Range(message(&honest[1])));
    assert_eq!(victim.caught("REPLICATION-7.2"), Violation::RangeIncomplete { feed: feed(), from: 0 });

    let mut victim = Victim::asking(&honest);
    victim.says(Kind::Range(open.clone()));
    victim.says(bodies(0, all.slice(..150)));
    assert!(matches!(victim.caught("REPLICATION-7.3"), Violation::Range { .. }), "a body is cut");

    let mut victim = Victim::asking(&honest);
    victim.says(Kind::Range(open));
    victim.says(bodies(0, all));
    assert_eq!((victim.violation(), victim.world.nodes[BOB].persists.len()), (None, 1));
    victim.says(bodies(0, Bytes::from_static(&[0])));
    assert_eq!(victim.violation(), Some(&Violation::BodiesUnasked { feed: feed(), from: 0 }));
}

#[test]
fn credit_is_kept() {
    // Nothing is persisted, so nothing is given back.
    let mut writer = writer(1, Data);
    let honest = ranges(&mut writer, 256 * 40, 1_000);
    let mut victim = Victim::asking(&honest);
    let mut spent = 0;
    for range in &honest {
        let payload: Bytes = prost::Message::encode_to_vec(&Frame { kind: Some(Kind::Range(message(range))) }).into();
        spent += payload.len() as u64 + FRAME_COST;
        victim.says_bytes(payload);
        assert_eq!(victim.violation().is_some(), spent > 8 << 20);
        if victim.violation().is_some() {
            break;
        }
    }
    assert_eq!(victim.violation().unwrap().section(), "REPLICATION-6.1");
    let mut victim = Victim::new();
    victim.says(Kind::Credit(wire::Credit { bytes: 1 }));
    assert_eq!(victim.caught("REPLICATION-6.3"), Violation::CreditUnowed { credit: 1, outstanding: 0 });
}

#[test]
fn a_want_says_where_it_goes_on_from_and_is_said_once() {
    let honest = honest();
    let (head, tree) = (honest[0].head(), honest[0].tree());
    let want = wire::Want { space: NUMBER, feed: id(feed()), from: 256, head: head.encode(), tree: tree.encode() };
    for wrong in [
        wire::Want { head: Bytes::new(), ..want.clone() },
        wire::Want { from: 255, ..want.clone() },
        wire::Want { from: 0, ..want.clone() },
        wire::Want { tree: flipped(&tree.encode(), 20), ..want.clone() },
        wire::Want { feed: vec![1; 32].into(), ..want.clone() },
    ] {
        let mut victim = Victim::new();
        victim.says(Kind::Want(wrong));
        assert!(matches!(victim.caught("REPLICATION-5.1"), Violation::Base { .. }));
    }
    let from_start = Kind::Want(wire::Want { space: NUMBER, feed: id(feed()), ..Default::default() });
    let mut victim = Victim::new();
    victim.says(from_start.clone());
    victim.says(from_start);
    assert_eq!(victim.caught("REPLICATION-5.1"), Violation::WantedTwice { feed: feed() });
    let mut victim = Victim::new();
    victim.says(Kind::Want(want)); // beyond what Bob holds: refused in peace
    assert_eq!((victim.violation(), victim.world.nodes[BOB].sent["refused"]), (None, 1));
}

#[test]
fn refused_answers_a_want() {
    let mut victim = Victim::new();
    let refused =
        |feed| Kind::Refused(wire::Refused { space: NUMBER, feed: id(feed), reason: 1, ..Default::default() });
    victim.says(refused(feed()));
    assert_eq!(victim.caught("REPLICATION-5.4"), Violation::RefusedUnasked { feed: feed() });
}

#[test]
fn frames_of_a_later_version_are_passed_over() {
    let mut victim = Victim::new();
    victim.says_bytes(Bytes::new());
    victim.says_bytes(Bytes::from_static(&[0x7a, 2, 8, 1])); // field 15
    assert_eq!(victim.violation(), None);
}
