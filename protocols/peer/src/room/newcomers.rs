//! Newcomers that wait until a person approves them: their redemptions, verified and durable, and who was denied.
//!
//! A link that leaked fills the places of its own invitation only, and nobody who waits is put out by who comes later.
//! Spec: INVITATION-7

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_credential::Redemption;
use weft_crypto::{DeviceId, InvitationId, SpaceId};
use weft_space::{InvitationState, Resolution};

use super::{Effect, Persisting, Room, Saying};
use crate::{
    command::{Answer, Refusal},
    event::Event,
    invitations::{InvitationStatus, NewcomerStatus},
    io::{Ask, Output, StreamId},
    links, local,
    outbox::{Outbox, Purpose},
    store::{Batch, Write},
};

/// Redemptions that wait for one invitation. A guess: more than a person looks through at once.
pub(crate) const OF_INVITATION_MAX: usize = 16;
/// Redemptions that wait in one space, and as many of those that were denied. With at most 9 KiB each these are 576 KiB.
pub(crate) const OF_SPACE_MAX: usize = 64;

/// What became of a redemption that a person has to approve.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    Waits(Box<Redemption>),
    Denied,
}

/// A newcomer at an invitation.
#[derive(Clone, Debug)]
pub(crate) struct Newcomer {
    /// When it came, or was denied, in milliseconds since 1970.
    pub(crate) since_ms: u64,
    pub(crate) kept: Kept,
}

/// The newcomers of one space.
#[derive(Debug, Default)]
pub(crate) struct Newcomers(BTreeMap<(InvitationId, DeviceId), Newcomer>);

impl Newcomers {
    /// From the rows on disk; what cannot be read is as if it were not there, and the newcomer asks again.
    pub(crate) fn restore(&mut self, invitation: InvitationId, device: DeviceId, row: &Bytes) {
        if let Some(newcomer) = Newcomer::decode(row) {
            self.0.insert((invitation, device), newcomer);
        }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &(InvitationId, DeviceId)> {
        self.0.keys()
    }

    pub(crate) fn get(&self, invitation: &InvitationId, device: &DeviceId) -> Option<&Newcomer> {
        self.0.get(&(*invitation, *device))
    }

    /// Who waits at an invitation.
    pub(crate) fn waiting(&self, invitation: &InvitationId) -> impl Iterator<Item = (&Redemption, u64)> {
        let ends = (*invitation, DeviceId::from_bytes([0; 32]))..=(*invitation, DeviceId::from_bytes([255; 32]));
        self.0.range(ends).filter_map(|(_, newcomer)| match &newcomer.kept {
            Kept::Waits(redemption) => Some((&**redemption, newcomer.since_ms)),
            Kept::Denied => None,
        })
    }

    fn count(&self, waiting: bool) -> usize {
        self.0.values().filter(|newcomer| matches!(newcomer.kept, Kept::Waits(_)) == waiting).count()
    }

    /// Whether another redemption may wait at an invitation.
    pub(crate) fn has_place(&self, invitation: &InvitationId) -> bool {
        self.waiting(invitation).count() < OF_INVITATION_MAX && self.count(true) < OF_SPACE_MAX
    }

    /// Keeps a redemption; ask [`Newcomers::has_place`] before.
    pub(crate) fn keep(
        &mut self,
        space: &SpaceId,
        invitation: InvitationId,
        redemption: Redemption,
        since_ms: u64,
    ) -> Write {
        let device = redemption.statement().device;
        self.put(space, (invitation, device), Newcomer { since_ms, kept: Kept::Waits(Box::new(redemption)) })
    }

    /// Denies a newcomer, and remembers it, so that it is told. Of those that were denied the one longest ago is forgotten.
    pub(crate) fn deny(
        &mut self,
        space: &SpaceId,
        invitation: InvitationId,
        device: DeviceId,
        now_ms: u64,
    ) -> Vec<Write> {
        let mut writes = vec![self.put(space, (invitation, device), Newcomer { since_ms: now_ms, kept: Kept::Denied })];
        if self.count(false) > OF_SPACE_MAX {
            let denied = self.0.iter().filter(|(_, newcomer)| matches!(newcomer.kept, Kept::Denied));
            let oldest = denied.min_by_key(|(_, newcomer)| newcomer.since_ms).map(|(at, _)| *at);
            writes.extend(oldest.map(|(invitation, device)| self.forget(space, invitation, device)));
        }
        writes
    }

    /// Forgets a newcomer: it was let in, or there is nothing to be let in by any more.
    pub(crate) fn forget(&mut self, space: &SpaceId, invitation: InvitationId, device: DeviceId) -> Write {
        self.0.remove(&(invitation, device));
        Write::Local { key: local::newcomer_key(space, &invitation, &device), value: None }
    }

    /// Forgets those at invitations that cannot be redeemed any more, and those that are members by now.
    pub(crate) fn prune(&mut self, space: &SpaceId, resolution: &Resolution) -> Vec<Write> {
        let over = |state: InvitationState, device: &DeviceId| {
            let member = state.redemptions.iter().any(|(_, redeemer)| redeemer == device);
            member || state.revoked || state.left == 0
        };
        let gone = self
            .0
            .keys()
            .filter(|(invitation, device)| resolution.invitation(invitation).is_none_or(|state| over(state, device)));
        let gone: Vec<_> = gone.copied().collect();
        gone.into_iter().map(|(invitation, device)| self.forget(space, invitation, device)).collect()
    }

    fn put(&mut self, space: &SpaceId, at: (InvitationId, DeviceId), newcomer: Newcomer) -> Write {
        let key = local::newcomer_key(space, &at.0, &at.1);
        let write = Write::Local { key, value: Some(newcomer.encode()) };
        self.0.insert(at, newcomer);
        write
    }
}

impl Newcomer {
    /// Since when, little endian, and the redemption; none for one that was denied.
    fn encode(&self) -> Bytes {
        let redemption = match &self.kept {
            Kept::Waits(redemption) => redemption.encode(),
            Kept::Denied => Bytes::new(),
        };
        [&self.since_ms.to_le_bytes(), redemption.as_ref()].concat().into()
    }

