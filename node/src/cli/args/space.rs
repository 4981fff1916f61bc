//! `weft space`: spaces as a whole.

use clap::Subcommand;

use super::{Sure, given, name};

/// Make, name, look at, leave and delete spaces.
#[derive(Debug, Subcommand)]
pub(crate) enum Space {
    /// Make a space and become its owner
    Create {
        /// What people call it
        #[arg(value_parser = name)]
        name: String,
    },
    /// List the spaces of this node
    List,
    /// Show a space and what it waits for
    Show {
        /// The space
        #[arg(value_parser = given)]
        space: String,
    },
    /// Give a space another name, for all its members; an owner does
    Rename {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        /// What people call it from now on
        #[arg(value_parser = name)]
        name: String,
    },
    /// List who belongs to a space, as `weft member list` does
    Members {
        /// The space
        #[arg(value_parser = given)]
        space: String,
    },
    /// Show or set what newcomers can read of the time before they came; an owner sets it
    Policy {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        /// What those who join from now on can read
        #[arg(long, value_name = "HISTORY", value_parser = ["all", "from-joining"])]
        set: Option<String>,
    },
    /// List what is held of members after they lost the right to write it
    Quarantine {
        /// Only of this space
        space: Option<String>,
    },
    /// Take in again what is held in quarantine of somebody: it counts, for every member
    #[command(
        after_help = "Whoever made the change that hides it may do so, and whoever administers and outranks its author."
    )]
    Readmit {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        /// Who wrote it
        #[arg(value_name = "MEMBER", value_parser = given)]
        author: String,
        /// Only what this change hides, as `weft space quarantine` names it
        #[arg(long)]
        act: Option<String>,
        #[command(flatten)]
        sure: Sure,
    },
    /// Leave a space with all your devices; what is here of it stays here, to be read
    #[command(
        after_help = "Nothing more of it comes here or can be written. Your devices cannot come back: who is invited again joins with another one."
    )]
    Leave {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        #[command(flatten)]
        sure: Sure,
    },
    /// Delete a space from this device: its keys, entries and rows; other devices keep theirs
    #[command(
        after_help = "Who is a member stays one, and gets the space again by a new invitation. The disk may keep old bytes where nothing was\n                      written since. Texts that were exported or imported stay in their folders."
    )]
    Delete {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        #[command(flatten)]
        sure: Sure,
    },
}
