//! Taking snapshots, their caches, their readers, and what changed between them.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// What happens to a snapshot whose pre-images find no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum WhenFull {
    /// The snapshot ends at once; the write goes through.
    Release,
    /// Writers wait up to `holdMs` for room; then the snapshot ends.
    Hold,
}

/// Where pre-images go. The file is `<directory>/<volume id>.cache`, mode 0600; the directory is made
/// (0700) if only its last part is missing.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CachePlace {
    pub directory: String,
    pub initial_bytes: u64,
    pub max_bytes: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrepareParams {
    /// 1 to 64 of `A–Z a–z 0–9 . _ -`.
    pub snapshot: String,
    pub cache: CachePlace,
    pub when_full: WhenFull,
    pub hold_ms: u64,
    /// Blocks that are free at the instant need no pre-image; the image shows them as zeroes.
    pub skip_free_blocks: bool,
    /// Where pre-images go once `cache` has no room, in this order.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<SpillPlace>>"))]
    pub spill: Vec<SpillPlace>,
}

/// A further place for pre-images.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SpillPlace {
    pub directory: String,
    pub max_bytes: u64,
}

/// One more place for the pre-images of a snapshot, after those that it has. Given twice, its maximum
/// is set.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddCacheParams {
    pub snapshot: String,
    pub cache: SpillPlace,
}

/// The reader of a snapshot's image, which goes through it in order, is done with everything below
/// `offset`: pre-images there are given up, and reads there fail with EIO from now on. It cannot go
/// back. Survives a restart of the engine.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProgressParams {
    pub snapshot: String,
    /// Bytes; rounded down to whole blocks.
    pub offset: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct ProgressResult {
    pub cache_freed_bytes: u64,
}

/// What changed between two snapshots. `since` may be released. Names a snapshot that this attachment
/// or, if all of them ended cleanly, an earlier one has taken; if a name was used again, the newest.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangesParams {
    pub since: String,
    /// Null: up to now.
    #[serde(default)]
    pub snapshot: Option<String>,
    /// Bytes; where to begin.
    #[serde(default)]
    pub offset: Option<u64>,
    /// Most extents to tell at once, 1 to 4096.
    #[serde(default)]
    pub limit: Option<usize>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct ChangesResult {
    /// In order, none adjacent. They hold every change, and may hold what was written without change.
    pub extents: Vec<ChangedExtent>,
    /// The offset to ask on with; null: all is told.
    pub next: Option<u64>,
}

/// Bytes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ChangedExtent {
    pub offset: u64,
    pub length: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct PrepareResult {
    /// Reserved on disk for this volume in that directory, all snapshots together.
    pub reserved_bytes: u64,
    /// Places to spill over to that cannot be used, and why.
    pub refused: Vec<RefusedPlace>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct ReserveResult {
    pub reserved_bytes: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct RefusedPlace {
    pub directory: String,
    pub reason: String,
}

/// Names one snapshot. `activate` may carry one descriptor (SCM_RIGHTS): the frozen mount point.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotParams {
    pub snapshot: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct ActivateResult {
    pub taken_at: String,
    pub epoch: u32,
    /// Whether the free blocks were known, so that they cost nothing.
    pub skipped_free: bool,
    pub free_blocks: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct ReleaseResult {
    pub cache_freed_bytes: u64,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetPolicyParams {
    pub snapshot: String,
    #[serde(default)]
    pub max_bytes: Option<u64>,
    #[serde(default)]
    pub when_full: Option<WhenFull>,
    #[serde(default)]
    pub hold_ms: Option<u64>,
}

/// Grows the reservation of the newest snapshot's cache to `bytes`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReserveParams {
    pub bytes: u64,
}
