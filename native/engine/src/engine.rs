//! The engine as a transport sees it.

use crate::backing::FileStore;
use crate::change_log::ChangeLog;
use crate::events::Events;
use crate::holds::Holds;
use crate::nbd::Nbd;
use crate::snapshots::registry::Registry;
use crate::state::{Configuration, State};
use crate::telemetry::{Counter, Telemetry};
use cow::snapshot_read::ReadFailure;
use cow::volume::Volume;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use transport::served::{
    Begun, Change, ChangedExtents, Direction, Errno, Image, Move, Patience, Served, Way,
};

pub struct Engine {
    pub configuration: Configuration,
    pub state: State,
    pub store: Arc<FileStore>,
    pub volume: Arc<Volume>,
    pub registry: Registry,
    pub telemetry: Telemetry,
    pub change_log: ChangeLog,
    pub events: Arc<Events>,
    pub nbd: Nbd,
    pub holds: Holds,
}

impl Engine {
    pub(crate) fn inside(&self, offset: u64, length: u64) -> Result<(), Errno> {
        match offset.checked_add(length) {
            Some(end) if end <= self.configuration.size => Ok(()),
            _ => Err(Errno::IO),
        }
    }

    /// A change of the live volume with all that is told of it. `attempt` makes it.
    fn make(
        &self,
        (offset, length): (u64, u64),
        patience: Patience,
        attempt: impl FnMut(cow::volume::Patience) -> io::Result<()>,
    ) -> Result<(), Errno> {
        self.inside(offset, length)?;
        let waited = match patience {
            Patience::None => Duration::ZERO,
            Patience::Since(then) => then.elapsed(),
        };
        let began = self.telemetry.change_began();
        self.change_log.note(offset, length);
        let result = self.attempt(patience, attempt);
        if result
            .as_ref()
            .is_err_and(|e| e.kind() == ErrorKind::WouldBlock)
        {
            // Counted when it is made.
            return Err(Errno::WOULD_WAIT);
        }
        self.change_log.note(offset, length);
        self.telemetry
            .change_ended(began.saturating_sub(waited.as_nanos() as u64));
        Ok(result?)
    }

    /// WouldBlock: it has to wait, and has no patience.
    fn attempt(
        &self,
        patience: Patience,
        mut attempt: impl FnMut(cow::volume::Patience) -> io::Result<()>,
    ) -> io::Result<()> {
        match (attempt(cow::volume::Patience::None), patience) {
            (Err(e), Patience::Since(then)) if e.kind() == ErrorKind::WouldBlock => {
                let hold = self.holds.begin();
                attempt(cow::volume::Patience::Since(then.min(hold.since())))
            }
            (result, _) => result,
        }
    }

    fn count_read(&self, length: u64) {
        self.telemetry.add(Counter::Reads, 1);
        self.telemetry.add(Counter::ReadBytes, length);
    }

    fn count_zero_copy(&self, length: u64, way: Way) {
        if way == Way::ZeroCopy {
            self.telemetry.add(Counter::ZeroCopyBytes, length);
        }
    }

    fn count_write(&self, length: u64) {
        self.telemetry.add(Counter::Writes, 1);
        self.telemetry.add(Counter::WriteBytes, length);
    }
}

impl Served for Engine {
    fn size(&self) -> u64 {
        self.configuration.size
    }

    fn find(&self, snapshot: &str) -> Option<u64> {
        self.registry.table.image(snapshot)
    }

    fn read(
        &self,
        image: Image,
        offset: u64,
        data: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), Errno> {
        self.inside(offset, data.len() as u64)?;
        match image {
            Image::Live => {
                self.count_read(data.len() as u64);
                Ok(self.volume.read(offset, data, scratch)?)
            }
            Image::Frozen(key) => match self.volume.read_snapshot(key, offset, data, scratch) {
                Ok(()) => Ok(()),
                Err(ReadFailure::Gone | ReadFailure::Passed) => Err(Errno::IO),
                Err(ReadFailure::Backing(e)) => Err(e.into()),
            },
        }
    }

