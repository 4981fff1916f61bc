//! Links between devices: one that this device makes for another one, and one that makes this device one of an identity.
//!
//! That a link is used, and by whom, is durable before its user hears so; and what the user was told is the driver's to keep: this peer
//! goes on as who it was until it is opened anew. Spec: INVITATION-6, PEER-15.1

use std::{collections::BTreeMap, time::Duration};

use weft_crypto::{Context, DeviceId, Hasher, InvitationKeyId, InvitationSecret, fresh_secret};
use weft_invitation::{
    Reason,
    device::{DeviceLink, HostInput, Newcomer, NewcomerInput, NewcomerOutput, Welcome},
};
use weft_machine::{Machine as _, Seed, Time};

use super::{OpenLink, status::DeviceLinkStatus};
use crate::{
    command::{Answer, Refusal, RefusalKind},
    event::Event,
    io::{Ask, Output, Protocol, StreamId},
    local,
    outbox::Purpose,
    peer::Peer,
    store::Batch,
};

/// Links that are good at once. A guess: one for each device that somebody sets up in a day.
const LINKS_MAX: usize = 16;
/// A host that did not answer is asked again after so long.
const RETRY: Duration = Duration::from_millis(500);

/// What a link is made for.
pub(super) struct Request {
    pub(super) expires_ms: u64,
    pub(super) addresses: Vec<String>,
}

/// This device on its way to an identity.
struct Joining {
    ask: Ask,
    link: DeviceLink,
    name: String,
    deadline: Time,
    retry: Option<Time>,
    ordered: bool,
    stream: Option<(StreamId, Newcomer)>,
    trouble: Option<String>,
}

#[derive(Default)]
pub(super) struct Linking {
    /// Links on their way to the disk.
    made: BTreeMap<InvitationKeyId, (Ask, String)>,
    joining: Option<Joining>,
}

impl Linking {
    pub(super) fn deadline(&self) -> Option<Time> {
        let joining = self.joining.as_ref()?;
        let newcomer = joining.stream.as_ref().and_then(|(_, newcomer)| newcomer.deadline());
        [Some(joining.deadline), joining.retry, newcomer].into_iter().flatten().min()
    }
}

