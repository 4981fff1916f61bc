//! `weft invite`, `join` and `invitation`: how people come into a space.

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};

use super::{duration, given};

/// Print a link.
#[derive(Debug, ClapArgs)]
pub(crate) struct Invite {
    /// The space
    #[arg(value_parser = given)]
    pub(crate) space: String,
    /// What the newcomer will be
    #[arg(long, default_value = "writer", value_parser = ["reader", "writer", "admin", "owner"])]
    pub(crate) role: String,
    /// How long the link can be used, like 30m, 24h or 7d
    #[arg(long, default_value = "24h", value_parser = duration)]
    pub(crate) expires: Duration,
    /// How many people can join by it
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) uses: u32,
    /// Ask here before anybody is let in: `weft invitation list` shows who waits
    #[arg(long)]
    pub(crate) approve: bool,
}

/// Join a space.
#[derive(Debug, ClapArgs)]
pub(crate) struct Join {
    /// The link, or `-` to read it from standard input
    pub(crate) link: String,
    /// How long to wait for a person to approve, where the link asks for that
    #[arg(long, default_value = "10m", value_name = "TIME", value_parser = duration)]
    pub(crate) wait: Duration,
    /// Do not wait for a person
    #[arg(long, conflicts_with = "wait")]
    pub(crate) no_wait: bool,
}

/// Look after invitations.
#[derive(Debug, Subcommand)]
pub(crate) enum Invitation {
    /// List invitations that can be redeemed, and who waits at this device to be let in
    List {
        /// Only of this space
        space: Option<String>,
        /// Those too that nobody can redeem any more
        #[arg(long)]
        all: bool,
    },
    /// Take an invitation back; whoever joined by it stays
    Revoke {
        /// The invitation
        #[arg(value_parser = given)]
        invitation: String,
        /// Look for it in this space only
        #[arg(long)]
        space: Option<String>,
    },
    /// Let a newcomer in that waits at this device
    Approve(Newcomer),
    /// Turn a newcomer away that waits at this device
    Deny(Newcomer),
}

/// A newcomer that waits.
#[derive(Debug, ClapArgs)]
pub(crate) struct Newcomer {
    /// The invitation
    #[arg(value_parser = given)]
    pub(crate) invitation: String,
    /// The newcomer: its identity, the first six characters of it or more, or its digits
    #[arg(value_parser = given)]
    pub(crate) newcomer: String,
    /// Look for the invitation in this space only
    #[arg(long)]
    pub(crate) space: Option<String>,
}
