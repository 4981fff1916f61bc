//! The side that is asked, by a newcomer with a link or by a sibling.

use std::collections::VecDeque;

use bytes::Bytes;
use weft_credential::DeviceLinked;
use weft_crypto::{DeviceId, IdentityId, InvitationKeyId, Signature, SpaceId};
use weft_machine::{Machine, Seed, Time};
use weft_wire::{
    frame,
    invitation::{Accepted, Begin, Challenge, DeviceFrame, Enter, Prove, Refused, Sibling, Spaces, device_frame::Kind},
};

use super::{SPACES_MAX, Welcome, name, proof::Statement};
use crate::{Config, Part, Reason, Violation, host::nonce, part::PART_BYTES_MAX};

/// A fact.
#[derive(Clone, Debug)]
pub enum Input {
    /// A frame's payload arrived.
    Received(Bytes),
    /// The peer has judged the link; after `Ok` it is durable that this device used it.
    Linked(Result<Box<Welcome>, Reason>),
    /// The spaces that the sibling may hear of: all of them, at first and whenever they change.
    Told(Vec<SpaceId>),
    /// The sibling was removed, or is known to be: it hears that, and nothing more. The peer closes the stream when it likes.
    Removed,
    /// The Room has judged; after `Ok` it has made the one control entry durable, or found the device let in already.
    Judged(Result<(), Reason>),
    /// The control feeds of the space. Comes after `Judged(Ok)`.
    Bundle(Vec<Part>),
}

/// An order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// A frame to send, its length in front.
    Send(Bytes),
    /// The other side knows the key of a link, known here or not: answer with `Linked`.
    Link {
        /// The link's key.
        key: InvitationKeyId,
        /// What the device is called.
        name: String,
    },
    /// The other side says that it is a sibling: answer with `Told` if it is one, else close the stream.
    Sibling {
        /// What the device is called.
        name: String,
    },
    /// The sibling asks to be let into a space. What it says is checked: it comes from the sibling itself, for this identity, and names
    /// this device. Answer with `Judged`.
    Enter(Box<DeviceLinked>),
    /// Everything is said: close the stream when it is sent.
    Close,
    /// The peer broke the rules: close the stream.
    Violated(Violation),
}

#[derive(Clone, Copy)]
enum State {
    /// `Begin` or `Sibling` is due.
    First,
    /// `Prove` is due.
    Prove {
        newcomer_nonce: [u8; 32],
    },
    /// The peer judges the link.
    Linking,
    /// The peer judges whether it is a sibling.
    Greeted,
    /// A sibling that may ask.
    Open,
    Judging,
    Bundle,
    /// It was told that it is a sibling no more.
    Leaving,
    Over,
}

/// A device stream at the one that is asked. Spec: INVITATION-6
pub struct Host {
    config: Config,
    identity: IdentityId,
    me: DeviceId,
    peer: DeviceId,
    nonce: [u8; 32],
    state: State,
    deadline: Option<Time>,
    outputs: VecDeque<Output>,
}

impl Host {
    /// A stream from a device that the transport has authenticated, opened at `now`.
    pub fn new(config: Config, identity: IdentityId, me: DeviceId, peer: DeviceId, now: Time, seed: &Seed) -> Self {
        let nonce = seed.fork("device host").draws().draw32();
        let deadline = Some(now + config.step_max);
        let (state, outputs) = (State::First, VecDeque::new());
        Self { config, identity, me, peer, nonce, state, deadline, outputs }
    }

    fn send(&mut self, kind: Kind) {
        self.outputs.push_back(Output::Send(frame::encode(&DeviceFrame { kind: Some(kind) })));
    }

    fn order(&mut self, state: State, output: Output) {
        self.state = state;
        self.deadline = None;
        self.outputs.push_back(output);
    }

    fn refuse(&mut self, reason: Reason) {
        self.send(Kind::Refused(Refused { reason: reason.number() }));
    }

