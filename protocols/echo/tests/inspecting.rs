//! `inspect` against honest sessions of `yrs`, against every attack that the spec lists, and against random mutants.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_echo::inspect::{CLOCK_END, Context, Refusal, inspect, split};
use weft_machine::Draws;
use yrs::updates::decoder::Decode as _;
use yrs::{ClientID, Doc, GetString as _, OffsetKind, Options, ReadTxn as _, Text as _, Transact as _, Update};

use crate::update::{Clocks, block, deletes, inserts, var};
use crate::world::draws;

const ME: u64 = 7;
const BOB: u64 = 11;

fn past() -> Clocks {
    Clocks(BTreeMap::from([(ME, 10), (BOB, 20)]))
}

fn judge(inserts: &[u8], deletes: &[u8]) -> Result<u32, Refusal> {
    let past = past();
    inspect(inserts, deletes, &Context { client: ME, first_clock: 10, past: &past })
        .map(|inspected| inspected.end_clock)
}

fn doc(client: u64) -> Doc {
    let mut options = Options::with_client_id(ClientID::new(client));
    options.offset_kind = OffsetKind::Utf16;
    options.skip_gc = true;
    let doc = Doc::with_options(options);
    doc.get_or_insert_text("body");
    doc
}

fn text(doc: &Doc) -> String {
    doc.get_or_insert_text("body").get_string(&doc.transact())
}

fn apply(doc: &Doc, inserts: &[u8], deletes: &[u8]) {
    let blocks = inserts.split_last().map_or(&[0][..], |(_, blocks)| blocks);
    let deletes = if deletes.is_empty() { &[0] } else { deletes };
    let mut transaction = doc.transact_mut();
    transaction.apply_update(Update::decode_v1(&[blocks, deletes].concat()).unwrap()).unwrap();
    assert!(!transaction.has_missing_updates(), "what inspect accepts leaves nothing pending");
}

fn clocks(doc: &Doc) -> Clocks {
    let state = doc.transact().state_vector();
    Clocks(state.iter().map(|(client, clock)| (client.get(), *clock)).collect())
}

/// A random transaction of one to five operations at character borders; the update and what was reached before it.
fn random_edit(doc: &Doc, draws: &mut Draws) -> (Bytes, Clocks) {
    let before = clocks(doc);
    let body = doc.get_or_insert_text("body");
    let mut transaction = doc.transact_mut();
    for _ in 0..=draws.below(5) {
        let now: Vec<char> = body.get_string(&transaction).chars().collect();
        let units = |from: usize, to: usize| now[from..to].iter().map(|c| c.len_utf16() as u32).sum::<u32>();
        let at = draws.below(now.len() as u64 + 1) as usize;
        if draws.below(3) == 0 {
            let to = (at + draws.below(9) as usize).min(now.len());
            body.remove_range(&mut transaction, units(0, at), units(at, to));
        } else {
            let words = ["a", "typed ", "ß", "日本", "😀", "x𝄞y", "\n"];
            body.insert(&mut transaction, units(0, at), words[draws.below(7) as usize]);
        }
    }
    transaction.commit();
    (Bytes::from(transaction.encode_update_v1()), before)
}

