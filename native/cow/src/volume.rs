//! A volume and its snapshots: the write path.
//!
//! # What a snapshot is
//!
//! Each snapshot has an epoch, a number that the volume counts up. A pre-image is recorded with the
//! epoch that was current when its block was first overwritten. Snapshot *s* reads block *b* from the
//! earliest pre-image of *b* with an epoch of at least *s*; if there is none, nobody has overwritten
//! *b* since, and the backing store has it. A block that was free when *s* was taken reads as zeroes.
//! A reader that goes through an image in order may say how far it is: what lies behind it is not
//! preserved for *s* any more and cannot be read again.
//!
//! # A write
//!
//! For each block it touches: a snapshot *would still read it from the backing store* if it is open,
//! its epoch is newer than the block's newest pre-image, the block was not free when it was taken, and
//! its reader has not passed the block. If any would, the block is preserved: old data read, slot written, record stored (release), and
//! only then is the new data written. That order is what makes a kill at any instant harmless: the
//! write is sent again, finds the record, and goes straight through. Without a record nothing was
//! overwritten yet. The range is marked as changed
//! (`changes`) between the two.
//!
//! # Locks, in the order in which they are taken
//!
//! 1. `open` (the open snapshots): shared by every write and every snapshot read for as long as they
//!    last, exclusive to flip the epoch, to release, to lose a snapshot. So an epoch has no write in
//!    flight across its border. A write that goes on behind its call is waited for as well (`behind`).
//! 2. `ranges`: see `range_lock`. Released before the new data is written, unless parts of blocks are
//!    written by reading and writing the whole. Not taken where no block has to be preserved: none comes to need
//!    it while `open` is held.
//! 3. The map's shards and the pools' slots: leaves, never held across I/O.
//!
//! A writer that waits for room (policy `Hold`) holds none of them. A thread that readers of an image need
//! as well must not wait: it asks with [`Patience::None`] and leaves the change to one that may.
//!
//! # What fails how
//!
//! An error of the backing store goes to whoever asked for that range, unchanged. A block that cannot be preserved,
//! because the cache takes it not or because its old data cannot be read, fails no write: the snapshots that need
//! it are lost ([`Ledger`] first), and the write goes on, which may well be what mends the block.

use crate::behind::{Behind, blocks};
use crate::changes::Interval;
use crate::map::{BlockMap, MAX_POOLS};
use crate::pool::Pool;
use crate::range_lock::RangeLocks;
use crate::record::MAX_EPOCH;
use crate::room::Room;
pub use crate::snapshot::{NewSnapshot, Policy, Snapshot};
use crate::store::{BlockStore, Ledger, Words};
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::io;
use std::time::Instant;

/// Discards and zeroes are done in pieces of this many bytes, so that a lock is not held for long.
const PIECE: u64 = 1 << 20;

#[derive(Default)]
pub(crate) struct Open {
    pub epoch: u32,
    /// By epoch, oldest first.
    pub snapshots: Vec<Snapshot>,
    pub pools: [Option<Arc<Pool>>; MAX_POOLS],
    /// Oldest first; the last one runs.
    pub intervals: Vec<Interval>,
}

impl Open {
    pub fn find(&self, key: u64) -> Option<&Snapshot> {
        self.snapshots.iter().find(|s| s.key == key)
    }
}

/// How long a change may wait for room that a snapshot with the policy `Hold` wants it to wait for.
#[derive(Debug, Clone, Copy)]
pub enum Patience {
    /// Not at all: it fails with `WouldBlock`, and is to be made again.
    None,
    /// As long as the policy says, counted from this instant.
    Since(Instant),
}

impl Patience {
    pub fn from_now() -> Self {
        Patience::Since(Instant::now())
    }
}

/// What a restart finds in the memory that outlived the last process.
pub struct Survivors {
    pub epoch: u32,
    pub snapshots: Vec<Survivor>,
    /// By number.
    pub pools: Vec<(usize, Arc<Pool>)>,
    /// Oldest first.
    pub intervals: Vec<Interval>,
}

/// A snapshot that was open.
pub struct Survivor {
    pub snapshot: NewSnapshot,
    pub epoch: u32,
    /// Number of the interval that it began.
    pub interval: u64,
}

pub struct Volume {
    pub(crate) store: Arc<dyn BlockStore>,
    pub(crate) open: RwLock<Open>,
    pub(crate) map: BlockMap,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) sweeping: Mutex<()>,
    pub(crate) unswept: AtomicBool,
    pub(crate) behind: Behind,
    ranges: RangeLocks,
    /// Whether a request may cover parts of what the backing store writes at once.
    pub(crate) whole_only: bool,
    mutations: AtomicU64,
    current_epoch: AtomicU32,
    pub(crate) room: Room,
}

