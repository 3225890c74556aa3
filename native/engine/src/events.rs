//! Who is told when something happens.

use crate::control::outbox::Outbox;
use crate::protocol::Event;
use std::sync::{Arc, Mutex, PoisonError, Weak};

#[derive(Default)]
pub struct Events {
    subscribers: Mutex<Vec<Weak<Outbox>>>,
}

impl Events {
    pub fn subscribe(&self, outbox: &Arc<Outbox>) {
        let mut all = self
            .subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.retain(|s| s.strong_count() > 0);
        all.push(Arc::downgrade(outbox));
    }

    /// Queues the event for each subscriber; waits for none.
    pub fn tell(&self, event: &Event) {
        let all = self
            .subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Ok(line) = serde_json::to_string(event) else {
            return;
        };
        for outbox in all.iter().filter_map(Weak::upgrade) {
            outbox.send(line.clone());
        }
    }
}
