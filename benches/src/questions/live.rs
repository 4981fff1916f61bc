//! One append at a time: from the call at the source until it is durable at a connected peer in another process. With a pause before each, as
//! somebody types and as the baseline does it, and one after the other: a pause lets processors and disks go to sleep, and on a virtual
//! machine waking them costs as much as the work.

use std::time::Duration;

use super::{Setting, progress, theirs, weft};
use crate::{
    blocks::block,
    error::Failure,
    figures::quantile,
    process::{Second, Steady, shared_clock_us},
    report::{Goal, Row, Table, Unit},
    second::{Role, Task},
    source::{Source, Transport},
};

/// How the next append follows the arrival of the one before.
#[derive(Clone, Copy)]
enum Pace {
    /// After 5 ms, as in the baseline.
    Paused,
    /// At once.
    AtOnce,
}

impl Pace {
    fn pause(self) -> Duration {
        match self {
            Self::Paused => Duration::from_millis(5),
            Self::AtOnce => Duration::ZERO,
        }
    }

    fn work(self) -> &'static str {
        match self {
            Self::Paused => "one append to stored at the peer",
            Self::AtOnce => "one after the other, each stored at the peer",
        }
    }
}

/// The clocks may go apart this much over all appends.
const DRIFT_US_MAX: f64 = 200.0;

const OURS: &str = "fsync at both ends; signed, verified, sealed end to end; encrypted link";
const HYPERCORE: &str = "no fsync; signed, verified; encrypted link (TCP, Noise)";

/// What one run gave, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Latency {
    p50: f64,
    p99: f64,
    /// Until it was durable at the source, the first half of the way.
    here_p50: f64,
}

pub(super) async fn answer(setting: &Setting, table: &mut Table) -> Result<(), Failure> {
    let ways =
        [Transport::Quic, Transport::Tcp].map(|transport| [(transport, Pace::Paused), (transport, Pace::AtOnce)]);
    let ways = ways.concat();
    let mut ours: Vec<Vec<Latency>> = vec![Vec::new(); ways.len()];
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for run in 1..=setting.sizes.runs {
        for ((transport, pace), runs) in ways.iter().zip(&mut ours) {
            let latency = run_ours(setting, *transport, *pace).await?;
            progress(format!("{}, {}, run {run}: {latency:?}", pace.work(), transport.name()));
            runs.push(latency);
        }
        if let Some(baselines) = &setting.baselines {
            let (out, _) = baselines.run("hypercore", &["live", &setting.sizes.live_appends.to_string()]).await?;
            progress(format!("live, hypercore, run {run}: {}", out.line()));
            p50.push(out.need("p50_us")? / 1e3);
            p99.push(out.need("p99_us")? / 1e3);
        }
    }
    for ((transport, pace), runs) in ways.into_iter().zip(ours) {
        let name = format!("{}, {}", pace.work(), transport.name());
        // The baseline pauses.
        let of = |theirs: &Vec<f64>| if matches!(pace, Pace::Paused) { theirs.clone() } else { Vec::new() };
        table.rows.push(Row {
            work: format!("{name}, p50"),
            unit: Unit::Milliseconds,
            ours: weft(runs.iter().map(|run| run.p50).collect(), OURS),
            theirs: theirs("hypercore", of(&p50), HYPERCORE),
            goal: Goal::Figure(1.0),
        });
        table.rows.push(Row {
            work: format!("{name}, p99"),
            unit: Unit::Milliseconds,
            ours: weft(runs.iter().map(|run| run.p99).collect(), OURS),
            theirs: theirs("hypercore", of(&p99), HYPERCORE),
            goal: Goal::None,
        });
        let here: Vec<String> = runs.iter().map(|run| format!("{:.2}", run.here_p50)).collect();
        table.notes.push(format!("{name}: durable at the source itself after {} ms (p50).", here.join(", ")));
    }
    Ok(())
}

async fn run_ours(setting: &Setting, transport: Transport, pace: Pace) -> Result<Latency, Failure> {
    let mut source = Source::start(transport).await?;
    let folder = source.fresh_peer().await?;
    for index in 0..10 {
        source.node.append(source.space, block(index, 256)).await?;
    }
    let task = Task { role: Role::Follow, folder, space: source.space, feed: source.feed, peer: source.address()? };
    let mut peer = Second::start(&task.arguments()?)?;
    peer.next().await?.need("ready")?;
    let steady = Steady::since_now();
    let (mut there, mut here) = (Vec::new(), Vec::new());
    for index in 0..setting.sizes.live_appends + setting.sizes.live_warm_up {
        let record = block(index, 256);
        let started_us = shared_clock_us();
        let appended = source.node.append(source.space, record).await?;
        let here_us = shared_clock_us();
        let arrived_us = loop {
            let line = peer.next().await?;
            if line.need("length")? > appended.seq as f64 {
                break line.need("at_us")?;
            }
        };
        if index >= setting.sizes.live_warm_up {
            there.push((arrived_us - started_us) / 1e3);
            here.push((here_us - started_us) / 1e3);
        }
        if !pace.pause().is_zero() {
            tokio::time::sleep(pace.pause()).await;
        }
    }
    let drift_us = steady.drift_us();
    peer.end().await?;
    drop(source.stop().await);
    if drift_us > DRIFT_US_MAX {
        return Err(Failure::because(format!("the clock was set meanwhile, by {drift_us:.0} us: run it again")));
    }
    let none = || Failure::because("no append was timed");
    Ok(Latency {
        p50: quantile(&mut there, 0.5).ok_or_else(none)?,
        p99: quantile(&mut there, 0.99).ok_or_else(none)?,
        here_p50: quantile(&mut here, 0.5).ok_or_else(none)?,
    })
}
