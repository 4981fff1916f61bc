//! What is dated back takes nothing: the stories of decision 0111, and how they end.

use std::collections::BTreeMap;

use weft_credential::Role;

use crate::{
    stories::dated_back,
    world::{ALICE, BOB, CAROL, DAVE, World},
};

/// The worlds of these stories, by name.
fn told() -> BTreeMap<String, World> {
    let mut told = BTreeMap::new();
    dated_back(&mut |name: &str, world| drop(told.insert(name.to_owned(), world)));
    told
}

/// Spec: SPACE-14.4
#[test]
fn a_reader_does_not_take_the_device_of_one_who_came_later() {
    let world = &told()["a reader claims the device of an admin who came later"];
    assert_eq!(world.role(CAROL), Some(Role::Admin));
    assert!(!world.counts(world.entries.len() - 1), "a device speaks for itself");
}

/// Spec: SPACE-6, SPACE-11.8
#[test]
fn a_junior_does_not_revoke_an_owners_link_by_issuing_it_too() {
    let world = &told()["an admin issues an owner's link once more and revokes it"];
    assert_eq!(world.role(BOB), Some(Role::Owner));
    assert!(!world.counts(world.entries.len() - 1));
}

/// Spec: SPACE-12.3
#[test]
fn a_stolen_device_does_not_seal_past_its_root_keys_cut() {
    let world = &told()["a seal by a device that its root key removed"];
    assert_eq!(world.role(CAROL), Some(Role::Admin), "Dave and Alice are two of four");
}

/// Spec: SPACE-12.3
#[test]
fn nobody_is_a_majority_alone() {
    let world = &told()["the founder has left, and its other device acts as of the beginning"];
    assert_eq!((world.role(ALICE), world.role(BOB)), (None, Some(Role::Owner)));
}

/// Spec: SPACE-2, SPACE-3.2
#[test]
fn of_two_roles_in_one_entry_the_later_part_has_it() {
    let world = &told()["one entry sets two roles"];
    assert_eq!((world.role(BOB), world.role(CAROL)), (Some(Role::Reader), Some(Role::Admin)));
}

/// Spec: SPACE-12.2
#[test]
fn who_has_left_does_not_act_by_a_role_that_was_set_at_once() {
    let world = &told()["who has left acts by a role that was set at once"];
    assert_eq!((world.role(BOB), world.role(CAROL)), (None, Some(Role::Writer)));
}

/// Spec: SPACE-14.1
#[test]
fn a_recovery_key_counts_where_the_member_was_heard_of() {
    let world = &told()["a recovery key by one who has not heard of the member"];
    assert_eq!(world.role(DAVE), Some(Role::Writer));
    assert!((world.entries.len() - 4..world.entries.len()).all(|at| !world.counts(at)));
}

/// Spec: SPACE-3.5
#[test]
fn parts_by_later_rules_take_nothing() {
    let world = &told()["parts by later rules"];
    assert_eq!(world.role(CAROL), Some(Role::Writer));
    assert_eq!(world.void_of(world.entries.len() - 1).len(), 2);
}
