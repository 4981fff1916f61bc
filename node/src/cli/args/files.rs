//! `weft import` and `export`: traces, and folders of text files.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{super::files::Hidden, given};

/// Bring in data from elsewhere.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Replay a sequential editing trace into a new text, one operation a keystroke
    Trace {
        /// The trace: JSON or gzipped JSON (`-`: standard input)
        file: PathBuf,
        /// The space the text goes into
        #[arg(long)]
        #[arg(value_parser = given)]
        space: String,
        /// The name of the new object [default: the file's name]
        #[arg(long)]
        name: Option<String>,
    },
    /// Make an object of each text file in a folder, or bring what changed into the ones that are there
    #[command(
        after_help = "Files are UTF-8 of at most 16 MiB, kept byte for byte; rights and times are not kept. What others wrote in the space\n\
                      meanwhile stays. Links are not followed. If something is skipped, the exit code is 1."
    )]
    Files {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The space the files go into
        #[arg(long)]
        #[arg(value_parser = given)]
        space: String,
        #[command(flatten)]
        how: How,
    },
}

/// Write the files of a space into a folder.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Files are objects with a `path`, as `weft import files` makes them. Nothing is written outside of DIR, no link is\n\
                  followed, and a file that was changed here and not imported is left alone. If something is skipped, the exit code is 1."
)]
pub(crate) struct Export {
    /// The space
    #[arg(value_parser = given)]
    pub(crate) space: String,
    /// The folder; it is made if it is not there
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) how: How,
}

/// How files are imported and exported.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct How {
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What to do with names that begin with a dot
    #[arg(long, value_enum, value_name = "HOW", default_value = "skip")]
    pub(crate) hidden: Hidden,
}
