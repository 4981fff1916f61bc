//! What a world is made of, read from a TOML file: who lives in it, how well they are connected, what they do, what goes wrong.
//!
//! A scenario and a seed give one history. Everything that is drawn is drawn between two ends written here, so that a page
//! of TOML says all there is to say about a run.

use std::{collections::BTreeSet, fs, path::Path};

use serde::{Deserialize, Serialize};

/// The form of scenario files that this version reads.
pub const FORMAT: u32 = 1;
/// Hosts in one world. Real signatures and real seals are made; larger worlds need modelled ones.
pub const HOSTS_MAX: usize = 256;

/// Two ends, both included.
pub type Between = [u64; 2];

/// A world before it begins.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// [`FORMAT`].
    pub format: u32,
    /// One sentence: what question it asks.
    pub about: String,
    /// Those who share the space and write; the first founds it and invites the others.
    pub writers: Vec<String>,
    /// Those who share the space, write, and administer beside the founder.
    #[serde(default)]
    pub admins: Vec<String>,
    /// Those who share the space, write, are removed, and go on together as if they were not.
    #[serde(default)]
    pub colluders: Vec<String>,
    /// Those who share the space and may only read.
    #[serde(default)]
    pub readers: Vec<String>,
    /// Whole peers that are connected to everybody and belong to nothing.
    #[serde(default)]
    pub strangers: Vec<String>,
    /// Programs that speak the wire format, break its rules, and belong to nothing.
    #[serde(default)]
    pub intruders: Vec<String>,
    /// How long they work and things go wrong, in milliseconds of virtual time.
    pub work_ms: u64,
    /// How long they may take to agree afterwards, when everybody is up and connected.
    pub settle_ms: u64,
    /// Who dials whom.
    #[serde(default)]
    pub topology: Topology,
    /// What lies between two hosts.
    pub network: Network,
    /// What lies below a host.
    pub disk: Disk,
    /// What the applications do.
    pub work: Work,
    /// What those who administer do to others.
    #[serde(default)]
    pub acts: Acts,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Faults,
}

/// Who dials whom. All of these are connected by construction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// Everybody knows everybody.
    #[default]
    Full,
    /// Each knows the next one only.
    Line,
    /// A line whose ends meet.
    Ring,
}

/// What lies between two hosts.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// One way, drawn once a pair.
    pub latency_ms: Between,
    /// On top, drawn for every frame. Frames of one stream keep their order.
    #[serde(default)]
    pub jitter_ms: Between,
    /// Of each direction of a pair.
    #[serde(default = "Network::default_bytes_per_second")]
    pub bytes_per_second: u64,
    /// One frame in so many is held up; 0 for none. Stands for a packet that had to be sent again.
    #[serde(default)]
    pub stall_one_in: u64,
    /// How long it is held up.
    #[serde(default)]
    pub stall_ms: Between,
    /// One frame in so many is the last of its connection; 0 for none.
    #[serde(default)]
    pub break_one_in: u64,
    /// How long it takes until one who lost a connection dials again.
    #[serde(default = "Network::default_redial_ms")]
    pub redial_ms: Between,
}

impl Network {
    /// 100 Mbit/s: an ordinary home's way down. A guess.
    fn default_bytes_per_second() -> u64 {
        12_500_000
    }

    /// A driver's back-off begins about there. A guess.
    fn default_redial_ms() -> Between {
        [200, 2_000]
    }
}

/// What lies below a host.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// From the order to write until it is durable; batches are written one after another.
    pub commit_us: Between,
    /// From the order to read until the answer.
    pub read_us: Between,
    /// From the order to work until it is done.
    pub work_us: Between,
    /// One write in so many fails, with all that wait behind it; 0 for none.
    #[serde(default)]
    pub fail_one_in: u64,
}

