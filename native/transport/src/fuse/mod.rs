//! The raw FUSE protocol, as far as two kinds of files need it.

pub mod abi;
mod behind;
pub mod buffer;
pub mod connection;
mod desk;
pub mod dispatch;
mod door;
pub mod held;
mod lookout;
pub mod session;
mod worker;
