//! Every setting of a node, and where its value came from.
//!
//! A value is taken from the flag, else from the `WEFT_*` variable, else from `config.toml` in the data folder, else it is the
//! default. The source stays beside the value, because the first question about a wrong setting is who set it.

use std::{
    fmt::{self, Display},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

use libp2p::Multiaddr;
use serde::Deserialize;

use crate::log::Format;

/// The port for QUIC and TCP that is tried first when none is asked for.
pub const SWARM_PORT: u16 = 9338;
/// The port of the API that is tried first when none is asked for.
pub const API_PORT: u16 = 9339;
/// The name of the file with settings in the data folder.
pub const FILE_NAME: &str = "config.toml";

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line.
    Flag,
    /// An environment variable, by its name.
    Environment(&'static str),
    /// `config.toml` in the data folder.
    File,
    /// Nobody set it.
    Default,
}

impl Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag => f.write_str("flag"),
            Source::Environment(variable) => f.write_str(variable),
            Source::File => f.write_str(FILE_NAME),
            Source::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// What holds.
    pub value: T,
    /// Who said so.
    pub source: Source,
}

impl<T> Setting<T> {
    fn new(value: T, source: Source) -> Setting<T> {
        Setting { value, source }
    }
}

/// What the command line says; empty where it says nothing.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--listen`, each.
    pub listen: Vec<Multiaddr>,
    /// `--api`.
    pub api: Option<SocketAddr>,
    /// `--origin`, each.
    pub origins: Vec<String>,
    /// `--peer`, each.
    pub peers: Vec<Multiaddr>,
    /// `--passphrase-file`.
    pub passphrase_file: Option<PathBuf>,
    /// `--log`.
    pub log: Option<String>,
    /// `--log-format`.
    pub log_format: Option<Format>,
}

/// Every setting of a node.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder with the store, the identity and `config.toml`. Default: by the platform's convention.
    pub data_dir: Setting<PathBuf>,
    /// The folder that remembers which copy of the data folder wrote last (NODE-2.5); outside of it. Default: by the platform's
    /// convention.
    pub state_dir: Setting<PathBuf>,
    /// Where to listen for peers. Default: QUIC and TCP on all addresses at port 9338, or the next free one.
    pub listen: Setting<Vec<Multiaddr>>,
    /// Where the API listens. Default: loopback at port 9339, or the next free one.
    pub api: Setting<SocketAddr>,
    /// Names beside loopback and the API's own address that a request's `Host` may have. Default: none.
    pub api_hosts: Setting<Vec<String>>,
    /// Origins, such as `http://localhost:5173`, whose pages may use the API in a browser; they need the token as well.
    /// Default: none.
    pub api_origins: Setting<Vec<String>>,
    /// Peers to stay connected to. Default: none; peers of links and of earlier days are remembered besides.
    pub peers: Setting<Vec<Multiaddr>>,
    /// What this identity calls itself towards the members of its spaces; at most 128 bytes. Default: no name.
    pub name: Setting<Option<String>>,
    /// The file whose first line is the passphrase of the identity, `-` for standard input. Default: none; a terminal is asked.
    pub passphrase_file: Setting<Option<PathBuf>>,
    /// How much memory the store's cache may take, in bytes. Default 8 MiB: an idle node stays under 40 MB.
    pub cache_bytes: Setting<usize>,
    /// What is logged on standard error, as a filter: a level, or levels by module like `warn,weft::store=debug`. Default `warn`.
    pub log: Setting<String>,
    /// How a line of the log looks: `text` or `json`. Default `text`.
    pub log_format: Setting<Format>,
    /// What is kept in `weft.log` in the data folder, as a filter like that of `log`; `off` for no file. Default `warn,weft=info`.
    pub log_kept: Setting<String>,
    /// Operations after which an import closes an entry. Default 64: the figure of the import's contract.
    pub import_entry_operations_max: Setting<usize>,
    /// Milliseconds after which an import closes an entry. Default 50: what a person takes for at once.
    pub import_entry_ms: Setting<u64>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// An environment variable does not hold what it should.
    #[error("{variable} is `{value}`, which cannot be used: {why}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// What it holds.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file is no TOML, has an unknown key or a wrong value.
    #[error("{} cannot be used: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        why: String,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// What was named as the data folder is something else.
    #[error("{} is a file, and the data folder has to be a folder", path.display())]
    NotAFolder {
        /// What was named.
        path: PathBuf,
    },
    /// A value is outside its bounds.
    #[error("`{key}` is {value}, but it has to be {bounds}")]
    OutOfBounds {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        bounds: &'static str,
    },
    /// No data folder was given and the platform's place for one is unknown.
    #[error("there is no home folder to put the data folder in")]
    NoHome,
}

