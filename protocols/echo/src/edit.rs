//! Local edits, as an application asks for them, and how keystrokes are gathered into runs.
//!
//! Positions count Unicode scalar values everywhere outside `document`; only `yrs` counts UTF-16 units.

use std::sync::Arc;

use bytes::Bytes;
use weft_crypto::ObjectId;

use crate::message::Register;

/// One change that an application asks for. It becomes one mutation, except a [`Edit::Create`] whose text needs several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Make an object.
    Create {
        /// Its type: 1 to 128 bytes, no control characters.
        type_name: String,
        /// Its first properties, at most 256.
        registers: Vec<Register>,
        /// Its first text, at most [`crate::Config::text_bytes_max`]; a long one becomes several mutations in order.
        text: Option<String>,
    },
    /// Write properties of an object; an empty value removes one.
    Set {
        /// The object.
        object: ObjectId,
        /// At most 256 different properties.
        registers: Vec<Register>,
    },
    /// Change an object's text: all operations or none, as one transaction and one entry.
    Text {
        /// The object.
        object: ObjectId,
        /// Applied in sequence, at most [`crate::Config::ops_max`].
        ops: Vec<TextOp>,
    },
    /// Change an object's text in one or several mutations, if it still is the text that was read: what anybody wrote since would
    /// stand where the operations do not expect it.
    ///
    /// Spec: ECHO-7.5
    Revise {
        /// The object.
        object: ObjectId,
        /// The text in which the operations are counted.
        seen: Arc<str>,
        /// One mutation each, at most [`crate::Config::revisions_max`]; applied in sequence, each within the bounds of
        /// [`Edit::Text`].
        revisions: Vec<Vec<TextOp>>,
    },
    /// What a document instance with a session of its own has written: one mutation, or several if it is large.
    Update {
        /// The object.
        object: ObjectId,
        /// The session, not 0. It was handed out before, to nobody else.
        session: u64,
        /// A Yjs v1 update, as a Yjs document with the session's client id gives it out.
        update: Bytes,
    },
    /// Delete the object as a whole.
    Delete {
        /// The object.
        object: ObjectId,
    },
}

/// Replace `delete` characters from `position` by `insert`. Counts are Unicode scalar values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextOp {
    /// Where, counted in the text as the operations before this one left it.
    pub position: u64,
    /// How many characters go.
    pub delete: u64,
    /// What comes in their place.
    pub insert: String,
}

/// Joins keystrokes that continue each other: `yrs` walks the document once for a run instead of once for a key, and
/// the document is the same (`yrs` itself squashes adjacent insertions of one client).
pub(crate) fn runs(ops: &[TextOp]) -> Vec<TextOp> {
    let mut runs: Vec<(TextOp, u64)> = Vec::new();
    for op in ops {
        let inserted = op.insert.chars().count() as u64;
        if op.delete == 0 && inserted == 0 {
            continue;
        }
        if let Some((last, last_inserted)) = runs.last_mut() {
            let typing_on = op.delete == 0 && last.delete == 0 && op.position == last.position + *last_inserted;
            let deleting = inserted == 0 && *last_inserted == 0;
            if typing_on {
                last.insert.push_str(&op.insert);
                *last_inserted += inserted;
                continue;
            }
            if deleting && (op.position == last.position || op.position + op.delete == last.position) {
                last.position = op.position;
                last.delete += op.delete;
                continue;
            }
        }
        runs.push((op.clone(), inserted));
    }
    runs.into_iter().map(|(run, _)| run).collect()
}

/// The length of a text of `length` characters after `ops`, or the first operation that reaches outside it.
pub(crate) fn length_after(mut length: u64, ops: &[TextOp]) -> Result<u64, (usize, u64)> {
    for (index, op) in ops.iter().enumerate() {
        let end = op.position.checked_add(op.delete).ok_or((index, length))?;
        if end > length {
            return Err((index, length));
        }
        length = length - op.delete + op.insert.chars().count() as u64;
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(position: u64, delete: u64, insert: &str) -> TextOp {
        TextOp { position, delete, insert: insert.into() }
    }

    #[test]
    fn typing_and_backspacing_become_runs() {
        let keys =
            [op(3, 0, "a"), op(4, 0, "😀"), op(5, 0, "c"), op(5, 1, ""), op(4, 1, ""), op(0, 1, ""), op(0, 1, "")];
        assert_eq!(runs(&keys), [op(3, 0, "a😀c"), op(4, 2, ""), op(0, 2, "")]);
    }

    #[test]
    fn a_jump_a_replacement_and_nothing_stay_apart() {
        let keys = [op(0, 0, "a"), op(5, 0, "b"), op(6, 1, "c"), op(7, 0, ""), op(7, 0, "d")];
        assert_eq!(runs(&keys), [op(0, 0, "a"), op(5, 0, "b"), op(6, 1, "c"), op(7, 0, "d")]);
    }

    #[test]
    fn the_operation_that_reaches_outside_is_named() {
        assert_eq!(length_after(3, &[op(3, 0, "ab"), op(0, 5, "")]), Ok(0));
        assert_eq!(length_after(3, &[op(3, 0, "ab"), op(0, 6, "")]), Err((1, 5)));
        assert_eq!(length_after(3, &[op(u64::MAX, 1, "")]), Err((0, 3)));
    }
}
