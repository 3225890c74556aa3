//! The life of a snapshot: prepared, active, lost, released.
//!
//! ```text
//!            prepare            activate                      release
//!   (none) ─────────▶ prepared ─────────▶ active ───────────────────▶ (none)
//!                        │                  │ no room, unreadable        ▲
//!                        │                  ▼                            │
//!                        │          overflowed, damaged ─────────────────┤
//!                        └───────────────────────────────────────────────┘
//! ```
//!
//! Commands come one at a time (`changing`). Each stores what it did where the next engine finds it,
//! in an order that leaves no half state: a cache file is recorded before it is made, a snapshot
//! after all that it needs is there, and is forgotten before what it needed goes. What lies around
//! without an owner after a death is removed at the start (`restore`).

use super::cache_place;
use super::record::{CacheShare, SnapshotRecord};
use super::table::Table;
use super::tracking::Tracking;
use crate::failure::{Context, Failure, Outcome};
use crate::protocol::ErrorKind;
use crate::protocol::report::SnapshotState;
use crate::protocol::snapshots::{
    ActivateResult, PrepareParams, PrepareResult, RefusedPlace, ReleaseResult, ReserveResult,
    SetPolicyParams, WhenFull,
};
use crate::state::{State, Word};
use crate::{clock, names};
use cow::BLOCK;
use cow::bitmap::Bitmap;
use cow::pool::Pool;
use cow::store::Words;
use cow::volume::{NewSnapshot, Volume};
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A cache smaller than this makes no sense.
pub(super) const MIN_CACHE_BYTES: u64 = 1 << 20;
/// Waiting longer would end in the block layer's time-outs.
const MAX_HOLD_MS: u64 = 60_000;

pub struct Registry {
    pub(super) state: State,
    pub table: Arc<Table>,
    pub tracking: Tracking,
    pub(super) volume: Arc<Volume>,
    pub(super) volume_id: String,
    pub(super) backing: File,
    pub(super) live: PathBuf,
    pub(super) changing: Mutex<()>,
    /// Whether memory may be held by lists of free blocks that are not used.
    pub(super) unused_lists: AtomicBool,
}

pub(super) fn slots(bytes: u64) -> u64 {
    bytes / BLOCK as u64
}

impl Registry {
    pub fn new(
        state: State,
        table: Arc<Table>,
        tracking: Tracking,
        volume: Arc<Volume>,
        volume_id: String,
        backing: File,
        live: PathBuf,
    ) -> Self {
        Registry {
            state,
            table,
            tracking,
            volume,
            volume_id,
            backing,
            live,
            changing: Mutex::default(),
            unused_lists: AtomicBool::new(true),
        }
    }

    pub(super) fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn existing(&self, id: &str) -> Outcome<(usize, SnapshotRecord)> {
        self.table
            .find(id)
            .ok_or_else(|| Failure::new(ErrorKind::NotFound, format!("there is no snapshot {id}")))
    }

    /// Changes what is stored of a snapshot that has not ended. It may be lost between finding and
    /// storing it: its end is not undone.
    pub(super) fn change_record(
        &self,
        id: &str,
        change: impl FnOnce(&mut SnapshotRecord),
    ) -> Outcome<SnapshotRecord> {
        let changed = self.table.change(id, |record| {
            let open = matches!(
                record.state,
                SnapshotState::Prepared | SnapshotState::Active
            );
            if open {
                change(record);
            }
            open
        })?;
        changed.ok_or_else(|| Failure::new(ErrorKind::NotFound, "the snapshot has just ended"))
    }

    pub fn prepare(&self, ask: &PrepareParams) -> Outcome<PrepareResult> {
        let _changing = self.changing();
        self.refuse_passing_through()?;
        names::check("snapshot id", &ask.snapshot)?;
        check_sizes(ask)?;
        if self.table.find(&ask.snapshot).is_some() {
            return Err(Failure::new(
                ErrorKind::Exists,
                format!("a snapshot {} exists already", ask.snapshot),
            ));
        }
        let place = self.table.free_place().ok_or_else(|| {
            Failure::new(
                ErrorKind::TooMany,
                "the volume has as many snapshots as it can have",
            )
        })?;
        let directory = cache_place::admit(&ask.cache.directory)?;
        let (number, pool) = self.cache_in(&directory)?;
        let first = CacheShare {
            pool: number,
            max_bytes: ask.cache.max_bytes,
        };
        let result = self.reserve_and_record(ask, place, first, &pool);
        if result.is_err() {
            self.tidy_caches();
        }
        result
    }

