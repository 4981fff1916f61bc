"""Messages read within their bounds, hashes, signatures and manifests: what is below every credential and every proof."""

from dataclasses import dataclass
from functools import lru_cache

import blake3
import ed25519


class Malformed(Exception):
    """One part that breaks a rule makes the entry malformed."""


def must(holds, rule):
    if not holds:
        raise Malformed(rule)


# Messages: WIRE-3.1. A table says of each field: its name, its type, how often it may occur, and what one occurrence may hold.

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MANY = 1 << 20  # bytes: what only an entry's body can carry


def u32(name):
    return (name, VARINT, 1, (1 << 32) - 1)


def u64(name):
    return (name, VARINT, 1, (1 << 64) - 1)


def flag(name):
    return (name, VARINT, 1, 1)


def data(name, most=32, times=1):
    return (name, BYTES, times, most)


def _varint(message, at):
    """WIRE-1.1: at most ten bytes and 64 bits."""
    value = 0
    for shift in range(0, 70, 7):
        must(at < len(message), "WIRE-3.1: cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            must(value < 1 << 64, "WIRE-3.1: a varint beyond 64 bits")
            return value, at
    raise Malformed("WIRE-1.1: a varint of more than ten bytes")


def _take(message, at, count):
    must(at + count <= len(message), "WIRE-3.1: a length runs over the end")
    return message[at : at + count], at + count


def read(message, table):
    """WIRE-3.1: the fields by name. One that is not there is 0 or empty; one that may occur often is a list; unknown ones are stepped over."""
    found = {name: ([] if times > 1 else (0 if wire == VARINT else b"")) for name, wire, times, _ in table.values()}
    seen = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        must(1 <= number < 1 << 29 and wire in (VARINT, FIXED64, BYTES, FIXED32), "WIRE-3.1: a tag")
        if wire == VARINT:
            value, at = _varint(message, at)
        elif wire == BYTES:
            count, at = _varint(message, at)
            value, at = _take(message, at, count)
        else:
            value, at = _take(message, at, 8 if wire == FIXED64 else 4)
        if number not in table:
            continue
        name, expected, times, most = table[number]
        must(wire == expected, "WIRE-3.1: a known field of another type")
        seen[name] = seen.get(name, 0) + 1
        must(seen[name] <= times, "WIRE-3.1: a field too often")
        must((value if wire == VARINT else len(value)) <= most, "WIRE-3.1: beyond a bound")
        if times > 1:
            found[name].append(value)
        else:
            found[name] = value
    return found


# Hashes and signatures: CRYPTO-1 and CRYPTO-2.

@lru_cache(1 << 16)
def hashed(context, *parts):
    """CRYPTO-2.1. A part is bytes of fixed width or a number; one of variable length is given with `var`."""
    return blake3.derive_key(f"weft/{context}/1", b"".join(number(part) if isinstance(part, int) else part for part in parts))


def number(value):
    """CRYPTO-1.1."""
    return value.to_bytes(8, "little")


def var(part):
    """CRYPTO-2.1: a part of variable length is preceded by its length."""
    return number(len(part)) + part


@lru_cache(1 << 16)
def is_signed(context, key, statement, signature):
    """CRYPTO-4.1."""
    return ed25519.verify(key, f"weft/{context}/1".encode() + b"\0" + statement, signature)


def signed(context, key, statement, signature):
    must(is_signed(context, key, statement, signature), f"CRYPTO-4.1: {context}")


def id_of(value, what):
    """CRYPTO-3.1: ids and keys have 32 bytes."""
    must(len(value) == 32, f"CRYPTO-3.1: {what}")
    return value


# Manifests: CRYPTO-5.1.

MANIFEST = {1: u32("version"), 2: data("space"), 3: data("device"), 4: data("feed_key"), 5: u32("purpose"), 6: u64("generation")}
SIGNED_MANIFEST = {1: data("manifest", 256), 2: data("device_signature", 64), 3: data("feed_signature", 64)}


@dataclass(frozen=True)
class Manifest:
    feed: bytes
    device: bytes
    purpose: int
    generation: int


CONTROL, DATA = 1, 2


@lru_cache(1 << 14)
def manifest(encoded, space):
    """CRYPTO-5.1: one spelling, both signatures, this space."""
    outer = read(encoded, SIGNED_MANIFEST)
    named, key = one_spelling(outer["manifest"], space)
    signed("manifest-device", named.device, outer["manifest"], outer["device_signature"])
    signed("manifest-feed", key, outer["manifest"], outer["feed_signature"])
    return named


def one_spelling(written, space):
    """CRYPTO-5.1: (what a manifest names, the feed's key), of this space."""
    inner = read(written, MANIFEST)
    must(spelling(inner, MANIFEST) == written, "CRYPTO-5.1: another encoding")
    must(inner["version"] == 1 and inner["purpose"] in (CONTROL, DATA), "CRYPTO-5.1: version and purpose")
    device, key = id_of(inner["device"], "device"), id_of(inner["feed_key"], "feed key")
    must(inner["space"] == space, "CREDENTIAL-2.3: another space")
    return Manifest(feed_id(space, device, key, inner["purpose"], inner["generation"]), device, inner["purpose"], inner["generation"]), key


def spelling(said, table):
    """The one spelling of a message: fields in the order of their numbers, none that holds its default, everything in its shortest form."""
    out = b""
    for field, (name, wire, times, _) in table.items():
        for value in said[name] if times > 1 else [said[name]]:
            if value or times > 1:
                out += spelt(field << 3 | wire) + (spelt(value) if wire == VARINT else spelt(len(value)) + value)
    return out


def spelt(value):
    """WIRE-1.1: the shortest form."""
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def feed_id(space, device, key, purpose, generation):
    """CRYPTO-5.1."""
    return hashed("feed", 1, space, device, key, purpose, generation)
