//! The writer: where it signs, what it refuses, and that a refusal changes nothing.

use weft_crypto::{Dep, Purpose};
use weft_feed::{AppendError, Checkpoint, HeaderError, NewEntry, Writer, kind, limits};

use crate::authors::{author, control, dep, read_all, record, records, secret};

/// Spec: FEED-5.3
#[test]
fn a_head_is_signed_at_the_latest_after_a_full_range() {
    let mut alice = author(1, Purpose::Data);
    let by_count = alice.writer.append(records(600)).unwrap();
    assert_eq!(by_count.iter().map(|range| range.end() - range.from()).collect::<Vec<_>>(), [256, 256, 88]);

    let body = vec![7; limits::BODY_BYTES_MAX as usize];
    let by_bodies = alice.writer.append(vec![record(vec![], body); 9]).unwrap();
    assert_eq!(by_bodies.iter().map(|range| range.end() - range.from()).collect::<Vec<_>>(), [4, 4, 1]);
    assert!(by_bodies[0].runs().iter().all(|run| run.count() == 1), "a large entry is a run of its own");

    let many = |round: u64| -> Vec<Dep> {
        (0..512u64)
            .map(|n| {
                let mut feed = [0; 32];
                feed[..8].copy_from_slice(&n.to_be_bytes());
                Dep { feed: weft_crypto::FeedId::from_bytes(feed), ..dep(0, round + 1) }
            })
            .collect()
    };
    let by_headers = alice.writer.append((0..60).map(|round| record(many(round), "")).collect()).unwrap();
    assert!(by_headers.len() > 1);
    assert!(by_headers.iter().all(|range| range.to_range().headers.len() <= limits::RANGE_HEADER_BYTES_MAX));

    let all = [by_count, by_bodies, by_headers].concat();
    assert_eq!(&read_all(&alice.origin, &all), alice.writer.tree());
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut alice = author(1, Purpose::Data);
    alice.write(vec![record(vec![dep(7, 5)], "first")]);
    let before = alice.writer.checkpoint();
    let own = Dep { feed: alice.feed(), ..dep(0, 1) };
    let too_large = vec![0; limits::BODY_BYTES_MAX as usize + 1];
    let bytes = too_large.len() as u64;
    let no_epoch = NewEntry { epoch: None, ..record(vec![], "x") };
    for (bad, error) in [
        (control(vec![], "x"), AppendError::Kind { index: 1, kind: kind::CONTROL }),
        (record(vec![], too_large), AppendError::Header { index: 1, error: HeaderError::BodyTooLarge { bytes } }),
        (no_epoch, AppendError::Header { index: 1, error: HeaderError::Epoch { kind: kind::RECORD } }),
        (record(vec![own], "x"), AppendError::DepOnItself { index: 1 }),
        (record(vec![dep(7, 5)], "x"), AppendError::DepNotNewer { index: 1, dep: dep(7, 5), earlier: 5 }),
        (record(vec![dep(8, 1)], "x"), AppendError::DepNotNewer { index: 1, dep: dep(8, 1), earlier: 2 }),
    ] {
        assert_eq!(alice.writer.append(vec![record(vec![dep(8, 2)], "good"), bad]), Err(error));
        assert_eq!(alice.writer.checkpoint(), before);
    }
    assert!(alice.writer.append(vec![record(vec![dep(7, 6), dep(6, 1)], "deps in any order")]).is_ok());
}

#[test]
fn a_full_feed_takes_no_more() {
    let alice = author(1, Purpose::Data);
    let mut tree = Vec::from(limits::LENGTH_MAX.to_le_bytes());
    tree.extend_from_slice(&[0; 40]);
    let state = Checkpoint { tree: weft_feed::Tree::decode(&tree).unwrap(), ..Checkpoint::default() };
    let mut writer = Writer::new(&alice.manifest, secret(1, Purpose::Data), state).unwrap();
    assert_eq!(writer.append(records(1)), Err(AppendError::Full));
}

#[test]
fn a_writer_goes_back_when_the_store_fails() {
    let mut alice = author(1, Purpose::Data);
    alice.write(records(3));
    let durable = alice.writer.checkpoint();
    let lost = alice.write(records(2));
    alice.writer.rollback(durable.clone());
    assert_eq!(alice.writer.length(), 3);
    assert_eq!(alice.write(records(2)), lost, "the same entries have the same head again");
}

#[test]
fn a_secret_of_another_feed_is_refused() {
    let alice = author(1, Purpose::Data);
    let wrong = Writer::new(&alice.manifest, secret(2, Purpose::Data), Checkpoint::default()).unwrap_err();
    assert_eq!(wrong.feed, alice.feed());
}

#[test]
fn nothing_appended_is_nothing_signed() {
    let mut alice = author(1, Purpose::Data);
    assert_eq!(alice.writer.append(vec![]), Ok(vec![]));
}
