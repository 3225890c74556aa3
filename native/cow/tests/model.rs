//! Threads that meet in every order that a scheduler finds: each lock, unlock, atomic step and call of
//! the world is a point where another thread may go on. A deadlock is found as such.
//!
//! `cargo test -p cow --features model --test model`. `STILLFRAME_MODEL_RUNS` sets how many orders are
//! tried of each case (1,500 by default).

use cow::BLOCK;
use cow::bitmap::Bitmap;
use cow::changes::Interval;
use cow::gather::Gathering;
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

const BLOCKS: usize = 4;

fn explore(case: impl Fn() + Send + Sync + 'static) {
    let runs = std::env::var("STILLFRAME_MODEL_RUNS").ok();
    let runs = runs.and_then(|r| r.parse().ok()).unwrap_or(1500);
    let case = Arc::new(case);
    let at_random = case.clone();
    shuttle::check_random(move || at_random(), runs / 3);
    // Few preemptions, at the worst places.
    for depth in [2, 3] {
        let case = case.clone();
        shuttle::check_pct(move || case(), runs / 3, depth);
    }
}

/// A disk whose requests others may overtake, half a block at a time: each lock is such a point.
struct Disk(Mutex<Vec<u8>>);

impl Disk {
    fn new(blocks: usize) -> Self {
        Disk(Mutex::new(vec![1; blocks * BLOCK]))
    }

    fn copy_out(&self, offset: usize, buf: &mut [u8]) {
        for (n, half) in buf.chunks_mut(BLOCK / 2).enumerate() {
            let from = offset + n * BLOCK / 2;
            half.copy_from_slice(&self.0.lock().expect("lock")[from..from + half.len()]);
        }
    }

    fn copy_in(&self, offset: usize, data: &[u8]) {
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
struct Losses(Mutex<Vec<u64>>);

impl Ledger for Losses {
    fn snapshot_lost(&self, snapshot: &Snapshot, _: &Loss) {
        self.0.lock().expect("lock").push(snapshot.key);
    }
}

struct World {
    volume: Volume,
    disk: Arc<Disk>,
    losses: Arc<Losses>,
}

fn words(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

impl World {
    /// `most`: slots that the one cache may have.
    fn new(most: u64) -> Arc<World> {
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

    fn snapshot(&self, key: u64) {
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

    fn write(&self, block: usize, fill: u8) {
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
    fn write_behind(self: &Arc<World>, block: usize, fill: u8) -> Option<thread::JoinHandle<()>> {
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
    fn read(&self, key: u64, block: usize) -> Option<u8> {
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
    fn see_instant(&self, key: u64) -> (Option<u8>, Option<u8>) {
        self.snapshot(key);
        (self.read(key, 0), self.read(key, 1))
    }

    fn used(&self) -> u64 {
        self.volume.pool(0).expect("pool").used()
    }
}

fn beside(world: &Arc<World>, act: impl FnOnce(&World) + Send + 'static) -> thread::JoinHandle<()> {
    let world = world.clone();
    thread::spawn(move || act(&world))
}

fn all(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    let threads: Vec<_> = threads.into_iter().collect();
    for thread in threads {
        thread.join().expect("ends");
    }
}

#[test]
fn an_image_is_read_as_it_was_while_its_blocks_are_overwritten() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        all([
            beside(&world, |w| w.write(0, 2)),
            beside(&world, |w| {
                w.write(0, 3);
                w.write(1, 3);
            }),
            beside(&world, |w| {
                assert_eq!(w.read(1, 0), Some(1));
                assert_eq!(w.read(1, 1), Some(1));
            }),
        ]);
        assert_eq!(world.used(), 2, "each block is preserved once");
    });
}

#[test]
fn a_read_that_a_write_overtakes_has_the_old_content() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        all([
            beside(&world, |w| w.write(0, 2)),
            beside(&world, |w| assert_eq!(w.read(1, 0), Some(1))),
        ]);
    });
}

#[test]
fn writes_of_overlapping_ranges_neither_mix_pre_images_nor_wait_for_each_other_for_ever() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        let write = |from: usize, fill| {
            move |w: &World| {
                let mut scratch = vec![0; 6 * BLOCK];
                let data = vec![fill; 3 * BLOCK - 1024];
                let offset = (from * BLOCK + 512) as u64;
                w.volume
                    .write(offset, &data, Patience::from_now(), &mut scratch)
                    .expect("write");
            }
        };
        all([
            beside(&world, write(0, 2)),
            beside(&world, write(1, 3)),
            beside(&world, |w| {
                let (mut scratch, length) = (vec![0; 4 * BLOCK], (2 * BLOCK) as u64);
                let at = BLOCK as u64;
                w.volume
                    .write_zeroes(at, length, Patience::from_now(), &mut scratch)
                    .expect("zeroes");
            }),
        ]);
        assert!((0..BLOCKS).all(|b| world.read(1, b) == Some(1)));
        assert_eq!(world.used(), BLOCKS as u64);
    });
}

