//! Since when writers wait for room in a full cache (policy `hold`), so that the end of their waiting outlives an engine.
//!
//! The state memory has the earliest of these instants. The next engine is sent their requests again as soon as it
//! serves, and who waits then waits since that instant: the snapshot ends when it would have ended without the
//! engine's death, not a whole time later. That holds until one of them got on (there was room, or the snapshot is
//! gone), and for requests that begin to wait soon after the engine began; those that come later are new.

use crate::clock::boot_nanos;
use crate::state::{State, Word};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Within this after an engine's beginning all that waited before waits again.
const TAKEN_UP_WITHIN: Duration = Duration::from_secs(10);

pub struct Holds {
    state: State,
    /// When this engine began; all instants are of [`boot_nanos`].
    began: u64,
    now: Mutex<Now>,
}

struct Now {
    waiting: Vec<u64>,
    /// Since when somebody waited under the engine before.
    inherited: Option<u64>,
}

impl Holds {
    pub fn load(state: State) -> Self {
        Holds::began_at(state, boot_nanos())
    }

    fn began_at(state: State, began: u64) -> Self {
        let since = state.get(Word::HeldSince);
        let now = Mutex::new(Now {
            waiting: Vec::new(),
            inherited: (since > 0).then_some(since),
        });
        Holds { state, began, now }
    }

    /// A change that found no room waits from now on, until the result is dropped.
    pub fn begin(&self) -> Hold<'_> {
        self.begin_at(boot_nanos())
    }

    fn begin_at(&self, at: u64) -> Hold<'_> {
        let mut now = self.now();
        let since = now.inherited.filter(|_| self.soon(at)).unwrap_or(at);
        now.waiting.push(since);
        self.keep(&now);
        Hold { holds: self, since }
    }

    /// Forgets those who waited under the engine before and did not come again. To be called now and then.
    pub fn settle(&self) {
        self.settle_at(boot_nanos());
    }

    fn settle_at(&self, at: u64) {
        let mut now = self.now();
        if now.inherited.is_some() && !self.soon(at) {
            now.inherited = None;
            self.keep(&now);
        }
    }

    fn soon(&self, at: u64) -> bool {
        u128::from(at.saturating_sub(self.began)) <= TAKEN_UP_WITHIN.as_nanos()
    }

    /// What the next engine goes on from.
    fn keep(&self, now: &Now) {
        let earliest = now.waiting.iter().min().or(now.inherited.as_ref());
        self.state
            .set(Word::HeldSince, earliest.copied().unwrap_or(0));
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Hold<'a> {
    holds: &'a Holds,
    since: u64,
}

impl Hold<'_> {
    /// Since when it waits, in an engine before perhaps.
    pub fn since(&self) -> Instant {
        let now = Instant::now();
        let waited = Duration::from_nanos(boot_nanos().saturating_sub(self.since));
        now.checked_sub(waited).unwrap_or(now)
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut now = self.holds.now();
        if let Some(at) = now.waiting.iter().position(|since| *since == self.since) {
            now.waiting.swap_remove(at);
        }
        now.inherited = None;
        self.holds.keep(&now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Configuration;

    const SECOND: u64 = 1_000_000_000;

    fn state() -> State {
        State::create(&Configuration::specimen("/run".as_ref(), 1 << 20))
            .unwrap()
            .1
    }

    #[test]
    fn who_waits_again_after_a_death_waits_since_before_it() {
        let state = state();
        let first = Holds::began_at(state.clone(), 100 * SECOND);
        let _older = std::mem::ManuallyDrop::new(first.begin_at(200 * SECOND));
        let _newer = std::mem::ManuallyDrop::new(first.begin_at(230 * SECOND));
        // Killed here; and the next one too, before anybody waits in it.
        drop(Holds::began_at(state.clone(), 240 * SECOND));
        let third = Holds::began_at(state.clone(), 241 * SECOND);
        let again = third.begin_at(242 * SECOND);
        assert_eq!(again.since, 200 * SECOND);
        drop(again);
        assert_eq!(third.begin_at(243 * SECOND).since, 243 * SECOND);
        assert_eq!(state.get(Word::HeldSince), 0);
    }

    #[test]
    fn the_earliest_that_still_waits_is_kept() {
        let state = state();
        let holds = Holds::began_at(state.clone(), 0);
        let older = holds.begin_at(20 * SECOND);
        let newer = holds.begin_at(30 * SECOND);
        drop(older);
        assert_eq!(state.get(Word::HeldSince), 30 * SECOND);
        drop(newer);
        assert_eq!(state.get(Word::HeldSince), 0);
    }

    #[test]
    fn who_begins_to_wait_much_later_is_new() {
        let state = state();
        state.set(Word::HeldSince, 5 * SECOND);
        let holds = Holds::began_at(state.clone(), 6 * SECOND);
        assert_eq!(holds.begin_at(60 * SECOND).since, 60 * SECOND);
        state.set(Word::HeldSince, 5 * SECOND);
        let holds = Holds::began_at(state.clone(), 6 * SECOND);
        holds.settle_at(60 * SECOND);
        assert_eq!(state.get(Word::HeldSince), 0);
    }
}
