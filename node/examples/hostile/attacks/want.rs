//! Claims, wants and answers that do not fit what was said before.

use bytes::Bytes;
use weft_crypto::{FeedSecret, Head};
use weft_feed::Tree;
use weft_wire::replication::{Contradiction, Credit, Refused, Stop, Want, frame::Kind};

use super::{Attack, Kept, cut_off};
use crate::{
    Failed,
    replica::{self, Replica},
    text,
};

/// A tree of this length that nobody's feed has.
fn invented(length: u64) -> Tree {
    let mut tree = Tree::new();
    (0..length).for_each(|seq| tree.push([seq as u8; 32], 100));
    tree
}

pub(super) async fn run(what: &str, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    let member = &mut attack.member;
    let founder = member.founder();
    let (number, feed) = (replica.number, founder.feed);
    let key = FeedSecret::from_seed(member.person.draws.draw32());
    let forged = |tree: &Tree| Head::sign(feed, tree.length(), tree.byte_length(), tree.root(), &key);
    let frame = match what {
        "misfit-tree" => replica::want(number, feed, Some((founder, invented(founder.length)))),
        "misfit-length" => {
            let Kind::Want(want) =
                replica::want(number, feed, Some((founder, invented(founder.length)))).kind.expect("just made")
            else {
                return Err("a want is a want".into());
            };
            replica::frame(Kind::Want(Want { from: 1, ..want }))
        }
        "tree-without-head" => replica::frame(Kind::Want(Want {
            space: number,
            feed: feed.to_bytes(),
            from: 2,
            head: Bytes::new(),
            tree: invented(2).encode(),
        })),
        "tree-of-2^60" => replica::frame(Kind::Want(Want {
            space: number,
            feed: feed.to_bytes(),
            from: 1 << 60,
            head: founder.encode(),
            tree: [&(1_u64 << 60).to_le_bytes()[..], &[7; 40]].concat().into(),
        })),
        "forged-base" => {
            let tree = invented(founder.length);
            replica::want(number, feed, Some((forged(&tree), tree)))
        }
        "forged-base-below" => {
            let tree = invented(1);
            replica::want(number, feed, Some((forged(&tree), tree)))
        }
        "twice" => {
            replica.stream.send(&replica::want(number, feed, None)).await;
            replica::want(number, feed, None)
        }
        "unknown-number" => replica::want(99, feed, None),
        "stop-unknown-number" => replica::frame(Kind::Stop(Stop { space: 99, feed: feed.to_bytes() })),
        "short-feed" => {
            replica::frame(Kind::Want(Want { space: number, feed: Bytes::from_static(b"short"), ..Want::default() }))
        }
        "refused-unasked" => replica::frame(Kind::Refused(Refused {
            space: number,
            feed: feed.to_bytes(),
            from: 0,
            reason: 1,
            rule: String::new(),
        })),
        "credit-unowed" => replica::frame(Kind::Credit(Credit { bytes: 1 << 40 })),
        "credit-overflow" => replica::frame(Kind::Credit(Credit { bytes: u64::MAX })),
        "no-contradiction" => {
            replica::frame(Kind::Contradiction(Contradiction { space: number, head: founder.encode() }))
        }
        "forged-contradiction" => {
            let head = forged(&invented(founder.length)).encode();
            replica::frame(Kind::Contradiction(Contradiction { space: number, head }))
        }
        "own-contradiction" => {
            let mine = member.write(&text::note(0, "mine", "mine"))?;
            replica::frame(Kind::Contradiction(Contradiction { space: 77, head: mine.head().encode() }))
        }
        "empty-holding" => replica::have(number, &[(feed, 0, founder.root)], true),
        "cut-holdings" => {
            let have =
                weft_wire::replication::Have { space: number, holdings: Bytes::from_static(&[7; 100]), complete: true };
            replica::frame(Kind::Have(have))
        }
        _ => return Err(format!("no attack want/{what}").into()),
    };
    replica.stream.send(&frame).await;
    cut_off(attack.net).await
}
