//! `weft demo`: two nodes in one terminal, one text, one of them killed and back.
//!
//! Everything is real but the typing: two processes with a store each, QUIC on loopback, a SIGKILL. Every figure is measured
//! while it runs. It ends well only if both sides hold the same text and every signature is good.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    client::{Call, path},
    failure::{Exit, Failure},
    interrupt,
    output::Output,
    show, text,
};

mod screen;
mod stage;

use screen::Screen;
use stage::{Actor, Stage, failed};

/// What alice types first; then both change it.
const BEGINNING: &str = "Dinner: bread and olives";
/// What it is in the end.
const END: &str = "Dinner on Friday: fresh bread and olives, tomatoes too, at 8";
/// The object with the text.
const NOTE: &str = "plan";

/// How long the demo waits for something that should take milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a text is looked at while it is waited for.
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// Plays it. With `fast` nothing waits for the eye.
pub(crate) fn demo(fast: bool, output: Output) -> Result<(), Failure> {
    let stage = Stage::new()?;
    let at_end = Arc::clone(&stage);
    interrupt::leaves_with(move || {
        at_end.clear();
        Exit::Failed
    })?;
    let mut play = Play { screen: Screen::new(output), pace: if fast { 0 } else { 1 } };
    let summary = play.all(&stage);
    stage.clear();
    let summary = summary?;
    if output.json { output.say(&summary, show::nothing) } else { play.goodbye() }
}

struct Play {
    screen: Screen,
    pace: u32,
}

impl Play {
    fn all(&mut self, stage: &Arc<Stage>) -> Result<Value, Failure> {
        self.screen.line("Two nodes in this terminal: real processes, a real kill. About 20 seconds.\n")?;
        let (mut alice, mut bob) = (Actor::new(stage, "alice")?, Actor::new(stage, "bob")?);
        for actor in [&mut alice, &mut bob] {
            actor.up()?;
            self.screen.step(&format!("{}'s node is up", actor.name), "weft up")?;
            self.pause(600);
        }
        let space = self.meet(&alice, &bob)?;
        let keystroke = self.types(&alice, &bob)?;
        self.type_at_once(&alice, &bob)?;
        self.part(&alice, &mut bob)?;
        let again = self.meet_again(&alice, &mut bob, &space)?;
        let (at_alice, at_bob) = (verified(&alice)?, verified(&bob)?);
        self.screen
            .step(&format!("checked: {at_alice} entries at alice, {at_bob} at bob, every signature good"), "")?;
        Ok(json!({
            "text": alice.read(NOTE)?, "same": alice.read(NOTE)? == bob.read(NOTE)?, "entries": [at_alice, at_bob],
            "keystroke_ms": millis(keystroke), "level_again_ms": millis(again),
            "seconds": self.screen.elapsed().as_secs_f64(),
        }))
    }

    /// A space, a text in it, and somebody who joins. Gives the space.
    fn meet(&self, alice: &Actor, bob: &Actor) -> Result<String, Failure> {
        let made = alice.ask(Call::post_json(path(&["spaces"], &[]), json!({"name": "dinner"})))?;
        let space = text(&made, "space").to_owned();
        let note = json!({"type": "note", "properties": {"name": NOTE}});
        alice.ask(Call::post_json(path(&["spaces", &space, "objects"], &[]), note))?;
        self.screen.step("alice makes a space with a note in it", "weft space create dinner")?;
        self.pause(600);
        let link = alice.ask(Call::post_json(path(&["spaces", &space, "invitations"], &[]), json!({})))?;
        bob.ask(Call::post_json(path(&["join"], &[]), json!({"link": text(&link, "link")})))?;
        level(bob, &space)?;
        self.screen.step("bob joins by a link that alice made", "weft join weft-invite:…")?;
        self.screen.line("")?;
        self.pause(1_000);
        Ok(space)
    }

    /// One types and the other reads along. Gives the median time a letter took.
    fn types(&mut self, alice: &Actor, bob: &Actor) -> Result<Duration, Failure> {
        let mut took = Vec::new();
        let what = "alice types, bob reads along";
        for letter in BEGINNING.chars() {
            alice.write(NOTE, |text| format!("{text}{letter}"))?;
            // The letter is on one disk; from here on it is on its way to the other.
            let began = Instant::now();
            let typed = alice.read(NOTE)?;
            let seen = until(bob, |text| text == typed)?;
            took.push(began.elapsed());
            self.screen.scene(what, [("alice", &typed), ("bob", &seen)])?;
            self.pause(70);
        }
        took.sort();
        let median = took[took.len() / 2];
        let what = format!("{what}: a letter is there after {:.1} ms", millis(median));
        self.screen.end_of_scene(&what, [("alice", &alice.read(NOTE)?), ("bob", &bob.read(NOTE)?)])?;
        self.pause(1_500);
        Ok(median)
    }

