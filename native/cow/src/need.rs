//! Preserving: which blocks need a pre-image, saving them, and what happens when there is no room.

use crate::BLOCK;
use crate::map::{MAX_POOLS, SlotRef};
use crate::pool::{NoRoom, Pool};
use crate::record::{self, Record};
use crate::store::{Loss, LossCause};
use crate::sync::Arc;
use crate::sync::atomic::Ordering;
use crate::volume::{Open, Patience, Snapshot, Volume};
use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Why a range could not be preserved.
pub(crate) enum Unpreserved {
    /// No cache took the pre-image.
    NoRoom(Loss),
    /// The backing store does not tell what the block holds, and the write may well mend that.
    Unreadable { block: u64, error: io::Error },
}

impl Volume {
    /// Preserves all blocks of the range that need it. The range is locked by the caller.
    pub(crate) fn preserve(
        &self,
        open: &Open,
        first: u64,
        last: u64,
        scratch: &mut [u8],
    ) -> Result<(), Unpreserved> {
        let longest = (scratch.len() / BLOCK) as u64;
        let mut block = first;
        while block <= last {
            if !self.needs(open, block) {
                block += 1;
                continue;
            }
            let start = block;
            while block <= last
                && block - start < longest
                && (block == start || self.needs(open, block))
            {
                block += 1;
            }
            self.save(open, start, block - start, scratch)?;
        }
        Ok(())
    }

    /// Whether any block of the range must be preserved. What need not be comes to need it only with a new
    /// snapshot, so not while `open` is held.
    pub(crate) fn needs_any(&self, open: &Open, first: u64, last: u64) -> bool {
        !open.snapshots.is_empty() && (first..=last).any(|block| self.needs(open, block))
    }

    /// Whether an open snapshot would still read the block from the backing store.
    fn needs(&self, open: &Open, block: u64) -> bool {
        let newest = self.map.newest(block);
        let mut newer = open.snapshots.iter().rev();
        newer.any(|s| s.relies_on_store(block, newest))
    }

    /// One read, and an append for each run of slots.
    fn save(
        &self,
        open: &Open,
        start: u64,
        count: u64,
        scratch: &mut [u8],
    ) -> Result<(), Unpreserved> {
        let old = &mut scratch[..count as usize * BLOCK];
        if let Err(error) = self.read_blocks(start, old) {
            if count == 1 {
                return Err(Unpreserved::Unreadable {
                    block: start,
                    error,
                });
            }
            // Its neighbours are preserved.
            return (start..start + count).try_for_each(|block| self.save(open, block, 1, scratch));
        }
        let mut done = 0;
        while done < count {
            let (number, pool, slot, got) = self
                .allocate(open, count - done)
                .map_err(Unpreserved::NoRoom)?;
            let data = &old[done as usize * BLOCK..(done + got) as usize * BLOCK];
            if let Err(error) = pool.store().write(slot, data) {
                for n in 0..got {
                    pool.free(slot + n as u32);
                }
                return Err(Unpreserved::NoRoom(Loss {
                    cause: LossCause::Overflow,
                    errno: error.raw_os_error().or(Some(5)),
                    detail: format!("writing to the cache failed: {error}"),
                }));
            }
            for n in 0..got {
                let block = start + done + n;
                let content = &data[n as usize * BLOCK..][..BLOCK];
                let newest = self.map.newest(block);
                let relying = open.snapshots.iter().rev();
                for snapshot in relying.filter(|s| s.relies_on_store(block, newest)) {
                    snapshot.preserved.fetch_add(1, Ordering::Relaxed);
                }
                let record = Record {
                    block,
                    epoch: open.epoch,
                    checksum: record::checksum(content),
                };
                self.map
                    .store(SlotRef::new(number, slot + n as u32), record);
            }
            if pool.low() || pool.nearly_full() {
                self.room.ask();
            }
            done += got;
        }
        Ok(())
    }

    /// Whole blocks of the backing store; what lies beyond its end reads as zeroes.
    pub(crate) fn read_blocks(&self, start: u64, buf: &mut [u8]) -> io::Result<()> {
        let offset = start * BLOCK as u64;
        let inside = (self.size() - offset).min(buf.len() as u64) as usize;
        self.store.read(offset, &mut buf[..inside])?;
        buf[inside..].fill(0);
        Ok(())
    }