/// `config.toml`, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    state_dir: Option<PathBuf>,
    listen: Option<Vec<Text<Multiaddr>>>,
    api: Option<Text<SocketAddr>>,
    api_hosts: Option<Vec<String>>,
    api_origins: Option<Vec<String>>,
    peers: Option<Vec<Text<Multiaddr>>>,
    name: Option<String>,
    passphrase_file: Option<String>,
    cache_bytes: Option<usize>,
    log: Option<String>,
    log_format: Option<Text<Format>>,
    log_kept: Option<String>,
    #[serde(default)]
    import: WrittenImport,
}

/// The table `[import]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenImport {
    entry_operations_max: Option<usize>,
    entry_ms: Option<u64>,
}

/// A value that is written as a string.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String", bound = "T: FromStr<Err: Display>")]
struct Text<T>(T);

impl<T: FromStr<Err: Display>> TryFrom<String> for Text<T> {
    type Error = String;

    fn try_from(text: String) -> Result<Text<T>, String> {
        text.parse().map(Text).map_err(|why: T::Err| format!("`{text}` cannot be used: {why}"))
    }
}

impl Config {
    /// Reads the settings. `environment` gives the value of a variable.
    pub fn load(flags: &Flags, environment: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        let data_dir = match (&flags.data, environment("WEFT_DATA").filter(|value| !value.is_empty())) {
            (Some(folder), _) => Setting::new(folder.clone(), Source::Flag),
            (None, Some(folder)) => Setting::new(PathBuf::from(folder), Source::Environment("WEFT_DATA")),
            (None, None) => Setting::new(default_data_dir(environment).ok_or(ConfigError::NoHome)?, Source::Default),
        };
        if data_dir.value.is_file() {
            return Err(ConfigError::NotAFolder { path: data_dir.value });
        }
        let written = read(&data_dir.value.join(FILE_NAME))?;
        let choose = Choice { environment };
        let texts = |list: Option<Vec<Text<Multiaddr>>>| {
            list.map(|list| list.into_iter().map(|text| text.0).collect::<Vec<_>>())
        };
        let config = Config {
            state_dir: choose.one(
                flags.state_dir.clone(),
                "WEFT_STATE_DIR",
                written.state_dir,
                default_state_dir(environment),
            )?,
            listen: choose.list(
                some_of(&flags.listen),
                "WEFT_LISTEN",
                texts(written.listen),
                default_listen(SWARM_PORT),
            )?,
            api: choose.one(flags.api, "WEFT_API", written.api.map(|text| text.0), default_api(API_PORT))?,
            api_hosts: choose.list(None, "WEFT_API_HOSTS", written.api_hosts, Vec::new())?,
            api_origins: choose.list(some_of(&flags.origins), "WEFT_API_ORIGINS", written.api_origins, Vec::new())?,
            peers: choose.list(some_of(&flags.peers), "WEFT_PEERS", texts(written.peers), Vec::new())?,
            name: choose.optional("WEFT_NAME", written.name),
            passphrase_file: match flags.passphrase_file.clone() {
                Some(file) => Setting::new(Some(file), Source::Flag),
                None => {
                    let Setting { value, source } = choose.optional("WEFT_PASSPHRASE_FILE", written.passphrase_file);
                    Setting::new(value.map(PathBuf::from), source)
                }
            },
            cache_bytes: choose.one(None, "WEFT_CACHE_BYTES", written.cache_bytes, 8 << 20)?,
            log: choose.one(flags.log.clone(), "WEFT_LOG", written.log, "warn".to_owned())?,
            log_format: choose.one(
                flags.log_format,
                "WEFT_LOG_FORMAT",
                written.log_format.map(|text| text.0),
                Format::Text,
            )?,
            log_kept: choose.one(None, "WEFT_LOG_KEPT", written.log_kept, "warn,weft=info".to_owned())?,
            import_entry_operations_max: choose.one(
                None,
                "WEFT_IMPORT_ENTRY_OPERATIONS_MAX",
                written.import.entry_operations_max,
                64,
            )?,
            import_entry_ms: choose.one(None, "WEFT_IMPORT_ENTRY_MS", written.import.entry_ms, 50)?,
            data_dir,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let bounded = |holds: bool, key, value: String, bounds| {
            if holds { Ok(()) } else { Err(ConfigError::OutOfBounds { key, value, bounds }) }
        };
        let operations = self.import_entry_operations_max.value;
        bounded((1..=64).contains(&operations), "import.entry_operations_max", operations.to_string(), "from 1 to 64")?;
        let cache = self.cache_bytes.value;
        bounded(cache >= 1 << 20, "cache_bytes", cache.to_string(), "at least 1048576")?;
        if let Some(name) = &self.name.value {
            bounded(!name.trim().is_empty(), "name", "empty".to_owned(), "a word or two")?;
            bounded(name.len() <= 128, "name", format!("{} bytes long", name.len()), "at most 128 bytes")?;
            let is_plain = !name.contains(char::is_control);
            bounded(is_plain, "name", format!("{name:?}"), "without control characters")?;
        }
        for origin in &self.api_origins.value {
            let bounds = "a scheme, a host and perhaps a port, such as http://localhost:5173, and nothing after it";
            bounded(is_origin(origin), "api_origins", format!("{origin:?}"), bounds)?;
        }
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let state = absolute(&self.state_dir.value);
        let is_outside = !state.starts_with(absolute(&self.data_dir.value));
        bounded(is_outside, "state_dir", state.display().to_string(), "outside of the data folder, which it watches")?;
        bounded(!self.listen.value.is_empty(), "listen", "an empty list".to_owned(), "at least one address")
    }

    /// Every setting as (key, value, source), in the order of the documentation. Lists are separated by commas.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, serde_json::Value, Source)> {
        let list = |items: &[Multiaddr]| items.iter().map(ToString::to_string).collect::<Vec<_>>().into();
        vec![
            ("data", self.data_dir.value.display().to_string().into(), self.data_dir.source),
            ("state_dir", self.state_dir.value.display().to_string().into(), self.state_dir.source),
            ("listen", list(&self.listen.value), self.listen.source),
            ("api", self.api.value.to_string().into(), self.api.source),
            ("api_hosts", self.api_hosts.value.clone().into(), self.api_hosts.source),
            ("api_origins", self.api_origins.value.clone().into(), self.api_origins.source),
            ("peers", list(&self.peers.value), self.peers.source),
            ("name", self.name.value.clone().into(), self.name.source),
            (
                "passphrase_file",
                self.passphrase_file.value.as_ref().map(|file| file.display().to_string()).into(),
                self.passphrase_file.source,
            ),
            ("cache_bytes", self.cache_bytes.value.into(), self.cache_bytes.source),
            ("log", self.log.value.clone().into(), self.log.source),
            ("log_format", self.log_format.value.to_string().into(), self.log_format.source),
            ("log_kept", self.log_kept.value.clone().into(), self.log_kept.source),
            (
                "import.entry_operations_max",
                self.import_entry_operations_max.value.into(),
                self.import_entry_operations_max.source,
            ),
            ("import.entry_ms", self.import_entry_ms.value.into(), self.import_entry_ms.source),
        ]
    }
}

