//! Why two peers that should be level are not, for a person who asks: what is missing, who is waited for, since when, by
//! which rule, and what helps.
//!
//! While something moves, the reason is that they are catching up. When nothing has moved for a while, each feed that is
//! apart gets a reason of its own. A refusal or a fork is said at once: waiting does not mend it.
//!
//! Spec: REPLICATION-9.2

use std::{fmt, time::Duration};

use weft_crypto::{DeviceId, FeedId};
use weft_machine::Time;

use crate::{config::Config, io::Refusal, pair::Pair};

/// A reason for a pair not being level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What is missing or wrong.
    pub what: What,
    /// The other end of the pair.
    pub from: DeviceId,
    /// Since when.
    pub since: Time,
    /// The rule that says so: a section of a spec, or the peer's own words (made by others: show them with care).
    pub rule: String,
    /// What helps.
    pub remedy: &'static str,
}

/// What is missing or wrong. Lengths are in entries; `have` of ours or theirs, `of` what the other side holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The peer has not said yet what it holds.
    NoList,
    /// We are getting what we lack.
    CatchingUp {
        /// How many feeds we are behind in.
        feeds: u64,
        /// Entries of them that are durable here.
        have: u64,
        /// Entries that the peer claims.
        of: u64,
    },
    /// The peer is getting what it lacks.
    PeerCatchingUp {
        /// How many feeds it is behind in.
        feeds: u64,
        /// Entries of them that it holds.
        have: u64,
        /// Entries that are durable here.
        of: u64,
    },
    /// The peer holds a feed that nobody known here admitted.
    UnknownFeed {
        /// The feed.
        feed: FeedId,
    },
    /// The feed's author signed two logs; nothing more of it is taken.
    Forked {
        /// The feed.
        feed: FeedId,
    },
    /// Both hold one length of a feed under two roots.
    Contradicts {
        /// The feed.
        feed: FeedId,
        /// The length.
        length: u64,
    },
    /// The peer serves nothing (more) of a feed.
    Refused {
        /// The feed.
        feed: FeedId,
        /// Why.
        reason: Refusal,
    },
    /// We asked, and nothing comes.
    Silent {
        /// The feed.
        feed: FeedId,
        /// What is durable here.
        have: u64,
        /// What the peer claims.
        of: u64,
    },
    /// We lack something and have not asked this peer for it.
    NotAsked {
        /// The feed.
        feed: FeedId,
        /// What is durable here.
        have: u64,
        /// What the peer claims.
        of: u64,
    },
    /// The peer follows a feed and does not say that it has it.
    PeerSilent {
        /// The feed.
        feed: FeedId,
        /// What the peer claims.
        have: u64,
        /// What is durable here.
        of: u64,
    },
    /// The peer is behind and has not asked.
    PeerDoesNotAsk {
        /// The feed.
        feed: FeedId,
        /// What the peer claims.
        have: u64,
        /// What is durable here.
        of: u64,
    },
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoList => write!(f, "the peer has not said what it holds"),
            Self::CatchingUp { feeds, have, of } => write!(f, "catching up: {have} of {of} entries in {feeds} feeds"),
            Self::PeerCatchingUp { feeds, have, of } => {
                write!(f, "the peer is catching up: {have} of {of} entries in {feeds} feeds")
            }
            Self::UnknownFeed { feed } => write!(f, "the peer holds feed {feed}, which nobody known here admitted"),
            Self::Forked { feed } => write!(f, "feed {feed} was written in two ways by its author"),
            Self::Contradicts { feed, length } => {
                write!(f, "the peer holds other entries of feed {feed} at length {length}")
            }
            Self::Refused { feed, reason } => {
                let why = match reason {
                    Refusal::NotHeld => "does not hold more",
                    Refusal::Contradicts => "holds another log",
                    Refusal::Damaged => "has a damaged store there",
                    Refusal::Rule | Refusal::Other(_) => "refuses by a rule",
                };
                write!(f, "the peer serves nothing of feed {feed}: it {why}")
            }
            Self::Silent { feed, have, of } => {
                write!(f, "feed {feed} is at {have} of {of}, asked for and nothing comes")
            }
            Self::NotAsked { feed, have, of } => write!(f, "feed {feed} is at {have} of {of}, not asked of this peer"),
            Self::PeerSilent { feed, have, of } => {
                write!(f, "the peer follows feed {feed} and says it holds {have} of {of}")
            }
            Self::PeerDoesNotAsk { feed, have, of } => {
                write!(f, "the peer holds {have} of {of} of feed {feed} and does not ask")
            }
        }
    }
}

