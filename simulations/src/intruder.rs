//! A program that belongs to nothing, speaks the wire format and keeps none of its rules. Written against `specs/`, without the
//! machines that it attacks.
//!
//! It opens every protocol to whoever it meets, says what only members may say, and keeps what it is answered.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_crypto::DeviceId;
use weft_peer::{Input, Output, Protocol, StreamId};
use weft_wire::{frame, invitation, replication, space};

use crate::dice::Dice;

/// A hostile program.
#[derive(Debug)]
pub struct Intruder {
    /// Its own device.
    pub device: DeviceId,
    /// Every frame it was sent.
    pub heard: Vec<(Protocol, Bytes)>,
    dice: Dice,
    streams: BTreeMap<StreamId, Protocol>,
}

impl Intruder {
    /// A program with a device key of its own.
    #[must_use]
    pub fn new(device: DeviceId, dice: Dice) -> Intruder {
        Intruder { device, heard: Vec::new(), dice, streams: BTreeMap::new() }
    }

    /// Hears something, and answers with malice.
    pub fn hear(&mut self, input: Input) -> Vec<Output> {
        match input {
            Input::Connected { device } => {
                Protocol::ALL.iter().map(|protocol| Output::OpenStream { device, protocol: *protocol }).collect()
            }
            Input::StreamOpened { stream, protocol, .. } => {
                self.streams.insert(stream, protocol);
                let frames = match protocol {
                    Protocol::Door => self.at_the_door(),
                    Protocol::Invitation => self.uninvited(),
                    Protocol::Device => self.as_a_sibling(),
                    Protocol::Replication => self.as_if_granted(),
                };
                frames.into_iter().map(|frame| Output::Send { stream, frame }).collect()
            }
            Input::Received { stream, frame } => {
                if let Some(protocol) = self.streams.get(&stream) {
                    self.heard.push((*protocol, frame));
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Says that it is a device of the identity, and asks for what it was not told of.
    fn as_a_sibling(&mut self) -> Vec<Bytes> {
        use weft_wire::invitation::{DeviceFrame, Enter, Sibling, device_frame::Kind};
        let linked = self.random(200);
        let says = [Kind::Sibling(Sibling { version: 1, name: "phone".into() }), Kind::Enter(Enter { linked })];
        says.map(|kind| frame::encode(&DeviceFrame { kind: Some(kind) })).to_vec()
    }

    fn random(&mut self, length: usize) -> Bytes {
        (0..length.div_ceil(32)).flat_map(|_| self.dice.bytes()).take(length).collect()
    }

    fn at_the_door(&mut self) -> Vec<Bytes> {
        use space::frame::Kind;
        let hello = space::Hello { version: 1, nonce: self.random(32) };
        let tags = space::Tags { round: 1, tags: self.random(64 * 32) };
        let kinds = [Kind::Hello(hello), Kind::Tags(tags), Kind::Again(space::Again {})];
        kinds.into_iter().map(|kind| frame::encode(&space::Frame { kind: Some(kind) })).collect()
    }

    fn uninvited(&mut self) -> Vec<Bytes> {
        use invitation::frame::Kind;
        let redeem = invitation::Redeem { redemption: self.random(512), ..invitation::Redeem::default() };
        let begin = invitation::Begin { version: 1, nonce: self.random(32) };
        let kinds = [Kind::Begin(begin), Kind::Redeem(redeem)];
        kinds.into_iter().map(|kind| frame::encode(&invitation::Frame { kind: Some(kind) })).collect()
    }

    fn as_if_granted(&mut self) -> Vec<Bytes> {
        use replication::frame::Kind;
        let number = 1024;
        let feed = self.random(32);
        let have = replication::Have { space: number, holdings: self.random(72 * 4), complete: true };
        let want = replication::Want { space: number, feed: feed.clone(), ..replication::Want::default() };
        let range = replication::Range {
            space: number,
            feed,
            head: self.random(170),
            headers: self.random(400),
            bodies: self.random(400),
            inline: true,
            ..replication::Range::default()
        };
        let hello = replication::Hello { version: 1, credit: 4 << 20 };
        let kinds = [Kind::Hello(hello), Kind::Have(have), Kind::Want(want), Kind::Range(range)];
        kinds.into_iter().map(|kind| frame::encode(&replication::Frame { kind: Some(kind) })).collect()
    }
}
