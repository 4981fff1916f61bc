"""What takes a right away, and who may do it (SPACE-11), under what counts so far."""

import credentials as say
from entries import NOW, RANK, administers, may_grant


def may(reading, act):
    """SPACE-11: (standing of the author, the author) if the author may do it under what counts so far; else None."""
    author, _ = reading.author(act.place)
    if author is None:
        return None
    standing = reading.author_standing(author.identity, act.place)
    if standing is None or (act.place.entry.seq >= 10_000 and not administers(standing.role)):
        return None
    allowed = MAY[type(act.said)](reading, act, act.said, author, standing)
    return (standing, author) if allowed else None


def is_to_itself(act, author):
    """SPACE-12.2: whether by an act its author does something to itself, its device or the feed in which it says so."""
    said = act.said
    own_feed = isinstance(said, say.FeedClosed) and said.feed == act.place.entry.feed
    return own_feed or act.identity == author.identity or isinstance(said, say.DeviceRemoved) and said.device == author.device


def outranks(reading, act, standing, author, identity):
    """SPACE-12.1: administers and outranks; never itself."""
    if identity is None or identity == author.identity or not administers(standing.role):
        return False
    other = reading.standing_for(act, identity)
    return other is not None and standing.key < other.key


def may_remove(reading, act, said, author, standing):
    """SPACE-11.1."""
    if said.identity == author.identity:
        return True
    return outranks(reading, act, standing, author, said.identity)


def may_remove_device(reading, act, said, author, standing):
    """SPACE-11.4."""
    identity = reading.identity_of(said.device)
    if said.device == author.device or (identity == author.identity and reading.was_earlier(author.device, said.device)):
        return True
    return outranks(reading, act, standing, author, identity)


def may_set_role(reading, act, said, author, standing):
    """SPACE-11.5."""
    if said.identity == author.identity:
        return RANK[said.role] < RANK[standing.role]
    return may_grant(standing.role, said.role) and outranks(reading, act, standing, author, said.identity)


def may_close(reading, act, said, author, standing):
    """SPACE-11.7."""
    if said.feed not in reading.feeds:
        return False
    device = reading.device_of(said.feed)
    identity = reading.identity_of(device)
    if device == author.device or (identity == author.identity and reading.was_earlier(author.device, device)):
        return True
    return outranks(reading, act, standing, author, identity)


def may_revoke(reading, act, said, author, standing):
    """SPACE-11.8."""
    issue = reading.issue(said.invitation, NOW)
    if issue is None:
        return False
    issuer = issue.author.identity
    return issuer == author.identity or outranks(reading, act, standing, author, issuer)


def may_raise(reading, act, said, author, standing):
    """SPACE-11.3."""
    named = reading.raised_by(act)
    if named is None or not act.place.saw_any(named.places):
        return False
    if author.identity == (named.said.identity if named.root else named.author.identity):
        return True
    whom = about(reading, named)
    if whom is None or whom == author.identity or not administers(standing.role):
        return False
    other = reading.standing_for(named, whom)
    return other is not None and standing.key < other.key


def about(reading, act):
    """SPACE-11.3: whom an act is about."""
    said = act.said
    if isinstance(said, (say.MemberRemoved, say.MemberRoleChanged, say.RootDeviceRemoved)):
        return said.identity
    if isinstance(said, say.DeviceRemoved):
        return reading.identity_of(said.device)
    if isinstance(said, say.FeedClosed):
        return reading.identity_of(reading.device_of(said.feed))
    return None


MAY = {
    say.MemberRemoved: may_remove, say.DeviceRemoved: may_remove_device, say.MemberRoleChanged: may_set_role, say.FeedClosed: may_close,
    say.InvitationRevoked: may_revoke, say.CutRaised: may_raise,
}
