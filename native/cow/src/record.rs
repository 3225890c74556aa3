//! What the index says of one slot: two words, at twice the slot's number.
//!
//! ```text
//! word 0   block (40 bits) | epoch (24 bits)     0: the slot holds nothing
//! word 1   checksum (CRC-32C of the slot)
//! ```
//!
//! Word 1 is stored before word 0, word 0 with release order, after the slot's content was written:
//! whatever instant the engine dies at, a record is complete or absent. A slot is given up by storing
//! zero in word 0, before the slot can be used again. Epochs begin at 1, so no record's word 0 is 0.

use crate::store::Words;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Blocks that can be named: a volume of 4 EiB.
pub const MAX_BLOCKS: u64 = 1 << 40;
pub const MAX_EPOCH: u32 = (1 << 24) - 1;
/// Words per slot.
pub const WORDS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    pub block: u64,
    pub epoch: u32,
    pub checksum: u32,
}

/// CRC-32C, as slots and cells carry it.
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// The checksum of what has `sum` already and of `bytes` after it.
pub fn checksum_on(sum: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(sum, bytes)
}

/// None while the slot holds nothing, or lies beyond the index.
pub fn load(index: &[AtomicU64], slot: u32) -> Option<Record> {
    let at = slot as usize * WORDS;
    let key = index.get(at)?.load(Ordering::Acquire);
    if key == 0 {
        return None;
    }
    let checksum = index[at + 1].load(Ordering::Relaxed) as u32;
    Some(Record {
        block: key >> 24,
        epoch: (key & u64::from(MAX_EPOCH)) as u32,
        checksum,
    })
}

pub fn store(index: &[AtomicU64], slot: u32, record: Record) {
    debug_assert!(record.block < MAX_BLOCKS && (1..=MAX_EPOCH).contains(&record.epoch));
    let at = slot as usize * WORDS;
    index[at + 1].store(u64::from(record.checksum), Ordering::Relaxed);
    index[at].store(
        record.block << 24 | u64::from(record.epoch),
        Ordering::Release,
    );
}

/// Whether any slot from this one on holds something.
pub fn any_from(index: &dyn Words, slot: u64) -> bool {
    let mut from = slot as usize * WORDS;
    while let Some(range) = index.occupied(from) {
        let slots = range.start.max(from) / WORDS..range.end.div_ceil(WORDS);
        if slots
            .into_iter()
            .any(|slot| load(index.words(), slot as u32).is_some())
        {
            return true;
        }
        from = range.end;
    }
    false
}

pub fn clear(index: &[AtomicU64], slot: u32) {
    index[slot as usize * WORDS].store(0, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Vec<AtomicU64> {
        (0..8).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn a_record_is_read_back_whole() {
        let index = index();
        let record = Record {
            block: MAX_BLOCKS - 1,
            epoch: MAX_EPOCH,
            checksum: u32::MAX,
        };
        store(&index, 3, record);
        assert_eq!(load(&index, 3), Some(record));
        clear(&index, 3);
        assert_eq!(load(&index, 3), None);
    }

    #[test]
    fn it_is_known_whether_slots_beyond_one_hold_something() {
        let index = index();
        let record = Record {
            block: 5,
            epoch: 1,
            checksum: 0,
        };
        assert!(!any_from(&index, 0));
        store(&index, 2, record);
        assert!(any_from(&index, 0) && any_from(&index, 2));
        assert!(!any_from(&index, 3) && !any_from(&index, 4) && !any_from(&index, 99));
    }

    #[test]
    fn a_record_without_its_last_word_is_absent() {
        let index = index();
        index[3].store(77, Ordering::Relaxed);
        assert_eq!(load(&index, 1), None);
    }

    #[test]
    fn a_slot_beyond_the_index_is_absent() {
        assert_eq!(load(&index(), 4), None);
    }
}
