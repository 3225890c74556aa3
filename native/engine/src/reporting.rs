//! What the engine reports of itself, its caches and its snapshots.

use crate::engine::Engine;
use crate::protocol::report::{
    CachePlaceReport, CacheReport, LossCause, Report, SnapshotReport, SnapshotState,
};
use crate::protocol::snapshots::SpillPlace;
use crate::snapshots::record::SnapshotRecord;
use crate::state::Word;
use crate::telemetry::{BUCKETS, Counter, Histogram, latency};
use crate::{clock, live};
use cow::BLOCK;
use std::sync::atomic::Ordering;

/// What a series of reports goes on from.
#[derive(Default)]
pub struct Since {
    /// Latencies counted up to the previous report; None: since attach.
    pub histogram: Option<Histogram>,
    /// The watcher of gaps whose series it is; None: since attach.
    pub watcher: Option<usize>,
    /// The watcher of changes; None: they are not asked for.
    pub changes: Option<usize>,
}

impl Engine {
    pub fn report(&self, since: &mut Since) -> Report {
        let t = &self.telemetry;
        let now = t.histogram();
        let earlier = since.histogram.unwrap_or([0; BUCKETS]);
        // First: a change that comes after this is told with the next report, and makes this one's quiet time shorter.
        let changes = since.changes.map(|watcher| self.change_log.tell(watcher));
        let quiet = t.quiet();
        if since.histogram.is_some() {
            since.histogram = Some(now);
        }
        let gap = match since.watcher {
            Some(watcher) => t.watched_gap(watcher),
            None => t.get(Counter::LongestGap),
        };
        let last_write = t.get(Counter::LastWriteUnix);
        Report {
            id: self.configuration.id.clone(),
            version: crate::VERSION.to_owned(),
            pid: std::process::id(),
            start_count: self.state.get(Word::StartCount),
            backing: self.configuration.backing.clone(),
            size_bytes: self.configuration.size,
            sector_size: self.configuration.sector_size,
            transport: live::name(self.configuration.ublk).to_owned(),
            not_ublk_because: self.configuration.not_ublk_because.clone(),
            at: clock::iso(clock::unix_millis()),
            reads: t.get(Counter::Reads),
            read_bytes: t.get(Counter::ReadBytes),
            writes: t.get(Counter::Writes),
            write_bytes: t.get(Counter::WriteBytes),
            zero_copy_bytes: t.get(Counter::ZeroCopyBytes),
            discards: t.get(Counter::Discards),
            flushes: t.get(Counter::Flushes),
            last_write_at: (last_write > 0).then(|| clock::iso(last_write)),
            quiet_ms: quiet / 1_000_000,
            longest_gap_ms: gap.max(quiet) / 1_000_000,
            write_latency_us: latency(&earlier, &now),
            cache: self.cache_report(),
            tracking: self.registry.tracking.report(),
            snapshots: self.snapshot_reports(),
            pass_through: self.state.get(Word::PassThrough) != 0,
            nbd: self.nbd.report(self),
            changes: changes.map(Box::new),
        }
    }

    fn cache_report(&self) -> CacheReport {
        let caches = self.registry.table.caches();
        let pools = caches
            .iter()
            .filter_map(|(n, cache)| self.volume.pool(*n).map(|pool| (cache, pool)));
        let places: Vec<CachePlaceReport> = pools
            .map(|(cache, pool)| CachePlaceReport {
                directory: cache.directory.clone(),
                used_bytes: pool.used() * BLOCK as u64,
                reserved_bytes: pool.reserved() * BLOCK as u64,
                max_bytes: pool.max_slots() * BLOCK as u64,
            })
            .collect();
        let sum = |bytes: fn(&CachePlaceReport) -> u64| places.iter().map(bytes).sum();
        CacheReport {
            used_bytes: sum(|p| p.used_bytes),
            reserved_bytes: sum(|p| p.reserved_bytes),
            max_bytes: sum(|p| p.max_bytes),
            places,
        }
    }

    fn snapshot_reports(&self) -> Vec<SnapshotReport> {
        let caches = self.registry.table.caches();
        let directory = |pool: usize| {
            let cache = caches.iter().find(|(n, _)| *n == pool);
            cache.map_or_else(String::new, |(_, c)| c.directory.clone())
        };
        let all = self.registry.table.snapshots();
        let reports = all.into_iter();
        reports
            .map(|(place, record)| {
                let places = record.caches.iter().map(|share| SpillPlace {
                    directory: directory(share.pool),
                    max_bytes: share.max_bytes,
                });
                let passed = self.state.passed(place).load(Ordering::Relaxed);
                self.snapshot_report(&record, places.collect(), passed * BLOCK as u64)
            })
            .collect()
    }

    fn snapshot_report(
        &self,
        record: &SnapshotRecord,
        mut places: Vec<SpillPlace>,
        passed_bytes: u64,
    ) -> SnapshotReport {
        let cache_max_bytes = places.iter().map(|p| p.max_bytes).sum();
        let first = places.remove(0);
        let live = self.volume.with_snapshot(record.image, |s| {
            let preserved = s.preserved.load(Ordering::Relaxed);
            (preserved, s.skipped.load(Ordering::Relaxed))
        });
        let loss = record.loss.as_ref();
        let (preserved_blocks, skipped_free_blocks) = live
            .or(loss.map(|l| (l.preserved_blocks, l.skipped_blocks)))
            .unwrap_or((0, 0));
        let cause: Option<LossCause> = loss.map(|l| l.cause);
        let used = if record.state == SnapshotState::Active {
            preserved_blocks
        } else {
            0
        };
        SnapshotReport {
            id: record.id.clone(),
            epoch: record.epoch,
            state: record.state,
            taken_at: record.taken_at.map(clock::iso),
            preserved_blocks,
            skipped_free_blocks,
            cache_used_bytes: used * BLOCK as u64,
            cache_directory: first.directory,
            cache_max_bytes,
            spill: places,
            passed_bytes,
            cause,
            first_errno: loss.and_then(|l| l.errno),
            detail: loss.map(|l| l.detail.clone()),
        }
    }
}
