//! A volume that lives as the steps say, and what it must hold after each.

use crate::SECTORS;
use crate::needs::Needs;
use crate::step::{Hand, Step};
use crate::world::{self, World};
use cow::BLOCK;
use cow::snapshot_read::ReadFailure;
use cow::store::BlockStore;
use cow::volume::{Patience, Policy, Volume};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

const SECTOR: usize = 512;

/// A volume and its model, side by side.
pub struct Life {
    pub world: World,
    volume: Volume,
    live: Vec<u8>,
    /// Image of each snapshot that was taken and not released.
    images: BTreeMap<u64, Vec<u8>>,
    /// How far a reader of each is.
    passed: BTreeMap<u64, u64>,
    /// The volume at the instant of each interval that is kept, and what was touched since.
    instants: BTreeMap<u64, (Vec<u8>, BTreeSet<u64>)>,
    needs: Needs,
    /// How many were lost so far.
    lost: usize,
    next: u64,
    scratch: Vec<u8>,
}

impl Life {
    pub fn new(alignment: usize, room: u64) -> Self {
        let size = SECTORS * SECTOR / alignment * alignment;
        let live: Vec<u8> = (0..size).map(|n| (n / 97 % 251) as u8).collect();
        let world = World::new(live.clone(), SECTOR, alignment, room);
        Life {
            volume: world.start(),
            world,
            live,
            images: BTreeMap::new(),
            passed: BTreeMap::new(),
            instants: BTreeMap::new(),
            needs: Needs::default(),
            lost: 0,
            next: 1,
            scratch: vec![0; (1 << 20) + 2 * BLOCK],
        }
    }

    fn pick(&self, which: usize) -> Option<u64> {
        let keys: Vec<u64> = self.images.keys().copied().collect();
        (!keys.is_empty()).then(|| keys[which % keys.len()])
    }

    fn passed_by(&self, key: u64) -> u64 {
        self.passed.get(&key).copied().unwrap_or(0)
    }

    fn passing(&self, key: u64, blocks: u64) -> u64 {
        let end = self.live.len().div_ceil(BLOCK) as u64;
        (self.passed_by(key) + blocks).min(end)
    }

    /// Any but the newest.
    fn interval(&self, which: usize) -> Option<u64> {
        let keys: Vec<u64> = self.instants.keys().copied().collect();
        (keys.len() > 1).then(|| keys[which % (keys.len() - 1)])
    }

    fn touch(&mut self, from: usize, to: usize) {
        if from >= to {
            return;
        }
        let blocks = (from / BLOCK) as u64..=((to - 1) / BLOCK) as u64;
        self.needs.touch(blocks.clone());
        if let Some(mut last) = self.instants.last_entry() {
            last.get_mut().1.extend(blocks);
        }
    }

    fn clip(&self, sector: usize, count: usize) -> (usize, usize) {
        let from = (sector * SECTOR).min(self.live.len());
        (from, (from + count * SECTOR).min(self.live.len()))
    }

