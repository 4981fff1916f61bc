//! What a run leaves behind: a few lines for a person, and one folder of files for everything else.
//!
//! `manifest.json` says what was run and what came of it, `hosts.csv` what each host did, `deliveries.csv` how long it took from each extension
//! of a feed to its being durable at every other member. Times are virtual microseconds.

use std::{collections::BTreeMap, fmt::Write as _, fs, io, path::Path};

use serde_json::json;

use crate::{checkers::the_removed, run::Outcome, scenario::FORMAT};

/// What is not as in a real network, said in every report.
pub const IDEALISED: [&str; 4] = [
    "one connection a pair; streams share its bandwidth in order of sending; no NAT, no relay",
    "loss is a frame held up, or a connection that breaks",
    "a disk loses a suffix of what is not durable, never anything else",
    "computation takes a drawn time and no processor",
];

/// A few lines for a person.
#[must_use]
pub fn summary(name: &str, outcome: &Outcome) -> String {
    let world = &outcome.world;
    let mut text = String::new();
    let agreed = outcome.agreed_after.map_or("never agreed".into(), |after| format!("agreed {after:?} after healing"));
    let crashes: u64 = world.hosts.iter().map(|host| host.counts.crashes).sum();
    let lost: u64 = world.hosts.iter().map(|host| host.counts.lost).sum();
    let bytes: u64 = world.hosts.iter().map(|host| host.counts.bytes).sum();
    let _ = writeln!(text, "{name}, seed {}: {} events in {}, {agreed}", outcome.seed, world.events, world.now());
    let _ = writeln!(
        text,
        "  {} hosts, {} acknowledged writes, {crashes} crashes took {lost} batches, {bytes} bytes sent",
        world.hosts.len(),
        world.ledger.acknowledged(),
    );
    if !world.ledger.acts.is_empty() {
        let done = world.ledger.acts.iter().filter(|done| done.answered.is_some_and(|(_, done)| done)).count();
        let _ = writeln!(
            text,
            "  {done} of {} acts done, {} of {} who were invited belong to the space, {} writes came after their author could write",
            world.ledger.acts.len(),
            world.members().count(),
            world.invited().count(),
            the_removed::late(world),
        );
    }
    if !world.ledger.forking.is_empty() {
        let (forked, refused) = (world.ledger.forked.len(), world.ledger.refused.len());
        let _ = writeln!(
            text,
            "  {} came back from older copies, {forked} feeds are forked, {refused} entries have nothing to stand on",
            world.ledger.forking.len(),
        );
    }
    let delays = delays(outcome);
    if let (Some(median), Some(late)) = (delays.get(delays.len() / 2), delays.get(delays.len() * 99 / 100)) {
        let (median, late) = (*median as f64 / 1e3, *late as f64 / 1e3);
        let _ = writeln!(text, "  {} deliveries, median {median:.1} ms, 99 of 100 within {late:.1} ms", delays.len());
    }
    if !world.ledger.refusals.is_empty() {
        let _ = writeln!(text, "  refusals: {:?}", world.ledger.refusals);
    }
    let _ = writeln!(text, "  fingerprint {}", world.fingerprint());
    for finding in &outcome.findings {
        let _ = writeln!(text, "  BROKEN {}: {}", finding.invariant, finding.what);
    }
    text
}

/// The line that replays a run.
#[must_use]
pub fn replay(path: &Path, seed: u64) -> String {
    format!("cargo run -p weft-simulations --bin weft-sim -- run {} --seed {seed}", path.display())
}

/// Writes the files of a run.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &Path, name: &str, outcome: &Outcome) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let world = &outcome.world;
    let manifest = json!({
        "format": FORMAT,
        "scenario": name,
        "content": world.scenario,
        "seed": outcome.seed,
        "version": env!("CARGO_PKG_VERSION"),
        "commit": commit(),
        "lock": blake3::hash(include_bytes!("../../Cargo.lock")).to_hex().as_str(),
        "idealised": IDEALISED,
        "events": world.events,
        "virtual_us": world.now().as_micros(),
        "fingerprint": world.fingerprint(),
        "acknowledged": world.ledger.acknowledged(),
        "agreed_after_us": outcome.agreed_after.map(|after| after.as_micros() as u64),
        "findings": outcome.findings,
    });
    fs::write(folder.join("manifest.json"), format!("{manifest:#}\n"))?;
    fs::write(folder.join("hosts.csv"), hosts(outcome))?;
    fs::write(folder.join("deliveries.csv"), deliveries(outcome))
}

fn hosts(outcome: &Outcome) -> String {
    let mut csv =
        String::from("host,part,inputs,frames,bytes,commits,crashes,lost_batches,failed_batches,feeds,entries\n");
    for host in &outcome.world.hosts {
        let counts = host.counts;
        let feeds = || host.store.content().feeds().map(|(_, feed)| feed.length());
        let part = serde_json::to_value(host.part).unwrap_or_default();
        let _ = writeln!(
            csv,
            "{},{},{},{},{},{},{},{},{},{},{}",
            host.name,
            part.as_str().unwrap_or_default(),
            counts.inputs,
            counts.frames,
            counts.bytes,
            counts.commits,
            counts.crashes,
            counts.lost,
            counts.failed,
            feeds().count(),
            feeds().sum::<u64>(),
        );
    }
    csv
}

/// (feed, length, author, receiver, when written, how long after it was durable at the receiver).
fn delivered(outcome: &Outcome) -> Vec<(String, u64, usize, usize, u64, u64)> {
    let held = &outcome.world.ledger.held;
    let mut written = BTreeMap::new();
    for held in held.iter().filter(|held| held.mine) {
        written.insert((held.feed, held.length), (held.host, held.at));
    }
    let mut rows = Vec::new();
    for held in held.iter().filter(|held| !held.mine) {
        // A range may end past the extension: everything below it that had not arrived before, arrived with it.
        if let Some((author, at)) = written.get(&(held.feed, held.length)) {
            let delay = held.at.saturating_since(*at).as_micros() as u64;
            rows.push((held.feed.to_string(), held.length, *author, held.host, at.as_micros(), delay));
        }
    }
    rows
}

fn delays(outcome: &Outcome) -> Vec<u64> {
    let mut delays: Vec<u64> = delivered(outcome).into_iter().map(|(.., delay)| delay).collect();
    delays.sort_unstable();
    delays
}

fn deliveries(outcome: &Outcome) -> String {
    let mut csv = String::from("feed,length,author,receiver,written_us,delay_us\n");
    let name = |host: usize| outcome.world.hosts[host].name.as_str();
    for (feed, length, author, receiver, at, delay) in delivered(outcome) {
        let _ = writeln!(csv, "{feed},{length},{},{},{at},{delay}", name(author), name(receiver));
    }
    csv
}

/// The commit that was run, where git can say it.
fn commit() -> Option<String> {
    let output = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}
