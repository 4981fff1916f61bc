//! Links with several hosts, with approval, and taken back.

use std::time::Duration;

use weft_credential::Role;
use weft_crypto::{DeviceId, InvitationId, PreKeyId, SpaceId};
use weft_invitation::{Link, Reason, digits};
use weft_peer::{Answer, Command, Event, InvitationStatus, NewLink, Refusal, RefusalKind, Terms};

use crate::{
    net::Net,
    spaces::{create, invite, join, level},
};

const DAY_MS: u64 = 1_800_000_000_000 + 86_400_000;

fn terms(role: Role, uses: u32, approve: bool) -> Terms {
    Terms { role, uses, expires_ms: DAY_MS, approve }
}

/// A link by `at` that names these devices as well.
fn link(net: &mut Net, at: DeviceId, space: SpaceId, terms: Terms, others: &[DeviceId]) -> (Link, InvitationId) {
    let new = NewLink {
        space,
        terms,
        addresses: vec!["/memory/1".into()],
        places: others.iter().map(|device| (*device, vec!["/memory/2".into()])).collect(),
        space_name: "home".into(),
        inviter_name: "alice".into(),
    };
    match net.answer(at, Command::Invite(new)).unwrap() {
        Answer::Invited { link, invitation, hosts } => {
            let link = Link::parse(&link).unwrap();
            assert_eq!(link.hosts, hosts);
            (link, invitation)
        }
        other => panic!("{other:?}"),
    }
}

fn invitation(net: &mut Net, at: DeviceId, space: SpaceId, invitation: InvitationId) -> InvitationStatus {
    let Answer::Invitations(all) = net.answer(at, Command::Invitations { space }).unwrap() else { panic!() };
    all.into_iter().find(|known| known.invitation == invitation).unwrap()
}

fn redeem(net: &mut Net, at: DeviceId, link: &Link) -> Result<Answer, Refusal> {
    net.answer(at, Command::Join { link: link.clone() })
}

fn waits(net: &mut Net, at: DeviceId, link: &Link) -> String {
    match redeem(net, at, link).unwrap() {
        Answer::JoinWaits { digits, .. } => digits,
        other => panic!("{other:?}"),
    }
}

fn members(net: &mut Net, at: DeviceId, space: SpaceId) -> usize {
    let Answer::Members(members) = net.answer(at, Command::Members { space }).unwrap() else { panic!() };
    members.len()
}

/// Alice, the founder, and bob, an admin, are level.
fn alice_and_bob(net: &mut Net) -> (DeviceId, DeviceId, SpaceId) {
    let (alice, bob) = (net.add("alice"), net.add("bob"));
    let space = create(net, alice);
    let new = invite(net, alice, space, Role::Admin);
    join(net, bob, new);
    net.run();
    assert!(level(net, alice, space) && level(net, bob, space));
    (alice, bob, space)
}

/// Spec: INVITATION-2, INVITATION-9
#[test]
fn another_admin_lets_the_newcomer_in_while_the_issuer_is_off_line() {
    let mut net = Net::new();
    let (alice, bob, space) = alice_and_bob(&mut net);
    let carol = net.add("carol");
    let (link, id) = link(&mut net, alice, space, terms(Role::Writer, 1, false), &[bob]);
    assert_eq!(link.hosts, [alice, bob]);
    net.run();
    net.goes_off_line(alice);
    assert!(matches!(redeem(&mut net, carol, &link).unwrap(), Answer::Joined { role: Role::Writer, .. }));
    net.run();
    assert!(level(&mut net, carol, space));
    assert_eq!(invitation(&mut net, bob, space, id).left, 0);
}

/// Spec: INVITATION-2
#[test]
fn a_link_names_only_devices_that_may_grant_its_role() {
    let mut net = Net::new();
    let (alice, bob, space) = alice_and_bob(&mut net);
    let (owners, _) = link(&mut net, alice, space, terms(Role::Owner, 1, false), &[bob]);
    assert_eq!(owners.hosts, [alice], "an admin makes nobody an owner");
    let stranger = net.add("mallory");
    let (writers, _) = link(&mut net, alice, space, terms(Role::Writer, 1, false), &[stranger, bob, alice]);
    assert_eq!(writers.hosts, [alice, bob]);
}

