//! Copy-on-write of a volume: the pure part of the engine.
//!
//! It knows no transport, no process and no file system. What it needs of the world are three small
//! traits ([`store`]): the backing store, files of 4 KiB slots for pre-images, and words of memory
//! that outlive the process. Everything that must survive the engine's death lies in those words;
//! [`volume::Volume`] is rebuilt from them.
//!
//! - [`volume`]: the write and read paths, and what a snapshot is.
//! - [`map`]: which slots hold pre-images of a block.
//! - [`record`]: how a slot's use is recorded, so that a record is complete or absent.
//! - [`pool`]: slots of one cache file: allocation and growth.
//! - [`gather`]: pre-images that wait for the same disk are written together.
//! - [`changes`]: which blocks changed between two snapshots.
//! - [`behind`]: writes that go on when their call has returned.
//! - [`bitmap`], [`range_lock`]: what their names say.
//! - [`sync`]: locks and atomics, to be replaced by those of a model checker.

mod behind;
pub mod bitmap;
pub mod changes;
pub mod gather;
pub mod map;
mod need;
pub mod pool;
mod range_lock;
mod rebuild;
pub mod record;
mod room;
mod snapshot;
pub mod snapshot_read;
pub mod store;
mod sweep;
pub mod sync;
pub mod volume;

/// The unit of copy-on-write, in bytes.
pub const BLOCK: usize = 4096;
