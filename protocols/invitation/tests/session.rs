//! A newcomer and a host talk. Spec: INVITATION-3.

use bytes::Bytes;
use weft_credential::invitation_id;
use weft_crypto::{DeviceId, InvitationSecret, SpaceId};
use weft_invitation::{
    Config, Host, HostInput, HostOutput, Newcomer, NewcomerInput, NewcomerOutput, Part, Reason, Standing, Violation,
    judge,
};
use weft_machine::{Machine, Seed, Time, laws};
use weft_wire::frame;

use crate::newcomer::Newcomer as Person;

pub(crate) const SPACE: SpaceId = SpaceId::from_bytes([7; 32]);
const NOW: Time = Time::from_millis(5000);

pub(crate) fn link() -> InvitationSecret {
    InvitationSecret::from_seed([5; 32])
}

fn seed(byte: u8) -> Seed {
    Seed::from_bytes([byte; 32])
}

pub(crate) fn payload(framed: Bytes) -> Bytes {
    let mut decoder = frame::Decoder::new();
    decoder.push(framed);
    decoder.next().unwrap().unwrap()
}

fn part(byte: u8, bytes: usize) -> Part {
    let field = Bytes::from(vec![byte; 10]);
    Part { manifest: field.clone(), from: 3, head: field.clone(), headers: field, bodies: vec![byte; bytes].into() }
}

/// A host whose Room knows one invitation, and what it said.
struct Inn {
    device: DeviceId,
    host: Host,
    standing: Option<Standing>,
    asked: usize,
    sent: Vec<Bytes>,
    violated: Option<Violation>,
    closed: bool,
    approve: bool,
}

impl Inn {
    fn new(peer: DeviceId, standing: Option<Standing>) -> Self {
        let device = Person::new(1).device.id();
        let host = Host::new(Config::default(), device, peer, NOW, &seed(1));
        Self { device, host, standing, asked: 0, sent: Vec::new(), violated: None, closed: false, approve: false }
    }

    fn take(&mut self, payload: Bytes) {
        self.host.handle_input(NOW, HostInput::Received(payload));
        while let Some(output) = self.host.poll_output() {
            match output {
                HostOutput::Send(framed) => self.sent.push(payload_of(&framed)),
                HostOutput::Judge { invitation, redemption } => {
                    self.asked += 1;
                    let known = invitation == invitation_id(&SPACE, &link().id());
                    assert_eq!(redemption.verify(&SPACE), Ok(()), "what the Room gets is checked");
                    if self.approve {
                        self.host.handle_input(NOW, HostInput::Kept);
                        continue;
                    }
                    let verdict = judge(self.standing.filter(|_| known), 1000);
                    self.host.handle_input(NOW, HostInput::Judged(verdict));
                    if verdict.is_ok() {
                        self.host.handle_input(NOW, HostInput::Bundle(vec![part(1, 100), part(2, 2000)]));
                    }
                }
                HostOutput::Close => self.closed = true,
                HostOutput::Violated(violation) => self.violated = Some(violation),
            }
        }
    }
}

fn payload_of(framed: &Bytes) -> Bytes {
    payload(framed.clone())
}

fn newcomer(person: &Person, secret: InvitationSecret) -> Newcomer {
    let host = Person::new(1).device.id();
    let redemption = person.redemption(SPACE, &secret, host);
    Newcomer::new(Config::default(), person.device.id(), host, secret, redemption, NOW, &seed(2))
}

/// Carries frames until one is done; gives the newcomer's end and the host's frames' kinds and lengths.
fn meet(newcomer: &mut Newcomer, inn: &mut Inn) -> Option<NewcomerOutput> {
    let mut answered = 0;
    loop {
        while let Some(output) = newcomer.poll_output() {
            match output {
                NewcomerOutput::Send(framed) => inn.take(payload(framed)),
                end => return Some(end),
            }
        }
        let next = inn.sent.get(answered)?.clone();
        answered += 1;
        newcomer.handle_input(NOW, NewcomerInput::Received(next));
    }
}

