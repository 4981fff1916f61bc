"""Bodies of control entries: read within their bounds, and checked as far as one part alone can be (CREDENTIAL-2.3).

A malformed body is None: it says nothing, to everybody alike (CREDENTIAL-1).
"""

from dataclasses import dataclass
from functools import lru_cache

import proofs
from messages import (
    BYTES, CONTROL, DATA, MANY, Malformed, Manifest, data, feed_id, flag, hashed, id_of, manifest, must, number, one_spelling,
    read, signed, u32, u64, var,
)

CUT = {1: data("feed"), 2: u64("length"), 3: data("root")}
CUTS = ("cuts", BYTES, 4_096, 128)
LOCKBOX = {1: data("epoch"), 2: u32("kind"), 3: data("recipient"), 4: data("key"), 5: data("encapsulated"), 6: data("ciphertext", 256)}
RECIPIENT = {1: u32("kind"), 2: data("recipient"), 3: data("key")}
DEVICE_CARRIED = {1: data("statement", 256), 2: data("signature", 64)}
CARRIED = {1: data("statement", MANY), 2: data("signature", 64)}
ROOT_STATEMENT = {
    1: u32("version"), 2: data("identity"), 3: data("scope"), 4: u64("number"), 5: data("previous"), 6: data("next_root"), 7: u32("kind"),
    8: data("content", MANY),
}
GENESIS_STATEMENT = {
    1: u32("version"), 2: data("root"), 3: u32("rules"), 4: u32("history"), 5: data("nonce"), 6: data("device"), 7: data("feed_key"),
}
EPOCH_STATEMENT = {
    1: data("content_commitment"), 2: data("access_commitment"), 3: data("parents", 32, 64), 4: data("recipients", 128, 4_096),
    5: data("keys", 16 * 4_096),
}
REDEMPTION = {
    1: data("space"), 2: data("invitation"), 3: data("identity"), 4: data("device_admitted", 1_024), 5: data("recovery_key_set", 1_024),
    6: data("device"), 7: data("pre_key"), 8: data("control", 512), 9: data("data", 512), 10: data("host"), 11: data("chain", 256, 7),
}
DEVICE_STATEMENT = {1: u32("version"), 2: data("identity"), 3: data("by"), 4: data("device")}
LINKED_STATEMENT = {
    1: data("space"), 2: data("identity"), 3: data("device"), 4: data("pre_key"), 5: data("control", 512), 6: data("data", 512), 7: data("host"),
}


# What parts say. Ids and keys are bytes, cuts a length by feed.

@dataclass(frozen=True)
class SpaceGenesis:
    root: bytes
    rules: int
    history: int
    device: bytes
    feed: bytes
    through: tuple  # the devices of the chain, but for its last


@dataclass(frozen=True)
class DeviceAdmitted:
    identity: bytes
    device: bytes


@dataclass(frozen=True)
class RecoveryKeySet:
    identity: bytes
    number: int
    key: bytes


@dataclass(frozen=True)
class RootDeviceRemoved:
    identity: bytes
    number: int
    device: bytes
    cuts: dict | None  # None: not named


@dataclass(frozen=True)
class FeedAdmitted:
    manifest: Manifest


@dataclass(frozen=True)
class PreKeySet:
    device: bytes
    number: int
    key: bytes


@dataclass(frozen=True)
class Lockbox:
    epoch: bytes
    kind: int
    recipient: bytes
    key: bytes


@dataclass(frozen=True)
class EpochStarted:
    epoch: bytes
    parents: tuple
    recipients: tuple  # of (kind, recipient, key)
    lockboxes: tuple
    keys: tuple = ()  # names of keys, in place of both


@dataclass(frozen=True)
class LockboxRefused:
    epoch: bytes
    device: bytes


@dataclass(frozen=True)
class PolicyChanged:
    history: int


@dataclass(frozen=True)
class InvitationIssued:
    invitation: bytes
    role: int
    uses: int


@dataclass(frozen=True)
class InvitationRedeemed:
    invitation: bytes
    identity: bytes
    device: bytes
    pre_key: bytes
    recovery: RecoveryKeySet
    feeds: tuple  # the ids of the control feed and of the data feed
    host: bytes
    through: tuple  # the devices of the chain, but for its last


