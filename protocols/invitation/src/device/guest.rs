//! A sibling that asks to be let into spaces.

use std::collections::VecDeque;

use bytes::Bytes;
use weft_credential::DeviceLinked;
use weft_crypto::SpaceId;
use weft_machine::{Machine, Time};
use weft_wire::{
    frame,
    invitation::{Accepted, DeviceFrame, Enter, Refused, Sibling, Spaces, device_frame::Kind},
};

use super::{SPACES_MAX, name};
use crate::{Config, Part, Reason, Violation};

/// The reason of a host that does not take this device for a sibling any more.
const REMOVED: u32 = Reason::Denied.number();

/// A fact.
#[derive(Clone, Debug)]
pub enum Input {
    /// A frame's payload arrived.
    Received(Bytes),
    /// Ask to be let into a space that was told of. The keys that it names are durable already. One at a time.
    Enter(Box<DeviceLinked>),
}

/// An order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// A frame to send, its length in front.
    Send(Bytes),
    /// The spaces that the sibling holds for the identity: all of them, also those told before.
    Told(Vec<SpaceId>),
    /// It does not let this device into the space that was asked for.
    Refused(Reason),
    /// It says that this device was removed from the identity. The stream is over.
    Removed,
    /// The control feeds of the space that was asked for. Nothing in them is checked yet.
    Bundle(Vec<Part>),
    /// The peer broke the rules: close the stream.
    Violated(Violation),
}

enum State {
    Open,
    /// `Refused` or `Accepted` is due.
    Verdict,
    Parts {
        left: u32,
        bytes_left: u64,
        parts: Vec<Part>,
    },
    Over,
}

/// A device stream at the sibling that asks. Spec: INVITATION-6.3
pub struct Guest {
    config: Config,
    state: State,
    deadline: Option<Time>,
    outputs: VecDeque<Output>,
}

impl Guest {
    /// A stream to a device that this one takes for a sibling. `name` is what this device is called.
    pub fn new(config: Config, name: String) -> Self {
        let mut guest = Self { config, state: State::Open, deadline: None, outputs: VecDeque::new() };
        guest.send(Kind::Sibling(Sibling { version: 1, name }));
        guest
    }

    /// Whether it can ask for another space now.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    fn send(&mut self, kind: Kind) {
        self.outputs.push_back(Output::Send(frame::encode(&DeviceFrame { kind: Some(kind) })));
    }

    fn violated(&mut self, violation: Violation) {
        self.state = State::Over;
        self.deadline = None;
        self.outputs.push_back(Output::Violated(violation));
    }

    fn due(&self) -> &'static str {
        match self.state {
            State::Open => "Spaces",
            State::Verdict => "Accepted or Refused",
            State::Parts { .. } => "Part",
            State::Over => "nothing",
        }
    }

    fn received(&mut self, now: Time, payload: &Bytes) -> Result<(), Violation> {
        let message: DeviceFrame = weft_wire::decode(payload)?;
        match (&mut self.state, message.kind) {
            (State::Open | State::Verdict, Some(Kind::Spaces(spaces))) => self.told(&spaces),
            (State::Open | State::Verdict, Some(Kind::Refused(Refused { reason }))) if reason == REMOVED => {
                self.state = State::Over;
                self.deadline = None;
                self.outputs.push_back(Output::Removed);
                Ok(())
            }
            (State::Verdict, Some(Kind::Refused(refused))) => {
                let found = refused.reason;
                let reason = Reason::from_number(found).ok_or(Violation::Reason { found })?;
                self.answered(Output::Refused(reason));
                Ok(())
            }
            (State::Verdict, Some(Kind::Accepted(accepted))) => self.accepted(now, accepted),
            (State::Parts { .. }, Some(Kind::Part(part))) => self.part(now, part.into()),
            (_, kind) => Err(Violation::NotDue { found: name(kind.as_ref()), due: self.due() }),
        }
    }

    fn answered(&mut self, output: Output) {
        self.state = State::Open;
        self.deadline = None;
        self.outputs.push_back(output);
    }

    fn told(&mut self, spaces: &Spaces) -> Result<(), Violation> {
        let found = spaces.spaces.len();
        if found > SPACES_MAX {
            return Err(Violation::Length { field: "Spaces.spaces", found });
        }
        let id = |bytes: &Bytes| {
            SpaceId::try_from(bytes).map_err(|_| Violation::Length { field: "Spaces.spaces", found: bytes.len() })
        };
        self.outputs.push_back(Output::Told(spaces.spaces.iter().map(id).collect::<Result<_, _>>()?));
        Ok(())
    }

    fn accepted(&mut self, now: Time, accepted: Accepted) -> Result<(), Violation> {
        let Accepted { parts, bytes } = accepted;
        if !(1..=self.config.parts_max).contains(&parts) || bytes > self.config.bundle_bytes_max {
            return Err(Violation::Bundle { parts, bytes });
        }
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
        self.answered(Output::Bundle(parts));
        Ok(())
    }
}

impl Machine for Guest {
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
            (Input::Enter(linked), State::Open) => {
                self.state = State::Verdict;
                self.deadline = Some(now + self.config.verdict_max);
                self.send(Kind::Enter(Enter { linked: linked.encode() }));
            }
            (Input::Enter(_), _) => {}
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
            self.violated(violation);
        }
    }
}
