"""What a space is: a pure function of the set of its control entries (SPACE-3). As plainly as the page reads; nothing is kept between two questions."""

from collections import defaultdict
from functools import cached_property

import credentials as say
import forks
import rights
from credentials import DATA
from entries import (
    ACTS, DEVICE_KIND, FROM_JOINING, KEEPER_KIND, NAMES, RECOVERY_KIND, RULES, Act, Entry, administers, reads, writes,
)
from reading import Reading


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
            reading = Reading(self.entries, acts, self.open)
            if not self.is_sealed(act, votes, acts, reading):
                continue
            open = [one for one in open if one is not act]
            if self.one_by_one([*acts, act], open).has_owner():  # SPACE-12.4
                acts = [*acts, act]
        return self.one_by_one(acts, open)

    def one_by_one(self, acts, open):
        """SPACE-12.2: again and again that act whose author stands highest."""
        reading = Reading(self.entries, acts, self.open)
        while True:
            turn, to_itself = [], {}
            for act in sorted(open, key=lambda act: act.place.order, reverse=True):
                found = rights.may(reading, act)
                if found:
                    standing, author = found
                    if rights.is_to_itself(act, author):
                        to_itself[act.place.entry.feed] = act.place.order
                    turn.append((standing.key, reading.first_admitted(author.device), act.place.order, act, author, standing))
            # What is said after something that its author did to itself, and that may be done, waits.
            turn = [one for one in turn if one[2] <= to_itself.get(one[3].place.entry.feed, one[2])]
            if not turn:
                return reading
            *_, act, act.author, act.standing = min(turn, key=lambda one: one[:3])
            open = [one for one in open if one is not act]
            after = Reading(self.entries, [*acts, act], self.open)
            if after.has_owner():  # SPACE-12.4
                acts, reading = [*acts, act], after

    # Answers

    @cached_property
    def open(self):
        """The second pass of SPACE-3.3."""
        return Reading(self.entries, [])

    def epochs(self):
        """SPACE-7.3, as far as it does not ask for secrets."""
        now = self.reading
        readers = {identity for identity, role in now.members().items() if reads(role)}
        devices = {device for device in now.current_devices() if now.identity_of(device) in readers}
        answers = {}
        for epoch in {*now.starts, *self.open.starts}:
            starts, counts = now.starts.get(epoch, ()), epoch in now.starts
            if not counts:  # known, and not to be written under
                answers[epoch] = {"depth": now.depth(epoch), "counts": False, "writable": False}
                continue
            said = starts[0][1]
            boxes = [box for _, start in starts for box in start.lockboxes]
            boxes += now.lockboxes[epoch] + self.open.lockboxes[epoch]
            recipients = {(kind, who) for kind, who, _ in said.recipients} | {(box.kind, box.recipient) for box in boxes}
            belongs = {DEVICE_KIND: devices, RECOVERY_KIND: readers}
            strangers = any(kind != KEEPER_KIND and who not in belongs[kind] for kind, who in recipients)
            names = {device: {key[:16] for _, key, _ in keys} for device, keys in now.pre_keys.items()}
            readable = {name for device in devices for name in names.get(device, ())}
            readable |= {key[:16] for identity in readers for _, key, _ in now.recovery_keys[identity]}
            strangers = strangers or not readable.issuperset(said.keys)
            given = {box.recipient for box in boxes if box.kind == DEVICE_KIND}
            given |= {device for device, known in names.items() if known & set(said.keys)}
            nobody_left_out = any(given.issuperset(now.readers_at(at)) for at, _ in starts)
            answers[epoch] = {"depth": now.depths[epoch], "counts": True, "writable": nobody_left_out and not strangers}
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
            "history": self.history(),
            "forks": {feed: (fork.common, fork.entry, fork.by, fork.head and (fork.head.length, fork.head.root)) for feed, fork in self.forks.items()},
        }

    def history(self):
        """SPACE-7.6: of changes that did not know of each other the narrower holds."""
        genesis = self.reading.genesis
        said = [history for _, history in self.reading.policies] or [genesis[1].history if genesis else FROM_JOINING]
        return "from joining" if FROM_JOINING in said else "all"

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
        if epoch and not place.saw_any(now.begun(epoch)):
            return False
        identity = now.identity_of(now.device_of(feed))
        return writes(now.best(*now.own_view(identity, place, feed, seq, entry)))
