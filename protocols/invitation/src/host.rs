//! The side that was asked to let somebody in.

use std::collections::VecDeque;

use bytes::Bytes;
use weft_credential::{Redemption, invitation_id};
use weft_crypto::{DeviceId, InvitationId, Signature};
use weft_machine::{Machine, Seed, Time};
use weft_wire::{
    frame,
    invitation::{Accepted, Begin, Challenge, Frame, Redeem, Refused, Waiting, frame::Kind},
};

use crate::{Config, Part, Reason, Violation, part::PART_BYTES_MAX, proof::Statement};

/// A fact.
#[derive(Clone, Debug)]
pub enum Input {
    /// A frame's payload arrived.
    Received(Bytes),
    /// The Room has judged; after `Ok` it has made the one control entry durable, or found that this very redemption
    /// stands already.
    Judged(Result<(), Reason>),
    /// The Room keeps the redemption, durably, until a person has approved it.
    Kept,
    /// The control feeds from genesis to that entry. Comes after `Judged(Ok)`. A part over [`crate::PART_BYTES_MAX`] cannot
    /// be sent: then the newcomer hears that the host is busy.
    Bundle(Vec<Part>),
}

/// An order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// A frame to send, its length in front.
    Send(Bytes),
    /// The Room shall judge this redemption: look the invitation up, ask [`crate::judge`], write it down. The proof holds,
    /// every signature inside the redemption is checked, it names this host and comes from the device it names.
    Judge {
        /// The invitation.
        invitation: InvitationId,
        /// What to write down.
        redemption: Box<Redemption>,
    },
    /// Everything is said: close the stream when it is sent.
    Close,
    /// The peer broke the rules: close the stream.
    Violated(Violation),
}

enum State {
    /// `Begin` is due.
    Begin,
    /// `Redeem` is due.
    Redeem {
        newcomer_nonce: [u8; 32],
    },
    /// The Room judges.
    Judging,
    /// The bundle is due.
    Bundle,
    Over,
}

/// One invitation session at its host. Spec: INVITATION-3.
pub struct Host {
    config: Config,
    me: DeviceId,
    peer: DeviceId,
    nonce: [u8; 32],
    state: State,
    deadline: Option<Time>,
    outputs: VecDeque<Output>,
}

impl Host {
    /// A session with a device that the transport has authenticated, opened at `now`.
    pub fn new(config: Config, me: DeviceId, peer: DeviceId, now: Time, seed: &Seed) -> Self {
        let nonce = seed.fork("invitation host").draws().draw32();
        let deadline = Some(now + config.step_max);
        Self { config, me, peer, nonce, state: State::Begin, deadline, outputs: VecDeque::new() }
    }

    fn send(&mut self, kind: Kind) {
        self.outputs.push_back(Output::Send(frame::encode(&Frame { kind: Some(kind) })));
    }

    fn close(&mut self) {
        self.state = State::Over;
        self.deadline = None;
        self.outputs.push_back(Output::Close);
    }

    fn refuse(&mut self, reason: Reason) {
        self.send(Kind::Refused(Refused { reason: reason.number() }));
        self.close();
    }

    fn received(&mut self, now: Time, payload: &Bytes) -> Result<(), Violation> {
        let message: Frame = weft_wire::decode(payload)?;
        match (&self.state, message.kind) {
            (State::Begin, Some(Kind::Begin(begin))) => self.begun(now, &begin),
            (State::Redeem { newcomer_nonce }, Some(Kind::Redeem(redeem))) => {
                let newcomer_nonce = *newcomer_nonce;
                self.redeemed(newcomer_nonce, &redeem)
            }
            (_, kind) => Err(Violation::NotDue { found: name(kind.as_ref()), due: self.due() }),
        }
    }