#[test]
fn an_image_of_an_instant_has_no_write_without_the_ones_before_it() {
    explore(|| {
        let world = World::new(16);
        all([
            beside(&world, |w| {
                w.write(0, 2);
                w.write(1, 2);
            }),
            beside(&world, |w| w.snapshot(1)),
        ]);
        world.write(0, 3);
        world.write(1, 3);
        let (first, second) = (world.read(1, 0), world.read(1, 1));
        assert!(
            second == Some(1) || first == Some(2),
            "{first:?} {second:?}"
        );
    });
}

#[test]
fn an_instant_waits_for_the_writes_that_go_on_behind_their_threads() {
    explore(|| {
        let world = World::new(16);
        let writer = world.clone();
        let writer = thread::spawn(move || {
            let first = writer.write_behind(0, 2);
            all(first);
            let second = writer.write_behind(1, 2);
            all(second);
        });
        let at_once = world.clone();
        let taker = thread::spawn(move || at_once.see_instant(1));
        all([writer]);
        let (first, second) = taker.join().expect("ends");
        world.write(0, 3);
        world.write(1, 3);
        assert_eq!((world.read(1, 0), world.read(1, 1)), (first, second));
        assert!(
            second == Some(1) || first == Some(2),
            "{first:?} {second:?}"
        );
    });
}

#[test]
fn a_write_goes_on_behind_its_thread_only_over_what_is_preserved() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        let write = |block| {
            let world = world.clone();
            thread::spawn(move || (2..4).for_each(|fill| all(world.write_behind(block, fill))))
        };
        let reader = beside(&world, |w| {
            assert_eq!(w.read(1, 0), Some(1));
            assert_eq!(w.read(1, 1), Some(1));
        });
        let at_once = world.clone();
        let taker = thread::spawn(move || at_once.see_instant(2));
        all([write(0), write(1), reader]);
        let second = taker.join().expect("ends");
        assert!((0..2).all(|block| world.read(1, block) == Some(1)));
        assert_eq!((world.read(2, 0), world.read(2, 1)), second);
    });
}

#[test]
fn a_release_waits_for_writes_behind_and_they_for_nobody() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        world.write(0, 2);
        let writer = world.clone();
        let writer = thread::spawn(move || {
            let (one, other) = (writer.write_behind(0, 3), writer.write_behind(1, 3));
            all(one.into_iter().chain(other));
        });
        let releaser = beside(&world, |w| {
            w.volume.release(1, || {});
        });
        all([writer, releaser]);
        world.volume.make_room(Duration::ZERO);
        assert_eq!(world.used(), 0);
    });
}

#[test]
fn what_a_snapshot_may_differ_in_is_marked_whenever_it_is_taken() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        all([
            beside(&world, |w| w.write(0, 2)),
            beside(&world, |w| w.snapshot(2)),
            beside(&world, |w| w.write(1, 2)),
        ]);
        let told = world.volume.changed(1, Some(2), 0..BLOCKS as u64, 9);
        let told: Vec<u64> = told.expect("known").extents.into_iter().flatten().collect();
        for block in 0..2 {
            let changed = world.read(1, block) != world.read(2, block);
            assert_eq!(changed, told.contains(&(block as u64)), "block {block}");
        }
    });
}

#[test]
fn what_a_reader_has_passed_is_never_read_with_new_content() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        world.write(1, 2);
        all([
            beside(&world, |w| {
                w.volume.passed(1, 2);
            }),
            beside(&world, |w| {
                w.write(0, 3);
                w.write(2, 3);
            }),
            beside(&world, |w| {
                assert!(matches!(w.read(1, 0), Some(1) | None));
                assert!(matches!(w.read(1, 1), Some(1) | None));
                assert_eq!(w.read(1, 2), Some(1));
            }),
        ]);
        assert_eq!(world.used(), 1);
    });
}

