//! What holds for every order of events: appends, pieces of streams, jobs, reads, writes and cut connections.

use proptest::prelude::*;
use weft_crypto::Purpose::{Control, Data};
use weft_replication::{Config, WINDOW_MIN};

use crate::harness::{ALICE, BOB, World};

#[derive(Clone, Debug)]
enum Step {
    Deliver { from: usize, bytes: usize },
    Work { side: usize, which: usize },
    Read { side: usize, which: usize },
    Persist { side: usize },
    Append { side: usize, control: bool, count: usize, bytes: usize },
    Reconnect,
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let side = 0..2usize;
    prop_oneof![
        6 => (side.clone(), prop_oneof![1..200usize, 1..200_000usize]).prop_map(|(from, bytes)| Step::Deliver { from, bytes }),
        5 => (side.clone(), 0..5usize).prop_map(|(side, which)| Step::Work { side, which }),
        3 => (side.clone(), 0..5usize).prop_map(|(side, which)| Step::Read { side, which }),
        3 => side.clone().prop_map(|side| Step::Persist { side }),
        3 => (side, any::<bool>(), 1..60usize, prop_oneof![3 => 0..300usize, 1 => 0..40_000usize])
            .prop_map(|(side, control, count, bytes)| Step::Append { side, control, count, bytes }),
        1 => Just(Step::Reconnect),
        1 => Just(Step::Wait),
    ]
}

fn run(world: &mut World, steps: &[Step]) {
    for step in steps {
        match *step {
            Step::Deliver { from, bytes } => {
                world.deliver(from, bytes);
            }
            Step::Work { side, which } => {
                world.work(side, which);
            }
            Step::Read { side, which } => {
                world.read(side, which);
            }
            Step::Persist { side } => {
                world.persist(side);
            }
            Step::Append { side, control, count, bytes } => {
                world.append(side, if control { Control } else { Data }, count, bytes);
            }
            Step::Reconnect => {
                world.disconnect();
                world.connect();
            }
            Step::Wait => {
                world.now += std::time::Duration::from_secs(1);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever the order, both end with the same, and the harness checks at every frame that the credit is kept.
    #[test]
    fn random_schedules_converge(steps in prop::collection::vec(step(), 1..120), small in any::<bool>()) {
        let window_bytes = if small { WINDOW_MIN } else { 8 << 20 };
        let mut world = World::new(Config { window_bytes, inline_bytes: 20_000, ..Config::default() });
        world.connect();
        run(&mut world, &steps);
        world.settle();
        world.assert_level();
    }

    /// Jobs complete in any order: what is stored in the end is the same.
    #[test]
    fn the_order_in_which_jobs_complete_changes_nothing(picks in prop::collection::vec(0..7usize, 1..60)) {
        let mut world = World::new(Config::default());
        for (side, purpose) in [(ALICE, Control), (ALICE, Data)] {
            world.append(side, purpose, 700, 90);
        }
        world.connect();
        let mut picks = picks.iter().cycle();
        loop {
            let mut moved = world.deliver(ALICE, usize::MAX) | world.deliver(BOB, usize::MAX);
            moved |= world.read(ALICE, *picks.next().unwrap());
            moved |= world.work(BOB, *picks.next().unwrap());
            if *picks.next().unwrap() < 3 || !moved {
                moved |= world.persist(BOB);
            }
            if !moved {
                break;
            }
        }
        world.assert_level();
    }

    #[test]
    fn random_streams_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        weft_replication::fuzz::frames(&bytes);
        weft_replication::fuzz::messages(&bytes);
    }
}
