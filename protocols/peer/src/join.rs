//! Joining: this device redeems a link at its hosts, one after another.
//!
//! Keys and redemption are durable before they are sent, and the space is durable before the application hears of it. Whoever
//! is interrupted in between tries the same link again and gets the same answer. Whichever hosts have written a redemption down, all of
//! them name the same device and feeds: it is one membership (SPACE-6.1). Spec: PEER-3, INVITATION-9

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use weft_credential::{Role, invitation_id};
use weft_crypto::{DeviceId, IdentityId, SpaceId};
use weft_invitation::{Link, Newcomer, NewcomerInput, NewcomerOutput, Part, Reason};
use weft_machine::{Machine as _, Seed, Time};
use weft_space::compose::{self, SpaceKeys};

use crate::{
    bundle,
    command::{Answer, Refusal, RefusalKind},
    commands::{actor, not_stored},
    event::Event,
    io::{Ask, Output, Protocol, StreamId},
    local,
    outbox::Purpose,
    peer::Peer,
    room::Room,
    store::{Batch, Write},
    turns::{Said, Turns, Verdict},
};

/// Hosts that did not answer, or were busy, are asked again after so long.
const RETRY: Duration = Duration::from_millis(500);

/// A link that is being redeemed.
struct Joining {
    ask: Ask,
    link: Link,
    turns: Turns,
    keys: SpaceKeys,
    /// When the next round of hosts begins.
    retry: Option<Time>,
    /// Keys and redemption are durable.
    kept: bool,
    stream_ordered: bool,
    stream: Option<(StreamId, Newcomer)>,
    entering: Option<Box<Entered>>,
}

/// A space that is on its way to the disk.
struct Entered {
    room: Room,
    role: Role,
    inviter: IdentityId,
}

/// Links that are being redeemed.
#[derive(Default)]
pub(crate) struct Joins {
    /// Redemptions of earlier runs that were not answered, sealed.
    unanswered: BTreeMap<SpaceId, Bytes>,
    active: BTreeMap<SpaceId, Joining>,
}

impl Joins {
    pub(crate) fn remember(&mut self, space: SpaceId, sealed: Bytes) {
        self.unanswered.insert(space, sealed);
    }

    /// Its row goes.
    pub(crate) fn forget(&mut self, space: &SpaceId) {
        self.unanswered.remove(space);
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        let joining = |joining: &Joining| {
            let newcomer = joining.stream.as_ref().and_then(|(_, newcomer)| newcomer.deadline());
            let next = joining.retry.unwrap_or(joining.turns.until);
            let next = [Some(joining.turns.deadline), Some(next), newcomer].into_iter().flatten().min();
            next.filter(|_| joining.entering.is_none())
        };
        self.active.values().filter_map(joining).min()
    }

    fn by_stream(&mut self, stream: StreamId) -> Option<(SpaceId, &mut Joining)> {
        let mut joins = self.active.iter_mut();
        let found = joins.find(|(_, joining)| joining.stream.as_ref().is_some_and(|(at, _)| *at == stream));
        found.map(|(space, joining)| (*space, joining))
    }
}

