//! A client of the NBD server: everything that it sends, negotiation and requests.
//!
//! Input: its bytes in the order sent. All of them are in the socket before the server begins; then the
//! client has nothing more to say. What the server answers is read and thrown away.

use crate::memory::Memory;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use transport::nbd::connection::{self, Budget};
use transport::nbd::exports::Exports;
use transport::nbd::socket::Socket;

/// What fits into a socket's buffer at once.
const MAX_INPUT: usize = 64 * 1024;
const THREADS: usize = 2;

pub fn run(input: &[u8]) {
    let (mut client, server) = UnixStream::pair().expect("a socket pair");
    client
        .write_all(&input[..input.len().min(MAX_INPUT)])
        .and_then(|()| client.shutdown(std::net::Shutdown::Write))
        .expect("room in the socket");
    let reader = std::thread::spawn(move || {
        let mut answers = vec![0; 64 * 1024];
        while client.read(&mut answers).is_ok_and(|n| n > 0) {}
    });
    let exports: Arc<dyn Exports> = Arc::new(Memory::default());
    let socket = Arc::new(Socket::new(server.into()));
    if let Ok(Some(chosen)) = connection::negotiate(socket.clone(), &*exports, None) {
        connection::serve(chosen, exports, THREADS, Arc::new(Budget::new(THREADS)));
    }
    socket.hang_up();
    reader.join().expect("the reader only reads");
}
