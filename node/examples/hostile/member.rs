//! A member by invitation: redeems a link as `specs/invitation.md` says, and holds what a member holds.

use bytes::Bytes;
use weft_credential::{ControlBody, Credential, RootStatements, To};
use weft_crypto::{
    Context, Dep, DeviceId, DeviceKey, EpochId, FeedId, Head, InvitationSecret, Manifest, Phrase, Purpose, SignContext,
    SignedManifest, SpaceId, base32,
    hash::Part as HashPart,
    lockbox::{self, EpochSecrets, RecipientKind},
    seal::BodyKeys,
};
use weft_feed::{Checkpoint, Header, NewEntry, VerifiedRange, Writer, kind};
use weft_machine::{ClaimedTime, Draws, Seed};
use weft_space::compose::{self, Actor};
use weft_wire::{
    invitation::{Begin, Frame, Link as LinkMessage, Part, Redeem, frame::Kind},
    varint,
};

use crate::{
    Failed,
    net::{Framed, INVITATION, Net, Transport},
};

/// What a link says. Spec: INVITATION-1
pub(crate) struct Link {
    pub(crate) space: SpaceId,
    pub(crate) secret: InvitationSecret,
    pub(crate) host: DeviceId,
    pub(crate) address: String,
}

impl Link {
    /// Reads a link.
    pub(crate) fn parse(text: &str, transport: Transport) -> Result<Link, Failed> {
        let text = text.trim().strip_prefix("weft-invite:").ok_or("not a link")?;
        let bytes = Bytes::from(base32::decode(text)?);
        let (length, used) = varint::read(&bytes)?.ok_or("an empty link")?;
        let message: LinkMessage = weft_wire::decode(&bytes.slice(used..used + length as usize))?;
        let host = DeviceId::try_from(message.hosts.first().ok_or("no host")?)?;
        Ok(Link {
            space: SpaceId::try_from(&message.space)?,
            secret: InvitationSecret::from_seed(message.secret.as_ref().try_into()?),
            host,
            address: transport.choose(&message.addresses)?,
        })
    }
}

/// A device with an identity of its own.
pub(crate) struct Person {
    pub(crate) device: DeviceKey,
    phrase: Phrase,
    pub(crate) draws: Draws,
}

impl Person {
    /// Somebody new. `opener`: whose device key is lower than the node's, and who therefore opens the streams (PEER-1.1).
    pub(crate) fn new(node: &DeviceId, opener: bool) -> Result<Person, Failed> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
        let mut draws = Seed::from_bytes(seed).draws();
        let phrase = Phrase::from_entropy(draws.draw32());
        loop {
            let device = DeviceKey::from_seed(draws.draw32());
            if (device.id() < *node) == opener {
                return Ok(Person { device, phrase, draws });
            }
        }
    }

    /// Somebody whose keys are known.
    pub(crate) fn known(device: [u8; 32], entropy: [u8; 32]) -> Person {
        let draws = Seed::from_bytes(device).draws();
        Person { device: DeviceKey::from_seed(device), phrase: Phrase::from_entropy(entropy), draws }
    }

    /// What the person's root key comes from.
    pub(crate) fn phrase(&self) -> &Phrase {
        &self.phrase
    }

    /// What the person sends to redeem a link at a host.
    pub(crate) fn redemption(&mut self, link: &Link, host: DeviceId) -> compose::Joining {
        let (root, recovery) = (self.phrase.root_key(), self.phrase.recovery_key().id());
        let statements = RootStatements::at_init(&root, &self.phrase.next_root_key().id(), self.device.id(), recovery);
        let (device, identity) = (&self.device, root.id());
        let actor = Actor { device, identity, statements: &statements, chain: &Default::default(), recovery };
        compose::redeem(&actor, link.space, &link.secret, host, &mut self.draws)
    }
}

/// Opens the invitation stream and says `Begin`; the stream, and the statement to be proved. Spec: INVITATION-3.1
pub(crate) async fn begin(net: &mut Net, link: &Link, person: &mut Person) -> Result<(Framed, Vec<u8>), Failed> {
    let mut stream = net.open(INVITATION).await?;
    let nonce = person.draws.draw32();
    stream.send(&frame(Kind::Begin(Begin { version: 1, nonce: Bytes::copy_from_slice(&nonce) }))).await;
    let Some(Kind::Challenge(challenge)) = stream.message::<Frame>().await?.kind else {
        return Err("no challenge".into());
    };
    let host = net.node();
    let device = person.device.id();
    let proved: [&[u8]; 5] =
        [link.space.as_bytes(), device.as_bytes(), host.as_bytes(), &nonce, challenge.nonce.as_ref()];
    Ok((stream, proved.concat()))
}

