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
//! without an owner after a death is removed at the start ([`Registry::restore`]).

use super::cache_file::CacheFile;
use super::record::{CacheRecord, SnapshotRecord};
use super::table::Table;
use super::{cache_place, free_extents};
use crate::failure::{Context, Failure, Outcome};
use crate::protocol::{
    ActivateResult, ErrorKind, PrepareParams, PrepareResult, ReleaseResult, SetPolicyParams,
    SnapshotState, WhenFull,
};
use crate::state::{State, Word};
use crate::{clock, log, names};
use cow::BLOCK;
use cow::bitmap::Bitmap;
use cow::map::{MAX_POOLS, MAX_SLOTS};
use cow::pool::Pool;
use cow::store::{Loss, LossCause, Words};
use cow::volume::{NewSnapshot, Survivors, Volume};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A cache smaller than this makes no sense.
const MIN_CACHE_BYTES: u64 = 1 << 20;
/// Waiting longer would end in the block layer's time-outs.
const MAX_HOLD_MS: u64 = 60_000;

pub struct Registry {
    state: State,
    pub table: Arc<Table>,
    volume: Arc<Volume>,
    volume_id: String,
    live: PathBuf,
    changing: Mutex<()>,
}

fn slots(bytes: u64) -> u64 {
    bytes / BLOCK as u64
}