impl Peer {
    pub(crate) fn join(&mut self, ask: Ask, link: Link) -> Result<(), Refusal> {
        let space = link.space;
        if let Some(room) = self.rooms.get(&space) {
            let answer = already_in(room, &self.me.identity, link.space_name)?;
            self.outbox.push(Output::Answer { ask, result: Ok(answer) });
            return Ok(());
        }
        if self.joins.active.contains_key(&space) {
            let message = "a link to this space is being redeemed already";
            return Err(Refusal::new(RefusalKind::Failed, "busy", message, "wait for it, or stop it and try again"));
        }
        let own = self.me.device.id();
        let hosts: Vec<DeviceId> = link.hosts.iter().copied().filter(|host| *host != own).collect();
        let Some(first) = hosts.first().copied() else {
            let message = "this device issued the link itself, and is no member of the space any more";
            return Err(Refusal::new(RefusalKind::Refused, "own_link", message, "ask another member for a link"));
        };
        let generation = self.next_generation(&space)?;
        // Whatever link to the space was tried before: what was written down then and is written down now name the same feeds.
        let sealed = self.joins.unanswered.get(&space);
        let kept = sealed.and_then(|sealed| local::open_joining(&self.me.device, sealed).ok()).map(|(keys, _)| keys);
        let is_kept = kept.is_some();
        let keys = kept.unwrap_or_else(|| {
            let keys = compose::redeem(&actor(&self.me), space, &link.secret, first, &mut self.draws).keys;
            let keys = SpaceKeys { generation, ..keys };
            let joining = compose::redeem_with(&actor(&self.me), space, &link.secret, first, keys);
            let row =
                local::seal_joining(&self.me.device, &joining.keys, &joining.redemption.encode(), self.draws.draw16());
            self.joins.unanswered.insert(space, row.clone());
            let writes = vec![Write::Local { key: local::joining_key(&space), value: Some(row) }];
            self.outbox.persist(Purpose::JoinKeep(space), Batch { writes, durable: true });
            joining.keys
        });
        let turns = Turns::new(hosts, self.now, self.now + self.config.join_timeout);
        let joining = Joining {
            ask,
            link,
            turns,
            keys,
            retry: None,
            kept: is_kept,
            stream_ordered: false,
            stream: None,
            entering: None,
        };
        self.joins.active.insert(space, joining);
        if is_kept {
            self.join_dial(space);
        }
        Ok(())
    }

    pub(crate) fn join_kept(&mut self, space: SpaceId) {
        if let Some(joining) = self.joins.active.get_mut(&space) {
            joining.kept = true;
            self.join_dial(space);
        }
    }

    pub(crate) fn join_not_kept(&mut self, space: SpaceId, reason: &str) {
        self.join_over(space, Err(not_stored(reason)));
    }

    fn join_dial(&mut self, space: SpaceId) {
        let Some(joining) = self.joins.active.get_mut(&space) else { return };
        let Some(device) = joining.turns.host().filter(|_| joining.kept) else { return };
        if self.neighbours.contains_key(&device) {
            if joining.stream.is_none() && !joining.stream_ordered {
                joining.stream_ordered = true;
                self.outbox.push(Output::OpenStream { device, protocol: Protocol::Invitation });
            }
        } else {
            let addresses = joining.link.addresses.clone();
            self.outbox.push(Output::Dial { device, addresses });
        }
    }

    /// A device is connected: a host, perhaps.
    pub(crate) fn join_reached(&mut self, device: DeviceId) {
        let waiting = |(_, joining): &(&SpaceId, &Joining)| joining.turns.host() == Some(device);
        let spaces: Vec<SpaceId> = self.joins.active.iter().filter(waiting).map(|(space, _)| *space).collect();
        for space in spaces {
            self.join_dial(space);
        }
    }

    pub(crate) fn join_unreachable(&mut self, device: DeviceId, reason: &str) {
        let asked = |joining: &Joining| joining.turns.host() == Some(device) && joining.stream.is_none();
        let asked = self.joins.active.iter().filter(|(_, joining)| asked(joining) && joining.entering.is_none());
        let spaces: Vec<SpaceId> = asked.map(|(space, _)| *space).collect();
        for space in spaces {
            self.join_said(space, Said::Silent(reason.to_owned()));
        }
    }

    pub(crate) fn join_stream(&mut self, stream: StreamId, device: DeviceId) -> bool {
        let ordered = |joining: &&mut Joining| {
            joining.turns.host() == Some(device) && joining.stream_ordered && joining.stream.is_none()
        };
        let Some(joining) = self.joins.active.values_mut().find(ordered) else { return false };
        joining.stream_ordered = false;
        let (link, keys) = (&joining.link, joining.keys.clone());
        let redemption = compose::redeem_with(&actor(&self.me), link.space, &link.secret, device, keys).redemption;
        let seed = Seed::from_bytes(self.draws.draw32());
        let newcomer = Newcomer::new(
            weft_invitation::Config::default(),
            self.me.device.id(),
            device,
            joining.link.secret.clone(),
            redemption,
            self.now,
            &seed,
        );
        joining.stream = Some((stream, newcomer));
        self.join_pump(stream);
        true
    }

    /// The stream ended before an answer: the host may have written the redemption down all the same.
    pub(crate) fn join_closed(&mut self, stream: StreamId) {
        if let Some((space, joining)) = self.joins.by_stream(stream)
            && joining.entering.is_none()
        {
            self.join_said(space, Said::Silent("the host closed the stream without an answer".into()));
        }
    }

