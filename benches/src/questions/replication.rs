//! A fresh peer gets a whole feed from another process, disk to disk.

use std::path::PathBuf;

use super::{Setting, progress, theirs, weft};
use crate::{
    error::Failure,
    figures::Figures,
    process::Second,
    report::{Goal, Row, Table, Unit},
    second::{Role, Task},
    source::{Source, Transport},
};

const OURS_QUIC: &str = "QUIC (TLS 1.3); bodies sealed end to end; a signature per 256 entries at most, each verified, and every entry's \
                         hash, before it is stored; fsync before it counts";
const OURS_TCP: &str = "TCP, Noise; otherwise the same";
const HYPERCORE: &str =
    "TCP, Noise; bodies in the clear; one signed root and a Merkle proof per block verified; no fsync";

/// A source that is filled, and the peers that have nothing yet.
pub(super) struct Filled {
    pub(super) source: Source,
    fresh: Vec<PathBuf>,
    length: u64,
}

impl Filled {
    /// With as many fresh peers.
    pub(super) async fn new(transport: Transport, count: u64, size: usize, peers: usize) -> Result<Self, Failure> {
        let mut source = Source::start(transport).await?;
        let mut fresh = Vec::new();
        for _ in 0..peers {
            fresh.push(source.fresh_peer().await?);
        }
        let rate = source.fill(count, size).await?;
        progress(format!("{}: filled with {count} x {size} B at {rate:.0}/s", transport.name()));
        let length = source.length().await?;
        Ok(Self { source, fresh, length })
    }

    pub(super) fn task(&self, folder: PathBuf, role: Role) -> Result<Task, Failure> {
        Ok(Task { role, folder, space: self.source.space, feed: self.source.feed, peer: self.source.address()? })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Has the next fresh peer get everything. What it says, and its folder.
    pub(super) async fn fetch(&mut self) -> Result<(Figures, PathBuf), Failure> {
        let folder = self.fresh.pop().ok_or_else(|| Failure::because("every peer has everything"))?;
        let task = self.task(folder.clone(), Role::Fetch { length: self.length })?;
        let mut peer = Second::start(&task.arguments()?)?;
        let figures = peer.next().await?;
        peer.end().await?;
        self.source.alone().await?;
        Ok((figures, folder))
    }
}

/// What the runs of one transport gave.
#[derive(Default)]
struct Runs {
    stored: Vec<f64>,
    replayed: Vec<f64>,
    notes: Vec<String>,
}

pub(super) async fn answer(setting: &Setting, count: u64, size: usize, table: &mut Table) -> Result<(), Failure> {
    let runs = setting.sizes.runs;
    let work = format!("{count} x {size} B to a fresh peer");
    let (unit, scale) = if size >= 1 << 10 {
        (Unit::MegabytesPerSecond, count as f64 * size as f64 / 1e6)
    } else {
        (Unit::PerSecond, count as f64)
    };
    let mut ours = Vec::new();
    for transport in [Transport::Quic, Transport::Tcp] {
        progress(format!("{work}, {}: preparing", transport.name()));
        ours.push((transport, Filled::new(transport, count, size, runs).await?, Runs::default()));
    }
    let (mut hypercore, mut peer_notes) = (Vec::new(), Vec::new());
    for run in 1..=runs {
        for (transport, filled, runs) in &mut ours {
            let (figures, folder) = filled.fetch().await?;
            std::fs::remove_dir_all(folder)?;
            runs.stored.push(scale / figures.need("stored_s")?);
            runs.replayed.push(scale / figures.need("replayed_s")?);
            runs.notes.push(used(figures.need("cpu_s")?, figures.need("peak_mb")?));
            progress(format!("{work}, {}, run {run}: {}", transport.name(), figures.line()));
        }
        if let Some(baselines) = &setting.baselines {
            let (out, _) = baselines.run("hypercore", &[&count.to_string(), &size.to_string(), "1"]).await?;
            let key = if unit == Unit::PerSecond { "blocks_per_s" } else { "MB_per_s" };
            hypercore.push(out.need(key)?);
            peer_notes.push(used(out.need("dst_cpu_s")?, out.need("dst_rss_mb")?));
            progress(format!("{work}, hypercore, run {run}: {}", out.line()));
        }
    }
    let goal = Goal::Ratio(if size >= 1 << 10 { 5.0 } else { 10.0 });
    for (transport, filled, runs) in ours {
        drop(filled.source.stop().await);
        let guarantees = if transport == Transport::Quic { OURS_QUIC } else { OURS_TCP };
        let name = format!("{work}, {}", transport.name());
        let hypercore = || theirs("hypercore", hypercore.clone(), HYPERCORE);
        table.rows.push(Row {
            work: name.clone(),
            unit,
            ours: weft(runs.stored, guarantees),
            theirs: hypercore(),
            goal,
        });
        table.rows.push(Row {
            work: format!("{name}, and replayed"),
            unit,
            ours: weft(
                runs.replayed,
                "as above, and released to the space with its causal past; records are opened when they are read",
            ),
            theirs: hypercore(),
            goal: Goal::None,
        });
        table.notes.push(format!("{name}, the peer's process each run: {}.", runs.notes.join("; ")));
    }
    if !peer_notes.is_empty() {
        table.notes.push(format!("{work}, hypercore's peer each run: {}.", peer_notes.join("; ")));
    }
    Ok(())
}

fn used(cpu_s: f64, peak_mb: f64) -> String {
    format!("{cpu_s:.2} s of processor, peak {peak_mb:.0} MB")
}