#[test]
fn a_release_beside_writes_and_reads_leaves_no_slot_behind() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        world.snapshot(2);
        world.write(0, 2);
        all([
            beside(&world, |w| {
                w.volume.release(1, || {});
            }),
            beside(&world, |w| {
                w.write(0, 3);
                w.write(1, 3);
            }),
            beside(&world, |w| {
                assert_eq!(w.read(2, 0), Some(1));
                assert!(matches!(w.read(1, 1), Some(1) | None));
            }),
        ]);
        assert_eq!(world.read(2, 1), Some(1));
        world.volume.release(2, || {});
        assert_eq!(world.used(), 0);
    });
}

#[test]
fn a_full_cache_ends_the_image_once_and_no_write() {
    explore(|| {
        let world = World::new(1);
        world.snapshot(1);
        all((0..3).map(|n| beside(&world, move |w| w.write(n, 2))));
        assert_eq!(*world.losses.0.lock().expect("lock"), [1]);
        world.volume.make_room(Duration::ZERO);
        assert_eq!(world.used(), 0);
        world.snapshot(2);
        world.write(0, 3);
        assert_eq!(world.read(2, 0), Some(2));
    });
}

#[test]
fn what_was_gathered_is_on_disk_when_its_write_returns() {
    explore(|| {
        let disk = Arc::new(Disk::new(6));
        let gathering = Arc::new(Gathering::new(disk.clone()));
        let threads = (0..4u8).map(|n| {
            let (disk, gathering) = (disk.clone(), gathering.clone());
            thread::spawn(move || {
                // Some of them neighbours, one of them two blocks long.
                let (slot, length) = if n == 3 { (4, 2) } else { (u32::from(n), 1) };
                let data = vec![10 + n; length * BLOCK];
                gathering.write(slot, &data).expect("write");
                let mut there = vec![0; data.len()];
                SlotStore::read(&*disk, slot, &mut there).expect("read");
                assert!(there == data, "slot {slot} is not there");
            })
        });
        all(threads);
    });
}

/// A disk that refuses a write in which a slot lies.
struct Bad(Disk, u32);

impl SlotStore for Bad {
    fn reserve(&self, slots: u64) -> io::Result<()> {
        self.0.reserve(slots)
    }
    fn read(&self, slot: u32, buf: &mut [u8]) -> io::Result<()> {
        SlotStore::read(&self.0, slot, buf)
    }
    fn write(&self, slot: u32, data: &[u8]) -> io::Result<()> {
        let slots = slot..slot + (data.len() / BLOCK) as u32;
        if slots.contains(&self.1) {
            return Err(io::Error::from_raw_os_error(28));
        }
        SlotStore::write(&self.0, slot, data)
    }
}

#[test]
fn no_write_is_told_as_done_that_was_gathered_with_one_that_failed() {
    explore(|| {
        let disk = Arc::new(Bad(Disk::new(4), 1));
        let gathering = Arc::new(Gathering::new(disk.clone()));
        let threads = (0..4u8).map(|n| {
            let (disk, gathering) = (disk.clone(), gathering.clone());
            thread::spawn(move || {
                let written = gathering.write(n.into(), &[10 + n; BLOCK]);
                let mut there = [0; BLOCK];
                SlotStore::read(&*disk, n.into(), &mut there).expect("read");
                match written {
                    Ok(()) => assert!(n != 1 && there == [10 + n; BLOCK]),
                    Err(e) => assert_eq!(e.raw_os_error(), Some(28)),
                }
            })
        });
        all(threads);
    });
}

#[test]
fn no_slot_is_given_away_twice() {
    explore(|| {
        let index: Arc<dyn Words> = Arc::new(words(0));
        let pool = Arc::new(Pool::new(Arc::new(Disk::new(0)), index, 2, 5));
        let taken = Arc::new(Mutex::new(Vec::new()));
        let threads = (0..3).map(|_| {
            let (pool, taken) = (pool.clone(), taken.clone());
            thread::spawn(move || {
                let Ok((slot, count)) = pool.allocate(2) else {
                    return;
                };
                let mut all = taken.lock().expect("lock");
                for slot in slot..slot + count as u32 {
                    assert!(!all.contains(&slot), "slot {slot} was given away twice");
                    all.push(slot);
                }
            })
        });
        all(threads);
        assert_eq!(pool.used(), taken.lock().expect("lock").len() as u64);
    });
}