impl Volume {
    /// `indexes`: the records of each pool, [`MAX_POOLS`] of them.
    /// Rebuilds the map from the records and gives up those that no snapshot needs.
    pub fn new(
        store: Arc<dyn BlockStore>,
        sector_size: usize,
        indexes: Vec<Arc<dyn Words>>,
        ledger: Arc<dyn Ledger>,
        survivors: Survivors,
    ) -> Self {
        let mut open = Open {
            epoch: survivors.epoch,
            intervals: survivors.intervals,
            ..Default::default()
        };
        for (number, pool) in survivors.pools {
            open.pools[number] = Some(pool);
        }
        for s in survivors.snapshots {
            open.snapshots
                .push(Snapshot::new(s.snapshot, s.epoch, s.interval));
        }
        open.snapshots.sort_by_key(|s| s.epoch);
        let volume = Volume {
            whole_only: store.alignment() > sector_size,
            store,
            map: BlockMap::new(indexes),
            ledger,
            sweeping: Mutex::default(),
            unswept: AtomicBool::new(false),
            behind: Behind::default(),
            ranges: RangeLocks::new(),
            mutations: AtomicU64::new(0),
            current_epoch: AtomicU32::new(open.epoch),
            room: Room::default(),
            open: RwLock::new(open),
        };
        volume.rebuild();
        volume
    }

