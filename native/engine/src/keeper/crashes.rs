//! What is a crash, and when crashes are a loop.

use super::HANDED_OVER;
use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// So many crashes within this time are a loop.
const LOOP: usize = 10;
const LOOP_TIME: Duration = Duration::from_secs(10);

#[derive(Default)]
pub struct Crashes(VecDeque<Instant>);

impl Crashes {
    /// Counts one; whether they have become a loop, which is then counted anew.
    pub fn count(&mut self, now: Instant) -> bool {
        self.0.push_back(now);
        if self.0.len() > LOOP {
            self.0.pop_front();
        }
        let looping = self.0.len() == LOOP && now.duration_since(self.0[0]) < LOOP_TIME;
        if looping {
            self.0.clear();
        }
        looping
    }

    /// Whether the last one is so fresh that the next engine should not be started at once.
    pub fn repeated(&self, now: Instant) -> bool {
        self.0.len() > 1 && now.duration_since(self.0[self.0.len() - 2]) < LOOP_TIME
    }
}

/// Being killed from outside is nothing that an engine does by itself; handing over is its duty.
pub fn is_crash(status: Option<ExitStatus>) -> bool {
    status.is_some_and(|s| s.signal() != Some(libc::SIGKILL) && s.code() != Some(HANDED_OVER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_within_ten_seconds_are_a_loop() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut fast = Crashes::default();
        let verdicts: Vec<bool> = (0..20).map(|n| fast.count(at(n * 900))).collect();
        let loops: Vec<usize> = (0..20).filter(|n| verdicts[*n]).collect();
        assert_eq!(loops, [9, 19]);
        let mut slow = Crashes::default();
        assert!((0..50).all(|n| !slow.count(at(n * 1200))));
    }

    #[test]
    fn a_kill_is_no_crash() {
        assert!(!is_crash(Some(ExitStatus::from_raw(libc::SIGKILL))));
        assert!(is_crash(Some(ExitStatus::from_raw(libc::SIGABRT))));
        assert!(is_crash(Some(ExitStatus::from_raw(1 << 8))));
        assert!(!is_crash(Some(ExitStatus::from_raw(HANDED_OVER << 8))));
        assert!(!is_crash(None));
    }
}
