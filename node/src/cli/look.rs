//! What the terminal can show: its width, and whether it has colors.
//!
//! Where standard output is no terminal there is neither a width to keep to nor a
//! color, and where `NO_COLOR` is set (<https://no-color.org>) there is no color.

use std::io::IsTerminal;

/// What a piece of text means, for the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// Under way.
    Busy,
    /// Wrong.
    Bad,
    /// The head of a table, a title.
    Title,
    /// Less than the rest.
    Faint,
}

impl Tone {
    /// Select graphic rendition, as ECMA-48 numbers it.
    fn code(self) -> &'static str {
        match self {
            Tone::Good => "32",
            Tone::Busy => "33",
            Tone::Bad => "31",
            Tone::Title => "1",
            Tone::Faint => "2",
        }
    }
}

/// What a stream can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// How many columns there are; none where it is no terminal.
    pub(crate) columns: Option<usize>,
    /// Whether colors show.
    pub(crate) colors: bool,
    /// Whether lines can be drawn over.
    pub(crate) draws: bool,
}

impl Look {
    /// The text in its tone, where colors show.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self.colors && !text.is_empty() { format!("\x1b[{}m{text}\x1b[0m", tone.code()) } else { text.to_owned() }
    }
}

/// The standard output of this process.
pub(crate) fn stdout() -> Look {
    of(std::io::stdout().is_terminal())
}

/// The standard error of this process.
pub(crate) fn stderr() -> Look {
    of(std::io::stderr().is_terminal())
}

/// How wide the terminal is now: a window can change while a command runs.
pub(crate) fn columns_now() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    said.or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0.into())).unwrap_or(80)
}

/// How high it is now.
pub(crate) fn lines_now() -> usize {
    terminal_size::terminal_size().map_or(24, |(_, height)| height.0.into())
}

fn of(is_terminal: bool) -> Look {
    let says = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty());
    let draws = is_terminal && says("TERM").is_none_or(|term| term != "dumb");
    Look { columns: is_terminal.then(columns_now), colors: draws && says("NO_COLOR").is_none(), draws }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_has_a_width_and_colors() {
        assert_eq!(of(false), Look::default());
        assert!(of(true).columns.is_some_and(|columns| columns > 0));
    }

    #[test]
    fn paint_shows_where_colors_do() {
        let colors = |colors| Look { columns: Some(80), colors, draws: true };
        assert_eq!(colors(true).paint(Tone::Good, "level"), "\x1b[32mlevel\x1b[0m");
        assert_eq!(colors(false).paint(Tone::Good, "level"), "level");
        assert_eq!(colors(true).paint(Tone::Good, ""), "");
    }
}