    pub(crate) fn join_received(&mut self, stream: StreamId, frame: Bytes) {
        let now = self.now;
        if let Some((_, joining)) = self.joins.by_stream(stream)
            && let Some((_, newcomer)) = &mut joining.stream
        {
            newcomer.handle_input(now, NewcomerInput::Received(frame));
            self.join_pump(stream);
        }
    }

    fn join_pump(&mut self, stream: StreamId) {
        loop {
            let Some((space, joining)) = self.joins.by_stream(stream) else { return };
            let Some(output) = joining.stream.as_mut().and_then(|(_, newcomer)| newcomer.poll_output()) else { return };
            match output {
                NewcomerOutput::Send(frame) => self.outbox.push(Output::Send { stream, frame }),
                NewcomerOutput::Refused(reason) => self.join_said(space, Said::Refused(reason)),
                NewcomerOutput::Waiting => self.join_said(space, Said::Waits),
                NewcomerOutput::Violated(violation) => self.join_wronged(space, violation.to_string()),
                NewcomerOutput::Bundle(parts) => match self.join_enter(space, parts) {
                    Ok(()) => self.close(stream),
                    Err(what) => self.join_said(space, Said::Misbehaved(what)),
                },
            }
        }
    }

    /// A host broke the rules of the talk.
    fn join_wronged(&mut self, space: SpaceId, what: String) {
        if let Some(device) = self.joins.active.get(&space).and_then(|joining| joining.turns.host()) {
            self.outbox.event(Event::Violated { device, what: what.clone() });
        }
        self.join_said(space, Said::Misbehaved(what));
    }

    /// What came of the host whose turn it was: it is the next one's, or all have spoken.
    fn join_said(&mut self, space: SpaceId, said: Said) {
        let now = self.now;
        let Some(joining) = self.joins.active.get_mut(&space) else { return };
        joining.stream_ordered = false;
        let stream = joining.stream.take();
        let verdict = joining.turns.said(now, said);
        if verdict == Some(Verdict::Again) {
            joining.retry = Some(now + RETRY);
        }
        if let Some((stream, _)) = stream {
            self.close(stream);
        }
        match verdict {
            None => self.join_dial(space),
            Some(Verdict::Again) => {}
            Some(Verdict::Waits) => self.join_waits(space),
            Some(Verdict::Refused(reason)) => self.join_over(space, Err(refused(reason))),
            Some(Verdict::Misbehaved(what)) => self.join_over(space, Err(misbehaved(&what))),
        }
    }

    /// A person has to approve. The redemption stays here, and is sent again when the link is redeemed again.
    fn join_waits(&mut self, space: SpaceId) {
        let Some(joining) = self.joins.active.get(&space) else { return };
        let digits = weft_invitation::digits(&self.me.identity);
        let answer = Answer::JoinWaits { space, space_name: joining.link.space_name.clone(), digits };
        self.join_over(space, Ok(answer));
    }

    /// Checks what the host gave, and orders it to be stored.
    fn join_enter(&mut self, space: SpaceId, parts: Vec<Part>) -> Result<(), String> {
        let joining = self.joins.active.get_mut(&space).expect("its stream spoke just now");
        let (me, config) = (self.me.clone(), self.config.clone());
        let said = Some(joining.link.space_name.clone());
        let (room, writes) = bundle::room_of(me, config, space, joining.keys.clone(), parts, said)?;
        let invitation = invitation_id(&space, &joining.link.secret.id());
        let resolution = room.membership.resolution();
        let issued = resolution.invitation(&invitation).ok_or("the invitation is not in what it gave")?;
        // Somebody else may issue an invitation under the same public key, with another role.
        if joining.link.hosts.first() != Some(&issued.device) {
            return Err("another device issued the invitation than the link says".into());
        }
        let role = resolution.role_of(&self.me.identity).ok_or("by what it gave, this identity is no member")?;
        let row = local::seal_keys(&self.me.device, &joining.keys, self.draws.draw16());
        let said = Bytes::copy_from_slice(joining.link.space_name.as_bytes());
        let mut batch = vec![
            Write::Local { key: local::space_key(&space), value: Some(row) },
            Write::Local { key: local::joining_key(&space), value: None },
            Write::Local { key: local::former_key(&space), value: None },
            Write::Local { key: local::said_key(&space), value: Some(said) },
        ];
        batch.extend(writes);
        let inviter = issued.issuer;
        joining.entering = Some(Box::new(Entered { room, role, inviter }));
        joining.stream = None;
        self.outbox.persist(Purpose::JoinEnter(space), Batch { writes: batch, durable: true });
        Ok(())
    }

