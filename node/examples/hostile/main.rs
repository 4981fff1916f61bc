//! A hostile peer: a program of its own that speaks the wire format of `specs/` and breaks its rules, one at a time.
//!
//! It has no part of what it attacks: not `weft-replication`, `weft-invitation`, `weft-echo`, `weft-peer` or `weft`. It makes valid
//! material with the crates below those, and says on a plain libp2p connection what no node of ours would say. An example and
//! not a binary, because `cargo test` builds examples and nobody installs them. The tests in `tests/hostile` run it against
//! real nodes.
//!
//! ```text
//! hostile TRANSPORT member ATTACK LINK [OBJECT [LINK]]   joins by the link, says that it is ready, and attacks at the next
//!                                                        line of input; the second link is to another space
//! hostile TRANSPORT guest ATTACK LINK [LINK]             attacks without joining
//! hostile TRANSPORT stranger ADDRESS SPACE               says what it hears when it asks for a space that it is no member of
//! hostile TRANSPORT founder VECTOR                       invites to a space in which two feeds have one client id
//! ```
//!
//! TRANSPORT is `quic` or `tcp`.
//!
//! It prints one JSON object a line; the last one is `done`, and it stays connected until its input ends.

mod attacks;
mod door;
mod founder;
mod guest;
mod member;
mod net;
mod replica;
mod stranger;
mod text;

use std::{io::BufRead, process::ExitCode};

use serde_json::{Value, json};

use crate::{
    member::{Link, Member, Person},
    net::{Net, Transport},
};

/// Something did not go as the attack needs it: the test shows the message.
type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Says something to the test.
fn say(value: &Value) {
    println!("{value}");
}

/// Waits until the test says something, or nothing any more: the line. Connections live on meanwhile.
async fn hear() -> String {
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.map(|_| line.trim().to_owned()).unwrap_or_default()
    });
    reading.await.unwrap_or_default()
}

fn peer_id(device: &weft_crypto::DeviceKey) -> String {
    let mut seed = *device.seed();
    let keypair = libp2p::identity::Keypair::ed25519_from_bytes(&mut seed).expect("any 32 bytes are a seed");
    keypair.public().to_peer_id().to_string()
}

async fn as_member(
    transport: Transport,
    attack: &str,
    link: &str,
    object: Option<&str>,
    other: Option<&str>,
) -> Result<(), Failed> {
    let link = Link::parse(link, transport)?;
    // Nearly every attack needs the side that opens the streams.
    let person = Person::new(&link.host, attack != "reflected-tags")?;
    let mut net = Net::connect(&person.device, &link.address).await?;
    let member = Member::join(&mut net, &link, person).await?;
    drop(net);
    let elsewhere = match other {
        Some(other) => Some(elsewhere(&Link::parse(other, transport)?).await?),
        None => None,
    };
    say(&json!({
        "event": "ready",
        "peer": peer_id(&member.person.device),
        "control": member.control_feed().to_string(),
        "data": member.data_feed().to_string(),
    }));
    hear().await;
    let kept = attacks::run(attack, member, &link.address, object, elsewhere).await?;
    hear().await;
    drop(kept);
    Ok(())
}

/// The same program as a member of another space of the node.
async fn elsewhere(link: &Link) -> Result<Member, Failed> {
    let person = Person::new(&link.host, true)?;
    let mut net = Net::connect(&person.device, &link.address).await?;
    Member::join(&mut net, link, person).await
}

async fn run(arguments: &[&str]) -> Result<(), Failed> {
    let usage = "hostile quic|tcp member ATTACK LINK [OBJECT [LINK]] | guest ATTACK LINK [LINK] | \
                 stranger ADDRESS SPACE | founder VECTOR";
    let (transport, arguments) = arguments.split_first().ok_or(usage)?;
    let transport = Transport::named(transport)?;
    match arguments {
        ["member", attack, link] => as_member(transport, attack, link, None, None).await,
        ["member", attack, link, object] => as_member(transport, attack, link, Some(object), None).await,
        ["member", attack, link, object, other] => as_member(transport, attack, link, Some(object), Some(other)).await,
        ["guest", attack, links @ ..] => guest::run(transport, attack, links).await,
        ["stranger", address, space] => stranger::run(address, space).await,
        ["founder", vector] => founder::run(transport, vector).await,
        _ => Err(usage.into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{arguments:?}: {error}");
            ExitCode::FAILURE
        }
    }
}
