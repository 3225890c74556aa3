// Generated from native/engine/src/protocol. Do not edit: STILLFRAME_WRITE_TYPES=1 cargo test -p engine typescript_types

export const ENGINE_PROTOCOL = 1;

export type ErrorKind = "invalid" | "notFound" | "exists" | "busy" | "tooMany" | "noSpace" | "io" | "unsupported" | "protocol" | "internal";

export type EngineFault = { kind: ErrorKind, message: string, errno: number | null, };

export type WhenFull = "release" | "hold";

export type HelloParams = { protocol: number, };

export type HelloResult = { protocol: number, version: string, pid: number, 
/**
 * How often an engine was started since attach; more than 1 means that it was replaced.
 */
startCount: number, };

export type Nothing = Record<symbol, never>;

export type CachePlace = { directory: string, initialBytes: number, maxBytes: number, };

export type SpillPlace = { directory: string, maxBytes: number, };

export type PrepareParams = { 
/**
 * 1 to 64 of `A–Z a–z 0–9 . _ -`.
 */
snapshot: string, cache: CachePlace, whenFull: WhenFull, holdMs: number, 
/**
 * Blocks that are free at the instant need no pre-image; the image shows them as zeroes.
 */
skipFreeBlocks: boolean, 
/**
 * Where pre-images go once `cache` has no room, in this order.
 */
spill?: Array<SpillPlace>, };

export type PrepareResult = { 
/**
 * Reserved on disk for this volume in that directory, all snapshots together.
 */
reservedBytes: number, 
/**
 * Places to spill over to that cannot be used, and why.
 */
refused: Array<RefusedPlace>, };

export type ReserveResult = { reservedBytes: number, };

export type RefusedPlace = { directory: string, reason: string, };

export type AddCacheParams = { snapshot: string, cache: SpillPlace, };

export type ProgressParams = { snapshot: string, 
/**
 * Bytes; rounded down to whole blocks.
 */
offset: number, };

export type ProgressResult = { cacheFreedBytes: number, };

export type ChangesParams = { since: string, 
/**
 * Null: up to now.
 */
snapshot?: string, 
/**
 * Bytes; where to begin.
 */
offset?: number, 
/**
 * Most extents to tell at once, 1 to 4096.
 */
limit?: number, };

export type ChangesResult = { 
/**
 * In order, none adjacent. They hold every change, and may hold what was written without change.
 */
extents: Array<ChangedExtent>, 
/**
 * The offset to ask on with; null: all is told.
 */
next: number | null, };

export type ChangedExtent = { offset: number, length: number, };

export type SnapshotParams = { snapshot: string, };

export type ActivateResult = { takenAt: string, epoch: number, 
/**
 * Whether the free blocks were known, so that they cost nothing.
 */
skippedFree: boolean, freeBlocks: number, };

export type ReleaseResult = { cacheFreedBytes: number, };

export type SetPolicyParams = { snapshot: string, maxBytes?: number, whenFull?: WhenFull, holdMs?: number, };

export type ReserveParams = { bytes: number, };

export type SubscribeParams = { 
/**
 * 100 or more.
 */
intervalMs: number, 
/**
 * Reports say where it was written to.
 */
changes?: boolean, };

export type UpgradeParams = { 
/**
 * Absolute path of the program that is to follow. The engine ends once that stands by.
 */
program: string, };

export type UpgradeResult = { previousVersion: string, version: string, pid: number, };

export type ShutdownParams = { 
/**
 * Also with snapshots open; they are lost.
 */
force?: boolean, };

export type SnapshotState = "prepared" | "active" | "overflowed" | "damaged";

export type LossCause = "overflow" | "damaged";

export type NbdAccess = "readOnly" | "readWrite";

export type NbdTlsFiles = { certificate: string, key: string, authorities: string, };

export type NbdTcp = { 
/**
 * An IP address.
 */
address: string, 
/**
 * 0: any that is free.
 */
port: number, tls?: NbdTlsFiles, };

export type ServeNbdParams = { live?: NbdAccess, snapshots?: Array<string>, 
/**
 * Also those that are taken later.
 */
allSnapshots?: boolean, tcp?: NbdTcp, };

export type StopNbdParams = { snapshot?: string, };

export type NbdTcpReport = { address: string, port: number, tls: boolean, };

export type NbdReport = { 
/**
 * Path of the Unix socket.
 */
socket: string, tcp: NbdTcpReport | null, live: NbdAccess | null, 
/**
 * Those that can be read now.
 */
snapshots: Array<string>, allSnapshots: boolean, connections: number, };

