//! Waiting for room in the cache: writers for a slot, the thread that makes room for work.

use crate::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Wakes writers that wait for room, and the thread that makes it.
#[derive(Default)]
pub(crate) struct Room {
    made: Mutex<u64>,
    changed: Condvar,
    wanted: Mutex<bool>,
    asked: Condvar,
}

impl Room {
    pub fn made(&self) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// How often room was made.
    pub fn count(&self) -> u64 {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until room was made after `seen` was counted, or the time is over.
    pub fn wait(&self, seen: u64, timeout: Duration) {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self
            .changed
            .wait_timeout_while(made, timeout, |made| *made == seen);
    }

    /// Asks the thread that makes room to work.
    pub fn ask(&self) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.asked.notify_one();
    }

    /// For that thread: waits until asked, at most `timeout`.
    pub fn wait_asked(&self, timeout: Duration) {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.asked.wait_timeout_while(wanted, timeout, |w| !*w);
        let (mut wanted, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *wanted = false;
    }
}
