//! What a new engine takes over from the one that died.

use super::cache_file::CacheFile;
use super::record::{CacheRecord, SnapshotRecord};
use super::registry::slots;
use super::table::Table;
use super::tracking::Tracking;
use crate::failure::Outcome;
use crate::log;
use crate::protocol::report::SnapshotState;
use crate::state::{State, Word};
use cow::bitmap::Bitmap;
use cow::map::MAX_SLOTS;
use cow::pool::Pool;
use cow::record::{self, MAX_EPOCH};
use cow::store::{Loss, LossCause, Words};
use cow::volume::{NewSnapshot, Survivor, Survivors};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What the last engine left, for the volume to go on from. Cache files without a snapshot are
/// removed; a snapshot whose cache file cannot be opened is ended as damaged.
pub fn restore(state: &State, table: &Table, tracking: &Tracking) -> Outcome<Survivors> {
    let epoch = epoch(state);
    for (_, snapshot) in table.snapshots() {
        if snapshot.state == SnapshotState::Active && !(1..=epoch).contains(&snapshot.epoch) {
            end(
                table,
                &snapshot,
                &damaged("its record is of no possible epoch"),
            );
        }
    }
    let mut survivors = Survivors {
        epoch,
        snapshots: Vec::new(),
        pools: Vec::new(),
        intervals: tracking.intervals(),
    };
    let snapshots = table.snapshots();
    for (number, cache) in table.caches() {
        if !cache.in_use {
            // `Registry::tidy` removes what there is of it.
            continue;
        }
        let max = snapshots.iter().filter_map(|(_, s)| s.max_in(number)).max();
        let index = state.index(number);
        match reopen(&cache, &*index) {
            Ok((file, reserved)) => {
                let max = max.map_or(0, slots).min(MAX_SLOTS);
                let pool = Pool::new(file.into_store(), index, reserved, max);
                survivors.pools.push((number, Arc::new(pool)));
            }
            Err(e) => {
                log::line(format!("opening cache {}: {e}", cache.path));
                end_without_cache(table, &snapshots, &cache, &e);
            }
        }
    }
    for (place, record) in table.snapshots() {
        if record.state == SnapshotState::Prepared {
            // The last engine may have begun to learn them; what was free then need not be when it is taken.
            state.free_blocks(place).clear();
        }
        if record.state == SnapshotState::Active {
            let bitmap = Bitmap::new(Arc::new(state.free_blocks(place)));
            let snapshot = NewSnapshot {
                key: record.image,
                pools: record.pools(),
                free: record.free_known.then_some(bitmap),
                policy: record.policy(),
                read_to: state.passed(place).load(Ordering::Acquire),
            };
            survivors.snapshots.push(Survivor {
                snapshot,
                epoch: record.epoch,
                interval: record.interval,
            });
        }
    }
    Ok(survivors)
}

/// A cache file is never made shorter: where something is recorded beyond its end, somebody else did that, and blocks
/// whose pre-images lay there would read as they are now.
fn reopen(cache: &CacheRecord, index: &dyn Words) -> io::Result<(CacheFile, u64)> {
    let (file, reserved) = CacheFile::reopen(Path::new(&cache.path))?;
    if record::any_from(index, reserved) {
        return Err(io::Error::other("it is shorter than what was kept in it"));
    }
    Ok((file, reserved))
}

/// For an engine that is to serve although its predecessors crashed over and over: ends every snapshot,
/// so that nothing that belongs to one (records, bitmaps, cache files) is looked at.
pub fn give_up(state: &State, table: &Table) -> Survivors {
    let loss = damaged("the engine crashed over and over with this snapshot open");
    for (_, snapshot) in table.snapshots() {
        end(table, &snapshot, &loss);
    }
    Survivors {
        epoch: epoch(state),
        snapshots: Vec::new(),
        pools: Vec::new(),
        intervals: Vec::new(),
    }
}

/// The newest epoch. One that cannot be (damaged memory) leaves none for a further snapshot.
fn epoch(state: &State) -> u32 {
    state.get(Word::Epoch).min(u64::from(MAX_EPOCH)) as u32
}

fn damaged(detail: &str) -> Loss {
    Loss {
        cause: LossCause::Damaged,
        errno: None,
        detail: detail.into(),
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
