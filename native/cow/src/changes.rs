//! Which blocks changed between two instants.
//!
//! Every snapshot begins an interval that lasts until the next snapshot is taken, also after its own
//! release. An interval has a bitmap. The bit of a block is set there before a change of the block is
//! applied, in words that outlive the process: whatever instant it dies at, no change is unmarked.
//! A block may be marked whose change was never applied, or applied the content that it had: the sets
//! are never too small, and may be larger than a comparison would find.
//!
//! What changed between two snapshots is the union of the intervals from the first up to before the
//! second. Only the last interval's bitmap changes, so that the answer for two snapshots is for ever
//! the same. Giving up an interval adds its bits to the one before, which stays right.

use crate::bitmap::Bitmap;
use crate::sync::atomic::Ordering;
use crate::volume::{Open, Volume};
use std::ops::Range;

/// The time from one snapshot to the next.
#[derive(Clone)]
pub struct Interval {
    /// The caller's number for its beginning, larger than those before.
    pub key: u64,
    /// A bit for each block.
    pub changed: Bitmap,
}

/// A part of the answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Changed {
    /// Blocks, in order, none adjacent.
    pub extents: Vec<Range<u64>>,
    /// Where to ask on; the end of the range that was asked for once all is told.
    pub next: u64,
}

impl Volume {
    /// Marks a range as changed in the running interval and counts what the snapshots are spared.
    /// Before the change is applied, with `open` held for as long as that lasts.
    pub(crate) fn mark(&self, open: &Open, first: u64, last: u64) {
        let Some(current) = open.intervals.last() else {
            return;
        };
        if open.snapshots.iter().all(|s| s.free.is_none()) {
            current.changed.set_range(first, last + 1);
            return;
        }
        for block in first..=last {
            if !current.changed.set(block) {
                continue;
            }
            let spared = open.snapshots.iter().filter(|s| s.was_free(block));
            for snapshot in spared {
                let earlier = open.intervals.iter().rev().skip(1);
                if !earlier
                    .take_while(|i| i.key >= snapshot.interval)
                    .any(|i| i.changed.get(block))
                {
                    snapshot.skipped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// The intervals that are kept, oldest first.
    pub fn intervals(&self) -> Vec<Interval> {
        self.shared().intervals.clone()
    }

    /// Blocks of `range` changed since the beginning of interval `since`, up to that of `until` or, if
    /// None, until now. At most `most` extents. None if one of the two is not kept (any more).
    pub fn changed(
        &self,
        since: u64,
        until: Option<u64>,
        range: Range<u64>,
        most: usize,
    ) -> Option<Changed> {
        let select = || -> Option<Vec<Interval>> {
            let all = self.intervals();
            let from = all.iter().position(|i| i.key == since)?;
            let to = match until {
                Some(key) => all.iter().position(|i| i.key == key)?,
                None => all.len(),
            };
            (from <= to).then(|| all[from..to].to_vec())
        };
        let keys = |all: &[Interval]| all.iter().map(|i| i.key).collect::<Vec<_>>();
        let mut selected = select()?;
        loop {
            let maps: Vec<&Bitmap> = selected.iter().map(|i| &i.changed).collect();
            let changed = union(&maps, range.clone(), most);
            // An interval that was given up meanwhile may have been cleared while it was read.
            let now = select()?;
            if keys(&now) == keys(&selected) {
                return Some(changed);
            }
            selected = now;
        }
    }

    /// Gives an interval up; what changed in it counts for the one before. The bitmap is the caller's
    /// again when this returns. The running interval stays: whether it was another one.
    pub fn forget_interval(&self, key: u64) -> bool {
        let all = self.intervals();
        let Some(at) = all.iter().position(|i| i.key == key) else {
            return true;
        };
        if at + 1 == all.len() {
            return false;
        }
        if at > 0 {
            all[at - 1].changed.set_all_of(&all[at].changed);
        }
        self.exclusive().intervals.retain(|i| i.key != key);
        true
    }

    /// Whether a snapshot is open that began this interval.
    pub fn is_open(&self, interval: u64) -> bool {
        let open = self.shared();
        open.snapshots.iter().any(|s| s.interval == interval)
    }

    /// Nothing is changed any more: every later change waits for the end of the process.
    pub fn seal(&self) {
        std::mem::forget(self.exclusive());
    }
}

/// How many bits of `map` are set in at least one of the others too.
pub(crate) fn count_common(map: &Bitmap, others: &[&Bitmap]) -> u64 {
    let mut count = 0;
    let mut from = 0;
    while let Some(range) = map.words().occupied(from) {
        from = range.end;
        for number in range {
            let word = map.word(number);
            if word != 0 {
                let others = others.iter().fold(0, |all, o| all | o.word(number));
                count += u64::from((word & others).count_ones());
            }
        }
    }
    count
}

/// The set bits of all maps, as runs.
fn union(maps: &[&Bitmap], range: Range<u64>, most: usize) -> Changed {
    let mut extents: Vec<Range<u64>> = Vec::new();
    let mut views: Vec<View> = maps.iter().map(|map| View { map, range: 0..0 }).collect();
    let mut at = range.start;
    while at < range.end {
        let number = (at / 64) as usize;
        let Some(occupied) = views.iter_mut().filter_map(|v| v.from(number)).min() else {
            break;
        };
        if occupied > number {
            at = occupied as u64 * 64;
            continue;
        }
        let word = maps.iter().fold(0, |word, map| word | map.word(number)) >> (at % 64);
        if word == 0 {
            at = (number as u64 + 1) * 64;
            continue;
        }
        let start = at + u64::from(word.trailing_zeros());
        let ones = u64::from((!(word >> word.trailing_zeros())).trailing_zeros());
        let end = (start + ones).min((number as u64 + 1) * 64).min(range.end);
        if start >= range.end {
            break;
        }
        let full = extents.len() >= most;
        match extents.last_mut() {
            Some(last) if last.end == start => last.end = end,
            Some(_) if full => {
                return Changed {
                    extents,
                    next: start,
                };
            }
            _ => extents.push(start..end),
        }
        at = end;
    }
    Changed {
        extents,
        next: range.end,
    }
}

/// Where a bitmap's memory is in use, as far as it was asked.
struct View<'a> {
    map: &'a Bitmap,
    range: Range<usize>,
}

impl View<'_> {
    /// The first word in use from `number` on.
    fn from(&mut self, number: usize) -> Option<usize> {
        if number >= self.range.end {
            self.range = self
                .map
                .words()
                .occupied(number)
                .unwrap_or(usize::MAX - 1..usize::MAX);
        }
        let first = self.range.start.max(number);
        (self.range.end != usize::MAX).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Arc;
    use crate::sync::atomic::AtomicU64;
    use proptest::prelude::*;

    fn bitmap(bits: &[u64]) -> Bitmap {
        let words: Vec<AtomicU64> = (0..5).map(|_| AtomicU64::new(0)).collect();
        let map = Bitmap::new(Arc::new(words));
        for bit in bits {
            map.set(*bit);
        }
        map
    }

    proptest! {
        #[test]
        fn all_parts_of_an_answer_together_are_the_union(
            maps in prop::collection::vec(prop::collection::vec(0u64..320, 0..150), 0..4),
            from in 0u64..320,
            length in 0u64..400,
            most in 1usize..9,
        ) {
            let bitmaps: Vec<Bitmap> = maps.iter().map(|bits| bitmap(bits)).collect();
            let bitmaps: Vec<&Bitmap> = bitmaps.iter().collect();
            let end = from + length;
            let (mut at, mut told) = (from, Vec::new());
            loop {
                let part = union(&bitmaps, at..end, most);
                prop_assert!(part.extents.len() <= most);
                prop_assert!(part.extents.windows(2).all(|w| w[0].end < w[1].start));
                told.extend(part.extents.into_iter().flatten());
                prop_assert!(part.next > at || part.next == end);
                at = part.next;
                if at == end {
                    break;
                }
            }
            let mut wanted: Vec<u64> =
                maps.into_iter().flatten().filter(|b| (from..end).contains(b)).collect();
            wanted.sort_unstable();
            wanted.dedup();
            prop_assert_eq!(told, wanted);
        }
    }
}
