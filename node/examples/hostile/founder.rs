//! A founder who attacks: it has chosen two feeds of its device whose session 0 has one Yjs client id, and lets a node see them one
//! after the other, so that the one that comes later was admitted first (SPACE-8.2).
//!
//! The space is that of `specs/vectors/echo/collision.json`, where the founder's keys are too. It opens the streams, so the
//! node's device key must be higher than its own.

use bytes::Bytes;
use serde_json::{Value, json};
use weft_credential::{ControlBody, Credential, InvitationIssued, Part as Statement, Redemption, Role, RootStatements};
use weft_crypto::{
    Context, Dep, FeedId, FeedSecret, Hasher, Head, InvitationSecret, Manifest, ObjectId, PreKeySecret, Purpose,
    SignedManifest, SpaceId, base32, seal::BodyKeys,
};
use weft_feed::{Checkpoint, NewEntry, VerifiedRange, Writer, kind};
use weft_machine::{ClaimedTime, Seed};
use weft_space::compose::{self, Actor};
use weft_wire::{
    invitation::{Accepted, Challenge, Frame, Link, Part, frame::Kind as Invited},
    replication::frame::Kind,
    varint,
};

use crate::{
    Failed,
    attacks::mutation,
    door::Door,
    hear,
    member::{self, Member, Person},
    net::{Net, Transport},
    peer_id,
    replica::{self, Replica},
    say, text,
};

/// Entries between what the two feeds' admissions have seen.
const BETWEEN: usize = 6;

/// What the vector holds.
struct Vector(Value);

impl Vector {
    fn bytes(&self, key: &str) -> Result<Bytes, Failed> {
        let hex = self.0[key].as_str().ok_or_else(|| format!("no {key}"))?;
        Ok(data_encoding::HEXLOWER.decode(hex.as_bytes())?.into())
    }

    fn seed(&self, key: &str) -> Result<[u8; 32], Failed> {
        Ok(self.bytes(key)?.as_ref().try_into()?)
    }

    fn generation(&self, which: usize) -> Result<u64, Failed> {
        Ok(self.0["feeds"][which]["generation"].as_str().ok_or("no generation")?.parse()?)
    }
}

/// Another feed of the founder's device.
struct Pen {
    signed: SignedManifest,
    writer: Writer,
    ranges: Vec<VerifiedRange>,
}

impl Pen {
    fn new(founder: &Member, purpose: Purpose, generation: u64, secret: &FeedSecret) -> Result<Pen, Failed> {
        let device = &founder.person.device;
        let manifest = Manifest {
            version: Manifest::VERSION,
            space: founder.space,
            device: device.id(),
            feed_key: secret.id(),
            purpose,
            generation,
        };
        let writer = Writer::new(&manifest, secret.clone(), Checkpoint::default())?;
        Ok(Pen { signed: SignedManifest::sign(&manifest, device, secret), writer, ranges: Vec::new() })
    }

    fn append(&mut self, entry: NewEntry) -> Result<Dep, Failed> {
        let range = self.writer.append(vec![entry])?.remove(0);
        let dep = range.head().dep();
        self.ranges.push(range);
        Ok(dep)
    }

    /// Writes a word into an object, after everything in `deps`.
    fn types(&mut self, founder: &Member, object: &ObjectId, word: &str, deps: Vec<Dep>) -> Result<(), Failed> {
        let feed = self.writer.origin().feed;
        let inserts = text::inserts(founder.client(&feed), 0, None, word);
        let plaintext = text::change(object, inserts, Bytes::new());
        let keys = BodyKeys::derive(&founder.secrets.content, &founder.space, &founder.epoch, &feed);
        let body = keys.seal(0, kind::MUTATION, [1; 16], &plaintext);
        let epoch = Some(founder.epoch);
        self.append(NewEntry { kind: kind::MUTATION, session: 0, epoch, claimed: ClaimedTime(0), deps, body })?;
        Ok(())
    }

    fn said(&self) -> String {
        self.writer.origin().feed.to_string()
    }
}

