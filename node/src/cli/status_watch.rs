//! `weft status --watch`: on a terminal the status as it is now, elsewhere what changes of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{
    changes,
    client::{Call, Client, path},
    failure::{Exit, Failure},
    interrupt,
    look::{self, Tone},
    output::{Output, print},
    show, table,
    watch::node_stopped,
};
use crate::config::Config;

/// How often the status is looked at. 500 ms: soon enough for the eye; an answer takes about one.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Use the other screen and hide the cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Follows the status until the person or the node ends it.
pub(crate) fn watch(config: &Config, output: Output) -> Result<(), Failure> {
    let client = Client::of_running(config)?;
    let draws = !output.json && look::stdout().draws;
    interrupt::leaves_with(move || {
        if draws {
            // Whoever closed the terminal does not need the cursor back.
            let _ = print(LEAVE);
        }
        Exit::Done
    })?;
    if !draws {
        return follow(&client, |before, now| match (output.json, before) {
            (true, _) => output.say(now, show::nothing),
            (false, None) => print(&show::status(now)),
            (false, Some(before)) => {
                let changes = changes::of_lines(look::stdout(), &show::status(before), &show::status(now));
                print(&format!("{}\n{changes}", now_utc()))
            }
        });
    }
    print(ENTER)?;
    let mut size = (0, 0);
    let mut shown = None;
    let ended = follow_each(&client, |now| {
        let size_now = (look::columns_now(), look::lines_now());
        if shown.as_ref() != Some(now) || size != size_now {
            (size, shown) = (size_now, Some(now.clone()));
            print(&page(&show::status(now), size))?;
        }
        Ok(())
    });
    print(LEAVE)?;
    ended
}

/// Hands over each state that differs from the one before.
fn follow(
    client: &Client,
    mut changed: impl FnMut(Option<&Value>, &Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut before: Option<Value> = None;
    follow_each(client, |now| {
        if before.as_ref() != Some(now) {
            changed(before.as_ref(), now)?;
            before = Some(now.clone());
        }
        Ok(())
    })
}

fn follow_each(client: &Client, mut look: impl FnMut(&Value) -> Result<(), Failure>) -> Result<(), Failure> {
    loop {
        match client.ask(Call::get(path(&["status"], &[]))) {
            Ok(now) => look(&now)?,
            Err(failure) if failure.code == "connection_lost" => {
                return Err(Failure {
                    message: format!("{} ({})", node_stopped().message, failure.message),
                    ..node_stopped()
                });
            }
            Err(failure) => return Err(failure),
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
}

/// A screen of `columns` by `lines`: what fits of the status, each line cut where the screen ends.
fn page(status: &str, (columns, lines): (usize, usize)) -> String {
    let look = look::stdout();
    let head = table::cut(&format!("weft status  {}  ctrl-c ends", now_utc()), columns);
    let mut page = format!("\x1b[H\x1b[2J{}\n\n", look.paint(Tone::Faint, &head));
    let room = lines.saturating_sub(3);
    let count = status.lines().count();
    let fit = if count > room { room.saturating_sub(1) } else { count };
    for line in status.lines().take(fit) {
        // A line with colors was laid out for this width; others may be longer than it.
        page += &if line.contains('\x1b') { line.to_owned() } else { table::cut(line, columns) };
        page.push('\n');
    }
    if fit < count {
        page += &format!("… {} more lines", count - fit);
    }
    page
}

/// The time of day, UTC, as events show it.
fn now_utc() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    crate::api::time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_no_larger_than_the_screen() {
        let status: String = (0..30).map(|number| format!("line {number} {}\n", "x".repeat(100))).collect();
        let page = page(&status, (40, 10));
        let lines: Vec<&str> = page.lines().collect();
        assert!(lines.len() <= 10, "{page}");
        assert!(lines[2..].iter().all(|line| line.chars().count() <= 40), "{page}");
        assert!(page.ends_with("… 24 more lines"), "{page}");
    }
}
