//! What is said of every file, as it is done, and of all of them in the end.

use std::{collections::BTreeMap, io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::super::{
    failure::{Exit, Failure},
    output::Output,
    visible::in_line,
};

/// What became of a file. The order is that of the last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It is a new object.
    Imported,
    /// It is a new file.
    Written,
    /// What differed was brought over.
    Updated,
    /// There was nothing to do.
    Unchanged,
    /// It was left as it is, for a reason.
    Skipped,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Imported => "imported",
            State::Written => "written",
            State::Updated => "updated",
            State::Unchanged => "unchanged",
            State::Skipped => "skipped",
        }
    }
}

/// What is said of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) path: String,
    pub(crate) state: State,
    pub(crate) object: Option<String>,
    /// A stable name and a sentence: why it was skipped, or what else there is to know.
    pub(crate) reason: Option<(&'static str, String)>,
}

/// A file that was left as it is.
pub(crate) fn skipped(path: impl Into<String>, code: &'static str, why: impl ToString) -> Line {
    Line { path: path.into(), state: State::Skipped, object: None, reason: Some((code, why.to_string())) }
}

/// Says it.
pub(crate) struct Report {
    output: Output,
    dry_run: bool,
    bar: ProgressBar,
    counts: BTreeMap<State, u64>,
    began: std::time::Instant,
}

impl Report {
    /// A report on so many files, whose last line names these states even if there was none.
    pub(crate) fn new(doing: &'static str, files: usize, states: [State; 4], output: Output, dry_run: bool) -> Report {
        let began = std::time::Instant::now();
        let counts = states.map(|state| (state, 0)).into();
        Report { output, dry_run, bar: bar(doing, files, output), counts, began }
    }

    /// Says what became of one file.
    pub(crate) fn say(&mut self, line: Line) -> Result<(), Failure> {
        *self.counts.entry(line.state).or_default() += 1;
        let Line { path, state, object, reason } = line;
        let mut value = json!({"path": path, "state": state.word()});
        if let Some(object) = object {
            value["object"] = object.into();
        }
        if let Some((code, why)) = reason {
            value["code"] = code.into();
            value["reason"] = why.into();
        }
        let output = self.output;
        let said = self.bar.suspend(|| match state {
            State::Skipped => output.say(&value, shown),
            _ => output.confirm(&value, shown),
        });
        self.bar.inc(1);
        said
    }

    /// Says what became of all; a failure if something was skipped.
    pub(crate) fn end(self, hint: &str) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        let mut value: serde_json::Map<String, Value> =
            self.counts.iter().map(|(state, count)| (state.word().to_owned(), json!(count))).collect();
        let files: u64 = self.counts.values().sum();
        value.insert("seconds".to_owned(), json!((self.began.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0));
        value.insert("dry_run".to_owned(), self.dry_run.into());
        let counts = &self.counts;
        self.output.confirm(&Value::Object(value), |_| in_words(counts, self.dry_run))?;
        match self.counts.get(&State::Skipped).copied().unwrap_or(0) {
            0 => Ok(()),
            skipped => {
                let message = format!("{skipped} of {files} {} skipped", if files == 1 { "was" } else { "were" });
                Err(Failure::new(Exit::Failed, "some_skipped", message, hint))
            }
        }
    }
}

fn shown(line: &Value) -> String {
    let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut shown = format!("{:<9}  {}", text("state"), in_line(text("path")));
    if line.get("reason").is_some() {
        shown += &format!(": {}", in_line(text("reason")));
    }
    shown + "\n"
}

fn in_words(counts: &BTreeMap<State, u64>, dry_run: bool) -> String {
    let words: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {}", state.word())).collect();
    let dry = if dry_run { " (a dry run: nothing was changed)" } else { "" };
    format!("{}{dry}\n", words.join(", "))
}

fn bar(doing: &'static str, files: usize, output: Output) -> ProgressBar {
    if output.json || output.quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len} files, {eta} left");
    let bar = ProgressBar::new(files as u64).with_message(doing);
    let bar = bar.with_style(style.expect("the template names known fields"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_be_broken_by_a_name() {
        let line =
            json!({"path": "a\u{1b}[2J\nunchanged  b", "state": "skipped", "code": "x", "reason": "it \u{202e} is"});
        assert_eq!(shown(&line), "skipped    a\\u{1b}[2J\\u{a}unchanged  b: it \\u{202e} is\n");
        assert_eq!(shown(&json!({"path": "a", "state": "imported"})), "imported   a\n");
    }

    #[test]
    fn the_last_line_counts_and_skipping_is_a_failure() {
        let states = [State::Imported, State::Updated, State::Unchanged, State::Skipped];
        let mut report = Report::new("importing", 2, states, Output { json: true, quiet: true }, false);
        let plain = |path: &str| Line { path: path.to_owned(), state: State::Imported, object: None, reason: None };
        report.say(plain("a")).unwrap();
        assert_eq!(
            in_words(&report.counts, true),
            "1 imported, 0 updated, 0 unchanged, 0 skipped (a dry run: nothing was changed)\n"
        );
        report.say(skipped("b", "why", "because")).unwrap();
        let failure = report.end("hint").unwrap_err();
        assert_eq!(
            (failure.exit, failure.code.as_str(), failure.message.as_str()),
            (Exit::Failed, "some_skipped", "1 of 2 were skipped")
        );
    }
}
