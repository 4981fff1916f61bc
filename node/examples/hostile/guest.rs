//! Attacks on `/weft/invitation/1` by somebody who is no member.

use serde_json::json;
use weft_crypto::{DeviceKey, InvitationSecret};
use weft_wire::invitation::{Begin, Frame, frame::Kind};

use crate::{
    Failed, hear,
    member::{self, Link, Member, Person},
    net::{INVITATION, Net, Transport},
    peer_id, say,
};

/// Runs an attack; what the node answered goes to the test.
pub(crate) async fn run(transport: Transport, what: &str, links: &[&str]) -> Result<(), Failed> {
    let links = links.iter().map(|link| Link::parse(link, transport)).collect::<Result<Vec<_>, _>>()?;
    let link = links.first().ok_or("which link?")?;
    let mut person = Person::new(&link.host, true)?;
    let peer = peer_id(&person.device);
    if what == "used" {
        let mut net = Net::connect(&person.device, &link.address).await?;
        Member::join(&mut net, link, person).await?;
        person = Person::new(&link.host, true)?;
    }
    say(&json!({ "event": "ready", "peer": peer }));
    hear().await;
    let mut net = Net::connect(&person.device, &link.address).await?;
    let answers = attack(what, &mut net, link, links.get(1), person).await?;
    let heard: Vec<_> = answers.iter().map(heard).collect();
    say(&json!({ "event": "done", "heard": heard }));
    hear().await;
    Ok(())
}

fn heard(answer: &bytes::Bytes) -> serde_json::Value {
    let kind = match weft_wire::decode::<Frame>(answer).map(|frame| frame.kind) {
        Ok(Some(Kind::Refused(refused))) => format!("refused {}", refused.reason),
        Ok(Some(Kind::Challenge(_))) => "challenge".to_owned(),
        Ok(Some(Kind::Accepted(_))) => "accepted".to_owned(),
        Ok(Some(Kind::Part(_))) => "part".to_owned(),
        other => format!("{other:?}"),
    };
    json!({ "kind": kind, "bytes": answer.len() })
}

async fn attack(
    what: &str,
    net: &mut Net,
    link: &Link,
    other: Option<&Link>,
    mut person: Person,
) -> Result<Vec<bytes::Bytes>, Failed> {
    let invented = Link {
        space: link.space,
        secret: InvitationSecret::from_seed(person.draws.draw32()),
        host: link.host,
        address: String::new(),
    };
    match what {
        "used" | "honest" => {
            let joining = person.redemption(link, link.host);
            let (mut stream, proved) = member::begin(net, link, &mut person).await?;
            stream.send(&member::redeem(link, &proved, &joining)).await;
            stream.rest().await
        }
        // Let in, and then asks for the bundle again and again; the first frame of each answer.
        "bundles" => {
            let joining = person.redemption(link, link.host);
            let mut heard = Vec::new();
            for _ in 0..12 {
                let (mut stream, proved) = member::begin(net, link, &mut person).await?;
                stream.send(&member::redeem(link, &proved, &joining)).await;
                heard.extend(stream.rest().await?.into_iter().next());
            }
            Ok(heard)
        }
        "unknown" => {
            let joining = person.redemption(&invented, link.host);
            let (mut stream, proved) = member::begin(net, &invented, &mut person).await?;
            stream.send(&member::redeem(&invented, &proved, &joining)).await;
            stream.rest().await
        }
        "wrong-proof" => {
            // Knows the link's id and not its key: the redemption names the real one, the proof is by another.
            let joining = person.redemption(link, link.host);
            let (mut stream, proved) = member::begin(net, link, &mut person).await?;
            stream.send(&member::redeem(&invented, &proved, &joining)).await;
            stream.rest().await
        }
        "replayed-proof" => {
            let joining = person.redemption(link, link.host);
            let (mut stream, proved) = member::begin(net, link, &mut person).await?;
            drop(stream);
            // The old proof on a new stream, whose nonces are others. The host may need a moment to see that the first is gone.
            (stream, _) = loop {
                if let Ok(begun) = member::begin(net, link, &mut person).await {
                    break begun;
                }
            };
            stream.send(&member::redeem(link, &proved, &joining)).await;
            stream.rest().await
        }
        "stolen-redemption" => {
            let mut victim = Person::new(&link.host, true)?;
            let joining = victim.redemption(link, link.host);
            let (mut stream, proved) = member::begin(net, link, &mut person).await?;
            stream.send(&member::redeem(link, &proved, &joining)).await;
            stream.rest().await
        }
        "other-host" => {
            let host = DeviceKey::from_seed(person.draws.draw32()).id();
            let joining = person.redemption(link, host);
            let (mut stream, proved) = member::begin(net, link, &mut person).await?;
            stream.send(&member::redeem(link, &proved, &joining)).await;
            stream.rest().await
        }
        "other-link" => {
            // Proves one link's key and redeems another's.
            let other = other.ok_or("which other link?")?;
            let joining = person.redemption(other, link.host);
            let (mut stream, proved) = member::begin(net, link, &mut person).await?;
            stream.send(&member::redeem(link, &proved, &joining)).await;
            stream.rest().await
        }
        "redeem-first" => {
            let joining = person.redemption(link, link.host);
            let mut stream = net.open(INVITATION).await?;
            stream.send(&member::redeem(link, &[], &joining)).await;
            stream.rest().await
        }
        "reflected" => {
            let (mut stream, proved) = member::begin(net, link, &mut person).await?;
            let nonce = bytes::Bytes::copy_from_slice(&proved[proved.len() - 32..]);
            stream.send(&member::frame(Kind::Begin(Begin { version: 1, nonce }))).await;
            stream.rest().await
        }
        "version" => {
            let mut stream = net.open(INVITATION).await?;
            stream.send(&member::frame(Kind::Begin(Begin { version: 2, nonce: vec![7; 32].into() }))).await;
            stream.rest().await
        }
        _ => Err(format!("no attack {what}").into()),
    }
}
