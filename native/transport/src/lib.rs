//! How a live volume and its frozen images become block devices.
//!
//! ```text
//!  applications ─▶ file system ─▶ /dev/loopN ─▶ FUSE file "live" ───┐
//!                                                                    ├─▶ Served (the engine)
//!  backup ─▶ frozen mount ─▶ /dev/loopM (ro) ─▶ FUSE "snap-<id>" ───┘
//!
//!  applications ─▶ file system ─▶ /dev/ublkbN ─▶ Served: without FUSE and loop in between
//! ```
//!
//! A transport turns requests of the kernel into calls of [`served::Served`] and knows nothing of
//! snapshots beyond their names. `fuse_loop` (the modules `fuse` and `loop_device`) runs on any
//! kernel with FUSE and loop devices; `ublk` gives the live device on Linux 6.5 and later, with the
//! frozen images as above; `nbd` serves standard clients over sockets.

pub mod aio;
pub mod fuse;
pub mod loop_device;
pub mod nbd;
pub mod served;
pub mod ublk;
