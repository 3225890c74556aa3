//! Ending snapshots and giving up the pre-images that nobody needs.
//!
//! A pre-image of block *b* from epoch *e* is needed by snapshot *s* if *s* is not newer than *e*, *b*
//! was not free at *s*, the reader of *s* has not passed *b*, and *b* has no pre-image of an epoch from
//! *s* up to before *e*. Needs only ever cease: a new snapshot is newer than every record. So giving
//! up can be interrupted anywhere, and runs beside writes and reads.

use crate::map::{MAX_POOLS, SlotRef};
use crate::pool::Pool;
use crate::record::{MAX_EPOCH, Record};
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, PoisonError};
use crate::volume::{Open, Snapshot, Volume};
use std::ops::Range;
use std::time::Duration;

impl Volume {
    /// Ends a snapshot: it cannot be read when this returns. `commit` stores that where the next engine finds it.
    /// What only it needed is given up by the next sweep.
    pub fn end_snapshot<R>(&self, key: u64, commit: impl FnOnce() -> R) -> R {
        let mut open = self.exclusive();
        open.snapshots.retain(|s| s.key != key);
        commit()
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
            let mut freed = 0;
            self.each_used(|open, at, record| freed += u64::from(self.give_up(open, at, record)));
            freed
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

    /// Calls `see` with every slot that is used, and its record.
    fn each_used(&self, mut see: impl FnMut(&Open, SlotRef, Record)) {
        for number in 0..MAX_POOLS {
            for word in 0.. {
                // The lock is taken anew for every 64 slots, so that nobody waits long for it.
                let open = self.shared();
                let Some(pool) = &open.pools[number] else {
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
                    if let Some(record) = self.map.record(at) {
                        see(&open, at, record);
                    }
                }
            }
        }
    }

    /// The same with every pre-image of these blocks.
    fn each_of(&self, blocks: Range<u64>, mut see: impl FnMut(&Open, SlotRef, Record)) {
        let used: u64 = self.shared().pools.iter().flatten().map(|p| p.used()).sum();
        // Whichever is less to look through: the slots, or the blocks.
        if used < blocks.end.saturating_sub(blocks.start) {
            return self.each_used(|open, at, record| {
                if blocks.contains(&record.block) {
                    see(open, at, record);
                }
            });
        }
        for start in blocks.clone().step_by(64) {
            let open = self.shared();
            for block in start..(start + 64).min(blocks.end) {
                for (at, record) in self.map.all(block) {
                    see(&open, at, record);
                }
            }
        }
    }

    /// The reader of a snapshot says that it has read everything below block `to`, and will not come
    /// back: frees the pre-images there that nobody else needs, and asks for no others. Stored by the
    /// caller where the next engine finds it. Returns how many slots were freed.
    pub fn passed(&self, key: u64, to: u64) -> u64 {
        let _one = self.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = {
            // Exclusive: no read of what lies behind is under way when the first write goes through.
            let mut open = self.exclusive();
            let Some(snapshot) = open.snapshots.iter_mut().find(|s| s.key == key) else {
                return 0;
            };
            let from = snapshot.read_to;
            snapshot.read_to = from.max(to);
            from..to
        };
        // Before the first is given up: of several pre-images of a block the snapshot read the earliest.
        let mut unread = 0;
        self.each_of(passed.clone(), |open, at, record| {
            let snapshot = open.find(key).filter(|s| !s.was_free(record.block));
            unread += u64::from(snapshot.is_some_and(|s| self.serves(s, at, record)));
        });
        self.with_snapshot(key, |s| {
            // A writer may have preserved one of them just now, for another snapshot.
            let less = |preserved: u64| Some(preserved.saturating_sub(unread));
            s.preserved
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        });
        let mut freed = 0;
        self.each_of(passed, |open, at, record| {
            freed += u64::from(self.give_up(open, at, record))
        });
        if freed > 0 {
            self.room_made();
        }
        freed
    }

    /// Frees a slot if no open snapshot needs it; whether it did.
    fn give_up(&self, open: &Open, at: SlotRef, record: Record) -> bool {
        let needed = open
            .snapshots
            .iter()
            .take_while(|s| s.epoch <= record.epoch);
        if needed
            .filter(|s| s.wants(record.block))
            .any(|s| self.serves(s, at, record))
        {
            return false;
        }
        self.map.remove(record.block, at);
        if let Some(pool) = &open.pools[at.pool()] {
            pool.free(at.slot());
        }
        true
    }

    /// Whether this is the pre-image that the snapshot reads its block from.
    fn serves(&self, snapshot: &Snapshot, at: SlotRef, record: Record) -> bool {
        let earliest = self.map.earliest(record.block, snapshot.epoch);
        earliest.is_some_and(|(found, _)| found == at)
    }

    /// For a thread of its own: grows pools ahead of need and gives up pre-images of lost snapshots.
    /// Waits up to `timeout` for work.
    pub fn make_room(&self, timeout: Duration) {
        self.room.wait_asked(timeout);
        if self.unswept.load(Ordering::SeqCst) {
            self.sweep();
        }
        let orders: Vec<Vec<Arc<Pool>>> = {
            let open = self.shared();
            let pools = |s: &Snapshot| {
                let numbers = s.pools.iter();
                numbers.filter_map(|n| open.pools[*n].clone()).collect()
            };
            open.snapshots.iter().map(pools).collect()
        };
        for order in orders {
            // A failure here is met again, and then told, by the writer that finds no slot.
            let _ = order
                .iter()
                .find(|pool| pool.grow_ahead().is_ok() && !pool.nearly_full());
        }
    }
}
