//! Two histories of one feed, shown on two connections.

use weft_feed::{NewEntry, VerifiedRange, kind};
use weft_wire::replication::{Contradiction, frame::Kind};

use super::{Attack, Kept, done, mutation};
use crate::{Failed, member::Member, net::Net, replica::Replica, text};

/// Connections that the node may end before it hears the other history.
const CONNECTIONS_MAX: usize = 4;

pub(super) async fn run(mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    mutation::give_note(&mut replica, &mut attack.member, "honest").await?;
    drop((replica, attack.net));

    let member = &mut attack.member;
    let mut other = member.another_history()?;
    let deps = member.given.iter().map(weft_crypto::Head::dep).collect();
    let plaintext = text::note(member.client(&member.data_feed()), "forked", "another history");
    let first = NewEntry { deps, ..member.sealed(0, kind::MUTATION, &plaintext, Vec::new()) };
    let fork = other.append(vec![first])?.remove(0);
    // The node may still be ending the first connection, and with it the next one of the same device.
    for _ in 0..CONNECTIONS_MAX {
        if let Ok(kept) = contradict(member, attack.address, &fork).await {
            return Ok(kept);
        }
    }
    contradict(member, attack.address, &fork).await
}

/// Shows the other history's head on a new connection.
async fn contradict(member: &mut Member, address: &str, fork: &VerifiedRange) -> Result<Kept, Failed> {
    let mut net = Net::connect(&member.person.device, address).await?;
    let mut replica = Replica::greet(&mut net, member).await?;
    replica.claim(fork.head(), true).await;
    // The node shows its own head of that length; then it hears the other one.
    let shown = replica
        .until(|kind| match kind {
            Kind::Contradiction(Contradiction { head, .. }) => Some(head),
            _ => None,
        })
        .await?;
    if shown == fork.head().encode() {
        return Err("the node contradicts itself".into());
    }
    let number = replica.number;
    replica.send(Kind::Contradiction(Contradiction { space: number, head: fork.head().encode() })).await;
    Ok(done((net, replica)))
}