/// Attacks, step by step, each when the test says so.
pub(crate) async fn run(transport: Transport, vector: &str) -> Result<(), Failed> {
    let vector = Vector(serde_json::from_str(&std::fs::read_to_string(vector)?)?);
    let person = Person::known(vector.seed("device_seed")?, vector.seed("phrase_entropy")?);
    let genesis = vector.bytes("genesis")?;
    let keys = compose::SpaceKeys {
        control: FeedSecret::from_seed(vector.seed("control_seed")?),
        data: FeedSecret::from_seed(vector.seed("data_seed")?),
        pre_key: PreKeySecret::from_seed(vector.seed("pre_key_seed")?),
        generation: 0,
    };
    let space = SpaceId::from_bytes(vector.seed("space")?);
    let (mut founder, first) = Member::found(person, space, genesis, &keys)?;
    let mut ranges = vec![first];

    let (address, waiting) = Net::listen(&founder.person.device, transport).await?;
    let secret = InvitationSecret::from_seed(founder.person.draws.draw32());
    ranges.push(mutation::says(&mut founder, issued(&secret))?);
    say(&json!({
        "event": "ready", "peer": peer_id(&founder.person.device), "link": link(&founder, &secret, &address.to_string()),
    }));
    let mut net = waiting.connected().await?;
    let newcomer = let_in(&mut net, &mut founder, &keys, &mut ranges).await?;
    // Without a stream the node would end the connection.
    let mut door = Door::open(&mut net, founder.person.draws.draw32()).await?;
    say(&json!({ "event": "let in" }));
    let object: ObjectId = hear().await.parse()?;

    let number = door.prove(&founder, &net.node()).await?;
    let mut replica = Replica::behind(&mut net, door, number).await?;
    replica.stream.send(&replica::hello(replica::WINDOW)).await;
    let seen = mutation::seen(&mut replica, newcomer).await?;
    let secret = FeedSecret::from_seed(vector.seed("feed_seed")?);
    let mut aside = Pen::new(&founder, Purpose::Control, 1, &secret)?;
    let mut early = Pen::new(&founder, Purpose::Data, vector.generation(0)?, &secret)?;
    let mut late = Pen::new(&founder, Purpose::Data, vector.generation(1)?, &secret)?;

    // First the one that is admitted later: many entries come before.
    let held = ranges.len();
    ranges.push(mutation::says(&mut founder, Credential::FeedAdmitted(aside.signed.clone()))?);
    let known = ranges[held].head().dep();
    for number in 0..BETWEEN {
        let secret = InvitationSecret::from_seed([number as u8; 32]);
        ranges.push(mutation::says(&mut founder, issued(&secret))?);
    }
    ranges.push(mutation::says(&mut founder, Credential::FeedAdmitted(late.signed.clone()))?);
    let admitted = ranges[ranges.len() - 1].head().dep();
    late.types(&founder, &object, "late", vec![admitted, seen])?;
    give(&mut replica, &ranges, held).await?;
    give(&mut replica, &late.ranges, 0).await?;
    say(&json!({ "event": "gave", "feed": late.said() }));
    hear().await;

    // Then the one that is admitted earlier, with nothing of all that in its past.
    let statement = Statement::new(founder.space, Credential::FeedAdmitted(early.signed.clone()));
    let body = ControlBody::new(vec![statement]).encode();
    let admitted = aside.append(NewEntry::control(ClaimedTime(0), vec![known], body))?;
    early.types(&founder, &object, "early", vec![admitted, known, seen])?;
    give(&mut replica, &aside.ranges, 0).await?;
    give(&mut replica, &early.ranges, 0).await?;
    say(&json!({ "event": "done", "feed": early.said() }));
    hear().await;
    Ok(())
}

fn issued(secret: &InvitationSecret) -> Credential {
    let expires_ms = u64::MAX;
    Credential::InvitationIssued(InvitationIssued {
        key: secret.id(),
        role: Role::Admin,
        uses: 1,
        expires_ms,
        approve: false,
    })
}

