//! Locks on ranges of blocks, in stripes.
//!
//! A range takes the stripes of its groups of 64 blocks. Stripes are taken in ascending order, each
//! once, so two ranges cannot wait for each other. Held while pre-images of the range are saved, so
//! that a block is saved once and nobody overwrites it meanwhile; where parts of a block are written
//! by reading, changing and writing the whole, also while that goes on.

use crate::sync::{Mutex, MutexGuard};

const STRIPES: usize = 512;
const GROUP_SHIFT: u32 = 6;

pub struct RangeLocks {
    stripes: Vec<Mutex<()>>,
}

/// Unlocks when dropped.
pub struct RangeGuard<'a> {
    _held: Vec<MutexGuard<'a, ()>>,
}

impl RangeLocks {
    pub fn new() -> Self {
        RangeLocks {
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
        }
    }

    /// Waits for `first..=last`. One holder must not ask twice.
    pub fn lock(&self, first: u64, last: u64) -> RangeGuard<'_> {
        let (from, to) = (first >> GROUP_SHIFT, last >> GROUP_SHIFT);
        let groups = to - from + 1;
        let mut numbers: Vec<usize> = if groups >= STRIPES as u64 {
            (0..STRIPES).collect()
        } else {
            (from..=to).map(|g| (g % STRIPES as u64) as usize).collect()
        };
        numbers.sort_unstable();
        let held = numbers
            .into_iter()
            .map(|n| match self.stripes[n].lock() {
                Ok(guard) => guard,
                // A stripe guards no data, so a holder that panicked left nothing half done in it.
                Err(poisoned) => poisoned.into_inner(),
            })
            .collect();
        RangeGuard { _held: held }
    }
}