/// What the applications do, once they are members.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// How long an application waits before its next step.
    pub step_ms: Between,
    /// Of so many steps one each, by weight.
    #[serde(default)]
    pub append: u64,
    /// Records in one append.
    #[serde(default = "Work::one")]
    pub records: Between,
    /// Bytes in one record; at least 16, so that no two are alike.
    #[serde(default = "Work::some_bytes")]
    pub record_bytes: Between,
    /// Weight of making an object.
    #[serde(default)]
    pub create: u64,
    /// Weight of setting a property.
    #[serde(default)]
    pub set: u64,
    /// Weight of typing one character into a text.
    #[serde(default)]
    pub insert: u64,
    /// Weight of deleting one character of a text.
    #[serde(default)]
    pub delete: u64,
}

impl Work {
    fn one() -> Between {
        [1, 1]
    }

    fn some_bytes() -> Between {
        [16, 512]
    }
}

/// What those who administer do, at times drawn over the last three quarters of the time of work.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Acts {
    /// How often somebody wants to remove a member that is neither founder nor colluder.
    #[serde(default)]
    pub removals: u64,
    /// How often somebody wants to give such a member another role.
    #[serde(default)]
    pub roles: u64,
    /// How long the colluders are cut off from the founder, with some who know nothing.
    #[serde(default)]
    pub collusion_ms: Between,
}

/// What goes wrong, at times drawn over the time of work.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// How often a host dies without warning and loses what was not durable.
    #[serde(default)]
    pub crashes: u64,
    /// How long it is gone.
    #[serde(default)]
    pub down_ms: Between,
    /// How often the network falls into two halves.
    #[serde(default)]
    pub partitions: u64,
    /// For how long.
    #[serde(default)]
    pub partition_ms: Between,
    /// How many of those who write come back from an older copy of their disk, and write on.
    #[serde(default)]
    pub forks: u64,
    /// How long each of their two histories is kept from those who hear the other one.
    #[serde(default)]
    pub fork_ms: Between,
    /// How wrong the wall clocks are, drawn once a host; half of them behind.
    #[serde(default)]
    pub clock_skew_ms: Between,
}

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file is not there or cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is no scenario.
    #[error("{path}: {error}")]
    Malformed {
        /// The file.
        path: String,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
    /// The file says something that cannot be.
    #[error("{path}: {what}")]
    Impossible {
        /// The file.
        path: String,
        /// What it says.
        what: String,
    },
}

impl Scenario {
    /// Reads a scenario from its file.
    ///
    /// # Errors
    /// When the file cannot be read, is no scenario, or says something that cannot be.
    pub fn read(path: &Path) -> Result<Scenario, ScenarioError> {
        let shown = path.display().to_string();
        let text =
            fs::read_to_string(path).map_err(|error| ScenarioError::Unreadable { path: shown.clone(), error })?;
        Scenario::parse(&shown, &text)
    }

    /// Reads a scenario from text; `path` is for the errors.
    ///
    /// # Errors
    /// When the text is no scenario or says something that cannot be.
    pub fn parse(path: &str, text: &str) -> Result<Scenario, ScenarioError> {
        let scenario: Scenario = toml::from_str(text)
            .map_err(|error| ScenarioError::Malformed { path: path.to_owned(), error: Box::new(error) })?;
        match scenario.impossible() {
            None => Ok(scenario),
            Some(what) => Err(ScenarioError::Impossible { path: path.to_owned(), what }),
        }
    }

    /// Every name with what it stands for, in the order of their numbers in the world.
    pub fn hosts(&self) -> impl Iterator<Item = (&str, Part)> {
        let parts = [
            (&self.writers, Part::Writer),
            (&self.admins, Part::Admin),
            (&self.colluders, Part::Colluder),
            (&self.readers, Part::Reader),
            (&self.strangers, Part::Stranger),
            (&self.intruders, Part::Intruder),
        ];
        parts.into_iter().flat_map(|(names, part)| names.iter().map(move |name| (name.as_str(), part)))
    }

