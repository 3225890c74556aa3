//! What is kept of an open snapshot, and which blocks it still relies on.

use crate::bitmap::Bitmap;
use crate::sync::atomic::AtomicU64;
use std::time::Duration;

/// What happens when a pre-image finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long writers wait for room; zero: not at all.
    pub hold: Duration,
}

/// An open snapshot.
pub struct Snapshot {
    /// The caller's name for it.
    pub key: u64,
    pub epoch: u32,
    /// The pools that its pre-images go to, in this order.
    pub pools: Vec<usize>,
    /// The blocks that were free at its instant; None: not known, all count as used.
    pub free: Option<Bitmap>,
    pub policy: Policy,
    /// Number of the interval that it began.
    pub interval: u64,
    /// Blocks below this one were read, and will not be read again.
    pub read_to: u64,
    /// Blocks that it reads from the cache.
    pub preserved: AtomicU64,
    /// Blocks that were free and have been overwritten since, each counted once.
    pub skipped: AtomicU64,
}

/// What a new snapshot needs.
pub struct NewSnapshot {
    pub key: u64,
    pub pools: Vec<usize>,
    pub free: Option<Bitmap>,
    pub policy: Policy,
    pub read_to: u64,
}

impl Snapshot {
    pub(crate) fn new(new: NewSnapshot, epoch: u32, interval: u64) -> Self {
        Snapshot {
            key: new.key,
            epoch,
            pools: new.pools,
            free: new.free,
            policy: new.policy,
            interval,
            read_to: new.read_to,
            preserved: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }

    /// Whether a reader of it may still ask for the block's old content.
    pub(crate) fn wants(&self, block: u64) -> bool {
        block >= self.read_to && !self.was_free(block)
    }

    /// Whether that content lies in the backing store only. `newest`: the epoch of the block's newest
    /// pre-image.
    pub(crate) fn relies_on_store(&self, block: u64, newest: u32) -> bool {
        self.epoch > newest && self.wants(block)
    }

    pub(crate) fn was_free(&self, block: u64) -> bool {
        self.free.as_ref().is_some_and(|free| free.get(block))
    }
}
