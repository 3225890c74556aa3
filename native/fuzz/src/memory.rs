//! A volume in memory that checks what a transport asks of it.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use transport::nbd::exports::{Context, Export, Exports, Extent};
use transport::served::{Change, ChangedExtents, Errno, Image, Patience, SCRATCH_BYTES, Served};

/// Not a multiple of a page, so that ends are met.
pub const BYTES: usize = 256 * 1024 + 512;
const SECTOR: u32 = 512;
/// The one frozen image.
pub const FROZEN: u64 = 7;

pub struct Memory {
    content: Mutex<Vec<u8>>,
    reached: AtomicBool,
}

impl Default for Memory {
    fn default() -> Self {
        let content = (0..BYTES).map(|n| (n / 512) as u8).collect();
        Memory {
            content: Mutex::new(content),
            reached: AtomicBool::new(false),
        }
    }
}

impl Memory {
    /// Whether anybody learnt anything of it: its name, its content.
    pub fn reached(&self) -> bool {
        self.reached.load(Ordering::SeqCst)
    }

    fn content(&self) -> MutexGuard<'_, Vec<u8>> {
        self.reached.store(true, Ordering::SeqCst);
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Transports check ranges before they ask.
    fn range(offset: u64, length: u64) -> std::ops::Range<usize> {
        let end = offset.checked_add(length).expect("a range that overflows");
        assert!(
            end <= BYTES as u64,
            "a range beyond the end: {offset}+{length}"
        );
        offset as usize..end as usize
    }

    fn known(image: Image) -> Result<(), Errno> {
        match image {
            Image::Live | Image::Frozen(FROZEN) => Ok(()),
            Image::Frozen(_) => Err(Errno::IO),
        }
    }
}

impl Served for Memory {
    fn size(&self) -> u64 {
        BYTES as u64
    }

    fn find(&self, snapshot: &str) -> Option<u64> {
        (snapshot == "s").then_some(FROZEN)
    }

    fn read(
        &self,
        image: Image,
        offset: u64,
        data: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), Errno> {
        assert_eq!(scratch.len(), SCRATCH_BYTES);
        let range = Memory::range(offset, data.len() as u64);
        Memory::known(image)?;
        data.copy_from_slice(&self.content()[range]);
        Ok(())
    }

    fn change(&self, change: Change<'_>, _: Patience, scratch: &mut [u8]) -> Result<(), Errno> {
        assert_eq!(scratch.len(), SCRATCH_BYTES);
        match change {
            Change::Write { offset, data } => {
                let range = Memory::range(offset, data.len() as u64);
                self.content()[range].copy_from_slice(data);
            }
            Change::Discard { offset, length }
            | Change::PunchHole { offset, length }
            | Change::WriteZeroes { offset, length } => {
                self.content()[Memory::range(offset, length)].fill(0);
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), Errno> {
        Ok(())
    }

    fn known_since(&self, image: Image) -> Vec<String> {
        match image {
            Image::Live => Vec::new(),
            Image::Frozen(_) => vec!["earlier".into()],
        }
    }

    fn changed_since(
        &self,
        image: Image,
        since: &str,
        range: Range<u64>,
        most: usize,
    ) -> Option<ChangedExtents> {
        Memory::range(range.start, range.end - range.start);
        assert!(most > 0);
        let known = self.known_since(image).iter().any(|known| known == since);
        let next = (range.start + 4096).min(range.end);
        known.then(|| ChangedExtents {
            extents: std::iter::once(range.start..next).collect(),
            next,
        })
    }
}

impl Exports for Memory {
    fn exports(&self) -> Vec<Export> {
        self.reached.store(true, Ordering::SeqCst);
        let export = |name: &str, image, read_only, context: &str| Export {
            name: name.into(),
            image,
            read_only,
            description: "memory".into(),
            contexts: vec![context.into()],
        };
        vec![
            export("live", Image::Live, false, "stillframe:a"),
            export("s", Image::Frozen(FROZEN), true, "stillframe:b"),
        ]
    }

    fn sector_size(&self) -> u32 {
        SECTOR
    }

    fn status(
        &self,
        image: Image,
        _: &Context,
        offset: u64,
        length: u64,
        most: usize,
    ) -> Result<Vec<Extent>, Errno> {
        Memory::range(offset, length);
        assert!(length > 0 && most > 0);
        Memory::known(image)?;
        // Runs of 4 KiB whose status alternates.
        let mut extents = Vec::new();
        let (mut at, end) = (offset, offset + length);
        while at < end && extents.len() < most {
            let next = ((at / 4096 + 1) * 4096).min(end);
            extents.push(Extent {
                length: next - at,
                flags: (at / 4096 % 2) as u32 * 3,
            });
            at = next;
        }
        Ok(extents)
    }
}