/// Whether a browser could send this as an `Origin`: never `null`, never everybody.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    host.is_some_and(|host| {
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        !host.is_empty() && host.chars().all(fits)
    })
}

/// QUIC and TCP on all IPv4 addresses at `port`. IPv6 is added by `weft up` where the machine has it.
#[must_use]
pub fn default_listen(port: u16) -> Vec<Multiaddr> {
    [format!("/ip4/0.0.0.0/udp/{port}/quic-v1"), format!("/ip4/0.0.0.0/tcp/{port}")]
        .iter()
        .map(|text| text.parse().expect("a multiaddress with a port"))
        .collect()
}

/// Loopback at `port`.
#[must_use]
pub fn default_api(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Writes `name` into the `config.toml` of `folder`, and leaves the rest of the file as it is.
pub fn write_name(folder: &Path, name: &str) -> std::io::Result<()> {
    let path = folder.join(FILE_NAME);
    let before = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    // A key before the first table belongs to the document itself, so the first line is always a place for one.
    let line = format!("name = {}\n", toml::Value::String(name.to_owned()));
    let top_end = before.lines().position(|line| line.trim_start().starts_with('[')).unwrap_or(usize::MAX);
    let is_name = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == "name");
    let rest: String = before
        .lines()
        .enumerate()
        .filter(|(at, line)| *at >= top_end || !is_name(line))
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    crate::private_file::write(&path, (line + &rest).as_bytes())
}