@dataclass(frozen=True)
class DeviceLinked:
    identity: bytes
    device: bytes
    pre_key: bytes
    feeds: tuple
    host: bytes


@dataclass(frozen=True)
class LockboxAdded:
    lockbox: Lockbox


@dataclass(frozen=True)
class MemberRemoved:
    identity: bytes
    cuts: dict


@dataclass(frozen=True)
class DeviceRemoved:
    device: bytes
    cuts: dict


@dataclass(frozen=True)
class MemberRoleChanged:
    identity: bytes
    role: int
    cuts: dict


@dataclass(frozen=True)
class FeedClosed:
    feed: bytes
    cuts: dict


@dataclass(frozen=True)
class InvitationRevoked:
    invitation: bytes
    standing: tuple


@dataclass(frozen=True)
class CutRaised:
    entry: bytes
    part: int
    cuts: dict


@dataclass(frozen=True)
class ForkProven:
    manifest: Manifest
    common: int
    head: proofs.Head  # that ends what the author holds
    entry: bytes  # where the histories part, in that one


@dataclass(frozen=True)
class RulesChanged:
    rules: int


@dataclass(frozen=True)
class Seal:
    entry: bytes
    part: int


@dataclass(frozen=True)
class Unknown:
    kind: int
    critical: bool


# Reading them.

def role(value):
    """CREDENTIAL-3."""
    must(1 <= value <= 5, "CREDENTIAL-3: a role")
    return value


def cuts(encoded):
    """CREDENTIAL-10.1: ascending by feed, none twice."""
    read_cuts = [cut(one) for one in encoded]
    must(all(a[0] < b[0] for a, b in zip(read_cuts, read_cuts[1:])), "CREDENTIAL-10.1: cuts ascend")
    return dict(read_cuts)


def cut(encoded):
    """CREDENTIAL-10.1."""
    said = read(encoded, CUT)
    must(1 <= said["length"] <= 1 << 42, "CREDENTIAL-10.1: a length")
    id_of(said["root"], "root")
    return id_of(said["feed"], "feed"), said["length"]


def genesis(content, space):
    """CREDENTIAL-4."""
    outer = read(content, {1: data("statement", 1_024), 2: data("device_signature", 64), 3: data("chain", 256, 7)})
    said = read(outer["statement"], GENESIS_STATEMENT)
    must(said["version"] == 1, "CREDENTIAL-4: version")
    must(said["history"] in (1, 2), "CREDENTIAL-4: the policy")
    for name in ("root", "nonce", "device", "feed_key"):
        id_of(said[name], name)
    must(hashed("genesis", var(outer["statement"])) == space, "CREDENTIAL-4.1: the space id")
    signed("genesis-device", said["device"], outer["statement"], outer["device_signature"])
    through = chain(outer["chain"], said["root"], said["device"])  # CREDENTIAL-4.3
    return SpaceGenesis(said["root"], said["rules"], said["history"], said["device"], feed_id(space, said["device"], said["feed_key"], CONTROL, 0), through)


def chain(encoded, identity, leads_to):
    """CREDENTIAL-11.1: the devices through which `leads_to` came to act for the identity, the one that the root key admitted first."""
    devices = []
    for one in encoded:
        outer = read(one, DEVICE_CARRIED)
        said = read(outer["statement"], DEVICE_STATEMENT)
        must(said["version"] == 1 and said["identity"] == identity, "CREDENTIAL-11.1: version and identity")
        by, device = id_of(said["by"], "device"), id_of(said["device"], "device")
        must(not devices or devices[-1] == by, "CREDENTIAL-11.1: a chain")
        signed("device-statement", by, outer["statement"], outer["signature"])
        devices += [device] if devices else [by, device]
    must(not devices or devices[-1] == leads_to, "CREDENTIAL-11.1: where it leads")
    must(len(set(devices)) == len(devices), "CREDENTIAL-11.1: a device twice")
    return tuple(devices[:-1])


