//! What drivers and the peer exchange: facts go in, orders come out.
//!
//! The peer does no input or output of its own. A driver (the node, a simulated world) feeds [`Input`]s, drains
//! [`Output`]s, and carries out what they order. Everything that takes time leaves as an order with a [`Ticket`] and comes
//! back as a fact with the same ticket.

use bytes::Bytes;
use weft_crypto::{DeviceId, FeedId, SpaceId};
use weft_replication::{ReadError, StoredRange};

use crate::{
    command::{Answer, Command, Refusal},
    event::Event,
    job::{Done, Job},
    store::{Batch, Damage},
};

/// Names an order whose answer comes back as a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Names a command of the application until it is answered. The driver chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ask(pub u64);

/// Names a stream on a connection. The driver chooses it, and never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// The protocols a stream can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// `/weft/space/1`: which spaces both ends share.
    Door,
    /// `/weft/invitation/1`: a newcomer redeems a link.
    Invitation,
    /// `/weft/device/1`: a device is linked, or asks a sibling for spaces.
    Device,
    /// `/weft/replication/1`: feeds are levelled.
    Replication,
}

impl Protocol {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Door => "/weft/space/1",
            Protocol::Invitation => "/weft/invitation/1",
            Protocol::Device => "/weft/device/1",
            Protocol::Replication => "/weft/replication/1",
        }
    }

    /// Whether it is for devices that share no space yet.
    pub(crate) fn is_for_newcomers(self) -> bool {
        matches!(self, Protocol::Invitation | Protocol::Device)
    }

    /// Every protocol, in the order of their names here.
    pub const ALL: [Protocol; 4] = [Protocol::Door, Protocol::Invitation, Protocol::Device, Protocol::Replication];
}

/// A fact for the peer.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "handed over at once and never kept")]
pub enum Input {
    /// A connection to this device stands, and the transport proved its key. Said once until `Disconnected`.
    Connected {
        /// The device at the other end.
        device: DeviceId,
    },
    /// The last connection to this device is gone, and every stream with it.
    Disconnected {
        /// The device that was at the other end.
        device: DeviceId,
    },
    /// A stream stands: one that was ordered with [`Output::OpenStream`], or one that the other side opened.
    StreamOpened {
        /// Its name from now on.
        stream: StreamId,
        /// The device at the other end.
        device: DeviceId,
        /// What it speaks.
        protocol: Protocol,
        /// Whether this side opened it.
        opener: bool,
    },
    /// A stream that was ordered could not be opened.
    StreamFailed {
        /// The device it was ordered to.
        device: DeviceId,
        /// What it was to speak.
        protocol: Protocol,
        /// Why, for a person.
        reason: String,
    },
    /// One whole frame arrived, without its length prefix.
    Received {
        /// On this stream.
        stream: StreamId,
        /// At most 2 MiB.
        frame: Bytes,
    },
    /// The stream is closed, by either side or by an error.
    StreamClosed {
        /// The stream that is gone.
        stream: StreamId,
    },
    /// The device could not be reached on any address that was given with [`Output::Dial`].
    DialFailed {
        /// The device.
        device: DeviceId,
        /// Why, for a person.
        reason: String,
    },
    /// The batch is durable.
    Persisted {
        /// Of the order.
        ticket: Ticket,
    },
    /// The batch was not written, and nothing of it is there.
    PersistFailed {
        /// Of the order.
        ticket: Ticket,
        /// Why, for a person.
        reason: String,
    },
    /// What was read of a feed.
    WasRead {
        /// Of the order.
        ticket: Ticket,
        /// Ranges one after another, or why they cannot be had.
        result: Result<Vec<StoredRange>, ReadError>,
    },
    /// A read, or a look through the store, found stored bytes that are not what was signed. Said once for a part; said again
    /// it changes nothing.
    Damaged {
        /// What and where.
        damage: Damage,
    },
    /// The derived rows that were asked for, in the order of their keys.
    WasLoaded {
        /// Of the order.
        ticket: Ticket,
        /// Key and value.
        rows: Vec<(Bytes, Bytes)>,
    },
    /// A job has run.
    Worked {
        /// Of the order.
        ticket: Ticket,
        /// What came out.
        done: Done,
    },
    /// The application asks for something.
    Asked {
        /// Comes back with the answer.
        ask: Ask,
        /// What it asks for.
        command: Command,
    },
    /// What the wall clock shows now. Given at the start and whenever it was set.
    ClockRead {
        /// Milliseconds since 1970.
        unix_ms: u64,
    },
}

/// Which derived rows to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// The row with this key, if there is one.
    Exact(Bytes),
    /// Every row whose key begins with this.
    Prefix(Bytes),
}

/// An order to the driver.
#[derive(Debug)]
pub enum Output {
    /// Open a stream on the preferred connection to the device.
    OpenStream {
        /// The device.
        device: DeviceId,
        /// What the stream will speak.
        protocol: Protocol,
    },
    /// Send a frame. Frames of one stream keep their order.
    Send {
        /// On this stream.
        stream: StreamId,
        /// With its length prefix.
        frame: Bytes,
    },
    /// Close the stream once what was sent is out.
    CloseStream {
        /// The stream.
        stream: StreamId,
    },
    /// Connect to the device, if it is not connected.
    Dial {
        /// The device.
        device: DeviceId,
        /// Multiaddresses to try, as text.
        addresses: Vec<String>,
    },
    /// End every connection to the device.
    Disconnect {
        /// The device.
        device: DeviceId,
        /// Why, for a person and the log.
        reason: String,
    },
    /// Write the batch, all of it or nothing.
    Persist {
        /// Comes back with `Persisted` or `PersistFailed`.
        ticket: Ticket,
        /// What to write.
        batch: Batch,
    },
    /// Read stored ranges of a feed: whole ones that end at a held head, the first one cut so that it begins at `from`.
    Read {
        /// Comes back with `WasRead`.
        ticket: Ticket,
        /// The feed.
        feed: FeedId,
        /// The first entry wanted.
        from: u64,
        /// Stop before more than this is read, but read at least one range.
        bytes_max: usize,
    },
    /// Load derived rows of a space.
    Load {
        /// Comes back with `WasLoaded`.
        ticket: Ticket,
        /// The space.
        space: SpaceId,
        /// The table, see `weft_echo::tables`.
        table: u8,
        /// Which rows.
        rows: Rows,
    },
    /// Run the job, here or on a pool.
    Work {
        /// Comes back with `Worked`.
        ticket: Ticket,
        /// A pure function and its arguments.
        job: Job,
    },
    /// The answer to a command.
    Answer {
        /// The command's name.
        ask: Ask,
        /// What came of it.
        result: Result<Answer, Refusal>,
    },
    /// Something the application may want to know.
    Event(Event),
}