    fn refuse_passing_through(&self) -> Outcome<()> {
        if self.state.get(Word::PassThrough) == 0 {
            return Ok(());
        }
        Err(Failure::new(
            ErrorKind::Unsupported,
            "the engine crashed over and over, and serves without snapshots since; upgrade the volume's engine, or detach and attach the volume",
        ))
    }

    fn reserve_and_record(
        &self,
        ask: &PrepareParams,
        place: usize,
        first: CacheShare,
        pool: &Pool,
    ) -> Outcome<PrepareResult> {
        let wanted = pool.used() + slots(ask.cache.initial_bytes);
        pool.reserve(wanted).map_err(|e| {
            cache_place::refused(
                format!(
                    "reserving {} bytes for the cache in {}",
                    ask.cache.initial_bytes, ask.cache.directory
                ),
                e,
            )
        })?;
        let mut caches = vec![first];
        let mut refused = Vec::new();
        for spill in &ask.spill {
            match self.spill_to(spill) {
                Ok(share) if caches.iter().all(|c| c.pool != share.pool) => caches.push(share),
                Ok(_) => {}
                Err(failure) => refused.push(RefusedPlace {
                    directory: spill.directory.clone(),
                    reason: failure.to_string(),
                }),
            }
        }
        self.tracking.make_place(&self.volume);
        self.state.passed(place).store(0, Ordering::Release);
        let free = self.state.free_blocks(place);
        free.clear();
        if ask.skip_free_blocks {
            free.populate();
        }
        let image = self.state.get(Word::NextImage);
        self.state.set(Word::NextImage, image + 1);
        self.table.put(
            place,
            SnapshotRecord {
                id: ask.snapshot.clone(),
                image,
                state: SnapshotState::Prepared,
                epoch: 0,
                interval: 0,
                caches: caches.clone(),
                when_full: ask.when_full,
                hold_ms: ask.hold_ms,
                skip_free_blocks: ask.skip_free_blocks,
                free_known: false,
                free_blocks: 0,
                taken_at: None,
                loss: None,
            },
        )?;
        for share in caches {
            self.set_maximum(share.pool);
        }
        Ok(PrepareResult {
            reserved_bytes: pool.reserved() * BLOCK as u64,
            refused,
        })
    }

    /// `mount`: the frozen mount point, from which the free blocks are learnt.
    pub fn activate(&self, id: &str, mount: Option<File>) -> Outcome<ActivateResult> {
        let _changing = self.changing();
        let (place, mut record) = self.existing(id)?;
        if record.state != SnapshotState::Prepared {
            return Err(Failure::new(
                ErrorKind::Exists,
                format!("snapshot {id} was taken already"),
            ));
        }
        let mutations = self.volume.mutations();
        let bitmap = Bitmap::new(Arc::new(self.state.free_blocks(place)));
        let free_blocks = match mount {
            Some(mount) if record.skip_free_blocks => self.learn_free(&mount, &bitmap),
            _ => None,
        };
        let taken_at = clock::unix_millis();
        let new = NewSnapshot {
            key: record.image,
            pools: record.pools(),
            free: free_blocks.map(|_| bitmap.clone()),
            policy: record.policy(),
            read_to: 0,
        };
        let beginning = self.tracking.beginning(&self.volume, id, taken_at)?;
        record.interval = beginning.interval.key;
        record.state = SnapshotState::Active;
        record.taken_at = Some(taken_at);
        let activated = self.volume.activate(
            new,
            beginning.interval.clone(),
            mutations,
            |epoch, free_known| {
                record.epoch = epoch;
                record.free_known = free_known;
                record.free_blocks = free_blocks.filter(|_| free_known).unwrap_or(0);
                self.state.set(Word::Epoch, u64::from(epoch));
                self.tracking.begin(&beginning)?;
                self.table.put(place, record.clone())
            },
        );
        let epoch = activated.and_then(|epoch| {
            epoch.ok_or_else(|| {
                Failure::new(
                    ErrorKind::TooMany,
                    "too many snapshots since the last time that none was open; release all first",
                )
            })
        });
        let epoch = epoch.inspect_err(|_| {
            // What was free now need not be when it is tried again.
            self.state.free_blocks(place).clear();
        })?;
        if !record.free_known {
            self.unused_lists.store(true, Ordering::Relaxed);
        }
        Ok(ActivateResult {
            taken_at: clock::iso(taken_at),
            epoch,
            skipped_free: record.free_known,
            free_blocks: record.free_blocks,
        })
    }

