//! Reads editing traces: real keystroke histories, as JSON.
//!
//! Sequential: `{startContent, endContent, txns: [{patches: [[position, deleted, inserted], …]}]}`. Concurrent: each
//! transaction also has `agent` and `parents` (indexes of earlier transactions) and applies to the merge of their states.
//! Positions count Unicode scalar values.

use serde::Deserialize;

use crate::edit::TextOp;

/// A trace is at most this long, unpacked.
pub const TRACE_BYTES_MAX: usize = 256 << 20;

/// A keystroke history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The text before the first transaction.
    pub start: String,
    /// The text after the last.
    pub end: String,
    /// In an order in which parents come first.
    pub transactions: Vec<Transaction>,
    /// Whether transactions name agents and parents; otherwise each follows the one before.
    pub concurrent: bool,
}

/// What one agent did at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Who did it; 0 in a sequential trace.
    pub agent: u32,
    /// Indexes of earlier transactions; empty in a sequential trace.
    pub parents: Vec<usize>,
    /// Applied in order.
    pub ops: Vec<TextOp>,
}

/// Why bytes are no trace.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// Longer than [`TRACE_BYTES_MAX`].
    #[error("a trace of {bytes} bytes, at most 268435456")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not the JSON of a trace.
    #[error("no editing trace: {0}")]
    Json(#[from] serde_json::Error),
    /// A transaction names itself or a later one as its parent.
    #[error("transaction {transaction} names {parent} as its parent")]
    Parent {
        /// Which.
        transaction: usize,
        /// Its parent.
        parent: usize,
    },
    /// Some transactions name an agent and some do not.
    #[error("transaction {transaction} names no agent, others do")]
    Agent {
        /// Which.
        transaction: usize,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonTrace {
    #[serde(default)]
    start_content: String,
    end_content: String,
    txns: Vec<JsonTransaction>,
}

#[derive(Deserialize)]
struct JsonTransaction {
    agent: Option<u32>,
    #[serde(default)]
    parents: Vec<usize>,
    patches: Vec<(u64, u64, String)>,
}

/// Reads a trace.
///
/// # Errors
/// When the bytes are no trace within the bounds. Positions are checked when they are applied.
pub fn parse(json: &[u8]) -> Result<Trace, TraceError> {
    if json.len() > TRACE_BYTES_MAX {
        return Err(TraceError::TooLong { bytes: json.len() });
    }
    let trace: JsonTrace = serde_json::from_slice(json)?;
    let concurrent = trace.txns.iter().any(|transaction| transaction.agent.is_some());
    let mut transactions = Vec::new();
    for (index, JsonTransaction { agent, parents, patches }) in trace.txns.into_iter().enumerate() {
        if concurrent && agent.is_none() {
            return Err(TraceError::Agent { transaction: index });
        }
        if let Some(parent) = parents.iter().find(|parent| **parent >= index) {
            return Err(TraceError::Parent { transaction: index, parent: *parent });
        }
        let op = |(position, delete, insert)| TextOp { position, delete, insert };
        transactions.push(Transaction {
            agent: agent.unwrap_or(0),
            parents,
            ops: patches.into_iter().map(op).collect(),
        });
    }
    Ok(Trace { start: trace.start_content, end: trace.end_content, transactions, concurrent })
}

/// Gathers the operations of a sequential trace into edits: one closes at a jump of the cursor and after `ops_max`.
pub fn edits(trace: Trace, ops_max: usize) -> impl Iterator<Item = Vec<TextOp>> {
    let mut ops = trace.transactions.into_iter().flat_map(|transaction| transaction.ops).peekable();
    std::iter::from_fn(move || {
        let mut edit = vec![ops.next()?];
        let mut cursor = cursor_after(&edit[0]);
        while edit.len() < ops_max.max(1)
            && let Some(op) = ops.next_if(|op| op.position == cursor || op.position.saturating_add(op.delete) == cursor)
        {
            cursor = cursor_after(&op);
            edit.push(op);
        }
        Some(edit)
    })
}

fn cursor_after(op: &TextOp) -> u64 {
    op.position.saturating_add(op.insert.chars().count() as u64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

    use super::*;

    #[test]
    fn both_kinds_are_read() {
        let sequential =
            br#"{"startContent":"a","endContent":"abc","txns":[{"time":"x","patches":[[1,0,"b"],[2,0,"c"]]}]}"#;
        let trace = parse(sequential).unwrap();
        assert_eq!((trace.start.as_str(), trace.end.as_str(), trace.concurrent), ("a", "abc", false));
        assert_eq!(trace.transactions[0].ops[1], TextOp { position: 2, delete: 0, insert: "c".into() });

        let concurrent = br#"{"endContent":"","txns":[{"agent":0,"parents":[],"patches":[]},{"agent":1,"parents":[0],"patches":[]}]}"#;
        let trace = parse(concurrent).unwrap();
        assert!(trace.concurrent);
        assert_eq!(trace.transactions[1].parents, [0]);
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        assert!(matches!(parse(b"{}"), Err(TraceError::Json(_))));
        let itself = br#"{"endContent":"","txns":[{"agent":0,"parents":[0],"patches":[]}]}"#;
        assert!(matches!(parse(itself), Err(TraceError::Parent { transaction: 0, parent: 0 })));
        let mixed = br#"{"endContent":"","txns":[{"agent":0,"patches":[]},{"patches":[]}]}"#;
        assert!(matches!(parse(mixed), Err(TraceError::Agent { transaction: 1 })));
    }

    #[test]
    fn an_edit_closes_at_a_jump_and_when_it_is_full() {
        let json =
            br#"{"endContent":"","txns":[{"patches":[[0,0,"a"],[1,0,"b"],[1,1,""],[5,0,"c"],[6,0,"d"],[7,0,"e"]]}]}"#;
        let sizes: Vec<usize> = edits(parse(json).unwrap(), 2).map(|edit| edit.len()).collect();
        assert_eq!(sizes, [2, 1, 2, 1]);
        let sizes: Vec<usize> = edits(parse(json).unwrap(), 64).map(|edit| edit.len()).collect();
        assert_eq!(sizes, [3, 3]);
    }
}