    /// The space is durable.
    pub(crate) fn join_entered(&mut self, space: SpaceId) {
        let Some(mut joining) = self.joins.active.remove(&space) else { return };
        let Some(entered) = joining.entering.take() else { return };
        let Entered { room, role, inviter } = *entered;
        self.joins.unanswered.remove(&space);
        self.deleted.former.remove(&space);
        self.open_room(room);
        let now = self.now;
        self.rooms.get_mut(&space).expect("just opened").say_profile(now);
        let answer = Answer::Joined { space, role, inviter, space_name: joining.link.space_name };
        self.outbox.push(Output::Answer { ask: joining.ask, result: Ok(answer) });
    }

    fn join_over(&mut self, space: SpaceId, result: Result<Answer, Refusal>) {
        if let Some(joining) = self.joins.active.remove(&space) {
            if let Some((stream, _)) = joining.stream {
                self.close(stream);
            }
            self.outbox.push(Output::Answer { ask: joining.ask, result });
        }
    }

    pub(crate) fn join_wake(&mut self) {
        let now = self.now;
        let due = |at: Option<Time>| at.is_some_and(|at| at <= now);
        let spaces: Vec<SpaceId> = self.joins.active.keys().copied().collect();
        for space in spaces {
            let Some(joining) = self.joins.active.get_mut(&space) else { continue };
            if joining.entering.is_some() {
                continue;
            }
            if due(Some(joining.turns.deadline)) {
                match joining.turns.waits() {
                    true => self.join_waits(space),
                    false => {
                        let trouble = joining.turns.trouble.clone();
                        let trouble = trouble.unwrap_or_else(|| "it was not reached on any address of the link".into());
                        self.join_over(space, Err(too_late(&trouble)));
                    }
                }
            } else if due(joining.retry) {
                joining.retry = None;
                joining.turns.again(now);
                self.join_dial(space);
            } else if joining.retry.is_none() && due(Some(joining.turns.until)) {
                self.join_said(space, Said::Silent("it did not answer in time".into()));
            } else if let Some((stream, newcomer)) = &mut joining.stream
                && due(newcomer.deadline())
            {
                let stream = *stream;
                newcomer.wake(now);
                self.join_pump(stream);
            }
        }
    }
}

fn already_in(room: &Room, me: &IdentityId, space_name: String) -> Result<Answer, Refusal> {
    let resolution = room.membership.resolution();
    let member = resolution.member(me).ok_or_else(|| {
        let message = "this node holds the space, and its identity is no member of it any more";
        Refusal::new(RefusalKind::Refused, "no_member", message, "ask an admin of the space")
    })?;
    let inviter = member.admitted_by.unwrap_or(*me);
    Ok(Answer::Joined { space: room.space, role: member.role, inviter, space_name })
}

fn refused(reason: Reason) -> Refusal {
    let (code, hint) = match reason {
        Reason::Expired => ("expired_invitation", "ask for a new link"),
        Reason::UsedUp => ("used_invitation", "ask for a new link: each is good for as many people as it was made for"),
        Reason::NotValid => ("unknown_invitation", "ask for a new link: its hosts do not know this one (any more)"),
        Reason::Denied => ("denied", "ask whoever sent you the link"),
        _ => ("refused_by_host", "ask for a new link"),
    };
    Refusal::new(RefusalKind::Refused, code, reason.to_string(), hint)
}

fn misbehaved(what: &str) -> Refusal {
    let message = format!("the host of the link gave a wrong answer: {what}");
    Refusal::new(RefusalKind::Refused, "bad_host", message, "ask another member for a link")
}

fn too_late(trouble: &str) -> Refusal {
    let message = format!("no host of the link could be reached in time: {trouble}");
    let hint = "a device that the link names must be on line; try the same link again";
    Refusal::new(RefusalKind::TimedOut, "host_unreachable", message, hint)
}