impl Registry {
    pub fn new(
        state: State,
        table: Arc<Table>,
        volume: Arc<Volume>,
        volume_id: String,
        live: PathBuf,
    ) -> Self {
        Registry {
            state,
            table,
            volume,
            volume_id,
            live,
            changing: Mutex::default(),
        }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn existing(&self, id: &str) -> Outcome<(usize, SnapshotRecord)> {
        self.table
            .find(id)
            .ok_or_else(|| Failure::new(ErrorKind::NotFound, format!("there is no snapshot {id}")))
    }

    pub fn prepare(&self, ask: &PrepareParams) -> Outcome<PrepareResult> {
        let _changing = self.changing();
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
        let result = self.reserve_and_record(ask, place, number, &pool);
        if result.is_err() {
            self.tidy_caches();
        }
        result
    }

    fn reserve_and_record(
        &self,
        ask: &PrepareParams,
        place: usize,
        number: usize,
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
                pool: number,
                cache_max_bytes: ask.cache.max_bytes,
                when_full: ask.when_full,
                hold_ms: ask.hold_ms,
                skip_free_blocks: ask.skip_free_blocks,
                free_known: false,
                free_blocks: 0,
                taken_at: None,
                loss: None,
            },
        )?;
        self.set_maximum(number);
        Ok(PrepareResult {
            reserved_bytes: pool.reserved() * BLOCK as u64,
        })
    }

    /// The volume's cache file in this directory, made if there is none.
    fn cache_in(&self, directory: &Path) -> Outcome<(usize, Arc<Pool>)> {
        let caches = self.table.caches();
        let text = directory.to_string_lossy().into_owned();
        if let Some((number, _)) = caches.iter().find(|(_, c)| c.directory == text)
            && let Some(pool) = self.volume.pool(*number)
        {
            return Ok((*number, pool));
        }
        let number = (0..MAX_POOLS)
            .find(|n| caches.iter().all(|(used, _)| used != n))
            .ok_or_else(|| {
                Failure::new(
                    ErrorKind::TooMany,
                    "the volume has too many cache locations",
                )
            })?;
        let path = directory.join(format!("{}.cache", self.volume_id));
        let record = CacheRecord {
            directory: text,
            path: path.to_string_lossy().into_owned(),
        };
        self.table.put_cache(number, Some(record))?;
        let index = self.state.index(number);
        index.clear();
        match CacheFile::create(&path) {
            Ok(file) => {
                let pool = Arc::new(Pool::new(Arc::new(file), index, 0, 0));
                self.volume.set_pool(number, Some(pool.clone()));
                Ok((number, pool))
            }
            Err(e) => {
                self.table.put_cache(number, None)?;
                Err(cache_place::refused(
                    format!("making {}", path.display()),
                    e,
                ))
            }
        }
    }

    /// A pool may grow to the largest maximum of the snapshots that use it.
    fn set_maximum(&self, number: usize) {
        if let Some(pool) = self.volume.pool(number) {
            let all = self.table.snapshots();
            let joined = all.iter().filter(|(_, s)| s.pool == number);
            let max = joined.map(|(_, s)| s.cache_max_bytes).max().unwrap_or(0);
            pool.set_max_slots(slots(max));
            self.volume.room_made();
        }
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
            pool: record.pool,
            free: free_blocks.map(|_| bitmap.clone()),
            policy: record.policy(),
        };
        record.state = SnapshotState::Active;
        record.taken_at = Some(taken_at);
        let epoch = self.volume.activate(new, mutations, |epoch, free_known| {
            record.epoch = epoch;
            record.free_known = free_known;
            record.free_blocks = free_blocks.filter(|_| free_known).unwrap_or(0);
            self.state.set(Word::Epoch, u64::from(epoch));
            self.table.put(place, record.clone())
        })?;
        let epoch = epoch.ok_or_else(|| {
            Failure::new(
                ErrorKind::TooMany,
                "too many snapshots since the last time that none was open; release all first",
            )
        })?;
        if !record.free_known {
            bitmap.clear();
        }
        Ok(ActivateResult {
            taken_at: clock::iso(taken_at),
            epoch,
            skipped_free: record.free_known,
            free_blocks: record.free_blocks,
        })
    }

    fn learn_free(&self, mount: &File, bitmap: &Bitmap) -> Option<u64> {
        if !cache_place::rests_on(mount, &self.live) {
            log::line("the mount given is not one of this volume; every block is preserved");
            return None;
        }
        match free_extents::mark(mount, bitmap) {
            Ok(count) => Some(count),
            Err(e) => {
                log::line(format!(
                    "free blocks cannot be listed ({e}); every block is preserved"
                ));
                bitmap.clear();
                None
            }
        }
    }

    pub fn release(&self, id: &str) -> Outcome<ReleaseResult> {
        let _changing = self.changing();
        let (place, record) = self.existing(id)?;
        let mut removed = Ok(());
        let freed = self
            .volume
            .release(record.image, || removed = self.table.remove(place));
        removed?;
        self.state.free_blocks(place).clear();
        let given_back = self.tidy_caches();
        for (number, _) in self.table.caches() {
            self.set_maximum(number);
        }
        Ok(ReleaseResult {
            cache_freed_bytes: (freed * BLOCK as u64).max(given_back),
        })
    }

    /// Removes cache files that no snapshot uses or needs; returns how many bytes they had.
    fn tidy_caches(&self) -> u64 {
        let snapshots = self.table.snapshots();
        let mut given_back = 0;
        for (number, cache) in self.table.caches() {
            let joined = snapshots.iter().any(|(_, s)| s.pool == number);
            let pool = self.volume.pool(number);
            if joined || pool.as_ref().is_some_and(|p| p.used() > 0) {
                continue;
            }
            given_back += pool.map_or(0, |p| p.reserved() * BLOCK as u64);
            self.volume.set_pool(number, None);
            remove_cache(&cache);
            if let Err(e) = self.table.put_cache(number, None) {
                log::line(format!("forgetting cache {}: {e}", cache.path));
            }
        }
        given_back
    }

    pub fn set_policy(&self, ask: &SetPolicyParams) -> Outcome<()> {
        let _changing = self.changing();
        let (place, mut record) = self.existing(&ask.snapshot)?;
        if let Some(max) = ask.max_bytes {
            if max < MIN_CACHE_BYTES {
                return Err(too_small("maxBytes"));
            }
            record.cache_max_bytes = max;
        }
        record.when_full = ask.when_full.unwrap_or(record.when_full);
        record.hold_ms = ask.hold_ms.unwrap_or(record.hold_ms);
        check_hold(record.hold_ms)?;
        // A snapshot may be lost between finding and storing it: its end must not be undone.
        if self.existing(&ask.snapshot)?.1.state != record.state {
            return Err(Failure::new(
                ErrorKind::NotFound,
                "the snapshot has just ended",
            ));
        }
        self.table.put(place, record.clone())?;
        self.set_maximum(record.pool);
        self.volume.set_policy(record.image, record.policy());
        Ok(())
    }

    pub fn reserve(&self, bytes: u64) -> Outcome<PrepareResult> {
        let _changing = self.changing();
        let newest = self
            .table
            .snapshots()
            .into_iter()
            .max_by_key(|(_, s)| s.image);
        let pool = newest.and_then(|(_, s)| self.volume.pool(s.pool));
        let pool = pool.ok_or_else(|| Failure::new(ErrorKind::NotFound, "no snapshot is open"))?;
        if slots(bytes) > pool.max_slots() {
            return Err(Failure::invalid(
                "bytes must not be more than the cache's maximum",
            ));
        }
        pool.reserve(slots(bytes))
            .context(|| format!("reserving {bytes} bytes"))?;
        self.volume.room_made();
        Ok(PrepareResult {
            reserved_bytes: pool.reserved() * BLOCK as u64,
        })
    }

    /// What the last engine left, for the volume to go on from. Cache files without a snapshot are
    /// removed; a snapshot whose cache file cannot be opened is ended as damaged.
    pub fn restore(state: &State, table: &Table) -> Outcome<Survivors> {
        let mut survivors = Survivors {
            epoch: state.get(Word::Epoch) as u32,
            snapshots: Vec::new(),
            pools: Vec::new(),
        };
        let snapshots = table.snapshots();
        for (number, cache) in table.caches() {
            let joined: Vec<_> = snapshots.iter().filter(|(_, s)| s.pool == number).collect();
            let max = joined.iter().map(|(_, s)| s.cache_max_bytes).max();
            match CacheFile::reopen(Path::new(&cache.path)) {
                Ok((file, reserved)) => {
                    let max = max.map_or(0, slots).min(MAX_SLOTS);
                    let pool = Pool::new(Arc::new(file), state.index(number), reserved, max);
                    survivors.pools.push((number, Arc::new(pool)));
                }
                Err(e) => {
                    log::line(format!("opening cache {}: {e}", cache.path));
                    end_without_cache(table, &snapshots, &cache, &e);
                }
            }
        }
        for (place, record) in table.snapshots() {
            if record.state == SnapshotState::Active {
                let bitmap = Bitmap::new(Arc::new(state.free_blocks(place)));
                let new = NewSnapshot {
                    key: record.image,
                    pool: record.pool,
                    free: record.free_known.then_some(bitmap),
                    policy: record.policy(),
                };
                survivors.snapshots.push((new, record.epoch));
            }
        }
        Ok(survivors)
    }

    /// Removes what an engine left that died between two steps.
    pub fn tidy(&self) {
        let _changing = self.changing();
        self.tidy_caches();
    }
}

/// Pre-images may lie in any cache file, so without one of them no snapshot is whole.
fn end_without_cache(
    table: &Table,
    snapshots: &[(usize, SnapshotRecord)],
    cache: &CacheRecord,
    error: &io::Error,
) {
    let loss = Loss {
        cause: LossCause::Damaged,
        errno: error.raw_os_error(),
        detail: format!("opening the cache {} failed: {error}", cache.path),
    };
    for (_, snapshot) in snapshots {
        if matches!(
            snapshot.state,
            SnapshotState::Active | SnapshotState::Prepared
        ) {
            table.end_at_restart(snapshot.image, &loss);
        }
    }
}

fn remove_cache(cache: &CacheRecord) {
    if let Err(e) = fs::remove_file(&cache.path)
        && e.kind() != io::ErrorKind::NotFound
    {
        log::line(format!("removing {}: {e}", cache.path));
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

fn too_small(field: &str) -> Failure {
    Failure::invalid(format!("{field} must be at least {MIN_CACHE_BYTES}"))
}
