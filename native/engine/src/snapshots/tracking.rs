//! Which intervals between snapshots have their changed blocks kept, and by which snapshot each began.
//!
//! The list is one cell of the memory that outlives the engine; the bitmaps lie beside it, each in a
//! numbered place. A place that no interval has is clear: it is cleared before it can be given away,
//! and again at every start, for the case that the last engine died in between.
//!
//! There are [`MAX_INTERVALS`] places. When all are taken the oldest interval is given up whose snapshot
//! is released, else the oldest: what changed since its beginning is then no longer known.

use crate::failure::{Failure, Outcome};
use crate::log;
use crate::protocol::ErrorKind;
use crate::protocol::report::TrackingReport;
use crate::state::{MAX_INTERVALS, State};
use cow::bitmap::Bitmap;
use cow::changes::Interval;
use cow::store::Words;
use cow::volume::Volume;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IntervalRecord {
    /// Counted up from 1.
    pub key: u64,
    /// The id of the snapshot that began it.
    pub snapshot: String,
    /// Milliseconds since 1970.
    pub taken_at: u64,
    /// Number of its bitmap.
    pub place: usize,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Intervals {
    /// Oldest first.
    pub list: Vec<IntervalRecord>,
    /// Why nothing from before this attachment is known.
    pub void_because: Option<String>,
}

pub struct Tracking {
    state: State,
    /// A leaf: whoever holds it calls nothing that waits.
    rows: Mutex<Intervals>,
}

/// An interval that is about to begin.
pub struct Beginning {
    pub interval: Interval,
    record: IntervalRecord,
}

impl Tracking {
    /// Loads what the last engine stored.
    pub fn load(state: State) -> Self {
        let rows: Intervals = state.intervals_cell().load().unwrap_or_default();
        let tracking = Tracking {
            state,
            rows: Mutex::new(rows),
        };
        tracking.clear_unused();
        tracking
    }

    fn rows(&self) -> MutexGuard<'_, Intervals> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn records(&self) -> Vec<IntervalRecord> {
        self.rows().list.clone()
    }

    pub fn void_because(&self) -> Option<String> {
        self.rows().void_because.clone()
    }

    pub fn report(&self) -> TrackingReport {
        let rows = self.rows();
        TrackingReport {
            since: rows.list.iter().map(|r| r.snapshot.clone()).collect(),
            void_because: rows.void_because.clone(),
        }
    }

    pub fn bitmap(&self, place: usize) -> Bitmap {
        Bitmap::new(Arc::new(self.state.changed_blocks(place)))
    }

    /// For the volume, oldest first.
    pub fn intervals(&self) -> Vec<Interval> {
        let interval = |record: IntervalRecord| Interval {
            key: record.key,
            changed: self.bitmap(record.place),
        };
        self.records().into_iter().map(interval).collect()
    }

    /// Replaces all of it.
    pub fn store(&self, intervals: Intervals) -> Outcome<()> {
        let mut rows = self.rows();
        self.state.intervals_cell().store(&intervals)?;
        *rows = intervals;
        Ok(())
    }

    /// Nothing is known from now on.
    pub fn give_up(&self, because: &str) {
        let none = Intervals {
            list: Vec::new(),
            void_because: Some(because.to_owned()),
        };
        if let Err(e) = self.store(none) {
            log::line(format!("giving up what is known of changes: {e}"));
        }
        self.clear_unused();
    }

    /// Clears every place that no interval has.
    pub fn clear_unused(&self) {
        let used = self.records();
        for place in (0..MAX_INTERVALS).filter(|n| used.iter().all(|r| r.place != *n)) {
            let region = self.state.changed_blocks(place);
            if region.occupied(0).is_some() {
                region.clear();
            }
        }
    }

    /// Makes sure that an interval can begin without delay.
    pub fn make_place(&self, volume: &Volume) {
        let records = self.records();
        if records.len() < MAX_INTERVALS {
            return;
        }
        let running = records.len() - 1;
        let victim = records[..running]
            .iter()
            .find(|r| !volume.is_open(r.key))
            .unwrap_or(&records[0]);
        volume.forget_interval(victim.key);
        let mut kept = Intervals {
            list: records.clone(),
            void_because: self.void_because(),
        };
        kept.list.retain(|r| r.key != victim.key);
        if let Err(e) = self.store(kept) {
            log::line(format!("storing which changes are tracked: {e}"));
            return;
        }
        self.clear_unused();
    }

    /// The interval that a snapshot will begin. Nobody else may begin one meanwhile.
    pub fn beginning(&self, volume: &Volume, snapshot: &str, taken_at: u64) -> Outcome<Beginning> {
        // Several may have been prepared one after the other.
        self.make_place(volume);
        let records = self.records();
        let place = (0..MAX_INTERVALS)
            .find(|n| records.iter().all(|r| r.place != *n))
            .ok_or_else(|| Failure::new(ErrorKind::Internal, "no place for changed blocks"))?;
        let key = records.last().map_or(1, |r| r.key + 1);
        Ok(Beginning {
            interval: Interval {
                key,
                changed: self.bitmap(place),
            },
            record: IntervalRecord {
                key,
                snapshot: snapshot.to_owned(),
                taken_at,
                place,
            },
        })
    }

    /// Stores that it runs. Waits for nobody.
    pub fn begin(&self, beginning: &Beginning) -> Outcome<()> {
        let mut intervals = self.rows().clone();
        intervals.list.push(beginning.record.clone());
        self.store(intervals)
    }

    /// The interval that a snapshot of this name began, the newest if there are several.
    pub fn find(&self, snapshot: &str) -> Outcome<IntervalRecord> {
        let rows = self.rows();
        let mut newest_first = rows.list.iter().rev();
        let found = newest_first.find(|r| r.snapshot == snapshot).cloned();
        found.ok_or_else(|| {
            let because = rows.void_because.as_ref();
            let because = because.map_or_else(String::new, |b| format!(": {b}"));
            Failure::new(
                ErrorKind::NotFound,
                format!("what changed since {snapshot} is not known{because}"),
            )
        })
    }
}