    pub(crate) fn shared(&self) -> RwLockReadGuard<'_, Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// No write is in flight while it is held.
    pub(crate) fn exclusive(&self) -> RwLockWriteGuard<'_, Open> {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        self.behind.wait_for_none();
        open
    }

    pub fn size(&self) -> u64 {
        self.store.size()
    }

    pub fn epoch(&self) -> u32 {
        self.current_epoch.load(Ordering::Relaxed)
    }

    /// Writes, discards and zeroings begun so far.
    pub fn mutations(&self) -> u64 {
        self.mutations.load(Ordering::SeqCst)
    }

    /// Bytes of the tables that find pre-images, without their records.
    pub fn map_memory(&self) -> usize {
        self.map.memory()
    }

    pub fn pool(&self, number: usize) -> Option<Arc<Pool>> {
        self.shared().pools[number].clone()
    }

    pub fn set_pool(&self, number: usize, pool: Option<Arc<Pool>>) {
        self.exclusive().pools[number] = pool;
    }

    /// Calls `see` with an open snapshot.
    pub fn with_snapshot<R>(&self, key: u64, see: impl FnOnce(&Snapshot) -> R) -> Option<R> {
        self.shared().find(key).map(see)
    }

    pub fn set_policy(&self, key: u64, policy: Policy) {
        if let Some(s) = self.exclusive().snapshots.iter_mut().find(|s| s.key == key) {
            s.policy = policy;
        }
        self.room_made();
    }

    /// The pools that a snapshot's pre-images go to, in this order.
    pub fn set_pools(&self, key: u64, pools: Vec<usize>) {
        if let Some(s) = self.exclusive().snapshots.iter_mut().find(|s| s.key == key) {
            s.pools = pools;
        }
        self.room_made();
    }

    /// Flips the epoch: from this instant on the snapshot exists. No write is in flight meanwhile.
    ///
    /// If writes began since `mutations` was read, the volume was not frozen: then the list of free
    /// blocks means nothing and is not used. `commit(epoch, free list used)` stores the snapshot where
    /// the next engine finds it, and that `interval` runs; if it fails, there is no snapshot.
    /// `interval`: what changes from now on; its bitmap is clear.
    pub fn activate<E>(
        &self,
        mut new: NewSnapshot,
        interval: Interval,
        mutations: u64,
        commit: impl FnOnce(u32, bool) -> Result<(), E>,
    ) -> Result<Option<u32>, E> {
        let mut open = self.exclusive();
        if open.epoch >= MAX_EPOCH {
            return Ok(None);
        }
        let epoch = open.epoch + 1;
        if self.mutations() != mutations {
            new.free = None;
        }
        commit(epoch, new.free.is_some())?;
        open.epoch = epoch;
        self.current_epoch.store(epoch, Ordering::Relaxed);
        open.snapshots.push(Snapshot::new(new, epoch, interval.key));
        open.intervals.push(interval);
        Ok(Some(epoch))
    }

    /// Reads the live volume.
    pub fn read(&self, offset: u64, buf: &mut [u8], scratch: &mut [u8]) -> io::Result<()> {
        let (from, to) = self.aligned(offset, buf.len());
        if from == offset && to == offset + buf.len() as u64 {
            return self.store.read(offset, buf);
        }
        let whole = &mut scratch[..(to - from) as usize];
        self.store.read(from, whole)?;
        let skip = (offset - from) as usize;
        buf.copy_from_slice(&whole[skip..skip + buf.len()]);
        Ok(())
    }

    /// Writes to the live volume; pre-images first. `scratch`: at least the data and two blocks.
    pub fn write(
        &self,
        offset: u64,
        data: &[u8],
        patience: Patience,
        scratch: &mut [u8],
    ) -> io::Result<()> {
        let (from, to) = self.aligned(offset, data.len());
        if from == offset && to == offset + data.len() as u64 {
            let store = &self.store;
            return self.mutate(offset, data.len() as u64, patience, scratch, |_| {
                store.write(offset, data)
            });
        }
        self.mutate(offset, data.len() as u64, patience, scratch, |scratch| {
            let whole = &mut scratch[..(to - from) as usize];
            self.store.read(from, whole)?;
            let skip = (offset - from) as usize;
            whole[skip..skip + data.len()].copy_from_slice(data);
            self.store.write(from, whole)
        })
    }

    /// Like `write` of whole units of the backing store, where `write` puts the data there.
    pub fn write_by(
        &self,
        offset: u64,
        length: u64,
        patience: Patience,
        scratch: &mut [u8],
        write: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        self.mutate(offset, length, patience, scratch, |_| write())
    }

    pub fn flush(&self) -> io::Result<()> {
        self.store.flush()
    }

    pub fn discard(
        &self,
        offset: u64,
        length: u64,
        patience: Patience,
        scratch: &mut [u8],
    ) -> io::Result<()> {
        self.in_pieces(offset, length, |at, piece| {
            self.mutate(at, piece, patience, scratch, |_| {
                self.store.discard(at, piece)
            })
        })
    }

    /// As [`Volume::write_zeroes`], and gives the room of whole units back.
    ///
    /// # Errors
    /// EOPNOTSUPP where the store cannot give room back so that zeroes are read; what the range reads as is not told then.
    pub fn punch_hole(
        &self,
        offset: u64,
        length: u64,
        patience: Patience,
        scratch: &mut [u8],
    ) -> io::Result<()> {
        let punch = |at, piece| self.store.punch_hole(at, piece);
        self.zero_by(offset, length, patience, scratch, punch)
    }

    pub fn write_zeroes(
        &self,
        offset: u64,
        length: u64,
        patience: Patience,
        scratch: &mut [u8],
    ) -> io::Result<()> {
        let zero = |at, piece| self.store.write_zeroes(at, piece);
        self.zero_by(offset, length, patience, scratch, zero)
    }

    /// Whole units by `zero`; what lies before and after them is written.
    fn zero_by(
        &self,
        offset: u64,
        length: u64,
        patience: Patience,
        scratch: &mut [u8],
        zero: impl Fn(u64, u64) -> io::Result<()>,
    ) -> io::Result<()> {
        let unit = self.store.alignment() as u64;
        self.in_pieces(offset, length, |at, piece| {
            let end = at + piece;
            let from = at.next_multiple_of(unit).min(end);
            let to = (end / unit * unit).max(from);
            for edge in [at..from, to..end] {
                if !edge.is_empty() {
                    let zeroes = vec![0; (edge.end - edge.start) as usize];
                    self.write(edge.start, &zeroes, patience, scratch)?;
                }
            }
            self.mutate(from, to - from, patience, scratch, |_| {
                zero(from, to - from)
            })
        })
    }

    fn in_pieces(
        &self,
        offset: u64,
        length: u64,
        mut act: impl FnMut(u64, u64) -> io::Result<()>,
    ) -> io::Result<()> {
        let end = offset + length;
        let mut at = offset;
        while at < end {
            let piece = ((at / PIECE + 1) * PIECE).min(end) - at;
            act(at, piece)?;
            at += piece;
        }
        Ok(())
    }

    /// The range widened to what the backing store can read and write.
    pub(crate) fn aligned(&self, offset: u64, length: usize) -> (u64, u64) {
        let unit = self.store.alignment() as u64;
        let end = (offset + length as u64).next_multiple_of(unit);
        (offset / unit * unit, end.min(self.size()))
    }

    /// Preserves what the range needs, then applies the change.
    fn mutate(
        &self,
        offset: u64,
        length: u64,
        patience: Patience,
        scratch: &mut [u8],
        apply: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if length == 0 {
            return Ok(());
        }
        let (first, last) = blocks(offset, length);
        loop {
            let seen = self.room.count();
            let open = self.shared();
            self.write_begins();
            if !self.whole_only && !self.needs_any(&open, first, last) {
                self.mark(&open, first, last);
                return apply(scratch);
            }
            let range = self.ranges.lock(first, last);
            match self.preserve(&open, first, last, scratch) {
                Ok(()) => {
                    let _held = self.whole_only.then_some(range);
                    self.mark(&open, first, last);
                    return apply(scratch);
                }
                Err(why) => {
                    drop(range);
                    drop(open);
                    let Some(longest) = self.make_way(first, last, why, patience) else {
                        continue;
                    };
                    if matches!(patience, Patience::None) {
                        return Err(io::ErrorKind::WouldBlock.into());
                    }
                    self.room.wait(seen, longest);
                }
            }
        }
    }

    /// With `open` held, so that no snapshot is taken between this and the write.
    pub(crate) fn write_begins(&self) {
        self.mutations.fetch_add(1, Ordering::SeqCst);
    }

    /// Something may have room now that had none.
    pub fn room_made(&self) {
        self.room.made();
    }
}
