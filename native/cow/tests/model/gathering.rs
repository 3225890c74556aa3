//! Writes to a cache that are made together.

use crate::world::Disk;
use crate::{all, explore};
use cow::BLOCK;
use cow::gather::Gathering;
use cow::store::SlotStore;
use shuttle::thread;
use std::io;
use std::sync::Arc;

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
