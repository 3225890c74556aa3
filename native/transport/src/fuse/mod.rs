//! The raw FUSE protocol, as far as two kinds of files need it.

pub mod abi;
pub mod buffer;
pub mod connection;
pub mod dispatch;
pub mod held;
pub mod session;
