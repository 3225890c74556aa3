//! The engine as an NBD server sees it.

use crate::engine::Engine;
use crate::protocol::NbdAccess;
use cow::BLOCK;
use transport::nbd::exports::{Context, Export, Exports, Extent};
use transport::nbd::wire::{STATE_HOLE, STATE_ZERO};
use transport::served::{Errno, Image};

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
            contexts: Vec::new(),
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
            contexts: Vec::new(),
        });
        live.into_iter().chain(frozen).collect()
    }

    fn sector_size(&self) -> u32 {
        self.configuration.sector_size
    }

    /// Blocks that were free at the instant are holes of the frozen image; nothing is known of the
    /// live volume.
    fn status(
        &self,
        image: Image,
        _context: &Context,
        offset: u64,
        length: u64,
        most: usize,
    ) -> Result<Vec<Extent>, Errno> {
        self.inside(offset, length)?;
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
}
