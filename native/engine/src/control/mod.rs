//! The control socket: a thread for each connection, and one that writes to it.

pub mod connection;
pub mod listener;
mod methods;
pub mod outbox;
mod receive;
