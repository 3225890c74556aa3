//! Ending snapshots, giving up the pre-images that nobody needs, and starting again after a death.
//!
//! A pre-image of block *b* from epoch *e* is needed by snapshot *s* if *s* is not newer than *e*, *b*
//! was not free at *s*, and *b* has no pre-image of an epoch from *s* up to before *e*. Needs only
//! ever cease: a new snapshot is newer than every record. So giving up can be interrupted anywhere,
//! and runs beside writes and reads.

use crate::map::{MAX_POOLS, SlotRef};
use crate::record::{self, MAX_BLOCKS, MAX_EPOCH};
use crate::volume::{Open, Volume};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Volume {
    /// Ends a snapshot: it cannot be read when this returns. `committed` runs before pre-images are
    /// given up. Returns how many slots were freed.
    pub fn release(&self, key: u64, committed: impl FnOnce()) -> u64 {
        let mut open = self.exclusive();
        open.snapshots.retain(|s| s.key != key);
        committed();
        drop(open);
        self.sweep()
    }

    pub(crate) fn sweep_later(&self) {
        self.unswept.store(true, Ordering::SeqCst);
        self.room.ask();
    }

    /// Frees the slots that no open snapshot needs. Returns how many.
    pub fn sweep(&self) -> u64 {
        let _one = self.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        self.unswept.store(false, Ordering::SeqCst);
        let mut open = self.exclusive();
        let freed = if open.snapshots.is_empty() {
            self.forget_all(&mut open)
        } else {
            drop(open);
            (0..MAX_POOLS).map(|n| self.sweep_pool(n)).sum()
        };
        if freed > 0 {
            self.room_made();
        }
        freed
    }

    fn forget_all(&self, open: &mut Open) -> u64 {
        let mut freed = 0;
        self.map.clear();
        for pool in open.pools.iter().flatten() {
            freed += pool.used();
            pool.index.clear();
            pool.free_all();
        }
        if open.epoch > MAX_EPOCH / 2 {
            open.epoch = 0;
        }
        freed
    }

    fn sweep_pool(&self, number: usize) -> u64 {
        let mut freed = 0;
        for word in 0.. {
            // The lock is taken anew for every 64 slots, so that nobody waits long for it.
            let open = self.shared();
            let Some(pool) = open.pools[number].clone() else {
                break;
            };
            let Some(mut used) = pool.used_word(word) else {
                break;
            };
            while used != 0 {
                let slot = word as u32 * 64 + used.trailing_zeros();
                used &= used - 1;
                let at = SlotRef::new(number, slot);
                // A used slot without a record belongs to a writer that is about to store it.
                let Some(record) = self.map.record(at) else {
                    continue;
                };
                if !self.needed(&open, at, record.block, record.epoch) {
                    self.map.remove(record.block, at);
                    pool.free(slot);
                    freed += 1;
                }
            }
        }
        freed
    }

    fn needed(&self, open: &Open, at: SlotRef, block: u64, epoch: u32) -> bool {
        open.snapshots
            .iter()
            .take_while(|s| s.epoch <= epoch)
            .filter(|s| !s.was_free(block))
            .any(|s| {
                self.map
                    .earliest(block, s.epoch)
                    .is_some_and(|(a, _)| a == at)
            })
    }

    /// Builds the map from the records, then gives up what is not needed.
    pub(crate) fn rebuild(&self) {
        let open = self.exclusive();
        let blocks = self.size().div_ceil(crate::BLOCK as u64).min(MAX_BLOCKS);
        for (number, pool) in open.pools.iter().enumerate() {
            let Some(pool) = pool else { continue };
            for slot in 0..pool.reserved() as u32 {
                let at = SlotRef::new(number, slot);
                match self.map.record(at) {
                    Some(r) if r.block < blocks && r.epoch <= open.epoch => {
                        pool.claim(slot);
                        self.map.insert(r.block, at);
                    }
                    Some(_) => record::clear(pool.index.words(), slot),
                    None => {}
                }
            }
        }
        drop(open);
        self.sweep();
        self.recount();
    }

    /// Counts anew what each snapshot reads from the cache, and what it was spared.
    fn recount(&self) {
        let open = self.exclusive();
        for snapshot in &open.snapshots {
            let free = snapshot.free.as_ref();
            let skipped = free.map_or(0, |free| free.count_common(&self.touched));
            snapshot.skipped.store(skipped, Ordering::Relaxed);
        }
        for (number, pool) in open.pools.iter().enumerate() {
            let Some(pool) = pool else { continue };
            for slot in 0..pool.reserved() as u32 {
                let at = SlotRef::new(number, slot);
                let Some(record) = self.map.record(at) else {
                    continue;
                };
                for snapshot in open
                    .snapshots
                    .iter()
                    .filter(|s| s.epoch <= record.epoch && !s.was_free(record.block))
                {
                    let first = self.map.earliest(record.block, snapshot.epoch);
                    if first.is_some_and(|(a, _)| a == at) {
                        snapshot.preserved.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// For a thread of its own: grows pools ahead of need and gives up pre-images of lost snapshots.
    /// Waits up to `timeout` for work.
    pub fn make_room(&self, timeout: Duration) {
        self.room.wait_asked(timeout);
        if self.unswept.load(Ordering::SeqCst) {
            self.sweep();
        }
        let pools: Vec<_> = {
            let open = self.shared();
            let used = open.snapshots.iter().map(|s| s.pool);
            used.filter_map(|n| open.pools[n].clone()).collect()
        };
        for pool in pools {
            // A failure here is met again, and then told, by the writer that finds no slot.
            let _ = pool.grow_ahead();
        }
    }
}
