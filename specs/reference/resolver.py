"""What a space is: specs/space.md, read word by word and written down as plainly as it goes. Slow on purpose: one act is decided at
a time, everything is read again after each, and nothing is kept."""

from credentials import RULES

KEEPER, READER, WRITER, ADMIN, OWNER = 0, 1, 2, 3, 4
RANKS = {1: READER, 2: WRITER, 3: ADMIN, 4: OWNER, 5: KEEPER}
WORDS = ["keeper", "reader", "writer", "admin", "owner"]
ACTS = (9, 10, 11, 12, 13, 14)
FOR_EVER = 1 << 64


class Void(Exception):
    """A part does not count."""


def need(holds, why):
    if not holds:
        raise Void(why)


def may_grant(role, other):
    return role == OWNER or role == ADMIN and other <= WRITER


class Entry:
    def __init__(self, feed, seq, id, past, parts):
        self.feed, self.seq, self.id, self.past, self.parts = feed, seq, id, past, parts

    def seen(self):
        """How many entries its author had seen (SPACE-2.1)."""
        return self.seq + sum(length for feed, length in self.past.items() if feed != self.feed)

    def order(self):
        return (self.seen(), self.id)


class Place:
    """A part of an entry, or (with part -1) all before its first."""

    def __init__(self, entry, part):
        self.entry, self.part = entry, part
        self.key = (entry.feed, entry.seq, part)
        self.order = (*entry.order(), part)

    def knows(self, other):
        """SPACE-2: whether the other is in this one's past."""
        if other.entry.feed != self.entry.feed:
            return self.entry.past.get(other.entry.feed, 0) > other.entry.seq
        return (other.entry.seq, other.part) < (self.entry.seq, self.part)


class Position:
    """One who has seen so much, as the author of a data entry."""

    def __init__(self, past):
        self.past = past

    def knows(self, other):
        return self.past.get(other.entry.feed, 0) > other.entry.seq


class Everything:
    def knows(self, _):
        return True


NOW = Everything()


class Act:
    def __init__(self, kind, places, content, author, own_since, standing):
        self.kind, self.places, self.content, self.author = kind, places, content, author
        self.own_since, self.standing = own_since, standing
        self.named = dict(content["cuts"] or {})
        self.floor = {}
        self.raised_at = []

    def is_on_member(self, identity):
        return self.kind in (9, 11) and self.content["target"] == identity

    def cut(self, feed):
        """SPACE-11.2."""
        return max(self.named.get(feed, 0), self.floor.get(feed, 0))

    def is_known(self, position):
        return any(position.knows(place) for place in self.places)

    def is_own(self):
        return self.kind in (9, 11) and self.content["target"] == self.author


def outranks(one, other):
    """SPACE-12.1: standings are (role, chain, place)."""
    return (-one[0], one[1], one[2].order) < (-other[0], other[1], other[2].order)


