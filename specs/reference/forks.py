"""Feeds with two histories: which one is kept, and how much of it (SPACE-16)."""

from dataclasses import dataclass

import credentials as say


@dataclass
class Fork:
    """Of one feed: how much all histories have in common, and the witness that decided, with where the feed ends."""

    manifest: say.Manifest
    common: int
    entry: bytes | None = None  # what is kept, where the histories part
    by: bytes | None = None
    head: object = None

    def limit(self, held):
        """SPACE-16.4. None while nothing is kept."""
        if self.entry is None:
            return None
        return self.common if held not in (None, self.entry) else self.head.length


def settle(entries, resolve):
    """SPACE-16.3: (the entries within the limits, the forks by feed). `resolve` reads entries under the acts that count."""
    forks = proved(entries)
    if not forks:
        return entries, forks
    held = {entry.feed: entry.id for entry in entries if entry.feed in forks and entry.seq == forks[entry.feed].common}
    choose(forks, resolve(within(entries, {feed: fork.common for feed, fork in forks.items()})), lambda witness: True)
    if any(fork.entry is None for fork in forks.values()):
        as_held = lambda said: said.entry == held.get(said.manifest.feed, said.entry)
        choose(forks, resolve(within(entries, limits(forks, held))), as_held)
    return within(entries, limits(forks, held)), forks


def proved(entries):
    """SPACE-16.1: every fork that is proved in any entry, whoever wrote it."""
    forks = {}
    for entry in entries:
        for _, said in entry.parts:
            if isinstance(said, say.ForkProven):
                fork = forks.setdefault(said.manifest.feed, Fork(said.manifest, said.common))
                fork.common = min(fork.common, said.common)
    return forks


def limits(forks, held):
    """SPACE-16.4."""
    found = {feed: fork.limit(held.get(feed)) for feed, fork in forks.items()}
    return {feed: limit for feed, limit in found.items() if limit is not None}


def choose(forks, reading, may):
    """SPACE-16.3: the highest witness decides, where nobody has."""
    for feed, fork in forks.items():
        if fork.entry is not None:
            continue
        owner = reading.identity_of(fork.manifest.device)
        witnesses = [
            one for one in reading.witnesses[feed]
            if one.said.common == fork.common and one.author.device != fork.manifest.device and may(one.said)
        ]
        if not witnesses:
            continue
        first = min(witnesses, key=lambda one: (one.author.identity == owner, one.standing.key, one.place.order))
        same = [one.said.head for one in witnesses if (one.author.identity, one.said.entry) == (first.author.identity, first.said.entry)]
        fork.entry, fork.by = first.said.entry, first.author.identity
        fork.head = max(same, key=lambda head: (head.length, head.root))


def within(entries, limits):
    """SPACE-16.2: the entries within the limits, each with what it had seen of these."""
    feeds = {}
    for entry in sorted(entries, key=lambda entry: entry.order):
        if entry.seq < limits.get(entry.feed, entry.seq + 1):
            feeds.setdefault(entry.feed, []).append(entry)
    done = {}
    return [anew(entry, feeds, done) for feed in feeds.values() for entry in feed]


def anew(entry, feeds, done):
    """An entry with its past closed anew: what the entry before it had in its past, and so much of what it names as is there."""
    waiting = [entry]
    while waiting:
        one = waiting[-1]
        before = [feeds[one.feed][one.seq - 1]] if one.seq else []
        named = {feed: min(length, len(feeds.get(feed, ()))) for feed, length in one.past.items() if feed != one.feed}
        needs = before + [feeds[feed][length - 1] for feed, length in named.items() if length]
        missing = [other for other in needs if other.id not in done]
        if missing:
            waiting += missing
            continue
        past = {}
        for seen in [named, *({**done[other.id].past} for other in needs)]:
            for feed, length in seen.items():
                if feed != one.feed and length:
                    past[feed] = max(past.get(feed, 0), length)
        done[one.id] = one.with_past(past)
        waiting.pop()
    return done[entry.id]
