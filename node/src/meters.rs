//! What the node counts of its own work, for operators: bytes, entries, connections, violations, and how long its store takes.
//!
//! Counting is all that happens here; who may read it and in which form is the business of the API. Labels are taken from
//! lists of ours (a transport, a direction, a section of a specification), so that no peer can make a series.
//!
//! Spec: NODE-8.1.

use std::{sync::Arc, time::Instant};

use libp2p::{Multiaddr, multiaddr::Protocol as Part};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// Upper ends of the buckets of a time, in seconds. From a write that only reached the journal's memory to a disk that hangs;
/// what was measured lies between 0.2 and 10 ms.
const SECONDS: [f64; 10] = [0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// The counters of one node. Clones count together.
#[derive(Clone)]
pub(crate) struct Meters(Arc<Inner>);

struct Inner {
    registry: Registry,
    store: StoreMeters,
    connections: Family<Transport, Gauge>,
    connections_opened: Family<Opened, Counter>,
    dials_failed: Counter,
    bytes: Family<Direction, Counter>,
    frames: Family<Direction, Counter>,
    violations: Family<Section, Counter>,
    quarantined: Counter,
    forks: Counter,
    requests: Family<Request, Counter>,
    request_seconds: Histogram,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Transport {
    transport: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Opened {
    transport: &'static str,
    by: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Section {
    section: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    route: String,
    method: &'static str,
    status: u16,
}

/// What the threads of the store count.
#[derive(Clone)]
pub(crate) struct StoreMeters {
    entries: Counter,
    entry_bytes: Counter,
    failures: Counter,
    write_seconds: Histogram,
    load_seconds: Histogram,
    read_seconds: Histogram,
}

impl Meters {
    /// Everything at zero.
    pub(crate) fn new() -> Meters {
        let mut registry = Registry::with_prefix("weft");
        let seconds = || Histogram::new(SECONDS);
        let inner = Inner {
            store: StoreMeters {
                entries: Counter::default(),
                entry_bytes: Counter::default(),
                failures: Counter::default(),
                write_seconds: seconds(),
                load_seconds: seconds(),
                read_seconds: seconds(),
            },
            connections: Family::default(),
            connections_opened: Family::default(),
            dials_failed: Counter::default(),
            bytes: Family::default(),
            frames: Family::default(),
            violations: Family::default(),
            quarantined: Counter::default(),
            forks: Counter::default(),
            requests: Family::default(),
            request_seconds: seconds(),
            registry: Registry::default(),
        };
        let store = registry.sub_registry_with_prefix("store");
        let of = &inner.store;
        store.register("entries", "Entries written, own and received", of.entries.clone());
        store.register_with_unit("entry", "Headers and bodies of entries written", Unit::Bytes, of.entry_bytes.clone());
        store.register("failures", "Writes and reads that the store did not do", of.failures.clone());
        store.register_with_unit(
            "write",
            "From the order to write batches until they were durable",
            Unit::Seconds,
            of.write_seconds.clone(),
        );
        store.register_with_unit("load", "Loads of derived rows", Unit::Seconds, of.load_seconds.clone());
        store.register_with_unit("read", "Reads of entries for peers", Unit::Seconds, of.read_seconds.clone());
        registry.register("connections", "Connections to peers now", inner.connections.clone());
        registry.register(
            "connections_opened",
            "Connections to peers that were opened, by this node or by them",
            inner.connections_opened.clone(),
        );
        registry.register("dials_failed", "Dials that led to no connection", inner.dials_failed.clone());
        registry.register_with_unit("frame", "Frames of our protocols", Unit::Bytes, inner.bytes.clone());
        registry.register("frames", "Frames of our protocols", inner.frames.clone());
        registry.register("violations", "Rules that peers broke, by section", inner.violations.clone());
        registry.register("quarantined", "Mutations that were refused", inner.quarantined.clone());
        registry.register("forks", "Feeds that were found forked and stopped", inner.forks.clone());
        registry.register("api_requests", "Requests to the local API", inner.requests.clone());
        registry.register_with_unit(
            "api_request",
            "From a request to the local API to the head of its answer",
            Unit::Seconds,
            inner.request_seconds.clone(),
        );
        // What has not happened yet is zero, and not absent.
        for transport in ["quic", "tcp"] {
            inner.connections.get_or_create(&Transport { transport }).set(0);
        }
        for direction in ["in", "out"] {
            inner.frames.get_or_create(&Direction { direction }).inc_by(0);
            inner.bytes.get_or_create(&Direction { direction }).inc_by(0);
        }
        Meters(Arc::new(Inner { registry, ..inner }))
    }

    /// What was counted.
    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// For the threads of the store.
    pub(crate) fn store(&self) -> StoreMeters {
        self.0.store.clone()
    }

    /// A connection is there.
    pub(crate) fn connected(&self, address: &Multiaddr, dialled: bool) {
        let transport = transport(address);
        self.0.connections.get_or_create(&Transport { transport }).inc();
        let by = if dialled { "us" } else { "peer" };
        self.0.connections_opened.get_or_create(&Opened { transport, by }).inc();
    }

    /// A connection is gone.
    pub(crate) fn disconnected(&self, address: &Multiaddr) {
        self.0.connections.get_or_create(&Transport { transport: transport(address) }).dec();
    }

    /// A dial led to nothing.
    pub(crate) fn dial_failed(&self) {
        self.0.dials_failed.inc();
    }

    /// Frames went out or came in.
    pub(crate) fn frames(&self, direction: &'static str, count: usize, bytes: usize) {
        let direction = Direction { direction };
        self.0.frames.get_or_create(&direction).inc_by(count as u64);
        self.0.bytes.get_or_create(&direction).inc_by(bytes as u64);
    }

    /// A peer broke a rule.
    pub(crate) fn violated(&self, what: &str) {
        self.0.violations.get_or_create(&Section { section: section(what).to_owned() }).inc();
    }

    /// A mutation was refused.
    pub(crate) fn quarantined(&self) {
        self.0.quarantined.inc();
    }

    /// A feed was found forked.
    pub(crate) fn forked(&self) {
        self.0.forks.inc();
    }

    /// A request was answered. The method of one that no route knows is not told apart.
    pub(crate) fn answered(&self, route: Option<&str>, method: &str, status: u16, begun: Instant) {
        let known = ["GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "PUT"];
        let method = known.into_iter().find(|known| *known == method).unwrap_or("other");
        let request = Request { route: route.unwrap_or("none").to_owned(), method, status };
        self.0.requests.get_or_create(&request).inc();
        self.0.request_seconds.observe(begun.elapsed().as_secs_f64());
    }
}

impl StoreMeters {
    /// Entries are written.
    pub(crate) fn wrote(&self, entries: u64, bytes: u64) {
        self.entries.inc_by(entries);
        self.entry_bytes.inc_by(bytes);
    }

    /// Batches became durable.
    pub(crate) fn durable(&self, begun: Instant) {
        self.write_seconds.observe(begun.elapsed().as_secs_f64());
    }

    /// Rows were loaded.
    pub(crate) fn loaded(&self, begun: Instant) {
        self.load_seconds.observe(begun.elapsed().as_secs_f64());
    }

    /// Entries were read.
    pub(crate) fn read(&self, begun: Instant) {
        self.read_seconds.observe(begun.elapsed().as_secs_f64());
    }

    /// Something was not done.
    pub(crate) fn failed(&self) {
        self.failures.inc();
    }
}

fn transport(address: &Multiaddr) -> &'static str {
    let has = |wanted: fn(&Part<'_>) -> bool| address.iter().any(|part| wanted(&part));
    match () {
        () if has(|part| matches!(part, Part::P2pCircuit)) => "relay",
        () if has(|part| matches!(part, Part::QuicV1)) => "quic",
        () if has(|part| matches!(part, Part::Tcp(_))) => "tcp",
        () => "other",
    }
}

/// The section that a violation cites, in brackets at its end. What stands before it may be a peer's.
fn section(what: &str) -> &str {
    let cited = what.strip_suffix(')').and_then(|what| what.rsplit_once('(')).map(|(_, section)| section);
    let is_section = |cited: &&str| {
        let (page, number) = cited.split_once('-').unwrap_or_default();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        is_number && cited.len() <= 24 && !page.is_empty() && page.bytes().all(|byte| byte.is_ascii_uppercase())
    };
    cited.filter(is_section).unwrap_or("none")
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text;

    use super::*;

    #[test]
    fn a_violation_is_counted_by_the_section_it_cites() {
        assert_eq!(section("a second Hello (REPLICATION-3.1)"), "REPLICATION-3.1");
        for other in ["its key is no device key", "x (anything)", "(A-1) and more", "evil (A-9.9) )", ""] {
            assert_eq!(section(other), "none", "{other}");
        }
    }

    #[test]
    fn names_say_their_unit() {
        let meters = Meters::new();
        meters.violated("x (FEED-1)");
        meters.frames("in", 2, 70);
        meters.store().wrote(3, 900);
        meters.store().durable(Instant::now());
        meters.connected(&"/ip4/1.2.3.4/udp/1/quic-v1".parse().unwrap(), true);
        let mut shown = String::new();
        text::encode(&mut shown, meters.registry()).unwrap();
        for line in [
            "weft_violations_total{section=\"FEED-1\"} 1",
            "weft_frames_total{direction=\"in\"} 2",
            "weft_frame_bytes_total{direction=\"in\"} 70",
            "weft_store_entries_total 3",
            "weft_store_entry_bytes_total 900",
            "weft_store_write_seconds_count 1",
            "weft_connections{transport=\"quic\"} 1",
            "weft_connections{transport=\"tcp\"} 0",
            "weft_frames_total{direction=\"out\"} 0",
            "weft_connections_opened_total{transport=\"quic\",by=\"us\"} 1",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "no {line} in\n{shown}");
        }
    }
}
