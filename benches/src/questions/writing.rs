//! Durable appends on one node: by many callers, each of whom waits for its own, and in batches.

use super::{Setting, progress, theirs, weft};
use crate::{
    error::Failure,
    report::{Goal, Row, Table, Unit},
    source::{Source, Transport},
};

const SIZE: usize = 256;
const OURS: &str = "sealed; a signature and an fsync a group, before any of its callers is answered";
const OURS_BATCHED: &str = "sealed; a signature per 256 entries; fsync before a batch is answered";
const HYPERCORE: &str = "in the clear; a signature a batch; no fsync";

pub(super) async fn answer(setting: &Setting, table: &mut Table) -> Result<(), Failure> {
    let sizes = setting.sizes;
    let (mut grouped, mut batched, mut hypercore) = (Vec::new(), Vec::new(), Vec::new());
    for run in 1..=sizes.runs {
        let source = Source::start(Transport::Quic).await?;
        grouped.push(source.append_by_many(sizes.group_appends, sizes.group_callers, SIZE).await?);
        batched.push(source.fill(sizes.batch_appends, SIZE).await?);
        drop(source.stop().await);
        progress(format!(
            "writing, run {run}: by many callers {:.0}/s, in batches {:.0}/s",
            grouped[run - 1],
            batched[run - 1]
        ));
        if let Some(baselines) = &setting.baselines {
            // Its source says on standard error how fast it was filled, in batches of 1,000.
            let (_, err) =
                baselines.run("hypercore", &[&sizes.small_entries.to_string(), &SIZE.to_string(), "1"]).await?;
            let rate = err.need("per_s")?;
            progress(format!("writing, hypercore, run {run}: {rate:.0}/s in batches"));
            hypercore.push(rate);
        }
    }
    table.rows.push(Row {
        work: format!("durable appends of {SIZE} B by {} callers", sizes.group_callers),
        unit: Unit::PerSecond,
        ours: weft(grouped, OURS),
        theirs: None,
        goal: Goal::Figure(100_000.0),
    });
    table.rows.push(Row {
        work: format!("appends of {SIZE} B in batches of 1,000"),
        unit: Unit::PerSecond,
        ours: weft(batched, OURS_BATCHED),
        theirs: theirs("hypercore", hypercore, HYPERCORE),
        goal: Goal::Figure(500_000.0),
    });
    Ok(())
}