@lru_cache(1 << 14)
def root_statement(content, space):
    """CREDENTIAL-5."""
    outer = read(content, CARRIED)
    said = read(outer["statement"], ROOT_STATEMENT)
    identity = id_of(said["identity"], "root key")
    must(said["version"] == 1, "CREDENTIAL-5: version")
    must(said["scope"] in (b"", space), "CREDENTIAL-5: the scope")
    first = said["number"] == 0  # CREDENTIAL-5.2
    must(len(said["previous"]) == (0 if first else 32), "CREDENTIAL-5.2: the statement before")
    must(len(said["next_root"]) == (32 if first else 0), "CREDENTIAL-5.2: the next root key")
    signed("root-statement-signed", identity, outer["statement"], outer["signature"])
    if said["kind"] == 1:  # CREDENTIAL-5.1
        return DeviceAdmitted(identity, id_of(read(said["content"], {1: data("device")})["device"], "device"))
    if said["kind"] == 2:
        return RecoveryKeySet(identity, said["number"], id_of(read(said["content"], {1: data("key")})["key"], "recovery key"))
    must(said["kind"] == 3, "CREDENTIAL-5.1: what it can say")
    removed = read(said["content"], {1: data("device"), 2: CUTS, 3: flag("cuts_named")})  # CREDENTIAL-5.4
    must(removed["cuts_named"] or not removed["cuts"], "CREDENTIAL-5.4: cuts that are not named")
    named = cuts(removed["cuts"]) if removed["cuts_named"] else None
    return RootDeviceRemoved(identity, said["number"], id_of(removed["device"], "device"), named)


def lockbox(encoded):
    """CREDENTIAL-7.2."""
    said = read(encoded, LOCKBOX)
    must(said["kind"] in (1, 2, 3), "CREDENTIAL-7.2: whom it is for")
    for name in ("epoch", "recipient", "key", "encapsulated"):
        id_of(said[name], name)
    return Lockbox(said["epoch"], said["kind"], said["recipient"], said["key"])


def epoch(content, space):
    """CREDENTIAL-7, CREDENTIAL-7.1."""
    table = {1: data("statement", MANY), 2: data("lockboxes", 512, 4_096), 3: data("sealed_access", MANY), 4: data("sealed_content", MANY)}
    table |= {5: data("encapsulated"), 6: data("ciphertexts", 48 * 4_096)}
    outer = read(content, table)
    said = read(outer["statement"], EPOCH_STATEMENT)
    recipients = []
    for encoded in said["recipients"]:
        one = read(encoded, RECIPIENT)
        must(one["kind"] in (1, 2, 3), "CREDENTIAL-7.2: whom it is for")
        recipients.append((one["kind"], id_of(one["recipient"], "recipient"), id_of(one["key"], "key")))
    parts = [space, id_of(said["content_commitment"], "commitment"), id_of(said["access_commitment"], "commitment")]
    parts += [len(said["parents"]), *(id_of(parent, "parent") for parent in said["parents"])]
    if said["keys"] or outer["encapsulated"] or outer["ciphertexts"]:  # CREDENTIAL-7.3
        names = tuple(said["keys"][at : at + 16] for at in range(0, len(said["keys"]), 16))
        must(not recipients and not outer["lockboxes"], "CREDENTIAL-7.3: both ways in one epoch")
        must(all(len(one) == 16 for one in names), "CREDENTIAL-7.3: names of 16 bytes")
        must(all(one < other for one, other in zip(names, names[1:])), "CREDENTIAL-7.3: ascending")
        must(len(outer["encapsulated"]) == 32 and len(outer["ciphertexts"]) == 48 * len(names), "CREDENTIAL-7.3: what is sealed to them")
        return EpochStarted(hashed("epoch-of-keys", *parts, len(names), *names), tuple(said["parents"]), (), (), names)  # CRYPTO-7.5
    parts.append(len(recipients))
    for one in recipients:
        parts += one
    name = hashed("epoch", *parts)  # CRYPTO-7.2
    lockboxes = tuple(lockbox(one) for one in outer["lockboxes"])
    for one in lockboxes:
        must(one.epoch == name and (one.kind, one.recipient, one.key) in recipients, "CREDENTIAL-7.1: for this epoch and a recipient")
    return EpochStarted(name, tuple(said["parents"]), tuple(recipients), lockboxes)


def invitation_id(space, key):
    """CREDENTIAL-8.1."""
    return hashed("invitation", space, id_of(key, "invitation key"))


def issued(content, space):
    """CREDENTIAL-8."""
    said = read(content, {1: data("key"), 2: u32("role"), 3: u32("uses"), 4: u64("expires_ms")})
    must(1 <= said["uses"] <= 10_000, "CREDENTIAL-8: uses")
    return InvitationIssued(invitation_id(space, said["key"]), role(said["role"]), said["uses"])


