//! Waiting until the device that a link was made for is in.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    super::{
        client::{Call, Client, path},
        failure::{Exit, Failure},
        output::{Output, list},
        text,
    },
    show,
};

/// How often it is looked.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a device that used the link has to enter the spaces of this one, before it is left to do so later.
const ENTER_MAX: Duration = Duration::from_secs(30);

/// Waits until the link is used and its user is in every space of this device, and says so.
pub(super) fn wait(client: &Client, made: &Value, life: Duration, output: Output) -> Result<(), Failure> {
    let mut patient_until = Instant::now() + life;
    let mut is_used = false;
    loop {
        let answer = client.ask(Call::get(path(&["devices"], &[])))?;
        let link = list(&answer, "links").iter().find(|link| text(link, "id") == text(made, "id"));
        let used_by = link.map(|link| text(link, "used_by")).unwrap_or_default();
        let device = |is: &dyn Fn(&&Value) -> bool| list(&answer, "devices").iter().find(is);
        if let Some(newcomer) = device(&|device| !used_by.is_empty() && text(device, "device") == used_by) {
            if !is_used {
                is_used = true;
                patient_until = Instant::now() + ENTER_MAX;
            }
            let mine = device(&|device| device.get("me") == Some(&Value::Bool(true)));
            let is_in = mine.is_none_or(|me| list(me, "spaces").len() <= list(newcomer, "spaces").len());
            let is_met = newcomer.get("lacking").is_some_and(Value::is_number);
            if is_in && is_met || Instant::now() >= patient_until {
                list(newcomer, "spaces").iter().filter_map(Value::as_str).for_each(|space| client.linger(space));
                return output.confirm(newcomer, show::linked);
            }
        } else if link.is_none() || Instant::now() >= patient_until {
            return Err(Failure::new(
                Exit::TimedOut,
                "link_not_used",
                "nobody used the link before it ended",
                "make another one with `weft device link --wait`",
            ));
        }
        thread::sleep(PAUSE);
    }
}
