//! The questions of the table, each with how it is answered. The sides take turns: ours, theirs, ours, theirs.

mod document;
mod held;
mod live;
mod members;
mod replication;
mod writing;

use crate::{
    error::Failure,
    npm::Baselines,
    report::{Goal, Side, Table},
    sizes::Sizes,
};

use self::document::Work;

/// What a question needs.
#[derive(Clone, Debug)]
pub struct Setting {
    /// How much work.
    pub sizes: Sizes,
    /// The other side, or nobody.
    pub baselines: Option<Baselines>,
}

/// A question: its name, by which it can be chosen, and how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// A fresh peer gets many small records.
    Small,
    /// A fresh peer gets fewer large records.
    Large,
    /// One append at a time, until it is stored at a connected peer.
    Live,
    /// Durable appends on one node.
    Writing,
    /// Opening a node with many entries, and the memory it takes.
    Held,
    /// A fresh peer gets one document of many changes, and can read it.
    Document,
    /// A fresh peer gets many documents of few changes, and can read them.
    Documents,
    /// Who belongs to a large space, and removing one.
    Members,
}

impl Question {
    /// All, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Small,
        Self::Large,
        Self::Live,
        Self::Writing,
        Self::Held,
        Self::Document,
        Self::Documents,
        Self::Members,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
            Self::Live => "live",
            Self::Writing => "writing",
            Self::Held => "held",
            Self::Document => "document",
            Self::Documents => "documents",
            Self::Members => "members",
        }
    }

    /// Answers it: its rows are added to the table.
    ///
    /// # Errors
    /// When a side fails.
    pub async fn answer(self, setting: &Setting, table: &mut Table) -> Result<(), Failure> {
        match self {
            Self::Small => replication::answer(setting, setting.sizes.small_entries, 256, table).await,
            Self::Large => replication::answer(setting, setting.sizes.large_entries, 16 << 10, table).await,
            Self::Live => live::answer(setting, table).await,
            Self::Writing => writing::answer(setting, table).await,
            Self::Held => held::answer(setting, table).await,
            Self::Document => {
                let changes = setting.sizes.document_changes;
                let (yjs, automerge) = (Goal::Ratio(1.5), Goal::Ratio(30.0));
                document::answer(setting, Work { documents: 1, changes, yjs, automerge }, table).await
            }
            Self::Documents => {
                let (documents, changes) = (setting.sizes.documents, setting.sizes.documents_changes);
                let work = Work { documents, changes, yjs: Goal::Ratio(5.0), automerge: Goal::None };
                document::answer(setting, work, table).await
            }
            Self::Members => members::answer(setting, table),
        }
    }
}

/// Says on standard error what is going on.
pub fn progress(what: impl AsRef<str>) {
    eprintln!("  {}", what.as_ref());
}

fn weft(runs: Vec<f64>, guarantees: &'static str) -> Side {
    Side { name: "weft".to_owned(), runs, guarantees }
}

/// The other side, when it ran at all.
fn theirs(name: &str, runs: Vec<f64>, guarantees: &'static str) -> Option<Side> {
    (!runs.is_empty()).then(|| Side { name: name.to_owned(), runs, guarantees })
}
