//! Which acts count.
//!
//! What a root key says of its own devices counts by itself. Then what a majority has sealed. Then the others, from the most
//! senior author down: each is judged under those decided before it, and none of those decided later can touch its author,
//! since one acts only on who stands lower. So there are no cycles, and dating something back gains nothing.
//! Spec: SPACE-12

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use weft_credential::{Credential, Role};
use weft_crypto::{DeviceId, FeedId, IdentityId};

use super::{
    act::{Act, Acts, Effect},
    facts::Facts,
    known::{Candidate, Known},
    pass::{Author, Claims, Contests, Judged, Pass},
    seals::{Sealed, Seen},
    standing::{Standing, View},
};
use crate::{
    ControlEntry,
    entry::{Place, Rank},
    void::VoidReason,
};

/// A pass under some acts.
pub(crate) struct Passed {
    pub(crate) facts: Facts,
    pub(crate) claims: Claims,
}

/// What counts of these entries, which are in the one order and none twice; but for epochs, which change nobody's standing.
pub(crate) fn decide(entries: Vec<&ControlEntry>, seen: &mut Seen) -> Facts {
    let known = Known::new(entries);
    let mut acts = Acts::default();
    for act in known.root_acts() {
        acts.add(act);
    }
    if known.candidates.is_empty() {
        return pass(&known, acts).facts;
    }
    let mut rejected = BTreeMap::new();
    for sealed in Sealed::of(&known, seen) {
        if !sealed.is_sealed(&acts) {
            continue;
        }
        // Who is an owner in the end shows only when all is decided.
        let mut trial = acts.clone();
        add(&known, &mut trial, &sealed.act, &sealed.author, sealed.first);
        if Decision::made(&known, trial.clone(), BTreeMap::new()).passed.facts.has_owner() {
            acts = trial;
        } else {
            rejected.insert(sealed.act.place, VoidReason::LastOwner);
        }
    }
    Decision::made(&known, acts, rejected).finish()
}

impl Passed {
    /// Whether who has which right, and who claims what, is as it was, but for the acts themselves.
    fn leaves(&self, before: &Self, acts: &[Open<'_>]) -> bool {
        let own: BTreeSet<&Place> = acts.iter().map(|act| &act.candidate.place).collect();
        let (facts, known) = (&self.facts, &before.facts);
        let members = facts.members.iter().zip(&known.members).all(|((one, now), (other, then))| {
            // A role that is set is given there, too.
            let given = now.grants.iter().filter(|grant| !own.contains(&grant.place));
            one == other && given.eq(&then.grants) && now.devices == then.devices
        });
        let claims = before.claims.iter().filter(|(place, _)| !own.contains(place));
        members
            && facts.members.len() == known.members.len()
            && facts.devices == known.devices
            && facts.feeds == known.feeds
            && facts.generations == known.generations
            && facts.invitations == known.invitations
            && self.claims.iter().eq(claims)
    }
}

fn pass(known: &Known<'_>, acts: Acts) -> Passed {
    let mut facts = Facts::under(Arc::new(acts));
    let mut claims = Claims::new();
    for entry in &known.entries {
        Pass::read(Contests::Decided, &known.spoken, &mut facts, &mut claims, entry);
    }
    Passed { facts, claims }
}

struct Decision<'a> {
    known: &'a Known<'a>,
    passed: Passed,
    /// What is decided not to count.
    rejected: BTreeMap<Place, VoidReason>,
    /// Whether acts of several devices are decided in one pass, until that did not work once.
    at_once: bool,
}

/// In which order acts are decided: how the author stood, which of its devices came first, and the one order.
type Turn = (Reverse<Standing>, (Rank, u32), (Rank, u32));

/// An act that is not decided and that its author may do.
#[derive(Clone, Copy)]
struct Open<'a> {
    turn: Turn,
    candidate: Candidate<'a>,
    author: Author,
}

impl<'a> Decision<'a> {
    /// Under acts that are decided already, all the others too.
    fn made(known: &'a Known<'a>, acts: Acts, rejected: BTreeMap<Place, VoidReason>) -> Self {
        let mut decision = Self { known, passed: pass(known, acts), rejected, at_once: true };
        while decision.next() {}
        decision
    }