@lru_cache(1 << 14)
def redeemed(content, space):
    """CREDENTIAL-8.2, CREDENTIAL-8.3."""
    must(len(content) <= 9 * 1024, "CREDENTIAL-9: a redemption")
    outer = read(content, {1: data("statement", 8_192), 2: data("invitation_signature", 64), 3: data("device_signature", 64)})
    said = read(outer["statement"], REDEMPTION)
    for name in ("space", "invitation", "identity", "device", "pre_key", "host"):
        id_of(said[name], name)
    must(said["space"] == space, "CREDENTIAL-2.3: another space")
    signed("redemption-invitation", said["invitation"], outer["statement"], outer["invitation_signature"])
    signed("redemption-device", said["device"], outer["statement"], outer["device_signature"])
    admitted, recovery = root_statement(said["device_admitted"], space), root_statement(said["recovery_key_set"], space)
    through = chain(said["chain"], said["identity"], said["device"])
    first = through[0] if through else said["device"]
    must(admitted == DeviceAdmitted(said["identity"], first), "CREDENTIAL-8.3: the device's admission")
    must(isinstance(recovery, RecoveryKeySet) and recovery.identity == said["identity"], "CREDENTIAL-8.3: the recovery key")
    invitation = invitation_id(space, said["invitation"])
    feeds = both_feeds(said, space)
    return InvitationRedeemed(invitation, said["identity"], said["device"], said["pre_key"], recovery, feeds, said["host"], through)


def both_feeds(said, space):
    """CREDENTIAL-8.3, CREDENTIAL-11.2: the ids of the feeds that a device names."""
    feeds = [manifest(said[name], space) for name in ("control", "data")]
    for feed, purpose in zip(feeds, (CONTROL, DATA)):
        must(feed.device == said["device"] and feed.purpose == purpose, "CREDENTIAL-8.3: the feeds")
    return tuple(feed.feed for feed in feeds)


def linked(content, space):
    """CREDENTIAL-11.2."""
    outer = read(content, {1: data("statement", 2_048), 2: data("device_signature", 64)})
    said = read(outer["statement"], LINKED_STATEMENT)
    for name in ("space", "identity", "device", "pre_key", "host"):
        id_of(said[name], name)
    must(said["space"] == space, "CREDENTIAL-2.3: another space")
    signed("device-linked", said["device"], outer["statement"], outer["device_signature"])
    return DeviceLinked(said["identity"], said["device"], said["pre_key"], both_feeds(said, space), said["host"])


def pre_key(content):
    """CREDENTIAL-6."""
    said = read(content, {1: data("device"), 2: u64("number"), 3: data("key")})
    return PreKeySet(id_of(said["device"], "device"), said["number"], id_of(said["key"], "key"))


def member_removed(content):
    """CREDENTIAL-10.3."""
    said = read(content, {1: data("identity"), 2: CUTS})
    return MemberRemoved(id_of(said["identity"], "identity"), cuts(said["cuts"]))


def device_removed(content):
    """CREDENTIAL-10.4."""
    said = read(content, {1: data("device"), 2: CUTS})
    return DeviceRemoved(id_of(said["device"], "device"), cuts(said["cuts"]))


def role_changed(content):
    """CREDENTIAL-10.5."""
    said = read(content, {1: data("identity"), 2: u32("role"), 3: CUTS})
    return MemberRoleChanged(id_of(said["identity"], "identity"), role(said["role"]), cuts(said["cuts"]))


def feed_closed(content):
    """CREDENTIAL-10.6: of a feed of which nothing stands the cut has no root."""
    encoded = read(content, {1: data("cut", 128)})["cut"]
    said = read(encoded, CUT)
    if said["length"] == 0:
        must(not said["root"], "CREDENTIAL-10.6: a root of nothing")
        return FeedClosed(id_of(said["feed"], "feed"), {})
    feed, length = cut(encoded)
    return FeedClosed(feed, {feed: length})


def revoked(content):
    """CREDENTIAL-10.7."""
    said = read(content, {1: data("invitation"), 2: data("standing", 32, 4_096)})
    standing = [id_of(one, "entry") for one in said["standing"]]
    must(all(a < b for a, b in zip(standing, standing[1:])), "CREDENTIAL-10.7: entries ascend")
    return InvitationRevoked(id_of(said["invitation"], "invitation"), tuple(standing))


