//! The snapshots of the volume as their users know them: named, prepared, active, lost.

pub mod backing_mark;
pub mod cache_file;
pub mod cache_place;
mod caches;
pub mod change_file;
mod changes;
pub mod free_extents;
pub mod record;
pub mod registry;
pub mod restore;
pub mod table;
pub mod tracking;
