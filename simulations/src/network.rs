//! What lies between hosts: connections that carry streams in order, take their time, and break.
//!
//! Sessions run over reliable streams, so a lost packet is a frame held up, and a lost path is a connection that breaks. Each end
//! learns of a break in its own time, and nothing new stands between two hosts before both have. What is idealised: there is one
//! connection a pair, streams share its bandwidth first come first served, and nobody is behind a NAT.

use std::{collections::BTreeMap, time::Duration};

use weft_machine::{Seed, Time};
use weft_peer::StreamId;

use crate::{dice::Dice, scenario};

/// A host by its number.
pub type Host = usize;

/// Counts the connections of one pair: what was sent on an earlier one never arrives on a later one.
pub type Round = u64;

/// Two hosts, the lower number first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair(Host, Host);

impl Pair {
    /// The pair of two different hosts.
    #[must_use]
    pub fn of(a: Host, b: Host) -> Pair {
        debug_assert_ne!(a, b, "nobody is connected to itself");
        Pair(a.min(b), a.max(b))
    }

    /// Both.
    #[must_use]
    pub fn both(self) -> [Host; 2] {
        [self.0, self.1]
    }

    /// The one that is not this one.
    #[must_use]
    pub fn other(self, host: Host) -> Host {
        if host == self.0 { self.1 } else { self.0 }
    }

    fn side(self, host: Host) -> usize {
        usize::from(host == self.1)
    }
}

/// What is between two hosts now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Down,
    Connecting,
    Up,
    /// Broken, and these sides have not heard of it.
    Breaking([bool; 2]),
}

#[derive(Debug)]
struct Link {
    latency: Duration,
    state: State,
    round: Round,
    /// Until when the wire is taken, from each side.
    busy: [Time; 2],
}

/// One end of a stream.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The connection it is on.
    pub pair: Pair,
    /// Which of them.
    pub round: Round,
    /// Whose end it is.
    pub host: Host,
    /// The other end.
    pub other: StreamId,
    /// When the last frame that was sent from here arrives.
    last: Time,
}

/// All connections and streams of a world.
#[derive(Debug)]
pub struct Network {
    config: scenario::Network,
    dice: Dice,
    links: BTreeMap<Pair, Link>,
    streams: BTreeMap<StreamId, End>,
    next_stream: u64,
    /// Which half each host is in, while there are halves.
    halves: Option<Vec<bool>>,
}

/// When something that was sent arrives, and whether its connection ends with it.
#[derive(Clone, Copy, Debug)]
pub struct Passage {
    /// When it arrives.
    pub at: Time,
    /// Whether nothing arrives after it.
    pub last: bool,
}

impl Network {
    /// Nobody is connected yet.
    #[must_use]
    pub fn new(config: &scenario::Network, seed: &Seed) -> Network {
        Network {
            config: config.clone(),
            dice: Dice::new(seed, "network"),
            links: BTreeMap::new(),
            streams: BTreeMap::new(),
            next_stream: 0,
            halves: None,
        }
    }

    /// Divides the hosts, or joins them again. Says which connections break by it.
    pub fn divide(&mut self, halves: Option<Vec<bool>>) -> Vec<Pair> {
        self.halves = halves;
        let cut = |pair: &Pair| !self.reachable(*pair);
        self.links.iter().filter(|(pair, link)| link.state == State::Up && cut(pair)).map(|(pair, _)| *pair).collect()
    }

    /// Whether anything gets from one to the other.
    #[must_use]
    pub fn reachable(&self, pair: Pair) -> bool {
        self.halves.as_ref().is_none_or(|halves| halves[pair.0] == halves[pair.1])
    }

    /// Whether they are connected.
    #[must_use]
    pub fn is_up(&self, pair: Pair) -> bool {
        self.links.get(&pair).is_some_and(|link| link.state == State::Up)
    }

    /// Whether this connection still stands.
    #[must_use]
    pub fn is_current(&self, pair: Pair, round: Round) -> bool {
        self.links.get(&pair).is_some_and(|link| link.state == State::Up && link.round == round)
    }

    /// Every connection that stands.
    pub fn up(&self) -> impl Iterator<Item = Pair> {
        self.links.iter().filter(|(_, link)| link.state == State::Up).map(|(pair, _)| *pair)
    }

    /// Begins to connect two hosts, if nothing is between them. Says when it would stand.
    pub fn dial(&mut self, now: Time, pair: Pair) -> Option<(Time, Round)> {
        let (dice, config) = (&mut self.dice, &self.config);
        let link = self.links.entry(pair).or_insert_with(|| Link {
            latency: dice.millis(config.latency_ms),
            state: State::Down,
            round: 0,
            busy: [Time::ZERO; 2],
        });
        if link.state != State::Down {
            return None;
        }
        link.state = State::Connecting;
        link.round += 1;
        Some((now + link.latency * 2, link.round))
    }

    /// The connection stands, or, where somebody is gone, it does not.
    pub fn dialled(&mut self, now: Time, pair: Pair, stands: bool) {
        if let Some(link) = self.links.get_mut(&pair) {
            link.state = if stands { State::Up } else { State::Down };
            link.busy = [now; 2];
        }
    }

