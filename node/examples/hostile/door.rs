//! The door as `specs/space.md` section 9 says, from both sides, and with less care than it asks for.

use bytes::Bytes;
use weft_crypto::{Context, DeviceId, EpochId, Part, hash::mac};
use weft_wire::space::{Frame, Hello, Tags, frame::Kind};

use crate::{
    Failed,
    member::Member,
    net::{DOOR, Framed, Net},
};

/// Bytes of a tag.
pub(crate) const TAG: usize = 32;

/// A door stream after both have said `Hello`.
pub(crate) struct Door {
    pub(crate) stream: Framed,
    pub(crate) mine: [u8; 32],
    pub(crate) theirs: [u8; 32],
}

/// A frame of the door.
pub(crate) fn frame(kind: Kind) -> Frame {
    Frame { kind: Some(kind) }
}

/// The first frame.
pub(crate) fn hello(nonce: &[u8; 32]) -> Frame {
    frame(Kind::Hello(Hello { version: 1, nonce: Bytes::copy_from_slice(nonce) }))
}

/// Tags of a round.
pub(crate) fn tags(round: u32, tags: Bytes) -> Frame {
    frame(Kind::Tags(Tags { round, tags }))
}

impl Door {
    /// Opens the door stream and says `Hello`.
    pub(crate) async fn open(net: &mut Net, nonce: [u8; 32]) -> Result<Door, Failed> {
        let stream = net.open(DOOR).await?;
        Door::greet(stream, nonce).await
    }

    /// Takes the door stream that the node opens, and says `Hello`.
    pub(crate) async fn accept(net: &mut Net, nonce: [u8; 32]) -> Result<Door, Failed> {
        let stream = net.door().await?;
        Door::greet(stream, nonce).await
    }

    async fn greet(mut stream: Framed, nonce: [u8; 32]) -> Result<Door, Failed> {
        stream.send(&hello(&nonce)).await;
        match stream.message::<Frame>().await?.kind {
            Some(Kind::Hello(hello)) => Ok(Door { stream, mine: nonce, theirs: hello.nonce.as_ref().try_into()? }),
            other => Err(format!("no hello: {other:?}").into()),
        }
    }

    /// The next tags.
    pub(crate) async fn tags(&mut self) -> Result<Tags, Failed> {
        loop {
            match self.stream.message::<Frame>().await?.kind {
                Some(Kind::Tags(tags)) => return Ok(tags),
                Some(Kind::Again(_)) => {}
                other => return Err(format!("no tags: {other:?}").into()),
            }
        }
    }

    /// Sends tags and reads the answer.
    pub(crate) async fn ask(&mut self, round: u32, offered: Bytes) -> Result<Bytes, Failed> {
        self.stream.send(&tags(round, offered)).await;
        Ok(self.tags().await?.tags)
    }

    /// Shows that a member opened the stream: the number of the space.
    pub(crate) async fn prove(&mut self, member: &Member, node: &DeviceId) -> Result<u32, Failed> {
        let (dial, answer) = self.dial_and_answer(member, node, 0);
        let answered = self.ask(0, Bytes::copy_from_slice(&dial)).await?;
        if answered != answer[..] {
            return Err("the node does not know this member".into());
        }
        Ok(0)
    }

    /// The tag of a member who opened the stream, and the answer to it.
    pub(crate) fn dial_and_answer(&self, member: &Member, node: &DeviceId, round: u32) -> ([u8; TAG], [u8; TAG]) {
        let me = member.person.device.id();
        let tag = |context| {
            let ends = [(&me, &self.mine), (node, &self.theirs)];
            tag(context, &member.secrets.access, ends, &member.epoch, round)
        };
        (tag(Context::DOOR_DIAL), tag(Context::DOOR_LISTEN))
    }
}

/// A tag at place 0. Spec: SPACE-9.2
pub(crate) fn tag(
    context: Context,
    access: &[u8; 32],
    [(opener, opener_nonce), (acceptor, acceptor_nonce)]: [(&DeviceId, &[u8; 32]); 2],
    epoch: &EpochId,
    round: u32,
) -> [u8; TAG] {
    let parts = [
        Part::Fixed(opener.as_bytes()),
        Part::Fixed(acceptor.as_bytes()),
        Part::Fixed(opener_nonce),
        Part::Fixed(acceptor_nonce),
        Part::Fixed(epoch.as_bytes()),
        Part::U64(round.into()),
        Part::U64(0),
    ];
    mac(context, access, &parts)
}

/// Goes through the door as a member does: the stream, which has to stay, and the number of the space.
pub(crate) async fn enter(net: &mut Net, member: &mut Member) -> Result<(Door, u32), Failed> {
    let mut door = Door::open(net, member.person.draws.draw32()).await?;
    let number = door.prove(member, &net.node()).await?;
    Ok((door, number))
}
