//! Links that this device issues: what they offer, and which devices they name as hosts.

use weft_credential::Role;
use weft_crypto::{DeviceId, IdentityId, InvitationId, SpaceId};
use weft_feed::kind;
use weft_invitation::Link;
use weft_space::{
    Resolution,
    compose::{self, Terms},
};

use crate::{
    command::{Refusal, RefusalKind},
    commands::actor,
    io::Ask,
    peer::Peer,
    room::own::{self, Draft},
};

/// Devices that a link names: the issuer's and three more.
const HOSTS_MAX: usize = 4;
/// Addresses that a link names.
const ADDRESSES_MAX: usize = 16;
/// Addresses of each other host among them. A guess: QUIC and TCP, and one more network.
const ADDRESSES_OF_OTHERS: usize = 3;

/// A link to be issued.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The space.
    pub space: SpaceId,
    /// What it offers, and to how many.
    pub terms: Terms,
    /// Where the newcomer finds this device, as multiaddresses.
    pub addresses: Vec<String>,
    /// Where other devices were found, each address with its device's name in it; those found last come first.
    pub places: Vec<(DeviceId, Vec<String>)>,
    /// What the link says the space is called.
    pub space_name: String,
    /// What the link says its issuer is called.
    pub inviter_name: String,
}

/// An invitation, as a member sees it.
#[derive(Clone, Debug)]
pub struct InvitationStatus {
    /// Its id.
    pub invitation: InvitationId,
    /// What a redeemer becomes.
    pub role: Role,
    /// How many may redeem it.
    pub uses: u32,
    /// How many still may.
    pub left: u32,
    /// When hosts stop accepting it, in milliseconds since 1970.
    pub expires_ms: u64,
    /// Who issued it.
    pub issuer: IdentityId,
    /// Whether a person has to approve each newcomer.
    pub approve: bool,
    /// Whether nobody can redeem it any more, since it was revoked or its issuer may not grant its role.
    pub revoked: bool,
    /// Whether this device takes redemptions of it.
    pub hosted: bool,
    /// Whether this identity may revoke it.
    pub revocable: bool,
    /// Who redeemed it.
    pub redeemed: Vec<IdentityId>,
    /// Who waits at this device until a person approves it.
    pub waiting: Vec<NewcomerStatus>,
}

/// A newcomer that waits.
#[derive(Clone, Debug)]
pub struct NewcomerStatus {
    /// Its root key.
    pub identity: IdentityId,
    /// Its device.
    pub device: DeviceId,
    /// What both people can read to one another. Spec: INVITATION-7.2
    pub digits: String,
    /// Since when it waits, in milliseconds since 1970.
    pub since_ms: u64,
}

impl Peer {
    /// Issues a link. Spec: INVITATION-2
    pub(crate) fn invite(&mut self, ask: Ask, new: NewLink) -> Result<(), Refusal> {
        let NewLink { space, terms, addresses, places, space_name, inviter_name } = new;
        self.may_invite(&space, &terms)?;
        let me = self.me.clone();
        let (secret, body) = compose::invitation_issued(&actor(&me), space, &terms, &mut self.draws);
        let invitation = weft_credential::invitation_id(&space, &secret.id());
        let (hosts, addresses) = self.hosts_of_link(&space, terms.role, addresses, places);
        let text = Link { space, secret, hosts: hosts.clone(), addresses, space_name, inviter_name }.encode();
        let purpose = own::Purpose::Invitation { ask, link: text, invitation, hosts };
        self.room(&space)?.invite(Draft { kind: kind::CONTROL, session: 0, bodies: vec![body], purpose });
        Ok(())
    }

    fn may_invite(&mut self, space: &SpaceId, terms: &Terms) -> Result<(), Refusal> {
        let unix_ms = self.unix_ms();
        let identity = self.me.identity;
        let Terms { role, uses, expires_ms, .. } = *terms;
        let mine = self.room(space)?.membership.resolution().role_of(&identity);
        if mine.is_none() {
            self.room(space)?.may_change_members()?;
        }
        if !mine.is_some_and(|mine| mine.may_grant(role)) {
            let mine = mine.map_or("no member".to_owned(), |mine| crate::links::with_article(mine.word()));
            let message =
                format!("this identity is {mine} and may not make anybody {}", crate::links::with_article(role.word()));
            let hint = "owners invite to every role, admins to writer, reader and keeper";
            return Err(Refusal::new(RefusalKind::Refused, "wrong_role", message, hint));
        }
        self.room(space)?.may_change_members()?;
        if expires_ms <= unix_ms {
            let message = "the link would have expired already";
            let hint = "choose a later time, such as --expires 24h";
            return Err(Refusal::new(RefusalKind::Refused, "expired", message, hint));
        }
        if uses == 0 || uses > weft_credential::limits::USES_MAX {
            let message = format!("a link can be used 1 to {} times, not {uses}", weft_credential::limits::USES_MAX);
            return Err(Refusal::new(RefusalKind::Refused, "uses", message, "choose another number"));
        }
        Ok(())
    }

    /// This device, and others whose identity may grant the role and of which it is known where they are: those first that are
    /// connected now, then those that were found last.
    fn hosts_of_link(
        &self,
        space: &SpaceId,
        role: Role,
        mut addresses: Vec<String>,
        mut places: Vec<(DeviceId, Vec<String>)>,
    ) -> (Vec<DeviceId>, Vec<String>) {
        let mut hosts = vec![self.me.device.id()];
        let room = self.rooms.get(space);
        let hosts_too = |device: &DeviceId| {
            room.is_some_and(|room| may_host(room.membership.resolution(), device, role)) && !hosts.contains(device)
        };
        places.retain(|(device, places)| !places.is_empty() && hosts_too(device));
        places.sort_by_key(|(device, _)| !self.neighbours.contains_key(device));
        places.truncate(HOSTS_MAX - 1);
        addresses.truncate(ADDRESSES_MAX - ADDRESSES_OF_OTHERS * places.len());
        for (device, mut others) in places {
            hosts.push(device);
            others.truncate(ADDRESSES_OF_OTHERS);
            addresses.append(&mut others);
        }
        (hosts, addresses)
    }
}

fn may_host(resolution: &Resolution, device: &DeviceId, role: Role) -> bool {
    let identity = resolution.device(device).map(|status| status.identity);
    let theirs = identity.and_then(|identity| resolution.role_of(&identity));
    theirs.is_some_and(|theirs| theirs.may_grant(role))
}
