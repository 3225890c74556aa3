//! A volume in memory, and a frozen image of it in which one MiB was free.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use transport::nbd::exports::{Context, Export, Exports, Extent};
use transport::served::{Change, Errno, Image, Patience, Served};

pub const SIZE: usize = 64 << 20;
pub const HOLE: std::ops::Range<usize> = 1 << 20..2 << 20;

pub struct Memory {
    pub live: Mutex<Vec<u8>>,
    pub flushes: AtomicU64,
}

impl Served for Memory {
    fn size(&self) -> u64 {
        SIZE as u64
    }
    fn find(&self, _: &str) -> Option<u64> {
        None
    }
    fn read(&self, image: Image, offset: u64, data: &mut [u8], _: &mut [u8]) -> Result<(), Errno> {
        let at = offset as usize;
        match image {
            Image::Live => {
                data.copy_from_slice(&self.live.lock().expect("lock")[at..][..data.len()])
            }
            Image::Frozen(_) => {
                for (n, byte) in data.iter_mut().enumerate() {
                    *byte = if HOLE.contains(&(at + n)) { 0 } else { 5 };
                }
            }
        }
        Ok(())
    }
    fn change(&self, change: Change<'_>, _: Patience, _: &mut [u8]) -> Result<(), Errno> {
        let Change::Write { offset, data } = change else {
            return Err(Errno::NOT_SUPPORTED);
        };
        self.live.lock().expect("lock")[offset as usize..][..data.len()].copy_from_slice(data);
        Ok(())
    }
    fn flush(&self) -> Result<(), Errno> {
        self.flushes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Exports for Memory {
    fn exports(&self) -> Vec<Export> {
        let export = |name: &str, image: Image| Export {
            name: name.into(),
            image,
            read_only: image != Image::Live,
            description: String::new(),
            contexts: Vec::new(),
        };
        vec![
            export("live", Image::Live),
            export("frozen", Image::Frozen(1)),
        ]
    }
    fn sector_size(&self) -> u32 {
        512
    }
    fn status(
        &self,
        image: Image,
        _: &Context,
        offset: u64,
        length: u64,
        most: usize,
    ) -> Result<Vec<Extent>, Errno> {
        let (mut at, end) = (offset as usize, (offset + length) as usize);
        let mut extents = Vec::new();
        while at < end && extents.len() < most {
            let hole = image != Image::Live && HOLE.contains(&at);
            let to = match (image, hole) {
                (Image::Frozen(_), true) => HOLE.end,
                (Image::Frozen(_), false) if at < HOLE.start => HOLE.start,
                _ => end,
            };
            let length = (to.min(end) - at) as u64;
            extents.push(Extent {
                length,
                flags: if hole { 3 } else { 0 },
            });
            at += length as usize;
        }
        Ok(extents)
    }
}

pub fn memory() -> Arc<Memory> {
    Arc::new(Memory {
        live: Mutex::new((0..SIZE).map(|n| (n / 512) as u8).collect()),
        flushes: AtomicU64::new(0),
    })
}