    /// The step itself; may be killed in its middle.
    fn act(&mut self, step: &Step) {
        match step {
            Step::Write {
                sector,
                count,
                fill,
                hand,
            } => {
                let (from, to) = self.clip(*sector, *count);
                let data: Vec<u8> = (from..to)
                    .map(|n| fill.wrapping_add((n / 13) as u8))
                    .collect();
                let (offset, length) = (from as u64, data.len() as u64);
                let (store, patience) = (self.world.store.clone(), Patience::from_now());
                let unit = store.alignment() as u64;
                let whole = (offset | length).is_multiple_of(unit);
                let write = || store.write(offset, &data);
                let volume = &self.volume;
                let written = match hand {
                    Hand::Behind if volume.begin_write(offset, length) => {
                        let written = write();
                        volume.end_write();
                        written
                    }
                    Hand::Writer if whole => {
                        volume.write_by(offset, length, patience, &mut self.scratch, write)
                    }
                    _ => volume.write(offset, &data, patience, &mut self.scratch),
                };
                written.expect("write");
            }
            Step::Mend {
                sector,
                count,
                fill,
            } => {
                let (from, to) = self.block_range(*sector, *count);
                *self.world.store.unreadable.lock().expect("lock") = from as u64..to as u64;
                let written = self.volume.write(
                    from as u64,
                    &vec![*fill; to - from],
                    Patience::from_now(),
                    &mut self.scratch,
                );
                *self.world.store.unreadable.lock().expect("lock") = 0..0;
                written.expect("a live write never fails because of a snapshot");
            }
            Step::Discard { sector, count } => {
                let (from, to) = self.block_range(*sector, *count);
                let length = (to - from) as u64;
                self.volume
                    .discard(from as u64, length, Patience::from_now(), &mut self.scratch)
                    .expect("discard");
            }
            Step::Zero { sector, count } => {
                let (from, to) = self.clip(*sector, *count);
                let length = (to - from) as u64;
                self.volume
                    .write_zeroes(from as u64, length, Patience::from_now(), &mut self.scratch)
                    .expect("zero");
            }
            Step::Punch { sector, count } => {
                let (from, to) = self.clip(*sector, *count);
                let length = (to - from) as u64;
                self.volume
                    .punch_hole(from as u64, length, Patience::from_now(), &mut self.scratch)
                    .expect("punch");
            }
            Step::Snapshot {
                pools,
                free,
                hold_ms,
            } => {
                let hold = Duration::from_millis(*hold_ms);
                let map = free.as_ref().map(|bytes| {
                    let map = world::bitmap(96);
                    for bit in 0..96 {
                        if bytes[bit / 8] & (1 << (bit % 8)) != 0 {
                            map.set(bit as u64);
                        }
                    }
                    map
                });
                self.world
                    .snapshot(&self.volume, self.next, pools, map, Policy { hold });
            }
            Step::Release { which } => {
                if let Some(key) = self.pick(*which) {
                    self.world.release(&self.volume, key);
                }
            }
            Step::Read {
                which,
                sector,
                count,
            } => {
                if let Some(key) = self.pick(*which) {
                    let (from, to) = self.clip(*sector, *count);
                    let mut buf = vec![0; to - from];
                    match self
                        .volume
                        .read_snapshot(key, from as u64, &mut buf, &mut self.scratch)
                    {
                        Ok(()) => {
                            assert_eq!(buf, self.images[&key][from..to], "image {key}");
                            assert!(from as u64 / BLOCK as u64 >= self.passed_by(key));
                        }
                        Err(ReadFailure::Passed) => {
                            assert!((from as u64 / BLOCK as u64) < self.passed_by(key));
                        }
                        Err(ReadFailure::Gone) => assert!(!self.world.is_open(key)),
                        Err(e) => panic!("reading image {key}: {e:?}"),
                    }
                }
            }
            Step::Passed { which, blocks } => {
                if let Some(key) = self.pick(*which) {
                    let to = self.passing(key, *blocks);
                    self.world.passed(&self.volume, key, to);
                }
            }
            Step::ForgetInterval { which } => {
                if let Some(key) = self.interval(*which) {
                    self.world.forget_interval(&self.volume, key);
                }
            }
            Step::Restart => self.volume = self.world.start(),
            Step::Room { slots } => {
                for pool in &self.world.slots {
                    pool.room.store(*slots, Ordering::SeqCst);
                }
            }
            Step::MakeRoom => self.volume.make_room(Duration::ZERO),
        }
    }

    /// A kernel sends discards in whole units of the store.
    fn block_range(&self, sector: usize, count: usize) -> (usize, usize) {
        let (from, to) = self.clip(sector, count);
        let from = from
            .next_multiple_of(BLOCK)
            .min(self.live.len() / BLOCK * BLOCK);
        (from, (to / BLOCK * BLOCK).max(from))
    }

    /// What the step means.
    fn follow(&mut self, step: &Step) {
        match step {
            Step::Write {
                sector,
                count,
                fill,
                hand: _,
            } => {
                let (from, to) = self.clip(*sector, *count);
                self.touch(from, to);
                for n in from..to {
                    self.live[n] = fill.wrapping_add((n / 13) as u8);
                }
            }
            Step::Mend {
                sector,
                count,
                fill,
            } => {
                let (from, to) = self.block_range(*sector, *count);
                self.touch(from, to);
                self.live[from..to].fill(*fill);
            }
            Step::Discard { sector, count } => {
                let (from, to) = self.block_range(*sector, *count);
                self.touch(from, to);
                self.live[from..to].fill(0);
            }
            Step::Zero { sector, count } | Step::Punch { sector, count } => {
                let (from, to) = self.clip(*sector, *count);
                self.touch(from, to);
                self.live[from..to].fill(0);
            }
            Step::Snapshot { free, .. } => {
                let mut image = self.live.clone();
                let mut were_free = BTreeSet::new();
                for bit in free.iter().flat_map(|_| 0..96) {
                    let bytes = free.as_ref().expect("is there");
                    if bytes[bit / 8] & (1 << (bit % 8)) != 0 {
                        let from = (bit * BLOCK).min(image.len());
                        let to = (from + BLOCK).min(image.len());
                        image[from..to].fill(0);
                        were_free.insert(bit as u64);
                    }
                }
                self.images.insert(self.next, image);
                self.needs.take(self.next, were_free);
                self.instants
                    .insert(self.next, (self.live.clone(), BTreeSet::new()));
                self.next += 1;
            }
            Step::Release { which } => {
                if let Some(key) = self.pick(*which) {
                    self.images.remove(&key);
                    self.passed.remove(&key);
                }
            }
            Step::Passed { which, blocks } => {
                if let Some(key) = self.pick(*which) {
                    let to = self.passing(key, *blocks);
                    self.passed.insert(key, to);
                }
            }
            Step::ForgetInterval { which } => {
                if let Some(key) = self.interval(*which) {
                    let (_, touched) = self.instants.remove(&key).expect("kept");
                    if let Some((_, before)) = self.instants.range_mut(..key).next_back() {
                        before.1.extend(touched);
                    }
                }
            }
            _ => {}
        }
    }

