//! The forms of the command line. They are a contract: what parses today parses in every later version.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args as ClapArgs, Parser, Subcommand};
use libp2p::Multiaddr;

pub(crate) mod contact;
mod device;
mod files;
mod identity;
mod invitation;
pub(crate) mod member;
mod object;
pub(crate) mod space;

pub(crate) use contact::{Contact, Profile};
pub(crate) use device::{Device, Join as DeviceJoin, Link as DeviceLink};
pub(crate) use files::{Export, How, Import};
pub(crate) use identity::Identity;
pub(crate) use invitation::{Invitation, Invite, Join, Newcomer};
pub(crate) use member::Member;
pub(crate) use object::{Draft, Object, Record, Text, Which};
pub(crate) use space::Space;

const EXIT_CODES: &str = "\
Names: SPACE, OBJECT and FEED are a full id, a unique prefix of six or more characters, or a unique name.
       MEMBER is an identity, its first six characters or more, or a unique name.
       PEER is a full peer id, its last eight characters, a unique name, or an identity with one device.
Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 timed out, not level or not approved yet,
       6 store damaged or locked.";

/// Weft: a peer-to-peer cloud. Share spaces between devices, encrypted, without a server.
#[derive(Debug, Parser)]
#[command(name = "weft", version, after_help = EXIT_CODES, disable_help_subcommand = true, max_term_width = 110)]
pub(crate) struct Args {
    /// The folder with the store, the identity and config.toml [env: WEFT_DATA] [default: by the platform's convention]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Where the passphrase of the identity is read from, its first line: a file, or `-` for standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Where it is remembered which copy of that folder wrote last [env: WEFT_STATE_DIR] [default: by the platform's convention]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Print JSON for programs: one document, or one object a line for streams; errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Leave out what was not asked for: confirmations, introductions, progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an identity in the data folder
    Init {
        /// What members of your spaces see you as
        #[arg(long, value_parser = name)]
        name: Option<String>,
    },
    /// Start the node and stay in the foreground
    Up(Up),
    /// Stop the running node
    Down,
    /// Open the page of the running node in a browser: spaces, members, texts as they change, and why something is not level
    Open {
        /// Only print the address; it can be opened once, within five minutes
        #[arg(long)]
        print: bool,
    },
    /// What this node is, whom it is connected to, and why it is not in sync
    Status {
        /// Stay, and show it as it changes
        #[arg(long, short)]
        watch: bool,
    },
    /// See how it goes: two nodes in this terminal, one text, one of them killed and back
    Demo {
        /// Do not wait for the eye to follow
        #[arg(long)]
        fast: bool,
    },
    /// Make, name, look at, leave and delete spaces
    #[command(subcommand)]
    Space(Space),
    /// Print a link by which people can join a space
    Invite(Invite),
    /// See who can still join by which link and who waits to be let in, let them in, take links back
    #[command(subcommand)]
    Invitation(Invitation),
    /// Join a space by a link
    #[command(
        after_help = "Where a person has to approve, this waits; stopped or run again, it asks for the same membership. Until then the \
                      exit code is 5 and the error's code `waits_for_approval`."
    )]
    Join(Join),
    /// See and change who belongs to a space, and as what
    #[command(subcommand)]
    Member(Member),
    /// What others see you as
    Profile {
        #[command(subcommand)]
        command: Option<Profile>,
    },
    /// What you call people, and of whom you have made sure; told to nobody
    #[command(subcommand)]
    Contact(Contact),
    /// Make, read and change objects
    #[command(subcommand)]
    Object(Object),
    /// Read and change the text of an object
    #[command(subcommand)]
    Text(Text),
    /// Append and read records: an application's own bytes
    #[command(subcommand)]
    Record(Record),
    /// Changes that wait because this device does not know yet how far its own feeds went
    #[command(subcommand)]
    Draft(Draft),
    /// Bring in data from elsewhere
    #[command(subcommand)]
    Import(Import),
    /// Write the files of a space into a folder, byte for byte
    Export(Export),
    /// Wait until a space is level with its connected members
    Wait(Wait),
    /// Show the node, a space or an object, and then follow it as it changes
    Watch {
        /// A space or an object; the whole node without it
        #[arg(value_name = "SPACE|OBJECT", value_parser = given)]
        what: Option<String>,
        /// Look for the object in this space only
        #[arg(long)]
        space: Option<String>,
    },
    /// Follow what happens, one line for each event
    Events {
        /// Only what happens in this space
        space: Option<String>,
    },
    /// Show what the node that runs or ran here has logged
    Log {
        /// How many of the last lines
        #[arg(long, short = 'n', default_value_t = 50, value_name = "N")]
        lines: usize,
        /// Stay, and show what is logged from now on
        #[arg(long, short)]
        follow: bool,
    },
    /// Look at feeds
    #[command(subcommand)]
    Feed(Feed),
    /// Check every stored entry against its signed head
    Verify {
        /// Only this space
        space: Option<String>,
    },
    /// Drop what was derived from the feeds and derive it again
    Rebuild {
        /// Only this space
        space: Option<String>,
        /// Only say what would be dropped
        #[arg(long)]
        dry_run: bool,
    },
    /// Look after the identity
    #[command(subcommand)]
    Identity(Identity),
    /// Have several devices: link another one, see which there are, remove one that is lost
    #[command(subcommand)]
    Device(Device),
    /// Look at the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Send any request to the node's API and print the answer
    #[command(
        after_help = "`weft api GET openapi.json` describes every request. Without a running node, the store answers itself."
    )]
    Api {
        /// GET, POST, PATCH, PUT or DELETE
        #[arg(value_parser = super::raw::method)]
        method: axum::http::Method,
        /// What is asked for: `status` means `/api/v1/status`
        #[arg(value_parser = given)]
        path: String,
        /// What is sent: text, `@file`, or `-` for standard input
        body: Option<String>,
    },
    /// Print the completions for a shell
    #[command(after_help = "bash: weft completions bash > ~/.local/share/bash-completion/completions/weft\n\
                            zsh:  weft completions zsh > a folder of $fpath/_weft\n\
                            fish: weft completions fish > ~/.config/fish/completions/weft.fish")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write manual pages into a folder
    Man {
        /// The folder, like ~/.local/share/man/man1
        dir: PathBuf,
    },
    /// Print the version
    Version,
}

