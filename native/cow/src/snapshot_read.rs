//! Reading a frozen image.
//!
//! Look-up and read are one step against a concurrent overwrite without a lock on the range: what was
//! read from the backing store counts only if the block still has no pre-image afterwards. A writer
//! stores the record before it overwrites, so if the read saw anything new, the second look-up sees
//! the record, and the old data is taken from the cache. Slots cannot be given to others meanwhile:
//! the snapshot stays open as long as `open` is held.

use crate::BLOCK;
use crate::map::SlotRef;
use crate::record::{self, Record};
use crate::store::{Loss, LossCause};
use crate::volume::{Open, Snapshot, Volume};
use std::io;

/// Why a frozen image could not be read.
#[derive(Debug)]
pub enum ReadFailure {
    /// Released, lost, or never there.
    Gone,
    /// Its reader said that it has passed this place.
    Passed,
    Backing(io::Error),
}

enum Source {
    Zeroes,
    Backing,
    Cache(SlotRef, Record),
}

impl Volume {
    /// Any offset and length inside the volume; `scratch` is needed for parts of blocks.
    pub fn read_snapshot(
        &self,
        key: u64,
        offset: u64,
        buf: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), ReadFailure> {
        let block = BLOCK as u64;
        if offset.is_multiple_of(block) && buf.len().is_multiple_of(BLOCK) {
            return self.read_whole(key, offset / block, buf);
        }
        let chunk = scratch.len() / BLOCK * BLOCK;
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            let skip = (at % block) as usize;
            let take = (chunk - skip).min(buf.len() - done);
            let whole = &mut scratch[..(skip + take).next_multiple_of(BLOCK)];
            self.read_whole(key, at / block, whole)?;
            buf[done..done + take].copy_from_slice(&whole[skip..skip + take]);
            done += take;
        }
        Ok(())
    }

    fn read_whole(&self, key: u64, first: u64, buf: &mut [u8]) -> Result<(), ReadFailure> {
        let open = self.shared();
        let snapshot = open.find(key).ok_or(ReadFailure::Gone)?;
        match self.read_run(&open, snapshot, first, buf) {
            Ok(()) => Ok(()),
            Err(Failed::Passed) => Err(ReadFailure::Passed),
            Err(Failed::Backing(e)) => Err(ReadFailure::Backing(e)),
            Err(Failed::Damaged(loss)) => {
                drop(open);
                self.lose(key, &loss);
                Err(ReadFailure::Gone)
            }
        }
    }

    fn source(&self, snapshot: &Snapshot, block: u64) -> Source {
        if snapshot.was_free(block) {
            return Source::Zeroes;
        }
        match self.map.earliest(block, snapshot.epoch) {
            Some((at, record)) => Source::Cache(at, record),
            None => Source::Backing,
        }
    }

    fn read_run(
        &self,
        open: &Open,
        snapshot: &Snapshot,
        first: u64,
        buf: &mut [u8],
    ) -> Result<(), Failed> {
        if first < snapshot.read_to {
            return Err(Failed::Passed);
        }
        let count = buf.len() / BLOCK;
        let mut n = 0;
        while n < count {
            match self.source(snapshot, first + n as u64) {
                Source::Zeroes => buf[n * BLOCK..][..BLOCK].fill(0),
                Source::Cache(at, record) => {
                    read_slot(open, at, record, &mut buf[n * BLOCK..][..BLOCK])?;
                }
                Source::Backing => {
                    let mut end = n + 1;
                    while end < count
                        && matches!(self.source(snapshot, first + end as u64), Source::Backing)
                    {
                        end += 1;
                    }
                    let run = &mut buf[n * BLOCK..end * BLOCK];
                    self.read_blocks(first + n as u64, run)
                        .map_err(Failed::Backing)?;
                    for (i, content) in run.chunks_mut(BLOCK).enumerate() {
                        let block = first + (n + i) as u64;
                        if let Source::Cache(at, record) = self.source(snapshot, block) {
                            read_slot(open, at, record, content)?;
                        }
                    }
                    n = end;
                    continue;
                }
            }
            n += 1;
        }
        Ok(())
    }

    /// Ends a snapshot for cause, once.
    pub fn lose(&self, key: u64, loss: &Loss) {
        let mut open = self.exclusive();
        self.end(&mut open, loss, |s| s.key == key);
        drop(open);
        self.lost_some();
    }
}

enum Failed {
    Passed,
    Backing(io::Error),
    Damaged(Loss),
}

fn read_slot(open: &Open, at: SlotRef, record: Record, into: &mut [u8]) -> Result<(), Failed> {
    let damaged = |errno, what: String| {
        Failed::Damaged(Loss {
            cause: LossCause::Damaged,
            errno,
            detail: format!("block {} in slot {}: {what}", record.block, at.slot()),
        })
    };
    let Some(pool) = &open.pools[at.pool()] else {
        return Err(damaged(None, "its cache file is gone".into()));
    };
    if let Err(error) = pool.store().read(at.slot(), into) {
        return Err(damaged(
            error.raw_os_error().or(Some(5)),
            format!("reading the cache failed: {error}"),
        ));
    }
    if record::checksum(into) != record.checksum {
        return Err(damaged(None, "the checksum does not match".into()));
    }
    Ok(())
}
