"""What holds under what was read so far and under the acts that count: who speaks, where feeds stand, who has which right."""

from collections import defaultdict

import credentials as say
from credentials import CONTROL
from entries import NOW, OWNER, RANK, RULES, Admission, Author, Standing, reads


class Known:
    """What was entered, by kind, with the places where it was said (SPACE-3.3)."""

    def __init__(self, entries, acts, carried=None):
        self.entries, self.acts, self.carried, self.open = entries, acts, carried, carried is None
        self.genesis = None
        self.feeds = {}  # feed: Feed, those whose admission counts
        self.generations = {}  # (device, purpose, generation): feed
        self.devices = defaultdict(list)  # device: [Admission], those that count
        self.device_count = defaultdict(set)  # identity: devices admitted for it
        self.grants = defaultdict(list)  # identity: [Grant]
        self.issues = defaultdict(list)  # invitation: [Issue]
        self.redemptions = defaultdict(set)  # invitation: {(identity, device)}
        self.named_feeds = defaultdict(list)  # feed: [Place], redemptions whose newcomer named it
        self.pre_keys = defaultdict(list)  # device: [(number, key, place)]
        self.recovery_keys = defaultdict(list)  # identity: [(number, key, place)]
        self.starts = defaultdict(list)  # epoch: [(place, EpochStarted)]
        self.depths = {}
        self.lockboxes = defaultdict(list)  # epoch: [Lockbox] that were added
        self.refusals = defaultdict(int)  # (epoch, device): how often
        self.witnesses = defaultdict(list)  # forked feed: [Witness]
        self.policies = []  # (place, history): changes of the policy that none of the others knew of
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
