//! The forms of the commands that look after the devices of an identity.

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};

use super::{Sure, duration, given, name};

/// Look after the devices of the identity.
#[derive(Debug, Subcommand)]
pub(crate) enum Device {
    /// Print a link by which another device becomes one of yours
    #[command(
        after_help = "On the other device: weft device join LINK. Whoever uses the link first is you, in every space: carry it over yourself.\n\
                      This node has to run meanwhile; with --wait the command itself does for that."
    )]
    Link(Link),
    /// Make this a device of the identity of a link, in a data folder that has none yet
    #[command(
        after_help = "The device gets a key of its own and the spaces of the identity, those of later too. The recovery phrase stays where it was\n\
                      made. Stopped at any moment, the same command goes on."
    )]
    Join(Join),
    /// List the devices of your identity
    List {
        /// Those too that were removed
        #[arg(long)]
        all: bool,
    },
    /// Give this device a name, which only your devices see
    Rename {
        /// What it is called
        #[arg(value_parser = name)]
        name: String,
    },
    /// Remove a device that is lost, or not yours any more, from every space
    #[command(
        after_help = "What it wrote stays, and so does what it holds; it is cut off from everything later as soon as others hear of it, and\n\
                      its key is never accepted again. A later device does not remove an earlier one."
    )]
    Remove {
        /// The device: its peer id, the last eight characters of it, or its name
        #[arg(value_parser = given)]
        device: String,
        #[command(flatten)]
        sure: Sure,
    },
}

/// Print a link.
#[derive(Debug, ClapArgs)]
pub(crate) struct Link {
    /// How long the link can be used, like 10m or 24h; at most 7d
    #[arg(long, default_value = "10m", value_parser = duration)]
    pub(crate) expires: Duration,
    /// Stay until the other device is in
    #[arg(long)]
    pub(crate) wait: bool,
    /// Take back every link that was not used instead
    #[arg(long, conflicts_with_all = ["expires", "wait"])]
    pub(crate) cancel: bool,
}

/// Become a device of an identity.
#[derive(Debug, ClapArgs)]
pub(crate) struct Join {
    /// The link, or `-` to read it from standard input
    pub(crate) link: String,
    /// What this device is called [default: the name of the machine]
    #[arg(long, value_parser = name)]
    pub(crate) name: Option<String>,
}
