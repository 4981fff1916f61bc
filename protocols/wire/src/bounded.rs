//! The table of every message, one file a proto file. The tests check them against the proto files field by field.

mod credential;
mod echo;
mod feed;
mod invitation;
mod replication;
mod space;

use bytes::Bytes;

use crate::Bound;

/// A hash, an id, a public key or a nonce.
const HASH: u32 = 32;
/// An ed25519 signature.
const SIGNATURE: u32 = 64;
/// An encoded `Head`: 3 x 34 + 30 bytes are used, the rest is room for fields to come.
const HEAD: u32 = 256;
/// An encoded `Manifest`.
const MANIFEST: u32 = 256;
/// An encoded `SignedManifest`.
const SIGNED_MANIFEST: u32 = 512;
/// An entry header.
const HEADER: u32 = 64 << 10;
/// An entry body, and whatever is carried by one.
const BODY: u32 = 1 << 20;
/// A small root statement, as another message carries it.
const CARRIED: u32 = 1024;
/// A device statement with its signature.
const DEVICE_STATEMENT: u32 = 256;
/// Device statements between the device that a root key admitted and the one that speaks.
const CHAIN: u32 = 7;
/// The headers of a range.
const HEADERS: u32 = 1 << 20;
/// The bodies in one frame.
const BODIES: u32 = 2 << 20;
/// A name that people read, or a type.
const NAME: u32 = 128;

/// One message's name, table and decoder, for tests that go over all of them.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The full protobuf name.
    pub name: &'static str,
    /// Its table.
    pub bounds: &'static [Bound],
    /// Decodes any bytes as this message and drops the result.
    pub fuzz: fn(&Bytes),
}

/// Every message of `specs/proto`.
pub const ALL: &[Row] = &{
    const PARTS: [&[Row]; 6] =
        [feed::ROWS, credential::ROWS, space::ROWS, invitation::ROWS, replication::ROWS, echo::ROWS];
    const COUNT: usize =
        PARTS[0].len() + PARTS[1].len() + PARTS[2].len() + PARTS[3].len() + PARTS[4].len() + PARTS[5].len();
    let mut all = [PARTS[0][0]; COUNT];
    let (mut part, mut at, mut filled) = (0, 0, 0);
    while part < PARTS.len() {
        while at < PARTS[part].len() {
            all[filled] = PARTS[part][at];
            at += 1;
            filled += 1;
        }
        at = 0;
        part += 1;
    }
    all
};

/// Implements `Bounded` for the messages of one proto file and lists them in `ROWS`.
macro_rules! bounded {
    ($package:literal, $module:ident: $($message:ident [$($bound:expr),* $(,)?])*) => {
        $(impl crate::Bounded for crate::$module::$message {
            const BOUNDS: &'static [crate::Bound] = &[$($bound),*];
        })*
        pub(super) const ROWS: &[super::Row] = &[$(super::Row {
            name: concat!($package, ".", stringify!($message)),
            bounds: <crate::$module::$message as crate::Bounded>::BOUNDS,
            fuzz: |bytes| drop(crate::decode::<crate::$module::$message>(bytes)),
        }),*];
    };
}
use bounded;