/// Links of this device.
impl Peer {
    pub(crate) fn link_device(&mut self, ask: Ask, expires_ms: u64, addresses: Vec<String>) -> Result<(), Refusal> {
        let request = Request { expires_ms, addresses };
        match self.devices.home {
            Some(home) if self.rooms.contains_key(&home) => self.make_link(ask, request),
            Some(_) => {
                let message = "this device was linked itself, and has not reached the one that linked it since";
                let hint = "connect to that device first";
                Err(Refusal::new(RefusalKind::Failed, "not_home_yet", message, hint))
            }
            None => {
                self.devices.wanted.push((ask, request));
                match self.devices.wanted.len() {
                    1 => self.found_home(),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Home is there: what waited for it goes on.
    pub(crate) fn home_founded(&mut self, result: Result<(), Refusal>) {
        for (ask, request) in std::mem::take(&mut self.devices.wanted) {
            let made = result.clone().and_then(|()| self.make_link(ask, request));
            if let Err(refusal) = made {
                self.outbox.push(Output::Answer { ask, result: Err(refusal) });
            }
        }
    }

    fn make_link(&mut self, ask: Ask, request: Request) -> Result<(), Refusal> {
        let now_ms = self.unix_ms();
        let refuse = |code, message: &str, hint| Err(Refusal::new(RefusalKind::Refused, code, message, hint));
        if request.expires_ms <= now_ms {
            return refuse(
                "expired",
                "the link would have expired already",
                "choose a later time, such as --expires 10m",
            );
        }
        if self.me.chain.through().count() >= weft_credential::limits::CHAIN_MAX {
            let message = "this device is too far from the identity's first one to link another";
            return refuse("long_chain", message, "link it from an older device of yours");
        }
        let home = self.devices.home.and_then(|home| self.rooms.get(&home));
        let devices = home.and_then(|home| home.membership.resolution().member(&self.me.identity));
        if devices.is_some_and(|member| member.devices.len() >= weft_space::limits::DEVICES_MAX as usize) {
            return refuse("too_many_devices", "this identity has as many devices as it may", "remove one first");
        }
        self.devices.links.retain(|_, link| link.used_by.is_some() || link.expires_ms > now_ms);
        if self.devices.links.values().filter(|link| link.used_by.is_none()).count() >= LINKS_MAX {
            return refuse("too_many_links", "many links of this device are still good", "use one of them, or wait");
        }
        let subject = Hasher::new(Context::SUBJECT).fixed(self.me.identity.as_bytes()).u64(request.expires_ms).finish();
        let seed = fresh_secret(self.draws.draw32(), &self.me.device, "device link", &subject);
        let (secret, host, identity) = (InvitationSecret::from_seed(seed), self.me.device.id(), self.me.identity);
        let key = secret.id();
        let link = OpenLink { expires_ms: request.expires_ms, used_by: None };
        let writes = vec![local::link_row(&key, &link)];
        let text = DeviceLink { identity, secret, host, addresses: request.addresses }.encode();
        self.devices.links.insert(key, link);
        self.devices.linking.made.insert(key, (ask, text));
        self.outbox.persist(Purpose::LinkMade(key), Batch { writes, durable: true });
        Ok(())
    }

    /// The link is durable, or is not.
    pub(crate) fn link_made(&mut self, key: InvitationKeyId, result: Result<(), Refusal>) {
        let Some((ask, link)) = self.devices.linking.made.remove(&key) else { return };
        if result.is_err() {
            self.devices.links.remove(&key);
        }
        self.outbox.push(Output::Answer { ask, result: result.map(|()| Answer::DeviceLink { link, id: key }) });
    }

    /// The links that are good, and those that were used.
    pub(crate) fn device_links(&self) -> Vec<DeviceLinkStatus> {
        let now_ms = self.unix_ms();
        let known = self.devices.links.iter().filter(|(_, link)| link.used_by.is_some() || link.expires_ms > now_ms);
        let status = |(id, link): (&InvitationKeyId, &OpenLink)| DeviceLinkStatus {
            id: *id,
            expires_ms: link.expires_ms,
            used_by: link.used_by,
        };
        known.map(status).collect()
    }

    /// Takes back what nobody has used. Who used a link may ask for the same again.
    pub(crate) fn cancel_links(&mut self, ask: Ask) {
        let unused = self.devices.links.extract_if(.., |_, link| link.used_by.is_none());
        let unused: Vec<InvitationKeyId> = unused.map(|(key, _)| key).collect();
        let writes = unused.iter().map(local::no_link_row).collect();
        self.outbox.persist(Purpose::LinksCancelled(ask, unused.len()), Batch { writes, durable: true });
    }

    /// Somebody has shown that it knows a link's key. Spec: INVITATION-6.2
    pub(super) fn judge_link(&mut self, stream: StreamId, device: DeviceId, key: InvitationKeyId, name: String) {
        match self.welcome(&device, &key) {
            Err(reason) => self.hosting_input(stream, HostInput::Linked(Err(reason))),
            Ok(_) => {
                let link = self.devices.links.get_mut(&key).expect("welcome has looked it up");
                link.used_by = Some(device);
                let writes = vec![local::link_row(&key, link), local::device_row(&device, true, &name)];
                self.devices.linked.insert(device);
                self.devices.names.insert(device, name);
                self.outbox.persist(Purpose::LinkUsed(stream, key), Batch { writes, durable: true });
            }
        }
    }

    /// Who used the link is durable.
    pub(crate) fn link_used(&mut self, stream: StreamId, key: InvitationKeyId) {
        if let Some(device) = self.devices.links.get(&key).and_then(|link| link.used_by) {
            let welcome = self.welcome(&device, &key).map(Box::new);
            self.hosting_input(stream, HostInput::Linked(welcome));
        }
    }

    /// The store did not keep who used the link: it is as if nobody had.
    pub(crate) fn link_not_used(&mut self, stream: StreamId, key: InvitationKeyId) {
        if let Some(device) = self.devices.links.get_mut(&key).and_then(|link| link.used_by.take()) {
            self.devices.linked.remove(&device);
        }
        self.hosting_input(stream, HostInput::Linked(Err(Reason::Busy)));
    }

    /// What a device gets that knows this key, if it may have it. Who has used the link gets it again.
    fn welcome(&self, device: &DeviceId, key: &InvitationKeyId) -> Result<Welcome, Reason> {
        let link = self.devices.links.get(key).ok_or(Reason::NotValid)?;
        let home = self.devices.home.ok_or(Reason::NotValid)?;
        match link.used_by {
            Some(by) if by != *device => return Err(Reason::UsedUp),
            None if self.unix_ms() >= link.expires_ms => return Err(Reason::Expired),
            _ => {}
        }
        let room = self.rooms.get(&home).ok_or(Reason::Busy)?;
        let resolution = room.membership.resolution();
        let ended = resolution.had_device(device) && resolution.device(device).is_none();
        if ended || self.devices.shut_out.contains(device) {
            return Err(Reason::NotValid);
        }
        let chain = self.me.chain.and(self.me.identity, &self.me.device, *device).ok_or(Reason::Busy)?;
        Ok(Welcome { statements: self.me.statements.clone(), chain, home, name: self.me.name.clone() })
    }
}

/// This device as the newcomer.
impl Peer {
    pub(crate) fn join_as_device(&mut self, ask: Ask, link: DeviceLink, name: String) -> Result<(), Refusal> {
        crate::commands::name_fits(&name)?;
        if !self.rooms.is_empty() || self.devices.home.is_some() {
            let message = "this device has an identity with spaces of its own";
            let hint = "use another data folder: `weft --data DIR device join LINK`";
            return Err(Refusal::new(RefusalKind::Refused, "has_spaces", message, hint));
        }
        if self.devices.linking.joining.is_some() {
            let message = "a link for this device is being used already";
            return Err(Refusal::new(RefusalKind::Failed, "busy", message, "wait for it"));
        }
        if link.host == self.me.device.id() {
            let message = "this device made the link itself";
            let hint = "use it on the device that is to be added";
            return Err(Refusal::new(RefusalKind::Refused, "own_link", message, hint));
        }
        let deadline = self.now + self.config.join_timeout;
        let (retry, ordered, stream, trouble) = (None, false, None, None);
        let joining = Joining { ask, link, name, deadline, retry, ordered, stream, trouble };
        self.devices.linking.joining = Some(joining);
        self.reach_linker();
        Ok(())
    }

    fn reach_linker(&mut self) {
        let Some(joining) = &mut self.devices.linking.joining else { return };
        joining.retry = None;
        let device = joining.link.host;
        if !self.neighbours.contains_key(&device) {
            let addresses = joining.link.addresses.clone();
            self.outbox.push(Output::Dial { device, addresses });
        } else if joining.stream.is_none() && !joining.ordered {
            joining.ordered = true;
            self.outbox.push(Output::OpenStream { device, protocol: Protocol::Device });
        }
    }

    /// A device is connected: the one that made the link, perhaps.
    pub(crate) fn linker_reached(&mut self, device: DeviceId) {
        if self.devices.linking.joining.as_ref().is_some_and(|joining| joining.link.host == device) {
            self.reach_linker();
        }
    }

    pub(crate) fn linker_unreachable(&mut self, device: DeviceId, reason: &str) {
        let now = self.now;
        if let Some(joining) = self.devices.linking.joining.as_mut().filter(|joining| joining.link.host == device) {
            joining.ordered = false;
            joining.trouble = Some(reason.to_owned());
            joining.retry = Some(now + RETRY);
        }
    }

    pub(super) fn linking_stream(&mut self, stream: StreamId, device: DeviceId) -> bool {
        let seed = Seed::from_bytes(self.draws.draw32());
        let (now, me) = (self.now, self.me.device.id());
        let joining = self.devices.linking.joining.as_mut();
        let Some(joining) = joining.filter(|joining| joining.link.host == device && joining.ordered) else {
            return false;
        };
        joining.ordered = false;
        let config = weft_invitation::Config::default();
        let newcomer = Newcomer::new(config, me, joining.link.clone(), joining.name.clone(), now, &seed);
        joining.stream = Some((stream, newcomer));
        self.linking_pump();
        true
    }

    /// Whether the stream was that of a newcomer.
    pub(super) fn linking_received(&mut self, stream: StreamId, frame: &bytes::Bytes) -> bool {
        let now = self.now;
        let joining = self.devices.linking.joining.as_mut();
        let Some((at, newcomer)) = joining.and_then(|joining| joining.stream.as_mut()) else { return false };
        let mine = *at == stream;
        if mine {
            newcomer.handle_input(now, NewcomerInput::Received(frame.clone()));
            self.linking_pump();
        }
        mine
    }

    pub(super) fn linking_closed(&mut self, stream: StreamId) {
        let now = self.now;
        if let Some(joining) = &mut self.devices.linking.joining
            && joining.stream.as_ref().is_some_and(|(at, _)| *at == stream)
        {
            joining.stream = None;
            joining.trouble = Some("it closed the stream without an answer".into());
            joining.retry = Some(now + RETRY);
        }
    }

    fn linking_pump(&mut self) {
        loop {
            let now = self.now;
            let Some(joining) = &mut self.devices.linking.joining else { return };
            let Some((stream, newcomer)) = &mut joining.stream else { return };
            let stream = *stream;
            let Some(output) = newcomer.poll_output() else { return };
            match output {
                NewcomerOutput::Send(frame) => self.outbox.push(Output::Send { stream, frame }),
                NewcomerOutput::Refused(Reason::Busy) => {
                    joining.stream = None;
                    joining.trouble = Some("it is busy".into());
                    joining.retry = Some(now + RETRY);
                    self.close(stream);
                }
                NewcomerOutput::Refused(reason) => self.linking_over(Err(refused(reason))),
                NewcomerOutput::Violated(violation) => {
                    let (device, what) = (joining.link.host, violation.to_string());
                    let message = format!("the device that made the link gave a wrong answer: {what}");
                    self.outbox.event(Event::Violated { device, what });
                    let hint = "make a new link on a device of yours";
                    self.linking_over(Err(Refusal::new(RefusalKind::Refused, "bad_host", message, hint)));
                }
                NewcomerOutput::Welcome(welcome) => {
                    let (me, name) = (self.me.device.id(), joining.name.clone());
                    let (host, addresses) = (joining.link.host, joining.link.addresses.clone());
                    let writes = vec![local::device_row(&me, false, &name)];
                    self.devices.names.insert(me, name);
                    self.outbox.persist(Purpose::Devices, Batch { writes, durable: false });
                    self.linking_over(Ok(Answer::JoinedAsDevice { welcome, host, addresses }));
                }
            }
        }
    }

    fn linking_over(&mut self, result: Result<Answer, Refusal>) {
        if let Some(joining) = self.devices.linking.joining.take() {
            if let Some((stream, _)) = joining.stream {
                self.close(stream);
            }
            self.outbox.push(Output::Answer { ask: joining.ask, result });
        }
    }

    pub(super) fn linking_wake(&mut self) {
        let now = self.now;
        let due = |at: Option<Time>| at.is_some_and(|at| at <= now);
        let Some(joining) = &mut self.devices.linking.joining else { return };
        if joining.deadline <= now {
            let trouble = joining.trouble.take().unwrap_or_else(|| "no address of the link was reached".into());
            let message = format!("the device that made the link could not be reached in time: {trouble}");
            let hint = "it must be on line; try the same link again";
            self.linking_over(Err(Refusal::new(RefusalKind::TimedOut, "host_unreachable", message, hint)));
        } else if due(joining.retry) {
            self.reach_linker();
        } else if let Some((_, newcomer)) = &mut joining.stream
            && due(newcomer.deadline())
        {
            newcomer.wake(now);
            self.linking_pump();
        }
    }
}

fn refused(reason: Reason) -> Refusal {
    let (code, message) = match reason {
        Reason::Expired => ("expired_link", "the link has expired"),
        Reason::UsedUp => ("used_link", "the link was used by another device"),
        _ => ("unknown_link", "the device that made the link does not know it (any more)"),
    };
    Refusal::new(RefusalKind::Refused, code, message, "make a new one with `weft device link` on a device of yours")
}
