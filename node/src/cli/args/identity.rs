//! `weft identity`: the recovery phrase, and what protects the keys.

use std::path::PathBuf;

use clap::Subcommand;

/// Look after the identity.
#[derive(Debug, Subcommand)]
pub(crate) enum Identity {
    /// Show the recovery phrase, and forget it here once you have written it down
    Phrase {
        /// Say that it is written down: it is deleted from this device, and the device works on without it
        #[arg(long)]
        confirm: bool,
        /// Only say what would be deleted
        #[arg(long, requires = "confirm")]
        dry_run: bool,
    },
    /// Put the keys under a passphrase, change it, or take it away
    #[command(
        after_help = "Asks at the terminal, where nothing of it is shown; never a flag or a variable. The passphrase as it is now can come from\n\
                      --passphrase-file. It protects the keys and the recovery phrase; what spaces hold is on this disk as applications read\n\
                      it, so encrypt the disk as well. Nobody can find a lost passphrase again."
    )]
    Passphrase {
        /// Take it away: file permissions alone protect the keys then
        #[arg(long, conflicts_with = "new_passphrase_file")]
        remove: bool,
        /// Read the new one from the first line of this file (`-`: standard input)
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Have the running node forget the keys: it leaves its peers, closes its store and waits
    Lock,
    /// Show a locked node the passphrase: it opens its store and goes on
    Unlock,
}
