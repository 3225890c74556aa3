//! Starting again after a death, with what it left in the records.
//!
//! Applications wait meanwhile, so each record is looked at as few times as can be: once to take its slot, to
//! count how large its shard of the map becomes, and mostly also to decide who needs it; and once to enter it.
//! A record for which that depends on older pre-images of its block is looked at again when all are entered.
//! Parts of the index that no record was ever stored in are passed over.

use crate::changes;
use crate::map::{BlockMap, Counts, MAX_POOLS, SlotRef};
use crate::pool::Pool;
use crate::record::{self, MAX_BLOCKS, Record};
use crate::sync::atomic::Ordering;
use crate::volume::{Open, Volume};

impl Volume {
    /// Builds the map from the records, and gives up those that no open snapshot needs.
    pub(crate) fn rebuild(&self) {
        let open = self.exclusive();
        let Some(oldest) = open.snapshots.iter().map(|s| s.epoch).min() else {
            drop(open);
            self.sweep();
            return;
        };
        let mut preserved = vec![0; open.snapshots.len()];
        let mut counts = Counts::default();
        let mut undecided = false;
        for (pool, _) in pools(&open) {
            undecided |= self.claim(&open, oldest, pool, &mut counts, &mut preserved);
        }
        self.map.fill(&counts, |enter| {
            for (pool, number) in pools(&open) {
                each_record(pool, |slot, record| {
                    enter(record.block, SlotRef::new(number, slot));
                });
            }
        });
        if undecided {
            self.decide(&open, oldest, &mut preserved);
        }
        for (snapshot, preserved) in open.snapshots.iter().zip(preserved) {
            snapshot.preserved.store(preserved, Ordering::Relaxed);
            let since = open.intervals.iter().rev();
            let since = since.take_while(|i| i.key >= snapshot.interval);
            let skipped = snapshot.free.as_ref().map_or(0, |free| {
                changes::count_common(free, &since.map(|i| &i.changed).collect::<Vec<_>>())
            });
            snapshot.skipped.store(skipped, Ordering::Relaxed);
        }
    }

    /// Takes the slots that have a record, and counts the records for the map. Clears those that cannot be, and
    /// those that nobody needs as far as they alone tell. Whether any were left undecided.
    fn claim(
        &self,
        open: &Open,
        oldest: u32,
        pool: &Pool,
        counts: &mut Counts,
        preserved: &mut [u64],
    ) -> bool {
        let blocks = self.size().div_ceil(crate::BLOCK as u64).min(MAX_BLOCKS);
        let mut undecided = false;
        pool.claim_all(|claim| {
            each_record(pool, |slot, record| {
                let possible = record.block < blocks && record.epoch <= open.epoch;
                let later = needs_older(oldest, record);
                undecided |= possible && later;
                if possible && (later || count_users(open, record, 0, preserved)) {
                    counts.add(record.block);
                    claim(slot);
                } else {
                    record::clear(pool.index.words(), slot);
                }
            });
        });
        undecided
    }

    /// Counts, or gives up, the records that `claim` left undecided.
    fn decide(&self, open: &Open, oldest: u32, preserved: &mut [u64]) {
        for (pool, number) in pools(open) {
            let mut unneeded = Vec::new();
            each_record(pool, |slot, record| {
                if needs_older(oldest, record) {
                    let older = older_epoch(&self.map, record);
                    if !count_users(open, record, older, preserved) {
                        unneeded.push((SlotRef::new(number, slot), record.block));
                    }
                }
            });
            for (at, block) in unneeded {
                self.map.remove(block, at);
                pool.free(at.slot());
            }
        }
    }
}

/// Whether it matters if the block has an older pre-image. Where that would be older than all snapshots, as every
/// one is while a single snapshot is open, none reads it.
fn needs_older(oldest: u32, record: Record) -> bool {
    oldest < record.epoch
}

/// The epoch of the block's newest pre-image that is older than this one; 0 if there is none.
fn older_epoch(map: &BlockMap, record: Record) -> u32 {
    let mut older = 0;
    map.each(record.block, |_, other| {
        if other.epoch < record.epoch {
            older = older.max(other.epoch);
        }
    });
    older
}

/// Counts the record for each snapshot that reads its block from it; whether any does. Snapshots up to the epoch
/// `older` read an older pre-image.
fn count_users(open: &Open, record: Record, older: u32, preserved: &mut [u64]) -> bool {
    let mut used = false;
    for (snapshot, count) in open.snapshots.iter().zip(preserved) {
        let reads = snapshot.epoch <= record.epoch && snapshot.epoch > older;
        if reads && snapshot.wants(record.block) {
            *count += 1;
            used = true;
        }
    }
    used
}

fn pools(open: &Open) -> impl Iterator<Item = (&Pool, usize)> {
    (0..MAX_POOLS).filter_map(|n| open.pools[n].as_deref().map(|pool| (pool, n)))
}

fn each_record(pool: &Pool, mut see: impl FnMut(u32, Record)) {
    let words = pool.index.words();
    let end = pool.reserved() as usize * record::WORDS;
    let mut from = 0;
    while let Some(range) = pool.index.occupied(from).filter(|r| r.start < end) {
        from = range.end;
        let slots = range.start / record::WORDS..range.end.min(end).div_ceil(record::WORDS);
        for slot in slots {
            if let Some(record) = record::load(words, slot as u32) {
                see(slot as u32, record);
            }
        }
    }
}
