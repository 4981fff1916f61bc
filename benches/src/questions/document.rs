//! The materialised figure: a fresh peer gets documents, can read them, and has them stored.

use super::{Setting, progress, theirs, weft};
use crate::{
    blocks::change,
    error::Failure,
    process::Second,
    report::{Goal, Row, Table, Unit},
    second::{Role, Task},
    source::{Source, Transport},
};

const OURS: &str = "an entry a change, all verified, opened, inspected and applied; sealed end to end; encrypted link; entries fsynced";
const YJS: &str = "one merged update; no signatures; plain websocket; stored without fsync";
const AUTOMERGE: &str = "changes by hash, no signatures; plain websocket; stored without fsync";

/// How many documents, how many changes each has, and how many times faster than each side Weft must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) documents: u64,
    pub(super) changes: u64,
    pub(super) yjs: Goal,
    pub(super) automerge: Goal,
}

pub(super) async fn answer(setting: &Setting, asked: Work, table: &mut Table) -> Result<(), Failure> {
    let Work { documents, changes, .. } = asked;
    let work = match documents {
        1 => format!("a document of {changes} changes to a fresh peer"),
        _ => format!("{documents} documents of {changes} changes to a fresh peer"),
    };
    progress(format!("{work}: preparing"));
    let mut source = Source::start(Transport::Quic).await?;
    let mut fresh = Vec::new();
    for _ in 0..setting.sizes.runs {
        fresh.push(source.fresh_peer().await?);
    }
    source.documents(documents, changes).await?;
    let characters = documents * (0..changes).map(|index| change(index).len() as u64).sum::<u64>();
    let mut ours = Vec::new();
    let mut peers = [("yjs", YJS, asked.yjs, Vec::new()), ("automerge-repo", AUTOMERGE, asked.automerge, Vec::new())];
    for (run, folder) in fresh.into_iter().enumerate() {
        let role = Role::Documents { count: documents, characters };
        let task = Task { role, folder, space: source.space, feed: source.feed, peer: source.address()? };
        let mut peer = Second::start(&task.arguments()?)?;
        let seconds = peer.next().await?.need("readable_s")?;
        peer.end().await?;
        source.alone().await?;
        progress(format!("{work}, run {}: {seconds:.3} s", run + 1));
        ours.push(seconds);
        for (name, _, _, runs) in &mut peers {
            if let Some(baselines) = setting.baselines.as_ref().filter(|baselines| baselines.has(name)) {
                let (out, _) = baselines.run(name, &[&documents.to_string(), &changes.to_string(), "1"]).await?;
                progress(format!("{work}, {name}, run {}: {}", run + 1, out.line()));
                runs.push(out.need("seconds")?);
            }
        }
    }
    drop(source.stop().await);
    for (name, guarantees, goal, runs) in peers {
        let theirs = theirs(name, runs, guarantees);
        // Without baselines one row says it all.
        if theirs.is_some() || name == "yjs" {
            table.rows.push(Row {
                work: work.clone(),
                unit: Unit::Seconds,
                ours: weft(ours.clone(), OURS),
                theirs,
                goal,
            });
        }
    }
    Ok(())
}
