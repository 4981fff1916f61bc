//! Joining: this device redeems a link at its host.
//!
//! Keys and redemption are durable before they are sent, and the space is durable before the application hears of it. Whoever
//! is interrupted in between tries the same link again and gets the same answer. Spec: PEER-3

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use weft_credential::{Redemption, Role, invitation_id};
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
};

/// A busy host is asked again after so long.
const RETRY: Duration = Duration::from_millis(500);

/// A link that is being redeemed.
struct Joining {
    ask: Ask,
    link: Link,
    host: DeviceId,
    keys: SpaceKeys,
    redemption: Redemption,
    deadline: Time,
    retry: Option<Time>,
    /// Keys and redemption are durable.
    kept: bool,
    stream_ordered: bool,
    stream: Option<(StreamId, Newcomer)>,
    entering: Option<Box<Entered>>,
    /// Why it has not worked so far.
    trouble: Option<String>,
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

    pub(crate) fn deadline(&self) -> Option<Time> {
        let joining = |joining: &Joining| {
            let newcomer = joining.stream.as_ref().and_then(|(_, newcomer)| newcomer.deadline());
            [Some(joining.deadline), joining.retry, newcomer].into_iter().flatten().min()
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
        let Some(host) = link.hosts.first().copied().filter(|host| *host != self.me.device.id()) else {
            let message = "this device issued the link itself, and is no member of the space any more";
            return Err(Refusal::new(RefusalKind::Refused, "own_link", message, "ask another member for a link"));
        };
        let unanswered = self.joins.unanswered.get(&space).and_then(|sealed| {
            let (keys, redemption) = local::open_joining(&self.me.device, sealed).ok()?;
            let redemption = Redemption::decode(&redemption).ok()?;
            let named = redemption.statement();
            (named.invitation == link.secret.id() && named.host == host).then_some((keys, redemption))
        });
        let kept = unanswered.is_some();
        let (keys, redemption) = unanswered.unwrap_or_else(|| {
            let joining = compose::redeem(&actor(&self.me), space, &link.secret, host, &mut self.draws);
            (joining.keys, joining.redemption)
        });
        if !kept {
            let row = local::seal_joining(&self.me.device, &keys, &redemption.encode(), self.draws.draw16());
            self.joins.unanswered.insert(space, row.clone());
            let writes = vec![Write::Local { key: local::joining_key(&space), value: Some(row) }];
            self.outbox.persist(Purpose::JoinKeep(space), Batch { writes, durable: true });
        }
        let deadline = self.now + self.config.join_timeout;
        let joining = Joining {
            ask,
            link,
            host,
            keys,
            redemption,
            deadline,
            retry: None,
            kept,
            stream_ordered: false,
            stream: None,
            entering: None,
            trouble: None,
        };
        self.joins.active.insert(space, joining);
        if kept {
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
        joining.retry = None;
        let device = joining.host;
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
        let waiting = |(_, joining): &(&SpaceId, &Joining)| joining.host == device && joining.kept;
        let spaces: Vec<SpaceId> = self.joins.active.iter().filter(waiting).map(|(space, _)| *space).collect();
        for space in spaces {
            self.join_dial(space);
        }
    }

    pub(crate) fn join_unreachable(&mut self, device: DeviceId, reason: &str) {
        let now = self.now;
        for joining in self.joins.active.values_mut().filter(|joining| joining.host == device) {
            joining.stream_ordered = false;
            joining.trouble = Some(reason.to_owned());
            joining.retry = Some(now + RETRY);
        }
    }

    pub(crate) fn join_stream(&mut self, stream: StreamId, device: DeviceId) -> bool {
        let ordered =
            |joining: &&mut Joining| joining.host == device && joining.stream_ordered && joining.stream.is_none();
        let Some(joining) = self.joins.active.values_mut().find(ordered) else { return false };
        joining.stream_ordered = false;
        let seed = Seed::from_bytes(self.draws.draw32());
        let newcomer = Newcomer::new(
            weft_invitation::Config::default(),
            self.me.device.id(),
            device,
            joining.link.secret.clone(),
            joining.redemption.clone(),
            self.now,
            &seed,
        );
        joining.stream = Some((stream, newcomer));
        self.join_pump(stream);
        true
    }

    /// The stream ended before an answer: it is tried again until the time is up.
    pub(crate) fn join_closed(&mut self, stream: StreamId) {
        let now = self.now;
        if let Some((_, joining)) = self.joins.by_stream(stream) {
            joining.stream = None;
            joining.stream_ordered = false;
            if joining.entering.is_none() {
                joining.trouble = Some("the host closed the stream without an answer".into());
                joining.retry = Some(now + RETRY);
            }
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
        let now = self.now;
        loop {
            let Some((space, joining)) = self.joins.by_stream(stream) else { return };
            let Some(output) = joining.stream.as_mut().and_then(|(_, newcomer)| newcomer.poll_output()) else { return };
            match output {
                NewcomerOutput::Send(frame) => self.outbox.push(Output::Send { stream, frame }),
                NewcomerOutput::Refused(Reason::Busy) => {
                    joining.stream = None;
                    joining.trouble = Some("the host is busy".into());
                    joining.retry = Some(now + RETRY);
                    self.close(stream);
                }
                NewcomerOutput::Refused(reason) => {
                    self.close(stream);
                    self.join_over(space, Err(refused(reason)));
                }
                NewcomerOutput::Violated(violation) => {
                    let device = joining.host;
                    self.close(stream);
                    self.outbox.event(Event::Violated { device, what: violation.to_string() });
                    self.join_over(space, Err(misbehaved(&violation.to_string())));
                }
                NewcomerOutput::Bundle(parts) => {
                    self.close(stream);
                    if let Err(refusal) = self.join_enter(space, parts) {
                        self.join_over(space, Err(refusal));
                    }
                }
            }
        }
    }

    /// Checks what the host gave, and orders it to be stored.
    fn join_enter(&mut self, space: SpaceId, parts: Vec<Part>) -> Result<(), Refusal> {
        let joining = self.joins.active.get_mut(&space).expect("its stream spoke just now");
        let (me, config) = (self.me.clone(), self.config.clone());
        let said = Some(joining.link.space_name.clone());
        let (room, writes) =
            bundle::room_of(me, config, space, joining.keys.clone(), parts, said).map_err(|what| misbehaved(&what))?;
        let invitation = invitation_id(&space, &joining.link.secret.id());
        let resolution = room.membership.resolution();
        let issued =
            resolution.invitation(&invitation).ok_or_else(|| misbehaved("the invitation is not in what it gave"))?;
        let member = resolution.role_of(&self.me.identity).filter(|role| *role == issued.role);
        let role = member.ok_or_else(|| misbehaved("by what it gave, this identity is no member"))?;
        let row = local::seal_keys(&self.me.device, &joining.keys, self.draws.draw16());
        let said = Bytes::copy_from_slice(joining.link.space_name.as_bytes());
        let mut batch = vec![
            Write::Local { key: local::space_key(&space), value: Some(row) },
            Write::Local { key: local::joining_key(&space), value: None },
            Write::Local { key: local::said_key(&space), value: Some(said) },
        ];
        batch.extend(writes);
        let inviter = issued.issuer;
        joining.entering = Some(Box::new(Entered { room, role, inviter }));
        self.outbox.persist(Purpose::JoinEnter(space), Batch { writes: batch, durable: true });
        Ok(())
    }

    /// The space is durable.
    pub(crate) fn join_entered(&mut self, space: SpaceId) {
        let Some(mut joining) = self.joins.active.remove(&space) else { return };
        let Some(entered) = joining.entering.take() else { return };
        let Entered { room, role, inviter } = *entered;
        self.joins.unanswered.remove(&space);
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
            if due(Some(joining.deadline)) && joining.entering.is_none() {
                let trouble =
                    joining.trouble.clone().unwrap_or_else(|| "it was not reached on any address of the link".into());
                self.join_over(space, Err(too_late(&trouble)));
            } else if due(joining.retry) {
                self.join_dial(space);
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
        Reason::NotValid => ("unknown_invitation", "ask for a new link: its host does not know this one (any more)"),
        _ => ("refused_by_host", "ask for a new link"),
    };
    Refusal::new(RefusalKind::Refused, code, reason.to_string(), hint)
}

fn misbehaved(what: &str) -> Refusal {
    let message = format!("the host of the link gave a wrong answer: {what}");
    Refusal::new(RefusalKind::Refused, "bad_host", message, "ask another member for a link")
}

fn too_late(trouble: &str) -> Refusal {
    let message = format!("the host of the link could not be reached in time: {trouble}");
    let hint = "the device that issued the link must be on line; try the same link again";
    Refusal::new(RefusalKind::TimedOut, "host_unreachable", message, hint)
}
