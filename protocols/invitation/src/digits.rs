//! Digits that two people read to one another, to make sure who it is that waits to be let in.
//!
//! They are of the newcomer's root key alone: the person at the host sees the key that came with the redemption, the newcomer sees its
//! own, and whoever got hold of the link and came in the newcomer's place has other digits.

use weft_crypto::{Context, Hasher, IdentityId};

/// Groups of five digits. Four are 66 bits: nobody makes keys until all of them fit.
const GROUPS: usize = 4;

/// Twenty digits of an identity, in groups of five. Spec: INVITATION-7.2
pub fn digits(identity: &IdentityId) -> String {
    let hash = Hasher::new(Context::NEWCOMER_DIGITS).fixed(identity.as_bytes()).finish();
    let groups = hash.chunks_exact(5).take(GROUPS).map(|bytes| {
        let number = bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        format!("{:05}", number % 100_000)
    });
    groups.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_four_groups_of_five_and_differ() {
        let [one, other] = [1, 2].map(|byte| digits(&IdentityId::from_bytes([byte; 32])));
        assert_ne!(one, other);
        assert!(one.split(' ').count() == GROUPS && one.split(' ').all(|group| group.len() == 5));
        assert!(one.chars().all(|char| char == ' ' || char.is_ascii_digit()));
    }
}
