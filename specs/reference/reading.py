"""One pass over the entries (SPACE-3): each part counts, and is entered, or is void with its reason."""

import credentials as say
from entries import ACTS, KEEPER_KIND, OWNER, RECOVERY_KIND, RULES, Feed, Grant, Issue, Witness, administers, may_grant, writes
from known import Known


class Reading(Known):
    """The pass under the acts that count, beside what is carried. Without that it is the second pass of SPACE-3.3, open to all contests and under no act."""

    def __init__(self, entries, acts, carried=None):
        super().__init__(entries, acts, carried)
        for entry in entries:
            for place in entry.places:
                self.read(place)

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
            if not say.is_usable(said.key):
                return "nothing can be sealed to it"  # SPACE-5.1
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
        if not say.is_usable(said.key):
            return "nothing can be sealed to it"
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
        """SPACE-6.1, SPACE-6.3, SPACE-11.8."""
        if author.device != said.host:
            return "not the host that the newcomer named"
        issue = self.issue(said.invitation, place)
        if issue is None:
            return "not issued in its past"
        if not may_grant(role, issue.said.role):
            return "the host may not grant the role"
        newcomers, newcomer = self.redemptions[said.invitation], (said.identity, said.device)
        if newcomer not in newcomers and len(newcomers) >= issue.said.uses and not self.open:
            return "used up"
        why = self.refuses_device(said.device, said.identity, place, said.through)
        if why:
            return why
        if not may_grant(self.role(issue.author.identity, place), issue.said.role):
            return "the issuer may not grant the role any more"
        if any(self.ends_issue(act, issue) and place.entry.seq >= self.cut(act, place.entry.feed) for act in self.acts):
            return "revoked with its issuer"
        for act in self.acts:
            if isinstance(act.said, say.InvitationRevoked) and act.said.invitation == said.invitation:
                if place.entry.id not in act.said.standing or place.saw_any(act.places):
                    return "revoked"
        if not (say.is_usable(said.pre_key) and say.is_usable(said.recovery.key)):
            return "nothing can be sealed to its keys"  # SPACE-5.1
        newcomers.add(newcomer)
        self.grants[said.identity].append(Grant(place, issue.said.role, issue.standing.chain + 1))
        self.admit_device(said.device, said.identity, place, said.through)
        self.recovery_keys[said.identity].append((said.recovery.number, said.recovery.key, place))
        self.brings(place, said)
        return None

    def ends_issue(self, act, issue):
        """SPACE-6.3: whether the act takes from the issuer the right by which it issued the invitation."""
        if act.identity != issue.author.identity or self.is_to_itself(act) or act.is_before(issue.place):
            return False
        return act.lowers_to is None or not may_grant(act.lowers_to, issue.said.role)

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
        if not all(place.saw_any(self.begun(parent)) for parent in said.parents):
            return "a parent is not known"
        self.starts[said.epoch].append((place, said))
        self.depths[said.epoch] = 1 + max((self.depth(parent) for parent in said.parents), default=0)
        return None

    def begun(self, epoch):
        """SPACE-7: where an epoch is begun by what its author had seen."""
        passes = [self, self.carried] if self.carried else [self]
        return [at for one in passes for at, _ in one.starts.get(epoch, ())]

    def depth(self, epoch):
        return self.depths[epoch] if epoch in self.depths else self.carried.depths[epoch]

    def read_lockbox(self, place, said, author, role):
        """SPACE-7.2."""
        box = said.lockbox
        if not place.saw_any(self.begun(box.epoch)):
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

    def read_refusal(self, place, said, author, role):
        """SPACE-7.7."""
        if said.device != author.device:
            return "another device's lockbox"
        if not place.saw_any(self.begun(said.epoch)):
            return "the epoch is not known"
        if self.refusals[said.epoch, said.device] >= 3:
            return "too many"
        self.refusals[said.epoch, said.device] += 1
        return None

    def read_policy(self, place, said, author, role):
        """SPACE-7.6."""
        if role != OWNER:
            return "not an owner"
        self.policies = [*(one for one in self.policies if not place.saw(one[0])), (place, said.history)]
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
        say.LockboxRefused: read_refusal, say.PolicyChanged: read_policy, say.Unknown: read_unknown, say.DeviceLinked: read_link, say.ForkProven: read_fork,
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
