//! The slots of one cache file: which are used, how many have room on disk, how that grows.
//!
//! A slot is free, or used from the moment it is handed out. Growth happens ahead of need, by
//! [`STEP`] slots, on a thread of its own; only when that came too late does a writer grow the file
//! itself, and then by no more than it needs (rounded to 1 MiB). `growing` is held across the
//! system call, `slots` never is.

use crate::map::MAX_SLOTS;
use crate::store::{SlotStore, Words};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::io;

/// Slots added at a time ahead of need: 16 MiB.
pub const STEP: u64 = 4096;
/// Below this many free slots the file grows ahead.
const LOW: u64 = STEP / 2;
/// What a writer that must wait for room rounds to: 1 MiB.
const URGENT_STEP: u64 = 256;

pub struct Pool {
    store: Arc<dyn SlotStore>,
    pub(crate) index: Arc<dyn Words>,
    slots: Mutex<Slots>,
    growing: Mutex<()>,
    max_slots: AtomicU64,
    /// Whether the disk had no room when it was last asked.
    stalled: AtomicBool,
}

#[derive(Default)]
struct Slots {
    /// A bit for each slot with room, set while used.
    used: Vec<u64>,
    reserved: u64,
    used_count: u64,
    /// Where to look first.
    cursor: usize,
}

/// Why there is no slot.
#[derive(Debug)]
pub enum NoRoom {
    Maximum { max_slots: u64 },
    Disk(io::Error),
}

impl Pool {
    /// `reserved`: slots that have room on disk already.
    pub fn new(
        store: Arc<dyn SlotStore>,
        index: Arc<dyn Words>,
        reserved: u64,
        max_slots: u64,
    ) -> Self {
        let pool = Pool {
            store,
            index,
            slots: Mutex::default(),
            growing: Mutex::default(),
            max_slots: AtomicU64::new(max_slots.min(MAX_SLOTS)),
            stalled: AtomicBool::new(false),
        };
        pool.slots().set_reserved(reserved.min(MAX_SLOTS));
        pool
    }