    /// Both write, in two places, without waiting for each other.
    fn type_at_once(&mut self, alice: &Actor, bob: &Actor) -> Result<(), Failure> {
        let what = "both type at once, in two places";
        let pace = self.pace;
        thread::scope(|scope| {
            let in_the_middle = scope.spawn(move || type_behind(alice, "Dinner", " on Friday", pace));
            let at_the_end = scope.spawn(move || type_behind(bob, "olives", ", tomatoes too", pace));
            while !(in_the_middle.is_finished() && at_the_end.is_finished()) {
                self.screen.scene(what, [("alice", &alice.read(NOTE)?), ("bob", &bob.read(NOTE)?)])?;
                thread::sleep(Duration::from_millis(20));
            }
            let panicked = |_| failed("a thread panicked".to_owned());
            in_the_middle.join().map_err(panicked)?.and(at_the_end.join().map_err(panicked)?)
        })?;
        let both = |text: &str| text == "Dinner on Friday: bread and olives, tomatoes too";
        let (at_alice, at_bob) = (until(alice, both)?, until(bob, both)?);
        self.screen.end_of_scene(what, [("alice", &at_alice), ("bob", &at_bob)])?;
        self.pause(1_500);
        Ok(())
    }

    /// One node is killed; both go on, apart.
    fn part(&mut self, alice: &Actor, bob: &mut Actor) -> Result<(), Failure> {
        let pid = bob.kill()?;
        self.screen.step("bob's node is killed", &format!("kill -9 {pid}"))?;
        self.pause(1_000);
        let what = "alice goes on; bob writes too, without a node";
        let mut at_bob = bob.read(NOTE)?;
        for (at, letter) in " fresh".char_indices() {
            alice.write(NOTE, |text| behind(text, &format!("Friday:{}", &" fresh"[..at]), letter))?;
            self.screen.scene(what, [("alice", &alice.read(NOTE)?), ("bob", &at_bob)])?;
            self.pause(120);
        }
        let position = at_bob.chars().count().to_string();
        bob.run(&["text", "insert", NOTE, &position, ", at 8"])?;
        at_bob = bob.read(NOTE)?;
        self.screen.end_of_scene(what, [("alice", &alice.read(NOTE)?), ("bob", &at_bob)])?;
        self.pause(2_000);
        Ok(())
    }

    /// The node that was killed comes back, and both hold everything. Gives how long that took once it was up.
    fn meet_again(&mut self, alice: &Actor, bob: &mut Actor, space: &str) -> Result<Duration, Failure> {
        bob.up()?;
        let began = Instant::now();
        self.screen.step("bob's node is back, on what was on disk", "weft up")?;
        level(bob, space)?;
        let (at_alice, at_bob) = (until(alice, |text| text == END)?, until(bob, |text| text == END)?);
        let took = began.elapsed();
        let what = format!("both have everything again, {:.0} ms later", millis(took));
        self.screen.end_of_scene(&what, [("alice", &at_alice), ("bob", &at_bob)])?;
        self.pause(1_500);
        Ok(took)
    }

    fn goodbye(&self) -> Result<(), Failure> {
        self.screen.line("\nNothing of this is left behind. `weft up` starts a node of your own.")
    }

    /// Time for the eye.
    fn pause(&self, ms: u64) {
        thread::sleep(Duration::from_millis(ms) * self.pace);
    }
}

/// Types letter by letter behind a word.
fn type_behind(actor: &Actor, word: &str, typed: &str, pace: u32) -> Result<(), Failure> {
    for (at, letter) in typed.char_indices() {
        actor.write(NOTE, |text| behind(text, &format!("{word}{}", &typed[..at]), letter))?;
        thread::sleep(Duration::from_millis(110) * pace);
    }
    Ok(())
}

/// The text with a letter behind these words.
fn behind(text: &str, words: &str, letter: char) -> String {
    let at = text.find(words).map_or(text.len(), |start| start + words.len());
    format!("{}{letter}{}", &text[..at], &text[at..])
}

/// The text of somebody, once it is as it should be.
fn until(actor: &Actor, wanted: impl Fn(&str) -> bool) -> Result<String, Failure> {
    let patient_until = Instant::now() + PATIENCE;
    loop {
        let text = actor.read(NOTE)?;
        if wanted(&text) {
            return Ok(text);
        }
        if Instant::now() > patient_until {
            return Err(failed(format!("after {PATIENCE:?} {} still reads `{text}`", actor.name)));
        }
        thread::sleep(LOOK_INTERVAL);
    }
}

/// Waits until somebody is level with everybody else.
fn level(actor: &Actor, space: &str) -> Result<(), Failure> {
    let timeout = PATIENCE.as_millis().to_string();
    actor.ask(Call::get(path(&["spaces", space, "wait"], &[("timeout_ms", Some(&timeout))]))).map(|_| ())
}

/// Has somebody check every entry; how many there are.
fn verified(actor: &Actor) -> Result<u64, Failure> {
    let answer = actor.ask(Call::post(path(&["verify"], &[])))?;
    answer.get("entries").and_then(Value::as_u64).ok_or_else(|| failed("the check says nothing".to_owned()))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_find_their_place_whatever_else_is_written() {
        assert_eq!(behind("Dinner: bread", "Dinner", ' '), "Dinner : bread");
        assert_eq!(behind("Dinner o: bread, x", "Dinner o", 'n'), "Dinner on: bread, x");
        assert_eq!(behind("", "nowhere", 'x'), "x");
    }
}
