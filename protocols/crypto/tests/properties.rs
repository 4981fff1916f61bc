//! What holds for all inputs.

use proptest::prelude::*;
use weft_crypto::{
    DeviceKey, EpochId, FeedId, FeedSecret, Head, IdError, Manifest, ObjectId, Phrase, Purpose, Root, SignedManifest,
    SpaceId, base32, fuzz, seal::BodyKeys,
};

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz(&bytes);
    }

    /// Spec: CRYPTO-3.1
    #[test]
    fn an_id_is_read_as_it_is_shown(bytes in any::<[u8; 32]>()) {
        let id = ObjectId::from_bytes(bytes);
        let shown = id.to_string();
        prop_assert_eq!(shown.len(), 52);
        prop_assert!(shown.chars().all(|c| c.is_ascii_lowercase() || ('2'..='7').contains(&c)));
        prop_assert_eq!(shown.parse(), Ok(id));
        prop_assert_eq!(shown.to_uppercase().parse(), Ok(id));
        let short = format!("ObjectId({}…)", &shown[..8]);
        prop_assert_eq!(format!("{id:?}"), short);
    }

    /// The order in which spaces are resolved ends in that of ids. Spec: SPACE-2.1
    #[test]
    fn ids_are_in_the_order_of_their_bytes(one in any::<[u8; 32]>(), other in any::<[u8; 32]>(), common in 0..=32_usize) {
        let mut next = other;
        next[..common].copy_from_slice(&one[..common]);
        prop_assert_eq!(ObjectId::from_bytes(one).cmp(&ObjectId::from_bytes(next)), one.cmp(&next));
    }

    /// Spec: CRYPTO-3.2
    #[test]
    fn base32_has_one_spelling(text in "[a-z2-7]{0,60}") {
        if let Ok(bytes) = base32::decode(&text) {
            prop_assert_eq!(base32::encode(&bytes), text);
        }
    }

    #[test]
    fn bodies_come_back(
        plaintext in prop::collection::vec(any::<u8>(), 0..500),
        seq in any::<u64>(),
        kind in any::<u32>(),
        random in any::<[u8; 16]>(),
    ) {
        let keys = BodyKeys::derive(&[1; 32], &SpaceId::from_bytes([2; 32]), &EpochId::from_bytes([3; 32]), &FeedId::from_bytes([4; 32]));
        let stored = keys.seal(seq, kind, random, &plaintext);
        prop_assert_eq!(keys.open(seq, kind, &stored).unwrap(), plaintext);
        prop_assert!(keys.open(seq ^ 1, kind, &stored).is_err());
    }

    #[test]
    fn manifests_come_back(ids in any::<[[u8; 32]; 3]>(), control in any::<bool>(), generation in any::<u64>()) {
        let manifest = Manifest {
            version: 1,
            space: SpaceId::from_bytes(ids[0]),
            device: weft_crypto::DeviceId::from_bytes(ids[1]),
            feed_key: weft_crypto::FeedKey::from_bytes(ids[2]),
            purpose: if control { Purpose::Control } else { Purpose::Data },
            generation,
        };
        prop_assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
    }

    /// Whatever is changed in a signed manifest, it is refused: every byte of it is under a signature or is one.
    #[test]
    fn a_mutant_of_a_signed_manifest_is_refused(place in any::<prop::sample::Index>(), byte in any::<u8>(), insert in any::<bool>()) {
        let (device, feed) = (DeviceKey::from_seed([1; 32]), FeedSecret::from_seed([2; 32]));
        let manifest = Manifest {
            version: 1,
            space: SpaceId::from_bytes([3; 32]),
            device: device.id(),
            feed_key: feed.id(),
            purpose: Purpose::Data,
            generation: 7,
        };
        let signed = SignedManifest::sign(&manifest, &device, &feed).encode();
        let mut mutant = signed.to_vec();
        let place = place.index(mutant.len());
        if insert {
            mutant.insert(place, byte);
        } else {
            mutant[place] = byte;
        }
        fuzz(&mutant);
        prop_assume!(mutant != signed);
        if let Ok(mutant) = SignedManifest::decode(&mutant.into()) {
            // An unknown field beside the signed bytes changes nothing; anything else is refused.
            prop_assert!(mutant.verify().is_err() || mutant.encode() == signed);
        }
    }

    #[test]
    fn heads_come_back(length in 1u64.., byte_length in any::<u64>(), root in any::<[u8; 32]>()) {
        let secret = FeedSecret::from_seed([1; 32]);
        let head = Head::sign(FeedId::from_bytes([2; 32]), length, byte_length, Root::from_bytes(root), &secret);
        let decoded = Head::decode(&head.encode()).unwrap();
        prop_assert_eq!(decoded, head);
        prop_assert!(decoded.verify(&secret.id()).is_ok());
    }

    #[test]
    fn phrases_come_back(entropy in any::<[u8; 32]>()) {
        let phrase = Phrase::from_entropy(entropy);
        prop_assert_eq!(Phrase::parse(&phrase.words()), Ok(phrase));
    }
}

#[test]
fn an_id_of_another_length_is_refused() {
    let refused = IdError::Length { expected: 32, found: 31 };
    assert_eq!(SpaceId::try_from(&[0; 31][..]), Err(refused));
    assert_eq!(base32::encode(&[0; 31]).parse::<SpaceId>(), Err(refused));
    assert!(matches!("not base32!".parse::<SpaceId>(), Err(IdError::Base32(_))));
    // Spare bits that are not zero would give one id two spellings.
    assert!(base32::decode("ab").is_err());
    assert_eq!(base32::decode("aa"), Ok(vec![0]));
}