fn read(path: &Path) -> Result<Written, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| ConfigError::File { path: path.to_owned(), why: error.to_string().trim_end().to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Written::default()),
        Err(error) => Err(ConfigError::Unreadable { path: path.to_owned(), why: error.to_string() }),
    }
}

fn some_of<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// The order of sources, once for every shape of value.
struct Choice<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
}

impl Choice<'_> {
    fn one<T: FromStr<Err: Display>>(
        &self,
        flag: Option<T>,
        variable: &'static str,
        file: Option<T>,
        default: T,
    ) -> Result<Setting<T>, ConfigError> {
        if let Some(value) = flag {
            return Ok(Setting::new(value, Source::Flag));
        }
        if let Some(text) = self.variable(variable) {
            return Ok(Setting::new(parse(variable, &text)?, Source::Environment(variable)));
        }
        Ok(file.map_or_else(|| Setting::new(default, Source::Default), |value| Setting::new(value, Source::File)))
    }

    fn list<T: FromStr<Err: Display>>(
        &self,
        flag: Option<Vec<T>>,
        variable: &'static str,
        file: Option<Vec<T>>,
        default: Vec<T>,
    ) -> Result<Setting<Vec<T>>, ConfigError> {
        if let Some(value) = flag {
            return Ok(Setting::new(value, Source::Flag));
        }
        if let Some(text) = self.variable(variable) {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let items = items.map(|item| parse(variable, item)).collect::<Result<_, _>>()?;
            return Ok(Setting::new(items, Source::Environment(variable)));
        }
        Ok(file.map_or_else(|| Setting::new(default, Source::Default), |value| Setting::new(value, Source::File)))
    }

    fn optional(&self, variable: &'static str, file: Option<String>) -> Setting<Option<String>> {
        match (self.variable(variable), file) {
            (Some(value), _) => Setting::new(Some(value), Source::Environment(variable)),
            (None, Some(value)) => Setting::new(Some(value), Source::File),
            (None, None) => Setting::new(None, Source::Default),
        }
    }

    /// An empty variable says nothing, as in most programs.
    fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }
}

fn parse<T: FromStr<Err: Display>>(variable: &'static str, text: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|why: T::Err| ConfigError::Variable { variable, value: text.to_owned(), why: why.to_string() })
}

