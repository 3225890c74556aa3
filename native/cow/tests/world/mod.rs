//! A world in memory for copy-on-write: a store, cache files, words that outlive a "process", and a
//! fuse that kills the process at any of its input and output calls.

// Each test program uses a part of it.
#![allow(dead_code)]

use cow::BLOCK;
use cow::bitmap::Bitmap;
use cow::changes::Interval;
use cow::map::MAX_POOLS;
use cow::pool::Pool;
use cow::record;
use cow::store::{BlockStore, Ledger, Loss, SlotStore, Words};
use cow::volume::{NewSnapshot, Policy, Snapshot, Survivor, Survivors, Volume};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub const SLOTS: usize = 2048;

/// Panics at the n-th step from now.
#[derive(Default)]
pub struct Fuse(AtomicI64);

impl Fuse {
    pub fn light(&self, steps: i64) {
        self.0.store(steps, Ordering::SeqCst);
    }

    fn step(&self) {
        if self.0.load(Ordering::SeqCst) > 0 && self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            panic!("killed");
        }
    }
}

type Hook = Box<dyn FnMut() + Send>;

pub struct MemoryStore {
    pub data: Mutex<Vec<u8>>,
    alignment: usize,
    fuse: Arc<Fuse>,
    /// Called once, after the next read took its data.
    pub after_read: Mutex<Option<Hook>>,
    /// Bytes that no read gets.
    pub unreadable: Mutex<Range<u64>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryStore {
    fn change(&self, offset: u64, length: usize, act: impl FnOnce(&mut [u8])) -> io::Result<()> {
        assert_eq!(offset as usize % self.alignment, 0, "unaligned");
        assert_eq!(length % self.alignment, 0, "unaligned");
        self.fuse.step();
        act(&mut locked(&self.data)[offset as usize..offset as usize + length]);
        self.fuse.step();
        Ok(())
    }
}

impl BlockStore for MemoryStore {
    fn size(&self) -> u64 {
        locked(&self.data).len() as u64
    }
    fn alignment(&self) -> usize {
        self.alignment
    }
    fn read(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        assert_eq!(offset as usize % self.alignment, 0, "unaligned");
        self.fuse.step();
        let bad = locked(&self.unreadable).clone();
        if offset < bad.end && bad.start < offset + buf.len() as u64 {
            return Err(io::Error::from_raw_os_error(5));
        }
        buf.copy_from_slice(&locked(&self.data)[offset as usize..][..buf.len()]);
        let hook = locked(&self.after_read).take();
        if let Some(mut hook) = hook {
            hook();
        }
        Ok(())
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(offset, data.len(), |to| to.copy_from_slice(data))
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
    fn discard(&self, offset: u64, length: u64) -> io::Result<()> {
        self.change(offset, length as usize, |to| to.fill(0))
    }
    fn punch_hole(&self, offset: u64, length: u64) -> io::Result<()> {
        self.change(offset, length as usize, |to| to.fill(0))
    }
    fn write_zeroes(&self, offset: u64, length: u64) -> io::Result<()> {
        self.change(offset, length as usize, |to| to.fill(0))
    }
}

pub struct MemorySlots {
    pub data: Mutex<Vec<u8>>,
    /// Slots that the "disk" has room for.
    pub room: AtomicU64,
    pub broken: AtomicBool,
    fuse: Arc<Fuse>,
}

impl SlotStore for MemorySlots {
    fn reserve(&self, slots: u64) -> io::Result<()> {
        self.fuse.step();
        if slots > self.room.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(28));
        }
        let mut data = locked(&self.data);
        let length = (slots as usize * BLOCK).max(data.len());
        data.resize(length, 0);
        Ok(())
    }
    fn read(&self, slot: u32, buf: &mut [u8]) -> io::Result<()> {
        self.fuse.step();
        buf.copy_from_slice(&locked(&self.data)[slot as usize * BLOCK..][..buf.len()]);
        Ok(())
    }
    fn write(&self, slot: u32, from: &[u8]) -> io::Result<()> {
        self.fuse.step();
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(5));
        }
        locked(&self.data)[slot as usize * BLOCK..][..from.len()].copy_from_slice(from);
        self.fuse.step();
        Ok(())
    }
}

/// What the keeper's memory would hold of a snapshot.
#[derive(Clone)]
pub struct Stored {
    pub epoch: u32,
    pub interval: u64,
    pub pools: Vec<usize>,
    pub free: Option<Bitmap>,
    pub hold: Policy,
    pub read_to: u64,
}

#[derive(Default)]
pub struct MemoryLedger {
    pub open: Mutex<BTreeMap<u64, Stored>>,
    pub lost: Mutex<Vec<(u64, Loss)>>,
    fuse: Arc<Fuse>,
}

impl Ledger for MemoryLedger {
    fn snapshot_lost(&self, snapshot: &Snapshot, loss: &Loss) {
        self.fuse.step();
        if locked(&self.open).remove(&snapshot.key).is_some() {
            locked(&self.lost).push((snapshot.key, loss.clone()));
        }
        self.fuse.step();
    }
}

pub struct World {
    pub fuse: Arc<Fuse>,
    pub store: Arc<MemoryStore>,
    pub slots: Vec<Arc<MemorySlots>>,
    pub ledger: Arc<MemoryLedger>,
    indexes: Vec<Arc<dyn Words>>,
    /// Each with the key of the snapshot that began it. One that was killed in between has begun one too, and
    /// begins another when it is done again.
    pub intervals: Mutex<Vec<(u64, Interval)>>,
    epoch: AtomicU64,
    sector: usize,
    pub max_slots: u64,
}

