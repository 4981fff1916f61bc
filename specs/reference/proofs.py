"""Proofs about feeds for who does not hold them: FEED-7, over the tree of FEED-3 and the headers of FEED-2."""

from dataclasses import dataclass

from messages import BYTES, CONTROL, data, hashed, id_of, must, number, read, signed, spelling, u32, u64, var

HEAD = {1: data("feed"), 2: u64("length"), 3: u64("byte_length"), 4: data("root"), 5: data("signature", 64)}
DEP = {1: data("feed"), 2: u64("length"), 3: data("root")}
HEADER = {
    1: u64("seq"), 2: u32("kind"), 3: u64("session"), 4: data("epoch"), 5: u64("claimed_time"), 6: ("deps", BYTES, 512, 128),
    7: data("body_hash"), 8: u64("body_len"),
}
NODE = {1: u64("index"), 2: data("hash"), 3: u64("size")}
BLOCK = {1: data("head", 256), 2: u64("seq"), 3: data("header", 65_536), 4: ("nodes", BYTES, 128, 64)}
CONSISTENCY = {1: u64("length"), 2: ("nodes", BYTES, 192, 64)}
FORK = {
    1: data("first", 256), 2: data("second", 256), 3: u64("common"), 4: data("first_consistency", 65_536), 5: data("second_consistency", 65_536),
    6: data("first_leaf", 131_072), 7: data("second_leaf", 131_072),
}
LONGEST = 1 << 42  # FEED-1.2
CONTROL_ENTRY, MUTATION, RECORD, MERGE = 1, 2, 3, 4  # FEED-2.3


@dataclass(frozen=True)
class Head:
    feed: bytes
    length: int
    byte_length: int
    root: bytes


def head(encoded, key):
    """CRYPTO-5.2."""
    said = read(encoded, HEAD)
    feed, root = id_of(said["feed"], "feed"), id_of(said["root"], "root")
    must(1 <= said["length"] <= LONGEST, "CRYPTO-5.2: a length")
    signed("head", key, feed + number(said["length"]) + number(said["byte_length"]) + root, said["signature"])
    return Head(feed, said["length"], said["byte_length"], root)


def header(written, purpose):
    """FEED-2: what a header says, if it is one."""
    must(len(written) <= 65_536, "FEED-1.2: a header")
    said = read(written, HEADER)
    must(spelling(said, HEADER) == written, "FEED-2.1: another spelling")
    id_of(said["body_hash"], "body hash")
    must(said["body_len"] <= 1 << 20, "FEED-1.2: a body")
    deps = [read(one, DEP) for one in said["deps"]]
    for one, dep in zip(said["deps"], deps):
        must(spelling(dep, DEP) == one and 1 <= dep["length"] <= LONGEST, "FEED-2.4: a dep")
        id_of(dep["feed"], "feed"), id_of(dep["root"], "root")
    must(all(a["feed"] < b["feed"] for a, b in zip(deps, deps[1:])), "FEED-2.4: deps ascend")
    kind, sealed = said["kind"], said["kind"] in (MUTATION, RECORD)  # FEED-2.3
    must(kind in ((CONTROL_ENTRY, MERGE) if purpose == CONTROL else (MUTATION, RECORD, MERGE)), "FEED-2.3: a kind")
    must(len(said["epoch"]) == (32 if sealed else 0) and (sealed or said["session"] == 0), "FEED-2.3: epoch and session")
    must(kind != MERGE or said["body_len"] == 0, "FEED-2.3: a merge with a body")
    return said


def leaf(written):
    """FEED-1.1."""
    return hashed("leaf", var(written))


def entry_id(feed, seq, written):
    """FEED-2.5."""
    return hashed("entry", feed, seq, leaf(written))


# The tree: FEED-3.2. A node is (index, hash, size); entry n is at 2n.

def peaks(length):
    """The indices of the peaks, left to right."""
    found, start = [], 0
    while length:
        size = 1 << length.bit_length() - 1
        found.append(2 * start + size - 1)
        start, length = start + size, length - size
    return found