    /// Decides whose turn is next; gives whether there was anything. Spec: SPACE-12.2
    fn next(&mut self) -> bool {
        let open = self.open();
        let Some(first) = open.first() else {
            return false;
        };
        // What one device says as one and the same is decided together, as long as it is about others and each time about
        // another one: nothing in it touches the rest. Else one by one.
        let mut about = BTreeSet::from([Some(first.author.identity)]);
        let together = open.iter().take_while(|act| {
            (act.turn.0, act.turn.1) == (first.turn.0, first.turn.1)
                && act.candidate.place.feed == first.candidate.place.feed
                && about.insert(self.target(&act.candidate))
        });
        let together = together.count().max(1);
        let apart = self.apart(&open);
        if self.at_once && apart > together {
            self.at_once = self.accept_at_once(&open[..apart]);
            if self.at_once {
                return true;
            }
        }
        self.accept(&open[..together]);
        true
    }

    /// What is not decided and may be done, in the order of turns.
    fn open(&self) -> Vec<Open<'a>> {
        let mut open: Vec<Open<'a>> = Vec::new();
        for candidate in &self.known.candidates {
            if self.is_decided(&candidate.place) {
                continue;
            }
            if let Some(author) = self.passed.claims.get(&candidate.place)
                && let Some(turn) = self.turn(candidate, author)
                && self.may(candidate, author).is_ok()
            {
                open.push(Open { turn, candidate: *candidate, author: *author });
            }
        }
        wait(&mut open);
        open.sort_by_key(|act| act.turn);
        open
    }

    /// How many of the next acts only take away, each from another one and none from its author.
    fn apart(&self, open: &[Open<'a>]) -> usize {
        let mut about = BTreeSet::new();
        let apart = open.iter().take_while(|Open { candidate, author, .. }| {
            let target = self.target(candidate).filter(|target| *target != author.identity);
            let takes = match candidate.credential {
                Credential::RoleChanged(act) => {
                    let position = candidate.entry.position_at(candidate.place.part);
                    let had = self.passed.facts.role(&act.identity, View::At(&position));
                    had.is_none_or(|had| act.role <= had)
                }
                Credential::CutRaised(_) => false,
                _ => true,
            };
            takes && target.is_some_and(|target| about.insert(target))
        });
        apart.count()
    }

    /// Lets acts that are [apart](Self::apart) count, in one pass, if that is what deciding them one after another comes to: if it leaves
    /// who has which right, and who claims what, as it was, and opens nothing whose turn was before theirs. Gives whether it is.
    /// See decision 0122.
    fn accept_at_once(&mut self, batch: &[Open<'a>]) -> bool {
        let before = self.read_with(batch);
        let facts = &self.passed.facts;
        let stands = |act: &Open<'a>| facts.author(act.candidate.entry).is_ok_and(|author| author == act.author);
        let last = batch.last().map(|act| act.turn);
        let same = self.passed.leaves(&before, batch)
            && batch.iter().all(stands)
            && (facts.has_owner() || !before.facts.has_owner())
            && self.open().first().is_none_or(|next| Some(next.turn) > last);
        if !same {
            self.passed = before;
        }
        same
    }

    /// Reads everything under these acts too; gives what was before.
    fn read_with(&mut self, batch: &[Open<'a>]) -> Passed {
        let mut acts = Acts::clone(&self.passed.facts.acts);
        for Open { candidate, author, .. } in batch {
            let first = self.passed.facts.devices.get(&author.device).map(|device| device.first);
            add(self.known, &mut acts, candidate, author, first);
        }
        std::mem::replace(&mut self.passed, pass(self.known, acts))
    }

    fn is_decided(&self, place: &Place) -> bool {
        self.passed.facts.acts.at(place).is_some() || self.rejected.contains_key(place)
    }

    fn turn(&self, candidate: &Candidate<'_>, author: &Author) -> Option<Turn> {
        let device = self.passed.facts.devices.get(&author.device)?;
        Some((Reverse(author.standing?), device.first, (candidate.entry.rank(), candidate.place.part)))
    }

    /// Lets them count, unless nobody would be an owner then. Spec: SPACE-12.4
    fn accept(&mut self, batch: &[Open<'a>]) {
        let owned = self.passed.facts.has_owner();
        let before = self.read_with(batch);
        if owned && !self.passed.facts.has_owner() {
            self.passed = before;
            match batch {
                [act] => drop(self.rejected.insert(act.candidate.place, VoidReason::LastOwner)),
                _ => self.accept(&batch[..1]),
            }
            return;
        }
        // Of several, one can leave another nothing to do: whom it is about was a member by what the first takes away.
        let broken = batch.iter().skip(1).position(|act| self.may(&act.candidate, &act.author).is_err());
        if let Some(at) = broken {
            self.passed = before;
            self.accept(&batch[..=at]);
        }
    }

    /// Whom an act is about.
    fn target(&self, candidate: &Candidate<'_>) -> Option<IdentityId> {
        let facts = &self.passed.facts;
        match candidate.credential {
            Credential::MemberRemoved(act) => Some(act.identity),
            Credential::RoleChanged(act) => Some(act.identity),
            Credential::DeviceRemoved(act) => facts.devices.get(&act.device).map(|device| device.identity),
            Credential::FeedClosed(act) => facts.feeds.get(&act.feed).map(|feed| feed.identity),
            Credential::InvitationRevoked(act) => {
                facts.invitations.get(&act.invitation)?.issue(|_| true).map(|issue| issue.issuer)
            }
            Credential::CutRaised(raised) => self.raised(raised).and_then(|act| self.target_of(act)),
            _ => None,
        }
    }

    fn raised(&self, raised: &weft_credential::CutRaised) -> Option<&Act> {
        let place = self.known.place_of(&raised.act)?;
        Some(self.passed.facts.acts.at(&place)?.1)
    }

    fn target_of(&self, act: &Act) -> Option<IdentityId> {
        let facts = &self.passed.facts;
        match &act.effect {
            Effect::Removes(identity) | Effect::Lowers(identity, _) => Some(*identity),
            Effect::RemovesDevice { device, .. } => facts.devices.get(device).map(|device| device.identity),
            Effect::Closes(feed) => facts.feeds.get(feed).map(|feed| feed.identity),
            Effect::Revokes { .. } => None,
        }
    }

    /// Whether the author may do this, under what is decided so far. Spec: SPACE-11
    fn may(&self, candidate: &Candidate<'_>, author: &Author) -> Judged {
        let facts = &self.passed.facts;
        let standing = author.must(|_| true)?;
        let target = self.target(candidate);
        match candidate.credential {
            Credential::MemberRemoved(act) if act.identity == author.identity => Ok(()),
            Credential::RoleChanged(act) if act.identity == author.identity => {
                let lower = act.role < standing.role;
                lower.then_some(()).ok_or(VoidReason::NoRight { had: Some(standing.role) })
            }
            Credential::RoleChanged(act) => {
                author.must(|role| role.may_grant(act.role))?;
                self.outranks(&candidate.place, author, act.identity)
            }
            Credential::DeviceRemoved(act) => {
                let target = target.ok_or(VoidReason::UnknownDevice)?;
                if target == author.identity {
                    self.sibling(author, &act.device)
                } else {
                    self.outranks(&candidate.place, author, target)
                }
            }
            Credential::FeedClosed(act) => {
                let target = target.ok_or(VoidReason::FeedNotAdmitted)?;
                let feed = facts.feeds.get(&act.feed).ok_or(VoidReason::FeedNotAdmitted)?;
                if target == author.identity {
                    self.sibling(author, &feed.manifest.device)
                } else {
                    self.outranks(&candidate.place, author, target)
                }
            }
            Credential::CutRaised(raised) => {
                let act = self.raised(raised).ok_or(VoidReason::UnknownAct)?;
                if !act.is_known(&candidate.entry.position()) {
                    return Err(VoidReason::UnknownAct);
                }
                if act.author == author.identity {
                    return Ok(());
                }
                let target = target.ok_or(VoidReason::UnknownAct)?;
                // As the other stood where the act was said: by now it may stand nowhere.
                self.outranks(&act.places[0], author, target)
            }
            Credential::InvitationRevoked(_) => {
                let target = target.ok_or(VoidReason::UnknownInvitation)?;
                if target == author.identity { Ok(()) } else { self.outranks(&candidate.place, author, target) }
            }
            _ => self.outranks(&candidate.place, author, target.ok_or(VoidReason::UnknownAct)?),
        }
    }

    /// A device removes itself and those of its identity that came after it. Spec: SPACE-11.4
    fn sibling(&self, author: &Author, device: &DeviceId) -> Judged {
        let first = |device: &DeviceId| self.passed.facts.devices.get(device).map(|known| known.first);
        let may = *device == author.device || first(&author.device) < first(device);
        may.then_some(()).ok_or(VoidReason::Outranked)
    }

    /// Whether the author administers and stands higher than the other did for an act said at `place`: by all that the other was
    /// given but by those who knew of the act, less what was taken where the act's author knew of it. Who was no member then
    /// has nothing that could be taken. Spec: SPACE-12.1
    fn outranks(&self, place: &Place, author: &Author, target: IdentityId) -> Judged {
        let standing = author.must(Role::may_administer)?;
        if target == author.identity {
            return Err(VoidReason::Outranked);
        }
        let entry = self.known.entry_at(place).ok_or(VoidReason::UnknownAct)?;
        let position = entry.position();
        // A member is not removed by an act that comes later in the very entry, nor by the act itself.
        let applies = |act: &Act| act.is_known(&position) && act.places.iter().any(|at| self.known.is_after(place, at));
        let other = self.passed.facts.standing_if(&target, |grant| !self.known.is_after(&grant.place, place), applies);
        match other {
            None => Err(VoidReason::NoMember),
            Some(other) if standing > other => Ok(()),
            Some(_) => Err(VoidReason::Outranked),
        }
    }

    /// What counts, and why the rest does not.
    fn finish(self) -> Facts {
        let mut reasons = Vec::new();
        for candidate in &self.known.candidates {
            if self.passed.facts.acts.at(&candidate.place).is_some() {
                continue;
            }
            let rejected = self.rejected.get(&candidate.place).cloned();
            let author = self.passed.claims.get(&candidate.place);
            let reason = rejected.or_else(|| self.may(candidate, author?).err());
            reasons.extend(reason.map(|reason| (candidate.place, reason)));
        }
        let mut facts = self.passed.facts;
        facts.void.extend(reasons);
        facts
    }
}

/// What a device says after it did something to its own member waits for that: a higher role that was given at once does not
/// let it act first, and last. Spec: SPACE-12.2
fn wait(open: &mut Vec<Open<'_>>) {
    let mut first: BTreeMap<FeedId, (Rank, u32)> = BTreeMap::new();
    for Open { turn: (_, _, place), candidate, author } in open.iter() {
        let to_itself = match candidate.credential {
            Credential::MemberRemoved(act) => act.identity == author.identity,
            Credential::RoleChanged(act) => act.identity == author.identity,
            Credential::DeviceRemoved(act) => act.device == author.device,
            Credential::FeedClosed(act) => act.feed == candidate.place.feed,
            _ => false,
        };
        if to_itself {
            let known = first.entry(candidate.place.feed).or_insert(*place);
            *known = (*known).min(*place);
        }
    }
    open.retain(|act| first.get(&act.candidate.place.feed).is_none_or(|first| act.turn.2 <= *first));
}

/// Adds what a candidate does to what counts.
fn add(known: &Known<'_>, acts: &mut Acts, candidate: &Candidate<'_>, author: &Author, first: Option<(Rank, u32)>) {
    let (effect, cuts) = match candidate.credential {
        Credential::MemberRemoved(act) => (Effect::Removes(act.identity), act.cuts.as_slice()),
        Credential::RoleChanged(act) => (Effect::Lowers(act.identity, act.role), act.cuts.as_slice()),
        Credential::DeviceRemoved(act) => (Effect::RemovesDevice { device: act.device, of: None }, act.cuts.as_slice()),
        Credential::FeedClosed(act) => (Effect::Closes(act.feed), act.cut.as_slice()),
        Credential::InvitationRevoked(act) => {
            let standing = act.standing.iter().copied().collect();
            (Effect::Revokes { invitation: act.invitation, standing }, [].as_slice())
        }
        Credential::CutRaised(raised) => {
            let named = known.place_of(&raised.act).and_then(|place| Some(acts.at(&place)?.0));
            if let Some(number) = named {
                acts.raise(number, raised.cuts.iter().map(|cut| (cut.feed, cut.length)));
                acts.counts(candidate.place, number);
            }
            return;
        }
        _ => return,
    };
    acts.add(Act {
        places: vec![candidate.place],
        rank: (candidate.entry.rank(), candidate.place.part),
        author: author.identity,
        first,
        standing: author.standing,
        effect,
        cuts: cuts.iter().map(|cut| (cut.feed, cut.length)).collect(),
        floor: candidate.entry.seen(),
        seen: candidate.entry.seen(),
    });
}