    /// The connection breaks, if it stands. Says when each side hears of it.
    pub fn sever(&mut self, now: Time, pair: Pair) -> Option<[(Host, Time); 2]> {
        let link = self.links.get_mut(&pair).filter(|link| link.state == State::Up)?;
        link.state = State::Breaking([true; 2]);
        self.streams.retain(|_, end| end.pair != pair);
        let mut heard = || now + link.latency + self.dice.millis(self.config.jitter_ms);
        Some([(pair.0, heard()), (pair.1, heard())])
    }

    /// One side has heard, or is not there to hear.
    pub fn told(&mut self, pair: Pair, host: Host) {
        let Some(link) = self.links.get_mut(&pair) else { return };
        if let State::Breaking(mut untold) = link.state {
            untold[pair.side(host)] = false;
            link.state = if untold == [false; 2] { State::Down } else { State::Breaking(untold) };
        }
    }

    /// Opens a stream between two connected hosts. The first name is the opener's.
    pub fn open(&mut self, now: Time, host: Host, other: Host) -> Option<[StreamId; 2]> {
        let pair = Pair::of(host, other);
        let round = self.links.get(&pair).filter(|link| link.state == State::Up)?.round;
        let names = [StreamId(self.next_stream + 1), StreamId(self.next_stream + 2)];
        self.next_stream += 2;
        for (host, mine, theirs) in [(host, names[0], names[1]), (other, names[1], names[0])] {
            self.streams.insert(mine, End { pair, round, host, other: theirs, last: now });
        }
        Some(names)
    }

    /// One end of a stream, while its connection stands.
    #[must_use]
    pub fn stream(&self, stream: StreamId) -> Option<&End> {
        self.streams.get(&stream).filter(|end| self.is_current(end.pair, end.round))
    }

    /// Sends so many bytes on a stream.
    pub fn send(&mut self, now: Time, stream: StreamId, bytes: usize) -> Option<Passage> {
        let end = *self.stream(stream)?;
        let link = self.links.get_mut(&end.pair)?;
        let micros = (bytes as u64).saturating_mul(1_000_000) / self.config.bytes_per_second;
        let busy = &mut link.busy[end.pair.side(end.host)];
        *busy = (*busy).max(now) + Duration::from_micros(micros);
        let mut at = *busy + link.latency + self.dice.millis(self.config.jitter_ms);
        if self.dice.one_in(self.config.stall_one_in) {
            at += self.dice.millis(self.config.stall_ms);
        }
        let at = at.max(end.last + Duration::from_micros(1));
        self.streams.get_mut(&stream)?.last = at;
        Some(Passage { at, last: self.dice.one_in(self.config.break_one_in) })
    }

    /// Closes this end.
    pub fn close(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
    }

    /// From now on nothing is held up and nothing breaks.
    pub fn heal(&mut self) {
        self.halves = None;
        self.config.stall_one_in = 0;
        self.config.break_one_in = 0;
    }

    /// When somebody who lost a connection dials again.
    pub fn redial(&mut self, now: Time) -> Time {
        now + self.dice.millis(self.config.redial_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice;

    fn network() -> Network {
        let config = scenario::Network {
            latency_ms: [5, 50],
            jitter_ms: [0, 100],
            bytes_per_second: 1_000_000,
            stall_one_in: 3,
            stall_ms: [50, 500],
            break_one_in: 0,
            redial_ms: [1, 1],
        };
        Network::new(&config, &dice::seed(1))
    }

    fn connected(network: &mut Network, pair: Pair) -> Round {
        let (at, round) = network.dial(Time::ZERO, pair).expect("nothing is there yet");
        network.dialled(at, pair, true);
        round
    }

    #[test]
    fn frames_of_a_stream_keep_their_order() {
        let mut network = network();
        connected(&mut network, Pair::of(0, 1));
        let [mine, theirs] = network.open(Time::ZERO, 0, 1).expect("connected");
        for stream in [mine, theirs] {
            let arrivals: Vec<Time> = (0..200)
                .map(|step| network.send(Time::from_millis(step), stream, 100).expect("the stream stands").at)
                .collect();
            assert!(arrivals.is_sorted_by(|before, after| before < after));
        }
    }

    #[test]
    fn nothing_new_stands_before_both_have_heard_of_the_break() {
        let mut network = network();
        let pair = Pair::of(1, 0);
        let round = connected(&mut network, pair);
        let [mine, _] = network.open(Time::ZERO, 0, 1).expect("connected");
        assert!(network.sever(Time::ZERO, pair).is_some());
        assert!(!network.is_current(pair, round));
        assert!(network.send(Time::ZERO, mine, 1).is_none(), "streams go with their connection");
        assert!(network.dial(Time::ZERO, pair).is_none());
        network.told(pair, 0);
        assert!(network.dial(Time::ZERO, pair).is_none());
        network.told(pair, 1);
        assert_eq!(network.dial(Time::ZERO, pair).map(|(_, round)| round), Some(round + 1));
    }

    #[test]
    fn halves_cannot_reach_each_other() {
        let mut network = network();
        let (across, within) = (Pair::of(0, 1), Pair::of(0, 2));
        connected(&mut network, across);
        connected(&mut network, within);
        assert_eq!(network.divide(Some(vec![false, true, false])), [across]);
        assert!(network.reachable(within) && !network.reachable(across));
        assert!(network.divide(None).is_empty());
        assert!(network.reachable(across));
    }
}