def step(index):
    """Half of the way from a node to its sibling."""
    return (index ^ index + 1) + 1 >> 1


def is_left(index):
    """Whether a node is the left child of its parent."""
    span = step(index)
    return index // (2 * span) % 2 == 0


def joined(left, right):
    """FEED-3.2: the parent."""
    parent = (left[0] + right[0]) // 2
    return parent, hashed("parent", left[1], right[1], left[2], right[2]), left[2] + right[2]


def root(length, tops):
    """FEED-3.3."""
    parts = [length, sum(size for _, _, size in tops)]
    for _, top, size in tops:
        parts += [top, size]
    return hashed("root", *parts)


class Nodes:
    """FEED-7: nodes in their order, each with its place, none missing and none too many."""

    def __init__(self, listed):
        self.left = [read(one, NODE) for one in listed]

    def take(self, index):
        must(self.left and self.left[0]["index"] == index, "FEED-7: a node out of place")
        node = self.left.pop(0)
        must(node["size"] < 1 << 56, "FEED-7: a size")
        return index, id_of(node["hash"], "hash"), node["size"]


def is_under(top, tops):
    """Compares a tree with a head."""
    must(sum(size for _, _, size in tops) == top.byte_length and root(top.length, tops) == top.root, "FEED-7: another root")


def block(proof, key, purpose):
    """FEED-7.1: (head, seq, header as written)."""
    said = read(proof, BLOCK)
    top, seq, written = head(said["head"], key), said["seq"], said["header"]
    named = header(written, purpose)
    must(named["seq"] == seq < top.length, "FEED-7.1: another entry")
    nodes, at = Nodes(said["nodes"]), (2 * seq, leaf(written), len(written) + named["body_len"])
    ends = peaks(top.length)
    while at[0] not in ends:
        other = nodes.take(at[0] + (2 if is_left(at[0]) else -2) * step(at[0]))
        at = joined(at, other) if is_left(at[0]) else joined(other, at)
    tops = [at if index == at[0] else nodes.take(index) for index in ends]
    must(not nodes.left, "FEED-7: a node too many")
    is_under(top, tops)
    return top, seq, written


def consistency(proof, top):
    """FEED-7.2: (length, peaks) of a prefix under a head."""
    said = read(proof, CONSISTENCY)
    length = said["length"]
    must(length <= top.length, "FEED-7.2: a prefix")
    nodes, ends = Nodes(said["nodes"]), peaks(top.length)
    prefix = [nodes.take(index) for index in peaks(length)]
    tops = list(prefix)
    while tops and tops[-1][0] not in ends:
        at = tops.pop()
        if is_left(at[0]):
            tops.append(joined(at, nodes.take(at[0] + 2 * step(at[0]))))
        else:
            tops.append(joined(tops.pop(), at))
    tops += [nodes.take(index) for index in ends[len(tops) :]]
    must(not nodes.left, "FEED-7: a node too many")
    is_under(top, tops)
    return length, prefix


@dataclass(frozen=True)
class Fork:
    """FEED-7.3: two histories of a feed. Of each its head and the entry where they part."""

    common: int
    heads: tuple
    entries: tuple


def fork(proof, feed, key, purpose):
    """FEED-7.3."""
    said = read(proof, FORK)
    common, heads, headers, prefixes = said["common"], [], [], []
    for which in ("first", "second"):
        top = head(said[which], key)
        under, seq, written = block(said[f"{which}_leaf"], key, purpose)
        length, prefix = consistency(said[f"{which}_consistency"], top)
        must(top.feed == feed and under == top and seq == common == length, "FEED-7.3: parts about something else")
        heads.append(top), headers.append(written), prefixes.append(prefix)
    must(prefixes[0] == prefixes[1], "FEED-7.3: two prefixes")
    must(leaf(headers[0]) < leaf(headers[1]), "FEED-7.3: the lower leaf is the first")
    return Fork(common, tuple(heads), tuple(entry_id(feed, common, written) for written in headers))
