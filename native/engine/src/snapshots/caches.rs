//! The volume's cache files: made when a snapshot first needs one, removed when none does.

use super::cache_file::CacheFile;
use super::cache_place;
use super::record::{CacheRecord, CacheShare};
use super::registry::{MIN_CACHE_BYTES, Registry, slots, too_small};
use crate::failure::{Failure, Outcome};
use crate::log;
use crate::protocol::ErrorKind;
use crate::protocol::snapshots::{AddCacheParams, SpillPlace};
use cow::BLOCK;
use cow::map::MAX_POOLS;
use cow::pool::Pool;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

impl Registry {
    /// The volume's cache file in this directory, made if there is none.
    pub(super) fn cache_in(&self, directory: &Path) -> Outcome<(usize, Arc<Pool>)> {
        let caches = self.table.caches();
        let text = directory.to_string_lossy().into_owned();
        let known = caches.iter().find(|(_, c)| c.directory == text);
        let known = known.map(|(number, _)| *number);
        if let Some(number) = known
            && let Some(pool) = self.volume.pool(number)
        {
            return Ok((number, pool));
        }
        // One that could not be opened again ended all that were open: its number, as its path, is the new one's.
        let number = known
            .or_else(|| (0..MAX_POOLS).find(|n| caches.iter().all(|(used, _)| used != n)))
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
            in_use: false,
        };
        self.table.put_cache(number, Some(record.clone()))?;
        let index = self.state.index(number);
        index.clear();
        match CacheFile::create(&path) {
            Ok(file) => {
                let pool = Arc::new(Pool::new(file.into_store(), index, 0, 0));
                let in_use = true;
                let record = CacheRecord { in_use, ..record };
                self.table.put_cache(number, Some(record))?;
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

    /// The volume's cache file in a directory that a caller named, and the caller's share of it.
    pub(super) fn spill_to(&self, place: &SpillPlace) -> Outcome<CacheShare> {
        if place.max_bytes < MIN_CACHE_BYTES {
            return Err(too_small("maxBytes"));
        }
        let directory = cache_place::admit(&place.directory)?;
        let (pool, _) = self.cache_in(&directory)?;
        Ok(CacheShare {
            pool,
            max_bytes: place.max_bytes,
        })
    }

    /// One more place for an open or prepared snapshot, or another maximum for one that it has.
    pub fn add_cache(&self, ask: &AddCacheParams) -> Outcome<()> {
        let _changing = self.changing();
        self.existing(&ask.snapshot)?;
        let added = self.spill_to(&ask.cache).and_then(|share| {
            let number = share.pool;
            let record = self.change_record(&ask.snapshot, |record| {
                match record.caches.iter_mut().find(|c| c.pool == number) {
                    Some(known) => known.max_bytes = share.max_bytes,
                    None => record.caches.push(share),
                }
            })?;
            self.volume.set_pools(record.image, record.pools());
            self.set_maximum(number);
            Ok(())
        });
        if added.is_err() {
            self.tidy_caches();
        }
        added
    }

    /// A pool may grow to the largest maximum of the snapshots that use it.
    pub(super) fn set_maximum(&self, number: usize) {
        if let Some(pool) = self.volume.pool(number) {
            let all = self.table.snapshots();
            let maxima = all.iter().filter_map(|(_, s)| s.max_in(number));
            let max = maxima.max().unwrap_or(0);
            pool.set_max_slots(slots(max));
            self.volume.room_made();
        }
    }

    /// Removes cache files that no snapshot uses or needs; returns how many bytes they had.
    pub(super) fn tidy_caches(&self) -> u64 {
        let snapshots = self.table.snapshots();
        let mut given_back = 0;
        for (number, cache) in self.table.caches() {
            let joined = snapshots.iter().any(|(_, s)| s.max_in(number).is_some());
            let pool = self.volume.pool(number);
            if joined || pool.as_ref().is_some_and(|p| p.used() > 0) {
                continue;
            }
            given_back += pool.map_or(0, |p| p.reserved() * BLOCK as u64);
            self.volume.set_pool(number, None);
            let ending = CacheRecord {
                in_use: false,
                ..cache.clone()
            };
            let forgotten = self.table.put_cache(number, Some(ending)).and_then(|()| {
                remove_cache(&cache);
                self.table.put_cache(number, None)
            });
            if let Err(e) = forgotten {
                log::line(format!("forgetting cache {}: {e}", cache.path));
            }
        }
        given_back
    }
}

fn remove_cache(cache: &CacheRecord) {
    if let Err(e) = fs::remove_file(&cache.path)
        && e.kind() != io::ErrorKind::NotFound
    {
        log::line(format!("removing {}: {e}", cache.path));
    }
}
