//! Every context string of Weft, in one place: what a hash, a key or a signature is *for*.
//!
//! Two uses never share a context, so a value made for one can never pass for another. A crate that needs a new use adds
//! its line here; a test checks that all are different, that none is the start of another, and that none can be taken for
//! what libp2p signs with the same device key.
//!
//! Spec: CRYPTO-1.2

use std::{fmt, sync::LazyLock};

/// What a hash or a derived key is for: a BLAKE3 derive-key context `weft/<what>/1`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Context(usize);

/// What a signature is for: it covers this string, one zero byte and the statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignContext(&'static str);

macro_rules! contexts {
    ($($(#[doc = $doc:literal])+ $name:ident = $what:literal;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "places in a table, named as the constants")]
        enum Place { $($name),* }

        const TEXTS: &[&str] = &[$(concat!("weft/", $what, "/1")),*];

        impl Context {
            $($(#[doc = $doc])+ pub const $name: Self = Self(Place::$name as usize);)*

            /// Every context.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

macro_rules! sign_contexts {
    ($($(#[doc = $doc:literal])+ $name:ident = $what:literal;)*) => {
        impl SignContext {
            $($(#[doc = $doc])+ pub const $name: Self = Self(concat!("weft/", $what, "/1"));)*

            /// Every context.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

contexts! {
    // Feeds.
    /// A leaf of a feed's tree, over a header.
    LEAF = "leaf";
    /// An inner node of a feed's tree.
    PARENT = "parent";
    /// A feed's root.
    ROOT = "root";
    /// A body as stored.
    BODY_HASH = "body-hash";
    /// An entry's id.
    ENTRY = "entry";
    /// A feed's id, over its manifest.
    FEED = "feed";

    // Credentials and spaces.
    /// A space's id, over its genesis statement.
    GENESIS = "genesis";
    /// A root statement, as the next one names it.
    ROOT_STATEMENT = "root-statement";
    /// A root key, as the statement before it commits to it.
    NEXT_ROOT = "next-root";
    /// An invitation's id.
    INVITATION = "invitation";
    /// The checksum at the end of an invitation link.
    INVITATION_LINK = "invitation-link";
    /// The checksum at the end of a device link.
    DEVICE_LINK = "device-link";
    /// The digits by which people make sure who waits to be let in.
    NEWCOMER_DIGITS = "newcomer-digits";
    /// The digits by which two people make sure of one another.
    SAFETY_NUMBER = "safety-number";

    // Epochs.
    /// An epoch's id.
    EPOCH = "epoch";
    /// An epoch's id, where it names its recipients by their keys.
    EPOCH_OF_KEYS = "epoch-of-keys";
    /// The content secret that follows from an epoch's seed.
    CONTENT_SECRET = "content-secret";
    /// The access secret, likewise.
    ACCESS_SECRET = "access-secret";
    /// A commitment to a content secret.
    CONTENT_COMMITMENT = "content-commitment";
    /// A commitment to an access secret.
    ACCESS_COMMITMENT = "access-commitment";
    /// What a lockbox is sealed for: the start of HPKE's info.
    LOCKBOX = "lockbox";
    /// What a secret is sealed for that is no epoch's: the start of HPKE's info.
    SEALED_SECRET = "sealed-secret";
    /// What a lockbox is sealed for that holds an epoch's seed.
    LOCKBOX_OF_SEED = "lockbox-of-seed";
    /// The keys that seal access secrets of earlier epochs, and the start of what they are sealed to.
    EARLIER_ACCESS = "earlier-access";
    /// The keys that seal content secrets of earlier epochs, likewise.
    EARLIER_CONTENT = "earlier-content";
    /// The keys that seal a feed's bodies, and the start of what a body is sealed to.
    BODY = "body";

    // Objects.
    /// An object's id.
    OBJECT = "object";
    /// A Yjs client id.
    CLIENT = "client";
    /// The keys that seal what documents tell of themselves.
    PRESENCE = "presence";
    /// What a document instance shows as the holder of its session.
    SESSION = "session";

    // Proofs over a connection.
    /// The opener's tag at the door.
    DOOR_DIAL = "door-dial";
    /// The acceptor's tag at the door.
    DOOR_LISTEN = "door-listen";
    /// Tags at the door, as they are compared.
    DOOR_BLIND = "door-blind";

    // Secrets of one's own.
    /// A fresh secret: a draw mixed with the device's secret and what it is for.
    FRESH = "fresh";
    /// What a fresh secret is for.
    SUBJECT = "subject";
    /// The key under which a device seals its local secrets.
    DEVICE_AT_REST = "device-at-rest";
    /// The keys of a local secret's box.
    LOCAL = "local";
    /// The keys of a secret wrapped by a key beside the store.
    AT_REST = "at-rest";
    /// The keys of a secret wrapped by a passphrase.
    PASSPHRASE = "passphrase";
    /// The root key of a phrase.
    PHRASE_ROOT = "phrase-root";
    /// The next root key of a phrase.
    PHRASE_NEXT_ROOT = "phrase-next-root";
    /// The recovery key of a phrase.
    PHRASE_RECOVERY = "phrase-recovery";
}

sign_contexts! {
    /// A head, by the feed key.
    HEAD = "head";
    /// A manifest, by the device key.
    MANIFEST_DEVICE = "manifest-device";
    /// A manifest, by the feed key.
    MANIFEST_FEED = "manifest-feed";
    /// A genesis statement, by the founder's device key.
    GENESIS_DEVICE = "genesis-device";
    /// A root statement, by the root key.
    ROOT_STATEMENT_SIGNED = "root-statement-signed";
    /// A redemption, by the invitation key.
    REDEMPTION_INVITATION = "redemption-invitation";
    /// A redemption, by the newcomer's device key.
    REDEMPTION_DEVICE = "redemption-device";
    /// Knowledge of the invitation key over one connection, by the invitation key.
    INVITATION_PROOF = "invitation-proof";
    /// That another device acts for the same identity, by a device key.
    DEVICE_STATEMENT = "device-statement";
    /// Knowledge of a device link's key over one connection, by that key.
    DEVICE_LINK_PROOF = "device-link-proof";
    /// What a device says of itself to be let into a space by a sibling, by its device key.
    DEVICE_LINKED = "device-linked";
}

/// What BLAKE3 makes of each context string, computed once: hashing then costs nothing for the context.
static KEYS: LazyLock<Vec<[u8; 32]>> =
    LazyLock::new(|| TEXTS.iter().map(|text| blake3::hazmat::hash_derive_key_context(text)).collect());

impl Context {
    /// The context string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        TEXTS[self.0]
    }

    pub(crate) fn key(self) -> &'static [u8; 32] {
        &KEYS[self.0]
    }
}

impl SignContext {
    /// The context string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The bytes that a signature of this context covers.
    pub(crate) fn signed_bytes(self, statement: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + statement.len());
        bytes.extend_from_slice(self.0.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(statement);
        bytes
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SignContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
