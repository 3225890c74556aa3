//! The changes themselves (writes, discards, zeroings), for subscribers that ask where they went.
//!
//! While nobody asks, a change costs one relaxed load. While somebody does, it is noted as it begins and as it ends, in
//! memory that was there before: one that is under way when its watcher comes is thus noted at its end, and one that takes
//! long is known from its beginning on. What finds no room is counted as lost, and what a report that never arrived had
//! carried is missed by its number: the subscriber then takes the time of the last write of all.

use crate::clock;
use crate::protocol::report::ChangesReport;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const MAX_WATCHERS: usize = 8;
/// Changes between two reports, neighbours counted once.
const ROOM: usize = 8192;
/// By then every processor sees that there is a watcher.
const SEEN_BY_ALL: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Noted {
    offset: u64,
    end: u64,
    /// Nanoseconds since boot; of several the last.
    at: u64,
}

#[derive(Default)]
struct Notes {
    noted: Vec<Noted>,
    /// Room for what comes while `noted` is told.
    spare: Vec<Noted>,
    lost: u64,
    reports: u64,
    taken: bool,
}

pub struct ChangeLog {
    watchers: AtomicUsize,
    notes: [Mutex<Notes>; MAX_WATCHERS],
}

impl Default for ChangeLog {
    fn default() -> Self {
        ChangeLog {
            watchers: AtomicUsize::new(0),
            notes: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

impl ChangeLog {
    fn notes(&self, watcher: usize) -> MutexGuard<'_, Notes> {
        self.notes[watcher]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A change begins or ends now.
    pub fn note(&self, offset: u64, length: u64) {
        if self.watchers.load(Ordering::Relaxed) > 0 {
            self.note_for_all(offset, offset.saturating_add(length));
        }
    }

    #[cold]
    fn note_for_all(&self, offset: u64, end: u64) {
        let at = clock::boot_nanos();
        for watcher in 0..MAX_WATCHERS {
            let mut notes = self.notes(watcher);
            if notes.taken {
                notes.note(Noted { offset, end, at });
            }
        }
    }

    /// Begins to note; None if too many do. Every change that ends after this is noted.
    pub fn watch(&self) -> Option<usize> {
        let place = (0..MAX_WATCHERS).find(|watcher| {
            let mut notes = self.notes(*watcher);
            if notes.taken {
                return false;
            }
            *notes = Notes {
                noted: Vec::with_capacity(ROOM),
                spare: Vec::with_capacity(ROOM),
                taken: true,
                ..Notes::default()
            };
            true
        })?;
        self.watchers.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(SEEN_BY_ALL);
        Some(place)
    }

    pub fn stop_watching(&self, watcher: usize) {
        self.watchers.fetch_sub(1, Ordering::Relaxed);
        *self.notes(watcher) = Notes::default();
    }

    /// What was noted since this watcher last asked.
    pub fn tell(&self, watcher: usize) -> ChangesReport {
        let (mut noted, lost, number) = {
            let mut notes = self.notes(watcher);
            let spare = std::mem::take(&mut notes.spare);
            let noted = std::mem::replace(&mut notes.noted, spare);
            let number = notes.reports;
            notes.reports += 1;
            (noted, std::mem::take(&mut notes.lost), number)
        };
        let now = clock::boot_nanos();
        merge(&mut noted);
        let told = noted.iter().map(|n| {
            let ago = now.saturating_sub(n.at) / 1_000_000;
            (ago, n.offset, n.end - n.offset)
        });
        let changed = told.collect();
        noted.clear();
        self.notes(watcher).spare = noted;
        ChangesReport {
            number,
            lost,
            changed,
        }
    }
}

impl Notes {
    fn note(&mut self, new: Noted) {
        if let Some(last) = self.noted.last_mut()
            && new.offset <= last.end
            && last.offset <= new.end
        {
            last.offset = last.offset.min(new.offset);
            last.end = last.end.max(new.end);
            last.at = new.at;
        } else if self.noted.len() < ROOM {
            self.noted.push(new);
        } else {
            self.lost += 1;
        }
    }
}

/// In order of place, neighbours as one.
fn merge(noted: &mut Vec<Noted>) {
    noted.sort_unstable_by_key(|n| n.offset);
    noted.dedup_by(|next, kept| {
        let joins = next.offset <= kept.end;
        if joins {
            kept.end = kept.end.max(next.end);
            kept.at = kept.at.max(next.at);
        }
        joins
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(report: &ChangesReport) -> Vec<(u64, u64)> {
        let places = report.changed.iter();
        places
            .map(|(_, offset, length)| (*offset, *length))
            .collect()
    }

    #[test]
    fn neighbours_are_told_as_one_in_order_and_once() {
        let log = ChangeLog::default();
        let watcher = log.watch().unwrap();
        for (offset, length) in [
            (8192, 4096),
            (0, 4096),
            (4096, 512),
            (40960, 4096),
            (8192, 4096),
            (4608, 3584),
        ] {
            log.note(offset, length);
        }
        let told = log.tell(watcher);
        assert_eq!(places(&told), [(0, 12288), (40960, 4096)]);
        assert_eq!((told.number, told.lost), (0, 0));
        let again = log.tell(watcher);
        assert_eq!((again.number, places(&again)), (1, vec![]));
    }

    #[test]
    fn a_place_is_told_with_its_last_change() {
        let log = ChangeLog::default();
        let watcher = log.watch().unwrap();
        log.note(0, 4096);
        std::thread::sleep(Duration::from_millis(30));
        log.note(4096, 4096);
        log.note(1 << 20, 1);
        assert!(log.tell(watcher).changed.iter().all(|(ago, ..)| *ago < 25));
    }

    #[test]
    fn what_finds_no_room_is_counted_and_room_comes_back() {
        let log = ChangeLog::default();
        let watcher = log.watch().unwrap();
        let apart = |n: usize| (n as u64) << 20;
        for n in 0..ROOM + 3 {
            log.note(apart(n), 512);
        }
        let told = log.tell(watcher);
        assert_eq!((told.changed.len(), told.lost), (ROOM, 3));
        for n in 0..ROOM {
            log.note(apart(n), 512);
        }
        assert_eq!(log.tell(watcher).lost, 0);
    }

    #[test]
    fn each_watcher_hears_of_every_change_and_a_place_is_used_again() {
        let log = ChangeLog::default();
        log.note(0, 1);
        let watchers: Vec<usize> = std::iter::from_fn(|| log.watch()).collect();
        assert_eq!(watchers.len(), MAX_WATCHERS);
        log.note(7, 1);
        log.stop_watching(watchers[2]);
        log.note(100, 1);
        assert_eq!(log.watch(), Some(watchers[2]));
        assert_eq!(places(&log.tell(watchers[2])), []);
        assert_eq!(places(&log.tell(watchers[1])), [(7, 1), (100, 1)]);
    }
}