    fn change(
        &self,
        change: Change<'_>,
        patience: Patience,
        scratch: &mut [u8],
    ) -> Result<(), Errno> {
        let volume = &self.volume;
        match change {
            Change::Write { offset, data } => {
                let length = data.len() as u64;
                self.make((offset, length), patience, |patience| {
                    volume.write(offset, data, patience, scratch)
                })?;
                self.count_write(length);
            }
            Change::Discard { offset, length } => {
                self.make((offset, length), patience, |patience| {
                    volume.discard(offset, length, patience, scratch)
                })?;
                self.telemetry.add(Counter::Discards, 1);
            }
            Change::PunchHole { offset, length } => {
                self.make((offset, length), patience, |patience| {
                    volume.punch_hole(offset, length, patience, scratch)
                })?;
                self.telemetry.add(Counter::Discards, 1);
            }
            Change::WriteZeroes { offset, length } => {
                self.make((offset, length), patience, |patience| {
                    volume.write_zeroes(offset, length, patience, scratch)
                })?;
                self.count_write(length);
            }
        }
        Ok(())
    }

    fn read_by(&self, offset: u64, length: u64, read: Move<'_>) -> Option<Result<(), Errno>> {
        if !self.store.is_aligned(offset, length) {
            return None;
        }
        Some(self.inside(offset, length).and_then(|()| {
            self.count_read(length);
            let way = read(self.store.file(), offset)?;
            self.count_zero_copy(length, way);
            Ok(())
        }))
    }

    fn write_by(
        &self,
        offset: u64,
        length: u64,
        write: Move<'_>,
        patience: Patience,
        scratch: &mut [u8],
    ) -> Option<Result<(), Errno>> {
        if !self.store.is_aligned(offset, length) {
            return None;
        }
        let made = self.make((offset, length), patience, |patience| {
            self.volume.write_by(offset, length, patience, scratch, || {
                let way = write(self.store.file(), offset)?;
                self.count_zero_copy(length, way);
                Ok(())
            })
        });
        Some(made.inspect(|()| self.count_write(length)))
    }

    fn store(&self) -> Option<&File> {
        Some(self.store.file())
    }

    fn begin(&self, direction: Direction, offset: u64, length: u64) -> Option<Begun> {
        if !self.store.is_aligned(offset, length) || self.inside(offset, length).is_err() {
            return None;
        }
        let since = match direction {
            Direction::FromStore => 0,
            Direction::ToStore => {
                if !self.volume.begin_write(offset, length) {
                    return None;
                }
                let since = self.telemetry.change_began();
                self.change_log.note(offset, length);
                since
            }
        };
        Some(Begun {
            direction,
            offset,
            length,
            since,
        })
    }

    fn end(&self, begun: Begun, made: bool) {
        let Begun { offset, length, .. } = begun;
        match begun.direction {
            Direction::FromStore if made => self.count_read(length),
            Direction::FromStore => {}
            Direction::ToStore => {
                self.volume.end_write();
                self.change_log.note(offset, length);
                self.telemetry.change_ended(begun.since);
                if made {
                    self.count_write(length);
                }
            }
        }
    }

    fn flush(&self) -> Result<(), Errno> {
        self.telemetry.add(Counter::Flushes, 1);
        Ok(self.volume.flush()?)
    }

    fn known_since(&self, image: Image) -> Vec<String> {
        let records = self.registry.tracking.records();
        let end = match image {
            Image::Live => u64::MAX,
            Image::Frozen(key) => self.registry.table.interval(key).unwrap_or(0),
        };
        let earlier = records.into_iter().filter(|r| r.key < end);
        earlier.map(|r| r.snapshot).collect()
    }

    fn changed_since(
        &self,
        image: Image,
        since: &str,
        range: Range<u64>,
        most: usize,
    ) -> Option<ChangedExtents> {
        let end = range.end.min(self.configuration.size);
        let until = match image {
            Image::Live => None,
            Image::Frozen(key) => Some(self.registry.table.interval(key)?),
        };
        let since = self.registry.tracking.find(since).ok()?;
        let told = self
            .registry
            .changed_extents(since.key, until, range.start..end, most)?;
        Some(told)
    }
}