#[test]
fn thousands_of_honest_updates_pass() {
    let mut accepted = 0;
    for seed in 0..30 {
        let mut draws = draws(seed);
        let docs: Vec<Doc> = [ME, BOB, (1 << 53) - 1].map(doc).into();
        let mut log: Vec<(Bytes, Bytes, Clocks)> = Vec::new();
        let mut seen = [0; 3];
        for _ in 0..150 {
            let who = draws.below(3) as usize;
            // Catch up with a prefix of everything, so that concurrent edits are common.
            let upto = seen[who] + draws.below((log.len() - seen[who]) as u64 + 1) as usize;
            for (inserts, deletes, _) in &log[seen[who]..upto] {
                apply(&docs[who], inserts, deletes);
            }
            seen[who] = upto;
            let client = docs[who].client_id().get();
            let (update, past) = random_edit(&docs[who], &mut draws);
            let first_clock = past.0.get(&client).copied().unwrap_or(0);
            let (inserts, deletes) = split(&update, client, first_clock).unwrap();
            let inspected = inspect(&inserts, &deletes, &Context { client, first_clock, past: &past });
            assert_eq!(inspected.unwrap().end_clock, clocks(&docs[who]).0.get(&client).copied().unwrap_or(0));
            accepted += 1;
            log.push((inserts, deletes, past));
        }
        for doc in &docs {
            for (inserts, deletes, _) in &log {
                apply(doc, inserts, deletes);
            }
        }
        assert_eq!(text(&docs[0]), text(&docs[1]));
        assert_eq!(text(&docs[0]), text(&docs[2]));
    }
    assert_eq!(accepted, 30 * 150);
}

#[test]
fn insertions_within_the_past_are_accepted() {
    let blocks = [block(Some((BOB, 19)), None, "a😀"), block(None, Some((ME, 12)), "b"), block(None, None, "c")];
    assert_eq!(judge(&inserts(ME, 10, &blocks), &deletes(&[(ME, &[(0, 3), (10, 5)]), (BOB, &[(0, 20)])])), Ok(15));
    assert_eq!(judge(&[], &[]), Ok(10));
}

#[test]
fn an_update_of_another_client_is_refused() {
    let foreign = inserts(BOB, 10, &[block(None, None, "a")]);
    assert_eq!(judge(&foreign, &[]), Err(Refusal::ForeignClient { expected: ME, found: BOB }));
    // 2^53 + 7 is 7 for yrs.
    let alias = inserts((1 << 53) + ME, 10, &[block(None, None, "a")]);
    assert_eq!(judge(&alias, &[]), Err(Refusal::ForeignClient { expected: ME, found: (1 << 53) + ME }));
    let aliased = inserts(ME, 10, &[block(Some(((1 << 53) + BOB, 0)), None, "a")]);
    assert_eq!(judge(&aliased, &[]), Err(Refusal::ClientTooWide { client: (1 << 53) + BOB }));
    let two = [[2].as_slice(), &inserts(ME, 10, &[block(None, None, "a")])[1..]].concat();
    assert_eq!(judge(&two, &[]), Err(Refusal::Clients { found: 2 }));
    assert_eq!(judge(&[0, 0], &[]), Err(Refusal::Clients { found: 0 }));
}

#[test]
fn a_clock_that_does_not_continue_is_refused() {
    for first in [0, 9, 11, u64::MAX] {
        let update = inserts(ME, first, &[block(None, None, "a")]);
        assert_eq!(judge(&update, &[]), Err(Refusal::Clock { expected: 10, found: first }));
    }
}