/// Spec: INVITATION-9, SPACE-6.1. The first host has written and dies before it answers.
#[test]
fn two_redemptions_of_one_link_leave_one_member() {
    let mut net = Net::new();
    let (alice, bob, space) = alice_and_bob(&mut net);
    let carol = net.add("carol");
    let (link, id) = link(&mut net, alice, space, terms(Role::Writer, 1, false), &[bob]);
    net.run();
    net.disconnect(alice, bob);
    net.dying.insert(alice);
    assert!(matches!(redeem(&mut net, carol, &link).unwrap(), Answer::Joined { .. }));
    assert!(net.dying.is_empty(), "alice had let her in");
    // What carol writes on bob's word stands when both meet.
    crate::spaces::append(&mut net, carol, space, "by carol");
    net.comes_back(alice);
    net.connect(alice, bob);
    net.connect(alice, carol);
    net.run();
    net.advance(Duration::from_secs(5));
    for at in [alice, bob, carol] {
        assert!(level(&mut net, at, space));
        assert_eq!(members(&mut net, at, space), 3);
        let state = invitation(&mut net, at, space, id);
        assert_eq!((state.left, state.redeemed.len(), state.revoked), (0, 1, false));
    }
    let other = net.add("dave");
    assert_eq!(redeem(&mut net, other, &link).unwrap_err().code, "used_invitation");
}

/// Spec: INVITATION-4. Host and newcomer lose each other; the same host answers again, and so does another that has heard.
#[test]
fn who_did_not_hear_the_answer_asks_again_anywhere() {
    let mut net = Net::new();
    let (alice, bob, space) = alice_and_bob(&mut net);
    let carol = net.add("carol");
    let (alone, id) = link(&mut net, alice, space, terms(Role::Writer, 1, false), &[]);
    net.run();
    net.dying.insert(alice);
    let refusal = redeem(&mut net, carol, &alone).unwrap_err();
    assert_eq!((refusal.code, refusal.kind), ("host_unreachable", RefusalKind::TimedOut));
    net.restart(carol);
    net.comes_back(alice);
    net.connect(alice, bob);
    net.run();
    // Bob has heard of it and writes nothing more.
    let through_bob = Link { hosts: vec![alice, bob], ..alone };
    net.goes_off_line(alice);
    assert!(matches!(redeem(&mut net, carol, &through_bob).unwrap(), Answer::Joined { .. }));
    assert_eq!(members(&mut net, bob, space), 3);
    assert_eq!(invitation(&mut net, bob, space, id).redeemed.len(), 1);
}

/// Spec: INVITATION-9
#[test]
fn a_host_that_keeps_silent_holds_nobody_up_for_ever() {
    let mut net = Net::new();
    let (alice, bob, space) = alice_and_bob(&mut net);
    let carol = net.add("carol");
    let (link, _) = link(&mut net, alice, space, terms(Role::Writer, 1, false), &[bob]);
    net.run();
    net.silent.insert(alice);
    let before = net.now;
    assert!(matches!(redeem(&mut net, carol, &link).unwrap(), Answer::Joined { .. }));
    assert!(net.now.saturating_since(before) < Duration::from_secs(20));
}

/// Spec: SPACE-6.1. Both hosts let somebody in while they do not hear each other.
#[test]
fn of_two_newcomers_that_race_for_one_use_one_is_in() {
    let mut net = Net::new();
    let (alice, bob, space) = alice_and_bob(&mut net);
    let (carol, dave) = (net.add("carol"), net.add("dave"));
    let (link, _) = link(&mut net, alice, space, terms(Role::Writer, 1, false), &[bob]);
    net.run();
    net.disconnect(alice, bob);
    let only = |host| Link { hosts: vec![alice, host], ..link.clone() };
    assert!(matches!(redeem(&mut net, carol, &only(alice)).unwrap(), Answer::Joined { .. }));
    net.goes_off_line(alice);
    assert!(matches!(redeem(&mut net, dave, &only(bob)).unwrap(), Answer::Joined { .. }));
    net.comes_back(alice);
    net.connect(alice, bob);
    net.run();
    net.advance(Duration::from_secs(5));
    assert_eq!((members(&mut net, alice, space), members(&mut net, bob, space)), (3, 3));
}

