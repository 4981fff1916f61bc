//! Numbers: what a program printed as `key=value`, and what many runs say together.

use std::collections::BTreeMap;

use crate::error::Failure;

/// One line of `key=value` pairs with numbers, as the baselines and our own second process print them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Reads a line. Words without `=`, or whose value is no number, are passed over.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let pairs = line.split_whitespace().filter_map(|word| {
            let (key, value) = word.split_once('=')?;
            Some((key.to_owned(), value.parse().ok()?))
        });
        Self(pairs.collect())
    }

    /// The number of that name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<f64> {
        self.0.get(key).copied()
    }

    /// The number of that name, which has to be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn need(&self, key: &str) -> Result<f64, Failure> {
        self.get(key).ok_or_else(|| Failure::because(format!("no {key} was said, only: {}", self.line())))
    }

    /// Adds a number.
    #[must_use]
    pub fn with(mut self, key: &str, value: f64) -> Self {
        self.0.insert(key.to_owned(), value);
        self
    }

    /// The line that [`Figures::parse`] reads.
    #[must_use]
    pub fn line(&self) -> String {
        self.0.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }
}

/// What several runs of the same say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// The one in the middle; of an even number, the mean of the two in the middle.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of these; none of no figures.
    #[must_use]
    pub fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = match sorted.len() {
            0 => return None,
            even if even % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        };
        Some(Self { min: sorted[0], median, max: sorted[sorted.len() - 1] })
    }
}

/// The smallest value that at least this share of all does not exceed. Sorts them. As the baseline's `live.mjs`: the value at
/// place `floor(n * share)`.
#[must_use]
pub fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * share).floor() as usize;
    values.get(place.min(values.len().checked_sub(1)?)).copied()
}