pub fn bitmap(blocks: usize) -> Bitmap {
    let words: Vec<AtomicU64> = (0..blocks.div_ceil(64))
        .map(|_| AtomicU64::new(0))
        .collect();
    Bitmap::new(Arc::new(words))
}

impl World {
    pub fn new(content: Vec<u8>, sector: usize, alignment: usize, room: u64) -> Self {
        let fuse = Arc::new(Fuse::default());
        let words = || -> Arc<dyn Words> {
            let words: Vec<AtomicU64> = (0..SLOTS * record::WORDS)
                .map(|_| AtomicU64::new(0))
                .collect();
            Arc::new(words)
        };
        World {
            intervals: Mutex::default(),
            store: Arc::new(MemoryStore {
                data: Mutex::new(content),
                alignment,
                fuse: fuse.clone(),
                after_read: Mutex::default(),
                unreadable: Mutex::default(),
            }),
            slots: (0..2)
                .map(|_| {
                    Arc::new(MemorySlots {
                        data: Mutex::default(),
                        room: AtomicU64::new(room),
                        broken: AtomicBool::new(false),
                        fuse: fuse.clone(),
                    })
                })
                .collect(),
            ledger: Arc::new(MemoryLedger {
                fuse: fuse.clone(),
                ..Default::default()
            }),
            indexes: (0..MAX_POOLS).map(|_| words()).collect(),
            epoch: AtomicU64::new(0),
            fuse,
            sector,
            max_slots: SLOTS as u64,
        }
    }

    /// A new "process" over what outlived the last one.
    pub fn start(&self) -> Volume {
        let pools = self.slots.iter().enumerate().map(|(n, slots)| {
            let reserved = (locked(&slots.data).len() / BLOCK) as u64;
            let index = self.indexes[n].clone();
            (
                n,
                Arc::new(Pool::new(slots.clone(), index, reserved, self.max_slots)),
            )
        });
        let snapshots = locked(&self.ledger.open)
            .clone()
            .into_iter()
            .map(|(key, s)| {
                let new = NewSnapshot {
                    key,
                    pools: s.pools,
                    free: s.free,
                    policy: s.hold,
                    read_to: s.read_to,
                };
                Survivor {
                    snapshot: new,
                    epoch: s.epoch,
                    interval: s.interval,
                }
            });
        let survivors = Survivors {
            epoch: self.epoch.load(Ordering::SeqCst) as u32,
            snapshots: snapshots.collect(),
            pools: pools.collect(),
            intervals: locked(&self.intervals)
                .iter()
                .map(|(_, interval)| interval.clone())
                .collect(),
        };
        Volume::new(
            self.store.clone(),
            self.sector,
            self.indexes.clone(),
            self.ledger.clone(),
            survivors,
        )
    }

    pub fn snapshot(
        &self,
        volume: &Volume,
        key: u64,
        pools: &[usize],
        free: Option<Bitmap>,
        hold: Policy,
    ) {
        let new = NewSnapshot {
            key,
            pools: pools.to_vec(),
            free: free.clone(),
            policy: hold,
            read_to: 0,
        };
        let number = locked(&self.intervals).last().map_or(1, |(_, i)| i.key + 1);
        let interval = Interval {
            key: number,
            changed: bitmap(self.store.size().div_ceil(BLOCK as u64) as usize),
        };
        let began = interval.clone();
        let taken = volume.activate(new, interval, volume.mutations(), |epoch, free_known| {
            assert_eq!(free_known, free.is_some());
            self.fuse.step();
            self.epoch.store(u64::from(epoch), Ordering::SeqCst);
            locked(&self.intervals).push((key, began));
            self.fuse.step();
            let stored = Stored {
                epoch,
                interval: number,
                pools: pools.to_vec(),
                free,
                hold,
                read_to: 0,
            };
            locked(&self.ledger.open).insert(key, stored);
            self.fuse.step();
            Ok::<(), ()>(())
        });
        assert!(matches!(taken, Ok(Some(_))));
    }

    pub fn release(&self, volume: &Volume, key: u64) {
        volume.end_snapshot(key, || {
            self.fuse.step();
            locked(&self.ledger.open).remove(&key);
            self.fuse.step();
        });
        volume.sweep();
    }

    /// Returns how many slots were freed.
    pub fn passed(&self, volume: &Volume, key: u64, to: u64) -> u64 {
        self.fuse.step();
        if let Some(stored) = locked(&self.ledger.open).get_mut(&key) {
            stored.read_to = stored.read_to.max(to);
        }
        self.fuse.step();
        volume.passed(key, to)
    }

    /// The interval that a snapshot began.
    pub fn interval_of(&self, snapshot: u64) -> Option<u64> {
        let intervals = locked(&self.intervals);
        let mut newest_first = intervals.iter().rev();
        newest_first
            .find(|(key, _)| *key == snapshot)
            .map(|(_, interval)| interval.key)
    }

    /// Gives up the interval that a snapshot began.
    pub fn forget_interval(&self, volume: &Volume, snapshot: u64) {
        if let Some(number) = self.interval_of(snapshot)
            && volume.forget_interval(number)
        {
            self.fuse.step();
            locked(&self.intervals).retain(|(_, i)| i.key != number);
            self.fuse.step();
        }
    }

    pub fn is_open(&self, key: u64) -> bool {
        locked(&self.ledger.open).contains_key(&key)
    }
}
