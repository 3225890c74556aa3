//! Looking for the next request before sleeping.
//!
//! Who sends one request at a time, as a database does with its log, waits for wake-ups more than for work: of the
//! loop device's worker, of a thread here, of itself, and waking a thread whose processor has stopped takes longer than
//! serving a request. So the thread that waits at the door alone may look for the next request for a while before
//! it sleeps for one. Whether that is of use depends on what else wants the processors, which nobody here knows; so
//! where requests come soon after each other it is tried, from time to time, whether they come sooner by it.

use super::session;
use std::os::fd::RawFd;
use std::thread;
use std::time::{Duration, Instant};

/// It is looked for so long. QEMU's I/O threads poll for 32 us at the most.
const LONGEST: Duration = Duration::from_micros(50);
/// A request that comes later than this after the one before would not have been seen by looking.
const SOON: Duration = Duration::from_micros(100);
/// After so many requests it is judged how soon they came.
const JUDGED: u32 = 256;
/// So many of them must have come soon.
const MOST: u32 = JUDGED * 3 / 4;
/// After so many judgements the other way is tried.
const TRIED_AFTER: u32 = 64;
/// Looking must have requests come in less than this share (in hundredths) of the time.
const WORTH: u32 = 90;
/// It was looked in vain so often in a row: the load has changed.
const IN_VAIN: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Sleeps,
    Looks,
}

pub struct Lookout {
    way: Way,
    /// Time from one request to the next, of those that came soon, for each way.
    slept: Option<Duration>,
    looked: Option<Duration>,
    judgements: u32,
    /// It goes this way since just now, which says nothing yet.
    settles: bool,
    requests: u32,
    soon: u32,
    /// From the one before, of all that came soon.
    time: Duration,
    in_vain: u32,
    last: Instant,
    /// None: the last request was read without waiting.
    waits_since: Option<Instant>,
}

impl Lookout {
    pub fn new() -> Self {
        Lookout::since(Instant::now())
    }

    fn since(now: Instant) -> Self {
        Lookout {
            way: Way::Sleeps,
            slept: None,
            looked: None,
            judgements: 0,
            settles: true,
            requests: 0,
            soon: 0,
            time: Duration::ZERO,
            in_vain: 0,
            last: now,
            waits_since: None,
        }
    }

    /// Before this thread sleeps until there is a request. `alone`: nobody else waits for one. True: there is one.
    pub fn wait(&mut self, fd: RawFd, alone: bool) -> bool {
        let now = Instant::now();
        self.waits_since = Some(now);
        if !alone {
            self.take(Way::Sleeps);
        }
        if self.way == Way::Sleeps {
            return false;
        }
        let seen = look(fd, now + LONGEST);
        self.has_looked(seen);
        seen
    }

    fn has_looked(&mut self, seen: bool) {
        self.in_vain = if seen { 0 } else { self.in_vain + 1 };
        if self.in_vain == IN_VAIN {
            self.looked = None;
            self.take(Way::Sleeps);
        }
    }

    /// A request was read at this time.
    pub fn has_read(&mut self, now: Instant) {
        self.requests += 1;
        let waited = self.waits_since.take();
        if waited.is_some_and(|since| now - since < SOON) {
            self.soon += 1;
            self.time += now - self.last;
        }
        self.last = now;
        if self.requests < JUDGED {
            return;
        }
        if self.soon < MOST {
            self.take(Way::Sleeps);
            return;
        }
        if self.settles {
            (self.settles, self.time) = (false, Duration::ZERO);
            (self.requests, self.soon) = (0, 0);
            return;
        }
        self.judge(self.time / self.soon);
        self.judgements += 1;
        let tries = self.judgements.is_multiple_of(TRIED_AFTER);
        self.take(if tries { self.other() } else { self.better() });
    }

    /// The time of so many requests says half of what is known then.
    fn judge(&mut self, time: Duration) {
        let known = match self.way {
            Way::Sleeps => &mut self.slept,
            Way::Looks => &mut self.looked,
        };
        *known = Some(known.map_or(time, |before| (before + time) / 2));
    }

    fn other(&self) -> Way {
        match self.way {
            Way::Sleeps => Way::Looks,
            Way::Looks => Way::Sleeps,
        }
    }

