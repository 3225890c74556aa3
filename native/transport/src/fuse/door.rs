//! How many threads wait for requests at once.
//!
//! The kernel wakes those that wait in turn, so with many of them each request meets another thread and another
//! megabyte of buffer, on another processor, neither of which is in any cache. So only as many wait as the load
//! keeps busy: one, until those at the door are busy for most of their time, and then one more; the others sleep
//! here. A thread that is about to sleep over a request leaves the door to another one meanwhile.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After so many requests a thread judges how busy it was.
const JUDGED: u32 = 256;
/// Busy for this share of the time (in hundredths), it has another one come; reading a request does not count as
/// work, though much of that is copying.
const BUSY: u32 = 45;
/// Busy for less, it goes if others may do alone.
const IDLE: u32 = 20;

pub struct Door {
    stand: Mutex<Stand>,
    opened: Condvar,
    allowed: RangeInclusive<usize>,
    one_wanted: AtomicBool,
}

struct Stand {
    inside: usize,
    /// How many there shall be.
    wanted: usize,
    outside: usize,
}

impl Door {
    /// How many may wait at once: in the beginning as few as possible, at least 1.
    pub fn new(allowed: RangeInclusive<usize>) -> Self {
        Door {
            stand: Mutex::new(Stand {
                inside: 0,
                wanted: *allowed.start(),
                outside: 0,
            }),
            opened: Condvar::new(),
            one_wanted: AtomicBool::new(*allowed.start() == 1),
            allowed,
        }
    }

    /// Whether only one thread waits for requests, as the load is.
    pub fn one_wanted(&self) -> bool {
        self.one_wanted.load(Ordering::Relaxed)
    }

    fn stand(&self) -> MutexGuard<'_, Stand> {
        self.stand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until it is this thread's turn to wait for requests.
    pub fn enter(&self) {
        let mut stand = self.stand();
        while stand.inside >= stand.wanted {
            stand.outside += 1;
            stand = self
                .opened
                .wait(stand)
                .unwrap_or_else(PoisonError::into_inner);
            stand.outside -= 1;
        }
        stand.inside += 1;
    }

    pub fn leave(&self) {
        let mut stand = self.stand();
        stand.inside -= 1;
        self.have_one_enter(&stand);
    }

    fn have_one_enter(&self, stand: &Stand) {
        if stand.inside < stand.wanted && stand.outside > 0 {
            self.opened.notify_one();
        }
    }

    /// One more shall wait, or one less. True: the caller, who has entered, is one too many.
    fn adjust(&self, judgement: Judgement) -> bool {
        let mut stand = self.stand();
        match judgement {
            Judgement::More if stand.wanted < *self.allowed.end() => {
                stand.wanted += 1;
                self.have_one_enter(&stand);
            }
            Judgement::Fewer if stand.wanted > *self.allowed.start() => stand.wanted -= 1,
            _ => {}
        }
        self.one_wanted.store(stand.wanted == 1, Ordering::Relaxed);
        stand.inside > stand.wanted
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    More,
    Fewer,
    Enough,
}

/// How busy one thread at the door is.
pub struct Load {
    requests: u32,
    worked: Duration,
    since: Instant,
    began_work: Instant,
}

impl Load {
    pub fn new() -> Self {
        Load::since(Instant::now())
    }

    fn since(now: Instant) -> Self {
        Load {
            requests: 0,
            worked: Duration::ZERO,
            since: now,
            began_work: now,
        }
    }

    /// It begins to work.
    pub fn works(&mut self, now: Instant) {
        self.began_work = now;
    }

    /// It has worked, but not done with a request.
    pub fn rests(&mut self, now: Instant) {
        self.worked += now - self.began_work;
    }

    /// It has done with a request. True: it shall leave the door.
    pub fn has_worked(&mut self, door: &Door) -> bool {
        let now = Instant::now();
        self.rests(now);
        self.requests += 1;
        if self.requests < JUDGED {
            return false;
        }
        let judgement = judge(self.worked, now - self.since);
        *self = Load::since(now);
        door.adjust(judgement)
    }
}

fn judge(worked: Duration, all: Duration) -> Judgement {
    if worked * 100 > all * BUSY {
        Judgement::More
    } else if worked * 100 < all * IDLE {
        Judgement::Fewer
    } else {
        Judgement::Enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::thread;

    const A_WHILE: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(10);

    #[test]
    fn whoever_leaves_lets_one_enter() {
        let door = Arc::new(Door::new(1..=2));
        door.enter();
        let (entered, told) = mpsc::channel();
        let other = door.clone();
        let other = thread::spawn(move || {
            other.enter();
            entered.send(()).unwrap();
        });
        assert_eq!(told.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
        door.leave();
        told.recv_timeout(LONG).unwrap();
        other.join().unwrap();
    }

    #[test]
    fn those_who_are_busy_have_another_one_come_and_idle_ones_go() {
        let door = Arc::new(Door::new(1..=2));
        door.enter();
        let other = door.clone();
        let other = thread::spawn(move || other.enter());
        assert!(!door.adjust(Judgement::Enough));
        assert!(door.one_wanted());
        assert!(!door.adjust(Judgement::More));
        assert!(!door.one_wanted());
        other.join().unwrap();
        assert!(!door.adjust(Judgement::More), "two are the most");
        assert!(door.adjust(Judgement::Fewer), "one too many");
        assert!(door.one_wanted());
        door.leave();
        assert!(!door.adjust(Judgement::Fewer), "the last one stays");
        assert!(!door.adjust(Judgement::Enough));
    }

    #[test]
    fn where_all_are_wanted_nobody_goes() {
        let door = Door::new(2..=2);
        door.enter();
        door.enter();
        assert!(!door.adjust(Judgement::Fewer));
        assert!(!door.adjust(Judgement::More));
    }

    #[test]
    fn busy_is_who_works_for_most_of_the_time() {
        let of_a_second = |ms| judge(Duration::from_millis(ms), Duration::from_secs(1));
        assert_eq!(of_a_second(900), Judgement::More);
        assert_eq!(of_a_second(300), Judgement::Enough);
        assert_eq!(of_a_second(50), Judgement::Fewer);
    }
}
