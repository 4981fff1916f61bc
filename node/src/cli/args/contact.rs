//! `weft contact` and `weft profile`: what people are called here.

use clap::Subcommand;

use super::{given, name};

/// What this identity calls itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// Show what members of your spaces see you as
    Show,
    /// Call yourself something else, in all your spaces
    Set {
        /// What members of your spaces see you as from now on
        #[arg(value_parser = name)]
        name: String,
    },
}

/// What you call people. It is kept on this device and told to nobody.
#[derive(Debug, Subcommand)]
pub(crate) enum Contact {
    /// List whom you gave a name, or of whom you made sure
    List,
    /// Give somebody a name: it is shown instead of what they call themselves, and goes before it
    Name {
        /// Who: a member of one of your spaces
        #[arg(value_name = "MEMBER", value_parser = given)]
        person: String,
        /// What you call them
        #[arg(value_parser = name)]
        petname: String,
    },
    /// Show the safety number that you and somebody have in common, to compare it by telephone or side by side
    Verify {
        /// Who: a member of one of your spaces
        #[arg(value_name = "MEMBER", value_parser = given)]
        person: String,
        /// Say that both read the same number; lists show it from then on
        #[arg(long)]
        verified: bool,
        /// Take that back
        #[arg(long, conflicts_with = "verified")]
        unverified: bool,
    },
    /// Keep nothing of somebody any more: neither your name for them nor that you made sure
    Forget {
        /// Who
        #[arg(value_name = "MEMBER", value_parser = given)]
        person: String,
    },
}
