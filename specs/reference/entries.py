"""Entries, their places and order, roles, and what is noted of each: the words in which the rules are written."""

from dataclasses import dataclass, field

import credentials as say

OWNER, ADMIN, WRITER, READER, KEEPER = 4, 3, 2, 1, 5
FROM_JOINING = 2  # the other policy is 1, all history
RANK = {OWNER: 4, ADMIN: 3, WRITER: 2, READER: 1, KEEPER: 0}  # CREDENTIAL-3
NAMES = {OWNER: "owner", ADMIN: "admin", WRITER: "writer", READER: "reader", KEEPER: "keeper"}
DEVICE_KIND, RECOVERY_KIND, KEEPER_KIND = 1, 2, 3  # CREDENTIAL-7.2
RULES = 1  # CREDENTIAL-2


def administers(role):
    """CREDENTIAL-3."""
    return role in (ADMIN, OWNER)


def writes(role):
    """CREDENTIAL-3."""
    return role in (WRITER, ADMIN, OWNER)


def reads(role):
    """CREDENTIAL-3."""
    return role in (READER, WRITER, ADMIN, OWNER)


def may_grant(role, given):
    """CREDENTIAL-3.1."""
    return role == OWNER or role == ADMIN and given in (WRITER, READER, KEEPER)


class Entry:
    """An entry of a control feed. `past` is a length for each other feed; `parts` is None where the body is malformed."""

    def __init__(self, feed, seq, id, past, parts):
        self.feed, self.seq, self.id, self.past, self.parts = feed, seq, id, {**past, feed: seq}, parts or []
        self.order = (sum(self.past.values()), id)  # SPACE-2.1
        self.places = [Place(self, part) for part in range(len(self.parts))]

    def with_past(self, past):
        """SPACE-16.2: the same entry, with less in its past."""
        others = {feed: length for feed, length in self.past.items() if feed != self.feed}
        return self if past == others else Entry(self.feed, self.seq, self.id, past, self.parts)

    def saw(self, other):
        """SPACE-2, of whole entries."""
        return other.seq < self.past.get(other.feed, 0)


class Place:
    """A part of an entry. What is compared is the order of SPACE-2.1, with the part last."""

    __slots__ = ("entry", "part", "order")

    def __init__(self, entry, part):
        self.entry, self.part, self.order = entry, part, (*entry.order, part)

    def saw(self, other):
        """SPACE-2: whether `other` is in the past of this part."""
        return self.entry.saw(other.entry) or (self.entry is other.entry and other.part < self.part)

    def saw_any(self, places):
        """SPACE-3.3: a statement is in the past if any place of it is."""
        return any(self.saw(place) for place in places)


class Now:
    """Asks for what holds under all that is known (SPACE-3.2)."""

    def saw(self, other):
        return True

    def saw_any(self, places):
        return bool(places)


NOW = Now()


@dataclass(frozen=True)
class Author:
    """SPACE-3.1."""

    device: bytes
    identity: bytes


@dataclass
class Grant:
    """A place where an identity is given a role, and who gave it where (SPACE-3.2)."""

    place: Place
    role: int
    chain: int  # SPACE-12.1


@dataclass(frozen=True)
class Standing:
    """SPACE-12.1. What sorts first stands highest."""

    role: int
    chain: int
    order: tuple

    @property
    def key(self):
        return (-RANK[self.role], self.chain, self.order)


class Act:
    """What takes a right away (SPACE-11). A root key's has no author, and as many places as it has carriers (SPACE-14.2)."""

    def __init__(self, said, places):
        self.said, self.places = said, places
        self.root = isinstance(said, say.RootDeviceRemoved)
        self.author = self.standing = None  # by whom, and how that one stood when it was decided
        self.statements = [said]

    @property
    def place(self):
        return self.places[0]

    @property
    def identity(self):
        """The identity on which it is an act (SPACE-3.2), if any."""
        return self.said.identity if isinstance(self.said, (say.MemberRemoved, say.MemberRoleChanged)) else None

    @property
    def lowers_to(self):
        """None for a removal."""
        return self.said.role if isinstance(self.said, say.MemberRoleChanged) else None

    def is_before(self, place):
        """SPACE-3.2: whether it is in the past of a grant or an admission. What it is not before it touches."""
        return place.saw_any(self.places)


ACTS = (say.MemberRemoved, say.DeviceRemoved, say.MemberRoleChanged, say.FeedClosed, say.InvitationRevoked, say.CutRaised)


@dataclass
class Admission:
    """Of a device: where, for whom, and through which devices it came (CREDENTIAL-11.1)."""

    place: Place
    identity: bytes
    through: tuple


@dataclass
class Feed:
    manifest: say.Manifest
    admissions: list = field(default_factory=list)


@dataclass
class Issue:
    place: Place
    said: say.InvitationIssued
    author: Author
    standing: Standing


@dataclass
class Witness:
    """SPACE-16.1."""

    place: Place
    said: say.ForkProven
    author: Author
    standing: Standing