    pub fn store(&self) -> &dyn SlotStore {
        &*self.store
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn max_slots(&self) -> u64 {
        self.max_slots.load(Ordering::Relaxed)
    }

    /// Slots beyond a lower maximum stay as long as they are used.
    pub fn set_max_slots(&self, slots: u64) {
        self.max_slots
            .store(slots.min(MAX_SLOTS), Ordering::Relaxed);
    }

    pub fn reserved(&self) -> u64 {
        self.slots().reserved
    }

    pub fn used(&self) -> u64 {
        self.slots().used_count
    }

    /// Whether it should grow ahead of need.
    pub fn low(&self) -> bool {
        let max = self.max_slots();
        let slots = self.slots();
        slots.reserved < max && slots.reserved - slots.used_count < LOW
    }

    /// Whether its maximum is so near that the next pool should have room ready.
    pub fn nearly_full(&self) -> bool {
        let max = self.max_slots();
        let slots = self.slots();
        slots.reserved >= max && slots.reserved.saturating_sub(slots.used_count) < LOW
    }

    /// Hands out up to `count` neighbouring slots, unless the disk must be asked that had no room when
    /// it was asked last, or the maximum is reached.
    pub(crate) fn allocate_soon(&self, count: u64) -> Option<(u32, u64)> {
        if self.stalled.load(Ordering::Relaxed) {
            return self.slots().take(count, self.max_slots());
        }
        self.allocate(count).ok()
    }

    /// Hands out up to `count` neighbouring slots, growing the file if none is free.
    pub fn allocate(&self, count: u64) -> Result<(u32, u64), NoRoom> {
        loop {
            if let Some(run) = self.slots().take(count, self.max_slots()) {
                return Ok(run);
            }
            self.grow(count.next_multiple_of(URGENT_STEP), count)?;
        }
    }

    /// Grows ahead by one step, if low.
    pub fn grow_ahead(&self) -> Result<(), NoRoom> {
        if self.low() {
            self.grow(STEP, 1)
        } else {
            Ok(())
        }
    }

    /// Reserves up to `total` slots, now.
    pub fn reserve(&self, total: u64) -> io::Result<()> {
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let total = total.min(MAX_SLOTS);
        if self.reserved() < total {
            self.store.reserve(total)?;
            self.stalled.store(false, Ordering::Relaxed);
            self.slots().set_reserved(total);
        }
        Ok(())
    }

    /// Adds `wanted` slots, or where the disk has no room for so many, `least`.
    fn grow(&self, wanted: u64, least: u64) -> Result<(), NoRoom> {
        let before = self.reserved();
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let reserved = self.reserved();
        if reserved != before {
            // Somebody else has just grown it.
            return Ok(());
        }
        let max_slots = self.max_slots();
        if reserved >= max_slots {
            return Err(NoRoom::Maximum { max_slots });
        }
        let mut target = (reserved + wanted).min(max_slots);
        let mut result = self.store.reserve(target);
        if result.is_err() && wanted > least {
            target = (reserved + least).min(max_slots);
            result = self.store.reserve(target);
        }
        self.stalled.store(result.is_err(), Ordering::Relaxed);
        result.map_err(NoRoom::Disk)?;
        self.slots().set_reserved(target);
        Ok(())
    }

    pub fn free(&self, slot: u32) {
        self.slots().free(slot);
    }

    /// Marks the slots as used that `each` tells, whose records were found after a restart.
    pub(crate) fn claim_all(&self, each: impl FnOnce(&mut dyn FnMut(u32))) {
        let mut found = Vec::new();
        std::mem::swap(&mut found, &mut self.slots().used);
        let mut count = 0;
        each(&mut |slot| {
            found[slot as usize / 64] |= 1 << (slot % 64);
            count += 1;
        });
        let mut slots = self.slots();
        slots.used = found;
        slots.used_count = count;
    }

    /// Frees all.
    pub(crate) fn free_all(&self) {
        let mut slots = self.slots();
        slots.used.fill(0);
        slots.used_count = 0;
        slots.cursor = 0;
    }

    /// The used slots among 64 from `64 * word` on, as bits; None beyond the end.
    pub(crate) fn used_word(&self, word: usize) -> Option<u64> {
        self.slots().used.get(word).copied()
    }
}

impl Slots {
    fn set_reserved(&mut self, slots: u64) {
        self.reserved = slots;
        self.used.resize(slots.div_ceil(64) as usize, 0);
    }

    /// Next fit: the first free slot from the cursor on, and the free ones directly after it.
    fn take(&mut self, count: u64, max_slots: u64) -> Option<(u32, u64)> {
        let end = self.reserved.min(max_slots);
        if self.used_count >= end {
            return None;
        }
        let words = end.div_ceil(64) as usize;
        let first = (0..=words).find_map(|n| {
            let word = (self.cursor + n) % words;
            let bit = u64::from((!self.used[word]).trailing_zeros());
            let slot = word as u64 * 64 + bit;
            (bit < 64 && slot < end).then_some(slot)
        })?;
        let mut taken = 0;
        while taken < count && first + taken < end && !self.is_used(first + taken) {
            self.claim((first + taken) as u32);
            taken += 1;
        }
        self.cursor = ((first + taken) / 64) as usize % words;
        Some((first as u32, taken))
    }

    fn is_used(&self, slot: u64) -> bool {
        self.used[(slot / 64) as usize] & (1 << (slot % 64)) != 0
    }

    fn claim(&mut self, slot: u32) {
        if !self.is_used(u64::from(slot)) {
            self.used[slot as usize / 64] |= 1 << (slot % 64);
            self.used_count += 1;
        }
    }

    fn free(&mut self, slot: u32) {
        if self.is_used(u64::from(slot)) {
            self.used[slot as usize / 64] &= !(1 << (slot % 64));
            self.used_count -= 1;
        }
    }
}
