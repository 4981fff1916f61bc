//! Any bytes, and mutants of good ones.

use weft_credential::ControlBody;
use weft_machine::{Draws, Seed};
use weft_space::fuzz;

use crate::world::World;

#[test]
fn mutants_of_entry_0_give_a_value_or_a_reason() {
    let world = World::new();
    let parts = world.entries[0].parts.clone().unwrap();
    let body = ControlBody::new(parts.into_iter().map(|part| part.into_inner()).collect()).encode();
    let mut draws = Draws::new(Seed::from_bytes([8; 32]));
    for _ in 0..3000 {
        let mut mutant = body.to_vec();
        for _ in 0..=draws.below(3) {
            let at = draws.below(mutant.len() as u64) as usize;
            match draws.below(3) {
                0 => mutant[at] ^= 1 << draws.below(8),
                1 => mutant.truncate(at + 1),
                _ => mutant[at] = draws.next_u64() as u8,
            }
        }
        fuzz::all(&mutant);
        weft_credential::fuzz::all(&mutant);
    }
}

#[test]
fn random_frames_open_no_door() {
    let mut draws = Draws::new(Seed::from_bytes([9; 32]));
    for _ in 0..3000 {
        let length = draws.below(400) as usize;
        let bytes: Vec<u8> = (0..length.div_ceil(32)).flat_map(|_| draws.draw32()).take(length).collect();
        fuzz::door(&bytes);
    }
}
