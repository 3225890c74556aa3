//! Starting again after a death, with what it left in the records.
//!
//! Applications wait meanwhile, so each record is looked at as few times as can be: once to count how
//! large each shard of the map becomes, once to enter it, and once, when all are there, to decide who
//! needs it. Parts of the index that no record was ever stored in are passed over.

use crate::changes;
use crate::map::{BlockMap, MAX_POOLS, SlotRef};
use crate::pool::Pool;
use crate::record::{self, MAX_BLOCKS, Record};
use crate::sync::atomic::Ordering;
use crate::volume::{Open, Volume};

impl Volume {
    /// Builds the map from the records, and gives up those that no open snapshot needs.
    pub(crate) fn rebuild(&self) {
        let open = self.exclusive();
        if open.snapshots.is_empty() {
            drop(open);
            self.sweep();
            return;
        }
        for (pool, number) in pools(&open) {
            self.claim(&open, pool, number);
        }
        self.map.fill(|enter| {
            for (pool, number) in pools(&open) {
                each_record(&self.map, pool, number, |at, record| {
                    enter(record.block, at)
                });
            }
        });
        for (pool, number) in pools(&open) {
            let mut unneeded = Vec::new();
            each_record(&self.map, pool, number, |at, record| {
                if !self.count_users(&open, record) {
                    unneeded.push((at, record.block));
                }
            });
            for (at, block) in unneeded {
                self.map.remove(block, at);
                pool.free(at.slot());
            }
        }
        for snapshot in &open.snapshots {
            let since = open.intervals.iter().rev();
            let since = since.take_while(|i| i.key >= snapshot.interval);
            let skipped = snapshot.free.as_ref().map_or(0, |free| {
                changes::count_common(free, &since.map(|i| &i.changed).collect::<Vec<_>>())
            });
            snapshot.skipped.store(skipped, Ordering::Relaxed);
        }
    }

    /// Takes the slots that have a record; clears records that cannot be.
    fn claim(&self, open: &Open, pool: &Pool, number: usize) {
        let blocks = self.size().div_ceil(crate::BLOCK as u64).min(MAX_BLOCKS);
        let mut impossible = Vec::new();
        pool.claim_all(|claim| {
            each_record(&self.map, pool, number, |at, record| {
                if record.block < blocks && record.epoch <= open.epoch {
                    claim(at.slot());
                } else {
                    impossible.push(at.slot());
                }
            });
        });
        for slot in impossible {
            record::clear(pool.index.words(), slot);
        }
    }

    /// Counts the record for each snapshot that reads its block from it; whether any does.
    fn count_users(&self, open: &Open, record: Record) -> bool {
        let oldest = open.snapshots.iter().map(|s| s.epoch).min();
        // The epoch of the block's newest pre-image that is older than this one, 0 if there is none:
        // snapshots up to that one read the older pre-image. Where it would be older than all of them, it
        // matters to none, and is not looked for: that is every record while one snapshot is open.
        let mut older = 0;
        if oldest.is_some_and(|epoch| epoch < record.epoch) {
            self.map.each(record.block, |_, other| {
                if other.epoch < record.epoch {
                    older = older.max(other.epoch);
                }
            });
        }
        let mut used = false;
        for snapshot in &open.snapshots {
            let reads = snapshot.epoch <= record.epoch && snapshot.epoch > older;
            if reads && snapshot.wants(record.block) {
                snapshot.preserved.fetch_add(1, Ordering::Relaxed);
                used = true;
            }
        }
        used
    }
}

fn pools(open: &Open) -> impl Iterator<Item = (&Pool, usize)> {
    (0..MAX_POOLS).filter_map(|n| open.pools[n].as_deref().map(|pool| (pool, n)))
}

fn each_record(map: &BlockMap, pool: &Pool, number: usize, mut see: impl FnMut(SlotRef, Record)) {
    let end = pool.reserved() as usize * record::WORDS;
    let mut from = 0;
    while let Some(range) = pool.index.occupied(from).filter(|r| r.start < end) {
        from = range.end;
        let slots = range.start / record::WORDS..range.end.min(end).div_ceil(record::WORDS);
        for slot in slots {
            let at = SlotRef::new(number, slot as u32);
            if let Some(record) = map.record(at) {
                see(at, record);
            }
        }
    }
}