/// How things stand with an admitted feed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) stopped: bool,
    pub(crate) refused: Option<&'a (Refusal, String)>,
    pub(crate) asked: bool,
    pub(crate) follows: bool,
}

/// The reasons for a pair, gravest last. `standing` is none for a feed that was not admitted.
pub(crate) fn reasons<'a>(
    pair: &Pair,
    standing: impl Fn(&FeedId) -> Option<Standing<'a>>,
    from: DeviceId,
    now: Time,
    config: &Config,
) -> Vec<Reason> {
    let moving = now.saturating_since(pair.moved) < Duration::from_millis(config.stuck_after_ms);
    let mut reasons = Vec::new();
    let mut say = |what, since, rule: &str, remedy| {
        if reasons.len() < config.reasons_max {
            reasons.push(Reason { what, from, since, rule: rule.to_owned(), remedy });
        }
    };
    if !pair.complete {
        say(What::NoList, pair.apart_since, "REPLICATION-4.2", "wait; if it stays so, restart the other node");
    }
    let (mut ours_behind, mut theirs_behind) = (Behind::default(), Behind::default());
    for (feed, ours, theirs) in pair.apart() {
        let Some(feed_stands) = standing(&feed) else {
            let remedy =
                "it counts once the control entry that admits it arrives; if it never does, ask the peer's member";
            if moving && ours < theirs {
                ours_behind.add(ours, theirs);
            } else {
                say(What::UnknownFeed { feed }, pair.moved, "REPLICATION-4.3", remedy);
            }
            continue;
        };
        let (have, of) = (ours.min(theirs), ours.max(theirs));
        if feed_stands.stopped {
            say(What::Forked { feed }, pair.apart_since, "REPLICATION-8.3", "its author writes on with a new feed");
        } else if ours == theirs {
            let remedy = "wait for the heads to be compared; then its author writes on with a new feed";
            say(What::Contradicts { feed, length: ours }, pair.apart_since, "REPLICATION-8.2", remedy);
        } else if let Some((reason, rule)) = feed_stands.refused.filter(|_| ours < theirs) {
            let rule = if rule.is_empty() { "REPLICATION-5.4" } else { rule };
            say(What::Refused { feed, reason: *reason }, pair.moved, rule, "connect to another member that holds it");
        } else if moving {
            if ours < theirs { &mut ours_behind } else { &mut theirs_behind }.add(have, of);
        } else if ours < theirs && feed_stands.asked {
            let remedy = "it is fetched from another peer when there is one; else check the link to this one";
            say(What::Silent { feed, have, of }, pair.moved, "REPLICATION-5.3", remedy);
        } else if ours < theirs {
            say(
                What::NotAsked { feed, have, of },
                pair.moved,
                "REPLICATION-5.5",
                "another peer or the control feeds go first",
            );
        } else if feed_stands.follows {
            let remedy = "check the link to the peer, and whether its disk is full";
            say(What::PeerSilent { feed, have, of }, pair.moved, "REPLICATION-4.2", remedy);
        } else {
            let remedy = "the peer may be getting it from another, or does not know yet that the feed was admitted";
            say(What::PeerDoesNotAsk { feed, have, of }, pair.moved, "REPLICATION-5.5", remedy);
        }
    }
    if let Behind { feeds: feeds @ 1.., have, of } = ours_behind {
        say(What::CatchingUp { feeds, have, of }, pair.apart_since, "REPLICATION-5.3", "wait");
    }
    if let Behind { feeds: feeds @ 1.., have, of } = theirs_behind {
        say(What::PeerCatchingUp { feeds, have, of }, pair.apart_since, "REPLICATION-5.3", "wait");
    }
    reasons
}

#[derive(Default)]
struct Behind {
    feeds: u64,
    have: u64,
    of: u64,
}

impl Behind {
    fn add(&mut self, have: u64, of: u64) {
        self.feeds += 1;
        self.have = self.have.saturating_add(have);
        self.of = self.of.saturating_add(of);
    }
}