    fn decode(row: &Bytes) -> Option<Newcomer> {
        let since_ms = u64::from_le_bytes(*row.first_chunk()?);
        let redemption = row.slice(8..);
        let kept = match redemption.is_empty() {
            true => Kept::Denied,
            false => Kept::Waits(Box::new(Redemption::decode(&redemption).ok()?)),
        };
        Some(Newcomer { since_ms, kept })
    }
}

impl Room {
    /// A redemption waits from now on: the newcomer hears so when that is durable.
    pub(crate) fn keep_newcomer(
        &mut self,
        stream: StreamId,
        at: (InvitationId, DeviceId),
        write: Write,
        outbox: &mut Outbox,
    ) {
        let (invitation, newcomer) = at;
        let mut writes = self.newcomers.prune(&self.space, self.membership.resolution());
        writes.push(write);
        let saying = Saying::Waits { stream, invitation, newcomer };
        self.persist_newcomers(writes, saying, outbox);
    }

    /// A person says no.
    pub(crate) fn deny_newcomer(
        &mut self,
        ask: Ask,
        invitation: InvitationId,
        newcomer: DeviceId,
        now_ms: u64,
        outbox: &mut Outbox,
    ) -> Result<(), Refusal> {
        let kept = self.newcomers.get(&invitation, &newcomer);
        kept.ok_or_else(|| links::invitation::nobody(&newcomer))?;
        let writes = self.newcomers.deny(&self.space, invitation, newcomer, now_ms);
        self.persist_newcomers(writes, Saying::Denied(ask), outbox);
        Ok(())
    }

    fn persist_newcomers(&mut self, writes: Vec<Write>, saying: Saying, outbox: &mut Outbox) {
        let ticket = outbox.persist(Purpose::RoomPersist(self.space), Batch { writes, durable: true });
        self.persisting.insert(ticket, Persisting::Newcomer(saying));
    }

    pub(super) fn newcomer_kept(&mut self, saying: Saying, outbox: &mut Outbox) {
        match saying {
            Saying::Waits { stream, invitation, newcomer } => {
                self.effects.push_back(Effect::RedemptionKept(stream));
                outbox.event(Event::NewcomerWaits { space: self.space, invitation, newcomer });
            }
            Saying::Denied(ask) => outbox.push(Output::Answer { ask, result: Ok(Answer::NewcomerDenied) }),
        }
    }

    pub(super) fn newcomer_not_kept(&mut self, saying: Saying, reason: &str, outbox: &mut Outbox) {
        match saying {
            Saying::Waits { stream, invitation, newcomer } => {
                self.newcomers.forget(&self.space, invitation, newcomer);
                self.effects.push_back(Effect::RedemptionFailed(stream));
            }
            Saying::Denied(ask) => {
                let result = Err(links::own::not_stored(reason));
                outbox.push(Output::Answer { ask, result });
            }
        }
    }

    /// The invitations of the space, and who waits at each.
    pub(crate) fn invitations(&self) -> Vec<InvitationStatus> {
        let resolution = self.membership.resolution();
        let status = |(invitation, state): (InvitationId, InvitationState)| InvitationStatus {
            hosted: !state.revoked && resolution.may_host(&self.me.identity, &state),
            revocable: !state.revoked && resolution.may_revoke(&self.me.identity, &state),
            waiting: self.waiting_at(&invitation, &state),
            invitation,
            role: state.role,
            uses: state.uses,
            left: state.left,
            expires_ms: state.expires_ms,
            issuer: state.issuer,
            approve: state.approve,
            revoked: state.revoked,
            redeemed: state.redemptions.iter().map(|(identity, _)| *identity).collect(),
        };
        resolution.invitations().map(status).collect()
    }

