//! Which slots hold pre-images of a block.
//!
//! The records themselves lie in the index (16 bytes a slot, in words that outlive the process). The
//! map holds only slot numbers, hashed by block, in open addressing; to compare a key it looks at the
//! record. A block that was preserved in several epochs has several entries on one probe path.
//!
//! Memory: the table grows by half when it is 85 % full, so an entry costs 4 / 0.57 = 7 bytes at
//! most, and 23 bytes with its record. It is split into shards, so that growing copies a small part.
//! Neighbouring blocks share a shard.

use crate::record::{self, Record};
use crate::store::Words;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, locked};

/// A slot of a pool: 2 bits of pool, 30 of slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotRef(u32);

/// Cache files that a volume can have at once.
pub const MAX_POOLS: usize = 4;
/// Slots that one cache file can have: 4 TiB, less one slot.
pub const MAX_SLOTS: u64 = (1 << 30) - 1;

const EMPTY: SlotRef = SlotRef(u32::MAX);
const SHARDS: usize = 256;
const GROUP_SHIFT: u32 = 6;
/// Entries whose places are fetched together when the map is filled.
const FILL_BATCH: usize = 64;

impl SlotRef {
    pub fn new(pool: usize, slot: u32) -> Self {
        debug_assert!(pool < MAX_POOLS && u64::from(slot) < MAX_SLOTS);
        SlotRef((pool as u32) << 30 | slot)
    }

    pub fn pool(self) -> usize {
        (self.0 >> 30) as usize
    }

    pub fn slot(self) -> u32 {
        self.0 & ((1 << 30) - 1)
    }
}

pub struct BlockMap {
    shards: Vec<Mutex<Shard>>,
    indexes: Vec<Arc<dyn Words>>,
}

/// How many entries each shard is to have.
pub struct Counts(Vec<usize>);

impl Default for Counts {
    fn default() -> Self {
        Counts(vec![0; SHARDS])
    }
}

impl Counts {
    pub fn add(&mut self, block: u64) {
        self.0[shard_number(block)] += 1;
    }
}

#[derive(Default)]
struct Shard {
    slots: Vec<SlotRef>,
    count: usize,
}

impl BlockMap {
    /// `indexes`: for each pool the words of its records.
    pub fn new(indexes: Vec<Arc<dyn Words>>) -> Self {
        BlockMap {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            indexes,
        }
    }

