//! What `weft up` does with a damaged store: sets it aside, and says what is left and where the rest is.

use std::collections::BTreeMap;

use weft_crypto::SpaceId;

use super::{
    failure::{Exit, Failure},
    start,
};
use crate::{
    config::Config,
    node::{Node, StartError},
    store::FoundFeed,
};

/// Sets the store aside that `error` calls damaged. Always a failure: the next start begins with what is left.
pub(crate) fn set_aside(config: &Config, error: &StartError) -> Failure {
    match Node::set_aside(&start::node_config(config, None)) {
        Ok(aside) => {
            let mut message =
                format!("{error}\n\nIts files are now in {}; nothing was deleted.", aside.folder.display());
            for line in told(&aside.feeds) {
                message += &format!("\n{line}");
            }
            Failure::new(
                Exit::Store,
                "store_damaged",
                message,
                "run `weft up` again: it begins with what is left and fetches the rest from the members of its spaces; nothing is \
                 written in a space before one of them was met",
            )
        }
        Err(failed) => Failure::new(
            Exit::Store,
            "store_damaged",
            format!("{error}\n\nIt could not be set aside: {failed}. Everything is as it was."),
            failed.hint(),
        ),
    }
}

/// What is left of every space, in sentences.
fn told(feeds: &[FoundFeed]) -> Vec<String> {
    if feeds.is_empty() {
        return vec![
            "Nothing is known of its spaces, so there is nothing to fetch: ask a member of each for a new invitation."
                .to_owned(),
        ];
    }
    let mut spaces: BTreeMap<SpaceId, Vec<&FoundFeed>> = BTreeMap::new();
    for feed in feeds {
        spaces.entry(feed.space).or_default().push(feed);
    }
    let mut lines = Vec::new();
    for (space, feeds) in spaces {
        let alone = feeds.iter().all(|feed| feed.device == feeds[0].device);
        lines.push(match alone {
            true => format!("Space {space}: nobody else is in it, so what is not left cannot be fetched from anybody."),
            false => format!("Space {space}: keys and members are here; what is not left comes from its members."),
        });
        for feed in feeds.iter().filter(|feed| !feed.control) {
            lines.push(format!("  feed {}: {} of at least {} entries are left", feed.feed, feed.kept, feed.had));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use weft_crypto::{DeviceId, FeedId};

    use super::*;

    fn feed(device: u8, space: u8, control: bool) -> FoundFeed {
        FoundFeed {
            feed: FeedId::from_bytes([device; 32]),
            space: SpaceId::from_bytes([space; 32]),
            device: DeviceId::from_bytes([device; 32]),
            control,
            had: 9,
            kept: 4,
        }
    }

    #[test]
    fn it_says_of_every_space_whether_anybody_can_help() {
        let lines = told(&[feed(1, 1, true), feed(1, 1, false), feed(1, 2, false), feed(2, 2, false)]);
        assert_eq!(lines.len(), 5);
        assert!(lines[0].contains("nobody else") && lines[1].contains("4 of at least 9"), "{lines:#?}");
        assert!(lines[2].contains("from its members"), "{lines:#?}");
        assert!(told(&[])[0].contains("invitation"));
    }
}