/// Start the node.
#[derive(Debug, ClapArgs)]
pub(crate) struct Up {
    /// Listen for peers here, may be given several times [default: QUIC and TCP on port 9338 or the next free one]
    #[arg(long, value_name = "MULTIADDR")]
    pub(crate) listen: Vec<Multiaddr>,
    /// Listen for commands here [default: 127.0.0.1:9339 or the next free port]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) api: Option<SocketAddr>,
    /// Let pages of this origin, such as http://localhost:5173, use the API in a browser, may be given several times
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Vec<String>,
    /// Connect to this peer and stay connected, may be given several times
    #[arg(long, value_name = "MULTIADDR")]
    pub(crate) peer: Vec<Multiaddr>,
    /// Log this on standard error: a level, or levels by module like `warn,weft::store=debug` [default: warn]
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How a line of the log looks: text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<crate::log::Format>,
}

/// Before something is destroyed. At a terminal a command asks; where nobody can answer it does not.
#[derive(Debug, ClapArgs)]
pub(crate) struct Sure {
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Wait until a space is level.
#[derive(Debug, ClapArgs)]
pub(crate) struct Wait {
    /// The space
    #[arg(value_parser = given)]
    pub(crate) space: String,
    /// Until it is level with this peer
    #[arg(long, value_name = "PEER")]
    pub(crate) with: Option<String>,
    /// How long to wait, like 500ms, 30s or 5m
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// Look at feeds.
#[derive(Debug, Subcommand)]
pub(crate) enum Feed {
    /// List the feeds of a space
    List {
        /// The space
        #[arg(value_parser = given)]
        space: String,
    },
    /// Show a feed and its last entries
    Show {
        /// The feed
        #[arg(value_parser = given)]
        feed: String,
        /// Look in this space only
        #[arg(long)]
        space: Option<String>,
        /// The first entry to show [default: so that the last ones are shown]
        #[arg(long)]
        from: Option<u64>,
        /// How many entries
        #[arg(long, default_value_t = 20)]
        count: u64,
    },
}

/// Look at the settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Every setting, its value and where it came from
    Show,
}

/// A name or an id of something that exists.
fn given(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("a name or an id is needed".to_owned()) } else { Ok(text.to_owned()) }
}

/// A name that people give: not empty, at most 128 bytes.
fn name(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a name needs at least one letter".to_owned()),
        name if name.contains(char::is_control) => Err("a name has no control characters".to_owned()),
        name if name.len() > 128 => Err(format!("a name has at most 128 bytes, this one has {}", name.len())),
        name => Ok(name.to_owned()),
    }
}

/// A time like `500ms`, `30s`, `15m`, `24h` or `7d`; a number alone is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("a time looks like 500ms, 30s, 15m, 24h or 7d".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "a time looks like 500ms, 30s, 15m, 24h or 7d".to_owned())?;
    match number.checked_mul(unit_ms) {
        Some(0) => Err("a time has to be longer than nothing".to_owned()),
        Some(ms) if ms <= 366 * 86_400_000 => Ok(Duration::from_millis(ms)),
        _ => Err("a time can be at most 366d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_agree_with_each_other() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        for wrong in ["", "h", "0s", "-1s", "1w", "400d", "99999999999999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