class Space:
    """One pass under some acts (SPACE-3)."""

    def __init__(self, entries, acts, contests_open=False):
        self.acts, self.contests_open = acts, contests_open
        self.genesis, self.rules, self.stop = None, 0, None
        self.grants, self.recovery, self.devices, self.feeds = {}, {}, {}, {}
        self.generations, self.invitations, self.epochs = {}, {}, {}
        self.device_count, self.seals = {}, {}
        self.void, self.claims = {}, {}
        self.counted = {place.key: act for act in acts for place in [*act.places, *act.raised_at]}
        for entry in entries:
            self.read(entry)

    def read(self, entry):
        if entry.parts is None:
            self.void[(entry.feed, entry.seq, 0)] = "malformed"
            return
        for at, part in enumerate(entry.parts):
            place = Place(entry, at)
            try:
                self.part(place, part)
            except Void as why:
                self.void[place.key] = str(why)

    # Who stands how: SPACE-3.2.

    def left_of(self, identity, grant, touches):
        left, by_act = grant["standing"], None
        for act in self.acts:
            if not act.is_on_member(identity) or act in grant["after"] or not touches(act):
                continue
            if act.kind == 9:
                return None
            role = RANKS[act.content["role"]]
            standing = (role, act.standing[1] + 1, act.places[0])
            earlier = by_act and role == left[0] and standing[2].order < left[2].order
            if role < left[0] or earlier:
                left, by_act = standing, act
        return left

    def standing(self, identity, seen, touches):
        best = None
        for grant in self.grants.get(identity, []):
            if seen(grant["place"]):
                left = self.left_of(identity, grant, touches)
                if left and (best is None or outranks(left, best)):
                    best = left
        return best

    def standing_at(self, identity, position):
        return self.standing(identity, position.knows, lambda act: act.is_known(position))

    def role_at(self, identity, position):
        standing = self.standing_at(identity, position)
        return None if standing is None else standing[0]

    def spares(self, act, device):
        """SPACE-11.2: what a later device of a member did to the member."""
        return act.is_own() and device in self.devices and self.devices[device]["first"].order < act.own_since.order

    def standing_as_author(self, identity, device, position, feed, seq):
        def touches(act):
            return act.is_known(position) if self.spares(act, device) else seq >= act.cut(feed)

        return self.standing(identity, position.knows, touches)

    def removes_device(self, act, device, identity):
        if act.kind == "root":
            return act.content["target"] == device and act.author == identity
        return act.kind == 10 and act.content["target"] == device

    def stands(self, feed, position):
        """SPACE-11.2: up to where a feed stands, for an entry there."""
        known = self.feeds[feed]
        ends = [FOR_EVER]
        for act in self.acts:
            if self.removes_device(act, known["device"], known["identity"]) or act.kind == 12 and act.content["target"] == feed:
                ends.append(act.cut(feed))
            elif act.kind == 9 and act.content["target"] == known["identity"] and not self.spares(act, known["device"]):
                anew = any(act in found["after"] and position.knows(found["place"]) for found in known["admissions"])
                if not anew:
                    ends.append(act.cut(feed))
        return min(ends)

    def is_admitted(self, device, position):
        """SPACE-5.2, but for its identity."""
        known = self.devices.get(device)
        if known is None:
            return False
        acts = [act for act in self.acts if act.is_known(position)]
        if any(self.removes_device(act, device, known["identity"]) for act in acts):
            return False
        removals = [act for act in acts if act.kind == 9 and act.content["target"] == known["identity"]]
        seen = [found for found in known["admissions"] if position.knows(found["place"])]
        return any(all(act in found["after"] for act in removals) for found in seen)

    def reads(self, device, position):
        role = self.role_at(self.devices[device]["identity"], position)
        return role not in (None, KEEPER) and self.is_current(device, position)

    def is_current(self, device, position):
        return self.is_admitted(device, position) and self.standing_at(self.devices[device]["identity"], position) is not None

    def before(self, identity, place):
        return [act for act in self.acts if act.is_on_member(identity) and act.is_known(place)]

    # Who speaks: SPACE-3.1.

    def is_genesis_entry(self, entry):
        return self.genesis is not None and entry.seq == 0 and entry.feed == self.genesis["manifest"]["feed"]

    def author(self, place):
        entry = place.entry
        if self.is_genesis_entry(entry):
            root, device = self.genesis["root"], self.genesis["device"]
            return {"identity": root, "device": device, "standing": self.standing_at(root, place)}
        known = self.feeds.get(entry.feed)
        need(known and any(place.knows(found["place"]) for found in known["admissions"]), "feed not admitted")
        need(known["purpose"] == 1, "wrong purpose")
        need(entry.seq < self.stands(entry.feed, place), "past the cut")
        identity, device = known["identity"], known["device"]
        standing = self.standing_as_author(identity, device, place, entry.feed, entry.seq)
        administers = standing is not None and standing[0] >= ADMIN
        need(entry.seq < 10_000 or administers, "too many")
        return {"identity": identity, "device": device, "standing": standing}

    # The parts.

    def part(self, place, part):
        kind, content = part["kind"], part["content"]
        if kind == 1:
            return self.found(place, content)
        if place.key in self.counted:
            act = self.counted[place.key]
            if kind == 11 and act.author != content["target"] and may_grant(act.standing[0], RANKS[content["role"]]):
                self.set_role(place, act.author, act.standing, content)
            return None
        if kind == 2:
            return self.root_said(place, content)
        author = self.author(place)
        need(part["version"] <= RULES, "later rules")
        had = author["standing"]
        role = None if had is None else had[0]
        if kind in ACTS:
            need(role is not None, "no right")
            self.claims[place.key] = author
            if self.contests_open and kind == 11 and may_grant(role, RANKS[content["role"]]):
                self.set_role(place, author["identity"], had, content)
            raise Void("not decided to count")
        need(role is not None, "no right")
        if kind == 3:
            self.feed_admitted(place, author, content)
        elif kind == 4:
            need(content["device"] == author["device"], "other device")
            need(self.is_admitted(content["device"], place), "unknown device")
            keys = self.devices[content["device"]]["pre_keys"]
            need(all(number < content["number"] for _, number, _ in keys), "old pre-key")
            keys.append((place, content["number"], content["key"]))
        elif kind == 5:
            need(role >= WRITER, "no right")
            self.epoch_started(place, content)
        elif kind == 6:
            need(may_grant(role, RANKS[content["role"]]), "no right")
            issue = {"place": place, "issuer": author["identity"], "standing": had, **content}
            self.invitations.setdefault(content["invitation"], {"issues": [], "redemptions": 0})["issues"].append(issue)
        elif kind == 7:
            self.redeemed(place, author, content)
        elif kind == 8:
            known = self.epochs.get(content["epoch"])
            need(known and any(place.knows(start) for start in known["places"]), "unknown epoch")
            self.check_recipient(place, content["recipient"])
            known["lockboxes"].append(content["recipient"])
        elif kind == 16:
            need(role == OWNER, "no right")
            need(content["rules"] > self.rules, "old rules")
            self.rules = content["rules"]
            self.stops(self.rules > RULES, "rules")
        elif kind == 19:
            held = self.seals[place.entry.feed] = self.seals.get(place.entry.feed, 0) + 1
            need(held <= 64, "too many")
            need(role >= ADMIN, "no right")
        elif part["critical"]:
            need(role >= ADMIN, "no right")
            self.stops(True, "unknown critical kind")

    def stops(self, does, why):
        if does and self.stop is None:
            self.stop = why

    def found(self, place, content):
        first = (place.entry.feed, place.entry.seq, place.part) == (content["manifest"]["feed"], 0, 0)
        need(first and self.genesis is None, "second genesis")
        self.genesis, self.rules = content, content["rules"]
        self.stops(self.rules > RULES, "rules")
        self.generations[(content["device"], 1, 0)] = place.entry.feed

    def grant(self, place, identity, standing):
        grant = {"place": place, "standing": standing, "after": self.before(identity, place)}
        self.grants.setdefault(identity, []).append(grant)

    def set_role(self, place, by, standing, content):
        if self.standing_at(content["target"], place) is not None:
            self.grant(place, content["target"], (RANKS[content["role"]], standing[1] + 1, place))

    def root_said(self, place, content):
        identity = content["identity"]
        if self.is_genesis_entry(place.entry):
            need(identity == self.genesis["root"], "other root")
            if content["kind"] == 1 and content["subject"] == self.genesis["device"]:
                self.grant(place, identity, (OWNER, 0, place))
        if content["kind"] == 1:
            position = Place(place.entry, place.part + 1)
            need(self.standing_at(identity, position) is not None, "no member")
            self.admit(place, content["subject"], identity)
        elif content["kind"] == 2:
            need(identity in self.grants, "no member")
            self.recovery.setdefault(identity, []).append((place, content["number"], content["subject"]))
        else:
            raise Void("no act")

    def admit(self, place, device, identity):
        after = self.before(identity, place)
        known = self.devices.get(device)
        if known:
            need(known["identity"] == identity or self.contests_open, "device taken")
            for act in after:
                for found in known["admissions"]:
                    old = act.kind == 9 and act not in found["after"] and place.knows(found["place"])
                    need(not old, "removed before")
        for act in self.acts:
            need(not (self.removes_device(act, device, identity) and act.is_known(place)), "removed before")
        if not known:
            need(self.device_count.get(identity, 0) < 32 or self.contests_open, "too many")
            self.device_count[identity] = self.device_count.get(identity, 0) + 1
            known = {"identity": identity, "first": place, "admissions": [], "pre_keys": [], "named": []}
            self.devices[device] = known
        known["admissions"].append({"place": place, "after": after})

    def feed_admitted(self, place, author, content):
        device, feed = content["device"], content["feed"]
        need(self.is_admitted(device, place), "unknown device")
        known = self.devices[device]
        own = known["identity"] == author["identity"] or feed in known["named"]
        need(own or author["standing"][0] >= ADMIN, "no right")
        first = self.generations.setdefault((device, content["purpose"], content["generation"]), feed)
        need(first == feed or self.contests_open, "second feed")
        identity = known["identity"]
        found = self.feeds.setdefault(feed, {**content, "identity": identity, "admissions": []})
        found["admissions"].append({"place": place, "after": self.before(identity, place)})

    def epoch_started(self, place, content):
        depth = 0
        for parent in content["parents"]:
            known = self.epochs.get(parent)
            need(known and any(place.knows(start) for start in known["places"]), "unknown epoch")
            depth = max(depth, known["depth"])
        keyed = lambda device: any(place.knows(at) for at, _, _ in self.devices[device]["pre_keys"])
        expected = [device for device in self.devices if keyed(device) and self.reads(device, place)]
        known = self.epochs.setdefault(
            content["epoch"],
            {"recipients": content["recipients"], "depth": depth + 1, "places": [], "expected": [], "lockboxes": []},
        )
        known["places"].append(place)
        known["expected"].append(expected)
        known["lockboxes"] += [box["recipient"] for box in content["lockboxes"]]

    def check_recipient(self, place, recipient):
        kind, who, key = recipient
        published = False
        if kind == 1:
            need(self.is_admitted(who, place), "stranger")
            published = any(key == set and place.knows(at) for at, _, set in self.devices[who]["pre_keys"])
        elif kind == 2:
            need(self.standing_at(who, place) is not None, "stranger")
            published = any(key == set and place.knows(at) for at, _, set in self.recovery.get(who, []))
        need(published, "unknown key")

    def redeemed(self, place, author, content):
        need(content["host"] == author["device"], "other host")
        invitation = self.invitations.get(content["invitation"], {"issues": []})
        issue = next((issue for issue in invitation["issues"] if place.knows(issue["place"])), None)
        need(issue, "unknown invitation")
        for act in self.acts:
            if act.kind == 13 and act.content["target"] == content["invitation"]:
                named = place.entry.id in act.content["standing"]
                need(named and not act.is_known(place), "revoked")
        role, issuer = RANKS[issue["role"]], self.role_at(issue["issuer"], place)
        need(issuer is not None and may_grant(issuer, role), "revoked")
        need(invitation["redemptions"] < issue["uses"] or self.contests_open, "used up")
        self.admit(place, content["device"], content["identity"])
        device = self.devices[content["device"]]
        device["named"] += content["feeds"]
        device["pre_keys"].append((place, 0, content["pre_key"]))
        self.grant(place, content["identity"], (role, issue["standing"][1] + 1, place))
        self.recovery.setdefault(content["identity"], []).append((place, *content["recovery"]))
        invitation["redemptions"] += 1

    def owners(self):
        return [identity for identity in self.grants if self.role_at(identity, NOW) == OWNER]


