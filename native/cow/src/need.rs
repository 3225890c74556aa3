//! Preserving: which blocks need a pre-image, saving them, and what happens when there is no room.

use crate::BLOCK;
use crate::map::{MAX_POOLS, SlotRef};
use crate::pool::{NoRoom, Pool};
use crate::record::{self, Record};
use crate::store::{Loss, LossCause};
use crate::sync::Arc;
use crate::sync::atomic::Ordering;
use crate::volume::{Open, Patience, Volume};
use std::io;
use std::time::Duration;

/// Why a range could not be preserved: `Err` is the backing store's, and the writer's.
pub(crate) type Unpreserved = io::Result<Loss>;

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
        self.read_blocks(start, old).map_err(Err)?;
        let mut done = 0;
        while done < count {
            let (number, pool, slot, got) = self.allocate(open, count - done).map_err(Ok)?;
            let data = &old[done as usize * BLOCK..(done + got) as usize * BLOCK];
            if let Err(error) = pool.store().write(slot, data) {
                for n in 0..got {
                    pool.free(slot + n as u32);
                }
                return Err(Ok(Loss {
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

    /// A write found no room. Ends the snapshots that need its blocks, those that want writers to
    /// wait only once their time is over. Returns how long the write may wait before it tries again;
    /// None: at once.
    pub(crate) fn without_room(
        &self,
        first: u64,
        last: u64,
        loss: Loss,
        patience: Patience,
    ) -> Option<Duration> {
        let waited = match patience {
            Patience::None => Duration::ZERO,
            Patience::Since(instant) => instant.elapsed(),
        };
        let mut longest = Duration::ZERO;
        let mut open = self.exclusive();
        let needing: Vec<u64> = open
            .snapshots
            .iter()
            .filter(|s| (first..=last).any(|b| s.relies_on_store(b, self.map.newest(b))))
            .map(|s| s.key)
            .collect();
        let held = |s: &crate::volume::Snapshot| s.policy.hold > waited;
        let mut lost = false;
        for key in needing {
            let Some(at) = open.snapshots.iter().position(|s| s.key == key) else {
                continue;
            };
            if held(&open.snapshots[at]) {
                longest = longest.max(open.snapshots[at].policy.hold - waited);
            } else {
                self.ledger.snapshot_lost(&open.snapshots[at], &loss);
                open.snapshots.remove(at);
                lost = true;
            }
        }
        drop(open);
        if lost {
            self.unswept.store(true, Ordering::SeqCst);
            self.room.ask();
            return None;
        }
        (longest > Duration::ZERO).then_some(longest)
    }
}
