//! What is seen of the demo: steps with their time, and what both sides read, redrawn in a terminal while somebody types.

use std::time::{Duration, Instant};

use super::super::{
    failure::Failure,
    look::{self, Look, Tone},
    output::{Output, print},
    table::cut,
};

/// Where the words of a step begin.
const INDENT: usize = 9;
/// Where the command beside them begins.
const COMMAND_AT: usize = 50;

/// Prints steps and scenes.
pub(super) struct Screen {
    look: Look,
    silent: bool,
    began: Instant,
    /// Lines of a scene that are drawn over when it goes on.
    drawn: usize,
}

impl Screen {
    pub(super) fn new(output: Output) -> Screen {
        Screen { look: look::stdout(), silent: output.json, began: Instant::now(), drawn: 0 }
    }

    /// How long it has taken.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// A line as it is.
    pub(super) fn line(&self, line: &str) -> Result<(), Failure> {
        self.print(&format!("{line}\n"))
    }

    /// Something that was done, and the command that does it.
    pub(super) fn step(&self, what: &str, command: &str) -> Result<(), Failure> {
        let pad = COMMAND_AT.saturating_sub(INDENT + what.chars().count()).max(2);
        let command =
            if command.is_empty() { String::new() } else { " ".repeat(pad) + &self.look.paint(Tone::Faint, command) };
        self.line(&format!("{}{}{command}", self.time(), self.look.paint(Tone::Title, what)))
    }

    /// A scene that goes on: drawn over the one before it in a terminal, not shown elsewhere.
    pub(super) fn scene(&mut self, what: &str, sides: [(&str, &str); 2]) -> Result<(), Failure> {
        let Some(columns) = self.look.columns.filter(|_| self.look.draws) else { return Ok(()) };
        let lines = self.lines(what, sides);
        let mut drawn = if self.drawn > 0 { format!("\x1b[{}A\x1b[J", self.drawn) } else { String::new() };
        for (at, line) in lines.iter().enumerate() {
            // A line that wraps would make two.
            let line = cut(line, columns.saturating_sub(1));
            drawn += &if at == 0 { self.look.paint(Tone::Title, &line) } else { line };
            drawn.push('\n');
        }
        self.drawn = lines.len();
        self.print(&drawn)
    }

    /// How a scene ended: it stays.
    pub(super) fn end_of_scene(&mut self, what: &str, sides: [(&str, &str); 2]) -> Result<(), Failure> {
        self.scene(what, sides)?;
        if self.drawn == 0 {
            self.line(&self.lines(what, sides).join("\n"))?;
        }
        self.drawn = 0;
        self.line("")
    }

    fn lines(&self, what: &str, sides: [(&str, &str); 2]) -> Vec<String> {
        let side = |(name, text): (&str, &str)| format!("{:INDENT$}{name:<5} | {text}", "");
        vec![self.time() + what, side(sides[0]), side(sides[1])]
    }

    fn time(&self) -> String {
        format!("{:5.1} s  ", self.began.elapsed().as_secs_f64())
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        if self.silent { Ok(()) } else { print(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_fits_a_terminal_of_80_columns() {
        let screen = Screen { look: Look::default(), silent: true, began: Instant::now(), drawn: 0 };
        let lines = screen.lines("both type at once", [("alice", super::super::END), ("bob", super::super::END)]);
        assert!(lines.iter().all(|line| line.chars().count() < 80), "{lines:?}");
        assert_eq!(lines[1], format!("         alice | {}", super::super::END));
    }
}
