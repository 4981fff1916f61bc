//! Joining, and waiting for a person where one has to approve first.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    args::Join,
    client::{Call, Client, path},
    failure::{Exit, Failure},
    output::{Output, text},
    plan, show,
};

/// The first pause before the hosts are asked again; each is twice as long as the one before.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Joins. While a person has to approve, the hosts are asked again: the redemption is kept, so each time it is the same.
pub(crate) fn join(client: &Client, task: Join, output: Output) -> Result<(), Failure> {
    let Join { link, wait, no_wait } = task;
    let link = if link == "-" { plan::standard_input()? } else { link };
    let patient_until = Instant::now() + if no_wait { Duration::ZERO } else { wait };
    let mut pause = PAUSE_MIN;
    let mut is_told = false;
    loop {
        let answer = client.ask(Call::post_json(path(&["join"], &[]), json!({"link": link.trim()})))?;
        if answer.get("waiting") != Some(&Value::Bool(true)) {
            client.linger(&text(&answer, "space"));
            return output.confirm(&answer, show::joined);
        }
        let left = patient_until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(waits(&answer));
        }
        if !is_told && !output.json && !output.quiet {
            eprintln!(
                "waits for approval; read these digits to whoever sent you the link: {}",
                text(&answer, "digits")
            );
        }
        is_told = true;
        thread::sleep(pause.min(left));
        pause = (2 * pause).min(PAUSE_MAX);
    }
}

fn waits(answer: &Value) -> Failure {
    Failure::new(
        Exit::TimedOut,
        "waits_for_approval",
        format!("a person has to approve first; your digits are {}", text(answer, "digits")),
        "read the digits to whoever sent you the link, and run the same command again",
    )
}
