//! The forms of the command line. They are a contract: what parses today parses in every later version.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args as ClapArgs, Parser, Subcommand};
use libp2p::Multiaddr;

use super::files::Hidden;

pub(crate) mod contact;
mod device;
pub(crate) mod member;
pub(crate) mod space;

pub(crate) use contact::{Contact, Profile};
pub(crate) use device::{Device, Join as DeviceJoin, Link as DeviceLink};
pub(crate) use member::Member;
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
