//! What those who administer do to others and when: drawn before the world begins, so that what peers do cannot change it.
//!
//! Colluders are a story of their own: they are cut off from the founder together with some who know nothing, are removed
//! meanwhile, and go on as if they were not. Then all meet again.

use std::time::Duration;

use weft_credential::Role;
use weft_machine::Time;

use crate::{
    dice::Dice,
    faults::Fault,
    network::Host,
    scenario::{Part, Scenario},
};

/// What is done to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is removed.
    Remove,
    /// It gets another role.
    Role(Role),
}

/// Somebody does something to a member.
#[derive(Clone, Copy, Debug)]
pub struct Act {
    /// Who.
    pub by: Host,
    /// To whom.
    pub to: Host,
    /// What.
    pub deed: Deed,
}

/// What is to happen because of acts.
#[derive(Debug, Default)]
pub struct Drawn {
    /// The acts themselves.
    pub acts: Vec<(Time, Act)>,
    /// How the network falls apart around colluders.
    pub faults: Vec<(Time, Fault)>,
}

/// Draws the acts of a run.
pub fn draw(scenario: &Scenario, dice: &mut Dice) -> Drawn {
    let parts: Vec<Part> = scenario.hosts().map(|(_, part)| part).collect();
    let hosts = |wanted: fn(Part) -> bool| -> Vec<Host> {
        parts.iter().enumerate().filter(|(_, part)| wanted(**part)).map(|(host, _)| host).collect()
    };
    let mut administer = hosts(|part| part == Part::Admin);
    administer.insert(0, 0);
    // The founder stays: somebody has to be asked in the end who belongs to the space.
    let others: Vec<Host> = hosts(|part| part.is_member() && part != Part::Colluder).into_iter().skip(1).collect();
    let mut drawn = Drawn::default();
    let quarter = scenario.work_ms / 4;
    for (count, is_removal) in [(scenario.acts.removals, true), (scenario.acts.roles, false)] {
        for _ in 0..count {
            let (Some(by), Some(to)) = (dice.place(administer.len()), dice.place(others.len())) else { continue };
            let roles = [Role::Reader, Role::Writer, Role::Admin];
            let role = dice.place(roles.len()).map_or(Role::Reader, |place| roles[place]);
            let deed = if is_removal { Deed::Remove } else { Deed::Role(role) };
            let act = Act { by: administer[by], to: others[to], deed };
            drawn.acts.push((Time::ZERO + dice.millis([quarter, scenario.work_ms]), act));
        }
    }
    let colluders = hosts(|part| part == Part::Colluder);
    if !colluders.is_empty() {
        let apart = Time::ZERO + dice.millis([quarter, 2 * quarter]);
        let lasts = dice.millis(scenario.acts.collusion_ms);
        let mut halves: Vec<bool> = parts.iter().map(|_| dice.one_in(3)).collect();
        halves[0] = false;
        for host in &colluders {
            halves[*host] = true;
            let after = Duration::from_micros(dice.between([0, lasts.as_micros() as u64 / 2]));
            drawn.acts.push((apart + after, Act { by: 0, to: *host, deed: Deed::Remove }));
        }
        drawn.faults.extend([(apart, Fault::Divide(halves)), (apart + lasts, Fault::Join)]);
    }
    drawn
}