/// The frame that redeems a link.
pub(crate) fn redeem(link: &Link, proved: &[u8], joining: &compose::Joining) -> Frame {
    let proof = link.secret.sign(SignContext::INVITATION_PROOF, proved).to_bytes();
    frame(Kind::Redeem(Redeem { proof, redemption: joining.redemption.encode() }))
}

/// A frame of the invitation protocol.
pub(crate) fn frame(kind: Kind) -> Frame {
    Frame { kind: Some(kind) }
}

/// Somebody who holds the keys of a space.
pub(crate) struct Member {
    pub(crate) person: Person,
    pub(crate) space: SpaceId,
    pub(crate) epoch: EpochId,
    pub(crate) secrets: EpochSecrets,
    pub(crate) control: Writer,
    pub(crate) data: Writer,
    data_manifest: Manifest,
    data_secret: weft_crypto::FeedSecret,
    signed_data: SignedManifest,
    /// The heads of the control feeds that the host gave.
    pub(crate) given: Vec<Head>,
    /// The feeds that it says belong to the space.
    admitted: Vec<Manifest>,
    said_deps: bool,
}

impl Member {
    /// Redeems a link.
    pub(crate) async fn join(net: &mut Net, link: &Link, mut person: Person) -> Result<Member, Failed> {
        let joining = person.redemption(link, link.host);
        let (mut stream, proved) = begin(net, link, &mut person).await?;
        stream.send(&redeem(link, &proved, &joining)).await;
        let accepted = match stream.message::<Frame>().await?.kind {
            Some(Kind::Accepted(accepted)) => accepted,
            other => return Err(format!("not accepted: {other:?}").into()),
        };
        let mut parts = Vec::new();
        for _ in 0..accepted.parts {
            match stream.message::<Frame>().await?.kind {
                Some(Kind::Part(part)) => parts.push(part),
                other => return Err(format!("no part: {other:?}").into()),
            }
        }
        Member::enter(person, link.space, joining, &parts)
    }

    fn enter(person: Person, space: SpaceId, joining: compose::Joining, parts: &[Part]) -> Result<Member, Failed> {
        let mut given: Vec<Head> = Vec::new();
        let mut credentials = Vec::new();
        for part in parts {
            let head = Head::decode(&part.head)?;
            given.retain(|known| known.feed != head.feed);
            given.push(head);
            let mut bodies = part.bodies.clone();
            for header in weft_wire::frame::split_framed(&part.headers) {
                let body = bodies.split_to(Header::decode(&header?)?.body_len as usize);
                // What other attackers wrote says nothing.
                if let Ok(body) = ControlBody::decode(&body, &space) {
                    credentials.extend(body.parts().to_vec());
                }
            }
        }
        let (mut epoch, mut secrets, mut admitted) = (None, None, Vec::new());
        for part in credentials {
            match part.credential {
                Credential::FeedAdmitted(signed) => admitted.push(*signed.manifest()),
                Credential::EpochStarted(started) => epoch = Some((started.id(&space), started.commitments)),
                Credential::LockboxAdded(added) => {
                    let (id, commitments) = epoch.as_ref().ok_or("a lockbox before its epoch")?;
                    let mine = added.recipient.kind == RecipientKind::Device
                        && added.recipient.recipient == *person.device.id().as_bytes();
                    if mine {
                        let key = &joining.keys.pre_key;
                        let opened = lockbox::open(&added.sealed, key, &space, id, &added.recipient, commitments)?;
                        secrets = Some(opened);
                    }
                }
                _ => {}
            }
        }
        let [control, data] = &joining.manifests;
        let (control, data_manifest) = (*control.manifest(), *data.manifest());
        Ok(Member {
            space,
            epoch: epoch.ok_or("no epoch")?.0,
            secrets: secrets.ok_or("no secrets")?,
            control: Writer::new(&control, joining.keys.control.clone(), Checkpoint::default())?,
            data: Writer::new(&data_manifest, joining.keys.data.clone(), Checkpoint::default())?,
            data_manifest,
            data_secret: joining.keys.data.clone(),
            signed_data: joining.manifests[1].clone(),
            given,
            admitted,
            said_deps: false,
            person,
        })
    }

    /// The founder of a space whose entry 0 says this, and that entry.
    pub(crate) fn found(
        person: Person,
        space: SpaceId,
        genesis: Bytes,
        keys: &compose::SpaceKeys,
    ) -> Result<(Member, VerifiedRange), Failed> {
        let started = ControlBody::decode(&genesis, &space)?.parts().iter().find_map(|part| match &part.credential {
            Credential::EpochStarted(started) => Some(started.clone()),
            _ => None,
        });
        let started = started.ok_or("no epoch")?;
        let epoch = started.id(&space);
        let To::Each { lockboxes, .. } = &started.to else { return Err("a first epoch of keys".into()) };
        let own = lockboxes.iter().find(|lockbox| lockbox.recipient.kind == RecipientKind::Device);
        let own = own.ok_or("no lockbox")?;
        let secrets = lockbox::open(&own.sealed, &keys.pre_key, &space, &epoch, &own.recipient, &started.commitments)?;
        let [control, data] = keys.manifests(space, &person.device);
        let data_manifest = *data.manifest();
        let mut writer = Writer::new(control.manifest(), keys.control.clone(), Checkpoint::default())?;
        let first = writer.append(vec![NewEntry::control(ClaimedTime(0), Vec::new(), genesis)])?.remove(0);
        let founder = Member {
            space,
            epoch,
            secrets,
            control: writer,
            data: Writer::new(&data_manifest, keys.data.clone(), Checkpoint::default())?,
            data_manifest,
            data_secret: keys.data.clone(),
            signed_data: data,
            given: Vec::new(),
            admitted: Vec::new(),
            said_deps: false,
            person,
        };
        Ok((founder, first))
    }