export type SnapshotReport = { id: string, 
/**
 * 0 while prepared.
 */
epoch: number, state: SnapshotState, takenAt: string | null, 
/**
 * Blocks that this snapshot reads from the cache.
 */
preservedBlocks: number, 
/**
 * Distinct blocks overwritten since that needed no pre-image because they were free.
 */
skippedFreeBlocks: number, cacheUsedBytes: number, 
/**
 * The first of its places.
 */
cacheDirectory: string, 
/**
 * Of all its places together.
 */
cacheMaxBytes: number, spill: Array<SpillPlace>, 
/**
 * How far its reader said it is.
 */
passedBytes: number, cause: LossCause | null, 
/**
 * The first cause; null with `overflow` means that the maximum was reached.
 */
firstErrno: number | null, detail: string | null, };

export type LatencyReport = { p50: number, p99: number, max: number, };

export type CacheReport = { usedBytes: number, reservedBytes: number, maxBytes: number, 
/**
 * The same for each cache file.
 */
places: Array<CachePlaceReport>, };

export type CachePlaceReport = { directory: string, usedBytes: number, reservedBytes: number, maxBytes: number, };

export type TrackingReport = { 
/**
 * The snapshots since which it is known, oldest first, released ones included.
 */
since: Array<string>, 
/**
 * Why nothing from before this attachment is known; null: it is, or there was nothing.
 */
voidBecause: string | null, };

export type ChangesReport = { 
/**
 * Of this subscription, from 0: a number that is missing is a report that was lost. Nothing is known of what came
 * before number 0.
 */
number: number, 
/**
 * Changes that found no room.
 */
lost: number, 
/**
 * Milliseconds since the last change there, offset and length in bytes: in order of place, neighbours as one.
 */
changed: Array<[number, number, number]>, };

export type Report = { id: string, version: string, pid: number, startCount: number, backing: string, sizeBytes: number, sectorSize: number, transport: string, 
/**
 * Why the transport is not ublk; null: it is, or another was asked for.
 */
notUblkBecause: string | null, at: string, reads: number, readBytes: number, writes: number, writeBytes: number, 
/**
 * Of what was read and written: bytes that went between the kernel and the backing store without a copy.
 */
zeroCopyBytes: number, discards: number, flushes: number, lastWriteAt: string | null, 
/**
 * Since the last write (or attach), by a clock that no one can set.
 */
quietMs: number, 
/**
 * Longest time without a write, running one included, since the previous report of the
 * subscription; `describe`: since attach.
 */
longestGapMs: number, writeLatencyUs: LatencyReport, cache: CacheReport, tracking: TrackingReport, snapshots: Array<SnapshotReport>, 
/**
 * Whether engines crashed over and over: the volume is served, snapshots are refused.
 */
passThrough: boolean, 
/**
 * None: not served.
 */
nbd: NbdReport | null, 
/**
 * None: not asked for.
 */
changes: ChangesReport | null, };

export type Event = { "event": "report", report: Report, } | { "event": "released", snapshot: string, cause: LossCause, errno: number | null, detail: string, };

export type AttachResult = { id: string, device: string, socket: string, keeperPid: number, sizeBytes: number, sectorSize: number, transport: string, 
/**
 * As in the report.
 */
notUblkBecause: string | null, };

export type ExportResult = { device: string, };

export type FailureDocument = { error: EngineFault, };

export type Feature = { name: string, ok: boolean, 
/**
 * Without it the engine cannot serve here.
 */
required: boolean, detail: string, };

export type TransportReport = { name: string, ok: boolean, detail: string, };

export type ProbeResult = { kernel: string, features: Array<Feature>, transports: Array<TransportReport>, };

export type Exchange<P, R> = { params: P, result: R, };

export type EngineMethods = { hello: Exchange<HelloParams, HelloResult>, describe: Exchange<Nothing, Report>, prepare: Exchange<PrepareParams, PrepareResult>, activate: Exchange<SnapshotParams, ActivateResult>, release: Exchange<SnapshotParams, ReleaseResult>, setPolicy: Exchange<SetPolicyParams, Nothing>, serveNbd: Exchange<ServeNbdParams, NbdReport>, stopNbd: Exchange<StopNbdParams, Nothing>, reserve: Exchange<ReserveParams, ReserveResult>, addCache: Exchange<AddCacheParams, Nothing>, progress: Exchange<ProgressParams, ProgressResult>, changes: Exchange<ChangesParams, ChangesResult>, subscribe: Exchange<SubscribeParams, Nothing>, upgrade: Exchange<UpgradeParams, Nothing>, shutdown: Exchange<ShutdownParams, Nothing>, };