    fn waiting_at(&self, invitation: &InvitationId, state: &InvitationState) -> Vec<NewcomerStatus> {
        if state.revoked {
            return Vec::new();
        }
        let waiting = self.newcomers.waiting(invitation).map(|(redemption, since_ms)| {
            let statement = redemption.statement();
            let digits = weft_invitation::digits(&statement.identity);
            NewcomerStatus { identity: statement.identity, device: statement.device, digits, since_ms }
        });
        waiting.filter(|newcomer| !state.redemptions.contains(&(newcomer.identity, newcomer.device))).collect()
    }

    /// How many wait until a person approves them.
    pub(crate) fn newcomers_waiting(&self) -> u32 {
        let waiting = self.invitations().iter().map(|invitation| invitation.waiting.len()).sum::<usize>();
        u32::try_from(waiting).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
pub(crate) mod tests {
    use weft_credential::{Chain, RootStatements, redemption::Statement};
    use weft_crypto::{DeviceKey, FeedSecret, InvitationSecret, PreKeyId, PreKeySecret, RecoveryKey, RootKey};
    use weft_space::compose::SpaceKeys;

    use super::*;

    const SPACE: SpaceId = SpaceId::from_bytes([1; 32]);

    pub(crate) fn redemption(number: u8) -> Redemption {
        with_keys(number, None, None)
    }

    /// Of somebody who says to have another pre-key or recovery key than its own.
    pub(crate) fn with_keys(number: u8, pre_key: Option<PreKeyId>, recovery: Option<PreKeyId>) -> Redemption {
        let seed = |what: u8| {
            let mut seed = [what; 32];
            seed[0] = number;
            seed
        };
        let (root, device) = (RootKey::from_seed(seed(1)), DeviceKey::from_seed(seed(2)));
        let recovery = recovery.unwrap_or(RecoveryKey::from_seed(seed(3)).id());
        let [device_admitted, recovery_key_set] =
            RootStatements::at_init(&root, &RootKey::from_seed(seed(4)).id(), device.id(), recovery);
        let keys = SpaceKeys {
            control: FeedSecret::from_seed(seed(5)),
            data: FeedSecret::from_seed(seed(6)),
            pre_key: PreKeySecret::from_seed(seed(7)),
            generation: 0,
        };
        let [control, data] = keys.manifests(SPACE, &device);
        let secret = InvitationSecret::from_seed([9; 32]);
        let statement = Statement {
            space: SPACE,
            invitation: secret.id(),
            identity: root.id(),
            device_admitted,
            chain: Chain::default(),
            recovery_key_set,
            device: device.id(),
            pre_key: pre_key.unwrap_or(keys.pre_key.id()),
            control,
            data,
            host: DeviceId::from_bytes([8; 32]),
        };
        statement.sign(&secret, &device)
    }

    /// Spec: INVITATION-7
    #[test]
    fn a_flood_at_one_invitation_leaves_places_at_others() {
        let mut newcomers = Newcomers::default();
        let [leaked, other] = [1, 2].map(|byte| InvitationId::from_bytes([byte; 32]));
        for number in 0..u8::try_from(OF_INVITATION_MAX).unwrap() {
            assert!(newcomers.has_place(&leaked));
            newcomers.keep(&SPACE, leaked, redemption(number), number.into());
        }
        assert!(!newcomers.has_place(&leaked) && newcomers.has_place(&other));
        let newcomer = redemption(0).statement().device;
        newcomers.deny(&SPACE, leaked, newcomer, 77);
        assert!(newcomers.has_place(&leaked), "whoever is denied gives the place free");
        assert!(matches!(newcomers.get(&leaked, &newcomer).unwrap().kept, Kept::Denied));
    }

    /// Spec: INVITATION-7
    #[test]
    fn of_those_that_were_denied_the_last_ones_are_remembered() {
        let mut newcomers = Newcomers::default();
        let invitation = InvitationId::from_bytes([1; 32]);
        for number in 0..=u8::try_from(OF_SPACE_MAX).unwrap() {
            newcomers.deny(&SPACE, invitation, DeviceId::from_bytes([number; 32]), number.into());
        }
        assert_eq!(newcomers.count(false), OF_SPACE_MAX);
        assert!(newcomers.get(&invitation, &DeviceId::from_bytes([0; 32])).is_none());
    }

    #[test]
    fn who_waits_is_read_again() {
        let (redemption, device) = (redemption(3), redemption(3).statement().device);
        let newcomer = Newcomer { since_ms: 5, kept: Kept::Waits(Box::new(redemption)) };
        let invitation = InvitationId::from_bytes([1; 32]);
        let mut newcomers = Newcomers::default();
        newcomers.restore(invitation, device, &newcomer.encode());
        assert_eq!(newcomers.waiting(&invitation).count(), 1);
        newcomers.restore(invitation, device, &Bytes::from_static(b"cut"));
        assert_eq!(newcomers.waiting(&invitation).count(), 1, "what cannot be read changes nothing");
    }
}