    /// The feed that mutations go to.
    pub(crate) fn data_feed(&self) -> FeedId {
        self.data.origin().feed
    }

    /// The feed that credentials go to.
    pub(crate) fn control_feed(&self) -> FeedId {
        self.control.origin().feed
    }

    /// The founder's control feed: the one that holds the redemption.
    pub(crate) fn founder(&self) -> Head {
        *self.given.iter().max_by_key(|head| head.length).expect("a bundle has the host's control feed")
    }

    /// A second pen for the data feed, at its beginning: for writing another history.
    pub(crate) fn another_history(&self) -> Result<Writer, Failed> {
        Ok(Writer::new(&self.data_manifest, self.data_secret.clone(), Checkpoint::default())?)
    }

    /// The data feed of the device that let this one in.
    pub(crate) fn hosts_data(&self, host: &DeviceId) -> Result<FeedId, Failed> {
        let mut found = self.admitted.iter().filter(|manifest| manifest.device == *host);
        let found = found.find(|manifest| manifest.purpose == Purpose::Data).ok_or("the host has no data feed")?;
        Ok(found.id())
    }

    /// Signs any head of another feed with the key of the data feed.
    pub(crate) fn sign_for(&self, feed: FeedId, length: u64, byte_length: u64, root: weft_crypto::Root) -> Head {
        Head::sign(feed, length, byte_length, root, &self.data_secret)
    }

    /// The data feed's manifest with its signatures.
    pub(crate) fn signed_data(&self) -> SignedManifest {
        self.signed_data.clone()
    }

    /// Signs any head of the data feed.
    pub(crate) fn sign(&self, length: u64, byte_length: u64, root: weft_crypto::Root) -> Head {
        Head::sign(self.data_feed(), length, byte_length, root, &self.data_secret)
    }

    /// The deps of an entry: what was given, the first time.
    pub(crate) fn deps(&mut self) -> Vec<Dep> {
        if std::mem::replace(&mut self.said_deps, true) {
            return Vec::new();
        }
        self.given.iter().map(Head::dep).collect()
    }

    /// Seals plaintext for the entry that comes next but `ahead`, and makes the entry.
    pub(crate) fn sealed(&mut self, ahead: u64, entry_kind: u32, plaintext: &[u8], deps: Vec<Dep>) -> NewEntry {
        let seq = self.data.length() + ahead;
        let keys = BodyKeys::derive(&self.secrets.content, &self.space, &self.epoch, &self.data_feed());
        let body = keys.seal(seq, entry_kind, self.person.draws.draw16(), plaintext);
        NewEntry { kind: entry_kind, session: 0, epoch: Some(self.epoch), claimed: ClaimedTime(0), deps, body }
    }

    /// Appends one sealed entry of plaintext to the data feed.
    pub(crate) fn write(&mut self, plaintext: &[u8]) -> Result<VerifiedRange, Failed> {
        let deps = self.deps();
        self.write_after(plaintext, deps)
    }

    /// As [`Member::write`], naming these heads.
    pub(crate) fn write_after(&mut self, plaintext: &[u8], deps: Vec<Dep>) -> Result<VerifiedRange, Failed> {
        let entry = self.sealed(0, kind::MUTATION, plaintext, deps);
        self.append(entry)
    }

    /// Appends any entry to the data feed.
    pub(crate) fn append(&mut self, entry: NewEntry) -> Result<VerifiedRange, Failed> {
        Ok(self.data.append(vec![entry])?.remove(0))
    }

    /// The client id of a session of a feed. Spec: ECHO-1.2
    pub(crate) fn client(&self, feed: &FeedId) -> u64 {
        let parts = [
            HashPart::Fixed(self.space.as_bytes()),
            HashPart::Fixed(feed.as_bytes()),
            HashPart::U64(0),
            HashPart::Fixed(&[0; 32]),
        ];
        let hash = weft_crypto::hash::hash(Context::CLIENT, &parts);
        u64::from_le_bytes(hash[..8].try_into().expect("cut to eight")) & ((1 << 53) - 1)
    }
}