#[test]
fn claimed_counts_are_not_believed() {
    let mut blocks = vec![1];
    var(u64::from(u32::MAX), &mut blocks);
    assert_eq!(judge(&blocks, &[]), Err(Refusal::Count { claimed: u64::from(u32::MAX), left: 0 }));
    assert_eq!(judge(&[1, 0, 7, 10, 0], &[]), Err(Refusal::Count { claimed: 0, left: 3 }));
    let clients = [0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(judge(&[], &clients), Err(Refusal::Count { claimed: u64::from(u32::MAX), left: 0 }));
    let ranges = [1, 11, 0xff, 0xff, 0x03, 0, 1];
    assert_eq!(judge(&[], &ranges), Err(Refusal::Count { claimed: 0xffff, left: 2 }));
    let string = [1, 1, 7, 10, 4, 1, 4, b'b', b'o', b'd', b'y', 0x7f, b'a', 0];
    assert_eq!(judge(&string, &[]), Err(Refusal::Count { claimed: 0x7f, left: 2 }));
}

#[test]
fn numbers_have_one_spelling() {
    assert_eq!(judge(&[0x81, 0x00], &[]), Err(Refusal::Number { at: 0 }));
    assert_eq!(judge(&[0xff; 11], &[]), Err(Refusal::Number { at: 0 }));
    assert_eq!(judge(&[1], &[]), Err(Refusal::Truncated { at: 1 }));
    let mut longer = inserts(ME, 10, &[block(None, None, "a")]);
    longer.push(0);
    assert_eq!(judge(&longer, &[]), Err(Refusal::Trailing { bytes: 1 }));
}

#[test]
fn only_text_is_accepted() {
    // GC, Deleted, JSON, Binary, Embed, Format, Type, Any, Doc, Skip, move, and text with a key.
    for info in [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 0x14, 0x24] {
        let mut update = inserts(ME, 10, &[block(None, None, "aaaaaaaa")]);
        update[4] = info;
        assert_eq!(judge(&update, &[]), Err(Refusal::Block { info, at: 4 }), "{info}");
    }
    let mut elsewhere = inserts(ME, 10, &[block(None, None, "a")]);
    elsewhere[7] = b'B';
    assert_eq!(judge(&elsewhere, &[]), Err(Refusal::Parent { at: 5 }));
    elsewhere[5] = 0;
    assert_eq!(judge(&elsewhere, &[]), Err(Refusal::Parent { at: 5 }));
    assert_eq!(judge(&inserts(ME, 10, &[block(Some((ME, 0)), None, "")]), &[]), Err(Refusal::Text { at: 7 }));
    let mut latin = inserts(ME, 10, &[block(Some((ME, 0)), None, "a")]);
    latin[8] = 0xff;
    assert_eq!(judge(&latin, &[]), Err(Refusal::Text { at: 7 }));
}

#[test]
fn clocks_stay_below_two_to_the_31() {
    let last = CLOCK_END - 2;
    let past = Clocks(BTreeMap::from([(ME, last)]));
    let judge = |text: &str| {
        let update = inserts(ME, u64::from(last), &[block(None, None, text)]);
        inspect(&update, &[], &Context { client: ME, first_clock: last, past: &past })
    };
    assert_eq!(judge("a").map(|inspected| inspected.end_clock), Ok(CLOCK_END - 1));
    assert_eq!(judge("ab"), Err(Refusal::ClockTooHigh { end: u64::from(CLOCK_END) }));
    for length in [u64::from(CLOCK_END), u64::from(u32::MAX), u64::MAX] {
        let found = crate::inspecting::judge(&[], &deletes(&[(BOB, &[(1, length)])]));
        assert_eq!(found, Err(Refusal::ClockTooHigh { end: length.saturating_add(1) }));
    }
    let origin = inserts(ME, 10, &[block(Some((BOB, u32::MAX)), None, "a")]);
    assert_eq!(crate::inspecting::judge(&origin, &[]), Err(Refusal::ClockTooHigh { end: u64::from(u32::MAX) }));
}

#[test]
fn deletions_among_insertions_are_refused() {
    let mut update = inserts(ME, 10, &[block(None, None, "a")]);
    update.pop();
    update.extend(deletes(&[(BOB, &[(0, 1)])]));
    assert_eq!(judge(&update, &[]), Err(Refusal::DeletesAmongInserts));
}

#[test]
fn deletions_are_in_order_and_apart() {
    let order = |client| Err(Refusal::DeleteOrder { client });
    assert_eq!(judge(&[], &deletes(&[(BOB, &[(0, 1)]), (ME, &[(0, 1)])])), order(ME));
    assert_eq!(judge(&[], &deletes(&[(BOB, &[(0, 1)]), (BOB, &[(2, 1)])])), order(BOB));
    assert_eq!(judge(&[], &deletes(&[(BOB, &[(5, 3), (7, 1)])])), order(BOB));
    assert_eq!(judge(&[], &deletes(&[(BOB, &[(5, 0)])])), order(BOB));
    assert_eq!(judge(&[], &deletes(&[(BOB, &[]), (12, &[(0, 1), (2, 1)])])), order(BOB));
    assert_eq!(judge(&[], &[0]), order(0));
    assert_eq!(judge(&[], &deletes(&[(BOB, &[(5, 2), (7, 1)])])), Ok(10));
}

#[test]
fn what_the_past_does_not_hold_is_refused() {
    let origin = |client, clock| judge(&inserts(ME, 10, &[block(Some((client, clock)), None, "a")]), &[]);
    let right = |client, clock| judge(&inserts(ME, 10, &[block(None, Some((client, clock)), "a")]), &[]);
    for judge in [&origin as &dyn Fn(u64, u32) -> Result<u32, Refusal>, &right] {
        assert_eq!(judge(BOB, 19), Ok(11));
        let refused = |client, clock, reached| Err(Refusal::OriginOutsideThePast { client, clock, reached });
        assert_eq!(judge(BOB, 20), refused(BOB, 20, 20));
        assert_eq!(judge(99, 0), refused(99, 0, 0));
        assert_eq!(judge(ME, 10), refused(ME, 10, 10), "a block does not stand beside itself");
    }
}

#[test]
fn deleting_the_future_is_refused() {
    let refused = |client, end, reached| Err(Refusal::DeleteOutsideThePast { client, end, reached });
    assert_eq!(judge(&[], &deletes(&[(BOB, &[(0, 21)])])), refused(BOB, 21, 20));
    assert_eq!(judge(&[], &deletes(&[(BOB, &[(0, u64::from(CLOCK_END) - 1)])])), refused(BOB, CLOCK_END - 1, 20));
    assert_eq!(judge(&[], &deletes(&[(99, &[(0, 1)])])), refused(99, 1, 0));
    assert_eq!(judge(&[], &deletes(&[(ME, &[(10, 1)])])), refused(ME, 11, 10));
}

#[test]
fn mutants_never_panic_and_what_passes_leaves_nothing_pending() {
    let mut passed = 0;
    for seed in 0..40 {
        let mut draws = draws(1_000 + seed);
        let (mine, other) = (doc(ME), doc(BOB));
        for _ in 0..10 {
            let (update, _) = random_edit(&other, &mut draws);
            mine.transact_mut().apply_update(Update::decode_v1(&update).unwrap()).unwrap();
        }
        let state = mine.transact().encode_state_as_update_v1(&yrs::StateVector::default());
        let (update, past) = random_edit(&mine, &mut draws);
        let first_clock = past.0.get(&ME).copied().unwrap_or(0);
        let (inserts, deletes) = split(&update, ME, first_clock).unwrap();
        for _ in 0..250 {
            let mut fields = [inserts.to_vec(), deletes.to_vec()];
            for _ in 0..=draws.below(3) {
                mutate(&mut fields[draws.below(2) as usize], &mut draws);
            }
            if inspect(&fields[0], &fields[1], &Context { client: ME, first_clock, past: &past }).is_ok() {
                let victim = doc(3);
                victim.transact_mut().apply_update(Update::decode_v1(&state).unwrap()).unwrap();
                apply(&victim, &fields[0], &fields[1]);
                passed += 1;
            }
        }
    }
    assert!(passed > 100, "mutants that pass are tested too: {passed}");
}

fn mutate(bytes: &mut Vec<u8>, draws: &mut Draws) {
    if bytes.is_empty() {
        return;
    }
    let at = draws.below(bytes.len() as u64) as usize;
    match draws.below(5) {
        0 => bytes[at] = draws.below(256) as u8,
        1 => bytes[at] ^= 1 << draws.below(8),
        2 => bytes.insert(at, draws.below(256) as u8),
        3 => drop(bytes.remove(at)),
        _ => bytes.truncate(at),
    }
}
