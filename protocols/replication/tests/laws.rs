//! The laws of every machine, and a million mutated frames.

use weft_crypto::Purpose::Data;
use weft_machine::{Draws, Machine, Seed, Time, laws};
use weft_replication::{Config, Input, Output, Session};
use weft_wire::frame::Decoder;

use crate::harness::{ALICE, BOB, Log, SPACE, World, device};

/// What Bob's session hears while Alice brings him 600 records.
fn inputs() -> Vec<(Time, Input)> {
    let mut world = World::new(Config::default());
    world.append(ALICE, Data, 600, 100);
    world.connect();
    let feeds = world.nodes[BOB].logs.values().map(Log::held).collect();
    let mut inputs = vec![Input::Opened, Input::Granted { number: 1, space: SPACE, feeds }];
    let mut decoder = Decoder::new();
    loop {
        decoder.push(bytes::Bytes::copy_from_slice(&world.nodes[ALICE].wire));
        while let Some(payload) = decoder.next().unwrap() {
            inputs.push(Input::Received(payload));
        }
        let moved = world.deliver(ALICE, usize::MAX) | world.deliver(BOB, usize::MAX);
        if !(moved | world.read(ALICE, 0) | world.work(BOB, 0) | world.persist(BOB)) {
            break;
        }
    }
    inputs.into_iter().enumerate().map(|(at, input)| (Time::from_micros(at as u64), input)).collect()
}

#[test]
fn a_session_keeps_the_laws_of_machines() {
    let inputs = inputs();
    assert!(inputs.len() > 8);
    let make = || Session::new(Config::default(), device(2), device(1), Seed::from_bytes([1; 32]));
    laws::all(make, &inputs);
}

#[test]
fn mutated_frames_do_no_harm() {
    let inputs = inputs();
    let mut draws = Draws::new(Seed::from_bytes([5; 32]));
    for _ in 0..20_000 {
        let mut session = Session::new(Config::default(), device(2), device(1), Seed::from_bytes([1; 32]));
        for (at, input) in &inputs {
            let input = match input {
                Input::Received(payload) if draws.below(3) == 0 && !payload.is_empty() => {
                    let mut bytes = payload.to_vec();
                    for _ in 0..=draws.below(3) {
                        // Most fields are at the front of a frame.
                        let front = if draws.below(2) == 0 { 160 } else { usize::MAX };
                        let at = draws.below(bytes.len().min(front) as u64) as usize;
                        bytes[at] = draws.next_u64() as u8;
                    }
                    Input::Received(bytes.into())
                }
                other => other.clone(),
            };
            session.handle_input(*at, input);
            while let Some(output) = session.poll_output() {
                assert!(!matches!(output, Output::Persist { .. }), "jobs are not run here");
            }
        }
    }
}
