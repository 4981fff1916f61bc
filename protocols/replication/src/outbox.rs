//! What a session has to say, in order, and the tickets it gives out.

use std::collections::VecDeque;

use crate::io::{Output, Ticket};

#[derive(Debug)]
pub(crate) struct Outbox {
    queue: VecDeque<Output>,
    tickets: u64,
}

impl Outbox {
    /// Tickets follow this one.
    pub(crate) fn new(tickets: u64) -> Self {
        Self { queue: VecDeque::new(), tickets }
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    pub(crate) fn send(&mut self, frame: bytes::Bytes) {
        self.push(Output::Send(frame));
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        self.tickets = self.tickets.wrapping_add(1);
        Ticket(self.tickets)
    }
}
