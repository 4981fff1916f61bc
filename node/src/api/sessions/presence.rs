//! Carries what documents tell of themselves between the tabs of this node and the nodes that are connected.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use weft_peer::{command::Command, event::Event};

use super::tabs::Tabs;
use crate::node::Node;

/// Two words of this node are this far apart at least; what is said meanwhile goes together, of each document the newest.
/// 50 ms: a cursor still moves smoothly, and a handful of tabs stays within what a session sends (REPLICATION-10.2).
const APART: Duration = Duration::from_millis(50);
/// How often it is looked for documents of other nodes that were not heard of for long.
const SWEEP: Duration = Duration::from_secs(5);

/// Works until the node stops.
pub(crate) fn start(node: &Node, tabs: &Tabs) {
    tokio::spawn(tell(node.clone(), tabs.clone()));
    tokio::spawn(hear(node.clone(), tabs.clone()));
}

async fn tell(node: Node, tabs: Tabs) {
    loop {
        let said = tokio::select! {
            () = node.stopped() => return,
            said = tabs.said() => said,
        };
        for ((space, object, session), state) in said {
            let state = if state.is_null() { Bytes::new() } else { state.to_string().into() };
            // Lost when the device may not write now: the document says it again.
            let _ = node.command(Command::Say { space, object, session, state }).await;
        }
        tokio::time::sleep(APART).await;
    }
}

async fn hear(node: Node, tabs: Tabs) {
    let mut events = node.events();
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            () = node.stopped() => return,
            _ = sweep.tick() => tabs.forget(Instant::now()),
            event = events.recv() => match event {
                Ok(Event::Heard { device, space, object, session, state }) => {
                    let state = if state.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&state).ok() };
                    if let Some(state) = state {
                        tabs.heard((space, object), device, session, state);
                    }
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
    }
}
