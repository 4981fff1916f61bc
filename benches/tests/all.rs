//! The benches' pure parts, at tiny sizes: what they compute is what they claim. No time is asserted.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use weft_benches::{
    blocks::{block, blocks, change},
    crowd::Crowd,
    figures::{Figures, Spread, quantile},
    log::{Author, Replayed, keep, replay, replay_from, verify},
    report::{Goal, Row, Side, Table, Unit},
    second::{Role, Task},
    sizes::Sizes,
};
use weft_crypto::{FeedId, SpaceId};
use weft_feed::{Range, VerifiedRange};
use weft_space::resolve;

fn close(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 1e-9)
}

#[test]
fn blocks_are_those_of_the_baseline() {
    // The first words of blocks 0 and 1 as `source.mjs` makes them: the low 32 bits of (index + 1) * (2654435761 + offset).
    assert_eq!(block(0, 8)[..], [0xb1, 0x79, 0x37, 0x9e, 0xb5, 0x79, 0x37, 0x9e]);
    assert_eq!(block(1, 7)[..], [0x62, 0xf3, 0x6e, 0x3c, 0, 0, 0]);
    assert_eq!(change(0).len(), 200);
    assert_ne!(change(0), change(1));
}

#[test]
fn what_was_appended_verifies_and_replays_in_memory_and_from_disk() {
    let blocks = blocks(600, 256);
    let expected = blocks.iter().fold(Replayed::default(), |sum, block| sum.and(block));
    let mut author = Author::new();
    let ranges = author.append(&blocks);
    assert_eq!(ranges.len(), 3, "a signature per 256 entries");
    assert_eq!(replay(Replayed::default(), ranges.iter().flat_map(VerifiedRange::runs)), expected);
    let claimed: Vec<Range> = ranges.iter().map(VerifiedRange::to_range).collect();
    assert_eq!(verify(&author.origin(), &claimed).unwrap(), ranges[2].tree().root());

    let folder = tempfile::tempdir().unwrap();
    let store = author.store(folder.path()).unwrap();
    keep(&store, ranges).unwrap();
    drop(store);
    assert_eq!(replay_from(folder.path(), &author.origin().feed).unwrap(), expected);
}

#[test]
fn one_by_one_and_in_batches_is_the_same_feed() {
    let blocks = blocks(300, 64);
    let (mut one, mut other) = (Author::new(), Author::new());
    let singly: Vec<_> = blocks.iter().map(|block| one.append(std::slice::from_ref(block))).collect();
    let batched = other.append(&blocks);
    assert_eq!(singly[299][0].tree(), batched.last().unwrap().tree());
}

#[test]
fn a_changed_byte_does_not_verify() {
    let mut author = Author::new();
    let mut range = author.append(&blocks(3, 64))[0].to_range();
    let mut bodies = range.bodies[0].to_vec();
    bodies[100] ^= 1;
    range.bodies = vec![bodies.into()];
    assert!(verify(&author.origin(), &[range]).is_err());
}

#[test]
fn sealed_records_are_longer_and_verify() {
    let mut author = Author::new();
    let ranges = author.append_sealed(&blocks(10, 64));
    assert!(ranges[0].bytes() > 10 * 64);
    assert!(verify(&author.origin(), &[ranges[0].to_range()]).is_ok());
}

#[test]
fn figures_are_read_as_the_baselines_print_them() {
    let line = "blocks_per_s=9701 MB_per_s=2.5 dst_cpu_s=9.91 dst_rss_mb=213 note=none";
    let figures = Figures::parse(line);
    assert!(close(figures.get("MB_per_s"), 2.5));
    assert_eq!(figures.get("note"), None);
    assert!(figures.need("seconds").is_err());
    assert_eq!(Figures::parse(&figures.line()), figures);
}

#[test]
fn medians_and_quantiles_are_those_of_the_sorted_figures() {
    assert_eq!(Spread::of(&[]), None);
    assert!(close(Spread::of(&[4.0, 1.0, 3.0, 2.0]).map(|spread| spread.median), 2.5));
    assert!(close(quantile(&mut [3.0, 1.0, 2.0], 0.5), 2.0));
    assert!(close(quantile(&mut [3.0, 1.0, 2.0], 0.99), 3.0));
    assert!(close(quantile(&mut [3.0], 1.0), 3.0));
    assert_eq!(quantile(&mut [], 0.5), None);
}

