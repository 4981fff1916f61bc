"""What a space is: a pure function of the set of its control entries (SPACE-3). As plainly as the page reads; nothing is kept between two questions."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

import credentials as say
import forks
from credentials import CONTROL, DATA

OWNER, ADMIN, WRITER, READER, KEEPER = 4, 3, 2, 1, 5
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


class Reading:
    """One pass over the entries under the acts that count (SPACE-3). `open` to all contests it is the second pass of SPACE-3.3."""

    def __init__(self, entries, acts, open=False):
        self.entries, self.acts, self.open = entries, acts, open
        self.genesis = None
        self.feeds = {}  # feed: Feed, those whose admission counts
        self.generations = {}  # (device, purpose, generation): feed
        self.devices = defaultdict(list)  # device: [Admission], those that count
        self.device_count = defaultdict(set)  # identity: devices admitted for it
        self.grants = defaultdict(list)  # identity: [Grant]
        self.issues = defaultdict(list)  # invitation: [Issue]
        self.redemptions = defaultdict(list)  # invitation: [Place]
        self.named_feeds = defaultdict(list)  # feed: [Place], redemptions whose newcomer named it
        self.pre_keys = defaultdict(list)  # device: [(number, key, place)]
        self.recovery_keys = defaultdict(list)  # identity: [(number, key, place)]
        self.starts = defaultdict(list)  # epoch: [(place, EpochStarted)]
        self.depths = {}
        self.lockboxes = defaultdict(list)  # epoch: [Lockbox] that were added
        self.witnesses = defaultdict(list)  # forked feed: [Witness]
        self.rules = RULES
        self.stops = []  # places that stop writing
        self.seals_before = defaultdict(int)  # feed: Seals in it so far
        self.void = []  # (place, why)
        self.spoken = defaultdict(set)  # device: identities for which it signed that it acts, SPACE-14.4
        self.manifested = defaultdict(set)  # device: feeds of its that anybody would admit
        for entry in entries:
            for rules, said in entry.parts:
                if rules > RULES:
                    continue
                if isinstance(said, say.FeedAdmitted):
                    self.manifested[said.manifest.device].add(said.manifest.feed)
                if isinstance(said, say.SpaceGenesis):
                    self.spoken[said.device].add(said.root)
                if isinstance(said, (say.InvitationRedeemed, say.DeviceLinked)):
                    self.spoken[said.device].add(said.identity)
        self.decided = {act.place: act for act in acts if not act.root}
        self.named = {(place.entry.id, place.part): act for act in acts for place in act.places}
        self.acts_on = defaultdict(list)
        self.raised = defaultdict(lambda: defaultdict(int))  # act: feed: length
        for act in acts:
            if act.identity is not None:
                self.acts_on[act.identity].append(act)
        for act in acts:
            if isinstance(act.said, say.CutRaised):
                raised = self.raised[self.raised_by(act)]
                for feed, length in act.said.cuts.items():
                    raised[feed] = max(raised[feed], length)
        for entry in entries:
            for place in entry.places:
                self.read(place)

    def raised_by(self, act):
        """SPACE-11.3: the act that counts whose cuts a CutRaised raises: what it names, or what the CutRaised that it names raises."""
        while act and isinstance(act.said, say.CutRaised):
            act = self.named.get((act.said.entry, act.said.part))
        return act

    # Who

    def identity_of(self, device):
        """SPACE-5.2: a device acts for one identity, the first in the order."""
        return self.devices[device][0].identity if device in self.devices else None

    def first_admitted(self, device):
        """Where the device was first admitted; None if it was not."""
        return self.devices[device][0].place.order if device in self.devices else None

    def author(self, place):
        """SPACE-3.1: (author, None) or (None, why there is none)."""
        entry = place.entry
        if self.genesis and entry is self.genesis[0] and place.part > 0:
            return Author(self.genesis[1].device, self.genesis[1].root), None
        feed = self.feeds.get(entry.feed)
        if feed is None or feed.manifest.purpose != CONTROL or not any(entry.saw(at.entry) for at in feed.admissions):
            return None, "its feed's admission does not count or is not in its past"
        if self.lies_past_end(entry.feed, entry.seq, entry):
            return None, "past where the feed stands"
        return Author(feed.manifest.device, self.identity_of(feed.manifest.device)), None

    # Cuts

    def cut(self, act, feed):
        """SPACE-11.2: how long the feed stands for this act."""
        raised = self.raised[act][feed] if act in self.raised else 0
        control = feed in self.feeds and self.feeds[feed].manifest.purpose == CONTROL
        if act.root:
            return max(self.root_cut(act, feed, control), raised)
        seen = 0
        if control:
            entry = act.place.entry
            seen = entry.seq + 1 if entry.feed == feed else entry.past.get(feed, 0)
        return max(act.said.cuts.get(feed, 0), raised, seen)

    def root_cut(self, act, feed, control):
        """SPACE-14.2."""
        named = [said for said in act.statements if said.cuts is not None]
        if named:
            newest = max(said.number for said in named)
            return max(said.cuts.get(feed, 0) for said in named if said.number == newest)
        if not control:
            return 0
        return max((place.entry.past.get(feed, 0) for place in self.carriers_of_others(act)), default=0)

    def device_of(self, feed):
        return self.feeds[feed].manifest.device if feed in self.feeds else None

    def lies_past(self, act, feed, seq, entry):
        """SPACE-11.2: whether an entry at `seq` of `feed` lies past the act's cut. `entry` knows its past."""
        if self.is_to_itself(act) and self.was_earlier(self.device_of(feed), act.author.device):
            return any(entry.saw(place.entry) for place in act.places)
        return seq >= self.cut(act, feed)

    def is_to_itself(self, act):
        """What a member does to itself."""
        return act.identity is not None and act.author is not None and act.identity == act.author.identity

    def was_earlier(self, device, than):
        """Whether `device` was first admitted earlier in the order."""
        one, other = self.first_admitted(device), self.first_admitted(than)
        return one is not None and other is not None and one < other

    def ends(self, act, feed, admissions):
        """SPACE-11.2: whether the act ends the feed, as far as `admissions` of it are known."""
        said, device = act.said, self.device_of(feed)
        if isinstance(said, say.DeviceRemoved):
            return said.device == device
        if isinstance(said, say.RootDeviceRemoved):
            return said.device == device and self.identity_of(device) == said.identity
        if isinstance(said, say.FeedClosed):
            return said.feed == feed
        if isinstance(said, say.MemberRemoved):
            return said.identity == self.identity_of(device) and not any(act.is_before(at) for at in admissions)
        return False

    def ended_by(self, feed, admissions):
        """The acts that end the feed: SPACE-11.2, and SPACE-15.2 for a device all of whose chains are broken."""
        acts = [act for act in self.acts if self.ends(act, feed, admissions)]
        broken = [[act for act in self.acts if self.breaks(act, admission)] for admission in self.devices[self.device_of(feed)]]
        return acts + (sum(broken, []) if all(broken) else [])

    def breaks(self, act, admission):
        """SPACE-15.2: whether the act takes away what an admission by a chain rests on."""
        removes = any(self.removes_device(act, device, admission.identity) for device in admission.through)
        return removes and not self.knew(act, admission.place)

    def removes_device(self, act, device, identity):
        """A removal of the device, acting for the identity."""
        said = act.said
        if isinstance(said, say.RootDeviceRemoved):
            return (said.device, said.identity) == (device, identity)
        return isinstance(said, say.DeviceRemoved) and said.device == device

    def knew(self, act, place):
        """SPACE-15.2: whether a place is in the past of an act; of a root key's in that of carriers that the device did not write."""
        places = self.carriers_of_others(act) if act.root else act.places
        return any(at.saw(place) or at.entry is place.entry for at in places)

    def carriers_of_others(self, act):
        """SPACE-14.2: the carriers that the device itself did not write."""
        return [place for place in act.places if place.entry.feed not in self.manifested[act.said.device]]

    def lies_past_end(self, feed, seq, entry):
        """SPACE-11.2: whether the entry lies past where its feed stands."""
        known = [at for at in self.feeds[feed].admissions if entry.saw(at.entry)]
        return any(self.lies_past(act, feed, seq, entry) for act in self.ended_by(feed, known))

    def stands(self, feed):
        """Where a feed stands now; None where nothing ends it."""
        ends = self.ended_by(feed, self.feeds[feed].admissions)
        ends = [act for act in ends if not (self.is_to_itself(act) and self.was_earlier(self.device_of(feed), act.author.device))]
        return min((self.cut(act, feed) for act in ends), default=None)

    # Rights

    def left(self, grant, acts):
        """SPACE-3.2: (role, the act that left it or None) of a grant after those of the acts that touch it; None for nothing."""
        role, by = grant.role, None
        for act in acts:
            if act.is_before(grant.place):
                continue
            if act.lowers_to is None:
                return None
            if RANK[act.lowers_to] < RANK[role] or (by and act.lowers_to == role and act.place.order < by.place.order):
                role, by = act.lowers_to, act
        return role, by

    def best(self, grants, acts):
        """The best role of grants; None for nobody."""
        left = [one[0] for one in (self.left(grant, acts) for grant in grants) if one]
        return max(left, key=RANK.get, default=None)

    def role(self, identity, at):
        """SPACE-3.2: of somebody else, at a place or now."""
        acts = [act for act in self.acts_on[identity] if at.saw_any(act.places)]
        return self.best([grant for grant in self.grants[identity] if at.saw(grant.place)], acts)

    def author_view(self, identity, place):
        """SPACE-3.2: the grants and acts that are looked at for the author of an entry."""
        return self.own_view(identity, place, place.entry.feed, place.entry.seq, place.entry)

    def own_view(self, identity, place, feed, seq, entry):
        acts = [act for act in self.acts_on[identity] if self.lies_past(act, feed, seq, entry)]
        return [grant for grant in self.grants[identity] if place.saw(grant.place)], acts

    def author_role(self, author, place):
        return self.best(*self.author_view(author.identity, place))

    # Standing

    def standing(self, grants, acts):
        """SPACE-12.1: the highest standing that grants have after acts; None for nobody."""
        found = []
        for grant in grants:
            left = self.left(grant, acts)
            if left:
                role, by = left
                chain, order = (by.standing.chain + 1, by.place.order) if by else (grant.chain, grant.place.order)
                found.append(Standing(role, chain, order))
        return min(found, key=lambda one: one.key, default=None)

    def author_standing(self, identity, place):
        return self.standing(*self.author_view(identity, place))

    def standing_for(self, act, identity):
        """SPACE-12.1: of the one that is acted on."""
        grants = [grant for grant in self.grants[identity] if not act.is_before(grant.place)]
        acts = [one for one in self.acts_on[identity] if one is not act and act.place.saw_any(one.places)]
        return self.standing(grants, acts)

    # Devices

    def is_current(self, device, at):
        """SPACE-5.2."""
        if device not in self.devices:
            return False
        identity = self.identity_of(device)
        admissions = [admission for admission in self.devices[device] if at.saw(admission.place)]
        acts = [act for act in self.acts if at.saw_any(act.places)]
        if all(any(self.touches(act, device, admission) for act in acts) for admission in admissions):
            return False
        return self.role(identity, at) is not None

    def touches(self, act, device, admission):
        """SPACE-5.2: a removal of the device all its admissions, one of its identity those that it is not before. SPACE-15.2."""
        identity = self.identity_of(device)
        if isinstance(act.said, say.MemberRemoved):
            return act.said.identity == identity and not act.is_before(admission.place)
        return self.removes_device(act, device, identity) or self.breaks(act, admission)

    def refuses_device(self, device, identity, place, through=()):
        """Why an admission of the device is void; None if it is not."""
        acts_for = self.identity_of(device)
        if acts_for is not None and acts_for != identity and not self.open:
            return "the device acts for another identity"
        for act in self.acts:  # SPACE-11.6, SPACE-15.2
            if not place.saw_any(act.places):
                continue
            if any(self.removes_device(act, one, identity) for one in (device, *through)):
                return "the device was removed"
            if isinstance(act.said, say.MemberRemoved) and act.said.identity == identity:
                known = [admission for admission in self.devices.get(device, ()) if place.saw(admission.place)]
                if any(not act.is_before(admission.place) for admission in known):
                    return "the device was removed with its identity"
        devices = self.device_count[identity]
        if device not in devices and len(devices) >= (64 if self.open else 32):  # SPACE-13
            return "a 33rd device"
        return None

    def admit_device(self, device, identity, place, through=()):
        self.devices[device].append(Admission(place, identity, through))
        self.device_count[identity].add(device)

    # Parts

    def read(self, place):
        """SPACE-3: a part counts or is void with a reason (SPACE-3.4)."""
        rules, said = place.entry.parts[place.part]
        why = self.judge(place, rules, said)
        if why:
            self.void.append((place, why))

    def judge(self, place, rules, said):
        author, why = self.author(place)
        if isinstance(said, say.Seal):
            self.seals_before[place.entry.feed] += 1
        if isinstance(said, say.SpaceGenesis):
            return self.read_genesis(place, said)
        if rules > RULES:
            return "by later rules"  # SPACE-3.5
        if isinstance(said, (say.DeviceAdmitted, say.RecoveryKeySet, say.RootDeviceRemoved)):
            return self.read_root(place, said)
        if place in self.decided:
            return self.read_decided(place, said, self.decided[place])
        if author is None:
            return why
        role = self.author_role(author, place)
        if role is None:
            return "no member"
        if place.entry.seq >= 10_000 and not administers(role):
            return "an entry at 10,000 or beyond"  # SPACE-13
        if isinstance(said, ACTS):
            return self.read_act(place, said, author, role)
        return self.READ[type(said)](self, place, said, author, role)

    def read_genesis(self, place, said):
        """SPACE-4."""
        if place.part != 0 or place.entry.seq != 0 or place.entry.feed != said.feed or self.genesis:
            return "a genesis elsewhere"
        self.genesis = (place.entry, said)
        self.rules = said.rules
        if said.rules > RULES:
            self.stops.append(place)
        return None

    def read_root(self, place, said):
        """SPACE-14."""
        founding = self.genesis and place.entry is self.genesis[0]
        if founding and said.identity != self.genesis[1].root:
            return "another root in the genesis"  # SPACE-4.1
        if isinstance(said, say.DeviceAdmitted):
            device, through = said.device, ()
            founds = founding and said.device == (*self.genesis[1].through, self.genesis[1].device)[0]
            if founds:  # of a chain only the device at its end comes into the space
                device, through = self.genesis[1].device, self.genesis[1].through
            if not founds and self.role(said.identity, place) is None:
                return "no member"  # SPACE-14.1
            if self.spoken[device] - {said.identity} and not founds and not self.open:
                return "the device has signed for another identity"  # SPACE-14.4
            why = self.refuses_device(device, said.identity, place, through)
            if why:
                return why
            if founds and not self.grants[said.identity]:
                self.grants[said.identity].append(Grant(place, OWNER, 0))
            self.admit_device(device, said.identity, place, through)
        if isinstance(said, say.RecoveryKeySet):
            if not any(place.saw(grant.place) for grant in self.grants[said.identity]):
                return "never a member"  # SPACE-14.1
            self.recovery_keys[said.identity].append((said.number, said.key, place))
        return None

    def read_feed(self, place, said, author, role):
        """SPACE-5."""
        named, device = said.manifest, said.manifest.device
        if not self.is_current(device, place):
            return "the device is not current"
        in_redemption = any(place.saw(at) for at in self.named_feeds[named.feed])
        if not (administers(role) or author.identity == self.identity_of(device) or in_redemption):
            return "not for the author to admit"
        slot = (device, named.purpose, named.generation)
        if self.generations.setdefault(slot, named.feed) != named.feed and not self.open:
            return "another feed of this purpose and generation"
        self.feeds.setdefault(named.feed, Feed(named)).admissions.append(place)
        return None

    def read_pre_key(self, place, said, author, role):
        """SPACE-5.1."""
        if said.device != author.device:
            return "another device's pre-key"
        if any(said.number <= number for number, _, _ in self.pre_keys[said.device]):
            return "not a higher number"
        self.pre_keys[said.device].append((said.number, said.key, place))
        return None

    def read_issue(self, place, said, author, role):
        """SPACE-6."""
        if not may_grant(role, said.role):
            return "may not grant the role"
        self.issues[said.invitation].append(Issue(place, said, author, self.author_standing(author.identity, place)))
        return None

    def issue(self, invitation, at):
        """SPACE-6: the issue that is meant."""
        return min((one for one in self.issues[invitation] if at.saw(one.place)), key=lambda one: one.standing.key, default=None)

    def read_redemption(self, place, said, author, role):
        """SPACE-6.1, SPACE-11.8."""
        if author.device != said.host:
            return "not the host that the newcomer named"
        issue = self.issue(said.invitation, place)
        if issue is None:
            return "not issued in its past"
        if len(self.redemptions[said.invitation]) >= issue.said.uses and not self.open:
            return "used up"
        why = self.refuses_device(said.device, said.identity, place, said.through)
        if why:
            return why
        if not may_grant(self.role(issue.author.identity, place), issue.said.role):
            return "the issuer may not grant the role any more"
        for act in self.acts:
            if isinstance(act.said, say.InvitationRevoked) and act.said.invitation == said.invitation:
                if place.entry.id not in act.said.standing or place.saw_any(act.places):
                    return "revoked"
        self.redemptions[said.invitation].append(place)
        self.grants[said.identity].append(Grant(place, issue.said.role, issue.standing.chain + 1))
        self.admit_device(said.device, said.identity, place, said.through)
        self.recovery_keys[said.identity].append((said.recovery.number, said.recovery.key, place))
        self.brings(place, said)
        return None

    def brings(self, place, said):
        """What a device named itself when it came."""
        self.pre_keys[said.device].append((0, said.pre_key, place))
        for feed in said.feeds:
            self.named_feeds[feed].append(place)

    def read_link(self, place, said, author, role):
        """SPACE-15.1."""
        if author.device != said.host:
            return "not the host that the newcomer named"
        if author.identity != said.identity:
            return "another identity"
        if not self.is_current(author.device, place):
            return "the host's device is not admitted"
        why = self.refuses_device(said.device, said.identity, place)
        if why:
            return why
        self.admit_device(said.device, said.identity, place)
        self.brings(place, said)
        return None

    def read_epoch(self, place, said, author, role):
        """SPACE-7."""
        if not writes(role):
            return "may not write"
        if not all(place.saw_any([at for at, _ in self.starts.get(parent, ())]) for parent in said.parents):
            return "a parent is not known"
        self.starts[said.epoch].append((place, said))
        self.depths[said.epoch] = 1 + max((self.depths[parent] for parent in said.parents), default=0)
        return None

    def read_lockbox(self, place, said, author, role):
        """SPACE-7.2."""
        box = said.lockbox
        if not place.saw_any([at for at, _ in self.starts.get(box.epoch, ())]):
            return "the epoch is not known"
        if box.kind == KEEPER_KIND:
            return "no keeper publishes a key"
        if box.kind == RECOVERY_KIND:
            known, published = self.role(box.recipient, place) is not None, self.recovery_keys[box.recipient]
        else:
            known, published = self.is_current(box.recipient, place), self.pre_keys[box.recipient]
        if not known:
            return "the recipient is nobody"
        if not any(key == box.key and place.saw(at) for _, key, at in published):
            return "a key that the recipient did not publish"
        self.lockboxes[box.epoch].append(box)
        return None

    def read_rules(self, place, said, author, role):
        """SPACE-3.5."""
        if role != OWNER:
            return "not by an owner"
        if said.rules <= self.rules:
            return "not higher"
        self.rules = said.rules
        self.stops.append(place)
        return None

    def read_seal(self, place, said, author, role):
        """SPACE-12.3, SPACE-13."""
        if self.seals_before[place.entry.feed] > 64:
            return "a Seal after 64"
        if not administers(role):
            return "does not administer"
        return None

    def read_unknown(self, place, said, author, role):
        """SPACE-3.5."""
        if said.critical and not administers(role):
            return "critical, by one who does not administer"
        if said.critical:
            self.stops.append(place)
        return None

    def read_fork(self, place, said, author, role):
        """SPACE-16.1."""
        standing = self.author_standing(author.identity, place)
        self.witnesses[said.manifest.feed].append(Witness(place, said, author, standing))
        return None

    READ = {
        say.FeedAdmitted: read_feed, say.PreKeySet: read_pre_key, say.InvitationIssued: read_issue, say.InvitationRedeemed: read_redemption,
        say.EpochStarted: read_epoch, say.LockboxAdded: read_lockbox, say.RulesChanged: read_rules, say.Seal: read_seal,
        say.Unknown: read_unknown, say.DeviceLinked: read_link, say.ForkProven: read_fork,
    }

    def read_act(self, place, said, author, role):
        """Of the second pass of SPACE-3.3: nothing takes anything away, and every role is a grant that its author may grant."""
        if not self.open:
            return "an act that does not count"
        if isinstance(said, say.MemberRoleChanged) and author.identity != said.identity and may_grant(role, said.role):
            self.grant_to_member(said.identity, place, said.role, self.author_standing(author.identity, place))
        return None

    def read_decided(self, place, said, act):
        """SPACE-12: an act that was decided to count counts, whatever was decided later. SPACE-11.5: a role that is set is a grant too."""
        if isinstance(said, say.MemberRoleChanged) and act.author.identity != said.identity and may_grant(act.standing.role, said.role):
            self.grant_to_member(said.identity, place, said.role, act.standing)
        return None

    def grant_to_member(self, identity, place, role, standing):
        """SPACE-11.5."""
        if self.role(identity, place) is not None:
            self.grants[identity].append(Grant(place, role, standing.chain + 1))

    # Acts

    def may(self, act):
        """SPACE-11: (standing of the author, the author) if the author may do it under what counts so far; else None."""
        author, _ = self.author(act.place)
        if author is None:
            return None
        standing = self.author_standing(author.identity, act.place)
        if standing is None or (act.place.entry.seq >= 10_000 and not administers(standing.role)):
            return None
        may = self.MAY[type(act.said)](self, act, act.said, author, standing)
        return (standing, author) if may else None

    def outranks(self, act, standing, author, identity):
        """SPACE-12.1: administers and outranks; never itself."""
        if identity is None or identity == author.identity or not administers(standing.role):
            return False
        other = self.standing_for(act, identity)
        return other is not None and standing.key < other.key

    def may_remove(self, act, said, author, standing):
        """SPACE-11.1."""
        if said.identity == author.identity:
            return True
        return self.outranks(act, standing, author, said.identity)

    def may_remove_device(self, act, said, author, standing):
        """SPACE-11.4."""
        identity = self.identity_of(said.device)
        if said.device == author.device or (identity == author.identity and self.was_earlier(author.device, said.device)):
            return True
        return self.outranks(act, standing, author, identity)

    def may_set_role(self, act, said, author, standing):
        """SPACE-11.5."""
        if said.identity == author.identity:
            return RANK[said.role] < RANK[standing.role]
        return may_grant(standing.role, said.role) and self.outranks(act, standing, author, said.identity)

    def may_close(self, act, said, author, standing):
        """SPACE-11.7."""
        if said.feed not in self.feeds:
            return False
        device = self.device_of(said.feed)
        identity = self.identity_of(device)
        if device == author.device or (identity == author.identity and self.was_earlier(author.device, device)):
            return True
        return self.outranks(act, standing, author, identity)

    def may_revoke(self, act, said, author, standing):
        """SPACE-11.8."""
        issue = self.issue(said.invitation, NOW)
        if issue is None:
            return False
        issuer = issue.author.identity
        return issuer == author.identity or self.outranks(act, standing, author, issuer)

    def may_raise(self, act, said, author, standing):
        """SPACE-11.3."""
        named = self.raised_by(act)
        if named is None or not act.place.saw_any(named.places):
            return False
        if author.identity == (named.said.identity if named.root else named.author.identity):
            return True
        about = self.about(named)
        if about is None or about == author.identity or not administers(standing.role):
            return False
        other = self.standing_for(named, about)
        return other is not None and standing.key < other.key

    def about(self, act):
        """SPACE-11.3: whom an act is about."""
        said = act.said
        if isinstance(said, (say.MemberRemoved, say.MemberRoleChanged, say.RootDeviceRemoved)):
            return said.identity
        if isinstance(said, say.DeviceRemoved):
            return self.identity_of(said.device)
        if isinstance(said, say.FeedClosed):
            return self.identity_of(self.device_of(said.feed))
        return None

    MAY = {
        say.MemberRemoved: may_remove, say.DeviceRemoved: may_remove_device, say.MemberRoleChanged: may_set_role, say.FeedClosed: may_close,
        say.InvitationRevoked: may_revoke, say.CutRaised: may_raise,
    }

    # Now

    def readers_at(self, place):
        """SPACE-7.3: the devices to which an epoch that is started there has to be given."""
        with_key = [device for device, keys in self.pre_keys.items() if any(place.saw(at) for _, _, at in keys)]
        return {device for device in with_key if self.is_current(device, place) and reads(self.role(self.identity_of(device), place))}

    def members(self):
        roles = {identity: self.role(identity, NOW) for identity in self.grants}
        return {identity: role for identity, role in roles.items() if role is not None}

    def has_owner(self):
        return any(self.role(identity, NOW) == OWNER for identity in self.grants)

    def current_devices(self):
        return [device for device in self.devices if self.is_current(device, NOW)]