    fn due(&self) -> &'static str {
        match self.state {
            State::Begin => "Begin",
            State::Redeem { .. } => "Redeem",
            State::Judging | State::Bundle | State::Over => "nothing",
        }
    }

    fn begun(&mut self, now: Time, begin: &Begin) -> Result<(), Violation> {
        if begin.version != 1 {
            return Err(Violation::Version { found: begin.version });
        }
        let newcomer_nonce = nonce("Begin.nonce", &begin.nonce, &self.nonce)?;
        self.state = State::Redeem { newcomer_nonce };
        self.deadline = Some(now + self.config.step_max);
        self.send(Kind::Challenge(Challenge { nonce: Bytes::copy_from_slice(&self.nonce) }));
        Ok(())
    }

    /// An invitation that is not known here and a proof that fails get the same answer after the same work: the proof is
    /// checked against the key that the redemption itself names, known or not. Spec: INVITATION-3.2.
    fn redeemed(&mut self, newcomer_nonce: [u8; 32], redeem: &Redeem) -> Result<(), Violation> {
        let proof = Signature::try_from(redeem.proof.as_ref())
            .map_err(|_| Violation::Length { field: "Redeem.proof", found: redeem.proof.len() })?;
        let Ok(redemption) = Redemption::decode(&redeem.redemption) else {
            self.refuse(Reason::Malformed);
            return Ok(());
        };
        let named = redemption.statement();
        let (space, key) = (named.space, named.invitation);
        let statement = Statement { newcomer: self.peer, host: self.me, newcomer_nonce, host_nonce: self.nonce };
        if statement.verify(&space, &key, &proof).is_err() {
            self.refuse(Reason::NotValid);
            return Ok(());
        }
        let fits = named.device == self.peer && named.host == self.me && redemption.verify(&space).is_ok();
        if !fits {
            self.refuse(Reason::Malformed);
            return Ok(());
        }
        self.state = State::Judging;
        self.deadline = None;
        let invitation = invitation_id(&space, &key);
        self.outputs.push_back(Output::Judge { invitation, redemption: Box::new(redemption) });
        Ok(())
    }

    fn bundle(&mut self, parts: Vec<Part>) {
        if parts.iter().any(|part| part.bytes() > PART_BYTES_MAX) {
            return self.refuse(Reason::Busy);
        }
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let bytes = parts.iter().map(Part::bytes).sum();
        self.send(Kind::Accepted(Accepted { parts: count, bytes }));
        for part in parts {
            self.send(Kind::Part(part.into()));
        }
        self.close();
    }

    fn violated(&mut self, violation: Violation) {
        self.state = State::Over;
        self.deadline = None;
        self.outputs.push_back(Output::Violated(violation));
    }
}

impl Machine for Host {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, now: Time, input: Input) {
        match (input, &self.state) {
            (_, State::Over) => {}
            (Input::Received(payload), _) => {
                if let Err(violation) = self.received(now, &payload) {
                    self.violated(violation);
                }
            }
            (Input::Judged(Ok(())), State::Judging) => self.state = State::Bundle,
            (Input::Judged(Err(reason)), State::Judging) => self.refuse(reason),
            (Input::Kept, State::Judging) => {
                self.send(Kind::Waiting(Waiting {}));
                self.close();
            }
            (Input::Bundle(parts), State::Bundle) => self.bundle(parts),
            (Input::Judged(_) | Input::Kept | Input::Bundle(_), _) => {}
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    fn wake(&mut self, now: Time) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.violated(Violation::TooSlow { due: self.due() });
        }
    }
}

/// A nonce of the other side.
pub(crate) fn nonce(field: &'static str, bytes: &[u8], mine: &[u8; 32]) -> Result<[u8; 32], Violation> {
    let nonce: [u8; 32] = bytes.try_into().map_err(|_| Violation::Length { field, found: bytes.len() })?;
    if nonce == *mine {
        return Err(Violation::Reflected);
    }
    Ok(nonce)
}

pub(crate) fn name(kind: Option<&Kind>) -> &'static str {
    match kind {
        Some(Kind::Begin(_)) => "Begin",
        Some(Kind::Challenge(_)) => "Challenge",
        Some(Kind::Redeem(_)) => "Redeem",
        Some(Kind::Refused(_)) => "Refused",
        Some(Kind::Accepted(_)) => "Accepted",
        Some(Kind::Part(_)) => "Part",
        Some(Kind::Waiting(_)) => "Waiting",
        None => "a frame of no known kind",
    }
}
