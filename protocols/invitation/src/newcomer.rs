//! The side that holds a link.

use std::collections::VecDeque;

use bytes::Bytes;
use weft_credential::Redemption;
use weft_crypto::{DeviceId, InvitationSecret};
use weft_machine::{Machine, Seed, Time};
use weft_wire::{
    frame,
    invitation::{Accepted, Begin, Challenge, Frame, Redeem, frame::Kind},
};

use crate::{
    Config, Part, Reason, Violation,
    host::{name, nonce},
    proof::Statement,
};

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
    /// The host keeps the redemption until a person has approved it: ask again later. The stream is over.
    Waiting,
    /// The control feeds of the space, from genesis to the entry with this redemption. Nothing in them is checked yet: that
    /// genesis gives the space id of the link, that every feed verifies, and that the redemption counts. The stream is over.
    Bundle(Vec<Part>),
    /// The peer broke the rules: close the stream.
    Violated(Violation),
}

enum State {
    /// `Challenge` is due.
    Challenge,
    /// `Refused`, `Waiting` or `Accepted` is due.
    Verdict,
    /// Parts are due.
    Parts {
        left: u32,
        bytes_left: u64,
        parts: Vec<Part>,
    },
    Over,
}

/// One invitation session at the newcomer. Spec: INVITATION-3.
pub struct Newcomer {
    config: Config,
    me: DeviceId,
    host: DeviceId,
    secret: InvitationSecret,
    redemption: Redemption,
    nonce: [u8; 32],
    state: State,
    deadline: Option<Time>,
    outputs: VecDeque<Output>,
}

impl Newcomer {
    /// A session with a host of the link, opened at `now`. The keys that the redemption names are durable already.
    pub fn new(
        config: Config,
        me: DeviceId,
        host: DeviceId,
        secret: InvitationSecret,
        redemption: Redemption,
        now: Time,
        seed: &Seed,
    ) -> Self {
        let nonce = seed.fork("invitation newcomer").draws().draw32();
        let deadline = Some(now + config.step_max);
        let mut newcomer = Self {
            config,
            me,
            host,
            secret,
            redemption,
            nonce,
            state: State::Challenge,
            deadline,
            outputs: VecDeque::new(),
        };
        newcomer.send(Kind::Begin(Begin { version: 1, nonce: Bytes::copy_from_slice(&nonce) }));
        newcomer
    }

    fn send(&mut self, kind: Kind) {
        self.outputs.push_back(Output::Send(frame::encode(&Frame { kind: Some(kind) })));
    }

    fn over(&mut self, output: Output) {
        self.state = State::Over;
        self.deadline = None;
        self.outputs.push_back(output);
    }

    fn due(&self) -> &'static str {
        match self.state {
            State::Challenge => "Challenge",
            State::Verdict => "Accepted, Waiting or Refused",
            State::Parts { .. } => "Part",
            State::Over => "nothing",
        }
    }

    fn received(&mut self, now: Time, payload: &Bytes) -> Result<(), Violation> {
        let message: Frame = weft_wire::decode(payload)?;
        match (&mut self.state, message.kind) {
            (State::Challenge, Some(Kind::Challenge(challenge))) => self.challenged(now, &challenge),
            (State::Challenge | State::Verdict, Some(Kind::Refused(refused))) => {
                let found = refused.reason;
                let reason = Reason::from_number(found).ok_or(Violation::Reason { found })?;
                self.over(Output::Refused(reason));
                Ok(())
            }
            (State::Verdict, Some(Kind::Waiting(_))) => {
                self.over(Output::Waiting);
                Ok(())
            }
            (State::Verdict, Some(Kind::Accepted(accepted))) => self.accepted(now, accepted),
            (State::Parts { .. }, Some(Kind::Part(part))) => self.part(now, part.into()),
            (_, kind) => Err(Violation::NotDue { found: name(kind.as_ref()), due: self.due() }),
        }
    }

    fn challenged(&mut self, now: Time, challenge: &Challenge) -> Result<(), Violation> {
        let host_nonce = nonce("Challenge.nonce", &challenge.nonce, &self.nonce)?;
        let statement = Statement { newcomer: self.me, host: self.host, newcomer_nonce: self.nonce, host_nonce };
        let proof = statement.sign(&self.redemption.statement().space, &self.secret);
        let redeem = Redeem { proof: proof.to_bytes(), redemption: self.redemption.encode() };
        self.state = State::Verdict;
        self.deadline = Some(now + self.config.verdict_max);
        self.send(Kind::Redeem(redeem));
        Ok(())
    }

    fn accepted(&mut self, now: Time, accepted: Accepted) -> Result<(), Violation> {
        let Accepted { parts, bytes } = accepted;
        let fits = (1..=self.config.parts_max).contains(&parts) && bytes <= self.config.bundle_bytes_max;
        if !fits {
            return Err(Violation::Bundle { parts, bytes });
        }
        // Nothing is allocated for what is only announced.
        self.state = State::Parts { left: parts, bytes_left: bytes, parts: Vec::new() };
        self.deadline = Some(now + self.config.step_max);
        Ok(())
    }

    fn part(&mut self, now: Time, part: Part) -> Result<(), Violation> {
        let State::Parts { left, bytes_left, parts } = &mut self.state else {
            return Ok(());
        };
        let beyond = Violation::Bundle { parts: *left, bytes: part.bytes() };
        *bytes_left = bytes_left.checked_sub(part.bytes()).ok_or(beyond)?;
        *left -= 1;
        parts.push(part);
        if *left > 0 {
            self.deadline = Some(now + self.config.step_max);
            return Ok(());
        }
        if *bytes_left > 0 {
            return Err(Violation::Bundle { parts: 0, bytes: *bytes_left });
        }
        let parts = std::mem::take(parts);
        self.over(Output::Bundle(parts));
        Ok(())
    }
}

impl Machine for Newcomer {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, now: Time, input: Input) {
        let Input::Received(payload) = input;
        if matches!(self.state, State::Over) {
            return;
        }
        if let Err(violation) = self.received(now, &payload) {
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
