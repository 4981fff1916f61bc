//! A past beside a plain map, however ids are spread. Spec: FEED-6.3

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use weft_crypto::FeedId;
use weft_feed::Past;

/// Ids that are spread evenly, that lie together, and that differ late.
fn id() -> impl Strategy<Value = FeedId> {
    let spread = any::<[u8; 32]>();
    let close = (any::<u16>(), any::<bool>()).prop_map(|(low, high)| {
        let mut id = [if high { 0xff } else { 0 }; 32];
        id[6..8].copy_from_slice(&low.to_be_bytes());
        id
    });
    let late = any::<u16>().prop_map(|low| {
        let mut id = [0x80; 32];
        id[30..].copy_from_slice(&low.to_be_bytes());
        id
    });
    prop_oneof![4 => spread, 1 => close, 1 => late].prop_map(FeedId::from_bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_past_is_a_map_of_lengths(raised in vec((id(), 0..9u64), 0..400), asked in vec(id(), 0..50)) {
        let (mut past, mut model) = (Past::new(), BTreeMap::new());
        for (feed, length) in &raised {
            let before = model.get(feed).copied().unwrap_or(0);
            prop_assert_eq!(past.raise(*feed, *length), *length > before);
            if *length > before {
                model.insert(*feed, *length);
            }
        }
        for feed in asked.iter().chain(raised.iter().map(|(feed, _)| feed)) {
            prop_assert_eq!(past.get(feed), model.get(feed).copied().unwrap_or(0));
        }
        prop_assert_eq!(past.total(), model.values().sum::<u64>());
        prop_assert!(past.iter().eq(model));
    }
}
