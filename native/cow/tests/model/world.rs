//! A volume of few blocks, on disks whose requests overtake each other.

use cow::BLOCK;
use cow::bitmap::Bitmap;
use cow::changes::Interval;
use cow::map::MAX_POOLS;
use cow::pool::Pool;
use cow::record;
use cow::snapshot_read::ReadFailure;
use cow::store::{BlockStore, Ledger, Loss, SlotStore, Words};
use cow::sync::Mutex;
use cow::sync::atomic::AtomicU64;
use cow::volume::{NewSnapshot, Patience, Policy, Snapshot, Survivors, Volume};
use shuttle::thread;
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub const BLOCKS: usize = 4;

/// A disk whose requests others may overtake, half a block at a time: each lock is such a point.
pub struct Disk(pub Mutex<Vec<u8>>);

impl Disk {
    pub fn new(blocks: usize) -> Self {
        Disk(Mutex::new(vec![1; blocks * BLOCK]))
    }

    pub fn copy_out(&self, offset: usize, buf: &mut [u8]) {
        for (n, half) in buf.chunks_mut(BLOCK / 2).enumerate() {
            let from = offset + n * BLOCK / 2;
            half.copy_from_slice(&self.0.lock().expect("lock")[from..from + half.len()]);
        }
    }

    pub fn copy_in(&self, offset: usize, data: &[u8]) {
        for (n, half) in data.chunks(BLOCK / 2).enumerate() {
            let to = offset + n * BLOCK / 2;
            self.0.lock().expect("lock")[to..to + half.len()].copy_from_slice(half);
        }
    }
}

impl BlockStore for Disk {
    fn size(&self) -> u64 {
        (BLOCKS * BLOCK) as u64
    }
    fn alignment(&self) -> usize {
        512
    }
    fn read(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.copy_out(offset as usize, buf);
        Ok(())
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.copy_in(offset as usize, data);
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
    fn discard(&self, offset: u64, length: u64) -> io::Result<()> {
        self.write_zeroes(offset, length)
    }
    fn punch_hole(&self, offset: u64, length: u64) -> io::Result<()> {
        self.write_zeroes(offset, length)
    }
    fn write_zeroes(&self, offset: u64, length: u64) -> io::Result<()> {
        self.copy_in(offset as usize, &vec![0; length as usize]);
        Ok(())
    }
}

impl SlotStore for Disk {
    fn reserve(&self, slots: u64) -> io::Result<()> {
        let mut data = self.0.lock().expect("lock");
        let length = data.len().max(slots as usize * BLOCK);
        data.resize(length, 0);
        Ok(())
    }
    fn read(&self, slot: u32, buf: &mut [u8]) -> io::Result<()> {
        self.copy_out(slot as usize * BLOCK, buf);
        Ok(())
    }
    fn write(&self, slot: u32, data: &[u8]) -> io::Result<()> {
        self.copy_in(slot as usize * BLOCK, data);
        Ok(())
    }
}

#[derive(Default)]
pub struct Losses(pub Mutex<Vec<u64>>);

impl Ledger for Losses {
    fn snapshot_lost(&self, snapshot: &Snapshot, _: &Loss) {
        self.0.lock().expect("lock").push(snapshot.key);
    }
}

pub struct World {
    pub volume: Volume,
    pub disk: Arc<Disk>,
    pub losses: Arc<Losses>,
}

pub fn words(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

impl World {
    /// `most`: slots that the one cache may have.
    pub fn new(most: u64) -> Arc<World> {
        let indexes: Vec<Arc<dyn Words>> = (0..MAX_POOLS)
            .map(|_| -> Arc<dyn Words> { Arc::new(words(16 * record::WORDS)) })
            .collect();
        let pool = Pool::new(Arc::new(Disk::new(0)), indexes[0].clone(), 0, most);
        let losses = Arc::new(Losses::default());
        let survivors = Survivors {
            epoch: 0,
            snapshots: Vec::new(),
            pools: vec![(0, Arc::new(pool))],
            intervals: Vec::new(),
        };
        let disk = Arc::new(Disk::new(BLOCKS));
        let volume = Volume::new(disk.clone(), 512, indexes, losses.clone(), survivors);
        Arc::new(World {
            volume,
            disk,
            losses,
        })
    }

    pub fn snapshot(&self, key: u64) {
        let new = NewSnapshot {
            key,
            pools: vec![0],
            free: None,
            policy: Policy {
                hold: Duration::ZERO,
            },
            read_to: 0,
        };
        let interval = Interval {
            key,
            changed: Bitmap::new(Arc::new(words(1))),
        };
        let taken = self
            .volume
            .activate(new, interval, 0, |_, _| Ok::<(), ()>(()));
        assert!(matches!(taken, Ok(Some(_))));
    }

    pub fn write(&self, block: usize, fill: u8) {
        let mut scratch = vec![0; 3 * BLOCK];
        self.volume
            .write(
                (block * BLOCK) as u64,
                &[fill; BLOCK],
                Patience::from_now(),
                &mut scratch,
            )
            .expect("a live write never fails");
    }

    /// As by a transport that puts the data there by itself where it may, and has another thread hear of its end.
    pub fn write_behind(
        self: &Arc<World>,
        block: usize,
        fill: u8,
    ) -> Option<thread::JoinHandle<()>> {
        let offset = block * BLOCK;
        if !self.volume.begin_write(offset as u64, BLOCK as u64) {
            self.write(block, fill);
            return None;
        }
        Some(beside(self, move |w| {
            w.disk.copy_in(offset, &[fill; BLOCK]);
            w.volume.end_write();
        }))
    }

    /// A block that one byte fills; None where the image cannot be read.
    pub fn read(&self, key: u64, block: usize) -> Option<u8> {
        let mut buf = vec![0; BLOCK];
        let done = self
            .volume
            .read_snapshot(key, (block * BLOCK) as u64, &mut buf, &mut []);
        match done {
            Ok(()) => {
                assert!(
                    buf.iter().all(|b| *b == buf[0]),
                    "two contents in one block"
                );
                Some(buf[0])
            }
            Err(ReadFailure::Gone | ReadFailure::Passed) => None,
            Err(e) => panic!("{e:?}"),
        }
    }

    /// Takes a snapshot and looks at its first two blocks.
    pub fn see_instant(&self, key: u64) -> (Option<u8>, Option<u8>) {
        self.snapshot(key);
        (self.read(key, 0), self.read(key, 1))
    }

    pub fn used(&self) -> u64 {
        self.volume.pool(0).expect("pool").used()
    }
}

pub fn beside(
    world: &Arc<World>,
    act: impl FnOnce(&World) + Send + 'static,
) -> thread::JoinHandle<()> {
    let world = world.clone();
    thread::spawn(move || act(&world))
}
