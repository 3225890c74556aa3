//! What copy-on-write needs of the world.

use crate::sync::atomic::{AtomicU64, Ordering};
use crate::volume::Snapshot;
use std::io;
use std::ops::Range;

/// Where the live data rests. Calls are synchronous: nothing goes on after they return.
pub trait BlockStore: Send + Sync {
    /// Bytes; a multiple of `alignment`.
    fn size(&self) -> u64;
    /// Offsets and lengths that reads and writes must be multiples of.
    fn alignment(&self) -> usize;
    fn read(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()>;
    fn flush(&self) -> io::Result<()>;
    /// The range may read as anything afterwards.
    fn discard(&self, offset: u64, length: u64) -> io::Result<()>;
    /// Gives the range's room back where it reads as zeroes afterwards. Multiples of `alignment`.
    ///
    /// # Errors
    /// EOPNOTSUPP where it does not; nothing is changed then.
    fn punch_hole(&self, offset: u64, length: u64) -> io::Result<()>;
    /// Multiples of `alignment`.
    fn write_zeroes(&self, offset: u64, length: u64) -> io::Result<()>;
}

/// One cache file: slots of [`crate::BLOCK`] bytes.
pub trait SlotStore: Send + Sync {
    /// Makes sure that `slots` slots have room on disk, so that writing them cannot fail for room.
    fn reserve(&self, slots: u64) -> io::Result<()>;
    /// `buf`: whole slots, neighbours from `slot` on.
    fn read(&self, slot: u32, buf: &mut [u8]) -> io::Result<()>;
    fn write(&self, slot: u32, data: &[u8]) -> io::Result<()>;
}

/// Memory that outlives this process, zero at first. A store with release order is seen by the next
/// process if any later effect of this one is.
pub trait Words: Send + Sync {
    fn words(&self) -> &[AtomicU64];
    /// Sets all to zero, giving memory back where possible.
    fn clear(&self);
    /// The next range of words, from `word` on, that may hold something other than zero. Memory that
    /// was never written need not be looked at, and looking would make it take room.
    fn occupied(&self, word: usize) -> Option<Range<usize>> {
        let length = self.words().len();
        (word < length).then_some(word..length)
    }
}

impl Words for Vec<AtomicU64> {
    fn words(&self) -> &[AtomicU64] {
        self
    }

    fn clear(&self) {
        for word in self.iter() {
            word.store(0, Ordering::Release);
        }
    }
}

/// Told of a snapshot's end before the write that ended it goes through.
pub trait Ledger: Send + Sync {
    /// Must be stored where the next engine finds it when this returns. Called with the volume's
    /// lock held: must not call back.
    fn snapshot_lost(&self, snapshot: &Snapshot, loss: &Loss);
}

/// Why a snapshot ended before its release. The first cause, never a later symptom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    pub cause: LossCause,
    /// None with `Overflow`: the maximum was reached. None with `Damaged`: the checksum was wrong.
    pub errno: Option<i32>,
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossCause {
    /// No room for a pre-image.
    Overflow,
    /// A pre-image could not be read back.
    Damaged,
}