const GOOD: Option<Standing> = Some(Standing { left: 1, expires_ms: 2000 });

/// Spec: INVITATION-3, INVITATION-4.1.
#[test]
fn who_holds_the_link_gets_the_bundle() {
    let bob = Person::new(2);
    let mut inn = Inn::new(bob.device.id(), GOOD);
    let end = meet(&mut newcomer(&bob, link()), &mut inn);
    assert_eq!(end, Some(NewcomerOutput::Bundle(vec![part(1, 100), part(2, 2000)])));
    assert!(inn.closed && inn.asked == 1 && inn.violated.is_none());
}

/// Spec: INVITATION-4.2.
#[test]
fn who_holds_the_link_is_told_why_not() {
    let bob = Person::new(2);
    let cases = [
        (None, Reason::NotValid),
        (Some(Standing { left: 0, expires_ms: 2000 }), Reason::UsedUp),
        (Some(Standing { left: 1, expires_ms: 1000 }), Reason::Expired),
    ];
    for (standing, reason) in cases {
        let mut inn = Inn::new(bob.device.id(), standing);
        assert_eq!(meet(&mut newcomer(&bob, link()), &mut inn), Some(NewcomerOutput::Refused(reason)));
        assert!(inn.closed);
    }
}

/// Spec: INVITATION-7. The stream does not stay open for a person.
#[test]
fn who_has_to_be_approved_is_told_to_wait() {
    let bob = Person::new(2);
    let mut inn = Inn::new(bob.device.id(), GOOD);
    inn.approve = true;
    assert_eq!(meet(&mut newcomer(&bob, link()), &mut inn), Some(NewcomerOutput::Waiting));
    assert!(inn.closed && inn.asked == 1 && inn.violated.is_none());
}

/// Spec: INVITATION-3. Only after the redemption is there anything to wait for.
#[test]
fn waiting_before_the_verdict_is_due_is_a_violation() {
    let bob = Person::new(2);
    let mut newcomer = newcomer(&bob, link());
    // Frame { waiting: {} }
    newcomer.handle_input(NOW, NewcomerInput::Received(Bytes::from_static(&[7 << 3 | 2, 0])));
    while let Some(output) = newcomer.poll_output() {
        match output {
            NewcomerOutput::Send(_) => {}
            end => assert!(matches!(end, NewcomerOutput::Violated(Violation::NotDue { found: "Waiting", .. }))),
        }
    }
}

/// Spec: INVITATION-3.2. A guesser learns nothing of which invitations there are.
#[test]
fn an_unknown_invitation_and_a_failed_proof_look_alike() {
    let mallory = Person::new(3);
    let says = |secret: InvitationSecret, claimed: InvitationSecret, standing| {
        let mut inn = Inn::new(mallory.device.id(), standing);
        let redemption = mallory.redemption(SPACE, &claimed, inn.device);
        let (me, host) = (mallory.device.id(), inn.device);
        let mut newcomer = Newcomer::new(Config::default(), me, host, secret, redemption, NOW, &seed(2));
        let end = meet(&mut newcomer, &mut inn);
        assert_eq!(end, Some(NewcomerOutput::Refused(Reason::NotValid)));
        inn.sent
    };
    let other = || InvitationSecret::from_seed([66; 32]);
    // A known invitation with a proof by another key; an unknown one with such a proof; an unknown one of her own making.
    let known = says(other(), link(), GOOD);
    let unknown = says(link(), other(), GOOD);
    let invented = says(other(), other(), GOOD);
    assert_eq!(known, unknown);
    assert_eq!(known, invented);
}

