//! NBD: the live volume and frozen images over a Unix socket or TCP, for standard clients (qemu,
//! `nbdcopy`, the kernel's own).
//!
//! # A connection's life
//!
//! ```text
//!  accept ─▶ greeting ─▶ options … (STARTTLS) … ─▶ GO, EXPORT_NAME ─▶ transmission ─▶ end
//!            └──────── one thread, a deadline ────┘ └─ 1 … n threads ─────────────┘
//! ```
//!
//! - [`wire`]: numbers and layouts; parses and builds, does no I/O.
//! - [`negotiation`]: what each option is answered, as a function of bytes ([`options`] takes their
//!   data apart). No byte of it is believed before it was checked.
//! - [`connection`]: the threads of one client. Each takes one request from the socket under a lock
//!   ([`intake`]), carries it out ([`command`]) and answers it ([`outlet`]), so replies come in any
//!   order and no request is handed from thread to thread.
//! - [`server`]: listens, limits, ends. [`socket`]: one connected socket.
//! - [`tls`]: the encrypted form of both directions.
//!
//! # What a client can do to others
//!
//! A thread that waits for its client holds no lock of the volume and no buffer of another connection,
//! so a client that stops reading stops itself only. Connections are counted for each listener, threads
//! for the whole server; each thread has two buffers of [`PIECE`] bytes and every longer request is cut
//! to that. Whoever breaks the protocol loses the connection, and nothing else happens.
//!
//! # Order and durability
//!
//! A write is in the backing store when it is answered, whoever reads next and on whatever connection
//! or transport; a flush covers all of them. So several connections are one (`CAN_MULTI_CONN`). When
//! the process is killed, what was not answered is the client's to send again; what was answered as
//! flushed is on stable storage.

pub mod command;
pub mod connection;
pub mod exports;
pub mod intake;
pub mod negotiation;
pub mod options;
pub mod outlet;
pub mod server;
pub mod socket;
pub mod tls;
pub mod wire;

/// Longer requests are carried out in pieces of so many bytes.
pub const PIECE: usize = 1 << 20;
