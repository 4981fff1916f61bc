//! The order of release, scenario by scenario.

use std::sync::Arc;

use bytes::Bytes;
use weft_crypto::{Dep, Purpose, Root};
use weft_feed::{
    Past, Run, VerifiedRange, Violation,
    acknowledged::Acknowledged,
    order::{Config, Order, OrderOutput, Released, Waiting},
    past::{History, RestoreError},
};

use crate::authors::{Author, author, control, dep, record, records};

fn order() -> Order {
    Order::new(Config::default())
}

fn admit(order: &mut Order, authors: &[&Author]) {
    authors.iter().for_each(|author| order.admit(author.feed(), 0, History::new()));
}

fn extend(order: &mut Order, range: &VerifiedRange) {
    order.known(range.feed(), range.end(), range.head().root);
    range.runs().iter().for_each(|run| order.extended(range.feed(), range.end(), Some(run.clone())));
}

fn extend_all(order: &mut Order, ranges: &[&VerifiedRange]) {
    ranges.iter().for_each(|range| extend(order, range));
}

fn drain(order: &mut Order) -> Vec<OrderOutput> {
    std::iter::from_fn(|| order.poll()).collect()
}

fn released(order: &mut Order) -> Vec<Released> {
    drain(order)
        .into_iter()
        .map(|output| match output {
            OrderOutput::Released(released) => released,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// Spec: FEED-6.2
#[test]
fn an_entry_waits_for_what_its_author_had_seen() {
    let (mut alice, mut bob) = (author(1, Purpose::Data), author(2, Purpose::Data));
    let hers = alice.write(records(3));
    let his = bob.write(vec![record(vec![], "alone"), record(vec![alice.dep()], "answer"), record(vec![], "more")]);
    let mut order = order();
    admit(&mut order, &[&alice, &bob]);

    extend(&mut order, &his);
    let first = released(&mut order);
    assert_eq!((first.len(), first[0].run.from(), first[0].run.end()), (1, 0, 1));
    assert_eq!(first[0].head, None, "bob's head is not released yet");
    let waiting = Waiting { feed: bob.feed(), seq: 1, on: alice.dep() };
    assert_eq!(order.waiting().collect::<Vec<_>>(), [waiting]);
    assert_eq!((order.released(&bob.feed()), order.past_at(&bob.feed(), 2)), (1, None));

    extend(&mut order, &hers);
    let then = released(&mut order);
    assert_eq!(then.iter().map(|piece| piece.feed).collect::<Vec<_>>(), [alice.feed(), bob.feed()]);
    assert_eq!(then[0].head, Some(alice.dep()));
    assert_eq!(then[0].changes, Bytes::new(), "alice has seen nobody");
    let past: Past = [(alice.feed(), 3)].into_iter().collect();
    assert_eq!(then[1].past, [(1, Arc::new(past.clone()))]);
    assert_eq!(then[1].head, Some(bob.dep()));
    assert_eq!(order.waiting().count(), 0);

    let mut joined = past;
    joined.raise(bob.feed(), 2);
    assert_eq!(order.past_at(&bob.feed(), 2).as_deref(), Some(&joined));
    assert_eq!(order.past_at(&bob.feed(), 1).unwrap().iter().collect::<Vec<_>>(), [(bob.feed(), 1)]);
    assert_eq!(order.named(&bob.feed()).into_iter().collect::<Vec<_>>(), [(alice.feed(), 3)]);
}

#[test]
fn what_a_dep_knew_is_known() {
    let [mut alice, mut bob, mut carol] = [1, 2, 3].map(|number| author(number, Purpose::Data));
    let hers = alice.write(records(2));
    let his = bob.write(vec![record(vec![alice.dep()], "answer")]);
    let carols = carol.write(vec![record(vec![bob.dep()], "seen only bob's")]);
    let mut order = order();
    admit(&mut order, &[&alice, &bob, &carol]);
    extend_all(&mut order, &[&carols, &his, &hers]);
    let pieces = released(&mut order);
    assert_eq!(pieces.iter().map(|piece| piece.feed).collect::<Vec<_>>(), [&alice, &bob, &carol].map(Author::feed));
    let past = &pieces[2].past[0].1;
    assert_eq!((past.get(&alice.feed()), past.get(&bob.feed()), past.get(&carol.feed())), (2, 1, 0));
}

#[test]
fn a_feed_that_nobody_admitted_is_waited_for_and_listed() {
    let (mut alice, mut bob) = (author(1, Purpose::Data), author(2, Purpose::Data));
    let hers = alice.write(records(1));
    let his = bob.write(vec![record(vec![alice.dep()], "answer")]);
    let mut order = order();
    admit(&mut order, &[&bob]);
    extend(&mut order, &his);
    extend(&mut order, &hers);
    assert_eq!(drain(&mut order), []);
    assert_eq!(order.waiting().map(|waiting| waiting.on).collect::<Vec<_>>(), [alice.dep()]);
    admit(&mut order, &[&alice]);
    extend(&mut order, &hers);
    assert_eq!(released(&mut order).len(), 2);
}

#[test]
fn a_dep_that_goes_back_or_repeats_itself_ends_the_feed() {
    for (second, earlier) in [(1, 2), (2, 2)] {
        let [mut alice, bob, mut carol] = [1, 2, 3].map(|number| author(number, Purpose::Data));
        let hers = alice.write(records(2));
        let back = Dep { length: second, root: Root::from_bytes([8; 32]), ..alice.dep() };
        // An honest writer refuses to write this.
        let (first, bad) = (header_with(0, alice.dep()), header_with(1, back));
        let his = crate::authors::forge_headers(&bob, &[first, bad], &[b"x", b"x"]);
        let his = weft_feed::verify_range(&weft_feed::Tree::new(), &bob.origin, &his).unwrap();
        let carols = carol.write(vec![record(vec![Dep { feed: bob.feed(), ..dep(0, 2) }], "saw both")]);

        let mut order = order();
        admit(&mut order, &[&alice, &bob, &carol]);
        extend_all(&mut order, &[&carols, &hers, &his]);
        let outputs = drain(&mut order);
        let violation = Violation::DepNotNewer { seq: 1, dep: back, earlier };
        assert!(outputs.contains(&OrderOutput::Refused { feed: bob.feed(), seq: 1, violation }));
        assert_eq!(order.released(&bob.feed()), 1, "what came before stays");
        assert_eq!(order.released(&carol.feed()), 1, "who had seen it does not wait for ever");
        assert_eq!(order.waiting().count(), 0);
    }
}

fn header_with(seq: u64, dep: Dep) -> weft_feed::Header {
    weft_feed::Header { deps: vec![dep], ..crate::authors::header(seq, b"x") }
}

#[test]
fn equivocator_does_not_stall_the_space() {
    let [mut mallory, mut bob, mut carol] = [1, 2, 3].map(|number| author(number, Purpose::Data));
    let start = mallory.write(records(1));
    let common = mallory.writer.checkpoint();
    let branch_a = mallory.write(vec![record(vec![], "to bob")]);
    let seen_by_bob = mallory.dep();
    mallory.writer.rollback(common);
    mallory.write(vec![record(vec![], "to carol")]);
    let seen_by_carol = mallory.dep();
    mallory.write(vec![record(vec![], "to carol only")]);
    let far = mallory.dep();
    let his = bob.write(vec![record(vec![seen_by_bob], "x")]);
    let carols = carol.write(vec![record(vec![seen_by_carol], "x"), record(vec![far], "y")]);

    let mut order = order();
    admit(&mut order, &[&mallory, &bob, &carol]);
    extend_all(&mut order, &[&start, &branch_a, &his, &carols]);
    let outputs = drain(&mut order);
    let half = OrderOutput::Contradicted { feed: carol.feed(), seq: 0, dep: seen_by_carol, held: branch_a.head().root };
    assert!(outputs.contains(&half));
    assert_eq!(order.released(&bob.feed()), 1);
    assert_eq!(order.released(&carol.feed()), 1, "carol's second entry waits for the branch that will not come …");
    order.stop(mallory.feed(), 2);
    let pieces = released(&mut order);
    assert_eq!(pieces.len(), 1);
    assert_eq!(order.released(&carol.feed()), 2, "… until the fork is known");
    // What she has seen of it is what is there, and the rows say so too.
    assert_eq!(pieces[0].past.last().unwrap().1.get(&mallory.feed()), 2);
    let hers = outputs.iter().filter_map(|output| match output {
        OrderOutput::Released(released) if released.feed == carol.feed() => Some(&released.changes),
        _ => None,
    });
    let rows = hers.chain([&pieces[0].changes]).map(|row| &row[..]);
    assert_eq!(History::restore(rows).unwrap().get(1, &mallory.feed()), 2);
    assert_eq!(order.waiting().count(), 0);
}

/// Alice and Bob are both forked. Of Alice the history is held whose author had seen Bob's other one, and the other way round; so
/// what each names of the other is an entry that came later, and has her in its past. Spec: FEED-6.4
#[test]
fn feeds_that_wait_for_each_other_go_on_when_it_is_known_what_was_meant() {
    let [mut alice, mut bob, mut carol] = [1, 2, 3].map(|number| author(number, Purpose::Data));
    let starts = [alice.write(records(1)), bob.write(records(1))];
    let commons = [alice.writer.checkpoint(), bob.writer.checkpoint()];
    // Lost: what Bob had shown to Alice only, and Alice to Bob only.
    bob.write(records(2));
    let named_by_alice = bob.dep();
    bob.writer.rollback(commons[1].clone());
    alice.write(records(3));
    let named_by_bob = alice.dep();
    alice.writer.rollback(commons[0].clone());
    // Kept, and Carol's answer to it, which Alice has seen.
    let first = alice.write(vec![record(vec![named_by_alice], "on what is lost"), record(vec![], "kept")]);
    let answer = carol.write(vec![record(vec![alice.dep()], "on what is kept")]);
    let second = alice.write(vec![record(vec![carol.dep()], "kept too")]);
    let his = bob.write(vec![record(vec![named_by_bob], "on what is lost"), record(vec![], "kept")]);

    let ranges = [&starts[0], &starts[1], &first, &answer, &second, &his];
    let feeds = [&alice, &bob, &carol].map(Author::feed);
    let ends = |order: &Order| feeds.map(|feed| order.released(&feed));
    let mut pasts = Vec::new();
    for turn in 0..ranges.len() {
        let mut order = order();
        admit(&mut order, &[&alice, &bob, &carol]);
        // In whichever order the feeds come.
        for (place, feed) in feeds.iter().cycle().skip(turn).take(3).enumerate() {
            extend_all(&mut order, &ranges.into_iter().filter(|range| range.feed() == *feed).collect::<Vec<_>>());
            drain(&mut order);
            assert!(place == 2 || order.circles().iter().flatten().all(|waiting| waiting.feed != feeds[2]));
        }
        order.stop(feeds[0], 4);
        order.stop(feeds[1], 3);
        assert_eq!(ends(&order), [1, 1, 0]);
        let waiting = |feed, on| Waiting { feed, seq: 1, on };
        let circle = vec![waiting(feeds[0], named_by_alice), waiting(feeds[1], named_by_bob)];
        let mut circles = order.circles();
        circles[0].sort_by_key(|waiting| waiting.seq + u64::from(waiting.feed != feeds[0]));
        assert_eq!((circles.len(), &circles[0]), (1, &circle), "carol waits, and is not in it");
        circle.iter().for_each(|waiting| order.meant(waiting, 1));
        assert_eq!(order.reach(&feeds[0], 1, &named_by_alice), 1);
        assert_eq!(order.reach(&feeds[2], 0, &alice.dep()), alice.dep().length);
        drain(&mut order);
        assert_eq!((ends(&order), order.circles()), ([4, 3, 1], vec![]));
        pasts.push(feeds.map(|feed| order.past_at(&feed, order.released(&feed)).unwrap()));
    }
    assert!(pasts.iter().all(|past| *past == pasts[0]));
    let [hers, his, carols] = &pasts[0];
    assert_eq!((hers.get(&feeds[1]), hers.get(&feeds[2])), (1, 1), "of Bob no more than was meant");
    assert_eq!((his.get(&feeds[0]), carols.get(&feeds[0])), (1, 3), "what Carol has seen is there");
}

#[test]
fn a_stopped_feed_releases_no_more() {
    let mut alice = author(1, Purpose::Data);
    let mut order = order();
    admit(&mut order, &[&alice]);
    let first = alice.write(records(2));
    extend(&mut order, &first);
    order.stop(alice.feed(), 3);
    let second = alice.write(records(4));
    extend(&mut order, &second);
    let pieces = released(&mut order);
    assert_eq!(pieces.iter().map(|piece| piece.run.end()).collect::<Vec<_>>(), [2, 3]);
    order.extended(alice.feed(), 6, None);
    assert_eq!(drain(&mut order), []);
}

/// Data waits for control that is resolved, and its past includes what that control knew.
#[test]
fn data_waits_for_control_to_be_resolved() {
    let [mut host, mut guest] = [1, 2].map(|number| author(number, Purpose::Control));
    let mut data = author(2, Purpose::Data);
    let genesis = host.write(vec![control(vec![], "genesis"), control(vec![], "guest admitted")]);
    let redeemed = guest.write(vec![control(vec![host.dep()], "hello")]);
    let edit = data.write(vec![record(vec![guest.dep()], "edit")]);

    let (mut controls, mut datas) = (order(), order());
    admit(&mut controls, &[&host, &guest]);
    admit(&mut datas, &[&data]);
    extend(&mut datas, &edit);
    assert_eq!(drain(&mut datas), []);
    assert!(datas.is_idle(), "waiting for deps is idle");
    extend_all(&mut controls, &[&genesis, &redeemed]);
    for piece in released(&mut controls) {
        assert_eq!(datas.waiting().count(), 1);
        datas.advanced(piece.feed, piece.run.end(), &piece.changes).unwrap();
    }
    let past = released(&mut datas)[0].past[0].1.clone();
    assert_eq!((past.get(&guest.feed()), past.get(&host.feed())), (1, 2));
    assert_eq!(datas.advanced(guest.feed(), 1, &[0, 0]), Err(RestoreError::OutOfOrder { seq: 0, next: 1 }));
}

#[test]
fn what_has_no_deps_is_released_as_it_is() {
    let mut alice = author(1, Purpose::Data);
    let ranges = alice.writer.append(records(1_000)).unwrap();
    let mut order = order();
    admit(&mut order, &[&alice]);
    ranges.iter().for_each(|range| extend(&mut order, range));
    let pieces = released(&mut order);
    let runs: Vec<Run> = pieces.iter().map(|piece| piece.run.clone()).collect();
    assert_eq!(runs, ranges.iter().flat_map(|range| range.runs().to_vec()).collect::<Vec<_>>());
    assert!(pieces.iter().all(|piece| piece.changes.is_empty() && piece.past.len() == 1));
}

/// What does not fit into memory costs a cursor, and is read when its turn comes.
#[test]
fn what_waits_is_bounded_and_read_again() {
    let (mut alice, mut bob) = (author(1, Purpose::Data), author(2, Purpose::Data));
    let hers = alice.write(records(1));
    let mut his = vec![record(vec![alice.dep()], "first")];
    his.extend((0..40).map(|_| record(vec![], vec![0; 30_000])));
    let his = bob.write(his);
    let mut order = Order::new(Config { pending_bytes_max: 100_000, read_bytes_max: 70_000, ..Config::default() });
    admit(&mut order, &[&alice, &bob]);
    extend(&mut order, &his);
    assert_eq!(drain(&mut order), []);
    extend(&mut order, &hers);
    let mut reads = 0;
    while let Some(output) = order.poll() {
        if let OrderOutput::Need { feed, from, bytes_max } = output {
            assert_eq!((feed, from), (bob.feed(), order.released(&bob.feed())));
            assert!(bytes_max <= 70_000);
            reads += 1;
            order.supply(
                feed,
                his.runs().iter().find(|run| run.from() <= from && from < run.end()).cloned().into_iter().collect(),
            );
        }
    }
    assert!(reads > 10, "most had to be read again: {reads}");
    assert_eq!(order.released(&bob.feed()), 41);
    assert!(order.is_idle());
}

/// Who takes nothing is given no more than fits.
#[test]
fn a_slow_taker_leaves_the_rest_on_disk() {
    let mut alice = author(1, Purpose::Data);
    let ranges = alice.writer.append((0..600).map(|_| record(vec![], vec![0; 30_000])).collect()).unwrap();
    let mut order = order();
    admit(&mut order, &[&alice]);
    ranges.iter().for_each(|range| extend(&mut order, range));
    let mut bytes = 0;
    while let Some(OrderOutput::Released(piece)) = order.poll() {
        bytes += piece.run.bytes();
    }
    assert!(
        bytes > 3 << 20 && bytes <= 4 << 20,
        "{bytes} of {} were kept",
        ranges.iter().map(VerifiedRange::bytes).sum::<usize>()
    );
    assert!(!order.is_idle(), "the rest is being read");
}

#[test]
fn a_read_that_fails_is_not_asked_for_at_once_again() {
    let mut alice = author(1, Purpose::Data);
    let range = alice.write(records(1));
    let mut order = order();
    admit(&mut order, &[&alice]);
    order.extended(alice.feed(), 1, None);
    assert!(matches!(drain(&mut order)[..], [OrderOutput::Need { from: 0, .. }]));
    order.supply(alice.feed(), vec![]);
    assert_eq!(drain(&mut order), []);
    order.extended(alice.feed(), 1, None);
    assert!(matches!(drain(&mut order)[..], [OrderOutput::Need { from: 0, .. }]));
    order.supply(alice.feed(), range.runs().to_vec());
    assert_eq!(released(&mut order).len(), 1);
}

/// Spec: FEED-6.1
#[test]
fn deps_are_reduced_and_overflow_into_merges() {
    let own = dep(0, 1).feed;
    let mut news = Acknowledged::new(own, [(dep(9, 1).feed, 4)].into_iter().collect());
    let past = |lengths: &[Dep]| Arc::new(lengths.iter().map(|dep| (dep.feed, dep.length)).collect::<Past>());
    news.heard(dep(9, 3), past(&[dep(9, 3)]));
    news.heard(dep(0, 8), past(&[]));
    assert!(news.is_empty(), "nothing is news that is known or one's own");
    news.heard(dep(1, 5), past(&[dep(1, 5)]));
    news.heard(dep(2, 6), past(&[dep(2, 6), dep(1, 5), dep(3, 2)]));
    news.heard(dep(3, 3), past(&[dep(3, 3)]));
    news.heard(dep(3, 1), past(&[dep(3, 1)]));
    let taken = news.take();
    assert_eq!(taken.deps, [dep(2, 6), dep(3, 3)], "1 is in the past of 2, 3 has more than 2 knew");
    assert!(taken.merges.is_empty() && news.is_empty());
    assert_eq!((news.past().get(&dep(1, 1).feed), news.past().get(&dep(3, 1).feed)), (5, 3));
    assert_eq!(news.take(), weft_feed::acknowledged::Acknowledgement::default());

    for n in 0..1_300u16 {
        let mut feed = [7; 32];
        feed[..2].copy_from_slice(&n.to_be_bytes());
        let head = Dep { feed: weft_crypto::FeedId::from_bytes(feed), ..dep(7, 1) };
        news.heard(head, past(&[head]));
    }
    let taken = news.take();
    assert_eq!(taken.merges.iter().map(Vec::len).collect::<Vec<_>>(), [512, 512]);
    assert_eq!(taken.deps.len(), 276);
}

/// Spec: FEED-6.1, SPACE-16.5
#[test]
fn an_entry_that_is_to_be_understood_by_itself_names_all_that_its_feed_has_not_named() {
    let own = dep(0, 1).feed;
    let known = |lengths: &[Dep]| lengths.iter().map(|dep| (dep.feed, dep.length)).collect::<Past>();
    // Feed 2 was seen through feed 1 only.
    let news = Acknowledged::new(own, known(&[dep(1, 5), dep(2, 6)]));
    let mut news = news.plainly([(dep(1, 5).feed, 5)].into());
    for head in [dep(1, 5), dep(1, 7), dep(2, 6)] {
        news.heard(head, Arc::new(known(&[head, dep(2, 6)])));
    }
    assert_eq!(news.take().deps, [dep(1, 7), dep(2, 6)]);
    news.heard(dep(2, 6), Arc::new(known(&[dep(2, 6)])));
    assert!(news.is_empty(), "and then only what is news");
}

/// What own entries named of a history that is not kept need not be in their past (FEED-6.4), and is not named again.
/// Spec: FEED-6.1
#[test]
fn a_length_that_was_named_is_not_named_again_though_it_is_not_in_the_past() {
    let past = |lengths: &[Dep]| lengths.iter().map(|dep| (dep.feed, dep.length)).collect::<Past>();
    let news = Acknowledged::new(dep(0, 1).feed, past(&[dep(1, 3)]));
    let mut news = news.having_named([(dep(1, 37).feed, 37)].into());
    news.heard(dep(1, 37), Arc::new(past(&[dep(1, 37)])));
    assert!(news.is_empty());
    news.heard(dep(1, 38), Arc::new(past(&[dep(1, 38)])));
    assert_eq!(news.take().deps, [dep(1, 38)]);
    news.heard(dep(1, 38), Arc::new(past(&[dep(1, 38)])));
    assert!(news.is_empty());
}

/// A node that crashed between a row and its cursor has rows of entries that it releases again, cut elsewhere.
#[test]
fn rows_that_say_something_twice_are_restored_once() {
    let (mut alice, mut bob) = (author(1, Purpose::Data), author(2, Purpose::Data));
    let mut order = order();
    admit(&mut order, &[&alice, &bob]);
    let mut rows = vec![];
    for round in 0..6 {
        extend(&mut order, &alice.write(records(1)));
        extend(&mut order, &bob.write(vec![record(vec![alice.dep()], format!("answer {round}"))]));
        rows.extend(released(&mut order).into_iter().map(|piece| piece.changes).filter(|row| !row.is_empty()));
    }
    let again = [rows[3].clone(), rows[4].clone()].concat();
    let mut history = History::restore(rows[..4].iter().map(AsRef::as_ref)).unwrap();
    assert_eq!(history.clone().extend(&again), Err(RestoreError::OutOfOrder { seq: 3, next: 4 }));
    history.extend_until(&again, 6).unwrap();
    history.extend_until(&rows[5], 5).unwrap();
    assert_eq!(history.get(5, &alice.feed()), 5, "entry 5 is beyond the cursor");
    history.extend_until(&rows[5], 6).unwrap();
    assert_eq!((0..6).map(|seq| history.get(seq, &alice.feed())).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(history.extend_until(&[9], 20), Err(RestoreError::Malformed));
}

/// A range is served under its last head, so a holder may know none of those that the authors answered.
#[test]
fn ranges_whose_authors_answered_each_other_do_not_wait_for_each_other() {
    let (mut alice, mut bob) = (author(1, Purpose::Data), author(2, Purpose::Data));
    let mut runs = [Vec::new(), Vec::new()];
    for turn in 0..4 {
        let heard = if turn == 0 { vec![] } else { vec![bob.dep()] };
        runs[0].extend(alice.write(vec![record(heard, "call")]).runs().to_vec());
        runs[1].extend(bob.write(vec![record(vec![alice.dep()], "answer")]).runs().to_vec());
    }
    let mut order = order();
    admit(&mut order, &[&alice, &bob]);
    for (author, runs) in [&alice, &bob].into_iter().zip(&runs) {
        let head = author.dep();
        order.known(head.feed, head.length, head.root);
        order.extended(head.feed, head.length, Some(Run::concat(runs).expect("one log")));
    }
    let released = released(&mut order);
    assert_eq!((order.released(&alice.feed()), order.released(&bob.feed())), (4, 4));
    let named = released.iter().filter_map(|released| released.head);
    assert_eq!(named.collect::<Vec<_>>(), [alice.dep(), bob.dep()], "only the last piece of each can be named");
}