/// Spec: INVITATION-7, INVITATION-7.1
#[test]
fn a_person_approves_a_newcomer_across_restarts_of_both() {
    let mut net = Net::new();
    let (alice, _, space) = alice_and_bob(&mut net);
    let carol = net.add("carol");
    let (link, id) = link(&mut net, alice, space, terms(Role::Writer, 3, true), &[]);
    let digits_at_carol = waits(&mut net, carol, &link);
    assert!(net.node(alice).events.iter().any(|event| matches!(event, Event::NewcomerWaits { .. })));
    net.restart(alice);
    net.restart(carol);
    let state = invitation(&mut net, alice, space, id);
    let [newcomer] = &state.waiting[..] else { panic!("{state:?}") };
    assert_eq!((newcomer.device, &newcomer.digits), (carol, &digits_at_carol));
    assert_eq!(newcomer.digits, digits(&newcomer.identity));
    assert_eq!(waits(&mut net, carol, &link), digits_at_carol, "asking again changes nothing");
    assert_eq!(invitation(&mut net, alice, space, id).waiting.len(), 1);

    let approve = Command::ApproveNewcomer { space, invitation: id, newcomer: carol };
    assert!(matches!(net.answer(alice, approve).unwrap(), Answer::NewcomerApproved));
    assert!(invitation(&mut net, alice, space, id).waiting.is_empty());
    net.restart(alice);
    assert!(matches!(redeem(&mut net, carol, &link).unwrap(), Answer::Joined { .. }));
    let state = invitation(&mut net, alice, space, id);
    assert_eq!((state.left, state.waiting.len()), (2, 0));
}

/// Spec: INVITATION-7.1
#[test]
fn who_is_denied_is_told_and_stays_out() {
    let mut net = Net::new();
    let (alice, _, space) = alice_and_bob(&mut net);
    let mallory = net.add("mallory");
    let (link, id) = link(&mut net, alice, space, terms(Role::Writer, 3, true), &[]);
    waits(&mut net, mallory, &link);
    let deny = Command::DenyNewcomer { space, invitation: id, newcomer: mallory };
    assert!(matches!(net.answer(alice, deny).unwrap(), Answer::NewcomerDenied));
    for _ in 0..2 {
        assert_eq!(redeem(&mut net, mallory, &link).unwrap_err().code, "denied");
        net.restart(alice);
    }
    let approve = Command::ApproveNewcomer { space, invitation: id, newcomer: mallory };
    assert_eq!(net.answer(alice, approve).unwrap_err().code, "unknown_newcomer");
    assert_eq!(members(&mut net, alice, space), 2);
}

/// Spec: INVITATION-7. Any host of the link may be the one whose person says yes.
#[test]
fn who_waits_at_two_hosts_is_let_in_by_either() {
    let mut net = Net::new();
    let (alice, bob, space) = alice_and_bob(&mut net);
    let carol = net.add("carol");
    let (link, id) = link(&mut net, alice, space, terms(Role::Reader, 1, true), &[bob]);
    net.run();
    waits(&mut net, carol, &link);
    net.disconnect(alice, bob);
    for at in [alice, bob] {
        assert_eq!(invitation(&mut net, at, space, id).waiting.len(), 1);
        let approve = Command::ApproveNewcomer { space, invitation: id, newcomer: carol };
        net.answer(at, approve).unwrap();
    }
    assert!(matches!(redeem(&mut net, carol, &link).unwrap(), Answer::Joined { .. }));
    net.connect(alice, bob);
    net.advance(Duration::from_secs(5));
    for at in [alice, bob] {
        assert_eq!((members(&mut net, at, space), invitation(&mut net, at, space, id).left), (3, 0));
    }
}

