//! `weft object`, `text`, `record` and `draft`: what a space holds.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{Sure, given};

/// Which object is meant.
#[derive(Debug, ClapArgs)]
pub(crate) struct Which {
    /// The object
    #[arg(value_parser = given)]
    pub(crate) object: String,
    /// Look in this space only
    #[arg(long)]
    pub(crate) space: Option<String>,
}

/// Make, read and change objects.
#[derive(Debug, Subcommand)]
pub(crate) enum Object {
    /// Make an object
    #[command(
        after_help = "KEY=text sets a text, KEY:=json a JSON value, KEY=@file the text of a file (`@-`: standard input).\n\
                            The key `body` is the object's shared text, which `weft text` edits."
    )]
    Create {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        /// What sort of object it is, for example `note`
        #[arg(value_name = "TYPE")]
        type_name: String,
        /// Its properties
        #[arg(value_name = "KEY=VALUE")]
        properties: Vec<String>,
    },
    /// List the objects of a space
    List {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        /// Only objects of this type
        #[arg(long = "type", value_name = "TYPE")]
        type_name: Option<String>,
        /// Also what Weft keeps for itself, like the space's name
        #[arg(long)]
        all: bool,
    },
    /// Show an object
    Get {
        #[command(flatten)]
        object: Which,
    },
    /// Change properties of an object
    Set {
        #[command(flatten)]
        object: Which,
        /// The properties to set: KEY=text, KEY:=json or KEY=@file
        #[arg(value_name = "KEY=VALUE")]
        properties: Vec<String>,
        /// Take this property away, may be given several times
        #[arg(long, value_name = "KEY")]
        unset: Vec<String>,
    },
    /// Delete an object
    Delete {
        #[command(flatten)]
        object: Which,
        #[command(flatten)]
        sure: Sure,
    },
}

/// Read and change the text of an object.
#[derive(Debug, Subcommand)]
pub(crate) enum Text {
    /// Print the text exactly as it is
    Show {
        #[command(flatten)]
        object: Which,
    },
    /// Insert text
    Insert {
        #[command(flatten)]
        object: Which,
        /// Before which character; characters are Unicode scalar values, counted from 0
        position: u32,
        /// What to insert, or `-` to read it from standard input
        #[arg(required_unless_present = "file", allow_hyphen_values = true)]
        text: Option<String>,
        /// Insert the text of a file (`-`: standard input)
        #[arg(long, conflicts_with = "text")]
        file: Option<PathBuf>,
    },
    /// Edit the text in $VISUAL or $EDITOR; what others write meanwhile stays
    Edit {
        #[command(flatten)]
        object: Which,
    },
    /// Delete text
    Delete {
        #[command(flatten)]
        object: Which,
        /// The first character to delete; characters are Unicode scalar values, counted from 0
        position: u32,
        /// How many characters
        count: u32,
    },
}

/// Look at and drop changes that wait.
#[derive(Debug, Subcommand)]
pub(crate) enum Draft {
    /// List what waits in a space, and what could not be made and why
    List {
        /// The space
        #[arg(value_parser = given)]
        space: String,
    },
    /// Show what a draft changes
    Show {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        /// Its number
        draft: u64,
    },
    /// Drop a draft: it is not made any more
    Drop {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        /// Its number
        draft: u64,
    },
}

/// Append and read records.
#[derive(Debug, Subcommand)]
pub(crate) enum Record {
    /// Append a record
    Append {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        /// The record: text, `@file`, or `-` for standard input
        #[arg(allow_hyphen_values = true)]
        record: String,
    },
    /// List records, feed by feed
    List {
        /// The space
        #[arg(value_parser = given)]
        space: String,
        /// Only this feed
        #[arg(long)]
        feed: Option<String>,
        /// The first entry to look at
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many records of a feed to print
        #[arg(long, default_value_t = 1_000)]
        count: u64,
    },
}
