//! Who comes back from an older copy of its disk, and when: drawn before the world begins.
//!
//! It is one story. Those who will fork are copied and cut off together with some others, and all write on. Then they die, come back
//! from their copies among those who have not heard of that, and write on once more, as an honest node would not. Then all meet.

use weft_machine::Time;

use crate::{
    dice::Dice,
    faults::Fault,
    network::Host,
    scenario::{Part, Scenario},
};

/// Draws the story of a run; nothing if nobody forks.
pub fn draw(scenario: &Scenario, dice: &mut Dice) -> Vec<(Time, Fault)> {
    let parts: Vec<Part> = scenario.hosts().map(|(_, part)| part).collect();
    // Not the founder: nobody was there before it to say which of its histories is kept.
    let mut may: Vec<Host> = (1..parts.len()).filter(|host| parts[*host].writes()).collect();
    let mut forking = Vec::new();
    for _ in 0..scenario.faults.forks {
        forking.extend(dice.place(may.len()).map(|place| may.swap_remove(place)));
    }
    if forking.is_empty() {
        return Vec::new();
    }
    let begin = Time::ZERO + dice.millis([scenario.work_ms / 4, scenario.work_ms / 2]);
    let [first, second] = [0, 1].map(|_| dice.millis(scenario.faults.fork_ms));
    let mut halves: Vec<bool> = parts.iter().map(|_| dice.one_in(2)).collect();
    // Somebody hears each history.
    let mut others = (0..parts.len()).filter(|host| parts[*host].is_member() && !forking.contains(host));
    for side in [true, false] {
        if let Some(other) = others.next_back() {
            halves[other] = side;
        }
    }
    let mut drawn: Vec<(Time, Fault)> = forking.iter().map(|host| (begin, Fault::Copy(*host))).collect();
    drawn.push((begin, Fault::Divide(halves.clone())));
    for host in forking {
        halves[host] = !halves[host];
        drawn.push((begin + first, Fault::PutBack(host)));
    }
    drawn.push((begin + first, Fault::Divide(halves)));
    drawn.push((begin + first + second, Fault::Join));
    drawn
}
