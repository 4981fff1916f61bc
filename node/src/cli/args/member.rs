//! `weft member`: who belongs to a space, and as what.

use clap::{Args as ClapArgs, Subcommand};

use super::{Sure, given};

/// See and change who belongs to a space.
#[derive(Debug, Subcommand)]
pub(crate) enum Member {
    /// List who belongs to a space, as what, and what is proposed about them
    List {
        /// The space
        #[arg(value_parser = given)]
        space: String,
    },
    /// Remove a member with all its devices; what it wrote so far stays
    #[command(
        after_help = "It reads nothing that is written from then on. What it wrote and this device does not hold yet is hidden and kept:\n                      `weft space quarantine` lists it. A removed device never comes back: who is invited again comes with another one."
    )]
    Remove {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        propose: Propose,
        #[command(flatten)]
        sure: Sure,
    },
    /// Give a member another role
    Role {
        #[command(flatten)]
        which: Which,
        /// What it is from then on
        #[arg(value_parser = ["reader", "writer", "admin", "owner"])]
        role: String,
        #[command(flatten)]
        propose: Propose,
        #[command(flatten)]
        sure: Sure,
    },
    /// Stand behind a removal or a role that is proposed
    Seal {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        /// What is proposed, or the member whom it is about
        #[arg(value_name = "PROPOSAL|MEMBER", value_parser = given)]
        proposal: String,
    },
}

/// A member of a space.
#[derive(Debug, ClapArgs)]
pub(crate) struct Which {
    /// The space
    #[arg(value_parser = given)]
    pub(crate) space: String,
    /// The member
    #[arg(value_parser = given)]
    pub(crate) member: String,
}

/// Where more than half of those who administer have to stand behind a change.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Propose {
    /// Where it counts only once more than half of the owners and admins stand behind it, propose it to them
    #[arg(long)]
    pub(crate) propose: bool,
}
