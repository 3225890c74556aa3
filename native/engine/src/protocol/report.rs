//! What the engine tells about its volume.

use super::nbd::NbdReport;
use super::snapshots::SpillPlace;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum SnapshotState {
    Prepared,
    Active,
    /// Its cache found no room; reads fail with EIO.
    Overflowed,
    /// A pre-image could not be read back; reads fail with EIO.
    Damaged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum LossCause {
    Overflow,
    Damaged,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct SnapshotReport {
    pub id: String,
    /// 0 while prepared.
    pub epoch: u32,
    pub state: SnapshotState,
    pub taken_at: Option<String>,
    /// Blocks that this snapshot reads from the cache.
    pub preserved_blocks: u64,
    /// Distinct blocks overwritten since that needed no pre-image because they were free.
    pub skipped_free_blocks: u64,
    pub cache_used_bytes: u64,
    /// The first of its places.
    pub cache_directory: String,
    /// Of all its places together.
    pub cache_max_bytes: u64,
    pub spill: Vec<SpillPlace>,
    /// How far its reader said it is.
    pub passed_bytes: u64,
    pub cause: Option<LossCause>,
    /// The first cause; null with `overflow` means that the maximum was reached.
    pub first_errno: Option<i32>,
    pub detail: Option<String>,
}

/// Upper bounds of histogram buckets (powers of two), since the previous report of the subscription;
/// `describe`: since attach.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct LatencyReport {
    pub p50: u64,
    pub p99: u64,
    pub max: u64,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct CacheReport {
    pub used_bytes: u64,
    pub reserved_bytes: u64,
    pub max_bytes: u64,
    /// The same for each cache file.
    pub places: Vec<CachePlaceReport>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct CachePlaceReport {
    pub directory: String,
    pub used_bytes: u64,
    pub reserved_bytes: u64,
    pub max_bytes: u64,
}

/// What is known of changed blocks.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct TrackingReport {
    /// The snapshots since which it is known, oldest first, released ones included.
    pub since: Vec<String>,
    /// Why nothing from before this attachment is known; null: it is, or there was nothing.
    pub void_because: Option<String>,
}

/// Where it was written to, discarded or zeroed since the previous report of the subscription.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct ChangesReport {
    /// Of this subscription, from 0: a number that is missing is a report that was lost. Nothing is known of what came
    /// before number 0.
    pub number: u64,
    /// Changes that found no room.
    pub lost: u64,
    /// Milliseconds since the last change there, offset and length in bytes: in order of place, neighbours as one.
    pub changed: Vec<(u64, u64, u64)>,
}

/// All that the engine tells about its volume. Counters run since attach, over restarts.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub id: String,
    pub version: String,
    pub pid: u32,
    pub start_count: u64,
    pub backing: String,
    pub size_bytes: u64,
    pub sector_size: u32,
    pub transport: String,
    /// Why the transport is not ublk; null: it is, or another was asked for.
    pub not_ublk_because: Option<String>,
    pub at: String,
    pub reads: u64,
    pub read_bytes: u64,
    pub writes: u64,
    pub write_bytes: u64,
    /// Of what was read and written: bytes that went between the kernel and the backing store without a copy.
    pub zero_copy_bytes: u64,
    pub discards: u64,
    pub flushes: u64,
    pub last_write_at: Option<String>,
    /// Since the last write (or attach), by a clock that no one can set.
    pub quiet_ms: u64,
    /// Longest time without a write, running one included, since the previous report of the
    /// subscription; `describe`: since attach.
    pub longest_gap_ms: u64,
    pub write_latency_us: LatencyReport,
    pub cache: CacheReport,
    pub tracking: TrackingReport,
    pub snapshots: Vec<SnapshotReport>,
    /// Whether engines crashed over and over: the volume is served, snapshots are refused.
    pub pass_through: bool,
    /// None: not served.
    pub nbd: Option<NbdReport>,
    /// None: not asked for.
    pub changes: Option<Box<ChangesReport>>,
}