def cut_raised(content):
    """CREDENTIAL-10.8, CREDENTIAL-10.2."""
    said = read(content, {1: data("entry"), 2: CUTS, 3: u32("part")})
    return CutRaised(id_of(said["entry"], "entry"), said["part"], cuts(said["cuts"]))


@lru_cache(1 << 12)
def fork_proven(content, space):
    """CREDENTIAL-12."""
    said = read(content, {1: data("proof", 256 << 10), 2: data("manifest", 256), 3: u32("held")})
    named, key = one_spelling(said["manifest"], space)
    proof = proofs.fork(said["proof"], named.feed, key, named.purpose)
    must(said["held"] in (1, 2), "CREDENTIAL-12: whose head")
    held = said["held"] - 1
    return ForkProven(named, proof.common, proof.heads[held], proof.entries[held])


def rules_changed(content):
    """CREDENTIAL-10.10."""
    said = read(content, {1: u32("rules")})
    must(said["rules"] >= 1, "CREDENTIAL-10.10: at least 1")
    return RulesChanged(said["rules"])


def seal(content):
    """CREDENTIAL-10.9."""
    said = read(content, {1: data("entry"), 2: u32("part")})
    return Seal(id_of(said["entry"], "entry"), said["part"])


def lockbox_refused(content):
    """CREDENTIAL-7.4."""
    said = read(content, {1: data("epoch"), 2: data("device")})
    return LockboxRefused(id_of(said["epoch"], "epoch"), id_of(said["device"], "device"))


def policy_changed(content):
    """CREDENTIAL-10.11."""
    said = read(content, {1: u32("history")})
    must(said["history"] in (1, 2), "CREDENTIAL-10.11: 1 or 2")
    return PolicyChanged(said["history"])


SMALL_ORDER = {  # CRYPTO-7.3
    *(number.to_bytes(32, "little") for number in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18)),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
}


def is_usable(key):
    """CRYPTO-7.3: something can be sealed to it."""
    return bytes([*key[:31], key[31] & 0x7F]) not in SMALL_ORDER


KINDS = {  # CREDENTIAL-2.1: all of them critical but 17
    1: genesis,
    2: root_statement,
    3: lambda content, space: FeedAdmitted(manifest(read(content, {1: data("manifest", 512)})["manifest"], space)),
    4: lambda content, _: pre_key(content),
    5: epoch,
    6: issued,
    7: redeemed,
    8: lambda content, _: LockboxAdded(lockbox(read(content, {1: data("lockbox", 512)})["lockbox"])),
    9: lambda content, _: member_removed(content),
    10: lambda content, _: device_removed(content),
    11: lambda content, _: role_changed(content),
    12: lambda content, _: feed_closed(content),
    13: lambda content, _: revoked(content),
    14: lambda content, _: cut_raised(content),
    15: fork_proven,
    16: lambda content, _: rules_changed(content),
    17: lambda content, _: lockbox_refused(content),
    19: lambda content, _: seal(content),
    20: linked,
    21: lambda content, _: policy_changed(content),
}


@lru_cache(1 << 14)
def part(encoded, space):
    """CREDENTIAL-2: (the rules version that its author writes by, what it says)."""
    said = read(encoded, {1: data("space"), 2: u32("kind"), 3: u32("version"), 4: flag("critical"), 5: data("content", MANY)})
    must(said["space"] == space, "CREDENTIAL-2: another space")
    if said["kind"] not in KINDS:  # CREDENTIAL-2.2
        return said["version"], Unknown(said["kind"], bool(said["critical"]))
    must(said["critical"] == (said["kind"] != 17), "CREDENTIAL-2.1: the critical bit")
    return said["version"], KINDS[said["kind"]](said["content"], space)


def body(encoded, space):
    """CREDENTIAL-1: the parts in order, or None."""
    try:
        must(len(encoded) <= MANY, "CREDENTIAL-1: 1 MiB")
        parts = read(encoded, {1: data("credentials", MANY, 1_024)})["credentials"]
        must(parts, "CREDENTIAL-1: 1 to 1,024 parts")
        return [part(one, space) for one in parts]
    except Malformed:
        return None