fn link(founder: &Member, secret: &InvitationSecret, address: &str) -> String {
    let link = Link {
        version: 1,
        space: founder.space.to_bytes(),
        secret: Bytes::copy_from_slice(&*secret.seed()),
        hosts: vec![founder.person.device.id().to_bytes()],
        addresses: vec![format!("{address}/p2p/{}", peer_id(&founder.person.device))],
        space_name: text::deceiving("collision"),
        inviter_name: text::deceiving("Mallory"),
    };
    let message = prost::Message::encode_to_vec(&link);
    let mut bytes = Vec::new();
    varint::write(message.len() as u64, &mut bytes);
    bytes.extend_from_slice(&message);
    let checksum = Hasher::new(Context::INVITATION_LINK).var(&message).finish();
    bytes.extend_from_slice(&checksum[..4]);
    format!("weft-invite:{}", base32::encode(&bytes))
}

/// The host's side of an invitation, without any of its checks: the newcomer's data feed.
async fn let_in(
    net: &mut Net,
    founder: &mut Member,
    keys: &compose::SpaceKeys,
    ranges: &mut Vec<VerifiedRange>,
) -> Result<FeedId, Failed> {
    let mut stream = net.invitation().await?;
    let Some(Invited::Begin(_)) = stream.message::<Frame>().await?.kind else { return Err("no Begin".into()) };
    let nonce = Bytes::copy_from_slice(&founder.person.draws.draw32());
    stream.send(&member::frame(Invited::Challenge(Challenge { nonce }))).await;
    let Some(Invited::Redeem(redeem)) = stream.message::<Frame>().await?.kind else { return Err("no Redeem".into()) };
    let redemption = Redemption::decode(&redeem.redemption)?;
    let newcomer = redemption.statement().data.feed();

    let phrase = founder.person.phrase();
    let statements = RootStatements::at_init(
        &phrase.root_key(),
        &phrase.next_root_key().id(),
        founder.person.device.id(),
        phrase.recovery_key().id(),
    );
    let actor = Actor {
        device: &founder.person.device,
        identity: phrase.root_key().id(),
        statements: &statements,
        chain: &Default::default(),
        recovery: phrase.recovery_key().id(),
    };
    let mut draws = Seed::from_bytes(founder.person.draws.draw32()).draws();
    let body = compose::redeemed_entry(&actor, &redemption, Some((&founder.epoch, &founder.secrets)), &mut draws)?;
    ranges.push(founder.control.append(vec![NewEntry::control(ClaimedTime(0), Vec::new(), body)])?.remove(0));

    let [signed, _] = keys.manifests(founder.space, &founder.person.device);
    let last = ranges.last().ok_or("no entries")?;
    let pieces = ranges.iter().map(VerifiedRange::to_range);
    let (headers, bodies): (Vec<_>, Vec<_>) =
        pieces.map(|piece| (piece.headers.to_vec(), piece.bodies.concat())).unzip();
    let part = Part {
        manifest: signed.encode(),
        from: 0,
        head: last.head().encode(),
        headers: headers.concat().into(),
        bodies: bodies.concat().into(),
    };
    let bytes = [&part.manifest, &part.head, &part.headers, &part.bodies].iter().map(|field| field.len() as u64).sum();
    stream.send(&member::frame(Invited::Accepted(Accepted { parts: 1, bytes }))).await;
    stream.send(&member::frame(Invited::Part(part))).await;
    stream.rest().await?;
    Ok(newcomer)
}

/// Claims a feed, and sends what the node does not hold of it when it is wanted.
async fn give(replica: &mut Replica, ranges: &[VerifiedRange], held: usize) -> Result<(), Failed> {
    let head: &Head = ranges.last().ok_or("nothing to give")?.head();
    replica.claim(head, true).await;
    replica.wanted(head.feed).await?;
    for range in &ranges[held..] {
        let range = replica::range(replica.number, range);
        replica.send(Kind::Range(range)).await;
    }
    let stored = replica.stored(head).await;
    stored.map_err(|error| format!("feed {} was not stored: {error}", head.feed).into())
}