    /// From the pools of the newest snapshot in their order, then from those of the others. A pool that
    /// was found to have no room on its disk is asked to grow again only when all others have none. The
    /// cause is the first pool's.
    fn allocate(&self, open: &Open, count: u64) -> Result<(usize, Arc<Pool>, u32, u64), Loss> {
        let mut order: Vec<usize> = Vec::with_capacity(MAX_POOLS);
        for number in open.snapshots.iter().rev().flat_map(|s| &s.pools) {
            if !order.contains(number) {
                order.push(*number);
            }
        }
        for number in &order {
            if let Some(pool) = &open.pools[*number]
                && let Some((slot, got)) = pool.allocate_soon(count)
            {
                return Ok((*number, pool.clone(), slot, got));
            }
        }
        let mut cause: Option<NoRoom> = None;
        for number in order {
            let Some(pool) = &open.pools[number] else {
                continue;
            };
            match pool.allocate(count) {
                Ok((slot, got)) => return Ok((number, pool.clone(), slot, got)),
                Err(e) => cause = cause.or(Some(e)),
            }
        }
        Err(match cause {
            Some(NoRoom::Disk(error)) => Loss {
                cause: LossCause::Overflow,
                errno: error.raw_os_error().or(Some(5)),
                detail: format!("growing the cache failed: {error}"),
            },
            Some(NoRoom::Maximum { max_slots }) => Loss {
                cause: LossCause::Overflow,
                errno: None,
                detail: format!(
                    "the cache reached its maximum of {} bytes",
                    max_slots * BLOCK as u64
                ),
            },
            None => Loss {
                cause: LossCause::Overflow,
                errno: None,
                detail: "the snapshot has no cache".into(),
            },
        })
    }

    /// A write's blocks could not be preserved: ends the snapshots that need them, those that want writers to wait
    /// for room only once their time is over. Returns how long the write may wait before it tries again; None: at
    /// once.
    pub(crate) fn make_way(
        &self,
        first: u64,
        last: u64,
        why: Unpreserved,
        patience: Patience,
    ) -> Option<Duration> {
        match why {
            Unpreserved::NoRoom(loss) => {
                let waited = match patience {
                    Patience::None => Duration::ZERO,
                    Patience::Since(instant) => instant.elapsed(),
                };
                self.end_needing(first..=last, &loss, waited)
            }
            Unpreserved::Unreadable { block, error } => {
                let loss = Loss {
                    cause: LossCause::Damaged,
                    errno: error.raw_os_error().or(Some(5)),
                    detail: format!(
                        "the volume could not be read at byte {}, which was about to be overwritten: {error}",
                        block * BLOCK as u64
                    ),
                };
                // Waiting does not mend that.
                self.end_needing(block..=block, &loss, Duration::MAX)
            }
        }
    }

    /// Ends the snapshots that need one of the blocks, but for those that want writers to wait longer than they
    /// have `waited`; returns for how long, if none was ended.
    fn end_needing(
        &self,
        blocks: RangeInclusive<u64>,
        loss: &Loss,
        waited: Duration,
    ) -> Option<Duration> {
        let mut open = self.exclusive();
        let needing = |s: &Snapshot| {
            let relies = |block| s.relies_on_store(block, self.map.newest(block));
            blocks.clone().any(relies)
        };
        let (waiting, ending): (Vec<&Snapshot>, _) = open
            .snapshots
            .iter()
            .filter(|s| needing(s))
            .partition(|s| s.policy.hold > waited);
        let longest = waiting.iter().map(|s| s.policy.hold - waited).max();
        let ending: Vec<u64> = ending.iter().map(|s| s.key).collect();
        if ending.is_empty() {
            return longest;
        }
        self.end(&mut open, loss, |s| ending.contains(&s.key));
        drop(open);
        self.lost_some();
        None
    }

    /// Ends snapshots for cause: in the ledger first.
    pub(crate) fn end(&self, open: &mut Open, loss: &Loss, which: impl Fn(&Snapshot) -> bool) {
        open.snapshots.retain(|s| {
            let ends = which(s);
            if ends {
                self.ledger.snapshot_lost(s, loss);
            }
            !ends
        });
    }

    /// What only they needed is given up later; writers that waited because of them wait no more.
    pub(crate) fn lost_some(&self) {
        self.sweep_later();
        self.room_made();
    }
}