    /// The one that was not tried yet, else the quicker one.
    fn better(&self) -> Way {
        match (self.slept, self.looked) {
            (Some(_), None) => Way::Looks,
            (Some(slept), Some(looked)) if looked * 100 < slept * WORTH => Way::Looks,
            _ => Way::Sleeps,
        }
    }

    fn take(&mut self, way: Way) {
        self.settles |= way != self.way;
        self.way = way;
        self.time = Duration::ZERO;
        (self.requests, self.soon, self.in_vain) = (0, 0, 0);
    }
}

/// Whether a request came until then. Whoever else wants this processor has it meanwhile: the loop device's worker and
/// the kernel's completion of its requests do with each.
fn look(fd: RawFd, until: Instant) -> bool {
    loop {
        // What is wrong is told by reading.
        if session::has_request(fd, 0).unwrap_or(true) {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{PipeWriter, Write};
    use std::os::fd::AsRawFd;

    const fn us(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    /// So many requests, of which each comes so long after the one before, as the way is; counts those looked for.
    fn load(lookout: &mut Lookout, requests: u32, gap: impl Fn(Way) -> Duration) -> u32 {
        let (mut now, mut looked) = (lookout.last, 0);
        for _ in 0..requests {
            lookout.waits_since = Some(now);
            let gap = gap(lookout.way);
            if lookout.way == Way::Looks {
                looked += 1;
                lookout.has_looked(gap < LONGEST);
            }
            now += gap;
            lookout.has_read(now);
        }
        looked
    }

    const MANY: u32 = 100 * JUDGED;

    fn sooner(way: Way) -> Duration {
        match way {
            Way::Sleeps => us(40),
            Way::Looks => us(24),
        }
    }

    #[test]
    fn who_gets_requests_sooner_by_looking_looks() {
        let mut lookout = Lookout::new();
        let looked = load(&mut lookout, MANY, sooner);
        assert!(looked > MANY * 9 / 10, "{looked}");
    }

    #[test]
    fn who_does_not_sleeps() {
        let mut lookout = Lookout::new();
        let looked = load(&mut lookout, MANY, |way| match way {
            Way::Sleeps => us(40),
            // As when somebody else wants the processor.
            Way::Looks => us(45),
        });
        assert!(looked > 0, "it was tried");
        assert!(looked < MANY / 10, "{looked}");
    }

    #[test]
    fn what_was_worse_is_tried_again() {
        let mut lookout = Lookout::new();
        let slower = |way| match way {
            Way::Sleeps => us(20),
            Way::Looks => us(30),
        };
        load(&mut lookout, MANY, slower);
        let looked = load(&mut lookout, 10 * MANY, sooner);
        assert!(looked > 5 * MANY, "{looked}");
        let looked = load(&mut lookout, 10 * MANY, slower);
        assert!(looked < 5 * MANY, "{looked}");
    }

    #[test]
    fn rare_requests_are_slept_for() {
        let mut lookout = Lookout::new();
        assert_eq!(load(&mut lookout, MANY, |_| us(1000)), 0);
        load(&mut lookout, 8 * JUDGED, sooner);
        assert_eq!(lookout.way, Way::Looks);
        assert_eq!(load(&mut lookout, MANY, |_| us(1000)), IN_VAIN);
    }

    #[test]
    fn a_pause_says_nothing_of_the_pace() {
        let mut lookout = Lookout::new();
        load(&mut lookout, 8 * JUDGED, sooner);
        load(&mut lookout, 1, |_| Duration::from_secs(60));
        assert_eq!(load(&mut lookout, JUDGED, sooner), JUDGED);
    }

    #[test]
    fn where_others_wait_as_well_nobody_looks() {
        let mut lookout = Lookout::new();
        load(&mut lookout, 8 * JUDGED, sooner);
        assert_eq!(lookout.way, Way::Looks);
        lookout.wait(-1, false);
        assert_eq!(lookout.way, Way::Sleeps);
    }

    #[test]
    fn a_request_ends_the_looking() {
        let (reader, mut writer): (_, PipeWriter) = std::io::pipe().unwrap();
        let fd = reader.as_raw_fd();
        assert!(!look(fd, Instant::now() + us(500)));
        let other = thread::spawn(move || {
            writer.write_all(b"x").unwrap();
            writer
        });
        assert!(look(fd, Instant::now() + Duration::from_secs(10)));
        other.join().unwrap();
    }
}
