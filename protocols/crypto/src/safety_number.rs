//! Safety numbers: sixty digits that two people compare, to make sure that each has the other's identity and nobody in between.

use crate::{Context, Hasher, IdentityId};

/// Groups of five digits.
const GROUPS: usize = 12;
/// What a group counts up to.
const OF_GROUP: u32 = 100_000;

/// Sixty digits of two identities, in twelve groups of five; the same whichever is named first. Spec: CRYPTO-11
#[must_use]
pub fn safety_number(one: &IdentityId, other: &IdentityId) -> String {
    let (lower, higher) = if one <= other { (one, other) } else { (other, one) };
    let mut number = Hasher::new(Context::SAFETY_NUMBER).fixed(lower.as_bytes()).fixed(higher.as_bytes()).finish();
    let mut groups: Vec<String> = (0..GROUPS).map(|_| format!("{:05}", divide(&mut number))).collect();
    groups.reverse();
    groups.join(" ")
}

/// Divides a number, its first byte the most significant, and gives what is left.
fn divide(number: &mut [u8; 32]) -> u32 {
    let mut left = 0;
    for byte in number {
        let value = left << 8 | u32::from(*byte);
        *byte = u8::try_from(value / OF_GROUP).expect("what is left is smaller than the divisor");
        left = value % OF_GROUP;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_people_read_the_same_number_and_with_others_another_one() {
        let [alice, bob, mallory] = [1, 2, 3].map(|byte| IdentityId::from_bytes([byte; 32]));
        let number = safety_number(&alice, &bob);
        assert_eq!(number, safety_number(&bob, &alice));
        assert_ne!(number, safety_number(&alice, &mallory));
        assert_eq!(number.split(' ').count(), GROUPS);
        assert!(number.split(' ').all(|group| group.len() == 5 && group.bytes().all(|digit| digit.is_ascii_digit())));
    }

    #[test]
    fn digits_are_those_of_the_number_in_decimal() {
        let mut number = [0; 32];
        number[24..].copy_from_slice(&12_345_678_901_234_567_890u64.to_be_bytes());
        let groups: Vec<u32> = (0..5).map(|_| divide(&mut number)).collect();
        assert_eq!(groups, [67_890, 12_345, 67_890, 12_345, 0]);
    }
}
