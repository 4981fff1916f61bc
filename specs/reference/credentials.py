"""Bodies of control entries, read and checked as specs/credential.md says. A malformed body gives None."""

import blake3
import ed25519

KNOWN = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 19}
RULES = 1


class Malformed(Exception):
    """The entry says nothing."""


def need(holds):
    if not holds:
        raise Malformed


def message(data):
    """Fields by number, each a list of numbers and byte strings."""
    fields, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            need(at < len(data) and shift < 64)
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        need(key >> 3 and key & 7 in (0, 2))
        if key & 7 == 0:
            value = varint()
        else:
            length = varint()
            need(at + length <= len(data))
            value = data[at : at + length]
            at += length
        fields.setdefault(key >> 3, []).append(value)
    return fields


def number(fields, at):
    value = fields.get(at, [0])[-1]
    need(isinstance(value, int))
    return value


def bytes_of(fields, at, length=None):
    value = fields.get(at, [b""])[-1]
    need(isinstance(value, bytes) and length in (None, len(value)))
    return value


def u64(value):
    return value.to_bytes(8, "little")


def var(data):
    return u64(len(data)) + data


def h(what, *parts):
    return blake3.derive_key(f"weft/{what}/1", b"".join(parts))


CHECKED = {}


def signed(key, what, statement, signature):
    asked = (key, what, statement, signature)
    if asked not in CHECKED:
        CHECKED[asked] = ed25519.verify(key, f"weft/{what}/1".encode() + b"\0" + statement, signature)
    need(CHECKED[asked])


def manifest(data, space):
    """A SignedManifest: device, purpose (1 control, 2 data), generation and id."""
    outer = message(data)
    inner = bytes_of(outer, 1)
    fields = message(inner)
    device, key = bytes_of(fields, 3, 32), bytes_of(fields, 4, 32)
    purpose, generation = number(fields, 5), number(fields, 6)
    need(number(fields, 1) == 1 and bytes_of(fields, 2, 32) == space and purpose in (1, 2))
    signed(device, "manifest-device", inner, bytes_of(outer, 2, 64))
    signed(key, "manifest-feed", inner, bytes_of(outer, 3, 64))
    return manifest_of(space, device, key, purpose, generation)


def manifest_of(space, device, key, purpose, generation):
    feed = h("feed", u64(1), space, device, key, u64(purpose), u64(generation))
    return {"feed": feed, "device": device, "purpose": purpose, "generation": generation}


def genesis(data, space):
    outer = message(data)
    statement = bytes_of(outer, 1)
    fields = message(statement)
    need(number(fields, 1) == 1 and h("genesis", var(statement)) == space and number(fields, 4) in (1, 2))
    bytes_of(fields, 5, 32)
    root, device, key = bytes_of(fields, 2, 32), bytes_of(fields, 6, 32), bytes_of(fields, 7, 32)
    signed(device, "genesis-device", statement, bytes_of(outer, 2, 64))
    feed = manifest_of(space, device, key, 1, 0)
    return {"root": root, "rules": number(fields, 3), "device": device, "manifest": feed}


def root_statement(data, space):
    outer = message(data)
    statement = bytes_of(outer, 1)
    fields = message(statement)
    identity, scope = bytes_of(fields, 2, 32), bytes_of(fields, 3)
    said, previous, following = number(fields, 4), bytes_of(fields, 5), bytes_of(fields, 6)
    need(number(fields, 1) == 1 and scope in (b"", space))
    need((said == 0) == (previous == b"") == (following != b""))
    need(len(previous) in (0, 32) and len(following) in (0, 32))
    signed(identity, "root-statement-signed", statement, bytes_of(outer, 2, 64))
    kind, content = number(fields, 7), message(bytes_of(fields, 8))
    result = {"identity": identity, "number": said, "kind": kind}
    need(kind in (1, 2, 3))
    result["subject"] = bytes_of(content, 1, 32)
    if kind == 3:
        named, cuts = number(content, 3), cuts_of(content, 2)
        need(named in (0, 1) and (named or not cuts))
        result["cuts"] = cuts if named else None
    return result


def cuts_of(fields, at):
    """Length by feed."""
    found, before = {}, b""
    for data in fields.get(at, []):
        cut = message(data)
        feed, length = bytes_of(cut, 1, 32), number(cut, 2)
        bytes_of(cut, 3, 32)
        need(1 <= length <= 1 << 42 and feed > before)
        found[feed], before = length, feed
    return found


def recipient(fields, first):
    kind = number(fields, first)
    need(kind in (1, 2, 3))
    return (kind, bytes_of(fields, first + 1, 32), bytes_of(fields, first + 2, 32))


def lockbox(data):
    fields = message(data)
    bytes_of(fields, 5, 32)
    return {"epoch": bytes_of(fields, 1, 32), "recipient": recipient(fields, 2)}


