//! The table: a row for each question, both sides, the ratio, and what each side guaranteed for it.

use std::fmt::Write as _;

use crate::figures::Spread;

/// Which way is better, and in what unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// More of these a second are better.
    PerSecond,
    /// More megabytes (of 10^6 bytes) a second are better.
    MegabytesPerSecond,
    /// Fewer milliseconds are better.
    Milliseconds,
    /// Fewer seconds are better.
    Seconds,
    /// Fewer megabytes (of 2^20 bytes) are better.
    Megabytes,
    /// Fewer kilobytes (of 2^10 bytes) are better.
    Kilobytes,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::MegabytesPerSecond => " MB/s",
            Self::Milliseconds => " ms",
            Self::Seconds => " s",
            Self::Megabytes => " MB",
            Self::Kilobytes => " KB",
        }
    }

    fn is_better_when_larger(self) -> bool {
        matches!(self, Self::PerSecond | Self::MegabytesPerSecond)
    }

    /// Three digits that count, whole above a hundred, with marks between thousands.
    fn show(self, value: f64) -> String {
        let text = match value {
            large if large >= 100.0 => thousands(large.round() as u64),
            middle if middle >= 10.0 => format!("{middle:.1}"),
            small => format!("{small:.2}"),
        };
        format!("{text}{}", self.name())
    }
}

/// One side of a row.
#[derive(Clone, Debug)]
pub struct Side {
    /// Who.
    pub name: String,
    /// What each run gave.
    pub runs: Vec<f64>,
    /// What was guaranteed: signatures, verification, encryption, fsync.
    pub guarantees: &'static str,
}

/// What must be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// As many times better than the other side.
    Ratio(f64),
    /// At least, or at most, this figure.
    Figure(f64),
    /// There is none.
    None,
}

/// One question and its answers.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was done.
    pub work: String,
    /// In what it is measured.
    pub unit: Unit,
    /// Weft.
    pub ours: Side,
    /// What a user would pick instead.
    pub theirs: Option<Side>,
    /// What must be reached.
    pub goal: Goal,
}

impl Row {
    /// How many times better ours is, by medians.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let ours = Spread::of(&self.ours.runs)?.median;
        let theirs = Spread::of(&self.theirs.as_ref()?.runs)?.median;
        Some(if self.unit.is_better_when_larger() { ours / theirs } else { theirs / ours })
    }

    /// Whether the goal was reached; none when there is none, or nothing to compare with.
    #[must_use]
    pub fn is_reached(&self) -> Option<bool> {
        let ours = Spread::of(&self.ours.runs)?.median;
        match self.goal {
            Goal::Ratio(wanted) => Some(self.ratio()? >= wanted),
            Goal::Figure(wanted) if self.unit.is_better_when_larger() => Some(ours >= wanted),
            Goal::Figure(wanted) => Some(ours <= wanted),
            Goal::None => None,
        }
    }

    fn cells(&self) -> [String; 5] {
        let goal = match self.goal {
            Goal::Ratio(wanted) => format!("{wanted}x"),
            Goal::Figure(wanted) => self.unit.show(wanted),
            Goal::None => String::new(),
        };
        let reached = match self.is_reached() {
            Some(true) => format!("{goal}: yes"),
            Some(false) => format!("{goal}: NO"),
            None => goal,
        };
        [
            self.work.clone(),
            self.side(&self.ours),
            self.theirs.as_ref().map_or_else(|| "-".to_owned(), |side| format!("{} {}", side.name, self.side(side))),
            self.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}x")),
            reached,
        ]
    }

    fn side(&self, side: &Side) -> String {
        let Some(Spread { min, median, max }) = Spread::of(&side.runs) else { return "-".to_owned() };
        let median = self.unit.show(median);
        if side.runs.len() < 2 {
            return median;
        }
        let bare = |value| self.unit.show(value).trim_end_matches(self.unit.name()).to_owned();
        format!("{median} ({}..{})", bare(min), bare(max))
    }
}

/// All rows, and what else must be known to read them.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The rows, in the order in which they are shown.
    pub rows: Vec<Row>,
    /// Shown below it, a line each.
    pub notes: Vec<String>,
}

const HEADINGS: [&str; 5] = ["work", "weft: median (smallest..largest)", "peer", "ratio", "goal"];

impl Table {
    /// The table as text: under each row what each side guaranteed.
    #[must_use]
    pub fn render(&self) -> String {
        let lines: Vec<[String; 5]> = self.rows.iter().map(Row::cells).collect();
        let width = |column: usize| {
            let cells = lines.iter().map(|cells| cells[column].chars().count());
            cells.chain([HEADINGS[column].len()]).max().unwrap_or_default()
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        let line = |cells: [&str; 5]| {
            let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            padded.join("  ").trim_end().to_owned()
        };
        let mut text = line(HEADINGS);
        text.push('\n');
        text.push_str(&"-".repeat(widths.iter().sum::<usize>() + 8));
        for (row, cells) in self.rows.iter().zip(&lines) {
            // Writing to a string does not fail.
            let _ = write!(text, "\n{}", line(cells.each_ref().map(String::as_str)));
            let _ = write!(text, "\n    weft: {}", row.ours.guarantees);
            if let Some(theirs) = &row.theirs {
                let _ = write!(text, "\n    {}: {}", theirs.name, theirs.guarantees);
            }
        }
        for note in &self.notes {
            let _ = write!(text, "\n\n{note}");
        }
        text.push('\n');
        text
    }
}

fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