    fn impossible(&self) -> Option<String> {
        if self.format != FORMAT {
            return Some(format!("format {} is not {FORMAT}, the one this weft-sim reads", self.format));
        }
        if self.writers.is_empty() {
            return Some("somebody has to found the space: writers is empty".into());
        }
        let names: BTreeSet<&str> = self.hosts().map(|(name, _)| name).collect();
        let count = self.hosts().count();
        if names.len() != count {
            return Some("two hosts have one name".into());
        }
        if count > HOSTS_MAX {
            return Some(format!("{count} hosts are more than {HOSTS_MAX}"));
        }
        let ranges = [
            ("network.latency_ms", self.network.latency_ms),
            ("network.jitter_ms", self.network.jitter_ms),
            ("network.stall_ms", self.network.stall_ms),
            ("network.redial_ms", self.network.redial_ms),
            ("disk.commit_us", self.disk.commit_us),
            ("disk.read_us", self.disk.read_us),
            ("disk.work_us", self.disk.work_us),
            ("work.step_ms", self.work.step_ms),
            ("work.records", self.work.records),
            ("work.record_bytes", self.work.record_bytes),
            ("acts.collusion_ms", self.acts.collusion_ms),
            ("faults.down_ms", self.faults.down_ms),
            ("faults.partition_ms", self.faults.partition_ms),
            ("faults.fork_ms", self.faults.fork_ms),
            ("faults.clock_skew_ms", self.faults.clock_skew_ms),
        ];
        if let Some((name, [low, high])) = ranges.into_iter().find(|(_, [low, high])| low > high) {
            return Some(format!("{name} goes from {low} to {high}: the lower end comes first"));
        }
        if self.work.step_ms[0] == 0 {
            return Some("work.step_ms: a step takes at least a millisecond".into());
        }
        if self.work.record_bytes[0] < 16 {
            return Some("work.record_bytes: at least 16, so that no two records are alike".into());
        }
        (self.network.bytes_per_second == 0).then(|| "network.bytes_per_second: nothing would ever arrive".into())
    }
}

/// What a host stands for in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A member that writes.
    Writer,
    /// A member that writes and administers.
    Admin,
    /// A member that writes, is removed, and goes on with others of its kind.
    Colluder,
    /// A member that may only read.
    Reader,
    /// A whole peer, no member.
    Stranger,
    /// A hostile program, no member.
    Intruder,
}

impl Part {
    /// Whether it is invited to the space.
    #[must_use]
    pub fn is_member(self) -> bool {
        self.writes() || self == Part::Reader
    }

    /// Whether it is invited to write there.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(self, Part::Writer | Part::Admin | Part::Colluder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        format = 1
        about = "?"
        writers = ["alice", "bob"]
        work_ms = 1
        settle_ms = 1
        network = { latency_ms = [1, 2] }
        disk = { commit_us = [1, 2], read_us = [1, 2], work_us = [1, 2] }
        work = { step_ms = [1, 2] }
    "#;

    #[test]
    fn a_small_scenario_is_read_with_its_defaults() {
        let scenario = Scenario::parse("small", SMALL).expect("a scenario");
        assert_eq!(scenario.topology, Topology::Full);
        assert_eq!(scenario.hosts().collect::<Vec<_>>(), [("alice", Part::Writer), ("bob", Part::Writer)]);
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (from, to, said) in [
            ("format = 1", "format = 2", "format 2"),
            (r#""bob""#, r#""alice""#, "one name"),
            (r#"["alice", "bob"]"#, "[]", "writers is empty"),
            ("latency_ms = [1, 2]", "latency_ms = [3, 2]", "network.latency_ms"),
            ("step_ms = [1, 2]", "step_ms = [0, 2]", "work.step_ms"),
            ("about", "abuot", "abuot"),
        ] {
            let error = Scenario::parse("small", &SMALL.replace(from, to)).expect_err(said).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