/// Spec: INVITATION-7
#[test]
fn a_flood_of_newcomers_is_bounded() {
    const NAMES: [&str; 18] =
        ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"];
    let mut net = Net::new();
    let (alice, _, space) = alice_and_bob(&mut net);
    let (leaked, id) = link(&mut net, alice, space, terms(Role::Writer, 100, true), &[]);
    let mut turned_away = 0;
    for name in NAMES {
        let device = net.add(name);
        match redeem(&mut net, device, &leaked) {
            Ok(Answer::JoinWaits { .. }) => {}
            Err(refusal) => {
                assert_eq!(refusal.code, "host_unreachable", "busy until the time is up");
                turned_away += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((invitation(&mut net, alice, space, id).waiting.len(), turned_away), (16, 2));
    // Another link has places.
    let (other, _) = link(&mut net, alice, space, terms(Role::Writer, 1, true), &[]);
    let carol = net.add("carol");
    waits(&mut net, carol, &other);
}

/// Spec: INVITATION-8
#[test]
fn a_revoked_link_is_not_valid_and_who_is_in_stays() {
    let mut net = Net::new();
    let (alice, bob, space) = alice_and_bob(&mut net);
    let (carol, dave) = (net.add("carol"), net.add("dave"));
    let (link, id) = link(&mut net, alice, space, terms(Role::Writer, 9, false), &[bob]);
    net.run();
    redeem(&mut net, carol, &link).unwrap();
    net.run();
    // An admin does not revoke what the founder issued.
    let revoke = || Command::RevokeInvitation { space, invitation: id };
    assert_eq!(net.answer(bob, revoke()).unwrap_err().code, "wrong_role");
    assert!(matches!(net.answer(alice, revoke()).unwrap(), Answer::InvitationRevoked { standing: 1 }));
    net.run();
    net.advance(Duration::from_secs(5));
    let refusal = redeem(&mut net, dave, &link).unwrap_err();
    assert_eq!((refusal.code, refusal.kind), ("unknown_invitation", RefusalKind::Refused));
    assert!(invitation(&mut net, bob, space, id).revoked);
    assert_eq!(members(&mut net, alice, space), 3);
    let unknown = Command::RevokeInvitation { space, invitation: InvitationId::from_bytes([7; 32]) };
    assert_eq!(net.answer(alice, unknown).unwrap_err().code, "unknown_invitation");
}

/// Spec: SPACE-5.1, INVITATION-4. Nothing could be sealed to it: its redemption would be void.
#[test]
fn who_comes_with_a_key_of_small_order_is_turned_away_and_nothing_is_written() {
    let mut net = Net::new();
    net.recoveries.insert("mallory", PreKeyId::from_bytes([0; 32]));
    let (alice, bob, space) = alice_and_bob(&mut net);
    let (mallory, carol) = (net.add("mallory"), net.add("carol"));
    let (link, id) = link(&mut net, alice, space, terms(Role::Writer, 1, false), &[bob]);
    net.run();
    let written = |net: &mut Net, at: DeviceId| net.node(at).store.feeds().map(|(_, run)| run.end()).sum::<u64>();
    let before = [alice, bob].map(|at| written(&mut net, at));
    let refusal = redeem(&mut net, mallory, &link).unwrap_err();
    assert_eq!((refusal.code, refusal.kind), ("refused_by_host", RefusalKind::Refused));
    assert_eq!(refusal.message, Reason::Malformed.to_string());
    net.run();
    assert_eq!([alice, bob].map(|at| written(&mut net, at)), before, "a host wrote something");
    assert_eq!(invitation(&mut net, alice, space, id).left, 1);
    assert!(matches!(redeem(&mut net, carol, &link).unwrap(), Answer::Joined { .. }));
}

/// Spec: INVITATION-4.1. Somebody else may issue an invitation under the public key of another, with another role.
#[test]
fn an_invitation_of_another_device_than_the_link_names_is_refused() {
    let mut net = Net::new();
    let (alice, bob, space) = alice_and_bob(&mut net);
    let carol = net.add("carol");
    let (link, _) = link(&mut net, alice, space, terms(Role::Writer, 1, false), &[bob]);
    net.run();
    let forged = Link { hosts: vec![bob, alice], ..link.clone() };
    assert_eq!(redeem(&mut net, carol, &forged).unwrap_err().code, "bad_host");
    assert!(matches!(redeem(&mut net, carol, &link).unwrap(), Answer::Joined { .. }));
    assert_eq!(members(&mut net, alice, space), 3);
}
