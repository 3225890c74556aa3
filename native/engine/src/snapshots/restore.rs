//! What a new engine takes over from the one that died.

use super::cache_file::CacheFile;
use super::record::{CacheRecord, SnapshotRecord};
use super::registry::slots;
use super::table::Table;
use crate::failure::Outcome;
use crate::log;
use crate::protocol::SnapshotState;
use crate::state::{State, Word};
use cow::bitmap::Bitmap;
use cow::map::MAX_SLOTS;
use cow::pool::Pool;
use cow::store::{Loss, LossCause};
use cow::volume::{NewSnapshot, Survivors};
use std::io;
use std::path::Path;
use std::sync::Arc;

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
        if !cache.in_use {
            // `Registry::tidy` removes what there is of it.
            continue;
        }
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

/// For an engine that is to serve although its predecessors crashed over and over: ends every snapshot,
/// so that nothing that belongs to one (records, bitmaps, cache files) is looked at.
pub fn give_up(state: &State, table: &Table) -> Survivors {
    let loss = Loss {
        cause: LossCause::Damaged,
        errno: None,
        detail: "the engine crashed over and over with this snapshot open".into(),
    };
    for (_, snapshot) in table.snapshots() {
        end(table, &snapshot, &loss);
    }
    Survivors {
        epoch: state.get(Word::Epoch) as u32,
        snapshots: Vec::new(),
        pools: Vec::new(),
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
        end(table, snapshot, &loss);
    }
}

fn end(table: &Table, snapshot: &SnapshotRecord, loss: &Loss) {
    if matches!(
        snapshot.state,
        SnapshotState::Active | SnapshotState::Prepared
    ) {
        table.end_at_restart(snapshot.image, loss);
    }
}
