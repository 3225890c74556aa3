//! The structures of a file system that hold no file's data: journal, inode tables, bitmaps, headers.
//!
//! They are written for whatever happens, so what is ignored could not be told from what is not if they counted. Only
//! what is known to be such a structure is taken for one. ext4 tells fixed places (FS_IOC_GETFSMAP); its journal is read
//! from the superblock. xfs tells all owners where it keeps a reverse map (`rmapbt`); where not, log, headers and the
//! inodes of ignored files are computed, and trees and other inodes count as somebody else's, which costs windows only.

use crate::extents::Extents;
use crate::mapping::{self, XfsGeometry};
use fsmap::Owner;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Owners of fixed places, and of xfs's trees and inodes; not what is not known, and not half-made copies.
const OWN: [u64; 10] = [
    0x58_0000_0001,
    0x58_0000_0002,
    0x58_0000_0003,
    0x58_0000_0004,
    0x58_0000_0005,
    0x58_0000_0006,
    0x66_0000_0001,
    0x66_0000_0002,
    0x66_0000_0003,
    0x66_0000_0004,
];
const XFS_VERSION_5: u32 = 0x8000;

const EXT4_SUPERBLOCK: u64 = 1024;
const EXTENTS_MAGIC: u16 = 0xF30A;
/// Of one node; four lie in the inode itself.
const MOST_JOURNAL_EXTENTS: usize = 4096;

pub enum OwnStructures {
    /// Places that never move.
    Ext4 { fixed: Extents },
    Xfs {
        geometry: XfsGeometry,
        fixed: Extents,
    },
}

impl OwnStructures {
    /// Err: why the places on this file system cannot be known.
    pub fn learn(mount: &File, device: &File, kind: u64, options: &str) -> Result<Self, String> {
        match kind as i64 {
            libc::EXT4_SUPER_MAGIC => ext4(mount, device, options),
            libc::XFS_SUPER_MAGIC => xfs(mount),
            _ => Err("its file system does not tell where its files lie; ext4 and xfs do".into()),
        }
    }

    pub fn fixed(&self) -> &Extents {
        match self {
            Self::Ext4 { fixed } | Self::Xfs { fixed, .. } => fixed,
        }
    }

    /// What else an inode's own record lies in.
    pub fn inode_record(&self, inode: u64) -> Option<Range<u64>> {
        match self {
            Self::Xfs { geometry, .. } => xfs_inode_cluster(geometry, inode),
            Self::Ext4 { .. } => None,
        }
    }

    /// What of the range is free, or belongs to the file system itself or to one of these inodes.
    pub fn known_in(
        &self,
        mount: &File,
        range: &Range<u64>,
        inodes: &HashSet<u64>,
    ) -> Vec<Range<u64>> {
        let by_inode = matches!(self, Self::Xfs { .. });
        // What does not fit into one answer counts as somebody else's.
        let told = fsmap::first_in(mount, range).unwrap_or_default();
        let known = told.into_iter().filter(|extent| match extent.owner {
            // It has no file's data: whoever wrote there has given it up since.
            Owner::Free => true,
            Owner::Special(code) => OWN.contains(&code),
            Owner::Inode(inode) => by_inode && inodes.contains(&inode),
            Owner::Shared => false,
        });
        known.map(|extent| extent.range).collect()
    }
}

fn ext4(mount: &File, device: &File, options: &str) -> Result<OwnStructures, String> {
    const INLINE_DATA: u32 = 0x8000;
    const DEFAULT_JOURNALED: u32 = 0x60;
    let mut block = [0; 1024];
    device
        .read_exact_at(&mut block, EXT4_SUPERBLOCK)
        .map_err(|e| format!("its superblock cannot be read: {e}"))?;
    if block[0x38..0x3A] != [0x53, 0xEF] {
        return Err("there is no superblock of ext4 on its device".into());
    }
    if word(&block, 0x60) & INLINE_DATA != 0 {
        return Err("its file system keeps data of files among its inodes (inline_data)".into());
    }
    let chosen = options.split([',', '\n']).find(|o| o.starts_with("data="));
    let journaled = match chosen {
        Some(mode) => mode == "data=journal",
        None => word(&block, 0x100) & DEFAULT_JOURNALED == 0x20,
    };
    if journaled {
        return Err("its file system writes data of files to its journal (data=journal)".into());
    }
    let block_size = 1024_u64 << word(&block, 0x18).min(6);
    let mut fixed = vec![];
    // Of multiple mount protection: a block that is written every few seconds.
    let guard = u64::from(word(&block, 0x168)) | u64::from(word(&block, 0x16C)) << 32;
    if word(&block, 0x60) & 0x100 != 0 && guard != 0 {
        fixed.push(guard * block_size..(guard + 1) * block_size);
    }
    let has_journal = word(&block, 0x5C) & 0x4 != 0;
    if has_journal && word(&block, 0xE0) != 0 {
        if block[0xFD] != 1 {
            return Err("its superblock does not say where its journal lies".into());
        }
        journal_extents(device, block_size, &block[0x10C..0x10C + 60], 0, &mut fixed)
            .map_err(|e| format!("its journal is not laid out as ext4 does (extents): {e}"))?;
    }
    // All at once: older kernels tell a part of such a place as one of an unknown owner.
    fsmap::each(mount, |extent| {
        if matches!(extent.owner, Owner::Special(code) if OWN.contains(&code)) {
            fixed.push(extent.range);
        }
    })
    .map_err(|e| format!("its file system does not tell where its tables lie: {e}"))?;
    Ok(OwnStructures::Ext4 {
        fixed: Extents::of(fixed),
    })
}

