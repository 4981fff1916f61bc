//! What holds for all inputs.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use weft_machine::{Deadlines, Draws, Seed, Time};

#[test]
fn time_saturates_instead_of_wrapping() {
    assert_eq!(Time::MAX + Duration::from_secs(1), Time::MAX);
    assert_eq!(Time::ZERO + Duration::MAX, Time::MAX);
    assert_eq!(Time::ZERO.saturating_since(Time::from_micros(5)), Duration::ZERO);
    assert_eq!(Time::from_millis(3).saturating_since(Time::from_micros(1)).as_micros(), 2999);
    assert_eq!(Time::from_micros(1_000_002).to_string(), "1.000002 s");
}

#[test]
fn a_seed_is_not_shown() {
    let seed = Seed::from_bytes([7; 32]);
    assert_eq!(format!("{seed:?} {:?}", seed.draws()), "Seed(…) Draws(0 drawn)");
}

#[test]
fn draws_of_all_widths_differ_and_repeat_with_the_seed() {
    let sequence = |seed: Seed| {
        let mut draws = seed.draws();
        (draws.draw16(), draws.draw24(), draws.draw32(), draws.next_u64(), draws.draw32())
    };
    let seed = Seed::from_bytes([7; 32]);
    let one = sequence(seed.clone());
    assert_eq!(one, sequence(seed.clone()));
    assert_ne!(one, sequence(seed.fork("a")));
    assert_ne!(sequence(seed.fork("a")), sequence(seed.fork("b")));
    assert_ne!(one.2, one.4);
    assert_ne!(one.0[..], one.1[..16]);
    assert_ne!(one.1[..], one.2[..24]);
}

/// Draw n is what begins at byte 64 n of the stream that the specification names.
///
/// Spec: MACHINE-3.2
#[test]
fn draws_are_the_stream_of_the_specification() {
    let mut stream = [0; 192];
    blake3::Hasher::new_derive_key("weft/draws/1").update(&[7; 32]).finalize_xof().fill(&mut stream);
    let mut draws = Seed::from_bytes([7; 32]).draws();
    assert_eq!(draws.draw16(), stream[..16]);
    assert_eq!(draws.next_u64().to_le_bytes(), stream[64..72]);
    assert_eq!(draws.draw32(), stream[128..160]);
}

#[test]
fn below_reaches_every_number_and_no_other() {
    let mut draws = Draws::new(Seed::from_bytes([1; 32]));
    let mut seen = [0u32; 5];
    for _ in 0..5000 {
        seen[draws.below(5) as usize] += 1;
    }
    assert!(seen.iter().all(|&count| (850..1150).contains(&count)), "{seen:?}");
    assert_eq!(draws.below(1), 0);
    assert!(draws.below(u64::MAX) < u64::MAX);
}

proptest! {
    /// Against a plain list: by time, then by the order of setting.
    #[test]
    fn deadlines_come_out_in_one_order(script in prop::collection::vec((0u8..8, 0u64..6, any::<bool>()), 0..60)) {
        let mut deadlines = Deadlines::new();
        let mut model: BTreeMap<u8, (u64, usize)> = BTreeMap::new();
        for (place, (key, due, cancel)) in script.into_iter().enumerate() {
            if cancel {
                prop_assert_eq!(deadlines.cancel(&key), model.remove(&key).is_some());
            } else {
                deadlines.set(key, Time::from_micros(due));
                model.insert(key, (due, place));
            }
            prop_assert_eq!(deadlines.len(), model.len());
        }
        let mut expected: Vec<_> = model.iter().map(|(key, place)| (*place, *key)).collect();
        expected.sort_unstable();
        for now in 0..6 {
            while let Some(key) = deadlines.expire(Time::from_micros(now)) {
                let ((due, _), expected_key) = expected.remove(0);
                prop_assert_eq!((due, expected_key), (now, key));
            }
            prop_assert!(deadlines.next().is_none_or(|due| due > Time::from_micros(now)));
        }
        prop_assert!(deadlines.is_empty() && expected.is_empty());
    }

    #[test]
    fn set_earlier_never_postpones(dues in prop::collection::vec(any::<u64>(), 1..10)) {
        let mut deadlines = Deadlines::new();
        for due in &dues {
            deadlines.set_earlier((), Time::from_micros(*due));
        }
        prop_assert_eq!(deadlines.next(), dues.iter().min().map(|due| Time::from_micros(*due)));
    }
}
