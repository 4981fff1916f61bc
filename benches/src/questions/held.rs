//! A node that holds many entries: how fast it opens, and what memory it takes at rest.

use super::{Setting, progress, replication::Filled, weft};
use crate::{
    error::Failure,
    process::Second,
    report::{Goal, Row, Table, Unit},
    second::Role,
    source::Transport,
};

const OPENED: &str = "a new process, files in the page cache; the identity unlocked, the store recovered, listening; a sealed \
                      record read and opened";
const RESTING: &str = "VmRSS of the second process, one member connected and level";

pub(super) async fn answer(setting: &Setting, table: &mut Table) -> Result<(), Failure> {
    let sizes = setting.sizes;
    let count = sizes.held_entries;
    let mut filled = Filled::new(Transport::Quic, count, 256, 1).await?;
    let (fetched, folder) = filled.fetch().await?;
    progress(format!("held: the peer got {count} entries: {}", fetched.line()));
    let (mut opened, mut read, mut resting, mut anonymous) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 1..=sizes.runs {
        let mut task = filled.task(folder.clone(), Role::Open { length: filled.length() })?;
        task.peer.clear();
        let mut peer = Second::start(&task.arguments()?)?;
        let figures = peer.next().await?;
        peer.end().await?;
        progress(format!("held, run {run}: {}", figures.line()));
        opened.push(figures.need("opened_ms")?);
        read.push(figures.need("read_ms")?);
        filled.source.alone().await?;
    }
    // Its memory is looked at once: it takes half a minute and varies little.
    let task = filled.task(folder, Role::Rest { seconds: sizes.rest_s })?;
    progress(format!("held: at rest for {} s", sizes.rest_s));
    let mut peer = Second::start(&task.arguments()?)?;
    let figures = peer.next().await?;
    peer.end().await?;
    progress(format!("held: {}", figures.line()));
    resting.push(figures.need("rss_mb")?);
    anonymous.push(figures.need("anonymous_mb")?);
    drop(filled.source.stop().await);
    let mut row = |work: String, unit, runs, guarantees, goal| {
        table.rows.push(Row { work, unit, ours: weft(runs, guarantees), theirs: None, goal });
    };
    row(format!("opening a node with {count} entries"), Unit::Milliseconds, opened, OPENED, Goal::None);
    row("the same, until its first read is answered".to_owned(), Unit::Milliseconds, read, OPENED, Goal::Figure(300.0));
    row(
        format!("memory {} s after start, {count} entries, one peer", sizes.rest_s),
        Unit::Megabytes,
        resting,
        RESTING,
        Goal::Figure(40.0),
    );
    row("of that, not backed by files".to_owned(), Unit::Megabytes, anonymous, "RssAnon", Goal::None);
    Ok(())
}