    fn shard(&self, block: u64) -> MutexGuard<'_, Shard> {
        locked(&self.shards[shard_number(block)])
    }

    /// The record of a slot, if it holds one.
    pub fn record(&self, at: SlotRef) -> Option<Record> {
        record::load(self.indexes[at.pool()].words(), at.slot())
    }

    /// The newest epoch that `block` was preserved in; 0 if in none.
    pub fn newest(&self, block: u64) -> u32 {
        let mut newest = 0;
        self.each(block, |_, record| newest = newest.max(record.epoch));
        newest
    }

    /// The earliest pre-image of `block` with an epoch of at least `epoch`.
    pub fn earliest(&self, block: u64, epoch: u32) -> Option<(SlotRef, Record)> {
        let mut found: Option<(SlotRef, Record)> = None;
        self.each(block, |at, record| {
            if record.epoch >= epoch && found.is_none_or(|(_, f)| record.epoch < f.epoch) {
                found = Some((at, record));
            }
        });
        found
    }

    /// Every pre-image of `block`.
    pub fn all(&self, block: u64) -> Vec<(SlotRef, Record)> {
        let mut found = Vec::new();
        self.each(block, |at, record| found.push((at, record)));
        found
    }

    pub(crate) fn each(&self, block: u64, mut see: impl FnMut(SlotRef, Record)) {
        let shard = self.shard(block);
        if shard.count == 0 {
            return;
        }
        let mut place = home(block, shard.slots.len());
        while shard.slots[place] != EMPTY {
            let at = shard.slots[place];
            if let Some(record) = self.record(at)
                && record.block == block
            {
                see(at, record);
            }
            place = next(place, shard.slots.len());
        }
    }

    /// Stores a slot's record and enters it, as one step for everyone who looks up: whoever sees the
    /// record finds it here.
    pub fn store(&self, at: SlotRef, record: Record) {
        let mut shard = self.shard(record.block);
        record::store(self.indexes[at.pool()].words(), at.slot(), record);
        self.enter(&mut shard, record.block, at);
    }

    /// Enters a slot whose record is stored already, while nobody else is there.
    pub fn insert(&self, block: u64, at: SlotRef) {
        self.enter(&mut self.shard(block), block, at);
    }

    fn enter(&self, shard: &mut Shard, block: u64, at: SlotRef) {
        if (shard.count + 1) * 100 > shard.slots.len() * 85 {
            self.grow(shard);
        }
        place_in(&mut shard.slots, block, at);
        shard.count += 1;
    }

    /// Enters many slots into an empty map: those, and no others, whose blocks were counted.
    pub fn fill(&self, counts: &Counts, each: impl FnOnce(&mut dyn FnMut(u64, SlotRef))) {
        let mut shards: Vec<_> = self.shards.iter().map(locked).collect();
        for (shard, count) in shards.iter_mut().zip(&counts.0).filter(|(_, c)| **c > 0) {
            shard.count = *count;
            shard.slots = vec![EMPTY; (count * 4).div_ceil(3).max(16)];
        }
        let mut batch = Vec::with_capacity(FILL_BATCH);
        each(&mut |block, at| {
            let number = shard_number(block);
            batch.push((number, home(block, shards[number].slots.len()), at));
            if batch.len() == FILL_BATCH {
                place_all(&mut shards, &mut batch);
            }
        });
        place_all(&mut shards, &mut batch);
    }

    fn grow(&self, shard: &mut Shard) {
        let length = (shard.slots.len() * 3 / 2).max(16);
        let old = std::mem::replace(&mut shard.slots, vec![EMPTY; length]);
        for at in old.into_iter().filter(|at| *at != EMPTY) {
            if let Some(record) = self.record(at) {
                place_in(&mut shard.slots, record.block, at);
            }
        }
    }

    /// Takes a slot out and clears its record, as one step for everyone who looks up.
    pub fn remove(&self, block: u64, at: SlotRef) {
        let mut guard = self.shard(block);
        let shard = &mut *guard;
        let length = shard.slots.len();
        if shard.count == 0 {
            return;
        }
        let mut hole = home(block, length);
        while shard.slots[hole] != at {
            if shard.slots[hole] == EMPTY {
                return;
            }
            hole = next(hole, length);
        }
        // Close the gap: an entry after it may move in if its home is not between gap and entry.
        let mut place = hole;
        loop {
            place = next(place, length);
            let moving = shard.slots[place];
            if moving == EMPTY {
                break;
            }
            let Some(record) = self.record(moving) else {
                continue;
            };
            let wanted = home(record.block, length);
            let distance_to = |p: usize| (p + length - wanted) % length;
            if distance_to(hole) < distance_to(place) {
                shard.slots[hole] = moving;
                hole = place;
            }
        }
        shard.slots[hole] = EMPTY;
        shard.count -= 1;
        record::clear(self.indexes[at.pool()].words(), at.slot());
    }

    /// Forgets everything and gives the memory back. Does not touch the records.
    pub fn clear(&self) {
        for shard in &self.shards {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
    }

    /// Bytes of the tables, without the records.
    pub fn memory(&self) -> usize {
        let shards = self.shards.iter();
        shards
            .map(|s| {
                s.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .slots
                    .capacity()
                    * 4
            })
            .sum()
    }
}

fn shard_number(block: u64) -> usize {
    mix(block >> GROUP_SHIFT) as usize % SHARDS
}