    pub fn release(&self, id: &str) -> Outcome<ReleaseResult> {
        {
            let _changing = self.changing();
            let (place, record) = self.existing(id)?;
            self.volume
                .end_snapshot(record.image, || self.table.remove(place))?;
            self.unused_lists.store(true, Ordering::Relaxed);
        }
        // Takes its time: nobody who takes a snapshot meanwhile, with frozen file systems, waits for it.
        let freed = self.volume.sweep();
        let _changing = self.changing();
        // First: from a file that nobody uses any more, no writer may take another slot.
        for (number, _) in self.table.caches() {
            self.set_maximum(number);
        }
        let given_back = self.tidy_caches();
        Ok(ReleaseResult {
            cache_freed_bytes: (freed * BLOCK as u64).max(given_back),
        })
    }

    pub fn set_policy(&self, ask: &SetPolicyParams) -> Outcome<()> {
        let _changing = self.changing();
        self.existing(&ask.snapshot)?;
        if ask.max_bytes.is_some_and(|max| max < MIN_CACHE_BYTES) {
            return Err(too_small("maxBytes"));
        }
        check_hold(ask.hold_ms.unwrap_or(0))?;
        let record = self.change_record(&ask.snapshot, |record| {
            record.caches[0].max_bytes = ask.max_bytes.unwrap_or(record.caches[0].max_bytes);
            record.when_full = ask.when_full.unwrap_or(record.when_full);
            record.hold_ms = ask.hold_ms.unwrap_or(record.hold_ms);
        })?;
        self.set_maximum(record.caches[0].pool);
        self.volume.set_policy(record.image, record.policy());
        Ok(())
    }

    pub fn reserve(&self, bytes: u64) -> Outcome<ReserveResult> {
        let _changing = self.changing();
        let newest = self
            .table
            .snapshots()
            .into_iter()
            .max_by_key(|(_, s)| s.image);
        let pool = newest.and_then(|(_, s)| self.volume.pool(s.caches[0].pool));
        let pool = pool.ok_or_else(|| Failure::new(ErrorKind::NotFound, "no snapshot is open"))?;
        if slots(bytes) > pool.max_slots() {
            return Err(Failure::invalid(
                "bytes must not be more than the cache's maximum",
            ));
        }
        pool.reserve(slots(bytes))
            .context(|| format!("reserving {bytes} bytes"))?;
        self.volume.room_made();
        Ok(ReserveResult {
            reserved_bytes: pool.reserved() * BLOCK as u64,
        })
    }

    /// Removes what an engine left that died between two steps.
    pub fn tidy(&self) {
        let _changing = self.changing();
        self.tidy_caches();
    }
}

fn check_sizes(ask: &PrepareParams) -> Outcome<()> {
    if ask.cache.max_bytes < MIN_CACHE_BYTES {
        return Err(too_small("maxBytes"));
    }
    if ask.cache.initial_bytes > ask.cache.max_bytes {
        return Err(Failure::invalid(
            "initialBytes must not be more than maxBytes",
        ));
    }
    if ask.when_full == WhenFull::Hold {
        check_hold(ask.hold_ms)?;
    }
    Ok(())
}

fn check_hold(hold_ms: u64) -> Outcome<()> {
    if hold_ms > MAX_HOLD_MS {
        return Err(Failure::invalid(format!(
            "holdMs must be at most {MAX_HOLD_MS}"
        )));
    }
    Ok(())
}

pub(super) fn too_small(field: &str) -> Failure {
    Failure::invalid(format!("{field} must be at least {MIN_CACHE_BYTES}"))
}
