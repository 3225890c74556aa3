//! The free blocks of a frozen file system, as the file system itself tells them.

use super::cache_place;
use super::record::SnapshotRecord;
use super::registry::Registry;
use crate::log;
use crate::protocol::report::SnapshotState;
use crate::state::{MAX_SNAPSHOTS, State};
use cow::BLOCK;
use cow::bitmap::Bitmap;
use cow::store::Words;
use fsmap::Owner;
use std::fs::File;
use std::io;
use std::sync::atomic::Ordering;

impl Registry {
    /// How many blocks are free; None, and why in the log, where that cannot be known: then `bitmap` means nothing.
    pub(super) fn learn_free(&self, mount: &File, bitmap: &Bitmap) -> Option<u64> {
        if !cache_place::rests_on(mount, &self.live) {
            log::line("the mount given is not one of this volume; every block is preserved");
            return None;
        }
        match mark(mount, bitmap) {
            Ok(count) => Some(count),
            Err(e) => {
                log::line(format!(
                    "free blocks cannot be listed ({e}); every block is preserved"
                ));
                None
            }
        }
    }

    /// Gives back the memory of lists of free blocks that no snapshot uses: of released ones, and of those where the
    /// list could not be had. It takes milliseconds for each TiB of the volume, for which nobody waits with a frozen
    /// file system. Does nothing while a command runs.
    pub fn give_back_unused_lists(&self) {
        if !self.unused_lists.load(Ordering::Relaxed) {
            return;
        }
        let Ok(_changing) = self.changing.try_lock() else {
            return;
        };
        self.unused_lists.store(false, Ordering::Relaxed);
        give_back(&self.state, &self.table.snapshots());
    }
}

/// Clears the lists that none of the snapshots uses.
fn give_back(state: &State, snapshots: &[(usize, SnapshotRecord)]) {
    let used = |record: &SnapshotRecord| match record.state {
        SnapshotState::Prepared => true,
        SnapshotState::Active => record.free_known,
        SnapshotState::Overflowed | SnapshotState::Damaged => false,
    };
    for place in 0..MAX_SNAPSHOTS {
        let list = state.free_blocks(place);
        let wanted = snapshots
            .iter()
            .any(|(n, record)| *n == place && used(record));
        if !wanted && list.occupied(0).is_some() {
            list.clear();
        }
    }
}

/// Sets the bit of every block that lies wholly in a free extent; returns how many there are.
fn mark(mount: &File, blocks: &Bitmap) -> io::Result<u64> {
    let mut found = 0;
    fsmap::each(mount, |extent| {
        let from = extent.range.start.div_ceil(BLOCK as u64);
        let to = extent.range.end / BLOCK as u64;
        if extent.owner == Owner::Free && from < to {
            blocks.set_range(from, to);
            found += to - from;
        }
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::record::CacheShare;
    use super::*;
    use crate::protocol::snapshots::WhenFull;
    use crate::state::Configuration;
    use std::sync::Arc;

    /// Its file must stay open.
    fn state() -> (File, State) {
        State::create(&Configuration::specimen("/run".as_ref(), 1 << 20)).unwrap()
    }

    fn snapshot(state: SnapshotState, free_known: bool) -> SnapshotRecord {
        SnapshotRecord {
            id: "s".into(),
            image: 1,
            state,
            epoch: 1,
            interval: 1,
            caches: vec![CacheShare {
                pool: 0,
                max_bytes: 1 << 20,
            }],
            when_full: WhenFull::Release,
            hold_ms: 0,
            skip_free_blocks: true,
            free_known,
            free_blocks: 0,
            taken_at: None,
            loss: None,
        }
    }

    #[test]
    fn only_lists_that_no_snapshot_uses_are_given_back() {
        let (_file, state) = state();
        for place in 0..5 {
            Bitmap::new(Arc::new(state.free_blocks(place))).set_range(3, 200);
        }
        let snapshots = [
            (0, snapshot(SnapshotState::Prepared, false)),
            (1, snapshot(SnapshotState::Active, true)),
            (2, snapshot(SnapshotState::Active, false)),
            (3, snapshot(SnapshotState::Overflowed, true)),
        ];
        give_back(&state, &snapshots);
        let count = |place| Bitmap::new(Arc::new(state.free_blocks(place))).count();
        assert_eq!([0, 1, 2, 3, 4].map(count), [197, 197, 0, 0, 0]);
        assert!(state.free_blocks(2).occupied(0).is_none());
    }
}