/// Enters a batch. All its places are looked at first, so that the processor waits for memory once, not once for
/// each.
fn place_all(shards: &mut [MutexGuard<'_, Shard>], batch: &mut Vec<(usize, usize, SlotRef)>) {
    let seen = batch.iter().fold(0, |seen, (number, place, _)| {
        seen ^ shards[*number].slots[*place].0
    });
    std::hint::black_box(seen);
    for (number, place, at) in batch.drain(..) {
        place_from(&mut shards[number].slots, place, at);
    }
}

fn place_in(slots: &mut [SlotRef], block: u64, at: SlotRef) {
    place_from(slots, home(block, slots.len()), at);
}

/// In the first empty place from this one on.
fn place_from(slots: &mut [SlotRef], mut place: usize, at: SlotRef) {
    while slots[place] != EMPTY {
        place = next(place, slots.len());
    }
    slots[place] = at;
}

fn next(place: usize, length: usize) -> usize {
    if place + 1 == length { 0 } else { place + 1 }
}

/// The upper bits of the product choose the place, so any length of table will do.
fn home(block: u64, length: usize) -> usize {
    ((mix(block) * length as u64) >> 32) as usize
}

/// 32 well-mixed bits (the finaliser of SplitMix64).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::atomic::AtomicU64;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn map(slots: usize) -> (BlockMap, Arc<dyn Words>) {
        let words: Vec<AtomicU64> = (0..slots * record::WORDS)
            .map(|_| AtomicU64::new(0))
            .collect();
        let words: Arc<dyn Words> = Arc::new(words);
        (BlockMap::new(vec![words.clone()]), words)
    }

    fn add(map: &BlockMap, words: &Arc<dyn Words>, slot: u32, block: u64, epoch: u32) {
        let record = Record {
            block,
            epoch,
            checksum: 0,
        };
        record::store(words.words(), slot, record);
        map.insert(block, SlotRef::new(0, slot));
    }

    proptest! {
        #[test]
        fn look_ups_agree_with_an_ordered_map(
            steps in prop::collection::vec((any::<bool>(), 0u64..40, 1u32..5), 1..300)
        ) {
            let (map, words) = map(400);
            let mut model: BTreeMap<(u64, u32), u32> = BTreeMap::new();
            for (slot, (adding, block, epoch)) in steps.into_iter().enumerate() {
                if adding && !model.contains_key(&(block, epoch)) {
                    add(&map, &words, slot as u32, block, epoch);
                    model.insert((block, epoch), slot as u32);
                } else if let Some(slot) = model.remove(&(block, epoch)) {
                    map.remove(block, SlotRef::new(0, slot));
                }
                for block in 0..40 {
                    let newest = model.range((block, 0)..(block + 1, 0)).next_back();
                    prop_assert_eq!(map.newest(block), newest.map_or(0, |((_, e), _)| *e));
                    let earliest = model.range((block, 2)..(block + 1, 0)).next();
                    let found = map.earliest(block, 2).map(|(at, _)| at.slot());
                    prop_assert_eq!(found, earliest.map(|(_, s)| *s));
                }
            }
        }
    }

    #[test]
    fn a_map_filled_at_once_finds_what_one_filled_singly_does() {
        let slots = 5000;
        let (singly, words) = map(slots);
        for slot in 0..slots as u32 {
            add(
                &singly,
                &words,
                slot,
                u64::from(slot) * 31 % 977,
                1 + slot / 977,
            );
        }
        let at_once = BlockMap::new(vec![words.clone()]);
        let mut counts = Counts::default();
        for slot in 0..slots as u64 {
            counts.add(slot * 31 % 977);
        }
        at_once.fill(&counts, |enter| {
            for slot in 0..slots as u32 {
                enter(u64::from(slot) * 31 % 977, SlotRef::new(0, slot));
            }
        });
        for block in 0..1000 {
            assert_eq!(at_once.newest(block), singly.newest(block));
            for epoch in 1..8 {
                assert_eq!(
                    at_once.earliest(block, epoch),
                    singly.earliest(block, epoch)
                );
            }
        }
        at_once.insert(5000, SlotRef::new(0, 0));
        assert!(at_once.memory() <= slots * 8);
    }

    #[test]
    fn a_preserved_block_costs_at_most_24_bytes() {
        let slots = 200_000;
        let (map, words) = map(slots);
        for slot in 0..slots as u32 {
            add(&map, &words, slot, u64::from(slot) * 7919 % 1_000_003, 1);
            let count = slot as usize + 1;
            if count.is_multiple_of(10_000) {
                let bytes = map.memory() + count * 16;
                assert!(bytes <= count * 24, "{bytes} bytes for {count} blocks");
            }
        }
    }
}
