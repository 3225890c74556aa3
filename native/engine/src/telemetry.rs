//! Counters of the live volume, in memory that outlives the engine.

use crate::clock;
use crate::protocol::report::LatencyReport;
use crate::state::mapping::Region;
use cow::store::Words;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Watchers of gaps at once.
const MAX_WATCHERS: usize = 32;
/// Gaps below this are not worth a second look.
const SHORT_GAP: u64 = 1_000_000;
/// Bucket n counts latencies of 2ⁿ⁻¹ up to 2ⁿ µs, bucket 0 those below 1 µs.
pub const BUCKETS: usize = 40;

#[derive(Debug, Clone, Copy)]
pub enum Counter {
    Reads = 0,
    ReadBytes = 1,
    Writes = 2,
    WriteBytes = 3,
    Discards = 4,
    Flushes = 5,
    /// Nanoseconds since boot.
    LastWriteBoot = 6,
    /// Milliseconds since 1970; 0: none.
    LastWriteUnix = 7,
    /// Nanoseconds.
    LongestGap = 8,
    ZeroCopyBytes = 9,
}

const BUCKETS_AT: usize = 16;

pub type Histogram = [u64; BUCKETS];

pub struct Telemetry {
    words: Region,
    /// For each watcher the longest gap since it last asked, nanoseconds.
    watched_gaps: [AtomicU64; MAX_WATCHERS],
    watching: [AtomicBool; MAX_WATCHERS],
}

impl Telemetry {
    pub fn new(words: Region) -> Self {
        let telemetry = Telemetry {
            words,
            watched_gaps: [const { AtomicU64::new(0) }; MAX_WATCHERS],
            watching: [const { AtomicBool::new(false) }; MAX_WATCHERS],
        };
        // At attach the quiet time begins.
        let last = telemetry.word(Counter::LastWriteBoot);
        let _ = last.compare_exchange(0, clock::boot_nanos(), Ordering::Relaxed, Ordering::Relaxed);
        telemetry
    }

    fn word(&self, counter: Counter) -> &AtomicU64 {
        &self.words.words()[counter as usize]
    }

    pub fn get(&self, counter: Counter) -> u64 {
        self.word(counter).load(Ordering::Relaxed)
    }

    pub fn add(&self, counter: Counter, value: u64) {
        self.word(counter).fetch_add(value, Ordering::Relaxed);
    }

    /// A write, discard or zeroing begins; the result is for `change_ended`.
    pub fn change_began(&self) -> u64 {
        let now = clock::boot_nanos();
        let last = self
            .word(Counter::LastWriteBoot)
            .swap(now, Ordering::Relaxed);
        let gap = now.saturating_sub(last);
        if gap > SHORT_GAP {
            self.word(Counter::LongestGap)
                .fetch_max(gap, Ordering::Relaxed);
            for watched in &self.watched_gaps {
                watched.fetch_max(gap, Ordering::Relaxed);
            }
        }
        now
    }

    pub fn change_ended(&self, began: u64) {
        let now = clock::boot_nanos();
        self.word(Counter::LastWriteBoot)
            .store(now, Ordering::Relaxed);
        self.word(Counter::LastWriteUnix)
            .store(clock::unix_millis(), Ordering::Relaxed);
        let micros = now.saturating_sub(began) / 1000;
        let bucket = (64 - micros.leading_zeros() as usize).min(BUCKETS - 1);
        self.words.words()[BUCKETS_AT + bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// Nanoseconds since the last change.
    pub fn quiet(&self) -> u64 {
        clock::boot_nanos().saturating_sub(self.get(Counter::LastWriteBoot))
    }

    /// Begins to watch for gaps; None if too many do.
    pub fn watch(&self) -> Option<usize> {
        let mut places = self.watching.iter();
        let place = places.position(|w| !w.swap(true, Ordering::Relaxed))?;
        self.watched_gaps[place].store(0, Ordering::Relaxed);
        Some(place)
    }

    pub fn stop_watching(&self, watcher: usize) {
        self.watching[watcher].store(false, Ordering::Relaxed);
    }

    /// The longest gap since this watcher last asked, nanoseconds, without the running one.
    pub fn watched_gap(&self, watcher: usize) -> u64 {
        self.watched_gaps[watcher].swap(0, Ordering::Relaxed)
    }

    pub fn histogram(&self) -> Histogram {
        let words = self.words.words();
        std::array::from_fn(|n| words[BUCKETS_AT + n].load(Ordering::Relaxed))
    }
}

/// Percentiles of what `later` counted beyond `earlier`, as upper bounds of their buckets.
pub fn latency(earlier: &Histogram, later: &Histogram) -> LatencyReport {
    let counts: Histogram = std::array::from_fn(|n| later[n] - earlier[n].min(later[n]));
    let total: u64 = counts.iter().sum();
    let bound = |rank: u64| {
        let mut seen = 0;
        let at = counts.iter().position(|count| {
            seen += count;
            seen >= rank && seen > 0
        });
        at.map_or(0, |n| 1u64 << n)
    };
    LatencyReport {
        p50: bound(total.div_ceil(2)),
        p99: bound((total * 99).div_ceil(100)),
        max: bound(total),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_interval() {
        let mut earlier = [0; BUCKETS];
        earlier[3] = 1000;
        let mut later = earlier;
        later[5] += 98;
        later[10] += 2;
        let report = latency(&earlier, &later);
        assert_eq!((report.p50, report.p99, report.max), (32, 1024, 1024));
        let none = latency(&later, &later);
        assert_eq!((none.p50, none.p99, none.max), (0, 0, 0));
    }
}