    /// Runs a step; with a fuse lit it may be killed, and is then done again as the kernel would.
    pub fn run(&mut self, step: &Step, fuse: Option<i64>) {
        let Some(steps) = fuse else {
            self.act(step);
            self.follow(step);
            return;
        };
        self.world.fuse.light(steps);
        let killed = catch_unwind(AssertUnwindSafe(|| self.act(step))).is_err();
        self.world.fuse.light(0);
        if killed {
            self.volume = self.world.start();
            let done = match step {
                Step::Snapshot { .. } => self.world.is_open(self.next),
                Step::Release { which } => {
                    self.pick(*which).is_none_or(|key| !self.world.is_open(key))
                }
                _ => false,
            };
            if !done {
                self.act(step);
            }
        }
        self.follow(step);
    }

    pub fn check(&mut self) {
        assert!(
            *self.world.store.data.lock().expect("lock") == self.live,
            "the live volume differs"
        );
        for (key, image) in &self.images {
            let from = (self.passed_by(*key) as usize * BLOCK).min(image.len());
            let image = &image[from..];
            if image.is_empty() {
                continue;
            }
            let mut buf = vec![0; image.len()];
            match self
                .volume
                .read_snapshot(*key, from as u64, &mut buf, &mut self.scratch)
            {
                Ok(()) => {
                    assert!(self.world.is_open(*key), "image {key} is readable but lost");
                    let differs = buf
                        .chunks(BLOCK)
                        .zip(image.chunks(BLOCK))
                        .position(|(a, b)| a != b);
                    assert_eq!(differs, None, "first block of image {key} that differs");
                }
                Err(ReadFailure::Gone) => assert!(!self.world.is_open(*key), "image {key} is gone"),
                Err(e) => panic!("image {key}: {e:?}"),
            }
        }
    }

    /// What the volume says has changed is what was touched, so all that differs is in it.
    pub fn check_changes(&self) {
        for since in self.instants.keys() {
            let later = self.instants.range(since + 1..);
            let ends = later.map(|(key, (content, _))| (Some(*key), content));
            for (until, content) in ends.chain([(None, &self.live)]) {
                let interval = |key| self.world.interval_of(key).expect("kept");
                let told = self
                    .volume
                    .changed(interval(*since), until.map(interval), 0..97, 97)
                    .expect("both are kept");
                assert_eq!(told.next, 97);
                let told: BTreeSet<u64> = told.extents.into_iter().flatten().collect();
                let range = self.instants.range(since..&until.unwrap_or(u64::MAX));
                let touched: BTreeSet<u64> = range.flat_map(|(_, (_, t))| t).copied().collect();
                assert_eq!(told, touched, "changes of {since} to {until:?}");
                let before = &self.instants[since].0;
                for (block, (a, b)) in before.chunks(BLOCK).zip(content.chunks(BLOCK)).enumerate() {
                    assert!(a == b || told.contains(&(block as u64)));
                }
            }
        }
    }

    /// In the caches lie the pre-images that open snapshots need, and no others.
    pub fn check_slots(&mut self) {
        let lost = self.world.ledger.lost.lock().expect("lock").len();
        if lost != self.lost {
            // What only a lost one needed is given up by a thread of its own.
            self.volume.make_room(Duration::ZERO);
            self.lost = lost;
        }
        let read_to = |key| self.world.is_open(key).then(|| self.passed_by(key));
        let used = |n| self.volume.pool(n).map_or(0, |pool| pool.used());
        assert_eq!(used(0) + used(1), self.needs.count(read_to), "slots in use");
    }

    pub fn end(mut self) {
        for key in self.images.clone().into_keys() {
            self.world.release(&self.volume, key);
        }
        self.images.clear();
        for number in 0..2 {
            let pool = self.volume.pool(number).expect("pool");
            assert_eq!(pool.used(), 0, "slots leaked");
        }
    }
}