class Resolver:
    """SPACE-12: which acts count, and the pass under them."""

    def __init__(self, entries, seen=None):
        self.forks = {}
        if seen is None:
            entries, self.forks = forks.settle(entries, lambda some: Resolver(some, {}).reading)
        self.entries = sorted(entries, key=lambda entry: entry.order)
        self.seen = {} if seen is None else seen  # resolutions of what authors of seals and acts had seen, by entry
        self.reading = self.resolve()

    def resolve(self):
        places = [place for entry in self.entries for place in entry.places if place.entry.parts[place.part][0] <= RULES]
        said = lambda place: place.entry.parts[place.part][1]
        acts = self.root_acts([place for place in places if isinstance(said(place), say.RootDeviceRemoved)], said)
        open = [Act(said(place), [place]) for place in places if isinstance(said(place), ACTS)]
        votes = self.votes(open, self.first_seals([place for place in places if isinstance(said(place), say.Seal)]), said)
        return self.decide(acts, open, self.sealed_first(open, votes), votes)

    def root_acts(self, places, said):
        """SPACE-14.2: all that one root key says of one device is one act."""
        acts = {}
        for place in places:
            statement = said(place)
            act = acts.get((statement.identity, statement.device))
            if act:
                act.places.append(place)
                act.statements.append(statement)
            else:
                acts[statement.identity, statement.device] = Act(statement, [place])
        return list(acts.values())

    # Seals

    def first_seals(self, places):
        """SPACE-13: as many of each feed as count."""
        of = defaultdict(list)
        for place in places:
            of[place.entry.feed].append(place)
        return [place for seals in of.values() for place in seals[:64]]

    def votes(self, acts, seals, said):
        """SPACE-12.3: of each act with seals (the electorate, the votes as (identity, place))."""
        found = {}
        for act in acts:
            if act.identity is None:
                continue
            named = [at for at in seals if (said(at).entry, said(at).part) == (act.place.entry.id, act.place.part) and at.saw(act.place)]
            if not named:
                continue
            past = self.as_seen_by(act.place.entry)
            electorate = {identity for identity, role in past.members().items() if administers(role)}
            act.author, act.standing = self.voter(act.place, electorate)
            if act.author and act.identity != act.author.identity and act.identity in past.members():
                votes = {act.author.identity: (act.author.device, act.place)}
                for place in named:
                    voter, _ = self.voter(place, electorate)
                    if voter:
                        votes.setdefault(voter.identity, (voter.device, place))
                found[act] = (electorate, votes)
        return found

    def voter(self, place, electorate):
        """SPACE-12.3: (author, how it stood) of a part if that one has a vote; else (None, None)."""
        then = self.as_seen_by(place.entry)
        author, _ = then.author(place)
        standing = author and then.author_standing(author.identity, place)
        votes = standing and author.identity in electorate and administers(standing.role)
        return (author, standing) if votes else (None, None)

    def as_seen_by(self, entry):
        """The resolution of an entry's past, without the entry itself."""
        if entry.id not in self.seen:
            past = [one for one in self.entries if entry.saw(one)]
            self.seen[entry.id] = Resolver(past, self.seen).reading
        return self.seen[entry.id]

    def sealed_first(self, acts, votes):
        """SPACE-12.3: who has seen more first."""
        return sorted(votes, key=lambda act: (-act.place.entry.order[0], act.place.entry.id, act.place.part))

    def is_sealed(self, act, votes, before, reading):
        """SPACE-12.3: with the votes that are left under the acts decided before."""
        electorate, cast = votes[act]
        left = [who for who, (device, place) in cast.items() if not any(self.takes_vote(act, who, device, place, reading) for act in before)]
        return len(left) > 1 and 2 * len(left) > len(electorate)

    def takes_vote(self, act, identity, device, place, reading):
        """Whether a root key's act, or a sealed one that was decided before, takes the vote at a place."""
        past = reading.lies_past(act, place.entry.feed, place.entry.seq, place.entry)
        if act.root:
            return past and (act.said.identity, act.said.device) == (identity, device)
        takes = act.identity == identity and (act.lowers_to is None or not administers(act.lowers_to))
        return takes and past and not place.saw_any(act.places)

    # The turn

    def decide(self, acts, open, sealed, votes):
        """SPACE-12.2: what root keys say, the sealed acts, then one after another. Gives the last reading."""
        for act in sealed:
            reading = Reading(self.entries, acts)
            if not self.is_sealed(act, votes, acts, reading):
                continue
            open = [one for one in open if one is not act]
            if self.one_by_one([*acts, act], open).has_owner():  # SPACE-12.4
                acts = [*acts, act]
        return self.one_by_one(acts, open)

    def one_by_one(self, acts, open):
        """SPACE-12.2: again and again that act whose author stands highest."""
        reading = Reading(self.entries, acts)
        while True:
            turn, to_itself = [], {}
            for act in sorted(open, key=lambda act: act.place.order, reverse=True):
                found = reading.may(act)
                if found:
                    standing, author = found
                    to_itself.update({act.place.entry.feed: act.place.order} if act.identity == author.identity else {})
                    turn.append((standing.key, reading.first_admitted(author.device), act.place.order, act, author, standing))
            # What is said after something that its author did to itself, and that may be done, waits.
            turn = [one for one in turn if one[2] <= to_itself.get(one[3].place.entry.feed, one[2])]
            if not turn:
                return reading
            *_, act, act.author, act.standing = min(turn, key=lambda one: one[:3])
            open = [one for one in open if one is not act]
            after = Reading(self.entries, [*acts, act])
            if after.has_owner():  # SPACE-12.4
                acts, reading = [*acts, act], after

    # Answers

    @cached_property
    def open(self):
        """The second pass of SPACE-3.3."""
        return Reading(self.entries, [], open=True)

    def epochs(self):
        """SPACE-7.3, as far as it does not ask for secrets."""
        now = self.reading
        readers = {identity for identity, role in now.members().items() if reads(role)}
        devices = {device for device in now.current_devices() if now.identity_of(device) in readers}
        answers = {}
        for epoch, starts in now.starts.items():
            said = starts[0][1]
            boxes = [box for _, start in starts for box in start.lockboxes]
            boxes += now.lockboxes[epoch] + self.open.lockboxes[epoch]
            recipients = {(kind, who) for kind, who, _ in said.recipients} | {(box.kind, box.recipient) for box in boxes}
            belongs = {DEVICE_KIND: devices, RECOVERY_KIND: readers}
            strangers = any(kind != KEEPER_KIND and who not in belongs[kind] for kind, who in recipients)
            given = {box.recipient for box in boxes if box.kind == DEVICE_KIND}
            nobody_left_out = any(given.issuperset(now.readers_at(at)) for at, _ in starts)
            answers[epoch] = {"depth": now.depths[epoch], "writable": nobody_left_out and not strangers}
        return answers

    def answers(self):
        now = self.reading
        feeds = {feed: True for feed in now.feeds}
        malformed = [(entry.feed, entry.seq, 0) for entry in self.entries if not entry.parts]  # CREDENTIAL-1
        return {
            "members": {identity: NAMES[role] for identity, role in now.members().items()},
            "devices": sorted(now.current_devices()),
            "feeds": {**{feed: False for feed in self.open.feeds}, **feeds},
            "stands": {feed: stands for feed in now.feeds if (stands := self.stands(feed)) is not None},
            "void": sorted([*((place.entry.feed, place.entry.seq, place.part) for place, _ in now.void), *malformed]),
            "epochs": self.epochs(),
            "stops": bool(now.stops),
            "forks": {feed: (fork.common, fork.entry, fork.by, fork.head and (fork.head.length, fork.head.root)) for feed, fork in self.forks.items()},
        }

    def stands(self, feed):
        """SPACE-11.2, SPACE-16.4."""
        kept = [fork.head.length for fork in [self.forks.get(feed)] if fork and fork.head]
        ends = [end for end in [self.reading.stands(feed), *kept] if end is not None]
        return min(ends, default=None)

    def data_counts(self, feed, seq, epoch, past):
        """SPACE-8.1."""
        now = self.reading
        if feed not in now.feeds or now.feeds[feed].manifest.purpose != DATA:
            return False
        if feed in self.forks and seq >= (self.stands(feed) or seq + 1):
            return False
        entry = Entry(feed, seq, b"", past, [(RULES, None)])
        place = entry.places[0]
        if not any(entry.saw(at.entry) for at in now.feeds[feed].admissions) or now.lies_past_end(feed, seq, entry):
            return False
        if epoch and not place.saw_any([at for at, _ in now.starts.get(epoch, ())]):
            return False
        identity = now.identity_of(now.device_of(feed))
        return writes(now.best(*now.own_view(identity, place, feed, seq, entry)))