/// Spec: INVITATION-3.1. A proof is for one connection.
#[test]
fn a_recorded_proof_is_worth_nothing() {
    let (bob, mallory) = (Person::new(2), Person::new(3));
    let mut recorded = Vec::new();
    let mut inn = Inn::new(bob.device.id(), GOOD);
    let mut first = newcomer(&bob, link());
    let mut at = 0;
    while let Some(NewcomerOutput::Send(framed)) = first.poll_output() {
        recorded.push(payload(framed.clone()));
        inn.take(payload(framed));
        first.handle_input(NOW, NewcomerInput::Received(inn.sent[at].clone()));
        at += 1;
    }
    // Mallory sends what Bob sent, from her own device; and from Bob's, to a host with another nonce.
    let mut again = Inn::new(mallory.device.id(), GOOD);
    recorded.iter().for_each(|payload| again.take(payload.clone()));
    assert_eq!(again.asked, 0);
    let mut again = Inn::new(bob.device.id(), GOOD);
    again.host = Host::new(Config::default(), again.device, bob.device.id(), NOW, &seed(9));
    recorded.iter().for_each(|payload| again.take(payload.clone()));
    assert_eq!(again.asked, 0);
    assert!(again.closed);
}

#[test]
fn a_redemption_for_another_host_or_device_is_malformed() {
    let bob = Person::new(2);
    let host = Person::new(1).device.id();
    for (redemption, me) in [
        (bob.redemption(SPACE, &link(), DeviceId::from_bytes([9; 32])), bob.device.id()),
        (Person::new(3).redemption(SPACE, &link(), host), bob.device.id()),
    ] {
        let mut inn = Inn::new(me, GOOD);
        let mut newcomer = Newcomer::new(Config::default(), me, host, link(), redemption, NOW, &seed(2));
        let end = meet(&mut newcomer, &mut inn);
        assert_eq!(end, Some(NewcomerOutput::Refused(Reason::Malformed)));
        assert_eq!(inn.asked, 0);
    }
}

#[test]
fn a_part_that_fits_no_frame_is_not_sent() {
    let bob = Person::new(2);
    let mut inn = Inn::new(bob.device.id(), GOOD);
    let mut newcomer = newcomer(&bob, link());
    let Some(NewcomerOutput::Send(begin)) = newcomer.poll_output() else { panic!("a beginning") };
    inn.take(payload(begin));
    newcomer.handle_input(NOW, NewcomerInput::Received(inn.sent[0].clone()));
    let Some(NewcomerOutput::Send(redeem)) = newcomer.poll_output() else { panic!("a redemption") };
    inn.host.handle_input(NOW, HostInput::Received(payload(redeem)));
    assert!(matches!(inn.host.poll_output(), Some(HostOutput::Judge { .. })));
    inn.host.handle_input(NOW, HostInput::Judged(Ok(())));
    inn.host.handle_input(NOW, HostInput::Bundle(vec![part(1, 3 << 20)]));
    let Some(HostOutput::Send(refused)) = inn.host.poll_output() else { panic!("an answer") };
    newcomer.handle_input(NOW, NewcomerInput::Received(payload(refused)));
    assert_eq!(newcomer.poll_output(), Some(NewcomerOutput::Refused(Reason::Busy)));
}

#[test]
fn the_laws_of_machines_hold() {
    let bob = Person::new(2);
    let host = Person::new(1).device.id();
    let begin = newcomer(&bob, link()).poll_output();
    let Some(NewcomerOutput::Send(begin)) = begin else { panic!("a beginning") };
    let script: Vec<_> = [
        HostInput::Received(payload(begin)),
        HostInput::Judged(Ok(())),
        HostInput::Bundle(vec![]),
        HostInput::Received(Bytes::from_static(&[1, 2, 3])),
    ]
    .into_iter()
    .map(|input| (NOW, input))
    .collect();
    laws::all(|| Host::new(Config::default(), host, bob.device.id(), NOW, &seed(1)), &script);
    let script = vec![(NOW, NewcomerInput::Received(Bytes::from_static(&[0x12, 0])))];
    laws::all(|| newcomer(&bob, link()), &script);
    laws::all(|| newcomer(&bob, link()), &[]);
}
