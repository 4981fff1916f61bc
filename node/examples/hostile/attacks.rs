//! What a member does who turned: each attack from a connection of its own to what the node is expected to do about it.

mod early;
mod elsewhere;
mod fork;
mod huge;
mod membership;
pub(crate) mod mutation;
mod plant;
mod protobuf;
mod range;
mod slow;
mod want;

use std::{any::Any, time::Duration};

use serde_json::json;

use crate::{
    Failed,
    member::Member,
    net::{Net, PATIENCE},
    replica::Replica,
    say,
};

/// What has to stay until the test has looked: connections, mostly.
pub(crate) type Kept = Box<dyn Any>;

/// One attack.
pub(crate) struct Attack<'a> {
    pub(crate) net: Net,
    pub(crate) member: Member,
    pub(crate) address: &'a str,
    pub(crate) object: Option<&'a str>,
    /// A member of another space of the node.
    pub(crate) elsewhere: Option<Member>,
}

/// Runs an attack to its end and says `done`.
pub(crate) async fn run(
    name: &str,
    member: Member,
    address: &str,
    object: Option<&str>,
    elsewhere: Option<Member>,
) -> Result<Kept, Failed> {
    let net = Net::connect(&member.person.device, address).await?;
    let attack = Attack { net, member, address, object, elsewhere };
    let (family, what) = name.split_once('/').unwrap_or((name, ""));
    match family {
        "none" => honest(attack).await,
        "range" => range::run(what, attack).await,
        "want" => want::run(what, attack).await,
        "huge" => huge::run(what, attack).await,
        "reflected-tags" => membership::reflected(attack).await,
        "membership" => membership::run(what, attack).await,
        "early" => early::run(what, attack).await,
        "mutation" => mutation::run(what, attack).await,
        "fork" => fork::run(attack).await,
        "protobuf" => protobuf::run(what, attack).await,
        "elsewhere" => elsewhere::run(what, attack).await,
        "slow" => slow::run(attack).await,
        "plant" => plant::run(attack).await,
        _ => Err(format!("no attack {name}").into()),
    }
}

/// Says that all is done and the node has ended the connection, which it must.
pub(crate) async fn cut_off(net: Net) -> Result<Kept, Failed> {
    cut_off_within(net, PATIENCE).await
}

/// The same with another patience.
pub(crate) async fn cut_off_within(mut net: Net, patience: Duration) -> Result<Kept, Failed> {
    if !net.ended_within(patience).await {
        return Err("the node did not end the connection".into());
    }
    say(&json!({ "event": "done", "cut_off": true }));
    Ok(Box::new(net))
}

/// Says that all is done and the connection stands.
pub(crate) fn done(kept: impl Any) -> Kept {
    say(&json!({ "event": "done", "cut_off": false }));
    Box::new(kept)
}

/// What a member does who has not turned: writes a note, and gives it to the node.
async fn honest(mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    mutation::give_note(&mut replica, &mut attack.member, "honest").await?;
    Ok(done((attack.net, replica)))
}
