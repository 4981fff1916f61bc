//! Each breach, named. Spec: INVITATION-3, INVITATION-5.

use bytes::Bytes;
use weft_invitation::{Config, Host, HostInput, HostOutput, Newcomer, NewcomerInput, NewcomerOutput, Violation};
use weft_machine::{Machine, Seed, Time};
use weft_wire::{
    frame,
    invitation::{Accepted, Begin, Challenge, Frame, Part, Redeem, Refused, frame::Kind},
};

use crate::{
    newcomer::Newcomer as Person,
    session::{SPACE, link, payload},
};

fn bytes(kind: Kind) -> Bytes {
    payload(frame::encode(&Frame { kind: Some(kind) }))
}

fn nonce(byte: u8, length: usize) -> Bytes {
    vec![byte; length].into()
}

fn begin() -> Kind {
    Kind::Begin(Begin { version: 1, nonce: nonce(4, 32) })
}

fn host() -> Host {
    let seed = Seed::from_bytes([1; 32]);
    Host::new(Config::default(), Person::new(1).device.id(), Person::new(2).device.id(), Time::ZERO, &seed)
}

fn hosts_violation(frames: Vec<Kind>) -> Option<Violation> {
    let mut host = host();
    frames.into_iter().for_each(|kind| host.handle_input(Time::ZERO, HostInput::Received(bytes(kind))));
    match std::iter::from_fn(|| host.poll_output()).last() {
        Some(HostOutput::Violated(violation)) => Some(violation),
        _ => None,
    }
}

#[test]
fn a_host_names_each_breach() {
    let version = Kind::Begin(Begin { version: 2, nonce: nonce(4, 32) });
    assert_eq!(hosts_violation(vec![version]), Some(Violation::Version { found: 2 }));
    let short = Kind::Begin(Begin { version: 1, nonce: nonce(4, 5) });
    assert_eq!(hosts_violation(vec![short]), Some(Violation::Length { field: "Begin.nonce", found: 5 }));
    let twice = Violation::NotDue { found: "Begin", due: "Redeem" };
    assert_eq!(hosts_violation(vec![begin(), begin()]), Some(twice));
    let early = Kind::Redeem(Redeem { proof: nonce(1, 64), redemption: Bytes::new() });
    let violation = Violation::NotDue { found: "Redeem", due: "Begin" };
    assert_eq!(hosts_violation(vec![early]), Some(violation));
    let proof = Kind::Redeem(Redeem { proof: nonce(1, 63), redemption: Bytes::new() });
    let violation = Violation::Length { field: "Redeem.proof", found: 63 };
    assert_eq!(hosts_violation(vec![begin(), proof]), Some(violation));

    let mut host = host();
    host.handle_input(Time::ZERO, HostInput::Received(bytes(begin())));
    let Some(HostOutput::Send(challenge)) = host.poll_output() else { panic!("a challenge") };
    let challenge: Frame = weft_wire::decode(&payload(challenge)).unwrap();
    let Some(Kind::Challenge(challenge)) = challenge.kind else { panic!("a challenge") };
    let reflected = Kind::Begin(Begin { version: 1, nonce: challenge.nonce });
    assert_eq!(hosts_violation(vec![reflected]), Some(Violation::Reflected));

    let mut host = self::host();
    host.handle_input(Time::ZERO, HostInput::Received(Bytes::from_static(&[0xff])));
    assert!(matches!(host.poll_output(), Some(HostOutput::Violated(Violation::Decode(_)))));
}

#[test]
fn a_host_waits_only_so_long() {
    let mut host = host();
    let due = host.deadline().unwrap();
    host.wake(due);
    assert_eq!(host.poll_output(), Some(HostOutput::Violated(Violation::TooSlow { due: "Begin" })));
    assert_eq!(host.deadline(), None);
}

fn newcomer() -> Newcomer {
    let (bob, alice) = (Person::new(2), Person::new(1).device.id());
    let redemption = bob.redemption(SPACE, &link(), alice);
    let config = Config { bundle_bytes_max: 1000, parts_max: 3, ..Config::default() };
    let mut newcomer =
        Newcomer::new(config, bob.device.id(), alice, link(), redemption, Time::ZERO, &Seed::from_bytes([2; 32]));
    assert!(matches!(newcomer.poll_output(), Some(NewcomerOutput::Send(_))));
    newcomer
}

fn newcomers_end(frames: Vec<Kind>) -> Option<NewcomerOutput> {
    let mut newcomer = newcomer();
    frames.into_iter().for_each(|kind| newcomer.handle_input(Time::ZERO, NewcomerInput::Received(bytes(kind))));
    std::iter::from_fn(|| newcomer.poll_output()).last()
}

fn breach(frames: Vec<Kind>) -> Violation {
    match newcomers_end(frames) {
        Some(NewcomerOutput::Violated(violation)) => violation,
        other => panic!("{other:?}"),
    }
}

fn part(bytes: usize) -> Kind {
    Kind::Part(Part { bodies: vec![1; bytes].into(), ..Part::default() })
}

/// Spec: INVITATION-5.
#[test]
fn a_newcomer_names_each_breach() {
    let challenge = || Kind::Challenge(Challenge { nonce: nonce(4, 32) });
    let accepted = |parts, bytes| Kind::Accepted(Accepted { parts, bytes });
    assert_eq!(breach(vec![begin()]), Violation::NotDue { found: "Begin", due: "Challenge" });
    let early = Violation::NotDue { found: "Accepted", due: "Challenge" };
    assert_eq!(breach(vec![accepted(1, 1)]), early);
    let reason = vec![Kind::Refused(Refused { reason: 99 })];
    assert_eq!(breach(reason), Violation::Reason { found: 99 });
    for (parts, bytes) in [(0, 0), (4, 10), (1, 1001), (u32::MAX, u64::MAX)] {
        let found = breach(vec![challenge(), accepted(parts, bytes)]);
        assert_eq!(found, Violation::Bundle { parts, bytes });
    }
    let larger = vec![challenge(), accepted(2, 100), part(101)];
    assert_eq!(breach(larger), Violation::Bundle { parts: 2, bytes: 101 });
    let smaller = vec![challenge(), accepted(1, 100), part(99)];
    assert_eq!(breach(smaller), Violation::Bundle { parts: 0, bytes: 1 });
    let exact = newcomers_end(vec![challenge(), accepted(2, 100), part(60), part(40)]);
    assert!(matches!(exact, Some(NewcomerOutput::Bundle(parts)) if parts.len() == 2));
}

#[test]
fn a_newcomer_waits_only_so_long() {
    let mut newcomer = newcomer();
    let due = newcomer.deadline().unwrap();
    newcomer.wake(due);
    let violation = Violation::TooSlow { due: "Challenge" };
    assert_eq!(newcomer.poll_output(), Some(NewcomerOutput::Violated(violation)));
}