/// The platform's place for a program's data.
fn default_data_dir(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let folder = |variable: &str| environment(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    if cfg!(windows) {
        folder("APPDATA").map(|roaming| roaming.join("weft"))
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library/Application Support/weft"))
    } else {
        // A relative XDG path is to be ignored, says the XDG base directory specification.
        let xdg = folder("XDG_DATA_HOME").filter(|path| path.is_absolute());
        xdg.or_else(|| folder("HOME").map(|home| home.join(".local/share"))).map(|share| share.join("weft"))
    }
}

/// The platform's place for what a program remembers on this machine: not where its data is, so that it stays when that is put
/// back. Where there is no home folder, it is the machine's.
fn default_state_dir(environment: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let folder = |variable: &str| environment(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    if cfg!(windows) {
        folder("LOCALAPPDATA").unwrap_or_else(|| "C:/ProgramData".into()).join("weft-state")
    } else if cfg!(target_os = "macos") {
        let home = folder("HOME").unwrap_or_else(|| "/".into());
        home.join("Library/Application Support/weft-state")
    } else {
        let xdg = folder("XDG_STATE_HOME").filter(|path| path.is_absolute());
        let state = xdg.or_else(|| folder("HOME").map(|home| home.join(".local/state")));
        state.unwrap_or_else(|| "/var/lib".into()).join("weft")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(folder: &Path, flags: Flags, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let flags = Flags { data: Some(folder.to_owned()), ..flags };
        Config::load(&flags, &|name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let api = |flags: Flags, variables: &[(&str, &str)]| {
            let setting = load(folder.path(), flags, variables).unwrap().api;
            (setting.value.port(), setting.source)
        };
        assert_eq!(api(Flags::default(), &[]), (9339, Source::Default));
        std::fs::write(folder.path().join(FILE_NAME), "api = \"127.0.0.1:3\"\n").unwrap();
        assert_eq!(api(Flags::default(), &[]), (3, Source::File));
        let variables = [("WEFT_API", "127.0.0.1:2")];
        assert_eq!(api(Flags::default(), &variables), (2, Source::Environment("WEFT_API")));
        let flags = Flags { api: Some(default_api(1)), ..Flags::default() };
        assert_eq!(api(flags, &variables), (1, Source::Flag));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), "name = \"Alice\"\nlissten = []\n").unwrap();
        let error = load(folder.path(), Flags::default(), &[]).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("lissten"), "{error}");
    }

    #[test]
    fn a_bad_value_is_refused_wherever_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let error = load(folder.path(), Flags::default(), &[("WEFT_API", "here")]).unwrap_err();
        assert!(matches!(error, ConfigError::Variable { variable: "WEFT_API", .. }));
        std::fs::write(folder.path().join(FILE_NAME), "listen = [\"nowhere\"]\n").unwrap();
        assert!(load(folder.path(), Flags::default(), &[]).unwrap_err().to_string().contains("nowhere"));
        std::fs::write(folder.path().join(FILE_NAME), "[import]\nentry_operations_max = 0\n").unwrap();
        assert!(matches!(load(folder.path(), Flags::default(), &[]), Err(ConfigError::OutOfBounds { .. })));
    }

    #[test]
    fn lists_in_variables_are_separated_by_commas() {
        let folder = tempfile::tempdir().unwrap();
        let config =
            load(folder.path(), Flags::default(), &[("WEFT_PEERS", "/ip4/1.2.3.4/tcp/1, /ip4/1.2.3.4/tcp/2,")])
                .unwrap();
        assert_eq!(config.peers.value.len(), 2);
    }

    #[test]
    fn a_name_is_written_once_and_the_rest_of_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        write_name(folder.path(), "Alice \"A\"").unwrap();
        assert_eq!(load(folder.path(), Flags::default(), &[]).unwrap().name.value.as_deref(), Some("Alice \"A\""));
        std::fs::write(folder.path().join(FILE_NAME), "# mine\nname = \"x\"\n[import]\nentry_ms = 7\n").unwrap();
        write_name(folder.path(), "Bob").unwrap();
        let config = load(folder.path(), Flags::default(), &[]).unwrap();
        assert_eq!((config.name.value.as_deref(), config.import_entry_ms.value), (Some("Bob"), 7));
        assert!(std::fs::read_to_string(folder.path().join(FILE_NAME)).unwrap().contains("# mine"));
        #[cfg(unix)]
        {
            let file = folder.path().join(FILE_NAME).metadata().unwrap();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o777, 0o600);
        }
    }

    #[test]
    fn a_data_folder_that_is_a_file_is_called_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let error = load(&file, Flags::default(), &[]).unwrap_err();
        assert_eq!(error, ConfigError::NotAFolder { path: file });
    }

    #[test]
    fn the_default_folder_follows_the_platform() {
        let home = |name: &str| match name {
            "HOME" => Some("/home/alice".to_owned()),
            "APPDATA" => Some("C:/alice".to_owned()),
            "XDG_DATA_HOME" => Some("not/absolute".to_owned()),
            _ => None,
        };
        let folder = default_data_dir(&home).unwrap();
        assert!(folder.ends_with("weft") && folder.is_absolute() || cfg!(windows));
        assert_eq!(default_data_dir(&|_| None), None);
    }
}