#[test]
fn a_task_is_the_same_after_its_arguments() {
    let roles = [
        Role::Fetch { length: 9 },
        Role::Follow,
        Role::Open { length: 3 },
        Role::Rest { seconds: 30 },
        Role::Documents { count: 3, characters: 5 },
    ];
    for role in roles {
        let task = Task {
            role,
            folder: "some/folder".into(),
            space: SpaceId::from_bytes([1; 32]),
            feed: FeedId::from_bytes([2; 32]),
            peer: String::new(),
        };
        assert_eq!(Task::parse(&task.arguments().unwrap()), Some(task));
    }
    assert_eq!(Task::parse(&["--bench".to_owned()]), None);
}

#[test]
fn the_table_shows_both_sides_the_ratio_and_what_each_guaranteed() {
    let side = |name: &str, runs: &[f64], guarantees| Side { name: name.to_owned(), runs: runs.to_vec(), guarantees };
    let row = |unit, ours: &[f64], theirs: Option<&[f64]>, goal| Row {
        work: "work".to_owned(),
        unit,
        ours: side("weft", ours, "signed, fsync"),
        theirs: theirs.map(|runs| side("hypercore", runs, "no fsync")),
        goal,
    };
    let faster = row(Unit::PerSecond, &[100_000.0, 120_000.0, 110_000.0], Some(&[10_000.0]), Goal::Ratio(10.0));
    assert!(close(faster.ratio(), 11.0));
    assert_eq!(faster.is_reached(), Some(true));
    let slower = row(Unit::Milliseconds, &[2.0], Some(&[1.0]), Goal::Figure(1.0));
    assert!(close(slower.ratio(), 0.5));
    assert_eq!(slower.is_reached(), Some(false));
    let alone = row(Unit::Seconds, &[2.0], None, Goal::Ratio(3.0));
    assert_eq!((alone.ratio(), alone.is_reached()), (None, None));

    let table = Table { rows: vec![faster, slower, alone], notes: vec!["Skipped: nothing.".to_owned()] }.render();
    for part in [
        "110,000/s (100,000..120,000)",
        "hypercore 10,000/s",
        "11.0x",
        "10x: yes",
        "1.00 ms: NO",
        "    weft: signed, fsync",
        "    hypercore: no fsync",
        "Skipped: nothing.",
    ] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
}

#[test]
fn quick_sizes_are_below_the_full_ones_and_none_is_zero() {
    let (quick, full) = (Sizes::quick(), Sizes::full());
    for (quick, full) in [
        (quick.small_entries, full.small_entries),
        (quick.large_entries, full.large_entries),
        (quick.live_appends, full.live_appends),
        (quick.held_entries, full.held_entries),
        (quick.group_appends, full.group_appends),
        (quick.document_changes, full.document_changes),
    ] {
        assert!(0 < quick && quick < full);
    }
}

#[test]
fn a_crowd_grows_by_entries_that_count_and_its_newest_member_is_removed() {
    let mut crowd = Crowd::new(2);
    crowd.grow(400);
    let said = crowd.said();
    assert!(said.credentials >= 400 && said.removed == 1 && said.let_in > 50, "{said:?}");
    let space = crowd.space().clone();
    let entries: Vec<_> = space.entries().cloned().collect();
    assert_eq!(resolve(space.resolution().space(), &entries), *space.resolution());
    assert_eq!(space.resolution().members().len(), 1 + said.let_in - said.removed);
    let body = crowd.remove_newest();
    crowd.hear_of_removal(&mut space.clone(), &body);
    for more in [vec![crowd.one_pre_key()], crowd.one_newcomer().to_vec()] {
        let mut with = space.clone();
        with.insert(more);
        assert_eq!(with.resolution().void().count(), 0);
        assert_eq!(with.entries().count().min(said.entries + 1), said.entries + 1);
    }
}