class Resolver:
    """SPACE-12: which acts count, and what there is under them."""

    def __init__(self, entries):
        self.entries = sorted(entries, key=Entry.order)
        self.by_id = {entry.id: entry for entry in self.entries}
        self.parts = [(Place(entry, at), part) for entry in self.entries for at, part in enumerate(entry.parts or [])]
        self.candidates = [(place, part) for place, part in self.parts if part["kind"] in ACTS]
        self.space = self.resolve()

    def place_of(self, named):
        id, part = named
        return Place(self.by_id[id], part) if id in self.by_id else None

    def resolve(self):
        acts, rejected = self.root_acts(), set()
        for place, part, author, first, votes, electorate in self.sealed():
            if not self.is_majority(votes, electorate, acts):
                continue
            trial = [*acts, self.act(place, part, author, first)]
            if self.decide(trial, rejected).owners():
                acts = trial
            else:
                rejected.add(place.key)
        return self.decide(acts, rejected)

    def decide(self, acts, rejected):
        """SPACE-12.2, one act at a time."""
        acts, rejected = list(acts), set(rejected)
        # Cuts are raised in place: the acts of one decision are its own.
        acts = [self.copy(act) for act in acts]
        space = Space(self.entries, acts)
        while True:
            turns = []
            for place, part in self.candidates:
                author = space.claims.get(place.key)
                if author is None or place.key in space.counted or place.key in rejected:
                    continue
                try:
                    self.check(space, place, part, author)
                except Void:
                    continue
                role, chain, given = author["standing"]
                since = space.devices[author["device"]]["first"]
                turns.append(((-role, chain, given.order, since.order, place.order), place, part, author, since))
            if not turns:
                return space
            _, place, part, author, since = min(turns, key=lambda turn: turn[0])
            following = [self.copy(act) for act in acts]
            if part["kind"] == 14:
                raised = self.act_named(following, part["content"]["named"])
                for feed, length in part["content"]["cuts"].items():
                    raised.named[feed] = max(length, raised.named.get(feed, 0))
                raised.raised_at.append(place)
            else:
                following.append(self.act(place, part, author, since))
            tried = Space(self.entries, following)
            if tried.owners() or not space.owners():
                acts, space = following, tried
            else:
                rejected.add(place.key)

    def copy(self, act):
        twin = Act(act.kind, list(act.places), act.content, act.author, act.own_since, act.standing)
        twin.named, twin.floor, twin.raised_at = dict(act.named), act.floor, list(act.raised_at)
        return twin

    def act(self, place, part, author, first):
        act = Act(part["kind"], [place], part["content"], author["identity"], first, author["standing"])
        act.floor = {**place.entry.past, place.entry.feed: place.entry.seq + 1}
        return act

    def act_named(self, acts, named):
        place = self.place_of(named)
        return next((act for act in acts if place and any(said.key == place.key for said in [*act.places, *act.raised_at])), None)

    def root_acts(self):
        """SPACE-14.2."""
        said = {}
        for place, part in self.parts:
            if part["kind"] == 2 and part["content"]["kind"] == 3:
                key = (part["content"]["identity"], part["content"]["subject"])
                said.setdefault(key, []).append((place, part["content"]))
        acts = []
        for (identity, device), carried in sorted(said.items()):
            own = {part["content"]["feed"] for _, part in self.parts if part["kind"] == 3 and part["content"]["device"] == device}
            named = [content for _, content in carried if content["cuts"] is not None]
            latest = [content for content in named if content["number"] == max(other["number"] for other in named)]
            act = Act("root", [place for place, _ in carried], {"target": device, "cuts": {}}, identity, None, None)
            for content in latest:
                for feed, length in content["cuts"].items():
                    act.named[feed] = max(length, act.named.get(feed, 0))
            if not named:
                for place, _ in carried:
                    if place.entry.feed not in own:
                        for feed, length in {**place.entry.past, place.entry.feed: place.entry.seq + 1}.items():
                            act.floor[feed] = max(length, act.floor.get(feed, 0))
            acts.append(act)
        return acts

    def target(self, space, part):
        kind, content = part["kind"], part["content"]
        if kind in (9, 11):
            return content["target"]
        if kind == 10:
            return space.devices.get(content["target"], {}).get("identity")
        if kind == 12:
            return space.feeds.get(content["target"], {}).get("identity")
        if kind == 13:
            issues = space.invitations.get(content["target"], {}).get("issues")
            return issues[0]["issuer"] if issues else None
        return None

    def check(self, space, place, part, author):
        """SPACE-11: whether the author may do it."""
        kind, content = part["kind"], part["content"]
        identity, role = author["identity"], author["standing"][0]
        if kind == 14:
            act = self.act_named(space.acts, content["named"])
            need(act and act.is_known(place), "unknown act")
            if act.author != identity:
                # A root's act is about a device, as one of kind 10.
                about = self.target(space, {"kind": 10 if act.kind == "root" else act.kind, "content": act.content})
                need(about and act.kind != 13, "unknown act")
                self.must_outrank(space, act.places[0], author, about)
            return
        target = self.target(space, part)
        need(target, "unknown")
        if kind == 9 and target == identity:
            return
        if kind == 11 and target == identity:
            need(RANKS[content["role"]] < role, "no right")
            return
        if kind == 11:
            need(may_grant(role, RANKS[content["role"]]), "no right")
        if kind in (10, 12) and target == identity:
            device = content["target"] if kind == 10 else space.feeds[content["target"]]["device"]
            first = space.devices[author["device"]]["first"].order
            need(device == author["device"] or first < space.devices[device]["first"].order, "outranked")
            return
        if kind == 13 and target == identity:
            return
        self.must_outrank(space, place, author, target)

    def must_outrank(self, space, place, author, target):
        """SPACE-12.1."""
        need(author["standing"][0] >= ADMIN, "no right")
        need(target != author["identity"], "outranked")
        other = space.standing(
            target,
            lambda given: not given.knows(place),
            lambda act: act.is_known(place),
        )
        need(other, "no member")
        need(outranks(author["standing"], other), "outranked")

    def past_of(self, place):
        """What the author had seen, the entry itself not included."""
        before = Place(place.entry, -1)
        return [entry for entry in self.entries if before.knows(Place(entry, 0))]

    def as_seen(self, place):
        space = Resolver(self.past_of(place)).space
        try:
            author = space.author(Place(place.entry, -1))
        except Void:
            return space, None
        standing = author["standing"]
        return space, author if standing and standing[0] >= ADMIN else None

    def sealed(self):
        """SPACE-12.3, what had seen most first."""
        found = []
        for place, part in self.candidates:
            seals = [
                at
                for at, other in self.parts
                if other["kind"] == 19 and (named := self.place_of(other["content"]["named"])) and named.key == place.key
            ]
            if part["kind"] not in (9, 11) or not seals:
                continue
            space, author = self.as_seen(place)
            if author is None:
                continue
            electorate = {who for who in space.grants if (role := space.role_at(who, NOW)) is not None and role >= ADMIN}
            first = space.devices[author["device"]]["first"]
            votes = {author["identity"]: place}
            for seal in seals:
                if not seal.knows(place):
                    continue
                saw, sealer = self.as_seen(seal)
                if sealer and sealer["identity"] in electorate and saw.seals.get(seal.entry.feed, 0) < 64:
                    votes.setdefault(sealer["identity"], seal)
            if self.is_majority(votes, electorate, []):
                found.append((place, part, author, first, votes, electorate))
        return sorted(found, key=lambda sealed: (-sealed[0].entry.seen(), sealed[0].entry.id, sealed[0].part))

    def is_majority(self, votes, electorate, acts):
        def stands(identity, vote):
            for act in acts:
                lowers = act.kind == 11 and RANKS[act.content["role"]] >= ADMIN
                if act.is_on_member(identity) and not lowers:
                    if vote.entry.seq >= act.cut(vote.entry.feed) and not act.is_known(vote):
                        return False
            return True

        return 2 * sum(stands(identity, vote) for identity, vote in votes.items()) > len(electorate)

    # What is asked of it.

    def answers(self):
        space = self.space
        carried = Space(self.entries, [], contests_open=True)
        members = {who: WORDS[role] for who in space.grants if (role := space.role_at(who, NOW)) is not None}
        devices = sorted(device for device in space.devices if space.is_current(device, NOW))
        feeds = {feed: feed in space.feeds for feed in sorted({*carried.feeds, *space.feeds})}
        stands = {feed: space.stands(feed, NOW) for feed in space.feeds}
        epochs = {}
        for id, epoch in space.epochs.items():
            given = carried.epochs.get(id, epoch)["lockboxes"]
            reads = lambda who: members.get(who, "keeper") != "keeper"
            current = {
                1: lambda who: who in devices and reads(space.devices[who]["identity"]),
                2: reads,
                3: lambda _: True,
            }
            no_stranger = all(current[kind](who) for kind, who, _ in [*epoch["recipients"], *given])
            holders = {who for kind, who, _ in given if kind == 1}
            nobody_left_out = any(holders >= set(expected) for expected in epoch["expected"])
            epochs[id] = {"depth": epoch["depth"], "writable": no_stranger and nobody_left_out}
        return {
            "members": members,
            "devices": devices,
            "feeds": feeds,
            "stands": {feed: length for feed, length in stands.items() if length < FOR_EVER},
            "void": sorted(space.void),
            "epochs": epochs,
            "stops": space.stop is not None,
        }

    def data_counts(self, feed, seq, epoch, past):
        """SPACE-8.1, for an entry with a body."""
        space, position = self.space, Position(past)
        known = space.feeds.get(feed)
        if known is None or known["purpose"] != 2:
            return False
        if not any(position.knows(found["place"]) for found in known["admissions"]) or seq >= space.stands(feed, position):
            return False
        sealed = space.epochs.get(epoch)
        if sealed is None or not any(position.knows(start) for start in sealed["places"]):
            return False
        standing = space.standing_as_author(known["identity"], known["device"], position, feed, seq)
        return standing is not None and standing[0] >= WRITER
