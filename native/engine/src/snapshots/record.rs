//! What is stored of a snapshot and of a cache file, for the next engine.

use crate::protocol::report::{LossCause, SnapshotState};
use crate::protocol::snapshots::WhenFull;
use cow::map::MAX_POOLS;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SnapshotRecord {
    pub id: String,
    /// Number of the frozen image; never used twice while the volume is attached.
    pub image: u64,
    pub state: SnapshotState,
    /// 0 while prepared.
    pub epoch: u32,
    /// Number of the interval that it began (`cow::changes`); 0 while prepared.
    pub interval: u64,
    /// Where its pre-images go, in this order; never empty.
    pub caches: Vec<CacheShare>,
    pub when_full: WhenFull,
    pub hold_ms: u64,
    pub skip_free_blocks: bool,
    /// Whether its bitmap of free blocks counts.
    pub free_known: bool,
    /// Blocks that were free at its instant; 0 if not known.
    pub free_blocks: u64,
    /// Milliseconds since 1970.
    pub taken_at: Option<u64>,
    pub loss: Option<LossRecord>,
}

/// A snapshot's use of a cache file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CacheShare {
    pub pool: usize,
    pub max_bytes: u64,
}

/// How it ended before its release, with its last figures.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LossRecord {
    pub cause: LossCause,
    pub errno: Option<i32>,
    pub detail: String,
    pub preserved_blocks: u64,
    pub skipped_blocks: u64,
}

impl SnapshotRecord {
    /// Whether it can have been written as it is. A record is whole or absent whatever instant an engine dies at; memory
    /// that was damaged otherwise must not end every engine after it.
    pub fn makes_sense(&self) -> bool {
        !self.caches.is_empty() && self.caches.iter().all(|c| c.pool < MAX_POOLS)
    }

    pub fn pools(&self) -> Vec<usize> {
        self.caches.iter().map(|c| c.pool).collect()
    }

    /// Most bytes that it may have in a cache file; None: it does not use that one.
    pub fn max_in(&self, pool: usize) -> Option<u64> {
        let share = self.caches.iter().find(|c| c.pool == pool)?;
        Some(share.max_bytes)
    }

    pub fn policy(&self) -> cow::volume::Policy {
        cow::volume::Policy {
            hold: match self.when_full {
                WhenFull::Release => Duration::ZERO,
                WhenFull::Hold => Duration::from_millis(self.hold_ms),
            },
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CacheRecord {
    pub directory: String,
    pub path: String,
    /// False before the file is made and while it is removed: a file that an engine's death leaves
    /// then is nobody's, and one that is missing is not missed.
    pub in_use: bool,
}
