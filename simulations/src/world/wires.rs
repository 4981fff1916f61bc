//! Connections and streams: from what a peer orders to what another one hears.

use bytes::Bytes;
use weft_crypto::DeviceId;
use weft_peer::{Input, Protocol, StreamId};

use super::{Event, World};
use crate::network::{Host as Number, Pair, Round};

impl World {
    /// Whether the end at which this arrives is still open; what ends a stream ends it here too.
    pub(super) fn is_open(&mut self, input: &Input) -> bool {
        match input {
            Input::Received { stream, .. } => self.network.stream(*stream).is_some(),
            Input::StreamClosed { stream } => {
                self.network.close(*stream);
                true
            }
            _ => true,
        }
    }

    /// Begins to connect two hosts. Says whether there is hope.
    pub(super) fn dial(&mut self, dialler: Number, other: Number) -> bool {
        let pair = Pair::of(dialler, other);
        if self.network.is_up(pair) {
            return true;
        }
        if !(self.network.reachable(pair) && self.is_there(dialler) && self.is_there(other)) {
            return false;
        }
        match self.network.dial(self.now, pair) {
            Some((at, round)) => {
                self.put(at, Event::Dialled { pair, round, dialler });
                true
            }
            None => false,
        }
    }

    pub(super) fn dialled(&mut self, pair: Pair, round: Round, dialler: Number) {
        let other = pair.other(dialler);
        let stands = self.network.reachable(pair) && self.is_there(dialler) && self.is_there(other);
        self.network.dialled(self.now, pair, stands);
        let (mine, theirs) = (self.device(dialler), self.device(other));
        if stands {
            // The listener's handshake ends a moment after the dialler's, and before anything else arrives.
            self.put(self.now, Event::Arrive { pair, round, host: other, input: Input::Connected { device: mine } });
            self.put(
                self.now,
                Event::Arrive { pair, round, host: dialler, input: Input::Connected { device: theirs } },
            );
        } else {
            let life = self.hosts[dialler].life;
            let input = Input::DialFailed { device: theirs, reason: "no answer".into() };
            self.put(self.now, Event::Hear { host: dialler, life, input });
        }
    }

    pub(super) fn sever(&mut self, pair: Pair) {
        for (host, at) in self.network.sever(self.now, pair).into_iter().flatten() {
            if self.is_there(host) {
                let life = self.hosts[host].life;
                self.put(at, Event::Gone { pair, host, life });
            } else {
                self.network.told(pair, host);
            }
        }
    }

    pub(super) fn open_stream(&mut self, host: Number, device: DeviceId, protocol: Protocol) {
        let other = self.devices.get(&device).copied().filter(|other| *other != host);
        let opened = other.and_then(|other| Some((other, self.network.open(self.now, host, other)?)));
        let Some((other, [mine, theirs])) = opened else {
            let life = self.hosts[host].life;
            let input = Input::StreamFailed { device, protocol, reason: "not connected".into() };
            self.put(self.now, Event::Hear { host, life, input });
            return;
        };
        let Some(there) = self.network.send(self.now, mine, 32) else { return };
        let Some(back) = self.network.send(there.at, theirs, 32) else { return };
        let Some((pair, round)) = self.network.stream(mine).map(|end| (end.pair, end.round)) else { return };
        let device = self.device(host);
        let input = Input::StreamOpened { stream: theirs, device, protocol, opener: false };
        self.put(there.at, Event::Arrive { pair, round, host: other, input });
        let device = self.device(other);
        let input = Input::StreamOpened { stream: mine, device, protocol, opener: true };
        self.put(back.at, Event::Arrive { pair, round, host, input });
    }

    pub(super) fn send(&mut self, host: Number, stream: StreamId, frame: &Bytes) {
        let Some(end) = self.network.stream(stream).copied() else { return };
        debug_assert_eq!(end.host, host, "a peer sends on its own streams");
        let Some(passage) = self.network.send(self.now, stream, frame.len()) else { return };
        self.hosts[host].counts.frames += 1;
        self.hosts[host].counts.bytes += frame.len() as u64;
        let mut decoder = weft_wire::frame::Decoder::new();
        decoder.push(frame.clone());
        match decoder.next() {
            Ok(Some(payload)) => {
                let input = Input::Received { stream: end.other, frame: payload };
                let host = end.pair.other(host);
                self.put(passage.at, Event::Arrive { pair: end.pair, round: end.round, host, input });
            }
            other => self.ledger.oddities.push(format!("{} sent no whole frame: {other:?}", self.hosts[host].name)),
        }
        if passage.last && !self.healed {
            self.put(passage.at, Event::Sever(end.pair));
        }
    }

    pub(super) fn close_stream(&mut self, host: Number, stream: StreamId) {
        let Some(end) = self.network.stream(stream).copied() else { return };
        let Some(passage) = self.network.send(self.now, stream, 1) else { return };
        self.network.close(stream);
        let (pair, round) = (end.pair, end.round);
        let input = Input::StreamClosed { stream: end.other };
        self.put(passage.at, Event::Arrive { pair, round, host: pair.other(host), input });
        self.put(passage.at, Event::Arrive { pair, round, host, input: Input::StreamClosed { stream } });
    }
}
