//! The engine as an NBD server sees it.
//!
//! What changed since an earlier snapshot is told as a context `qemu:dirty-bitmap:<id of it>`: QEMU's
//! name and meaning, which incremental backup programs know already.

use crate::engine::Engine;
use crate::protocol::nbd::NbdAccess;
use cow::BLOCK;
use transport::nbd::exports::{Context, Export, Exports, Extent};
use transport::nbd::wire::{STATE_HOLE, STATE_ZERO};
use transport::served::{Errno, Image, Served};

const DIRTY_PREFIX: &str = "qemu:dirty-bitmap:";
/// The flag of an extent that changed, QEMU's `NBD_STATE_DIRTY`.
const STATE_DIRTY: u32 = 1;
/// The live volume's name.
const LIVE: &str = "live";

impl Exports for Engine {
    fn exports(&self) -> Vec<Export> {
        let offer = self.nbd.offer();
        let id = &self.configuration.id;
        let live = offer.live.map(|access| Export {
            name: LIVE.to_owned(),
            image: Image::Live,
            read_only: access == NbdAccess::ReadOnly,
            description: format!("volume {id}"),
            contexts: self.dirty_contexts(Image::Live),
        });
        let readable = self.registry.table.readable().into_iter();
        let offered = readable.filter(|(name, _)| {
            name != LIVE && (offer.all_snapshots || offer.snapshots.contains(name))
        });
        let frozen = offered.map(|(name, image)| Export {
            description: format!("snapshot {name} of volume {id}"),
            name,
            image: Image::Frozen(image),
            read_only: true,
            contexts: self.dirty_contexts(Image::Frozen(image)),
        });
        live.into_iter().chain(frozen).collect()
    }

    fn sector_size(&self) -> u32 {
        self.configuration.sector_size
    }

    fn status(
        &self,
        image: Image,
        context: &Context,
        offset: u64,
        length: u64,
        most: usize,
    ) -> Result<Vec<Extent>, Errno> {
        self.inside(offset, length)?;
        match context {
            Context::Allocation => self.allocation(image, offset, length, most),
            Context::Named(name) => self.dirty(image, name, offset, length, most),
        }
    }
}

impl Engine {
    fn dirty_contexts(&self, image: Image) -> Vec<String> {
        let known = self.known_since(image).into_iter();
        known
            .map(|since| format!("{DIRTY_PREFIX}{since}"))
            .collect()
    }

    /// Blocks that were free at the instant are holes of the frozen image; nothing is known of the
    /// live volume.
    fn allocation(
        &self,
        image: Image,
        offset: u64,
        length: u64,
        most: usize,
    ) -> Result<Vec<Extent>, Errno> {
        let all_data = vec![Extent { length, flags: 0 }];
        let Image::Frozen(key) = image else {
            return Ok(all_data);
        };
        let extents = self.volume.with_snapshot(key, |snapshot| {
            let Some(free) = &snapshot.free else {
                return all_data;
            };
            let block = BLOCK as u64;
            let (mut at, end) = (offset, offset + length);
            let mut extents = Vec::new();
            while at < end && extents.len() < most {
                let (was_free, to) = free.run(at / block, end.div_ceil(block));
                let to = (to * block).min(end);
                let flags = if was_free { STATE_HOLE | STATE_ZERO } else { 0 };
                extents.push(Extent {
                    length: to - at,
                    flags,
                });
                at = to;
            }
            extents
        });
        extents.ok_or(Errno::IO)
    }

    fn dirty(
        &self,
        image: Image,
        context: &str,
        offset: u64,
        length: u64,
        most: usize,
    ) -> Result<Vec<Extent>, Errno> {
        let since = context.strip_prefix(DIRTY_PREFIX).ok_or(Errno::NOT_FOUND)?;
        let told = self.changed_since(image, since, offset..offset + length, most);
        let told = told.ok_or(Errno::IO)?;
        let mut extents = Vec::new();
        let mut at = offset;
        let mut add = |to: u64, flags: u32| {
            if to > at {
                extents.push(Extent {
                    length: to - at,
                    flags,
                });
                at = to;
            }
        };
        for changed in &told.extents {
            add(changed.start, 0);
            add(changed.end, STATE_DIRTY);
        }
        add(told.next, 0);
        extents.truncate(most);
        Ok(extents)
    }
}
