//! The control socket's protocol: one JSON object a line, over a Unix stream socket.
//!
//! `{"id":1,"method":"describe","params":{}}` is answered by `{"id":1,"result":{…}}` or
//! `{"id":1,"error":{"kind":"…","message":"…","errno":28}}`; events have no id. The first message is
//! `hello`. These types are the only definition: the TypeScript ones are generated from them
//! (`server/worker/engine/protocol.gen.ts`, `typescript`).
//!
//! Sizes are bytes, durations milliseconds unless the name says otherwise, times ISO 8601 with
//! milliseconds, UTC.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Version of everything in this file. Another number at `hello` is refused.
pub const PROTOCOL: u32 = 1;

/// What kind of failure it is; the message says it to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum ErrorKind {
    /// The request makes no sense, here or ever.
    Invalid,
    NotFound,
    Exists,
    /// In use: mounted, attached, exported, or snapshots are open.
    Busy,
    TooMany,
    /// No room where room was asked for.
    NoSpace,
    /// The system refused an operation; see `errno`.
    Io,
    /// This kernel or file system cannot do it.
    Unsupported,
    /// Not this protocol's version, or no `hello` first.
    Protocol,
    Internal,
}

/// The `error` of a reply.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
pub struct EngineFault {
    pub kind: ErrorKind,
    pub message: String,
    pub errno: Option<i32>,
}

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

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HelloParams {
    pub protocol: u32,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct HelloResult {
    pub protocol: u32,
    pub version: String,
    pub pid: u32,
    /// How often an engine was started since attach; more than 1 means that it was replaced.
    pub start_count: u64,
}

/// No parameters, or nothing to answer.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

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

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscribeParams {
    /// 100 or more.
    pub interval_ms: u64,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShutdownParams {
    /// Also with snapshots open; they are lost.
    #[serde(default)]
    pub force: Option<bool>,
}

/// What NBD clients may do with the live volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum NbdAccess {
    ReadOnly,
    ReadWrite,
}

/// Paths of PEM files. Clients must show a certificate that one of the authorities signed.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NbdTlsFiles {
    pub certificate: String,
    pub key: String,
    pub authorities: String,
}

/// Without TLS only a loopback address is taken.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NbdTcp {
    /// An IP address.
    pub address: String,
    /// 0: any that is free.
    pub port: u16,
    #[serde(default)]
    pub tls: Option<NbdTlsFiles>,
}

/// Offers images over NBD, beside what is offered already: the live volume as `live`, snapshots by
/// their ids. Always on the run directory's `nbd.sock`, on TCP too if asked for.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServeNbdParams {
    #[serde(default)]
    pub live: Option<NbdAccess>,
    #[serde(default)]
    pub snapshots: Option<Vec<String>>,
    /// Also those that are taken later.
    #[serde(default)]
    pub all_snapshots: Option<bool>,
    #[serde(default)]
    pub tcp: Option<NbdTcp>,
}

/// Without `snapshot`: ends it all. With: withdraws that one; with the last one it ends.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StopNbdParams {
    #[serde(default)]
    pub snapshot: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct NbdTcpReport {
    pub address: String,
    pub port: u16,
    pub tls: bool,
}

/// What is offered over NBD.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct NbdReport {
    /// Path of the Unix socket.
    pub socket: String,
    pub tcp: Option<NbdTcpReport>,
    pub live: Option<NbdAccess>,
    /// Those that can be read now.
    pub snapshots: Vec<String>,
    pub all_snapshots: bool,
    pub connections: u32,
}

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
    pub at: String,
    pub reads: u64,
    pub read_bytes: u64,
    pub writes: u64,
    pub write_bytes: u64,
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
}

/// What a subscriber receives beside replies. `released` is never lost, reports may be.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum Event {
    Report {
        report: Box<Report>,
    },
    Released {
        snapshot: String,
        cause: LossCause,
        errno: Option<i32>,
        detail: String,
    },
}

/// What `attach` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct AttachResult {
    pub id: String,
    pub device: String,
    pub socket: String,
    pub keeper_pid: u32,
    pub size_bytes: u64,
    pub sector_size: u32,
    pub transport: String,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpgradeParams {
    /// Absolute path of the program that is to follow. The engine ends once that stands by.
    pub program: String,
}

/// What `upgrade` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct UpgradeResult {
    pub previous_version: String,
    pub version: String,
    pub pid: u32,
}

/// What `export` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ExportResult {
    pub device: String,
}

/// What a program prints on standard output when it fails.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct FailureDocument {
    pub error: EngineFault,
}

/// One kernel feature, for `doctor`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Feature {
    pub name: String,
    pub ok: bool,
    /// Without it the engine cannot serve here.
    pub required: bool,
    pub detail: String,
}

/// A way in which volumes can be served, and whether it can be had here.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct TransportReport {
    pub name: String,
    pub ok: bool,
    pub detail: String,
}

/// What `probe` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ProbeResult {
    pub kernel: String,
    pub features: Vec<Feature>,
    pub transports: Vec<TransportReport>,
}
