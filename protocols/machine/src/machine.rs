//! The one shape of every machine.

use crate::Time;

/// Something that changes by facts and answers with orders.
///
/// Inputs are facts in the past tense, outputs are orders in the imperative. After every `handle_input` or `wake` a driver
/// drains `poll_output` until `None`, then reads `deadline`. Bytes of a peer never make a machine panic: its misbehaviour is
/// an output that carries a violation.
///
/// Spec: MACHINE-1.1
pub trait Machine {
    /// A fact.
    type Input;
    /// An order.
    type Output;

    /// Takes one fact. `now` is never earlier than in the call before.
    fn handle_input(&mut self, now: Time, input: Self::Input);

    /// The next order, in the order in which they must be carried out; `None` when there is none until the next call of
    /// `handle_input` or `wake`.
    fn poll_output(&mut self) -> Option<Self::Output>;

    /// When the machine wants to be woken, if nothing happens before. Changes only in `handle_input`, `wake` and
    /// `poll_output`.
    fn deadline(&self) -> Option<Time>;

    /// The time is `now`. Too early a call changes nothing.
    fn wake(&mut self, now: Time);
}
