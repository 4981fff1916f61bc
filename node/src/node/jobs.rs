//! Work that takes time: small jobs where the driver stands, large ones on threads of their own.

use std::collections::VecDeque;

use tokio::sync::mpsc::UnboundedSender;
use weft_peer::{Done, Job, Ticket};

/// Jobs up to this many bytes run where the driver stands. 64 KiB are hashed in less than a change of threads costs twice.
const INLINE_BYTES_MAX: usize = 64 << 10;
/// Large jobs at once. Two: what the driver and the disk leave of a small machine.
const RUNNING_MAX: usize = 2;

/// The jobs under way. How many wait is bounded by the peer's credit.
#[derive(Debug)]
pub(super) struct Jobs {
    running: usize,
    waiting: VecDeque<(Ticket, Job)>,
    done: UnboundedSender<(Ticket, Done)>,
}

impl Jobs {
    pub(super) fn new(done: UnboundedSender<(Ticket, Done)>) -> Jobs {
        Jobs { running: 0, waiting: VecDeque::new(), done }
    }

    /// Runs a small job and gives what came out; a large one comes out of the channel later.
    pub(super) fn run(&mut self, ticket: Ticket, job: Job) -> Option<Done> {
        if job.bytes() <= INLINE_BYTES_MAX {
            return Some(job.run());
        }
        self.waiting.push_back((ticket, job));
        self.start();
        None
    }

    /// One came out of the channel.
    pub(super) fn finished(&mut self) {
        self.running -= 1;
        self.start();
    }

    fn start(&mut self) {
        while self.running < RUNNING_MAX
            && let Some((ticket, job)) = self.waiting.pop_front()
        {
            self.running += 1;
            let done = self.done.clone();
            tokio::task::spawn_blocking(move || {
                // Nobody listens any more when the node stops.
                let _ = done.send((ticket, job.run()));
            });
        }
    }
}
