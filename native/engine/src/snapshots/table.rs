//! The table of snapshots and cache files, in memory and in the cells that outlive the engine.
//!
//! Its lock is a leaf: whoever holds it calls nothing that waits. It can therefore be taken where the
//! volume ends a snapshot, in the middle of a write.

use super::record::{CacheRecord, LossRecord, SnapshotRecord};
use crate::events::Events;
use crate::failure::Outcome;
use crate::log;
use crate::protocol::Event;
use crate::protocol::report::{LossCause, SnapshotState};
use crate::state::{MAX_SNAPSHOTS, State};
use cow::map::MAX_POOLS;
use cow::store::{self, Ledger, Loss};
use cow::volume::Snapshot;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct Table {
    state: State,
    rows: Mutex<Rows>,
    events: Arc<Events>,
}

#[derive(Default)]
struct Rows {
    snapshots: Vec<Option<SnapshotRecord>>,
    caches: Vec<Option<CacheRecord>>,
}

impl Table {
    /// Loads what the last engine stored.
    pub fn load(state: State, events: Arc<Events>) -> Self {
        let rows = Rows {
            snapshots: (0..MAX_SNAPSHOTS)
                .map(|n| state.snapshot_cell(n).load())
                .map(|row| row.filter(SnapshotRecord::makes_sense))
                .collect(),
            caches: (0..MAX_POOLS).map(|n| state.cache_cell(n).load()).collect(),
        };
        Table {
            state,
            rows: Mutex::new(rows),
            events,
        }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every snapshot with its place.
    pub fn snapshots(&self) -> Vec<(usize, SnapshotRecord)> {
        let rows = self.rows();
        let placed = rows.snapshots.iter().enumerate();
        placed
            .filter_map(|(n, s)| s.clone().map(|s| (n, s)))
            .collect()
    }

    pub fn find(&self, id: &str) -> Option<(usize, SnapshotRecord)> {
        self.snapshots().into_iter().find(|(_, s)| s.id == id)
    }

    /// The image of a snapshot that can be read.
    pub fn image(&self, id: &str) -> Option<u64> {
        let rows = self.rows();
        let mut open = rows.snapshots.iter().flatten();
        open.find(|s| s.id == id && s.state == SnapshotState::Active)
            .map(|s| s.image)
    }

    /// Snapshots that can be read, with their images.
    pub fn readable(&self) -> Vec<(String, u64)> {
        let rows = self.rows();
        let open = rows.snapshots.iter().flatten();
        open.filter(|s| s.state == SnapshotState::Active)
            .map(|s| (s.id.clone(), s.image))
            .collect()
    }

    /// The interval that a snapshot with this image began.
    pub fn interval(&self, image: u64) -> Option<u64> {
        let rows = self.rows();
        let mut open = rows.snapshots.iter().flatten();
        open.find(|s| s.image == image).map(|s| s.interval)
    }

    pub fn free_place(&self) -> Option<usize> {
        self.rows().snapshots.iter().position(Option::is_none)
    }

    pub fn put(&self, place: usize, record: SnapshotRecord) -> Outcome<()> {
        let mut rows = self.rows();
        self.state.snapshot_cell(place).store(&record)?;
        rows.snapshots[place] = Some(record);
        Ok(())
    }

    /// Changes a snapshot's record, as one step against its loss. None if there is no such snapshot or
    /// `change` does not want it stored.
    pub fn change(
        &self,
        id: &str,
        change: impl FnOnce(&mut SnapshotRecord) -> bool,
    ) -> Outcome<Option<SnapshotRecord>> {
        let mut rows = self.rows();
        let found = rows.snapshots.iter().enumerate();
        let found = found.filter_map(|(n, s)| s.clone().map(|s| (n, s)));
        let Some((place, mut record)) = found.into_iter().find(|(_, s)| s.id == id) else {
            return Ok(None);
        };
        if !change(&mut record) {
            return Ok(None);
        }
        self.state.snapshot_cell(place).store(&record)?;
        rows.snapshots[place] = Some(record.clone());
        Ok(Some(record))
    }

    pub fn remove(&self, place: usize) -> Outcome<()> {
        let mut rows = self.rows();
        self.state.snapshot_cell(place).clear()?;
        rows.snapshots[place] = None;
        Ok(())
    }

    pub fn caches(&self) -> Vec<(usize, CacheRecord)> {
        let rows = self.rows();
        let placed = rows.caches.iter().enumerate();
        placed
            .filter_map(|(n, c)| c.clone().map(|c| (n, c)))
            .collect()
    }

    pub fn put_cache(&self, pool: usize, record: Option<CacheRecord>) -> Outcome<()> {
        let mut rows = self.rows();
        match &record {
            Some(record) => self.state.cache_cell(pool).store(record)?,
            None => self.state.cache_cell(pool).clear()?,
        }
        rows.caches[pool] = record;
        Ok(())
    }

    fn end(&self, image: u64, preserved: u64, skipped: u64, loss: &Loss) {
        let mut rows = self.rows();
        let found = rows.snapshots.iter_mut().enumerate();
        let found = found.filter_map(|(n, s)| s.as_mut().map(|s| (n, s)));
        let Some((place, record)) = found.into_iter().find(|(_, s)| s.image == image) else {
            return;
        };
        let (state, cause) = match loss.cause {
            store::LossCause::Overflow => (SnapshotState::Overflowed, LossCause::Overflow),
            store::LossCause::Damaged => (SnapshotState::Damaged, LossCause::Damaged),
        };
        record.state = state;
        record.loss = Some(LossRecord {
            cause,
            errno: loss.errno,
            detail: loss.detail.clone(),
            preserved_blocks: preserved,
            skipped_blocks: skipped,
        });
        if let Err(e) = self.state.snapshot_cell(place).store(record) {
            log::line(format!("storing the end of snapshot {}: {e}", record.id));
        }
        let event = Event::Released {
            snapshot: record.id.clone(),
            cause,
            errno: loss.errno,
            detail: loss.detail.clone(),
        };
        log::line(format!("snapshot {} ended: {}", record.id, loss.detail));
        drop(rows);
        self.events.tell(&event);
    }

    /// A snapshot that was found unreadable at a restart.
    pub fn end_at_restart(&self, image: u64, loss: &Loss) {
        self.end(image, 0, 0, loss);
    }
}

impl Ledger for Table {
    fn snapshot_lost(&self, snapshot: &Snapshot, loss: &Loss) {
        self.end(
            snapshot.key,
            snapshot.preserved.load(Ordering::Relaxed),
            snapshot.skipped.load(Ordering::Relaxed),
            loss,
        );
    }
}
