//! The side that holds a device link.

use std::collections::VecDeque;

use bytes::Bytes;
use weft_crypto::DeviceId;
use weft_machine::{Machine, Seed, Time};
use weft_wire::{
    frame,
    invitation::{Begin, Challenge, DeviceFrame, Prove, device_frame::Kind},
};

use super::{DeviceLink, Welcome, name, proof::Statement};
use crate::{Config, Reason, Violation, host::nonce};

/// A fact.
#[derive(Clone, Debug)]
pub enum Input {
    /// A frame's payload arrived.
    Received(Bytes),
}

/// An order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// A frame to send, its length in front.
    Send(Bytes),
    /// The host refuses. The stream is over.
    Refused(Reason),
    /// This device acts for the link's identity from now on: everything in it is checked. The stream is over.
    Welcome(Box<Welcome>),
    /// The peer broke the rules: close the stream.
    Violated(Violation),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Challenge,
    Verdict,
    Over,
}

/// A device that is linked, on its stream to the host of the link. Its key is durable already. Spec: INVITATION-6.2
pub struct Newcomer {
    config: Config,
    me: DeviceId,
    link: DeviceLink,
    name: String,
    nonce: [u8; 32],
    state: State,
    deadline: Option<Time>,
    outputs: VecDeque<Output>,
}

impl Newcomer {
    /// A session with the host of the link, opened at `now`. `name` is what this device is called.
    pub fn new(config: Config, me: DeviceId, link: DeviceLink, name: String, now: Time, seed: &Seed) -> Self {
        let nonce = seed.fork("device newcomer").draws().draw32();
        let deadline = Some(now + config.step_max);
        let (state, outputs) = (State::Challenge, VecDeque::new());
        let mut newcomer = Self { config, me, link, name, nonce, state, deadline, outputs };
        newcomer.send(Kind::Begin(Begin { version: 1, nonce: Bytes::copy_from_slice(&nonce) }));
        newcomer
    }

    fn send(&mut self, kind: Kind) {
        self.outputs.push_back(Output::Send(frame::encode(&DeviceFrame { kind: Some(kind) })));
    }

    fn over(&mut self, output: Output) {
        self.state = State::Over;
        self.deadline = None;
        self.outputs.push_back(output);
    }

    fn due(&self) -> &'static str {
        match self.state {
            State::Challenge => "Challenge",
            State::Verdict => "Welcome or Refused",
            State::Over => "nothing",
        }
    }

    fn received(&mut self, now: Time, payload: &Bytes) -> Result<(), Violation> {
        let message: DeviceFrame = weft_wire::decode(payload)?;
        match (self.state, message.kind) {
            (State::Challenge, Some(Kind::Challenge(challenge))) => self.challenged(now, &challenge),
            (State::Challenge | State::Verdict, Some(Kind::Refused(refused))) => {
                let found = refused.reason;
                self.over(Output::Refused(Reason::from_number(found).ok_or(Violation::Reason { found })?));
                Ok(())
            }
            (State::Verdict, Some(Kind::Welcome(welcome))) => {
                let welcome = Welcome::try_from(welcome)?;
                welcome.check(&self.link.identity, &self.me)?;
                self.over(Output::Welcome(Box::new(welcome)));
                Ok(())
            }
            (_, kind) => Err(Violation::NotDue { found: name(kind.as_ref()), due: self.due() }),
        }
    }

    fn challenged(&mut self, now: Time, challenge: &Challenge) -> Result<(), Violation> {
        let host_nonce = nonce("Challenge.nonce", &challenge.nonce, &self.nonce)?;
        let statement = Statement {
            identity: self.link.identity,
            newcomer: self.me,
            host: self.link.host,
            newcomer_nonce: self.nonce,
            host_nonce,
        };
        let key = self.link.secret.id().to_bytes();
        let proof = statement.sign(&self.link.secret).to_bytes();
        self.state = State::Verdict;
        self.deadline = Some(now + self.config.verdict_max);
        let name = self.name.clone();
        self.send(Kind::Prove(Prove { key, proof, name }));
        Ok(())
    }
}

impl Machine for Newcomer {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, now: Time, input: Input) {
        let Input::Received(payload) = input;
        if self.state != State::Over
            && let Err(violation) = self.received(now, &payload)
        {
            self.over(Output::Violated(violation));
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
            self.over(Output::Violated(Violation::TooSlow { due: self.due() }));
        }
    }
}