/// Of a node of an extent tree.
fn journal_extents(
    device: &File,
    block_size: u64,
    node: &[u8],
    depth: u16,
    found: &mut Vec<Range<u64>>,
) -> io::Result<()> {
    let odd = || io::Error::from(io::ErrorKind::InvalidData);
    let half = |at: usize| Some(u16::from_le_bytes(node.get(at..at + 2)?.try_into().ok()?));
    if half(0) != Some(EXTENTS_MAGIC) || depth > 5 {
        return Err(odd());
    }
    let (entries, height) = (half(2).ok_or_else(odd)?, half(6).ok_or_else(odd)?);
    for entry in 0..usize::from(entries) {
        let at = 12 + 12 * entry;
        let entry = node.get(at..at + 12).ok_or_else(odd)?;
        if height == 0 {
            let length = u64::from(u16::from_le_bytes([entry[4], entry[5]]));
            let high = u64::from(u16::from_le_bytes([entry[6], entry[7]]));
            let start = (high << 32 | u64::from(word(entry, 8))) * block_size;
            // More than that is how a part without contents is written, which a journal has none of.
            if length > 1 << 15 || found.len() > MOST_JOURNAL_EXTENTS {
                return Err(odd());
            }
            found.push(start..start + length * block_size);
        } else {
            let high = u64::from(u16::from_le_bytes([entry[8], entry[9]]));
            let mut below = vec![0; block_size as usize];
            device.read_exact_at(
                &mut below,
                (high << 32 | u64::from(word(entry, 4))) * block_size,
            )?;
            journal_extents(device, block_size, &below, depth + 1, found)?;
        }
    }
    Ok(())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let four = bytes[at..at + 4].try_into();
    u32::from_le_bytes(four.unwrap_or_default())
}

fn xfs(mount: &File) -> Result<OwnStructures, String> {
    let geometry = mapping::xfs_geometry(mount)
        .map_err(|e| format!("its file system does not tell its geometry: {e}"))?;
    // Such a file's places are told as those of that device, and look like some of this one's.
    if geometry.realtime_blocks != 0 {
        return Err("its file system may keep data of files on a realtime device".into());
    }
    let block = u64::from(geometry.block_size);
    let group = u64::from(geometry.group_blocks) * block;
    // Superblock, free space, inodes and free list: a sector each.
    let headers = 4 * u64::from(geometry.sector_size);
    let mut fixed: Vec<_> = (0..u64::from(geometry.groups))
        .map(|number| number * group..number * group + headers)
        .collect();
    if geometry.log_start != 0 {
        let bits = group_bits(&geometry);
        let start =
            (geometry.log_start >> bits) * group + (geometry.log_start & ((1 << bits) - 1)) * block;
        fixed.push(start..start + u64::from(geometry.log_blocks) * block);
    }
    Ok(OwnStructures::Xfs {
        geometry,
        fixed: Extents::of(fixed),
    })
}

/// Bits of a block's number inside its group.
fn group_bits(geometry: &XfsGeometry) -> u32 {
    geometry.group_blocks.next_power_of_two().trailing_zeros()
}

/// What is written when the inode is: the cluster of inodes around it. Only of version 5, where clusters are aligned.
fn xfs_inode_cluster(geometry: &XfsGeometry, inode: u64) -> Option<Range<u64>> {
    let (block, size) = (
        u64::from(geometry.block_size),
        u64::from(geometry.inode_size),
    );
    if geometry.flags & XFS_VERSION_5 == 0 || size == 0 || block < size {
        return None;
    }
    let in_block = (block / size).trailing_zeros();
    let bits = group_bits(geometry);
    let group_block = (inode >> in_block) & ((1 << bits) - 1);
    let group = inode >> (bits + in_block);
    let blocks = (8192 * (size / 256) / block).max(1);
    let first = group_block / blocks * blocks;
    let start = (group * u64::from(geometry.group_blocks) + first) * block;
    Some(start..start + blocks * block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owners_are_those_of_the_kernel_s_headers() {
        let of = |kind: u8, code: u64| u64::from(kind) << 32 | code;
        assert_eq!(OWN[0], of(b'X', 1));
        assert_eq!(OWN[5], of(b'X', 6));
        assert_eq!(OWN[6], of(b'f', 1));
    }

    /// Numbers of `xfs_db -c "convert inode … fsblock"` on a file system with four groups.
    #[test]
    fn an_inode_s_cluster_is_where_xfs_puts_it() {
        let geometry = XfsGeometry {
            block_size: 4096,
            group_blocks: 20_480,
            groups: 4,
            inode_size: 512,
            flags: XFS_VERSION_5,
            ..XfsGeometry::default()
        };
        assert_eq!(
            xfs_inode_cluster(&geometry, 131),
            Some(16 * 4096..20 * 4096)
        );
        let second = (1 << 18) + 131;
        let start = (20_480 + 16) * 4096;
        assert_eq!(
            xfs_inode_cluster(&geometry, second),
            Some(start..start + 4 * 4096)
        );
    }
}
