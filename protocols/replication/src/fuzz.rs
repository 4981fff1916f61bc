//! Any bytes as a stream from a peer: the session must neither panic nor keep more than its window.

use bytes::Bytes;
use weft_crypto::{DeviceId, SpaceId};
use weft_machine::{Machine, Seed, Time};
use weft_wire::{frame::Decoder, replication as wire};

use crate::{Config, Input, Output, Session, message};

/// Feeds `input` as a stream to a session that has said `Hello` and has one space open.
pub fn frames(input: &[u8]) {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::copy_from_slice(input));
    let mut payloads = Vec::new();
    while let Ok(Some(payload)) = decoder.next() {
        payloads.push(payload);
    }
    run(payloads);
}

/// Reads `input` as the kind and fields of one frame each, so that random bytes reach past the decoder.
pub fn messages(input: &[u8]) {
    let payloads = input.chunks(16).map(|chunk| {
        let byte = |at: usize| chunk.get(at).copied().unwrap_or(0);
        let feed = Bytes::from(vec![byte(1); 32]);
        let (space, from, some) = (u32::from(byte(2) % 4), u64::from(byte(3)), Bytes::copy_from_slice(chunk));
        use wire::frame::Kind;
        let kind = match byte(0) % 11 {
            0 => Kind::Have(wire::Have { space, holdings: vec![byte(4); 72].into(), complete: true }),
            1 => Kind::Want(wire::Want { space, feed, from, head: Bytes::new(), tree: Bytes::new() }),
            2 => Kind::Want(wire::Want { space, feed, from: 0, head: Bytes::new(), tree: Bytes::new() }),
            3 => Kind::Stop(wire::Stop { space, feed }),
            4 => {
                Kind::Range(wire::Range { space, feed, from, head: some.clone(), headers: some, ..Default::default() })
            }
            5 => Kind::Bodies(wire::Bodies { space, feed, from, bodies: some }),
            6 => Kind::Credit(wire::Credit { bytes: from }),
            7 => Kind::Contradiction(wire::Contradiction { space, head: some }),
            8 => Kind::Refused(wire::Refused { space, feed, from, reason: space, rule: String::new() }),
            9 => Kind::Presence(wire::Presence { space, epoch: feed, sealed: some }),
            _ => Kind::Hello(wire::Hello { version: 1, credit: u64::MAX }),
        };
        prost::Message::encode_to_vec(&wire::Frame { kind: Some(kind) }).into()
    });
    run(payloads);
}

fn run(payloads: impl IntoIterator<Item = Bytes>) {
    let (me, peer) = (DeviceId::from_bytes([1; 32]), DeviceId::from_bytes([2; 32]));
    let mut session = Session::new(Config::default(), me, peer, Seed::from_bytes([0; 32]));
    let hello = wire::Hello { version: message::VERSION, credit: message::WINDOW_MIN };
    let hello = prost::Message::encode_to_vec(&wire::Frame { kind: Some(wire::frame::Kind::Hello(hello)) });
    let space = SpaceId::from_bytes([3; 32]);
    session.handle_input(Time::ZERO, Input::Opened);
    session.handle_input(Time::ZERO, Input::Received(hello.into()));
    session.handle_input(Time::ZERO, Input::Granted { number: 1, space, feeds: Vec::new() });
    for payload in payloads {
        session.handle_input(Time::ZERO, Input::Received(payload));
        while let Some(output) = session.poll_output() {
            if let Output::Work { ticket, job } = output {
                session.handle_input(Time::ZERO, Input::Worked { ticket, done: job.run() });
            }
        }
    }
}