def epoch(fields, space):
    statement = message(bytes_of(fields, 1))
    content, access = bytes_of(statement, 1, 32), bytes_of(statement, 2, 32)
    parents = statement.get(3, [])
    need(all(len(parent) == 32 for parent in parents))
    recipients = [recipient(message(data), 1) for data in statement.get(4, [])]
    listed = b"".join(u64(kind) + who + key for kind, who, key in recipients)
    id = h("epoch", space, content, access, u64(len(parents)), *parents, u64(len(recipients)), listed)
    lockboxes = [lockbox(data) for data in fields.get(2, [])]
    need(all(box["epoch"] == id and box["recipient"] in recipients for box in lockboxes))
    return {"epoch": id, "parents": parents, "recipients": recipients, "lockboxes": lockboxes}


def redemption(data, space):
    outer = message(data)
    statement = bytes_of(outer, 1)
    fields = message(statement)
    key, identity, device = bytes_of(fields, 2, 32), bytes_of(fields, 3, 32), bytes_of(fields, 6, 32)
    need(bytes_of(fields, 1, 32) == space)
    signed(key, "redemption-invitation", statement, bytes_of(outer, 2, 64))
    signed(device, "redemption-device", statement, bytes_of(outer, 3, 64))
    admitted = root_statement(bytes_of(fields, 4), space)
    recovery = root_statement(bytes_of(fields, 5), space)
    need(admitted["identity"] == recovery["identity"] == identity)
    need((admitted["kind"], admitted["subject"], recovery["kind"]) == (1, device, 2))
    feeds = [manifest(bytes_of(fields, at), space) for at in (8, 9)]
    need([feed["purpose"] for feed in feeds] == [1, 2] and all(feed["device"] == device for feed in feeds))
    return {
        "invitation": h("invitation", space, key),
        "identity": identity,
        "device": device,
        "pre_key": bytes_of(fields, 7, 32),
        "recovery": (recovery["number"], recovery["subject"]),
        "feeds": [feed["feed"] for feed in feeds],
        "host": bytes_of(fields, 10, 32),
    }


def ascending(values):
    need(all(one < following for one, following in zip(values, values[1:])))
    return values


def content_of(kind, data, space):
    if kind == 1:
        return genesis(data, space)
    if kind == 2:
        return root_statement(data, space)
    if kind == 7:
        return redemption(data, space)
    fields = message(data)
    if kind == 3:
        return manifest(bytes_of(fields, 1), space)
    if kind == 4:
        return {"device": bytes_of(fields, 1, 32), "number": number(fields, 2), "key": bytes_of(fields, 3, 32)}
    if kind == 5:
        return epoch(fields, space)
    if kind == 6:
        role, uses = number(fields, 2), number(fields, 3)
        need(1 <= role <= 5 and 1 <= uses <= 10_000)
        return {"invitation": h("invitation", space, bytes_of(fields, 1, 32)), "role": role, "uses": uses}
    if kind == 8:
        return lockbox(bytes_of(fields, 1))
    if kind in (9, 10):
        return {"target": bytes_of(fields, 1, 32), "cuts": cuts_of(fields, 2)}
    if kind == 11:
        need(1 <= number(fields, 2) <= 5)
        return {"target": bytes_of(fields, 1, 32), "role": number(fields, 2), "cuts": cuts_of(fields, 3)}
    if kind == 12:
        cut = message(bytes_of(fields, 1))
        nothing = number(cut, 2) == 0 and bytes_of(cut, 3) == b""
        return {"target": bytes_of(cut, 1, 32), "cuts": {} if nothing else cuts_of(fields, 1)}
    if kind == 13:
        standing = ascending(fields.get(2, []))
        need(all(len(id) == 32 for id in standing))
        return {"target": bytes_of(fields, 1, 32), "standing": standing, "cuts": {}}
    if kind == 14:
        return {"named": (bytes_of(fields, 1, 32), number(fields, 3)), "cuts": cuts_of(fields, 2)}
    if kind == 16:
        need(number(fields, 1) > 0)
        return {"rules": number(fields, 1)}
    return {"named": (bytes_of(fields, 1, 32), number(fields, 2))}


def body(data, space):
    """The parts, each a kind, a rules version, a critical bit and a content; None for a malformed body."""
    try:
        parts = []
        credentials = message(data).get(1, [])
        need(1 <= len(credentials) <= 1024)
        for credential in credentials:
            need(isinstance(credential, bytes))
            fields = message(credential)
            kind, critical = number(fields, 2), number(fields, 4)
            need(bytes_of(fields, 1, 32) == space and critical in (0, 1))
            known = kind in KNOWN
            need(critical or not known)
            content = content_of(kind, bytes_of(fields, 5), space) if known else None
            parts.append({"kind": kind, "version": number(fields, 3), "critical": critical, "content": content})
        return parts
    except Malformed:
        return None
