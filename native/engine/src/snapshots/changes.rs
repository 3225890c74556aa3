//! Progress of readers, and changed blocks, as callers ask for them.

use super::registry::Registry;
use super::tracking::IntervalRecord;
use crate::clock;
use crate::failure::{Failure, Outcome};
use crate::protocol::ErrorKind;
use crate::protocol::report::SnapshotState;
use crate::protocol::snapshots::{
    ChangedExtent, ChangesParams, ChangesResult, ProgressParams, ProgressResult,
};
use cow::BLOCK;
use std::ops::Range;
use std::sync::atomic::Ordering;
use transport::served::ChangedExtents;

/// Most extents in one answer.
const MAX_EXTENTS: usize = 4096;

impl Registry {
    /// The reader of a snapshot has gone on.
    pub fn progress(&self, ask: &ProgressParams) -> Outcome<ProgressResult> {
        let changing = self.changing();
        let (place, record) = self.existing(&ask.snapshot)?;
        if record.state != SnapshotState::Active {
            return Err(Failure::new(
                ErrorKind::NotFound,
                format!("snapshot {} cannot be read", ask.snapshot),
            ));
        }
        if ask.offset > self.volume.size() {
            return Err(Failure::invalid("offset lies beyond the end of the volume"));
        }
        // The last block may be a part of one.
        let blocks = if ask.offset == self.volume.size() {
            ask.offset.div_ceil(BLOCK as u64)
        } else {
            ask.offset / BLOCK as u64
        };
        // Stored before anything is given up for it.
        self.state
            .passed(place)
            .fetch_max(blocks, Ordering::Release);
        // What follows takes its time: nobody who takes a snapshot meanwhile waits for it.
        drop(changing);
        let freed = self.volume.passed(record.image, blocks);
        Ok(ProgressResult {
            cache_freed_bytes: freed * BLOCK as u64,
        })
    }

    pub fn changes(&self, ask: &ChangesParams) -> Outcome<ChangesResult> {
        let size = self.volume.size();
        let limit = ask.limit.unwrap_or(MAX_EXTENTS);
        if !(1..=MAX_EXTENTS).contains(&limit) {
            return Err(Failure::invalid(format!(
                "limit must be 1 to {MAX_EXTENTS}"
            )));
        }
        let from = ask.offset.unwrap_or(0);
        if from > size {
            return Err(Failure::invalid("offset lies beyond the end of the volume"));
        }
        let since = self.tracking.find(&ask.since)?;
        let until = match &ask.snapshot {
            Some(id) => Some(self.tracking.find(id)?),
            None => None,
        };
        if let Some(until) = &until
            && until.key < since.key
        {
            return Err(Failure::invalid(format!(
                "{} was taken before {}",
                described(until),
                described(&since)
            )));
        }
        let until = until.map(|u| u.key);
        let told = self.changed_extents(since.key, until, from..size, limit);
        let told = told.ok_or_else(|| {
            Failure::new(
                ErrorKind::NotFound,
                format!("what changed since {} is no longer known", ask.since),
            )
        })?;
        let extents = told.extents.into_iter().map(|e| ChangedExtent {
            offset: e.start,
            length: e.end - e.start,
        });
        Ok(ChangesResult {
            extents: extents.collect(),
            next: (told.next < size).then_some(told.next),
        })
    }

    /// Bytes of `range` changed from the beginning of one interval to that of another, or now; whole
    /// blocks, but for the range's borders. None if one of the two is not kept (any more).
    pub fn changed_extents(
        &self,
        since: u64,
        until: Option<u64>,
        range: Range<u64>,
        most: usize,
    ) -> Option<ChangedExtents> {
        let block = BLOCK as u64;
        let blocks = range.start / block..range.end.div_ceil(block);
        let changed = self.volume.changed(since, until, blocks, most.max(1))?;
        let bytes =
            |e: Range<u64>| (e.start * block).max(range.start)..(e.end * block).min(range.end);
        Some(ChangedExtents {
            extents: changed.extents.into_iter().map(bytes).collect(),
            next: (changed.next * block).min(range.end),
        })
    }
}

fn described(record: &IntervalRecord) -> String {
    let at = clock::iso(record.taken_at);
    format!("snapshot {} (taken at {at})", record.snapshot)
}