    fn due(&self) -> &'static str {
        match self.state {
            State::First => "Begin or Sibling",
            State::Prove { .. } => "Prove",
            State::Open => "Enter",
            State::Linking | State::Greeted | State::Judging | State::Bundle | State::Leaving | State::Over => {
                "nothing"
            }
        }
    }

    fn received(&mut self, now: Time, payload: &Bytes) -> Result<(), Violation> {
        let message: DeviceFrame = weft_wire::decode(payload)?;
        match (self.state, message.kind) {
            (State::First, Some(Kind::Begin(begin))) => self.begun(now, &begin),
            (State::Prove { newcomer_nonce }, Some(Kind::Prove(prove))) => self.proved(newcomer_nonce, prove),
            (State::First, Some(Kind::Sibling(Sibling { version, name }))) => {
                spoken(version)?;
                self.order(State::Greeted, Output::Sibling { name });
                Ok(())
            }
            (State::Open, Some(Kind::Enter(enter))) => {
                self.asked(&enter);
                Ok(())
            }
            (_, kind) => Err(Violation::NotDue { found: name(kind.as_ref()), due: self.due() }),
        }
    }

    fn begun(&mut self, now: Time, begin: &Begin) -> Result<(), Violation> {
        spoken(begin.version)?;
        let newcomer_nonce = nonce("Begin.nonce", &begin.nonce, &self.nonce)?;
        self.state = State::Prove { newcomer_nonce };
        self.deadline = Some(now + self.config.step_max);
        self.send(Kind::Challenge(Challenge { nonce: Bytes::copy_from_slice(&self.nonce) }));
        Ok(())
    }

    /// The proof is checked against the key that the newcomer itself names, known or not: a link that is not known and a proof that
    /// fails get the same answer after the same work. Spec: INVITATION-6.2
    fn proved(&mut self, newcomer_nonce: [u8; 32], prove: Prove) -> Result<(), Violation> {
        let length = |field, bytes: &Bytes| Violation::Length { field, found: bytes.len() };
        let key = InvitationKeyId::try_from(&prove.key).map_err(|_| length("Prove.key", &prove.key))?;
        let proof = Signature::try_from(prove.proof.as_ref()).map_err(|_| length("Prove.proof", &prove.proof))?;
        let (identity, newcomer, host) = (self.identity, self.peer, self.me);
        let statement = Statement { identity, newcomer, host, newcomer_nonce, host_nonce: self.nonce };
        if statement.verify(&key, &proof).is_err() {
            self.refuse(Reason::NotValid);
            self.order(State::Over, Output::Close);
            return Ok(());
        }
        self.order(State::Linking, Output::Link { key, name: prove.name });
        Ok(())
    }

    fn asked(&mut self, enter: &Enter) {
        let linked = DeviceLinked::decode(&enter.linked).ok().filter(|linked| {
            let named = linked.statement();
            let ours = (named.identity, named.device, named.host) == (self.identity, self.peer, self.me);
            ours && linked.verify(&named.space).is_ok()
        });
        match linked {
            Some(linked) => self.order(State::Judging, Output::Enter(Box::new(linked))),
            None => self.refuse(Reason::Malformed),
        }
    }

    fn bundle(&mut self, parts: Vec<Part>) {
        self.state = State::Open;
        if parts.iter().any(|part| part.bytes() > PART_BYTES_MAX) {
            return self.refuse(Reason::Busy);
        }
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let bytes = parts.iter().map(Part::bytes).sum();
        self.send(Kind::Accepted(Accepted { parts: count, bytes }));
        for part in parts {
            self.send(Kind::Part(part.into()));
        }
    }

    fn tell(&mut self, spaces: &[SpaceId]) {
        let spaces = spaces.iter().take(SPACES_MAX).map(SpaceId::to_bytes).collect();
        self.send(Kind::Spaces(Spaces { spaces }));
    }
}

impl Machine for Host {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, now: Time, input: Input) {
        match (input, self.state) {
            (_, State::Over) => {}
            // It may not have heard yet.
            (Input::Received(_), State::Leaving) => {}
            (Input::Received(payload), _) => {
                if let Err(violation) = self.received(now, &payload) {
                    self.order(State::Over, Output::Violated(violation));
                }
            }
            (Input::Linked(judged), State::Linking) => {
                match judged {
                    Ok(welcome) => self.send(Kind::Welcome((*welcome).into())),
                    Err(reason) => self.refuse(reason),
                }
                self.order(State::Over, Output::Close);
            }
            (Input::Told(spaces), State::Greeted) => {
                self.state = State::Open;
                self.tell(&spaces);
            }
            (Input::Told(spaces), State::Open | State::Judging | State::Bundle) => self.tell(&spaces),
            (Input::Removed, State::Greeted | State::Open | State::Judging | State::Bundle) => {
                self.refuse(Reason::Denied);
                self.state = State::Leaving;
            }
            (Input::Judged(Ok(())), State::Judging) => self.state = State::Bundle,
            (Input::Judged(Err(reason)), State::Judging) => {
                self.state = State::Open;
                self.refuse(reason);
            }
            (Input::Bundle(parts), State::Bundle) => self.bundle(parts),
            (Input::Linked(_) | Input::Told(_) | Input::Removed | Input::Judged(_) | Input::Bundle(_), _) => {}
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
            let violation = Violation::TooSlow { due: self.due() };
            self.order(State::Over, Output::Violated(violation));
        }
    }
}

fn spoken(version: u32) -> Result<(), Violation> {
    if version == 1 { Ok(()) } else { Err(Violation::Version { found: version }) }
}
